"""What findings add up to: counts by severity and one verdict a server."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType

import numpy as np
import pandas as pd

from sdrs_nb.eligibility.columns import BoolArray, IntArray
from sdrs_nb.eligibility.facts import Facts
from sdrs_nb.eligibility.judging import Fired
from sdrs_nb.eligibility.rules.request import request_stoppers
from sdrs_nb.models import Verdict
from sdrs_nb.rulebook import Effect
from sdrs_nb.tables import VERDICTS, empty

__all__ = ["COUNTED", "Verdicts"]

_ORDER = tuple(Verdict)
#: Rules about groups, requests and places, whose warnings leave a server's verdict alone (eligibility facts, scope)...
_WIDE = ("G", "Q", "P")
#: ... but for those that look at the flavor of one server.
_OF_ONE_SERVER = frozenset({"P2", "P3"})

#: Columns of ``verdicts`` that count findings, and the effects that each counts.
COUNTED: Mapping[str, tuple[Effect, ...]] = MappingProxyType(
    {
        "blockers": (Effect.BLOCKER,),
        "warnings": (Effect.WARNING,),
        "notices": (Effect.NOTICE,),
        "unverified": (Effect.UNKNOWN, Effect.UNVERIFIED),
    }
)


class Verdicts:
    """The verdicts of everything that fired, computed when first asked for."""

    def __init__(self, facts: Facts, fired: Sequence[Fired]) -> None:
        self._facts = facts
        self._fired = fired

    def of(self, server: int) -> Verdict:
        """Return the verdict of the server at a position."""
        return _ORDER[int(self._codes[server])]

    def are(self, verdict: Verdict) -> BoolArray:
        """Return for each server position whether it has this verdict."""
        return np.asarray(self._codes == _ORDER.index(verdict), dtype=bool)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row per server that was asked about; columns of ``tables.VERDICTS``."""
        facts, at = self._facts, np.flatnonzero(self._facts.selected)
        if not len(at):
            return empty(VERDICTS)
        names = facts.frames.column("servers", "name").astype("string").array
        words = pd.array([verdict.value for verdict in _ORDER], dtype="string")
        counts = {name: pd.array(numbers[at], dtype="Int64") for name, numbers in self._counts.items()}
        return pd.DataFrame(
            {
                "server_id": facts.server_ids.texts.take(at),
                "name": names.take(facts.server_ids.rows[at], allow_fill=True),
                "group_id": facts.group_ids.texts.take(facts.match.group[at], allow_fill=True),
                "verdict": words.take(self._codes[at]),
                **counts,
            }
        )

    @cached_property
    def _counts(self) -> Mapping[str, IntArray]:
        size = len(self._facts.server_ids)
        counts = {name: np.zeros(size, dtype=np.int64) for name in COUNTED}
        for one in self._fired:
            name = next((name for name, effects in COUNTED.items() if one.effect in effects), None)
            if name is not None:
                counts[name] += np.bincount(one.hits.rows, minlength=size)
        return counts

    @cached_property
    def _codes(self) -> IntArray:
        """The verdict of every server by position, as its place in ``Verdict``; later lines are stronger."""
        judged = self._facts.judged
        if judged is None:
            raise RuntimeError("an Eligibility is made by check_eligibility")
        verdict = np.full(len(self._facts.server_ids), _ORDER.index(Verdict.ELIGIBLE))
        for mask, stronger in (
            (self._warned, Verdict.WARNING),
            (self._unknown, Verdict.UNKNOWN),
            ((self._counts["blockers"] > 0) | self._is_stopped, Verdict.BLOCKED),
            (judged.not_candidate, Verdict.NOT_A_CANDIDATE),
            (judged.protected, Verdict.PROTECTED),
        ):
            verdict[mask] = _ORDER.index(stronger)
        return verdict

    @cached_property
    def _is_stopped(self) -> bool:
        """Whether the options stop every request, so that no server can be protected with them."""
        return bool(request_stoppers(self._facts.options, self._facts.book))

    @property
    def _warned(self) -> BoolArray:
        """Servers that are warned of by themselves: what is the same for a whole group or request is told there."""
        warned = np.zeros(len(self._facts.server_ids), dtype=bool)
        for one in self._fired:
            is_wide = one.rule.startswith(_WIDE) and one.rule not in _OF_ONE_SERVER
            if one.effect is Effect.WARNING and not is_wide:
                warned[one.hits.rows] = True
        return warned

    @property
    def _unknown(self) -> BoolArray:
        unknown = np.zeros(len(self._facts.server_ids), dtype=bool)
        for one in self._fired:
            if one.effect is Effect.UNKNOWN:
                unknown[one.hits.rows] = True
        return unknown
