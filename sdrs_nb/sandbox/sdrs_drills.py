"""DR drills."""

from functools import partial

from . import statuses
from .errors import Refusal
from .jobs import Failure, Subject, start_job
from .paging import row_page
from .records import Drill, Server, Subnet, Vpc
from .routing import CloudCall, Reply, Routes
from .sdrs_documents import drill_document, is_copying
from .validation import check_name, find_group, rename
from .world import World

ROUTES = Routes()


def _find_drill(call: CloudCall) -> Drill:
    drill = call.world.drills.get(call["drill_id"])
    if drill is None:
        raise Refusal("SDRS.1902")
    return drill


def _subject(drill: Drill, failure_status: str) -> Subject:
    return Subject(drill.id, drill.name, "disaster_recovery_drills", failure_status, drill.group_id)


@ROUTES.on("GET", "/v1/{project_id}/disaster-recovery-drills")
def _list_drills(call: CloudCall) -> Reply:
    status = call.one("status")
    if status and status not in statuses.DRILL:
        raise Refusal("SDRS.0209")
    drills = [
        drill
        for drill in reversed(call.world.drills.values())
        if call.one("server_group_id") in {None, "", drill.group_id}
        and (call.one("name") or "") in drill.name
        and (not status or drill.status == status)
        and call.one("drill_vpc_id") in {None, "", drill.vpc_id}
    ]
    page, count = row_page(call, drills)
    return Reply(200, {"count": count, "disaster_recovery_drills": [drill_document(drill) for drill in page]})


@ROUTES.on("GET", "/v1/{project_id}/disaster-recovery-drills/{drill_id}")
def _show_drill(call: CloudCall) -> Reply:
    return Reply(200, {"disaster_recovery_drill": drill_document(_find_drill(call))})


@ROUTES.on("PUT", "/v1/{project_id}/disaster-recovery-drills/{drill_id}")
def _rename_drill(call: CloudCall) -> Reply:
    drill = _find_drill(call)
    rename(call, drill, "disaster_recovery_drill")
    return Reply(200, {"disaster_recovery_drill": drill_document(drill)})


@ROUTES.on("POST", "/v1/{project_id}/disaster-recovery-drills")
def _create_drill(call: CloudCall) -> Reply:
    body = call.fields("disaster_recovery_drill")
    if not isinstance(body.get("server_group_id"), str) or not isinstance(body.get("name"), str):
        raise Refusal("SDRS.0201")
    check_name(body["name"], call.settings)
    world = call.world
    group = find_group(world, body["server_group_id"])
    if group.status not in statuses.DRILL_GROUP:
        raise Refusal("SDRS.1002")
    vpc_id = body.get("drill_vpc_id")
    if vpc_id is not None:
        _check_vpc(world, vpc_id, group.vpc_id)
    if any(is_copying(world.pairs[pair_id], call.now, call.settings) for pair_id in group.pairs):
        raise Refusal("SDRS.1830")
    # Left out, the cloud makes a VPC for the drill by itself.
    drill_vpc = vpc_id if vpc_id is not None else _add_vpc(world)
    drill = Drill(world.new_uuid(), body["name"], group.id, drill_vpc, "creating", call.now, call.now)
    world.drills[drill.id] = drill

    def work(at: float) -> Failure | None:
        doubles = {i: world.dr_server(world.instances[i]) for i in group.instances}
        subnet = next(subnet for subnet in world.subnets.values() if subnet.vpc_id == drill.vpc_id)
        if subnet.used + sum(double is not None for double in doubles.values()) > subnet.total:
            return Failure("SDRS.1912", "SdrsCreateDrillNicTask-fail:no free IP address in the subnet")
        for instance_id, double in doubles.items():
            if double is not None:
                server = _add_drill_server(world, subnet, double, at)
                drill.servers[instance_id] = server.id
                world.drill_by_server[server.id] = drill.id
        drill.set_status("available", at)
        return None

    entities = {"server_group_id": group.id, "disaster_recovery_drill_id": drill.id}
    fail = partial(drill.set_status, "error")
    return start_job(call, "createDisasterRecoveryDrill", entities, work, _subject(drill, "createFail"), fail)


def _check_vpc(world: World, vpc_id: object, group_vpc_id: str) -> None:
    if not isinstance(vpc_id, str) or vpc_id not in world.vpcs:
        raise Refusal("SDRS.1928")
    if vpc_id == group_vpc_id:
        raise Refusal("SDRS.1907")
    if not any(subnet.vpc_id == vpc_id for subnet in world.subnets.values()):
        raise Refusal("SDRS.1908")
    if any(drill.vpc_id == vpc_id for drill in world.drills.values()):
        raise Refusal("SDRS.1921")


def _add_vpc(world: World) -> str:
    number = len(world.vpcs)
    vpc = Vpc(world.new_uuid(), f"vpc-drill-{number}", "172.16.0.0/12")
    world.vpcs[vpc.id] = vpc
    subnet = Subnet(world.new_uuid(), world.new_uuid(), "subnet-drill", vpc.id, "172.16.0.0/14", 262139)
    world.subnets[subnet.id] = subnet
    return vpc.id


def _add_drill_server(world: World, subnet: Subnet, double: Server, at: float) -> Server:
    server = Server(
        id=world.new_uuid(),
        name=double.name,
        az=double.az,
        vpc_id=subnet.vpc_id,
        flavor_id=double.flavor_id,
        created=at,
        updated=at,
        os_type=double.os_type,
        image_name=double.image_name,
        user_id=double.user_id,
        role="drill",
    )
    server.nics = (world.new_nic(subnet),)
    world.add_server(server)
    return server


@ROUTES.on("DELETE", "/v1/{project_id}/disaster-recovery-drills/{drill_id}")
def _delete_drill(call: CloudCall) -> Reply:
    world = call.world
    drill = _find_drill(call)
    if drill.status not in statuses.DRILL_DELETABLE:
        raise Refusal("SDRS.1913")

    def work(at: float) -> None:
        del at
        for server_id in drill.servers.values():
            world.drill_by_server.pop(server_id, None)
            if server_id in world.servers:
                volume_ids = [volume_id for volume_id, _, _ in world.servers[server_id].volumes]
                world.remove_server(server_id)
                for volume_id in volume_ids:
                    world.remove_volume(volume_id)
        del world.drills[drill.id]

    drill.set_status("deleting", call.now)
    entities = {"server_group_id": drill.group_id, "disaster_recovery_drill_id": drill.id}
    fail = partial(drill.set_status, "error-deleting")
    return start_job(call, "deleteDisasterRecoveryDrill", entities, work, _subject(drill, "deleteFail"), fail)
