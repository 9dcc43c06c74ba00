"""Where DR servers and their volumes can be put: dedicated hosts and dedicated storage pools."""

from sdrs_nb.cloud.paging import Documents, Page, marked_pages, row_pages
from sdrs_nb.cloud.service import Service

__all__ = ["Deh", "Dss"]


class Deh(Service):
    """Dedicated hosts."""

    service = "deh"

    async def hosts(self) -> Documents:
        """Return every dedicated host: ``dedicated_host_id, name, state, availability_zone, ...``."""
        path = "/v1.0/{project_id}/dedicated-hosts"

        async def fetch(marker: str | None, size: int) -> Page:
            return await self._page(path, "dedicated_hosts", {"limit": size, "marker": marker}, total="total")

        return await marked_pages(fetch, path=path, key="dedicated_host_id", size=100, follow="dedicated_host_id")


class Dss(Service):
    """Dedicated storage pools."""

    service = "dss"

    async def pools(self) -> Documents:
        """Return every pool with its use: ``id, name, type, status, availability_zone, total_capacity_gb, ...``."""
        path = "/v1/{project_id}/pools/detail"

        async def fetch(row: int, size: int) -> Page:
            return await self._page(path, "pools", {"usage": "true", "limit": size, "offset": row})

        return await row_pages(fetch, path=path, key="id", size=100)
