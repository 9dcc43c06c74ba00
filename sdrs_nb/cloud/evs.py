"""Elastic volumes."""

import json
from collections.abc import Sequence
from typing import Any

from sdrs_nb.cloud.paging import Documents, OnPage, Page, all_side_by_side, counted_pages, rows_of
from sdrs_nb.cloud.service import Service, unwrap

__all__ = ["Evs"]

_VOLUMES = "/v2/{project_id}/cloudvolumes/detail"
#: Ids in one ``ids`` filter (cloud-apis 5: at most 60).
IDS_AT_ONCE = 60


class Evs(Service):
    """Volumes as the list with details shows them."""

    async def volumes(self, on_page: OnPage | None = None) -> Documents:
        """Return every volume of the project; pages after the first are read side by side."""

        async def fetch(number: int, size: int) -> Page:
            query = {"offset": number * size, "limit": size}
            return rows_of(await self._session.get("evs", _VOLUMES, query), "volumes")

        return await counted_pages(fetch, key="id", size=self._session.settings.page_size, on_page=on_page)

    async def volumes_by_id(self, volume_ids: Sequence[str]) -> Documents:
        """Return the volumes of ``volume_ids`` that exist, without promise of order; ``[]`` asks nothing."""
        ids = list(dict.fromkeys(volume_ids))
        chunks = [ids[start : start + IDS_AT_ONCE] for start in range(0, len(ids), IDS_AT_ONCE)]
        pages = await all_side_by_side(self._chunk(chunk) for chunk in chunks)
        return [row for page in pages for row in page]

    async def _chunk(self, ids: Sequence[str]) -> Documents:
        query = {"ids": json.dumps(ids, separators=(",", ":")), "limit": IDS_AT_ONCE}
        page = rows_of(await self._session.get("evs", _VOLUMES, query), "volumes")
        return [row for row in page.rows if row.get("id") in set(ids)]

    async def quota(self) -> dict[str, Any]:
        """Return the project's volume quotas (``volumes, gigabytes, gigabytes_SSD, ...``; limit -1: none)."""
        path = "/v2/{project_id}/os-quota-sets/{project_id}"
        return unwrap(await self._session.get("evs", path, {"usage": "True"}), "quota_set")
