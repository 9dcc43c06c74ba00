"""Terraform's state, as the file holds it and as ``terraform show -json`` prints it, to rows in our words.

The state says what was asked for and what the provider read when it was last refreshed: less than the cloud tells.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

__all__ = ["is_terraform", "rows_of_terraform"]

Row = dict[str, Any]

_DEEPEST = 32
#: End of a resource's type -> what it is; the providers of Huawei Cloud, Open Telekom Cloud and others share the ends.
_TYPES = (
    (re.compile(r".*_(?:compute|ecs)_instance(?:_v\d)?"), "servers"),
    (re.compile(r".*_(?:evs_volume|blockstorage_volume)(?:_v\d)?"), "volumes"),
    (re.compile(r".*_compute_volume_attach(?:_v\d)?"), "attachments"),
    (re.compile(r".*_sdrs_protection_?group(?:_v\d)?"), "groups"),
    (re.compile(r".*_sdrs_protected_?instance(?:_v\d)?"), "protected_instances"),
    (re.compile(r".*_sdrs_replication_?pair(?:_v\d)?"), "replication_pairs"),
    (re.compile(r".*_vpc_subnet(?:_v\d)?"), "subnets"),
    (re.compile(r".*_vpc(?:_v\d)?"), "vpcs"),
)
#: Frame -> our column -> names of the attribute, the first that is there.
_NAMES: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "servers": {
            "server_id": ("id",),
            "name": ("name",),
            "status": ("status",),
            "az": ("availability_zone",),
            "flavor_id": ("flavor_id", "flavor_name"),
            "image_name": ("image_name",),
            "key_name": ("key_pair", "key_name"),
            "user_id": ("user_id",),
            "enterprise_project_id": ("enterprise_project_id",),
            "vpc_id": ("vpc_id",),
            "hostname": ("hostname",),
            "created_at": ("created_at",),
        },
        "volumes": {
            "volume_id": ("id",),
            "name": ("name",),
            "size_gib": ("size",),
            "status": ("status",),
            "az": ("availability_zone",),
            "multiattach": ("multiattach",),
            "volume_type": ("volume_type",),
            "dedicated_storage_id": ("dedicated_storage_id",),
            "enterprise_project_id": ("enterprise_project_id",),
        },
        "attachments": {
            "server_id": ("instance_id",),
            "volume_id": ("volume_id",),
            "device": ("device", "pci_address"),
        },
        "groups": {
            "group_id": ("id",),
            "name": ("name",),
            "status": ("status",),
            "source_az": ("source_availability_zone",),
            "target_az": ("target_availability_zone",),
            "vpc_id": ("source_vpc_id",),
            "domain_id": ("domain_id",),
        },
        "protected_instances": {
            "protected_instance_id": ("id",),
            "name": ("name",),
            "group_id": ("group_id",),
            "status": ("status",),
            "source_server_id": ("source_server", "server_id"),
            "target_server_id": ("target_server",),
        },
        "replication_pairs": {
            "replication_pair_id": ("id",),
            "name": ("name",),
            "group_id": ("group_id",),
            "status": ("status",),
            "volume_ids": ("volume_ids", "volume_id"),
        },
        "subnets": {"subnet_id": ("id",), "name": ("name",), "vpc_id": ("vpc_id",), "cidr": ("cidr",)},
        "vpcs": {"vpc_id": ("id",), "name": ("name",), "cidr": ("cidr",)},
    }
)
_BILLING = {"prepaid": "yearly/monthly", "postpaid": "on demand", "spot": "spot"}


def is_terraform(value: Any) -> bool:
    """Tell whether a JSON value is a state, or what ``terraform show -json`` prints of a state or a plan."""
    return isinstance(value, dict) and (
        "terraform_version" in value or {"version", "lineage", "resources"} <= value.keys() or
        ("format_version" in value and ("values" in value or "planned_values" in value))
    )  # fmt: skip


def rows_of_terraform(value: Mapping[str, Any]) -> dict[str, list[Row]]:
    """Return rows by frame; a resource of a type that is none of ours is passed over."""
    found: dict[str, list[Row]] = {}
    resources = [(kind, each) for kind, each in _resources(value) if isinstance(each.get("id"), str)]
    for kind, attributes in resources:
        frame = next((frame for pattern, frame in _TYPES if pattern.fullmatch(kind)), None)
        if frame is None:
            continue
        row = {
            column: next((attributes[name] for name in names if attributes.get(name) not in (None, "")), None)
            for column, names in _NAMES[frame].items()
            if any(name in attributes for name in names)
        }
        if isinstance(volume_ids := row.get("volume_ids"), list):
            row["volume_ids"] = ",".join(map(str, volume_ids))
        if frame == "servers":
            row |= _of_server(attributes)
            found.setdefault("attachments", []).extend(_attachments(row.get("server_id"), attributes))
        if frame == "volumes" and row.get("multiattach") is None:
            row.pop("multiattach", None)
        found.setdefault(frame, []).append(row)
    _with_vpcs(found)
    if once := {(row.get("server_id"), row.get("volume_id")): row for row in found.pop("attachments", [])}:
        found["attachments"] = list(once.values())
    return found


def _resources(value: Mapping[str, Any]) -> Iterator[tuple[str, Row]]:
    for resource in _dicts(value.get("resources")):
        if resource.get("mode", "managed") == "managed":
            for instance in _dicts(resource.get("instances")):
                if isinstance(instance.get("attributes"), dict):
                    yield str(resource.get("type")), instance["attributes"]
    values = value.get("values") or value.get("planned_values") or {}
    module = values.get("root_module") if isinstance(values, dict) else None
    level = [module] if isinstance(module, dict) else []
    for _depth in range(_DEEPEST):
        for each in level:
            for resource in _dicts(each.get("resources")):
                if resource.get("mode", "managed") == "managed" and isinstance(resource.get("values"), dict):
                    yield str(resource.get("type")), resource["values"]
        level = [child for each in level for child in _dicts(each.get("child_modules"))]


def _dicts(value: Any) -> list[Row]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _of_server(attributes: Row) -> Row:
    """Return what a server's blocks tell: its network, tags, security groups and how it is paid."""
    row: Row = {}
    nics = _dicts(attributes.get("network")) or _dicts(attributes.get("nics"))
    if nics:
        row["private_ips"] = ",".join(
            str(address) for nic in nics if (address := nic.get("fixed_ip_v4") or nic.get("ip_address"))
        )
        row["nic_count"] = len(nics)
        subnets = [str(nic.get("uuid") or nic.get("network_id") or "") for nic in nics]
        row["subnet_id"] = subnets[0] if len(nics) == 1 else None
    if isinstance(attributes.get("tags"), dict):
        row["tags"] = ",".join(f"{key}={value}" if value else str(key) for key, value in attributes["tags"].items())
    groups = attributes.get("security_groups")
    if isinstance(groups, list):
        row["security_groups"] = ",".join(map(str, groups))
    paid = _BILLING.get(str(attributes.get("charging_mode") or "").lower())
    return row | ({"billing": paid} if paid else {})


def _attachments(server_id: Any, attributes: Row) -> list[Row]:
    system = attributes.get("system_disk_id")
    rows: dict[str, Row] = {}
    for each in _dicts(attributes.get("volume_attached")):
        volume_id = each.get("volume_id") or each.get("id")
        boot = each.get("boot_index")
        is_system = volume_id == system if system else None if boot is None else str(boot) == "0"
        if isinstance(volume_id, str):
            rows[volume_id] = {"server_id": server_id, "volume_id": volume_id, "bootable": is_system}
    if isinstance(system, str) and system:
        rows.setdefault(system, {"server_id": server_id, "volume_id": system, "bootable": True})
    return list(rows.values())


def _with_vpcs(found: Mapping[str, Sequence[Row]]) -> None:
    """Write the VPC of a server's subnet into its row, where the state holds that subnet."""
    vpcs = {row.get("subnet_id"): row.get("vpc_id") for row in found.get("subnets", ())}
    for row in found.get("servers", ()):
        if not row.get("vpc_id") and (vpc := vpcs.get(row.get("subnet_id"))):
            row["vpc_id"] = vpc
