"""When to look again at something that takes its time: waits that grow, spread so that polls do not come together."""

import math
import random
from collections.abc import Iterator, Sequence

from sdrs_nb.models import Pace
from sdrs_nb.running.job_history import KEPT

__all__ = ["next_delay", "next_look", "poll_delays"]

#: The fewest jobs seen that say anything.
_ENOUGH = 3
#: The first look falls where so many of the jobs seen had ended: earlier looks would mostly be in vain.
_EARLY_SHARE = 0.1
_JITTER = 0.2
_PACE = Pace()


def next_delay(looks: int, pace: Pace = _PACE) -> float:
    """Return seconds to wait before look number ``looks + 1``: by default 5 s growing to 30 s, spread by a fifth."""
    return pace.delay_s(looks) * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - spreads polls


def poll_delays(pace: Pace = _PACE, *, within_s: float = math.inf) -> Iterator[float]:
    """Yield the seconds to wait after each look, as long as those before add up to less than ``within_s``."""
    waited, looks = 0.0, 0
    while waited < within_s:
        delay = next_delay(looks, pace)
        yield delay
        waited, looks = waited + delay, looks + 1


def next_look(elapsed: float, looks: int, known: Sequence[float], pace: Pace) -> float:
    """Return seconds to wait before looking at a job that was accepted ``elapsed`` seconds ago.

    Without experience the wait grows from ``first_look_s`` to ``longest_look_s`` of ``pace``.  With it, the first look
    comes when the fastest tenth of the jobs seen had ended, then every ``first_look_s`` until the slowest had, and ever
    more rarely after that: fewer calls, and an end is seen sooner.
    """
    if len(known) < _ENOUGH:
        return next_delay(looks, pace)
    recent = sorted(known[-KEPT:])
    early, late = recent[int(_EARLY_SHARE * len(recent))], recent[-1]
    if elapsed < early:
        return early - elapsed + random.uniform(0.1, 0.5) * pace.first_look_s  # noqa: S311 - spreads polls, protects nothing
    overdue = max(elapsed - late - pace.first_look_s, 0.0)
    return min(pace.first_look_s + overdue / 2, pace.longest_look_s) * random.uniform(0.8, 1.2)  # noqa: S311 - spreads polls
