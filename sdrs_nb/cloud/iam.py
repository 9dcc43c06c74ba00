"""Identity and access management: projects."""

from sdrs_nb.cloud.paging import Documents
from sdrs_nb.cloud.service import Service

__all__ = ["Iam"]


class Iam(Service):
    """Projects of the account."""

    service = "iam"

    async def projects(self, name: str | None = None) -> Documents:
        """Return projects, all or those called ``name``: ``id, name, domain_id, enabled, ...``."""
        return await self._whole("/v3/projects", "projects", {"name": name})
