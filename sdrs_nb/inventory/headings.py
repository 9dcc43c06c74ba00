"""Names as spreadsheets spell them: which heading is which column, which sheet is which frame.

A heading is a column's name in any letter case, with spaces or hyphens for underscores, or one of the aliases below;
nothing else is taken for a column.  What only looks like one ("serverid") is reported, never guessed.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from types import MappingProxyType

from sdrs_nb.tables import INVENTORY_TABLES, Table

__all__ = ["COLUMN_ALIASES", "FRAME_ALIASES", "IGNORED", "column_of", "fold", "frame_of_name", "likely"]

#: Headings of Chinese consoles and spreadsheets -> our column; each counts in the frames that have that column.
COLUMN_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "服务器ID": "server_id",
        "云服务器ID": "server_id",
        "名称": "name",
        "状态": "status",
        "可用区": "az",
        "虚拟私有云ID": "vpc_id",
        "子网ID": "subnet_id",
        "私有IP地址": "private_ips",
        "规格ID": "flavor_id",
        "内存(GiB)": "ram_gib",
        "操作系统类型": "os_type",
        "镜像名称": "image_name",
        "密钥对": "key_name",
        "用户ID": "user_id",
        "计费模式": "billing",
        "主机名": "hostname",
        "安全组": "security_groups",
        "企业项目ID": "enterprise_project_id",
        "标签": "tags",
        "创建时间": "created_at",
        "磁盘ID": "volume_id",
        "云硬盘ID": "volume_id",
        "容量(GiB)": "size_gib",
        "共享盘": "multiattach",
        "加密": "encrypted",
        "磁盘类型": "volume_type",
        "挂载点": "device",
        "保护组ID": "group_id",
        "保护实例ID": "protected_instance_id",
        "复制对ID": "replication_pair_id",
    }
)

#: Chinese sheet and file names -> frame.
FRAME_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "服务器": "servers",
        "云服务器": "servers",
        "磁盘": "volumes",
        "云硬盘": "volumes",
        "挂载关系": "attachments",
        "保护组": "groups",
        "保护实例": "protected_instances",
        "复制对": "replication_pairs",
    }
)

#: Sheets and files of ours that are no frames.
IGNORED = frozenset({"readme"})

_SEPARATORS = str.maketrans({" ": "_", "-": "_"})
#: Two names this alike are taken for a slip of the pen ("serverid", "stauts", but not "owner").
_ALIKE = 0.8


def fold(text: str) -> str:
    """Return a name with letter case, full-width forms and separators evened out."""
    return unicodedata.normalize("NFKC", text).strip().casefold().translate(_SEPARATORS)


def _aliases(aliases: Mapping[str, str]) -> dict[str, str]:
    return {fold(alias).replace("_", ""): name for alias, name in aliases.items()}


def column_of(heading: str, table: Table) -> str | None:
    """Return the column of ``table`` that ``heading`` names, None when it names none."""
    folded = fold(heading)
    if folded in table.columns:
        return folded
    name = _aliases(COLUMN_ALIASES).get(folded.replace("_", ""))
    return name if name in table.columns else None


def frame_of_name(name: str) -> str | None:
    """Return the frame that a sheet or file name means, None when it means none."""
    folded = fold(name)
    return folded if folded in INVENTORY_TABLES else _aliases(FRAME_ALIASES).get(folded.replace("_", ""))


def likely(name: str, known: Iterable[str]) -> str | None:
    """Return the one of ``known`` that ``name`` is most likely a misspelling of, None when nothing is close."""
    plain = {candidate.replace("_", ""): candidate for candidate in known}
    found = get_close_matches(fold(name).replace("_", ""), plain, n=1, cutoff=_ALIKE)
    return plain[found[0]] if found else None
