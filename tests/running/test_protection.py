"""After creation: protection enabled, synchronisation followed, and the rest left to people."""

import pytest

import sdrs_nb
from sdrs_nb.reporting.todo import to_do
from sdrs_nb.running.protection import enable_protection, first_synchronisation, follow_first_synchronisation
from sdrs_nb.sandbox.sdrs_groups import set_status
from tests.builders_running import control, faults, submit_and_follow

pytest_plugins = ["tests.running_fixtures"]
ACTION = "POST /v1/*/server-groups/*/action"


async def actions(sandbox):
    """How many actions on groups the sandbox received."""
    return [r for r in await control(sandbox, "GET", "requests") if r["path"].endswith("/action")]


async def test_submit_enables_protection_when_asked(sandbox, cloud, plan, ledger, cloud_time):
    """With enable_protection every server ends protected; the group that was enabled already is left alone."""
    run = await sdrs_nb.submit(
        cloud, plan, approve=plan.fingerprint, ledger=ledger, sleep=cloud_time.sleep, enable_protection=True
    )
    await sdrs_nb.follow(cloud, run, sleep=cloud_time.sleep)

    assert set(run.servers["stage"]) <= {"protected", "in sync"}
    assert len(await actions(sandbox)) == 1


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"kind": "lost_answer"}, id="handled, answer lost"),
        pytest.param({"kind": "status", "status": 500, "handle": True}, id="500 although it was handled"),
        pytest.param({"kind": "vanish_job"}, id="a job that vanishes"),
    ],
)
async def test_enabling_survives_a_lost_answer(sandbox, cloud, plan, ledger, cloud_time, fault):
    """Whether the action was taken is read from the group's status; it is not sent again."""
    run = await submit_and_follow(cloud, plan, ledger, cloud_time)
    await faults(sandbox, {"match": ACTION, **fault})

    done = await enable_protection(cloud, run, sleep=cloud_time.sleep)

    assert set(done["status"]) == {"protected"}
    assert set(run.servers["stage"]) <= {"protected", "in sync"}
    assert len(await actions(sandbox)) == 1


async def test_a_refused_action_leaves_servers_created_and_says_so(sandbox, cloud, plan, ledger, cloud_time):
    """A group that cannot be enabled is named with its status; nothing pretends to be protected."""
    run = await submit_and_follow(cloud, plan, ledger, cloud_time)
    await faults(sandbox, {"match": ACTION, "kind": "status", "status": 400,
                           "body": {"error": {"code": "SDRS.1011", "message": "no pairs"}}})  # fmt: skip

    done = await enable_protection(cloud, run, sleep=cloud_time.sleep)

    left = done[done["status"].ne("protected")]
    assert len(left) == 1
    assert left["group_id"].iloc[0] in left["message"].iloc[0]
    assert "created" in set(run.servers["stage"])


async def test_a_group_that_failed_to_start_is_no_success_and_can_be_enabled_again(
    sandbox, cloud, plan, ledger, cloud_time
):
    """Its servers are failed, with what to do; coverage agrees; once enabling works they are protected."""
    run = await submit_and_follow(cloud, plan, ledger, cloud_time)
    group_id = run.servers.loc[run.servers["stage"].eq("created"), "group_id"].iloc[0]
    await faults(sandbox, {"match": ACTION, "kind": "status", "status": 400})
    await enable_protection(cloud, run, sleep=cloud_time.sleep)
    world = sandbox.service.world
    set_status(world, world.groups[group_id], "error-starting", 0.0)

    outcome = await sdrs_nb.verify(cloud, run)
    covered = await sdrs_nb.coverage(cloud, auto_recovery=False)
    again = await enable_protection(cloud, run, sleep=cloud_time.sleep)

    mine = outcome[outcome["group_id"].eq(group_id)]
    assert set(mine["stage"]) == {"failed"}
    assert mine["message"].str.contains("error-starting").all()
    assert set(mine["server_id"]) <= set(covered.errors["server_id"])
    assert set(again["status"]) == {"protected"}
    assert set(run.servers["stage"]) <= {"protected", "in sync"}


async def test_the_first_synchronisation_is_followed_in_per_cent(cloud, plan, ledger, cloud_time):
    """Nothing is copied before a group is enabled; then every server comes to 100 per cent."""
    run = await submit_and_follow(cloud, plan, ledger, cloud_time)
    before = await first_synchronisation(cloud, run)
    await enable_protection(cloud, run, sleep=cloud_time.sleep)
    seen = []

    after = await follow_first_synchronisation(
        cloud, run, on_change=lambda frame: seen.append(int(frame["progress"].min())), sleep=cloud_time.sleep
    )

    assert set(before.loc[before["status"].eq("available"), "progress"]) == {0}
    assert len(after) == 12
    assert after["is_complete"].all()
    assert seen == sorted(seen)


async def test_the_to_do_list_says_what_is_left_for_people(cloud, plan, ledger, cloud_time):
    """Hands off DR servers, enable the group that is not, and each server's own tasks by name and DR server."""
    run = await submit_and_follow(cloud, plan, ledger, cloud_time)

    tasks = to_do(run)

    assert tasks["concerns"].value_counts()["everyone"] == 1
    created = run.servers[run.servers["stage"].eq("created")]
    assert set(tasks.loc[tasks["concerns"].eq("group"), "group_id"]) == set(created["group_id"])
    rename = tasks[tasks["rule"].eq("S30")]
    assert len(rename) == 12
    assert set(rename["dr_server_id"]) == set(run.servers["dr_server_id"])


async def test_a_run_that_made_nothing_leaves_nothing_to_do(cloud, plan, ledger):
    """Before anything exists the list is empty and has its columns."""
    run_id = ledger.create_run(
        scope={"endpoint": "x", "region": "r", "project_id": "p"},
        plan=plan,
        approval=sdrs_nb.Approval(fingerprint=plan.fingerprint),
        settings={},
    )

    tasks = to_do(sdrs_nb.open_run(run_id, ledger))

    assert tasks.empty
    assert "task" in tasks.columns
