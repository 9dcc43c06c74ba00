"""Planned versus found: what the cloud itself says of every server of a run."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from sdrs_nb.asked import checked
from sdrs_nb.i18n import _
from sdrs_nb.running.belonging import require_own_cloud
from sdrs_nb.running.endings import found_now, owned
from sdrs_nb.running.jobs import match_instances
from sdrs_nb.running.ownership import OwnershipEvidence
from sdrs_nb.running.runs import Run
from sdrs_nb.statuses import Stage
from sdrs_nb.tables import worst_first

if TYPE_CHECKING:
    from sdrs_nb.cloud import Cloud

__all__ = ["verify"]


@checked
async def verify(cloud: "Cloud", run: Run) -> pd.DataFrame:
    """Return one row a planned server with the stage that the cloud itself shows now, what needs somebody first.

    Reads the instances of each of the run's groups afresh and records in the ledger what differs from it.  A server
    counts as ``created`` or ``protected`` only when an instance with it as production server was found, and never while
    that instance is in an error status; and only when it is this run's (module ``running.ownership``), else it is
    ``taken by others``.  An instance that came late is adopted, also when the run called itself done.

    Returns
    -------
    pandas.DataFrame
        Columns of ``tables.OUTCOME``: ``server_id, name, group_id, batch_id, job_id, stage, protected_instance_id,
        dr_server_id, error_code, message, whose, proof``; stage is a word of ``statuses.Stage``, whose one of
        ``ownership.Whose``, proof a sentence.

    Raises
    ------
    SettingsError
        The cloud is not the run's own; nothing is recorded.
    CloudError, CloudUnreachable
        The lists cannot be read; nothing is recorded.
    LedgerError
        The ledger cannot be read or written.
    """
    await require_own_cloud(cloud, run)
    servers, evidence = run.servers, OwnershipEvidence.of(run)
    changed = []
    for group_id, planned in servers.groupby("group_id", sort=True):
        documents = await cloud.sdrs.protected_instances(str(group_id))
        found = match_instances(documents, planned["server_id"].tolist())
        for before in planned.to_dict("records"):
            instance = found.get(before["server_id"])
            row = (
                _compared_deletion(before, instance)
                if run.plan.is_deletion
                else found_now(before, owned(evidence, str(before["server_id"]), instance))
            )
            changed += [row] if row else []
    if changed:
        run.ledger.set_servers(run.run_id, None, changed)
        run.ledger.end_batches(run.run_id)
    return worst_first(run.servers)


def _compared_deletion(before: Mapping[Any, Any], instance: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if instance is None and Stage(before["stage"]) not in (Stage.NOT_SENT, Stage.DELETED):
        return {"server_id": before["server_id"], "stage": Stage.DELETED, "error_code": None, "message": ""}
    if instance is not None and Stage(before["stage"]) == Stage.DELETED:
        message = _("Server {name} has a protected instance again: {instance}.", name=before["name"],
                    instance=instance.get("id"))  # fmt: skip
        return {"server_id": before["server_id"], "stage": Stage.FAILED, "message": message}
    return None
