"""How long to wait: every waiting time of a run, and the clock it is measured with.

Times are seconds of the cloud's own time, whatever our wall clock does.  A real cloud's clock runs as fast as ours; a
sandbox at speed X runs X times faster and says so, so the same settings take X times less of the operator's time there.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from sdrs_nb.cloud import Cloud

__all__ = ["Timing"]


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

    @classmethod
    def of(cls, cloud: "Cloud", sleep: Callable[[float], Awaitable[None]] | None = None) -> Self:
        """Return the timing by a cloud's own clock."""
        return cls(cloud.clock.now, lambda: cloud.time_scale, sleep)

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
