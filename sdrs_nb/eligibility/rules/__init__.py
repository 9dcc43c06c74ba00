"""One small pure function a rule; importing this package registers them all.

A rule is an entry in ``sdrs_nb/rulebook`` (words, severity, source) and a function here of the same id.  Functions
look at ``Facts`` and give back ``Hits``: positions and evidence, no text and no verdict.
"""

from sdrs_nb.eligibility.judging import Fired, judge
from sdrs_nb.eligibility.rules import (
    capacity,
    cluster,
    deletion,
    flavors,
    group,
    placement,
    references,
    request,
    server,
    server_consequences,
    volume,
)

__all__ = [
    "Fired",
    "capacity",
    "cluster",
    "deletion",
    "flavors",
    "group",
    "judge",
    "placement",
    "references",
    "request",
    "server",
    "server_consequences",
    "volume",
]
