"""Doubt ends by fact: a batch is unknown until its request is answered, found, or proved absent and sent again."""

from datetime import datetime, timedelta

import pytest

import sdrs_nb
from sdrs_nb.cloud.clock import CloudClock
from sdrs_nb.models import Pace
from sdrs_nb.sandbox.routing import Reply
from tests.builders_running import CREATE, creates, creations, faults

pytest_plugins = ["tests.running_fixtures"]

#: Handled long after the settling time, and long after every resend.
VERY_LATE = {"match": CREATE, "kind": "late_handle", "seconds": 5000}


@pytest.fixture
def first(plan):
    """The servers of the first batch."""
    return list(plan.batches[0].server_ids)


async def start(cloud, plan, ledger, cloud_time, **pace):
    """Submit the plan and follow it as far as it goes."""
    run = await sdrs_nb.submit(
        cloud, plan, approve=plan.fingerprint, ledger=ledger, sleep=cloud_time.sleep, pace=Pace(**pace)
    )
    return await sdrs_nb.follow(cloud, run, sleep=cloud_time.sleep)


async def nothing_yet(_engine, _batch):
    """Find nothing of a request."""
    return False


def stages(run, servers):
    """The stages of these servers."""
    return set(run.servers.set_index("server_id").loc[servers, "stage"])


async def test_a_request_that_was_resent_often_enough_stays_unknown(
    sandbox, cloud, plan, planned, ledger, cloud_time, first
):
    """Nothing of it is there, but it may come true yet: not failed, not "not sent"; its servers stay claimed."""
    await faults(sandbox, {**VERY_LATE, "times": 1})

    run = await start(cloud, plan, ledger, cloud_time, resends=0)

    assert (run.state, stages(run, first)) == ("done", {"unknown"})
    with pytest.raises(sdrs_nb.ClaimedError):
        await sdrs_nb.submit(cloud, plan, approve=plan.fingerprint, ledger=ledger)

    sandbox.advance(5000)
    outcome = await sdrs_nb.verify(cloud, run)

    assert set(outcome.set_index("server_id").loc[first, "whose"]) == {"adopted"}
    assert set(outcome["stage"]) <= {"created", "protected", "in sync"}
    assert run.batches["state"].unique().tolist() == ["ended"]
    assert await creations(sandbox) == planned


@pytest.mark.parametrize("resends", [1, 2])
async def test_a_request_proven_absent_is_sent_again_as_often_as_allowed(
    sandbox, cloud, plan, planned, ledger, cloud_time, first, resends
):
    """The last allowed repetition is sent, and what it made counts."""
    left, answer = [Reply(504, {"error_msg": "no answer"})] * resends, sandbox.service.answer

    def unclear(request, effects, logged):
        mine = request.method == "POST" and first[0].encode() in request.body
        return left.pop() if mine and left else answer(request, effects, logged)

    sandbox.service.answer = unclear
    run = await start(cloud, plan, ledger, cloud_time, resends=resends)

    assert run.state == "done"
    assert stages(run, first) <= {"created", "protected", "in sync"}
    assert (run.attempts["batch_id"] == "b001").sum() == resends + 1
    assert await creations(sandbox) == planned


@pytest.mark.parametrize(("settle_s", "longest_look_s"), [(180, 5), (60, 2), (45, 30)])
async def test_no_create_is_repeated_before_its_settling_time(
    sandbox, cloud, plan, planned, ledger, cloud_time, first, settle_s, longest_look_s
):
    """However often the list is read on the way, the repetition leaves when all of the settling time has passed."""
    left, answer = [Reply(504, {"error_msg": "no answer"})], sandbox.service.answer
    left_at = []

    def unclear(request, effects, logged):
        if request.method != "POST" or first[0].encode() not in request.body:
            return answer(request, effects, logged)
        left_at.append(sandbox.service.settle())
        return left.pop() if left else answer(request, effects, logged)

    sandbox.service.answer = unclear
    await start(cloud, plan, ledger, cloud_time, settle_s=settle_s, longest_look_s=longest_look_s)

    earlier, later = left_at
    assert later - earlier >= settle_s
    assert await creations(sandbox) == planned


async def test_the_settling_time_begins_when_the_request_has_certainly_left(
    sandbox, cloud, plan, ledger, cloud_time, monkeypatch
):
    """A clock read from whole seconds may be off by its slack, so that much is added."""
    monkeypatch.setattr(CloudClock, "slack_s", 2.0)
    await faults(sandbox, {"match": CREATE, "kind": "lost_answer", "times": 1, "handle": False})
    monkeypatch.setattr("sdrs_nb.running.settling.adopt_late", nothing_yet)

    run = await start(cloud, plan, ledger, cloud_time, resends=0)

    doubted = run.attempts[run.attempts["settling_from"].notna()].iloc[0]
    # The moment of sending is counted from the early end of what the clock may mean, this one from the late end.
    sent = datetime.fromisoformat(doubted["sent_cloud_at"])
    assert datetime.fromisoformat(doubted["settling_from"]) - sent >= timedelta(seconds=4)


