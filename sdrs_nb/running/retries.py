"""Failing calls of a run: which are tried again, and how long before the run pauses."""

from datetime import datetime

from sdrs_nb.errors import AuthenticationError, CloudError, CloudUnreachable, ServiceError, ThrottledError
from sdrs_nb.models import Batch
from sdrs_nb.running.polling import next_delay
from sdrs_nb.running.walk import Walk

__all__ = ["Retries"]

#: Tries of one batch that may fail in a row, however long they take.
_FEWEST_TRIES = 5
#: Refused credentials in a row, over all groups; five bad signatures lock an access key.
_MOST_REFUSALS = 3
_UNREADABLE_SUCCESS, _REQUEST_TIMEOUT = 299, 408


class Retries:
    """Tries again what failed for one batch, after growing waits, for as long as the run's ``patience_s`` says."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self.forget()

    def forget(self) -> None:
        """Begin anew after something worked."""
        self._count = 0
        self._since: datetime | None = None

    async def wait_or_raise(self, error: CloudError | CloudUnreachable, batch: Batch) -> None:
        """Wait before the next try; raises ``error`` where trying again is no use or has gone on for too long.

        What may work later: no answer, throttled, a failing service, a success that cannot be read.
        """
        walk = self._walk
        if isinstance(error, AuthenticationError):
            if walk.count_refusal() >= _MOST_REFUSALS:
                raise error
        elif not isinstance(error, CloudUnreachable | ThrottledError | ServiceError) and (
            _UNREADABLE_SUCCESS < error.status != _REQUEST_TIMEOUT
        ):
            raise error
        self._since = self._since or walk.timing.clock()
        self._count += 1
        if self._count >= _FEWEST_TRIES and walk.timing.since(self._since) >= walk.pace.patience_s:
            raise error
        walk.ledger.note(walk.run_id, "trying again", batch.batch_id, message=str(error))
        await walk.wait(next_delay(self._count - 1, walk.pace))
