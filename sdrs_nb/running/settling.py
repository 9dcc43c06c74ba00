"""Find out what became of a request whose answer was lost, without ever sending it blindly again.

The group's instances are listed and matched by ``source_server`` (a delete by the instances that are gone); what is
found is adopted.  Only a list begun after
the settling time proves that nothing of the request exists.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sdrs_nb.i18n import _
from sdrs_nb.ledger.ledger import AttemptResult, BatchState
from sdrs_nb.models import Batch
from sdrs_nb.running.calls import traces
from sdrs_nb.statuses import Stage

if TYPE_CHECKING:
    from sdrs_nb.running.engine import Engine

__all__ = ["adopt_late", "settle"]


async def settle(engine: "Engine", batch: Batch) -> None:
    """Adopt the instances of an unanswered create, or prove that there are none.

    Found at least one of the batch's servers: the request was taken (it is all-or-nothing), so the batch is
    followed by its instances.  Found none by the end of the settling time: the batch is pending again, or
    refused when it was already resent as often as allowed.

    Raises
    ------
    CloudError, CloudUnreachable
        The list cannot be read; the doubt stays as it is.
    """
    attempt = _doubted(engine, batch)
    since = datetime.fromisoformat(attempt["answered_at"])
    while not engine.is_stopping():
        # Measured before the list is read: only a list begun after the settling time proves absence.
        waited = engine.timing.since(since)
        found = traces(batch, await engine.cloud.sdrs.protected_instances(batch.group_id))
        if found:
            _adopt(engine, batch, attempt["attempt_id"], found)
            return
        if waited >= engine.pace.settle_s:
            _absent(engine, batch, attempt["attempt_id"])
            return
        await engine.wait(min(engine.pace.settle_s - waited + 0.05, engine.pace.longest_look_s))


def _doubted(engine: "Engine", batch: Batch) -> dict[str, Any]:
    attempt = engine.open_attempt(batch.batch_id)
    if attempt["result"] is not None:
        return attempt
    # Its process died between intent and answer.  The POST may have left long after the intent (it may have waited
    # for the call budget), but not after this process took the run over: the settling time begins now, on disk.
    engine.ledger.answer(
        attempt["attempt_id"],
        AttemptResult.UNCERTAIN,
        state=BatchState.UNCERTAIN,
        stage=Stage.UNKNOWN,
        message=_("The process that was sending this request ended before an answer was recorded."),
    )
    return engine.open_attempt(batch.batch_id)


async def adopt_late(engine: "Engine", batch: Batch) -> bool:
    """Adopt the batch if an earlier attempt, taken for absent, has come true after all; tell whether it has."""
    found = traces(batch, await engine.cloud.sdrs.protected_instances(batch.group_id))
    if found:
        _adopt(engine, batch, engine.open_attempt(batch.batch_id)["attempt_id"], found)
    return bool(found)


def _adopt(engine: "Engine", batch: Batch, attempt: int, found: Mapping[str, Mapping[str, Any]]) -> None:
    if batch.call.is_delete:
        message = _("The answer to this request was lost, but {found} of its {count} instances are gone or going.",
                    found=len(found), count=len(batch.server_ids))  # fmt: skip
        engine.ledger.answer(
            attempt, AttemptResult.ADOPTED, state=BatchState.ACCEPTED, stage=Stage.ACCEPTED, message=message
        )
        return
    message = _(
        "The answer to this request was lost; {found} of its {count} servers were found in the group and adopted. "
        "Jobs cannot be listed, so it is followed by its instances.",
        found=len(found),
        count=len(batch.server_ids),
    )
    rows = [
        {"server_id": server, "stage": Stage.ACCEPTED, "protected_instance_id": str(instance.get("id"))}
        for server, instance in found.items()
    ]
    engine.ledger.answer(
        attempt, AttemptResult.ADOPTED, state=BatchState.ACCEPTED, stage=Stage.ACCEPTED, message=message, rows=rows
    )


def _absent(engine: "Engine", batch: Batch, attempt: int) -> None:
    absent = engine.count_absent(batch.batch_id) + 1
    if absent > engine.pace.resends:
        message = _(
            "The request was sent {count} times, no answer came and nothing was done. Check the connection to the "
            "cloud, then plan these servers again.",
            count=absent,
        )
        engine.ledger.answer(
            attempt, AttemptResult.ABSENT, state=BatchState.REFUSED, stage=Stage.FAILED, message=message
        )
        return
    message = _("No answer came, and after the settling time nothing of the request was there: it can be sent again.")
    engine.ledger.answer(attempt, AttemptResult.ABSENT, state=BatchState.PENDING, stage=Stage.NOT_SENT, message=message)
