"""Changes to a protected instance: attach and detach a pair, add and delete a NIC, resize.

The pages give the allowed states (`statuses`); the order of codes is ASSUMED: code_order: body,
what the path names, states, then the details.
"""

from functools import partial
from typing import Any

from . import statuses
from .catalogue import can_resize
from .errors import Refusal
from .estate import device_name
from .jobs import Failure, start_job
from .records import Flavor, Instance, Nic, Pair, Server, Subnet
from .routing import CloudCall, Reply, Routes
from .sdrs_instances import find_instance, instance_subject
from .sdrs_pairs import find_pair, pair_entities
from .validation import check_free_address
from .vetting import system_volume_id
from .world import World

ROUTES = Routes()


def _refuse(code: str) -> Refusal:
    # These routes answer with "badrequest", one of the generic keys the documents show.
    return Refusal(code, key="badrequest")


def _check_group(call: CloudCall, instance: Instance) -> None:
    if call.world.groups[instance.group_id].status not in statuses.AT_REST:
        raise _refuse("SDRS.1024")


def _servers(world: World, instance: Instance) -> list[Server]:
    both = (world.servers.get(instance.source_server), world.servers.get(instance.target_server))
    return [server for server in both if server is not None]


# -- pairs -----------------------------------------------------------------------------------------------------


@ROUTES.on("POST", "/v1/{project_id}/protected-instances/{instance_id}/attachreplication")
def _attach(call: CloudCall) -> Reply:
    body = call.fields("replicationAttachment", _refuse("SDRS.0201"))
    device = body.get("device")
    if not isinstance(body.get("replication_id"), str) or not isinstance(device, str | None):
        raise _refuse("SDRS.0201")
    instance = find_instance(call)
    call.path_parameters["replication_id"] = body["replication_id"]
    pair = find_pair(call)
    _check_group(call, instance)
    if instance.status not in statuses.AT_REST:
        raise _refuse("SDRS.1328")
    if pair.group_id != instance.group_id:
        raise _refuse("SDRS.1611")
    if pair.status not in statuses.AT_REST:
        raise _refuse("SDRS.1601")
    free_device = _free_device(call.world, instance, pair, device)

    def work(at: float) -> None:
        _hang(call.world, instance, pair, free_device)
        pair.set_status(call.world.rest_status(pair.group_id), at)

    pair.set_status("attaching", call.now)
    entities = {**pair_entities(pair), "protected_instance_id": instance.id}
    subject = instance_subject(instance, "attachFail")
    fail = partial(pair.set_status, "error-attaching")
    return start_job(call, "attachReplicationPairNew", entities, work, subject, fail)


def _free_device(world: World, instance: Instance, pair: Pair, wanted: str | None) -> str:
    if instance.id in pair.attachments or (pair.attachments and not pair.multiattach):
        raise _refuse("SDRS.1603")
    source = world.servers.get(instance.source_server)
    taken = {device for volume_id, device, _ in source.volumes if volume_id != pair.source_volume} if source else set()
    taken |= {held.attachments[instance.id] for held in world.pairs_of(instance.id)}
    if wanted:
        # /dev/sdX is corrected to /dev/vdX on KVM.
        corrected = wanted.replace("/dev/sd", "/dev/vd")
        if corrected in taken:
            raise _refuse("SDRS.1603")
        return corrected
    return next(device_name(index) for index in range(24) if device_name(index) not in taken)


def _hang(world: World, instance: Instance, pair: Pair, device: str) -> None:
    world.hang_pair(pair, instance.id, device)
    for server in _servers(world, instance):
        for volume_id in (pair.source_volume, pair.target_volume):
            volume = world.volumes.get(volume_id)
            held = {entry[0] for entry in server.volumes}
            if volume is not None and volume.az == server.az and volume.id not in held:
                world.attach(server, volume, device, str(len(server.volumes) or 1))


@ROUTES.on("DELETE", "/v1/{project_id}/protected-instances/{instance_id}/detachreplication/{replication_id}")
def _detach(call: CloudCall) -> Reply:
    instance = find_instance(call)
    pair = find_pair(call)
    world = call.world
    _check_detachable(world, instance, pair)

    def work(at: float) -> None:
        world.unhang_pair(pair, instance.id)
        for server in _servers(world, instance):
            for volume_id in (pair.source_volume, pair.target_volume):
                if volume_id in {entry[0] for entry in server.volumes}:
                    world.detach(server, volume_id)
        pair.set_status(world.rest_status(pair.group_id), at)

    pair.set_status("detaching", call.now)
    entities = {**pair_entities(pair), "protected_instance_id": instance.id}
    subject = instance_subject(instance, "detachFail")
    fail = partial(pair.set_status, "error-detaching")
    return start_job(call, "detachReplicationPairNew", entities, work, subject, fail)


