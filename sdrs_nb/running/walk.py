"""What one walk over a run's batches shares with its steps: the cloud, the record, the clock, and whether to go on.

The engine makes it and moves it along; the steps (door, sending, settling, watching) see nothing else of the engine.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sdrs_nb import loop
from sdrs_nb.ledger.ledger import AttemptResult, Control, Ledger
from sdrs_nb.ledger.observing import Observation
from sdrs_nb.models import Batch, Pace
from sdrs_nb.running.job_history import job_durations
from sdrs_nb.running.pacing import Timing
from sdrs_nb.running.shared_facts import SharedFacts

if TYPE_CHECKING:
    from sdrs_nb.cloud import Cloud
    from sdrs_nb.planning.plans import Plan

__all__ = ["Walk", "walk_of"]

_walks: dict[tuple[str, str], "Walk"] = {}


class Walk:
    """One walk over a run; all of it but ``ask`` and ``done`` is used on the private loop.

    Parameters
    ----------
    cloud, run_id, ledger, plan
        Where the run goes, its record, and what was approved.
    sleep
        In place of real waiting (tests).

    Attributes
    ----------
    facts
        Lists of the project that the groups share.
    durations
        Seconds that jobs of this kind took in this project, the newest last.
    reason
        Why it stops or sends nothing more; ``""`` while it goes on.
    is_answered
        Whether some request of this walk has come to an answer that does not stop the run.
    done
        Thread-safe future of the walk; its exception is what paused the run.
    is_reported
        Whether what ended the walk was raised to somebody already.
    """

    done: "Future[None]"

    def __init__(
        self,
        cloud: "Cloud",
        run_id: str,
        ledger: Ledger,
        plan: "Plan",
        *,
        sleep: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        self.cloud, self.run_id, self.ledger, self.plan = cloud, run_id, ledger, plan
        self.names = plan.server_names
        record = ledger.run(run_id) or {}
        with ledger.readable():
            self.pace = Pace.model_validate_json(record["settings"])
        self.timing = Timing.of(cloud, sleep)
        self.facts = SharedFacts(cloud, self.timing.clock)
        where = {name: record[name] for name in ("endpoint", "project_id")}
        self.durations = job_durations(ledger, **where, deletions=plan.is_deletion)
        self.stopping = asyncio.Event()
        self.reason = ""
        self.is_answered = self.is_reported = self.is_paused = False
        self._is_draining = False
        self._refusals = 0
        self._first = asyncio.Lock()

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Start what walks, on the private loop; ``walk_of`` finds this walk from now on."""
        _walks[str(self.ledger.path), self.run_id] = self
        self.done = loop.start(work)

    def ask(self, control: Control, reason: str = "") -> None:
        """Take note of what the operator wants, from any thread."""
        match control:
            case Control.STOP:
                loop.private_loop().call_soon_threadsafe(self.drain, reason)
            case Control.PAUSE:
                loop.private_loop().call_soon_threadsafe(self.pause, reason)
            case Control.GO:
                loop.private_loop().call_soon_threadsafe(self.go_on)

    def is_stopping(self) -> bool:
        """Whether the walk was asked to stop after what is being sent now."""
        return self.stopping.is_set()

    def may_send(self) -> bool:
        """Whether another batch may be sent: neither stopping nor following what was sent to its end."""
        return not (self._is_draining or self.is_stopping())

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
        await self.timing.sleep(seconds, self.stopping)

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

    def open_attempt(self, batch_id: str) -> dict[str, Any]:
        """Return the batch's newest attempt that can have left."""
        return self.ledger.newest_attempt(self.run_id, batch_id)

    def accepted_at(self, batch_id: str) -> datetime:
        """Return when the batch's newest attempt was answered or adopted, by the cloud's clock."""
        said = self.open_attempt(batch_id)["answered_cloud_at"]
        # An older version did not keep it: the batch counts as accepted when this walk first looks at it.
        return datetime.fromisoformat(said) if said else self.cloud.clock.now()

    def answer(self, attempt: int, result: AttemptResult, **answer: Any) -> None:
        """Record what an attempt came to, at this moment of the cloud's clock; ``answer`` as in ``Ledger.answer``."""
        self.ledger.answer(attempt, result, cloud_at=self.cloud.clock.now(), **answer)

    def observe(self, batch: Batch, observations: Iterable[Observation]) -> None:
        """Record what the batch showed of assumptions."""
        self.ledger.observe(self.run_id, batch.batch_id, list(observations))

    def count_absent(self, batch_id: str) -> int:
        """Return how often the batch was sent and proved to have done nothing."""
        return self.ledger.count_results(self.run_id, (AttemptResult.ABSENT,), batch_id)

    def count_refusal(self) -> int:
        """Count that the credentials were refused, and return how often in a row."""
        self._refusals += 1
        return self._refusals

    def forget_refusals(self) -> None:
        """Count refusals anew, since something worked."""
        self._refusals = 0

    def stop(self, reason: str) -> None:
        """End after the requests under way; nothing more is sent or followed."""
        if not self.is_stopping():
            self.reason = reason
            self.stopping.set()

    def pause(self, reason: str) -> None:
        """Stop since the operator said so, who may say meanwhile that it shall go on; see ``follow``."""
        self.is_paused = True
        self.stop(reason)

    def drain(self, reason: str) -> None:
        """Send nothing more; follow what was sent to its end."""
        if self.may_send():
            self.reason = reason
            self._is_draining = True

    def go_on(self) -> None:
        """Take ``drain`` back."""
        if self._is_draining and not self.is_stopping():
            self.reason = ""
            self._is_draining = False


def walk_of(ledger: Ledger, run_id: str) -> Walk | None:
    """Return the last walk over a run that was begun in this process, None where none was."""
    return _walks.get((str(ledger.path), run_id))
