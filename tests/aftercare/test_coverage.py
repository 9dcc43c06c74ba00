"""Coverage: every server in its right place, and drift found where it is and nowhere else."""

import asyncio
import json
import subprocess
import sys
import threading
import time

import httpx
import pandas as pd
import pytest
import uvicorn

import sdrs_nb
from sdrs_nb.aftercare.coverage import Cover
from sdrs_nb.aftercare.drift import FACTS
from sdrs_nb.widgets.writing import writer
from tests.builders import DR_AZ, PRODUCTION_AZ, a_group, a_pair, a_server, an_instance, an_inventory

#: What an operator changes on one production server, as the list of servers then shows it.
CHANGES = {
    "hostname": {"OS-EXT-SRV-ATTR:hostname": "renamed-inside"},
    "name": {"name": "renamed"},
    "security_groups": {"security_groups": [{"name": "sg-new", "id": "sg-new"}]},
    "agency_name": {"metadata": {"agency_name": "agency-new"}},
    "ecs_group_id": {"os:scheduler_hints": {"group": ["group-new"]}},
    "tags": {"tags": ["team=new"]},
}


class Changed(httpx.AsyncBaseTransport):
    """The sandbox, with what operators changed on some servers, and with ECS's call for auto recovery."""

    def __init__(self, sandbox):
        self.cloud = httpx.ASGITransport(sandbox.app)
        self.changes = {}
        self.without_recovery = set()
        self.offers_recovery = True

    async def handle_async_request(self, request):
        """Answer for the sandbox."""
        path = request.url.path
        if path.endswith("/autorecovery"):
            if not self.offers_recovery:
                return httpx.Response(404, json={"error_code": "APIGW.0101", "error_msg": "The API does not exist"})
            on = path.split("/")[-2] not in self.without_recovery
            return httpx.Response(200, json={"support_auto_recovery": str(on).lower()})
        answer = await self.cloud.handle_async_request(request)
        if not path.endswith("/cloudservers/detail") or answer.status_code != 200:
            return answer
        document = json.loads(await answer.aread())
        for server in document["servers"]:
            for name, value in self.changes.get(server["id"], {}).items():
                server[name] = {**server.get(name, {}), **value} if isinstance(value, dict) else value
        return httpx.Response(200, json=document)


@pytest.fixture
def changed(sandbox):
    """The wire on which servers can be changed."""
    return Changed(sandbox)


@pytest.fixture
async def watched(sandbox, changed):
    """A cloud behind that wire."""
    keys = {name: sandbox.credentials[name] for name in ("project_id", "access_key", "secret_key")}
    async with sdrs_nb.connect(endpoint="http://sandbox.test", transport=changed, **keys) as connected:
        yield connected


async def test_the_drift_board_finds_each_of_seven_changes_and_nothing_else(watched, changed):
    """One server of a pair changed in each setting that the service never copies: seven rows, no other."""
    before = await sdrs_nb.coverage(watched)
    server_id = before.protected["server_id"][0]
    for change in CHANGES.values():
        changed.changes.setdefault(server_id, {}).update(change)
    changed.without_recovery.add(server_id)

    after = await sdrs_nb.coverage(watched)

    found = after.drift[after.drift["server_id"] == server_id]
    others = after.drift[after.drift["server_id"] != server_id]
    assert [fact for fact in found["fact"] if fact != "enterprise_project_id"] == list(FACTS[:7])
    assert others.to_dict("records") == before.drift[before.drift["server_id"] != server_id].to_dict("records")
    assert found["remedy"].str.len().gt(20).all()


@pytest.mark.parametrize("fact", CHANGES)
async def test_one_change_is_one_row(watched, changed, fact):
    """A single changed setting is found alone, with production's new value."""
    before = await sdrs_nb.coverage(watched)
    server_id = before.protected["server_id"][0]
    old = before.drift[before.drift["server_id"] == server_id]["fact"].tolist()
    changed.changes[server_id] = CHANGES[fact]

    after = await sdrs_nb.coverage(watched)

    facts = after.drift[after.drift["server_id"] == server_id]["fact"].tolist()
    assert sorted(facts) == sorted({*old, fact})


async def test_a_site_without_the_call_leaves_auto_recovery_unverified(watched, changed):
    """Where ECS does not offer it, one question is asked, the rest is compared, and a sentence says so."""
    changed.offers_recovery = False

    found = await sdrs_nb.coverage(watched)

    assert "Auto recovery was not compared" in found.unverified[0]
    assert "auto_recovery" not in set(found.drift["fact"])
    assert len(found.servers) > 100


