"""ECS: server list and details, flavors, limits and server groups."""

import re
from typing import Any

from .catalogue import can_resize
from .ecs_documents import server_bytes
from .errors import Refusal
from .paging import marker_page, whole_number
from .records import Flavor, Server
from .routing import CloudCall, Reply, Routes, encode

ROUTES = Routes()

_BAD_REQUEST = Refusal("Ecs.0005", message="Request parameter is invalid.")
# status=ACTIVE also returns rows that were active before something began, as the ECS page says.
_STATUS_ALIASES = {
    "ACTIVE": {"ACTIVE", "REBOOT", "HARD_REBOOT", "REBUILD", "MIGRATING", "RESIZE"},
    "SHUTOFF": {"SHUTOFF", "RESIZE", "REBUILD"},
}
_MAX_IDS = 100


# -- lists -----------------------------------------------------------------------------------------------------


@ROUTES.on("GET", "/v1/{project_id}/cloudservers/detail")
def _list_servers(call: CloudCall) -> Reply:
    ids = call.all("server_id")
    if ids:
        return _servers_by_id(call, ids)
    limit = whole_number(call.one("limit"), 25, _BAD_REQUEST, 0, 1000) or 25
    page = max(1, whole_number(call.one("offset"), 1, _BAD_REQUEST))
    tests = _filters(call)
    marker = call.one("marker")
    if not tests and not marker:
        # offset is a page number: (page - 1) * limit rows go before.
        return _page(call, call.world.server_slice((page - 1) * limit, limit), len(call.world.servers))
    matching = [s for s in call.world.servers_newest_first() if all(test(s) for test in tests)]
    if marker:
        return _page(call, _after(matching, marker, limit), len(matching))
    return _page(call, matching[(page - 1) * limit : page * limit], len(matching))


def _after(servers: list[Server], marker: str, limit: int) -> list[Server]:
    for index, server in enumerate(servers):
        if server.id == marker:
            return servers[index + 1 : index + 1 + limit]
    raise _BAD_REQUEST


def _page(call: CloudCall, servers: list[Server], count: int) -> Reply:
    documents = b",".join(server_bytes(call.world, server) for server in servers)
    return Reply(200, b'{"servers":[' + documents + b'],"count":' + str(count).encode() + b"}")


def _servers_by_id(call: CloudCall, ids: list[str]) -> Reply:
    if len(ids) > _MAX_IDS:
        raise _BAD_REQUEST
    documents = []
    for server_id in ids:
        server = call.world.servers.get(server_id)
        # An unknown id comes back as an entry with only id and fault filled.
        documents.append(
            server_bytes(call.world, server)
            if server
            else encode(
                {"id": server_id, "fault": {"code": 404, "message": f"Instance {server_id} could not be found."}}
            )
        )
    return Reply(200, b'{"servers":[' + b",".join(documents) + b'],"count":' + str(len(ids)).encode() + b"}")


def _filters(call: CloudCall) -> list[Any]:
    tests: list[Any] = []
    if name := call.one("name"):
        pattern = _fuzzy(name)
        tests.append(lambda s: pattern.search(s.name) is not None)
    if status := call.one("status"):
        wanted = _STATUS_ALIASES.get(status, {status})
        tests.append(lambda s: s.status in wanted)
    if flavor := call.one("flavor"):
        tests.append(lambda s: s.flavor_id == flavor)
    if address := call.one("ip"):
        ip_pattern = _fuzzy(address)
        tests.append(lambda s: any(ip_pattern.search(nic.ip) for nic in s.nics))
    if exact := call.one("ip_eq"):
        tests.append(lambda s: any(nic.ip == exact for nic in s.nics))
    if tags := call.all("tags"):
        tests.append(lambda s: all(tag in s.tags for tag in tags))
    if hidden := call.all("not-tags"):
        tests.append(lambda s: not any(tag in s.tags for tag in hidden))
    project = call.one("enterprise_project_id")
    if project and project != "all_granted_eps":
        tests.append(lambda s: s.eps_id == project)
    return tests


def _fuzzy(text: str) -> re.Pattern[str]:
    # The page says: fuzzy, and "." is a wildcard; everything else stands for itself.
    return re.compile(".".join(re.escape(part) for part in text.split(".")), re.IGNORECASE)


def _marker_list(default: int, high: int) -> Any:
    def handler(call: CloudCall) -> Reply:
        servers = marker_page(call, list(call.world.servers_newest_first()), "id", default, high, _BAD_REQUEST)
        documents = b",".join(server_bytes(call.world, server) for server in servers)
        links: list[dict[str, str]] = []
        if servers and servers[-1] is not next(reversed(list(call.world.servers_newest_first())), None):
            links.append({"rel": "next", "href": f"{call.origin}{call.path}?marker={servers[-1].id}"})
        return Reply(200, b'{"servers":[' + documents + b'],"servers_links":' + encode(links) + b"}")

    return handler


ROUTES.on("GET", "/v1.1/{project_id}/cloudservers/detail")(_marker_list(10, 100))
ROUTES.on("GET", "/v2.1/{project_id}/servers/detail")(_marker_list(1000, 1000))


def _find_server(call: CloudCall, server_id: str) -> Server:
    server = call.world.servers.get(server_id)
    if server is None:
        raise Refusal("Ecs.0114", 404, f"Instance[{server_id}] could not be found.", "itemNotFound")
    return server


@ROUTES.on("GET", "/v1/{project_id}/cloudservers/{server_id}")
@ROUTES.on("GET", "/v2.1/{project_id}/servers/{server_id}")
def _show_server(call: CloudCall) -> Reply:
    server = _find_server(call, call["server_id"])
    return Reply(200, b'{"server":' + server_bytes(call.world, server) + b"}")


