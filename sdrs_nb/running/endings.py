"""What became of each server of a batch: its instance and its job, read together; no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from sdrs_nb.i18n import _
from sdrs_nb.running.jobs import Job
from sdrs_nb.statuses import (
    FAILED_CREATION,
    MADE,
    InstanceState,
    JobStatus,
    Stage,
    instance_stage,
    instance_state,
    is_error,
)

__all__ = ["Ending", "end_of", "found_now", "sub_job_rows"]


@dataclass(frozen=True)
class Ending:
    """How a batch ended: its finished job (None where it is lost), and failures of the task center by instance."""

    job: Job | None
    failures: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))

    def why(self, instance_id: str) -> tuple[str | None, str]:
        """Return code and text of what went wrong with one instance, as far as anybody says."""
        parts = self.job.sub_jobs if self.job else ()
        told = next((sub for sub in parts if sub.protected_instance_id == instance_id), None) or self.job
        if told is not None:
            return told.error_code, told.fail_reason or ""
        failure = self.failures.get(instance_id, {})
        return failure.get("error_code") or None, str(failure.get("fail_reason") or "")


def sub_job_rows(job: Job, instances: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what sub-jobs of a running job already say of servers whose instance is known.

    A sub-job names its instance, not the production server (sdrs-api.md section 6), so it is mapped through the
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


def end_of(server_id: str, instance: Mapping[str, Any] | None, ending: Ending) -> dict[str, Any]:
    """Return what to record of one server: its stage, its instance and DR server, and a sentence where it failed."""
    if instance is None:
        return _without_instance(server_id, ending)
    instance_id = str(instance.get("id"))
    status = str(instance.get("status"))
    stage = instance_stage(status)
    code, said = ending.why(instance_id) if stage == Stage.FAILED else (None, "")
    return {
        "server_id": server_id,
        "stage": stage,
        "protected_instance_id": instance_id,
        "dr_server_id": instance.get("target_server") or None,
        "error_code": code,
        "message": f"{said} {_about(instance_id, status)}".strip(),
    }


def found_now(before: Mapping[Any, Any], instance: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return what to record of a server whose instance is looked at later; None where the record says so already.

    ``before`` is its row in the ledger.
    """
    stage = Stage(before["stage"])
    if instance is None:
        if stage in MADE or stage == Stage.JOB_OK:
            message = _("Its protected instance is no longer in the group. Look for who deleted it, then plan again.")
            return {"server_id": before["server_id"], "stage": Stage.FAILED, "message": message}
        return None
    state = instance_state(str(instance.get("status")))
    if stage in (Stage.NOT_SENT, Stage.TAKEN) or state == InstanceState.MAKING:
        return None
    row = end_of(str(before["server_id"]), instance, Ending(None))
    # What its job said of a failure says more than the instance, and being in sync more than being protected.
    is_known = row["stage"] == stage and (stage == Stage.FAILED or row["message"] == before["message"])
    is_in_step = stage == Stage.IN_SYNC and state == InstanceState.PROTECTED
    return None if is_known or is_in_step else row


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
