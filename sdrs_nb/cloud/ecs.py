"""Elastic cloud servers: servers, flavors, limits, groups."""

from collections.abc import Sequence
from typing import Any, ClassVar

from sdrs_nb.cloud.paging import Documents, OnPage, Page, all_side_by_side, marked_pages, row_pages
from sdrs_nb.cloud.service import Samples, Service
from sdrs_nb.cloud.session import segment
from sdrs_nb.errors import NotFoundError

__all__ = ["Ecs"]

_SERVERS = "/v1/{project_id}/cloudservers"
#: Ids in one ``server_id`` filter (cloud-apis 4.1: at most about 100).
IDS_AT_ONCE = 100


class Ecs(Service):
    """Servers as the list with details shows them."""

    service = "ecs"
    samples: ClassVar[Samples] = {
        "servers": (f"{_SERVERS}/detail", {"limit": 1, "offset": 1}),
        "flavors": (f"{_SERVERS}/flavors", {}),
        "ecs_limits": (f"{_SERVERS}/limits", {}),
    }

    async def servers(self, on_page: OnPage | None = None) -> Documents:
        """Return every server of the project; pages after the first are read side by side.

        ``on_page(rows_read, rows_there_are)`` is told after each page.  Raises ``PermissionDeniedError`` where
        the list is not allowed, ``ListIncompleteError`` where it cannot be read whole.
        """
        path = f"{_SERVERS}/detail"

        async def fetch(row: int, size: int) -> Page:
            # The offset of this list is a page number from 1, not a row (cloud-apis 4.1).
            return await self._page(path, "servers", {"offset": row // size + 1, "limit": size})

        size = self._session.settings.page_size
        return await row_pages(fetch, path=path, key="id", size=size, overlap=0, on_page=on_page)

    async def server(self, server_id: str) -> dict[str, Any]:
        """Return one server; ``NotFoundError`` when there is none of that id."""
        return await self._object(f"{_SERVERS}/{segment(server_id)}", "server")

    async def servers_by_id(self, server_ids: Sequence[str]) -> Documents:
        """Return the servers of ``server_ids`` that exist, without promise of order; ``[]`` asks nothing."""
        ids = list(dict.fromkeys(server_ids))
        chunks = [ids[start : start + IDS_AT_ONCE] for start in range(0, len(ids), IDS_AT_ONCE)]
        pages = await all_side_by_side(self._chunk(chunk) for chunk in chunks)
        return [row for page in pages for row in page]

    async def _chunk(self, ids: Sequence[str]) -> Documents:
        query = {"server_id": ",".join(ids), "limit": IDS_AT_ONCE, "offset": 1}
        rows = await self._named(f"{_SERVERS}/detail", "servers", query, set(ids))
        # An unknown id comes back as an entry with only "id" and "fault"; some sites ignore the filter's rest.
        return [row for row in rows if row.get("status")]

    async def flavors(self, az: str | None = None) -> Documents:
        """Return flavors; with ``az`` those that can be used there.  Extra specs are under ``os_extra_specs``."""
        return await self._whole(f"{_SERVERS}/flavors", "flavors", {"availability_zone": az})

    async def resize_flavors(self, server_id: str) -> Documents:
        """Return the flavors that ``server_id`` could be given; its own is not among them.

        Extra specs are under ``extra_specs``.  Source: batch-create page, field ``flavorRef``.
        """
        path = f"{_SERVERS}/resize_flavors"

        async def fetch(marker: str | None, size: int) -> Page:
            return await self._page(path, "flavors", {"instance_uuid": server_id, "limit": size, "marker": marker})

        return await marked_pages(fetch, path=path, key="id", size=1000, follow="id")

    async def limits(self) -> dict[str, Any]:
        """Return the project's limits and use (``maxTotalInstances``, ``totalInstancesUsed``, ...; -1: no limit)."""
        return await self._object(f"{_SERVERS}/limits", "absolute")

    async def server_groups(self) -> Documents:
        """Return the ECS groups (anti-affinity): ``id, name, members, policies``."""
        path = f"{_SERVERS}/os-server-groups"

        async def fetch(marker: str | None, size: int) -> Page:
            return await self._page(path, "server_groups", {"limit": size, "marker": marker})

        return await marked_pages(fetch, path=path, key="id", size=100)

    async def auto_recovery(self, server_ids: Sequence[str]) -> dict[str, bool]:
        """Return by server id whether the cloud restarts it on another host after a fault; one call a server.

        Ids that are missing (None, NA) are left out, and so is what no longer exists.  Source: ECS API, "Querying
        whether automatic recovery is configured".  Raises ``CloudError`` where the call is refused or not offered.
        """
        ids = list(dict.fromkeys(each for each in server_ids if isinstance(each, str)))
        # One first: where the call is not offered, the others need not be asked.
        answers = [await self._recovers(each) for each in ids[:1]]
        answers += await all_side_by_side(self._recovers(each) for each in ids[1:])
        return {each: answer for each, answer in zip(ids, answers, strict=True) if answer is not None}

    async def _recovers(self, server_id: str) -> bool | None:
        try:
            document = await self._document(f"{_SERVERS}/{segment(server_id)}/autorecovery")
        except NotFoundError as error:
            if not error.code.startswith("Ecs."):  # the gateway's word for a call that is not offered
                raise
            return None
        answer = document.get("support_auto_recovery") if isinstance(document, dict) else None
        return None if answer is None else str(answer).lower() == "true"
