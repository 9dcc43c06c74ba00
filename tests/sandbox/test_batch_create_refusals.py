"""Every code a batch create request can provoke: the request, the state, the code."""

from dataclasses import replace

import pytest

from sdrs_nb.sandbox import Settings


def tags(count):
    """Give so many different tags."""
    return [{"key": f"k{number}", "value": "v"} for number in range(count)]


BODY = [
    pytest.param({"name_prefix": ...}, "SDRS.0201", id="no prefix"),
    pytest.param({"name_prefix": 5}, "SDRS.0201", id="prefix is a number"),
    pytest.param({"name_prefix": None}, "SDRS.0201", id="prefix is null"),
    pytest.param({"servers": ...}, "SDRS.0201", id="no server list"),
    pytest.param({"servers": [{}]}, "SDRS.0201", id="server without id"),
    pytest.param({"servers": ["a"]}, "SDRS.0201", id="server is a string"),
    pytest.param({"servers": [{"server_id": "a", "flavorRef": None}]}, "SDRS.0201", id="flavor is null"),
    pytest.param({"server_group_id": ...}, "SDRS.0201", id="no group"),
    pytest.param({"description": None}, "SDRS.0201", id="description is null"),
    pytest.param({"tags": {}}, "SDRS.0201", id="tags are no list"),
    pytest.param({"tags": ["a"]}, "SDRS.0201", id="tag is a string"),
    pytest.param({"name_prefix": ""}, "SDRS.0202", id="prefix empty"),
    pytest.param({"name_prefix": "x" * 60}, "SDRS.0202", id="prefix of 60"),
    pytest.param({"name_prefix": "a*b"}, "SDRS.0202", id="prefix with a star"),
    pytest.param({"name_prefix": "a\n"}, "SDRS.0202", id="prefix with a line end"),
    pytest.param({"name_prefix": "ａｂ"}, "SDRS.0202", id="prefix in full width"),
    pytest.param({"description": "x" * 65}, "SDRS.0212", id="description of 65"),
    pytest.param({"description": "a<b"}, "SDRS.0212", id="description with a bracket"),
    pytest.param({"server_group_id": ""}, "SDRS.0207", id="group id empty"),
    pytest.param({"tenancy": "mine"}, "SDRS.0228", id="unknown tenancy"),
    pytest.param({"tenancy": "dedicated", "dedicated_host_id": ""}, "SDRS.0227", id="host id empty"),
    pytest.param({"dedicated_host_id": "h"}, "SDRS.1371", id="host without tenancy"),
    pytest.param({"tenancy": "shared", "dedicated_host_id": "h"}, "SDRS.1371", id="host with tenancy shared"),
    pytest.param({"cluster_id": ""}, "SDRS.0218", id="pool id empty"),
    pytest.param({"tags": tags(11)}, "SDRS.2203", id="11 tags"),
    pytest.param({"tags": [{"value": "v"}]}, "SDRS.2205", id="tag without key"),
    pytest.param({"tags": [{"key": " ", "value": "v"}]}, "SDRS.2205", id="tag key blank"),
    pytest.param({"tags": [{"key": "k" * 37, "value": "v"}]}, "SDRS.2204", id="tag key of 37"),
    pytest.param({"tags": [{"key": "a=b", "value": "v"}]}, "SDRS.2204", id="tag key with ="),
    pytest.param({"tags": [{"key": "k"}]}, "SDRS.2208", id="tag without value"),
    pytest.param({"tags": [{"key": "k", "value": None}]}, "SDRS.2208", id="tag value null"),
    pytest.param({"tags": [{"key": "k", "value": "v" * 44}]}, "SDRS.2207", id="tag value of 44"),
    pytest.param({"tags": [{"key": "k", "value": "a/b"}]}, "SDRS.2207", id="tag value with a slash"),
    pytest.param({"tags": [{"key": "k", "value": "1"}, {"key": "k", "value": "2"}]}, "SDRS.2209", id="tag key twice"),
    pytest.param({"servers": []}, "SDRS.0201", id="no servers"),
    pytest.param({"servers": [{"server_id": str(n)} for n in range(6)]}, "SDRS.1362", id="six servers"),
    pytest.param({"servers": [{"server_id": "a"}, {"server_id": "a"}]}, "SDRS.1361", id="a server twice"),
    pytest.param({"servers": [{"server_id": ""}]}, "SDRS.0210", id="server id empty"),
    pytest.param({"server_group_id": "nobody"}, "SDRS.1013", id="unknown group"),
    pytest.param({"servers": [{"server_id": "nobody"}]}, "SDRS.1360", id="unknown server"),
    pytest.param({"primary_subnet_id": "nobody"}, "SDRS.1335", id="unknown subnet"),
    pytest.param({"tenancy": "dedicated", "dedicated_host_id": "nobody"}, "SDRS.1372", id="unknown host"),
    pytest.param({"cluster_id": "nobody"}, "SDRS.1381", id="unknown pool"),
]


