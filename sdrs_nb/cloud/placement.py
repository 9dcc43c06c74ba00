"""Where DR servers and their volumes can be put: dedicated hosts and dedicated storage pools."""

from sdrs_nb.cloud.paging import Documents, Page, marked_pages, row_pages
from sdrs_nb.cloud.service import Service

__all__ = ["Deh", "Dss"]


class Deh(Service):
    """Dedicated hosts."""

    service = "deh"

    async def hosts(self) -> Documents:
        """Return every dedicated host: ``dedicated_host_id, name, state, availability_zone, ...``."""

        async def fetch(marker: str | None, size: int) -> Page:
            query = {"limit": size, "marker": marker}
            return await self._page("/v1.0/{project_id}/dedicated-hosts", "dedicated_hosts", query)

        return await marked_pages(fetch, size=100, key="dedicated_host_id")


class Dss(Service):
    """Dedicated storage pools."""

    service = "dss"

    async def pools(self) -> Documents:
        """Return every pool with its use: ``id, name, type, status, availability_zone, total_capacity_gb, ...``."""

        async def fetch(row: int, size: int) -> Page:
            query = {"usage": "true", "limit": size, "offset": row}
            return await self._page("/v1/{project_id}/pools/detail", "pools", query)

        return await row_pages(fetch, key="id", size=100)
