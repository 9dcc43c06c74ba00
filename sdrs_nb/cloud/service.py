"""What every service's module shares: a session, and how pages and objects are taken out of answers."""

import sys
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from sdrs_nb.cloud.paging import Documents, Page, incomplete
from sdrs_nb.cloud.session import Session
from sdrs_nb.cloud.shapes import object_of

__all__ = ["Query", "Samples", "Service"]

Query = Mapping[str, object]
#: Frame of the inventory -> path and query of the smallest read behind it: one row, or what comes in one piece.
Samples = Mapping[str, tuple[str, Query]]


class Service:
    """Calls of one service, made through one session; one method an endpoint, documents in and out."""

    #: The service's name in ``endpoints.SERVICES``.
    service: ClassVar[str] = ""
    #: ``"domain"`` for account-wide services.
    scope: ClassVar[str] = "project"
    #: What ``sample`` reads.
    samples: ClassVar[Samples] = {}

    def __init__(self, session: Session) -> None:
        self._session = session

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    async def sample(self, frame: str) -> None:
        """Read as little as possible of what ``frame`` is made of (a key of ``samples``), to see whether it may be.

        Raises ``PermissionDeniedError``, ``UnknownCallError`` where the service is not offered, or as the list does.
        """
        await self._document(*self.samples[frame])

    async def _document(self, path: str, query: Query | None = None, key: str = "") -> Any:
        return await self._session.get(self.service, path, query or {}, self.scope, key)

    async def _page(self, path: str, key: str, query: Query | None = None, *, total: str = "count") -> Page:
        """Return one page of a list; null is an empty list, an answer without the list an error."""
        document = await self._document(path, query, key)
        rows = document[key]
        about = document.get("page_info")
        marker = about.get("next_marker") if isinstance(about, dict) else None
        return Page(rows, _count(document.get(total)), marker if isinstance(marker, str) and marker else None)

    async def _whole(self, path: str, key: str, query: Query | None = None) -> Documents:
        """Return the rows of a list that comes in one page; ``ListIncompleteError`` where it announces more."""
        page = await self._page(path, key, query)
        if (page.total or 0) > len(page.rows):
            raise incomplete(path, page.rows, page.total)
        return page.rows

    async def _named(self, path: str, key: str, query: Query, ids: Collection[str]) -> Documents:
        """Return those rows of a filtered page whose ``id`` was asked for.

        Raises ``ListIncompleteError`` where one is missing although the answer announces more rows than it holds: then
        nobody knows whether it exists.
        """
        page = await self._page(path, key, query)
        found = [row for row in page.rows if row.get("id") in ids]
        if (page.total or 0) > len(page.rows) and {row["id"] for row in found} < {*ids}:
            raise incomplete(path, found, page.total)
        return found

    async def _object(self, path: str, key: str, query: Query | None = None) -> dict[str, Any]:
        """Return the object under ``key`` of an answer."""
        return object_of(path, await self._document(path, query), key)


def _count(value: object) -> int | None:
    """Return how many rows an answer announces, None where it says nothing that could be a number of rows."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = int(value)
    except (ValueError, OverflowError):
        return None
    return min(number, sys.maxsize) if number >= 0 else None
