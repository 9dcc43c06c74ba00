"""What changes together: the state of a batch or the stage of a server, and who holds its servers.

Every function works inside a transaction of the ledger.  A batch with a request in doubt is never held, and its servers
are never called not sent: whoever plans them again would send twice.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from sdrs_nb.ledger.claims import free_servers
from sdrs_nb.ledger.run_states import BatchState
from sdrs_nb.statuses import ENDED, Stage, has_ended

__all__ = ["batches_with_known_ends", "is_doubted", "move_batch", "move_servers"]

#: Batches of which nothing exists and nothing will be sent: their servers are free.
_NOTHING_MADE = frozenset({BatchState.HELD, BatchState.REFUSED})
_KNOWN = ("job_id", "protected_instance_id", "dr_server_id", "error_code", "message", "whose", "proof")
#: A request that left and of which no answer, or the absence of anything made, is all that is known.
_DOUBTED = """
SELECT 1 FROM (SELECT result FROM attempts WHERE run_id = ? AND batch_id = ?
  AND (result IS NULL OR result <> 'not handled') ORDER BY attempt_id DESC LIMIT 1)
WHERE result IS NULL OR result IN ('uncertain', 'absent')
"""
#: Batches in a state of whose servers everyone has come to an end.
_ENDS = ", ".join(f"'{stage}'" for stage in sorted(ENDED))
_KNOWN_ENDS = f"""
SELECT batch_id FROM batches b WHERE run_id = ? AND state = ? AND NOT EXISTS (
  SELECT 1 FROM servers s WHERE s.run_id = b.run_id AND s.batch_id = b.batch_id AND s.stage NOT IN ({_ENDS}))
"""  # noqa: S608 - words of ours


def is_doubted(db: sqlite3.Connection, run_id: str, batch_id: str) -> bool:
    """Tell whether the newest request of the batch that can have left may come true yet, as far as is recorded."""
    return db.execute(_DOUBTED, (run_id, batch_id)).fetchone() is not None


def batches_with_known_ends(db: sqlite3.Connection, run_id: str) -> list[str]:
    """Return the batches of unknown end of whose servers everyone has come to an end by now."""
    return [str(batch_id) for (batch_id,) in db.execute(_KNOWN_ENDS, (run_id, BatchState.UNKNOWN)).fetchall()]


def move_batch(
    db: sqlite3.Connection, run_id: str, batch_id: str, state: BatchState, *, reason: str = "",
    job_id: str | None = None,
) -> None:  # fmt: skip
    """Record where a batch stands; where nothing was made of it its servers are free."""
    if state == BatchState.HELD and is_doubted(db, run_id, batch_id):
        state = BatchState.UNKNOWN
    db.execute(
        "UPDATE batches SET state = ?, reason = ?, job_id = coalesce(?, job_id) WHERE run_id = ? AND batch_id = ?",
        (state, reason, job_id, run_id, batch_id),
    )
    if state in _NOTHING_MADE:
        free_servers(db, run_id, batch_id)


def move_servers(db: sqlite3.Connection, run_id: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Record the stage of servers and whichever other columns a row has; one that has ended is free."""
    for row in rows:
        stage = row["stage"]
        if stage == Stage.NOT_SENT:
            (batch_id,) = db.execute(
                "SELECT batch_id FROM servers WHERE run_id = ? AND server_id = ?", (run_id, row["server_id"])
            ).fetchone()
            stage = Stage.UNKNOWN if is_doubted(db, run_id, batch_id) else stage
        names = [name for name in _KNOWN if name in row]
        text = "".join(f", {name} = ?" for name in names)
        db.execute(
            f"UPDATE servers SET stage = ?{text} WHERE run_id = ? AND server_id = ?",  # noqa: S608 - fixed names
            (stage, *(row[name] for name in names), run_id, row["server_id"]),
        )
        if has_ended(stage):
            db.execute("DELETE FROM claims WHERE run_id = ? AND server_id = ?", (run_id, row["server_id"]))
