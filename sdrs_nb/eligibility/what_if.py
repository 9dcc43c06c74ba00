"""Questions asked of an eligibility: why this server, what costs most, what would help, which groups are missing."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import pandas as pd

from sdrs_nb.eligibility.facts import Facts
from sdrs_nb.eligibility.judging import Fired
from sdrs_nb.eligibility.registry import registered
from sdrs_nb.eligibility.rendering import render
from sdrs_nb.eligibility.scopes import of_servers, once
from sdrs_nb.eligibility.verdicts import Verdicts
from sdrs_nb.i18n import _
from sdrs_nb.models import Verdict
from sdrs_nb.rulebook import Effect
from sdrs_nb.tables import GROUP_VERDICTS, shape

__all__ = ["Explanation", "by_group", "by_rule", "fewest_fixes", "group_verdicts", "groups_needed", "waterfall", "wide"]

Fixes = frozenset[tuple[str, str]]

#: Bundles of fixes weighed in one step: those that most servers need.
_TRIED = 100
#: Strongest first: what a cell of the wide view shows where a rule fired more than once.
_STRENGTH = (Effect.BLOCKER, Effect.UNKNOWN, Effect.WARNING, Effect.UNVERIFIED, Effect.NOTICE)
_UNDECIDED = (Effect.UNKNOWN, Effect.UNVERIFIED)
_COMPANION_RULE = "H4"
#: Evidence that many servers have in common and one action puts right, by rule.
_COMMON = {"S22": "key_name", "S3": "vpc_id", "P1": "dr_flavor", "P3": "dr_flavor"}


@dataclass(frozen=True)
class Explanation:
    """Everything that was found about one server.

    ``findings`` as in ``Eligibility.findings``; ``group_ids`` are the groups it could join, ``companions`` the ids of
    servers it shares volumes with, directly or through others, ``names`` what both are called.  ``str()`` gives it as
    text.
    """

    server_id: str
    name: str
    verdict: Verdict
    group_id: str | None
    group_ids: tuple[str, ...]
    companions: tuple[str, ...]
    findings: pd.DataFrame
    names: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __str__(self) -> str:
        lines = [_("{name} ({server_id}): {verdict}", name=self.name, server_id=self.server_id, verdict=self.verdict)]
        if self.group_id is None and len(self.group_ids) > 1:
            lines.append(
                _("Several protection groups fit: {groups}.", groups=", ".join(map(self._name, self.group_ids)))
            )
        if self.companions:
            lines.append(_("Travels with {servers}.", servers=", ".join(map(self._name, self.companions))))
        lines += [f"  {row.rule} {row.severity}: {row.message} {row.remedy}" for row in self.findings.itertuples()]
        return "\n".join(lines)

    def _name(self, identity: str) -> str:
        return self.names.get(identity, identity)


def wide(verdicts: pd.DataFrame, facts: Facts, fired: Sequence[Fired]) -> pd.DataFrame:
    """Return one row per server asked for and one column per rule that fired; cells hold the severity, NA if none.

    ``verdicts`` as in ``Eligibility.verdicts``.
    """
    at = np.flatnonzero(facts.selected)
    columns: dict[str, pd.api.extensions.ExtensionArray] = {}
    words = pd.array([_shown(effect) for effect in _STRENGTH], dtype="string")
    for rule_id in dict.fromkeys(one.rule for one in fired):
        strength = np.full(len(facts.server_ids), len(_STRENGTH))
        for one in fired:
            if one.rule == rule_id:
                np.minimum.at(strength, one.hits.rows, _STRENGTH.index(one.effect))
        codes = np.where(strength == len(_STRENGTH), -1, strength)[at]
        columns[rule_id] = words.take(codes, allow_fill=True)
    return pd.concat([verdicts[["server_id", "name", "verdict"]], pd.DataFrame(columns)], axis=1)


def by_group(facts: Facts, fired: Sequence[Fired], verdicts: Verdicts) -> pd.DataFrame:
    """Return what was found about groups, one row per group and rule; columns as ``Eligibility.by_group`` says."""
    about = [one for one in fired if facts.book.rule(one.rule).scope_of(one.hits.variant) == "group"]
    only_groups = verdicts.are(Verdict.ELIGIBLE)
    firsts, rows = [], []
    for one in about:
        groups, first, at = np.unique(one.groups, return_index=True, return_inverse=True)
        kept = np.flatnonzero(groups >= 0)
        servers, otherwise = np.bincount(at), np.bincount(at, weights=only_groups[one.hits.rows])
        firsts.append(Fired(one.rule, one.effect, one.hits.take(first[kept]), groups[kept]))
        rows += [
            (facts.group_ids.labels[groups[row]], one.rule, _shown(one.effect), servers[row], int(otherwise[row]))
            for row in kept
        ]
    keys = ["group_id", "rule", "severity"]
    counts = pd.DataFrame(rows, columns=[*keys, "servers", "otherwise_eligible"])
    counts = counts.astype(dict.fromkeys(keys, "string") | {"servers": "Int64", "otherwise_eligible": "Int64"})
    texts = render(facts, of_servers(facts, firsts))[[*keys, "sdrs_code", "message", "remedy"]]
    return texts.merge(counts, on=keys).sort_values("group_id", kind="stable", ignore_index=True)


def by_rule(facts: Facts, fired: Sequence[Fired]) -> pd.DataFrame:
    """Return how many servers pass and fail each rule; columns as ``Eligibility.by_rule`` says."""
    size, asked = len(facts.server_ids), int(facts.selected.sum())
    rows = []
    for rule_id, check in ((each, registered().get(each)) for each in facts.book.rules if asked):
        if check is None or facts.book.severity(rule_id) is Effect.OFF:
            continue
        mine = [one for one in fired if one.rule == rule_id]
        failed, open_ones = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
        for one in mine:
            mask = open_ones if one.effect in _UNDECIDED else failed
            mask[one.hits.rows] = True
        fails, unknown = int(failed.sum()), int((open_ones & ~failed).sum())
        passes = asked - fails - unknown
        strongest = min((_STRENGTH.index(one.effect) for one in mine), default=None)
        rule = facts.book.rule(rule_id)
        severity = None if strongest is None else _shown(_STRENGTH[strongest])
        rate = passes / (passes + fails) if passes + fails else None
        rows.append((rule_id, rule.title, rule.fault(), severity, fails + unknown, passes, fails, unknown, rate))
    texts, counts = ["rule", "title", "fault", "severity"], ["servers", "pass", "fail", "unknown"]
    frame = pd.DataFrame(rows, columns=[*texts, *counts, "rate"])
    return frame.astype(dict.fromkeys(texts, "string") | dict.fromkeys(counts, "Int64") | {"rate": "Float64"})


def _faults_of_groups(facts: Facts, fired: Sequence[Fired]) -> list[tuple[int, Verdict, str]]:
    """Return what speaks against groups: the group's row, what it makes of the group, and the fault."""
    found: list[tuple[int, Verdict, str]] = []
    effects = {Effect.BLOCKER: Verdict.BLOCKED, Effect.UNKNOWN: Verdict.UNKNOWN, Effect.WARNING: Verdict.WARNING}
    for rule_id, effect, hits in facts.of_groups:
        if effect in effects:
            # Where its data is missing the rule was asked of no group, so it stays open for all of them.
            rows = range(len(facts.group_ids)) if hits.evidence.keys() & {"frames"} else hits.rows.tolist()
            found += [(group, effects[effect], facts.book.rule(rule_id).fault(hits.variant)) for group in rows]
    for one in (told.fired for told in once(facts, fired) if told.scope == "group"):
        if one.effect is Effect.WARNING:
            fault = facts.book.rule(one.rule).fault(one.hits.variant)
            found += [(group, Verdict.WARNING, fault) for group in one.groups.tolist()]
    return found


