"""What a workbench knows and which step may go on: plain Python, no ipywidgets, testable without a browser.

Seven steps, each in one state.  What holds a step back is a list of sentences; an edit marks the later steps stale
and withdraws the approval.  Panels read this object and call its methods; they decide nothing themselves.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import pandas as pd

from sdrs_nb.cloud import Cloud
from sdrs_nb.doctor.findings import Diagnosis
from sdrs_nb.eligibility.eligibility import Eligibility, check_eligibility
from sdrs_nb.errors import SdrsError
from sdrs_nb.i18n import _
from sdrs_nb.inventory.inventory import Inventory
from sdrs_nb.inventory.select import Selection, select
from sdrs_nb.ledger.run_states import RunState
from sdrs_nb.models import Approval, BatchOptions, Pace
from sdrs_nb.planning.approvals import approve, signers
from sdrs_nb.planning.overrides import flavors_on_offer, override_problems
from sdrs_nb.planning.planning import Plan, plan_batches
from sdrs_nb.rulebook import Rulebook, Site, choose_rulebook, read_rulebook, rulebook_reason, site_of
from sdrs_nb.running.pilot import is_first_contact
from sdrs_nb.running.runs import Run
from sdrs_nb.statuses import Stage
from sdrs_nb.widgets.heading_choices import HeadingChoices
from sdrs_nb.widgets.holding import Holding
from sdrs_nb.widgets.overrides import Override, override_rows, values_for, with_override
from sdrs_nb.widgets.steps import Step, StepState

__all__ = ["Step", "StepState", "WorkbenchState"]


class WorkbenchState(Holding):
    """One job on its way from inventory to outcome.

    Parameters
    ----------
    cloud
        From ``connect``; None until there is one.

    Attributes
    ----------
    access
        What ``check_access`` found of the cloud; None before.
    diagnosis
        What ``doctor`` found of the cloud; None before.
    inventory, eligibility, plan, run, outcome
        Results of the steps; None until there is one.  A stale result stays readable until it is made anew.
    server_ids
        Servers to judge and plan; None means every server of the inventory.  A filter selects, it never forgets:
        the others still count as facts.
    asked_rulebook, group_id, group_choice, options, overrides, name_prefix, wave_limit, approvals_needed, pace
        What the operator asked for.
    selection
        What the last list or expression selected, with what it left open; None where rows were selected since.
    headings
        Headings of the file that was read last, and what was said of them.
    imposed
        How often the selection was changed other than by selecting rows, which the grid then follows.
    pilot
        Whether one batch is to be sent first; None: nobody said, see ``wants_pilot``.
    last_plan
        The plan before the one at hand, to compare with; None while there was none.
    """

    def __init__(self, cloud: Cloud | None = None) -> None:
        super().__init__()
        self._unlisten: Callable[[], None] = lambda: None
        self._talk_to(cloud)
        self.access: pd.DataFrame | None = None
        self.diagnosis: Diagnosis | None = None
        self.last_plan: Plan | None = None
        self.imposed = 0
        self.selection: Selection | None = None
        self.headings = HeadingChoices()
        self.asked_rulebook: Rulebook | None = None
        self.group_id: str | None = None
        self.group_choice: dict[str, str] = {}
        self.options = BatchOptions()
        self.overrides: tuple[Override, ...] = ()
        self.name_prefix = "dr"
        self.wave_limit: int | None = None
        self.approvals_needed = 1
        self.pace = Pace()
        self.pilot: bool | None = None
        self.approval: Approval | None = None

    @property
    def group_names(self) -> dict[str, str]:
        """Names of protection groups by id, as the inventory has them."""
        if self.inventory is None:
            return {}
        groups = self.inventory.groups
        return {
            group: name for group, name in groups[["group_id", "name"]].to_numpy().tolist() if isinstance(name, str)
        }

    @property
    def server_names(self) -> dict[str, str]:
        """Names of servers by id, as the inventory has them."""
        if self.inventory is None:
            return {}
        servers = self.inventory.servers
        return {
            server: name for server, name in servers[["server_id", "name"]].to_numpy().tolist() if isinstance(name, str)
        }

    # What may go on

    def _is_done(self, step: Step) -> bool:  # noqa: PLR0911 - one answer a step
        match step:
            case Step.CONNECT:
                return self.access is not None or self.inventory is not None
            case Step.INVENTORY:
                return self.inventory is not None
            case Step.ELIGIBILITY:
                return self.eligibility is not None
            case Step.PLAN:
                return self.plan is not None
            case Step.APPROVE:
                return self.is_approved
            case Step.SUBMIT:
                return self.run is not None and self.run.state == RunState.DONE
            case Step.OUTCOME:
                return self.outcome is not None

    @property
    def rulebook(self) -> Rulebook:
        """The rules to judge by: those chosen, else those of the site at hand."""
        return choose_rulebook(self.asked_rulebook, self.site.rulebook)

    @property
    def site(self) -> Site:
        """The cloud that the inventory is of; where it does not say, or before there is one, the cloud talked to."""
        here = site_of([]) if self.cloud is None else self.cloud.settings.site
        return here if self.inventory is None else self.inventory.about.seen_from(here).site

    @property
    def rulebook_reason(self) -> str:
        """Which rules are used and why, in a sentence."""
        return rulebook_reason(self.rulebook, self.site)

    @property
    def is_approved(self) -> bool:
        """Whether as many persons approved the plan as it needs."""
        return (
            self.plan is not None
            and self.approval is not None
            and len(signers(self.approval)) >= self.plan.approvals_needed
        )

    @property
    def wants_pilot(self) -> bool:
        """Whether one batch is sent first: as the operator said, else on the first contact with a live project."""
        if self.pilot is not None or self.plan is None or self.cloud is None:
            return bool(self.pilot)
        return is_first_contact(self.cloud, self.plan)

    # Edits: each withdraws what rests on it

    def _edited(self, first: Step) -> None:
        super()._edited(first)
        if self.run is None:
            self.approval = None

    def connect(self, cloud: Cloud) -> None:
        """Talk to this cloud from now on; what was loaded from another one is out of date, what a file said is not."""
        other = self.cloud is not None and self.cloud is not cloud
        rules = self.rulebook
        self.access = self.diagnosis = None
        self._talk_to(cloud)
        self._failures.pop(Step.CONNECT, None)
        if other:
            self._edited(Step.INVENTORY)
        elif self.rulebook is not rules:
            self._edited(Step.ELIGIBILITY)
        self.changed()

    def _talk_to(self, cloud: Cloud | None) -> None:
        self._unlisten()
        self.cloud, self.wait = cloud, None
        if cloud is not None:
            self._unlisten = cloud.on_wait(self._on_wait)

    def set_access(self, access: pd.DataFrame) -> None:
        """Take what the credentials may do."""
        self.access = access
        self.changed()

    def set_diagnosis(self, diagnosis: Diagnosis) -> None:
        """Take whether this tool fits this cloud."""
        self.diagnosis = diagnosis
        self.changed()

    def set_inventory(self, inventory: Inventory) -> None:
        """Take a new inventory; the selection is kept for the servers that are still there."""
        self.inventory, self.selection = inventory, None
        if self.server_ids is not None:
            known = set(inventory.servers["server_id"])
            self.server_ids = tuple(server for server in self.server_ids if server in known)
        self._made(Step.INVENTORY)
        self.changed()

    def declare(self, facts: Mapping[str, object]) -> None:
        """Take facts for true that could not be read, in the name of this machine's user; see ``Inventory.assume``."""
        inventory = self.inventory
        if inventory is not None:
            self._attempt(Step.INVENTORY, lambda: self.set_inventory(inventory.assume(facts)))

    def choose_servers(self, server_ids: tuple[str, ...] | None) -> None:
        """Judge and plan these servers only; None means all."""
        if server_ids == self.server_ids:
            return
        self.server_ids = server_ids
        if self.selection is not None and set(server_ids or ()) != set(self.selection.server_ids):
            self.selection = None
        self._edited(Step.ELIGIBILITY)
        self.changed()

    def select_from(self, given: str | bytes, *, name: str | None = None) -> None:
        """Judge and plan the servers that a list or an expression names; what is open of it stays in ``selection``.

        A list that names nobody changes nothing else.  Raises ``InventoryError`` where it cannot be read.
        """
        assert self.inventory is not None  # noqa: S101 - the list is offered beside the inventory
        self.selection = select(self.inventory, given, name=name)
        if self.selection.server_ids:
            self.imposed += 1
            self.choose_servers(self.selection.server_ids)
        self.changed()

    def add_servers(self, server_ids: Collection[str]) -> None:
        """Judge and plan these servers too; nothing changes while all are judged."""
        if self.server_ids is not None:
            self.imposed += 1
            self.choose_servers(tuple(dict.fromkeys([*self.server_ids, *server_ids])))

    def leave_out(self, server_ids: Collection[str]) -> None:
        """Judge and plan everybody chosen so far but these servers."""
        gone = set(server_ids)
        chosen = self.server_ids
        if chosen is None and self.inventory is not None:
            chosen = tuple(self.inventory.servers["server_id"])
        self.imposed += 1
        self.choose_servers(tuple(server for server in chosen or () if server not in gone))

    def choose_rules(self, name: str) -> None:
        """Judge by the rule book of this name; an empty one means that of the site at hand."""
        asked = read_rulebook(name) if name else None
        if asked is self.asked_rulebook:
            return
        self.asked_rulebook = asked
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

    def set_override(self, added: Override) -> str:
        """Have one field otherwise for a group or some servers; returns what is wrong with it, or an empty string."""
        if not added.group_id and not added.server_ids:
            return _("Choose a protection group, or select servers below.")
        known = flavors_on_offer(self.inventory) if self.inventory is not None else []
        wrong = override_problems(values_for(self.overrides, added), self.options, known, self.rulebook)
        if added.field in wrong:
            return wrong[added.field]
        self._override(with_override(self.overrides, added))
        return ""

    def remove_override(self, override: Override) -> None:
        """Have what all requests share count again where ``override`` said otherwise."""
        self._override(tuple(one for one in self.overrides if one != override))

    def _override(self, overrides: tuple[Override, ...]) -> None:
        if set(overrides) == set(self.overrides):
            return
        self.overrides = overrides
        self._edited(Step.PLAN)
        self.changed()

    def set_planning(
        self, *, name_prefix: str | None = None, wave_limit: int | None = None, approvals_needed: int | None = None
    ) -> None:
        """Change how batches are planned; None leaves as it is, a ``wave_limit`` of 0 means one wave."""
        wanted = (
            self.name_prefix if name_prefix is None else name_prefix,
            self.wave_limit if wave_limit is None else wave_limit or None,
            self.approvals_needed if approvals_needed is None else approvals_needed,
        )
        if wanted == (self.name_prefix, self.wave_limit, self.approvals_needed):
            return
        self.name_prefix, self.wave_limit, self.approvals_needed = wanted
        self._edited(Step.PLAN)
        self.changed()

    def set_pace(self, **changes: Any) -> None:
        """Change how fast the next run goes and how long it waits; the plan and its approval stay as they are."""
        self.pace = Pace(**self.pace.model_dump() | changes)
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
            rulebook=self.rulebook,
        )

    def make_plan(self) -> None:
        """Plan the batches; a problem is kept as the step's failure."""
        assert self.eligibility is not None  # noqa: S101 - blockers() said so
        eligibility = self.eligibility
        self._attempt(Step.PLAN, lambda: self._planned(eligibility))

    def _planned(self, eligibility: Eligibility) -> None:
        made = plan_batches(
            eligibility,
            name_prefix=self.name_prefix,
            overrides=override_rows(self.overrides) or None,
            wave_limit=self.wave_limit,
            approvals_needed=self.approvals_needed,
            selection=self.selection,
        )
        if self.plan is not None and self.plan.fingerprint != made.fingerprint:
            self.last_plan = self.plan
        self.plan = made

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
        try:
            self.approval = (
                approve(self.plan, who, after=self.approval) if who else Approval(fingerprint=self.plan.fingerprint)
            )
        except SdrsError as error:
            return str(error)
        self._stale.discard(Step.APPROVE)
        self.changed()
        return None

    def withdraw(self) -> None:
        """Withdraw the approval."""
        self.approval = None
        self.changed()

    def set_run(self, run: Run) -> None:
        """Take the run that this workbench submitted, or one that was opened again."""
        self.run = run
        self.plan = run.plan
        self.approval = run.approval
        if run.plan.rulebook is not self.rulebook:  # a new plan after it goes by the same rules
            self.asked_rulebook = run.plan.rulebook
        self._stale -= {Step.PLAN, Step.APPROVE, Step.SUBMIT}
        self.changed()

    def set_outcome(self, outcome: pd.DataFrame) -> None:
        """Take the outcome that was verified."""
        self.outcome = outcome
        self._made(Step.OUTCOME)
        self.changed()

    def start_over(self, server_ids: Collection[str] | None = None) -> None:
        """Go for a new plan after a run: of ``server_ids`` where given, else with the choices as they are.

        The inventory is from before the run, so it is to be loaded again.
        """
        self.last_plan = self.plan
        self.run = self.plan = self.outcome = self.approval = self.pilot = None
        if server_ids is not None:
            self.server_ids = tuple(server_ids)
            self.imposed += 1
        self._stale -= {Step.PLAN, Step.APPROVE, Step.SUBMIT, Step.OUTCOME}
        self._edited(Step.INVENTORY)
        self.changed()

    @property
    def to_retry(self) -> tuple[str, ...]:
        """Servers of the run that a new plan may name: those that failed, and those that will not be sent."""
        if self.run is None or self.run.state == RunState.RUNNING:
            return ()
        servers = self.run.servers
        failed = servers.loc[servers["stage"] == Stage.FAILED, "server_id"]
        return tuple(dict.fromkeys([*failed, *self.run.remainder["server_id"]]))
