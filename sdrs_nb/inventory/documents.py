"""Documents of the cloud to the frames of ``tables``: the only place of the inventory that knows the API's spelling.

Every function takes a list of documents as ``cloud`` hands them out and gives back one frame; no network.  What is
absent or malformed in a document is NA, never an exception.  Field meanings: cloud-apis.md sections 4 to 10 and
sdrs-api.md sections 3 to 10 of the reference; derived values: the head of eligibility-facts.md.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pandas as pd

from sdrs_nb import tables
from sdrs_nb.inventory.values import column
from sdrs_nb.tables import Table

__all__ = ["FRAMES", "attachments", "untold", "with_sites"]

Document = Mapping[str, Any]
Documents = Sequence[Document]

_EMPTY: Mapping[str, Any] = MappingProxyType({})
_PORT, _MAC, _KIND = "OS-EXT-IPS:port_id", "OS-EXT-IPS-MAC:mac_addr", "OS-EXT-IPS:type"
_BILLING = {"0": "on demand", "1": "yearly/monthly", "2": "spot"}


#: Columns that tell "none" by a missing value -> where documents tell them.  A key that no document of a list has was
#: not told, and its column is unread; metadata must be in every one.  Keys that are named nowhere here mean "none" by
#: their absence, each by its page: marks in the metadata of servers and volumes (EcmResStatus is there only after a
#: freeze), health_status and server_type of groups, sale status in the extra specs of flavors (default normal).
_TOLD_BY: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "servers": {
            "task_state": ("OS-EXT-STS:task_state",),
            "key_name": ("key_name",),
            "tags": ("tags",),
            "frozen": ("metadata",),
            "lock_source": ("metadata",),
            "lock_scene": ("metadata",),
            "agency_name": ("metadata",),
            "security_groups": ("security_groups",),
            "hostname": ("OS-EXT-SRV-ATTR:hostname",),
            "ecs_group_id": ("os:scheduler_hints",),
            "tenancy": ("os:scheduler_hints",),
            "dedicated_host_id": ("os:scheduler_hints",),
            "enterprise_project_id": ("enterprise_project_id", "sys_tags"),
        },
        "volumes": {"frozen": ("metadata",)},
        "protected_instances": {"target_server_id": ("target_server",)},
        "scaling_instances": {"scaling_configuration_id": ("scaling_configuration_id",)},
        "flavors": dict.fromkeys(
            (
                "performance_type",
                "generation",
                "architecture",
                "virtualization",
                "local_disks",
                "infiniband",
                "sale_status",
                "sale_by_az",
            ),
            ("os_extra_specs", "extra_specs"),
        ),
    }
)


def untold(frame: str, documents: Documents) -> frozenset[str]:
    """Return the columns of a frame that none of its documents tells, although a missing value would mean "none"."""
    if not documents:
        return frozenset()
    keys = {key for wanted in _TOLD_BY.get(frame, _EMPTY).values() for key in wanted}
    told = {key for key in keys if any(key in document for document in documents)}
    # Marks are kept in metadata: where one object came without any, nobody knows what it would have said.
    if any(document.get("metadata").__class__ is not dict for document in documents):
        told.discard("metadata")
    return frozenset(column for column, keys in _TOLD_BY.get(frame, _EMPTY).items() if not told.intersection(keys))


def _part(document: Any, name: str) -> Mapping[str, Any]:
    """Return the object at ``name``; empty when it is null, absent or something else."""
    value = document.get(name)
    return value if value.__class__ is dict else _EMPTY


def _items(document: Any, name: str) -> list[Mapping[str, Any]]:
    """Return the objects in the list at ``name``; empty when it is null, absent or something else."""
    value = document.get(name)
    return [item for item in value if item.__class__ is dict] if value.__class__ is list else []


def _join(values: Iterable[Any]) -> str:
    return ",".join(dict.fromkeys([str(value) for value in values if value]))


def _first(value: Any) -> Any:
    """Return the first value of a scheduler hint, which is a list of one."""
    return (value[0] if value else None) if isinstance(value, list) else value


def _frame(table: Table, columns: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    """Return the table filled from lists of values; rows without their key, and all but the last of equal keys, go."""
    size = len(next(iter(columns.values())))
    nothing = [None] * size
    frame = pd.DataFrame({name: column(columns.get(name, nothing), table, name) for name in table.columns})
    keys = frame[list(table.key)]
    # A list that shifts between two pages shows an object twice; the later page is the newer word.
    good = ~(keys.isna().any(axis=1) | keys.duplicated(keep="last"))
    return frame if good.all() else frame[good].reset_index(drop=True)


def _fields(documents: Documents, names: Mapping[str, str]) -> dict[str, list[Any]]:
    return {ours: [document.get(theirs) for document in documents] for ours, theirs in names.items()}


def _servers(documents: Documents) -> pd.DataFrame:
    metadata = [_part(document, "metadata") for document in documents]
    flavors = [_part(document, "flavor") for document in documents]
    addresses = [_part(document, "addresses") for document in documents]
    hints = [_part(document, "os:scheduler_hints") for document in documents]
    columns = _fields(
        documents,
        {
            "server_id": "id",
            "name": "name",
            "status": "status",
            "task_state": "OS-EXT-STS:task_state",
            "az": "OS-EXT-AZ:availability_zone",
            "key_name": "key_name",
            "user_id": "user_id",
            "locked": "locked",
            "root_device": "OS-EXT-SRV-ATTR:root_device_name",
            "hostname": "OS-EXT-SRV-ATTR:hostname",
            "created_at": "created",
        },
    )
    columns |= _fields(
        metadata,
        {
            "os_type": "os_type",
            "image_name": "image_name",
            "lock_source": "lockSource",
            "lock_scene": "lockScene",
            "agency_name": "agency_name",
        },
    )
    columns |= {
        "vpc_id": [_vpc_id(meta, nets) for meta, nets in zip(metadata, addresses, strict=True)],
        "address_vpc_ids": [_join(sorted(nets)) for nets in addresses],
        "subnet_id": [_primary_subnet(document) for document in documents],
        "billing": [_BILLING.get(str(meta.get("charging_mode"))) for meta in metadata],
        # EcmResStatus is there only after a freeze; metadata that was not sent says nothing.
        "frozen": [
            meta.get("EcmResStatus") == "freeze" if isinstance(document.get("metadata"), dict) else None
            for document, meta in zip(documents, metadata, strict=True)
        ],
        "flavor_id": [flavor.get("id") for flavor in flavors],
        "vcpus": [flavor.get("vcpus") for flavor in flavors],
        "ram_gib": [_gib(flavor.get("ram")) for flavor in flavors],
        "accelerators": [
            bool(flavor.get("gpus") or flavor.get("asic_accelerators")) if flavor else None for flavor in flavors
        ],
        "security_groups": [
            _join([group.get("name") for group in _items(document, "security_groups")]) for document in documents
        ],
        "ecs_group_id": [_first(hint.get("group")) for hint in hints],
        "tenancy": [_first(hint.get("tenancy")) for hint in hints],
        "dedicated_host_id": [_first(hint.get("dedicated_host_id")) for hint in hints],
        "enterprise_project_id": [_enterprise_project(document) for document in documents],
        "tags": [_join(tags) if isinstance(tags := document.get("tags"), list) else None for document in documents],
    }
    fixed = [_fixed(nets) for nets in addresses]
    columns["private_ips"] = [_join([item.get("addr") for item in items]) for items in fixed]
    columns["nic_count"] = [
        # A NIC with several addresses is one port; an address without a port is told apart by its hardware address.
        len({str(item.get(_PORT) or item.get(_MAC) or item.get("addr")) for item in items})
        if isinstance(document.get("addresses"), dict)
        else None
        for document, items in zip(documents, fixed, strict=True)
    ]
    return _frame(tables.SERVERS, columns)


def _fixed(addresses: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the fixed addresses of a server over all its networks; floating ones are no NICs."""
    return [
        item
        for items in addresses.values()
        if items.__class__ is list
        for item in items
        if item.__class__ is dict and item.get(_KIND, "fixed") == "fixed"
    ]


