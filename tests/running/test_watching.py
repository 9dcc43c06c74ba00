"""What becomes of a request whose job, answer or instances do not come as they should."""

from collections import Counter

import pytest

import sdrs_nb
from sdrs_nb.running.endings import Ending, Owned, end_of, sub_job_rows
from sdrs_nb.running.jobs import read_job
from sdrs_nb.running.ownership import Ownership, Whose
from sdrs_nb.sandbox.routing import Reply
from tests.builders_running import CREATE, LIST, control, creations, faults, submit_and_follow

pytest_plugins = ["tests.running_fixtures"]


def hide(sandbox, *servers):
    """Let the instances of these servers show in no list."""
    for server in servers:
        sandbox.service.world.instances[sandbox.service.world.instance_by_server[server]].listed_from = 1e12


async def test_a_server_of_an_adopted_request_that_never_appears_is_unknown(sandbox, cloud, plan, ledger, cloud_time):
    """Some of an unanswered request's servers are found: the others are neither made nor failed as far as we know."""
    await faults(sandbox, {"match": CREATE, "kind": "lost_answer", "times": 4})
    lost = plan.batches[0].server_ids[1]
    service, answer = sandbox.service, sandbox.service.answer

    def answering(request, effects, logged):
        reply = answer(request, effects, logged)
        if lost in service.world.instance_by_server:
            hide(sandbox, lost)
        return reply

    service.answer = answering
    run = await submit_and_follow(cloud, plan, ledger, cloud_time)

    servers = run.servers.set_index("server_id")
    assert servers.loc[lost, "stage"] == "unknown"
    assert "resume" in servers.loc[lost, "message"]
    assert servers["stage"].value_counts()["unknown"] == 1
    assert run.batches["state"].tolist().count("unknown") == 1

    service.world.instances[service.world.instance_by_server[lost]].listed_from = 0
    await sdrs_nb.resume(cloud, run, sleep=cloud_time.sleep)

    assert run.servers.set_index("server_id").loc[lost, "stage"] in ("created", "protected", "in sync")


async def test_a_failed_list_after_the_job_fails_no_server(sandbox, carried_out, planned):
    """The list that follows a job's end may fail or lag; the servers are looked for again."""
    await faults(
        sandbox,
        {"match": LIST, "kind": "status", "status": 500, "after": 1, "times": 12},
        {"match": LIST, "kind": "list_lag", "seconds": 240, "times": 20},
    )

    run = await carried_out()

    assert await creations(sandbox) == planned
    assert set(run.servers["stage"]) <= {"created", "protected", "in sync"}


async def test_an_adopted_request_still_says_why_a_server_failed(sandbox, carried_out):
    """Without a job the task center gives the code of the instance that failed."""
    await faults(
        sandbox,
        {"match": CREATE, "kind": "fail_subjob", "code": "SDRS.1306", "n": 1},
        {"match": CREATE, "kind": "lost_answer"},
    )

    run = await carried_out()

    failed = run.servers[run.servers["stage"].eq("failed")]
    assert failed["error_code"].tolist() == ["SDRS.1306"]


async def test_a_request_taken_for_absent_that_comes_true_later_is_adopted(sandbox, carried_out, planned):
    """A create handled after the settling time is found at the next try's re-check, and not sent again."""
    await faults(sandbox, {"match": CREATE, "kind": "late_handle", "seconds": 60})

    run = await carried_out(settle_s=20, resends=50)
    requests = await control(sandbox, "GET", "requests")

    assert await creations(sandbox) == planned
    assert not [r for r in requests if r["code"] == "SDRS.1305" and r["handled"]]
    assert set(run.servers["stage"]) <= {"created", "protected", "in sync"}


