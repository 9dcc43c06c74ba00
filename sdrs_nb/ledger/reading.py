"""What the ledger tells of runs: every question that the stages ask, by name; rows are dictionaries of its columns."""

from collections.abc import Sequence
from typing import Any

from sdrs_nb.ledger.observing import OBSERVATIONS
from sdrs_nb.ledger.run_states import AttemptResult
from sdrs_nb.ledger.store import Store
from sdrs_nb.statuses import MADE, REACHED, Stage

__all__ = ["Reader"]

_REACHED = ", ".join(f"'{stage}'" for stage in sorted(REACHED))
_RUNS = f"""
SELECT run_id, created_at, state, (SELECT count(*) FROM batches b WHERE b.run_id = r.run_id) AS batches,
  (SELECT count(*) FROM servers s WHERE s.run_id = r.run_id) AS servers,
  (SELECT count(*) FROM servers s WHERE s.run_id = r.run_id
    AND s.stage IN ({_REACHED})) AS done,
  (SELECT count(*) FROM servers s WHERE s.run_id = r.run_id AND s.stage = '{Stage.FAILED}') AS failed,
  (SELECT count(*) FROM servers s WHERE s.run_id = r.run_id AND s.stage = '{Stage.UNKNOWN}') AS unknown,
  endpoint, region, project_id, fingerprint, message, project_name, cloud_host, user_name, world
FROM runs r ORDER BY r.rowid DESC
"""  # noqa: S608 - words of ours
_BATCHES = f"""
SELECT b.batch_id, b.group_id, b.state, b.reason, b.job_id, j.status AS job_status,
  (SELECT count(*) FROM servers s WHERE s.run_id = b.run_id AND s.batch_id = b.batch_id) AS servers,
  (SELECT count(*) FROM servers s WHERE s.run_id = b.run_id AND s.batch_id = b.batch_id
    AND s.stage = '{Stage.FAILED}') AS failed
FROM batches b LEFT JOIN jobs j ON j.run_id = b.run_id AND j.job_id = b.job_id
WHERE b.run_id = ? ORDER BY b.position
"""  # noqa: S608 - words of ours
# From intent to the first look that saw the end, of every batch that has ended, in our own seconds.
_TOOK = """
SELECT (julianday(j.last_look_at) - julianday(min(a.intent_at))) * 86400 AS seconds
FROM jobs j JOIN attempts a USING (run_id, batch_id) JOIN batches b USING (run_id, batch_id)
WHERE j.run_id = ? AND b.state = 'ended' GROUP BY j.job_id
"""
_TO_GO = """
SELECT sum(CASE WHEN state IN ('pending', 'sending', 'uncertain') THEN 1.0 WHEN state = 'accepted' THEN 0.5 ELSE 0 END)
  AS batches FROM batches WHERE run_id = ? GROUP BY group_id
"""
_NEWEST_IN = f"""
SELECT r.run_id FROM servers s JOIN runs r USING (run_id)
WHERE s.group_id = ? AND s.stage IN ({", ".join(f"'{stage}'" for stage in sorted(MADE))}) ORDER BY r.rowid DESC LIMIT 1
"""  # noqa: S608 - words of ours
_SUCCESSFUL_JOBS = """
SELECT j.document FROM jobs j JOIN runs r USING (run_id) WHERE j.status = 'SUCCESS'
  AND json_extract(j.document, '$.end_time') IS NOT NULL
  AND (?1 IS NULL OR r.endpoint = ?1) AND (?2 IS NULL OR r.project_id = ?2)
  AND (coalesce(json_extract(r.plan, '$.undoes'), '') <> '') = ?3 ORDER BY j.last_look_at DESC LIMIT ?4
"""


