import json
from urllib.parse import parse_qs

import httpx
import pytest

from sdrs_nb import errors
from tests.builders_cloud import ACCESS, PROJECT, PlayedCloud, an_error, some


def queries(played):
    """Return the query of every request but IAM's, each as a dict."""
    lines = [line.partition("?")[2] for line in played.asked]
    return [{name: values[0] for name, values in parse_qs(line, keep_blank_values=True).items()} for line in lines]


async def test_servers_are_read_by_page_number():
    """The offset of the server list counts pages from 1, not rows; in the end the first row is looked at again."""

    def answer(request):
        number, size = (int(request.url.params[name]) for name in ("offset", "limit"))
        return httpx.Response(200, json={"count": 5, "servers": some(5)[(number - 1) * size : number * size]})

    played = PlayedCloud({"GET /v1/P/cloudservers/detail": answer})

    servers = await played.connect(page_size=2).ecs.servers()

    assert servers == some(5)
    pages = [(query["offset"], query["limit"]) for query in queries(played)]
    assert sorted(pages[:-1]) == [("1", "2"), ("2", "2"), ("3", "2")]
    assert pages[-1] == ("1", "1")


async def test_volumes_are_read_by_row():
    """The offset of the volume list counts rows; each page begins with the last row of the one before it."""

    def answer(request):
        row, size = (int(request.url.params[name]) for name in ("offset", "limit"))
        return httpx.Response(200, json={"count": 8, "volumes": some(8)[row : row + size]})

    played = PlayedCloud({"GET /v2/P/cloudvolumes/detail": answer})

    assert await played.connect(page_size=4).evs.volumes() == some(8)
    assert sorted(query["offset"] for query in queries(played)) == ["0", "3", "6"]


@pytest.mark.parametrize(("count", "calls"), [(0, 0), (1, 1), (100, 1), (101, 2), (250, 3)])
async def test_servers_by_id_come_in_chunks_of_a_hundred(count, calls):
    """No id asks nothing; unknown ids, which come back as husks, are left out."""

    def answer(request):
        ids = request.url.params["server_id"].split(",")
        known = [{"id": server_id, "status": "ACTIVE"} for server_id in ids[1:]]
        return httpx.Response(200, json={"count": len(ids), "servers": [{"id": ids[0], "fault": {}}, *known]})

    played = PlayedCloud({"GET /v1/P/cloudservers/detail": answer})

    servers = await played.connect().ecs.servers_by_id([f"s{number}" for number in range(count)])

    assert len(played.asked) == calls
    assert len(servers) == count - calls


@pytest.mark.parametrize(("count", "calls"), [(0, 0), (60, 1), (61, 2)])
async def test_volumes_by_id_come_in_chunks_of_sixty(count, calls):
    """The filter is a JSON list of at most 60 ids."""

    def answer(request):
        return httpx.Response(200, json={"volumes": [{"id": v} for v in json.loads(request.url.params["ids"])]})

    played = PlayedCloud({"GET /v2/P/cloudvolumes/detail": answer})

    volumes = await played.connect().evs.volumes_by_id([f"v{number}" for number in range(count)])

    assert (len(played.asked), len(volumes)) == (calls, count)


@pytest.mark.parametrize(
    ("kind", "path", "ask"),
    [
        ("servers", "/v1/P/cloudservers/detail", lambda cloud: cloud.ecs.servers_by_id(["a", "b"])),
        ("volumes", "/v2/P/cloudvolumes/detail", lambda cloud: cloud.evs.volumes_by_id(["a", "b"])),
    ],
)
async def test_what_is_asked_for_by_id_is_not_absent_from_a_short_answer(kind, path, ask):
    """An answer that holds fewer rows than it announces decides only if it holds all that was asked for."""
    one, both = [{"id": "a", "status": "x"}], [{"id": "a", "status": "x"}, {"id": "b", "status": "x"}]
    played = PlayedCloud({f"GET {path}": [{"count": 2, kind: one}, {"count": 9, kind: both}, {"count": 1, kind: one}]})
    cloud = played.connect()

    with pytest.raises(errors.ListIncompleteError) as caught:
        await ask(cloud)

    assert (caught.value.received, caught.value.announced, caught.value.documents) == (1, 2, one)
    assert await ask(cloud) == both
    assert await ask(cloud) == one


