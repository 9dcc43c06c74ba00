"""The words in which the ledger says where a run, a batch and a request stand."""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

__all__ = ["AttemptResult", "BatchState", "BatchTally", "Control", "RunState", "batch_tally"]


class RunState(StrEnum):
    """Where a run stands."""

    READY = "ready"  # recorded, nothing sent yet
    RUNNING = "running"
    PAUSED = "paused"  # stopped on the way; resume carries on
    DONE = "done"  # every batch has come to an end that this run can bring about


class Control(StrEnum):
    """What the operator, in whichever process, wants of a run."""

    GO = "go"
    STOP = "stop"  # send nothing more, follow what was sent to its end
    PAUSE = "pause"  # send nothing more and follow nothing


class BatchState(StrEnum):
    """Where a batch stands; ``sending`` on disk without an answer means its fate must be looked up."""

    PENDING = "pending"
    SENDING = "sending"
    UNCERTAIN = "uncertain"
    ACCEPTED = "accepted"
    ENDED = "ended"
    REFUSED = "refused"
    HELD = "held"  # a fact changed before it was sent, or it was cancelled: not sent, with the reason
    UNKNOWN = "unknown"

    @property
    def is_final(self) -> bool:
        """Whether the run does nothing more about the batch."""
        return self in (BatchState.ENDED, BatchState.REFUSED, BatchState.HELD)

    @property
    def is_moving(self) -> bool:
        """Whether its request is under way in the cloud, as far as anybody knows."""
        return self in (BatchState.SENDING, BatchState.UNCERTAIN, BatchState.ACCEPTED)


class BatchTally(NamedTuple):
    """Batches by what their states mean."""

    whole: int
    ended: int
    moving: int


def batch_tally(states: Iterable[str]) -> BatchTally:
    """Return how many batches there are, have come to their end, and are under way."""
    found = [BatchState(state) for state in states]
    return BatchTally(len(found), sum(one.is_final for one in found), sum(one.is_moving for one in found))


class AttemptResult(StrEnum):
    """What became of one POST."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_HANDLED = "not handled"  # throttled, not signed in, or no byte left this machine
    UNCERTAIN = "uncertain"
    ADOPTED = "adopted"  # its instances were found although the answer was lost
    ABSENT = "absent"  # after the settling time nothing of it was there
