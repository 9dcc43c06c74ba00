import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdrs_nb.cloud.paging import READINGS, Page, all_side_by_side, counted_pages, marked_pages, row_pages
from tests.builders_cloud import some


class AList:
    """A list on a server: ``rows`` as it stands, every page asked for, and a cap on the page size."""

    def __init__(self, count, cap=10_000, *, counts=True):
        self.rows = some(count)
        self.asked = []
        self.cap = cap
        self.counts = counts
        self.after_page = lambda: None

    async def by_number(self, number, size):
        return await self.by_row(number * size, size)

    async def by_row(self, row, size):
        self.asked.append((row, size))
        await asyncio.sleep(0)
        page = Page(self.rows[row : row + min(size, self.cap)], len(self.rows) if self.counts else None)
        self.after_page()
        return page

    async def by_marker(self, marker, size):
        ids = [row["id"] for row in self.rows]
        page = await self.by_row(ids.index(marker) + 1 if marker else 0, size)
        return Page(page.rows)


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (1, 1), (9, 1), (10, 1), (11, 2), (20, 2), (21, 3), (100, 10)])
async def test_a_counted_list_is_read_in_as_many_pages_as_it_has(count, pages):
    """The first page tells the number of the others; none is asked for in vain."""
    a_list = AList(count)

    rows = await counted_pages(a_list.by_number, key="id", size=10)

    assert rows == a_list.rows
    assert len(a_list.asked) == pages


async def test_progress_is_told_after_every_page():
    """Rows read and rows there are, ending with all of them."""
    told = []

    await counted_pages(AList(25).by_number, key="id", size=10, on_page=lambda *rows: told.append(rows))

    assert told == [(10, 25), (20, 25), (25, 25)]


async def test_pages_after_the_first_are_read_side_by_side():
    """Nine further pages are all asked for before the first of them is answered."""
    a_list = AList(100)
    all_asked = asyncio.Barrier(9)

    async def fetch(number, size):
        if number:
            await all_asked.wait()
        return await a_list.by_number(number, size)

    rows = await asyncio.wait_for(counted_pages(fetch, key="id", size=10), 60)

    assert len(rows) == 100


async def test_a_service_that_gives_smaller_pages_is_followed_at_its_own_size():
    """A site that caps pages at 4 rows is read completely all the same."""
    a_list = AList(18, cap=4)

    assert await counted_pages(a_list.by_number, key="id", size=10) == a_list.rows


async def test_an_uncounted_list_is_read_until_a_short_page():
    """Without a count the pages come one after another."""
    a_list = AList(25, counts=False)

    assert await counted_pages(a_list.by_number, key="id", size=10) == a_list.rows


async def test_a_list_that_shifted_is_read_again():
    """A server that appears in front during reading pushes another over a page's edge; the next reading has all."""
    a_list = AList(25)

    def push():
        a_list.after_page = lambda: None
        a_list.rows.insert(0, {"id": "new"})

    a_list.after_page = push

    rows = await counted_pages(a_list.by_number, key="id", size=10)

    assert {row["id"] for row in rows} == {row["id"] for row in a_list.rows}
    assert len(rows) == 26


async def test_a_list_that_never_settles_keeps_whatever_was_seen():
    """After the last reading nothing that any reading showed is missing."""
    a_list = AList(25)
    fresh = iter(range(1000))
    a_list.after_page = lambda: a_list.rows.insert(0, {"id": f"new-{next(fresh)}"})

    rows = await counted_pages(a_list.by_number, key="id", size=10)

    assert {f"id-{number:05}" for number in range(25)} <= {row["id"] for row in rows}
    assert len(a_list.asked) <= READINGS * 10


@given(count=st.integers(0, 60), size=st.integers(1, 12), cap=st.integers(1, 12))
async def test_every_way_of_paging_gives_every_row_once_and_in_order(count, size, cap):
    """Whatever size is asked for and given (markers and rows need what was asked for, or a count)."""
    a_list = AList(count, cap)

    assert await counted_pages(a_list.by_number, key="id", size=size) == a_list.rows
    assert await row_pages(a_list.by_row, key="id", size=size) == a_list.rows
    a_list.cap = size
    assert await marked_pages(a_list.by_marker, key="id", size=size) == a_list.rows


async def test_a_row_list_whose_count_is_the_pages_is_read_to_its_short_page():
    """SDRS may count the page only, so a full page is followed by another whatever the count says."""
    a_list = AList(25)

    async def fetch(row, size):
        page = await a_list.by_row(row, size)
        return Page(page.rows, len(page.rows))

    assert await row_pages(fetch, key="id", size=10) == a_list.rows


async def test_a_marker_that_does_not_move_ends_the_list():
    """A service that ignores the marker would be read for ever."""
    asked = []

    async def fetch(marker, size):
        asked.append(marker)
        return Page(some(2), marker="same")

    assert len(await marked_pages(fetch, size=2)) == 4
    assert asked == [None, "same"]


async def test_the_first_failure_cancels_the_rest_and_comes_as_it_is():
    """One refused page ends the reading with its own error, and nothing stays behind."""
    ended = []

    async def endless():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async def failing():
        await asyncio.sleep(0)
        raise LookupError("page 3")

    with pytest.raises(LookupError, match="page 3"):
        await all_side_by_side([endless(), failing(), endless()])

    assert ended == [True, True]
