"""What a workbench has come to, step by step, and what holds each step back; decides nothing else."""

from abc import abstractmethod
from collections import Counter

import pandas as pd

from sdrs_nb.cloud import Cloud
from sdrs_nb.eligibility.eligibility import Eligibility
from sdrs_nb.i18n import _
from sdrs_nb.inventory.inventory import Inventory
from sdrs_nb.ledger.run_states import RunState
from sdrs_nb.planning.planning import Plan
from sdrs_nb.running.outcomes import state_tone, state_words
from sdrs_nb.running.runs import Run
from sdrs_nb.widgets.standing import Standing
from sdrs_nb.widgets.steps import Step, StepState

__all__ = ["Holding"]


class Holding(Standing):
    """The results of the steps; None until there is one.  What lacks holds the steps after it back.

    ``server_ids``: servers to judge and plan, None for every server of the inventory.
    """

    def __init__(self) -> None:
        super().__init__()
        self.cloud: Cloud | None = None
        self.inventory: Inventory | None = None
        self.eligibility: Eligibility | None = None
        self.plan: Plan | None = None
        self.run: Run | None = None
        self.outcome: pd.DataFrame | None = None
        self.server_ids: tuple[str, ...] | None = None

    @property
    @abstractmethod
    def is_approved(self) -> bool:
        """Whether the plan at hand was approved as it is."""

    def blockers(self, step: Step) -> list[str]:
        """Return what holds ``step`` back, each as a sentence; empty when it may go on."""
        if self.running is not None and self.running != step:
            return [_("Another step is running; wait for it or stop it.")]
        return {
            Step.CONNECT: self._nothing,
            Step.INVENTORY: self._needs_cloud,
            Step.ELIGIBILITY: self._needs_inventory,
            Step.PLAN: self._needs_eligibility,
            Step.APPROVE: self._needs_plan,
            Step.SUBMIT: self._needs_approval,
            Step.OUTCOME: self._needs_run,
        }[step]()

    def _nothing(self) -> list[str]:
        return []

    def _needs_cloud(self) -> list[str]:
        if self.cloud is None and self.inventory is None:
            return [_("Connect to a cloud or open an inventory file first.")]
        return []

    def _needs_inventory(self) -> list[str]:
        if self.inventory is None:
            return [_("Load the inventory first.")]
        if self.is_stale(Step.INVENTORY):
            return [_("The inventory is from before the last run, or of another cloud: load it again.")]
        if self.inventory.servers.empty:
            return [_("The inventory holds no server.")]
        if self.server_ids is not None and not self.server_ids:
            return [_("No server is selected. Select servers, or choose all of them.")]
        return []

    def _needs_eligibility(self) -> list[str]:
        if self.run is not None:
            return [
                _("The plan at hand was submitted. Choose New plan in the step Submit and follow for further servers.")
            ]
        if self.eligibility is None:
            return [_("Check eligibility first.")]
        if self.is_stale(Step.ELIGIBILITY):
            return [_("The inventory, the selection or the options changed: check eligibility again.")]
        if not self.eligibility.verdicts["verdict"].isin(["eligible", "warning"]).any():
            return [_("No server is eligible; the findings say why.")]
        return []

    def _needs_plan(self) -> list[str]:
        if self.run is not None:
            return [_("This plan was submitted; start a new plan for further servers.")]
        if self.plan is None:
            return [_("Plan the batches first.")]
        if self.is_stale(Step.PLAN):
            return [_("Something before the plan changed: plan again.")]
        return []

    def _needs_approval(self) -> list[str]:
        if self.run is not None:
            return [] if self.run.state != RunState.DONE else [_("This run is done.")]
        if missing := self._needs_plan():
            return missing
        if not self.is_approved:
            return [_("Review the payloads and approve the plan first.")]
        if self.cloud is None:
            return [_("Connect to the cloud to submit.")]
        return []

    def _needs_run(self) -> list[str]:
        return [] if self.run is not None else [_("Nothing has been submitted yet.")]

    def shown(self, step: Step) -> tuple[str, str]:
        """Return where ``step`` stands: a run shows how it has turned out so far, which done alone would hide."""
        now = self.state_of(step)
        if step == Step.SUBMIT and self.run is not None and now not in (StepState.FAILED, StepState.STALE):
            stands, counts = self.run.state if now != StepState.RUNNING else RunState.RUNNING, self.run.counts
            return state_words(stands, counts), state_tone(stands, counts)
        if step == Step.OUTCOME and self.outcome is not None and now == StepState.DONE:
            found = Counter(self.outcome["stage"])
            return state_words(RunState.DONE, found), state_tone(RunState.DONE, found)
        return super().shown(step)
