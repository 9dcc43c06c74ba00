"""Who may be protected, and every reason why not."""

import asyncio
from collections.abc import Collection

import ipywidgets
import pandas as pd

from sdrs_nb.eligibility.eligibility import Eligibility
from sdrs_nb.i18n import _
from sdrs_nb.models import Verdict
from sdrs_nb.rulebook import PROFILES
from sdrs_nb.shown import html
from sdrs_nb.shown.titles import grid_titles
from sdrs_nb.shown.tones import VERDICT_TONES
from sdrs_nb.shown.words import word
from sdrs_nb.tables import VERDICTS, empty
from sdrs_nb.widgets.grid import Grid
from sdrs_nb.widgets.panel import WIDE, Panel, button, chip, folded, row
from sdrs_nb.widgets.pictures import waterfall_picture
from sdrs_nb.widgets.server_detail import ServerDetail
from sdrs_nb.widgets.state import WorkbenchState
from sdrs_nb.widgets.steps import Step

__all__ = ["EligibilityPanel", "verdict_words"]


def verdict_words() -> dict[str, str]:
    """Return the verdicts in the operator's language."""
    return {verdict: word(verdict) for verdict in VERDICT_TONES}


class EligibilityPanel(Panel):
    """Verdicts in a grid, counts that filter it, and every finding of the server that is opened.

    Parameters
    ----------
    state
        The workbench's state, or that of an inventory panel; a panel that stands alone is given one.
    """

    def __init__(self, state: WorkbenchState) -> None:
        super().__init__(state, Step.ELIGIBILITY)
        self._verdict: str | None = None
        self._drawn: Eligibility | None = None
        self._check = button(_("Check eligibility"), self._on_check_click, style="primary")
        self._group = ipywidgets.Dropdown(description=_("Group"), style=WIDE, layout=ipywidgets.Layout(width="340px"))
        self._group.observe(self._on_group_change, names="value")
        self._rules = ipywidgets.Dropdown(
            description=_("Rule book"), style=WIDE, layout=ipywidgets.Layout(width="320px")
        )
        self._rules.observe(self._on_rules_change, names="value")
        self._reason = ipywidgets.HTML()
        self._chips = row()
        self.grid = Grid(
            empty(VERDICTS).assign(group=""),
            "server_id",
            (
                "name",
                "server_id",
                "verdict",
                "reason",
                "group",
                "group_id",
                "cluster_id",
                "blockers",
                "warnings",
                "notices",
                "unverified",
            ),
            visible=(
                "name",
                "verdict",
                "reason",
                "group",
                "blockers",
                "warnings",
                "notices",
                "unverified",
                "server_id",
            ),
            labels=grid_titles() | {"cluster_id": _("Cluster ID")},
            status_columns={"verdict": VERDICT_TONES},
            words={"verdict": verdict_words()},
            title=_("Verdicts"),
            detail=False,
        )
        self.grid.on_open(self._on_grid_open)
        self.grid.on_selection(self._on_grid_selection)
        self._hint = ipywidgets.Label(_("Press Enter on a server, or double-click it, to read every reason."))
        self.detail = ServerDetail(self._on_detail_change)
        self.waterfall = ipywidgets.HTML()
        self.fixes = ipywidgets.HTML()
        self.missing = ipywidgets.HTML()
        self.common = ipywidgets.HTML()
        self.groups = ipywidgets.HTML()
        self._fact = ipywidgets.Dropdown(description=_("Fact"), style=WIDE, layout=ipywidgets.Layout(width="340px"))
        self._declare = button(_("Declare that there is none"), self._on_declare_click)
        self._unknown = folded(_("What is not known"), ipywidgets.VBox([self.missing, row(self._fact, self._declare)]))
        self._common = folded(_("Groups, and warnings that servers have in common"),
                              ipywidgets.VBox([self.common, self.groups]))  # fmt: skip
        self._reasons = folded(_("What each reason costs"), self.waterfall)
        self._help = folded(_("Fewest fixes that free the most servers"), self.fixes)
        self._choice = ipywidgets.Dropdown(
            options=[(_("choose a group"), "")],
            description=_("Several groups fit; use"),
            style=WIDE,
            layout=ipywidgets.Layout(width="420px"),
        )
        self._choose = button(_("Use it for the selected servers"), self._on_choose_click)
        self._choices = row(self._choice, self._choose)
        self._body = ipywidgets.VBox(
            [
                self._chips,
                self._unknown,
                self._common,
                self._reasons,
                self._help,
                self.grid,
                self._hint,
                self._choices,
                self.detail,
            ]
        )
        self._fill([row(self._check, self._group, self._rules), self._reason, self._body])

    def _on_check_click(self) -> None:
        if self._is_free:
            self._start()

    def _start(self) -> None:
        self.state.begin(self.step)
        self.background.start("check", self._checking(), failed=self._failed)

    async def _checking(self) -> None:
        # In a thread of its own: a large estate takes a while, and the private loop must go on polling.
        await asyncio.to_thread(self._check_now)

    def _check_now(self) -> None:
        self.state.check()
        if not self.state.failure(self.step):
            self.state.end(self.step)

    def _on_group_change(self, change: dict[str, object]) -> None:
        self.state.choose_group(str(change["new"]) if change["new"] else None)

    def _on_rules_change(self, change: dict[str, object]) -> None:
        self.state.choose_rules(str(change["new"] or ""))

    def _on_grid_open(self, server_id: str) -> None:
        if (eligibility := self.state.eligibility) is not None:
            self.background.start("detail", self._opening(eligibility, server_id))

    async def _opening(self, eligibility: Eligibility, server_id: str) -> None:
        await asyncio.to_thread(self.detail.show, eligibility, server_id)

    def _on_detail_change(self, added: Collection[str], left_out: Collection[str]) -> None:
        self.state.add_servers(added)
        if left_out:
            self.state.leave_out(left_out)
        if self._is_free:
            self._start()

    def _on_grid_selection(self, ids: tuple[str, ...]) -> None:
        self._choose.disabled = not ids

    def _on_choose_click(self) -> None:
        if self._choice.value:
            self.state.choose_group_for(dict.fromkeys(self.grid.selected, str(self._choice.value)))

    def _on_declare_click(self) -> None:
        if self._is_free and self._fact.value:
            self.state.declare({str(self._fact.value): "none"})
            self._start()

    def _on_chip_click(self, verdict: str | None) -> None:
        self._verdict = verdict
        self.grid.filter("verdict", choices=None if verdict is None else [verdict])
        if self.state.eligibility is not None:
            self._draw_chips(self.state.eligibility)

    def _draw(self) -> None:
        self._check.disabled = not self._is_free
        self._draw_groups()
        self._draw_rules()
        eligibility = self.state.eligibility
        self._body.layout.display = "none" if eligibility is None else ""
        if eligibility is None or eligibility is self._drawn:
            return
        self._drawn = eligibility
        self._verdict = None
        verdicts = eligibility.verdicts
        names = self.state.group_names
        groups = ["" if pd.isna(group) else names.get(group, group) for group in verdicts["group_id"]]
        self.grid.filter("verdict")
        self.grid.update(verdicts.assign(group=groups))
        self.detail.hide()
        self._draw_chips(eligibility)
        self._draw_choices(eligibility)
        self._draw_missing(eligibility)
        self.common.value = "".join(html.message(each, "warning") for each in eligibility.warnings["message"])
        self.groups.value = _groups(eligibility.groups)
        self.background.start("pictures", self._drawing(eligibility))

    async def _drawing(self, eligibility: Eligibility) -> None:
        # Weighing every bundle of fixes of a large estate takes a moment; the writer's thread must not wait for it.
        self.background.post(self.waterfall, value=await asyncio.to_thread(waterfall_picture, eligibility))
        self.background.post(self.fixes, value=await asyncio.to_thread(_fixes, eligibility))

    def _draw_chips(self, eligibility: Eligibility) -> None:
        counts = eligibility.verdicts["verdict"].value_counts()
        words = verdict_words()
        shown = [verdict.value for verdict in reversed(Verdict) if counts.get(verdict.value)]
        self._chips.children = [
            chip(_("All: {count}", count=int(counts.sum())), lambda: self._on_chip_click(None),
                 is_on=self._verdict is None),
            *(self._chip(verdict, f"{html.SHAPES[VERDICT_TONES[verdict]]} {words[verdict]}: {counts[verdict]}")
              for verdict in shown),
        ]  # fmt: skip

    def _chip(self, verdict: str, text: str) -> ipywidgets.Button:
        on = self._verdict == verdict
        return chip(text, lambda: self._on_chip_click(None if on else verdict), is_on=on, tooltip=_("Show only these"))

    def _draw_groups(self) -> None:
        inventory = self.state.inventory
        groups = [] if inventory is None else inventory.groups[["name", "group_id", "status"]].to_numpy().tolist()
        options = [(_("each server's own"), "")] + [(f"{n} ({status})", g) for n, g, status in groups]
        if tuple(options) != tuple(self._group.options):
            self._group.options = options
            self._group.value = self.state.group_id or ""

    def _draw_missing(self, eligibility: Eligibility) -> None:
        found = eligibility.missing
        self.missing.value = _missing(found)
        # Of a fact that a file or an answer does not hold, only the operator can say that there is none.
        self._fact.options = [fact for fact in found["fact"] if not fact.startswith("about.")]
        waits = bool((found["alone"] + found["together"]).gt(0).any())
        self._unknown.layout.display = "" if len(found) else "none"
        self._unknown.selected_index = 0 if waits else None

    def _draw_rules(self) -> None:
        asked = self.state.asked_rulebook
        chosen = asked.name if asked is not None else ""
        site = self.state.site.profile
        names = dict.fromkeys((*PROFILES, *filter(None, [chosen])))
        options = [(_("that of the cloud ({profile})", profile=site), ""), *((name, name) for name in names)]
        if tuple(options) != tuple(self._rules.options):
            self._rules.options = options
        self._rules.value = chosen
        self._reason.value = html.message(self.state.rulebook_reason)

    def _draw_choices(self, eligibility: Eligibility) -> None:
        candidates = eligibility.candidates
        several = candidates[candidates.duplicated("server_id", keep=False)]
        waiting = several["group_id"].drop_duplicates().tolist()
        names = self.state.group_names
        self._choice.options = [(_("choose a group"), "")] + [
            (f"{names.get(group, '')} ({group})", group) for group in waiting
        ]
        self._choices.layout.display = "flex" if waiting else "none"
        self._choose.disabled = not self.grid.selected


def _groups(found: pd.DataFrame) -> str:
    labels = {
        "name": _("Group"),
        "verdict": _("Verdict"),
        "reasons": _("Reason"),
        "room": _("Room"),
        "servers": _("Ready to join"),
        "could_join": _("Could join"),
        "group_id": _("Group ID"),
    }
    shown = found.assign(verdict=found["verdict"].map(word))
    return html.fragment(html.table(shown, None, columns=list(labels), labels=labels))


def _missing(found: pd.DataFrame) -> str:
    labels = {
        "fact": _("Fact"),
        "alone": _("Servers that wait for it alone"),
        "together": _("Servers that wait for others too"),
        "how": _("How to get it"),
    }
    return html.fragment(html.table(found, None, columns=list(labels), labels=labels))


def _fixes(eligibility: Eligibility) -> str:
    found = eligibility.fewest_fixes(10)
    if found.empty:
        return html.message(_("No single fix frees a server: none is blocked, or data is missing."))
    labels = {
        "rule": _("Rule"),
        "title": _("What to put right"),
        "about": _("About"),
        "freed": _("Servers freed"),
        "freed_so_far": _("So far"),
    }
    return html.fragment(html.table(found, None, columns=list(labels), labels=labels))
