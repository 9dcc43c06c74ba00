"""What a run made, by its own record, beside what a fresh inventory shows of it."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from sdrs_nb.errors import PlanError
from sdrs_nb.i18n import _
from sdrs_nb.ledger.run_states import BatchState
from sdrs_nb.planning.columns import is_in, objects
from sdrs_nb.planning.left_out import Reason
from sdrs_nb.running.ownership import Instance, Ownership, OwnershipEvidence
from sdrs_nb.running.scopes import mismatch
from sdrs_nb.tables import LEFT_OUT, shape

if TYPE_CHECKING:
    from sdrs_nb.inventory.inventory import Inventory
    from sdrs_nb.running.runs import Run

__all__ = ["Made", "each_made", "left_out_of", "made_by", "refuse_unfit"]


class Made(NamedTuple):
    """One server of a run; see ``made_by``."""

    server_id: str
    name: str | None
    group_id: str
    batch_id: str
    recorded: str | None
    is_open: bool
    whose: str | None
    proof: str | None
    protected_instance_id: str | None
    status: str | None
    dr_server_id: str | None


def each_made(made: pd.DataFrame) -> Iterator[Made]:
    """Return the rows of ``made_by`` one by one, missing values as None."""
    plain = made[list(Made._fields)].astype(object)
    yield from map(Made._make, plain.where(plain.notna(), None).itertuples(index=False, name=None))


def refuse_unfit(run: "Run", inventory: "Inventory") -> None:
    """Refuse a run that deleted instances, and an inventory of another project or from before the run.

    Raises
    ------
    PlanError
        With what to do in its place.
    """
    if run.plan.is_deletion:
        raise PlanError(
            _(
                "Run {run} deleted what run {undone} had made, so it made nothing itself. Give run {undone}.",
                run=run.run_id,
                undone=run.plan.undoes,
            )
        )
    about = inventory.about
    if (found := mismatch(run.scope, about.project_id, about.region, about.world)) is not None:
        what, ours, theirs = found
        raise PlanError(
            _(
                "Run {run} belongs to {what} {ours}, but this inventory is of {what} {theirs}. Load the inventory "
                "of the run's own project.",
                run=run.run_id,
                what=what,
                ours=ours or "-",
                theirs=theirs,
            )
        )
    missing = [name for name in ("protected_instances", "replication_pairs") if not inventory.is_loaded(name)]
    if missing:
        raise PlanError(
            _(
                "The inventory does not hold all {frames}, so what run {run} made cannot be told. Load the inventory "
                "from the cloud.",
                frames=", ".join(missing),
                run=run.run_id,
            )
        )


def _owners(run: "Run", instances: pd.DataFrame) -> list[Ownership]:
    """Return whose each instance is, in the order of the rows."""
    evidence = OwnershipEvidence.of(run)
    columns = (objects(instances[name]) for name in ("server_id", "protected_instance_id"))
    names, moments = objects(instances["name"].fillna("")), instances["created_at"]
    return [
        evidence.whose(str(server), Instance(str(one), str(name), None if pd.isna(at) else at.to_pydatetime()))
        for server, one, name, at in zip(*columns, names, moments, strict=True)
    ]


def made_by(run: "Run", inventory: "Inventory") -> pd.DataFrame:
    """Return one row a server of the run, in sending order.

    Columns: ``server_id, name, group_id, batch_id, is_open`` (the run has not finished its batch), ``recorded`` (the
    instance that the run's record names; NA: none), ``protected_instance_id, status, dr_server_id`` (of the instance
    that the server has now; NA: none), ``whose, proof`` (of that instance, by ``ownership``; NA: there is none).
    """
    servers = run.servers[["server_id", "name", "group_id", "batch_id", "protected_instance_id"]]
    batches = run.batches
    open_batches = {
        batch_id
        for batch_id, state in zip(batches["batch_id"], batches["state"], strict=True)
        if not BatchState(str(state)).is_final
    }
    instances = inventory.protected_instances.rename(
        columns={"source_server_id": "server_id", "target_server_id": "dr_server_id"}
    )[["server_id", "protected_instance_id", "name", "created_at", "status", "dr_server_id"]]
    instances = instances[is_in(instances["server_id"], {*objects(servers["server_id"])})].drop_duplicates("server_id")
    owners = _owners(run, instances)
    instances = instances.drop(columns=["name", "created_at"]).assign(
        whose=pd.Series([one.whose.value for one in owners], index=instances.index, dtype="string"),
        proof=pd.Series([one.proof for one in owners], index=instances.index, dtype="string"),
    )
    known = servers.rename(columns={"protected_instance_id": "recorded"}).assign(
        is_open=is_in(servers["batch_id"], open_batches)
    )
    return known.merge(instances, on="server_id", how="left")


def left_out_of(made: pd.DataFrame, reasons: Mapping[str, Reason]) -> pd.DataFrame:
    """Return a row of ``tables.LEFT_OUT`` for every row of ``made_by`` whose server has a reason."""
    rows = made.loc[is_in(made["server_id"], reasons), ["server_id", "name", "group_id"]]
    said = [reasons[server] for server in objects(rows["server_id"])]
    return shape(rows.assign(reason=[reason for reason, _rules in said], rules=[rules for _, rules in said]), LEFT_OUT)
