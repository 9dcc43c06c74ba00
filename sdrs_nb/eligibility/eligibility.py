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
from sdrs_nb.eligibility.rules.references import OF_INVENTORY
from sdrs_nb.eligibility.rules.request import request_findings, request_stoppers
from sdrs_nb.eligibility.verdicts import COUNTED, Verdicts
from sdrs_nb.eligibility.what_if import Explanation, by_group, fewest_fixes, groups_needed, waterfall, wide
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
        self._fired = [kept for one in fired if len((kept := _of_selected(one, facts.selected)).hits)]
        self._judged = Verdicts(facts, self._fired)
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
        """One row per server that was asked about: ``server_id, name, group_id, verdict`` and counts of findings.

        ``verdict`` is the strongest of ``models.Verdict``; ``group_id`` is NA where no group fits, or several do and
        none was chosen.
        """
        return self._judged.frame.copy()

    @property
    def findings(self) -> pd.DataFrame:
        """One row per server, group and rule that fired, every reason and never only the first.

        Columns as in ``tables.FINDINGS``; sorted by server, rule and group.  Texts are in the current language.  Rows
        at the end without a server are about the inventory itself (names of objects that it lacks, declared facts) and
        about what in the options stops every request, which blocks every server.
        """
        language = current_language()
        if language not in self._rendered:
            found = request_findings(self.options, None, self.rulebook, facts=self._facts)
            of_all = [one for one in found if one.rule in OF_INVENTORY]
            about = render_requests(self.rulebook, [*of_all, *request_stoppers(self.options, self.rulebook)])
            rows = [each for each in (render(self._facts, self._fired), about) if len(each)]
            self._rendered[language] = pd.concat(rows, ignore_index=True) if rows else empty(FINDINGS)
        return self._rendered[language].copy()

    @property
    def missing(self) -> pd.DataFrame:
        """Facts that are not known, best first: what to load next, and what it would decide.

        One row per frame or column (``tables.MISSING``): ``alone`` counts servers with verdict ``unknown`` that wait
        for this fact only, ``together`` those that wait for others too; ``how`` says how to get it.
        """
        return missing_facts(self._facts, self._fired, self._judged, self._inventory.sources)

    @property
    def hindrances(self) -> pd.DataFrame:
        """The findings that keep servers from being planned: blockers, and missing data of rules that block.

        Columns of ``findings``; only these are put into words, which at a large estate takes a fraction of the time.
        """
        return render(self._facts, [one for one in self._fired if one.effect in _HINDERING])

    @property
    def request_findings(self) -> pd.DataFrame:
        """What speaks against the request itself, one row per rule that fired; columns of ``findings``.

        Rules of options (tags, description, tenancy) and sums over all servers that are ready (pair quota).  There
        is no ``server_id``.  A blocker here means that no request can be built from these options.
        """
        found = request_findings(self.options, None, self.rulebook, facts=self._facts)
        return render_requests(self.rulebook, [one for one in found if one.rule not in OF_INVENTORY])

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
        """Return the findings of one server; empty when it was not asked for or nothing fired."""
        server_id = canonical(server_id)
        at = self._facts.server_ids.positions([server_id]).get(server_id)
        return empty(FINDINGS) if at is None else render(self._facts, self._fired, np.array([at]))

    def by_rule(self) -> pd.DataFrame:
        """Return one row per rule and severity that fired: ``rule, title, severity, servers``; in the book's order."""
        rows = []
        for rule_id in dict.fromkeys(one.rule for one in self._fired):
            blocks = [one for one in self._fired if one.rule == rule_id]
            for severity, effects in COUNTED.items():
                hit = [one.hits.rows for one in blocks if one.effect in effects]
                if hit:
                    name = severity.removesuffix("s")
                    servers = len(np.unique(np.concatenate(hit)))
                    rows.append((rule_id, self.rulebook.rule(rule_id).title, name, servers))
        frame = pd.DataFrame(rows, columns=["rule", "title", "severity", "servers"])
        return frame.astype({"rule": "string", "title": "string", "severity": "string", "servers": "Int64"})

    def by_group(self) -> pd.DataFrame:
        """Return what was found about protection groups, each told once and not again for every server of the group.

        One row per group and rule: ``group_id, rule, severity, sdrs_code, message, remedy, servers,
        otherwise_eligible``.  ``servers`` is how many servers were told, ``otherwise_eligible`` how many of them have
        the verdict ``eligible``, so that nothing but this is said of them.
        """
        return by_group(self._facts, self._fired, self._judged)

    def explain(self, server_id: str) -> Explanation:
        """Return everything that was found about one server; ``print`` it to read it.

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
        group = int(match.group[at])
        return Explanation(
            server_id,
            str(facts.servers.raw("name")[at] or ""),
            self._judged.of(at),
            str(labels[group]) if group >= 0 else None,
            tuple(sorted(labels[match.candidate_groups[match.candidate_servers == at]])),
            tuple(facts.server_ids.labels[member] for member in members if member != at),
            self.findings_of(server_id),
        )

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
        rules = self.by_rule()
        rules["severity"] = rules["severity"].map(word)
        return html.summary(_("Eligibility"), shown, body=[html.table(rules, html.FEW)])

    def __repr__(self) -> str:
        counts = self._judged.frame["verdict"].value_counts()
        told = ", ".join(f"{counts[verdict]} {word(verdict)}" for verdict in Verdict if verdict in counts)
        return _("Eligibility({told})", told=told or _("no servers"))


def _of_selected(one: Fired, selected: BoolArray) -> Fired:
    """Drop hits on servers that were not asked for; they were needed to judge the others only."""
    kept = selected[one.hits.rows]
    if kept.all():
        return one
    at = np.flatnonzero(kept)
    return Fired(one.rule, one.effect, one.hits.take(at), one.groups[at])
