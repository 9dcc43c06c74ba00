"""Undo and remainder carried out on the sandbox: what a run made goes again, and nothing else is touched."""

import pytest

import sdrs_nb
from sdrs_nb.aftercare.remainders import plan_remainder
from sdrs_nb.aftercare.undoing import plan_undo
from sdrs_nb.models import BatchOptions
from sdrs_nb.planning.planning import plan_batches
from tests.builders_running import control, faults, submit_and_follow

CREATE = "POST /v1/*/protected-instances/batch"
DELETE = "POST /v1/*/protected-instances/delete"


async def world(sandbox):
    """Return what exists in the sandbox, by kind and id, without the times of changes."""
    found = await control(sandbox, "GET", "world")
    return {
        kind: {row["id"]: {name: value for name, value in row.items() if "updated" not in name} for row in found[kind]}
        for kind in ("servers", "volumes", "groups", "instances", "pairs")
    }


@pytest.fixture
async def plan(cloud):
    """Three servers that stand alone and one whole cluster of one group, two servers a request."""
    inventory = await sdrs_nb.load_inventory(cloud)
    everybody = sdrs_nb.check_eligibility(inventory, options=BatchOptions(batch_limit=4))
    verdicts, clusters = everybody.verdicts, everybody.clusters
    fine = verdicts[verdicts["verdict"].isin(["eligible", "warning"]) & verdicts["group_id"].notna()]
    tied = clusters[clusters["server_id"].isin(fine["server_id"])].groupby("cluster_id")["server_id"].agg(list).iloc[0]
    group = fine.loc[fine["server_id"] == tied[0], "group_id"].iloc[0]
    alone = fine[~fine["server_id"].isin(clusters["server_id"]) & fine["group_id"].eq(group)]["server_id"].tolist()[:3]
    options = BatchOptions(batch_limit=max(len(tied), 2))
    return plan_batches(
        sdrs_nb.check_eligibility(inventory, server_ids=[*tied, *alone], options=options), name_prefix="t"
    )


@pytest.fixture
async def before(sandbox, plan):
    """The sandbox as it is before anything is sent."""
    return await world(sandbox)


@pytest.fixture
async def run(cloud, plan, before, ledger, cloud_time):
    """The plan, carried out."""
    return await submit_and_follow(cloud, plan, ledger, cloud_time)


async def test_an_undo_leaves_the_world_as_before_the_run(sandbox, cloud, run, before, ledger, cloud_time):
    """With DR servers deleted too, servers, volumes, groups, instances and pairs are what they were."""
    undo = plan_undo(run, await sdrs_nb.load_inventory(cloud), delete_target_server=True)

    undone = await submit_and_follow(cloud, undo, ledger, cloud_time)
    outcome = await sdrs_nb.verify(cloud, undone)

    assert await world(sandbox) == before
    assert set(outcome["stage"]) == {"deleted"}
    assert undone.state == "done"
    requests = await control(sandbox, "GET", "requests")
    assert [r["body"] for r in requests if r["path"].endswith("/delete")] == undo.payloads()


async def test_dr_servers_and_kept_servers_stay(sandbox, cloud, run, before, ledger, cloud_time):
    """By default only instances and pairs go; a kept server stays protected; the bill is what was announced."""
    made = await world(sandbox)
    keep = run.plan.servers["server_id"].iloc[-1]
    undo = plan_undo(run, await sdrs_nb.load_inventory(cloud), keep=[keep])

    await submit_and_follow(cloud, undo, ledger, cloud_time)

    after = await world(sandbox)
    kept = {row["source_server"] for row in after["instances"].values()} - {
        row["source_server"] for row in before["instances"].values()
    }
    chosen = undo.billed[undo.billed["is_chosen"]].iloc[0]
    assert keep in kept
    assert kept == set(undo.left_out["server_id"])
    assert after["servers"].keys() == made["servers"].keys()
    assert after["volumes"].keys() == made["volumes"].keys()
    assert chosen["dr_servers"] == len(after["servers"]) - len(before["servers"]) - len(kept)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"kind": "lost_answer"}, id="handled, answer lost"),
        pytest.param({"kind": "reset"}, id="dropped before it was handled"),
        pytest.param({"kind": "late_handle", "seconds": 60}, id="dropped now, handled a minute later"),
        pytest.param({"kind": "no_job_id"}, id="202 without a job id"),
        pytest.param({"kind": "status", "status": 502, "body": "bad gateway"}, id="502"),
        pytest.param({"kind": "throttle", "times": 2}, id="throttled twice"),
    ],
)
async def test_a_delete_that_goes_wrong_is_done_once(sandbox, cloud, run, before, ledger, cloud_time, fault):
    """After any one fault everything is deleted, and no request names an instance that is gone already."""
    await faults(sandbox, {"match": DELETE, **fault})
    undo = plan_undo(run, await sdrs_nb.load_inventory(cloud), delete_target_server=True)

    undone = await submit_and_follow(cloud, undo, ledger, cloud_time)

    requests = await control(sandbox, "GET", "requests")
    assert await world(sandbox) == before
    assert set(undone.servers["stage"]) == {"deleted"}
    assert not [r for r in requests if r["path"].endswith("/delete") and r["status"] == 400]


