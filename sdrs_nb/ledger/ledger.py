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
from datetime import UTC, datetime
from typing import Any

from sdrs_nb.home import home_folder
from sdrs_nb.i18n import _
from sdrs_nb.ledger.claims import free_servers, insert_batch, refuse_claimed
from sdrs_nb.ledger.evidence import times_offset
from sdrs_nb.ledger.observing import Observation, keep_observations
from sdrs_nb.ledger.pilots import Pilot, PilotStore
from sdrs_nb.ledger.run_states import AttemptResult, BatchState, Control, RunState
from sdrs_nb.ledger.transitions import batches_with_known_ends, is_doubted, move_batch, move_servers
from sdrs_nb.models import Approval, Wait
from sdrs_nb.statuses import Stage

__all__ = [
    "CONTRADICTION",
    "GOING_ON",
    "SCOPE",
    "WAITING",
    "AttemptResult",
    "BatchState",
    "Control",
    "Ledger",
    "RunState",
    "home_folder",
]

#: Kinds of events: the run's calls begin to wait for the gateway's limit, and leave again.
WAITING, GOING_ON = "waiting", "going on"
#: Kind of the event that an assumption was seen not to hold.
CONTRADICTION = "assumption contradicted"
#: Which cloud a run belongs to: columns of ``runs``, empty where it is not known.
SCOPE = ("endpoint", "region", "project_id", "project_name", "cloud_host", "user_name", "world")


