"""What a workbench knows and which step may go on: plain Python, no ipywidgets, testable without a browser.

Six steps, each in one state.  What holds a step back is a list of sentences; an edit marks the later steps stale
and withdraws the approval.  Panels read this object and call its methods; they decide nothing themselves.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

import pandas as pd

from sdrs_nb.eligibility import Eligibility, check_eligibility
from sdrs_nb.errors import SdrsError
from sdrs_nb.i18n import _
from sdrs_nb.inventory import Inventory
from sdrs_nb.ledger import RunState
from sdrs_nb.models import Approval, BatchOptions
from sdrs_nb.planning import Plan, plan_batches
from sdrs_nb.runs import Run

__all__ = ["Step", "StepState", "WorkbenchState"]


class Step(StrEnum):
    """The steps of the job, in order."""

    INVENTORY = "inventory"
    ELIGIBILITY = "eligibility"
    PLAN = "plan"
    APPROVE = "approve"
    SUBMIT = "submit"
    OUTCOME = "outcome"


class StepState(StrEnum):
    """Where a step stands."""

    TODO = "todo"  # something before it is missing
    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STALE = "stale"  # done, but something before it changed since


_ORDER = tuple(Step)


class WorkbenchState:
    """One job on its way from inventory to outcome.

    Attributes
    ----------
    inventory, eligibility, plan, run, outcome
        Results of the steps; None until there is one.  A stale result stays readable until it is made anew.
    server_ids
        Servers to judge and plan; None means every server of the inventory.  A filter selects, it never forgets:
        the others still count as facts.
    group_id, group_choice, options, name_prefix
        What the operator asked for.
    """

    def __init__(self) -> None:
        self.inventory: Inventory | None = None
        self.eligibility: Eligibility | None = None
        self.plan: Plan | None = None
        self.run: Run | None = None
        self.outcome: pd.DataFrame | None = None
        self.server_ids: tuple[str, ...] | None = None
        self.group_id: str | None = None
        self.group_choice: dict[str, str] = {}
        self.options = BatchOptions()
        self.name_prefix = "dr"
        self.approval: Approval | None = None
        self._running: Step | None = None
        self._failures: dict[Step, str] = {}
        self._stale: set[Step] = set()
        self._listeners: list[Callable[[], None]] = []

    # Listening

    def listen(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` after every change."""
        self._listeners.append(callback)

    def changed(self) -> None:
        """Tell every listener that something changed."""
        for callback in list(self._listeners):
            callback()

    @property
    def group_names(self) -> dict[str, str]:
        """Names of protection groups by id, as the inventory has them."""
        if self.inventory is None:
            return {}
        groups = self.inventory.groups
        return {
            group: name for group, name in groups[["group_id", "name"]].to_numpy().tolist() if isinstance(name, str)
        }

    # What may go on

    def state_of(self, step: Step) -> StepState:
        """Return where ``step`` stands."""
        if self._running == step:
            return StepState.RUNNING
        if step in self._failures:
            return StepState.FAILED
        if self._is_done(step):
            return StepState.STALE if step in self._stale else StepState.DONE
        return StepState.TODO if self.blockers(step) else StepState.READY

    def _is_done(self, step: Step) -> bool:
        match step:
            case Step.INVENTORY:
                return self.inventory is not None
            case Step.ELIGIBILITY:
                return self.eligibility is not None
            case Step.PLAN:
                return self.plan is not None
            case Step.APPROVE:
                return self.approval is not None
            case Step.SUBMIT:
                return self.run is not None and self.run.state == RunState.DONE
            case Step.OUTCOME:
                return self.outcome is not None

    def blockers(self, step: Step) -> list[str]:  # noqa: PLR0911 - one answer a step
        """Return what holds ``step`` back, each as a sentence; empty when it may go on."""
        if self._running is not None and self._running != step:
            return [_("Another step is running; wait for it or stop it.")]
        match step:
            case Step.INVENTORY:
                return []
            case Step.ELIGIBILITY:
                return self._needs_inventory()
            case Step.PLAN:
                return self._needs_eligibility()
            case Step.APPROVE:
                return self._needs_plan()
            case Step.SUBMIT:
                return self._needs_approval()
            case Step.OUTCOME:
                return [] if self.run is not None else [_("Nothing has been submitted yet.")]

    def _needs_inventory(self) -> list[str]:
        if self.inventory is None:
            return [_("Load the inventory first.")]
        if self.inventory.servers.empty:
            return [_("The inventory holds no server.")]
        if self.server_ids is not None and not self.server_ids:
            return [_("No server is selected. Select servers, or choose all of them.")]
        return []

    def _needs_eligibility(self) -> list[str]:
        if self.eligibility is None:
            return [_("Check eligibility first.")]
        if Step.ELIGIBILITY in self._stale:
            return [_("The inventory, the selection or the options changed: check eligibility again.")]
        if not self.eligibility.verdicts["verdict"].isin(["eligible", "warning"]).any():
            return [_("No server is eligible; the findings say why.")]
        return []

    def _needs_plan(self) -> list[str]:
        if self.run is not None:
            return [_("This plan was submitted; start a new plan for further servers.")]
        if self.plan is None:
            return [_("Plan the batches first.")]
        if Step.PLAN in self._stale:
            return [_("Something before the plan changed: plan again.")]
        return []

    def _needs_approval(self) -> list[str]:
        if self.run is not None:
            return [] if self.run.state != RunState.DONE else [_("This run is done.")]
        if missing := self._needs_plan():
            return missing
        if self.approval is None:
            return [_("Review the payloads and approve the plan first.")]
        return []

    # Edits: each withdraws what rests on it

    def _edited(self, first: Step) -> None:
        later = _ORDER[_ORDER.index(first) :]
        self._stale |= {step for step in later if self._is_done(step)}
        for step in later:
            self._failures.pop(step, None)
        if self.run is None:
            self.approval = None

    def _made(self, step: Step) -> None:
        self._stale.discard(step)
        self._failures.pop(step, None)
        following = _ORDER.index(step) + 1
        if following < len(_ORDER):
            self._edited(_ORDER[following])

    def set_inventory(self, inventory: Inventory) -> None:
        """Take a new inventory; the selection is kept for the servers that are still there."""
        self.inventory = inventory
        if self.server_ids is not None:
            known = set(inventory.servers["server_id"])
            self.server_ids = tuple(server for server in self.server_ids if server in known)
        self._made(Step.INVENTORY)
        self.changed()

    def choose_servers(self, server_ids: tuple[str, ...] | None) -> None:
        """Judge and plan these servers only; None means all."""
        if server_ids == self.server_ids:
            return
        self.server_ids = server_ids
        self._edited(Step.ELIGIBILITY)
        self.changed()

    def choose_group(self, group_id: str | None) -> None:
        """Judge against one protection group; None matches each server with the group it fits."""
        if group_id == self.group_id:
            return
        self.group_id = group_id
        self._edited(Step.ELIGIBILITY)
        self.changed()

    def choose_group_for(self, choice: Mapping[str, str]) -> None:
        """Choose a group for servers that several groups fit: ``{server_id: group_id}``, added to earlier choices."""
        self.group_choice |= dict(choice)
        self._edited(Step.ELIGIBILITY)
        self.changed()

    def set_options(self, **changes: Any) -> None:
        """Change what the requests share; unknown names are refused by ``BatchOptions``."""
        options = BatchOptions.model_validate(self.options.model_dump() | changes)
        if options == self.options:
            return
        self.options = options
        self._edited(Step.ELIGIBILITY)
        self.changed()

    def set_name_prefix(self, name_prefix: str) -> None:
        """Change the first part of the instances' names."""
        if name_prefix == self.name_prefix:
            return
        self.name_prefix = name_prefix
        self._edited(Step.PLAN)
        self.changed()

    # Steps that need no cloud

    def check(self) -> None:
        """Check eligibility of the chosen servers; a problem is kept as the step's failure."""
        assert self.inventory is not None  # noqa: S101 - blockers() said so
        inventory = self.inventory
        self._attempt(Step.ELIGIBILITY, lambda: self._checked(inventory))

    def _checked(self, inventory: Inventory) -> None:
        self.eligibility = check_eligibility(
            inventory,
            options=self.options,
            group_id=self.group_id,
            server_ids=self.server_ids,
            group_choice=self.group_choice or None,
        )

    def make_plan(self) -> None:
        """Plan the batches; a problem is kept as the step's failure."""
        assert self.eligibility is not None  # noqa: S101 - blockers() said so
        eligibility = self.eligibility
        self._attempt(Step.PLAN, lambda: self._planned(eligibility))

    def _planned(self, eligibility: Eligibility) -> None:
        self.plan = plan_batches(eligibility, name_prefix=self.name_prefix)

    def _attempt(self, step: Step, work: Callable[[], None]) -> None:
        try:
            work()
        except SdrsError as error:
            self.fail(step, str(error))
        else:
            self._made(step)
            self.changed()

    # Approval

    @property
    def planned_servers(self) -> int:
        """How many servers the plan would create instances for."""
        return sum(len(batch.server_ids) for batch in self.plan.batches) if self.plan else 0

    def approve(self, typed: str, who: str = "") -> str | None:
        """Approve the plan at hand if ``typed`` is the number of its servers; returns what is wrong, or None."""
        if missing := self.blockers(Step.APPROVE):
            return missing[0]
        assert self.plan is not None  # noqa: S101 - blockers() said so
        if typed.strip() != str(self.planned_servers):
            return _("Type the number of servers in this plan to approve it.")
        self.approval = Approval(fingerprint=self.plan.fingerprint, who=who)
        self.changed()
        return None

    def withdraw(self) -> None:
        """Withdraw the approval."""
        self.approval = None
        self.changed()

    # Steps that talk to the cloud are run by the panels' background work; this is what they report.

    def begin(self, step: Step) -> None:
        """Note that a step that talks to the cloud has started."""
        self._failures.pop(step, None)
        self._running = step
        self.changed()

    def end(self, step: Step) -> None:
        """Note that the step that was running has ended well."""
        if self._running == step:
            self._running = None
        self._failures.pop(step, None)
        self._stale.discard(step)
        self.changed()

    def fail(self, step: Step, message: str) -> None:
        """Note that the step could not be done; ``message`` is shown in its panel until it is tried again."""
        if self._running == step:
            self._running = None
        self._failures[step] = message
        self.changed()

    def failure(self, step: Step) -> str:
        """Return why the step failed, or an empty string."""
        return self._failures.get(step, "")

    def set_run(self, run: Run) -> None:
        """Take the run that this workbench submitted, or one that was opened again."""
        self.run = run
        self.plan = run.plan
        self.approval = run.approval
        self._stale -= {Step.PLAN, Step.APPROVE, Step.SUBMIT}
        self.changed()

    def set_outcome(self, outcome: pd.DataFrame) -> None:
        """Take the outcome that was verified."""
        self.outcome = outcome
        self._made(Step.OUTCOME)
        self.changed()

    def start_over(self) -> None:
        """Keep inventory and choices, and go for a new plan after a run."""
        self.run = self.plan = self.outcome = self.approval = None
        self._stale -= {Step.PLAN, Step.APPROVE, Step.SUBMIT, Step.OUTCOME}
        self._edited(Step.ELIGIBILITY)
        self.changed()
