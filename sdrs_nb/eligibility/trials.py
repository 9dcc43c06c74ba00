"""Trying servers against each group they could join, where several fit and none was chosen (rule G14).

A server that one of its groups takes waits for a choice; one that each of them would refuse is blocked, whatever is
chosen.  Servers that share volumes go together, so what refuses one of them refuses all.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from sdrs_nb.eligibility.columns import BoolArray, IntArray
from sdrs_nb.eligibility.facts import Facts, Trials
from sdrs_nb.eligibility.hits import Hits
from sdrs_nb.eligibility.registry import Check
from sdrs_nb.rulebook import Effect

__all__ = ["try_groups"]

Asked = Iterable[tuple[Effect, Hits]]


def try_groups(
    facts: Facts,
    checks: Sequence[Check],
    of_groups: Sequence[tuple[Check, Effect, Hits]],
    ask: Callable[[Facts, Check], Asked],
) -> Trials:
    """Return what each open choice would meet: rules whose answer depends on the group, asked group by group.

    ``of_groups`` is what was found about groups themselves; groups with a blocker of their own are no candidates, those
    of which something is not known leave the server unsure.
    """
    match = facts.match
    is_open = match.group[match.candidate_servers] < 0
    order = np.lexsort((match.candidate_groups[is_open], match.candidate_servers[is_open]))
    servers, groups = match.candidate_servers[is_open][order], match.candidate_groups[is_open][order]
    refused, unsure = np.zeros(len(servers), dtype=bool), np.isin(groups, _unsure_groups(of_groups))
    lacking: list[str] = [
        name for _check, effect, hits in of_groups if effect is Effect.UNKNOWN for name in hits.lacking
    ]
    reasons: list[tuple[str, frozenset[tuple[int, int]]]] = []
    for mine, group in _rounds(servers, groups, len(facts.server_ids)):
        facts.match = replace(match, group=group)
        for check in checks:
            for effect, hits in ask(facts, check) if check.by_group else ():
                hit = np.isin(servers[mine], hits.rows)
                if effect is Effect.BLOCKER:
                    refused[mine[hit]] = True
                    pairs = zip(servers[mine[hit]].tolist(), groups[mine[hit]].tolist(), strict=True)
                    reasons.append((check.rule, frozenset(pairs)))
                elif effect is Effect.UNKNOWN:
                    unsure[mine[hit]] = True
                    lacking += hits.lacking
    facts.match = match
    refused, unsure = (_shared(facts, servers, groups, mask) for mask in (refused, unsure))
    return Trials(servers, groups, refused, unsure & ~refused, tuple(dict.fromkeys(lacking)), tuple(reasons))


def _unsure_groups(of_groups: Sequence[tuple[Check, Effect, Hits]]) -> IntArray:
    rows = [
        hits.rows for _check, effect, hits in of_groups if effect is Effect.UNKNOWN and "frames" not in hits.evidence
    ]
    return np.unique(np.concatenate(rows)) if rows else np.array([], dtype=np.int64)


def _rounds(servers: IntArray, groups: IntArray, n_servers: int) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield the first group of every server, then the second ...: which pairs these are, and the group by server."""
    firsts = np.searchsorted(servers, servers, "left")
    rank = np.arange(len(servers)) - firsts
    for number in range(int(rank.max(initial=-1)) + 1):
        mine = np.flatnonzero(rank == number)
        group = np.full(n_servers, -1, dtype=np.int64)
        group[servers[mine]] = groups[mine]
        yield mine, group


def _shared(facts: Facts, servers: IntArray, groups: IntArray, mask: BoolArray) -> BoolArray:
    """Return the mask with what holds for one server of a cluster, in a group, holding for all of them."""
    cluster = facts.clusters.of[servers]
    width = len(facts.group_ids)
    keys = np.where(cluster >= 0, cluster * width + groups, -1)
    return np.asarray(mask | ((keys >= 0) & np.isin(keys, keys[mask])), dtype=bool)