class Ledger(PilotStore):
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
        times_offset_s: float = 0.0,
        pilot: Pilot | None = None,
    ) -> str:
        """Record a run of ``plan`` and claim its servers, in one step; returns its new ``run_id``.

        Parameters
        ----------
        scope
            The cloud the run talks to: ``endpoint``, ``region``, ``project_id``, and what else of ``SCOPE`` is known.
        plan
            A ``Plan``; its whole document is kept, so the run can be carried on without it.
        findings
            What the rules said of the planned servers when the plan was made, one mapping a finding.
        times_offset_s
            By how much times in the service's lists are ahead of UTC; what an earlier run saw of it wins.
        pilot
            The batch that goes alone; None where none does.

        Raises
        ------
        ClaimedError
            Another run that is not done holds some of the servers; names the run and who approved it.
        """
        run_id = f"{self.clock():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        claim_scope = f"{scope.get('world') or scope['endpoint']} {scope['project_id']}"
        known = [(name, scope.get(name, "")) for name in SCOPE]
        with self._write("run") as db:
            refuse_claimed(db, claim_scope, plan)
            db.execute(
                f"INSERT INTO runs (run_id, created_at, fingerprint, rulebook_version, plan, approval, settings, "  # noqa: S608 - names of ours
                f"state, times_offset_s, pilot, {', '.join(SCOPE)}) VALUES ({', '.join('?' * (10 + len(SCOPE)))})",
                (
                    run_id, self._now(), plan.fingerprint, plan.rulebook_version,
                    json.dumps(plan.to_document(), ensure_ascii=False), approval.model_dump_json(),
                    json.dumps(dict(settings)), RunState.READY, times_offset(db, scope, times_offset_s),
                    "" if pilot is None else pilot.model_dump_json(), *(value for _name, value in known),
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
        """Give up what was never sent: those batches are held for good, their servers free; returns how many.

        A batch with a request in doubt is not among them: see ``let_go``.
        """
        with self._write("release") as db:
            before = db.execute("SELECT count(*) FROM claims WHERE run_id = ?", (run_id,)).fetchone()[0]
            pending = db.execute(
                "SELECT batch_id FROM batches WHERE run_id = ? AND state = ?", (run_id, BatchState.PENDING)
            ).fetchall()
            waiting = [batch_id for (batch_id,) in pending if not is_doubted(db, run_id, batch_id)]
            why = reason or _("Released before it was sent.")
            for batch_id in waiting:
                move_batch(db, run_id, batch_id, BatchState.HELD, reason=why)
                db.execute("UPDATE servers SET message = ? WHERE run_id = ? AND batch_id = ?", (why, run_id, batch_id))
            freed = int(before - db.execute("SELECT count(*) FROM claims WHERE run_id = ?", (run_id,)).fetchone()[0])
            self._event(db, run_id, "released", None, servers=freed, batches=len(waiting))
        return freed

    def let_go(self, run_id: str, who: str, reason: str) -> list[str]:
        """Free the servers of batches whose fate is unknown, on the word of ``who``; returns the batches.

        What is known of them stays as it is: unknown.  Whoever plans these servers again answers for it that nothing
        of the requests in doubt comes true any more.
        """
        with self._write("let go") as db:
            doubted = [
                str(batch_id)
                for (batch_id,) in db.execute(
                    "SELECT batch_id FROM batches WHERE run_id = ? AND state IN (?, ?) ORDER BY position",
                    (run_id, BatchState.PENDING, BatchState.UNKNOWN),
                ).fetchall()
                if is_doubted(db, run_id, batch_id)
            ]
            for batch_id in doubted:
                move_batch(db, run_id, batch_id, BatchState.UNKNOWN, reason=reason)
                free_servers(db, run_id, batch_id)
                self._event(db, run_id, "let go", batch_id, who=who, reason=reason)
        return doubted

    def see_times(self, run_id: str, offset_s: float, said: str) -> None:
        """Record what an instance that the run made shows of the times in the service's lists, in a sentence."""
        with self._write("times") as db:
            db.execute("UPDATE runs SET times_offset_s = ?, times_seen = ? WHERE run_id = ?", (offset_s, said, run_id))
            self._event(db, run_id, "times of the lists", None, offset_s=offset_s, message=said)

    def observe(
        self, run_id: str, batch_id: str | None, observations: Iterable[Observation], request_id: str = ""
    ) -> None:
        """Record what a run saw of assumptions; what contradicts one, for the first time in the run, is an event."""
        with self._write("observations") as db:
            for one in keep_observations(db, run_id, self._now(), request_id, observations):
                self._event(db, run_id, CONTRADICTION, batch_id, assumption=one.assumption, message=one.detail)

    def tick(self, run_id: str, item: str, *, is_done: bool = True, note: str = "") -> None:
        """Record that a task of the run's to-do list is done, or is not after all; who says so is in ``note``."""
        with self._write("to do") as db:
            db.execute("DELETE FROM done_items WHERE run_id = ? AND item = ?", (run_id, item))
            if is_done:
                db.execute("INSERT INTO done_items VALUES (?, ?, ?, ?)", (run_id, item, self._now(), note))
            self._event(db, run_id, "task done" if is_done else "task open again", None, item=item, note=note)

    # Requests

    def intend(
        self,
        run_id: str,
        batch_id: str,
        payload_sha256: str,
        findings: Sequence[Mapping[str, Any]] | None = None,
        *,
        cloud_at: datetime | None = None,
    ) -> int | None:
        """Record that the batch is about to be sent; only after this returns may the POST leave.

        Until the answer is recorded its servers are ``unknown``: whoever reads the ledger after a crash sees that
        they may have been sent.  ``findings`` is what the rules said at the door; ``cloud_at`` a moment of the cloud's
        clock that has certainly come.

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
                "INSERT INTO attempts (run_id, batch_id, payload_sha256, intent_at, sent_cloud_at) "
                "VALUES (?, ?, ?, ?, ?)",
                (run_id, batch_id, payload_sha256, self._now(), _written(cloud_at)),
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
        cloud_at: datetime | None = None,
    ) -> None:
        """Record what an attempt came to, with the batch's new state and its servers' stage.

        ``stage`` is for every server of the batch; ``rows`` then say more of single ones, as in ``set_servers``.
        ``cloud_at`` is the moment by the cloud's clock.
        """
        with self._write("answer") as db:
            row = db.execute("SELECT run_id, batch_id FROM attempts WHERE attempt_id = ?", (attempt_id,)).fetchone()
            run_id, batch_id = row["run_id"], row["batch_id"]
            db.execute(
                "UPDATE attempts SET result = ?, answered_at = ?, job_id = ?, status = ?, code = ?, request_id = ?, "
                "message = ?, answered_cloud_at = coalesce(?, answered_cloud_at) WHERE attempt_id = ?",
                (result, self._now(), job_id, status, code, request_id, message, _written(cloud_at), attempt_id),
            )
            if stage is not None:
                if stage == Stage.NOT_SENT and is_doubted(db, run_id, batch_id):
                    stage = Stage.UNKNOWN
                db.execute(
                    "UPDATE servers SET stage = ?, job_id = coalesce(?, job_id), error_code = ?, message = ? "
                    "WHERE run_id = ? AND batch_id = ?",
                    (stage, job_id, code, message, run_id, batch_id),
                )
            move_servers(db, run_id, rows)
            move_batch(db, run_id, batch_id, state, reason=message, job_id=job_id)
            self._event(
                db, run_id, f"answer {result}", batch_id, attempt=attempt_id, job_id=job_id, status=status, code=code,
                request_id=request_id, message=message,
            )  # fmt: skip

    def settles_from(self, attempt_id: int, cloud_at: datetime) -> None:
        """Record from when on, by the cloud's clock, an attempt in doubt certainly was on its way no longer."""
        with self._write("settling") as db:
            db.execute(
                "UPDATE attempts SET settling_from = ? WHERE attempt_id = ? AND settling_from IS NULL",
                (_written(cloud_at), attempt_id),
            )

    def set_batch(
        self, run_id: str, batch_id: str, state: BatchState, reason: str = "", *, rows: Iterable[Mapping[str, Any]] = ()
    ) -> None:
        """Record where a batch stands, in a sentence why, and in the same step what became of its servers.

        A batch with a request in doubt is never held and its servers are never called not sent: they are unknown.
        """
        with self._write("batch state") as db:
            move_servers(db, run_id, rows)
            move_batch(db, run_id, batch_id, state, reason=reason)
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
            move_servers(db, run_id, rows)
            self._event(db, run_id, "look", batch_id, job_id=job_id, status=status)

    def set_servers(self, run_id: str, batch_id: str | None, rows: Iterable[Mapping[str, Any]]) -> None:
        """Record the stage of servers: ``server_id``, ``stage`` and whichever other columns are known.

        A server that has ended is no longer held against other runs.
        """
        changed = list(rows)
        with self._write("servers") as db:
            move_servers(db, run_id, changed)
            stages = {row["server_id"]: str(row["stage"]) for row in changed}
            self._event(db, run_id, "servers", batch_id, stages=stages)

    def end_batches(self, run_id: str) -> None:
        """Record that batches whose end was unknown have ended, where it is known of every server of theirs by now."""
        with self._write("batches ended") as db:
            for batch_id in batches_with_known_ends(db, run_id):
                move_batch(db, run_id, batch_id, BatchState.ENDED)
                self._event(db, run_id, f"batch {BatchState.ENDED}", batch_id)

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
        with self.readable():
            return [
                {"origin": row["origin"], "taken_at": row["taken_at"], **one}
                for row in stored
                for one in json.loads(zlib.decompress(row["rows"]))
            ]


def _written(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="milliseconds")
