"""The inventory as stages and operators use it, and its way in from the cloud."""

import asyncio
import json

import httpx
import pandas as pd
import pytest

from sdrs_nb.cloud import connect
from sdrs_nb.errors import AuthenticationError, CloudUnreachable, InventoryError, PermissionDeniedError, ServiceError
from sdrs_nb.i18n.choosing import set_language
from sdrs_nb.inventory.inventory import Inventory, load_inventory
from sdrs_nb.tables import INVENTORY_TABLES
from tests.builders import a_server, an_inventory
from tests.builders_inventory import (
    HandedOut,
    a_group_document,
    a_server_document,
    a_volume_document,
    broken,
    cut_short,
    denied,
)


def state_of(inventory, name):
    """Return the state and message of a frame."""
    sources = inventory.sources.set_index("frame")
    return sources.loc[name, "state"], sources.loc[name, "message"]


async def test_the_credentials_are_proven_before_anything_else():
    """One cheap call goes first; when it fails, no list is asked for."""
    cloud = HandedOut(check=AuthenticationError("No.", method="GET", path="/", status=401))

    with pytest.raises(AuthenticationError):
        await load_inventory(cloud)

    assert cloud.asked == ["check"]


async def test_every_frame_is_loaded_and_says_when():
    """After a full load each frame has state loaded, its rows and its time; resize flavors wait to be asked for."""
    cloud = HandedOut(servers=[a_server_document()], volumes=[a_volume_document()], groups=[a_group_document()])

    inventory = await load_inventory(cloud)

    assert inventory.sources["frame"].tolist() == list(INVENTORY_TABLES)
    sources = inventory.sources.set_index("frame")
    assert sources["state"].drop("resize_flavors").eq("loaded").all()
    assert sources.loc["resize_flavors", "state"] == "not asked"
    assert sources["loaded_at"].drop("resize_flavors").notna().all()
    assert sources["rows"][["servers", "attachments", "domains"]].tolist() == [1, 1, 0]


async def test_the_inventory_says_whose_it_is():
    """Project, region, caller and origin are those of the proven identity."""
    about = (await load_inventory(HandedOut())).about

    assert (about.project_id, about.region, about.caller_user_id) == ("project-1", "region-1", "user-1")
    assert about.origin == "https://cloud.test"
    assert about.site == HandedOut().settings.site
    assert about.loaded_at.tzinfo is not None


@pytest.mark.parametrize("name", ["volumes", "groups", "protected_instances", "key_pairs", "enterprise_projects"])
async def test_a_source_that_may_not_be_read_is_denied(name):
    """A 403 gives an empty frame whose state says so; everything else is loaded."""
    inventory = await load_inventory(HandedOut(**{name: denied(), "servers": [a_server_document()]}))

    state, message = state_of(inventory, name)
    assert state == "denied"
    assert name in message
    assert "APIGW.0302" in message
    assert len(inventory.frame(name)) == 0
    assert not inventory.is_loaded(name)
    assert inventory.is_loaded("servers")


async def test_without_permission_for_servers_nothing_is_loaded():
    """There is nothing to check without servers, so a 403 there is raised."""
    with pytest.raises(PermissionDeniedError):
        await load_inventory(HandedOut(servers=denied()))


@pytest.mark.parametrize("name", ["servers", "volumes", "groups", "protected_instances"])
async def test_a_needed_source_that_fails_is_raised(name):
    """A half-read list of what decides would make wrong verdicts, so the error reaches the caller as it is."""
    with pytest.raises(ServiceError):
        await load_inventory(HandedOut(**{name: broken()}))


@pytest.mark.parametrize("error", [broken(), CloudUnreachable("No answer.")], ids=["503", "no answer"])
async def test_an_optional_source_that_fails_degrades(error):
    """A failing side service costs its own frame only."""
    inventory = await load_inventory(HandedOut(scaling_instances=error))

    state, message = state_of(inventory, "scaling_instances")
    assert state == "failed"
    assert str(error) in message


