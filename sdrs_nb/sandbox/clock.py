"""The sandbox clock and the ways in which each service writes a moment down."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

# Every estate starts at the same moment, so that ids and times depend on seed and clock alone.
CLOUD_START = datetime(2026, 3, 2, 2, 0, tzinfo=UTC).timestamp()
#: Cloud time stops here: what is due somewhat later can still be written as a date.
CLOUD_END = datetime(9000, 1, 1, tzinfo=UTC).timestamp()
#: The longest span anybody may name, in seconds: ten years.
LONGEST_S = 315_576_000
#: The fastest a clock runs, in cloud seconds per wall second; more than eleven days a second.
FASTEST = 1_000_000


class Clock:
    """Cloud time: `speed` times wall time, and it never runs backwards.

    Parameters
    ----------
    speed
        Cloud seconds per wall second; 0 = only `advance` moves the clock. `set_speed` changes it.
    wall
        Gives wall time in seconds since 1970, UTC; a test passes its own.
    """

    def __init__(self, speed: float = 60.0, wall: Callable[[], float] = time.time) -> None:
        self.speed = self._first_speed = speed
        self.wall = wall
        self._cloud_anchor = CLOUD_START
        self._wall_anchor = wall()
        self._latest = CLOUD_START

    def now(self) -> float:
        """Give cloud time in seconds since 1970, UTC, to the millisecond."""
        passed = (self.wall() - self._wall_anchor) * self.speed
        # A wall clock set back must not undo what the cloud has done.
        self._latest = max(self._latest, min(round(self._cloud_anchor + passed, 3), CLOUD_END))
        return self._latest

    def advance(self, seconds: float) -> None:
        """Move cloud time forward by `seconds`."""
        self._cloud_anchor += seconds

    def set_speed(self, speed: float) -> None:
        """Let cloud time run at `speed` from this moment on; what it shows now stays."""
        now = self.now()
        self._cloud_anchor, self._wall_anchor, self.speed = now, self.wall(), speed

    def restart(self, cloud: float | None = None, wall: float | None = None) -> None:
        """Let the clock have shown `cloud` when the wall clock showed `wall`; without arguments, restart."""
        self._cloud_anchor = CLOUD_START if cloud is None else cloud
        self._wall_anchor = self.wall() if wall is None else wall
        self._latest = self._cloud_anchor
        self.speed = self._first_speed


def _moment(at: float) -> datetime:
    # Whole milliseconds, so that no float noise reaches a document.
    return datetime.fromtimestamp(0, tz=UTC) + timedelta(milliseconds=round(at * 1000))


def iso_millis(at: float) -> str:
    """Write a moment as jobs and failure jobs do: ``2024-01-31T01:02:03.456Z``."""
    return _moment(at).strftime("%Y-%m-%dT%H:%M:%S.") + f"{_moment(at).microsecond // 1000:03d}Z"


def spaced(at: float) -> str:
    """Write a moment as groups, instances and drills do: a space, 1-3 decimals without trailing zeros, no zone."""
    decimals = f"{_moment(at).microsecond // 1000:03d}".rstrip("0") or "0"
    return _moment(at).strftime("%Y-%m-%d %H:%M:%S.") + decimals


def iso_micros(at: float) -> str:
    """Write a moment as replication pairs and EVS do: ``T``, six decimals, no zone."""
    return _moment(at).strftime("%Y-%m-%dT%H:%M:%S.%f")


def iso_micros_zulu(at: float) -> str:
    """Write a moment as IAM does: ``T``, six decimals, ``Z``."""
    return iso_micros(at) + "Z"


def iso_seconds(at: float) -> str:
    """Write a moment as ECS and the version list do: ``2019-05-22T03:30:52Z``."""
    return _moment(at).strftime("%Y-%m-%dT%H:%M:%SZ")


def minutes(at: float) -> str:
    """Write a moment as RPO statistics do: minutes only."""
    return _moment(at).strftime("%Y-%m-%d %H:%M")
