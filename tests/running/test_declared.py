"""What the plan rests on without anybody having read it is read right before each batch is sent."""

import json

import pytest

import sdrs_nb
from sdrs_nb.sandbox.records import Drill
from tests.builders_running import control, creations, faults, four_batches, submit_and_follow


def frozen(world, server):
    """A volume gets the mark of a frozen one, which no page of EVS documents for the sandbox to give."""
    volume = world.volumes[server.volumes[0][0]]
    document = json.loads(volume.document)
    volume.document = json.dumps(document | {"metadata": document["metadata"] | {"EcmResStatus": "freeze"}}).encode()


def drilled(world, server):
    """The server was made by a drill."""
    drill = Drill("drill-1", "drill", next(iter(world.groups)), server.vpc_id, "available", 0.0, 0.0)
    world.drills[drill.id] = drill
    drill.servers["instance-1"] = server.id
    world.drill_by_server[server.id] = drill.id


def given_a_key(_world, server):
    """Windows that logs in with a key pair nobody has."""
    server.os_type, server.key_name, server.document = "Windows", "KeyPair-lost", None


def locked(_world, server):
    """Somebody locked the server."""
    server.locked, server.document = True, None


def under_scale(world, server):
    """A scaling group took the server in, which only a warning speaks of."""
    next(iter(world.scaling_groups.values())).members[server.id] = ("", False)


#: Fact -> its value and how the cloud comes to say otherwise of one server.
FACTS = {
    "drill_servers": ("none", drilled),
    "servers.key_name": ("none", given_a_key),
    "volumes.frozen": (False, frozen),
    "servers.locked": ("no", locked),
    "scaling_instances": ("none", under_scale),
}


@pytest.fixture(params=FACTS)
async def declared(request, cloud, sandbox):
    """A fact, and a plan of four batches that rests on somebody's word for it."""
    for group in sandbox.service.world.scaling_groups.values():
        group.members.clear()
    inventory = await sdrs_nb.load_inventory(cloud)
    fact, (frame, _dot, column) = request.param, request.param.partition(".")
    frames = {name: inventory.frame(name) for name in inventory.sources["frame"] if inventory.is_loaded(name)}
    rest = frames.pop(frame)
    if column:
        frames[frame] = rest.drop(columns=column)
        if column == "key_name":
            frames[frame] = frames[frame][rest["key_name"].isna()]
    less = sdrs_nb.Inventory(frames, about=inventory.about)
    return fact, four_batches(less.assume({fact: FACTS[fact][0]}, who="li"))


async def test_a_declared_fact_that_the_cloud_contradicts_stops_its_batch(declared, sandbox, cloud, ledger, cloud_time):
    """Nothing of that batch is sent; its reason names the fact, who declared it and what the cloud says; others go."""
    fact, plan = declared
    world = sandbox.service.world
    culprit = world.servers[plan.batches[0].server_ids[0]]
    FACTS[fact][1](world, culprit)

    run = await submit_and_follow(cloud, plan, ledger, cloud_time)

    held = run.batches[run.batches["state"].eq("held")]
    assert held["batch_id"].tolist() == [plan.batches[0].batch_id]
    assert held["reason"].iloc[0].startswith(f"{fact} was declared by li: {plan.declared[0].value}. The cloud says")
    found = culprit.volumes[0][0] if fact.startswith("volumes") else culprit.id
    assert found in held["reason"].iloc[0]
    assert not set(await creations(sandbox)) & set(plan.batches[0].server_ids)
    assert set(run.servers.set_index("server_id").loc[list(plan.batches[0].server_ids), "stage"]) == {"not sent"}
    assert set(run.batches["state"]) == {"ended", "held"}


async def test_a_declared_fact_that_the_cloud_confirms_lets_its_batch_go(declared, sandbox, cloud, ledger, cloud_time):
    """Every planned server is created, and the run keeps whose word the plan rested on."""
    fact, plan = declared

    run = await submit_and_follow(cloud, plan, ledger, cloud_time)

    assert set(await creations(sandbox)) == {server for batch in plan.batches for server in batch.server_ids}
    assert [(each.fact, each.who) for each in run.plan.declared] == [(fact, "li")]


@pytest.mark.parametrize("declared", ["drill_servers"], indirect=True)
@pytest.mark.parametrize("status", [403, 404])
async def test_a_declared_list_that_nobody_can_read_is_taken_by_its_word(
    declared, status, sandbox, cloud, ledger, cloud_time
):
    """Where these credentials or this site do not give the list, nothing speaks against what was declared."""
    _fact, plan = declared
    fault = {"match": "GET /v1/*/disaster-recovery-drills", "kind": "status", "status": status, "times": 99}
    await faults(sandbox, fault)

    run = await submit_and_follow(cloud, plan, ledger, cloud_time)

    assert (await control(sandbox, "GET", "faults"))[0]["fired"]
    assert set(run.batches["state"]) == {"ended"}
