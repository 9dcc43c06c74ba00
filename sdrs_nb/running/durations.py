"""How long jobs took, as their own documents say, and when it is worth looking at the next one."""

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sdrs_nb.running.jobs import next_delay

__all__ = ["KEPT", "job_seconds", "next_look"]

#: Jobs looked back at, and the fewest that say anything.
KEPT, _ENOUGH = 60, 3
#: The first look falls where so many of the jobs seen had ended: earlier looks would mostly be in vain.
_EARLY_SHARE = 0.1


def job_seconds(document: Mapping[str, Any]) -> float | None:
    """Return the seconds between a job's ``begin_time`` and ``end_time``, None while it has not both."""
    begin, end = _moment(document.get("begin_time")), _moment(document.get("end_time"))
    return None if begin is None or end is None else max((end - begin).total_seconds(), 0.0)


def _moment(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def next_look(elapsed: float, looks: int, known: Sequence[float], *, first_s: float, most_s: float) -> float:
    """Return seconds to wait before looking at a job that was accepted ``elapsed`` seconds ago.

    Without experience the wait grows from ``first_s`` to ``most_s``.  With it, the first look comes when the fastest
    tenth of the jobs seen had ended, then every ``first_s`` until the slowest had, and ever more rarely after that:
    fewer calls, and an end is seen sooner.
    """
    if len(known) < _ENOUGH:
        return next_delay(looks, first_s=first_s, most_s=most_s)
    recent = sorted(known[-KEPT:])
    early, late = recent[int(_EARLY_SHARE * len(recent))], recent[-1]
    if elapsed < early:
        return early - elapsed + random.uniform(0.1, 0.5) * first_s  # noqa: S311 - spreads polls, protects nothing
    overdue = max(elapsed - late - first_s, 0.0)
    return min(first_s + overdue / 2, most_s) * random.uniform(0.8, 1.2)  # noqa: S311 - spreads polls
