"""A wait of minutes for the gateway's limit is told, with its end, to whoever listens."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import pytest

import sdrs_nb
from sdrs_nb.cloud.budget import BudgetBook
from sdrs_nb.cloud.pace import Budgeted
from sdrs_nb.cloud.waiting import Waits
from sdrs_nb.models import Wait
from tests.builders_cloud import PlayedCloud, an_error

TEXT = "The throttling threshold has been reached: policy user over ratelimit,limit:{},time:{}"
BEGAN = datetime(2026, 1, 31, 9, tzinfo=UTC)
GROUPS = "GET /v1/P/server-groups"


class Pacing:
    """A pace on a clock that only its sleep moves, and what it told."""

    def __init__(self, folder):
        self.now = BEGAN
        self.told = []
        self.book = BudgetBook(folder / "calls.db", self.seconds)
        self.pace = Budgeted(8, "p", self.book, self.sleep)
        self.pace.waits.listen(self.told.append)

    def seconds(self):
        """What the clock shows."""
        return self.now.timestamp()

    async def sleep(self, seconds):
        """Let the clock run on, once everybody who wants to wait does."""
        end = self.now + timedelta(seconds=seconds)
        await asyncio.sleep(0.01)
        self.now = max(self.now, end)

    async def call(self, calls=1):
        """Make calls side by side."""

        async def one():
            async with self.pace.slot("GET", "/"):
                pass

        await asyncio.gather(*(one() for _ in range(calls)))


@pytest.fixture
def pacing(tmp_path):
    """The pace, its budget not learnt yet."""
    made = Pacing(tmp_path)
    yield made
    made.book.close()


async def test_a_long_wait_is_told_once_with_its_end_and_that_it_is_over(pacing):
    """Twenty calls a minute, all used: eight that wait for the next window are one wait."""
    await pacing.call(20)
    pacing.pace.heard("GET", "/", 429, TEXT.format(20, "1 minute"))

    await pacing.call(8)

    assert pacing.told == [Wait(until=BEGAN + timedelta(seconds=60), calls=20, window_s=60), None]


async def test_short_waits_are_told_nobody(pacing):
    """A limit by the second is no news."""
    await pacing.call(20)
    pacing.pace.heard("GET", "/", 429, TEXT.format(20, "1 second"))

    await pacing.call(60)

    assert pacing.now > BEGAN
    assert pacing.told == []


async def test_a_wait_that_is_called_off_is_over(pacing):
    """Cancelling the only call that waits leaves no wait behind on the screen."""
    await pacing.call(5)
    pacing.pace.heard("GET", "/", 429, TEXT.format(5, "1 hour"))
    began = asyncio.Event()
    pacing.pace.waits.listen(lambda _wait: began.set())
    waiting = asyncio.ensure_future(pacing.call())
    await began.wait()

    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    assert [one is None for one in pacing.told] == [False, True]
    assert pacing.pace.waits.now is None


@pytest.mark.parametrize(
    ("calls", "window_s", "english", "chinese"),
    [
        (20, 60.0, "20 requests a minute", "每分钟 20 次请求"),
        (1, 1.0, "1 request a second", "每秒 1 次请求"),
        (1000, 3600.0, "1000 requests an hour", "每小时 1000 次请求"),
        (5, 86400.0, "5 requests a day", "每天 5 次请求"),
        (7, 30.0, "7 requests in 30 s", "每 30 秒 7 次请求"),
    ],
)
def test_a_wait_is_a_sentence_in_both_languages(calls, window_s, english, chinese):
    """Until when by this machine's clock, for what, and how much the gateway takes."""
    wait = Wait(until=BEGAN, calls=calls, window_s=window_s)
    time = f"{BEGAN.astimezone():%H:%M:%S}"

    said = str(wait)
    sdrs_nb.set_language("zh")

    assert said == f"waiting until {time} for the gateway's limit ({english})"
    assert str(wait) == f"因网关限额等待至 {time}（{chinese}）"


def test_a_wait_nobody_listens_to_is_logged(caplog):
    """A cell or a script without any face still says why it stands still; with a listener the log stays quiet."""
    waits = Waits()
    wait = Wait(until=BEGAN, calls=20, window_s=60)

    with caplog.at_level(logging.WARNING, "sdrs_nb"):
        waits.begin(wait)
        waits.end()
        end = waits.listen(lambda _wait: None)
        waits.begin(wait)
        end()

    assert [record.getMessage() for record in caplog.records] == [str(wait)]


def test_who_listens_late_is_told_the_wait_under_way():
    """A panel opened while calls wait shows it at once, and nothing once it stopped listening."""
    waits, told = Waits(), []
    waits.begin(Wait(until=BEGAN, calls=20, window_s=60))

    end = waits.listen(told.append)
    end()
    waits.end()

    assert told == [Wait(until=BEGAN, calls=20, window_s=60)]


async def test_waits_are_told_on_the_loop_that_awaits(tmp_path):
    """``telling`` calls where the cell runs, not on the private loop's thread."""
    throttled = an_error(429, "APIGW.0308", TEXT.format(1, "1 minute"))
    pacing = Pacing(tmp_path)
    cloud = PlayedCloud({GROUPS: [throttled, {"server_groups": [], "count": 0}]}).connect(pace=pacing.pace)
    here, loops = asyncio.get_running_loop(), []

    with cloud.telling(lambda _wait: loops.append(asyncio.get_running_loop())):
        await cloud.sdrs.groups()
        await asyncio.sleep(0)

    pacing.book.close()
    assert loops
    assert set(loops) == {here}
