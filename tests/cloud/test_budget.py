"""The gateway's own budget is learnt from its 429 and shared by every process of the machine."""

import asyncio

import httpx
import pytest

from sdrs_nb.cloud.budget import FORGET_S, Allowance, BudgetBook, allowance_at, read_limit
from sdrs_nb.cloud.pace import Budgeted
from tests.builders_cloud import ACCESS, PROJECT, PlayedCloud

TEXT = "The throttling threshold has been reached: policy user over ratelimit,limit:{},time:{}"


class Clock:
    """Seconds that pass only when somebody sleeps."""

    def __init__(self):
        self.now = 1_000_000.0

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def book(tmp_path, clock):
    """An empty book on that clock."""
    opened = BudgetBook(tmp_path / "calls.db", clock)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        (TEXT.format(20, "1 second"), (20, 1.0)),
        (TEXT.format(100, "1 minute"), (100, 60.0)),
        ("limit: 5, time: 2 HOURS", (5, 7200.0)),
        (TEXT.format(0, "1 second"), None),
        ("too many requests", None),
        ("", None),
    ],
)
def test_limit_and_window_are_read_from_the_gateways_text(text, limit):
    """The numbers are the gateway's; a text without them teaches nothing."""
    assert read_limit(text) == limit


def test_nothing_is_written_before_a_budget_was_named(book):
    """Counting begins with the first 429; before it, calls leave no file."""
    assert [book.take("p") for _ in range(50)] == [0.0] * 50
    assert not book.path.exists()
    assert book.allowance("p") is None


def test_a_full_window_is_waited_out_and_no_longer(book, clock):
    """After the 429 the next call waits until the oldest counted call has left the window, not minutes by rote."""
    book.take("p")
    clock.now += 10
    book.take("p")
    clock.now += 5
    book.learn("p", TEXT.format(2, "1 minute"))

    assert book.take("p") == pytest.approx(45)
    clock.now += 45
    assert book.take("p") == 0.0
    assert book.take("p") == pytest.approx(10)


def test_never_more_calls_than_the_budget_in_any_window(book, clock):
    """Whatever asks, no window of the learnt length holds more calls than the limit."""
    book.learn("p", TEXT.format(3, "1 second"))
    pace = Budgeted(8, "p", book, clock.sleep)
    left = []

    async def call():
        async with pace.slot("GET", "/x"):
            left.append(clock.now)

    async def all_of_them():
        await asyncio.gather(*(call() for _ in range(20)))

    asyncio.run(all_of_them())

    assert len(left) == 20
    assert all(later - earlier >= 1.0 - 1e-6 for earlier, later in zip(left, left[3:], strict=False))


def test_another_process_keeps_to_the_same_budget(book, clock):
    """What one book learnt and counted, a second one on the same file knows."""
    book.learn("p", TEXT.format(2, "1 second"))
    clock.now += 1
    other = BudgetBook(book.path, clock)

    assert [book.take("p"), other.take("p")] == [0.0, 0.0]
    assert book.take("p") == pytest.approx(1.0)
    assert other.allowance("p") == Allowance(2, 1.0, 0, pytest.approx(1.0))
    assert other.allowance("another project") is None
    other.close()


def test_a_budget_is_forgotten_after_a_while(book, clock):
    """Limits are raised and nobody tells us, so an hour without a 429 ends the counting."""
    book.learn("p", TEXT.format(1, "1 second"))
    clock.now += FORGET_S + 1

    assert [book.take("p") for _ in range(5)] == [0.0] * 5


def test_a_book_that_cannot_be_written_stops_nobody(tmp_path, clock):
    """A file in the way of the book is no reason not to call."""
    (tmp_path / "home").write_text("a file")
    book = BudgetBook(tmp_path / "home" / "calls.db", clock)

    book.learn("p", TEXT.format(1, "1 second"))

    assert book.take("p") == 0.0


async def test_a_429_on_the_wire_teaches_the_budget_of_that_project():
    """A throttled call is repeated, and what the gateway said can be read for the run's endpoint."""
    throttled = httpx.Response(
        429, json={"error_msg": TEXT.format(20, "1 second"), "error_code": "APIGW.0308", "request_id": "r"}
    )
    played = PlayedCloud({"GET /v1/P/jobs/j1": [throttled, {"job_id": "j1", "status": "RUNNING"}]})

    async with played.connect(project_id=PROJECT, **ACCESS) as cloud:
        assert (await cloud.sdrs.job("j1"))["status"] == "RUNNING"
        endpoint = cloud.settings.endpoint or ""

    assert allowance_at(endpoint).calls == 20