@pytest.mark.parametrize("name", ["servers", "volumes", "groups", "key_pairs", "scaling_instances"])
async def test_a_list_that_is_incomplete_is_partial(name):
    """The rows that came are there, both numbers are said, and the frame is not loaded, be it needed or not."""
    document = {
        "servers": a_server_document(),
        "volumes": a_volume_document(),
        "groups": a_group_document(),
        "key_pairs": {"name": "k"},
        "scaling_instances": {"instance_id": "server-1"},
    }[name]

    inventory = await load_inventory(HandedOut(**{name: cut_short(document, announced=300)}))

    state, message = state_of(inventory, name)
    assert state == "partial"
    assert f"The list of {name} is incomplete: 1 of 300 rows were received (/path)" in message
    assert len(inventory.frame(name)) == 1
    assert not inventory.is_loaded(name)
    assert inventory.is_loaded("vpcs")
    assert f"{name}: partial" in repr(inventory)
    assert "1 of 300 rows" in inventory._repr_html_()


async def test_a_list_without_a_number_says_what_came():
    """Where the cloud announces nothing, the message says so, in the operator's language."""
    cloud = HandedOut(vpcs=cut_short({"id": "v1", "name": "v"}, announced=None))

    assert "rows received: 1, and no end was found" in state_of(await load_inventory(cloud), "vpcs")[1]
    set_language("zh")
    assert "已收到 1 行" in state_of(await load_inventory(cloud), "vpcs")[1]


@pytest.mark.parametrize("name", ["servers", "volumes"])
async def test_attachments_are_partial_when_what_they_are_made_of_is(name):
    """They are made of servers and volumes; the message names the one that is short."""
    whole = {"servers": [a_server_document()], "volumes": [a_volume_document()]}

    inventory = await load_inventory(HandedOut(**{**whole, name: cut_short(*whole[name])}))

    state, message = state_of(inventory, "attachments")
    assert state == "partial"
    assert f"The list of {name} is incomplete" in message
    assert len(inventory.attachments) == 1


async def test_flavors_of_one_server_that_are_incomplete_make_the_frame_partial():
    """Each server's list is read by itself; those that are whole are there with the part of the other."""
    cloud = HandedOut()

    async def resize_flavors(server_id):
        if server_id == "s2":
            raise cut_short({"id": "f2"})
        return [{"id": "f1"}]

    cloud.ecs.resize_flavors = resize_flavors

    inventory = await load_inventory(cloud, frames=["resize_flavors"], resize_for=["s1", "s2"])

    assert state_of(inventory, "resize_flavors")[0] == "partial"
    assert inventory.resize_flavors[["server_id", "flavor_id"]].to_numpy().tolist() == [["s1", "f1"], ["s2", "f2"]]