def _vpc_id(metadata: Mapping[str, Any], addresses: Mapping[str, Any]) -> Any:
    return metadata.get("vpc_id") or (next(iter(addresses)) if len(addresses) == 1 else None)


def _primary_subnet(document: Document) -> Any:
    nics = _items(document, "network_interfaces")
    chosen = [nic for nic in nics if nic.get("primary") is True] or nics
    return chosen[0].get("subnet_id") if len(chosen) == 1 else None


def _gib(mebibytes: Any) -> float | None:
    try:
        return float(mebibytes) / 1024
    except (TypeError, ValueError, OverflowError):
        return None


def _enterprise_project(document: Document) -> Any:
    if own := document.get("enterprise_project_id"):
        return own
    tagged = (t.get("value") for t in _items(document, "sys_tags") if t.get("key") == "_sys_enterprise_project_id")
    return next(tagged, None)


def _volumes(documents: Documents) -> pd.DataFrame:
    metadata = [_part(document, "metadata") for document in documents]
    told = [isinstance(document.get("metadata"), dict) for document in documents]
    columns = _fields(
        documents,
        {
            "volume_id": "id",
            "name": "name",
            "size_gib": "size",
            "status": "status",
            "az": "availability_zone",
            "multiattach": "multiattach",
            "bootable": "bootable",
            "volume_type": "volume_type",
            "service_type": "service_type",
            "dedicated_storage_id": "dedicated_storage_id",
            "enterprise_project_id": "enterprise_project_id",
            "created_at": "created_at",
        },
    )
    # The field "encrypted" is "not supported" (EVS volume list page): only the metadata key counts, absent = no.
    columns["encrypted"] = [
        meta.get("__system__encrypted") == "1" if known else None for meta, known in zip(metadata, told, strict=True)
    ]
    columns["billing"] = [
        ("yearly/monthly" if meta.get("orderID") else "on demand") if known else None
        for meta, known in zip(metadata, told, strict=True)
    ]
    columns["frozen"] = [
        (meta.get("EcmResStatus") == "freeze" or meta.get("__system__frozen") == "true") if known else None
        for meta, known in zip(metadata, told, strict=True)
    ]
    return _frame(tables.VOLUMES, columns)


