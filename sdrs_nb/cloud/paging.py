"""The cloud's ways of handing out long lists, one function a way.

Lists can shift while they are read.  A server that is missed here would be missing as the owner of a shared
volume later, so a list that moved under us is read again, and what any reading showed is kept.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

__all__ = ["Documents", "OnPage", "Page", "all_side_by_side", "counted_pages", "marked_pages", "row_pages"]

Documents = list[dict[str, Any]]
#: Told after every page: rows read so far, and rows there are (None where the list does not say).
OnPage = Callable[[int, int | None], None]
T = TypeVar("T")

#: Readings of a list that keeps moving before what was seen is taken together.
READINGS = 3


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of one page, how many rows the list says it has, and the marker of the next page."""

    rows: Documents
    total: int | None = None
    marker: str | None = None


async def counted_pages(
    fetch: Callable[[int, int], Awaitable[Page]], *, key: str, size: int, on_page: OnPage | None = None
) -> Documents:
    """Return every row of a list that counts its rows: the first page alone, the others side by side.

    Parameters
    ----------
    fetch
        ``fetch(number, size)`` reads the page ``number``, from 0.
    key
        Field that tells rows apart; duplicates are dropped.
    size
        Rows asked for per page; a service that gives fewer is followed at its own size.
    on_page
        Told after each page.
    """
    kept: dict[str, dict[str, Any]] = {}
    for _reading in range(READINGS):
        rows, is_settled = await _read_once(fetch, key, size, on_page)
        if is_settled:
            return list(rows.values())
        kept |= rows
    return list(kept.values())


async def _read_once(
    fetch: Callable[[int, int], Awaitable[Page]], key: str, size: int, on_page: OnPage | None
) -> tuple[dict[str, dict[str, Any]], bool]:
    first = await fetch(0, size)
    total, given = first.total, len(first.rows)
    pages, done = [first], given
    if on_page:
        on_page(done, total)
    if total is None:
        pages += await _rest_uncounted(fetch, size, first, on_page)
    elif given and given < total:

        async def told(number: int) -> Page:
            nonlocal done
            page = await fetch(number, given)
            done += len(page.rows)
            if on_page:
                on_page(min(done, total), total)
            return page

        pages += await all_side_by_side(told(number) for number in range(1, -(-total // given)))
    rows = {str(row.get(key)): row for page in pages for row in page.rows}
    is_settled = {page.total for page in pages} == {total} and len(rows) == (
        sum(len(page.rows) for page in pages) if total is None else total
    )
    return rows, is_settled


async def _rest_uncounted(
    fetch: Callable[[int, int], Awaitable[Page]], size: int, first: Page, on_page: OnPage | None
) -> list[Page]:
    pages = [first]
    while len(pages[-1].rows) >= size:
        pages.append(await fetch(len(pages), size))
        if on_page:
            on_page(sum(len(page.rows) for page in pages), None)
    return pages[1:]


async def row_pages(fetch: Callable[[int, int], Awaitable[Page]], *, key: str, size: int) -> Documents:
    """Return every row of a list read by row index, page after page; ``fetch(row, size)`` reads from ``row``.

    SDRS does not say whether its ``count`` means page or list (sdrs-api 1.3), so a short page ends the list
    unless ``count`` promises more than was read.
    """
    rows: dict[str, dict[str, Any]] = {}
    read = 0
    while True:
        page = await fetch(read, size)
        read += len(page.rows)
        rows |= {str(row.get(key)): row for row in page.rows}
        if not page.rows or (len(page.rows) < size and (page.total or 0) <= read):
            return list(rows.values())


async def marked_pages(
    fetch: Callable[[str | None, int], Awaitable[Page]], *, size: int, key: str | None = None
) -> Documents:
    """Return every row of a list that goes on from a marker; ``fetch(marker, size)`` reads one page.

    The next marker is the page's own, else (with ``key``) the last row's ``key`` while pages are full.
    """
    rows: Documents = []
    marker: str | None = None
    seen: set[str] = set()
    while True:
        page = await fetch(marker, size)
        rows += page.rows
        marker = page.marker
        if marker is None and key is not None and len(page.rows) >= size:
            marker = str(page.rows[-1].get(key))
        if not marker or not page.rows or marker in seen:
            return rows
        seen.add(marker)


async def all_side_by_side(work: Iterable[Coroutine[Any, Any, T]]) -> Sequence[T]:
    """Return the results of all of ``work`` in order; the first failure cancels the rest and is raised as it is."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
