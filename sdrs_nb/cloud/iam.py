"""Identity and access management: projects."""

from sdrs_nb.cloud.paging import Documents, rows_of
from sdrs_nb.cloud.service import Service

__all__ = ["Iam"]


class Iam(Service):
    """Projects of the account."""

    async def projects(self, name: str | None = None) -> Documents:
        """Return projects, all or those called ``name``: ``id, name, domain_id, enabled, ...``."""
        return rows_of(await self._session.get("iam", "/v3/projects", {"name": name}), "projects").rows
