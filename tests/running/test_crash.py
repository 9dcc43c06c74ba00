"""A process that dies at any moment leaves a run that resume finishes: a sample of ``python -m tests.crash``."""

import pytest

from sdrs_nb.ledger.ledger import Ledger
from sdrs_nb.running.runs import list_runs
from tests.crash import CANCEL, ENDINGS, KINDS, Tally, Worlds, assert_no_blind_resend, kill_and_resume, rival


@pytest.mark.slow
def test_twenty_deaths_lose_nothing_and_double_nothing():
    """Twenty children die by SIGKILL, at every kind of write and in flight; each server is created exactly once."""
    tally = kill_and_resume(kills=20, batches=8, speed=900)

    assert sum(tally.deaths.values()) == 20
    # A run this short may end before the time comes, or before a look fails.
    assert {*KINDS, *ENDINGS, CANCEL, "run"} - {"time", "note"} <= set(tally.deaths)


@pytest.mark.slow
def test_two_processes_with_the_same_servers_create_nothing_twice(tmp_path):
    """Of two processes that submit at the same time one is refused, and told which run holds the servers."""
    worlds = Worlds(batches=8, speed=600, folder=tmp_path)
    try:
        both = [
            worlds.processes.Process(
                target=rival, args=(worlds.facts, tmp_path / "home", worlds.plan_path, tmp_path / f"said-{n}")
            )
            for n in range(2)
        ]
        for process in both:
            process.start()
        for process in both:
            process.join(120)

        said = [path.read_text(encoding="utf-8") for path in tmp_path.glob("said-*")]
        worlds.check(tmp_path / "home", Tally())
        (run_id,) = list_runs(Ledger(tmp_path / "home" / "ledger.db"))["run_id"]
        assert len(said) == 1
        assert run_id in said[0]
    finally:
        worlds.sandbox.stop()


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
