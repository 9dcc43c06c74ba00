"""Progress of a run as plain lines, for a terminal, a pipe or a cell."""

import sys
from collections.abc import Mapping
from typing import TextIO

from sdrs_nb.i18n import _
from sdrs_nb.running.runs import Run
from sdrs_nb.statuses import WORST_FIRST, has_ended
from sdrs_nb.words import word

__all__ = ["ProgressLines", "ended_stages"]


class ProgressLines:
    """Give ``follow`` an instance as ``on_change``: it writes a line each time something has changed.

    Parameters
    ----------
    stream
        Where to write; by default the standard output at the time of writing.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._last = ""

    def __call__(self, run: Run) -> None:
        """Write where ``run`` stands, unless that was the last line already."""
        line = _line(run)
        if line != self._last:
            self._last = line
            stream = self._stream or sys.stdout
            stream.write(line + "\n")
            stream.flush()


def ended_stages(counts: Mapping[str, int]) -> str:
    """Return how many servers have come to which end, what needs somebody first; empty where none has."""
    return ", ".join(f"{counts[stage]} {word(stage)}" for stage in WORST_FIRST if has_ended(stage) and counts[stage])


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
