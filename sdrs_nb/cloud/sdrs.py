"""Storage disaster recovery: protection groups, protected instances, replication pairs, jobs."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from sdrs_nb.cloud.answers import Call
from sdrs_nb.cloud.paging import Documents, Page, row_pages
from sdrs_nb.cloud.service import Query, Samples, Service
from sdrs_nb.cloud.session import segment
from sdrs_nb.cloud.shapes import JOB, fitting, rows_of
from sdrs_nb.cloud.submitting import start_job
from sdrs_nb.ids import canonical_documents

__all__ = ["Sdrs"]

_ROOT = "/v1/{project_id}"
_INSTANCES = f"{_ROOT}/protected-instances"


class Sdrs(Service):
    """Reads are repeated where that is harmless; calls that start a job are sent once."""

    service = "sdrs"
    samples: ClassVar[Samples] = {
        "groups": (f"{_ROOT}/server-groups", {"limit": 1}),
        "protected_instances": (_INSTANCES, {"limit": 1}),
        "replication_pairs": (f"{_ROOT}/replications", {"limit": 1}),
        "drill_servers": (f"{_ROOT}/disaster-recovery-drills", {"limit": 1}),
        "domains": (f"{_ROOT}/active-domains", {}),
        "quotas": (f"{_ROOT}/sdrs/quotas", {}),
    }

    async def _page(self, path: str, key: str, query: Query | None = None, *, total: str = "count") -> Page:
        page = await super()._page(path, key, query, total=total)
        # Jobs, settling and verification compare these ids with those of a plan, which are canonical.
        return replace(page, rows=canonical_documents(page.rows))

    async def _object(self, path: str, key: str, query: Query | None = None) -> dict[str, Any]:
        return canonical_documents([await super()._object(path, key, query)])[0]

    async def groups(self) -> Documents:
        """Return every protection group."""
        return await self._all(f"{_ROOT}/server-groups", "server_groups")

    async def group(self, group_id: str) -> dict[str, Any]:
        """Return one protection group; ``NotFoundError`` when there is none of that id."""
        return await self._object(f"{_ROOT}/server-groups/{segment(group_id)}", "server_group")

    async def protected_instances(self, group_id: str | None = None) -> Documents:
        """Return the protected instances of the project, or of one group."""
        return await self._all(_INSTANCES, "protected_instances", server_group_id=group_id)

    async def protected_instance(self, protected_instance_id: str) -> dict[str, Any]:
        """Return one protected instance; ``NotFoundError`` when there is none of that id."""
        return await self._object(f"{_INSTANCES}/{segment(protected_instance_id)}", "protected_instance")

    async def replication_pairs(self, group_id: str | None = None) -> Documents:
        """Return the replication pairs of the project, or of one group."""
        return await self._all(f"{_ROOT}/replications", "replications", server_group_id=group_id)

    async def drills(self) -> Documents:
        """Return every DR drill with its ``drill_servers``."""
        return await self._all(f"{_ROOT}/disaster-recovery-drills", "disaster_recovery_drills")

    async def domains(self) -> Documents:
        """Return the active domains: pairs of AZs that can protect one another."""
        return await self._whole(f"{_ROOT}/active-domains", "domains")

    async def quotas(self) -> Documents:
        """Return the quotas of protection groups and replication pairs: ``type, used, quota`` (-1: no limit)."""
        path = f"{_ROOT}/sdrs/quotas"
        return rows_of(path, await self._object(path, "quotas"), "resources")

    async def failure_jobs(self, group_id: str | None = None) -> Documents:
        """Return failed jobs: of one group's objects, or without ``group_id`` those of groups themselves."""
        return await self._all(
            f"{_ROOT}/task-center/failure-jobs", "failure_jobs", ("job_id", "resource_id"), server_group_id=group_id
        )

    async def job(self, job_id: str) -> dict[str, Any]:
        """Return a job document as it came; ``NotFoundError`` when the service no longer knows the job."""
        path = f"{_ROOT}/jobs/{segment(job_id)}"
        document: dict[str, Any] = fitting(path, await self._document(path), JOB, "job")
        return document

    async def batch_create(self, body: bytes) -> str:
        """Send one batch of protected instances, ``body`` byte for byte, and return the job id.

        Raises ``SubmissionUncertain`` or ``CloudUnreachable`` with ``sent`` when its fate is not known, another
        ``CloudError`` when it was refused whole.
        """
        return await self._start("POST", f"{_INSTANCES}/batch", body)

    async def create_protected_instance(self, body: bytes) -> str:
        """Send one single create, ``body`` byte for byte, and return the job id; errors as ``batch_create``."""
        return await self._start("POST", _INSTANCES, body)

    async def protected_instances_batch_delete(self, body: bytes) -> str:
        """Send one batch delete, ``body`` byte for byte, and return the job id; errors as ``batch_create``."""
        return await self._start("POST", f"{_INSTANCES}/delete", body)

    async def delete_protected_instance(self, protected_instance_id: str, body: bytes) -> str:
        """Delete one instance, ``body`` byte for byte, and return the job id; errors as ``batch_create``."""
        return await self._start("DELETE", f"{_INSTANCES}/{segment(protected_instance_id)}", body)

    async def create_group(self, document: Mapping[str, Any]) -> str:
        """Create a group from ``{"server_group": {...}}`` and return the job id; errors as ``batch_create``."""
        return await self._start("POST", f"{_ROOT}/server-groups", _bytes(document))

    async def group_action(self, group_id: str, action: Mapping[str, Any]) -> str:
        """Start an action such as ``{"start-server-group": {}}`` and return the job id; errors as ``batch_create``."""
        return await self._start("POST", f"{_ROOT}/server-groups/{segment(group_id)}/action", _bytes(action))

    async def _start(self, method: str, path: str, body: bytes) -> str:
        return await start_job(self._session, Call(method, "sdrs", path, body=body))

    async def _all(self, path: str, kind: str, key: str | tuple[str, ...] = "id", **filters: object) -> Documents:
        """Return a whole list; its count may mean the page or the list (sdrs-api 1.3), only one too great means much.

        Raises ``ListIncompleteError`` where it cannot be read whole.
        """

        async def fetch(row: int, size: int) -> Page:
            return await self._page(path, kind, {**filters, "limit": size, "offset": row})

        return await row_pages(fetch, path=path, key=key, size=self._session.settings.page_size)


def _bytes(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()
