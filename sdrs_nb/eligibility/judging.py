"""Asking every rule in its turn: groups, matching, servers, and at last clusters, which need what the others said."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from sdrs_nb.eligibility.columns import BoolArray, IntArray
from sdrs_nb.eligibility.facts import Facts, ServerMasks
from sdrs_nb.eligibility.hits import Hits, Same, where
from sdrs_nb.eligibility.matching import match_groups
from sdrs_nb.eligibility.registry import Check, registered
from sdrs_nb.eligibility.trials import try_groups
from sdrs_nb.rulebook import Effect, Rule

__all__ = ["NOT_CANDIDATE", "PROTECTED", "Fired", "judge"]

#: Rules whose facts give a server its verdict whatever else is found.
PROTECTED, NOT_CANDIDATE = frozenset({"S4"}), frozenset({"S5", "S6"})
_DECIDING = (Effect.BLOCKER, Effect.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Fired:
    """Hits of one rule and what they do; ``groups`` is the group of each hit, -1 where none is meant."""

    rule: str
    effect: Effect
    hits: Hits
    groups: IntArray


def judge(facts: Facts, group_id: str | None = None, choice: Mapping[str, str] | None = None) -> list[Fired]:
    """Ask every rule and return what fired, servers that were not asked for included; sets ``match`` and ``masks``.

    Raises ``PlanError`` for a group or a choice that does not exist.
    """
    checks = [registered()[rule_id] for rule_id in facts.book.rules if rule_id in registered()]
    of_groups = [
        (check, effect, hits) for check in checks if check.phase == "group" for effect, hits in _ask(facts, check)
    ]
    facts.of_groups = [(check.rule, effect, hits) for check, effect, hits in of_groups]
    facts.match = match_groups(facts, _bad_groups(facts, of_groups), group_id, choice)
    fired: list[Fired] = []
    for check, effect, hits in of_groups:
        settled = [one.hits.rows for one in fired if one.rule == check.rule and _settles(one.effect, effect)]
        spread, groups = _by_server(facts, _without(hits, settled) if _about_servers(hits) else hits)
        if effect is Effect.BLOCKER and not facts.loaded("groups"):
            # A group that was not received may take the server; only a group that was chosen speaks for itself.
            kept = np.flatnonzero(facts.match.chosen[spread.rows])
            spread, groups = spread.take(kept), groups[kept]
        fired.append(Fired(check.rule, effect, spread, groups))
    fired += _phase(facts, checks, "server")
    facts.trials = try_groups(facts, checks, of_groups, _ask)
    fired += _phase(facts, checks, "choice")
    facts.masks = _server_masks(facts, fired)
    fired += _phase(facts, checks, "cluster")
    place = {rule_id: at for at, rule_id in enumerate(facts.book.rules)}
    return sorted((one for one in fired if len(one.hits)), key=lambda one: place[one.rule])


def _phase(facts: Facts, checks: list[Check], phase: str) -> list[Fired]:
    return [
        Fired(check.rule, effect, hits, facts.match.group[hits.rows])
        for check in checks
        if check.phase == phase
        for effect, hits in _ask(facts, check)
    ]


def _ask(facts: Facts, check: Check) -> Iterator[tuple[Effect, Hits]]:
    rule = facts.book.rule(check.rule)
    if facts.book.severity(check.rule) is Effect.OFF:
        return
    # Servers that are there are in the inventory; of those that are not, nobody knows.
    there = ~facts.servers.known if check.rule == "S1" else facts.servers.known
    concerned = there if check.concerns is None else check.concerns(facts) & there
    if lacking := tuple(name for name in rule.needs if not facts.loaded(name)):
        yield from _ask_incomplete(facts, check, lacking, where(concerned, lacking=lacking, frames=Same(list(lacking))))
        return
    open_ones = (facts.groups.known if check.phase == "group" else concerned).copy()
    for effect, hits in _answers(facts, check):
        if hits.unverified or effect is Effect.BLOCKER or not hits.variant:
            open_ones[hits.rows] = False
        yield effect, hits
    for variant, columns in (("", rule.reads), *((name, case.reads) for name, case in rule.variants.items())):
        if unread := facts.unread(columns):
            yield _undecided(facts, rule, variant), where(open_ones, lacking=unread, columns=Same(list(unread)))


def _answers(facts: Facts, check: Check) -> Iterator[tuple[Effect, Hits]]:
    """Yield what a rule's own function finds of servers, or groups, that are there."""
    rule, known = facts.book.rule(check.rule), facts.groups.known if check.phase == "group" else facts.servers.known
    for hits in check.function(facts):
        kept = hits if check.rule == "S1" or known.all() else hits.take(np.flatnonzero(known[hits.rows]))
        of_case = facts.book.severity(rule.id, hits.variant)
        effect = _undecided(facts, rule, hits.variant) if hits.unverified else of_case
        if effect is not Effect.OFF:
            yield effect, kept


