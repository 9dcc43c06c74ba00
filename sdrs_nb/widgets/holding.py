"""What holds a step of the workbench back, and what its run has come to.  Reads the state, changes nothing."""

from collections import Counter
from typing import TYPE_CHECKING

from sdrs_nb.i18n import _
from sdrs_nb.ledger.run_states import RunState
from sdrs_nb.running.outcomes import state_tone, state_words
from sdrs_nb.widgets.steps import Step, StepState

if TYPE_CHECKING:
    from sdrs_nb.widgets.state import WorkbenchState

__all__ = ["blockers", "shown"]


def blockers(state: "WorkbenchState", step: Step) -> list[str]:
    """Return what holds ``step`` back; empty when it may go on."""
    if state.running is not None and state.running != step:
        return [_("Another step is running; wait for it or stop it.")]
    return {
        Step.CONNECT: _nothing,
        Step.INVENTORY: _needs_cloud,
        Step.ELIGIBILITY: _needs_inventory,
        Step.PLAN: _needs_eligibility,
        Step.APPROVE: _needs_plan,
        Step.SUBMIT: _needs_approval,
        Step.OUTCOME: _needs_run,
    }[step](state)


def _nothing(_state: "WorkbenchState") -> list[str]:
    return []


def _needs_cloud(state: "WorkbenchState") -> list[str]:
    if state.cloud is None and state.inventory is None:
        return [_("Connect to a cloud or open an inventory file first.")]
    return []


def _needs_inventory(state: "WorkbenchState") -> list[str]:
    if state.inventory is None:
        return [_("Load the inventory first.")]
    if state.is_stale(Step.INVENTORY):
        return [_("The inventory is from before the last run, or of another cloud: load it again.")]
    if state.inventory.servers.empty:
        return [_("The inventory holds no server.")]
    if state.server_ids is not None and not state.server_ids:
        return [_("No server is selected. Select servers, or choose all of them.")]
    return []


def _needs_eligibility(state: "WorkbenchState") -> list[str]:
    if state.run is not None:
        return [_("The plan at hand was submitted. Choose New plan in the step Submit and follow for further servers.")]
    if state.eligibility is None:
        return [_("Check eligibility first.")]
    if state.is_stale(Step.ELIGIBILITY):
        return [_("The inventory, the selection or the options changed: check eligibility again.")]
    if not state.eligibility.verdicts["verdict"].isin(["eligible", "warning"]).any():
        return [_("No server is eligible; the findings say why.")]
    return []


def _needs_plan(state: "WorkbenchState") -> list[str]:
    if state.run is not None:
        return [_("This plan was submitted; start a new plan for further servers.")]
    if state.plan is None:
        return [_("Plan the batches first.")]
    if state.is_stale(Step.PLAN):
        return [_("Something before the plan changed: plan again.")]
    return []


def _needs_approval(state: "WorkbenchState") -> list[str]:
    if state.run is not None:
        return [] if state.run.state != RunState.DONE else [_("This run is done.")]
    if missing := _needs_plan(state):
        return missing
    if not state.is_approved:
        return [_("Review the payloads and approve the plan first.")]
    if state.cloud is None:
        return [_("Connect to the cloud to submit.")]
    return []


def _needs_run(state: "WorkbenchState") -> list[str]:
    return [] if state.run is not None else [_("Nothing has been submitted yet.")]


def shown(state: "WorkbenchState", step: Step) -> tuple[str, str] | None:
    """Return word and tone of a step that shows what a run or its outcome came to; None for any other."""
    now = state.state_of(step)
    if step == Step.SUBMIT and state.run is not None and now not in (StepState.FAILED, StepState.STALE):
        stands, counts = state.run.state if now != StepState.RUNNING else RunState.RUNNING, state.run.counts
        return state_words(stands, counts), state_tone(stands, counts)
    if step == Step.OUTCOME and state.outcome is not None and now == StepState.DONE:
        found = Counter(state.outcome["stage"])
        return state_words(RunState.DONE, found), state_tone(RunState.DONE, found)
    return None
