"""The coalescing writer: many values a second go in, at most five writes a second and widget come out.

Above about a thousand messages a second Jupyter drops some, so nothing in this package writes to a widget from a
task directly.  ``post`` may be called from any thread and returns at once; of several values under one key the
last wins.  One daemon thread writes for all widgets of the process::

    writer().post(label, "value", lambda: setattr(label, "value", "17 of 240 sent"))
    writer().flush()          # write everything now, in this thread
"""

import contextlib
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from functools import cache

__all__ = ["INTERVAL_S", "Coalescer", "Writer", "writer"]

#: Seconds between two writes to one widget: five a second (``ui-notes``: Jupyter drops messages when flooded).
INTERVAL_S = 0.2

Write = Callable[[], None]


class Coalescer:
    """Which writes are due: pure, told the time, no thread and no widget."""

    def __init__(self, interval_s: float = INTERVAL_S) -> None:
        self.interval_s = interval_s
        self._waiting: dict[Hashable, dict[Hashable, Write]] = {}
        self._next: dict[Hashable, float] = {}

    def put(self, target: Hashable, key: Hashable, write: Write) -> None:
        """Remember ``write``; it takes the place of what waits for the same target and key."""
        self._waiting.setdefault(target, {})[key] = write

    def due_at(self) -> float | None:
        """Return when the next target may be written to; None when nothing waits."""
        return min((self._next.get(target, 0.0) for target in self._waiting), default=None)

    def take(self, now: float) -> list[tuple[Hashable, list[Write]]]:
        """Return and forget the writes of every target that is due at ``now``, in the order of their first post."""
        due = [target for target in self._waiting if self._next.get(target, 0.0) <= now]
        # A target that was quiet for an interval needs no entry: the table holds live widgets only.
        self._next = {target: at for target, at in self._next.items() if at > now}
        self._next.update((target, now + self.interval_s) for target in due)
        return [(target, list(self._waiting.pop(target).values())) for target in due]

    def take_all(self) -> list[tuple[Hashable, list[Write]]]:
        """Return and forget every write that waits, due or not."""
        taken = [(target, list(writes.values())) for target, writes in self._waiting.items()]
        self._waiting.clear()
        return taken


class Writer:
    """Writes from one daemon thread, started by the first ``post``."""

    def __init__(self, interval_s: float = INTERVAL_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._coalescer = Coalescer(interval_s)
        self._clock = clock
        self._changed = threading.Condition()
        self._writing = threading.RLock()
        self._thread: threading.Thread | None = None

    def post(self, target: Hashable, key: Hashable, write: Write) -> None:
        """Have ``write`` called soon, unless a later post with the same target and key takes its place."""
        with self._changed:
            self._coalescer.put(target, key, write)
            if self._thread is None:  # the first post, or a write failed and ended the thread
                self._thread = threading.Thread(target=self._write_for_ever, name="sdrs-nb-writer", daemon=True)
                self._thread.start()
            self._changed.notify()

    def flush(self) -> None:
        """Write everything that waits, in this thread, before returning."""
        with self._writing:
            with self._changed:
                taken = self._coalescer.take_all()
            _write(taken)

    def _write_for_ever(self) -> None:
        try:
            while True:
                with self._changed:
                    self._wait_until_due()
                # Taken under the writing lock: a flush in between may have been first, and order must hold.
                with self._writing:
                    with self._changed:
                        taken = self._coalescer.take(self._clock())
                    _write(taken)
        finally:
            # Reached by a failed write only, which the kernel's log shows; the next post starts a new thread.
            with self._changed:
                self._thread = None

    def _wait_until_due(self) -> None:
        while True:
            due_at = self._coalescer.due_at()
            if due_at is None:
                self._changed.wait()
            elif (left_s := due_at - self._clock()) > 0:
                self._changed.wait(left_s)
            else:
                return


def _write(taken: list[tuple[Hashable, list[Write]]]) -> None:
    for target, writes in taken:
        with _held(target):
            for write in writes:
                write()


def _held(target: Hashable) -> "contextlib.AbstractContextManager[object]":
    """Return the widget's own way to put several changes into one message, where it has one."""
    hold: Callable[[], contextlib.AbstractContextManager[object]] | None = getattr(target, "hold_sync", None)
    return hold() if hold is not None else _nothing()


@contextlib.contextmanager
def _nothing() -> Iterator[None]:
    yield


@cache
def writer() -> Writer:
    """Return the one writer of this process."""
    return Writer()
