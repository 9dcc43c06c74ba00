"""What is left of a run: clear failed instances away, then protect the servers that are not protected yet.

A creation that failed leaves its instance in status ``error``, and that instance still holds its server (SDRS.1305).
So the remainder has two plans, each with its own fingerprint and approval: first the deletion of failed instances,
then the creation.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from sdrs_nb.aftercare.deletions import Choice, deletion_plan, whole_only
from sdrs_nb.aftercare.made import each_made, left_out_of, made_by, refuse_unfit
from sdrs_nb.asked import checked
from sdrs_nb.eligibility.eligibility import check_eligibility
from sdrs_nb.errors import NothingEligibleError
from sdrs_nb.i18n import _
from sdrs_nb.inventory.inventory import Inventory
from sdrs_nb.planning.columns import is_in, objects
from sdrs_nb.planning.left_out import Reason, label
from sdrs_nb.planning.planning import plan_batches
from sdrs_nb.planning.plans import Plan
from sdrs_nb.planning.selection import select
from sdrs_nb.rulebook import Rulebook, choose_rulebook
from sdrs_nb.running.ownership import Whose
from sdrs_nb.statuses import FAILED_CREATION, is_unusable
from sdrs_nb.tables import INVENTORY_TABLES, LEFT_OUT, shape

if TYPE_CHECKING:
    from sdrs_nb.eligibility.eligibility import Eligibility
    from sdrs_nb.models import Batch
    from sdrs_nb.running.runs import Run

__all__ = ["Remainder", "plan_remainder"]

_SHARED = ("cluster_id", "primary_subnet_id", "tenancy", "dedicated_host_id", "description")


@dataclass(frozen=True, eq=False, repr=False)
class Remainder:
    """What is left of a run; made by ``plan_remainder``.

    Parameters
    ----------
    run_id
        The run.
    deletion
        Deletes failed instances; to be submitted and followed first.  None where there is none.
    creation
        Protects what is not protected yet; to be submitted when the deletion has ended.  None where nothing can be.
    protected
        How many servers of the run are protected already.
    """

    run_id: str
    deletion: Plan | None
    creation: Plan | None
    protected: int
    _left_out: pd.DataFrame

    @property
    def left_out(self) -> pd.DataFrame:
        """Every server of the run that is not protected and not planned, with the reason (``tables.LEFT_OUT``)."""
        return self._left_out.copy()

    def __repr__(self) -> str:
        plans = [repr(plan) for plan in (self.deletion, self.creation) if plan is not None]
        head = _(
            "Remainder of run {run}: {protected} protected, {planned} to protect, {left_out} left out",
            run=self.run_id,
            protected=self.protected,
            planned=0 if self.creation is None else sum(len(each.server_ids) for each in self.creation.batches),
            left_out=len(self._left_out),
        )
        return "\n".join([head, *plans])


@checked
def plan_remainder(
    run: "Run",
    inventory: Inventory,
    *,
    name_prefix: str | None = None,
    name_template: str | None = None,
    delete_target_server: bool = False,
    rulebook: Rulebook | str | None = None,
) -> Remainder:
    """Return the plans for what ``run`` has not brought to its end.

    Only servers of the run without a usable instance are planned, in the groups and with the settings of the run's
    own plan.  Instances that the run made and whose creation failed are deleted first.  A server tied by a shared
    volume to one that is protected already is left out; its reason names the three ways out (rule H5).

    Parameters
    ----------
    run
        From ``open_run``; its record is read, not the cloud.
    inventory
        Read after the run, of the same project.
    name_prefix, name_template
        As in ``plan_batches``; by default the prefix of the run's plan, with numbers that are free.
    delete_target_server
        Whether DR servers that failed instances have left are deleted with them.
    rulebook
        By default the run's own, changed limits included.  A name as in ``check_eligibility`` will do.

    Raises
    ------
    PlanError
        The run was an undo, or the inventory is of another project or holds no instances.
    LedgerError
        The run's record cannot be read.
    SettingsError
        There is no rule book of that name.

    Notes
    -----
    Pure over the run's record and the inventory: no network; reads the ledger file.
    """
    refuse_unfit(run, inventory)
    book = choose_rulebook(rulebook, run.plan.rulebook)
    choice = Choice(
        run_id=run.run_id,
        rulebook=book,
        delete_target_server=delete_target_server,
        approvals_needed=run.plan.approvals_needed,
    )
    made = made_by(run, inventory)
    missing = made[made["status"].isna() | made["status"].fillna("").map(is_unusable).astype(bool)]
    reasons: dict[str, Reason] = {
        row.server_id: (
            _(
                "Batch {batch} with server {server} has not ended in run {run}. Resume the run, or release what it has "
                "not sent, then plan the remainder.",
                batch=row.batch_id,
                server=label(row.server_id, row.name),
                run=run.run_id,
            ),
            "",
        )
        for row in each_made(missing)
        if row.is_open
    }
    is_ours = missing["whose"].eq(Whose.MADE.value).fillna(value=False)
    failed = missing[
        is_in(missing["status"].fillna(""), FAILED_CREATION) & is_ours & ~is_in(missing["server_id"], reasons)
    ]
    failed = whole_only(failed, inventory, choice, reasons)
    asked = missing[~is_in(missing["server_id"], reasons)]
    wanted = _Wanted(book, run.plan.name_prefix if name_prefix is None else name_prefix, name_template)
    creation, unplanned = _creation(run.plan, asked, _cleared(inventory, failed), wanted)
    if creation is not None and rulebook is None and run.plan.rulebook_note:
        creation = replace(creation, notes=(*creation.notes, run.plan.rulebook_note))
    left_out = pd.concat([left_out_of(missing, reasons), _with_failed(unplanned, failed)], ignore_index=True)
    planned = set() if creation is None else {each for batch in creation.batches for each in batch.server_ids}
    failed = failed[is_in(failed["server_id"], planned)]
    note = _(
        "Submit this plan first and follow it to its end: {count} failed instances still hold their servers.",
        count=len(failed),
    )
    deletion = None if failed.empty else deletion_plan(failed, inventory, choice, [note])
    return Remainder(run.run_id, deletion, creation, len(made) - len(missing), shape(left_out, LEFT_OUT))


def _cleared(inventory: Inventory, failed: pd.DataFrame) -> Inventory:
    """Return the inventory as it will be when the failed instances are gone."""
    frames = {name: inventory.frame(name) for name in INVENTORY_TABLES}
    gone = {*objects(failed["protected_instance_id"])}
    instances, pairs = frames["protected_instances"], frames["replication_pairs"]
    frames["protected_instances"] = instances[~is_in(instances["protected_instance_id"], gone)]
    hangs_on = [{*ids.split(",")} for ids in objects(pairs["protected_instance_ids"].fillna(""))]
    frames["replication_pairs"] = pairs[[not (ids <= gone) for ids in hangs_on]]
    return Inventory(frames, inventory.sources, inventory.about)


class _Wanted(NamedTuple):
    """How the creation is to be planned."""

    rulebook: Rulebook
    name_prefix: str
    name_template: str | None


def _creation(
    plan: Plan, asked: pd.DataFrame, inventory: Inventory, wanted: _Wanted
) -> tuple[Plan | None, pd.DataFrame]:
    """Return the plan that protects these servers, and those that it leaves out with their reasons."""
    if asked.empty:
        return None, shape(pd.DataFrame(), LEFT_OUT)
    server_ids = [str(each) for each in objects(asked["server_id"])]
    eligibility = check_eligibility(
        inventory,
        options=plan.options,
        server_ids=server_ids,
        group_choice=dict(zip(server_ids, objects(asked["group_id"]), strict=True)),
        rulebook=wanted.rulebook,
    )
    try:
        creation = plan_batches(
            eligibility,
            name_prefix=wanted.name_prefix,
            name_template=wanted.name_template,
            overrides=[row for batch in plan.batches for row in _as_before(batch, plan, set(server_ids))],
            known_flavors={flavor for batch in plan.batches for flavor in batch.flavors.values()},
            approvals_needed=plan.approvals_needed,
        )
    except NothingEligibleError:
        alone = not wanted.rulebook.limit("batch_create")
        selected = select(eligibility, plan.options.batch_limit, alone=alone)
        return None, _with_ways_out(selected.left_out.frame, eligibility)
    return creation, _with_ways_out(creation.left_out, eligibility)


def _as_before(batch: "Batch", plan: Plan, server_ids: Collection[str]) -> Iterator[dict[str, Any]]:
    """Return override rows that give these servers of ``batch`` what its request shared."""
    options = plan.options
    own: dict[str, Any] = {
        name: getattr(batch, name) or "" for name in _SHARED if getattr(batch, name) != (getattr(options, name) or None)
    }
    if batch.tags != (options.tags or ()):
        own["tags"] = batch.tags
    if batch.wave > 1:
        own["wave"] = batch.wave
    for server_id in batch.server_ids:
        row = own | ({"flavor_id": batch.flavors[server_id]} if server_id in batch.flavors else {})
        if server_id in server_ids and row:
            yield {"server_id": server_id, **row}


def _with_ways_out(left_out: pd.DataFrame, eligibility: "Eligibility") -> pd.DataFrame:
    """Return the rows with the three ways out behind the reason of each that a protected companion keeps out (H5)."""
    tied = left_out["rules"].fillna("").str.split(", ").map(lambda rules: "H5" in rules)
    if not tied.any():
        return left_out
    findings = eligibility.findings
    mine = findings[findings["rule"] == "H5"].drop_duplicates("server_id")
    said = dict(zip(mine["server_id"], mine["message"] + " " + mine["remedy"], strict=True))
    reasons = [
        said.get(server_id, reason) if is_tied else reason
        for server_id, reason, is_tied in zip(left_out["server_id"], left_out["reason"], tied, strict=True)
    ]
    return left_out.assign(reason=reasons)


def _with_failed(left_out: pd.DataFrame, failed: pd.DataFrame) -> pd.DataFrame:
    """Return the rows; a failed instance that stays since its server is left out is named in the reason."""
    instance_of = dict(zip(failed["server_id"], failed["protected_instance_id"], strict=True))
    reasons = [
        f"{reason} {_('Its failed instance {instance} stays for now.', instance=instance_of[server_id])}"
        if server_id in instance_of
        else reason
        for server_id, reason in zip(left_out["server_id"], left_out["reason"], strict=True)
    ]
    return left_out.assign(reason=reasons)
