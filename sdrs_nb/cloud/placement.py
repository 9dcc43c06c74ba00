"""Where DR servers and their volumes can be put: dedicated hosts and dedicated storage pools."""

from typing import ClassVar

from sdrs_nb.cloud.paging import Documents, Page, marked_pages, row_pages
from sdrs_nb.cloud.service import Samples, Service

__all__ = ["Deh", "Dss"]

_HOSTS = "/v1.0/{project_id}/dedicated-hosts"
_POOLS = "/v1/{project_id}/pools/detail"


class Deh(Service):
    """Dedicated hosts."""

    service = "deh"
    samples: ClassVar[Samples] = {"dedicated_hosts": (_HOSTS, {"limit": 1})}

    async def hosts(self) -> Documents:
        """Return every dedicated host: ``dedicated_host_id, name, state, availability_zone, ...``."""

        async def fetch(marker: str | None, size: int) -> Page:
            return await self._page(_HOSTS, "dedicated_hosts", {"limit": size, "marker": marker}, total="total")

        return await marked_pages(fetch, path=_HOSTS, key="dedicated_host_id", size=100, follow="dedicated_host_id")


class Dss(Service):
    """Dedicated storage pools."""

    service = "dss"
    samples: ClassVar[Samples] = {"storage_pools": (_POOLS, {"limit": 1})}

    async def pools(self) -> Documents:
        """Return every pool with its use: ``id, name, type, status, availability_zone, total_capacity_gb, ...``."""

        async def fetch(row: int, size: int) -> Page:
            return await self._page(_POOLS, "pools", {"usage": "true", "limit": size, "offset": row})

        return await row_pages(fetch, path=_POOLS, key="id", size=100)
