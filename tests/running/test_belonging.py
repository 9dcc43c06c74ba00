"""A run belongs to its cloud: every call that takes a cloud and a run refuses another one and changes nothing."""

import hashlib
from dataclasses import replace

import httpx
import pytest

import sdrs_nb
from sdrs_nb.cloud.session import Identity
from sdrs_nb.running.scopes import is_of_cloud, mismatch, scope_of
from sdrs_nb.sandbox import Sandbox
from tests.builders_running import connected_to, submit_and_follow

pytest_plugins = ["tests.running_fixtures"]

#: Everything that takes a cloud and a run.
CALLS = {
    "verify": sdrs_nb.verify,
    "follow": sdrs_nb.follow,
    "resume": sdrs_nb.resume,
    "enable": sdrs_nb.enable_protection,
    "first synchronisation": sdrs_nb.first_synchronisation,
    "follow first synchronisation": sdrs_nb.follow_first_synchronisation,
    "latest": lambda cloud, run: sdrs_nb.latest_run(cloud, run.run_id, ledger=run.ledger),
}


def content(ledger):
    """A digest of everything that the ledger holds."""
    tables = [row["name"] for row in ledger.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    return hashlib.sha256(repr([ledger.rows(f"SELECT * FROM {name}") for name in tables]).encode()).hexdigest()


@pytest.fixture
async def run(cloud, plan, ledger, cloud_time):
    """A run that is done."""
    return await submit_and_follow(cloud, plan, ledger, cloud_time)


@pytest.fixture(params=["another world of the same seed", "another project", "another region"])
async def strange(request, sandbox):
    """A cloud that looks like the run's own but is not."""
    other = Sandbox(servers=240, seed=7, speed=0)
    match request.param:
        case "another world of the same seed":
            cloud = connected_to(other)
        case "another project":
            cloud = connected_to(sandbox, project_id=sandbox.service.directory.other_project.id)
        case _:
            cloud = connected_to(sandbox, region="sandbox-2")
    async with cloud:
        yield cloud


REAL = Identity("p1", "r-1", "u1", "ops", "https://sdrs.r-1.cloud.example", cloud_host="cloud.example")
BOX = replace(REAL, endpoint="http://127.0.0.1:1", cloud_host="127.0.0.1:1", world="w1", is_sandbox=True)
#: A run that a version recorded which knew the address alone.
OLD = {"cloud_host": "", "world": ""}


@pytest.mark.parametrize(
    ("recorded", "older", "here", "is_own"),
    [
        (REAL, {}, REAL, True),
        (REAL, {}, replace(REAL, user_name="li", project_name="renamed", endpoint="https://other.example"), True),
        (REAL, {}, replace(REAL, region=""), True),
        (REAL, {}, replace(REAL, region="r-2"), False),
        (REAL, {}, replace(REAL, project_id="p2"), False),
        (REAL, {}, replace(REAL, cloud_host="sister.example"), False),
        (REAL, {}, replace(REAL, world="w1"), False),
        (BOX, {}, BOX, True),
        (BOX, {}, replace(BOX, endpoint="http://127.0.0.1:2", cloud_host="127.0.0.1:2"), True),
        (BOX, {}, replace(BOX, world="w2"), False),
        (BOX, {}, replace(BOX, world=""), False),
        (BOX, {}, replace(BOX, project_id="p2"), False),
        (REAL, OLD, REAL, True),
        (REAL, OLD, replace(REAL, endpoint="https://sdrs.r-1.sister.example"), False),
    ],
)
def test_a_cloud_is_the_runs_own_by_project_region_and_host_or_world(recorded, older, here, is_own):
    """Where a region is not known on one side nothing speaks against it; an old record knows the address alone."""
    assert is_of_cloud(scope_of(recorded) | older, here) is is_own


@pytest.mark.parametrize(
    ("recorded", "said", "what"),
    [
        (REAL, (None, None, None), None),
        (REAL, ("p1", "r-1", None), None),
        (REAL, ("p1", "", ""), None),
        (REAL, ("p2", "r-1", None), "project"),
        (REAL, ("p1", "r-2", None), "region"),
        (REAL, ("p1", "r-1", "w1"), "sandbox world"),
        (BOX, ("p1", "r-1", None), None),
        (BOX, ("p1", "r-1", "w1"), None),
        (BOX, ("p1", "r-1", "w2"), "sandbox world"),
    ],
)
def test_an_inventory_is_held_to_what_it_says(recorded, said, what):
    """Project, region and world are compared where the inventory names them; a file made by hand names none."""
    found = mismatch(scope_of(recorded), *said)

    assert (found and found[0]) == what


@pytest.mark.parametrize("call", CALLS)
async def test_a_strange_cloud_is_refused_and_nothing_is_changed(run, strange, ledger, call):
    """In a sentence that names both; the ledger holds the same to the last byte."""
    before = content(ledger)

    with pytest.raises(sdrs_nb.SettingsError, match=f"Run {run.run_id} belongs to .* but this connection is for"):
        await CALLS[call](strange, run)

    assert content(ledger) == before


async def test_an_inventory_of_a_strange_cloud_plans_no_undo_and_no_remainder(run, ledger):
    """What another world shows says nothing of what the run made, though its ids are the same."""
    before = content(ledger)
    async with connected_to(Sandbox(servers=240, seed=7, speed=0)) as strange:
        inventory = await sdrs_nb.load_inventory(strange)

    for plan in (sdrs_nb.plan_undo, sdrs_nb.plan_remainder):
        with pytest.raises(sdrs_nb.PlanError, match="belongs to sandbox world"):
            plan(run, inventory)
    assert content(ledger) == before


async def test_an_undo_is_submitted_nowhere_else(run, cloud, ledger):
    """The plan of an undo goes to the cloud of the run that it undoes."""
    undo = sdrs_nb.plan_undo(run, await sdrs_nb.load_inventory(cloud))
    before = content(ledger)

    async with connected_to(Sandbox(servers=240, seed=7, speed=0)) as strange:
        with pytest.raises(sdrs_nb.SettingsError, match="sandbox world"):
            await sdrs_nb.submit(strange, undo, approve=undo.fingerprint, ledger=ledger)

    assert content(ledger) == before


async def test_a_world_is_the_same_wherever_it_listens(run, sandbox):
    """A kept sandbox that listens at another address is still the run's own."""
    keys = {name: sandbox.credentials[name] for name in ("project_id", "access_key", "secret_key")}
    async with sdrs_nb.connect(
        endpoint="http://elsewhere.test", transport=httpx.ASGITransport(sandbox.app), sandbox=True, **keys
    ) as moved:
        assert set((await sdrs_nb.verify(moved, run))["stage"]) <= {"created", "protected", "in sync"}
