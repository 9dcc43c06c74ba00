"""Failing calls on the way: which may pass, and how long a run bears them before it pauses."""

from datetime import datetime

from sdrs_nb.errors import AuthenticationError, CloudError, CloudUnreachable, ServiceError, ThrottledError
from sdrs_nb.models import Batch
from sdrs_nb.running.jobs import next_delay
from sdrs_nb.running.walk import Walk

__all__ = ["Failures"]

#: Failing steps in a row of one batch before its patience may be at an end.
_FEWEST_TRIES = 5
#: Refused credentials in a row, over all groups; five bad signatures lock an access key (cloud-apis.md 3.1).
_MOST_REFUSALS = 3
_REQUEST_TIMEOUT = 408


class Failures:
    """Failing calls of one batch in a row: borne with growing waits, until patience ends."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self.forget()

    def forget(self) -> None:
        """Begin anew after something worked."""
        self._count = 0
        self._since: datetime | None = None

    async def bear(self, error: CloudError | CloudUnreachable, batch: Batch) -> None:
        """Wait before the next try; raises ``error`` where trying again is no use or patience has ended."""
        walk = self._walk
        if isinstance(error, AuthenticationError):
            if walk.count_refusal() >= _MOST_REFUSALS:
                raise error
        elif not _may_pass(error):
            raise error
        self._since = self._since or walk.timing.clock()
        self._count += 1
        if self._count >= _FEWEST_TRIES and walk.timing.since(self._since) >= walk.pace.patience_s:
            raise error
        walk.ledger.note(walk.run_id, "trying again", batch.batch_id, message=str(error))
        await walk.wait(next_delay(self._count - 1, first_s=walk.pace.first_look_s, most_s=walk.pace.longest_look_s))


def _may_pass(error: CloudError | CloudUnreachable) -> bool:
    """Tell whether the same call may work later: no answer, throttled, a failing service, an unreadable success."""
    if isinstance(error, CloudUnreachable | ThrottledError | ServiceError):
        return True
    return error.status == _REQUEST_TIMEOUT or error.status < 300  # noqa: PLR2004 - HTTP: success that cannot be read
