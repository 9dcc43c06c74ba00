"""Progress on the standard error: moving bars on a terminal, plain lines in a pipe, nothing when quiet."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sdrs_nb.i18n import _, ngettext_
from sdrs_nb.models import OnWait, Wait
from sdrs_nb.running.progress import ProgressLines, ended_stages
from sdrs_nb.running.runs import Run
from sdrs_nb.shown import terminal

if TYPE_CHECKING:
    from rich.progress import TaskID

__all__ = ["loading", "running", "waiting"]

OnLoad = Callable[[str, int, int | None], None]
OnRun = Callable[[Run], None]


@contextmanager
def loading(*, quiet: bool) -> Iterator[OnLoad]:
    """Give what ``load_inventory`` tells its progress to."""
    if quiet:
        yield lambda *_told: None
    elif sys.stderr.isatty():
        with terminal.bars() as bars:
            tasks: dict[str, TaskID] = {}

            def moved(name: str, done: int, total: int | None) -> None:
                if name not in tasks:
                    tasks[name] = bars.add_task(name, total=total)
                bars.update(tasks[name], completed=done, total=total)

            yield moved
    else:
        yield _line


def _line(name: str, done: int, total: int | None) -> None:
    if done == total:
        terminal.write(f"{name}: {ngettext_('{count} row', '{count} rows', done)}", sys.stderr)


def waiting(*, quiet: bool) -> OnWait:
    """Return what ``Cloud.on_wait`` tells waits to: each is a line, above the bars where there are any."""

    def told(wait: Wait | None) -> None:
        if wait is not None and not quiet:
            terminal.write(str(wait), sys.stderr)

    return told


@contextmanager
def running(*, quiet: bool) -> Iterator[OnRun]:
    """Give what ``follow`` tells its progress to."""
    if quiet:
        yield lambda _run: None
    elif sys.stderr.isatty():
        with terminal.bars() as bars:
            batches = bars.add_task(_("batches"), total=None)
            servers = bars.add_task(_("servers"), total=None)

            known = 0

            def moved(run: Run) -> None:
                nonlocal known
                for sentence in run.contradictions[known:]:
                    known += 1
                    terminal.write(sentence, sys.stderr)
                sent, now_at = run.batch_tally, run.tally
                bars.update(batches, completed=sent.ended, total=sent.whole)
                bars.update(servers, completed=now_at.ended, total=now_at.whole, description=_told(run))

            yield moved
    else:
        yield ProgressLines(sys.stderr, says_waits=False)


def _told(run: Run) -> str:
    """Return what became of the servers so far, as rich markup: red as soon as one failed."""
    counts = run.counts
    stages = ended_stages(counts)
    text = _("servers ({stages})", stages=stages) if stages else _("servers")
    return f"[red]{text}[/]" if run.tally.failed else text