async def test_coverage_counts_what_the_sandbox_holds(watched, sandbox):
    """Every production server is listed once; DR servers and drill servers are not."""
    found = await sdrs_nb.coverage(watched, auto_recovery=False)

    world = sandbox.service.world
    stand_ins = set(found.servers["dr_server_id"].dropna()) | set(found.inventory.drill_servers["server_id"])
    assert found.servers["server_id"].is_unique
    assert sum(found.counts.values()) == len(found.servers)
    assert set(found.servers["server_id"]) == set(world.servers) - stand_ins
    assert len(found.servers) - len(found.unprotected) == len(world.instances)


@pytest.mark.parametrize(
    ("status", "progress", "pair", "expected"),
    [
        ("protected", 100, "active", Cover.PROTECTED),
        ("protected", None, None, Cover.PROTECTED),
        ("protected", 99, "active", Cover.LAGGING),
        ("protected", 100, "copying", Cover.LAGGING),
        ("protected", 100, "inactive", Cover.LAGGING),
        ("fault", 100, "active", Cover.LAGGING),
        ("available", 0, "inactive", Cover.NOT_ENABLED),
        ("creating", 0, None, Cover.UNDER_WAY),
        ("reversing", 100, "active", Cover.UNDER_WAY),
        ("failed-over", 100, "active", Cover.FAILED_OVER),
        ("error", 0, None, Cover.ERROR),
        ("invalid", 100, "active", Cover.ERROR),
        ("error-starting", 0, None, Cover.ERROR),
        ("brand-new-word", 100, "active", Cover.ERROR),
    ],
)
def test_a_server_is_as_covered_as_its_instance_and_pairs(status, progress, pair, expected):
    """The instance's status decides; a protected one with pairs out of step, or not fully copied, lags."""
    pairs = [a_pair("v1", protected_instance_ids="instance-of-s1", replication_status=pair)] if pair else []
    inventory = an_inventory(
        servers=[a_server("s1"), a_server("dr-of-s1", az=DR_AZ)],
        protected_instances=[an_instance("s1", status=status, progress=progress)],
        replication_pairs=pairs,
    )

    found = sdrs_nb.cover(inventory)

    assert found.servers[["server_id", "cover"]].to_numpy().tolist() == [["s1", expected.value]]


@pytest.mark.parametrize(
    "lacking", [{"partial": {"protected_instances": None}}, {"not_loaded": ["protected_instances"]}]
)
def test_a_server_without_an_instance_is_unknown_where_instances_were_not_all_read(lacking):
    """What is not in an incomplete list proves nothing; an instance that is in it counts."""
    whole = {"servers": [a_server("s1"), a_server("s2")], "protected_instances": [an_instance("s1", progress=100)]}

    found = sdrs_nb.cover(an_inventory(**whole, **lacking))

    covers = dict(found.servers[["server_id", "cover"]].to_numpy().tolist())
    assert covers["s2"] == Cover.UNKNOWN
    assert covers["s1"] == (Cover.UNKNOWN if "not_loaded" in lacking else Cover.PROTECTED)
    assert found.unprotected.empty
    assert "protected_instances" in " ".join(found.unverified)
    assert sdrs_nb.cover(an_inventory(**whole)).unprotected["server_id"].tolist() == ["s2"]


@pytest.mark.parametrize("swapped", [False, True], ids=["ids stay after a switchover", "ids swap"])
def test_after_a_switchover_production_is_who_stands_in_the_production_az(swapped):
    """Whether the service swaps the two ids is not documented; the group's production AZ tells them apart."""
    ids = {"source_server_id": "s1", "target_server_id": "s2"}
    if swapped:
        ids = {"source_server_id": "s2", "target_server_id": "s1"}
    inventory = an_inventory(
        servers=[a_server("s1", az=PRODUCTION_AZ), a_server("s2", az=DR_AZ)],
        groups=[a_group(priority_station="target", production_az=DR_AZ, dr_az=PRODUCTION_AZ)],
        protected_instances=[{**an_instance("s1", priority_station="target"), **ids}],
    )

    found = sdrs_nb.cover(inventory)

    assert found.servers[["server_id", "dr_server_id"]].to_numpy().tolist() == [["s2", "s1"]]


@pytest.mark.parametrize(
    ("production", "dr", "facts"),
    [
        ({"tags": "a=1,b=2"}, {"tags": "b=2,a=1"}, []),
        ({"tags": pd.NA}, {"tags": ""}, []),
        ({"security_groups": "x,y"}, {"security_groups": "y,x"}, []),
        ({"security_groups": "x,y"}, {"security_groups": "x"}, ["security_groups"]),
        ({"enterprise_project_id": "0"}, {"enterprise_project_id": pd.NA}, []),
        ({"enterprise_project_id": "ep-1"}, {"enterprise_project_id": "0"}, ["enterprise_project_id"]),
        ({"agency_name": "a"}, {}, ["agency_name"]),
        ({}, {"agency_name": "a"}, ["agency_name"]),
        ({"flavor_id": "big"}, {"flavor_id": "small"}, []),
    ],
)
def test_only_settings_that_really_differ_are_drift(production, dr, facts):
    """Order of lists, empty against missing, and the names of the default enterprise project are no difference."""
    same = {"name": "n", "hostname": "h"}
    inventory = an_inventory(
        servers=[a_server("s1", **{**same, **production}), a_server("dr-of-s1", az=DR_AZ, **{**same, **dr})],
        protected_instances=[an_instance("s1")],
    )

    assert sdrs_nb.cover(inventory).drift["fact"].tolist() == facts


