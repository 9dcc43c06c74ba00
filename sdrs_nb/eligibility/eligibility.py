"""Who may be protected, and every reason why not.

``check_eligibility`` asks the whole rule book about every server at once.  It works on an ``Inventory`` alone, so a
file serves as well as a live cloud, and it never guesses: what could not be read is said to be unknown.
"""

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sdrs_nb.asked import checked
from sdrs_nb.eligibility.building import build_facts
from sdrs_nb.eligibility.columns import BoolArray
from sdrs_nb.eligibility.facts import Facts, Frames
from sdrs_nb.eligibility.missing import missing_facts
from sdrs_nb.eligibility.rendering import render, render_requests
from sdrs_nb.eligibility.rules import Fired, judge
from sdrs_nb.eligibility.rules.request import RequestFinding, request_findings
from sdrs_nb.eligibility.scopes import SCOPES, of_servers, once
from sdrs_nb.eligibility.verdicts import Verdicts
from sdrs_nb.eligibility.what_if import (
    Explanation,
    by_group,
    by_rule,
    fewest_fixes,
    group_verdicts,
    groups_needed,
    waterfall,
    wide,
)
from sdrs_nb.errors import PlanError
from sdrs_nb.i18n import _, current_language
from sdrs_nb.ids import canonical
from sdrs_nb.models import BatchOptions, Verdict
from sdrs_nb.rulebook import Effect, Rulebook, choose_rulebook, rulebook_reason
from sdrs_nb.shown.words import word
from sdrs_nb.tables import CANDIDATES, FINDINGS, INVENTORY_TABLES, empty, shape

if TYPE_CHECKING:
    from sdrs_nb.inventory.inventory import Inventory

__all__ = ["Eligibility", "check_eligibility"]

_HINDERING = (Effect.BLOCKER, Effect.UNKNOWN)


@checked
def check_eligibility(
    inventory: "Inventory",
    *,
    options: BatchOptions | None = None,
    group_id: str | None = None,
    server_ids: Collection[str] | None = None,
    group_choice: Mapping[str, str] | None = None,
    rulebook: Rulebook | str | None = None,
    busy_groups: Collection[str] = (),
) -> "Eligibility":
    """Return what every rule says of every server, and the verdict that follows.

    Parameters
    ----------
    inventory
        Servers and everything known around them; it is not changed.
    options
        What the requests will share; ``BatchOptions()`` by default.
    group_id
        Judge every server against this protection group.  Left out, each server is matched with the groups of its
        VPC that produce in its AZ.
    server_ids
        Which servers to judge; all of the inventory when left out.  The others still count as facts, as owners of
        shared volumes for instance.  An id that the inventory does not know is blocked by rule S1.
    group_choice
        ``{server_id: group_id}`` where several groups fit; what is chosen for one server of a cluster holds for all.
    rulebook
        Rules and limits, or their name (``"otc"``, ``"otc S22=warning"``); by default those of the inventory's cloud,
        see ``Eligibility.rulebook_reason``.
    busy_groups
        Groups on which a job of ours still runs (rule G12).

    Returns
    -------
    Eligibility
        Sorted by server id, whatever the order of rows: same input, same output.

    Raises
    ------
    PlanError
        ``group_id`` or a chosen group is not in the inventory, a server is listed twice, or two groups are chosen
        for one cluster.
    InventoryError
        A server, volume or group has no id or stands twice.
    SettingsError
        There is no rule book of that name.

    Notes
    -----
    Pure: no network, no disk but the rule book's own files.  An empty inventory gives empty frames.
    """
    book, wanted = choose_rulebook(rulebook, inventory.about.site.rulebook), options or BatchOptions()
    group_id = None if group_id is None else canonical(group_id, "group_id")
    choice = {canonical(server): canonical(group, "group_id") for server, group in (group_choice or {}).items()}
    busy_groups = [canonical(group, "group_id") for group in busy_groups]
    if server_ids is not None:
        server_ids = [canonical(server) for server in server_ids]
        _refuse_repetition(server_ids)
    sources = inventory.sources
    frames = Frames(
        {name: inventory.frame(name) for name in INVENTORY_TABLES},
        frozenset(sources["frame"][sources["state"] == "loaded"]),
        inventory.about.caller_user_id,
        {name: inventory.unread(name) for name in INVENTORY_TABLES},
        inventory.declared,
    )
    facts = build_facts(frames, book, wanted, server_ids, busy_groups)
    question = (group_id, choice, tuple(busy_groups))
    return Eligibility(inventory, facts, judge(facts, group_id, choice), question)


