"""Key pairs."""

from sdrs_nb.cloud.paging import Documents, Page, marked_pages
from sdrs_nb.cloud.service import Service

__all__ = ["Kps"]


class Kps(Service):
    """Key pairs that the caller can see."""

    service = "kps"

    async def key_pairs(self) -> Documents:
        """Return key pairsped: ``name, type, scope, fingerprint, ...``.

        Pairs of scope ``user`` show only to their owner, so a name that is missing is no proof of deletion.
        """

        async def fetch(marker: str | None, size: int) -> Page:
            query = {"limit": size, "marker": marker}
            page = await self._page("/v3/{project_id}/keypairs", "keypairs", query)
            return Page([row.get("keypair", row) for row in page.rows], page.total, page.marker)

        return await marked_pages(fetch, size=1000)