def group_verdicts(facts: Facts, fired: Sequence[Fired], verdicts: Verdicts) -> pd.DataFrame:
    """Return one row a protection group: whether it takes servers and who would join (``tables.GROUP_VERDICTS``)."""
    size, book = len(facts.group_ids), facts.book
    found = _faults_of_groups(facts, fired)
    ready = (verdicts.are(Verdict.ELIGIBLE) | verdicts.are(Verdict.WARNING)) & facts.selected
    own, fits = facts.match.group, facts.match.candidate_servers
    open_to = facts.match.candidate_groups[ready[fits] & (own[fits] < 0)]
    limit, present = book.number("group_instances"), facts.groups.numbers("protected_instance_num")
    rows_of = [sorted({each[1:] for each in found if each[0] == group}, key=_by_strength) for group in range(size)]
    return shape(
        pd.DataFrame(
            {
                "group_id": facts.group_ids.labels,
                "name": [facts.groups.coded("name")[group] for group in range(size)],
                "verdict": [(rows[0][0] if rows else Verdict.ELIGIBLE).value for rows in rows_of],
                "reasons": [", ".join(dict.fromkeys(fault for _verdict, fault in rows)) for rows in rows_of],
                "room": [
                    None if limit < 0 or np.isnan(count) else max(limit - int(count), 0) for count in present.tolist()
                ],
                "servers": np.bincount(own[ready & (own >= 0)], minlength=size),
                "could_join": np.bincount(open_to, minlength=size),
            }
        ),
        GROUP_VERDICTS,
    )


