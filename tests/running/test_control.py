"""An operator stops, pauses, continues and cancels a run, from here or from another process."""

import asyncio

import pytest

import sdrs_nb
from sdrs_nb.ledger.ledger import BatchState, Control, Ledger
from sdrs_nb.running.runs import open_run
from sdrs_nb.running.walk import walk_of
from tests.builders_running import CREATE, Gate, creates, creations, faults, submit_and_follow

pytest_plugins = ["tests.running_fixtures"]


@pytest.fixture
async def submitted(cloud, plan, ledger, cloud_time):
    """A run whose clock stands still until the test lets it go: the first create of either group is accepted."""
    gate = Gate(cloud_time)
    run = await sdrs_nb.submit(cloud, plan, approve=plan.fingerprint, ledger=ledger, sleep=gate.sleep)
    await gate.reached(2)
    yield run, gate.open
    gate.open()


async def the_end_of(run):
    """Wait until nobody walks the run any more; unlike ``follow``, this never carries it on."""
    await asyncio.wrap_future(walk_of(run.ledger, run.run_id).done)


async def test_stop_sends_nothing_more_and_follows_what_was_sent(sandbox, cloud, submitted, cloud_time):
    """After stop the batches under way end, no other is sent, and the run says how it goes on."""
    run, let_go = submitted
    run.stop()
    let_go()

    await the_end_of(run)

    assert len(await creates(sandbox)) == 2
    assert sorted(run.batches["state"]) == ["ended", "ended", "pending", "pending"]
    assert (run.state, run.message) == ("paused", "Stopped by the operator; resume carries on.")


async def test_resume_after_stop_sends_the_rest(sandbox, cloud, submitted, cloud_time, planned):
    """A stopped run is carried on by resume; nothing is created twice."""
    run, let_go = submitted
    run.stop()
    let_go()
    await the_end_of(run)

    await sdrs_nb.resume(cloud, run, sleep=cloud_time.sleep)

    assert await creations(sandbox) == planned
    assert run.state == "done"


async def test_carry_on_takes_a_stop_back(sandbox, cloud, submitted, cloud_time, planned):
    """Stop, then carry on before the batches under way have ended: the run ends as if nothing had been."""
    run, let_go = submitted
    run.stop()
    run.carry_on()
    let_go()

    await sdrs_nb.follow(cloud, run, sleep=cloud_time.sleep)

    assert await creations(sandbox) == planned
    assert run.state == "done"


async def test_pause_follows_nothing(cloud, submitted):
    """After pause nobody looks at the jobs; they stay accepted until the run is resumed."""
    run, _let_go = submitted
    run.pause()

    await the_end_of(run)

    assert run.state == "paused"
    assert run.counts["accepted"] == 6


async def test_carry_on_takes_a_pause_back_while_somebody_follows(sandbox, cloud, submitted, cloud_time, planned):
    """Pause, then carry on before the requests under way have ended: whoever follows sees the run to its end."""
    run, let_go = submitted
    following = asyncio.ensure_future(sdrs_nb.follow(cloud, run, sleep=cloud_time.sleep))
    await asyncio.sleep(0)
    run.pause()
    run.carry_on()
    let_go()

    await following

    assert await creations(sandbox) == planned
    assert run.state == "done"


async def test_another_process_can_take_a_stop_back_through_the_ledger(sandbox, cloud, submitted, cloud_time, planned):
    """Stop and go from a second connection: the walk here goes on as if nothing had been."""
    run, let_go = submitted
    elsewhere = Ledger(run.ledger.path, clock=cloud_time.clock)
    for control, is_open in ((Control.STOP, False), (Control.GO, True)):
        elsewhere.set_control(run.run_id, control)
        while walk_of(run.ledger, run.run_id).may_send() != is_open:  # noqa: ASYNC110 - it reads twice a second
            await asyncio.sleep(0.01)
    let_go()

    await sdrs_nb.follow(cloud, run, sleep=cloud_time.sleep)

    assert await creations(sandbox) == planned
    assert run.state == "done"
    elsewhere.close()


async def test_another_process_can_stop_a_run_through_the_ledger(sandbox, cloud, submitted, cloud_time):
    """What a second connection writes is obeyed without any word in this process."""
    run, let_go = submitted
    elsewhere = Ledger(run.ledger.path, clock=cloud_time.clock)
    elsewhere.set_control(run.run_id, Control.STOP, "told from elsewhere")
    while walk_of(run.ledger, run.run_id).may_send():  # noqa: ASYNC110 - the walk reads the ledger twice a second
        await asyncio.sleep(0.01)
    let_go()

    await the_end_of(run)

    assert len(await creates(sandbox)) == 2
    assert run.message == "told from elsewhere"
    elsewhere.close()