@pytest.mark.parametrize(("fields", "code"), BODY)
async def test_body_is_refused(cloud, code_of, fields, code):
    """A body that breaks one rule gets that rule's code, and nothing is made."""
    revision = cloud.world.revision

    answer = await cloud.batch(cloud.plain(), **fields)

    assert (answer.status_code, code_of(answer)) == (400, code)
    assert cloud.world.revision == revision


@pytest.mark.parametrize("text", ["", "{", "[]", '{"protected_instances": []}', '{"protected_instance": {}}'])
async def test_malformed_body_is_refused(cloud, code_of, text):
    """What is no object with an object under protected_instances is 0201, under the key the page shows."""
    answer = await cloud.http.post(f"/v1/{cloud.project}/protected-instances/batch", content=text)

    assert (answer.status_code, code_of(answer), list(answer.json())) == (400, "SDRS.0201", ["badrequest"])


GOOD = [
    pytest.param({"name_prefix": "x"}, id="prefix of 1"),
    pytest.param({"name_prefix": "中" * 59}, id="prefix of 59 Chinese characters"),
    pytest.param({"name_prefix": "Aa0._-"}, id="every kind of character"),
    pytest.param({"description": "x" * 64}, id="description of 64"),
    pytest.param({"description": ""}, id="description empty"),
    pytest.param({"tags": []}, id="no tags in the list"),
    pytest.param({"tags": tags(10)}, id="ten tags"),
    pytest.param({"tags": [{"key": "k" * 36, "value": "v" * 43}]}, id="longest tag"),
    pytest.param({"tags": [{"key": "k", "value": ""}]}, id="tag value empty"),
    pytest.param({"tenancy": "shared"}, id="tenancy shared"),
    pytest.param({"unknown_field": 1}, id="unknown field"),
]


@pytest.mark.parametrize("fields", GOOD)
async def test_boundary_values_are_accepted(cloud, fields):
    """The limits themselves are fine: 202 with a job id of 32 characters."""
    answer = await cloud.batch(cloud.plain(), **fields)

    assert answer.status_code == 202
    assert len(answer.json()["job_id"]) == 32


