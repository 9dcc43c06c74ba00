"""How many calls may be under way at once; the place where a learned call budget plugs in."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

__all__ = ["Pace", "Parallel"]


class Pace(Protocol):
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