async def test_cancel_gives_up_what_was_not_sent_and_frees_its_servers(
    sandbox, cloud, plan, submitted, cloud_time, ledger
):
    """Cancelled batches are held for good, are offered for a new plan, and another run may take their servers."""
    run, let_go = submitted

    freed = run.cancel()
    let_go()
    await sdrs_nb.follow(cloud, run, sleep=cloud_time.sleep)

    assert freed == 6
    assert sorted(run.batches["state"]) == ["ended", "ended", "held", "held"]
    assert run.state == "done"
    rest = set(run.remainder["server_id"])
    assert rest == {s for b in plan.batches for s in b.server_ids} - set(await creations(sandbox))
    again = sdrs_nb.check_eligibility(await sdrs_nb.load_inventory(cloud), server_ids=sorted(rest))
    second = await submit_and_follow(cloud, sdrs_nb.plan_batches(again, name_prefix="u"), ledger, cloud_time)
    assert set(second.servers["stage"]) <= {"created", "protected", "in sync"}


async def test_a_batch_cancelled_while_it_stood_at_the_door_is_not_sent(plan, ledger, cloud):
    """An intent for a batch that is not pending any more is refused, whoever asks."""
    run_id = ledger.create_run(
        scope={"endpoint": "x", "region": "r", "project_id": "p"},
        plan=plan,
        approval=sdrs_nb.Approval(fingerprint=plan.fingerprint),
        settings={},
    )
    ledger.release(run_id)

    assert ledger.intend(run_id, plan.batches[0].batch_id, "sha") is None
    assert open_run(run_id, ledger).attempts.empty


async def test_a_run_whose_process_died_says_so(ledger, plan):
    """The ledger may still say running; without a process that holds it the run is paused and says how to go on."""
    run_id = ledger.create_run(
        scope={"endpoint": "x", "region": "r", "project_id": "p"},
        plan=plan,
        approval=sdrs_nb.Approval(fingerprint=plan.fingerprint),
        settings={},
    )
    ledger.set_run(run_id, sdrs_nb.ledger.ledger.RunState.RUNNING)

    run = open_run(run_id, ledger)

    assert run.state == "paused"
    assert "resume" in run.message


async def test_on_failure_stop_is_not_met_again_after_resume(sandbox, cloud, plan, ledger, cloud_time):
    """A run that stopped because of a failure goes on when told to, past the batch that failed."""
    await faults(sandbox, {"match": CREATE, "kind": "fail_subjob", "n": 1})
    run = await sdrs_nb.submit(
        cloud, plan, approve=plan.fingerprint, ledger=ledger, sleep=cloud_time.sleep, on_failure="stop"
    )
    await sdrs_nb.follow(cloud, run, sleep=cloud_time.sleep)
    stopped = run.state

    await sdrs_nb.resume(cloud, run, sleep=cloud_time.sleep)

    assert (stopped, run.state) == ("paused", "done")
    assert set(run.batches["state"]) == {BatchState.ENDED}


async def test_waves_wait_for_one_another(cloud, plan, ledger, cloud_time):
    """No batch of the second wave is sent before every batch of the first has ended."""
    from dataclasses import replace

    late = {batch.batch_id for batch in plan.batches[:2]}
    waves = tuple(batch.model_copy(update={"wave": 2 if batch.batch_id in late else 1}) for batch in plan.batches)
    waved = replace(plan, batches=waves)

    run = await submit_and_follow(cloud, waved, ledger, cloud_time)

    kinds = run.events[["kind", "batch_id"]].to_numpy().tolist()
    ends = [kinds.index(["batch ended", batch.batch_id]) for batch in waves if batch.wave == 1]
    starts = [kinds.index(["intent", batch_id]) for batch_id in late]
    assert max(ends) < min(starts)


async def test_two_overlapping_plans_at_once_create_nothing_twice(sandbox, cloud, plan, ledger, cloud_time, planned):
    """Of two submissions at the same moment one wins; the loser is told which run holds the servers, and by whom."""
    approval = sdrs_nb.Approval(fingerprint=plan.fingerprint, who="li")
    both = await asyncio.gather(
        *(sdrs_nb.submit(cloud, plan, approve=approval, ledger=ledger, sleep=cloud_time.sleep) for _ in range(2)),
        return_exceptions=True,
    )

    (run,) = [one for one in both if not isinstance(one, Exception)]
    (lost,) = [one for one in both if isinstance(one, Exception)]
    await sdrs_nb.follow(cloud, run, sleep=cloud_time.sleep)

    assert isinstance(lost, sdrs_nb.ClaimedError)
    assert run.run_id in str(lost)
    assert "approved by li" in str(lost)
    assert await creations(sandbox) == planned
