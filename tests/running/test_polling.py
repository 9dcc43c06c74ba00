"""When to look at a job, learnt from jobs seen."""

import pytest

from sdrs_nb.models import Pace
from sdrs_nb.running.job_history import job_seconds
from sdrs_nb.running.polling import next_delay, next_look, poll_delays

SEEN = [170.0, 175.0, 160.0, 178.0, 172.0, 174.0, 176.0, 168.0, 171.0, 173.0]


@pytest.mark.parametrize(
    ("begin", "end", "seconds"),
    [
        ("2026-01-31T01:02:03.120Z", "2026-01-31T01:04:03.620Z", 120.5),
        ("2026-01-31 01:02:03", "2026-01-31 01:02:13", 10.0),
        ("2026-01-31T01:02:03Z", None, None),
        ("", "2026-01-31T01:02:03Z", None),
        ("2026-01-31T01:02:03Z", "2026-01-31T01:02:02Z", 0.0),
        ("soon", "later", None),
    ],
)
def test_a_job_took_from_begin_to_end(begin, end, seconds):
    """Only a job that says both when it began and when it ended tells how long it took."""
    assert job_seconds({"begin_time": begin, "end_time": end}) == seconds


@pytest.mark.parametrize(("looks", "least", "most"), [(0, 4, 6), (20, 24, 36)])
def test_without_experience_looks_grow_apart(looks, least, most):
    """Before three jobs were seen, the wait grows from 5 s to 30 s."""
    assert least <= next_look(0, looks, [1.0, 2.0], Pace()) <= most


def test_the_first_look_comes_when_the_fastest_had_ended():
    """With experience nobody looks before a job can have ended; what has passed already counts."""
    assert 168 <= next_look(0, 0, SEEN, Pace()) <= 171
    assert 68 <= next_look(100, 0, SEEN, Pace()) <= 71


@pytest.mark.parametrize(("elapsed", "least", "most"), [(170, 4, 6), (180, 4, 6), (203, 12, 18), (2000, 24, 36)])
def test_later_looks_are_close_while_an_end_is_likely_then_rarer(elapsed, least, most):
    """Until the slowest seen has passed every 5 s, after that ever more rarely, never rarer than the longest wait."""
    assert least <= next_look(elapsed, 3, SEEN, Pace()) <= most


@pytest.mark.parametrize(("looks", "least", "most"), [(0, 4, 6), (1, 6, 9), (20, 24, 36)])
def test_looks_grow_apart_from_five_to_thirty_seconds(looks, least, most):
    """The wait before a look grows from 5 s to 30 s, spread by a fifth either way."""
    assert least <= next_delay(looks) <= most


@pytest.mark.parametrize("within_s", [0, 1, 60, 600])
def test_waits_end_when_they_add_up_to_the_limit(within_s):
    """The last wait begins before the limit and reaches it; nothing is waited for a limit of 0 s."""
    delays = list(poll_delays(within_s=within_s))

    assert sum(delays[:-1]) < within_s or not delays
    assert sum(delays) >= within_s
