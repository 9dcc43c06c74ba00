"""What the cloud refuses in a batch create request, in the documented order of its page.

One code per answer, the first hit; the message names no server. Nothing is made when anything is refused.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import statuses
from .errors import Refusal
from .placement import Placement, check_placement
from .records import Drill, Flavor, Group, Instance, Pair, Server
from .routing import CloudCall
from .settings import Settings
from .vetting import check_server, shared_volume_ids
from .world import World

# Batch create page, table 1: Chinese characters, ASCII letters, digits, ".", "_", "-"; the range of Chinese
# characters is ASSUMED: chinese_letters.
_CHINESE_NAME = re.compile(r"[A-Za-z0-9._\-\u4e00-\u9fff]+")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9._\-]+")
_PREFIX_LENGTH = 59
_NAME_BYTES = 64
_DESCRIPTION_LENGTH = 64
_PLACEMENT_FIELDS = frozenset({"tenancy", "dedicated_host_id", "cluster_id"})
_TAG_LIMIT = 10
_KEY_LENGTH = 36
_VALUE_LENGTH = 43
# Batch create page, table 3: ASCII 0-31 and these.
_TAG_FORBIDDEN = re.compile(r"[\x00-\x1f*<>\\=,|/]")


@dataclass(slots=True)
class Order:
    """What a create request asks for, once it has been accepted."""

    group: Group
    servers: list[tuple[Server, Flavor]]
    names: list[str]
    description: str | None
    placement: Placement
    tags: dict[str, str] = field(default_factory=dict)
    address: str = ""


def read_batch_order(call: CloudCall) -> Order:
    """Check a batch create request and give what it asks for.

    Raises
    ------
    Refusal
        The first rule that the request breaks, in the documented order.
    """
    body = _batch_body(call)
    settings = call.settings
    check_name(body["name_prefix"], settings, limit=_PREFIX_LENGTH)
    _check_common(body, settings)
    _check_server_list(body["servers"], settings)
    order = _vet(call, body, body["servers"], "SDRS.1360")
    if settings.shared_volumes == "refused" and _any_shared(call.world, order):
        raise Refusal(settings.shared_volume_code)
    _check_closure(call.world, order)
    check_placement(call.world, order.group, order.servers, order.placement, settings)
    _check_limits(call.world, order, settings)
    order.names = _numbered(call, body["name_prefix"], len(order.servers))
    return order


def _numbered(call: CloudCall, prefix: str, count: int) -> list[str]:
    """Give the names of a request's instances, in the order of its servers."""
    taken = len(call.world.instances) if call.settings.numbering == "continued" else 0
    first = {"from_zero": 0, "continued": taken + 1}.get(call.settings.numbering, 1)
    width = 1 if call.settings.numbering == "unpadded" else 4
    # ASSUMED: numbering: "-0001" upwards in every request, in the order of the servers.
    return [f"{prefix}-{number:0{width}d}" for number in range(first, first + count)]


def read_single_order(call: CloudCall) -> Order:
    """Check a single create request; it counts the name in bytes and refuses shared volumes altogether.

    Raises
    ------
    Refusal
        The first rule that the request breaks.
    """
    body = call.fields("protected_instance")
    if not call.settings.placement_fields:
        body = {key: value for key, value in body.items() if key not in _PLACEMENT_FIELDS}
    _check_types(body, {"name": str, "server_group_id": str, "server_id": str}, required=True)
    _check_types(body, {"primary_ip_address": str, "flavorRef": str, **_OPTIONAL}, required=False)
    check_name(body["name"], call.settings)
    _check_common(body, call.settings)
    if not body["server_id"]:
        raise Refusal("SDRS.0210")
    entry: dict[str, Any] = {key: body[key] for key in ("server_id", "flavorRef") if key in body}
    order = _vet(call, body, [entry], "SDRS.1326")
    if _any_shared(call.world, order):
        raise Refusal(call.settings.shared_volume_code)
    check_placement(call.world, order.group, order.servers, order.placement, call.settings)
    order.address = _check_address(call.world, body)
    _check_limits(call.world, order, call.settings)
    order.names = [body["name"]]
    return order


# -- the body --------------------------------------------------------------------------------------------------

