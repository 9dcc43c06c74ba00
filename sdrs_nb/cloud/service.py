"""What every service's module shares: a session, and how pages and objects are taken out of answers."""

from collections.abc import Mapping
from typing import Any, ClassVar

from sdrs_nb.cloud.paging import Page
from sdrs_nb.cloud.session import Session
from sdrs_nb.errors import CloudError
from sdrs_nb.i18n import _

__all__ = ["Query", "Service"]

Query = Mapping[str, object]


class Service:
    """Calls of one service, made through one session; one method an endpoint, documents in and out."""

    #: The service's name in ``endpoints.SERVICES``.
    service: ClassVar[str] = ""
    #: ``"domain"`` for account-wide services.
    scope: ClassVar[str] = "project"

    def __init__(self, session: Session) -> None:
        self._session = session

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    async def _document(self, path: str, query: Query | None = None) -> Any:
        return await self._session.get(self.service, path, query or {}, self.scope)

    async def _page(self, path: str, key: str, query: Query | None = None, *, total: str = "count") -> Page:
        """Return one page of a list; an answer without the list is no empty list but an error."""
        document = await self._document(path, query)
        rows = document.get(key) if isinstance(document, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise _not_ours(path, key)
        counted, about = document.get(total), document.get("page_info")
        marker = about.get("next_marker") if isinstance(about, dict) else None
        return Page(
            rows, counted if isinstance(counted, int) else None, marker if isinstance(marker, str) and marker else None
        )

    async def _object(self, path: str, key: str, query: Query | None = None) -> dict[str, Any]:
        """Return the object under ``key`` of an answer."""
        document = await self._document(path, query)
        value = document.get(key) if isinstance(document, dict) else None
        if not isinstance(value, dict):
            raise _not_ours(path, key)
        return value


def _not_ours(path: str, key: str) -> CloudError:
    """Return the error for JSON that is not the service's: another program answers at the endpoint."""
    sentence = _("GET {path} answered without {key}; check that the endpoint is the cloud's.", path=path, key=key)
    return CloudError(sentence, method="GET", path=path, status=200)