@pytest.mark.parametrize(("is_resent", "expected"), [(True, ["absent", "adopted"]), (False, ["refused"])])
async def test_protected_already_may_be_ours_only_after_an_earlier_request(
    sandbox, cloud, plan, ledger, cloud_time, first, is_resent, expected
):
    """SDRS.1305 to a repetition is a doubt and looked into; to a first request it is the refusal that it says."""
    left, answer = [Reply(504, {"error_msg": "no answer"})] * is_resent, sandbox.service.answer

    def taken(request, effects, logged):
        if request.method != "POST" or first[0].encode() not in request.body:
            return answer(request, effects, logged)
        if left:
            return left.pop()
        answer(request, effects, logged)
        return Reply(400, {"error_code": "SDRS.1305", "error_msg": "protected already"})

    sandbox.service.answer = taken
    run = await start(cloud, plan, ledger, cloud_time)

    assert run.attempts.loc[run.attempts["batch_id"] == "b001", "result"].tolist() == expected
    assert is_resent == (stages(run, first) <= {"created", "protected", "in sync"})


async def test_what_came_true_while_the_run_rested_is_adopted_and_not_sent_again(
    sandbox, cloud, plan, planned, ledger, cloud_time, first, monkeypatch
):
    """It was proven absent and then came true: the list is read before it is sent again."""
    await faults(sandbox, {**VERY_LATE, "times": 1})
    answer = ledger.answer

    def pausing(attempt, result, **facts):
        answer(attempt, result, **facts)
        if result == "absent":
            run.pause()

    monkeypatch.setattr(ledger, "answer", pausing)
    run = await sdrs_nb.submit(cloud, plan, approve=plan.fingerprint, ledger=ledger, sleep=cloud_time.sleep)
    await sdrs_nb.follow(cloud, run, sleep=cloud_time.sleep)
    assert run.attempts["result"].tolist().count("absent") == 1
    sandbox.advance(5000)

    await sdrs_nb.resume(cloud, run, sleep=cloud_time.sleep)
    assert set(run.attempts["result"]) <= {"accepted", "adopted"}
    assert (run.attempts["batch_id"] == "b001").sum() == 1
    assert "Facts changed" not in " ".join(run.events["data"])
    assert stages(run, first) <= {"created", "protected", "in sync"}
    assert await creations(sandbox) == planned


async def test_resuming_looks_again_and_adopts(sandbox, cloud, plan, planned, ledger, cloud_time, first):
    """What came true after the run called itself done is found by resume as well."""
    await faults(sandbox, {**VERY_LATE, "times": 1})
    run = await start(cloud, plan, ledger, cloud_time, resends=0)
    sandbox.advance(5000)

    await sdrs_nb.resume(cloud, run, sleep=cloud_time.sleep)

    assert stages(run, first) <= {"created", "protected", "in sync"}
    assert await creations(sandbox) == planned


async def test_cancelling_gives_up_no_request_in_doubt(sandbox, cloud, plan, ledger, cloud_time, first):
    """It waits to be sent again when the operator cancels: the others are held, it stays unknown and claimed."""
    await faults(sandbox, VERY_LATE)

    async def sleep(seconds):
        await cloud_time.sleep(seconds)
        if ledger.rows("SELECT 1 FROM attempts WHERE result = 'absent'"):
            run.cancel()

    run = await sdrs_nb.submit(cloud, plan, approve=plan.fingerprint, ledger=ledger, sleep=sleep)
    await sdrs_nb.follow(cloud, run, sleep=sleep)

    doubted = set(run.attempts.loc[run.attempts["result"] == "absent", "batch_id"])
    batches = run.batches.set_index("batch_id")
    assert doubted
    assert "held" not in set(batches.loc[list(doubted), "state"])
    rows = run.servers[run.servers["batch_id"].isin(doubted)]
    assert "not sent" not in set(rows["stage"])


async def test_a_batch_in_doubt_is_not_held_at_the_door(sandbox, cloud, plan, ledger, cloud_time, first):
    """The facts change before it can be sent again: it is unknown, with the reason, and looked at again by resume."""
    await faults(sandbox, {**VERY_LATE, "times": 1})
    group = sandbox.service.world.groups[plan.batches[0].group_id]

    async def sleep(seconds):
        await cloud_time.sleep(seconds)
        if [status for status, _handled in await creates(sandbox)].count(None):
            group.status = "error"

    run = await sdrs_nb.submit(cloud, plan, approve=plan.fingerprint, ledger=ledger, sleep=sleep, pace=Pace(resends=1))
    await sdrs_nb.follow(cloud, run, sleep=sleep)

    assert stages(run, first) == {"unknown"}
    assert run.batches.set_index("batch_id").loc["b001", "state"] == "unknown"

    group.status = "available"
    await sdrs_nb.resume(cloud, run, sleep=cloud_time.sleep)

    # The door stopped the one repetition that is allowed; it is sent now.
    assert (run.attempts["batch_id"] == "b001").sum() == 2
    assert stages(run, first) <= {"created", "protected", "in sync"}


