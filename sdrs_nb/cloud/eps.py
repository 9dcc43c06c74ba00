"""Enterprise projects: names only, servers carry the ids themselves."""

from typing import ClassVar

from sdrs_nb.cloud.paging import Documents, Page, row_pages
from sdrs_nb.cloud.service import Samples, Service

__all__ = ["Eps"]

_PROJECTS = "/v1.0/enterprise-projects"


class Eps(Service):
    """The account's enterprise projects; an account-wide service, so a project's token may be refused."""

    service = "eps"
    scope = "domain"
    samples: ClassVar[Samples] = {"enterprise_projects": (_PROJECTS, {"limit": 1})}

    async def enterprise_projects(self) -> Documents:
        """Return every enterprise project: ``id, name, status, ...``; ``PermissionDeniedError`` is common."""

        async def fetch(row: int, size: int) -> Page:
            return await self._page(
                _PROJECTS, "enterprise_projects", {"offset": row, "limit": size}, total="total_count"
            )

        return await row_pages(fetch, path=_PROJECTS, key="id", size=1000)
