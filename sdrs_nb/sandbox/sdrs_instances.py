"""Protected instances: create, list, show, rename, delete."""

from functools import partial
from typing import Any

from . import statuses
from .errors import Refusal
from .evs import read_ids
from .jobs import Failure, Subject, close_job, close_parent, open_job, start_job
from .paging import only_abnormal, row_page
from .progress import start_batch, start_single
from .records import Instance, Job
from .routing import CloudCall, Reply, Routes
from .sdrs_documents import instance_document
from .validation import read_batch_order, read_single_order, rename
from .world import World

ROUTES = Routes()
#: Not there where the site has no batch calls.
BATCH_ROUTES = Routes()

_MAX_IDS = 30


def find_instance(call: CloudCall) -> Instance:
    """Give the instance the path names.

    Raises
    ------
    Refusal
        1320: there is no such instance.
    """
    instance = call.world.instances.get(call["instance_id"])
    if instance is None:
        raise Refusal("SDRS.1320")
    return instance


def instance_subject(instance: Instance, failure_status: str) -> Subject:
    """Give what the task center says about an instance's failed job."""
    return Subject(instance.id, instance.name, "protected_instances", failure_status, instance.group_id)


def _document(call: CloudCall, instance: Instance) -> dict[str, Any]:
    return instance_document(call.world, instance, call.now, call.settings)


# -- creating --------------------------------------------------------------------------------------------------


@BATCH_ROUTES.on("POST", "/v1/{project_id}/protected-instances/batch")
def _batch_create(call: CloudCall) -> Reply:
    order = read_batch_order(call)
    job = start_batch(call, order)
    return Reply(202, {} if call.effects.no_job_id else {"job_id": job.id})


@ROUTES.on("POST", "/v1/{project_id}/protected-instances")
def _create(call: CloudCall) -> Reply:
    order = read_single_order(call)
    job = start_single(call, order)
    return Reply(200, {} if call.effects.no_job_id else {"job_id": job.id})


# -- reading and renaming --------------------------------------------------------------------------------------


def id_list(call: CloudCall, name: str) -> list[str] | None:
    """Give a list of ids sent as one value, None if it was not sent.

    Raises
    ------
    Refusal
        0226: more than 30 ids.
    """
    text = call.one(name)
    if text is None:
        return None
    ids = read_ids(text)
    if len(ids) > _MAX_IDS:
        raise Refusal("SDRS.0226")
    return ids


@ROUTES.on("GET", "/v1/{project_id}/protected-instances")
def _list_instances(call: CloudCall) -> Reply:
    status = call.one("status")
    if status and status not in statuses.INSTANCE:
        raise Refusal("SDRS.0209")
    hidden_after = call.now - call.effects.lag_s
    instances = [
        instance
        for instance in reversed(_selected(call))
        if instance.listed_from <= call.now
        # A list that lags does not know what was made in the last seconds.
        and (not call.effects.lag_s or instance.created <= hidden_after)
        and _fits(call, instance, status)
    ]
    page, count = row_page(call, instances)
    return Reply(200, {"protected_instances": [_document(call, instance) for instance in page], "count": count})


def _selected(call: CloudCall) -> list[Instance]:
    # Documented precedence: group ids, then group id, then instance ids. Unknown ids are ignored.
    world = call.world
    group_ids, group_id = id_list(call, "server_group_ids"), call.one("server_group_id")
    instance_ids = id_list(call, "protected_instance_ids")
    if group_ids is None and group_id:
        group_ids = [group_id]
    if group_ids is not None:
        groups = [world.groups[wanted] for wanted in dict.fromkeys(group_ids) if wanted in world.groups]
        return [world.instances[instance_id] for group in groups for instance_id in group.instances]
    if instance_ids is not None:
        return [instance for instance in world.instances.values() if instance.id in instance_ids]
    return list(world.instances.values())


def _fits(call: CloudCall, instance: Instance, status: str | None) -> bool:
    name, az = call.one("name"), call.one("availability_zone")
    return (
        (not only_abnormal(call) or instance.status.startswith("error") or instance.status in {"invalid", "fault"})
        and (not status or instance.status == status)
        and (not name or name in instance.name)
        and (not az or call.world.groups[instance.group_id].production_az == az)
    )


@ROUTES.on("GET", "/v1/{project_id}/protected-instances/{instance_id}")
def _show_instance(call: CloudCall) -> Reply:
    return Reply(200, {"protected_instance": _document(call, find_instance(call))})


@ROUTES.on("PUT", "/v1/{project_id}/protected-instances/{instance_id}")
def _rename_instance(call: CloudCall) -> Reply:
    instance = find_instance(call)
    rename(call, instance, "protected_instance")
    return Reply(200, {"protected_instance": _document(call, instance)})


# -- deleting --------------------------------------------------------------------------------------------------


