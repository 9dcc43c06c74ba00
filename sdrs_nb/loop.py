"""The one private event loop on which all cloud I/O runs, and how to wait for it from anywhere.

One ``httpx.AsyncClient`` used from two loops hangs, and a notebook's loop stops while a cell computes.  So the
package keeps a loop of its own in a daemon thread.  ``run`` hands out something that any other loop can await;
``start`` starts work that goes on by itself; ``wait`` blocks a plain thread (scripts, the command line).
"""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

__all__ = ["is_private", "private_loop", "run", "start", "wait"]

T = TypeVar("T")

_lock = threading.Lock()
_loops: list[asyncio.AbstractEventLoop] = []


def private_loop() -> asyncio.AbstractEventLoop:
    """Return the private loop, starting its daemon thread on first use."""
    with _lock:
        if not _loops:
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="sdrs-nb-io", daemon=True).start()
            _loops.append(loop)
        return _loops[0]


def is_private() -> bool:
    """Tell whether the caller already runs on the private loop."""
    try:
        return bool(_loops) and asyncio.get_running_loop() is _loops[0]
    except RuntimeError:
        return False


def start(work: Coroutine[Any, Any, T]) -> "Future[T]":
    """Start ``work`` on the private loop and return a thread-safe future of its result."""
    return asyncio.run_coroutine_threadsafe(work, private_loop())


async def run(work: Coroutine[Any, Any, T]) -> T:
    """Await ``work``, run on the private loop; cancelling the caller cancels the work."""
    if is_private():
        return await work
    return await asyncio.wrap_future(start(work))


def wait(work: Coroutine[Any, Any, T]) -> T:
    """Block this thread until ``work``, run on the private loop, is done; Ctrl-C cancels it."""
    future = start(work)
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise
