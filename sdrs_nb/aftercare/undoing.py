"""Take back what a run made: delete its protected instances, and only those.

Nothing is deleted here.  The result is a plan like any other, to be reviewed, approved under its own fingerprint and
submitted.  Production servers are never deleted, whatever is chosen.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING, Literal

import pandas as pd

from sdrs_nb.aftercare.deletions import Choice, deletion_plan, shared_notes, whole_only
from sdrs_nb.aftercare.made import Made, each_made, left_out_of, made_by, refuse_unfit
from sdrs_nb.asked import checked
from sdrs_nb.errors import NothingEligibleError, PlanError
from sdrs_nb.i18n import _, ngettext_
from sdrs_nb.planning.columns import is_in, objects
from sdrs_nb.planning.left_out import Reason, label
from sdrs_nb.planning.plans import Plan
from sdrs_nb.rulebook import Rulebook, choose_rulebook
from sdrs_nb.running.ownership import Whose
from sdrs_nb.statuses import DELETABLE

if TYPE_CHECKING:
    from sdrs_nb.inventory.inventory import Inventory
    from sdrs_nb.running.runs import Run

__all__ = ["plan_undo"]


@checked
def plan_undo(
    run: "Run",
    inventory: "Inventory",
    *,
    keep: Collection[str] = (),
    adopted: bool | Collection[str] = False,
    delete_target_server: bool = False,
    delete_target_eip: bool = False,
    shared_pairs: Literal["together", "detach first"] = "together",
    rulebook: Rulebook | str | None = None,
    approvals_needed: int | None = None,
) -> Plan:
    """Return the plan that deletes the protected instances that ``run`` made; nothing else is touched.

    An instance counts as made by the run only when a job of one of the run's accepted requests names it (module
    ``running.ownership``).  One that was only adopted stays, with the evidence in ``left_out``, unless it is asked for.
    Instances with a shared replication pair go in one request or not at all.

    Parameters
    ----------
    run
        From ``open_run``; its record is read, not the cloud.
    inventory
        Read after the run, of the same project.
    keep
        Ids of servers that stay protected.
    adopted
        Take in what the run only adopted, all of it or for these ids of servers: the answer was lost, and the name and
        the time of creation say that the instance is the run's.
    delete_target_server
        Also delete the DR servers with their DR volumes, for good.  Left off they stay as ordinary servers and are
        billed; ``plan.billed`` shows what stays after each choice.
    delete_target_eip
        With ``delete_target_server``: also release the EIPs bound to the DR servers.
    shared_pairs
        What to do with instances that share a replication pair, where the documents contradict each other: the
        batch-delete page asks to detach shared pairs first, its code SDRS.1409 to delete all instances of a pair
        together (rule H17, ASSUMED: shared_pair_deletion).  ``"detach first"`` leaves them out until the pairs are
        detached.
    rulebook
        By default the run's own, changed limits included; its limit ``batch_delete_size`` (20) is held.  A name as
        in ``check_eligibility`` will do.
    approvals_needed
        By default as many as the run's plan needed.

    Returns
    -------
    Plan
        Its ``left_out`` says of every other server of the run why nothing is deleted for it.

    Raises
    ------
    NothingEligibleError
        No instance of the run can be deleted; the most frequent reasons are named.
    PlanError
        The run was itself an undo, the inventory is of another cloud or holds no instances, or ``keep`` or
        ``adopted`` names a server that is not in the run.
    LedgerError
        The run's record cannot be read.
    SettingsError
        There is no rule book of that name.

    Notes
    -----
    Pure over the run's record and the inventory: no network; reads the ledger file.
    """
    refuse_unfit(run, inventory)
    choice = Choice(
        run_id=run.run_id,
        rulebook=choose_rulebook(rulebook, run.plan.rulebook),
        delete_target_server=delete_target_server,
        delete_target_eip=delete_target_eip,
        approvals_needed=run.plan.approvals_needed if approvals_needed is None else approvals_needed,
        shared_pairs=shared_pairs,
    )
    made = made_by(run, inventory)
    for name, named in (("keep", keep), ("adopted", () if isinstance(adopted, bool) else adopted)):
        _refuse_strangers(run, made, name, named)
    taken_in = {*objects(made["server_id"])} if adopted is True else set(adopted or ())
    reasons: dict[str, Reason] = {
        row.server_id: (said, "")
        for row in each_made(made)
        if (said := _reason(row, run.run_id, keep, taken_in)) is not None
    }
    reasons |= _kept_by_billing(made[~is_in(made["server_id"], reasons)], inventory, choice)
    chosen = whole_only(made[~is_in(made["server_id"], reasons)], inventory, choice, reasons)
    left_out = left_out_of(made, reasons)
    if chosen.empty:
        raise NothingEligibleError(
            ngettext_(
                "Nothing of run {run} can be deleted ({count} server). {reason}",
                "Nothing of run {run} can be deleted ({count} servers). The first reason: {reason}",
                len(left_out),
                run=run.run_id,
                reason="".join(left_out["reason"].head(1)),
            )
        )
    notes = [_("Production servers and their volumes stay untouched."), *shared_notes(chosen)]
    if delete_target_eip and not delete_target_server:
        said = _("delete_target_eip changes nothing without delete_target_server: DR servers and their EIPs stay.")
        notes.insert(1, said)
    if rulebook is None and run.plan.rulebook_note:
        notes.append(run.plan.rulebook_note)
    return deletion_plan(chosen, inventory, choice, notes, left_out)


def _refuse_strangers(run: "Run", made: pd.DataFrame, name: str, chosen: Collection[str]) -> None:
    if isinstance(chosen, str):
        raise PlanError(
            _("{name} takes a list of server ids, not one text. Write {name}=[{server!r}].", name=name, server=chosen)
        )
    if strangers := sorted(set(chosen) - set(objects(made["server_id"]))):
        raise PlanError(
            _(
                "{name} names server {server}, but run {run} has no such server. Correct its id or take it out.",
                name=name,
                server=strangers[0],
                run=run.run_id,
            )
        )


def _reason(row: Made, run_id: str, keep: Collection[str], adopted: Collection[str]) -> str | None:
    """Return why nothing is deleted for this server of the run, None where its instance may go."""
    who = label(row.server_id, row.name)
    if row.server_id in keep:
        return _("Server {server} stays protected, as was chosen.", server=who)
    if row.is_open:
        return _(
            "Batch {batch} with server {server} has not ended in run {run}. Resume the run, then plan the undo.",
            batch=row.batch_id,
            server=who,
            run=run_id,
        )
    if row.whose in (None, Whose.OTHERS):
        nothing = _("Run {run} made no instance for server {server}.", run=run_id, server=who)
        gone = _("Instance {instance}, which run {run} made for server {server}, is no longer there.",
                 instance=row.recorded, run=run_id, server=who)  # fmt: skip
        return nothing if row.recorded is None else gone
    if row.whose == Whose.ADOPTED and row.server_id not in adopted:
        return _(
            "The instance of server {server} was only adopted. {proof} It stays, unless the undo is planned with it "
            "(adopted).",
            server=who,
            proof=row.proof,
        )
    if row.status not in DELETABLE:
        return _(
            "Instance {instance} of server {server} is in status {status}, in which it cannot be deleted. Wait until "
            "that has ended, load the inventory and plan again.",
            instance=row.protected_instance_id,
            server=who,
            status=row.status,
        )
    return None


def _kept_by_billing(made: pd.DataFrame, inventory: "Inventory", choice: Choice) -> dict[str, Reason]:
    """Return the servers whose DR server the service would not delete, where its deletion was chosen."""
    if not choice.delete_target_server:
        return {}
    servers, groups = inventory.servers, inventory.groups
    prepaid = {*servers.loc[servers["billing"].eq("yearly/monthly").fillna(value=False), "server_id"]}
    switched = {*groups.loc[groups["priority_station"].eq("target").fillna(value=False), "group_id"]}
    reasons: dict[str, Reason] = {}
    for row in each_made(made):
        who = label(row.server_id, row.name)
        if row.dr_server_id in prepaid:
            said = _(
                "The DR server {double} of server {server} is billed by the year or month and cannot be deleted "
                "(SDRS.1354). Plan it without delete_target_server, then unsubscribe from the DR server.",
                double=row.dr_server_id,
                server=who,
            )
            reasons[row.server_id] = said, ""
        elif row.group_id in switched:
            said = _(
                "The group of server {server} runs switched over: DR server {double} works as production and cannot "
                "be deleted (SDRS.1330). Switch back first, or plan without delete_target_server.",
                double=row.dr_server_id,
                server=who,
            )
            reasons[row.server_id] = said, ""
    return reasons
