"""Measure a piece of work and print it as the runner expects; imported by our scripts, not by baselines."""

import json
import resource
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def measured(work: Callable[[], T]) -> T:
    """Run ``work`` once, print its seconds and the process's peak memory, and return its result."""
    begun = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mib": peak}))
    return result