_OPTIONAL: dict[str, type] = {
    "description": str,
    "cluster_id": str,
    "primary_subnet_id": str,
    "tenancy": str,
    "dedicated_host_id": str,
    "tags": list,
}


def _batch_body(call: CloudCall) -> dict[str, Any]:
    # The batch page shows "badrequest" as one of the keys an error can have: here it stands for a malformed body.
    malformed = Refusal("SDRS.0201", key="badrequest")
    body = call.fields("protected_instances", malformed)
    _check_types(body, {"name_prefix": str, "server_group_id": str, "servers": list}, required=True, refusal=malformed)
    _check_types(body, _OPTIONAL, required=False, refusal=malformed)
    for entry in body["servers"]:
        if not isinstance(entry, dict):
            raise malformed
        _check_types(entry, {"server_id": str}, required=True, refusal=malformed)
        _check_types(entry, {"flavorRef": str}, required=False, refusal=malformed)
    return body


def _check_types(
    body: dict[str, Any], kinds: Mapping[str, type], *, required: bool, refusal: Refusal | None = None
) -> None:
    for name, kind in kinds.items():
        if (name in body or required) and not isinstance(body.get(name), kind):
            raise refusal or Refusal("SDRS.0201")


def _check_common(body: dict[str, Any], settings: Settings) -> None:
    check_description(body.get("description"), settings)
    if not body["server_group_id"]:
        raise Refusal("SDRS.0207")
    if body.get("tenancy", "shared") not in {"shared", "dedicated"}:
        raise Refusal("SDRS.0228")
    if body.get("dedicated_host_id") == "":
        raise Refusal("SDRS.0227")
    if "dedicated_host_id" in body and body.get("tenancy") != "dedicated":
        raise Refusal("SDRS.1371")
    if body.get("cluster_id") == "":
        raise Refusal("SDRS.0218")
    check_tags(body.get("tags", []))


def _check_server_list(servers: list[dict[str, Any]], settings: Settings) -> None:
    if not servers:
        raise Refusal("SDRS.0201")
    if len(servers) > settings.batch_limit:
        raise Refusal("SDRS.1362")
    ids = [entry["server_id"] for entry in servers]
    if len(set(ids)) < len(ids):
        raise Refusal("SDRS.1361")
    if "" in ids:
        raise Refusal("SDRS.0210")


def check_name(name: str, settings: Settings, limit: int | None = None) -> None:
    """Check a name or name prefix; with `limit` in characters (batch page), else 64 bytes (all other pages)."""
    pattern = _CHINESE_NAME if settings.chinese_names else _PLAIN_NAME
    too_long = len(name) > limit if limit else len(name.encode()) > _NAME_BYTES
    if too_long or not pattern.fullmatch(name):
        raise Refusal("SDRS.0202")


def rename(call: CloudCall, thing: Group | Instance | Pair | Drill, key: str) -> None:
    """Give a thing the name that the body holds under `key`: text (0201) within the rules of names (0202)."""
    name = call.fields(key).get("name")
    if not isinstance(name, str):
        raise Refusal("SDRS.0201")
    check_name(name, call.settings)
    thing.name, thing.updated = name, call.now
    call.world.touch()


def check_description(description: Any, settings: Settings) -> None:
    """Check a description: text (0201) of at most 64 characters without angle brackets (0212), or none."""
    if description is None:
        return
    if not isinstance(description, str):
        raise Refusal("SDRS.0201")
    empty = description == "" and settings.empty_description_refused
    if empty or len(description) > _DESCRIPTION_LENGTH or set(description) & set("<>"):
        raise Refusal("SDRS.0212")


def check_tags(tags: Iterable[Any], held: int = 0) -> dict[str, str]:
    """Check a tag list against the rules of table 3 of the batch page and give it as a dictionary.

    Parameters
    ----------
    tags
        The list as sent.
    held
        How many other tags the resource has already; ten in all are allowed.
    """
    entries = list(tags)
    if len(entries) + held > _TAG_LIMIT:
        raise Refusal("SDRS.2203")
    if not all(isinstance(entry, dict) for entry in entries):
        raise Refusal("SDRS.0201")
    keys = [entry.get("key") for entry in entries]
    values = [entry.get("value") for entry in entries]
    check_tag_keys(keys)
    if any(value is None for value in values):
        raise Refusal("SDRS.2208")
    if not all(isinstance(value, str) for value in values):
        raise Refusal("SDRS.0201")
    if any(len(value) > _VALUE_LENGTH or _TAG_FORBIDDEN.search(value) for value in values):
        raise Refusal("SDRS.2207")
    if len(set(keys)) < len(keys):
        raise Refusal("SDRS.2209")
    return dict(zip(keys, values, strict=True))


