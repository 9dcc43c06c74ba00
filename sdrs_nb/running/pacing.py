"""How long to wait: every waiting time of a run, and the clock it is measured with.

Times are seconds of the cloud's own time, whatever our wall clock does.  A real cloud's clock runs as fast as ours; a
sandbox at speed X runs X times faster and says so, so the same settings take X times less of the operator's time there.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

from pydantic import Field

from sdrs_nb.models import Record

__all__ = ["Pace", "Timing"]


class Pace(Record):
    """Named waiting times and limits of a run; kept with it in the ledger.

    Parameters
    ----------
    first_look_s, longest_look_s
        Wait before the first look at a job, and the longest wait between looks (sdrs-api.md section 6, ASSUMED:
        5 s growing to 30 s).  Once jobs have ended, the first look waits as long as the fastest of them took.
    settle_s
        How long after an unanswered create the list of instances must stay without a server before that server
        counts as absent; longer than a late acceptance or a lagging list (ASSUMED 180 s).
    job_limit_s
        A job that has not ended by then is left as ``unknown``; resume looks again (ASSUMED 3600 s, at least
        30 minutes for a batch).
    group_wait_s
        How long to wait for a group in a passing state (starting, stopping, ...) before its batch is held.
    fresh_s, fresh_project_s
        How old the list of the own group's instances, and the project's lists of instances and replication pairs, may
        be at a re-check, so that groups can share a read; everything else is read for each batch.
    patience_s
        How long failing calls (no answer, 429, 5xx) are tried again before the run pauses with the reason.
    resends
        How often a create that provably did nothing is sent again.
    on_failure
        ``"continue"`` with the other batches when one fails, or ``"stop"``: nothing more is sent, what was sent is
        followed to its end.
    enable_protection
        Whether protection of the run's groups is enabled when all of it has ended.
    """

    first_look_s: float = Field(default=5.0, gt=0)
    longest_look_s: float = Field(default=30.0, gt=0)
    settle_s: float = Field(default=180.0, ge=0)
    job_limit_s: float = Field(default=3600.0, gt=0)
    group_wait_s: float = Field(default=0.0, ge=0)
    resends: int = Field(default=3, ge=0)
    fresh_s: float = Field(default=30.0, ge=0)
    fresh_project_s: float = Field(default=120.0, ge=0)
    patience_s: float = Field(default=900.0, ge=0)
    on_failure: Literal["continue", "stop"] = "continue"
    enable_protection: bool = False


class Timing:
    """Waiting and measuring in the cloud's time; the sleep and the clock are handed in, so tests need not wait.

    Parameters
    ----------
    clock
        Returns the present time by the cloud's clock.
    scale
        Returns how many cloud seconds pass in one of ours; 0 means that the cloud's clock stands still until
        somebody moves it, and is treated as 1.
    sleep
        Waits for a number of cloud seconds; by default really, divided by the scale.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        scale: Callable[[], float] = lambda: 1.0,
        sleep: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        self._clock = clock
        self._scale = scale
        self._slept_until = datetime.min.replace(tzinfo=UTC)
        self._sleep = sleep or self._really_sleep

    @property
    def scale(self) -> float:
        """Cloud seconds in one of ours."""
        return self._scale() or 1.0

    def clock(self) -> datetime:
        """Return the present time by the cloud's clock, which moves by what was waited where nobody tells it."""
        return max(self._clock(), self._slept_until)

    def since(self, moment: datetime) -> float:
        """Return the cloud seconds that have passed since ``moment``."""
        return (self.clock() - moment).total_seconds()

    async def sleep(self, seconds: float, woken: asyncio.Event) -> None:
        """Wait for ``seconds`` of cloud time, or until ``woken`` is set."""
        if seconds <= 0 or woken.is_set():
            return
        begun = self.clock()
        waits = [asyncio.ensure_future(self._sleep(seconds)), asyncio.ensure_future(woken.wait())]
        try:
            done, _pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in done:
                wait.result()
            if waits[0] in done:
                self._wake(begun, seconds)
        finally:
            for wait in waits:
                wait.cancel()

    async def rest(self, seconds: float) -> None:
        """Wait for ``seconds`` of cloud time; only cancelling ends it earlier."""
        if seconds > 0:
            begun = self.clock()
            await self._sleep(seconds)
            self._wake(begun, seconds)

    def _wake(self, begun: datetime, seconds: float) -> None:
        self._slept_until = max(self._slept_until, begun + timedelta(seconds=seconds))

    async def _really_sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.scale)
