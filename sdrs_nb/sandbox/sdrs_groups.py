"""Protection groups: create, list, show, rename, delete, and the five actions."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from . import statuses
from .errors import Refusal
from .jobs import Failure, Subject, start_job
from .paging import row_page
from .records import Group
from .routing import CloudCall, Reply, Routes
from .sdrs_documents import group_document, is_copying
from .validation import check_description, check_name, find_group, rename
from .world import World

ROUTES = Routes()

_THREE_MONTHS_S = 90 * 86400.0


def _document(call: CloudCall, group: Group) -> dict[str, Any]:
    return group_document(call.world, group, call.now, call.settings)


def _subject(group: Group, failure_status: str) -> Subject:
    return Subject(group.id, group.name, "server_groups", failure_status)


# -- reading and renaming --------------------------------------------------------------------------------------


@ROUTES.on("GET", "/v1/{project_id}/server-groups")
def _list_groups(call: CloudCall) -> Reply:
    status, name, az = call.one("status"), call.one("name"), call.one("availability_zone")
    if status and status not in statuses.GROUP:
        raise Refusal("SDRS.0209")
    groups = [
        group
        for group in reversed(call.world.groups.values())
        if (not status or group.status == status)
        and (not name or name in group.name)
        and (not az or group.production_az == az)
        and _fits_query_type(call, group)
    ]
    page, count = row_page(call, groups)
    return Reply(200, {"count": count, "server_groups": [_document(call, group) for group in page]})


def _fits_query_type(call: CloudCall, group: Group) -> bool:
    query_type = call.one("query_type")
    if query_type == "status_abnormal":
        return group.status.startswith("error")
    if query_type == "stop_protected":
        return group.status == "available"
    if query_type == "period_no_dr_drill":
        drills = [drill for drill in call.world.drills.values() if drill.group_id == group.id]
        return all(drill.created < call.now - _THREE_MONTHS_S for drill in drills)
    if query_type not in {None, "", "general"}:
        raise Refusal("SDRS.0201")
    return True


@ROUTES.on("GET", "/v1/{project_id}/server-groups/{server_group_id}")
def _show_group(call: CloudCall) -> Reply:
    return Reply(200, {"server_group": _document(call, find_group(call.world, call["server_group_id"]))})


@ROUTES.on("PUT", "/v1/{project_id}/server-groups/{server_group_id}")
def _rename_group(call: CloudCall) -> Reply:
    group = find_group(call.world, call["server_group_id"])
    rename(call, group, "server_group")
    return Reply(200, {"server_group": _document(call, group)})


# -- creating and deleting -------------------------------------------------------------------------------------

_REQUIRED = ("name", "source_availability_zone", "target_availability_zone", "domain_id", "source_vpc_id")


@ROUTES.on("POST", "/v1/{project_id}/server-groups")
def _create_group(call: CloudCall) -> Reply:
    body = call.fields("server_group")
    if not all(isinstance(body.get(name), str) for name in _REQUIRED):
        raise Refusal("SDRS.0201")
    description = body.get("description")
    if description is not None and not isinstance(description, str):
        raise Refusal("SDRS.0201")
    check_name(body["name"], call.settings)
    check_description(description, call.settings)
    _check_site(call.world, body)
    if len(call.world.groups) >= call.world.max_groups:
        raise Refusal("SDRS.0305")
    group = Group(
        id=call.world.new_uuid(),
        name=body["name"],
        description=description or "",
        status="creating",
        source_az=body["source_availability_zone"],
        target_az=body["target_availability_zone"],
        vpc_id=body["source_vpc_id"],
        domain_id=body["domain_id"],
        created=call.now,
        updated=call.now,
    )
    call.world.groups[group.id] = group
    work = partial(group.set_status, "available")
    return _run(call, group, "createProtectionGroupNoCG", "createFail", work, "error")


def _check_site(world: World, body: dict[str, Any]) -> None:
    azs = [body["source_availability_zone"], body["target_availability_zone"]]
    known = {az for domain in world.domains.values() for az in (domain.local_az, domain.remote_az)}
    if not known.issuperset(azs) or azs[0] == azs[1]:
        raise Refusal("SDRS.0203")
    domain = world.domains.get(body["domain_id"])
    if domain is None:
        raise Refusal("SDRS.0205")
    if {domain.local_az, domain.remote_az} != set(azs) or domain.sold_out:
        raise Refusal("SDRS.0233")
    if body["source_vpc_id"] not in world.vpcs:
        raise Refusal("SDRS.0204")
    if body.get("dr_type", "migration") != "migration":
        raise Refusal("SDRS.0217")


@ROUTES.on("DELETE", "/v1/{project_id}/server-groups/{server_group_id}")
def _delete_group(call: CloudCall) -> Reply:
    world = call.world
    group = find_group(world, call["server_group_id"])
    # Only a group where nothing is under way can go (general form of the status rule).
    if group.status not in statuses.GROUP_DELETABLE:
        raise Refusal("SDRS.1002")
    if group.instances:
        raise Refusal("SDRS.1001")
    if group.pairs:
        raise Refusal("SDRS.1010")
    if any(drill.group_id == group.id for drill in world.drills.values()):
        raise Refusal("SDRS.1003")

    def vanish(at: float) -> None:
        del at
        del world.groups[group.id]

    group.status = "deleting"
    return _run(call, group, "deleteProtectionGroupNoCG", "deleteFail", vanish, "error-deleting")


def _run(  # noqa: PLR0917 - the parts of a group's job
    call: CloudCall,
    group: Group,
    job_type: str,
    failure_status: str,
    work: Callable[[float], Failure | None],
    error_status: str,
) -> Reply:
    fail = partial(set_status, call.world, group, error_status)
    return start_job(call, job_type, {"server_group_id": group.id}, work, _subject(group, failure_status), fail)


def set_status(world: World, group: Group, status: str, at: float) -> None:
    """Give a group and everything settled in it a status; what is being made or is broken stays as it is."""
    # A member made while the group was on its way to another status has settled as available meanwhile.
    moving = {group.status, "available", "protected"}
    group.set_status(status, at)
    for member in world.members_of(group):
        if member.status in moving:
            member.set_status(status, at)


# -- actions ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Action:
    """One action: from which statuses, through which, to which; `error` is where a failed one ends."""

    key: str
    from_statuses: frozenset[str]
    refusal: str
    job_type: str
    running: str
    end: str
    error: str
    failure_status: str
    flips: bool = False


_ENABLE = Action(
    "start-server-group", frozenset({"available", "error-starting"}), "SDRS.1021",
    "startProtectionGroupNoCG", "starting", "protected", "error-starting", "startFail",
)  # fmt: skip
_REPROTECT = Action(
    "start-server-group", frozenset({"failed-over", "error-reprotecting"}), "SDRS.1021",
    "reprotectProtectionGroupNoCG", "reprotecting", "protected", "error-reprotecting", "reprotectFail",
)  # fmt: skip
_DISABLE = Action(
    "stop-server-group", frozenset({"protected", "error-stopping"}), "SDRS.1002",
    "stopProtectionGroupNoCG", "stopping", "available", "error-stopping", "stopFail",
)  # fmt: skip
_REVERSE = Action(
    "reverse-server-group", frozenset({"protected", "error-reversing"}), "SDRS.1023",
    "reverseProtectionGroupNoCG", "reversing", "protected", "error-reversing", "reverseFail", flips=True,
)  # fmt: skip
_FAIL_OVER = Action(
    "failover-server-group", frozenset({"protected", "error-failing-over", "error-reversing"}), "SDRS.1022",
    "failoverProtectionGroupNoCG", "failing-over", "failed-over", "error-failing-over", "failoverFail", flips=True,
)  # fmt: skip


@ROUTES.on("POST", "/v1/{project_id}/server-groups/{server_group_id}/action")
def _act(call: CloudCall) -> Reply:
    body = call.fields()
    if len(body) != 1:
        raise Refusal("SDRS.0201")
    key, parameters = next(iter(body.items()))
    actions = {action.key: action for action in (_ENABLE, _DISABLE, _REVERSE, _FAIL_OVER)}
    if key not in actions:
        raise Refusal("SDRS.0206")
    if not isinstance(parameters, dict):
        raise Refusal("SDRS.0201")
    if key == _REVERSE.key and parameters.get("priority_station") not in ("source", "target"):
        raise Refusal("SDRS.0216")
    group = find_group(call.world, call["server_group_id"])
    action = actions[key]
    if action is _ENABLE and group.status in _REPROTECT.from_statuses:
        action = _REPROTECT
    _check_action(call, group, action)
    return _perform(call, group, action)


def _check_action(call: CloudCall, group: Group, action: Action) -> None:
    world = call.world
    if group.status not in action.from_statuses:
        raise Refusal(action.refusal)
    # Every action needs pairs; the code for a group without any is undocumented, the general one is
    # ASSUMED: action_without_pairs.
    if not group.pairs:
        raise Refusal("SDRS.1002")
    instances = [world.instances[instance_id] for instance_id in group.instances]
    if action is _REVERSE:
        servers = [world.current_server(instance) for instance in instances]
        if any(server is not None and server.status != "SHUTOFF" for server in servers):
            raise Refusal("SDRS.1319")
        if any(is_copying(world.pairs[pair_id], call.now, call.settings) for pair_id in group.pairs):
            raise Refusal("SDRS.1830")
    if action is _REPROTECT:
        servers = [world.dr_server(instance) for instance in instances]
        if any(server is not None and server.status != "SHUTOFF" for server in servers):
            raise Refusal("SDRS.1342")


def _perform(call: CloudCall, group: Group, action: Action) -> Reply:
    world = call.world

    def work(at: float) -> None:
        if action.flips:
            group.station = "target" if group.station == "source" else "source"
            for member in world.members_of(group):
                member.station = group.station
        set_status(world, group, action.end, at)
        for pair_id in group.pairs:
            pair = world.pairs[pair_id]
            if action.end == "available":
                # After protection was stopped everything has to be copied again.
                pair.sync_from = None
            elif pair.status == "protected" and (pair.sync_from is None or action is _REPROTECT):
                pair.sync_from = at

    set_status(world, group, action.running, call.now)
    return _run(call, group, action.job_type, action.failure_status, work, action.error)