@pytest.mark.parametrize(
    ("path", "frames"),
    [
        ("GET /v1/*/cloudservers/detail", {"servers", "attachments"}),
        ("GET /v2/*/cloudvolumes/detail", {"volumes", "attachments"}),
        ("GET /v1/*/protected-instances", {"protected_instances"}),
        ("GET /v1/*/server-groups", {"groups"}),
        ("GET /v1/*/replications", {"replication_pairs"}),
        ("GET /autoscaling-api/*", {"scaling_instances"}),
    ],
)
async def test_a_cloud_whose_lists_are_cut_short_gives_partial_frames(cloud, sandbox, path, frames):
    """Through the real client: the frames made of a short list are partial, all others loaded."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app), base_url="http://sandbox.test") as control:
        await control.post("/_sandbox/faults", json=[{"match": path, "kind": "short_list"}])

    inventory = await load_inventory(cloud)

    sources = inventory.sources.set_index("frame")["state"]
    assert set(sources.index[sources == "partial"]) == frames
    assert set(sources) == {"loaded", "partial", "not asked"}


async def test_a_failure_calls_off_the_other_lists():
    """When a needed list fails, those still under way are cancelled and awaited."""
    cloud = HandedOut(groups=broken())
    ended = []

    async def endless(on_page=None):
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("servers")

    cloud.ecs.servers = endless

    with pytest.raises(ServiceError):
        await load_inventory(cloud)

    assert ended == ["servers"]


async def test_only_the_frames_asked_for_are_read():
    """The other frames are empty and "not asked", and their lists are not requested."""
    cloud = HandedOut(groups=[a_group_document()])

    inventory = await load_inventory(cloud, frames=["groups", "quotas"])

    assert cloud.asked == ["check", "groups", "quotas"]
    assert state_of(inventory, "servers")[0] == "not asked"
    assert inventory.is_loaded("groups")


async def test_attachments_ask_servers_and_volumes():
    """Attachments alone read both lists and keep neither frame."""
    cloud = HandedOut(servers=[a_server_document()], volumes=[a_volume_document()])

    inventory = await load_inventory(cloud, frames=("attachments",))

    assert cloud.asked == ["check", "servers", "volumes"]
    assert inventory.attachments["seen_by"].tolist() == ["both"]
    assert len(inventory.servers) == 0


async def test_attachments_without_volumes_say_that_half_is_missing():
    """What servers report is there; the message says that volumes could not be asked."""
    inventory = await load_inventory(HandedOut(servers=[a_server_document()], volumes=denied()))

    assert inventory.attachments["seen_by"].tolist() == ["ecs"]
    assert "only what servers report" in state_of(inventory, "attachments")[1]


async def test_an_unknown_frame_is_refused_before_any_call():
    """A misspelt frame is named with the likely one, and the cloud is not asked."""
    cloud = HandedOut()

    with pytest.raises(InventoryError, match="looks like servers"):
        await load_inventory(cloud, frames=["server"])

    assert cloud.asked == []


async def test_progress_is_told_by_page_and_at_the_end():
    """Paged lists tell each page, every frame tells its end."""
    told = []
    cloud = HandedOut(servers=[a_server_document()], volumes=[a_volume_document()])

    await load_inventory(cloud, frames=["servers", "volumes", "quotas"], on_progress=lambda *step: told.append(step))

    assert told == [
        ("servers", 1, 1),
        ("volumes", 1, 1),
        ("servers", 1, 1),
        ("volumes", 1, 1),
        ("quotas", 0, 0),
    ]


async def test_the_sandboxs_estate_is_loaded_whole(cloud, sandbox):
    """Through the real client every server and volume of the sandbox's world arrives, none is left unsaid."""
    inventory = await load_inventory(cloud)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app), base_url="http://sandbox.test") as control:
        world = (await control.get("/_sandbox/world")).json()
    assert set(inventory.servers["server_id"]) == {server["id"] for server in world["servers"]}
    assert set(inventory.volumes["volume_id"]) == {volume["id"] for volume in world["volumes"]}
    assert set(inventory.sources["state"]) == {"loaded", "not asked"}
    assert inventory.attachments["seen_by"].eq("both").all()
    needed = ["name", "status", "az", "vpc_id", "nic_count", "flavor_id", "vcpus", "ram_gib", "os_type", "billing"]
    assert inventory.servers[needed].notna().all(axis=None)


class Boasting(httpx.ASGITransport):
    """The sandbox, whose list of servers announces 300 million; ``endless``: each page has one server nobody knows."""

    asked = 0

    def __init__(self, app, *, endless):
        super().__init__(app)
        self.endless = endless

    async def handle_async_request(self, request):
        answer = await super().handle_async_request(request)
        if not request.url.path.endswith("/cloudservers/detail"):
            return answer
        self.asked += 1
        document = json.loads(await answer.aread()) | {"count": 300_000_000}
        if self.endless:
            document["servers"] = [a_server_document(f"server-{self.asked}")]
        return httpx.Response(200, json=document)


@pytest.mark.parametrize("endless", [False, True], ids=["a count alone", "pages without end"])
async def test_a_list_that_boasts_is_partial_after_few_calls(sandbox, endless):
    """What was received decides how long reading goes on; the frame is partial, and both numbers are said."""
    keys = sandbox.credentials
    transport = Boasting(sandbox.app, endless=endless)
    async with connect(
        endpoint="http://sandbox.test",
        project_id=keys["project_id"],
        access_key=keys["access_key"],
        secret_key=keys["secret_key"],
        transport=transport,
    ) as cloud:
        inventory = await load_inventory(cloud, frames=["servers"])

    state, message = state_of(inventory, "servers")
    assert state == "partial"
    assert f"{len(inventory.servers)} of 300000000 rows were received" in message
    assert len(inventory.servers) >= (200 if endless else 240)
    assert transport.asked < 1000


