"""Wait for a run's end, or carry it on after any interruption."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from sdrs_nb.asked import checked
from sdrs_nb.errors import SdrsError
from sdrs_nb.i18n import _
from sdrs_nb.ledger.ledger import BatchState, Control, RunState
from sdrs_nb.running.belonging import require_own_cloud, require_writing
from sdrs_nb.running.engine import start_engine
from sdrs_nb.running.runs import Run
from sdrs_nb.running.walk import Walk, walk_of

if TYPE_CHECKING:
    from sdrs_nb.cloud import Cloud

__all__ = ["follow", "resume"]

#: Seconds an interrupted ``follow`` gives the requests under way to be answered and recorded.
_GRACE_S = 10.0


@checked
async def follow(
    cloud: "Cloud",
    run: Run,
    *,
    on_change: Callable[[Run], None] | None = None,
    every_s: float = 0.5,
    sleep: Callable[[float], Awaitable[None]] | None = None,
) -> Run:
    """Wait until everything of ``run`` is sent and every job has ended; carry it on where nobody does.

    Interrupting it (Ctrl-C, a kernel interrupt, a cancelled task) stops the run before its next request; nothing
    is lost, and calling it again goes on.

    Parameters
    ----------
    cloud
        The cloud the run was recorded for.
    run
        From ``submit`` or ``open_run``.
    on_change
        Called with the run about every ``every_s`` seconds while it goes on, and once at the end.
    sleep
        Waits for seconds of cloud time; for tests.

    Returns
    -------
    Run
        The same run; ``run.servers`` says what became of each server.

    Raises
    ------
    SettingsError
        The cloud is another one than the run was recorded for.
    ReadOnlyError
        The run would be carried on, and the connection reads only.
    ClaimedError
        Another process carries the run on.
    SdrsError
        What paused the run: credentials, an unreachable cloud, a ledger that cannot be written.
    """
    await require_own_cloud(cloud, run)
    walk = walk_of(run.ledger, run.run_id)
    if walk is None or walk.is_stopping() or walk.done.done():
        if walk is not None:
            await _raise_unreported(walk, cloud)
        goes_on = run.record["state"] != RunState.DONE or (run.batches["state"] == BatchState.UNKNOWN).any()
        walk = start_engine(cloud, run, sleep=sleep) if goes_on else None
    if walk is not None:
        await _wait_for(walk, run, on_change, every_s)
        if walk.is_paused and run.ledger.control_of(run.run_id)[0] == Control.GO:
            # Carried on while it was still pausing: somebody still waits here for its end.
            return await follow(cloud, run, on_change=on_change, every_s=every_s, sleep=sleep)
    if on_change is not None:
        on_change(run)
    return run


@checked
async def resume(
    cloud: "Cloud",
    run: Run,
    *,
    on_change: Callable[[Run], None] | None = None,
    every_s: float = 0.5,
    sleep: Callable[[float], Awaitable[None]] | None = None,
) -> Run:
    """Finish ``run`` after any interruption: doubts are looked up, then the rest is sent and followed.

    A create whose answer was lost is never sent again before a list of its group, read after the settling time,
    shows that nothing of it exists.  An earlier ``stop`` or ``pause`` is taken back.  Same parameters, result and
    errors as ``follow``.
    """
    require_writing(cloud)
    await require_own_cloud(cloud, run)
    run.carry_on()
    if (walk := walk_of(run.ledger, run.run_id)) is not None and walk.done.done():
        walk.is_reported = True
    return await follow(cloud, run, on_change=on_change, every_s=every_s, sleep=sleep)


async def _raise_unreported(walk: Walk, cloud: "Cloud") -> None:
    """Raise what ended a walk before anybody waited for it; it is to be put right before the next one meets it."""
    error = await _ended(walk)
    if isinstance(error, SdrsError) and not walk.is_reported and walk.cloud is cloud:
        walk.is_reported = True
        raise error


async def _ended(walk: Walk) -> BaseException | None:
    future = asyncio.wrap_future(walk.done)
    await asyncio.wait([future])
    return future.exception()  # read here, so that asyncio does not report it as forgotten


async def _wait_for(walk: Walk, run: Run, on_change: Callable[[Run], None] | None, every_s: float) -> None:
    done = asyncio.wrap_future(walk.done)
    try:
        while not done.done():
            await asyncio.wait([done], timeout=every_s)
            if on_change is not None:
                on_change(run)
        walk.is_reported = True
        done.result()
    except asyncio.CancelledError:
        walk.ask(Control.PAUSE, _("Interrupted by the operator; resume carries on."))
        # The answer to a request under way is worth a moment: without it the request must be looked up later.
        await asyncio.wait([asyncio.ensure_future(_ended(walk))], timeout=_GRACE_S)
        raise
