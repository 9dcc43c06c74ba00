"""Progress of a run as plain lines, for a terminal, a pipe or a cell."""

from collections.abc import Mapping
from typing import TextIO

from sdrs_nb.asked import checked
from sdrs_nb.i18n import _
from sdrs_nb.models import Wait
from sdrs_nb.running.runs import Run
from sdrs_nb.shown import terminal
from sdrs_nb.shown.words import counted, joined
from sdrs_nb.statuses import WORST_FIRST, has_ended

__all__ = ["ProgressLines", "ended_stages"]


class ProgressLines:
    """Give ``follow`` an instance as ``on_change``: it writes a line each time something has changed.

    ``load_inventory`` and ``coverage`` take one as ``on_wait``, to say how long they wait for the gateway's limit.

    Parameters
    ----------
    stream
        Where to write; by default the standard output at the time of writing.
    says_waits
        Whether a run's waits for the gateway's limit are written too; not where somebody says them already.
    """

    @checked
    def __init__(self, stream: TextIO | None = None, *, says_waits: bool = True) -> None:
        self._stream = stream
        self._says_waits = says_waits
        self._line = ""
        self._contradictions = 0
        self._wait: Wait | None = None

    def __call__(self, now: Run | Wait | None) -> None:
        """Write where a run stands, or until when calls wait, unless that was written already."""
        if not isinstance(now, Run):
            self._write_wait(now)
            return
        if self._says_waits:
            self._write_wait(now.waiting)
        for sentence in now.contradictions[self._contradictions :]:
            self._contradictions += 1
            self._write(sentence)
        if (line := _line(now)) != self._line:
            self._line = line
            self._write(line)

    def _write_wait(self, wait: Wait | None) -> None:
        if wait is not None and wait != self._wait:
            self._write(str(wait))
        self._wait = wait

    def _write(self, line: str) -> None:
        terminal.write(line, self._stream)


def ended_stages(counts: Mapping[str, int]) -> str:
    """Return how many servers have come to which end, what needs somebody first; empty where none has."""
    return joined(counted(counts[stage], stage) for stage in WORST_FIRST if has_ended(stage) and counts[stage])


def _line(run: Run) -> str:
    batches, servers = run.batch_tally, run.tally
    return _(
        "Batches: {batches_ended} of {batches} ended, {moving} under way. Servers: {ended} of {servers} ended{stages}.",
        batches_ended=batches.ended,
        batches=batches.whole,
        moving=batches.moving,
        ended=servers.ended,
        servers=servers.whole,
        stages=f" ({stages})" if (stages := ended_stages(run.counts)) else "",
    )
