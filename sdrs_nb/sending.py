"""Send one batch exactly once: re-check at the door, intent on disk, POST, and what to do when the answer is lost.

The service has no idempotency token and creates billed servers (sdrs-api.md section 1), so a create is never sent
again because its answer was lost.  The group's instances are listed instead and matched by ``source_server``.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sdrs_nb.errors import (
    AuthenticationError,
    CloudError,
    CloudUnreachable,
    NotFoundError,
    PermissionDeniedError,
    ServiceError,
    SubmissionUncertain,
    ThrottledError,
)
from sdrs_nb.i18n import _
from sdrs_nb.jobs import match_instances
from sdrs_nb.ledger import AttemptResult, BatchState
from sdrs_nb.models import Batch, Stage

if TYPE_CHECKING:
    from sdrs_nb.engine import Engine

__all__ = ["at_the_door", "send", "settle"]

#: Group statuses in which instances may be created (batch-create page, constraint 1).
OPEN_GROUP = ("available", "protected")
#: 408: the gateway gave up waiting; the service behind it may still handle the request.
_TIMEOUT = 408


async def at_the_door(engine: "Engine", batch: Batch) -> str | None:
    """Return the sentence that holds ``batch`` back now, or None when it may go.

    Reads the group and the project's instances afresh: a plan may be hours old.
    """
    try:
        group = await engine.cloud.sdrs.group(batch.group_id)
    except NotFoundError:
        return _("Protection group {group} no longer exists. Plan again.", group=batch.group_id)
    if group.get("status") not in OPEN_GROUP:
        return _(
            "Protection group {name} ({group}) is in status {status}; instances can be created only while it is "
            "available or protected. Wait or repair it, then plan the rest.",
            name=group.get("name"),
            group=batch.group_id,
            status=group.get("status"),
        )
    instances = await engine.cloud.sdrs.protected_instances()
    return _held_by_instances(engine, batch, instances)


def _held_by_instances(engine: "Engine", batch: Batch, instances: list[dict[str, Any]]) -> str | None:
    # Both ids are taken: whether they swap after a switchover is not documented (sdrs-api.md section 3).
    taken = {
        str(instance[role]): instance
        for instance in instances
        for role in ("target_server", "source_server")
        if instance.get(role)
    }
    for server_id in batch.server_ids:
        if server_id in taken:
            return _(
                "Server {name} ({server}) got protected instance {instance} since the plan was made, so the request "
                "would be refused (SDRS.1305). Plan the rest again.",
                name=engine.names.get(server_id, ""),
                server=server_id,
                instance=taken[server_id].get("id"),
            )
    return None


async def send(engine: "Engine", batch: Batch) -> None:
    """Send ``batch`` once and record what came of it; its batch state says what is to be done next.

    Raises
    ------
    AuthenticationError, PermissionDeniedError, ThrottledError, CloudUnreachable
        Nothing was handled; the batch stays pending and the run should pause.
    """
    reason = await at_the_door(engine, batch)
    if reason is not None:
        engine.ledger.set_batch(engine.run_id, batch.batch_id, BatchState.HELD, reason)
        rows = [{"server_id": server, "stage": Stage.NOT_SENT, "message": reason} for server in batch.server_ids]
        engine.ledger.set_servers(engine.run_id, batch.batch_id, rows)
        return
    if engine.is_stopping():
        return
    body = engine.plan.payload_bytes(batch.batch_id)
    attempt = engine.ledger.intend(engine.run_id, batch.batch_id, hashlib.sha256(body).hexdigest())
    await _post(engine, attempt, body)


async def _post(engine: "Engine", attempt: int, body: bytes) -> None:
    answer = engine.ledger.answer
    try:
        job_id = await engine.cloud.sdrs.batch_create(body)
    except (AuthenticationError, PermissionDeniedError, ThrottledError) as error:
        answer(attempt, AttemptResult.NOT_HANDLED, state=BatchState.PENDING, **_facts(error))
        raise
    except CloudUnreachable as error:
        if error.sent:
            answer(attempt, AttemptResult.UNCERTAIN, state=BatchState.UNCERTAIN, message=str(error))
            return
        answer(attempt, AttemptResult.NOT_HANDLED, state=BatchState.PENDING, message=str(error))
        raise
    except SubmissionUncertain as error:
        answer(attempt, AttemptResult.UNCERTAIN, state=BatchState.UNCERTAIN, message=str(error))
    except CloudError as error:
        if isinstance(error, ServiceError) or error.status == _TIMEOUT:
            answer(attempt, AttemptResult.UNCERTAIN, state=BatchState.UNCERTAIN, **_facts(error))
            return
        # A definite refusal: validation is all-or-nothing, nothing was made (sdrs-api.md section 2, ASSUMED).
        answer(attempt, AttemptResult.REFUSED, state=BatchState.REFUSED, stage=Stage.FAILED, **_facts(error))
    else:
        answer(attempt, AttemptResult.ACCEPTED, state=BatchState.ACCEPTED, stage=Stage.ACCEPTED, job_id=job_id)


def _facts(error: CloudError) -> dict[str, Any]:
    return {"status": error.status, "code": error.code, "request_id": error.request_id, "message": str(error)}


async def settle(engine: "Engine", batch: Batch) -> None:
    """Find out what became of an unanswered create: adopt its instances, or prove that there are none.

    Found at least one of the batch's servers: the request was taken (it is all-or-nothing), so the batch is
    followed by its instances.  Found none by the end of the settling time: the batch is pending again, or
    refused when it was already resent as often as allowed.
    """
    attempt = engine.open_attempt(batch.batch_id)
    while not engine.is_stopping():
        # Measured before the list is read: only a list begun after the settling time proves absence.
        waited = engine.timing.since(datetime.fromisoformat(attempt["intent_at"]))
        found = match_instances(await engine.cloud.sdrs.protected_instances(batch.group_id), batch.server_ids)
        if found:
            _adopt(engine, batch, attempt["attempt_id"], found)
            return
        if waited >= engine.pace.settle_s:
            _absent(engine, batch, attempt["attempt_id"])
            return
        remaining = engine.pace.settle_s - waited
        await engine.wait(min(remaining + 0.05, engine.pace.longest_look_s))


def _adopt(engine: "Engine", batch: Batch, attempt: int, found: Mapping[str, Mapping[str, Any]]) -> None:
    message = _(
        "The answer to this request was lost; {found} of its {count} servers were found in the group and adopted.",
        found=len(found),
        count=len(batch.server_ids),
    )
    engine.ledger.answer(
        attempt, AttemptResult.ADOPTED, state=BatchState.ACCEPTED, stage=Stage.ACCEPTED, message=message
    )


def _absent(engine: "Engine", batch: Batch, attempt: int) -> None:
    absent = engine.count_absent(batch.batch_id) + 1
    if absent > engine.pace.resends:
        message = _(
            "The request was sent {count} times, no answer came and nothing was created. Check the connection to the "
            "cloud, then plan these servers again.",
            count=absent,
        )
        engine.ledger.answer(
            attempt, AttemptResult.ABSENT, state=BatchState.REFUSED, stage=Stage.FAILED, message=message
        )
        return
    message = _("No answer came, and after the settling time nothing of the request was there: it can be sent again.")
    engine.ledger.answer(attempt, AttemptResult.ABSENT, state=BatchState.PENDING, message=message)