@pytest.mark.parametrize(
    ("count", "read"),
    [
        *((count, [1]) for count in (None, 0, 1, -5, "many", "", True, 0.5, {"total": 7})),
        *((count, None) for count in (2, 300_000_000, 3e8, "300000000", 10**400)),
    ],
)
@pytest.mark.parametrize(
    ("path", "kind", "ask"),
    [
        ("/v1/P/cloudservers/detail", "servers", lambda cloud: cloud.ecs.servers()),
        ("/v2/P/cloudvolumes/detail", "volumes", lambda cloud: cloud.evs.volumes()),
        ("/v1/P/replications", "replications", lambda cloud: cloud.sdrs.replication_pairs()),
        ("/v1/P/vpcs", "vpcs", lambda cloud: cloud.vpc.vpcs()),
        ("/v1/P/active-domains", "domains", lambda cloud: cloud.sdrs.domains()),
    ],
)
async def test_a_count_of_any_kind_costs_no_more_than_a_sentence(path, kind, ask, count, read):
    """One row comes, whatever is announced: the list is whole, or incomplete with both numbers, after a few calls."""
    played = PlayedCloud({f"GET {path}": {kind: some(1), "count": count}})

    try:
        found, told = len(await ask(played.connect())), None
    except errors.ListIncompleteError as error:
        found, told = None, error

    assert len(played.asked) <= 6
    assert ([found] if found else None) == read
    assert told is None or (told.received == 1 < told.announced and str(told.announced) in str(told))


@pytest.mark.parametrize("total", [None, 0])
async def test_null_is_an_empty_list(total):
    """The service writes null where it has no rows; a count beside it that says otherwise is another thing."""
    played = PlayedCloud(
        {
            "GET /v1/P/server-groups": {"server_groups": None, "count": total},
            "GET /v1/P/replications": {"replications": None, "count": 3},
            "GET /v1/P/sdrs/quotas": {"quotas": {"resources": None}},
        }
    )
    sdrs = played.connect().sdrs

    assert await sdrs.groups() == []
    assert await sdrs.quotas() == []
    with pytest.raises(errors.ListIncompleteError, match="announced 3 rows and gave 0"):
        await sdrs.replication_pairs()


async def test_scaling_instances_of_an_incomplete_list_are_told_with_what_came():
    """Instances of the groups that were received are there, whichever of the lists is short."""
    root = "GET /autoscaling-api/v1/P"
    groups = {"scaling_groups": [{"scaling_group_id": "g1"}], "total_number": 9}
    played = PlayedCloud(
        {
            f"{root}/scaling_group": [*[groups] * 6, {**groups, "total_number": 1}],
            f"{root}/scaling_group_instance/g1/list": [
                {"total_number": 1, "scaling_group_instances": [{"instance_id": "s1"}]},
                {"total_number": 5, "scaling_group_instances": [{"instance_id": "s1"}]},
            ],
        }
    )
    autoscaling = played.connect().autoscaling

    for announced in (9, 5):
        with pytest.raises(errors.ListIncompleteError) as caught:
            await autoscaling.instances()
        assert caught.value.documents == [{"scaling_group_id": "g1", "instance_id": "s1"}]
        assert (caught.value.received, caught.value.announced) == (1, announced)


async def test_scaling_instances_of_all_groups_are_one_list():
    """Each instance says which group it belongs to."""
    root = "GET /autoscaling-api/v1/P"
    played = PlayedCloud(
        {
            f"{root}/scaling_group": {
                "total_number": 2,
                "scaling_groups": [{"scaling_group_id": "g1"}, {"scaling_group_id": "g2"}],
            },
            f"{root}/scaling_group_instance/g1/list": {
                "total_number": 1,
                "scaling_group_instances": [{"instance_id": "s1", "scaling_configuration_id": "c"}],
            },
            f"{root}/scaling_group_instance/g2/list": {"total_number": 0, "scaling_group_instances": []},
        }
    )

    assert await played.connect().autoscaling.instances() == [
        {"scaling_group_id": "g1", "instance_id": "s1", "scaling_configuration_id": "c"}
    ]


