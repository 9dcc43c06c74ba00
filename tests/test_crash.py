"""A process that dies at any moment leaves a run that resume finishes: a sample of ``python -m tests.crash``."""

import pytest

from tests.crash import KINDS, assert_no_blind_resend, kill_and_resume


@pytest.mark.slow
def test_twenty_deaths_lose_nothing_and_double_nothing():
    """Twenty children die by SIGKILL, at writes, in flight and by time; each server is created exactly once."""
    tally = kill_and_resume(kills=20, batches=12, speed=600)

    assert sum(tally.deaths.values()) == 20
    assert set(KINDS) <= set(tally.deaths) | {"run state", "time"}


def a_request(number, at, method="POST", *, status=202, code=None):
    """Return a logged request about server s1 of group g1, ``at`` seconds after noon."""
    path = "/v1/p/protected-instances" + ("/batch" if method == "POST" else "")
    body = {"protected_instances": {"server_group_id": "g1", "servers": [{"server_id": "s1"}]}}
    return {
        "arrival": number,
        "at": f"2026-01-01T12:{at // 60:02}:{at % 60:02}.000Z",
        "method": method,
        "path": path,
        "query": {"server_group_id": "g1"},
        "body": body if method == "POST" else None,
        "status": status,
        "code": code,
    }


@pytest.mark.parametrize(
    "requests",
    [
        pytest.param([a_request(1, 0), a_request(2, 400)], id="resent without a list"),
        pytest.param([a_request(1, 0), a_request(2, 60, "GET"), a_request(3, 400)], id="list before the settling time"),
        pytest.param(
            [a_request(1, 0, status=None), a_request(2, 200, "GET", status=502), a_request(3, 400)],
            id="a list that failed",
        ),
        pytest.param([a_request(1, 0, status=400, code="SDRS.1305")], id="refused as a double"),
    ],
)
def test_the_check_itself_sees_a_blind_resend(requests):
    """What the crash test looks for would be found."""
    with pytest.raises(AssertionError):
        assert_no_blind_resend(requests)


def test_a_list_after_the_settling_time_allows_a_second_create():
    """An unanswered create, a list 200 s later, a second create: that is how it must be."""
    requests = [a_request(1, 0, status=None), a_request(2, 200, "GET", status=200), a_request(3, 210)]

    assert assert_no_blind_resend(requests) == 1
