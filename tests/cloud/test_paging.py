"""Lists of every kind, on services that shift, repeat, cut short and miscount: whole, or told to be incomplete."""

import asyncio
import sys
from dataclasses import dataclass
from functools import partial
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdrs_nb.cloud.paging import (
    AT_ONCE,
    FREE_PAGES,
    MOST_ROWS,
    READINGS,
    Page,
    all_side_by_side,
    marked_pages,
    received,
    row_pages,
)
from sdrs_nb.errors import ListIncompleteError
from tests.builders_cloud import some


@dataclass(frozen=True)
class Step:
    """What happens to one page: how late it comes, what is wrong with it, and how the list changes right after it."""

    delay: int = 0
    fault: str = ""
    edits: tuple[tuple[str, float], ...] = ()


class AList:
    """A list on a server: ``rows`` as it stands, every page asked for, and what is to happen to which page.

    ``always`` are the ids of rows that were there all the time, ``ever`` those of rows that were there at any time.
    ``counts`` says what its count means: all rows, those of the page, or nothing.
    """

    def __init__(self, size, cap=10_000, *, counts="all", steps=()):
        self.rows = some(size)
        self.asked = []
        self.always = {row["id"] for row in self.rows}
        self.ever = set(self.always)
        self._cap = cap
        self._counts = counts
        self._steps = iter(steps)
        self._fresh = count()
        self._order = {row["id"]: float(at) for at, row in enumerate(self.rows)}

    async def by_row(self, row, size):
        return await self._page(row, size, self.rows)

    async def by_number(self, row, size):
        """Answer as a service whose offset is the number of a page."""
        return await self._page(row // size * min(size, self._cap), size, self.rows)

    async def by_marker(self, marker, size):
        page = await self._page(0, size, lambda: [row for row in self.rows if self._is_after(row, marker)])
        return Page(page.rows)

    async def by_own_marker(self, marker, size):
        page = await self.by_marker(marker, size)
        return Page(page.rows, marker=page.rows[-1]["id"] if page.rows else None)

    def _is_after(self, row, marker):
        return marker is None or self._order[row["id"]] > self._order[marker]

    async def _page(self, row, size, rows):
        self.asked.append((row, size))
        step = next(self._steps, Step())
        for _turn in range(step.delay):
            await asyncio.sleep(0)
        here = rows() if callable(rows) else self.rows
        page = here[row : row + min(size, self._cap)]
        if step.fault == "short":
            page = page[: len(page) // 2]
        elif step.fault == "repeats":
            page = self.rows[: min(size, self._cap)]
        total = {"all": len(self.rows), "page": len(page), "none": None}[self._counts]
        for kind, where in step.edits:
            self._change(kind, where)
        return Page(page, total)

    def _change(self, kind, where):
        at = int(where * len(self.rows))
        if kind == "gone" and self.rows:
            self.always.discard(self.rows.pop(min(at, len(self.rows) - 1))["id"])
        elif kind == "new":
            row = {"id": f"new-{next(self._fresh)}"}
            before = self._order[self.rows[at - 1]["id"]] if at else -1e9
            behind = self._order[self.rows[at]["id"]] if at < len(self.rows) else 1e9
            self._order[row["id"]] = (before + behind) / 2
            self.rows.insert(at, row)
            self.ever.add(row["id"])


def ids(rows):
    """Return the ids of rows as a set."""
    return {row["id"] for row in rows}


ANYWHERE, IN_FRONT = st.floats(0, 1), st.just(0.0)


def steps(*faults, new=ANYWHERE, most=40):
    """Return a strategy of what happens to page after page: rows go from anywhere and come in at ``new``."""
    edit = st.one_of(st.tuples(st.just("gone"), ANYWHERE), st.tuples(st.just("new"), new))
    edits = st.lists(edit, max_size=3).map(tuple)
    return st.lists(st.builds(Step, st.integers(0, 3), st.sampled_from(["", *faults]), edits), max_size=most)


async def read_rows(a_list, size, **options):
    """Read a list by row."""
    return await row_pages(a_list.by_row, path="/rows", key="id", size=size, **options)


async def read_numbered(a_list, size, **options):
    """Read a list by number of page."""
    return await row_pages(a_list.by_number, path="/numbered", key="id", size=size, overlap=0, **options)


async def read_marked(a_list, size):
    """Read a list that goes on from its last row."""
    return await marked_pages(a_list.by_marker, path="/marked", key="id", size=size, follow="id")


async def read_by_own_marker(a_list, size):
    """Read a list that names its own markers."""
    return await marked_pages(a_list.by_own_marker, path="/marked", key="id", size=size)


ROW_LISTS = [read_rows, read_numbered]
LISTS = [*ROW_LISTS, read_marked, read_by_own_marker]


async def assert_whole_or_told(a_list, reading):
    """Assert that nothing that was there all the time is missing, or that the list is said to be incomplete."""
    told = None
    try:
        rows = await reading
    except ListIncompleteError as error:
        told, rows = error, error.documents
    if told is None:
        assert a_list.always <= ids(rows)
    else:
        assert told.received == len(rows)
    assert ids(rows) <= a_list.ever
    assert len(rows) == len(ids(rows))
    assert len(a_list.asked) <= READINGS * (2 * len(a_list.ever) + 4)


@given(st.integers(0, 40), st.integers(2, 9), st.integers(2, 9), st.sampled_from(["all", "page", "none"]), st.data())
async def test_a_list_by_row_is_whole_or_incomplete_however_it_shifts(size, page, cap, counts, data):
    """Rows come and go anywhere while pages are read side by side, and pages repeat; the count means anything."""
    a_list = AList(size, cap if counts == "all" else page, counts=counts, steps=data.draw(steps("repeats")))

    await assert_whole_or_told(a_list, read_rows(a_list, page))


@given(st.integers(0, 40), st.integers(2, 9), st.integers(2, 9), st.data())
async def test_a_counted_list_by_row_is_whole_or_incomplete_when_pages_are_cut_short(size, page, cap, data):
    """A count of all rows shows where a page was cut short."""
    a_list = AList(size, cap, steps=data.draw(steps("repeats", "short")))

    await assert_whole_or_told(a_list, read_rows(a_list, page))


@given(st.integers(0, 40), st.integers(1, 9), st.integers(1, 9), st.data())
async def test_a_numbered_list_is_whole_or_incomplete_however_it_shifts(size, page, cap, data):
    """New rows come first and old ones go anywhere, also when as many come as go; pages repeat and are cut short."""
    a_list = AList(size, cap, steps=data.draw(steps("repeats", "short", new=IN_FRONT)))

    await assert_whole_or_told(a_list, read_numbered(a_list, page))


@pytest.mark.parametrize("read", [read_marked, read_by_own_marker])
@given(size=st.integers(0, 40), page=st.integers(1, 9), data=st.data())
async def test_a_marked_list_is_whole_or_incomplete_however_it_shifts(read, size, page, data):
    """Rows come and go anywhere, and pages repeat as if the marker were not there."""
    a_list = AList(size, steps=data.draw(steps("repeats")))

    await assert_whole_or_told(a_list, read(a_list, page))


@pytest.mark.parametrize("read", LISTS)
@given(size=st.integers(0, 40), page=st.integers(2, 9), data=st.data())
async def test_what_heals_is_read_whole(read, size, page, data):
    """Two disturbed pages spoil at most two readings, and the third is as good as any."""
    faults = ("repeats", "short") if read in ROW_LISTS else ("repeats",)
    a_list = AList(size, steps=data.draw(steps(*faults, new=IN_FRONT, most=READINGS - 1)))

    assert a_list.always <= ids(await read(a_list, page)) <= a_list.ever


@given(size=st.integers(0, 60), page=st.integers(1, 12), cap=st.integers(1, 12))
async def test_every_way_of_paging_gives_every_row_once_and_in_order(size, page, cap):
    """Whatever size is asked for and given; a service that gives fewer needs a count or a marker of its own."""
    for read in (read_rows, read_numbered, read_by_own_marker):
        a_list = AList(size, cap)
        assert await read(a_list, page) == a_list.rows
    for counts in ("page", "none"):
        a_list = AList(size, counts=counts)
        assert await read_rows(a_list, page) == a_list.rows
    a_list = AList(size)
    assert await read_marked(a_list, page) == a_list.rows


@pytest.mark.parametrize(
    ("read", "size", "pages"),
    [
        *((read_rows, *each) for each in [(0, 1), (1, 1), (9, 1), (10, 2), (11, 2), (19, 3), (28, 4), (91, 11)]),
        # A full page that meets the count is followed by a look beyond it, several pages by a look at the front.
        *((read_numbered, *each) for each in [(0, 1), (1, 1), (9, 1), (10, 2), (11, 3), (19, 3), (100, 12)]),
        *((read_marked, *each) for each in [(0, 1), (1, 1), (9, 1), (10, 2), (11, 2), (20, 3), (100, 11)]),
    ],
)
async def test_a_list_is_read_in_as_many_pages_as_it_has(read, size, pages):
    """Ten rows a page; a page that is not full ends the list."""
    a_list = AList(size)

    assert await read(a_list, 10) == a_list.rows
    assert len(a_list.asked) == pages


async def test_progress_is_told_after_every_page():
    """Rows read and rows there are, ending with all of them."""
    told = []

    await read_rows(AList(25), 10, on_page=lambda *rows: told.append(rows))

    assert told == [(10, 25), (19, 25), (25, 25)]


@pytest.mark.parametrize(("read", "size"), [(read_rows, 90), (read_numbered, 99)])
async def test_pages_after_the_first_are_read_side_by_side(read, size):
    """Nine further pages are all asked for before the first of them is answered."""
    a_list = AList(size)
    nine_asked = asyncio.Barrier(9)

    async def together(ask, row, rows):
        if row:
            await nine_asked.wait()
        return await ask(row, rows)

    a_list.by_row = partial(together, a_list.by_row)
    a_list.by_number = partial(together, a_list.by_number)

    assert len(await asyncio.wait_for(read(a_list, 10), 60)) == size


async def test_rows_that_come_and_go_at_once_are_no_whole_list():
    """With every page one row goes and another comes, so the count stays and pages fit; yet rows are missed."""
    for read in ROW_LISTS:
        turning = [Step(edits=(("gone", 0.0), ("new", 1.0)))] * 100

        with pytest.raises(ListIncompleteError) as caught:
            await read(AList(25, steps=turning), 10)

        assert caught.value.announced == 25


async def test_an_incomplete_list_says_how_much_of_it_there_is():
    """A service that gives its first page again and again: both numbers, the path, and the rows that came."""
    a_list = AList(25, steps=[Step(fault="repeats")] * 100)

    with pytest.raises(ListIncompleteError, match="GET /rows announced 25 rows and gave 10") as caught:
        await read_rows(a_list, 10)

    error = caught.value
    assert (error.received, error.announced, error.path, error.status) == (10, 25, "/rows", 200)
    assert error.documents == a_list.rows[:10]


async def test_an_uncounted_list_without_end_says_what_came():
    """Where no number was announced, the sentence names the rows that came."""
    a_list = AList(25, counts="none", steps=[Step(fault="repeats")] * 100)

    with pytest.raises(ListIncompleteError, match=r"no sound end \(rows received: 10\)") as caught:
        await read_rows(a_list, 10)

    assert caught.value.announced is None


@pytest.mark.parametrize("read", ROW_LISTS)
@pytest.mark.parametrize("rows", [0, 1, 10, 1000])
@pytest.mark.parametrize("announced", [300_000_000, sys.maxsize])
async def test_a_count_alone_schedules_nothing(read, rows, announced):
    """A list that announces far more than it gives costs no more calls than rows came, and is incomplete."""
    a_list = AList(rows, counts="none")
    by_row = a_list.by_row

    async def boasting(row, size):
        page = await by_row(row, size)
        return Page(page.rows, announced)

    a_list.by_row = a_list.by_number = boasting

    with pytest.raises(ListIncompleteError) as caught:
        await read(a_list, 1000)

    assert (caught.value.received, caught.value.announced) == (rows, announced)
    assert len(a_list.asked) <= READINGS * (1 + min(rows, AT_ONCE))


@pytest.mark.parametrize("announced", [0, 1, 24])
async def test_a_count_that_is_too_small_means_nothing(announced):
    """Full pages are followed whatever was announced."""
    a_list = AList(25, counts="none")

    async def modest(row, size):
        page = await a_list.by_row(row, size)
        return Page(page.rows, announced)

    for overlap in (0, 1):
        assert await row_pages(modest, path="/rows", key="id", size=10, overlap=overlap) == a_list.rows


@pytest.mark.parametrize("announced", [None, 300_000_000])
async def test_pages_that_never_end_are_left_after_a_while(announced):
    """One new row a page, for ever: what comes is not worth the calls."""
    asked = []

    async def fetch(row, size):
        asked.append((row, size))
        return Page([{"id": len(asked)}], announced, marker=str(len(asked)))

    if announced is None:
        reading = marked_pages(fetch, path="/endless", key="id", size=1000)
    else:
        reading = row_pages(fetch, path="/endless", key="id", size=1000, overlap=0)
    with pytest.raises(ListIncompleteError) as caught:
        await reading

    assert caught.value.received == len(asked) <= READINGS * (FREE_PAGES + 20)


async def test_full_pages_that_never_end_are_left_after_more_rows_than_any_project_has():
    """A thousand new rows a page, for ever; memory is not spent on a second reading."""
    asked = []

    async def fetch(marker, size):
        asked.append(marker)
        first = len(asked) * size
        return Page([{"id": at} for at in range(first, first + size)], marker=str(len(asked)))

    with pytest.raises(ListIncompleteError) as caught:
        await marked_pages(fetch, path="/endless", key="id", size=1000)

    assert caught.value.received == MOST_ROWS


async def test_a_marker_that_does_not_move_is_no_end():
    """A service that ignores the marker would be read for ever; the rest of its list was never seen."""
    asked = []

    async def fetch(marker, size):
        asked.append(marker)
        return Page(some(2), marker="same")

    with pytest.raises(ListIncompleteError) as caught:
        await marked_pages(fetch, path="/marked", key="id", size=2)

    assert caught.value.documents == some(2)
    assert asked == [None, "same"] * READINGS


async def test_rows_are_told_apart_by_several_fields_where_one_is_not_enough():
    """Two key pairs of one name and two scopes are two rows."""
    pairs = [{"name": "k", "scope": "user"}, {"name": "k", "scope": "domain"}]

    async def fetch(row, size):
        return Page(pairs, 2)

    assert await row_pages(fetch, path="/keys", key=("name", "scope"), size=10) == pairs


async def test_what_was_received_can_be_had_beside_the_error():
    """Lists that are made of others go on with what there is, and say so in the end."""

    async def whole():
        return some(3)

    async def half():
        raise ListIncompleteError("Half.", path="/rows", received=2, announced=4, documents=some(2))

    assert await received(whole()) == (some(3), None)
    rows, error = await received(half())
    assert rows == some(2)
    assert (error.received, error.announced) == (2, 4)
    assert error.holding(some(1)).documents == some(1)


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
