"""Rules of protection groups (G): asked once a group, told to every server that is judged against it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from sdrs_nb.eligibility.facts import Facts, Label, Trials
from sdrs_nb.eligibility.hits import Hits, grouped, where
from sdrs_nb.eligibility.registry import rule
from sdrs_nb.statuses import FAILED_OVER, NOT_ENABLED, PAIR_COPYING, PROTECTED, TAKES_SERVERS, is_error, is_unsound

__all__: list[str] = []


@rule("G1", by_absence=True)
def known_group(facts: Facts) -> Iterator[Hits]:
    """The project has a protection group at all; one that was asked for by id is looked up before any rule."""
    if len(facts.group_ids) == 0:
        yield where(facts.servers.known)


@rule("G2", phase="group")
def status_allows_creation(facts: Facts) -> Iterator[Hits]:
    """Status ``available`` or ``protected`` (batch-create page, Constraints, first item)."""
    status = facts.groups.coded("status")
    refused = ~status.isin(TAKES_SERVERS) & ~status.missing
    failed_over, broken = status.isin({FAILED_OVER}), status.where(is_error)
    yield where(refused & ~failed_over & ~broken, status=status)
    yield where(failed_over, variant="failed_over", status=status)
    yield where(broken, variant="error", status=status)
    yield where(status.missing, lacking="groups.status", status=status)


@rule("G3", phase="group")
def production_at_source(facts: Facts) -> Iterator[Hits]:
    """A group that was switched over produces in its target AZ."""
    station = facts.groups.coded("priority_station")
    target = facts.groups.coded("target_az")
    yield where(station.isin({"target"}), production_az=target, source_az=facts.groups.coded("source_az"))


@rule("G4", phase="group")
def sound_data(facts: Facts) -> Iterator[Hits]:
    """AZs and VPC present and different, health not abnormal (an empty health is normal)."""
    source, target = facts.groups.coded("source_az"), facts.groups.coded("target_az")
    vpc, health = facts.groups.coded("vpc_id"), facts.groups.coded("health_status")
    equal = target.code_of(source.labels)
    same = source.given & (np.append(equal, -1)[source.codes] == target.codes)
    broken = same | health.isin({"abnormal"})
    for name, column in (("source_az", source), ("target_az", target), ("vpc_id", vpc)):
        broken |= ~column.given & (not facts.unread([f"groups.{name}"]))
    yield where(broken, source_az=source, target_az=target, vpc_id=vpc, health_status=health)


@rule("G5", phase="group")
def protects_servers(facts: Facts) -> Iterator[Hits]:
    """The group is one for ECS servers."""
    kind = facts.groups.coded("server_type")
    yield where(~kind.isin({"ECS"}) & kind.given, server_type=kind)
    yield where(~kind.given, lacking="groups.server_type", server_type=kind)


@rule("G6", phase="group")
def copies_at_once(facts: Facts) -> Iterator[Hits]:
    """In a protected group new pairs start to synchronise at once."""
    yield where(facts.groups.coded("status").isin({PROTECTED}))


@rule("G7", phase="group")
def copies_nothing_yet(facts: Facts) -> Iterator[Hits]:
    """In an available group nothing is copied until protection is enabled."""
    yield where(facts.groups.coded("status").isin({NOT_ENABLED}))


@rule("G10", phase="group", by_absence=True)
def domain_joins_sites(facts: Facts) -> Iterator[Hits]:
    """An active-active domain joins the two AZs and is not sold out."""
    domains, groups = facts.frames["domains"], facts.groups
    sold = domains["sold_out"].fillna(False).astype(bool)
    joined = {frozenset(pair) for pair in zip(domains["local_az"], domains["remote_az"], strict=True)}
    open_ones = {frozenset(pair) for pair in zip(domains["local_az"][~sold], domains["remote_az"][~sold], strict=True)}
    source, target = groups.coded("source_az"), groups.coded("target_az")
    mine = [frozenset((source[at], target[at])) for at in range(len(groups))]
    lacks = np.array([pair not in joined for pair in mine], dtype=bool)
    full = np.array([pair in joined and pair not in open_ones for pair in mine], dtype=bool)
    yield where(lacks, source_az=source, target_az=target)
    yield where(full, variant="sold_out", source_az=source, target_az=target)


@rule("G11", phase="group")
def instances_sound(facts: Facts) -> Iterator[Hits]:
    """No other instance of the group is being created or deleted, or in error."""
    yield _in_group(facts, "protected_instances", is_unsound, instances="name", instance_status="status")


@rule("G12", phase="group")
def no_job_of_ours(facts: Facts) -> Iterator[Hits]:
    """No job of ours runs on the group: one batch at a time."""
    busy = np.isin(facts.group_ids.labels, list(facts.busy_groups)) if facts.busy_groups else np.zeros(0, dtype=bool)
    yield where(busy)


@rule("G13", phase="group")
def pairs_at_rest(facts: Facts) -> Iterator[Hits]:
    """Pairs of the group are not copying; that is not documented as an obstacle."""
    yield _in_group(facts, "replication_pairs", {PAIR_COPYING}.__contains__, "replication_status", pairs="name")


@dataclass(frozen=True, slots=True)
class _Refusing:
    """Evidence: each group that a server could join, with the rules that refuse it or a companion there."""

    facts: Facts
    trials: Trials

    def __getitem__(self, server: int, /) -> Label:
        trials, clusters = self.trials, self.facts.clusters
        start, end = np.searchsorted(trials.servers, [server, server + 1])
        cluster = clusters.of[server]
        members = [server] if cluster < 0 else clusters.members[clusters.starts[cluster] : clusters.starts[cluster + 1]]
        full, brief = [], []
        for group in trials.groups[start:end].tolist():
            rules = [rule for rule, pairs in trials.reasons if any((int(each), group) in pairs for each in members)]
            label, against = self.facts.group_labels[group], ", ".join(dict.fromkeys(rules)) or "?"
            full.append(f"{label}: {against}")
            brief.append(f"{label.brief}: {against}")
        return Label("; ".join(full), "; ".join(brief))


@rule("G14", phase="choice", by_absence=True)
def some_group_takes_it(facts: Facts) -> Iterator[Hits]:
    """Of several groups that fit a server, or the servers it shares volumes with, at least one takes it."""
    trials = facts.trials
    if trials is None:
        raise RuntimeError("rules of a choice are asked after every group was tried")
    size = len(facts.server_ids)
    several, refused, unsure = (
        np.bincount(trials.servers[mask], minlength=size)
        for mask in (np.ones(len(trials.servers), dtype=bool), trials.refused, trials.unsure)
    )
    groups = _Refusing(facts, trials)
    yield where((several > 0) & (refused == several), groups=groups)
    open_ones = (several > 0) & (refused < several) & (refused + unsure == several)
    yield where(open_ones, variant="unsure", lacking=trials.lacking or ("groups",), groups=groups)


def _in_group(facts: Facts, frame: str, holds: Callable[[str], bool], column: str = "status", **evidence: str) -> Hits:
    """Return one hit a group that has rows of another frame whose ``column`` holds."""
    table = facts.frames[frame]
    chosen = table[column].map(lambda text: isinstance(text, str) and holds(text)).to_numpy(dtype=bool)
    places = facts.group_ids.positions(set(table["group_id"][chosen].dropna()))
    rows = np.flatnonzero(chosen)
    groups = np.array([places.get(name, -1) for name in table["group_id"].iloc[rows].astype(object)], dtype=np.int64)
    rows, groups = rows[groups >= 0], groups[groups >= 0]
    order = np.argsort(groups, kind="stable")
    return grouped(groups[order], {name: (facts.raw(frame, col), rows[order]) for name, col in evidence.items()})