def _check_detachable(world: World, instance: Instance, pair: Pair) -> None:
    if world.groups[instance.group_id].status not in statuses.DETACH_GROUP:
        raise _refuse("SDRS.1002")
    if instance.status not in statuses.DETACH_INSTANCE:
        raise _refuse("SDRS.1328")
    if instance.id not in pair.attachments:
        raise _refuse("SDRS.1604")
    if pair.status not in statuses.DETACH_PAIR:
        raise _refuse("SDRS.1601")
    # Detach page: the system disk only while the server is stopped.
    server = world.current_server(instance)
    if server is None:
        return
    system = system_volume_id(server)
    if system in {pair.source_volume, pair.target_volume} and server.status != "SHUTOFF":
        raise _refuse("SDRS.1352")


# -- NICs ------------------------------------------------------------------------------------------------------


@ROUTES.on("POST", "/v1/{project_id}/protected-instances/{instance_id}/nic")
def _add_nic(call: CloudCall) -> Reply:
    body = call.fields(refusal=_refuse("SDRS.0201"))
    subnet_id, address = body.get("subnet_id"), body.get("ip_address")
    groups = body.get("security_groups", [])
    if not isinstance(subnet_id, str) or not isinstance(address, str | None) or not isinstance(groups, list):
        raise _refuse("SDRS.0201")
    instance = find_instance(call)
    _check_group(call, instance)
    if instance.status not in statuses.AT_REST:
        raise _refuse("SDRS.1327")
    world = call.world
    production, subnet = _check_new_nic(call, instance, subnet_id)
    if address:
        check_free_address(world, subnet_id, address)
    entities = {"protected_instance_id": instance.id, "server_group_id": instance.group_id}

    def work(at: float) -> Failure | None:
        servers = _servers(world, instance)
        # Other servers may have taken what was free when the request came.
        if subnet.used + len(servers) > subnet.total or (address and world.is_address_taken(subnet.id, address)):
            return Failure("SDRS.1312", "SdrsAddNicTask-fail:no free IP address in the subnet")
        for server in servers:
            chosen = address if server is production else None
            nic = world.new_nic(subnet, primary=False, ip=chosen or "")
            server.nics, server.document = (*server.nics, nic), None
            if server is production:
                entities["nic_id"] = nic.port_id
        rest(at)
        return None

    def rest(at: float) -> None:
        instance.set_status(world.rest_status(instance.group_id), at)

    instance.set_status("nic-creating", call.now)
    return start_job(call, "addNicNew", entities, work, instance_subject(instance, "createFail"), rest)


def _check_new_nic(call: CloudCall, instance: Instance, subnet_id: str) -> tuple[Server, Subnet]:
    world = call.world
    subnet = world.subnets.get(subnet_id)
    if subnet is None or subnet.vpc_id != world.groups[instance.group_id].vpc_id:
        raise _refuse("SDRS.1335")
    if not call.settings.extension_nics_supported:
        raise _refuse("SDRS.1337")
    production = world.current_server(instance)
    if production is None:
        raise _refuse("SDRS.1314")
    if len(production.nics) >= call.settings.max_nics:
        raise _refuse("SDRS.1340")
    return production, subnet


def _removable_nic(server: Server | None, nic_id: str) -> tuple[Server, Nic]:
    """Return the server with its network card of that id, which must be no primary one."""
    nic = next((nic for nic in server.nics if nic.port_id == nic_id), None) if server else None
    if server is None or nic is None:
        raise _refuse("SDRS.1310")
    if nic.primary:
        raise _refuse("SDRS.1311")
    return server, nic