def test_what_is_handed_out_may_be_changed():
    """Changing a frame, its values or the sources leaves the inventory as it was."""
    inventory = an_inventory(servers=[a_server("a"), a_server("b")])

    servers = inventory.servers
    servers.loc[0, "name"] = "changed"
    servers["extra"] = 1
    sources = inventory.sources
    sources.loc[:, "state"] = "denied"

    assert inventory.servers["name"].tolist() == ["name of a", "name of b"]
    assert "extra" not in inventory.servers
    assert inventory.is_loaded("servers")


def test_the_callers_frame_is_not_changed():
    """Frames given to an inventory keep their columns, dtypes and values, also when changed later."""
    given = pd.DataFrame([a_server()])
    before = given.copy(deep=True)

    inventory = Inventory({"servers": given})
    pd.testing.assert_frame_equal(given, before)
    given.loc[0, "name"] = "changed later"

    assert inventory.servers["name"].tolist() == ["name of server-1"]


def test_what_was_not_given_is_missing():
    """A frame that is not there is empty, has its columns, and is not loaded."""
    inventory = Inventory({"servers": pd.DataFrame([a_server()])})

    assert list(inventory.volumes.columns) == list(INVENTORY_TABLES["volumes"].columns)
    assert state_of(inventory, "volumes")[0] == "missing"
    assert not inventory.is_loaded("volumes")
    assert inventory.is_loaded("servers")


def test_every_frame_has_an_attribute_with_an_explanation():
    """Each table of an inventory is an attribute that says what a row is."""
    inventory = an_inventory()

    for name in INVENTORY_TABLES:
        pd.testing.assert_frame_equal(getattr(inventory, name), inventory.frame(name))
        assert "One row per" in str(getattr(Inventory, name).__doc__)


def test_with_frame_gives_a_checked_copy():
    """The new frame is converted and loaded in the copy; the first inventory stays as it was."""
    first = an_inventory(not_loaded=["key_pairs"])

    second = first.with_frame("key_pairs", pd.DataFrame({"name": [" k1 "], "note": [5]}))

    assert second.key_pairs["name"].tolist() == ["k1"]
    assert second.key_pairs["note"].tolist() == [5]
    assert second.is_loaded("key_pairs")
    assert not first.is_loaded("key_pairs")
    assert second.sources["frame"].tolist() == list(INVENTORY_TABLES)
    assert second.about == first.about


def test_with_frame_names_what_is_wrong():
    """A bad frame is refused with row and column."""
    with pytest.raises(InventoryError) as caught:
        an_inventory().with_frame("volumes", pd.DataFrame({"volume_id": ["v1", None], "size_gib": ["big", "4"]}))

    assert [(p.where, p.row, p.column) for p in caught.value.problems] == [
        ("volumes", 2, "size_gib"),
        ("volumes", 3, "volume_id"),
    ]


def test_an_unknown_frame_is_named():
    """Asking for a frame that does not exist names the likely one, or all."""
    inventory = an_inventory()

    with pytest.raises(InventoryError, match="looks like volumes"):
        inventory.frame("volume")
    with pytest.raises(InventoryError, match="there are servers, volumes"):
        inventory.is_loaded("xyz")
    with pytest.raises(InventoryError, match="no frame nodes"):
        Inventory({"nodes": pd.DataFrame()})


async def test_the_summary_counts_and_says_what_could_not_be_read():
    """The repr gives rows per loaded frame and a line per frame that is not; it shows no values of servers."""
    inventory = await load_inventory(HandedOut(servers=[a_server_document(name="secret-name")], volumes=denied()))

    text = repr(inventory)

    assert "servers 1" in text
    assert "volumes: denied" in text
    assert "secret-name" not in text