async def test_only_a_recorded_word_frees_what_is_in_doubt(sandbox, cloud, plan, ledger, cloud_time, first):
    """Who let the servers go, and why, is in the ledger; they are unknown still, and can be planned again."""
    await faults(sandbox, {**VERY_LATE, "times": 1})
    run = await start(cloud, plan, ledger, cloud_time, resends=0)

    assert run.cancel() == 0
    assert run.let_go("the gateway's log shows that it never came", who="li") == ["b001"]

    assert stages(run, first) == {"unknown"}
    told = run.events[run.events["kind"] == "let go"]
    assert told["data"].str.contains("li").all()
    again = await sdrs_nb.submit(cloud, plan, approve=plan.fingerprint, ledger=ledger, sleep=cloud_time.sleep)
    assert again.run_id != run.run_id
    await sdrs_nb.follow(cloud, again, sleep=cloud_time.sleep)


@pytest.mark.parametrize("hours", [5, -5])
async def test_a_step_of_the_wall_clock_changes_nothing(sandbox, cloud, plan, planned, ledger, cloud_time, hours):
    """Our clock is set by hours while a request is in doubt: the cloud's clock decides when it is sent again."""
    await faults(sandbox, {"match": CREATE, "kind": "reset", "times": 1})

    async def sleep(seconds):
        if [status for status, _handled in await creates(sandbox)] == [None]:
            cloud_time.now += timedelta(hours=hours)
        await cloud_time.sleep(seconds)

    run = await sdrs_nb.submit(cloud, plan, approve=plan.fingerprint, ledger=ledger, sleep=sleep)
    await sdrs_nb.follow(cloud, run, sleep=sleep)

    requests = [one for one in sandbox.service.log.documents() if one["path"].endswith("/protected-instances/batch")]
    assert await creations(sandbox) == planned
    lost = requests[0]["body"]
    again = next(one for one in requests[1:] if one["body"] == lost)
    assert 180 <= moments(requests[0], again) < 260


def moments(one, other):
    """Cloud seconds between two requests."""
    return (datetime.fromisoformat(other["at"]) - datetime.fromisoformat(one["at"])).total_seconds()


async def test_only_a_list_begun_after_the_settling_time_proves_absence(
    sandbox, cloud, plan, planned, ledger, cloud_time
):
    """A list that takes long ends after it, but shows what was there before: the request comes true meanwhile."""
    await faults(sandbox, {"match": CREATE, "kind": "late_handle", "seconds": 182, "times": 1})
    group, answer, began = plan.batches[0].group_id, sandbox.service.answer, sandbox.service.settle()

    def slowly(request, effects, logged):
        reply = answer(request, effects, logged)
        is_list = request.raw_path.endswith("/protected-instances") and group in request.raw_query
        if is_list and 100 < sandbox.service.settle() - began < 180:
            sandbox.advance(90)
        return reply

    sandbox.service.answer = slowly
    run = await start(cloud, plan, ledger, cloud_time)

    assert "answer absent" not in set(run.events["kind"])
    assert "adopted" in set(run.attempts["result"])
    assert await creations(sandbox) == planned


async def test_a_later_wave_waits_for_a_batch_whose_end_is_unknown(sandbox, cloud, plan, planned, ledger, cloud_time):
    """Nothing of the second wave is sent before the first is clear; resume goes on once it is."""
    inventory = await sdrs_nb.load_inventory(cloud)
    options = sdrs_nb.BatchOptions(batch_limit=3)
    judged = sdrs_nb.check_eligibility(inventory, server_ids=list(planned), options=options)
    later = list(plan.batches[-1].server_ids)
    overrides = [{"server_id": server, "wave": 2} for server in later]
    in_waves = sdrs_nb.plan_batches(judged, name_prefix="t", overrides=overrides)
    await faults(sandbox, {**VERY_LATE, "times": 1})

    run = await start(cloud, in_waves, ledger, cloud_time, resends=0)

    assert not set(later) & set(await creations(sandbox))
    assert (run.state, stages(run, later)) == ("paused", {"not sent"})
    assert "later waves wait" in run.message

    sandbox.advance(5000)
    await sdrs_nb.resume(cloud, run, sleep=cloud_time.sleep)

    assert run.state == "done"
    assert await creations(sandbox) == planned
