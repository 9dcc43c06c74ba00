"""The ledger: what was approved, what was about to be sent, what was answered, what became of it, on disk first.

One SQLite file in write-ahead mode under ``SDRS_NB_HOME`` (else the user's data folder), safe with several
notebooks and processes at once.  A create request leaves this machine only after its intent is committed here,
so whoever opens the file after a crash knows what may have been sent.  It holds no credential.

The state tables (``runs, batches, servers, attempts, jobs, actions``) say where a run stands; ``events`` keeps every
step with its time.  Times are UTC, written as ISO 8601 text.
"""

import json
import secrets
import sqlite3
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sdrs_nb.home import home_folder
from sdrs_nb.i18n import _
from sdrs_nb.ledger.claims import insert_batch, refuse_claimed
from sdrs_nb.ledger.run_states import AttemptResult, BatchState, Control, RunState
from sdrs_nb.ledger.store import Store
from sdrs_nb.models import Approval, Wait
from sdrs_nb.statuses import Stage, has_ended

__all__ = ["GOING_ON", "WAITING", "AttemptResult", "BatchState", "Control", "Ledger", "RunState", "home_folder"]

#: Batches of which nothing exists and nothing will be sent: their servers are free.
_NOTHING_MADE = frozenset({BatchState.HELD, BatchState.REFUSED})
#: Kinds of events: the run's calls begin to wait for the gateway's limit, and leave again.
WAITING, GOING_ON = "waiting", "going on"
_KNOWN = ("job_id", "protected_instance_id", "dr_server_id", "error_code", "message")


