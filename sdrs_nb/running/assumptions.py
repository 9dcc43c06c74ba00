"""What is taken for true where the documents are silent, and what runs have seen of it."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from sdrs_nb.asked import checked
from sdrs_nb.ledger.ledger import Ledger
from sdrs_nb.ledger.observing import CONTRADICTED
from sdrs_nb.rulebook import load_assumptions
from sdrs_nb.tables import ASSUMPTIONS, shape

if TYPE_CHECKING:
    from sdrs_nb.running.runs import Run

__all__ = ["assumptions"]


@checked
def assumptions(run: "Run | None" = None, *, alone: bool = False, ledger: Ledger | None = None) -> pd.DataFrame:
    """Return every choice that is made where the documents are silent, with what was seen of it on one cloud.

    Parameters
    ----------
    run
        What was seen on this run's cloud and project, by all runs of its ledger; by default on those of the newest
        run of ``ledger``.
    alone
        Only what ``run`` itself saw.
    ledger
        Another ledger than the one in ``SDRS_NB_HOME`` or the user's data folder.

    Returns
    -------
    pandas.DataFrame
        One row an assumption (``tables.ASSUMPTIONS``): ``id``, ``statement``, ``setting`` (that changes it),
        ``touches`` (rules and stages that rest on it), ``seen_by`` (what can show it: batch, run, doctor, hand),
        ``seen`` (``confirmed``, ``contradicted``, which wins, or ``not seen``), and of that look ``run_id``,
        ``request_id``, ``seen_at`` (UTC) and ``detail``.

    Raises
    ------
    LedgerError
        The ledger cannot be read.
    """
    store = run.ledger if run is not None else ledger or Ledger()
    newest = run.run_id if run is not None else next((row["run_id"] for row in store.runs()), None)
    seen: dict[str, dict[str, Any]] = {}
    for row in store.observations(newest if alone else None, like_run=newest) if newest else ():
        if seen.get(row["assumption"], row)["seen"] != CONTRADICTED or row["seen"] == CONTRADICTED:
            seen[row["assumption"]] = row
    rows = [
        {
            "id": one.id,
            "statement": one.statement,
            "setting": one.setting,
            "touches": ", ".join(one.touches),
            "seen_by": one.seen_by,
            "seen": seen.get(one.id, {}).get("seen", "not seen"),
            "run_id": seen.get(one.id, {}).get("run_id"),
            "request_id": seen.get(one.id, {}).get("request_id") or None,
            "seen_at": seen.get(one.id, {}).get("last_at"),
            "detail": seen.get(one.id, {}).get("detail"),
        }
        for one in load_assumptions().values()
    ]
    frame = pd.DataFrame(rows)
    return shape(frame.assign(seen_at=pd.to_datetime(frame["seen_at"], utc=True, format="ISO8601")), ASSUMPTIONS)