def _by_strength(reason: tuple[Verdict, str]) -> tuple[int, str]:
    return tuple(Verdict).index(reason[0]), reason[1]


def waterfall(facts: Facts, fired: Sequence[Fired]) -> pd.DataFrame:
    """Return how many servers each reason costs, one row per step: ``rule, title, lost, alone, left``.

    The first row is every server that was asked for (no ``rule``); then servers protected already and servers that are
    no candidates, then each blocking rule in the order of the rule book, then missing data.  ``lost`` counts servers
    that no earlier step took, ``alone`` those that nothing but this rule stops, ``left`` what remains.
    """
    left = facts.selected.copy()
    rows: list[tuple[str | None, str, int, int, int]] = [(None, _("asked for"), 0, 0, int(left.sum()))]
    stops = list(_stops(facts, fired))
    times = np.sum([mask for _rule, _title, mask in stops], axis=0) if stops else np.zeros(len(left))
    for rule_id, title, mask in stops:
        lost = int((left & mask).sum())
        left &= ~mask
        rows.append((rule_id, title, lost, int((facts.selected & mask & (times == 1)).sum()), int(left.sum())))
    frame = pd.DataFrame(rows, columns=["rule", "title", "lost", "alone", "left"])
    return frame.astype({"rule": "string", "title": "string", "lost": "Int64", "alone": "Int64", "left": "Int64"})


def fewest_fixes(facts: Facts, fired: Sequence[Fired], limit: int = 20) -> pd.DataFrame:
    """Return the fixes that free most servers, best first: ``rule, about, title, freed, freed_so_far``.

    A fix is one kind of action: a rule, and what it is about where many servers have that in common (the group of a
    group's rule, a key pair, a VPC, a flavor).  A server that needs two fixes is freed by the second.  Fixes that go
    together stand together, so ``freed`` may be 0 in a row and high in the next.  Servers that are protected, no
    candidates or unknown for want of data are not counted.  Greedy: good, not proven best.
    """
    chosen, counts = _greedily(Counter(_needs(facts, fired).values()), limit)
    titles = [facts.book.rule(rule_id).fault() for rule_id, _about in chosen]
    return pd.DataFrame(
        {
            "rule": pd.array([rule_id for rule_id, _about in chosen], dtype="string"),
            "about": pd.array([about or None for _rule, about in chosen], dtype="string"),
            "title": pd.array(titles, dtype="string"),
            "freed": pd.array(counts, dtype="Int64"),
            "freed_so_far": pd.array(np.cumsum(counts, dtype=np.int64), dtype="Int64"),
        }
    ).head(limit)


def groups_needed(facts: Facts) -> pd.DataFrame:
    """Return protection groups that would have to be created, one row per VPC and production AZ without one.

    ``vpc_id, production_az, servers`` (how many would join), ``dr_az`` and ``domain_id`` (where an active-active
    domain starts in that AZ and is not sold out; several are comma-joined, NA where domains were not read).  Only
    servers that are neither protected nor DR or drill servers count.
    """
    masks = facts.masks
    open_ones = facts.match.unplaced & facts.selected & facts.servers.known
    if masks is not None:
        open_ones = open_ones & ~masks.protected & ~masks.not_candidate
    at = np.flatnonzero(open_ones)
    vpc, az = facts.servers.coded("vpc_id"), facts.servers.coded("az")
    places = pd.DataFrame(
        {"vpc_id": [vpc[row] for row in at], "production_az": [az[row] for row in at]}, dtype="string"
    )
    counted = places.dropna().value_counts(sort=False).rename("servers").reset_index()
    counted = counted.sort_values(["vpc_id", "production_az"], ignore_index=True).astype({"servers": "Int64"})
    return _with_domains(counted, facts.frames["domains"])


