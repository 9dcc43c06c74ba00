"""Follow one accepted batch to its end and say, server by server, what became of it.

A failed look never fails a job.  A job that nobody finds any more, and a request adopted without its job id, are
followed by their instances instead.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sdrs_nb.errors import AuthenticationError, CloudError, CloudUnreachable, NotFoundError
from sdrs_nb.i18n import _
from sdrs_nb.jobs import InstanceState, Job, JobStatus, instance_state, match_instances, next_delay, read_job
from sdrs_nb.ledger import BatchState
from sdrs_nb.models import Batch, Stage

if TYPE_CHECKING:
    from sdrs_nb.engine import Engine

__all__ = ["watch"]

#: A job that the service does not know (code undocumented; 0408 "null job" is what the sandbox answers, ASSUMED).
_NO_SUCH_JOB = ("SDRS.0408",)
#: Looks in a row that must miss a job before it counts as vanished: one miss may be a lagging replica.
_MISSES = 3


async def watch(engine: "Engine", batch: Batch, job_id: str | None) -> None:
    """Look at the batch's job, or at its instances when there is no job, until it ends; record every look.

    Sets the stage of each server and the batch's state: ended, or unknown when the time limit passed.
    """
    begun = engine.timing.clock()
    job: Job | None = None
    looks = misses = 0
    while not engine.is_stopping():
        delay = next_delay(looks, first_s=engine.pace.first_look_s, most_s=engine.pace.longest_look_s)
        await engine.wait(delay)
        if engine.is_stopping():
            return
        looks += 1
        ended = False
        if job_id is not None and misses < _MISSES:
            job, missed = await _look(engine, batch, job_id)
            misses = misses + 1 if missed else 0
            ended = job is not None and job.is_finished
        else:
            ended = await _instances_ended(engine, batch, engine.timing.since(begun) >= engine.pace.settle_s)
        if ended and await _conclude(engine, batch, job):
            return
        if engine.timing.since(begun) > engine.pace.job_limit_s:
            _give_up(engine, batch)
            return


async def _look(engine: "Engine", batch: Batch, job_id: str) -> tuple[Job | None, bool]:
    """Return the job, or None, and whether the cloud said that there is no such job."""
    try:
        document = await engine.cloud.sdrs.job(job_id)
    except AuthenticationError:
        raise
    except (CloudError, CloudUnreachable) as error:
        engine.ledger.note(engine.run_id, "look failed", batch.batch_id, job_id=job_id, message=str(error))
        return None, isinstance(error, NotFoundError) or getattr(error, "code", "") in _NO_SUCH_JOB
    job = read_job(document)
    engine.ledger.look(engine.run_id, batch.batch_id, job_id, job.status, document)
    return job, False


async def _instances(engine: "Engine", batch: Batch) -> dict[str, Mapping[str, Any]] | None:
    try:
        documents = await engine.cloud.sdrs.protected_instances(batch.group_id)
    except AuthenticationError:
        raise
    except (CloudError, CloudUnreachable) as error:
        engine.ledger.note(engine.run_id, "list failed", batch.batch_id, message=str(error))
        return None
    return match_instances(documents, batch.server_ids)


async def _instances_ended(engine: "Engine", batch: Batch, settled: bool) -> bool:  # noqa: FBT001 - one caller
    """Tell whether no instance of the batch is being made any more; one not listed yet counts until ``settled``."""
    found = await _instances(engine, batch)
    if found is None:
        return False
    states = {server: instance_state(str(instance.get("status"))) for server, instance in found.items()}
    complete = len(states) == len(batch.server_ids)
    return (complete or settled) and InstanceState.MAKING not in states.values()


async def _conclude(engine: "Engine", batch: Batch, job: Job | None) -> bool:
    """Record each server's end; False when the list cannot say yet (it failed or lags behind the job)."""
    found = await _instances(engine, batch)
    if found is None:
        return False
    ended = job.status if job is not None and job.is_finished else None
    if ended == JobStatus.SUCCESS and len(found) < len(batch.server_ids):
        return False
    sub_jobs = {sub.protected_instance_id: sub for sub in job.sub_jobs if sub.protected_instance_id} if job else {}
    rows = [_end_of(server, found.get(server), sub_jobs, job) for server in batch.server_ids]
    engine.ledger.set_servers(engine.run_id, batch.batch_id, rows)
    engine.ledger.set_batch(engine.run_id, batch.batch_id, BatchState.ENDED)
    return True


def _end_of(
    server_id: str, instance: Mapping[str, Any] | None, sub_jobs: Mapping[str, Job], job: Job | None
) -> dict[str, Any]:
    if instance is None:
        return {
            "server_id": server_id,
            "stage": Stage.FAILED,
            "error_code": job.error_code if job else None,
            "message": _with_reason(
                _("The request has ended and the server has no protected instance. Plan it again."), job
            ),
        }
    instance_id = str(instance.get("id"))
    row = {
        "server_id": server_id,
        "protected_instance_id": instance_id,
        "dr_server_id": instance.get("target_server") or None,
    }
    sub_job = sub_jobs.get(instance_id)
    match instance_state(str(instance.get("status"))):
        case InstanceState.PROTECTED:
            return row | {"stage": Stage.PROTECTED, "error_code": None, "message": ""}
        case InstanceState.CREATED:
            return row | {"stage": Stage.CREATED, "error_code": None, "message": ""}
        case InstanceState.MAKING:
            message = _("The job ended, the instance still shows as being created.")
            return row | {"stage": Stage.JOB_OK, "message": message}
        case _:
            why = sub_job or job
            message = _(
                "The instance is in status {status} and still holds its server. Remove the cause, delete instance "
                "{instance}, then plan the server again.",
                status=instance.get("status"),
                instance=instance_id,
            )
            code = why.error_code if why else None
            return row | {"stage": Stage.FAILED, "error_code": code, "message": _with_reason(message, why)}


def _with_reason(message: str, job: Job | None) -> str:
    said = (job.fail_reason if job else None) or ""
    return f"{said} {message}".strip()


def _give_up(engine: "Engine", batch: Batch) -> None:
    message = _(
        "The job did not end within {minutes} minutes; it may still end. Resume the run to look again.",
        minutes=round(engine.pace.job_limit_s / 60),
    )
    engine.ledger.set_batch(engine.run_id, batch.batch_id, BatchState.UNKNOWN, message)
    rows = [{"server_id": server, "stage": Stage.UNKNOWN, "message": message} for server in batch.server_ids]
    engine.ledger.set_servers(engine.run_id, batch.batch_id, rows)
