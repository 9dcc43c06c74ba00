"""A run against the sandbox: every server created once, whatever is lost, late or cut off on the way."""

import asyncio
import contextlib
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

import sdrs_nb
from sdrs_nb import loop
from sdrs_nb.ledger.ledger import Control, Ledger
from sdrs_nb.models import Pace
from sdrs_nb.running import engine
from sdrs_nb.running.engine import Engine
from sdrs_nb.running.runs import list_runs, open_run
from sdrs_nb.running.walk import Walk, walk_of
from tests.builders_running import CREATE, LIST, Gate, control, creates, creations, faults, submit_and_follow
from tests.crash import assert_no_blind_resend

pytest_plugins = ["tests.running_fixtures"]


class CrashError(BaseException):
    """The process dies here."""


async def test_every_planned_server_is_created_once_and_found(sandbox, cloud, carried_out, planned):
    """Outcome, ledger and the sandbox's true state agree server by server."""
    run = await carried_out()
    outcome = await sdrs_nb.verify(cloud, run)

    world = await control(sandbox, "GET", "world")
    instances = {i["source_server"]: i for i in world["instances"]}
    assert await creations(sandbox) == planned
    assert run.state == "done"
    for row in outcome.itertuples():
        assert row.stage in ("created", "protected", "in sync")
        assert instances[row.server_id]["id"] == row.protected_instance_id
        assert instances[row.server_id]["target_server"] == row.dr_server_id


async def test_payloads_arrive_byte_for_byte_as_previewed(sandbox, plan, carried_out):
    """What the preview shows is what the service received, in plan order within each group."""
    await carried_out()

    requests = await control(sandbox, "GET", "requests")
    sent = [r["body"] for r in requests if r["path"].endswith("/protected-instances/batch")]
    assert sorted(map(str, sent)) == sorted(map(str, plan.payloads()))


async def test_one_batch_at_a_time_is_under_way_in_a_group(sandbox, plan, carried_out):
    """The second create of a group comes after its first job was seen to end."""
    run = await carried_out()

    first, second = [b.batch_id for b in plan.batches if b.group_id == plan.batches[0].group_id][:2]
    kinds = run.events[["kind", "batch_id"]].to_numpy().tolist()
    assert kinds.index(["batch ended", first]) < kinds.index(["intent", second])


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"kind": "lost_answer"}, id="handled, answer lost"),
        pytest.param({"kind": "reset"}, id="dropped before it was handled"),
        pytest.param({"kind": "late_handle", "seconds": 60}, id="dropped now, handled a minute later"),
        pytest.param({"kind": "no_job_id"}, id="202 without a job id"),
        pytest.param({"kind": "garbage"}, id="an answer that is no JSON"),
        pytest.param({"kind": "status", "status": 502, "body": "bad gateway"}, id="502"),
        pytest.param({"kind": "status", "status": 500, "handle": True}, id="500 although it was handled"),
        pytest.param({"kind": "status", "status": 408}, id="408"),
        pytest.param({"kind": "throttle", "times": 2, "limit": 5000}, id="throttled twice"),
        pytest.param({"kind": "vanish_job"}, id="a job that vanishes"),
    ],
)
async def test_no_server_is_created_twice_or_forgotten_when_a_create_goes_wrong(sandbox, carried_out, planned, fault):
    """After any one fault on a create each server has been created exactly once, and the run says so."""
    await faults(sandbox, {"match": CREATE, **fault})

    run = await carried_out()

    assert await creations(sandbox) == planned
    assert set(run.servers["stage"]) <= {"created", "protected", "in sync"}
    assert not [1 for status, handled in await creates(sandbox) if status == 400]


async def test_lists_that_lag_never_cause_a_second_create(sandbox, carried_out, planned):
    """A lost answer together with a list that shows new instances a minute late is waited out."""
    await faults(
        sandbox,
        {"match": CREATE, "kind": "lost_answer"},
        {"match": "GET /v1/*/protected-instances", "kind": "list_lag", "seconds": 60},
    )

    await carried_out()

    assert await creations(sandbox) == planned


