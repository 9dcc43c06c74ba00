"""Walk a run to its end: wave after wave, each group's batches one at a time, groups side by side.

Everything is in the ledger: an engine can be dropped at any moment and another one started from there; a lock file
(freed by the system when its process dies) keeps two of them off one run.  Stopping interrupts waiting, never a POST.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from sdrs_nb import loop
from sdrs_nb.errors import ClaimedError, CloudError, CloudUnreachable, LedgerError
from sdrs_nb.i18n import _
from sdrs_nb.ledger.ledger import AttemptResult, BatchState, Control, RunState
from sdrs_nb.models import Batch, Wait
from sdrs_nb.running.durations import known_durations
from sdrs_nb.running.pacing import Pace, Timing
from sdrs_nb.running.patience import Failures
from sdrs_nb.running.protection import enable_groups
from sdrs_nb.running.sending import send
from sdrs_nb.running.settling import settle
from sdrs_nb.running.shared_facts import SharedFacts
from sdrs_nb.running.watching import watch
from sdrs_nb.statuses import Stage

if TYPE_CHECKING:
    from sdrs_nb.cloud import Cloud
    from sdrs_nb.running.runs import Run

__all__ = ["Engine", "engine_of", "start_engine"]

#: Our seconds between looks at what the operator wants, who may speak from another process.
_CONTROL_S = 0.5
#: Tries to take a run over: somebody who only asks whether it is held holds it for a moment.
_LOCK_TRIES, _LOCK_WAIT_S = 10, 0.05
#: What a batch whose end is unknown still waits for: an answer, or proof that nothing of it exists.
_UNSETTLED = (None, AttemptResult.UNCERTAIN, AttemptResult.ABSENT)
_engines: dict[tuple[str, str], "Engine"] = {}


class Engine:
    """One run being walked; made by ``start_engine``.

    Attributes
    ----------
    done
        Thread-safe future of the walk; its exception is what paused the run.
    facts
        Lists of the project that the groups share.
    durations
        Seconds that create jobs of this project took, the newest last.
    is_told
        Whether somebody was told what ended the walk.
    is_answered
        Whether some request of this walk has come to an answer that does not stop the run.
    """

    done: "Future[None]"

    def __init__(self, cloud: "Cloud", run: "Run", *, sleep: Callable[[float], Awaitable[None]] | None = None) -> None:
        self.cloud = cloud
        self.run_id = run.run_id
        self.ledger = run.ledger
        self.plan = run.plan
        self.names = run.plan.server_names
        with self.ledger.readable():
            self.pace = Pace.model_validate_json(run.record["settings"])
        self.run = run
        self.timing = Timing(cloud.clock.now, lambda: cloud.time_scale, sleep)
        self.facts = SharedFacts(cloud, self.timing.clock)
        self.durations = known_durations(run.ledger, run.scope)
        self._stopping = asyncio.Event()
        self._draining = False
        self._reason = ""
        self._refusals = 0
        self.is_answered = self.is_told = False
        self._first = asyncio.Lock()
        self._lock = FileLock(self.ledger.path.with_name(f"{self.run_id}.lock"), mode=0o600, thread_local=False)

    # What the steps ask

    def is_stopping(self) -> bool:
        """Whether the walk was asked to stop after what is being sent now."""
        return self._stopping.is_set()

    @property
    def stopping(self) -> asyncio.Event:
        """Set when the walk was asked to stop."""
        return self._stopping

    def may_send(self) -> bool:
        """Whether another batch may be sent: neither stopping nor following what was sent to its end."""
        return not (self._draining or self.is_stopping())

    @asynccontextmanager
    async def first_alone(self) -> AsyncIterator[None]:
        """Let one request out at a time until one was answered: what stops a run shall not be met by every group."""
        if self.is_answered:
            yield
        else:
            async with self._first:
                yield

    async def wait(self, seconds: float) -> None:
        """Wait for ``seconds`` of cloud time, or until the walk is asked to stop."""
        await self.timing.sleep(seconds, self._stopping)

    @cached_property
    def _volumes(self) -> dict[str, set[str]]:
        volumes: dict[str, set[str]] = {}
        facts = self.plan.facts.volumes
        for volume_id, servers in zip(facts["volume_id"], facts["server_ids"].fillna(""), strict=True):
            for server in str(servers).split(","):
                volumes.setdefault(server, set()).add(str(volume_id))
        return volumes

    def volumes_of(self, batch: Batch) -> list[str]:
        """Return the volumes of the batch's servers as the plan knows them."""
        return sorted(set().union(*(self._volumes.get(server, set()) for server in batch.server_ids)))

    def batch_row(self, batch_id: str) -> dict[str, Any]:
        """Return where the batch stands in the ledger."""
        return self.ledger.rows("SELECT * FROM batches WHERE run_id = ? AND batch_id = ?", self.run_id, batch_id)[0]

    def open_attempt(self, batch_id: str) -> dict[str, Any]:
        """Return the batch's newest attempt that can have left."""
        return self.ledger.rows(
            "SELECT * FROM attempts WHERE run_id = ? AND batch_id = ? AND (result IS NULL OR result <> ?) "
            "ORDER BY attempt_id DESC LIMIT 1",
            self.run_id,
            batch_id,
            AttemptResult.NOT_HANDLED,
        )[0]

    def accepted_at(self, batch_id: str) -> datetime:
        """Return when the batch's newest attempt was answered or adopted, by the cloud's clock."""
        said = self.open_attempt(batch_id)["answered_cloud_at"]
        # An older version did not keep it: the batch counts as accepted when this walk first looks at it.
        return datetime.fromisoformat(said) if said else self.cloud.clock.now()

    def answer(self, attempt: int, result: AttemptResult, **told: Any) -> None:
        """Record what an attempt came to, at this moment of the cloud's clock; ``told`` as in ``Ledger.answer``."""
        self.ledger.answer(attempt, result, cloud_at=self.cloud.clock.now(), **told)

    def count_taken(self) -> int:
        """Return how many of the run's requests the cloud took."""
        return int(
            self.ledger.rows(
                "SELECT count(*) AS n FROM attempts WHERE run_id = ? AND result IN ('accepted', 'adopted')", self.run_id
            )[0]["n"]
        )

    def count_absent(self, batch_id: str) -> int:
        """Return how often the batch was sent and proved to have done nothing."""
        return int(
            self.ledger.rows(
                "SELECT count(*) AS n FROM attempts WHERE run_id = ? AND batch_id = ? AND result = 'absent'",
                self.run_id,
                batch_id,
            )[0]["n"]
        )

    # What the operator asks, from any thread

    def stop(self, reason: str = "") -> None:
        """End the walk after the requests under way; nothing more is sent or followed."""
        loop.private_loop().call_soon_threadsafe(self._stop, reason)

    def drain(self, reason: str = "") -> None:
        """Send nothing more; follow what was sent to its end."""
        loop.private_loop().call_soon_threadsafe(self._drain, reason)

    def go_on(self) -> None:
        """Take ``drain`` back."""
        loop.private_loop().call_soon_threadsafe(self._go_on)

    def _stop(self, reason: str) -> None:
        if not self.is_stopping():
            self._reason = reason
            self._stopping.set()

    def _drain(self, reason: str) -> None:
        if self.may_send():
            self._reason = reason
            self._draining = True

    def _go_on(self) -> None:
        if self._draining and not self.is_stopping():
            self._reason = ""
            self._draining = False

    async def _mind_control(self) -> None:
        while True:
            control, reason = self.ledger.control_of(self.run_id)
            if control == Control.PAUSE:
                self._stop(reason)
            elif control == Control.STOP:
                self._drain(reason)
            await asyncio.sleep(_CONTROL_S)

    def _on_wait(self, wait: Wait | None) -> None:
        # A ledger that cannot be written stops the walk at its next step, not a call that only waits.
        with suppress(LedgerError):
            self.ledger.waits(self.run_id, wait)

    # The walk

    async def walk(self) -> None:
        """Bring every batch to its end, or pause the run with the reason.

        Raises
        ------
        ClaimedError
            Another process walks this run now.
        SdrsError
            What paused the run: credentials, an unreachable cloud, a ledger that cannot be written.
        """
        await self._take_over()
        unlisten = self.cloud.on_wait(self._on_wait)
        minding: asyncio.Task[None] | None = None
        try:
            self.ledger.set_run(self.run_id, RunState.RUNNING)
            if self.ledger.control_of(self.run_id)[0] != Control.GO:
                self.ledger.set_control(self.run_id, Control.GO)
            minding = asyncio.get_running_loop().create_task(self._mind_control())
            await self._walk()
        finally:
            if minding is not None:
                minding.cancel()
                with suppress(asyncio.CancelledError, LedgerError):
                    await minding
            unlisten()
            await self.facts.close()
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
              run=self.run_id)
        )  # fmt: skip

    async def _walk(self) -> None:
        try:
            for wave in sorted({batch.wave for batch in self.plan.batches}):
                await self._walk_wave([batch for batch in self.plan.batches if batch.wave == wave])
                if self.is_stopping() or self._is_unclear(wave):
                    break
            if self.pace.enable_protection and self._is_over() and not self.is_stopping():
                await enable_groups(self.cloud, self)
        except BaseException as error:
            with suppress(LedgerError):  # what paused the run matters more than that it cannot be written down
                self.ledger.set_run(self.run_id, RunState.PAUSED, str(error))
            raise
        if self._is_over():
            self.ledger.set_run(self.run_id, RunState.DONE)
        else:
            self.ledger.set_run(self.run_id, RunState.PAUSED, self._reason)

    async def _walk_wave(self, batches: list[Batch]) -> None:
        groups: dict[str, list[Batch]] = {}
        for batch in batches:
            groups.setdefault(batch.group_id, []).append(batch)
        results = await asyncio.gather(*(self._walk_group(b) for b in groups.values()), return_exceptions=True)
        for error in results:
            if isinstance(error, BaseException):
                raise error

    async def _walk_group(self, batches: list[Batch]) -> None:
        try:
            for batch in batches:
                await self._bring_to_end(batch)
                if self.is_stopping():
                    return
        except BaseException as error:
            # The other groups stop before their next request instead of being cut off in the middle of one.
            self._stop(str(error))
            raise

    def _states(self, wave: int | None = None) -> list[BatchState]:
        batches = [batch for batch in self.plan.batches if wave in (None, batch.wave)]
        return [BatchState(self.batch_row(batch.batch_id)["state"]) for batch in batches]

    def _is_over(self) -> bool:
        return all(state.is_final or state == BatchState.UNKNOWN for state in self._states())

    def _is_unclear(self, wave: int) -> bool:
        """Tell whether a later wave must wait, because a batch of this one has not ended; say so."""
        states = self._states(wave)
        if BatchState.UNKNOWN in states and any(batch.wave > wave for batch in self.plan.batches):
            self._reason = _("Wave {wave} has a batch whose end is unknown, so later waves wait. Resume to look again.",
                             wave=wave)  # fmt: skip
        return not all(state.is_final for state in states)

    async def _bring_to_end(self, batch: Batch) -> None:
        steps, failures = 0, Failures(self)
        while not self.is_stopping():
            row = self.batch_row(batch.batch_id)
            state = BatchState(row["state"])
            if state.is_final or (state == BatchState.UNKNOWN and steps):
                break
            if state == BatchState.PENDING and not self.may_send():
                return
            try:
                await self._step(batch, state, row["job_id"])
            except (CloudError, CloudUnreachable) as error:
                await failures.bear(error, batch)
            else:
                self._refusals = 0
                failures.forget()
                steps += 1
        if steps:
            self._mind_failed(batch)

    async def _step(self, batch: Batch, state: BatchState, job_id: str | None) -> None:
        match state:
            case BatchState.PENDING:
                await send(self, batch)
            case BatchState.SENDING | BatchState.UNCERTAIN:
                await settle(self, batch)
            case BatchState.UNKNOWN if self.open_attempt(batch.batch_id)["result"] in _UNSETTLED:
                await settle(self, batch)
            case _:
                await watch(self, batch, job_id, again=state == BatchState.UNKNOWN)

    def _mind_failed(self, batch: Batch) -> None:
        if self.pace.on_failure != "stop":
            return
        failed = self.ledger.rows(
            "SELECT count(*) AS n FROM servers WHERE run_id = ? AND batch_id = ? AND stage = ?",
            self.run_id,
            batch.batch_id,
            Stage.FAILED,
        )[0]["n"]
        if failed:
            self._drain(
                _("Stopped after batch {batch}: {count} of its servers failed.", batch=batch.batch_id, count=failed)
            )

    def count_refusal(self) -> int:
        """Count that the credentials were refused, and return how often in a row."""
        self._refusals += 1
        return self._refusals


def engine_of(run: "Run") -> Engine | None:
    """Return the engine that walks ``run`` in this process, if one was started."""
    return _engines.get((str(run.ledger.path), run.run_id))


def start_engine(cloud: "Cloud", run: "Run", *, sleep: Callable[[float], Awaitable[None]] | None = None) -> Engine:
    """Start walking ``run`` on the private loop and return its engine at once."""
    engine = Engine(cloud, run, sleep=sleep)
    _engines[str(run.ledger.path), run.run_id] = engine
    engine.done = loop.start(engine.walk())
    return engine