@ROUTES.on("GET", "/v1/{project_id}/cloudservers/{server_id}/autorecovery")
def _show_auto_recovery(call: CloudCall) -> Reply:
    """Show whether a server restarts on another host after a fault; ECS words the answer as a text."""
    server = _find_server(call, call["server_id"])
    return Reply(200, {"support_auto_recovery": str(server.auto_recovery).lower()})


# -- flavors ---------------------------------------------------------------------------------------------------


def _flavor_document(flavor: Flavor, specs_key: str, origin: str) -> dict[str, Any]:
    specs = {
        "ecs:performancetype": flavor.performance,
        "ecs:generation": flavor.generation,
        "ecs:virtualization_env_types": "FusionCompute" if flavor.xen else "CloudCompute",
        "ecs:instance_architecture": "arm64" if flavor.arm64 else "x86_64",
        "resource_type": "IOoptimized",
        "cond:operation:status": "normal",
        **dict(flavor.specs),
    }
    if flavor.sale:
        specs["cond:operation:az"] = ", ".join(f"{az}({status})" for az, status in flavor.sale)
    return {
        "id": flavor.id,
        "name": flavor.id,
        "vcpus": str(flavor.vcpus),
        "ram": flavor.ram_mib,
        "disk": "0",
        "swap": "",
        "links": [{"rel": "self", "href": f"{origin}/flavors/{flavor.id}"}],
        "OS-FLV-EXT-DATA:ephemeral": 0,
        "rxtx_factor": 1.0,
        "os-flavor-access:is_public": True,
        "attachableQuantity": {"free_scsi": 23, "free_blk": 23, "free_disk": 23, "free_nic": 15},
        specs_key: specs,
    }


@ROUTES.on("GET", "/v1/{project_id}/cloudservers/flavors")
def _list_flavors(call: CloudCall) -> Reply:
    az = call.one("availability_zone")
    flavors = [
        flavor
        for flavor in call.world.flavors.values()
        # With an AZ only the flavors one can order there come back.
        if az is None or flavor.sale_status(az) not in {"abandon", "sellout"}
    ]
    return Reply(200, {"flavors": [_flavor_document(flavor, "os_extra_specs", call.origin) for flavor in flavors]})


@ROUTES.on("GET", "/v1/{project_id}/cloudservers/resize_flavors")
def _list_resize_flavors(call: CloudCall) -> Reply:
    server_id = call.one("instance_uuid")
    if server_id is not None:
        source = call.world.flavors[_find_server(call, server_id).flavor_id]
    else:
        named = call.one("source_flavor_id") or call.one("source_flavor_name") or ""
        found = call.world.flavors.get(named)
        if found is None:
            raise _BAD_REQUEST
        source = found
    flavors = [
        f
        for f in call.world.flavors.values()
        if can_resize(source, f) and {status for _, status in f.sale} != {"abandon"}
    ]
    flavors = marker_page(call, flavors, "id", 1000, 1000, _BAD_REQUEST)
    return Reply(200, {"flavors": [_flavor_document(flavor, "extra_specs", call.origin) for flavor in flavors]})


# -- quota and groups ------------------------------------------------------------------------------------------


#: Limits that no estate here comes near to.
_SAME_FOR_ALL = {
    "maxServerMeta": 128,
    "maxImageMeta": 128,
    "maxPersonality": 5,
    "maxPersonalitySize": 10240,
    "maxServerGroups": 10,
    "maxServerGroupMembers": 16,
    "maxSecurityGroups": 100,
    "maxSecurityGroupRules": 50,
    "totalSecurityGroupsUsed": 1,
    "maxTotalKeypairs": -1,
    "maxTotalFloatingIps": 50,
    "totalFloatingIpsUsed": 0,
    "maxClusterServerGroupMembers": 100,
    "maxFaultDomainMembers": 10,
    "maxTotalSpotInstances": 20,
    "maxTotalSpotCores": 128,
    "maxTotalSpotRAMSize": 262144,
    "totalSpotInstancesUsed": 0,
    "totalSpotCoresUsed": 0,
    "totalSpotRAMUsed": 0,
}


@ROUTES.on("GET", "/v1/{project_id}/cloudservers/limits")
def _show_limits(call: CloudCall) -> Reply:
    world = call.world
    used = {
        "maxTotalInstances": world.max_servers,
        "totalInstancesUsed": len(world.servers),
        "maxTotalCores": world.max_cores,
        "totalCoresUsed": world.cores_used,
        "maxTotalRAMSize": world.max_ram_mib,
        "totalRAMUsed": world.ram_used_mib,
        "totalServerGroupsUsed": len(world.server_groups),
    }
    return Reply(200, {"absolute": {**used, **_SAME_FOR_ALL}})


@ROUTES.on("GET", "/v1/{project_id}/cloudservers/os-server-groups")
def _list_server_groups(call: CloudCall) -> Reply:
    members: dict[str, list[str]] = {}
    for server in call.world.servers.values():
        if server.ecs_group_id:
            members.setdefault(server.ecs_group_id, []).append(server.id)
    groups = marker_page(call, list(call.world.server_groups.values()), "id", 1000, 1000, _BAD_REQUEST)
    documents = [
        {"id": g.id, "name": g.name, "members": members.get(g.id, []), "policies": [g.policy], "metadata": {}}
        for g in groups
    ]
    return Reply(200, {"server_groups": documents, "page_info": {"next_marker": None}})
