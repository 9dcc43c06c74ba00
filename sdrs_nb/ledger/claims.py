"""Who holds which server: a server is planned in one run at a time, whichever process wrote it.

``insert_batch`` and ``refuse_claimed`` work inside the transaction that records a run, so that of two at once one is
refused.
"""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from sdrs_nb.errors import ClaimedError
from sdrs_nb.i18n import _
from sdrs_nb.ledger.run_states import BatchState
from sdrs_nb.statuses import Stage

__all__ = ["free_servers", "insert_batch", "refuse_claimed"]


def free_servers(db: sqlite3.Connection, run_id: str, batch_id: str) -> None:
    """Hold the servers of a batch against other runs no longer."""
    db.execute(
        "DELETE FROM claims WHERE run_id = ? AND server_id IN "
        "(SELECT server_id FROM servers WHERE run_id = ? AND batch_id = ?)",
        (run_id, run_id, batch_id),
    )


def insert_batch(
    db: sqlite3.Connection, run_id: str, claim_scope: str, position: int, batch: Any, *, names: Mapping[str, str]
) -> None:
    """Record a batch with its servers, and claim them for the run."""
    db.execute(
        "INSERT INTO batches (run_id, batch_id, position, group_id, state) VALUES (?, ?, ?, ?, ?)",
        (run_id, batch.batch_id, position, batch.group_id, BatchState.PENDING),
    )
    db.executemany(
        "INSERT INTO servers (run_id, server_id, batch_id, position, name, group_id, stage) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (run_id, server, batch.batch_id, n, names.get(server, ""), batch.group_id, Stage.NOT_SENT)
            for n, server in enumerate(batch.server_ids)
        ],
    )
    db.executemany(
        "INSERT INTO claims VALUES (?, ?, ?)", [(claim_scope, server, run_id) for server in batch.server_ids]
    )


def refuse_claimed(db: sqlite3.Connection, claim_scope: str, plan: Any) -> None:
    """Refuse a plan of whose servers another run that is not done holds some.

    Raises
    ------
    ClaimedError
        Names that run, who approved it and when it began.
    """
    wanted = {server for batch in plan.batches for server in batch.server_ids}
    held = [
        (row["server_id"], row["run_id"])
        for row in db.execute("SELECT server_id, run_id FROM claims WHERE scope = ?", (claim_scope,))
        if row["server_id"] in wanted
    ]
    if not held:
        return
    server_id, run_id = min(held)
    who = ""
    holder = db.execute("SELECT created_at, approval FROM runs WHERE run_id = ?", (run_id,)).fetchone()
    with suppress(ValueError, AttributeError):  # what was spoilt in it does not matter here
        who = json.loads(holder["approval"]).get("who")
    raise ClaimedError(
        _(
            "{count} of these servers are held by run {run}, approved by {who} and begun {when}; the first is {name} "
            "({server}). Resume that run or cancel what it has not sent, then plan again.",
            count=len(held),
            run=run_id,
            who=who or "?",
            when=holder["created_at"],
            name=plan.server_names.get(server_id, ""),
            server=server_id,
        )
    )
