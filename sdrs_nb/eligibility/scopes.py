"""At which scope a finding is told: of one server, or once for what the servers of a cluster, group or estate share."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sdrs_nb.eligibility.columns import IntArray
from sdrs_nb.eligibility.facts import Facts
from sdrs_nb.eligibility.hits import Evidence, Hits, One, Same
from sdrs_nb.eligibility.judging import Fired
from sdrs_nb.rulebook import Effect, Scope

__all__ = ["SCOPES", "Told", "is_own", "of_servers", "once"]

#: From the narrowest to the widest, as findings are sorted.
SCOPES: tuple[Scope, ...] = ("server", "cluster", "group", "request", "estate")
_DECIDING = (Effect.BLOCKER, Effect.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Told:
    """Hits of a rule, the scope they belong to, and whether each row speaks for all servers of that scope."""

    scope: Scope
    fired: Fired
    is_once: bool = False


@dataclass(frozen=True, slots=True)
class _Gathered:
    """Evidence: what several hits say together, as one list a row."""

    field: Evidence
    hits: IntArray
    starts: IntArray
    ends: IntArray

    def value(self, row: int) -> list[Any]:
        """Return the values of all hits of the row, sorted, each once."""
        found: set[Any] = set()
        for hit in self.hits[self.starts[row] : self.ends[row]].tolist():
            value = self.field.value(hit)
            found.update(value if isinstance(value, list) else [value])
        return sorted(found - {None}, key=str)

    def values_of_all(self) -> None:
        """Return None: rows are looked up one by one."""

    def take(self, keep: IntArray) -> "_Gathered":
        """Return the same field for some of the rows."""
        return _Gathered(self.field, self.hits, self.starts[keep], self.ends[keep])


def is_own(facts: Facts, one: Fired) -> bool:
    """Tell whether hits are a matter of each server itself, and so count for its verdict."""
    if one.effect in _DECIDING:
        return True
    return facts.book.rule(one.rule).scope_of(one.hits.variant) in {"server", "cluster"}


def of_servers(facts: Facts, fired: Sequence[Fired]) -> Iterator[Told]:
    """Yield every hit at the server it concerns, with the scope at which it is told."""
    for one in fired:
        yield Told(_scope(facts, one), one)


def once(facts: Facts, fired: Sequence[Fired]) -> Iterator[Told]:
    """Yield every hit once at its scope; what is told of many servers has their count as evidence ``servers``.

    Of a cluster the evidence of its members is put together, of a group it is the same for all; of the estate only what
    is the same for every server stays, the rest is each server's own.
    """
    for one in fired:
        scope = _scope(facts, one)
        if scope == "server":
            yield Told(scope, one)
            continue
        keys = {"cluster": facts.clusters.of[one.hits.rows], "group": one.groups}.get(scope, np.zeros(len(one.hits)))
        _keys, first, inverse, counts = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
        evidence: dict[str, Evidence] = {}
        for name, field in one.hits.evidence.items():
            if scope == "cluster":
                ends = np.cumsum(counts)
                evidence[name] = _Gathered(field, np.argsort(inverse, kind="stable"), ends - counts, ends)
            elif scope == "group" or isinstance(field, Same):
                evidence[name] = field.take(first)
        evidence["servers"] = One(counts, np.arange(len(counts)))
        groups = one.groups[first] if scope == "group" else np.full(len(first), -1, dtype=np.int64)
        hits = Hits(one.hits.rows[first], evidence, one.hits.variant, one.hits.lacking)
        yield Told(scope, Fired(one.rule, one.effect, hits, groups), is_once=True)


def _scope(facts: Facts, one: Fired) -> Scope:
    """Return where hits are told: blockers at each server, a list or column that nobody read of the whole estate."""
    if one.effect in _DECIDING:
        return "server"
    if (
        one.effect is Effect.UNVERIFIED
        and any(one.hits.lacking)
        and all(_is_unread(facts, f) for f in one.hits.lacking)
    ):
        return "estate"
    return facts.book.rule(one.rule).scope_of(one.hits.variant)


def _is_unread(facts: Facts, fact: str) -> bool:
    return bool(facts.unread([fact])) if "." in fact else not facts.loaded(fact)