def _refuse_repetition(server_ids: Collection[str]) -> None:
    ids = pd.Series(list(server_ids), dtype="string")
    if not ids.is_unique:
        twice = ", ".join(sorted(set(ids[ids.duplicated()]))[:5])
        raise PlanError(_("The list of servers names {servers} more than once. List each server once.", servers=twice))


class Eligibility:
    """What the rules said: verdicts, findings, candidates and clusters, each a frame of its own at every access.

    Made by ``check_eligibility``.  Findings are kept as codes; their texts are made in the current language when they
    are read.
    """

    def __init__(
        self,
        inventory: "Inventory",
        facts: Facts,
        fired: list[Fired],
        question: tuple[str | None, Mapping[str, str] | None, Collection[str]] = (None, None, ()),
    ) -> None:
        self._inventory = inventory
        self._question = question
        self._facts = facts
        # Hits on servers that were not asked for were needed to judge the others only.
        self._fired = [kept for one in fired if len((kept := _only(one, facts.selected[one.hits.rows])).hits)]
        self._verdicts = Verdicts(facts, self._fired)
        self._rendered: dict[str, pd.DataFrame] = {}

    @property
    def inventory(self) -> "Inventory":
        """The inventory that was judged."""
        return self._inventory

    @property
    def options(self) -> BatchOptions:
        """What the requests will share."""
        return self._facts.options

    @property
    def rulebook(self) -> Rulebook:
        """The rules that were asked."""
        return self._facts.book

    @property
    def rulebook_reason(self) -> str:
        """Which rules were asked, and why those, in a sentence."""
        return rulebook_reason(self.rulebook, self.inventory.about.site)

    @cached_property
    def asked(self) -> tuple[str, ...]:
        """Ids of the servers that were judged, sorted."""
        return tuple(self._facts.server_ids.labels[self._facts.selected])

    @property
    def verdicts(self) -> pd.DataFrame:
        """One row per server that was asked about: verdict, reason and counts of findings; columns ``tables.VERDICTS``.

        ``verdict`` is the strongest of ``models.Verdict``; ``group_id`` is NA where no group fits, or several do and
        none was chosen.  ``reason`` is the first rule behind the verdict in fault words, with "+2" where two more
        block, in the current language.  ``warnings`` and ``notices`` count the server's own; what its group, the
        request or the estate has in common is told there and changes no verdict.
        """
        return self._verdicts.frame.copy()

    @property
    def findings(self) -> pd.DataFrame:
        """Every rule that fired, once at its ``scope``; columns as in ``tables.FINDINGS``, in the current language.

        Blockers, and missing data of blocking rules, have a row for every server and group.  Warnings and notices that
        servers of a cluster, a group, the request or the estate have in common have one row there, without
        ``server_id``; evidence ``servers`` counts whom they concern, ``by_server`` and ``explain`` tell the evidence
        of each.
        Sorted by scope, server, rule and group.
        """
        language = current_language()
        if language not in self._rendered:
            found = render(self._facts, once(self._facts, self._fired))
            about = render_requests(self.rulebook, self._of_requests)
            parts = [found, *(about[about["scope"] == scope] for scope in ("request", "estate"))]
            parts = [each for each in parts if len(each)]
            wide = pd.concat(parts, ignore_index=True) if parts else empty(FINDINGS)
            rank = wide["scope"].map({scope: at for at, scope in enumerate(SCOPES)})
            self._rendered[language] = wide.loc[rank.sort_values(kind="stable").index].reset_index(drop=True)
        return self._rendered[language].copy()

    def by_server(self, server_ids: Collection[str] | None = None, *, with_ids: bool = False) -> pd.DataFrame:
        """Return every finding at each server it concerns, with that server's own evidence; columns of ``findings``.

        What ``findings`` tells once is here repeated, and ``scope`` says where that is.  One row a server, group and
        rule, sorted so; for ``server_ids`` or all that were asked for.  Findings without a server are not in it.
        ``with_ids``: sentences name every id, for an inventory that is not the whole estate, where a name that stands
        once may not be unique.
        """
        if server_ids is None:
            return render(self._facts, of_servers(self._facts, self._fired), with_ids=with_ids)
        rows = np.array(sorted(self._facts.server_ids.positions(server_ids).values()), dtype=np.int64)
        mine = (_only(one, np.isin(one.hits.rows, rows)) for one in self._fired)
        concerned = [one for one in mine if len(one.hits)]
        return render(self._facts, of_servers(self._facts, concerned), with_ids=with_ids)

    @property
    def groups(self) -> pd.DataFrame:
        """One row per protection group: whether it takes servers, why not, its room, and who would join.

        Columns as in ``tables.GROUP_VERDICTS``; sorted by group id.
        """
        return group_verdicts(self._facts, self._fired, self._verdicts)

    @property
    def warnings(self) -> pd.DataFrame:
        """The warnings that servers have in common: of groups, the request and the estate; columns of ``findings``.

        To be read before anything is approved, since they show in no server's verdict.  Only these are put into words.
        """
        warning = [one for one in self._fired if one.effect is Effect.WARNING]
        told = [one for one in once(self._facts, warning) if one.is_once and one.scope != "cluster"]
        of_requests = [one for one in self._of_requests if one.effect is Effect.WARNING]
        parts = [render(self._facts, told), render_requests(self.rulebook, of_requests)]
        return pd.concat([each for each in parts if len(each)] or parts[:1], ignore_index=True)

    @property
    def missing(self) -> pd.DataFrame:
        """Facts that are not known, best first: what to load next, and what it would decide.

        One row per frame or column (``tables.MISSING``): ``alone`` counts servers with verdict ``unknown`` that wait
        for this fact only, ``together`` those that wait for others too; ``how`` says how to get it.
        """
        return missing_facts(self._facts, self._fired, self._verdicts, self._inventory.sources)

    @property
    def hindrances(self) -> pd.DataFrame:
        """The findings that keep servers from being planned: blockers, and missing data of rules that block.

        Columns of ``findings``; only these are put into words, which at a large estate takes a fraction of the time.
        """
        hindering = [one for one in self._fired if one.effect in _HINDERING]
        return render(self._facts, of_servers(self._facts, hindering))

    @property
    def request_findings(self) -> pd.DataFrame:
        """What speaks against the request itself, one row per rule that fired; columns of ``findings``.

        Rules of options (tags, description, tenancy) and sums over all servers that are ready (pair quota).  There
        is no ``server_id``.  A blocker here means that no request can be built from these options.
        """
        found = [one for one in self._of_requests if self.rulebook.rule(one.rule).scope_of(one.variant) == "request"]
        return render_requests(self.rulebook, found)

    @cached_property
    def _of_requests(self) -> list[RequestFinding]:
        """What speaks against the options, of sums over all servers that are ready, and of the inventory itself."""
        return request_findings(self.options, None, self.rulebook, facts=self._facts)

    @property
    def candidates(self) -> pd.DataFrame:
        """One row per server and protection group it could join: its VPC, its AZ, and the group takes servers."""
        match, facts = self._facts.match, self._facts
        keep = facts.selected[match.candidate_servers]
        servers, groups = match.candidate_servers[keep], match.candidate_groups[keep]
        order = np.lexsort((groups, servers))
        return shape(
            pd.DataFrame(
                {
                    "server_id": facts.server_ids.labels[servers[order]],
                    "group_id": facts.group_ids.labels[groups[order]],
                }
            ),
            CANDIDATES,
        )

    @property
    def clusters(self) -> pd.DataFrame:
        """One row per server that shares a volume with another: ``server_id, cluster_id, volume_ids``.

        Servers of one ``cluster_id`` go into one request or none.  Servers that were not asked for, and owners that
        the inventory does not know, are listed too.  ``volume_ids`` are the volumes the server shares, comma-joined.
        """
        clusters, facts = self._facts.clusters, self._facts
        shared = facts.shared_by(clusters.members).take(np.arange(len(clusters.members)))
        ids = [
            ",".join(sorted(set(facts.volume_ids.labels[shared.rows[start:end]])))
            for start, end in zip(shared.starts, shared.ends, strict=True)
        ]
        first = clusters.members[clusters.starts[:-1]]
        return pd.DataFrame(
            {
                "server_id": facts.server_ids.labels[clusters.members],
                "cluster_id": facts.server_ids.labels[first[clusters.of[clusters.members]]],
                "volume_ids": ids,
            },
            dtype="string",
        )

    def findings_of(self, server_id: str) -> pd.DataFrame:
        """Return ``by_server`` of one server; empty when it was not asked for or nothing fired."""
        return self.by_server([canonical(server_id)])

    def by_rule(self) -> pd.DataFrame:
        """Return one row per rule that was asked of servers, in the book's order: how many pass and fail.

        ``rule, title, fault, severity`` (the strongest that fired; NA if none did), ``servers`` (whom it fired for or
        could not be decided for), ``pass, fail, unknown`` (servers; they add up to those asked for) and ``rate``, the
        share of ``pass`` among those decided (NA where none is).
        """
        return by_rule(self._facts, self._fired)

    def by_group(self) -> pd.DataFrame:
        """Return what was found about protection groups, each told once and not again for every server of the group.

        One row per group and rule: ``group_id, rule, severity, sdrs_code, message, remedy, servers,
        otherwise_eligible``.  ``servers`` is how many servers were told, ``otherwise_eligible`` how many of them have
        the verdict ``eligible``, so that nothing but this is said of them.
        """
        return by_group(self._facts, self._fired, self._verdicts)

    def explain(self, server_id: str) -> Explanation:
        """Return everything that was found about one server, its cluster and group, the request and the estate.

        ``print`` it to read it.

        Raises ``PlanError`` when the server was not asked for.
        """
        facts, server_id = self._facts, canonical(server_id)
        at = facts.server_ids.positions([server_id]).get(server_id)
        if at is None or not facts.selected[at]:
            raise PlanError(
                _("Server {server} was not asked for. Check eligibility with it among the servers.", server=server_id)
            )
        labels, match = facts.group_ids.labels, facts.match
        cluster = facts.clusters.of[at]
        members = facts.clusters.members[facts.clusters.of[facts.clusters.members] == cluster] if cluster >= 0 else ()
        group, fitting = int(match.group[at]), match.candidate_groups[match.candidate_servers == at]
        names = {str(labels[each]): facts.group_labels[each].brief for each in fitting}
        names |= {str(facts.server_ids.labels[each]): facts.server_labels[each].brief for each in members}
        mine, of_all = self.findings_of(server_id), render_requests(self.rulebook, self._of_requests)
        found = pd.concat([each for each in (mine, of_all) if len(each)] or [mine], ignore_index=True)
        joined, others = str(labels[group]) if group >= 0 else None, members[members != at] if len(members) else ()
        companions = tuple(facts.server_ids.labels[member] for member in others)
        name, verdict = str(facts.servers.raw("name")[at] or ""), self._verdicts.of(at)
        return Explanation(server_id, name, verdict, joined, tuple(sorted(labels[fitting])), companions, found, names)

    def if_selected(self, server_ids: Collection[str]) -> "Eligibility":
        """Return the eligibility of exactly these servers, everything else as it was asked here.

        Selecting changes what shared volumes mean: a companion left out blocks its whole cluster (rule H3).
        """
        group_id, choice, busy = self._question
        return check_eligibility(
            self.inventory,
            options=self.options,
            group_id=group_id,
            server_ids=server_ids,
            group_choice=choice,
            rulebook=self.rulebook,
            busy_groups=busy,
        )

    def wide(self) -> pd.DataFrame:
        """Return one row per server: ``server_id, name, verdict`` and the severity of every rule as a column."""
        return wide(self.verdicts, self._facts, self._fired)

    def waterfall(self) -> pd.DataFrame:
        """Return how many servers each reason costs: ``rule, title, lost, alone, left``, from asked for to ready."""
        return waterfall(self._facts, self._fired)

    def fewest_fixes(self, limit: int = 20) -> pd.DataFrame:
        """Return the fixes that free most servers, best first: ``rule, about, title, freed, freed_so_far``."""
        return fewest_fixes(self._facts, self._fired, limit)

    def groups_needed(self) -> pd.DataFrame:
        """Return groups to create for servers that fit none: ``vpc_id, production_az, servers, dr_az, domain_id``."""
        return groups_needed(self._facts)

    def _repr_html_(self) -> str:
        from sdrs_nb.shown import html

        counts = self.verdicts["verdict"].value_counts()
        shown = [(word(each), int(counts[each.value])) for each in reversed(Verdict) if each.value in counts]
        rules = self.by_rule().dropna(subset=["severity"])[["rule", "fault", "severity", "servers"]]
        rules["severity"] = rules["severity"].map(word)
        return html.summary(_("Eligibility"), shown, body=[html.table(rules, html.FEW)])

    def __repr__(self) -> str:
        counts = self._verdicts.frame["verdict"].value_counts()
        by_verdict = ", ".join(f"{counts[verdict]} {word(verdict)}" for verdict in Verdict if verdict in counts)
        return _("Eligibility({told})", told=by_verdict or _("no servers"))


def _only(one: Fired, kept: BoolArray) -> Fired:
    """Return the hits that ``kept`` marks."""
    if kept.all():
        return one
    at = np.flatnonzero(kept)
    return Fired(one.rule, one.effect, one.hits.take(at), one.groups[at])
