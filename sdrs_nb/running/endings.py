"""What became of each server of a batch: its instance and its job, read together; no I/O."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from sdrs_nb.i18n import _
from sdrs_nb.running.jobs import Job
from sdrs_nb.running.ownership import Instance, Ownership, OwnershipEvidence
from sdrs_nb.statuses import (
    FAILED_CREATION,
    MADE,
    InstanceState,
    JobStatus,
    Stage,
    instance_stage,
    instance_state,
    is_error,
    means_protected,
)

__all__ = ["WHOLE", "Ending", "Owned", "end_of", "found_now", "owned", "progress_of", "sub_job_rows", "taken"]


#: Per cent of a first copy that is complete.
WHOLE = 100
_PER_CENT = re.compile(r"(\d{1,3})(?:\.0*)?", re.ASCII)


@dataclass(frozen=True)
class Ending:
    """How a batch ended: its finished job (None where it is lost), and failures of the task center by instance."""

    job: Job | None
    failures: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))

    def why(self, instance_id: str) -> tuple[str | None, str]:
        """Return code and text of what went wrong with one instance, as far as anybody says."""
        parts = self.job.sub_jobs if self.job else ()
        job = next((sub for sub in parts if sub.protected_instance_id == instance_id), None) or self.job
        if job is not None:
            return job.error_code, job.fail_reason or ""
        failure = self.failures.get(instance_id, {})
        return failure.get("error_code") or None, str(failure.get("fail_reason") or "")


def sub_job_rows(job: Job, instances: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what sub-jobs of a running job already say of servers whose instance is known.

    A sub-job names its instance, not the production server (job page), so it is mapped through the
    instances last listed; where none was, nothing is said yet.
    """
    servers = {str(instance.get("id")): server for server, instance in instances.items()}
    rows = []
    for sub_job in job.sub_jobs:
        server = servers.get(sub_job.protected_instance_id or "")
        if server is None or not sub_job.is_finished:
            continue
        row = {"server_id": server, "protected_instance_id": sub_job.protected_instance_id}
        if sub_job.status == JobStatus.SUCCESS:
            rows.append(row | {"stage": Stage.JOB_OK, "dr_server_id": sub_job.dr_server_id, "message": ""})
        else:
            # The server stays ours until the whole job has ended and its instance was looked at.
            message = _("Its sub-job failed: {reason}", reason=sub_job.fail_reason or sub_job.error_code or "?")
            rows.append(row | {"stage": Stage.ACCEPTED, "error_code": sub_job.error_code, "message": message})
    return rows


class Owned(NamedTuple):
    """The document of the instance that holds a planned server, and whose it is."""

    document: Mapping[str, Any]
    ownership: Ownership


def owned(evidence: OwnershipEvidence, server_id: str, document: Mapping[str, Any] | None) -> Owned | None:
    """Return the instance that was found for a planned server, with whose it is; None where none was."""
    return None if document is None else Owned(document, evidence.whose(server_id, Instance.of(document)))


def progress_of(instance: Mapping[str, Any]) -> int:
    """Return how far the first copy of an instance has come, per cent; 0 where its group copies nothing or none says.

    Only a group that is enabled copies (SDRS API reference, protected instance, field ``progress``).
    """
    said = _PER_CENT.fullmatch(str(instance.get("progress"))) if means_protected(str(instance.get("status"))) else None
    return min(int(said[1]), WHOLE) if said else 0


def end_of(server_id: str, found: Owned | None, ending: Ending) -> dict[str, Any]:
    """Return what to record of one server: its stage, its instance and DR server, and a sentence where it failed."""
    if found is None:
        return _without_instance(server_id, ending)
    instance, ownership = found
    if not ownership.is_ours:
        return taken(server_id, found)
    instance_id = str(instance.get("id"))
    status = str(instance.get("status"))
    stage = instance_stage(status)
    if stage == Stage.PROTECTED and progress_of(instance) == WHOLE:
        stage = Stage.IN_SYNC
    code, said = ending.why(instance_id) if stage == Stage.FAILED else (None, "")
    return {
        "server_id": server_id,
        "stage": stage,
        "protected_instance_id": instance_id,
        "dr_server_id": instance.get("target_server") or None,
        "error_code": code,
        "message": f"{said} {_about(instance_id, status)}".strip(),
        "whose": ownership.whose,
        "proof": ownership.proof,
    }


def taken(server_id: str, found: Owned) -> dict[str, Any]:
    """Return what to record of a planned server that an instance of others holds: what the cloud tells of it."""
    instance, ownership = found
    message = _("It is protected by others: instance {instance}, {name}, in status {status}, created at {created}.",
                instance=instance.get("id"), name=instance.get("name") or "-", status=instance.get("status"),
                created=instance.get("created_at") or "-")  # fmt: skip
    return {
        "server_id": server_id,
        "stage": Stage.TAKEN,
        "protected_instance_id": None,
        "dr_server_id": None,
        "error_code": None,
        "message": message,
        "whose": ownership.whose,
        "proof": ownership.proof,
    }


def found_now(before: Mapping[Any, Any], found: Owned | None) -> dict[str, Any] | None:
    """Return what to record of a server whose instance is looked at later; None where the record says so already.

    ``before`` is its row in the ledger.
    """
    stage, server_id = Stage(before["stage"]), str(before["server_id"])
    if found is None:
        if stage in MADE or stage == Stage.JOB_OK:
            message = _("Its protected instance is no longer in the group. Look for who deleted it, then plan again.")
        elif stage == Stage.TAKEN:
            message = _("The instance of others that held it is gone. Plan it again.")
        else:
            return None
        return {"server_id": server_id, "stage": Stage.FAILED, "whose": "", "proof": "", "message": message}
    state = instance_state(str(found.document.get("status")))
    if found.ownership.is_ours and state == InstanceState.MAKING:
        return None
    row = end_of(server_id, found, Ending(None))
    if row["stage"] == stage == Stage.FAILED:  # what its job said of a failure says more than the instance
        row = {name: row[name] for name in ("server_id", "stage", "protected_instance_id", "whose", "proof")}
    elif stage == Stage.IN_SYNC and state == InstanceState.PROTECTED:  # in sync says more than protected
        row |= {"stage": stage, "message": before["message"]}
    return row if any(row[name] != before.get(name) for name in ("stage", "message", "whose") if name in row) else None


def _about(instance_id: str, status: str) -> str:  # noqa: PLR0911 - one answer a meaning
    """Return what there is to say of an instance in ``status``; nothing where its stage says it all."""
    match instance_state(status):
        case InstanceState.CREATED | InstanceState.PROTECTED:
            return ""
        case InstanceState.MAKING:
            return _("The job has ended, but instance {instance} still shows as being created. Resume the run to look "
                     "again.", instance=instance_id)  # fmt: skip
        case InstanceState.IN_PROGRESS:
            return _("An operation is under way on instance {instance}, its status is {status}. Verify again when it "
                     "has ended.", instance=instance_id, status=status)  # fmt: skip
        case InstanceState.FAILED_OVER:
            return _("Instance {instance} runs at the DR site and is copied nowhere. Reprotect its group.",
                     instance=instance_id)  # fmt: skip
        case InstanceState.FAULT:
            return _("The synchronisation of instance {instance} is abnormal. Look at the health of its replication "
                     "pairs.", instance=instance_id)  # fmt: skip
        case InstanceState.OTHER:
            return _("Instance {instance} is in status {status}, which no page documents. Look at it in the console, "
                     "then resume the run to look again.", instance=instance_id, status=status)  # fmt: skip
    if status in FAILED_CREATION or not is_error(status):
        return _("The instance is in status {status} and still holds its server. Remove the cause, delete instance "
                 "{instance}, then plan the server again.", status=status, instance=instance_id)  # fmt: skip
    return _("An operation on instance {instance} failed: its status is {status}, and it does not protect its server. "
             "Repair its group in the console, then verify again.", instance=instance_id, status=status)  # fmt: skip


def _without_instance(server_id: str, ending: Ending) -> dict[str, Any]:
    if ending.job is None:
        message = _("Its request was taken, but no instance of this server has appeared and the job's id is lost. Look "
                    "at the group's failed jobs in the console, then resume the run to look again.")  # fmt: skip
        return {"server_id": server_id, "stage": Stage.UNKNOWN, "message": message}
    message = _("The request has ended and the server has no protected instance. Plan it again.")
    return {
        "server_id": server_id,
        "stage": Stage.FAILED,
        "error_code": ending.job.error_code,
        "message": f"{ending.job.fail_reason or ''} {message}".strip(),
    }