@ROUTES.on("POST", "/v1/{project_id}/protected-instances/{instance_id}/nic/delete")
def _delete_nic(call: CloudCall) -> Reply:
    nic_id = call.fields(refusal=_refuse("SDRS.0201")).get("nic_id")
    if not isinstance(nic_id, str):
        raise _refuse("SDRS.0201")
    if not nic_id:
        raise _refuse("SDRS.0223")
    instance = find_instance(call)
    _check_group(call, instance)
    if instance.status not in statuses.AT_REST:
        raise _refuse("SDRS.1327")
    world = call.world
    production, nic = _removable_nic(world.current_server(instance), nic_id)

    def work(at: float) -> None:
        for server in _servers(world, instance):
            same = nic if server is production else next((n for n in reversed(server.nics) if not n.primary), None)
            if same is not None:
                world.drop_nic(server, same)
        rest(at)

    def rest(at: float) -> None:
        instance.set_status(world.rest_status(instance.group_id), at)

    instance.set_status("nic-deleting", call.now)
    entities = {"protected_instance_id": instance.id, "server_group_id": instance.group_id, "nic_id": nic_id}
    return start_job(call, "deleteNicNew", entities, work, instance_subject(instance, "deleteFail"), rest)


# -- resize ----------------------------------------------------------------------------------------------------

_HOST_FIELDS = ("production_dedicated_host_id", "dr_dedicated_host_id")
_RESIZE_FIELDS = ("flavorRef", "production_flavorRef", "dr_flavorRef", *_HOST_FIELDS)


def _resizable(call: CloudCall) -> tuple[Instance, Server, Server]:
    """Return the instance with its two servers, or refuse what no resize is allowed for."""
    instance = find_instance(call)
    _check_group(call, instance)
    if instance.status not in statuses.RESIZABLE:
        raise _refuse("SDRS.1328")
    production, double = call.world.current_server(instance), call.world.dr_server(instance)
    if production is None or double is None:
        raise _refuse("SDRS.1314")
    if "1" in {production.billing, double.billing}:
        raise _refuse("SDRS.1376")
    if not any(pair.bootable for pair in call.world.pairs_of(instance.id)):
        raise _refuse("SDRS.1377")
    return instance, production, double


@ROUTES.on("POST", "/v1/{project_id}/protected-instances/{instance_id}/resize")
def _resize(call: CloudCall) -> Reply:
    body = call.fields("resize", _refuse("SDRS.0201"))
    if not all(isinstance(body.get(name, ""), str) for name in _RESIZE_FIELDS):
        raise _refuse("SDRS.0201")
    production_ref = body.get("production_flavorRef") or body.get("flavorRef")
    dr_ref = body.get("dr_flavorRef") or body.get("flavorRef")
    if not production_ref and not dr_ref:
        raise _refuse("SDRS.0201")
    instance, production, double = _resizable(call)
    _check_host_fields(body, production, double)
    changes = [
        (server, _new_flavor(call.world, server, wanted, code))
        for server, wanted, code in ((production, production_ref, "SDRS.1378"), (double, dr_ref, "SDRS.1379"))
        if wanted
    ]
    for server, _ in changes:
        if server.status != "SHUTOFF":
            raise _refuse("SDRS.1352" if server is production else "SDRS.1342")
    return _start_resize(call, instance, changes)


def _start_resize(call: CloudCall, instance: Instance, changes: list[tuple[Server, Flavor]]) -> Reply:
    def work(at: float) -> None:
        for server, flavor in changes:
            call.world.change_flavor(server, flavor.id)
        instance.set_status(call.world.rest_status(instance.group_id), at)

    instance.set_status("resizing", call.now)
    entities = {"protected_instance_id": instance.id, "server_group_id": instance.group_id}
    subject = instance_subject(instance, "resizeFail")
    return start_job(
        call, "resizeProtectedInstanceNew", entities, work, subject, partial(instance.set_status, "error-resizing")
    )


def _check_host_fields(body: dict[str, Any], production: Server, double: Server) -> None:
    for server, name, surplus, missing in (
        (production, "production_dedicated_host_id", "SDRS.1368", "SDRS.1370"),
        (double, "dr_dedicated_host_id", "SDRS.1367", "SDRS.1369"),
    ):
        if body.get(name) and not server.host_id:
            raise _refuse(surplus)
        if server.host_id and not body.get(name):
            raise _refuse(missing)


def _new_flavor(world: World, server: Server, wanted: str, code: str) -> Flavor:
    if wanted == server.flavor_id:
        raise _refuse("SDRS.1341")
    flavor = world.flavors.get(wanted)
    if flavor is None or not can_resize(world.flavors[server.flavor_id], flavor):
        raise _refuse(code)
    return flavor