def test_a_pair_whose_dr_server_is_gone_is_no_drift():
    """What cannot be seen is not compared; the instance's own status tells the story."""
    inventory = an_inventory(servers=[a_server("s1")], protected_instances=[an_instance("s1", status="invalid")])

    found = sdrs_nb.cover(inventory)

    assert found.drift.empty
    assert found.counts["error"] == 1


def test_an_empty_estate_is_covered_in_full():
    """No server: empty frames with their columns, zero counts, and a text to show."""
    found = sdrs_nb.cover(an_inventory(servers=[]))

    assert found.servers.empty
    assert set(found.counts.values()) == {0}
    assert "Coverage" in repr(found)
    assert "<svg" in found._repr_html_()


def test_names_are_text_in_the_picture():
    """Markup in a server's name is escaped where coverage shows itself."""
    shown = sdrs_nb.cover(an_inventory(servers=[a_server("s1", name="<img src=x>")]))._repr_html_()

    assert "<img" not in shown
    assert "&lt;img src=x&gt;" in shown


#: What an operator changes in the sandbox's world, by what drifts.
IN_THE_WORLD = {
    "hostname": ("hostname", "renamed-inside"),
    "name": ("name", "renamed"),
    "security_groups": ("security_groups", ("default", "sg-new")),
    "agency_name": ("agency", "agency-new"),
    "ecs_group_id": ("ecs_group_id", "group-new"),
    "tags": ("tags", ("team=new",)),
    "auto_recovery": ("auto_recovery", False),
}


def change(sandbox, server_id, facts):
    """Make these changes on one server of the sandbox's world."""
    server = sandbox.service.world.servers[server_id]
    for fact in facts:
        setattr(server, *IN_THE_WORLD[fact])
    server.document = None
    sandbox.service.world.touch()


@pytest.mark.slow
@pytest.mark.parametrize("side", ["server_id", "dr_server_id"])
@pytest.mark.parametrize("facts", [*([fact] for fact in IN_THE_WORLD), [*IN_THE_WORLD]], ids="+".join)
async def test_each_change_in_the_sandbox_is_found_and_nothing_else(sandbox, cloud, facts, side):
    """Through the real calls: no drift at the start, then exactly what was changed, on either side of a pair."""
    before = await sdrs_nb.coverage(cloud)
    pair = before.protected.iloc[0]
    change(sandbox, pair[side], facts)

    after = await sdrs_nb.coverage(cloud)

    assert before.drift.empty
    assert after.drift[["server_id", "fact"]].to_numpy().tolist() == [[pair["server_id"], fact] for fact in facts]


@pytest.fixture
def listening(sandbox):
    """The sandbox of this test behind a real port, so that another process sees what is changed in its world."""
    server = uvicorn.Server(uvicorn.Config(sandbox.app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    keys = {f"SDRS_NB_{name.upper()}": sandbox.credentials[name] for name in ("project_id", "access_key", "secret_key")}
    yield {"SDRS_NB_ENDPOINT": f"http://127.0.0.1:{port}", **keys}
    server.should_exit = True
    thread.join(20)


@pytest.mark.slow
async def test_function_command_and_panel_say_the_same(sandbox, listening, monkeypatch):
    """After all seven changes: the frames of the call, of ``sdrs-nb coverage`` and of the panel, row by row."""
    for name, value in listening.items():
        monkeypatch.setenv(name, value)
    async with sdrs_nb.connect() as cloud:
        pair = (await sdrs_nb.coverage(cloud)).protected.iloc[0]
        change(sandbox, pair["dr_server_id"], IN_THE_WORLD)
        found = await sdrs_nb.coverage(cloud)
        panel = sdrs_nb.CoveragePanel(cloud)
        panel._look.click()
        await panel.background.wait("look")
    panel.redraw()
    writer().flush()

    servers = await commanded("coverage", "--json")
    drift = await commanded("coverage", "--show", "drift", "--json")

    assert found.drift["fact"].tolist() == list(IN_THE_WORLD)
    assert servers == json.loads(found.servers.to_json(orient="records"))
    assert drift == json.loads(found.drift.to_json(orient="records"))
    pd.testing.assert_frame_equal(panel.servers.rows, found.servers)
    pd.testing.assert_frame_equal(panel.drift.rows.drop(columns="row"), found.drift)


async def commanded(*words):
    """What a command prints, as JSON."""
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "sdrs_nb.cli", *words],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)
