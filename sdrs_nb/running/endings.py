"""What became of each server of a batch: its instance and its job, read together; no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from sdrs_nb.i18n import _
from sdrs_nb.models import Stage
from sdrs_nb.running.jobs import InstanceState, Job, JobStatus, instance_state

__all__ = ["Ending", "end_of", "sub_job_rows"]


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
    row = {
        "server_id": server_id,
        "protected_instance_id": instance_id,
        "dr_server_id": instance.get("target_server") or None,
        "error_code": None,
        "message": "",
    }
    match instance_state(str(instance.get("status"))):
        case InstanceState.PROTECTED:
            return row | {"stage": Stage.PROTECTED}
        case InstanceState.CREATED:
            return row | {"stage": Stage.CREATED}
        case InstanceState.MAKING:
            message = _("The job has ended, but instance {instance} still shows as being created. Resume the run to "
                        "look again.", instance=instance_id)  # fmt: skip
            return row | {"stage": Stage.JOB_OK, "message": message}
        case _:
            code, said = ending.why(instance_id)
            message = _(
                "The instance is in status {status} and still holds its server. Remove the cause, delete instance "
                "{instance}, then plan the server again.",
                status=instance.get("status"),
                instance=instance_id,
            )
            return row | {"stage": Stage.FAILED, "error_code": code, "message": f"{said} {message}".strip()}


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
