"""ECS: server list and details, flavors, limits and server groups (``cloud-apis.md`` section 4)."""

import re
from collections.abc import Iterator
from typing import Any

from .catalogue import can_resize
from .clock import iso_micros, iso_seconds
from .errors import Refusal
from .paging import marker_page, whole_number
from .records import Flavor, Nic, Server
from .routing import Call, Reply, Route, encode
from .world import World

_BAD_REQUEST = Refusal("Ecs.0005", message="Request parameter is invalid.")
# status=ACTIVE also returns rows that were active before something began, as the ECS page says.
_STATUS_ALIASES = {
    "ACTIVE": {"ACTIVE", "REBOOT", "HARD_REBOOT", "REBUILD", "MIGRATING", "RESIZE"},
    "SHUTOFF": {"SHUTOFF", "RESIZE", "REBUILD"},
}
_POWER_STATES = {"ACTIVE": 1, "SHUTOFF": 4}
_MAX_IDS = 100


def server_bytes(world: World, server: Server) -> bytes:
    """Give a server's encoded document; it is rendered once and kept until the server changes."""
    if server.document is None:
        server.document = encode(server_document(world, server))
    return server.document


def server_document(world: World, server: Server) -> dict[str, Any]:
    """Render a server as the detail list of ``/v1/{project_id}/cloudservers/detail`` shows it."""
    flavor = world.flavors[server.flavor_id]
    stamp = iso_seconds(server.created)
    return {
        "id": server.id,
        "name": server.name,
        "description": "",
        "status": server.status,
        "tenant_id": world.project_id,
        "user_id": server.user_id,
        "created": stamp,
        "updated": iso_seconds(server.updated),
        "OS-SRV-USG:launched_at": iso_micros(server.created),
        "OS-SRV-USG:terminated_at": None,
        "auto_terminate_time": "",
        "OS-EXT-STS:task_state": server.task_state,
        "OS-EXT-STS:vm_state": {"ACTIVE": "active", "SHUTOFF": "stopped"}.get(server.status, server.status.lower()),
        "OS-EXT-STS:power_state": _POWER_STATES.get(server.status, 0),
        "OS-EXT-AZ:availability_zone": server.az,
        "metadata": _metadata(server, flavor),
        "addresses": {server.vpc_id: [entry for nic in server.nics for entry in _addresses(nic)]},
        "network_interfaces": [_interface(nic) for nic in server.nics],
        "flavor": _flavor_reference(flavor),
        "os-extended-volumes:volumes_attached": [
            {"id": volume_id, "device": device, "bootIndex": boot_index, "delete_on_termination": "false"}
            for volume_id, device, boot_index in server.volumes
        ],
        "OS-EXT-SRV-ATTR:root_device_name": "/dev/vda",
        "key_name": server.key_name,
        "image": {"id": _image_id(server)},
        "security_groups": [{"id": f"{server.vpc_id[:-4]}0000", "name": "default"}],
        "tags": list(server.tags),
        "sys_tags": [{"key": "_sys_enterprise_project_id", "value": server.eps_id}],
        "enterprise_project_id": server.eps_id,
        "os:scheduler_hints": _hints(server),
        "locked": server.locked,
        "host_status": "UP",
        "hypervisor": {"hypervisor_type": "QEMU", "csd_hypervisor": "0"},
        "OS-EXT-SRV-ATTR:hostname": f"host-{server.id[:8]}",
        "OS-EXT-SRV-ATTR:host": f"pod.{server.az}",
        "OS-EXT-SRV-ATTR:instance_name": f"instance-{server.id[:8]}",
        "OS-EXT-SRV-ATTR:hypervisor_hostname": f"nova@{server.az}",
        "OS-EXT-SRV-ATTR:reservation_id": f"r-{server.id[:8]}",
        "OS-EXT-SRV-ATTR:launch_index": 0,
        "OS-EXT-SRV-ATTR:user_data": "",
        "OS-EXT-SRV-ATTR:kernel_id": "",
        "OS-EXT-SRV-ATTR:ramdisk_id": "",
        "OS-DCF:diskConfig": "MANUAL",
        "progress": 0,
        "config_drive": "",
        "hostId": server.id.replace("-", ""),
        "accessIPv4": "",
        "accessIPv6": "",
        "fault": {"message": "No valid host was found.", "code": 500, "details": "", "created": stamp}
        if server.status == "ERROR"
        else None,
    }


