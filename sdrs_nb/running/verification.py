"""Planned versus found: what the cloud itself says of every server of a run."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from sdrs_nb.i18n import _
from sdrs_nb.models import Stage
from sdrs_nb.running.jobs import InstanceState, instance_state, match_instances
from sdrs_nb.running.runs import Run

if TYPE_CHECKING:
    from sdrs_nb.cloud import Cloud

__all__ = ["verify"]

_FOUND = {InstanceState.CREATED: Stage.CREATED, InstanceState.PROTECTED: Stage.PROTECTED}


async def verify(cloud: "Cloud", run: Run) -> pd.DataFrame:
    """Return one row a planned server with the stage that the cloud itself shows now.

    Reads the instances of each of the run's groups afresh and records in the ledger what differs from it.  A server
    counts as ``created`` or ``protected`` only when an instance with it as production server was found.

    Returns
    -------
    pandas.DataFrame
        Columns of ``tables.OUTCOME``: ``server_id, name, group_id, batch_id, job_id, stage, protected_instance_id,
        dr_server_id, error_code, message``; stage is ``not sent``, ``accepted``, ``job ok``, ``created`` (the
        instance exists, its group is not enabled, no data is copied yet), ``protected`` (its group is enabled),
        ``failed`` or ``unknown``.

    Raises
    ------
    CloudError, CloudUnreachable
        The lists cannot be read; nothing is recorded.
    LedgerError
        The ledger cannot be read or written.
    """
    servers = run.servers
    compared = _compared_deletion if any(batch.call.is_delete for batch in run.plan.batches) else _compared
    changed = []
    for group_id, planned in servers.groupby("group_id", sort=True):
        documents = await cloud.sdrs.protected_instances(str(group_id))
        found = match_instances(documents, planned["server_id"].tolist())
        changed += [
            row for before in planned.to_dict("records") if (row := compared(before, found.get(before["server_id"])))
        ]
    if changed:
        run.ledger.set_servers(run.run_id, None, changed)
    return run.servers


def _compared_deletion(before: Mapping[Any, Any], instance: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if instance is None and Stage(before["stage"]) not in (Stage.NOT_SENT, Stage.DELETED):
        return {"server_id": before["server_id"], "stage": Stage.DELETED, "error_code": None, "message": ""}
    if instance is not None and Stage(before["stage"]) == Stage.DELETED:
        message = _("Server {name} has a protected instance again: {instance}.", name=before["name"],
                    instance=instance.get("id"))  # fmt: skip
        return {"server_id": before["server_id"], "stage": Stage.FAILED, "message": message}
    return None


def _compared(before: Mapping[Any, Any], instance: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the row to record, or None where the ledger already says what the cloud shows."""
    stage = Stage(before["stage"])
    if instance is None:
        if stage in (Stage.CREATED, Stage.PROTECTED, Stage.JOB_OK):
            message = _("Its protected instance is no longer in the group. Look for who deleted it, then plan again.")
            return {"server_id": before["server_id"], "stage": Stage.FAILED, "message": message}
        return None
    if stage == Stage.NOT_SENT:
        return None
    state = instance_state(str(instance.get("status")))
    now = _FOUND.get(state)
    if now is None or now == stage:
        return None
    return {
        "server_id": before["server_id"],
        "stage": now,
        "protected_instance_id": str(instance.get("id")),
        "dr_server_id": instance.get("target_server") or None,
        "error_code": None,
        "message": "",
    }
