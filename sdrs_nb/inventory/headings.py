"""Names as people, consoles and tools spell them: which heading is which column, which sheet is which frame.

A heading is a column's name in any letter case (spaces and hyphens for underscores), or one of the aliases below: words
that a console or a person uses for exactly that.  What only looks like one ("serverid") is reported, never taken.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType

from sdrs_nb.tables import INVENTORY_TABLES, Table

__all__ = ["COLUMN_ALIASES", "FRAME_ALIASES", "IGNORED", "PARTS", "column_of", "fold", "frame_of_name", "is_known",
           "likely", "part_of"]  # fmt: skip

#: Headings -> our column; each counts in the frames that have that column.
COLUMN_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        alias: column
        for column, aliases in {
            "server_id": (
                "服务器ID|云服务器ID|弹性云服务器ID|主机ID|实例ID|虚拟机ID|云主机ID|服务器编号|服务器标识|"
                "Server UUID|Instance ID|"
                "Instance UUID|VM ID|VM UUID|ECS ID|Resource ID"
            ),
            "name": (
                "名称|服务器名称|云服务器名称|弹性云服务器名称|主机名称|实例名称|云主机名称|虚拟机名称|"
                "磁盘名称|云硬盘名称|保护组名称|"
                "Server name|Instance name|VM name|ECS name|Disk name|Volume name|Group name|Display name|"
                "Instance|VM|Servername"
            ),
            "status": (
                "状态|运行状态|服务器状态|实例状态|主机状态|磁盘状态|云硬盘状态|State|Server status|"
                "Instance status|Instance state|Power status"
            ),
            "task_state": "任务状态",
            "az": "可用区|可用分区|可用区名称|所属可用区|AZ name|Zone|Availability Zone|Availability zone name",
            "vpc_id": "虚拟私有云ID|VPC UUID|所属VPC ID",
            "address_vpc_ids": "Address VPC IDs",
            "subnet_id": "子网ID|Subnet UUID",
            "private_ips": (
                "私有IP地址|私有IP|内网IP|内网IP地址|私网IP|私网IP地址|IP地址|Private IP|Private IP address|"
                "Private IPs|"
                "Private IP addresses|IP|IP address|IP addresses|IPv4|Address|Fixed IP|Internal IP"
            ),
            "flavor_id": "规格ID|规格名称|Flavor|Flavour|Flavor name|Flavour ID|Instance type|规格类型|实例规格",
            "vcpus": "vCPU|vCPU数|CPU核数|CPU|CPUs|Cores|CPU数|核数|vCPU count",
            "ram_gib": (
                "内存(GiB)|内存(GB)|内存GB|内存|Memory (GB)|Memory (GiB)|Memory GB|Memory|RAM (GB)|RAM (GiB)|RAM GB|RAM"
            ),
            "os_type": "操作系统类型|操作系统|OS|Operating system|OS type",
            "image_name": "镜像名称|镜像|Image|Image name",
            "key_name": "密钥对|密钥对名称|Key pair|Keypair|Key pair name|SSH key",
            "user_id": "用户ID|创建者ID",
            "billing": "计费模式|计费方式|付费方式|Billing mode|Billing type|Charging mode|Payment",
            "locked": "锁定|是否锁定|Is locked",
            "frozen": "冻结|是否冻结|Is frozen",
            "hostname": "主机名|Host name",
            "security_groups": "安全组|Security group",
            "enterprise_project_id": "企业项目ID|EPS ID",
            "tags": "标签|Tag|资源标签",
            "created_at": "创建时间|创建日期|Created|Creation time|Creation date|Created on|Created time",
            "volume_id": "磁盘ID|云硬盘ID|硬盘ID|卷ID|Disk ID|Volume UUID|EVS ID|EVS disk ID",
            "size_gib": (
                "容量(GiB)|容量(GB)|磁盘容量(GiB)|磁盘容量(GB)|容量|磁盘大小|大小(GB)|Size (GB)|Size (GiB)|"
                "Size GB|Size|Capacity|"
                "Capacity (GB)|Capacity (GiB)|Disk size (GB)"
            ),
            "multiattach": "共享盘|共享|是否共享|Shared|Shareable|Sharing",
            "encrypted": "加密|是否加密|Encryption",
            "volume_type": "磁盘类型|云硬盘类型|Disk type|Type",
            "bootable": "系统盘|是否系统盘|启动盘|可启动",
            "device": "挂载点|设备名|设备|Device name|Mount point|Attachment point",
            "group_id": "保护组ID|Protection group ID|Protection group UUID|Server group ID",
            "protected_instance_id": "保护实例ID",
            "replication_pair_id": "复制对ID",
            "production_az": "生产站点可用区|生产可用区|Production AZ|Production site AZ",
            "dr_az": "容灾站点可用区|容灾可用区|灾备可用区|DR AZ|DR site AZ|Disaster recovery AZ",
            "source_az": "源可用区|Source AZ",
            "target_az": "目的可用区|目标可用区|Target AZ",
        }.items()
        for alias in aliases.split("|")
    }
)

#: Headings that mean a column in one frame only: "ID" is the id of whatever a row is.
_OWN: Mapping[str, dict[str, str]] = MappingProxyType(
    {
        "servers": {"ID": "server_id", "UUID": "server_id", "编号": "server_id"}
        | dict.fromkeys(("Server", "Host", "云服务器", "服务器", "弹性云服务器", "主机", "虚拟机"), "name"),
        "volumes": {"ID": "volume_id", "UUID": "volume_id", "编号": "volume_id"}
        | dict.fromkeys(("Disk", "Volume", "磁盘", "云硬盘"), "name"),
        "groups": {"ID": "group_id", "UUID": "group_id", "编号": "group_id"}
        | dict.fromkeys(("Group", "Protection group", "保护组"), "name"),
        "protected_instances": {"ID": "protected_instance_id", "UUID": "protected_instance_id"},
        "replication_pairs": {"ID": "replication_pair_id", "UUID": "replication_pair_id"},
        "vpcs": {"ID": "vpc_id", "UUID": "vpc_id"},
        "subnets": {"ID": "subnet_id", "UUID": "subnet_id"},
        "flavors": {"ID": "flavor_id", "UUID": "flavor_id"},
    }
)

#: Headings whose cells hold several facts, or what is a fact only when it is an id -> what they hold (``parts``).
PARTS: Mapping[str, str] = MappingProxyType(
    {
        alias: part
        for part, aliases in {
            "specifications": "规格/镜像|规格|规格/操作系统|Specifications|Specification|Specifications/Image|Specs",
            "networks": "Networks|Network|Addresses",
            "properties": "Properties|Metadata",
            "attached_to": (
                "Attached to|挂载的云服务器|挂载云服务器|已挂载云服务器|挂载服务器|挂载实例|Attached server|"
                "Attached servers|"
                "Attached to server|Attached instance|Attachments"
            ),
            "vpc": "VPC|虚拟私有云|所属VPC|VPC名称|VPC name|Network VPC",
            "enterprise_project": "企业项目|Enterprise project",
        }.items()
        for alias in aliases.split("|")
    }
)

#: Sheet and file names -> frame.
FRAME_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        alias: frame
        for frame, aliases in {
            "servers": (
                "服务器|云服务器|弹性云服务器|云主机|主机|虚拟机|ECS|ECS list|ECS servers|Server|Server list|"
                "Instances|Instance list|"
                "VMs|VM list|Virtual machines|Hosts|弹性云服务器列表|云服务器列表|服务器列表|服务器清单"
            ),
            "volumes": (
                "磁盘|云硬盘|硬盘|EVS|EVS list|EVS disks|EVS volumes|Disks|Disk list|Volume|Volume list|"
                "云硬盘列表|磁盘列表|磁盘清单"
            ),
            "attachments": "挂载关系|挂载|Attachment|Volume attachments|Disk attachments",
            "groups": "保护组|Protection groups|Protection group|Server groups|SDRS groups",
            "protected_instances": "保护实例|Protected instance|Protected servers",
            "replication_pairs": "复制对|Replication pair|Replications",
        }.items()
        for alias in aliases.split("|")
    }
)

#: Sheets and files of ours that are no frames.
IGNORED = frozenset({"readme"})

_SEPARATORS = str.maketrans({" ": "_", "-": "_"})
#: Two names this alike are taken for a slip of the pen ("serverid", "stauts", but not "owner").
_ALIKE = 0.8


def fold(text: str) -> str:
    """Return a name with letter case, full-width forms, line breaks and separators evened out."""
    plain = unicodedata.normalize("NFKC", text).strip().casefold()
    return re.sub(r"\s+", " ", plain).translate(_SEPARATORS)


def _plain(text: str) -> str:
    return re.sub(r"[_().:*]", "", fold(text))


def _aliases(aliases: Mapping[str, str]) -> dict[str, str]:
    return {_plain(alias): name for alias, name in aliases.items()}


@cache
def _columns_by_alias(frame: str) -> dict[str, str]:
    return _aliases(COLUMN_ALIASES) | _aliases(_OWN.get(frame, {}))


def column_of(heading: str, table: Table) -> str | None:
    """Return the column of ``table`` that ``heading`` names, None when it names none."""
    folded = fold(heading)
    if folded in table.columns:
        return folded
    name = _columns_by_alias(table.name).get(_plain(heading))
    return name if name in table.columns else None


def part_of(heading: str) -> str | None:
    """Return what the cells under a heading hold that is no single column of ours, None when they hold no such."""
    return _parts().get(_plain(heading))


@cache
def _parts() -> dict[str, str]:
    return _aliases(PARTS)


@cache
def is_known(heading: str) -> bool:
    """Tell whether a heading names anything in any frame."""
    return bool(heading) and (
        part_of(heading) is not None or any(column_of(heading, table) for table in INVENTORY_TABLES.values())
    )


@cache
def _frames() -> dict[str, str]:
    return _aliases(FRAME_ALIASES)


def frame_of_name(name: str) -> str | None:
    """Return the frame that a sheet or file name means, None when it means none."""
    folded = fold(name)
    return folded if folded in INVENTORY_TABLES else _frames().get(_plain(name))


def likely(name: str, known: Iterable[str]) -> str | None:
    """Return the one of ``known`` that ``name`` is most likely a misspelling of, None when nothing is close."""
    plain = {candidate.replace("_", ""): candidate for candidate in known}
    found = get_close_matches(fold(name).replace("_", ""), plain, n=1, cutoff=_ALIKE)
    return plain[found[0]] if found else None
