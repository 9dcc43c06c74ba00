"""Send one batch exactly once: re-check at the door, intent on disk, POST, answer on disk.

The service has no idempotency token and creates billed servers (docs/service.md), so a create is never sent
again because its answer was lost; ``settling`` finds out what became of it.
"""

import hashlib
from datetime import timedelta
from typing import Any

from sdrs_nb.errors import (
    AuthenticationError,
    CloudError,
    CloudUnreachable,
    PermissionDeniedError,
    SubmissionUncertain,
    ThrottledError,
    UnknownCallError,
)
from sdrs_nb.ledger.ledger import AttemptResult, BatchState
from sdrs_nb.models import Batch
from sdrs_nb.running.calls import post
from sdrs_nb.running.door import Door, look_at_door
from sdrs_nb.running.observations import observe_call
from sdrs_nb.running.refusals import explain_refusal, missing_batch_call
from sdrs_nb.running.settling import adopt_late
from sdrs_nb.running.walk import Walk
from sdrs_nb.statuses import Stage

__all__ = ["send"]

#: "The server is protected already": after an earlier attempt it may well be ours that came late.
_TAKEN = "SDRS.1305"


async def send(walk: Walk, batch: Batch) -> None:
    """Send ``batch`` once and record what came of it; its batch state says what is to be done next.

    Raises
    ------
    AuthenticationError, PermissionDeniedError, UnknownCallError, ThrottledError, CloudUnreachable, CloudError
        Nothing was handled, or the facts could not be read; the batch stays pending.
    NoBatchCallError
        Nothing was handled, and nothing of the plan can be sent to this cloud: what was not sent is given up.
    """
    if walk.count_absent(batch.batch_id) and await adopt_late(walk, batch):
        return
    door = await _wait_at_door(walk, batch)
    if not walk.may_send():
        return
    if door.reason is not None:
        walk.ledger.set_batch(walk.run_id, batch.batch_id, BatchState.HELD, door.reason, rows=door.held_rows(batch))
        return
    body = walk.plan.payload_bytes(batch.batch_id)
    async with walk.first_alone():
        if not walk.may_send():
            return
        attempt = walk.ledger.intend(
            walk.run_id,
            batch.batch_id,
            hashlib.sha256(body).hexdigest(),
            door.rows,
            cloud_at=walk.cloud.clock.at_least() - timedelta(seconds=walk.cloud.clock.slack_s),
        )
        if attempt is not None:  # None: somebody cancelled the batch while it stood at the door
            await _post(walk, batch, attempt, body)
            walk.is_answered = True
            walk.observe(batch, observe_call(batch, walk.open_attempt(batch.batch_id)))


async def _wait_at_door(walk: Walk, batch: Batch) -> Door:
    """Look at the door; where only the group's passing state is in the way, wait as long as the settings allow."""
    begun = walk.timing.clock()
    while True:
        door = await look_at_door(walk, batch)
        waited = walk.timing.since(begun)
        if not (door.reason and door.is_passing) or waited >= walk.pace.group_wait_s or not walk.may_send():
            return door
        await walk.wait(min(walk.pace.longest_look_s, walk.pace.group_wait_s - waited + 0.05))


async def _post(walk: Walk, batch: Batch, attempt: int, body: bytes) -> None:
    answer = walk.answer
    unsent: dict[str, Any] = {"state": BatchState.PENDING, "stage": Stage.NOT_SENT}
    doubt: dict[str, Any] = {"state": BatchState.UNCERTAIN, "stage": Stage.UNKNOWN}
    try:
        job_id = await post(walk.cloud, batch, body)
    except (AuthenticationError, PermissionDeniedError, ThrottledError) as error:
        answer(attempt, AttemptResult.NOT_HANDLED, **unsent, **_facts(error))
        raise
    except UnknownCallError as error:
        no_call = missing_batch_call(walk, batch, error)
        answer(attempt, AttemptResult.NOT_HANDLED, **unsent, **_facts(no_call or error))
        if no_call is None:
            raise
        # Its servers are free for the plan that this cloud can take.
        walk.ledger.release(walk.run_id, str(no_call))
        raise no_call from error
    except CloudUnreachable as error:
        if error.sent:
            answer(attempt, AttemptResult.UNCERTAIN, **doubt, message=str(error))
            return
        answer(attempt, AttemptResult.NOT_HANDLED, **unsent, message=str(error))
        raise
    except SubmissionUncertain as error:
        answer(attempt, AttemptResult.UNCERTAIN, **doubt, message=str(error), request_id=error.request_id)
    except CloudError as error:
        # A 5xx or 408 came as SubmissionUncertain: what is left here is a definite answer.
        if error.code == _TAKEN and walk.count_absent(batch.batch_id):
            answer(attempt, AttemptResult.UNCERTAIN, **doubt, **_facts(error))
            return
        await _refused(walk, batch, attempt, error)
    else:
        answer(attempt, AttemptResult.ACCEPTED, state=BatchState.ACCEPTED, stage=Stage.ACCEPTED, job_id=job_id)


async def _refused(walk: Walk, batch: Batch, attempt: int, error: CloudError) -> None:
    # On disk first, so that a crash while the facts are read leaves no doubt about the request.
    facts = _facts(error)
    answer = walk.answer
    answer(attempt, AttemptResult.REFUSED, state=BatchState.REFUSED, stage=Stage.FAILED, **facts)
    message, rows = await explain_refusal(walk, batch, error)
    if walk.count_absent(batch.batch_id):
        # An earlier request of it was in doubt: nobody shall read that nothing was ever sent for these servers.
        rows = [row | {"stage": Stage.FAILED} if row["stage"] == Stage.NOT_SENT else row for row in rows]
    answer(attempt, AttemptResult.REFUSED, state=BatchState.REFUSED, rows=rows, **{**facts, "message": message})


def _facts(error: CloudError) -> dict[str, Any]:
    return {"status": error.status, "code": error.code, "request_id": error.request_id, "message": str(error)}
