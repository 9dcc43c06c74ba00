"""Cells that hold several facts, or a fact only where they hold an id: taken apart into columns of ours.

Consoles write ``4 vCPUs | 16 GiB | s6.xlarge.4``, the OpenStack client ``vpc_id='...', os_type='Linux'``, people the
name of a VPC where its id belongs.
"""

import ast
import json
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

__all__ = ["PARTED", "attached"]

_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_VCPUS = re.compile(r"(\d+)\s*(?:v?CPUs?|核|vCPU)", re.IGNORECASE)
_RAM = re.compile(r"(\d+(?:\.\d+)?)\s*(?:GiB|GB|G\b)", re.IGNORECASE)
_FLAVOR = re.compile(r"(?<![\w.])([a-z][a-z0-9]*\d[a-z0-9]*\.(?:[a-z0-9]+\.)*[a-z0-9]+)(?![\w.])")
_PAIR = re.compile(r"([\w:.-]+)\s*=\s*'((?:[^'\\]|\\.)*)'|([\w:.-]+)\s*=\s*([^,]*)")
_ADDRESS = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
_MOST = 20_000

#: Metadata of a server -> our column.
_PROPERTIES = {"vpc_id": "vpc_id", "os_type": "os_type", "image_name": "image_name", "agency_name": "agency_name"}
_BILLING = {"0": "on demand", "1": "yearly/monthly", "2": "spot"}


def _specifications(cell: Any) -> dict[str, Any]:
    text = str(cell)
    found = {"vcpus": _VCPUS.search(text), "ram_gib": _RAM.search(text), "flavor_id": _FLAVOR.search(text)}
    return {column: match[1] for column, match in found.items() if match}


def _networks(cell: Any) -> dict[str, Any]:
    """Return what the networks of a server tell: on these clouds a network's name is the id of its VPC."""
    if isinstance(cell, dict):
        nets = {str(net): _ADDRESS.findall(str(addresses)) for net, addresses in cell.items()}
    else:
        nets = {}
        for part in str(cell)[:_MOST].split(";"):
            net, _equals, addresses = part.partition("=")
            nets[net.strip(" {}'\"")] = _ADDRESS.findall(addresses)
    private = [address for addresses in nets.values() for address in addresses if _is_private(address)]
    found: dict[str, Any] = {"private_ips": ",".join(dict.fromkeys(private))} if private else {}
    vpcs = [net for net in nets if _UUID.fullmatch(net)]
    if vpcs and len(vpcs) == len(nets):
        found["address_vpc_ids"] = ",".join(sorted(vpcs))
        if len(vpcs) == 1:
            found["vpc_id"] = vpcs[0]
    return found


def _is_private(address: str) -> bool:
    first, second = (int(part) for part in address.split(".")[:2])
    return first == 10 or (first, second) == (192, 168) or (first == 172 and 16 <= second < 32) or (  # noqa: PLR2004
        first == 100 and 64 <= second < 128)  # noqa: PLR2004  # fmt: skip


def _properties(cell: Any) -> dict[str, Any]:
    given = cell if isinstance(cell, dict) else _pairs(str(cell)[:_MOST])
    found = {column: str(given[key]) for key, column in _PROPERTIES.items() if given.get(key) not in (None, "")}
    if billing := _BILLING.get(str(given.get("charging_mode"))):
        found["billing"] = billing
    return found


def _pairs(text: str) -> dict[str, str]:
    value = _literal(text)
    if isinstance(value, dict):
        return {str(key): str(each) for key, each in value.items()}
    return {match[1] or match[3]: match[2] if match[1] else match[4].strip() for match in _PAIR.finditer(text)}


def _literal(text: str) -> Any:
    """Return what Python or JSON wrote as text, None where it is neither."""
    if text[:1] not in "[{" or len(text) > _MOST:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def _vpc(cell: Any) -> dict[str, Any]:
    found = _UUID.findall(str(cell))
    return {"vpc_id": found[0]} if len(found) == 1 else {}


def _enterprise_project(cell: Any) -> dict[str, Any]:
    text = str(cell).strip()
    if text.casefold() in ("default", "0", "默认"):
        return {"enterprise_project_id": "0"}
    return {"enterprise_project_id": text} if _UUID.fullmatch(text) else {}


#: Part (``headings.PARTS``) -> what it gives of a cell, by the column.
PARTED: Mapping[str, Callable[[Any], dict[str, Any]]] = MappingProxyType(
    {
        "specifications": _specifications,
        "networks": _networks,
        "properties": _properties,
        "vpc": _vpc,
        "enterprise_project": _enterprise_project,
    }
)


def attached(
    cell: Any, devices: Any, ids_by_name: Mapping[str, Sequence[str]]
) -> tuple[list[tuple[str, str | None]], bool]:
    """Return server and device of what a volume is attached to, and whether all of the cell was understood.

    ``ids_by_name``: ids of the servers of each name, for cells that name servers.
    """
    value = _literal(cell) if isinstance(cell, str) else cell
    if isinstance(value, dict):
        value = [value]
    if isinstance(value, list):
        rows = [each for each in value if isinstance(each, dict)]
        known = [(str(row.get("server_id") or row.get("instance_id") or ""), row.get("device")) for row in rows]
        found = [(server, str(device) if device else None) for server, device in known if server]
        return found, len(rows) == len(value)
    text = str(cell).strip()
    if ids := _UUID.findall(text):
        on = re.findall(r"\bon (/dev/\w+)", text)
        alone = devices if isinstance(devices, str) and len(ids) == 1 else None
        return list(zip(ids, on if len(on) == len(ids) else [alone] * len(ids), strict=True)), True
    device = devices if isinstance(devices, str) and devices.strip() else None
    names = [
        re.sub(r"\s*\(.*\)$|^Attached to |\s+on /dev/\w+$", "", part).strip() for part in re.split(r"[,;\n]", text)
    ]
    named = [ids_by_name.get(name, ()) for name in names if name]
    return [(ids[0], device) for ids in named if len(ids) == 1], all(len(ids) == 1 for ids in named)
