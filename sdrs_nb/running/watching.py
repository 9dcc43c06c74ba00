"""Follow one accepted batch to its end and say, server by server, what became of it.

A failed look never fails a job.  A job that nobody finds any more, and a request adopted without its job id, are
followed by their instances instead.
"""

from collections.abc import Awaitable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sdrs_nb.errors import AuthenticationError, CloudError, CloudUnreachable, NotFoundError
from sdrs_nb.i18n import _
from sdrs_nb.ledger.ledger import BatchState
from sdrs_nb.ledger.observing import CONFIRMED, CONTRADICTED, Observation
from sdrs_nb.models import Batch
from sdrs_nb.running.calls import deletion_end
from sdrs_nb.running.endings import Ending, end_of, owned, sub_job_rows
from sdrs_nb.running.job_history import job_seconds
from sdrs_nb.running.jobs import Job, match_instances, read_job
from sdrs_nb.running.observations import observe_instances, observe_job, observe_states
from sdrs_nb.running.ownership import Instance, OwnershipEvidence, Whose, zone_offset
from sdrs_nb.running.polling import next_look
from sdrs_nb.running.walk import Walk
from sdrs_nb.statuses import FAILED_DELETION, InstanceState, JobStatus, Stage, instance_state

__all__ = ["watch"]

#: A job that the service does not know (code undocumented; 0408 "null job" is what the sandbox answers;
#: ASSUMED: unknown_job).
_NO_SUCH_JOB = ("SDRS.0408",)
#: Looks in a row that must miss a job before it counts as vanished: one miss may be a lagging replica.
_MISSES = 3


@dataclass
class _Watch:
    """One batch being followed: since when, what its job said last, and when it was first seen to have ended."""

    walk: Walk
    batch: Batch
    job_id: str | None
    accepted_at: datetime
    job: Job | None = None
    looks: int = 0
    misses: int = 0
    ended_at: datetime | None = None
    has_listed: bool = False
    has_observed: bool = False
    failures: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def elapsed(self) -> float:
        return self.walk.timing.since(self.accepted_at)

    @property
    def has_job(self) -> bool:
        return self.job_id is not None and self.misses < _MISSES

    @property
    def is_settled(self) -> bool:
        """Whether a list read now would show everything that there is."""
        since = self.ended_at if self.has_job else self.accepted_at
        return since is not None and self.walk.timing.since(since) >= self.walk.pace.settle_s


async def watch(walk: Walk, batch: Batch, job_id: str | None, *, again: bool = False) -> None:
    """Look at the batch's job, or at its instances when there is no job, until it ends; record every look.

    Sets the stage of each server and the batch's state: ended, or unknown when the time limit passed or a server of
    a taken request never appeared.  ``again`` is for a batch that was unknown before: it is looked at without delay.
    """
    one = _Watch(walk, batch, job_id, walk.accepted_at(batch.batch_id))
    while not walk.is_stopping():
        if not (again and one.looks == 0):
            is_listing = one.ended_at is not None  # the list lags behind the job
            await walk.wait(
                walk.pace.first_look_s if is_listing else next_look(one.elapsed, one.looks, walk.durations, walk.pace)
            )
        if walk.is_stopping():
            return
        one.looks += 1
        ended = await _look(one) if one.has_job else True
        if ended and await _conclude(one):
            return
        if one.elapsed > walk.pace.job_limit_s:
            _give_up(one)
            return


async def _look(one: _Watch) -> bool:
    """Look at the job unless it is known to have ended; tell whether it has."""
    if one.ended_at is not None:
        return True
    walk, job_id = one.walk, str(one.job_id)
    try:
        document = await walk.cloud.sdrs.job(job_id)
    except AuthenticationError:
        raise
    except (CloudError, CloudUnreachable) as error:
        missed = isinstance(error, NotFoundError) or (isinstance(error, CloudError) and error.code in _NO_SUCH_JOB)
        one.misses = one.misses + 1 if missed else 0
        if missed:
            walk.observe(one.batch, [Observation("unknown_job", CONFIRMED, str(error))])
        walk.ledger.note(walk.run_id, "look failed", one.batch.batch_id, job_id=job_id, message=str(error))
        return False
    one.misses = 0
    one.job = job = read_job(document)
    known = match_instances(walk.facts.latest_instances(), one.batch.server_ids)
    rows = [] if job.is_finished else sub_job_rows(job, known)
    walk.ledger.look(walk.run_id, one.batch.batch_id, job_id, job.status, document, rows=rows)
    if job.is_finished:
        one.ended_at = walk.timing.clock()
        if job.status == JobStatus.SUCCESS and (seconds := job_seconds(document)) is not None:
            walk.durations.append(seconds)
    return job.is_finished


