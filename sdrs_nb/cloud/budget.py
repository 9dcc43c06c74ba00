"""The call budget that the gateway itself names, shared by every process of this machine.

A 429 of the gateway says how many calls it takes in which time (``limit:20,time:1 second``; sdrs-api.md section 1.1).
From then on calls are counted in a small file beside the ledger, and whoever would exceed the budget waits until the
oldest counted call has left the window.  Nothing is written before a 429 was met.
"""

import re
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sdrs_nb.home import home_folder
from sdrs_nb.shown.disk import private_file, private_folder

__all__ = ["Allowance", "BudgetBook", "allowance_at", "read_limit"]

#: A budget not confirmed by a 429 for so long is forgotten: limits are raised, and nobody tells us
#: (ASSUMED: limit_memory).
FORGET_S = 3600.0
#: Calls of this process remembered before any 429, so that a first one already knows who filled the window.
_REMEMBERED = 5000
_UNITS = {"millisecond": 0.001, "second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}
_LIMIT = re.compile(r"limit:\s*(\d+)\s*,\s*time:\s*(\d+)\s*(millisecond|second|minute|hour|day)s?", re.IGNORECASE)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS budgets
  (scope TEXT PRIMARY KEY, calls INTEGER, window_s REAL, learnt_at REAL, shut_until REAL);
CREATE TABLE IF NOT EXISTS calls (scope TEXT, at REAL);
CREATE INDEX IF NOT EXISTS calls_of_scope ON calls (scope, at)
"""


def read_limit(text: str) -> tuple[int, float] | None:
    """Return calls and seconds of the window that a gateway's text names, None where it names none.

    >>> read_limit("policy user over ratelimit,limit:20,time:1 minute")
    (20, 60.0)
    """
    found = _LIMIT.search(text)
    if found is None or int(found[1]) == 0 or int(found[2]) == 0:
        return None
    return int(found[1]), int(found[2]) * _UNITS[found[3].lower()]


@dataclass(frozen=True, slots=True)
class Allowance:
    """A learnt budget as it stands: ``left`` of ``calls`` in ``window_s`` seconds, the next in ``free_in_s``."""

    calls: int
    window_s: float
    left: int
    free_in_s: float


class BudgetBook:
    """Budgets and counted calls by scope, in a file that processes share.

    Parameters
    ----------
    path
        The file, made when the first budget is learnt; by default ``calls.db`` beside the ledger.
    clock
        Returns seconds; the same for every process (wall time).

    Attributes
    ----------
    clock
        As given.

    Notes
    -----
    A file that cannot be used is no reason to stop: the budget then lives in this process alone.
    """

    def __init__(self, path: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        self.path = path if path is not None else home_folder() / "calls.db"
        self.clock = clock
        self._db: sqlite3.Connection | None = None
        self._mine: deque[tuple[str, float]] = deque(maxlen=_REMEMBERED)

    def take(self, scope: str) -> float:
        """Count a call that leaves now and return 0, or return how many seconds it must wait before it asks again."""
        now = self.clock()
        with self._writing(make=False) as db:
            budget = self._budget(db, scope, now)
            if db is not None and budget is not None:
                calls, window_s, shut_until = budget
                wait = max(shut_until - now, _wait(self._counted(db, scope, now, window_s), calls, window_s, now))
                if wait > 0:
                    return wait
                db.execute("INSERT INTO calls VALUES (?, ?)", (scope, now))
        self._mine.append((scope, now))
        return 0.0

    def learn(self, scope: str, text: str) -> bool:
        """Take a 429's text in and return whether it named a budget."""
        found = read_limit(text)
        if found is None:
            return False
        now = self.clock()
        calls, window_s = found
        with self._writing(make=True) as db:
            if db is None:
                return True
            if self._budget(db, scope, now) is None:
                recent = [one for one in self._mine if one[0] == scope and one[1] > now - window_s]
                db.executemany("INSERT INTO calls VALUES (?, ?)", recent)
            at = self._counted(db, scope, now, window_s)
            # The window that is full now began at the latest with the oldest call we know of in it.
            shut_until = min(at[0] + window_s, now + window_s) if at else now + window_s / calls
            db.execute(
                "INSERT OR REPLACE INTO budgets VALUES (?, ?, ?, ?, ?)", (scope, calls, window_s, now, shut_until)
            )
        return True

    def allowance(self, scope: str) -> Allowance | None:
        """Return how the budget of ``scope`` stands, None where none was learnt."""
        now = self.clock()
        with self._writing(make=False) as db:
            budget = self._budget(db, scope, now)
            if db is not None and budget is not None:
                calls, window_s, shut_until = budget
                at = self._counted(db, scope, now, window_s)
                wait = max(shut_until - now, _wait(at, calls, window_s, now), 0.0)
                return Allowance(calls, window_s, 0 if shut_until > now else max(calls - len(at), 0), wait)
        return None

    def scopes(self) -> list[str]:
        """Return the scopes with a budget."""
        with self._writing(make=False) as db:
            if db is not None:
                return [row[0] for row in db.execute("SELECT scope FROM budgets ORDER BY scope")]
        return []

    def close(self) -> None:
        """Close the file; it is opened again when needed."""
        if self._db is not None:
            self._db.close()
            self._db = None

    @contextmanager
    def _writing(self, *, make: bool) -> Iterator[sqlite3.Connection | None]:
        db = self._opened(make=make)
        if db is None:
            yield None
            return
        with suppress(sqlite3.Error):
            db.execute("BEGIN IMMEDIATE")
        try:
            yield db if db.in_transaction else None
        except sqlite3.Error:
            pass  # a budget that cannot be counted is no reason to stop
        finally:
            with suppress(sqlite3.Error):
                db.execute("COMMIT")

    def _opened(self, *, make: bool) -> sqlite3.Connection | None:
        if self._db is None and (make or self.path.exists()):
            with suppress(sqlite3.Error, OSError):
                private_folder(self.path.parent)
                private_file(self.path)
                db = sqlite3.connect(self.path, timeout=5, isolation_level=None, check_same_thread=False)
                # What is lost in a power cut is only how many calls the last seconds saw.
                db.execute("PRAGMA synchronous=OFF")
                db.executescript(_SCHEMA)
                self._db = db
        return self._db

    @staticmethod
    def _budget(db: sqlite3.Connection | None, scope: str, now: float) -> tuple[int, float, float] | None:
        if db is None:
            return None
        row = db.execute(
            "SELECT calls, window_s, shut_until FROM budgets WHERE scope = ? AND learnt_at > ?", (scope, now - FORGET_S)
        ).fetchone()
        return None if row is None else (int(row[0]), float(row[1]), float(row[2]))

    @staticmethod
    def _counted(db: sqlite3.Connection, scope: str, now: float, window_s: float) -> list[float]:
        db.execute("DELETE FROM calls WHERE scope = ? AND at <= ?", (scope, now - window_s))
        return [row[0] for row in db.execute("SELECT at FROM calls WHERE scope = ? ORDER BY at", (scope,))]


def _wait(at: list[float], calls: int, window_s: float, now: float) -> float:
    return at[len(at) - calls] + window_s - now if len(at) >= calls else 0.0


def allowance_at(endpoint: str) -> Allowance | None:
    """Return the tightest budget learnt for a project at ``endpoint``, None where no 429 named one lately."""
    book = BudgetBook()
    try:
        found = [book.allowance(scope) for scope in book.scopes() if scope.startswith(endpoint + " ")]
    finally:
        book.close()
    return min((one for one in found if one is not None), key=lambda one: one.left, default=None)
