"""Who may be protected, and every reason why not."""

import asyncio

import ipywidgets
import pandas as pd

from sdrs_nb import html
from sdrs_nb.eligibility import Eligibility
from sdrs_nb.i18n import _
from sdrs_nb.models import Verdict
from sdrs_nb.tables import VERDICTS, empty
from sdrs_nb.widgets.grid import Grid
from sdrs_nb.widgets.inventory_panel import server_labels
from sdrs_nb.widgets.panel import Panel, button, row
from sdrs_nb.widgets.state import Step, WorkbenchState
from sdrs_nb.words import word

__all__ = ["VERDICT_TONES", "EligibilityPanel", "verdict_words"]

VERDICT_TONES = {
    "eligible": "good",
    "warning": "warning",
    "unknown": "unknown",
    "blocked": "bad",
    "not a candidate": "neutral",
    "protected": "neutral",
}


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
        super().__init__(state, Step.ELIGIBILITY, _("Eligibility"))
        self._drawn: Eligibility | None = None
        self._check = button(_("Check eligibility"), self._on_check_click, style="primary")
        self._group = ipywidgets.Dropdown(
            description=_("Group"), style={"description_width": "initial"}, layout=ipywidgets.Layout(width="340px")
        )
        self._group.observe(self._on_group_change, names="value")
        self._chips = row()
        self.grid = Grid(
            empty(VERDICTS).assign(group=""),
            "server_id",
            ("name", "server_id", "verdict", "group", "group_id", "blockers", "warnings", "notices", "unverified"),
            visible=("name", "verdict", "group", "blockers", "warnings", "notices", "unverified", "server_id"),
            labels=server_labels(),
            status_columns={"verdict": VERDICT_TONES},
            words={"verdict": verdict_words()},
            title=_("Verdicts"),
            detail=False,
        )
        self.grid.on_open(self._on_grid_open)
        self.grid.on_selection(self._on_grid_selection)
        self._hint = ipywidgets.Label(_("Press Enter on a server, or double-click it, to read every reason."))
        self._findings = ipywidgets.HTML()
        self._choice = ipywidgets.Dropdown(
            description=_("Several groups fit; use"),
            style={"description_width": "initial"},
            layout=ipywidgets.Layout(width="420px"),
        )
        self._choose = button(_("Use it for the selected servers"), self._on_choose_click)
        self._choices = row(self._choice, self._choose)
        self._fill(
            [
                row(self._check, self._group),
                self._chips,
                self.grid,
                self._hint,
                self._choices,
                self._findings,
            ]
        )

    def _on_check_click(self) -> None:
        if not self._is_free:
            return
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

    def _on_grid_open(self, server_id: str) -> None:
        if (eligibility := self.state.eligibility) is not None:
            self.background.post(self._findings, value=_all_findings(eligibility, server_id))

    def _on_grid_selection(self, ids: tuple[str, ...]) -> None:
        self._choose.disabled = not ids

    def _on_choose_click(self) -> None:
        if self._choice.value:
            self.state.choose_group_for(dict.fromkeys(self.grid.selected, str(self._choice.value)))

    def _on_chip_click(self, verdict: str | None) -> None:
        if verdict is None:
            self.grid.clear_filters()
        else:
            self.grid.filter("verdict", choices=[verdict])

    def _draw(self) -> None:
        self._check.disabled = not self._is_free
        self._draw_groups()
        eligibility = self.state.eligibility
        if eligibility is None or eligibility is self._drawn:
            return
        self._drawn = eligibility
        verdicts = eligibility.verdicts
        names = self.state.group_names
        groups = ["" if pd.isna(group) else names.get(group, group) for group in verdicts["group_id"]]
        self.grid.update(verdicts.assign(group=groups))
        self._findings.value = ""
        counts = verdicts["verdict"].value_counts()
        words = verdict_words()
        shown = [verdict.value for verdict in reversed(Verdict) if counts.get(verdict.value)]
        self._chips.children = [
            button(_("All: {count}", count=len(verdicts)), lambda: self._on_chip_click(None)),
            *(self._chip(verdict, f"{html.SHAPES[VERDICT_TONES[verdict]]} {words[verdict]}: {counts[verdict]}")
              for verdict in shown),
        ]  # fmt: skip
        self._draw_choices(eligibility)

    def _chip(self, verdict: str, text: str) -> ipywidgets.Button:
        return button(text, lambda: self._on_chip_click(verdict), tooltip=_("Show only these"))

    def _draw_groups(self) -> None:
        inventory = self.state.inventory
        groups = [] if inventory is None else inventory.groups[["name", "group_id", "status"]].to_numpy().tolist()
        options = [(_("each server's own"), "")] + [(f"{n} ({status})", g) for n, g, status in groups]
        if tuple(options) != tuple(self._group.options):
            self._group.options = options
            self._group.value = self.state.group_id or ""

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


def _all_findings(eligibility: Eligibility, server_id: str) -> str:
    found = eligibility.findings_of(server_id)
    named = eligibility.verdicts.set_index("server_id")["name"]
    title = html.heading(_("{name}: every reason", name=named.get(server_id, server_id)))
    if found.empty:
        return html.fragment(title, html.paragraph(_("No rule has anything to say about this server.")))
    labels = {
        "rule": _("Rule"),
        "severity": _("Severity"),
        "message": _("What"),
        "evidence": _("Evidence"),
        "remedy": _("Remedy"),
        "source": _("Source"),
        "sdrs_code": _("Code"),
    }
    return html.fragment(title, html.table(_in_order(found), None, columns=list(labels), labels=labels))


def _in_order(findings: pd.DataFrame) -> pd.DataFrame:
    ranks = {"blocker": 0, "unverified": 1, "warning": 2, "notice": 3}
    return findings.sort_values("severity", key=lambda column: column.map(ranks), kind="stable")
