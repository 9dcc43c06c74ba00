"""Jobs, the task center, quotas, domains, API versions and RPO statistics."""

import calendar
import time
from typing import Any

from .clock import minutes, spaced
from .errors import Refusal
from .paging import row_page
from .records import FailureJob
from .routing import CloudCall, Reply, Routes
from .sdrs_documents import failure_job_document, is_copying, job_document
from .validation import find_group

ROUTES = Routes()

# Both families of names are documented: the text's and the sample's.
_RESOURCE_TYPES = {
    "server_groups": {"server_groups", "protectionGroup"},
    "protected_instances": {"protected_instances", "protectedInstance"},
    "replications": {"replications", "replicationPair"},
    "disaster_recovery_drills": {"disaster_recovery_drills", "disasterRecoveryDrill"},
}
_QUARTER_S = 900.0
_RPO_ROWS = 96


@ROUTES.on("GET", "/v1/{project_id}/jobs/{job_id}")
def _show_job(call: CloudCall) -> Reply:
    job = call.world.jobs.get(call["job_id"])
    if job is not None and call.effects.vanish_s is not None:
        job.vanishes_at = min(job.vanishes_at or call.now, call.now + call.effects.vanish_s)
    gone = job is None or (job.vanishes_at is not None and job.vanishes_at <= call.now)
    if job is None or gone:
        # Errors of the query itself stand at the top level of the body.
        raise Refusal(call.settings.missing_job_code, key="")
    return Reply(200, job_document(job, call.now))


@ROUTES.on("GET", "/v1/{project_id}/task-center/failure-jobs")
def _list_failures(call: CloudCall) -> Reply:
    # Without a group only failures of groups themselves come back; those of instances need their group's id.
    group_id = call.one("server_group_id") or ""
    wanted_type = call.one("resource_type")
    failures = [
        failure
        for failure in reversed(call.world.failure_jobs.values())
        if failure.group_id == group_id
        and call.one("failure_status") in {None, "", failure.failure_status}
        and (call.one("resource_name") or "") in failure.resource_name
        and (not wanted_type or wanted_type in _RESOURCE_TYPES[failure.resource_type])
    ]
    page, count = row_page(call, failures)
    return Reply(200, {"count": count, "failure_jobs": [failure_job_document(failure) for failure in page]})


@ROUTES.on("DELETE", "/v1/{project_id}/task-center/failure-jobs/{failure_job_id}")
def _delete_failure(call: CloudCall) -> Reply:
    # The text says job id, the sample passes a resource id: both are taken (ASSUMED: failure_job_id).
    wanted = call["failure_job_id"]
    found = [f for f in call.world.failure_jobs.values() if wanted in {f.job_id, f.resource_id}]
    if not found:
        raise Refusal(call.settings.missing_job_code, key="itemNotFound")
    return _forget(call, found)


@ROUTES.on("DELETE", "/v1/{project_id}/task-center/{server_group_id}/failure-jobs/batch")
def _delete_group_failures(call: CloudCall) -> Reply:
    group = find_group(call.world, call["server_group_id"])
    return _forget(call, [f for f in call.world.failure_jobs.values() if f.group_id == group.id])


@ROUTES.on("DELETE", "/v1/{project_id}/task-center/failure-jobs/batch")
def _delete_all_failures(call: CloudCall) -> Reply:
    return _forget(call, [f for f in call.world.failure_jobs.values() if not f.group_id])


def _forget(call: CloudCall, failures: list[FailureJob]) -> Reply:
    for failure in failures:
        del call.world.failure_jobs[failure.job_id]
    if failures:
        call.world.touch()
    return Reply(204)


@ROUTES.on("GET", "/v1/{project_id}/sdrs/quotas")
def _list_quotas(call: CloudCall) -> Reply:
    world = call.world
    resources = [
        {"type": "server_groups", "used": len(world.groups), "quota": world.max_groups, "min": 0, "max": 1000},
        {"type": "replications", "used": len(world.pairs), "quota": world.max_pairs, "min": 0, "max": 1000000},
    ]
    return Reply(200, {"quotas": {"resources": resources}})


@ROUTES.on("GET", "/v1/{project_id}/active-domains")
def _list_domains(call: CloudCall) -> Reply:
    domains = [
        {
            "id": domain.id,
            "name": domain.name,
            "description": f"{domain.local_az} and {domain.remote_az}",
            "sold_out": domain.sold_out,
            "local_replication_cluster": {"availability_zone": domain.local_az},
            "remote_replication_cluster": {"availability_zone": domain.remote_az},
        }
        for domain in call.world.domains.values()
    ]
    return Reply(200, {"domains": domains})


def _version(call: CloudCall) -> dict[str, Any]:
    return {
        "id": "v1",
        "links": [{"href": f"{call.origin}/v1", "rel": "self"}],
        "status": "CURRENT",
        "updated": "2018-05-30T15:00:00Z",
        "version": "",
        "min_version": "",
    }


@ROUTES.on("GET", "/", "open")
def _list_versions(call: CloudCall) -> Reply:
    return Reply(200, {"versions": [_version(call)]})


@ROUTES.on("GET", "/v1", "open")
def _show_version(call: CloudCall) -> Reply:
    return Reply(200, {"version": _version(call)})


@ROUTES.on("GET", "/v1/{project_id}/resource/rpo-statistics")
def _list_rpo(call: CloudCall) -> Reply:
    if call.one("resource_type") not in {None, "", "replication"}:
        raise Refusal("SDRS.0201")
    start, end = _time_filter(call, "start_time"), _time_filter(call, "end_time")
    latest = call.now - call.now % _QUARTER_S
    copying = sum(1 for pair in call.world.pairs.values() if is_copying(pair, call.now, call.settings))
    rows = []
    for number in range(_RPO_ROWS):
        point = latest - number * _QUARTER_S
        if (start is None or point >= start) and (end is None or point <= end):
            rows.append(
                {
                    "id": f"{int(point):032x}",
                    "point_time": minutes(point),
                    # Pairs that were over their recovery point objective: those still being copied.
                    "resource_num": copying if number == 0 else 0,
                    "resource_type": "replication",
                    "created_at": spaced(point),
                    "updated_at": spaced(point),
                }
            )
    page, count = row_page(call, rows)
    return Reply(200, {"count": count, "resource_rpo_statistics": page})


def _time_filter(call: CloudCall, name: str) -> float | None:
    text = call.one(name)
    if not text:
        return None
    for form in ("%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y-%m-%d %H:%M:%S"):
        try:
            return float(calendar.timegm(time.strptime(text, form)))
        except ValueError:
            continue
    raise Refusal("SDRS.0201")
