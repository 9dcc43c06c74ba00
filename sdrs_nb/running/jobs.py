"""What a job document says: pure reading, no I/O.

SDRS answers every asynchronous call with a job id; ``GET /v1/{project_id}/jobs/{job_id}`` gives the document
(job page: ``job_id, job_type, status, begin_time, end_time, error_code, fail_reason, entities``).  No batch type
is documented, so ``job_type`` is an opaque string here.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sdrs_nb.models import Record
from sdrs_nb.statuses import JobStatus, job_status

__all__ = ["Job", "match_instances", "read_job"]


class Job(Record):
    """A job or sub-job as it stood when somebody looked.

    ``sub_jobs`` may be shorter than the request's servers, or empty, at first (sub-jobs can appear late); a
    sub-job names its instance and DR server, not the production server (ASSUMED: native_server_id).
    """

    job_id: str
    job_type: str = ""
    status: JobStatus
    begin_time: str | None = None
    end_time: str | None = None
    error_code: str | None = None
    fail_reason: str | None = None
    group_id: str | None = None
    protected_instance_id: str | None = None
    dr_server_id: str | None = None
    sub_jobs: tuple["Job", ...] = ()

    @property
    def is_finished(self) -> bool:
        """Whether the job ended."""
        return self.status.has_ended

    @property
    def counts(self) -> dict[str, int]:
        """Sub-jobs by status, e.g. ``{"SUCCESS": 3, "RUNNING": 2}``."""
        counts: dict[str, int] = {}
        for sub_job in self.sub_jobs:
            counts[sub_job.status.value] = counts.get(sub_job.status.value, 0) + 1
        return counts


def read_job(document: Mapping[str, Any]) -> Job:
    """Return the job that ``document`` describes; an absent, null or empty field reads as None.

    An unknown ``status`` reads as ``OTHER``: neither a success nor a failure may be guessed from it.
    """
    held = document.get("entities")
    entities: Mapping[str, Any] = held if isinstance(held, Mapping) else {}
    parts: Sequence[Any] = each if isinstance(each := entities.get("sub_jobs"), list) else ()
    return Job(
        job_id=_text(document.get("job_id")) or "",
        job_type=_text(document.get("job_type")) or "",
        status=job_status(document.get("status")),
        begin_time=_text(document.get("begin_time")),
        end_time=_text(document.get("end_time")),
        error_code=_text(document.get("error_code")),
        fail_reason=_text(document.get("fail_reason")),
        group_id=_text(entities.get("server_group_id")),
        protected_instance_id=_text(entities.get("protected_instance_id")),
        dr_server_id=_text(entities.get("native_server_id")),
        # An earlier version kept what it was answered, whatever that was.
        sub_jobs=tuple(read_job(sub_job) for sub_job in parts if isinstance(sub_job, Mapping)),
    )


def _text(value: object) -> str | None:
    return str(value) if value not in (None, "") else None


def match_instances(instances: Iterable[Mapping[str, Any]], server_ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """Return ``{server_id: instance document}`` for those of ``server_ids`` that have an instance.

    Matching is by ``source_server``, never by name: the service numbers names anew in every request.
    """
    wanted = set(server_ids)
    return {
        str(instance["source_server"]): instance for instance in instances if instance.get("source_server") in wanted
    }
