"""Elastic volumes."""

import json
from collections.abc import Sequence
from typing import Any, ClassVar

from sdrs_nb.cloud.paging import Documents, OnPage, Page, all_side_by_side, row_pages
from sdrs_nb.cloud.service import Samples, Service

__all__ = ["Evs"]

_VOLUMES = "/v2/{project_id}/cloudvolumes/detail"
_QUOTA = "/v2/{project_id}/os-quota-sets/{project_id}"
#: Ids in one ``ids`` filter (cloud-apis 5: at most 60).
IDS_AT_ONCE = 60


class Evs(Service):
    """Volumes as the list with details shows them."""

    service = "evs"
    samples: ClassVar[Samples] = {"volumes": (_VOLUMES, {"limit": 1}), "evs_quota": (_QUOTA, {"usage": "True"})}

    async def volumes(self, on_page: OnPage | None = None) -> Documents:
        """Return every volume of the project; pages after the first are read side by side.

        ``on_page`` and errors as ``Ecs.servers``.
        """

        async def fetch(row: int, size: int) -> Page:
            return await self._page(_VOLUMES, "volumes", {"offset": row, "limit": size})

        size = self._session.settings.page_size
        return await row_pages(fetch, path=_VOLUMES, key="id", size=size, on_page=on_page)

    async def volumes_by_id(self, volume_ids: Sequence[str]) -> Documents:
        """Return the volumes of ``volume_ids`` that exist, without promise of order; ``[]`` asks nothing."""
        ids = list(dict.fromkeys(volume_ids))
        chunks = [ids[start : start + IDS_AT_ONCE] for start in range(0, len(ids), IDS_AT_ONCE)]
        pages = await all_side_by_side(self._chunk(chunk) for chunk in chunks)
        return [row for page in pages for row in page]

    async def _chunk(self, ids: Sequence[str]) -> Documents:
        query = {"ids": json.dumps(ids, separators=(",", ":")), "limit": IDS_AT_ONCE}
        return await self._named(_VOLUMES, "volumes", query, set(ids))

    async def quota(self) -> dict[str, Any]:
        """Return the project's volume quotas (``volumes, gigabytes, gigabytes_SSD, ...``; limit -1: none)."""
        return await self._object(_QUOTA, "quota_set", {"usage": "True"})
