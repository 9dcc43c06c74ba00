"""Key pairs."""

from typing import ClassVar

from sdrs_nb.cloud.paging import Documents, Page, marked_pages
from sdrs_nb.cloud.service import Samples, Service

__all__ = ["Kps"]

_KEY_PAIRS = "/v3/{project_id}/keypairs"


class Kps(Service):
    """Key pairs that the caller can see."""

    service = "kps"
    samples: ClassVar[Samples] = {"key_pairs": (_KEY_PAIRS, {"limit": 1})}

    async def key_pairs(self) -> Documents:
        """Return key pairs: ``name, type, scope, fingerprint, ...``.

        Pairs of scope ``user`` show only to their owner, so a name that is missing is no proof of deletion.
        """

        async def fetch(marker: str | None, size: int) -> Page:
            page = await self._page(_KEY_PAIRS, "keypairs", {"limit": size, "marker": marker})
            return Page([row.get("keypair", row) for row in page.rows], page.total, page.marker)

        # A user's own pair may be called like one of the account.
        return await marked_pages(fetch, path=_KEY_PAIRS, key=("name", "scope"), size=1000)
