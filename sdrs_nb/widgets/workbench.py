"""The whole job as one widget: the steps in order, what holds each back, and the panel of the step at hand."""

from collections.abc import Callable

import ipywidgets
import pandas as pd

from sdrs_nb.asked import checked
from sdrs_nb.cloud import Cloud
from sdrs_nb.eligibility.eligibility import Eligibility
from sdrs_nb.i18n import _
from sdrs_nb.i18n.choosing import set_language
from sdrs_nb.inventory.inventory import Inventory
from sdrs_nb.planning.planning import Plan
from sdrs_nb.running.runs import Run, open_run
from sdrs_nb.shown import html
from sdrs_nb.shown.tones import TONES
from sdrs_nb.widgets.approve_panel import ApprovePanel
from sdrs_nb.widgets.connect_panel import ConnectPanel, Rehearsal
from sdrs_nb.widgets.eligibility_panel import EligibilityPanel
from sdrs_nb.widgets.inventory_panel import InventoryPanel
from sdrs_nb.widgets.outcome_panel import OutcomePanel
from sdrs_nb.widgets.panel import Panel, button, panel_style, row
from sdrs_nb.widgets.plan_panel import PlanPanel
from sdrs_nb.widgets.state import WorkbenchState
from sdrs_nb.widgets.steps import ORDER, Step
from sdrs_nb.widgets.submit_panel import SubmitPanel
from sdrs_nb.widgets.writing import writer

__all__ = ["Workbench"]


class Workbench(ipywidgets.VBox):
    """Connect, load, check, plan, approve, submit, follow and verify, step by step.

    Parameters
    ----------
    cloud
        From ``connect``; without it the first step connects with the credentials it finds, starts a sandbox, or
        opens a file.
    inventory
        An inventory that was loaded or read already.
    run_id
        A run of the ledger to show where it is and carry on, as after a kernel restart.
    sandbox
        What starts a sandbox cloud in one click, such as ``sdrs_nb.start_sandbox``; none is offered without it.
    lang
        ``"en"`` or ``"zh"``: the language of this process from now on, as ``sdrs_nb.set_language`` chooses it.  Without
        it ``SDRS_NB_LANG`` counts, then the language JupyterLab is set to (read where this kernel starts).

    Attributes
    ----------
    inventory, eligibility, plan, run, outcome
        The results so far, to be used in the next cell; None where there is none yet.

    Raises
    ------
    LedgerError
        There is no run ``run_id``.
    """

    @checked
    def __init__(
        self,
        cloud: Cloud | None = None,
        *,
        inventory: Inventory | None = None,
        run_id: str | None = None,
        sandbox: Callable[[], Rehearsal] | None = None,
        lang: str | None = None,
    ) -> None:
        if lang is not None:
            set_language(lang)
        self.state = state = WorkbenchState(cloud)
        if inventory is not None:
            state.set_inventory(inventory)
        if run_id is not None:
            state.set_run(open_run(run_id))
        self.panels: list[Panel] = [
            ConnectPanel(state, sandbox=sandbox),
            InventoryPanel(state=state),
            EligibilityPanel(state),
            PlanPanel(state),
            ApprovePanel(state),
            SubmitPanel(state=state),
            OutcomePanel(state=state),
        ]
        self._steps = [self._step_button(number, panel) for number, panel in enumerate(self.panels)]
        bar = ipywidgets.HBox(self._steps, layout=ipywidgets.Layout(flex_flow="row wrap", grid_gap="4px"))
        bar.add_class("sdrs-steps")
        self._next = button("", self._on_next_click)
        self._wait = ipywidgets.HTML()
        onward = row(self._next, self._wait)
        onward.layout.margin = "8px 0 0 0"
        onward.add_class("sdrs-panel")
        super().__init__([panel_style(), bar, *self.panels, onward])
        self.layout.width = "100%"
        self._current = -1
        self._show(ORDER.index(Step.SUBMIT if run_id is not None else Step.CONNECT))
        state.listen(self._on_state_change)
        self._draw_steps()

    @property
    def inventory(self) -> Inventory | None:
        """The inventory that was loaded."""
        return self.state.inventory

    @property
    def eligibility(self) -> Eligibility | None:
        """Who may be protected, and why not."""
        return self.state.eligibility

    @property
    def plan(self) -> Plan | None:
        """The plan at hand."""
        return self.state.plan

    @property
    def run(self) -> Run | None:
        """The run that was submitted or opened."""
        return self.state.run

    @property
    def outcome(self) -> pd.DataFrame | None:
        """Planned against found, once verified."""
        return self.state.outcome

    def _step_button(self, number: int, panel: Panel) -> ipywidgets.Button:
        made = ipywidgets.Button(layout=ipywidgets.Layout(width="auto", flex="1 1 118px", min_width="118px"))
        made.on_click(lambda _button: self._show(number))
        made.tooltip = panel.title
        return made

    def _on_next_click(self) -> None:
        self._show(min(self._current + 1, len(self.panels) - 1))

    def _show(self, number: int) -> None:
        if number == self._current:
            return
        self._current = number
        for index, panel in enumerate(self.panels):
            panel.layout.display = "" if index == number else "none"
        self._draw_steps()

    def _on_state_change(self) -> None:
        writer().post(self, "steps", self._draw_steps)

    def _draw_steps(self) -> None:
        for number, (made, panel) in enumerate(zip(self._steps, self.panels, strict=True)):
            said, tone = self.state.shown(panel.step)
            made.description = f"{number + 1}  {panel.title}\n{html.SHAPES[tone]} {said}"
            made.button_style = "primary" if number == self._current else ""
            for one in TONES:
                (made.add_class if one == tone else made.remove_class)(f"sdrs-step-{one}")
        self._draw_next()

    def _draw_next(self) -> None:
        following = self._current + 1
        is_last = following >= len(self.panels)
        self._next.layout.display = "none" if is_last else ""
        if is_last:
            self._wait.value = ""
            return
        panel = self.panels[following]
        self._next.description = _("Next: {step}", step=panel.title)
        held = self.state.blockers(panel.step)
        self._next.button_style = "" if held else "success"
        self._wait.value = html.fragment(html.escape(held[0])) if held else ""

    def __repr__(self) -> str:
        states = [f"{panel.title}: {self.state.shown(panel.step)[0]}" for panel in self.panels]
        return _("Workbench ({states})", states=", ".join(states))
