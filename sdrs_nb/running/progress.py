"""Progress of a run as plain lines, for a terminal, a pipe or a cell."""

import sys
from typing import TextIO

from sdrs_nb.i18n import _
from sdrs_nb.running.runs import Run

__all__ = ["ProgressLines"]


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
        line = (_undoing if run.plan.is_deletion else _protecting)(run)
        if line != self._last:
            self._last = line
            stream = self._stream or sys.stdout
            stream.write(line + "\n")
            stream.flush()


def _protecting(run: Run) -> str:
    counts = run.counts
    return _(
        "Batches: {ended} of {all} ended, {moving} under way. Servers: {created} created, {protected} protected, "
        "{failed} failed, {accepted} accepted, {waiting} not sent yet.",
        **_batches(run),
        created=counts["created"],
        protected=counts["protected"],
        failed=counts["failed"],
        accepted=counts["accepted"] + counts["job ok"],
        waiting=counts["not sent"],
    )


def _undoing(run: Run) -> str:
    counts = run.counts
    return _(
        "Batches: {ended} of {all} ended, {moving} under way. Instances: {deleted} deleted, {failed} failed, "
        "{accepted} accepted, {waiting} not sent yet.",
        **_batches(run),
        deleted=counts["deleted"],
        failed=counts["failed"],
        accepted=counts["accepted"],
        waiting=counts["not sent"],
    )


def _batches(run: Run) -> dict[str, int]:
    batches = run.batches["state"].value_counts()
    moving = sum(batches.get(state, 0) for state in ("sending", "uncertain", "accepted"))
    return {"ended": int(batches.get("ended", 0)), "all": int(batches.sum()), "moving": int(moving)}