def _with_domains(places: pd.DataFrame, domains: pd.DataFrame) -> pd.DataFrame:
    """Return places with what starts in their production AZ: ``dr_az`` and ``domain_id``, NA where none was read."""
    if domains.empty:
        unknown = pd.array([None] * len(places), dtype="string")
        return places.assign(dr_az=unknown, domain_id=unknown)
    ends = domains[~domains["sold_out"].fillna(False).astype(bool)]
    pairs = pd.concat([ends, ends.rename(columns={"local_az": "remote_az", "remote_az": "local_az"})])
    joined = pairs.sort_values(["domain_id", "remote_az"]).groupby("local_az")
    for column, source in (("dr_az", "remote_az"), ("domain_id", "domain_id")):
        text = joined[source].agg(lambda values: ",".join(dict.fromkeys(values.dropna())))
        places[column] = places["production_az"].map(text).astype("string")
    return places


def _shown(effect: Effect) -> str:
    return Effect.UNVERIFIED.value if effect is Effect.UNKNOWN else effect.value


def _stops(facts: Facts, fired: Sequence[Fired]) -> Iterator[tuple[str | None, str, np.ndarray]]:
    masks = facts.masks
    if masks is None:
        return
    yield None, _("protected already"), masks.protected
    yield None, _("no candidates (DR servers, drill servers)"), masks.not_candidate & ~masks.protected
    settled = masks.protected | masks.not_candidate
    unknown = np.zeros(len(facts.server_ids), dtype=bool)
    for rule_id in dict.fromkeys(one.rule for one in fired):
        mask = np.zeros(len(facts.server_ids), dtype=bool)
        for one in fired:
            if one.rule == rule_id and one.effect is Effect.BLOCKER:
                mask[one.hits.rows] = True
            if one.effect is Effect.UNKNOWN:
                unknown[one.hits.rows] = True
        if (mask & ~settled).any():
            yield rule_id, facts.book.rule(rule_id).fault(), mask & ~settled
    yield None, _("not known for want of data"), unknown & ~settled


def _greedily(needs: Counter[Fixes], limit: int) -> tuple[list[tuple[str, str]], list[int]]:
    """Return at least ``limit`` fixes, always the next best, and how many servers each frees then."""
    chosen: list[tuple[str, str]] = []
    counts: list[int] = []
    while needs and len(chosen) < limit:
        for fix in sorted(_best(needs)):
            left: Counter[Fixes] = Counter()
            for fixes, servers in needs.items():
                left[fixes - {fix}] += servers
            del left[frozenset()]
            chosen.append(fix)
            counts.append(needs.total() - left.total())
            needs = left
    return chosen, counts


def _needs(facts: Facts, fired: Sequence[Fired]) -> dict[int, Fixes]:
    """Return for each blocked server the fixes it needs, those of its companions included."""
    masks = facts.masks
    if masks is None:
        return {}
    hopeless = masks.protected | masks.not_candidate | masks.unknown
    needs: dict[int, set[tuple[str, str]]] = {}
    waiting: list[int] = []
    for one in (one for one in fired if one.effect is Effect.BLOCKER):
        common = one.hits.evidence.get(_COMMON.get(one.rule, ""))
        grouped = facts.book.rule(one.rule).scope_of(one.hits.variant) == "group"
        for hit, (server, group) in enumerate(zip(one.hits.rows.tolist(), one.groups.tolist(), strict=True)):
            if hopeless[server]:
                continue
            if one.rule == _COMPANION_RULE:
                waiting.append(server)
                needs.setdefault(server, set())
                continue
            about = str(common.value(hit)) if common is not None else ""
            about = facts.group_labels[group] if grouped and group >= 0 else about
            needs.setdefault(server, set()).add((one.rule, about))
    own = {server: frozenset(fixes) for server, fixes in needs.items()}
    for server in waiting:
        for member in facts.clusters.members[facts.clusters.of[facts.clusters.members] == facts.clusters.of[server]]:
            needs[server] |= own.get(int(member), frozenset())
    return {server: frozenset(fixes) for server, fixes in needs.items() if fixes}


def _best(needs: "Counter[Fixes]") -> Fixes:
    """Return the fixes that free most servers for each of them, of the bundles that most servers need."""
    tried = sorted(needs, key=lambda fixes: (-needs[fixes] / len(fixes), sorted(fixes)))[:_TRIED]
    freed = {bundle: sum(servers for fixes, servers in needs.items() if fixes <= bundle) for bundle in tried}
    return max(tried, key=lambda bundle: freed[bundle] / len(bundle))