@pytest.mark.parametrize(
    ("looks", "is_followed", "whose"),
    [
        (["missed"], True, "made"),
        (["missed"] * 2, True, "made"),
        (["missed", "missed", "failed", "missed", "missed"], True, "made"),
        (["missed", "missed", "answered", "missed"], True, "made"),
        (["missed"] * 3, False, "adopted"),
        # What a job once named stays proven.
        (["answered", "missed", "missed", "missed"], False, "made"),
    ],
)
async def test_a_job_counts_as_vanished_when_three_looks_in_a_row_miss_it(
    sandbox, carried_out, ledger, looks, is_followed, whose
):
    """One miss may be a lagging replica's; a vanished job names no instance, so what is found is adopted."""
    said = {
        "missed": Reply(400, {"code": "SDRS.0408", "message": ""}),
        "failed": Reply(400, {"code": "SDRS.0001", "message": ""}),
    }
    looked, answer = Counter(), sandbox.service.answer

    def answering(request, effects, logged):
        if "/jobs/" not in request.raw_path:
            return answer(request, effects, logged)
        looked[request.raw_path] += 1
        look = looks[looked[request.raw_path] - 1] if looked[request.raw_path] <= len(looks) else "answered"
        return said[look] if look in said else answer(request, effects, logged)

    sandbox.service.answer = answering
    run = await carried_out()

    assert set(run.servers["whose"]) == {whose}
    ended = {row["status"] for row in ledger.rows("SELECT status FROM jobs")} == {"SUCCESS"}
    assert ended is is_followed
    assert set(run.servers["stage"]) <= {"created", "protected", "in sync"}


async def test_a_list_may_lag_behind_a_job_that_succeeded_as_long_as_a_job_may_last(sandbox, carried_out, planned):
    """Success was told for every server, so one that no list shows yet is waited for, past the settling time."""
    await faults(sandbox, {"match": CREATE, "kind": "list_lag", "seconds": 1500, "times": 50})

    run = await carried_out()

    assert not set(run.events["kind"]) & {"batch unknown"}
    assert set(run.servers["stage"]) <= {"created", "protected", "in sync"}
    assert await creations(sandbox) == planned


def a_job(parent="RUNNING", **sub_job):
    """Return a job with one sub-job."""
    sub = {"job_id": "s1", "status": "SUCCESS", "entities": {"protected_instance_id": "i1", "native_server_id": "d1"}}
    return read_job({"job_id": "j", "status": parent, "entities": {"sub_jobs": [{**sub, **sub_job}]}})


def test_a_sub_job_is_mapped_to_its_server_through_the_instance():
    """A finished sub-job of a running job moves its server to job ok; one whose instance is not known moves nobody."""
    instances = {"db": {"id": "i1", "source_server": "db"}}

    assert [(row["server_id"], row["stage"]) for row in sub_job_rows(a_job(), instances)] == [("db", "job ok")]
    assert sub_job_rows(a_job(), {}) == []
    assert sub_job_rows(a_job(entities={}), instances) == []


def test_a_failed_sub_job_tells_its_reason_before_the_parent_ends():
    """The server stays accepted until its instance was looked at, with the code already there."""
    (row,) = sub_job_rows(
        a_job(status="FAIL", error_code="SDRS.1306", fail_reason="no key pair"),
        {"db": {"id": "i1", "source_server": "db"}},
    )

    assert (row["stage"], row["error_code"]) == ("accepted", "SDRS.1306")
    assert "no key pair" in row["message"]


def test_a_parent_that_failed_keeps_its_created_servers():
    """The end of a server is its instance's, whatever the parent says."""
    failed = Ending(a_job(parent="FAIL"))
    made = Owned({"id": "i1", "status": "available", "target_server": "d1"}, Ownership(Whose.MADE, ""))

    assert end_of("db", made, failed)["stage"] == "created"
    assert end_of("db", None, failed)["stage"] == "failed"
    assert end_of("db", None, Ending(None))["stage"] == "unknown"


async def test_a_taken_request_is_adopted_at_once_and_not_after_the_settling_time(sandbox, cloud_time, carried_out):
    """What the first list shows is adopted; only absence needs the settling time."""
    await faults(sandbox, {"match": CREATE, "kind": "lost_answer"})

    run = await carried_out(settle_s=100_000)

    assert run.attempts["result"].value_counts().to_dict() == {"accepted": 3, "adopted": 1}
    assert cloud_time.now.day == 31