async def _conclude(one: _Watch) -> bool:
    """Record each server's end; False when the list cannot say yet (it failed, or lags behind the job)."""
    walk, batch = one.walk, one.batch
    documents = await _instances(one)
    if documents is None:
        return False
    if batch.call.is_delete:
        return _conclude_deletion(one, documents)
    found = match_instances(documents, batch.server_ids)
    if one.job and one.job.is_finished and found and not one.has_observed:
        one.has_observed = True
        walk.observe(batch, observe_states(found))
    evidence = OwnershipEvidence.of(walk, batch_id=batch.batch_id)
    if _sees_times(one, found, evidence):
        evidence = OwnershipEvidence.of(walk, batch_id=batch.batch_id)
    states = [instance_state(str(instance.get("status"))) for instance in found.values()]
    if (len(found) < len(batch.server_ids) or InstanceState.MAKING in states) and not one.is_settled:
        return False
    if InstanceState.MAKING in states and one.elapsed <= walk.pace.job_limit_s:
        return False
    if one.job and one.job.status == JobStatus.SUCCESS and len(found) < len(batch.server_ids):
        return False
    if InstanceState.ERROR in states and not (one.job and one.job.sub_jobs):
        # Without a job, the task center still says why an instance failed.
        failures = await _listed(one, walk.cloud.sdrs.failure_jobs(batch.group_id))
        one.failures = {str(failure.get("resource_id")): failure for failure in failures or ()}
    ending = Ending(one.job if one.job and one.job.is_finished else None, one.failures)
    rows = [end_of(server, owned(evidence, server, found.get(server)), ending) for server in batch.server_ids]
    walk.observe(batch, [*observe_instances(batch, found, ending.job), *_of_job(one, found)])
    unclear = any(row["stage"] in (Stage.UNKNOWN, Stage.JOB_OK) for row in rows)
    state = BatchState.UNKNOWN if unclear else BatchState.ENDED
    walk.ledger.set_batch(walk.run_id, batch.batch_id, state, rows=rows)
    return True


def _of_job(one: _Watch, found: Mapping[str, Mapping[str, Any]]) -> Iterator[Observation]:
    if one.job is None or not one.job.is_finished:
        return
    yield from observe_job(one.batch, one.job, found)
    yield Observation("job_limit", CONFIRMED, f"{one.job.job_id}: {one.elapsed:.0f} s")


def _sees_times(one: _Watch, found: Mapping[str, Mapping[str, Any]], evidence: OwnershipEvidence) -> bool:
    """Learn from an instance that this run made how the times in the lists are meant; tell whether that is news."""
    walk = one.walk
    record = walk.ledger.run(walk.run_id) or {}
    sent = walk.open_attempt(one.batch.batch_id)["sent_cloud_at"]
    if record["times_seen"] or not sent:
        return False
    for server, document in found.items():
        instance = Instance.of(document)
        if instance.created_at is None or evidence.whose(server, instance).whose is not Whose.MADE:
            continue
        known = float(record["times_offset_s"])
        seen = zone_offset(instance.created_at, datetime.fromisoformat(sent), walk.cloud.clock.now(), known)
        if seen is None:
            return False
        said = _("Times without a zone in this cloud's lists are {hours:+g} h from UTC, as instance {instance} shows.",
                 hours=seen / 3600, instance=instance.instance_id)  # fmt: skip
        walk.ledger.see_times(walk.run_id, seen, said)
        holds = CONFIRMED if seen == walk.cloud.settings.times_offset_h * 3600 else CONTRADICTED
        walk.observe(one.batch, [Observation("time_zone", holds, said)])
        return seen != known
    return False


def _conclude_deletion(one: _Watch, documents: list[dict[str, Any]]) -> bool:
    walk, batch = one.walk, one.batch
    there = {str(instance.get("id")): instance for instance in documents}
    left = [there[instance] for instance in batch.instances.values() if instance in there]
    statuses = {str(instance.get("status")) for instance in left}
    is_going = InstanceState.GOING in map(instance_state, statuses)
    # Other statuses than a failed deletion's may be those of a list that lags.
    if is_going or (statuses - {FAILED_DELETION} and not one.is_settled):
        return False
    ending = Ending(one.job)
    rows = [
        deletion_end(server, there.get(instance), *ending.why(instance)) for server, instance in batch.instances.items()
    ]
    walk.ledger.set_batch(walk.run_id, batch.batch_id, BatchState.ENDED, rows=rows)
    return True


async def _instances(one: _Watch) -> list[dict[str, Any]] | None:
    # A list that another group read since the job ended serves as well, but only once: it may lag behind.
    since = one.ended_at if one.ended_at and not one.has_listed else one.walk.timing.clock()
    documents = await _listed(one, one.walk.facts.instances_of(one.batch.group_id, since))
    one.has_listed = one.has_listed or documents is not None
    return documents


async def _listed(one: _Watch, call: Awaitable[list[dict[str, Any]]]) -> list[dict[str, Any]] | None:
    """Return the answer of a list; None where it failed, which is noted."""
    try:
        return await call
    except AuthenticationError:
        raise
    except (CloudError, CloudUnreachable) as error:
        one.walk.ledger.note(one.walk.run_id, "list failed", one.batch.batch_id, message=str(error))
        return None


def _give_up(one: _Watch) -> None:
    walk, batch = one.walk, one.batch
    if one.job is not None and not one.job.is_finished:
        walk.observe(batch, [Observation("job_limit", CONTRADICTED, f"{one.job.job_id}: {one.elapsed:.0f} s")])
    minutes = round(walk.pace.job_limit_s / 60)
    if one.ended_at is None:
        message = _("The job did not end within {minutes} minutes; it may still end. Resume the run to look again.",
                    minutes=minutes)  # fmt: skip
    else:
        message = _("The job has ended, but after {minutes} minutes the group's list still does not show what became "
                    "of all its servers. Resume the run to look again.", minutes=minutes)  # fmt: skip
    rows = [{"server_id": server, "stage": Stage.UNKNOWN, "message": message} for server in batch.server_ids]
    walk.ledger.set_batch(walk.run_id, batch.batch_id, BatchState.UNKNOWN, message, rows=rows)