def attachments(servers: Documents, volumes: Documents) -> pd.DataFrame:
    """Return one row per volume on a server: what the servers say united with what the volumes say.

    The union errs on the strict side (rule H13): an attachment that one side alone reports counts.  ``seen_by`` says
    who reported it; ``bootable`` is the server's word (bootIndex is the text "0") and NA where only the volume speaks.
    """
    rows: dict[tuple[str, str], tuple[Any, Any, str]] = {}
    for server in servers:
        server_id = str(server.get("id") or "")
        for item in _items(server, "os-extended-volumes:volumes_attached"):
            boot = item.get("bootIndex")
            is_system = None if boot in (None, "") else str(boot) == "0"
            rows[server_id, str(item.get("id") or "")] = (item.get("device"), is_system, "ecs")
    for volume in volumes:
        volume_id = str(volume.get("id") or "")
        for item in _items(volume, "attachments"):
            key = (str(item.get("server_id") or ""), volume_id)
            device, is_system, seen_by = rows.get(key, (None, None, "evs"))
            rows[key] = (device or item.get("device"), is_system, "both" if seen_by == "ecs" else seen_by)
    return _frame(
        tables.ATTACHMENTS,
        {
            "server_id": [server_id for server_id, _volume_id in rows],
            "volume_id": [volume_id for _server_id, volume_id in rows],
            "device": [row[0] for row in rows.values()],
            "bootable": [row[1] for row in rows.values()],
            "seen_by": [row[2] for row in rows.values()],
        },
    )


def with_sites(groups: pd.DataFrame) -> pd.DataFrame:
    """Return the groups with ``production_az`` and ``dr_az`` filled in where missing.

    Production runs in ``source_az`` or ``target_az`` as ``priority_station`` says (the AZs themselves never change:
    sdrs-api.md section 4); without a station both stay NA.
    """
    source = groups["priority_station"].eq("source").fillna(value=False)
    target = groups["priority_station"].eq("target").fillna(value=False)
    production = groups["source_az"].where(source, groups["target_az"].where(target))
    disaster = groups["target_az"].where(source, groups["source_az"].where(target))
    return groups.assign(
        production_az=groups["production_az"].fillna(production), dr_az=groups["dr_az"].fillna(disaster)
    )


def _groups(documents: Documents) -> pd.DataFrame:
    names = {
        "group_id": "id",
        "name": "name",
        "status": "status",
        "source_az": "source_availability_zone",
        "target_az": "target_availability_zone",
        "priority_station": "priority_station",
        "vpc_id": "source_vpc_id",
        "target_vpc_id": "target_vpc_id",
        "domain_id": "domain_id",
        "server_type": "server_type",
        "health_status": "health_status",
        "protected_instance_num": "protected_instance_num",
        "replication_num": "replication_num",
        "created_at": "created_at",
    }
    return with_sites(_frame(tables.GROUPS, _fields(documents, names)))


