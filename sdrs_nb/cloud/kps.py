"""Key pairs."""

from sdrs_nb.cloud.paging import Documents, Page, marked_pages, rows_of
from sdrs_nb.cloud.service import Service

__all__ = ["Kps"]


class Kps(Service):
    """Key pairs that the caller can see."""

    async def key_pairs(self) -> Documents:
        """Return key pairs, unwrapped: ``name, type, scope, fingerprint, ...``.

        Pairs of scope ``user`` show only to their owner, so a name that is missing is no proof of deletion.
        """

        async def fetch(marker: str | None, size: int) -> Page:
            query = {"limit": size, "marker": marker}
            page = rows_of(await self._session.get("kps", "/v3/{project_id}/keypairs", query), "keypairs")
            return Page([row.get("keypair", row) for row in page.rows], page.total, page.marker)

        return await marked_pages(fetch, size=1000)
