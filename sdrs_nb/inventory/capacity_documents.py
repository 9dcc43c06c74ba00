"""Documents of the DR side (flavors, hosts, pools, limits) to frames; see ``_documents`` for the manner.

Field meanings: cloud-apis.md sections 4.2, 4.3, 5 and 8 of the reference.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pandas as pd

from sdrs_nb import tables
from sdrs_nb.inventory.documents import _fields, _frame, _gib, _items, _join, _part

__all__ = ["FRAMES"]

Documents = Sequence[Mapping[str, Any]]

#: ``az0(normal), az1(sellout)``: sale status by AZ, which wins over the flavor's own.
_SALE_BY_AZ = re.compile(r"([^\s,()]+)\s*\(\s*([^\s,()]+)\s*\)")


def _specs(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a flavor's extra specs: the key differs between the two lists that show flavors."""
    return _part(document, "os_extra_specs") or _part(document, "extra_specs")


def _flavors(documents: Documents) -> pd.DataFrame:
    specs = [_specs(document) for document in documents]
    columns = _fields(documents, {"flavor_id": "id", "name": "name", "vcpus": "vcpus"})
    columns |= _fields(
        specs,
        {
            "performance_type": "ecs:performancetype",
            "generation": "ecs:generation",
            "architecture": "ecs:instance_architecture",
            "virtualization": "ecs:virtualization_env_types",
            "sale_status": "cond:operation:status",
        },
    )
    columns["ram_gib"] = [_gib(document.get("ram")) for document in documents]
    columns["local_disks"] = [
        bool(spec.get("quota:local_disk") or spec.get("quota:nvme_ssd") or "localdisk" in _storage(spec))
        for spec in specs
    ]
    columns["accelerators"] = [
        _has_accelerator(document, spec) for document, spec in zip(documents, specs, strict=True)
    ]
    columns["infiniband"] = ["ib" in _storage(spec) for spec in specs]
    columns["sale_by_az"] = [_sale_by_az(spec.get("cond:operation:az")) for spec in specs]
    return _frame(tables.FLAVORS, columns)


def _storage(specs: Mapping[str, Any]) -> list[str]:
    return [part.strip() for part in str(specs.get("cond:storage") or "").split(",")]


def _has_accelerator(document: Mapping[str, Any], specs: Mapping[str, Any]) -> bool:
    named = specs.get("info:gpus") or specs.get("info:asic_accelerators")
    passed_through = any(name.startswith("pci_passthrough:") for name in specs)
    return bool(named or passed_through or document.get("gpus") or document.get("asic_accelerators"))


def _sale_by_az(value: Any) -> str | None:
    found = _SALE_BY_AZ.findall(str(value or ""))
    return ",".join(f"{az}={status}" for az, status in found) or None


def _resize_flavors(documents: Documents) -> pd.DataFrame:
    return _frame(tables.RESIZE_FLAVORS, _fields(documents, {"server_id": "server_id", "flavor_id": "id"}))


def _dedicated_hosts(documents: Documents) -> pd.DataFrame:
    columns = _fields(
        documents,
        {
            "dedicated_host_id": "dedicated_host_id",
            "name": "name",
            "state": "state",
            "az": "availability_zone",
            "available_vcpus": "available_vcpus",
        },
    )
    places = {"on": True, "off": False}
    columns["auto_placement"] = [places.get(str(document.get("auto_placement"))) for document in documents]
    columns["available_ram_gib"] = [_gib(document.get("available_memory")) for document in documents]
    columns["flavor_ids"] = [
        _join(
            [each.get("flavor") for each in _items(_part(document, "host_properties"), "available_instance_capacities")]
        )
        for document in documents
    ]
    return _frame(tables.DEDICATED_HOSTS, columns)


def _storage_pools(documents: Documents) -> pd.DataFrame:
    names = {
        "storage_pool_id": "id",
        "name": "name",
        "volume_type": "type",
        "status": "status",
        "az": "availability_zone",
        "total_gib": "total_capacity_gb",
        "used_gib": "used_capacity_gb",
        "provisioned_gib": "provisioned_capacity_gb",
        "over_subscription_ratio": "max_over_subscription_ratio",
    }
    return _frame(tables.STORAGE_POOLS, _fields(documents, names))


def _ecs_limits(documents: Documents) -> pd.DataFrame:
    limits = documents[0] if documents else {}
    names = {
        "instances": ("totalInstancesUsed", "maxTotalInstances"),
        "cores": ("totalCoresUsed", "maxTotalCores"),
        "ram_mib": ("totalRAMUsed", "maxTotalRAMSize"),
    }
    return _quotas(
        tables.ECS_LIMITS, {name: (limits.get(used), limits.get(most)) for name, (used, most) in names.items()}
    )


def _evs_quota(documents: Documents) -> pd.DataFrame:
    quota = documents[0] if documents else {}
    each = {name: _part(quota, name) for name in quota}
    return _quotas(
        tables.EVS_QUOTA, {name: (one.get("in_use"), one.get("limit")) for name, one in each.items() if "limit" in one}
    )


def _quotas(table: tables.Table, found: Mapping[str, tuple[Any, Any]]) -> pd.DataFrame:
    known = {name: pair for name, pair in found.items() if pair[1] is not None}
    used, quota = [pair[0] for pair in known.values()], [pair[1] for pair in known.values()]
    return _frame(table, {"resource_type": list(known), "used": used, "quota": quota})


#: Frame name -> reader of the documents it is made of; limits and quota are lists of one document.
FRAMES: Mapping[str, Callable[[Documents], pd.DataFrame]] = MappingProxyType(
    {
        "flavors": _flavors,
        "resize_flavors": _resize_flavors,
        "dedicated_hosts": _dedicated_hosts,
        "storage_pools": _storage_pools,
        "ecs_limits": _ecs_limits,
        "evs_quota": _evs_quota,
    }
)