def _metadata(server: Server, flavor: Flavor) -> dict[str, str]:
    metadata = {
        "vpc_id": server.vpc_id,
        "charging_mode": server.billing,
        "os_type": server.os_type,
        "os_bit": "64",
        "image_name": server.image_name,
        "metering.image_id": _image_id(server),
        "metering.imagetype": "gold",
        "metering.resourcespeccode": f"{flavor.id}.{server.os_type.lower()}",
        "metering.resourcetype": "1",
        "metering.cloudServiceType": "hws.service.type.ec2",
        "metering.order_id": "CS2501010001" if server.billing == "1" else "",
        "metering.product_id": "OFFI-ecs" if server.billing == "1" else "",
        # All lock fields are empty strings while nothing holds the server.
        "lockSource": server.lock_source,
        "lockSourceId": server.id if server.lock_source else "",
        "lockScene": "TO_PERIOD_LOCK" if server.lock_source == "ORDER" else "",
        "lockCheckEndpoint": "https://order.sandbox.invalid/check" if server.lock_source else "",
        "virtual_env_type": "IsoImage" if flavor.xen else "FusionCompute",
        "agency_name": server.agency,
        "__support_agent_list": "hss,ces",
    }
    if server.frozen:
        # The key appears only after a freeze.
        metadata["EcmResStatus"] = "freeze"
    return metadata


def _addresses(nic: Nic) -> Iterator[dict[str, Any]]:
    mac = "fa:16:3e:" + ":".join((nic.port_id[:2], nic.port_id[2:4], nic.port_id[4:6]))
    kinds = (("fixed", nic.ip), ("floating", nic.floating_ip))
    for kind, address in kinds:
        if address:
            yield {
                "addr": address,
                "version": "4",
                "primary": nic.primary,
                "OS-EXT-IPS:type": kind,
                "OS-EXT-IPS:port_id": nic.port_id,
                "OS-EXT-IPS-MAC:mac_addr": mac,
            }


def _interface(nic: Nic) -> dict[str, Any]:
    return {
        "port_id": nic.port_id,
        "primary": nic.primary,
        "subnet_id": nic.subnet_id,
        "ip_addresses": [nic.ip],
        "ipv6_addresses": [],
    }


def _flavor_reference(flavor: Flavor) -> dict[str, Any]:
    gpus = [{"name": "nvidia-t4", "count": 1, "memory_mb": 16384}] if flavor.performance == "gpu" else []
    return {
        "id": flavor.id,
        "name": flavor.id,
        "vcpus": str(flavor.vcpus),
        "ram": str(flavor.ram_mib),
        "disk": "0",
        "gpus": gpus,
        "asic_accelerators": [],
    }


def _hints(server: Server) -> dict[str, list[str]]:
    hints = {}
    if server.ecs_group_id:
        hints["group"] = [server.ecs_group_id]
    if server.host_id:
        hints["tenancy"] = ["dedicated"]
        hints["dedicated_host_id"] = [server.host_id]
    return hints


def _image_id(server: Server) -> str:
    # One image per name; the sandbox has no image service.
    marks = sum(server.image_name.encode()) % 10000
    return f"1ba5b0de-0000-4000-a000-00000000{marks:04d}"


# -- lists -----------------------------------------------------------------------------------------------------


def _list_servers(call: Call) -> Reply:
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


def _page(call: Call, servers: list[Server], count: int) -> Reply:
    documents = b",".join(server_bytes(call.world, server) for server in servers)
    return Reply(200, b'{"servers":[' + documents + b'],"count":' + str(count).encode() + b"}")


def _servers_by_id(call: Call, ids: list[str]) -> Reply:
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


