"""Find out what became of a request whose answer was lost, without ever sending it blindly again.

The group's instances are listed and matched by ``source_server`` (a delete by the instances that are gone); what is
found and is this run's is adopted.  Only a list begun when the settling time has passed since the request certainly
was no longer on its way proves that nothing of it exists; both moments are of the cloud's clock.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sdrs_nb.i18n import _
from sdrs_nb.ledger.ledger import AttemptResult, BatchState
from sdrs_nb.models import Batch
from sdrs_nb.running.calls import traces
from sdrs_nb.running.ownership import Instance, OwnershipEvidence
from sdrs_nb.running.walk import Walk
from sdrs_nb.statuses import Stage

__all__ = ["adopt_late", "settle"]

#: Cloud seconds to wait before the list that decides is read once more.
_MOMENT_S = 0.05
#: Our own seconds between two such lists, however fast a sandbox says that its time passes.
_REST_S = 0.1


async def settle(walk: Walk, batch: Batch) -> None:
    """Adopt the instances of an unanswered create, or prove that there are none.

    Found at least one of the batch's servers: the request was taken (it is all-or-nothing), so the batch is
    followed by its instances.  Found none by the end of the settling time: the batch may be sent again, or stays
    unknown when it was already resent as often as allowed.

    Raises
    ------
    CloudError, CloudUnreachable
        The list cannot be read; the doubt stays as it is.
    """
    _record_death(walk, batch)
    clock, settle_s = walk.cloud.clock, walk.pace.settle_s
    while not walk.is_stopping():
        # A moment before the list is read: only a list begun after the settling time proves absence.
        begun = clock.at_least()
        if await adopt_late(walk, batch):
            return
        attempt = walk.open_attempt(batch.batch_id)
        if attempt["settling_from"] is None:
            walk.ledger.settles_from(attempt["attempt_id"], clock.now() + timedelta(seconds=clock.slack_s))
            continue
        since = datetime.fromisoformat(attempt["settling_from"])
        if attempt["result"] == AttemptResult.ABSENT or (begun - since).total_seconds() >= settle_s:
            _absent(walk, batch, attempt)
            return
        left = max(settle_s - (clock.now() - since).total_seconds(), 0) + _MOMENT_S
        await walk.wait(max(min(left, walk.pace.longest_look_s), _REST_S * walk.timing.scale))


def _record_death(walk: Walk, batch: Batch) -> None:
    """Record the doubt of a request whose process died between intent and answer.

    The POST may have left long after the intent (it may have waited for the call budget), but not after this process
    took the run over: the settling time begins now, on disk.
    """
    attempt = walk.open_attempt(batch.batch_id)
    if attempt["result"] is None:
        walk.answer(
            attempt["attempt_id"],
            AttemptResult.UNCERTAIN,
            state=BatchState.UNCERTAIN,
            stage=Stage.UNKNOWN,
            message=_("The process that was sending this request ended before an answer was recorded."),
        )


async def adopt_late(walk: Walk, batch: Batch) -> bool:
    """Adopt the batch if its request has come true, however late; tell whether it has."""
    evidence = OwnershipEvidence.of(walk, batch_id=batch.batch_id)
    found = traces(batch, await walk.cloud.sdrs.protected_instances(batch.group_id), evidence)
    if found:
        _adopt(walk, batch, found, evidence)
    return bool(found)


def _adopt(walk: Walk, batch: Batch, found: Mapping[str, Mapping[str, Any]], evidence: OwnershipEvidence) -> None:
    attempt = walk.open_attempt(batch.batch_id)["attempt_id"]
    if batch.call.is_delete:
        message = _("The answer to this request was lost, but {found} of its {count} instances are gone or going.",
                    found=len(found), count=len(batch.server_ids))  # fmt: skip
        walk.answer(attempt, AttemptResult.ADOPTED, state=BatchState.ACCEPTED, stage=Stage.ACCEPTED, message=message)
        return
    message = _(
        "The answer to this request was lost; {found} of its {count} servers were found in the group and adopted. "
        "Jobs cannot be listed, so it is followed by its instances.",
        found=len(found),
        count=len(batch.server_ids),
    )
    rows = []
    for server, instance in found.items():
        whose, proof = evidence.whose(server, Instance.of(instance))
        known = {"protected_instance_id": str(instance.get("id")), "whose": whose, "proof": proof}
        rows.append({"server_id": server, "stage": Stage.ACCEPTED, **known})
    walk.answer(
        attempt, AttemptResult.ADOPTED, state=BatchState.ACCEPTED, stage=Stage.ACCEPTED, message=message, rows=rows
    )


def _absent(walk: Walk, batch: Batch, attempt: Mapping[str, Any]) -> None:
    """Record that nothing of the request exists: it can be sent again, or, sent often enough, stays unknown."""
    absent = walk.count_absent(batch.batch_id) + (attempt["result"] != AttemptResult.ABSENT)
    if absent > walk.pace.resends:
        message = _(
            "The request was sent {count} times, no answer came and nothing was done so far. Check the connection to "
            "the cloud and resume the run, which looks again; let the servers go when nothing can come of it any more.",
            count=absent,
        )
        state = BatchState.UNKNOWN
    else:
        message = _(
            "No answer came, and after the settling time nothing of the request was there: it can be sent again."
        )
        state = BatchState.PENDING
    walk.answer(attempt["attempt_id"], AttemptResult.ABSENT, state=state, stage=Stage.UNKNOWN, message=message)