async def test_key_pairs_are_unwrapped_and_followed_by_marker():
    """Each pair comes in a wrapper of its own, pages go on from the marker."""

    def answer(request):
        marker = request.url.params.get("marker")
        pair, following = ("b", None) if marker else ("a", "a")
        return httpx.Response(
            200, json={"keypairs": [{"keypair": {"name": pair}}], "page_info": {"next_marker": following}}
        )

    played = PlayedCloud({"GET /v3/P/keypairs": answer})

    assert await played.connect().kps.key_pairs() == [{"name": "a"}, {"name": "b"}]


async def test_free_addresses_count_ipv4_only():
    """An IPv6 range would hide that no IPv4 address is left."""
    found = {
        "total_ips": 10**18,
        "used_ips": 3,
        "subnet_ip_availability": [
            {"ip_version": 4, "total_ips": 251, "used_ips": 250},
            {"ip_version": 6, "total_ips": 10**18, "used_ips": 0},
        ],
    }
    played = PlayedCloud({"GET /v2.0/network-ip-availabilities/n": {"network_ip_availability": found}})

    assert await played.connect().vpc.free_addresses("n") == 1


async def test_the_thin_calls_take_the_object_out_of_its_wrapper():
    """One method an endpoint, at the documented path, documents out."""
    played = PlayedCloud(
        {
            "GET /v1/P/cloudservers/s": {"server": {"id": "s"}},
            "GET /v1/P/cloudservers/flavors": {"flavors": some(1)},
            "GET /v1/P/cloudservers/resize_flavors": {"flavors": some(2)},
            "GET /v1/P/cloudservers/limits": {"absolute": {"maxTotalInstances": -1}},
            "GET /v1/P/cloudservers/os-server-groups": {"server_groups": some(1), "page_info": {}},
            "GET /v2/P/os-quota-sets/P": {"quota_set": {"volumes": {"limit": -1}}},
            "GET /v1/P/vpcs": {"vpcs": some(3)},
            "GET /v1/P/subnets": {"subnets": some(4)},
            "GET /v1.0/P/dedicated-hosts": {"dedicated_hosts": [{"dedicated_host_id": "h"}], "total": 1},
            "GET /v1/P/pools/detail": {"pools": some(1), "count": 1},
            "GET /v1.0/enterprise-projects": {"enterprise_projects": some(2), "total_count": 2},
            "GET /v1/P/server-groups/g": {"server_group": {"id": "g"}},
            "GET /v1/P/protected-instances/i": {"protected_instance": {"id": "i"}},
            "GET /v1/P/protected-instances": {"protected_instances": some(2), "count": 2},
            "GET /v1/P/replications": {"replications": some(2), "count": 2},
            "GET /v1/P/disaster-recovery-drills": {"disaster_recovery_drills": some(1), "count": 1},
            "GET /v1/P/active-domains": {"domains": some(1)},
            "GET /v1/P/sdrs/quotas": {"quotas": {"resources": [{"type": "replications", "quota": -1, "used": 0}]}},
            "GET /v1/P/task-center/failure-jobs": {"failure_jobs": [{"job_id": "j"}], "count": 1},
            "GET /v1/P/jobs/j": {"job_id": "j", "status": "RUNNING"},
        }
    )
    cloud = played.connect()
    ecs, sdrs = cloud.ecs, cloud.sdrs

    assert await ecs.server("s") == {"id": "s"}
    assert [len(await call) for call in (ecs.flavors("az1"), ecs.resize_flavors("s"), ecs.server_groups())] == [1, 2, 1]
    assert await ecs.limits() == {"maxTotalInstances": -1}
    assert await cloud.evs.quota() == {"volumes": {"limit": -1}}
    assert [len(await call) for call in (cloud.vpc.vpcs(), cloud.vpc.subnets())] == [3, 4]
    assert [len(await call) for call in (cloud.deh.hosts(), cloud.dss.pools())] == [1, 1]
    assert len(await cloud.eps.enterprise_projects()) == 2
    assert await sdrs.group("g") == {"id": "g"}
    assert await sdrs.protected_instance("i") == {"id": "i"}
    assert [len(await call) for call in (sdrs.protected_instances("g"), sdrs.replication_pairs(), sdrs.drills())] == [
        2,
        2,
        1,
    ]
    assert [len(await call) for call in (sdrs.domains(), sdrs.quotas(), sdrs.failure_jobs("g"))] == [1, 1, 1]
    assert await sdrs.job("j") == {"job_id": "j", "status": "RUNNING"}
    assert any(query.get("server_group_id") == "g" for query in queries(played))


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({}, id="no list"),
        pytest.param({"server_groups": {"id": "g"}}, id="an object"),
        pytest.param({"server_groups": ["g"]}, id="texts"),
        pytest.param(httpx.Response(200, json=[]), id="a bare list"),
        pytest.param(httpx.Response(204), id="empty"),
    ],
)
async def test_an_answer_without_the_list_is_no_empty_list(answer):
    """Taking it for one would say that no server is protected."""
    played = PlayedCloud({"GET /v1/P/server-groups": answer})

    with pytest.raises(errors.CloudError, match="answered without a list of objects at server_groups") as caught:
        await played.connect().sdrs.groups()

    assert (caught.value.method, caught.value.status) == ("GET", 200)