SHORT = {"match": LIST, "kind": "short_list", "n": 1000}


@pytest.mark.parametrize("seconds", [5, 60], ids=["handled seconds later", "handled a minute later"])
async def test_a_short_list_never_proves_that_a_request_did_nothing(
    sandbox, cloud, plan, ledger, cloud_time, planned, seconds
):
    """From a lost answer on lists are cut short, far beyond the settling time: the doubt stays until a whole list."""
    await faults(sandbox, {"match": CREATE, "kind": "late_handle", "seconds": seconds})
    since = []

    async def sleep(waited):
        if not since and await creates(sandbox):
            since.append(cloud_time.now)
            await faults(sandbox, SHORT)
        if since and cloud_time.now - since[0] > timedelta(seconds=2 * Pace().settle_s):
            await faults(sandbox)
        await cloud_time.sleep(waited)

    run = await sdrs_nb.submit(cloud, plan, approve=plan.fingerprint, ledger=ledger, sleep=sleep)
    await sdrs_nb.follow(cloud, run, sleep=sleep)

    assert run.state == "done"
    assert await creations(sandbox) == planned
    assert [status for status, _handled in await creates(sandbox)] == [None, *[202] * (len(plan.batches) - 1)]
    assert run.events.loc[run.events["kind"].eq("trying again"), "data"].str.contains("announced").any()


async def test_lists_that_are_cut_short_now_and_then_never_cause_a_second_create(sandbox, carried_out, planned):
    """Every second page lacks rows, from the door to the end: each look is made again until it is whole."""
    await faults(sandbox, {"match": CREATE, "kind": "lost_answer"}, {**SHORT, "n": 2, "probability": 0.5})

    run = await carried_out()

    assert run.state == "done"
    assert await creations(sandbox) == planned


async def test_nothing_is_sent_while_lists_stay_short(sandbox, cloud, plan, ledger, cloud_time):
    """At the door a list that does not heal is a failed look: the run pauses with both numbers, and nothing is sent."""
    await faults(sandbox, SHORT)

    run = await sdrs_nb.submit(cloud, plan, approve=plan.fingerprint, ledger=ledger, sleep=cloud_time.sleep)
    with pytest.raises(sdrs_nb.ListIncompleteError) as caught:
        await sdrs_nb.follow(cloud, run, sleep=cloud_time.sleep)

    assert (run.state, run.message) == ("paused", str(caught.value))
    assert caught.value.announced > caught.value.received == 0
    assert await creates(sandbox) == []


async def test_a_short_list_verifies_nothing(sandbox, cloud, carried_out):
    """Verifying by a short list is refused and records nothing; by a whole one it finds every server."""
    run = await carried_out()
    before = run.servers

    await faults(sandbox, SHORT)
    with pytest.raises(sdrs_nb.ListIncompleteError):
        await sdrs_nb.verify(cloud, run)

    assert run.servers.equals(before)


async def test_a_failed_sub_job_leaves_its_neighbours_created(sandbox, carried_out):
    """One server of a batch fails with the sub-job's own code; the others of that batch are created."""
    await faults(sandbox, {"match": CREATE, "kind": "fail_subjob", "code": "SDRS.1306", "n": 2})

    run = await carried_out()

    failed = run.servers[run.servers["stage"] == "failed"]
    assert failed["error_code"].tolist() == ["SDRS.1306"]
    assert "delete instance" in failed["message"].iloc[0]
    assert run.servers["stage"].isin(["created", "protected", "in sync"]).sum() == 11


async def test_a_stuck_job_ends_as_unknown_and_resume_adopts_its_late_success(
    sandbox, cloud, ledger, carried_out, cloud_time, planned
):
    """A job past its limit is unknown, not failed; looking again later finds what became of it."""
    await faults(sandbox, {"match": CREATE, "kind": "stuck_job"})

    run = await carried_out(job_limit_s=1800)
    before = set(run.servers["stage"])
    await faults(sandbox)
    await sdrs_nb.resume(cloud, run, sleep=cloud_time.sleep)

    assert "unknown" in before
    assert sum((await creations(sandbox)).values()) <= len(planned)


