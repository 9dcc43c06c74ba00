"""The private loop: one loop for all cloud I/O, awaitable from any other, in any thread."""

import asyncio

import pytest

from sdrs_nb import loop


async def running_loop():
    """Return the loop this runs on."""
    return asyncio.get_running_loop()


async def test_work_runs_on_the_private_loop_and_its_result_arrives_here():
    """Awaiting from a cell's loop runs the work on the private one."""
    assert await loop.run(running_loop()) is loop.private_loop()
    assert asyncio.get_running_loop() is not loop.private_loop()


async def test_work_already_on_the_private_loop_is_awaited_in_place():
    """A nested call does not cross over again, so nothing can wait for itself."""

    async def nested():
        return await loop.run(running_loop()), loop.is_private()

    assert await loop.run(nested()) == (loop.private_loop(), True)


async def test_cancelling_the_caller_cancels_the_work():
    """An interrupted cell ends the work it waits for."""
    begun, ended = asyncio.Event(), []

    async def work():
        here.call_soon_threadsafe(begun.set)
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    here = asyncio.get_running_loop()
    waiting = asyncio.ensure_future(loop.run(work()))
    await begun.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await loop.run(asyncio.sleep(0))

    assert ended == ["cancelled"]


def test_a_plain_thread_can_wait_for_work():
    """A script without a loop gets the result, or the exception."""

    async def fail():
        raise ValueError("no")

    assert loop.wait(running_loop()) is loop.private_loop()
    with pytest.raises(ValueError, match="no"):
        loop.wait(fail())
