"""Planned against found, and the report."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import ipywidgets
import pandas as pd

from sdrs_nb.cloud import Cloud
from sdrs_nb.i18n import _, ngettext_
from sdrs_nb.reporting.report import report
from sdrs_nb.reporting.todo import summarize_tasks
from sdrs_nb.running.outcomes import troubles
from sdrs_nb.running.outcomes_html import troubles_html
from sdrs_nb.running.ownership import Whose
from sdrs_nb.running.runs import Run
from sdrs_nb.running.verification import verify
from sdrs_nb.shown import html
from sdrs_nb.shown.cells import clipped
from sdrs_nb.shown.titles import grid_titles
from sdrs_nb.shown.tones import STAGE_TONES
from sdrs_nb.shown.words import word
from sdrs_nb.statuses import MADE, WORST_FIRST
from sdrs_nb.tables import OUTCOME, empty, worst_first
from sdrs_nb.widgets.grid import Grid
from sdrs_nb.widgets.panel import Panel, button, row, text_field
from sdrs_nb.widgets.pictures import Card, cards, records
from sdrs_nb.widgets.state import WorkbenchState
from sdrs_nb.widgets.steps import Step
from sdrs_nb.widgets.submit_panel import stage_words

__all__ = ["OutcomePanel"]


class OutcomePanel(Panel):
    """One row a planned server as the cloud itself shows it, and a report in one click.

    Parameters
    ----------
    cloud
        Where to look.
    state
        The workbench's state, with a run.
    """

    def __init__(self, cloud: Cloud | None = None, state: WorkbenchState | None = None) -> None:
        super().__init__(state or WorkbenchState(cloud), Step.OUTCOME)
        self._drawn: pd.DataFrame | None = None
        self._verify = button(_("Verify"), self._on_verify_click, style="primary")
        self._path = text_field("report.html", description=_("Report file"))
        self._write = button(_("Write the report"), self._on_report_click)
        self._written = ipywidgets.HTML()
        self._facts = ipywidgets.HTML()
        self.grid = Grid(
            empty(OUTCOME).assign(group=""),
            "server_id",
            visible=("name", "stage", "whose", "group", "protected_instance_id", "dr_server_id", "message"),
            labels=grid_titles(),
            status_columns={"stage": STAGE_TONES},
            words={"stage": stage_words(), "whose": {whose.value: word(whose) for whose in Whose}},
            title=_("Outcome"),
        )
        self._next = ipywidgets.HTML()
        self._body = ipywidgets.VBox([self._facts, self.grid, self._next])
        self._fill([row(self._verify, self._path, self._write), self._written, self._body])

    def _on_verify_click(self) -> None:
        if self.cloud is None or not self._is_free or self.state.run is None:
            return
        self.state.begin(self.step)
        self.background.start("verify", verify(self.cloud, self.state.run), done=self._on_found, failed=self._failed)

    def _on_found(self, outcome: pd.DataFrame) -> None:
        self.state.end(self.step)
        self.state.set_outcome(outcome)

    def _on_report_click(self) -> None:
        run = self.state.run
        if run is not None:
            self.background.post(self._written, value=html.message(_("Writing the report ..."), "running"))
            work = asyncio.to_thread(report, run, self._path.value.strip() or "report.html")
            self.background.start("report", work, done=self._on_written, failed=self._on_unwritten)

    def _on_written(self, path: Path) -> None:
        files = sorted(str(one.resolve()) for one in path.parent.glob(f"{path.stem}.*"))
        self.background.post(self._written, value=html.message(_("Written: {paths}", paths=", ".join(files)), "good"))

    def _on_unwritten(self, _error: Exception) -> None:
        self.background.post(self._written, value="")

    def _draw(self) -> None:
        self._verify.disabled = not self._is_free or self.cloud is None
        self._write.disabled = self.state.run is None
        outcome = self.state.outcome
        self._body.layout.display = "none" if outcome is None else ""
        if outcome is None or outcome is self._drawn:
            return
        self._drawn = outcome
        run, counts = self.state.run, Counter(outcome["stage"])
        figures = [
            (_("planned"), len(outcome)),
            *((word(stage), counts[stage]) for stage in WORST_FIRST if counts[stage]),
        ]
        found = troubles(outcome, is_deletion=run is not None and run.plan.is_deletion)
        self._facts.value = html.fragment(html.facts(figures), troubles_html(found))
        made = outcome[outcome["stage"].isin(MADE)]  # what is to be done about the others stands above the rows
        names = self.state.group_names
        rows = worst_first(outcome)
        self.grid.update(rows.assign(group=[names.get(group, group) for group in rows["group_id"]]))
        if run is not None:
            self._next.value = "" if found and not len(made) else _to_do(run, made, names)


def _to_do(run: Run, made: pd.DataFrame, group_names: Mapping[str, str]) -> str:
    tasks = summarize_tasks(made, group_names, run.findings, run.ledger.done_items(run.run_id))
    if tasks.empty:
        return html.message(_("Nothing is left to do."), "good")
    shown = (
        Card("warning", ngettext_("{count} server", "{count} servers", row["servers"]), row["task"], "",
             [(_("Servers"), clipped(row["names"], 160))])
        for row in records(tasks)
    )  # fmt: skip
    return html.fragment(html.heading(_("To do"))) + cards(shown)
