"""Walk a run to its end: each group's batches one at a time, groups side by side, all state in the ledger.

An engine can be dropped at any moment and another one started from the ledger; a lock file (freed by the system
when its process dies) keeps two of them off one run.  Stopping interrupts waiting, never a POST.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from sdrs_nb import loop
from sdrs_nb.errors import ClaimedError, SdrsError
from sdrs_nb.i18n import _
from sdrs_nb.ledger import BatchState, RunState
from sdrs_nb.models import Batch, Stage
from sdrs_nb.pacing import Pace, Timing
from sdrs_nb.sending import send, settle
from sdrs_nb.watching import watch

if TYPE_CHECKING:
    from sdrs_nb.cloud import Cloud
    from sdrs_nb.runs import Run

__all__ = ["Engine", "engine_of", "start_engine"]

_engines: dict[tuple[str, str], "Engine"] = {}


class Engine:
    """One run being walked; made by ``start_engine``.

    Attributes
    ----------
    done
        Thread-safe future of the walk; its exception is what paused the run.
    """

    done: "Future[None]"

    def __init__(self, cloud: "Cloud", run: "Run", *, sleep: Callable[[float], Awaitable[None]] | None = None) -> None:
        self.cloud = cloud
        self.run_id = run.run_id
        self.ledger = run.ledger
        self.plan = run.plan
        self.names = run.plan.server_names
        self.pace = Pace.model_validate_json(run.record["settings"])
        self.timing = Timing(run.ledger.clock, lambda: cloud.time_scale, sleep)
        self._stopping = asyncio.Event()
        self._reason = ""
        self._lock = FileLock(self.ledger.path.with_name(f"{self.run_id}.lock"), thread_local=False)

    def is_stopping(self) -> bool:
        """Whether the walk was asked to stop after what is being sent now."""
        return self._stopping.is_set()

    def stop(self, reason: str = "") -> None:
        """Ask the walk, from any thread, to end after the requests under way."""
        loop.private_loop().call_soon_threadsafe(self._stop, reason)

    def _stop(self, reason: str) -> None:
        if not self.is_stopping():
            self._reason = reason
            self._stopping.set()

    async def wait(self, seconds: float) -> None:
        """Wait for ``seconds`` of cloud time, or until the walk is asked to stop."""
        await self.timing.sleep(seconds, self._stopping)

    def batch_row(self, batch_id: str) -> dict[str, Any]:
        """Return where the batch stands in the ledger."""
        return self.ledger.rows("SELECT * FROM batches WHERE run_id = ? AND batch_id = ?", self.run_id, batch_id)[0]

    def open_attempt(self, batch_id: str) -> dict[str, Any]:
        """Return the batch's newest attempt, whose fate is in doubt."""
        return self.ledger.rows(
            "SELECT * FROM attempts WHERE run_id = ? AND batch_id = ? ORDER BY attempt_id DESC LIMIT 1",
            self.run_id,
            batch_id,
        )[0]

    def count_absent(self, batch_id: str) -> int:
        """Return how often the batch was sent and proved to have done nothing."""
        return int(
            self.ledger.rows(
                "SELECT count(*) AS n FROM attempts WHERE run_id = ? AND batch_id = ? AND result = 'absent'",
                self.run_id,
                batch_id,
            )[0]["n"]
        )

    async def walk(self) -> None:
        """Bring every batch to its end, or pause the run with the reason.

        Raises
        ------
        ClaimedError
            Another process walks this run now.
        SdrsError
            What paused the run: credentials, an unreachable cloud, a ledger that cannot be written.
        """
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise ClaimedError(
                _("Run {run} is being carried on by another process. Follow it there, or end that process.",
                  run=self.run_id)
            ) from None  # fmt: skip
        try:
            await self._walk()
        finally:
            self._lock.release()

    async def _walk(self) -> None:
        self.ledger.set_run(self.run_id, RunState.RUNNING)
        groups: dict[str, list[Batch]] = {}
        for batch in self.plan.batches:
            groups.setdefault(batch.group_id, []).append(batch)
        results = await asyncio.gather(*(self._walk_group(b) for b in groups.values()), return_exceptions=True)
        errors = [result for result in results if isinstance(result, BaseException)]
        if errors:
            self.ledger.set_run(self.run_id, RunState.PAUSED, str(errors[0]))
            raise errors[0]
        states = [BatchState(self.batch_row(batch.batch_id)["state"]) for batch in self.plan.batches]
        if all(state.is_final or state == BatchState.UNKNOWN for state in states):
            self.ledger.set_run(self.run_id, RunState.DONE)
        else:
            self.ledger.set_run(self.run_id, RunState.PAUSED, self._reason)

    async def _walk_group(self, batches: list[Batch]) -> None:
        try:
            for batch in batches:
                await self._bring_to_end(batch)
                if self.is_stopping():
                    return
        except SdrsError as error:
            # The other groups stop before their next request instead of being cut off in the middle of one.
            self._stop(str(error))
            raise

    async def _bring_to_end(self, batch: Batch) -> None:
        first = True
        while not self.is_stopping():
            row = self.batch_row(batch.batch_id)
            match BatchState(row["state"]):
                case BatchState.PENDING:
                    await send(self, batch)
                case BatchState.SENDING | BatchState.UNCERTAIN:
                    await settle(self, batch)
                case BatchState.ACCEPTED:
                    await watch(self, batch, row["job_id"])
                case BatchState.UNKNOWN if first:
                    await watch(self, batch, row["job_id"])
                case _:
                    self._mind_failures(batch)
                    return
            first = False

    def _mind_failures(self, batch: Batch) -> None:
        if self.pace.on_failure != "stop":
            return
        failed = self.ledger.rows(
            "SELECT count(*) AS n FROM servers WHERE run_id = ? AND batch_id = ? AND stage = ?",
            self.run_id,
            batch.batch_id,
            Stage.FAILED,
        )[0]["n"]
        if failed:
            self._stop(
                _("Stopped after batch {batch}: {count} of its servers failed.", batch=batch.batch_id, count=failed)
            )


def engine_of(run: "Run") -> Engine | None:
    """Return the engine that walks ``run`` in this process, if one was started."""
    return _engines.get((str(run.ledger.path), run.run_id))


def start_engine(cloud: "Cloud", run: "Run", *, sleep: Callable[[float], Awaitable[None]] | None = None) -> Engine:
    """Start walking ``run`` on the private loop and return its engine at once."""
    engine = Engine(cloud, run, sleep=sleep)
    _engines[str(run.ledger.path), run.run_id] = engine
    engine.done = loop.start(engine.walk())
    return engine