class Ledger(Store):
    """The open ledger file and everything that is written to it; see ``Store`` for its parameters and errors.

    Every writing method is one transaction, on disk when it returns, and raises ``LedgerError`` when it cannot be.
    """

    # Runs

    def create_run(
        self,
        *,
        scope: Mapping[str, str],
        plan: Any,
        approval: Approval,
        settings: Mapping[str, object],
        findings: Sequence[Mapping[str, Any]] | None = None,
    ) -> str:
        """Record a run of ``plan`` and claim its servers, in one step; returns its new ``run_id``.

        Parameters
        ----------
        scope
            ``endpoint``, ``region`` and ``project_id`` the run talks to.
        plan
            A ``Plan``; its whole document is kept, so the run can be carried on without it.
        findings
            What the rules said of the planned servers when the plan was made, one mapping a finding.

        Raises
        ------
        ClaimedError
            Another run that is not done holds some of the servers; names the run and who approved it.
        """
        run_id = f"{self.clock():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        claim_scope = f"{scope['endpoint']} {scope['project_id']}"
        with self._write("run") as db:
            refuse_claimed(db, claim_scope, plan)
            db.execute(
                "INSERT INTO runs (run_id, created_at, endpoint, region, project_id, fingerprint, rulebook_version, "
                "plan, approval, settings, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    run_id, self._now(), scope["endpoint"], scope["region"], scope["project_id"], plan.fingerprint,
                    plan.rulebook_version, json.dumps(plan.to_document(), ensure_ascii=False),
                    approval.model_dump_json(), json.dumps(dict(settings)), RunState.READY,
                ),
            )  # fmt: skip
            for position, batch in enumerate(plan.batches):
                insert_batch(db, run_id, claim_scope, position, batch, names=plan.server_names)
            if findings is not None:
                self._keep_findings(db, run_id, "plan", "", findings)
            self._event(db, run_id, "run recorded", None, fingerprint=plan.fingerprint, who=approval.who)
        return run_id

    def set_run(self, run_id: str, state: RunState, message: str = "") -> None:
        """Record where the run stands."""
        with self._write("run state") as db:
            db.execute("UPDATE runs SET state = ?, message = ? WHERE run_id = ?", (state, message, run_id))
            self._event(db, run_id, f"run {state}", None, message=message)

    def set_control(self, run_id: str, control: Control, reason: str = "") -> None:
        """Record what the operator wants of the run; whoever carries it on looks here before each request."""
        with self._write("control") as db:
            db.execute("UPDATE runs SET control = ?, control_reason = ? WHERE run_id = ?", (control, reason, run_id))
            self._event(db, run_id, f"control {control}", None, reason=reason)

    def control_of(self, run_id: str) -> tuple[Control, str]:
        """Return what the operator wants of the run, and why."""
        row = self.rows("SELECT control, control_reason FROM runs WHERE run_id = ?", run_id)[0]
        return Control(row["control"]), str(row["control_reason"])

    def release(self, run_id: str, reason: str = "") -> int:
        """Give up what was never sent: those batches are held for good, their servers free; returns how many."""
        with self._write("release") as db:
            before = db.execute("SELECT count(*) FROM claims WHERE run_id = ?", (run_id,)).fetchone()[0]
            waiting = db.execute(
                "SELECT batch_id FROM batches WHERE run_id = ? AND state = ?", (run_id, BatchState.PENDING)
            ).fetchall()
            why = reason or _("Released before it was sent.")
            for (batch_id,) in waiting:
                self._batch(db, run_id, batch_id, BatchState.HELD, reason=why)
                db.execute("UPDATE servers SET message = ? WHERE run_id = ? AND batch_id = ?", (why, run_id, batch_id))
            freed = int(before - db.execute("SELECT count(*) FROM claims WHERE run_id = ?", (run_id,)).fetchone()[0])
            self._event(db, run_id, "released", None, servers=freed, batches=len(waiting))
        return freed

    # Requests

    def intend(
        self, run_id: str, batch_id: str, payload_sha256: str, findings: Sequence[Mapping[str, Any]] | None = None
    ) -> int | None:
        """Record that the batch is about to be sent; only after this returns may the POST leave.

        Until the answer is recorded its servers are ``unknown``: whoever reads the ledger after a crash sees that
        they may have been sent.  ``findings`` is what the rules said at the door.

        Returns
        -------
        int or None
            The number of the attempt; None when the batch is not pending any more (cancelled by another process):
            then nothing may be sent.
        """
        with self._write("intent") as db:
            taken = db.execute(
                "UPDATE batches SET state = ?, reason = '' WHERE run_id = ? AND batch_id = ? AND state = ?",
                (BatchState.SENDING, run_id, batch_id, BatchState.PENDING),
            ).rowcount
            if not taken:
                return None
            attempt = db.execute(
                "INSERT INTO attempts (run_id, batch_id, payload_sha256, intent_at) VALUES (?, ?, ?, ?)",
                (run_id, batch_id, payload_sha256, self._now()),
            ).lastrowid
            db.execute(
                "UPDATE servers SET stage = ?, message = ? WHERE run_id = ? AND batch_id = ?",
                (Stage.UNKNOWN, _("The request was about to be sent; no answer is recorded."), run_id, batch_id),
            )
            if findings is not None:
                self._keep_findings(db, run_id, "door", batch_id, findings)
            self._event(db, run_id, "intent", batch_id, attempt=attempt, payload_sha256=payload_sha256)
        return int(attempt or 0)

    def answer(
        self,
        attempt_id: int,
        result: AttemptResult,
        *,
        state: BatchState,
        job_id: str | None = None,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        message: str = "",
        stage: Stage | None = None,
        rows: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        """Record what an attempt came to, with the batch's new state and its servers' stage.

        ``stage`` is for every server of the batch; ``rows`` then say more of single ones, as in ``set_servers``.
        """
        with self._write("answer") as db:
            row = db.execute("SELECT run_id, batch_id FROM attempts WHERE attempt_id = ?", (attempt_id,)).fetchone()
            run_id, batch_id = row["run_id"], row["batch_id"]
            db.execute(
                "UPDATE attempts SET result = ?, answered_at = ?, job_id = ?, status = ?, code = ?, request_id = ?, "
                "message = ? WHERE attempt_id = ?",
                (result, self._now(), job_id, status, code, request_id, message, attempt_id),
            )
            if stage is not None:
                db.execute(
                    "UPDATE servers SET stage = ?, job_id = coalesce(?, job_id), error_code = ?, message = ? "
                    "WHERE run_id = ? AND batch_id = ?",
                    (stage, job_id, code, message, run_id, batch_id),
                )
            self._servers(db, run_id, rows)
            self._batch(db, run_id, batch_id, state, reason=message, job_id=job_id)
            self._event(
                db, run_id, f"answer {result}", batch_id, attempt=attempt_id, job_id=job_id, status=status, code=code,
                request_id=request_id, message=message,
            )  # fmt: skip

    def set_batch(
        self,
        run_id: str,
        batch_id: str,
        state: BatchState,
        reason: str = "",
        *,
        rows: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        """Record where a batch stands, in a sentence why, and in the same step what became of its servers."""
        with self._write("batch state") as db:
            self._servers(db, run_id, rows)
            self._batch(db, run_id, batch_id, state, reason=reason)
            self._event(db, run_id, f"batch {state}", batch_id, reason=reason)

    def look(
        self,
        run_id: str,
        batch_id: str,
        job_id: str,
        status: str,
        document: Mapping[str, Any],
        *,
        rows: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        """Record one look at a job: its status, the document as it came, and what it says of single servers."""
        with self._write("look") as db:
            now = self._now()
            db.execute(
                "INSERT INTO jobs VALUES (?, ?, ?, ?, ?, 1, ?, ?) ON CONFLICT (run_id, job_id) DO UPDATE SET "
                "status = excluded.status, document = excluded.document, looks = looks + 1, "
                "last_look_at = excluded.last_look_at",
                (run_id, job_id, batch_id, status, json.dumps(dict(document), ensure_ascii=False), now, now),
            )
            self._servers(db, run_id, rows)
            self._event(db, run_id, "look", batch_id, job_id=job_id, status=status)

    def set_servers(self, run_id: str, batch_id: str | None, rows: Iterable[Mapping[str, Any]]) -> None:
        """Record the stage of servers: ``server_id``, ``stage`` and whichever other columns are known.

        A server that has ended is no longer held against other runs.
        """
        changed = list(rows)
        with self._write("servers") as db:
            self._servers(db, run_id, changed)
            stages = {row["server_id"]: str(row["stage"]) for row in changed}
            self._event(db, run_id, "servers", batch_id, stages=stages)

    def note(self, run_id: str, kind: str, batch_id: str | None = None, **data: object) -> None:
        """Record something that happened and changed no state."""
        with self._write("note") as db:
            self._event(db, run_id, kind, batch_id, **data)

    def waits(self, run_id: str, wait: Wait | None) -> None:
        """Record that the run's calls wait for the gateway's limit from now on, or (None) that they leave again."""
        self.note(run_id, WAITING if wait is not None else GOING_ON, **(wait.model_dump(mode="json") if wait else {}))

    def waiting(self, run_id: str) -> Wait | None:
        """Return the wait that holds the run's calls back now; None where none does."""
        rows = self.rows(
            "SELECT kind, data FROM events WHERE run_id = ? AND kind IN (?, ?) ORDER BY event_id DESC LIMIT 1",
            run_id,
            WAITING,
            GOING_ON,
        )
        if not rows or rows[0]["kind"] != WAITING:
            return None
        wait = Wait.model_validate_json(rows[0]["data"])
        return wait if wait.until > self.clock() else None

    # Actions on groups

    def intend_action(self, run_id: str, group_id: str, action: str) -> None:
        """Record that an action on a group is about to be sent."""
        with self._write("action intent") as db:
            db.execute(
                "INSERT INTO actions (run_id, group_id, action, intent_at) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (run_id, group_id, action) DO UPDATE SET intent_at = excluded.intent_at, result = NULL",
                (run_id, group_id, action, self._now()),
            )
            self._event(db, run_id, "action intent", None, group_id=group_id, action=action)

    def answer_action(
        self, run_id: str, group_id: str, action: str, result: str, *, job_id: str | None = None, message: str = ""
    ) -> None:
        """Record what an action on a group came to."""
        with self._write("action answer") as db:
            db.execute(
                "UPDATE actions SET result = ?, answered_at = ?, job_id = coalesce(?, job_id), message = ? "
                "WHERE run_id = ? AND group_id = ? AND action = ?",
                (result, self._now(), job_id, message, run_id, group_id, action),
            )
            self._event(
                db, run_id, f"action {result}", None, group_id=group_id, action=action, job_id=job_id, message=message
            )

    # Findings

    def _keep_findings(
        self, db: sqlite3.Connection, run_id: str, origin: str, batch_id: str, findings: Sequence[Mapping[str, Any]]
    ) -> None:
        packed = zlib.compress(json.dumps([dict(one) for one in findings], ensure_ascii=False, default=str).encode())
        db.execute(
            "INSERT OR REPLACE INTO findings VALUES (?, ?, ?, ?, ?)", (run_id, origin, batch_id, self._now(), packed)
        )

    def findings(self, run_id: str) -> list[dict[str, Any]]:
        """Return every finding kept with the run, each with its ``origin`` (``plan`` or ``door``) and ``taken_at``."""
        stored = self.rows("SELECT * FROM findings WHERE run_id = ? ORDER BY origin DESC, batch_id", run_id)
        return [
            {"origin": row["origin"], "taken_at": row["taken_at"], **one}
            for row in stored
            for one in json.loads(zlib.decompress(row["rows"]))
        ]

    # Parts of transactions

    @staticmethod
    def _batch(
        db: sqlite3.Connection, run_id: str, batch_id: str, state: BatchState, *, reason: str = "",
        job_id: str | None = None,
    ) -> None:  # fmt: skip
        db.execute(
            "UPDATE batches SET state = ?, reason = ?, job_id = coalesce(?, job_id) WHERE run_id = ? AND batch_id = ?",
            (state, reason, job_id, run_id, batch_id),
        )
        if state in _NOTHING_MADE:
            db.execute(
                "DELETE FROM claims WHERE run_id = ? AND server_id IN "
                "(SELECT server_id FROM servers WHERE run_id = ? AND batch_id = ?)",
                (run_id, run_id, batch_id),
            )

    @staticmethod
    def _servers(db: sqlite3.Connection, run_id: str, rows: Iterable[Mapping[str, Any]]) -> None:
        for row in rows:
            names = [name for name in _KNOWN if name in row]
            text = "".join(f", {name} = ?" for name in names)
            db.execute(
                f"UPDATE servers SET stage = ?{text} WHERE run_id = ? AND server_id = ?",  # noqa: S608 - fixed names
                (row["stage"], *(row[name] for name in names), run_id, row["server_id"]),
            )
            if has_ended(row["stage"]):
                db.execute("DELETE FROM claims WHERE run_id = ? AND server_id = ?", (run_id, row["server_id"]))
