"""Planned against found, and the report."""

from pathlib import Path

import ipywidgets
import pandas as pd

from sdrs_nb import html
from sdrs_nb.cloud import Cloud
from sdrs_nb.i18n import _
from sdrs_nb.reporting import report
from sdrs_nb.tables import OUTCOME, empty
from sdrs_nb.verification import verify
from sdrs_nb.widgets.grid import Grid
from sdrs_nb.widgets.inventory_panel import server_labels
from sdrs_nb.widgets.panel import Panel, button, row
from sdrs_nb.widgets.state import Step, WorkbenchState
from sdrs_nb.widgets.submit_panel import STAGE_TONES, stage_words

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

    def __init__(self, cloud: Cloud | None, state: WorkbenchState) -> None:
        super().__init__(state, Step.OUTCOME, _("Outcome"))
        self.cloud = cloud
        self._verify = button(_("Verify"), self._on_verify_click, style="primary")
        self._path = ipywidgets.Text(
            "report.html", description=_("Report file"), style={"description_width": "initial"}
        )
        self._write = button(_("Write the report"), self._on_report_click)
        self._written = ipywidgets.HTML()
        self._facts = ipywidgets.HTML()
        self.grid = Grid(
            empty(OUTCOME).assign(group=""),
            "server_id",
            visible=("name", "stage", "group", "protected_instance_id", "dr_server_id", "message"),
            labels=server_labels(),
            status_columns={"stage": STAGE_TONES},
            words={"stage": stage_words()},
            title=_("Outcome"),
        )
        self._next = ipywidgets.HTML()
        self._fill([row(self._verify, self._path, self._write), self._written, self._facts, self.grid, self._next])

    def _on_verify_click(self) -> None:
        if self.cloud is None or not self._is_free or self.state.run is None:
            return
        self.state.begin(self.step)
        self.background.start("verify", verify(self.cloud, self.state.run), done=self._on_found, failed=self._failed)

    def _on_found(self, outcome: pd.DataFrame) -> None:
        self.state.end(self.step)
        self.state.set_outcome(outcome)

    def _on_report_click(self) -> None:
        if self.state.run is not None:
            path = report(self.state.run, self._path.value or "report.html")
            self._written.value = html.message(_("Written: {path}", path=Path(path).resolve()), "good")

    def _draw(self) -> None:
        self._verify.disabled = not self._is_free
        self._write.disabled = self.state.run is None
        outcome = self.state.outcome
        if outcome is None:
            return
        words = stage_words()
        counts = outcome["stage"].value_counts()
        self._facts.value = html.fragment(html.facts([(words[str(stage)], int(n)) for stage, n in counts.items()]))
        names = self.state.group_names
        self.grid.update(outcome.assign(group=[names.get(group, group) for group in outcome["group_id"]]))
        self._next.value = _to_do(outcome)


def _to_do(outcome: pd.DataFrame) -> str:
    stages = set(outcome["stage"])
    texts = []
    if "created" in stages:
        texts.append(
            _("No data is copied yet for servers that are created: enable protection for their group to start it.")
        )
    if "failed" in stages:
        texts.append(_("Failed servers name their reason and remedy; plan them again once the cause is removed."))
    if "unknown" in stages:
        texts.append(_("The fate of some servers is unknown: carry the run on to look again."))
    texts.append(_("Do not power on, delete or change DR servers by hand; their group can be blocked by it."))
    return html.message("\n".join(texts), "neutral")