def _filters(call: Call) -> list[Any]:
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
    def handler(call: Call) -> Reply:
        servers = marker_page(call, list(call.world.servers_newest_first()), "id", default, high, _BAD_REQUEST)
        documents = b",".join(server_bytes(call.world, server) for server in servers)
        links: list[dict[str, str]] = []
        if servers and servers[-1] is not next(reversed(list(call.world.servers_newest_first())), None):
            links.append({"rel": "next", "href": f"{call.origin}{call.path}?marker={servers[-1].id}"})
        return Reply(200, b'{"servers":[' + documents + b'],"servers_links":' + encode(links) + b"}")

    return handler


def _show_server(call: Call) -> Reply:
    server = call.world.servers.get(call["server_id"])
    if server is None:
        raise Refusal("Ecs.0114", 404, f"Instance[{call['server_id']}] could not be found.", "itemNotFound")
    return Reply(200, b'{"server":' + server_bytes(call.world, server) + b"}")


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


def _list_flavors(call: Call) -> Reply:
    az = call.one("availability_zone")
    flavors = [
        flavor
        for flavor in call.world.flavors.values()
        # With an AZ only the flavors one can order there come back.
        if az is None or flavor.sale_status(az) not in {"abandon", "sellout"}
    ]
    return Reply(200, {"flavors": [_flavor_document(flavor, "os_extra_specs", call.origin) for flavor in flavors]})


def _list_resize_flavors(call: Call) -> Reply:
    server_id = call.one("instance_uuid")
    if server_id is not None:
        server = call.world.servers.get(server_id)
        if server is None:
            raise Refusal("Ecs.0114", 404, f"Instance[{server_id}] could not be found.", "itemNotFound")
        source = call.world.flavors[server.flavor_id]
    else:
        named = call.one("source_flavor_id") or call.one("source_flavor_name") or ""
        found = call.world.flavors.get(named)
        if found is None:
            raise _BAD_REQUEST
        source = found
    flavors = [f for f in call.world.flavors.values() if can_resize(source, f) and not _abandoned(f)]
    flavors = marker_page(call, flavors, "id", 1000, 1000, _BAD_REQUEST)
    return Reply(200, {"flavors": [_flavor_document(flavor, "extra_specs", call.origin) for flavor in flavors]})


def _abandoned(flavor: Flavor) -> bool:
    return bool(flavor.sale) and all(status == "abandon" for _, status in flavor.sale)


# -- quota and groups ------------------------------------------------------------------------------------------


def _show_limits(call: Call) -> Reply:
    world = call.world
    absolute = {
        "maxTotalInstances": world.max_servers,
        "totalInstancesUsed": len(world.servers),
        "maxTotalCores": world.max_cores,
        "totalCoresUsed": world.cores_used,
        "maxTotalRAMSize": world.max_ram_mib,
        "totalRAMUsed": world.ram_used_mib,
        "maxServerMeta": 128,
        "maxImageMeta": 128,
        "maxPersonality": 5,
        "maxPersonalitySize": 10240,
        "maxServerGroups": 10,
        "maxServerGroupMembers": 16,
        "totalServerGroupsUsed": len(world.server_groups),
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
    return Reply(200, {"absolute": absolute})


def _list_server_groups(call: Call) -> Reply:
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


ROUTES = (
    Route("GET", "/v1/{project_id}/cloudservers/detail", _list_servers),
    Route("GET", "/v1.1/{project_id}/cloudservers/detail", _marker_list(10, 100)),
    Route("GET", "/v2.1/{project_id}/servers/detail", _marker_list(1000, 1000)),
    Route("GET", "/v1/{project_id}/cloudservers/flavors", _list_flavors),
    Route("GET", "/v1/{project_id}/cloudservers/resize_flavors", _list_resize_flavors),
    Route("GET", "/v1/{project_id}/cloudservers/limits", _show_limits),
    Route("GET", "/v1/{project_id}/cloudservers/os-server-groups", _list_server_groups),
    Route("GET", "/v1/{project_id}/cloudservers/{server_id}", _show_server),
    Route("GET", "/v2.1/{project_id}/servers/{server_id}", _show_server),
)
