"""Who may call when: a few calls at once, and never more than the gateway's own budget."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Protocol

import stamina

from sdrs_nb.cloud.budget import Allowance, BudgetBook
from sdrs_nb.cloud.endpoints import origin_of
from sdrs_nb.cloud.waiting import WORTH_TELLING_S, Waits
from sdrs_nb.models import Wait
from sdrs_nb.settings import Settings

__all__ = ["Budgeted", "Parallel", "RateLimiter", "shared_pace"]

_TOO_MANY = 429


class RateLimiter(Protocol):
    """What the transport asks before a call and tells after it; both run on the private loop."""

    def slot(self, method: str, path: str) -> AbstractAsyncContextManager[None]:
        """Return a context that is entered when the call may go and left when its answer is there."""

    def heard(self, method: str, path: str, status: int, text: str) -> None:
        """Take note of an answer; ``text`` is the cloud's own (a 429 names limit and window)."""


class Parallel:
    """At most ``limit`` calls at once, nothing learned."""

    def __init__(self, limit: int) -> None:
        self._places = asyncio.Semaphore(limit)

    @asynccontextmanager
    async def slot(self, method: str, path: str) -> AsyncIterator[None]:  # noqa: ARG002 - every call counts alike
        """Wait for a free place."""
        async with self._places:
            yield

    def heard(self, method: str, path: str, status: int, text: str) -> None:
        """Learn nothing."""


async def _really_sleep(seconds: float) -> None:
    await asyncio.sleep(seconds)


class Budgeted:
    """At most ``limit`` calls at once, within the budget that the gateway named to any process of this machine.

    Parameters
    ----------
    limit
        Calls that may be under way at once.
    scope
        Names the project: all that call it share its budget.
    book
        Where budgets and calls are counted.
    sleep
        Waits for seconds; tests hand in their own.  The default one does not wait while ``stamina`` is testing.

    Attributes
    ----------
    waits
        The wait for the gateway's limit that is under way now, and who is told of it.
    """

    def __init__(
        self,
        limit: int,
        scope: str,
        book: BudgetBook | None = None,
        sleep: Callable[[float], Awaitable[None]] = _really_sleep,
    ) -> None:
        self.scope = scope
        self.book = book or BudgetBook()
        self._sleep = sleep
        self._places = asyncio.Semaphore(limit)
        self._held_back = 0
        self.waits = Waits()

    @asynccontextmanager
    async def slot(self, method: str, path: str) -> AsyncIterator[None]:  # noqa: ARG002 - every call counts alike
        """Wait for a free place, then for the budget."""
        async with self._places:
            while (wait := self.book.take(self.scope)) > 0:
                if self._sleep is _really_sleep and stamina.is_testing():
                    break
                await self._wait(wait)
            yield

    async def _wait(self, seconds: float) -> None:
        """Wait, and tell it where it is long; the end is told when the last call that waits may go."""
        allowance = self.allowance()
        self._held_back += 1
        if seconds > WORTH_TELLING_S and allowance is not None:
            until = datetime.fromtimestamp(self.book.clock() + seconds, UTC)
            self.waits.begin(Wait(until=until, calls=allowance.calls, window_s=allowance.window_s))
        try:
            await self._sleep(seconds)
        finally:
            self._held_back -= 1
            if not self._held_back:
                self.waits.end()

    def heard(self, method: str, path: str, status: int, text: str) -> None:  # noqa: ARG002 - one budget for all calls
        """Learn limit and window from a 429."""
        if status == _TOO_MANY:
            self.book.learn(self.scope, text)

    def allowance(self) -> Allowance | None:
        """Return how the budget stands, None where none was learnt."""
        return self.book.allowance(self.scope)


def shared_pace(settings: Settings) -> Budgeted:
    """Return the pace of one project, its budget shared with every process of this machine."""
    project = settings.project_id or settings.project_name or settings.region or ""
    return Budgeted(settings.parallel, f"{settings.endpoint or origin_of('sdrs', settings)} {project}")
