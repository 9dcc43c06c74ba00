"""What was seen of the assumptions on the cloud of each run."""

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["CONFIRMED", "CONTRADICTED", "OBSERVATIONS", "Observation", "keep_observations"]

CONFIRMED, CONTRADICTED = "confirmed", "contradicted"
#: Which cloud it was seen on, as runs are claimed: world or endpoint, and project.
_SCOPE = "(CASE WHEN r.world <> '' THEN r.world ELSE r.endpoint END) || ' ' || r.project_id"
_KEEP = f"""
INSERT INTO observations (scope, assumption, seen, run_id, request_id, first_at, last_at, detail)
  SELECT {_SCOPE}, ?2, ?3, r.run_id, ?4, ?5, ?5, ?6 FROM runs r WHERE r.run_id = ?1
  ON CONFLICT (scope, assumption, seen, run_id) DO UPDATE SET last_at = excluded.last_at
"""  # noqa: S608 - words of ours
#: What was seen on the cloud of a run, or by one run alone (?2), the newest last.
OBSERVATIONS = f"""
SELECT o.* FROM observations o WHERE (?1 IS NULL OR o.run_id = ?1)
  AND (?2 IS NULL OR o.scope = (SELECT {_SCOPE} FROM runs r WHERE r.run_id = ?2))
  AND (?3 IS NULL OR o.scope = ?3) ORDER BY o.last_at, o.rowid
"""  # noqa: S608 - words of ours


class Observation(NamedTuple):
    """What one look showed of an assumption: ``confirmed`` or ``contradicted``, and in a few words by what."""

    assumption: str
    seen: str
    detail: str


def keep_observations(
    db: sqlite3.Connection, run_id: str, at: str, request_id: str, observations: Iterable[Observation]
) -> list[Observation]:
    """Record them and return those that contradict an assumption and are news of this run."""
    known = {
        str(row[0])
        for row in db.execute(
            "SELECT assumption FROM observations WHERE run_id = ? AND seen = ?", (run_id, CONTRADICTED)
        )
    }
    news: list[Observation] = []
    for one in observations:
        db.execute(_KEEP, (run_id, one.assumption, one.seen, request_id, at, one.detail))
        if one.seen == CONTRADICTED and one.assumption not in known:
            known.add(one.assumption)
            news.append(one)
    return news
