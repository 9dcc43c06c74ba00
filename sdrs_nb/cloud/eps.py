"""Enterprise projects: names only, servers carry the ids themselves."""

from sdrs_nb.cloud.paging import Documents, Page, counted_pages
from sdrs_nb.cloud.service import Service

__all__ = ["Eps"]


class Eps(Service):
    """The account's enterprise projects; an account-wide service, so a project's token may be refused."""

    service = "eps"
    scope = "domain"

    async def enterprise_projects(self) -> Documents:
        """Return every enterprise project: ``id, name, status, ...``; ``PermissionDeniedError`` is common."""

        async def fetch(number: int, size: int) -> Page:
            query = {"offset": number * size, "limit": size}
            return await self._page("/v1.0/enterprise-projects", "enterprise_projects", query, total="total_count")

        return await counted_pages(fetch, key="id", size=1000)