ORDER = [
    pytest.param({"name_prefix": 5, "description": "<"}, "SDRS.0201", id="0201 before 0212"),
    pytest.param({"name_prefix": "*", "description": "<"}, "SDRS.0202", id="0202 before 0212"),
    pytest.param({"description": "<", "server_group_id": ""}, "SDRS.0212", id="0212 before 0207"),
    pytest.param({"server_group_id": "", "tenancy": "x"}, "SDRS.0207", id="0207 before 0228"),
    pytest.param({"tenancy": "x", "dedicated_host_id": ""}, "SDRS.0228", id="0228 before 0227"),
    pytest.param({"dedicated_host_id": "h", "cluster_id": ""}, "SDRS.1371", id="1371 before 0218"),
    pytest.param({"cluster_id": "", "tags": tags(11)}, "SDRS.0218", id="0218 before 2203"),
    pytest.param({"tags": [{"value": "/"}]}, "SDRS.2205", id="2205 before 2207"),
    pytest.param({"tags": tags(11), "servers": []}, "SDRS.2203", id="2203 before the server list"),
    pytest.param({"servers": [{"server_id": "a"}] * 6}, "SDRS.1362", id="1362 before 1361"),
    pytest.param({"servers": [{"server_id": ""}] * 2}, "SDRS.1361", id="1361 before 0210"),
    pytest.param({"servers": [{"server_id": ""}], "server_group_id": "x"}, "SDRS.0210", id="0210 before 1013"),
    pytest.param({"servers": [{"server_id": "x"}], "server_group_id": "x"}, "SDRS.1013", id="1013 before 1360"),
    pytest.param({"servers": [{"server_id": "x"}], "cluster_id": "x"}, "SDRS.1360", id="1360 before 1381"),
    pytest.param({"primary_subnet_id": "x", "cluster_id": "x"}, "SDRS.1335", id="1335 before 1381"),
]


@pytest.mark.parametrize(("fields", "code"), ORDER)
async def test_first_rule_in_the_documented_order_wins(cloud, code_of, fields, code):
    """With several problems the answer names the first in the documented order."""
    answer = await cloud.batch(cloud.plain(), **fields)

    assert code_of(answer) == code


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("pg-crm", "SDRS.1024"),
        ("pg-crm-legacy", "SDRS.1024"),
        ("pg-lab", "SDRS.1024"),
        ("pg-erp", None),
        ("pg-web", "SDRS.1303"),
    ],
)
async def test_group_status_decides(cloud, code_of, name, code):
    """Only groups that are available or protected take servers; the next rule is the server's AZ."""
    answer = await cloud.batch(cloud.plain(), name)

    assert code_of(answer) == code


@pytest.mark.parametrize("change", [{"target_az": ""}, {"target_az": "sandbox-1b"}, {"vpc_id": ""}])
async def test_abnormal_group_data_is_refused(cloud, code_of, change):
    """A group whose AZs or VPC are missing or equal is 1015."""
    servers = cloud.plain()
    for name, value in change.items():
        setattr(cloud.group("pg-erp"), name, value)

    assert code_of(await cloud.batch(servers)) == "SDRS.1015"


async def test_shared_volume_needs_every_owner(cloud, code_of):
    """A chain of shared volumes is refused with 1408 until each server's companions are listed."""
    world = cloud.world
    chain = next(
        server
        for server in world.servers.values()
        if sum(world.volumes[entry[0]].multiattach for entry in server.volumes) == 2
    )
    owners = {o for entry in chain.volumes for o, _ in world.volumes[entry[0]].attachments}

    alone = await cloud.batch([chain.id])
    end_only = await cloud.batch(sorted(owners - {chain.id})[:1])
    whole = await cloud.batch(sorted(owners))

    assert len(owners) == 3
    assert [code_of(answer) for answer in (alone, end_only, whole)] == ["SDRS.1408", "SDRS.1408", None]


async def test_shared_volume_with_one_owner_is_fine_in_a_batch(cloud, code_of):
    """A shared volume with a single owner passes the batch call, but not the single one."""
    world = cloud.world
    server = next(
        server
        for server in world.servers.values()
        for entry in server.volumes
        if world.volumes[entry[0]].multiattach
        and len(world.volumes[entry[0]].attachments) == 1
        and server.role == "production"
    )
    body = {"name": "one", "server_id": server.id, "server_group_id": cloud.group("pg-erp").id}

    single = await cloud.call("POST", "/v1/{p}/protected-instances", {"protected_instance": body})

    assert code_of(single) == "SDRS.1806"
    assert (await cloud.batch([server.id])).status_code == 202