def _ask_incomplete(
    facts: Facts, check: Check, lacking: tuple[str, ...], undecided: Hits
) -> Iterator[tuple[Effect, Hits]]:
    """Yield what a rule finds in frames that are not there whole, and that it is not decided for the others.

    What was received of an incomplete frame is a fact; what was not received decides nothing.
    """
    rule, settled = facts.book.rule(check.rule), list[IntArray]()
    gaps = check.by_absence
    if gaps is not True and any(len(facts.frames[name]) for name in lacking):
        for effect, hits in _answers(facts, check):
            if not hits.unverified and not (gaps and hits.variant in gaps):
                yield effect, hits
                if check.phase != "group" and _settles(effect, _undecided(facts, rule)):
                    settled.append(hits.rows)
    if rule.reported_by is None:
        yield _undecided(facts, rule), _without(undecided, settled)


def _undecided(facts: Facts, rule: Rule, variant: str = "") -> Effect:
    """What missing data means: for a rule that blocks in this profile nobody knows, for any other it is noted.

    Data of the rule itself counts by the worst that any of its cases does, data of one case by what that case does.
    """
    cases = (variant,) if variant else ("", *rule.variants)
    worst = {facts.book.severity(rule.id, case) for case in cases}
    return Effect.UNKNOWN if worst.intersection(_DECIDING) else Effect.UNVERIFIED


def _bad_groups(facts: Facts, fired: list[tuple[Check, Effect, Hits]]) -> BoolArray:
    bad = np.zeros(len(facts.group_ids), dtype=bool)
    for _check, effect, hits in fired:
        if effect is Effect.BLOCKER and not _about_servers(hits):
            bad[hits.rows] = True
    return bad


def _settles(effect: Effect, undecided: Effect) -> bool:
    """Tell whether what is known of a server leaves nothing to add to "nobody knows the rest"."""
    return effect is Effect.BLOCKER or undecided is Effect.UNVERIFIED


def _without(hits: Hits, settled: list[IntArray]) -> Hits:
    return hits.take(np.flatnonzero(~np.isin(hits.rows, np.concatenate(settled)))) if settled else hits


def _about_servers(hits: Hits) -> bool:
    """Tell whether hits of a group rule already speak of servers: its data was missing, so no group was asked."""
    return "frames" in hits.evidence


def _by_server(facts: Facts, hits: Hits) -> tuple[Hits, IntArray]:
    """Return the hits of a group rule as hits of every server that is judged against the group, and their groups."""
    if _about_servers(hits):
        return hits, facts.match.group[hits.rows]
    at = np.full(len(facts.group_ids), -1, dtype=np.int64)
    at[hits.rows] = np.arange(len(hits))
    hit = at[facts.match.pair_groups]
    pairs = np.flatnonzero(hit >= 0)
    pairs = pairs[np.argsort(facts.match.pair_servers[pairs], kind="stable")]
    pairs = pairs[facts.servers.known[facts.match.pair_servers[pairs]]]
    spread = hits.take(hit[pairs])
    servers = facts.match.pair_servers[pairs]
    return Hits(servers, spread.evidence, hits.variant, hits.lacking), facts.match.pair_groups[pairs]


def _server_masks(facts: Facts, fired: list[Fired]) -> ServerMasks:
    size = len(facts.server_ids)
    protected, apart, blocked, unknown = (np.zeros(size, dtype=bool) for _mask in range(4))
    reasons: dict[int, list[str]] = {}
    for one in fired:
        if one.effect is Effect.UNKNOWN:
            unknown[one.hits.rows] = True
        fact = not one.hits.unverified
        if fact and one.rule in PROTECTED:
            protected[one.hits.rows] = True
        elif fact and one.rule in NOT_CANDIDATE:
            apart[one.hits.rows] = True
        elif one.effect is Effect.BLOCKER:
            blocked[one.hits.rows] = True
        if one.effect in _DECIDING:
            for row in one.hits.rows[facts.clusters.tied[one.hits.rows]].tolist():
                reasons.setdefault(row, []).append(one.rule)
    return ServerMasks(
        protected, apart, blocked, unknown, {row: tuple(dict.fromkeys(ids)) for row, ids in reasons.items()}
    )
