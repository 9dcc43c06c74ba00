"""What a run made is taken back, and sites without a batch call are served one by one, with the same care."""

import httpx
import pytest

import sdrs_nb
from sdrs_nb.aftercare.undoing import plan_undo
from sdrs_nb.models import Call
from sdrs_nb.sandbox import Sandbox, Settings
from tests.builders_running import LIST, CloudTime, control, creations, faults, submit_and_follow

pytest_plugins = ["tests.running_fixtures"]
DELETE = "POST /v1/*/protected-instances/delete"


@pytest.fixture
async def undo(cloud, plan, ledger, cloud_time):
    """A run of twelve servers that has ended, and the plan that takes it back."""
    run = await submit_and_follow(cloud, plan, ledger, cloud_time)
    return run, plan_undo(run, await sdrs_nb.load_inventory(cloud))


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(None, id="nothing wrong"),
        pytest.param({"kind": "lost_answer"}, id="handled, answer lost"),
        pytest.param({"kind": "reset"}, id="dropped before it was handled"),
        pytest.param({"kind": "late_handle", "seconds": 60}, id="dropped now, handled a minute later"),
        pytest.param({"kind": "no_job_id"}, id="202 without a job id"),
    ],
)
async def test_an_undo_deletes_what_the_run_made_and_nothing_else(sandbox, cloud, undo, ledger, cloud_time, fault):
    """Whatever happens to the answer, the run's instances go, every other one stays, and the run says deleted."""
    run, plan = undo
    made = set(run.servers["protected_instance_id"])
    before = {one["id"] for one in (await control(sandbox, "GET", "world"))["instances"]}
    if fault:
        await faults(sandbox, {"match": DELETE, **fault})

    undone = await submit_and_follow(cloud, plan, ledger, cloud_time)
    outcome = await sdrs_nb.verify(cloud, undone)

    after = {one["id"] for one in (await control(sandbox, "GET", "world"))["instances"]}
    assert after == before - made
    assert set(outcome["stage"]) == {"deleted"}
    assert undone.state == "done"


async def test_an_instance_that_is_gone_already_holds_the_undo_back(sandbox, cloud, undo, ledger, cloud_time):
    """A delete is re-checked like a create: an instance that somebody else took away stops its batch."""
    run, plan = undo
    gone = run.servers["protected_instance_id"].iloc[0]
    sandbox.service.world.remove_instance(gone)

    undone = await submit_and_follow(cloud, plan, ledger, cloud_time)

    held = undone.batches[undone.batches["state"].eq("held")]
    assert len(held) == 1
    assert gone in held["reason"].iloc[0]


async def test_a_short_list_does_not_show_that_instances_are_gone(sandbox, cloud, undo, ledger, cloud_time):
    """At the door of a delete and after it, a list that is cut short is looked at again: every instance goes, once."""
    run, plan = undo
    made = set(run.servers["protected_instance_id"])
    short = {"match": LIST, "kind": "short_list", "n": 1000, "probability": 0.5}
    await faults(sandbox, {"match": DELETE, "kind": "reset"}, short)

    undone = await submit_and_follow(cloud, plan, ledger, cloud_time)

    there = {one["id"] for one in (await control(sandbox, "GET", "world"))["instances"]}
    assert not there & made
    assert set(undone.servers["stage"]) == {"deleted"}


async def test_a_plan_to_undo_needs_whole_lists(sandbox, cloud, undo):
    """From a partial list nobody can tell which instances there are, so there is no plan."""
    run, _plan = undo
    await faults(sandbox, {"match": LIST, "kind": "short_list"})

    inventory = await sdrs_nb.load_inventory(cloud)

    with pytest.raises(sdrs_nb.PlanError, match="does not hold all protected_instances"):
        plan_undo(run, inventory)


async def test_a_site_without_a_batch_call_is_served_one_by_one(tmp_path):
    """On Open Telekom Cloud each server is a request of its own; every one is created once and found."""
    sandbox = Sandbox(servers=240, seed=7, speed=0, settings=Settings.for_profile("otc"))
    cloud_time, keys = CloudTime(sandbox), sandbox.credentials
    ledger = sdrs_nb.ledger.ledger.Ledger(tmp_path / "otc.db", clock=cloud_time.clock)
    async with sdrs_nb.connect(
        endpoint="http://sandbox.test",
        project_id=keys["project_id"],
        access_key=keys["access_key"],
        secret_key=keys["secret_key"],
        sandbox=True,
        transport=httpx.ASGITransport(sandbox.app),
    ) as cloud:
        inventory = await sdrs_nb.load_inventory(cloud)
        book = sdrs_nb.load_rulebook("otc")
        verdicts = sdrs_nb.check_eligibility(inventory, rulebook=book).verdicts
        fine = verdicts[verdicts["verdict"].isin(["eligible", "warning"]) & verdicts["group_id"].notna()]
        judged = sdrs_nb.check_eligibility(inventory, rulebook=book, server_ids=fine["server_id"][:4].tolist())
        plan = sdrs_nb.plan_batches(judged, name_prefix="otc")
        await faults(sandbox, {"match": "POST /v1/*/protected-instances", "kind": "lost_answer"})

        run = await submit_and_follow(cloud, plan, ledger, cloud_time)

    assert {batch.call for batch in plan.batches} == {Call.SINGLE_CREATE}
    assert await creations(sandbox) == {server: 1 for batch in plan.batches for server in batch.server_ids}
    assert set(run.servers["stage"]) <= {"created", "protected", "in sync"}
    ledger.close()
