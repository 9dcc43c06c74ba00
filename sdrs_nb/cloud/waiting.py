"""Who is told of waits for the gateway's limit that are longer than a few seconds."""

import asyncio
import contextvars
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from sdrs_nb.models import OnWait, Wait

__all__ = ["Waits"]

#: Waits up to this many seconds are told nobody: the next line of progress comes soon enough.
WORTH_TELLING_S = 3.0
_log = logging.getLogger("sdrs_nb")


class Waits:
    """The wait that holds calls back now, told to whoever listens; where nobody does, it is logged as a warning.

    Attributes
    ----------
    now
        The wait; None while calls leave freely.
    """

    def __init__(self) -> None:
        self.now: Wait | None = None
        self._listeners: tuple[OnWait, ...] = ()

    def listen(self, told: OnWait) -> Callable[[], None]:
        """Tell ``told`` from now on, a wait that is under way at once; returns what ends that."""
        self._listeners = (*self._listeners, told)
        if (now := self.now) is not None:
            told(now)

        def end() -> None:
            self._listeners = tuple(one for one in self._listeners if one is not told)

        return end

    def begin(self, wait: Wait) -> None:
        """Tell ``wait``, unless it ends when the one that was told already does."""
        if self.now is not None and abs(wait.until - self.now.until) < timedelta(seconds=1):
            return
        self.now = wait
        if not self._listeners:
            _log.warning("%s", wait)
        self._tell()

    def end(self) -> None:
        """Tell that calls leave again, where a wait was told."""
        if self.now is not None:
            self.now = None
            self._tell()

    def _tell(self) -> None:
        for told in self._listeners:
            told(self.now)

    @contextmanager
    def told_here(self, told: OnWait | None) -> Iterator[None]:
        """Tell ``told`` meanwhile, on the loop and in the cell that awaits, not on the private loop's thread."""
        if told is None:
            yield
            return
        loop, cell = asyncio.get_running_loop(), contextvars.copy_context()

        def pass_on(wait: Wait | None) -> None:
            loop.call_soon_threadsafe(told, wait, context=cell)

        end = self.listen(pass_on)
        try:
            yield
        finally:
            end()
