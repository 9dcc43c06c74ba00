"""Jobs: how they begin, run and end, and what a failed one leaves in the task center."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .errors import MESSAGES
from .records import FailureJob, Job
from .routing import CloudCall, Reply
from .settings import Settings
from .world import World


@dataclass(slots=True, frozen=True)
class Failure:
    """Why a job failed: the code (of SDRS or of a neighbour) and the text after ``<TaskName>-fail:``."""

    code: str
    reason: str


@dataclass(slots=True, frozen=True)
class Subject:
    """What a job works on, as the task center names it; `group_id` is empty for the group itself."""

    id: str
    name: str
    type: str
    failure_status: str
    group_id: str = ""


Work = Callable[[float], Failure | None]

# What a job fails with when the instance or pair it works on was removed meanwhile: the code of its own failure.
_CODE_WHEN_GONE = {
    "attachReplicationPairNew": "SDRS.1821",
    "detachReplicationPairNew": "SDRS.1822",
    "expandReplicationPairNew": "SDRS.1820",
    "addNicNew": "SDRS.1312",
    "deleteNicNew": "SDRS.1313",
    "resizeProtectedInstanceNew": "SDRS.1329",
}


def open_job(world: World, job_type: str, begin: float, entities: dict[str, Any], *, is_sub_job: bool = False) -> Job:
    """Make a job in INIT; sub-jobs can be asked for by id as well."""
    job = Job(world.new_job_id(), job_type, begin, entities, is_sub_job=is_sub_job)
    world.jobs[job.id] = job
    return job


def close_job(world: World, job: Job, at: float, failure: Failure | None, subject: Subject | None = None) -> None:
    """End a job; a job that ended stays as it is."""
    if job.end is not None:
        return
    job.end = at
    job.status = "FAIL" if failure else "SUCCESS"
    if failure:
        job.error_code, job.fail_reason = failure.code, failure.reason
        if subject:
            world.failure_jobs[job.id] = FailureJob(
                job_id=job.id,
                # The documented sample writes the job type of a failure without "NoCG".
                job_type=job.type.removesuffix("NoCG").removesuffix("New"),
                resource_id=subject.id,
                resource_name=subject.name,
                resource_type=subject.type,
                failure_status=subject.failure_status,
                group_id=subject.group_id,
                begin=job.begin,
                error_code=failure.code,
                fail_reason=failure.reason,
            )


def close_parent(world: World, parent: Job, at: float, settings: Settings) -> None:
    """End a parent job a little after the last of its sub-jobs; does nothing while one of them is open.

    ASSUMED: parent_end: it succeeds only if all sub-jobs do, else it shows the first failed one's code.
    """
    if any(job.end is None for job in parent.sub_jobs):
        return
    failed = next((job for job in parent.sub_jobs if job.status == "FAIL"), None)
    failed = failed if settings.parent_fails else None
    failure = Failure(failed.error_code or "", failed.fail_reason or "") if failed else None
    world.at(round(at + settings.parent_lag_s, 3), lambda moment: close_job(world, parent, moment, failure))


def start_job(  # noqa: PLR0917 - the parts of a job
    call: CloudCall,
    job_type: str,
    entities: dict[str, Any],
    work: Work,
    subject: Subject,
    on_failure: Callable[[float], None],
) -> Reply:
    """Start a job without sub-jobs (INIT, RUNNING after a tick, its end after a seeded time); give the answer with it.

    Parameters
    ----------
    call
        The request; its faults may fail, freeze or lose the job.
    job_type, entities
        As the job shows them; `work` may add to `entities`. What `entities` names may be gone when the time has come:
        other requests go on meanwhile. Then the job fails and `work` is not called.
    work
        Does the job's deed when its time has come and gives a failure or None.
    subject
        What the task center says when the job fails.
    on_failure
        Puts the resources into their error states.
    """
    world, settings = call.world, call.settings
    job = open_job(world, job_type, call.now, entities)
    end = round(call.now + world.draws.uniform(*settings.job_s), 3)
    forced = call.effects.fail.get(1)

    def run(at: float) -> None:
        del at
        job.status = "RUNNING"

    def finish(at: float) -> None:
        things = (("protected_instance_id", world.instances), ("replication_pair_id", world.pairs))
        is_gone = any(name in entities and entities[name] not in held for name, held in things)
        code = forced or (_CODE_WHEN_GONE.get(job_type) if is_gone else None)
        failure = Failure(code, _reason(job_type, code)) if code else work(at)
        if failure:
            on_failure(at)
        close_job(world, job, at, failure, subject)

    world.at(call.now + settings.tick_s, run)
    if not call.effects.stuck:
        world.at(end, finish)
    if call.effects.vanish_s is not None:
        job.vanishes_at = call.now + call.effects.vanish_s
    world.touch()
    return Reply(200, {"job_id": job.id})


def _reason(job_type: str, code: str) -> str:
    return f"Sdrs{job_type[:1].upper()}{job_type[1:]}Task-fail:{MESSAGES.get(code, 'the neighbour service refused')}"
