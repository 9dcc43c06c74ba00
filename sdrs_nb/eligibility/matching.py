"""Which protection groups a server could join: those of its VPC whose production AZ is its AZ."""

from collections.abc import Mapping

import numpy as np

from sdrs_nb.eligibility.columns import BoolArray, IntArray
from sdrs_nb.eligibility.facts import Facts, Match
from sdrs_nb.errors import PlanError
from sdrs_nb.i18n import _

__all__ = ["match_groups"]


def match_groups(
    facts: Facts, bad: BoolArray, group_id: str | None = None, choice: Mapping[str, str] | None = None
) -> Match:
    """Return servers matched with groups; ``bad`` marks groups with a blocker of their own.

    With ``group_id`` every server is judged against that group.  Without it, a server with one candidate is judged
    against that one, a server with several waits for ``choice``, and one that only matches groups in a bad state is
    judged against those.  Members of one cluster share a choice, and what one of them cannot join none can.
    Raises ``PlanError`` for an unknown group or server, and for two choices within one cluster.
    """
    slots = _Slots(facts)
    candidate_servers, candidate_groups = slots.pairs(~bad)
    split = _in_split_clusters(facts, slots.of)
    keep = ~split[candidate_servers]
    chosen = _choices(facts, group_id, choice or {})
    good, refusing = slots.count(~bad), slots.count(bad)
    group = np.full(len(facts.server_ids), -1, dtype=np.int64)
    for chosen_groups, count in ((~bad, good), (bad, np.where(good == 0, refusing, 0))):
        servers, groups = slots.pairs(chosen_groups)
        single = count[servers] == 1
        group[servers[single]] = groups[single]
    group = np.where(chosen >= 0, chosen, group)
    several_refusing = (group < 0) & (good == 0) & (refusing > 1)
    servers, groups = slots.pairs(bad)
    extra = several_refusing[servers]
    judged = np.flatnonzero(group >= 0)
    return Match(
        group,
        np.append(judged, servers[extra]),
        np.append(group[judged], groups[extra]),
        candidate_servers[keep],
        candidate_groups[keep],
        (group < 0) & (good + refusing == 0),
        chosen >= 0,
    )


class _Slots:
    """Groups filed by VPC and production AZ; ``of`` is each server's file, -1 where there is none."""

    def __init__(self, facts: Facts) -> None:
        where = facts.sites
        vpc, az = facts.servers.coded("vpc_id"), facts.servers.coded("az")
        width = max(len(az.labels), 1)
        usable = (where.vpc >= 0) & (where.production_az >= 0)
        keys = where.vpc * width + where.production_az
        self._groups = np.flatnonzero(usable)[np.argsort(keys[usable], kind="stable")]
        self._files, self._file_of_group = np.unique(keys[self._groups], return_inverse=True)
        mine = np.where(vpc.missing | az.missing, -1, vpc.codes * width + az.codes)
        spot = np.searchsorted(self._files, mine)
        found = np.append(self._files, -1)[spot] == mine
        self.of = np.where(found & (mine >= 0), spot, -1)

    def count(self, chosen: BoolArray) -> IntArray:
        """Return for each server how many ``chosen`` groups are in its file."""
        by_file = np.bincount(self._file_of_group[chosen[self._groups]], minlength=len(self._files))
        return np.append(by_file, 0)[self.of]

    def pairs(self, chosen: BoolArray) -> tuple[IntArray, IntArray]:
        """Return servers and groups, each server with each ``chosen`` group of its file."""
        kept = chosen[self._groups]
        groups, files = self._groups[kept], self._file_of_group[kept]
        starts = np.append(np.searchsorted(files, np.arange(len(self._files))), len(groups))
        counts = self.count(chosen)
        servers = np.repeat(np.arange(len(self.of)), counts)
        within = np.arange(len(servers)) - np.repeat(np.cumsum(counts) - counts, counts)
        return servers, groups[starts[self.of[servers]] + within]


def _in_split_clusters(facts: Facts, files: IntArray) -> BoolArray:
    """Servers of a cluster whose members could join no group together; one whose place is not known splits nothing."""
    placed = facts.servers.known & ~facts.servers.coded("vpc_id").missing & ~facts.servers.coded("az").missing
    return facts.clusters.varied(files) | facts.clusters.any((files < 0) & placed)


def _choices(facts: Facts, group_id: str | None, choice: Mapping[str, str]) -> IntArray:
    """Return the group each server was told to join, -1 where nothing was said."""
    groups = facts.group_ids.positions({*choice.values(), *([group_id] if group_id is not None else [])})
    chosen = np.full(len(facts.server_ids), -1, dtype=np.int64)
    if not facts.loaded("groups"):
        # What was not received may exist all the same, so it is passed over and not refused.
        choice = {server: wanted for server, wanted in choice.items() if wanted in groups}
        group_id = group_id if group_id in groups else None
    servers = facts.server_ids.positions(choice)
    for server_id, wanted in sorted(choice.items()):
        if server_id not in servers:
            raise PlanError(
                _(
                    "A protection group was chosen for server {server}, which the inventory does not know. Remove it "
                    "from the choice, or load the inventory again.",
                    server=server_id,
                )
            )
        _choose(facts, chosen, servers[server_id], _group_position(facts, groups, wanted), server_id)
    if group_id is not None:
        chosen[chosen < 0] = _group_position(facts, groups, group_id)
    return chosen


def _choose(facts: Facts, chosen: IntArray, server: int, group: int, server_id: str) -> None:
    cluster = facts.clusters.of[server]
    together = np.array([server])
    if cluster >= 0:
        together = facts.clusters.members[facts.clusters.starts[cluster] : facts.clusters.starts[cluster + 1]]
    if (before := chosen[server]) >= 0 and before != group:
        raise PlanError(
            _(
                "Server {server} shares volumes with servers for which group {other} was chosen, but for itself group "
                "{group}. Choose one group for the whole cluster.",
                server=server_id,
                other=facts.group_labels[int(before)],
                group=facts.group_labels[group],
            )
        )
    chosen[together] = group


def _group_position(facts: Facts, known: Mapping[str, int], group_id: str) -> int:
    if group_id in known:
        return known[group_id]
    names = ", ".join(facts.group_labels[at] for at in range(min(len(facts.group_ids), 20)))
    raise PlanError(
        _(
            "There is no protection group {group} in this project. Use one of: {known}.",
            group=group_id,
            known=names or _("(none)"),
        )
    )