async def test_stopping_on_failure_sends_nothing_more(sandbox, carried_out):
    """With on_failure="stop" a failed server ends the sending and says after which batch."""
    await faults(sandbox, {"match": CREATE, "kind": "fail_subjob", "n": 1, "times": 1})

    run = await carried_out(on_failure="stop")

    assert run.state == "paused"
    assert "Stopped after batch" in run.message
    assert run.counts["not sent"] == 6  # the second batch of either group


async def test_only_the_operator_takes_back_a_stop_on_failure(cloud, ledger, carried_out, monkeypatch):
    """Looking at what he wants does not, as often as it is done; his word to go on does."""
    monkeypatch.setattr(engine, "_CONTROL_S", 0.0)
    run = await carried_out()
    walk = Walk(cloud, run.run_id, ledger, run.plan)
    walk.drain("A server failed.")
    watching = asyncio.create_task(Engine(walk)._watch_control())
    seen = []

    for wanted in (None, Control.STOP, Control.GO):
        if wanted is not None:
            ledger.set_control(run.run_id, wanted)
        for _look in range(3):
            await asyncio.sleep(0)
        seen.append(walk.may_send())
    watching.cancel()

    assert seen == [False, False, True]


async def test_a_stop_before_the_first_step_is_not_lost(sandbox, cloud, plan, ledger, cloud_time, monkeypatch):
    """What the operator says between submitting and the walk's begin counts: nothing is sent."""
    take_over = engine.Engine._take_over

    async def stopped_meanwhile(self):
        self.walk.ledger.set_control(self.walk.run_id, Control.STOP, "Wait.")
        await take_over(self)

    monkeypatch.setattr(engine.Engine, "_take_over", stopped_meanwhile)
    monkeypatch.setattr(engine, "_CONTROL_S", 0.0)
    run = await sdrs_nb.submit(cloud, plan, approve=plan.fingerprint, ledger=ledger, sleep=cloud_time.sleep)
    await asyncio.wrap_future(walk_of(ledger, run.run_id).done)
    stopped = (run.state, run.message, run.counts["not sent"])
    monkeypatch.setattr(engine.Engine, "_take_over", take_over)
    await sdrs_nb.resume(cloud, run, sleep=cloud_time.sleep)

    assert stopped == ("paused", "Wait.", 12)
    assert run.counts["not sent"] == 0


async def test_a_group_that_left_its_state_holds_its_batches_back(sandbox, cloud, plan, ledger, cloud_time):
    """A group found in another status right before sending is not sent to; the reason names it."""
    group = plan.batches[0].group_id
    sandbox.service.world.groups[group].status = "stopping"

    run = await submit_and_follow(cloud, plan, ledger, cloud_time)

    held = run.batches[run.batches["group_id"] == group]
    assert held["state"].tolist() == ["held", "held"]
    assert held["reason"].str.contains("stopping").all()
    assert set(run.servers.loc[run.servers["group_id"] == group, "stage"]) == {"not sent"}


async def test_the_wrong_approval_sends_nothing(sandbox, cloud, plan, ledger):
    """An approval that names another plan is refused with both fingerprints, and no run is recorded."""
    with pytest.raises(sdrs_nb.PlanError, match=plan.fingerprint):
        await sdrs_nb.submit(cloud, plan, approve="0" * 64, ledger=ledger)

    assert list_runs(ledger).empty
    assert await creates(sandbox) == []


