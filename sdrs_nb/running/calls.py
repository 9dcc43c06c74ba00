"""What differs between the calls a batch can be sent with: where it goes, and by what it is recognised afterwards."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sdrs_nb.i18n import _
from sdrs_nb.models import Batch, Call
from sdrs_nb.running.jobs import match_instances
from sdrs_nb.running.ownership import Instance, OwnershipEvidence
from sdrs_nb.statuses import DELETABLE, GOING, Stage

if TYPE_CHECKING:
    from sdrs_nb.cloud import Cloud

__all__ = ["deletion_end", "deletion_hindrance", "post", "traces"]


async def post(cloud: "Cloud", batch: Batch, body: bytes) -> str:
    """Send the batch's request once and return its job id; errors as ``Sdrs.batch_create``."""
    match batch.call:
        case Call.BATCH_CREATE:
            return await cloud.sdrs.batch_create(body)
        case Call.SINGLE_CREATE:
            return await cloud.sdrs.create_protected_instance(body)
        case Call.BATCH_DELETE:
            return await cloud.sdrs.protected_instances_batch_delete(body)
        case Call.SINGLE_DELETE:
            return await cloud.sdrs.delete_protected_instance(batch.instance_ids[0], body)


def traces(
    batch: Batch, instances: Iterable[Mapping[str, Any]], evidence: OwnershipEvidence
) -> dict[str, Mapping[str, Any]]:
    """Return what shows in a group's ``instances`` that the batch's request was taken, by server; empty: nothing.

    A create shows by instances of its servers that are this run's, a delete by instances that are gone or going.
    """
    if not batch.call.is_delete:
        found = match_instances(instances, batch.server_ids)
        return {server: one for server, one in found.items() if evidence.whose(server, Instance.of(one)).is_ours}
    there = {str(instance.get("id")): instance for instance in instances}
    return {
        server: there.get(instance_id, {})
        for server, instance_id in batch.instances.items()
        if instance_id not in there or str(there[instance_id].get("status")) in GOING
    }


def deletion_hindrance(batch: Batch, instances: Iterable[Mapping[str, Any]], names: Mapping[str, str]) -> str | None:
    """Return the sentence that holds a delete back: an instance that is gone, another server's, or not deletable."""
    there = {str(instance.get("id")): instance for instance in instances}
    for server, instance_id in batch.instances.items():
        instance = there.get(instance_id)
        if instance is None:
            return _("Instance {instance} of server {name} ({server}) is no longer in its group. Plan the rest again.",
                     instance=instance_id, name=names.get(server, ""), server=server)  # fmt: skip
        if server not in (instance.get("source_server"), instance.get("target_server")):
            return _("Instance {instance} is not of server {name} ({server}) any more. Plan again.",
                     instance=instance_id, name=names.get(server, ""), server=server)  # fmt: skip
        if instance.get("status") not in DELETABLE:
            return _("Instance {instance} of server {name} ({server}) is in status {status} and cannot be deleted now. "
                     "Wait or repair it, then plan the rest again.", instance=instance_id, name=names.get(server, ""),
                     server=server, status=instance.get("status"))  # fmt: skip
    return None


def deletion_end(server_id: str, instance: Mapping[str, Any] | None, code: str | None, said: str) -> dict[str, Any]:
    """Return what to record of a server whose instance was to be deleted: deleted where it is gone, else failed."""
    if instance is None:
        return {"server_id": server_id, "stage": Stage.DELETED, "error_code": None, "message": ""}
    message = _("Instance {instance} is still there, in status {status}. Remove the cause, then plan the undo again.",
                instance=instance.get("id"), status=instance.get("status"))  # fmt: skip
    return {"server_id": server_id, "stage": Stage.FAILED, "error_code": code, "message": f"{said} {message}".strip()}
