"""The ledger's file: opened with care, read as dictionaries, written in whole transactions."""

import json
import sqlite3
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sdrs_nb.errors import LedgerError, SdrsError
from sdrs_nb.home import home_folder, require_local
from sdrs_nb.i18n import _
from sdrs_nb.ledger.schema import SCHEMA_VERSION, is_ledger, upgrade
from sdrs_nb.shown.disk import close_to_others, private_file, private_folder

__all__ = ["Store"]

#: Files of the home folder that others write, and SQLite's own of them.
_BESIDE = frozenset({"filters.json", "calls.db", "calls.db-journal", "calls.db-wal", "calls.db-shm"})
#: Seconds a write waits for another process's write.
_BUSY_S = 30


class Store:
    """The open ledger file; ``Ledger`` adds what is written to it.

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
        The file cannot be opened or written, is no ledger, was damaged, was written by a newer version, or lies on
        a network file system.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        after_write: Callable[[str], None] | None = None,
    ) -> None:
        self.path = path if path is not None else home_folder() / "ledger.db"
        self.clock = clock
        self._after_write = after_write
        self._lock = threading.RLock()
        require_local(self.path.parent)
        with self._explained():
            private_folder(self.path.parent)
            private_file(self.path)
            beside = [each for each in self.path.parent.glob("*") if each.suffix == ".lock" or each.name in _BESIDE]
            for each in (*beside, *(Path(f"{self.path}{end}") for end in ("-wal", "-shm", "-journal"))):
                close_to_others(each)
            self._db = sqlite3.connect(self.path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            self._open()
        except BaseException:
            self._db.close()
            raise

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"

    def close(self) -> None:
        """Close the file; further calls fail."""
        self._db.close()

    def _open(self) -> None:
        with self._explained():
            self._db.row_factory = sqlite3.Row
            said = str(self._db.execute("PRAGMA quick_check(1)").fetchone()[0])
            if said != "ok":
                raise sqlite3.DatabaseError(said)
            if not is_ledger(self._db):
                raise sqlite3.DatabaseError(_("it is a database of another program"))
            self._db.execute("PRAGMA journal_mode=WAL")
            # FULL: an intent must survive a power cut, not only a crash.
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute("PRAGMA foreign_keys=ON")
            found = upgrade(self._db)
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
        except (sqlite3.Error, OSError, UnicodeError) as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            # Text that is no UTF-8 was never written by us; the driver says so with or without a code.
            garbled = isinstance(error, UnicodeError) or "decode" in str(error)
            named = garbled or type(error) is sqlite3.DatabaseError
            reason = getattr(error, "strerror", None) or error
            if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or (not code and named):
                raise LedgerError(self._damaged(reason)) from error
            raise LedgerError(
                _(
                    "The ledger {path} cannot be used ({reason}), so nothing is sent. Make the folder writable and "
                    "free some space, or set SDRS_NB_HOME to another folder on a local disk.",
                    path=self.path,
                    reason=reason,
                )
            ) from error

    @contextmanager
    def readable(self) -> Iterator[None]:
        """Take a document of the ledger that cannot be read for what it is, damage; around whatever parses one."""
        try:
            yield
        except SdrsError:
            raise
        except (ValueError, zlib.error) as error:  # json's, pydantic's, and bytes that are not UTF-8
            raise LedgerError(self._damaged(_("a document in it cannot be read"))) from error

    def _damaged(self, reason: object) -> str:
        return _(
            "The ledger {path} is damaged or no ledger ({reason}), so nothing is sent. Keep the file for whoever "
            "looks into it, and restore a copy or set SDRS_NB_HOME to another folder.",
            path=self.path,
            reason=reason,
        )

    @contextmanager
    def _write(self, kind: str) -> Iterator[sqlite3.Connection]:
        with self._lock, self._explained():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        if self._after_write is not None:
            self._after_write(kind)

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Return the rows of a reading ``query`` as dictionaries.

        Raises
        ------
        LedgerError
            The file cannot be read.
        """
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
