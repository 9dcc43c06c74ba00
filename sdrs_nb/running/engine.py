"""Walk a run to its end: wave after wave, each group's batches one at a time, groups side by side.

Everything is in the ledger: an engine can be dropped at any moment and another one started from there; a lock file
(freed by the system when its process dies) keeps two of them off one run.  Stopping interrupts waiting, never a POST.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from sdrs_nb.errors import ClaimedError, CloudError, CloudUnreachable, LedgerError
from sdrs_nb.i18n import _
from sdrs_nb.ledger.ledger import AttemptResult, BatchState, Control, RunState
from sdrs_nb.models import Batch, Wait
from sdrs_nb.running.belonging import require_writing
from sdrs_nb.running.pilot import lead
from sdrs_nb.running.protection import enable_groups
from sdrs_nb.running.retries import Retries
from sdrs_nb.running.sending import send
from sdrs_nb.running.settling import settle
from sdrs_nb.running.walk import Walk
from sdrs_nb.running.watching import watch
from sdrs_nb.statuses import Stage

if TYPE_CHECKING:
    from sdrs_nb.cloud import Cloud
    from sdrs_nb.running.runs import Run

__all__ = ["Engine", "start_engine"]

#: Our seconds between looks at what the operator wants, who may speak from another process.
_CONTROL_S = 0.5
#: Tries to take a run over: somebody who only asks whether it is held holds it for a moment.
_LOCK_TRIES, _LOCK_WAIT_S = 10, 0.05
#: What a batch whose end is unknown still waits for: an answer, or proof that nothing of it exists.
_UNSETTLED = (None, AttemptResult.UNCERTAIN, AttemptResult.ABSENT)


class Engine:
    """What moves a walk along."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        # What the operator wanted when this walk was asked for: it takes that back, and nothing that is said later.
        self._wanted = walk.ledger.control_of(walk.run_id)
        self._lock = FileLock(walk.ledger.path.with_name(f"{walk.run_id}.lock"), mode=0o600, thread_local=False)

    async def _watch_control(self) -> None:
        before = Control.GO
        while True:
            control, reason = self.walk.ledger.control_of(self.walk.run_id)
            match control:
                case Control.PAUSE:
                    self.walk.pause(reason)
                case Control.STOP:
                    self.walk.drain(reason)
                case Control.GO if before != Control.GO:  # where a failed server stopped it, nobody took that back
                    self.walk.go_on()
            before = control
            await asyncio.sleep(_CONTROL_S)

    def _on_wait(self, wait: Wait | None) -> None:
        # A ledger that cannot be written stops the walk at its next step, not a call that only waits.
        with suppress(LedgerError):
            self.walk.ledger.waits(self.walk.run_id, wait)

    # The walk

    async def go(self) -> None:
        """Bring every batch to its end, or pause the run with the reason.

        Raises
        ------
        ClaimedError
            Another process walks this run now.
        SdrsError
            What paused the run: credentials, an unreachable cloud, a ledger that cannot be written.
        """
        await self._take_over()
        unlisten = self.walk.cloud.on_wait(self._on_wait)
        watching: asyncio.Task[None] | None = None
        try:
            self.walk.ledger.set_run(self.walk.run_id, RunState.RUNNING)
            if self._wanted[0] != Control.GO and self.walk.ledger.control_of(self.walk.run_id) == self._wanted:
                self.walk.ledger.set_control(self.walk.run_id, Control.GO)
            watching = asyncio.get_running_loop().create_task(self._watch_control())
            await self._walk()
        finally:
            if watching is not None:
                watching.cancel()
                with suppress(asyncio.CancelledError, LedgerError):
                    await watching
            unlisten()
            await self.walk.facts.close()
            self._lock.release()

    async def _take_over(self) -> None:
        for attempt in range(_LOCK_TRIES):
            if attempt:
                await asyncio.sleep(_LOCK_WAIT_S)
            with suppress(Timeout):
                self._lock.acquire(timeout=0)
                return
        raise ClaimedError(
            _("Run {run} is being carried on by another process. Follow it there, or end that process.",
              run=self.walk.run_id)
        )  # fmt: skip

    async def _walk(self) -> None:
        try:
            may_go_on = await lead(self.walk, self._bring_to_end)
            if may_go_on:
                await self._walk_waves()
        except BaseException as error:
            with suppress(LedgerError):  # what paused the run matters more than that it cannot be written down
                self.walk.ledger.set_run(self.walk.run_id, RunState.PAUSED, str(error))
            raise
        # Whoever enables protection goes on too: that waits for the word after a pilot as another batch does.
        if self._is_over() and (may_go_on or not self.walk.pace.enable_protection):
            self.walk.ledger.set_run(self.walk.run_id, RunState.DONE)
        else:
            self.walk.ledger.set_run(self.walk.run_id, RunState.PAUSED, self.walk.reason)

    async def _walk_waves(self) -> None:
        for wave in sorted({batch.wave for batch in self.walk.plan.batches}):
            await self._walk_wave([batch for batch in self.walk.plan.batches if batch.wave == wave])
            if self.walk.is_stopping() or self._is_unclear(wave):
                break
        if self.walk.pace.enable_protection and self._is_over() and not self.walk.is_stopping():
            await enable_groups(self.walk)

    async def _walk_wave(self, batches: list[Batch]) -> None:
        groups: dict[str, list[Batch]] = {}
        for batch in batches:
            groups.setdefault(batch.group_id, []).append(batch)
        room = asyncio.Semaphore(self.walk.pace.groups_at_once or max(len(groups), 1))
        walks = (self._walk_group(batches, room) for batches in groups.values())
        results = await asyncio.gather(*walks, return_exceptions=True)
        for error in results:
            if isinstance(error, BaseException):
                raise error

    async def _walk_group(self, batches: list[Batch], room: asyncio.Semaphore) -> None:
        try:
            async with room:
                for batch in batches:
                    if self.walk.is_stopping():
                        return
                    await self._bring_to_end(batch)
        except BaseException as error:
            # The other groups stop before their next request instead of being cut off in the middle of one.
            self.walk.stop(str(error))
            raise

    def _states(self, wave: int | None = None) -> list[BatchState]:
        batches = [batch for batch in self.walk.plan.batches if wave in (None, batch.wave)]
        return [BatchState(self.walk.ledger.batch(self.walk.run_id, batch.batch_id)["state"]) for batch in batches]

    def _is_over(self) -> bool:
        return all(state.is_final or state == BatchState.UNKNOWN for state in self._states())

    def _is_unclear(self, wave: int) -> bool:
        """Tell whether a later wave must wait, because a batch of this one has not ended; say so."""
        states = self._states(wave)
        if BatchState.UNKNOWN in states and any(batch.wave > wave for batch in self.walk.plan.batches):
            self.walk.reason = _(
                "Wave {wave} has a batch whose end is unknown, so later waves wait. Resume to look again.", wave=wave
            )
        return not all(state.is_final for state in states)

    async def _bring_to_end(self, batch: Batch) -> None:
        steps, retries = 0, Retries(self.walk)
        while not self.walk.is_stopping():
            row = self.walk.ledger.batch(self.walk.run_id, batch.batch_id)
            state = BatchState(row["state"])
            if state.is_final or (state == BatchState.UNKNOWN and steps):
                break
            if state == BatchState.PENDING and not self.walk.may_send():
                return
            try:
                await self._step(batch, state, row["job_id"])
            except (CloudError, CloudUnreachable) as error:
                await retries.wait_or_raise(error, batch)
            else:
                self.walk.forget_refusals()
                retries.forget()
                steps += 1
        if steps:
            self._stop_on_failure(batch)

    async def _step(self, batch: Batch, state: BatchState, job_id: str | None) -> None:
        match state:
            case BatchState.PENDING:
                await send(self.walk, batch)
            case BatchState.SENDING | BatchState.UNCERTAIN:
                await settle(self.walk, batch)
            case BatchState.UNKNOWN if self.walk.open_attempt(batch.batch_id)["result"] in _UNSETTLED:
                await settle(self.walk, batch)
            case _:
                await watch(self.walk, batch, job_id, again=state == BatchState.UNKNOWN)

    def _stop_on_failure(self, batch: Batch) -> None:
        if self.walk.pace.on_failure != "stop":
            return
        if failed := self.walk.ledger.stages(self.walk.run_id, batch.batch_id).get(Stage.FAILED):
            self.walk.drain(
                _("Stopped after batch {batch}: {count} of its servers failed.", batch=batch.batch_id, count=failed)
            )


def start_engine(cloud: "Cloud", run: "Run", *, sleep: Callable[[float], Awaitable[None]] | None = None) -> Walk:
    """Start walking ``run`` on the private loop and return its walk at once.

    Raises ``ReadOnlyError`` for a connection that reads only.
    """
    require_writing(cloud)
    walk = Walk(cloud, run.run_id, run.ledger, run.plan, sleep=sleep)
    walk.begin(Engine(walk).go())
    return walk
