"""Replication pairs: list, show, create, rename, delete, expand."""

from functools import partial
from typing import Any

from . import statuses
from .errors import Refusal
from .jobs import Subject, start_job
from .paging import only_abnormal, row_page
from .records import Pair, Volume
from .routing import CloudCall, Reply, Routes
from .sdrs_documents import pair_document
from .sdrs_instances import id_list
from .validation import check_description, check_group_takes_members, check_name, find_group, rename
from .vetting import check_volume_kind
from .world import World

ROUTES = Routes()

_MAX_GIB = 32768


def find_pair(call: CloudCall, name: str = "replication_id") -> Pair:
    """Give the pair the path names.

    Raises
    ------
    Refusal
        1608: there is no such pair (a pair that is not listed yet counts as none).
    """
    pair = call.world.pairs.get(call[name])
    if pair is None or not pair.listed:
        raise Refusal("SDRS.1608")
    return pair


def pair_subject(pair: Pair, failure_status: str) -> Subject:
    """Give what the task center says about a pair's failed job."""
    return Subject(pair.id, pair.name, "replications", failure_status, pair.group_id)


def pair_entities(pair: Pair) -> dict[str, Any]:
    """Give what a pair's job names."""
    return {
        "server_group_id": pair.group_id,
        "replication_pair_id": pair.id,
        "volume_ids": f"{pair.source_volume},{pair.target_volume}",
    }


def _document(call: CloudCall, pair: Pair) -> dict[str, Any]:
    return pair_document(call.world, pair, call.now, call.settings)


@ROUTES.on("GET", "/v1/{project_id}/replications")
def _list_pairs(call: CloudCall) -> Reply:
    status = call.one("status")
    if status and status not in statuses.PAIR:
        raise Refusal("SDRS.0214")
    pairs = [
        pair
        for pair in reversed(call.world.pairs.values())
        if pair.listed and (not status or pair.status == status) and _fits(call, pair)
    ]
    page, count = row_page(call, _only_selected(call, pairs))
    return Reply(200, {"count": count, "replications": [_document(call, pair) for pair in page]})


def _only_selected(call: CloudCall, pairs: list[Pair]) -> list[Pair]:
    for plural, singular in (
        ("server_group_ids", "server_group_id"),
        ("protected_instance_ids", "protected_instance_id"),
    ):
        wanted = id_list(call, plural)
        single = call.one(singular)
        if wanted is None and single:
            # The plural form wins when both are sent.
            wanted = [single]
        if wanted is None:
            continue
        ids = set(wanted)
        if singular == "server_group_id":
            pairs = [pair for pair in pairs if pair.group_id in ids]
        else:
            pairs = [pair for pair in pairs if ids & set(pair.attachments)]
    return pairs


def _fits(call: CloudCall, pair: Pair) -> bool:
    name, az, volume_id = call.one("name"), call.one("availability_zone"), call.one("volume_id")
    return (
        (not only_abnormal(call) or pair.status.startswith("error") or pair.status in {"invalid", "fault"})
        and (not name or name in pair.name)
        and (not az or call.world.groups[pair.group_id].production_az == az)
        and (not volume_id or volume_id in {pair.source_volume, pair.target_volume})
    )


@ROUTES.on("GET", "/v1/{project_id}/replications/{replication_id}")
def _show_pair(call: CloudCall) -> Reply:
    return Reply(200, {"replication": _document(call, find_pair(call))})


@ROUTES.on("PUT", "/v1/{project_id}/replications/{replication_id}")
def _rename_pair(call: CloudCall) -> Reply:
    pair = find_pair(call)
    rename(call, pair, "replication")
    return Reply(200, {"replication": _document(call, pair)})


# -- create and delete -----------------------------------------------------------------------------------------


@ROUTES.on("POST", "/v1/{project_id}/replications")
def _create_pair(call: CloudCall) -> Reply:
    body = call.fields("replication")
    if not all(isinstance(body.get(name), str) for name in ("server_group_id", "volume_id", "name")):
        raise Refusal("SDRS.0201")
    check_name(body["name"], call.settings)
    check_description(body.get("description"), call.settings)
    world = call.world
    group = find_group(world, body["server_group_id"])
    check_group_takes_members(group, call.settings)
    volume = world.volumes.get(body["volume_id"])
    if volume is None:
        raise Refusal("SDRS.0211")
    _check_new_pair(call, volume, group.production_az)
    if sum(1 for pair_id in group.pairs if not world.pairs[pair_id].attachments) >= call.settings.unattached_pair_limit:
        raise Refusal("SDRS.1826")
    if world.max_pairs >= 0 and len(world.pairs) >= world.max_pairs:
        raise Refusal("SDRS.0306")
    double = world.add_dr_volume(volume, group.dr_az, call.now, status="creating")
    pair = world.add_pair(
        volume,
        group,
        call.now,
        name=body["name"],
        description=body.get("description"),
        status="creating",
        target_volume=double.id,
    )

    def work(at: float) -> None:
        pair.set_status(world.rest_status(group.id), at)
        if pair.status == "protected":
            pair.sync_from = at
        double.status, double.document = "available", None

    def fail(at: float) -> None:
        pair.set_status("error", at)
        pair.failure = "SDRS.1606"
        world.remove_volume(double.id)

    return start_job(
        call, "createReplicationPairNoCG", pair_entities(pair), work, pair_subject(pair, "createFail"), fail
    )


