"""Enterprise projects: names only, servers carry the ids themselves."""

from sdrs_nb.cloud.paging import Documents, Page, row_pages
from sdrs_nb.cloud.service import Service

__all__ = ["Eps"]


class Eps(Service):
    """The account's enterprise projects; an account-wide service, so a project's token may be refused."""

    service = "eps"
    scope = "domain"

    async def enterprise_projects(self) -> Documents:
        """Return every enterprise project: ``id, name, status, ...``; ``PermissionDeniedError`` is common."""
        path = "/v1.0/enterprise-projects"

        async def fetch(row: int, size: int) -> Page:
            return await self._page(path, "enterprise_projects", {"offset": row, "limit": size}, total="total_count")

        return await row_pages(fetch, path=path, key="id", size=1000)
