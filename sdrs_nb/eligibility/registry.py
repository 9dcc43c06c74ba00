"""Which function decides which rule: one function a rule id, registered where it is written."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from sdrs_nb.eligibility.columns import BoolArray
from sdrs_nb.eligibility.hits import Hits

if TYPE_CHECKING:
    from sdrs_nb.eligibility.facts import Facts

__all__ = ["Check", "Phase", "registered", "rule"]

#: When a rule is asked: of groups, before servers are matched with them; of servers; of the choice between groups, when
#: each has been tried; of clusters and their companions, when every other rule has spoken.
Phase = Literal["group", "server", "choice", "cluster"]

Function = Callable[["Facts"], Iterable[Hits]]
Concern = Callable[["Facts"], BoolArray]


@dataclass(frozen=True, slots=True)
class Check:
    """A rule's function, when it is asked, and which servers it concerns while its data is missing (None: all).

    ``by_group``: its answer depends on the group that a server is judged against.
    ``by_absence``: it fires for what is not in its frames, so that a frame that was read in part decides nothing; or
    the variants of its hits that do.  Any other rule fires for what is there, which more rows would not change.
    """

    rule: str
    phase: Phase
    function: Function
    concerns: Concern | None
    by_group: bool = False
    by_absence: bool | frozenset[str] = False


_checks: dict[str, Check] = {}


def rule(
    rule_id: str,
    *,
    phase: Phase = "server",
    concerns: Concern | None = None,
    by_group: bool = False,
    by_absence: bool | frozenset[str] = False,
) -> Callable[[Function], Function]:
    """Register a function as the one that decides ``rule_id``."""

    def register(function: Function) -> Function:
        _checks[rule_id] = Check(rule_id, phase, function, concerns, by_group, by_absence)
        return function

    return register


def registered() -> Mapping[str, Check]:
    """Return every check by rule id; importing ``sdrs_nb.eligibility.rules`` is what fills it."""
    return MappingProxyType(_checks)