async def test_wrong_credentials_send_nothing_and_record_nothing(sandbox, plan, ledger):
    """A refused signature is one clear error before anything is recorded."""
    keys = sandbox.credentials
    stranger = sdrs_nb.connect(
        endpoint="http://sandbox.test",
        project_id=keys["project_id"],
        access_key=keys["access_key"],
        secret_key="wrong",
        transport=httpx.ASGITransport(sandbox.app),
    )

    with pytest.raises(sdrs_nb.AuthenticationError, match=r"APIGW\.0301") as refused:
        await sdrs_nb.submit(stranger, plan, approve=plan.fingerprint, ledger=ledger)

    assert "wrong" not in str(refused.value)
    assert list_runs(ledger).empty
    await stranger.close()


async def test_an_interrupted_follow_pauses_and_goes_on_when_called_again(
    sandbox, cloud, plan, ledger, cloud_time, planned
):
    """Cancelling follow stops before the next request; following again finishes without a double."""
    gate = Gate(cloud_time)
    run = await sdrs_nb.submit(cloud, plan, approve=plan.fingerprint, ledger=ledger, sleep=gate.sleep)
    following = asyncio.ensure_future(sdrs_nb.follow(cloud, run))
    await gate.reached(2)
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following

    await sdrs_nb.follow(cloud, run, sleep=cloud_time.sleep)

    assert run.state == "done"
    assert await creations(sandbox) == planned


async def test_a_second_process_is_told_who_carries_the_run_on(cloud, plan, ledger, cloud_time):
    """While one engine walks a run, another one for the same run is refused."""
    gate = Gate(cloud_time)
    run = await sdrs_nb.submit(cloud, plan, approve=plan.fingerprint, ledger=ledger, sleep=gate.sleep)
    again = open_run(run.run_id, Ledger(Path(ledger.path), clock=cloud_time.clock))
    await gate.reached(1)

    second = Engine(Walk(cloud, again.run_id, again.ledger, again.plan, sleep=cloud_time.sleep))
    with pytest.raises(sdrs_nb.ClaimedError, match=run.run_id):
        await loop.run(second.go())

    gate.open()
    await sdrs_nb.follow(cloud, run, sleep=cloud_time.sleep)


async def count_writes(cloud, plan, tmp_path, cloud_time):
    """How many times an undisturbed run writes to its ledger."""
    kinds = []
    ledger = Ledger(tmp_path / "count.db", clock=cloud_time.clock, after_write=kinds.append)
    await submit_and_follow(cloud, plan, ledger, cloud_time)
    ledger.close()
    return kinds


async def test_death_after_any_write_is_survived(sandbox, cloud, plan, planned, tmp_path, cloud_time):
    """Dying right after any one ledger write, then resuming, creates each server exactly once.

    A server of an accepted or unanswered create is in no other create unless its group was listed in between.
    """
    kinds = await count_writes(cloud, plan, tmp_path, cloud_time)
    assert len(kinds) > 20

    for index in {*range(1, len(kinds), 2), len(kinds) - 1}:
        sandbox.reset()
        path = tmp_path / f"ledger-{index}.db"
        await die_at(index, cloud, plan, path, cloud_time)

        ledger = Ledger(path, clock=cloud_time.clock)
        run = open_run(list_runs(ledger)["run_id"].iloc[0], ledger)
        await sdrs_nb.resume(cloud, run, sleep=cloud_time.sleep)

        assert await creations(sandbox) == planned, f"died after write {index}, {kinds[index]}"
        assert set(run.servers["stage"]) <= {"created", "protected", "in sync"}
        assert_no_blind_resend(await control(sandbox, "GET", "requests"))
        ledger.close()


async def die_at(index, cloud, plan, path, cloud_time):
    """Submit and follow, and let every ledger write from number ``index`` on end the process."""
    seen = []

    def after_write(kind):
        seen.append(kind)
        if len(seen) > index:
            raise CrashError(kind)

    ledger = Ledger(path, clock=cloud_time.clock, after_write=after_write)
    # Looks are spread at random, so a run can have a write or two less and live.
    with contextlib.suppress(CrashError):
        await submit_and_follow(cloud, plan, ledger, cloud_time)
    ledger.close()