def _check_new_pair(call: CloudCall, volume: Volume, production_az: str) -> None:
    if volume.id in call.world.pair_by_volume:
        raise Refusal("SDRS.1811")
    if volume.status != "available":
        raise Refusal("SDRS.1801")
    if volume.encrypted:
        raise Refusal("SDRS.1802")
    check_volume_kind(volume, call.settings)
    if volume.az != production_az:
        raise Refusal("SDRS.1810")


def _check_deletable(world: World, pair: Pair, group_id: object) -> None:
    if group_id != pair.group_id:
        raise Refusal("SDRS.1611")
    if world.groups[pair.group_id].status not in statuses.PAIR_DELETE_GROUP:
        raise Refusal("SDRS.1002")
    if pair.attachments:
        raise Refusal("SDRS.1605")
    if pair.status not in statuses.PAIR_DELETABLE:
        raise Refusal("SDRS.1601")


@ROUTES.on("DELETE", "/v1/{project_id}/replications/{replication_id}")
def _delete_pair(call: CloudCall) -> Reply:
    body = call.fields("replication") if call.body else {}
    with_volume = body.get("delete_target_volume", False)
    if not isinstance(with_volume, bool):
        raise Refusal("SDRS.0201")
    world, pair = call.world, find_pair(call)
    _check_deletable(world, pair, body.get("server_group_id", pair.group_id))
    double = world.volumes.get(pair.target_volume)
    if with_volume and double is not None and double.order_id:
        raise Refusal("SDRS.1827")

    def work(at: float) -> None:
        del at
        world.remove_pair(pair.id)
        if with_volume and pair.target_volume in world.volumes:
            world.remove_volume(pair.target_volume)

    pair.set_status("deleting", call.now)
    subject, fail = pair_subject(pair, "deleteFail"), partial(pair.set_status, "error-deleting")
    return start_job(call, "deleteReplicationPairNoCG", pair_entities(pair), work, subject, fail)


# -- expand ----------------------------------------------------------------------------------------------------


@ROUTES.on("POST", "/v1/{project_id}/replications/{replication_id}/action")
def _expand_pair(call: CloudCall) -> Reply:
    size = _new_size(call)
    world = call.world
    pair = find_pair(call)
    if pair.status not in statuses.PAIR_EXPANDABLE:
        raise Refusal("SDRS.1601", key="badrequest")
    volumes = [world.volumes[v] for v in (pair.source_volume, pair.target_volume) if v in world.volumes]
    if any(volume.order_id for volume in volumes):
        raise Refusal("SDRS.1819", key="badrequest")
    if pair.multiattach and any(volume.status != "available" for volume in volumes):
        raise Refusal("SDRS.1818", key="badrequest")
    if any(volume.status not in {"available", "in-use"} for volume in volumes):
        raise Refusal("SDRS.1817", key="badrequest")
    if size <= pair.size_gib or size > _MAX_GIB:
        raise Refusal("SDRS.0201", key="badrequest")

    def work(at: float) -> None:
        for volume in volumes:
            world.gib_used += size - volume.size_gib
            volume.size_gib, volume.document = size, None
        pair.size_gib = size
        pair.set_status(world.rest_status(pair.group_id), at)

    pair.set_status("extending", call.now)
    subject, fail = pair_subject(pair, "expandFail"), partial(pair.set_status, "error-extending")
    return start_job(call, "expandReplicationPairNew", pair_entities(pair), work, subject, fail)


def _new_size(call: CloudCall) -> int:
    body = call.fields(refusal=Refusal("SDRS.0201", key="badrequest"))
    if "extend-replication" not in body:
        raise Refusal("SDRS.0206", key="badrequest")
    inner = body["extend-replication"]
    size = inner.get("new_size") if isinstance(inner, dict) else None
    if not isinstance(size, int) or isinstance(size, bool):
        raise Refusal("SDRS.0201", key="badrequest")
    return size
