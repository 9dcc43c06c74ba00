"""What findings add up to: counts by severity and one verdict a server."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import groupby
from types import MappingProxyType

import numpy as np
import pandas as pd

from sdrs_nb.eligibility.columns import BoolArray, IntArray
from sdrs_nb.eligibility.facts import Facts
from sdrs_nb.eligibility.judging import NOT_CANDIDATE, PROTECTED, Fired
from sdrs_nb.eligibility.rules.request import RequestFinding, request_stoppers
from sdrs_nb.eligibility.scopes import is_own
from sdrs_nb.i18n import _, current_language
from sdrs_nb.models import Verdict
from sdrs_nb.rulebook import Effect
from sdrs_nb.tables import VERDICTS, empty

__all__ = ["COUNTED", "Verdicts"]

_ORDER = tuple(Verdict)
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
        self._frames: dict[str, pd.DataFrame] = {}

    def of(self, server: int) -> Verdict:
        """Return the verdict of the server at a position."""
        return _ORDER[int(self._codes[server])]

    def are(self, verdict: Verdict) -> BoolArray:
        """Return for each server position whether it has this verdict."""
        return np.asarray(self._codes == _ORDER.index(verdict), dtype=bool)

    @property
    def frame(self) -> pd.DataFrame:
        """One row per server that was asked about; columns of ``tables.VERDICTS``, reasons in the current language."""
        language = current_language()
        if language not in self._frames:
            self._frames[language] = self._frame()
        return self._frames[language]

    def _frame(self) -> pd.DataFrame:
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
                "reason": self._reasons(at),
                "cluster_id": facts.server_ids.texts.take(facts.clusters.first[at], allow_fill=True),
                **counts,
            }
        )

    @cached_property
    def _counts(self) -> Mapping[str, IntArray]:
        """Findings of each server by severity; of warnings and notices only its own, of what is not known all."""
        size = len(self._facts.server_ids)
        counts = {name: np.zeros(size, dtype=np.int64) for name in COUNTED}
        for one in self._fired:
            name = next((name for name, effects in COUNTED.items() if one.effect in effects), None)
            if name is not None and (name == "unverified" or is_own(self._facts, one)):
                counts[name] += np.bincount(one.hits.rows, minlength=size)
        return counts

    def _reasons(self, servers: IntArray) -> "pd.api.extensions.ExtensionArray":
        """Return for each of ``servers`` the first rule behind its verdict, in fault words, and how many more block."""
        first, more, faults = self._first_rules
        codes = first[servers] * (more.max(initial=0) + 1) + more[servers]
        kinds, example, inverse = np.unique(codes, return_index=True, return_inverse=True)
        words: list[str | None] = []
        for server in servers[example[: len(kinds)]].tolist():
            if first[server] < 0:
                words.append(None)
                continue
            rule_id, variant = faults[first[server]]
            fault = self._facts.book.rule(rule_id).fault(variant)
            if self._codes[server] == _ORDER.index(Verdict.UNKNOWN):
                fault = _("{fault}: not known", fault=fault)
            words.append(f"{fault} +{more[server]}" if more[server] else fault)
        return pd.array(words, dtype="string").take(inverse)

    @cached_property
    def _first_rules(self) -> tuple[IntArray, IntArray, list[tuple[str, str]]]:
        """For each server the first rule behind its verdict (-1: none) and how many more rules there are; the rules."""
        size, faults = len(self._facts.server_ids), list[tuple[str, str]]()
        first, more = np.full(size, -1, dtype=np.int64), np.zeros(size, dtype=np.int64)
        behind: Mapping[Verdict, Callable[[Fired], bool]] = {
            Verdict.PROTECTED: lambda one: one.rule in PROTECTED and not one.hits.unverified,
            Verdict.NOT_A_CANDIDATE: lambda one: one.rule in NOT_CANDIDATE and not one.hits.unverified,
            Verdict.BLOCKED: lambda one: one.effect is Effect.BLOCKER,
            Verdict.UNKNOWN: lambda one: one.effect is Effect.UNKNOWN,
            Verdict.WARNING: lambda one: one.effect is Effect.WARNING and is_own(self._facts, one),
        }
        for verdict, holds in behind.items():
            is_mine = self.are(verdict)
            for rule_id, of_rule in groupby(filter(holds, self._fired), key=lambda one: one.rule):
                seen = np.zeros(size, dtype=bool)
                for one in of_rule:
                    rows = one.hits.rows[is_mine[one.hits.rows] & ~seen[one.hits.rows]]
                    seen[rows] = True
                    more[rows[first[rows] >= 0]] += 1
                    first[rows[first[rows] < 0]] = len(faults)
                    faults.append((rule_id, one.hits.variant))
        for stopper in self._stoppers:
            # What stops every request is behind each verdict "blocked".
            rows = np.flatnonzero(self.are(Verdict.BLOCKED))
            more[rows[first[rows] >= 0]] += 1
            first[rows[first[rows] < 0]] = len(faults)
            faults.append((stopper.rule, stopper.variant))
        return first, more, faults

    @cached_property
    def _codes(self) -> IntArray:
        """The verdict of every server by position, as its place in ``Verdict``; later lines are stronger."""
        masks = self._facts.masks
        if masks is None:
            raise RuntimeError("an Eligibility is made by check_eligibility")
        verdict = np.full(len(self._facts.server_ids), _ORDER.index(Verdict.ELIGIBLE))
        for mask, stronger in (
            (self._warned, Verdict.WARNING),
            (self._unknown, Verdict.UNKNOWN),
            ((self._counts["blockers"] > 0) | bool(self._stoppers), Verdict.BLOCKED),
            (masks.not_candidate, Verdict.NOT_A_CANDIDATE),
            (masks.protected, Verdict.PROTECTED),
        ):
            verdict[mask] = _ORDER.index(stronger)
        return verdict

    @cached_property
    def _stoppers(self) -> list[RequestFinding]:
        """What in the options stops every request, so that no server can be protected with them."""
        return request_stoppers(self._facts.options, self._facts.book)

    @property
    def _warned(self) -> BoolArray:
        """Servers that are warned of by themselves: what a whole group or request has in common is told there."""
        warned = np.zeros(len(self._facts.server_ids), dtype=bool)
        for one in self._fired:
            if one.effect is Effect.WARNING and is_own(self._facts, one):
                warned[one.hits.rows] = True
        return warned

    @property
    def _unknown(self) -> BoolArray:
        unknown = np.zeros(len(self._facts.server_ids), dtype=bool)
        for one in self._fired:
            if one.effect is Effect.UNKNOWN:
                unknown[one.hits.rows] = True
        return unknown
