"""The cloud's clock, as its answers tell it: what decides when a doubt may end, whatever our own clock shows.

A wall clock can be stepped by hours, and a machine can sleep.  So a moment of the cloud is what the ``Date`` of an
answer said (a sandbox that was named as one: ``X-Sandbox-Time``), and between answers the time that has really passed
since then, suspension included where the system counts it.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from threading import Lock

__all__ = ["FASTEST", "CloudClock"]

#: The fastest sandbox that is believed, in its seconds a second of ours.
FASTEST = 10_000.0
#: How far a ``Date`` may be off: it has whole seconds, and the machines of one cloud differ a little
#: (ASSUMED: date_header).
_DATE_SLACK_S = 2.0


def _elapsed() -> float:
    """Return seconds that only ever grow; on Linux a suspended machine's count as well."""
    boottime: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)


class CloudClock:
    """What time it is in the cloud.

    Parameters
    ----------
    is_sandbox
        Whether a sandbox was named, so that its time, and how fast it passes, are believed.
    elapsed
        Returns seconds that only grow; tests pass their own.
    wall
        Returns this machine's time; tests pass their own.

    Attributes
    ----------
    scale
        Seconds of the cloud's clock in one of ours: 1, or what a named sandbox says; 0: it stands still until somebody
        moves it.
    world
        The id of the sandbox's world that answered; ``""`` where no sandbox did.
    ahead_s
        Seconds by which the last answer's ``Date`` was ahead of this machine's clock, by which signatures are judged;
        None before one said.
    """

    def __init__(
        self,
        *,
        is_sandbox: bool = False,
        elapsed: Callable[[], float] = _elapsed,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._is_sandbox, self._elapsed, self._wall = is_sandbox, elapsed, wall
        self.ahead_s: float | None = None
        self._lock = Lock()
        self.scale = 1.0
        self.world = ""
        # Until somebody answers: the wall clock, looked at once.
        self._said, self._said_at = datetime.now(UTC), elapsed()
        self._latest = self._said
        self._has_answered = False

    @property
    def slack_s(self) -> float:
        """How far off a moment read here may be, in seconds."""
        return 0.0 if self._is_sandbox else _DATE_SLACK_S

    def hear(self, headers: Mapping[str, str]) -> None:
        """Take in what an answer's headers (names in lower case) say of the time; odd ones say nothing."""
        self.world = headers.get("x-sandbox-world", self.world)
        if self._is_sandbox:
            self.scale = _scale(headers.get("x-sandbox-speed"), self.scale)
        date = _date(headers.get("date"))
        if date is not None:
            self.ahead_s = (date - self._wall()).total_seconds()
        said = _sandbox_time(headers.get("x-sandbox-time")) if self._is_sandbox else date
        if said is None:
            return
        with self._lock:
            # Answers overtake each other: an older one is no news.
            if not self._has_answered or said >= self._said:
                self._said, self._said_at = said, self._elapsed()
                if not self._has_answered:
                    self._latest, self._has_answered = said, True

    def now(self) -> datetime:
        """Return the cloud's present time, as well as it is known; it never runs backwards."""
        with self._lock:
            passed = (self._elapsed() - self._said_at) * self.scale
            self._latest = max(self._latest, self._said + timedelta(seconds=passed))
            return self._latest

    def at_least(self) -> datetime:
        """Return a moment that has certainly come in the cloud.

        How fast a sandbox's time passes can be changed at any moment, so there only an answer counts.
        """
        return self._said if self._is_sandbox else self.now()


def _scale(text: str | None, before: float) -> float:
    try:
        found = float(text) if text is not None else before
    except ValueError:
        return before
    return found if 0 <= found <= FASTEST else before


def _sandbox_time(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def _date(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text) if text else None
    except ValueError:
        return None
    return found.astimezone(UTC) if found is not None and found.tzinfo is not None else None
