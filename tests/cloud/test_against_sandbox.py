"""The real thing: our client and the sandbox, which share no code, over ASGI and over a socket."""

import asyncio
import json

import httpx
import pytest

from sdrs_nb import errors, start_sandbox
from sdrs_nb.cloud import connect
from sdrs_nb.sandbox import Sandbox


@pytest.fixture(scope="module")
def estate():
    """A sandbox of 240 servers in this process that stands still; nothing here changes it."""
    return Sandbox(servers=240, seed=7, speed=0)


def connected(sandbox, *names, **options):
    """Return a connection over ASGI with the named credentials of the sandbox."""
    chosen = {name: sandbox.credentials[name] for name in names}
    transport = httpx.ASGITransport(sandbox.app)
    return connect(endpoint="http://sandbox.test", region="sandbox-1", transport=transport, **{**chosen, **options})


KEY, LOGIN = ("access_key", "secret_key"), ("user", "password", "domain")


@pytest.mark.parametrize("names", [KEY, LOGIN, (*KEY, "project_id"), (*LOGIN, "project_id")], ids=" ".join)
async def test_both_authentications_are_accepted(estate, names):
    """The sandbox really verifies signatures and tokens, and agrees who the project is."""
    async with connected(estate, *names) as cloud:
        identity = await cloud.check()

    assert (identity.project_id, identity.region) == (estate.credentials["project_id"], "sandbox-1")
    assert identity.domain_id


async def test_every_list_is_read_completely_in_small_pages(estate):
    """Pages of 7 give what one page gives, in every list."""
    async with connected(estate, *KEY) as whole, connected(estate, *KEY, page_size=7) as paged:
        for calls in zip(_lists(whole), _lists(paged), strict=True):
            one, many = await asyncio.gather(*calls)

            assert one
            assert one == many


def _lists(cloud):
    yield cloud.ecs.servers()
    yield cloud.evs.volumes()
    yield cloud.sdrs.groups()
    yield cloud.sdrs.protected_instances()
    yield cloud.sdrs.replication_pairs()


async def test_every_other_source_answers(estate):
    """Paths, wrappers and scopes are those of the sandbox, which read the same documents on its own."""
    async with connected(estate, *LOGIN) as cloud:
        servers = await cloud.ecs.servers()
        subnets = await cloud.vpc.subnets()
        found = await asyncio.gather(
            cloud.vpc.vpcs(),
            cloud.kps.key_pairs(),
            cloud.autoscaling.instances(),
            cloud.eps.enterprise_projects(),
            cloud.sdrs.drills(),
            cloud.sdrs.domains(),
            cloud.sdrs.quotas(),
            cloud.deh.hosts(),
            cloud.dss.pools(),
            cloud.ecs.flavors(),
            cloud.ecs.resize_flavors(servers[0]["id"]),
            cloud.ecs.server_groups(),
            cloud.ecs.limits(),
            cloud.evs.quota(),
        )
        free = await cloud.vpc.free_addresses(subnets[0]["id"])
        failed = await cloud.sdrs.failure_jobs()

    assert all(found)
    assert free > 0
    assert failed == []


async def test_objects_are_found_by_id(estate):
    """More ids than one filter takes, and one that does not exist."""
    async with connected(estate, *KEY) as cloud:
        servers, volumes = await cloud.ecs.servers(), await cloud.evs.volumes()
        some_servers = [row["id"] for row in servers[:150]]
        some_volumes = [row["id"] for row in volumes[:130]]

        by_server = await cloud.ecs.servers_by_id([*some_servers, "no-such-server"])
        by_volume = await cloud.evs.volumes_by_id([*some_volumes, "no-such-volume"])

    assert {row["id"] for row in by_server} == set(some_servers)
    assert {row["id"] for row in by_volume} == set(some_volumes)


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda cloud: cloud.sdrs.group("nope"), "SDRS.1013"),
        (lambda cloud: cloud.sdrs.protected_instance("nope"), "SDRS.1320"),
        (lambda cloud: cloud.sdrs.job("nope"), "SDRS.0408"),
        (lambda cloud: cloud.ecs.server("nope"), None),
    ],
    ids=["group", "instance", "job", "server"],
)
async def test_what_does_not_exist_is_not_found(estate, ask, code):
    """Each service says it in its own way; here it is one class."""
    async with connected(estate, *KEY) as cloud:
        with pytest.raises(errors.NotFoundError) as caught:
            await ask(cloud)

    assert code in {None, caught.value.code}
    assert caught.value.request_id


