"""What a definite refusal means for each server of its batch.

The service names one code and no server (batch-create page; that validation is all-or-nothing is
ASSUMED: all_or_nothing).  The facts are read again, and the rules that carry the code name the likely servers; the
others may be planned again.
"""

from typing import Any

import pandas as pd

from sdrs_nb.errors import CloudError, CloudUnreachable, NoBatchCallError, PlanError, UnknownCallError
from sdrs_nb.i18n import _
from sdrs_nb.ledger.observing import CONTRADICTED, Observation
from sdrs_nb.ledger.run_states import AttemptResult
from sdrs_nb.models import Batch
from sdrs_nb.running.door import likely_servers, look_at_door
from sdrs_nb.running.walk import Walk
from sdrs_nb.statuses import Stage

__all__ = ["explain_refusal", "missing_batch_call"]

#: Servers named in one sentence.
_NAMED = 3

#: Requests that the cloud took.
_TAKEN = (AttemptResult.ACCEPTED, AttemptResult.ADOPTED)


async def explain_refusal(walk: Walk, batch: Batch, error: CloudError) -> tuple[str, list[dict[str, Any]]]:
    """Return the sentence for the refused batch and what to record of each of its servers.

    Likely causes become ``failed`` with the code and the rule's own words; where some are named, the others stay
    ``not sent`` and can be planned again.  Where no rule explains the code, every server is ``failed`` with it.
    """
    if batch.call.is_delete:
        return str(error), [_failed(server, error.code, str(error)) for server in batch.server_ids]
    held: dict[str, dict[str, Any]] = {}
    try:
        door = await look_at_door(walk, batch, fresh=True)
    except (CloudError, CloudUnreachable, PlanError):  # the refusal itself must be recorded, explained or not
        likely = pd.DataFrame()
    else:
        likely = likely_servers(door.findings, walk.plan.rulebook, error.code)
        held = {server: row for server in batch.server_ids if (row := door.taken_row(server)) is not None}
    if likely.empty:
        message = _(
            "{error} The service does not say which server, and no rule tells. Check them and plan again.", error=error
        )
        return message, [held.get(server) or _failed(server, error.code, message) for server in batch.server_ids]
    why = likely.groupby("server_id", sort=False).first()
    names = [f"{walk.names.get(server, '')} ({server})" for server in why.index[:_NAMED]]
    named = ", ".join(names) + (", …" if len(why) > _NAMED else "")
    message = _(
        "{error} The likely cause is {servers}: {reason}", error=error, servers=named, reason=why["message"].iloc[0]
    )
    rest = _("Its batch was refused ({code}), most likely because of {servers}. Nothing was made; plan it again.",
             code=error.code, servers=named)  # fmt: skip
    words = dict(zip(why.index, why["message"] + " " + why["remedy"], strict=True))
    rows = [
        held.get(server)
        or (
            _failed(server, error.code, words[server])
            if server in words
            else {"server_id": server, "stage": Stage.NOT_SENT, "error_code": None, "message": rest}
        )
        for server in batch.server_ids
    ]
    return message, rows


def missing_batch_call(walk: Walk, batch: Batch, error: UnknownCallError) -> NoBatchCallError | None:
    """Return what it means that the gateway does not know the call of ``batch``: this cloud has no batch calls.

    None where that does not follow: the call is a single one, or this cloud took such a call in this run before.
    """
    if not batch.call.is_batch or walk.ledger.count_results(walk.run_id, _TAKEN):
        return None
    walk.observe(batch, [Observation("batch_calls", CONTRADICTED, str(error))])
    if batch.call.is_delete:
        message = _("{error} This cloud has no batch delete, and nothing was deleted. Plan the undo again by the rule "
                 "book otc, which deletes instances one by one.", error=error)  # fmt: skip
    else:
        message = _("{error} This cloud has no batch create, and nothing was created. Plan again by the rule book otc, "
                 "which creates instances one by one.", error=error)  # fmt: skip
    return NoBatchCallError(
        message,
        method=error.method,
        path=error.path,
        status=error.status,
        code=error.code,
        cloud_message=error.cloud_message,
        request_id=error.request_id,
    )


def _failed(server_id: str, code: str, message: str) -> dict[str, Any]:
    return {"server_id": server_id, "stage": Stage.FAILED, "error_code": code, "message": message}
