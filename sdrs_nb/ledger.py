"""The ledger: what was approved, what was about to be sent, what was answered, what became of it, on disk first.

One SQLite file in write-ahead mode under ``SDRS_NB_HOME`` (else the user's data folder), safe with several
notebooks and processes at once.  A create request leaves this machine only after its intent is committed here,
so whoever opens the file after a crash knows what may have been sent.  It holds no credential.

The state tables (``runs, batches, servers, attempts, jobs``) say where a run stands; ``events`` keeps every step
with its time.  Times are UTC, written as ISO 8601 text.
"""

import json
import os
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import platformdirs

from sdrs_nb.errors import ClaimedError, LedgerError
from sdrs_nb.i18n import _
from sdrs_nb.models import Approval, Stage

__all__ = ["AttemptResult", "BatchState", "Ledger", "RunState", "home_folder"]

SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE runs (
  run_id TEXT PRIMARY KEY, created_at TEXT NOT NULL, endpoint TEXT NOT NULL, region TEXT NOT NULL,
  project_id TEXT NOT NULL, fingerprint TEXT NOT NULL, rulebook_version TEXT NOT NULL, plan TEXT NOT NULL,
  approval TEXT NOT NULL, settings TEXT NOT NULL, state TEXT NOT NULL, message TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE batches (
  run_id TEXT NOT NULL REFERENCES runs, batch_id TEXT NOT NULL, position INTEGER NOT NULL, group_id TEXT NOT NULL,
  state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', job_id TEXT, PRIMARY KEY (run_id, batch_id)
) STRICT;
CREATE TABLE servers (
  run_id TEXT NOT NULL REFERENCES runs, server_id TEXT NOT NULL, batch_id TEXT NOT NULL, position INTEGER NOT NULL,
  name TEXT NOT NULL, group_id TEXT NOT NULL, stage TEXT NOT NULL, job_id TEXT, protected_instance_id TEXT,
  dr_server_id TEXT, error_code TEXT, message TEXT NOT NULL DEFAULT '', PRIMARY KEY (run_id, server_id)
) STRICT;
CREATE TABLE attempts (
  attempt_id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL REFERENCES runs, batch_id TEXT NOT NULL,
  payload_sha256 TEXT NOT NULL, intent_at TEXT NOT NULL, result TEXT, answered_at TEXT, job_id TEXT, status INTEGER,
  code TEXT, request_id TEXT, message TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE jobs (
  run_id TEXT NOT NULL REFERENCES runs, job_id TEXT NOT NULL, batch_id TEXT NOT NULL, status TEXT NOT NULL,
  document TEXT NOT NULL, looks INTEGER NOT NULL, first_look_at TEXT NOT NULL, last_look_at TEXT NOT NULL,
  PRIMARY KEY (run_id, job_id)
) STRICT;
CREATE TABLE claims (
  scope TEXT NOT NULL, server_id TEXT NOT NULL, run_id TEXT NOT NULL REFERENCES runs,
  PRIMARY KEY (scope, server_id)
) STRICT;
CREATE TABLE events (
  event_id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, at TEXT NOT NULL, kind TEXT NOT NULL,
  batch_id TEXT, data TEXT NOT NULL
) STRICT;
CREATE INDEX events_of_run ON events (run_id, event_id);
"""


class RunState(StrEnum):
    """Where a run stands."""

    READY = "ready"  # recorded, nothing sent yet
    RUNNING = "running"
    PAUSED = "paused"  # stopped on the way; resume carries on
    DONE = "done"  # every batch has come to an end that this run can bring about


class BatchState(StrEnum):
    """Where a batch stands; ``sending`` on disk without an answer means its fate must be looked up."""

    PENDING = "pending"
    SENDING = "sending"
    UNCERTAIN = "uncertain"
    ACCEPTED = "accepted"
    ENDED = "ended"
    REFUSED = "refused"
    HELD = "held"  # a fact changed before it was sent: not sent, with the reason
    UNKNOWN = "unknown"

    @property
    def is_final(self) -> bool:
        """Whether the run does nothing more about the batch."""
        return self in (BatchState.ENDED, BatchState.REFUSED, BatchState.HELD)


class AttemptResult(StrEnum):
    """What became of one POST."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_HANDLED = "not handled"  # throttled, not signed in, or no byte left this machine
    UNCERTAIN = "uncertain"
    ADOPTED = "adopted"  # its instances were found although the answer was lost
    ABSENT = "absent"  # after the settling time nothing of it was there


#: Stages after which the run no longer holds the server against other runs.
_RELEASED = frozenset({Stage.CREATED, Stage.PROTECTED, Stage.FAILED})


def home_folder() -> Path:
    """Return the folder of the ledger: ``SDRS_NB_HOME`` if set, else the user's data folder (not created)."""
    if chosen := os.environ.get("SDRS_NB_HOME"):
        return Path(chosen).expanduser()
    return platformdirs.user_data_path("sdrs_nb", appauthor=False)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Ledger:
    """The open ledger file.

    Parameters
    ----------
    path
        The SQLite file; by default ``ledger.db`` in ``home_folder()``, which is created when missing.
    clock
        Returns the present time, aware and in UTC.
    after_write
        Called with the kind of each write once it is committed; tests stop the process there.

    Raises
    ------
    LedgerError
        The file cannot be opened, is no ledger, was damaged, or was written by a newer version.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        clock: Callable[[], datetime] = _utc_now,
        after_write: Callable[[str], None] | None = None,
    ) -> None:
        self.path = path if path is not None else home_folder() / "ledger.db"
        self.clock = clock
        self._after_write = after_write
        self._lock = threading.RLock()
        with self._explained():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
            self._db.row_factory = sqlite3.Row
            self._db.execute("PRAGMA journal_mode=WAL")
            # FULL: an intent must survive a power cut, not only a crash.
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute("PRAGMA foreign_keys=ON")
        self._migrate()

    def __repr__(self) -> str:
        return f"Ledger({str(self.path)!r})"

    def close(self) -> None:
        """Close the file; further calls fail."""
        self._db.close()

    def _migrate(self) -> None:
        with self._explained():
            self._db.execute("BEGIN IMMEDIATE")
            found = self._db.execute("PRAGMA user_version").fetchone()[0]
            if found == 0:
                for statement in _SCHEMA.split(";\n"):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
            self._db.execute("COMMIT")
        if found > SCHEMA_VERSION:
            raise LedgerError(
                _(
                    "The ledger {path} was written by a newer version of sdrs_nb (format {found}, this one knows "
                    "{known}). Update sdrs_nb, or set SDRS_NB_HOME to another folder.",
                    path=self.path,
                    found=found,
                    known=SCHEMA_VERSION,
                )
            )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise LedgerError(
                _(
                    "The ledger {path} cannot be used ({reason}), so nothing is sent. Make the folder writable and "
                    "free some space, or set SDRS_NB_HOME to another folder on a local disk.",
                    path=self.path,
                    reason=str(error),
                )
            ) from error

    @contextmanager
    def _write(self, kind: str) -> Iterator[sqlite3.Connection]:
        with self._lock, self._explained():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        if self._after_write is not None:
            self._after_write(kind)

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Return the rows of a reading ``query`` as dictionaries."""
        with self._lock, self._explained():
            return [dict(row) for row in self._db.execute(query, values)]

    def _now(self) -> str:
        return self.clock().astimezone(UTC).isoformat(timespec="milliseconds")

    def _event(self, db: sqlite3.Connection, run_id: str, kind: str, batch_id: str | None, **data: object) -> None:
        text = json.dumps({name: value for name, value in data.items() if value not in (None, "")}, ensure_ascii=False)
        db.execute(
            "INSERT INTO events (run_id, at, kind, batch_id, data) VALUES (?, ?, ?, ?, ?)",
            (run_id, self._now(), kind, batch_id, text),
        )

    # Runs

    def create_run(
        self,
        *,
        scope: Mapping[str, str],
        plan: Any,
        approval: Approval,
        settings: Mapping[str, object],
    ) -> str:
        """Record a run of ``plan`` and claim its servers, in one step; returns its new ``run_id``.

        Parameters
        ----------
        scope
            ``endpoint``, ``region`` and ``project_id`` the run talks to.
        plan
            A ``Plan``; its whole document is kept, so the run can be carried on without it.

        Raises
        ------
        ClaimedError
            Another run that is not done holds some of the servers; names it.
        """
        run_id = f"{self.clock():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        claim_scope = f"{scope['endpoint']} {scope['project_id']}"
        names = plan.server_names
        with self._write("run") as db:
            self._refuse_claimed(db, claim_scope, [s for batch in plan.batches for s in batch.server_ids], names)
            db.execute(
                "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '')",
                (
                    run_id, self._now(), scope["endpoint"], scope["region"], scope["project_id"], plan.fingerprint,
                    plan.rulebook_version, json.dumps(plan.to_document(), ensure_ascii=False),
                    approval.model_dump_json(), json.dumps(dict(settings)), RunState.READY,
                ),
            )  # fmt: skip
            for position, batch in enumerate(plan.batches):
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
                    "INSERT INTO claims VALUES (?, ?, ?)",
                    [(claim_scope, server, run_id) for server in batch.server_ids],
                )
            self._event(db, run_id, "run recorded", None, fingerprint=plan.fingerprint, who=approval.who)
        return run_id

    @staticmethod
    def _refuse_claimed(
        db: sqlite3.Connection, claim_scope: str, server_ids: Sequence[str], names: Mapping[str, str]
    ) -> None:
        wanted = set(server_ids)
        held = [
            (row["server_id"], row["run_id"])
            for row in db.execute("SELECT server_id, run_id FROM claims WHERE scope = ?", (claim_scope,))
            if row["server_id"] in wanted
        ]
        if held:
            server_id, run_id = min(held)
            raise ClaimedError(
                _(
                    "{count} of these servers are held by run {run}, the first is {name} ({server}). Resume that run "
                    "or release what it has not sent, then plan again.",
                    count=len(held),
                    run=run_id,
                    name=names.get(server_id, ""),
                    server=server_id,
                )
            )

    def set_run(self, run_id: str, state: RunState, message: str = "") -> None:
        """Record where the run stands."""
        with self._write("run state") as db:
            db.execute("UPDATE runs SET state = ?, message = ? WHERE run_id = ?", (state, message, run_id))
            self._event(db, run_id, f"run {state}", None, message=message)

    def release(self, run_id: str) -> int:
        """Give up the run's hold on servers of batches that were never sent; returns how many."""
        with self._write("release") as db:
            freed = db.execute(
                "DELETE FROM claims WHERE run_id = ? AND server_id IN (SELECT s.server_id FROM servers s "
                "JOIN batches b USING (run_id, batch_id) WHERE s.run_id = ? AND b.state IN (?, ?, ?))",
                (run_id, run_id, BatchState.PENDING, BatchState.HELD, BatchState.REFUSED),
            ).rowcount
            db.execute(
                "UPDATE batches SET state = ?, reason = ? WHERE run_id = ? AND state = ?",
                (BatchState.HELD, _("Released before it was sent."), run_id, BatchState.PENDING),
            )
            self._event(db, run_id, "released", None, servers=freed)
        return freed

    # Batches

    def intend(self, run_id: str, batch_id: str, payload_sha256: str) -> int:
        """Record that the batch is about to be sent; only after this returns may the POST leave.

        Returns the number of the attempt.
        """
        with self._write("intent") as db:
            attempt = db.execute(
                "INSERT INTO attempts (run_id, batch_id, payload_sha256, intent_at) VALUES (?, ?, ?, ?)",
                (run_id, batch_id, payload_sha256, self._now()),
            ).lastrowid
            self._batch(db, run_id, batch_id, BatchState.SENDING)
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
    ) -> None:
        """Record what an attempt came to, with the batch's new state and its servers' ``stage`` if it changed."""
        with self._write("answer") as db:
            row = db.execute("SELECT run_id, batch_id FROM attempts WHERE attempt_id = ?", (attempt_id,)).fetchone()
            db.execute(
                "UPDATE attempts SET result = ?, answered_at = ?, job_id = ?, status = ?, code = ?, request_id = ?, "
                "message = ? WHERE attempt_id = ?",
                (result, self._now(), job_id, status, code, request_id, message, attempt_id),
            )
            self._batch(db, row["run_id"], row["batch_id"], state, reason=message, job_id=job_id)
            if stage is not None:
                db.execute(
                    "UPDATE servers SET stage = ?, job_id = coalesce(?, job_id), error_code = ?, message = ? "
                    "WHERE run_id = ? AND batch_id = ?",
                    (stage, job_id, code, message, row["run_id"], row["batch_id"]),
                )
                self._release_stage(db, row["run_id"], row["batch_id"], stage)
            self._event(
                db, row["run_id"], f"answer {result}", row["batch_id"], attempt=attempt_id, job_id=job_id,
                status=status, code=code, request_id=request_id, message=message,
            )  # fmt: skip

    @staticmethod
    def _release_stage(db: sqlite3.Connection, run_id: str, batch_id: str, stage: Stage) -> None:
        if stage in _RELEASED:
            db.execute(
                "DELETE FROM claims WHERE run_id = ? AND server_id IN "
                "(SELECT server_id FROM servers WHERE run_id = ? AND batch_id = ?)",
                (run_id, run_id, batch_id),
            )

    @staticmethod
    def _batch(
        db: sqlite3.Connection, run_id: str, batch_id: str, state: BatchState, *, reason: str = "",
        job_id: str | None = None,
    ) -> None:  # fmt: skip
        db.execute(
            "UPDATE batches SET state = ?, reason = ?, job_id = coalesce(?, job_id) WHERE run_id = ? AND batch_id = ?",
            (state, reason, job_id, run_id, batch_id),
        )

    def set_batch(self, run_id: str, batch_id: str, state: BatchState, reason: str = "") -> None:
        """Record where a batch stands and, in a sentence, why."""
        with self._write("batch state") as db:
            self._batch(db, run_id, batch_id, state, reason=reason)
            self._event(db, run_id, f"batch {state}", batch_id, reason=reason)

    def look(self, run_id: str, batch_id: str, job_id: str, status: str, document: Mapping[str, Any]) -> None:
        """Record one look at a job: its status and the document as it came."""
        with self._write("look") as db:
            now = self._now()
            db.execute(
                "INSERT INTO jobs VALUES (?, ?, ?, ?, ?, 1, ?, ?) ON CONFLICT (run_id, job_id) DO UPDATE SET "
                "status = excluded.status, document = excluded.document, looks = looks + 1, "
                "last_look_at = excluded.last_look_at",
                (run_id, job_id, batch_id, status, json.dumps(dict(document), ensure_ascii=False), now, now),
            )
            self._event(db, run_id, "look", batch_id, job_id=job_id, status=status)

    def set_servers(self, run_id: str, batch_id: str | None, rows: Iterable[Mapping[str, Any]]) -> None:
        """Record the stage of servers: ``server_id``, ``stage`` and whichever other columns are known.

        A server with an end (created, protected, failed) is no longer held against other runs.
        """
        known = ("job_id", "protected_instance_id", "dr_server_id", "error_code", "message")
        changed = list(rows)
        with self._write("servers") as db:
            for row in changed:
                names = [name for name in known if name in row]
                text = "".join(f", {name} = ?" for name in names)
                db.execute(
                    f"UPDATE servers SET stage = ?{text} WHERE run_id = ? AND server_id = ?",  # noqa: S608 - fixed names
                    (row["stage"], *(row[name] for name in names), run_id, row["server_id"]),
                )
                if row["stage"] in _RELEASED:
                    db.execute("DELETE FROM claims WHERE run_id = ? AND server_id = ?", (run_id, row["server_id"]))
            stages = {row["server_id"]: str(row["stage"]) for row in changed}
            self._event(db, run_id, "servers", batch_id, stages=stages)

    def note(self, run_id: str, kind: str, batch_id: str | None = None, **data: object) -> None:
        """Record something that happened and changed no state."""
        with self._write("note") as db:
            self._event(db, run_id, kind, batch_id, **data)
