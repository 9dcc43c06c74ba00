"""What the ledger holds about whose the instances of a run are, and about the times in the service's lists."""

import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple

from sdrs_nb.ledger.store import Store

__all__ = ["Evidence", "evidence_of", "times_offset"]


class Evidence(NamedTuple):
    """What a run's ledger holds about whose its instances are; rows of the tables."""

    attempts: list[dict[str, Any]]
    jobs: list[dict[str, Any]]
    servers: list[dict[str, Any]]
    times_offset_s: float


def evidence_of(ledger: Store, run_id: str, batch_id: str | None = None) -> Evidence:
    """Return the rows that tell whose the instances of a run, or of one of its batches, are.

    Raises
    ------
    LedgerError
        The file cannot be read.
    """
    mine = (run_id, batch_id)
    one = "run_id = ?1 AND (?2 IS NULL OR batch_id = ?2)"
    run = ledger.rows("SELECT times_offset_s FROM runs WHERE run_id = ?", run_id)[0]
    return Evidence(
        ledger.rows(f"SELECT * FROM attempts WHERE {one} ORDER BY attempt_id", *mine),  # noqa: S608 - fixed text
        ledger.rows(f"SELECT batch_id, job_id, document FROM jobs WHERE {one}", *mine),  # noqa: S608 - fixed text
        ledger.rows(f"SELECT server_id, protected_instance_id, whose FROM servers WHERE {one}", *mine),  # noqa: S608 - fixed text
        float(run["times_offset_s"]),
    )


def times_offset(db: sqlite3.Connection, scope: Mapping[str, str], assumed_s: float) -> float:
    """Return by how many seconds times in the lists are ahead of UTC: as a run of this project saw, else as assumed."""
    seen = db.execute(
        "SELECT times_offset_s FROM runs WHERE endpoint = ? AND project_id = ? AND times_seen <> '' "
        "ORDER BY rowid DESC LIMIT 1",
        (scope["endpoint"], scope["project_id"]),
    ).fetchone()
    return float(seen[0]) if seen else assumed_s