def _flag(body: dict[str, Any], name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise Refusal("SDRS.0201")
    return value


@ROUTES.on("DELETE", "/v1/{project_id}/protected-instances/{instance_id}")
def _delete_instance(call: CloudCall) -> Reply:
    body = call.fields() if call.body else {}
    with_server, _ = _flag(body, "delete_target_server"), _flag(body, "delete_target_eip")
    instance = find_instance(call)
    _check_deletable(call.world, instance, with_server=with_server)
    if any(len(pair.attachments) > 1 for pair in call.world.pairs_of(instance.id)):
        raise Refusal("SDRS.1365")

    def work(at: float) -> None:
        del at
        remove_protection(call.world, instance, with_server=with_server)

    instance.status = "deleting"
    entities = {"protected_instance_id": instance.id, "server_group_id": instance.group_id}
    return start_job(
        call,
        "deleteProtectedInstanceNoCG",
        entities,
        work,
        instance_subject(instance, "deleteFail"),
        partial(instance.set_status, "error-deleting"),
    )


def _check_deletable(world: World, instance: Instance, *, with_server: bool) -> None:
    if instance.status not in statuses.INSTANCE_DELETABLE:
        raise Refusal("SDRS.1301")
    double = world.servers.get(instance.target_server)
    if with_server and double is not None and double.billing == "1":
        raise Refusal("SDRS.1354")
    if with_server and world.groups[instance.group_id].station == "target" and double is not None:
        # What was the DR server works as production now and cannot be deleted.
        raise Refusal("SDRS.1330")


def remove_protection(world: World, instance: Instance, *, with_server: bool) -> None:
    """Take an instance away; its pairs go with it unless another instance holds them.

    The production server always stays. DR server and DR volumes stay as well, unless `with_server`.
    """
    for pair in world.pairs_of(instance.id):
        world.unhang_pair(pair, instance.id)
        if not pair.attachments:
            world.remove_pair(pair.id)
            if with_server and pair.target_volume in world.volumes:
                world.remove_volume(pair.target_volume)
    target = instance.target_server
    world.remove_instance(instance.id)
    if target in world.servers:
        if with_server:
            world.remove_server(target)
        else:
            world.servers[target].role = "production"


@BATCH_ROUTES.on("POST", "/v1/{project_id}/protected-instances/delete")
def _batch_delete(call: CloudCall) -> Reply:
    instances, with_server = _read_deletion(call)
    world, settings = call.world, call.settings
    parent = open_job(
        world, settings.batch_delete_job_type, call.now, {"server_group_id": instances[0].group_id}
    )  # fmt: skip

    def run(at: float) -> None:
        del at
        for job in (parent, *parent.sub_jobs):
            job.status = "RUNNING"

    for position, instance in enumerate(instances, start=1):
        instance.status = "deleting"
        parent.sub_jobs.append(_delete_in_batch(call, parent, instance, position, with_server=with_server))
    world.at(call.now + settings.tick_s, run)
    if call.effects.vanish_s is not None:
        parent.vanishes_at = call.now + call.effects.vanish_s
    world.touch()
    return Reply(202, {} if call.effects.no_job_id else {"job_id": parent.id})


def _delete_in_batch(call: CloudCall, parent: Job, instance: Instance, position: int, *, with_server: bool) -> Job:
    world = call.world
    entities: dict[str, Any] = {"server_group_id": instance.group_id, "protected_instance_id": instance.id}
    begin = round(call.now + call.settings.tick_s + 0.012 * position, 3)
    job = open_job(world, "deleteProtectedInstanceNoCG", begin, entities, is_sub_job=True)
    job.listed_from = begin + call.effects.late_s
    forced = call.effects.fail.get(position)

    def finish(at: float) -> None:
        failure = Failure(forced, "SdrsDeleteProtectedInstanceTask-fail:forced") if forced else None
        if failure:
            instance.set_status("error-deleting", at)
        else:
            remove_protection(world, instance, with_server=with_server)
        close_job(world, job, at, failure, instance_subject(instance, "deleteFail"))
        close_parent(world, parent, at, call.settings)

    if not call.effects.stuck:
        world.at(round(begin + world.draws.uniform(*call.settings.job_s), 3), finish)
    return job


def _read_deletion(call: CloudCall) -> tuple[list[Instance], bool]:
    ids, with_server = _deletion_ids(call)
    if not call.world.instances.keys() >= set(ids):
        raise Refusal("SDRS.1320")
    instances = [call.world.instances[instance_id] for instance_id in ids]
    if len({instance.group_id for instance in instances}) > 1:
        raise Refusal("SDRS.1364")
    for instance in instances:
        _check_deletable(call.world, instance, with_server=with_server)
    for instance in instances:
        for pair in call.world.pairs_of(instance.id):
            if not set(pair.attachments) <= set(ids):
                raise Refusal("SDRS.1409")
    return instances, with_server


def _deletion_ids(call: CloudCall) -> tuple[list[str], bool]:
    body = call.fields()
    entries = body.get("protected_instances")
    if not isinstance(entries, list) or not entries:
        raise Refusal("SDRS.0201")
    if not all(isinstance(entry, dict) and isinstance(entry.get("id"), str) for entry in entries):
        raise Refusal("SDRS.0201")
    with_server, _ = _flag(body, "delete_target_server"), _flag(body, "delete_target_eip")
    ids = [entry["id"] for entry in entries]
    # The batch delete page gives the limit without a code; the general one is ASSUMED: delete_limit_code.
    if len(ids) > call.settings.batch_delete_limit:
        raise Refusal("SDRS.0201")
    if len(set(ids)) < len(ids):
        raise Refusal("SDRS.1363")
    return ids, with_server
