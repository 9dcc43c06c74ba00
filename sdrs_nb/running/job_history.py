"""How long earlier jobs took, from the ledger: what estimates of a plan's duration rest on."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sdrs_nb.asked import checked
from sdrs_nb.ledger.ledger import Ledger

__all__ = ["KEPT", "job_durations", "job_seconds"]

#: Jobs looked back at.
KEPT = 60


def job_seconds(document: Mapping[str, Any]) -> float | None:
    """Return the seconds between a job's ``begin_time`` and ``end_time``, None while it has not both."""
    begin, end = _moment(document.get("begin_time")), _moment(document.get("end_time"))
    return None if begin is None or end is None else max((end - begin).total_seconds(), 0.0)


def _moment(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@checked
def job_durations(
    ledger: Ledger | None = None,
    *,
    endpoint: str | None = None,
    project_id: str | None = None,
    deletions: bool = False,
    at_most: int = KEPT,
) -> list[float]:
    """Return how long the latest successful jobs took, in seconds of the cloud's time, oldest first.

    Parameters
    ----------
    ledger
        By default the operator's own.
    endpoint, project_id
        Only jobs of this cloud and project; a sandbox says nothing of a real one.
    deletions
        Jobs of undo runs in place of those that created.
    at_most
        The newest so many.

    Raises
    ------
    LedgerError
        The ledger cannot be read.

    Notes
    -----
    Reads the ledger file, no network.  No job gives an empty list.
    """
    store = ledger or Ledger()
    documents = store.successful_jobs(endpoint, project_id, deletions=deletions, at_most=at_most)
    with store.readable():
        found = [job_seconds(json.loads(document)) for document in documents]
    return [seconds for seconds in reversed(found) if seconds is not None]