def check_tag_keys(keys: list[Any]) -> None:
    """Check tag keys alone: not blank (2205), at most 36 characters, no forbidden ones (2204)."""
    if any(key is None or (isinstance(key, str) and not key.strip()) for key in keys):
        raise Refusal("SDRS.2205")
    if not all(isinstance(key, str) for key in keys):
        raise Refusal("SDRS.0201")
    if any(len(key) > _KEY_LENGTH or _TAG_FORBIDDEN.search(key) for key in keys):
        raise Refusal("SDRS.2204")


# -- group, servers, limits ------------------------------------------------------------------------------------


def find_group(world: World, group_id: str) -> Group:
    """Give a group.

    Raises
    ------
    Refusal
        1013: there is no such group.
    """
    group = world.groups.get(group_id)
    if group is None:
        raise Refusal("SDRS.1013")
    return group


def check_group_takes_members(group: Group, settings: Settings) -> None:
    """Check that a group's data is sound (1015) and its status lets it take members (1024 or an older code)."""
    if not group.source_az or not group.target_az or group.source_az == group.target_az or not group.vpc_id:
        raise Refusal("SDRS.1015")
    # Batch create page, constraints: the group's status is available or protected.
    if group.status not in statuses.AT_REST:
        raise Refusal(settings.group_status_code)


def _vet(call: CloudCall, body: dict[str, Any], entries: list[dict[str, Any]], unknown_code: str) -> Order:
    group = find_group(call.world, body["server_group_id"])
    check_group_takes_members(group, call.settings)
    servers = [check_server(call.world, group, entry, call.settings, unknown_code) for entry in entries]
    placement = Placement(
        subnet_id=body.get("primary_subnet_id"),
        dedicated=body.get("tenancy") == "dedicated",
        host_id=body.get("dedicated_host_id"),
        pool_id=body.get("cluster_id"),
    )
    return Order(group, servers, [], body.get("description"), placement, check_tags(body.get("tags", [])))


def _any_shared(world: World, order: Order) -> bool:
    return any(shared_volume_ids(world, server) for server, _ in order.servers)


def _check_closure(world: World, order: Order) -> None:
    # Batch create page, constraints: every server a shared disk is attached to must be in the list.
    listed = {server.id for server, _ in order.servers}
    for server, _ in order.servers:
        for volume_id in shared_volume_ids(world, server):
            owners = {owner for owner, _ in world.volumes[volume_id].attachments}
            if not owners <= listed:
                raise Refusal("SDRS.1408")


def _check_limits(world: World, order: Order, settings: Settings) -> None:
    limit = settings.group_instance_limit
    if limit is not None and len(order.group.instances) + len(order.servers) > limit:
        raise Refusal("SDRS.1358")
    # One pair per distinct volume: a shared volume counts once.
    wanted = {volume_id for server, _ in order.servers for volume_id, _, _ in server.volumes}
    if world.max_pairs >= 0 and len(world.pairs) + len(wanted) > world.max_pairs:
        raise Refusal("SDRS.0306")


def _check_address(world: World, body: dict[str, Any]) -> str:
    address = body.get("primary_ip_address")
    if address is None:
        return ""
    if "primary_subnet_id" not in body:
        raise Refusal("SDRS.1380")
    return check_free_address(world, body["primary_subnet_id"], address)


def check_free_address(world: World, subnet_id: str, address: str) -> str:
    """Check that an address is one of the subnet's (0219) and free (1334); give it back."""
    subnet = world.subnets[subnet_id]
    try:
        inside = ipaddress.IPv4Address(address) in ipaddress.ip_network(subnet.cidr)
    except ValueError:
        inside = False
    if not inside:
        raise Refusal("SDRS.0219")
    if world.is_address_taken(subnet_id, address):
        raise Refusal("SDRS.1334")
    return address