async def test_an_instance_that_changed_since_holds_its_delete_back(sandbox, cloud, run, ledger, cloud_time):
    """Right before sending the instances are read again; one that cannot be deleted now sends nothing."""
    undo = plan_undo(run, await sdrs_nb.load_inventory(cloud))
    sandbox.service.world.instances[undo.batches[0].instance_ids[0]].status = "starting"

    undone = await submit_and_follow(cloud, undo, ledger, cloud_time)

    requests = await control(sandbox, "GET", "requests")
    assert not [r for r in requests if r["path"].endswith("/delete")]
    assert "starting" in undone.batches["reason"].iloc[0]


async def test_a_remainder_brings_the_run_to_its_end(sandbox, cloud, ledger, cloud_time):
    """A failed server's instance is deleted, then the server is protected; the others are left alone."""
    inventory = await sdrs_nb.load_inventory(cloud)
    everybody = sdrs_nb.check_eligibility(inventory)
    verdicts = everybody.verdicts
    fine = verdicts[verdicts["verdict"].isin(["eligible", "warning"]) & verdicts["group_id"].notna()]
    alone = fine[~fine["server_id"].isin(everybody.clusters["server_id"])]["server_id"].tolist()[:4]
    plan = plan_batches(sdrs_nb.check_eligibility(inventory, server_ids=alone), name_prefix="t")
    await faults(sandbox, {"match": CREATE, "kind": "fail_subjob", "code": "SDRS.1306", "n": 1, "times": 1})
    run = await submit_and_follow(cloud, plan, ledger, cloud_time)
    failed = run.servers.loc[run.servers["stage"] == "failed", "server_id"].tolist()

    rest = plan_remainder(run, await sdrs_nb.load_inventory(cloud))
    await submit_and_follow(cloud, rest.deletion, ledger, cloud_time)
    again = await submit_and_follow(cloud, rest.creation, ledger, cloud_time)

    protected = {row["source_server"] for row in (await world(sandbox))["instances"].values()}
    assert len(failed) == 1
    assert again.servers["server_id"].tolist() == failed
    assert set(again.servers["stage"]) <= {"created", "protected", "in sync"}
    assert set(alone) <= protected


async def test_a_creation_sent_before_its_deletion_is_held_back(sandbox, cloud, plan, ledger, cloud_time):
    """The failed instance still holds its server: nothing is sent, and the reason names the rule's words."""
    await faults(sandbox, {"match": CREATE, "kind": "fail_subjob", "n": 1, "times": 9})
    run = await submit_and_follow(cloud, plan, ledger, cloud_time)
    rest = plan_remainder(run, await sdrs_nb.load_inventory(cloud))
    sent = len([r for r in await control(sandbox, "GET", "requests") if r["path"].endswith("/batch")])

    early = await submit_and_follow(cloud, rest.creation, ledger, cloud_time)

    requests = await control(sandbox, "GET", "requests")
    assert set(early.batches["state"]) == {"held"}
    assert len([r for r in requests if r["path"].endswith("/batch")]) == sent


async def test_a_site_without_batch_calls_is_served_one_by_one(sandbox, cloud, before, ledger, cloud_time):
    """Single creates are sent, followed and undone by single deletes; each server was given one instance."""
    inventory = await sdrs_nb.load_inventory(cloud)
    rules = sdrs_nb.load_rulebook("otc")
    verdicts = sdrs_nb.check_eligibility(inventory, rulebook=rules).verdicts
    fine = verdicts[verdicts["verdict"].isin(["eligible", "warning"]) & verdicts["group_id"].notna()]
    chosen = fine["server_id"].tolist()[:3]
    plan = plan_batches(sdrs_nb.check_eligibility(inventory, server_ids=chosen, rulebook=rules), name_prefix="t")

    run = await submit_and_follow(cloud, plan, ledger, cloud_time)
    made = {row["source_server"]: row["name"] for row in (await world(sandbox))["instances"].values()}
    undo = plan_undo(run, await sdrs_nb.load_inventory(cloud), delete_target_server=True)
    await submit_and_follow(cloud, undo, ledger, cloud_time)

    expected = dict(zip(plan.servers["server_id"], plan.servers["instance_name"], strict=True))
    assert {server: made[server] for server in chosen} == expected
    assert set(run.servers["stage"]) <= {"created", "protected", "in sync"}
    assert await world(sandbox) == before


async def test_two_approvals_are_asked_for_when_it_is_sent(cloud, run, ledger):
    """Nothing is sent on one person's word where the plan needs two."""
    undo = plan_undo(run, await sdrs_nb.load_inventory(cloud), approvals_needed=2)

    with pytest.raises(sdrs_nb.PlanError, match="another person"):
        await sdrs_nb.submit(cloud, undo, approve=undo.fingerprint, ledger=ledger)