async def test_dedicated_host_rules(cloud, code_of):
    """1372 not available, 1373 other AZ, 1375 ECS group, 1374 flavor; a fitting host is accepted."""
    world = cloud.world
    hosts = {host.name: host.id for host in world.hosts.values()}
    by_family = {world.servers[i].flavor_id[:2]: i for i in cloud.plain(200)}
    grouped = next(server.id for server in world.servers.values() if server.ecs_group_id)

    async def ask(server_id, host):
        return code_of(await cloud.batch([server_id], tenancy="dedicated", dedicated_host_id=hosts[host]))

    assert await ask(by_family["c7"], "deh-b-fault") == "SDRS.1372"
    assert await ask(by_family["c7"], "deh-b-c7") == "SDRS.1373"
    assert await ask(grouped, "deh-a-c7") == "SDRS.1375"
    assert await ask(by_family["m7"], "deh-a-c7") == "SDRS.1374"
    assert await ask(by_family["c7"], "deh-a-c7") is None


async def test_storage_pool_rules(cloud, code_of):
    """1384 deploying, 1383 other AZ, 1386 other type, 1385 full; a fitting pool is accepted."""
    world = cloud.world
    pools = {pool.name: pool.id for pool in world.pools.values()}
    kinds = {}
    for server_id in cloud.plain(200):
        types = {world.volumes[entry[0]].type for entry in world.servers[server_id].volumes}
        kinds[next(iter(types)) if len(types) == 1 else "mixed"] = server_id

    async def ask(server_id, pool):
        return code_of(await cloud.batch([server_id], cluster_id=pools[pool]))

    assert await ask(kinds["SAS"], "dss-a-deploying") == "SDRS.1384"
    assert await ask(kinds["SAS"], "dss-b-sas") == "SDRS.1383"
    assert await ask(kinds["mixed"], "dss-a-sas") == "SDRS.1386"
    assert await ask(kinds["SAS"], "dss-a-full") == "SDRS.1385"
    assert await ask(kinds["SAS"], "dss-a-sas") is None


SITES = [
    pytest.param({"deh_supported": False}, {"tenancy": "dedicated"}, "SDRS.1366", id="no dedicated hosts here"),
    pytest.param({"dss_supported": False}, {"cluster_id": "x"}, "SDRS.1382", id="no dedicated storage here"),
    pytest.param({"group_instance_limit": 1}, {}, "SDRS.1358", id="group is full"),
    pytest.param({"pair_quota": 23}, {}, "SDRS.0306", id="pair quota used up"),
    pytest.param({"empty_description_refused": True}, {"description": ""}, "SDRS.0212", id="empty description"),
]


@pytest.mark.parametrize(("changes", "fields", "code"), SITES)
async def test_site_settings_refuse(make_cloud, code_of, changes, fields, code):
    """What a site or tenant may lack is refused with its own code."""
    cloud = make_cloud(settings=replace(Settings(), **changes))

    assert code_of(await cloud.batch(cloud.plain(), **fields)) == code


async def test_dr_flavor_must_be_in_the_resize_list(cloud, code_of):
    """A DR flavor is the server's own one or one of its resize list, else 1353."""
    server_id, second = cloud.plain(2)
    resize = await cloud.get("/v1/{p}/cloudservers/resize_flavors", instance_uuid=server_id)
    good = resize["flavors"][0]["id"]

    for flavor in ("nobody", "kc1.xlarge.2", "c3.retired.2"):
        assert code_of(await cloud.batch([], servers=[{"server_id": server_id, "flavorRef": flavor}])) == "SDRS.1353"
    own = cloud.world.servers[second].flavor_id
    assert (await cloud.batch([], servers=[{"server_id": server_id, "flavorRef": good}])).status_code == 202
    assert (await cloud.batch([], servers=[{"server_id": second, "flavorRef": own}])).status_code == 202


async def test_one_bad_server_refuses_the_whole_request(cloud, code_of):
    """Validation is all or nothing: a good server beside a bad one gets nothing."""
    good = cloud.plain()[0]
    bad = next(server.id for server in cloud.world.servers.values() if server.status == "BUILD")

    answer = await cloud.batch([good, bad])

    assert code_of(answer) == "SDRS.1333"
    assert good not in cloud.world.instance_by_server
