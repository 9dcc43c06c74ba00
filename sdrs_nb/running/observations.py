"""What one batch shows of the assumptions: pure reading of documents, no I/O.

Each function looks at what was read anyway and says what it saw; what a document does not show is not said.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sdrs_nb.i18n import _
from sdrs_nb.ledger.observing import CONFIRMED, CONTRADICTED, Observation
from sdrs_nb.ledger.run_states import AttemptResult
from sdrs_nb.models import Batch, Call
from sdrs_nb.rulebook import load_assumptions
from sdrs_nb.running.jobs import Job
from sdrs_nb.statuses import (
    InstanceState,
    JobStatus,
    instance_state,
)

__all__ = [
    "INSTANCE_FIELDS",
    "contradiction_sentence",
    "observe_call",
    "observe_instances",
    "observe_job",
    "observe_states",
]

Document = Mapping[str, Any]
#: Fields that the page of the instances' list shows and that stages read.
INSTANCE_FIELDS = (
    "id", "name", "server_group_id", "status", "source_server", "target_server", "created_at", "priority_station",
)  # fmt: skip


def _said(assumption: str, holds: bool, detail: str) -> Observation:  # noqa: FBT001 - what was seen
    return Observation(assumption, CONFIRMED if holds else CONTRADICTED, detail)


def observe_call(batch: Batch, attempt: Mapping[str, Any]) -> Iterator[Observation]:
    """Yield what the answer to a batch call shows, ``attempt`` being its record."""
    if batch.call is Call.BATCH_CREATE and attempt["result"] == AttemptResult.ACCEPTED:
        yield _said("batch_calls", True, str(attempt["job_id"]))


def observe_job(batch: Batch, job: Job, found: Mapping[str, Document]) -> Iterator[Observation]:
    """Yield what the ended job of a batch create shows of sub-jobs and of its own end.

    ``found``: the instance of each server of the batch that has one, as the list has it.
    """
    if not job.is_finished or not batch.call.is_batch:
        return
    named = [sub_job.protected_instance_id for sub_job in job.sub_jobs]
    whole = len(named) == len(batch.server_ids) and all(named)
    shape = _("{found} of {count} sub-jobs name an instance", found=sum(map(bool, named)), count=len(batch.server_ids))
    yield _said("sub_job_shape", whole, shape)
    sent = [str(found.get(server, {}).get("id")) for server in batch.server_ids]
    if whole and len(sent) > 1 and {*named} == {*sent}:
        yield _said("sub_job_order", named == sent, f"{job.job_id}: {', '.join(map(str, named))}")
    yield from _doubles_named(job, found)
    failed = [sub_job for sub_job in job.sub_jobs if sub_job.status == JobStatus.FAIL]
    if whole and failed:
        ended = _("{count} sub-jobs failed, the job ended as {status}", count=len(failed), status=job.status)
        yield _said("parent_end", job.status == JobStatus.FAIL, ended)
    elif whole and all(sub_job.status == JobStatus.SUCCESS for sub_job in job.sub_jobs):
        ended = _("all sub-jobs succeeded, the job ended as {status}", status=job.status)
        yield _said("parent_end", job.status == JobStatus.SUCCESS, ended)


def _doubles_named(job: Job, found: Mapping[str, Document]) -> Iterator[Observation]:
    shown = {str(document.get("id")): document.get("target_server") for document in found.values()}
    for sub_job in job.sub_jobs:
        target = shown.get(sub_job.protected_instance_id or "")
        if sub_job.dr_server_id and target:
            is_same = sub_job.dr_server_id == target
            other = _("{found} in place of {expected}", found=sub_job.dr_server_id, expected=target)
            yield _said("native_server_id", is_same, target if is_same else other)


def observe_instances(batch: Batch, found: Mapping[str, Document], job: Job | None = None) -> Iterator[Observation]:
    """Yield what the list of instances shows, read when the job of the batch had ended.

    ``found``: the instance of each server of the batch that has one, as the list has it; ``job`` where it has ended.
    """
    for document in found.values():
        lacking = [name for name in INSTANCE_FIELDS if name not in document]
        without = _("without {fields}", fields=", ".join(lacking)) if lacking else str(document.get("id"))
        yield _said("list_fields", not lacking, without)
    if batch.call.is_batch:
        for server, name in zip(batch.server_ids, batch.instance_names, strict=True):
            if said := found.get(server, {}).get("name"):
                told = said if said == name else _("{found} in place of {expected}", found=said, expected=name)
                yield _said("numbering", said == name, told)
    failed = sum(sub_job.status == JobStatus.FAIL for sub_job in job.sub_jobs) if job else 0
    if failed and job and len(job.sub_jobs) == len(batch.server_ids):
        missing = len(batch.server_ids) - len(found)
        kept = _("{failed} failed, {missing} not in the list", failed=failed, missing=missing)
        yield _said("failed_instance", not missing, kept)


def observe_states(found: Mapping[str, Document]) -> Iterator[Observation]:
    """Yield what the first list shows that was read after the job of these instances had ended."""
    for document in found.values():
        state = instance_state(str(document.get("status")))
        detail = f"{document.get('id')}: {document.get('status')}"
        yield _said("instance_state", state is not InstanceState.MAKING, detail)


def contradiction_sentence(assumption: str, detail: str) -> str:
    """Return what is told when an assumption was seen not to hold: what was taken for true, and what rests on it."""
    known = load_assumptions().get(assumption)
    return _(
        "This cloud does otherwise than was assumed ({assumption}): {statement} Seen: {detail}. It touches: {touches}.",
        assumption=assumption,
        statement=known.statement if known else "-",
        detail=detail,
        touches=", ".join(known.touches) if known else "-",
    )
