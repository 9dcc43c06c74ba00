"""SDRS documents: groups, instances, pairs, drills and jobs as the service writes them."""

from typing import Any

from .clock import iso_micros, iso_millis, spaced
from .records import Drill, FailureJob, Group, Instance, Job, Pair
from .settings import Settings
from .world import World

# An instance shows its pairs once it has been made; before that, and after a failed creation, it shows none.
_UNFINISHED = frozenset({"creating", "error"})


def sync_progress(pair: Pair, now: float, settings: Settings) -> int:
    """Give how much of a pair has been copied, in percent: a function of size and time alone."""
    if pair.sync_from is None:
        return 0
    copied = (now - pair.sync_from) * settings.sync_gib_per_s
    return max(0, min(100, int(100 * copied / pair.size_gib)))


def instance_progress(world: World, instance: Instance, now: float, settings: Settings) -> int:
    """Give the share of an instance's data that has been copied, in percent; 0 while nothing is copied."""
    if instance.status not in {"protected", "starting", "reprotecting"}:
        return 0
    return _mean_progress(world.pairs_of(instance.id), now, settings)


def _mean_progress(pairs: list[Pair], now: float, settings: Settings) -> int:
    size = sum(pair.size_gib for pair in pairs)
    if not size:
        return 0
    return int(sum(sync_progress(pair, now, settings) * pair.size_gib for pair in pairs) / size)


def is_copying(pair: Pair, now: float, settings: Settings) -> bool:
    """Whether a pair's first copy is still running."""
    return pair.status == "protected" and sync_progress(pair, now, settings) < 100  # noqa: PLR2004 - percent


def group_document(world: World, group: Group, now: float, settings: Settings) -> dict[str, Any]:
    """Render a protection group."""
    pairs = [world.pairs[pair_id] for pair_id in group.pairs]
    drills = sum(1 for drill in world.drills.values() if drill.group_id == group.id)
    domain = world.domains.get(group.domain_id)
    return {
        "id": group.id,
        "name": group.name,
        "description": group.description,
        "status": group.status,
        "progress": _mean_progress(pairs, now, settings) if group.status != "available" else 0,
        "source_availability_zone": group.source_az,
        "target_availability_zone": group.target_az,
        "priority_station": group.station,
        "domain_id": group.domain_id,
        "domain_name": domain.name if domain else "",
        "protected_instance_num": len(group.instances),
        "replication_num": len(pairs),
        "disaster_recovery_drill_num": drills,
        # Null on every group of the present generation.
        "protected_status": None,
        "replication_status": None,
        "health_status": None,
        "source_vpc_id": group.vpc_id,
        "target_vpc_id": group.vpc_id,
        "test_vpc_id": None,
        "dr_type": "migration",
        "server_type": "ECS",
        "protection_type": "replication-pair",
        "replication_model": None,
        "created_at": spaced(group.created),
        "updated_at": spaced(group.updated),
    }


def instance_document(world: World, instance: Instance, now: float, settings: Settings) -> dict[str, Any]:
    """Render a protected instance."""
    attachment = []
    if instance.status not in _UNFINISHED:
        attachment = [
            {"replication": pair.id, "device": pair.attachments[instance.id]} for pair in world.pairs_of(instance.id)
        ]
    document: dict[str, Any] = {
        "id": instance.id,
        "name": instance.name,
        "description": instance.description,
        "server_group_id": instance.group_id,
        "status": instance.status,
        "progress": instance_progress(world, instance, now, settings),
        "source_server": instance.source_server,
        "target_server": instance.target_server or None,
        "created_at": spaced(instance.created),
        "updated_at": spaced(instance.updated),
        "priority_station": instance.station,
        "attachment": attachment,
        "tags": tag_list(instance.tags),
        "metadata": {},
    }
    return {name: value for name, value in document.items() if name not in settings.left_out_of_instances}


def tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    """Render tags."""
    return [{"key": key, "value": value} for key, value in tags.items()]


def pair_document(world: World, pair: Pair, now: float, settings: Settings) -> dict[str, Any]:
    """Render a replication pair."""
    shown = [
        one for one in pair.attachments if one in world.instances and world.instances[one].status not in _UNFINISHED
    ]
    return {
        "id": pair.id,
        "name": pair.name,
        "description": pair.description,
        "server_group_id": pair.group_id,
        "status": pair.status,
        "replication_model": "hypermetro",
        "progress": sync_progress(pair, now, settings) if pair.status == "protected" else 0,
        "replication_status": _replication_status(pair, now, settings),
        "attachment": [{"protected_instance": one, "device": pair.attachments[one]} for one in shown],
        # One string; which of the two is production is not stated anywhere.
        "volume_ids": f"{pair.source_volume},{pair.target_volume}",
        "priority_station": pair.station,
        "fault_level": "0",
        "record_metadata": {
            "multiattach": pair.multiattach,
            "bootable": pair.bootable,
            "volume_size": pair.size_gib,
            "volume_type": pair.volume_type,
        },
        "failure_detail": pair.failure or None,
        "created_at": iso_micros(pair.created),
        "updated_at": iso_micros(pair.updated),
    }


def _replication_status(pair: Pair, now: float, settings: Settings) -> str:
    if pair.status == "failed-over":
        return "active-stopped"
    if pair.status not in {"protected", "extending", "attaching", "detaching"} or pair.sync_from is None:
        return "inactive"
    return "copying" if is_copying(pair, now, settings) else "active"


def drill_document(drill: Drill) -> dict[str, Any]:
    """Render a DR drill."""
    return {
        "id": drill.id,
        "name": drill.name,
        "status": drill.status,
        "server_group_id": drill.group_id,
        "drill_vpc_id": drill.vpc_id,
        "created_at": spaced(drill.created),
        "updated_at": spaced(drill.updated),
        "drill_servers": [
            {"protected_instance": instance_id, "drill_server_id": server_id}
            for instance_id, server_id in drill.servers.items()
        ],
    }


def job_document(job: Job, now: float) -> dict[str, Any]:
    """Render a job with the sub-jobs that are listed already; a sub-job itself has none."""
    entities: dict[str, Any] = dict(job.entities)
    if not job.is_sub_job:
        entities["sub_jobs"] = [job_document(sub_job, now) for sub_job in job.sub_jobs if sub_job.listed_from <= now]
    return {
        "job_id": job.id,
        "job_type": job.type,
        "status": job.status,
        "begin_time": iso_millis(job.begin),
        "end_time": None if job.end is None else iso_millis(job.end),
        "error_code": job.error_code,
        "fail_reason": job.fail_reason,
        "entities": entities,
    }


def failure_job_document(failure: FailureJob) -> dict[str, Any]:
    """Render an entry of the task center."""
    return {
        "job_status": "FAIL",
        "resource_id": failure.resource_id,
        "resource_name": failure.resource_name,
        "resource_type": failure.resource_type,
        "failure_status": failure.failure_status,
        "job_id": failure.job_id,
        "job_type": failure.job_type,
        "begin_time": iso_millis(failure.begin),
        "error_code": failure.error_code,
        "fail_reason": failure.fail_reason,
    }
