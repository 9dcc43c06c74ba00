"""The cloud's clock: what its answers say, and the time that has really passed since."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from sdrs_nb.cloud.clock import CloudClock

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Elapsed:
    """Seconds that a test lets pass."""

    def __init__(self):
        self.seconds = 1000.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def elapsed():
    """Nothing has passed yet."""
    return Elapsed()


def dated(moment):
    """The headers of a real cloud's answer."""
    return {"date": format_datetime(moment, usegmt=True)}


def stamped(moment, speed="60", world="w"):
    """The headers of a sandbox's answer."""
    return {"x-sandbox-time": moment.isoformat(), "x-sandbox-speed": speed, "x-sandbox-world": world}


def test_between_answers_real_time_passes(elapsed):
    """The date of an answer, and the seconds since; what the wall clock shows does not matter."""
    clock = CloudClock(elapsed=elapsed)
    clock.hear(dated(NOON))
    elapsed.seconds += 90

    assert clock.now() == clock.at_least() == NOON + timedelta(seconds=90)


def test_it_never_runs_backwards(elapsed):
    """An answer that was overtaken by another, or a machine whose clock is behind, takes nothing back."""
    clock = CloudClock(elapsed=elapsed)
    clock.hear(dated(NOON))
    elapsed.seconds += 10
    clock.hear(dated(NOON - timedelta(hours=5)))

    assert clock.now() == NOON + timedelta(seconds=10)

    # A newer answer that says less than what has passed here: the machine's clock runs fast.
    clock.hear(dated(NOON + timedelta(seconds=4)))
    assert clock.now() == NOON + timedelta(seconds=10)


@pytest.mark.parametrize("headers", [{}, {"date": "yesterday"}, {"date": ""}, {"x-sandbox-time": NOON.isoformat()}])
def test_an_odd_date_says_nothing(elapsed, headers):
    """It goes on from what was known; a real cloud's word on sandboxes counts for nothing."""
    clock = CloudClock(elapsed=elapsed)
    clock.hear(dated(NOON))
    clock.hear(headers)

    assert clock.now() == NOON


def test_a_sandbox_is_believed_only_where_it_was_named(elapsed):
    """Its time and its speed count for a named one; its world is known either way."""
    named, unnamed = CloudClock(is_sandbox=True, elapsed=elapsed), CloudClock(elapsed=elapsed)
    for clock in (named, unnamed):
        clock.hear({**stamped(NOON), **dated(NOON + timedelta(days=200))})
    elapsed.seconds += 1

    assert (named.now(), named.scale, named.world) == (NOON + timedelta(seconds=60), 60, "w")
    assert (unnamed.now(), unnamed.scale, unnamed.world) == (NOON + timedelta(days=200, seconds=1), 1, "w")
    assert (named.slack_s, unnamed.slack_s) == (0, 2)


def test_only_an_answer_proves_a_moment_of_a_sandbox(elapsed):
    """Its speed can have been changed since, so the seconds that have passed prove nothing."""
    clock = CloudClock(is_sandbox=True, elapsed=elapsed)
    clock.hear(stamped(NOON))
    elapsed.seconds += 5

    assert (clock.at_least(), clock.now()) == (NOON, NOON + timedelta(seconds=300))


@pytest.mark.parametrize("speed", ["-1", "nan", "inf", "1e9", "fast", ""])
def test_a_speed_that_no_sandbox_has_is_not_believed(elapsed, speed):
    """What was known of the speed stays."""
    clock = CloudClock(is_sandbox=True, elapsed=elapsed)
    clock.hear(stamped(NOON, speed="25"))
    clock.hear(stamped(NOON, speed=speed))

    assert clock.scale == 25


@pytest.mark.parametrize("is_sandbox", [False, True])
@pytest.mark.parametrize("minutes", [-20, 0, 20])
def test_how_far_our_clock_is_from_theirs_is_known(minutes, is_sandbox):
    """By the ``Date`` of an answer, also of a sandbox: signatures are judged by it; before an answer nobody knows."""
    clock = CloudClock(is_sandbox=is_sandbox, wall=lambda: NOON)
    before = clock.ahead_s

    clock.hear({**stamped(NOON + timedelta(days=9)), **dated(NOON + timedelta(minutes=minutes))})
    clock.hear({"date": "nonsense"})

    assert (before, clock.ahead_s) == (None, 60 * minutes)
