"""What a plan rests on without anybody having read it is read at the door, and a contradiction stops that batch."""

import pytest

import sdrs_nb
from sdrs_nb.inventory.inventory import Inventory
from sdrs_nb.tables import INVENTORY_TABLES
from tests.builders_running import creations, faults, submit_and_follow

pytest_plugins = ["tests.running_fixtures"]


def without(inventory, fact):
    """The inventory as it would be if a frame or a column had not been read."""
    name, _dot, column = fact.partition(".")
    frames = {each: inventory.frame(each) for each in INVENTORY_TABLES}
    sources = inventory.sources
    if column:
        frames[name] = frames[name].drop(columns=column)
    else:
        del frames[name]
        sources = sources[sources["frame"] != name]
    return Inventory(frames, sources, inventory.about)


async def declared_plan(cloud, plan, fact, value):
    """The same batches, planned from an inventory in which ``fact`` is declared instead of read."""
    less = without(await sdrs_nb.load_inventory(cloud), fact)
    ids = [server for batch in plan.batches for server in batch.server_ids]
    options = sdrs_nb.BatchOptions(batch_limit=3)
    asked = sdrs_nb.check_eligibility(less, server_ids=ids, options=options)
    assert set(asked.verdicts["verdict"]) == {"unknown"}, asked.verdicts
    judged = sdrs_nb.check_eligibility(less.assume({fact: value}), server_ids=ids, options=options)
    return sdrs_nb.plan_batches(judged, name_prefix="t")


def freeze_a_volume(sandbox, plan):
    """A volume of the first server is frozen."""
    world = sandbox.service.world
    volume = world.volumes[world.servers[plan.batches[0].server_ids[0]].volumes[0][0]]
    volume.frozen, volume.document = True, None


def lock_the_server(sandbox, plan):
    """The first server is locked."""
    server = sandbox.service.world.servers[plan.batches[0].server_ids[0]]
    server.locked, server.document = True, None


FACTS = {
    "servers.locked": (False, lock_the_server),
    "volumes.frozen": (False, freeze_a_volume),
}


@pytest.mark.parametrize("fact", FACTS)
async def test_a_declared_fact_that_the_cloud_denies_stops_its_batch(sandbox, cloud, plan, ledger, cloud_time, fact):
    """Nothing of the batch is sent, its reason names the fact; the other batches go."""
    value, deny = FACTS[fact]
    planned = await declared_plan(cloud, plan, fact, value)
    deny(sandbox, planned)

    run = await submit_and_follow(cloud, planned, ledger, cloud_time)

    held = run.batches[run.batches["state"] == "held"]
    assert held["batch_id"].tolist() == [planned.batches[0].batch_id]
    assert not set(planned.batches[0].server_ids) & set(await creations(sandbox))
    assert len(await creations(sandbox)) == 9
    assert planned.batches[0].server_ids[0] in held["reason"].iloc[0] or fact in held["reason"].iloc[0]


@pytest.mark.parametrize("fact", FACTS)
async def test_a_declared_fact_that_the_cloud_confirms_stops_nothing(sandbox, cloud, plan, ledger, cloud_time, fact):
    """What was declared is so: every server is created once."""
    value, _deny = FACTS[fact]
    planned = await declared_plan(cloud, plan, fact, value)

    run = await submit_and_follow(cloud, planned, ledger, cloud_time)

    assert set(run.servers["stage"]) <= {"created", "protected"}
    assert set((await creations(sandbox)).values()) == {1}
    assert [one.fact for one in run.approval.declared or planned.declared] == [fact]


async def test_drills_that_were_declared_away_are_read_at_the_door(sandbox, cloud, plan, ledger, cloud_time):
    """A server of a plan that "has no drills" proves to be a drill server: its batch stops, and says so."""
    planned = await declared_plan(cloud, plan, "drill_servers", "none")
    drill = {
        "id": "d1",
        "name": "drill",
        "status": "available",
        "drill_vpc_id": "v",
        "server_group_id": planned.batches[0].group_id,
        "drill_servers": [{"protected_instance": "x", "drill_server_id": planned.batches[0].server_ids[0]}],
    }
    body = {"count": 1, "disaster_recovery_drills": [drill]}
    await faults(
        sandbox,
        {"match": "GET /v1/*/disaster-recovery-drills", "kind": "status", "status": 200, "body": body, "times": 1000},
        {"match": "GET /v1/*/disaster-recovery-drills/*", "kind": "status", "status": 200,
         "body": {"disaster_recovery_drill": drill}, "times": 1000},
    )  # fmt: skip

    run = await submit_and_follow(cloud, planned, ledger, cloud_time)

    held = run.batches[run.batches["state"] == "held"]
    assert held["batch_id"].tolist() == [planned.batches[0].batch_id]
    assert "drill" in held["reason"].iloc[0]
    assert not set(planned.batches[0].server_ids) & set(await creations(sandbox))