async def test_a_forbidden_list_is_told_from_a_failing_one():
    """The inventory goes on without what it may not see."""
    played = PlayedCloud(
        {"GET /v3/P/keypairs": httpx.Response(403, json={"error_code": "KPS.0403", "error_msg": "no"})}
    )

    with pytest.raises(errors.PermissionDeniedError, match=r"KPS\.0403: no"):
        await played.connect().kps.key_pairs()


@pytest.mark.parametrize("status", [400, 404, 500])
async def test_a_vanished_job_is_not_found_however_it_is_said(status):
    """The service's "null job" comes as 400 or 500; following falls back to listing on NotFoundError."""
    code = "SDRS.0408" if status != 404 else "APIGW.0101"
    played = PlayedCloud({"GET /v1/P/jobs/j": an_error(status, code)})

    with pytest.raises(errors.NotFoundError) as caught:
        await played.connect().sdrs.job("j")

    assert caught.value.code == code
    assert len(played.asked) == 1


async def test_services_have_hosts_of_their_own():
    """Without one endpoint, region and cloud host make each service's host; key pairs live with KMS."""
    answers = {
        "GET /v3/P/keypairs": {"keypairs": []},
        "GET /v1.0/enterprise-projects": {"enterprise_projects": [], "total_count": 0},
        "GET /v1/P/server-groups": {"server_groups": []},
    }
    played = PlayedCloud(answers)
    cloud = played.connect(
        endpoint=None, region="eu-de", cloud_host="otc.t-systems.com", endpoints={"sdrs": "https://gateway.test:8443"}
    )

    await cloud.kps.key_pairs()
    await cloud.eps.enterprise_projects()
    await cloud.sdrs.groups()

    assert [str(request.url.copy_with(path="/", query=None)).strip("/") for request in played.requests[-3:]] == [
        "https://kms.eu-de.otc.t-systems.com",
        "https://eps.eu-de.otc.t-systems.com",
        "https://gateway.test:8443",
    ]
    assert ACCESS["access_key"] not in repr(cloud)
    assert PROJECT not in repr(cloud)


async def test_ids_of_protected_instances_are_canonical():
    """An instance whose server the service spells in capitals is found by the id that a plan holds."""
    server = "1f9ef5dd-ba59-498b-a993-8fa2e0d6b426"
    told = {"id": server.upper(), "source_server": server.upper(), "server_group_id": "G-1", "name": "ERP"}
    played = PlayedCloud(
        {
            "GET /v1/P/protected-instances": httpx.Response(200, json={"count": 1, "protected_instances": [told]}),
            f"GET /v1/P/protected-instances/{server}": httpx.Response(200, json={"protected_instance": told}),
        }
    )
    sdrs = played.connect().sdrs

    found = [*await sdrs.protected_instances(), await sdrs.protected_instance(server)]

    assert found == [{"id": server, "source_server": server, "server_group_id": "G-1", "name": "ERP"}] * 2
