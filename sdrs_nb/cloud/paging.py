"""The cloud's ways of handing out long lists, one function a way.

A list can shift while it is read, repeat a page or break off, and its count can say anything.  A server that is missed
here would be missing as the owner of a shared volume later, and an instance would be created twice.  So announced
counts only schedule reading, and what was received decides: a list that does not hold together is read again, and if
that does not heal it, ``ListIncompleteError`` tells how much of it there is.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any, TypeVar

from sdrs_nb.errors import ListIncompleteError
from sdrs_nb.i18n import _

__all__ = ["Documents", "OnPage", "Page", "all_side_by_side", "incomplete", "marked_pages", "received", "row_pages"]

Documents = list[dict[str, Any]]
#: Told after every page: rows read so far, and rows there are (None where the list does not say).
OnPage = Callable[[int, int | None], None]
T = TypeVar("T")

#: Readings of a list that does not hold together before it counts as incomplete.
READINGS = 3
#: Pages under way at once, whatever a count announces; a connection allows no more calls (``Settings.parallel``).
AT_ONCE = 64
#: More rows than any project has; a list that goes on beyond them never ends.
MOST_ROWS = 1_000_000
#: Pages that need not be worth their call; beyond these, pages must hold a fiftieth of what was asked for on average.
FREE_PAGES, LEAST_FILLED = 200, 50


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of one page, how many rows the list says it has, and the marker of the next page."""

    rows: Documents
    total: int | None = None
    marker: str | None = None


async def row_pages(
    fetch: Callable[[int, int], Awaitable[Page]],
    *,
    path: str,
    key: str | tuple[str, ...],
    size: int,
    overlap: int = 1,
    on_page: OnPage | None = None,
) -> Documents:
    """Return every row of a list read by row index: the first page alone, as many as are announced side by side.

    Every page begins with the last row of the one before it.  While rows only come and go and keep their order, pages
    that join in this way have missed none, whatever the count says and whenever each of them was read.

    Parameters
    ----------
    fetch
        ``fetch(row, size)`` reads ``size`` rows from ``row`` on.
    path
        The list's path, for the error.
    key
        Field or fields that tell rows apart; a row that comes twice is kept once.
    size
        Rows asked for per page; a service that gives fewer is followed at its own size.
    overlap
        0 where only whole pages can be asked for, so that none can begin with a row of another.  Such a list is taken
        for whole when every page announces the same number, so many were received, and the first row is still the
        first: what is new comes first (EVS lists the newest first; ECS too, ASSUMED: newest_first).
    on_page
        Told after each page.

    Raises
    ------
    ListIncompleteError
        Pages repeat, shift or are short, or more rows are announced than can be had, in every reading.
    """
    # A page of no more rows than overlap would never move on.
    return await _until_whole(path, lambda: _RowReading(fetch, key, max(size, overlap + 1), overlap, on_page))


async def marked_pages(
    fetch: Callable[[str | None, int], Awaitable[Page]],
    *,
    path: str,
    key: str | tuple[str, ...],
    size: int,
    follow: str | None = None,
) -> Documents:
    """Return every row of a list that goes on from a marker; ``fetch(marker, size)`` reads one page.

    The next marker is the page's own, else the last row's field ``follow`` while pages are full.  ``path`` and
    ``key`` as in ``row_pages``.

    Raises
    ------
    ListIncompleteError
        Markers or pages repeat, or more rows are announced than can be had, in every reading.
    """
    return await _until_whole(path, lambda: _MarkedReading(fetch, key, size, follow))


class _Reading:
    """One reading of a list: its rows, the ids on each page by where the page begins, and what was announced."""

    def __init__(self, key: str | tuple[str, ...], size: int) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self._fields = (key,) if isinstance(key, str) else key
        self._size = size
        self._pages: dict[int, list[str]] = {}
        self._totals: set[int] = set()

    async def read(self) -> bool:
        """Read the list and tell whether all of it was received."""
        raise NotImplementedError

    @property
    def documents(self) -> Documents:
        """The rows in the order of the list, each once."""
        starts = sorted(self._pages)
        if starts == [*self._pages]:
            return [*self.rows.values()]
        return [self.rows[one] for one in dict.fromkeys(chain.from_iterable(map(self._pages.__getitem__, starts)))]

    @property
    def announced(self) -> int | None:
        """The greatest number of rows that a page announced; None where none did."""
        return max(self._totals, default=None)

    @property
    def _is_short(self) -> bool:
        return (self.announced or 0) > len(self.rows)

    @property
    def _may_go_on(self) -> bool:
        """Whether what was received is worth another call."""
        filled = LEAST_FILLED * len(self.rows) / self._size
        return len(self.rows) < MOST_ROWS and len(self._pages) < FREE_PAGES + filled

    def _ids(self, page: Page) -> list[str]:
        if len(self._fields) == 1:
            return [str(row.get(self._fields[0])) for row in page.rows]
        return ["\x1f".join(str(row.get(field)) for field in self._fields) for row in page.rows]

    def _keep(self, start: int, page: Page) -> bool:
        """Take a page in; tell whether it held anything new."""
        known = len(self.rows)
        ids = self._pages[start] = self._ids(page)
        self.rows.update(zip(ids, page.rows, strict=True))
        if page.total is not None:
            self._totals.add(page.total)
        return len(self.rows) > known