def _protected_instances(documents: Documents) -> pd.DataFrame:
    names = {
        "protected_instance_id": "id",
        "name": "name",
        "group_id": "server_group_id",
        "status": "status",
        "progress": "progress",
        "source_server_id": "source_server",
        "target_server_id": "target_server",
        "priority_station": "priority_station",
        "created_at": "created_at",
    }
    return _frame(tables.PROTECTED_INSTANCES, _fields(documents, names))


def _replication_pairs(documents: Documents) -> pd.DataFrame:
    columns = _fields(
        documents,
        {
            "replication_pair_id": "id",
            "name": "name",
            "group_id": "server_group_id",
            "status": "status",
            "replication_status": "replication_status",
            "progress": "progress",
            "created_at": "created_at",
        },
    )
    columns["volume_ids"] = [_volume_ids(document.get("volume_ids")) for document in documents]
    columns["protected_instance_ids"] = [
        _join(item.get("protected_instance") for item in _items(document, "attachment")) for document in documents
    ]
    columns["multiattach"] = [_part(document, "record_metadata").get("multiattach") for document in documents]
    return _frame(tables.REPLICATION_PAIRS, columns)


def _volume_ids(value: Any) -> str:
    """Return two ids in one text, joined by a comma, as the API documents it; a list is taken as well."""
    parts = value if isinstance(value, list) else str(value or "").split(",")
    return _join(str(part).strip() for part in parts)


def _drill_servers(documents: Documents) -> pd.DataFrame:
    rows = [(drill, server) for drill in documents for server in _items(drill, "drill_servers")]
    return _frame(
        tables.DRILL_SERVERS,
        {
            "server_id": [server.get("drill_server_id") for _drill, server in rows],
            "drill_id": [drill.get("id") for drill, _server in rows],
            "group_id": [drill.get("server_group_id") for drill, _server in rows],
            "protected_instance_id": [server.get("protected_instance") for _drill, server in rows],
        },
    )


def _subnets(documents: Documents) -> pd.DataFrame:
    names = {"neutron_subnet_id": "neutron_subnet_id", "name": "name", "vpc_id": "vpc_id", "cidr": "cidr"}
    columns = _fields(documents, {**names, "status": "status", "free_addresses": "available_ip_address_count"})
    # "id" equals neutron_network_id: that is what primary_subnet_id wants.
    columns["subnet_id"] = [document.get("neutron_network_id") or document.get("id") for document in documents]
    return _frame(tables.SUBNETS, columns)


def _domains(documents: Documents) -> pd.DataFrame:
    columns = _fields(documents, {"domain_id": "id", "name": "name", "sold_out": "sold_out"})
    for ours, theirs in (("local_az", "local_replication_cluster"), ("remote_az", "remote_replication_cluster")):
        columns[ours] = [_part(document, theirs).get("availability_zone") for document in documents]
    return _frame(tables.DOMAINS, columns)


def _plain(table: Table, names: Mapping[str, str]) -> Callable[[Documents], pd.DataFrame]:
    """Return a reader of documents whose fields are columns as they stand."""
    return lambda documents: _frame(table, _fields(documents, names))


#: Frame name -> reader of the documents it is made of (attachments are made of two lists, see ``attachments``).
FRAMES: Mapping[str, Callable[[Documents], pd.DataFrame]] = MappingProxyType(
    {
        "servers": _servers,
        "volumes": _volumes,
        "groups": _groups,
        "protected_instances": _protected_instances,
        "replication_pairs": _replication_pairs,
        "quotas": _plain(tables.QUOTAS, {"resource_type": "type", "used": "used", "quota": "quota"}),
        "key_pairs": _plain(tables.KEY_PAIRS, {"name": "name", "type": "type", "scope": "scope"}),
        "scaling_instances": _plain(
            tables.SCALING_INSTANCES,
            {
                "server_id": "instance_id",
                "scaling_group_id": "scaling_group_id",
                "scaling_group_name": "scaling_group_name",
                "scaling_configuration_id": "scaling_configuration_id",
                "protect_from_scaling_down": "protect_from_scaling_down",
            },
        ),
        "vpcs": _plain(tables.VPCS, {"vpc_id": "id", "name": "name", "cidr": "cidr"}),
        "subnets": _subnets,
        "drill_servers": _drill_servers,
        "enterprise_projects": _plain(tables.ENTERPRISE_PROJECTS, {"enterprise_project_id": "id", "name": "name"}),
        "domains": _domains,
    }
)