class Reader(Store):
    """The open ledger file and what is asked of it; every method raises ``LedgerError`` when it cannot be read."""

    def runs(self) -> list[dict[str, Any]]:
        """Return every run with its servers counted, the newest first."""
        return self.rows(_RUNS)

    def runs_of(self, fingerprint: str = "") -> list[dict[str, Any]]:
        """Return the records of the runs of a plan (``""``: of every plan), the newest first."""
        return self.rows("SELECT * FROM runs WHERE ?1 IN ('', fingerprint) ORDER BY rowid DESC", fingerprint)

    def run(self, run_id: str) -> dict[str, Any] | None:
        """Return the run's record as it is now, None where there is none."""
        return next(iter(self.rows("SELECT * FROM runs WHERE run_id = ?", run_id)), None)

    def batches(self, run_id: str) -> list[dict[str, Any]]:
        """Return the run's batches in sending order, each with its job's status and its servers counted."""
        return self.rows(_BATCHES, run_id)

    def batch(self, run_id: str, batch_id: str) -> dict[str, Any]:
        """Return where a batch stands."""
        return self.rows("SELECT * FROM batches WHERE run_id = ? AND batch_id = ?", run_id, batch_id)[0]

    def servers(self, run_id: str) -> list[dict[str, Any]]:
        """Return the run's servers in sending order, each with its batch's state (``batch_state``)."""
        return self.rows(
            "SELECT s.*, b.state AS batch_state FROM servers s JOIN batches b USING (run_id, batch_id) "
            "WHERE s.run_id = ? ORDER BY b.position, s.position",
            run_id,
        )

    def stages(self, run_id: str, batch_id: str | None = None) -> dict[str, int]:
        """Return how many servers of the run, or of one batch, stand at each stage."""
        counted = self.rows(
            "SELECT stage, count(*) AS n FROM servers WHERE run_id = ?1 AND ?2 IN ('', batch_id) GROUP BY stage",
            run_id,
            batch_id or "",
        )
        return {row["stage"]: row["n"] for row in counted}

    def attempts(self, run_id: str) -> list[dict[str, Any]]:
        """Return the run's requests that were or may have been sent, the oldest first."""
        return self.rows("SELECT * FROM attempts WHERE run_id = ? ORDER BY attempt_id", run_id)

    def newest_attempt(self, run_id: str, batch_id: str) -> dict[str, Any]:
        """Return the batch's newest attempt that can have left."""
        return self.rows(
            "SELECT * FROM attempts WHERE run_id = ? AND batch_id = ? AND (result IS NULL OR result <> ?) "
            "ORDER BY attempt_id DESC LIMIT 1",
            run_id,
            batch_id,
            AttemptResult.NOT_HANDLED,
        )[0]

    def count_results(self, run_id: str, results: Sequence[AttemptResult], batch_id: str = "") -> int:
        """Return how many requests of the run, or of one batch, came to one of these results."""
        return sum(
            row["result"] in results and batch_id in ("", row["batch_id"])
            for row in self.rows("SELECT batch_id, result FROM attempts WHERE run_id = ?", run_id)
        )

    def jobs(self, run_id: str) -> list[dict[str, Any]]:
        """Return the run's jobs, the first seen first."""
        return self.rows("SELECT * FROM jobs WHERE run_id = ? ORDER BY first_look_at, job_id", run_id)

    def successful_jobs(
        self, endpoint: str | None, project_id: str | None, *, deletions: bool, at_most: int
    ) -> list[str]:
        """Return the documents of the newest jobs that succeeded, the newest first, None meaning any."""
        found = self.rows(_SUCCESSFUL_JOBS, endpoint, project_id, int(deletions), at_most)
        return [str(row["document"]) for row in found]

    def seconds_of_batches(self, run_id: str) -> list[float]:
        """Return the seconds from intent to the end of every batch that has ended, the shortest first."""
        return sorted(float(row["seconds"]) for row in self.rows(_TOOK, run_id))

    def batches_to_go(self, run_id: str) -> float:
        """Return the batches still to come in the group with the most of them; one under way counts half."""
        return max(float(row["batches"]) for row in self.rows(_TO_GO, run_id))

    def newest_run_in(self, group_id: str) -> str | None:
        """Return the newest run that made instances in a protection group, None where none did."""
        rows = self.rows(_NEWEST_IN, group_id)
        return str(rows[0]["run_id"]) if rows else None

    def groups_acted_on(self, run_id: str, action: str) -> list[str]:
        """Return the groups on which an action was tried."""
        rows = self.rows("SELECT group_id FROM actions WHERE run_id = ? AND action = ?", run_id, action)
        return [str(row["group_id"]) for row in rows]

    def observations(
        self, run_id: str | None = None, *, like_run: str | None = None, scope: str | None = None
    ) -> list[dict[str, Any]]:
        """Return what was seen of assumptions, the newest last: by one run, on the cloud of a run, or of a scope."""
        return self.rows(OBSERVATIONS, run_id, like_run, scope)

    def done_items(self, run_id: str) -> dict[str, dict[str, Any]]:
        """Return what was ticked off the run's to-do list, by task: ``done_at`` and ``note``."""
        rows = self.rows("SELECT item, done_at, note FROM done_items WHERE run_id = ?", run_id)
        return {str(row["item"]): row for row in rows}

    def events(self, run_id: str) -> list[dict[str, Any]]:
        """Return what happened, the oldest first."""
        return self.rows(
            "SELECT event_id, at, kind, batch_id, data FROM events WHERE run_id = ? ORDER BY event_id", run_id
        )