@pytest.mark.parametrize("names", [KEY, LOGIN], ids=["key", "login"])
async def test_wrong_credentials_are_refused_once(names):
    """However many lists start at once, the cloud sees one bad attempt."""
    sandbox = Sandbox(servers=5, seed=7, speed=0)
    wrong = {names[1]: "wrong"}
    async with connected(sandbox, *names, **wrong) as cloud:
        results = await asyncio.gather(*(cloud.ecs.servers() for _ in range(12)), return_exceptions=True)

    assert {type(result) for result in results} == {errors.AuthenticationError}
    assert len(await _requests(sandbox)) == 1


async def _requests(sandbox):
    transport = httpx.ASGITransport(sandbox.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox.test") as client:
        return (await client.get("/_sandbox/requests")).json()


async def test_a_refused_batch_is_definite_and_worded_by_the_cloud(estate):
    """A batch with nothing in it is refused whole."""
    async with connected(estate, *KEY) as cloud:
        with pytest.raises(errors.CloudError, match=r"SDRS\.0201") as caught:
            await cloud.sdrs.batch_create(json.dumps({"protected_instances": {}}).encode())

    assert caught.value.status == 400


async def test_the_process_serves_what_the_package_asks():
    """Over a real socket, from two event loops, with the environment's variables."""
    async with start_sandbox(servers=20, seed=3, speed=0) as sandbox:
        async with sandbox.connect() as cloud:
            here = await cloud.ecs.servers()
            there = await asyncio.to_thread(lambda: asyncio.run(cloud.ecs.servers()))

        facts = {name.removeprefix("SDRS_NB_").lower(): value for name, value in sandbox.environment().items()}
        async with connect(**facts) as cloud:
            from_facts = await cloud.ecs.servers()

    assert len(here) == 20
    assert here == there == from_facts


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("lost_answer", errors.CloudUnreachable),
        ("reset", errors.CloudUnreachable),
        ("garbage", errors.SubmissionUncertain),
    ],
)
async def test_a_create_in_doubt_is_on_the_wire_once(kind, error):
    """The sandbox drops or spoils one answer; its own log shows a single create."""
    async with (
        start_sandbox(servers=20, seed=3, speed=0) as sandbox,
        httpx.AsyncClient(base_url=sandbox.endpoint) as raw,
    ):
        fault = {"match": "POST /v1/*/protected-instances/batch", "kind": kind, "times": 1}
        await raw.post("/_sandbox/faults", json=[fault])
        async with sandbox.connect() as cloud:
            with pytest.raises(error) as caught:
                await cloud.sdrs.batch_create(b"{}")
        log = (await raw.get("/_sandbox/requests")).json()

    assert getattr(caught.value, "sent", True)
    assert sum(entry["method"] == "POST" for entry in log) == 1


async def test_an_expired_token_goes_unnoticed():
    """The gateway refuses the token once; a new one is fetched and the list is read."""
    async with (
        start_sandbox(servers=20, seed=3, speed=0) as sandbox,
        httpx.AsyncClient(base_url=sandbox.endpoint) as raw,
    ):
        login = sandbox.environment()
        async with sandbox.connect(user=login["SDRS_NB_USER"], password=login["SDRS_NB_PASSWORD"]) as cloud:
            await cloud.check()
            await raw.post("/_sandbox/faults", json=[{"match": "GET *", "kind": "expire_token", "times": 1}])

            servers = await cloud.ecs.servers()
        log = (await raw.get("/_sandbox/requests")).json()

    assert len(servers) == 20
    assert [entry["status"] for entry in log] == [201, 401, 201, 200]