class _RowReading(_Reading):
    def __init__(
        self,
        fetch: Callable[[int, int], Awaitable[Page]],
        key: str | tuple[str, ...],
        size: int,
        overlap: int,
        on_page: OnPage | None,
    ) -> None:
        super().__init__(key, size)
        self._fetch = fetch
        self._on_page = on_page
        self._overlap = overlap
        self._given = size
        self._is_stuck = False
        self._repeats = False

    @property
    def _stride(self) -> int:
        return max(self._given - self._overlap, 1)

    async def read(self) -> bool:
        first = await self._fetch(0, self._size)
        self._take(0, first)
        announced = first.total or 0
        if not first.rows:
            return announced == 0
        if announced > len(first.rows):
            self._given = len(first.rows)
        await self._read_announced(announced)
        return await self._read_on() and await self._holds_together()

    def _take(self, start: int, page: Page) -> None:
        if not self._keep(start, page):
            self._is_stuck = True
            self._repeats |= len(page.rows) > self._given - self._stride
        if self._on_page:
            self._on_page(len(self.rows) if page.total is None else min(len(self.rows), page.total), page.total)

    async def _read_announced(self, announced: int) -> None:
        """Read the pages that the count promises, until one holds nothing new."""
        starts = range(self._stride, announced - self._given + self._stride, self._stride)
        waiting = iter(starts)

        async def follow() -> None:
            for start in waiting:
                if self._is_stuck or not self._may_go_on:
                    return
                self._take(start, await self._fetch(start, self._given))

        # No more pages than rows have come: a count alone, of any size, earns none.
        await all_side_by_side(follow() for _worker in range(min(AT_ONCE, self._given, len(starts))))

    async def _read_on(self) -> bool:
        """Read on while the last page is full; tell whether the end was found."""
        last = max(self._pages)
        while not self._is_stuck and len(self._pages[last]) >= (self._given if last else self._size):
            if not self._may_go_on:
                return False
            last += self._stride
            page = await self._fetch(last, self._given)
            # A page beyond the end has no row to join with; once the count is met, it does not matter what it holds.
            if self._overlap == 0 and self.announced == len(self.rows) and self.rows.keys() >= {*self._ids(page)}:
                return True
            self._take(last, page)
        return True

    async def _holds_together(self) -> bool:
        """Tell whether the pages show that none of the rows between them was missed."""
        if self._is_short or self._repeats:
            return False
        pages = [self._pages[start] for start in sorted(self._pages)]
        if self._stride < self._given:
            return all(one[-1:] == other[:1] for one, other in pairwise(pages))
        if len(pages) == 1:
            return True
        front = await self._fetch(0, 1)
        totals = self._totals | ({front.total} if front.total is not None else set())
        return len(totals) <= 1 and self._ids(front)[:1] == pages[0][:1]


class _MarkedReading(_Reading):
    def __init__(
        self,
        fetch: Callable[[str | None, int], Awaitable[Page]],
        key: str | tuple[str, ...],
        size: int,
        follow: str | None,
    ) -> None:
        super().__init__(key, size)
        self._fetch = fetch
        self._follow = follow

    async def read(self) -> bool:
        marker: str | None = None
        seen: set[str] = set()
        while self._may_go_on and marker not in seen:
            seen |= {marker} if marker else set()
            page = await self._fetch(marker, self._size)
            is_new = self._keep(len(self._pages), page)
            marker = page.marker
            if marker is None and self._follow is not None and len(page.rows) >= self._size:
                marker = str(page.rows[-1].get(self._follow))
            if not marker or not page.rows:
                return not self._is_short
            if not is_new:
                break
        return False


async def _until_whole(path: str, begin: Callable[[], _Reading]) -> Documents:
    """Read a list as often as it takes to get it whole, within reason; keep what any reading showed."""
    kept: dict[str, dict[str, Any]] = {}
    announced = None
    for _attempt in range(READINGS):
        reading = begin()
        if await reading.read():
            return reading.documents
        kept |= reading.rows
        announced = reading.announced
        if len(kept) >= MOST_ROWS:
            break
    raise incomplete(path, [*kept.values()], announced)


def incomplete(path: str, documents: Documents, announced: int | None) -> ListIncompleteError:
    """Return the error for a list of which only ``documents`` could be had."""
    if announced is None:
        sentence = _(
            "GET {path} comes to no sound end (rows received: {received}): its pages repeat, shift or never end. Try "
            "again; if it stays so, report it to the cloud's support.",
            path=path,
            received=len(documents),
        )
    else:
        sentence = _(
            "GET {path} announced {announced} rows and gave {received}: its pages repeat, shift or are short. Try "
            "again; if it stays so, report it to the cloud's support.",
            path=path,
            announced=announced,
            received=len(documents),
        )
    return ListIncompleteError(sentence, path=path, received=len(documents), announced=announced, documents=documents)


async def received(rows: Awaitable[Documents]) -> tuple[Documents, ListIncompleteError | None]:
    """Return the rows of a list and None; of an incomplete one what was received, and the error."""
    try:
        return await rows, None
    except ListIncompleteError as error:
        return error.documents, error


async def all_side_by_side(work: Iterable[Coroutine[Any, Any, T]]) -> Sequence[T]:
    """Return the results of all of ``work`` in order; the first failure cancels the rest and is raised as it is."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
