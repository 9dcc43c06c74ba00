"""Lists page and filter as each service documents it."""

import pytest


async def test_ecs_offset_is_a_page_number(cloud):
    """Pages 1, 2, 3 of 100 give all 240 servers once; 0 means 1; 25 is the default size."""
    pages = [
        (await cloud.get("/v1/{p}/cloudservers/detail", limit=100, offset=page))["servers"] for page in (1, 2, 3, 4)
    ]
    zero = (await cloud.get("/v1/{p}/cloudservers/detail", limit=100, offset=0))["servers"]

    assert [len(page) for page in pages] == [100, 100, 40, 0]
    assert len({server["id"] for page in pages for server in page}) == 240
    assert zero == pages[0]
    assert len((await cloud.get("/v1/{p}/cloudservers/detail"))["servers"]) == 25


@pytest.mark.parametrize("parameters", [{"limit": 1001}, {"limit": "x"}, {"offset": -1}])
async def test_ecs_refuses_bad_paging(cloud, code_of, parameters):
    """ECS words it with Ecs.0005."""
    answer = await cloud.call("GET", "/v1/{p}/cloudservers/detail", **parameters)

    assert (answer.status_code, code_of(answer)) == (400, "Ecs.0005")


async def test_ecs_filters(cloud):
    """Status, flavor, tags, enterprise project and fuzzy name narrow the list; unknown ids come back as faults."""

    async def servers(**parameters):
        return (await cloud.get("/v1/{p}/cloudservers/detail", limit=1000, **parameters))["servers"]

    assert {s["status"] for s in await servers(status="SHUTOFF")} == {"SHUTOFF"}
    assert {s["flavor"]["id"] for s in await servers(flavor="kc1.xlarge.2")} == {"kc1.xlarge.2"}
    assert len(await servers(**{"not-tags": "__type_baremetal"})) < 240
    assert {s["name"][:4] for s in await servers(name="ERP.")} == {"erp-"}
    eps = next(s.eps_id for s in cloud.world.servers.values() if s.eps_id != "0")
    assert {s["enterprise_project_id"] for s in await servers(enterprise_project_id=eps)} == {eps}
    assert [set(s) for s in await servers(server_id="nobody")] == [{"id", "fault"}]


async def test_ecs_pages_by_marker(cloud):
    """The newer forms page by the last server's id."""
    seen, marker = [], None
    while True:
        parameters = {"limit": 100} | ({"marker": marker} if marker else {})
        page = await cloud.get("/v1.1/{p}/cloudservers/detail", **parameters)
        seen += [server["id"] for server in page["servers"]]
        if not page["servers_links"]:
            break
        marker = seen[-1]

    assert len(seen) == len(set(seen)) == 240


async def test_evs_pages_by_marker_and_by_row(cloud):
    """Marker and row offset walk through the same volumes."""
    first = await cloud.get("/v2/{p}/cloudvolumes/detail", limit=200)
    by_row = await cloud.get("/v2/{p}/cloudvolumes/detail", limit=200, offset=200)
    by_marker = await cloud.get("/v2/{p}/cloudvolumes/detail", limit=200, marker=first["volumes"][-1]["id"])

    assert by_row["volumes"] == by_marker["volumes"]
    assert first["count"] == len(cloud.world.volumes)
    assert first["volumes_links"][0]["rel"] == "next"


async def test_evs_filters(cloud):
    """Server, ids and multiattach narrow the list; encryption shows in the metadata only."""
    server_id = cloud.plain()[0]
    held = [entry[0] for entry in cloud.world.servers[server_id].volumes]

    async def volumes(**parameters):
        return (await cloud.get("/v2/{p}/cloudvolumes/detail", **parameters))["volumes"]

    assert {v["id"] for v in await volumes(server_id=server_id)} == set(held)
    assert {v["id"] for v in await volumes(ids=f'["{held[0]}"]')} == {held[0]}
    assert all(v["multiattach"] for v in await volumes(multiattach="true"))
    secret = [v for v in await volumes() if v["metadata"].get("__system__encrypted") == "1"]
    assert secret
    assert not any(v["encrypted"] for v in secret)


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"limit": 0}, "SDRS.0221"),
        ({"limit": 1001}, "SDRS.0221"),
        ({"limit": "x"}, "SDRS.0221"),
        ({"offset": -1}, "SDRS.0222"),
        ({"status": "odd"}, "SDRS.0209"),
        ({"server_group_ids": str([str(n) for n in range(31)])}, "SDRS.0226"),
    ],
)
async def test_sdrs_lists_refuse_bad_parameters(cloud, code_of, parameters, code):
    """SDRS has its own codes for limit, offset, status and id lists."""
    assert code_of(await cloud.call("GET", "/v1/{p}/protected-instances", **parameters)) == code


async def test_sdrs_offset_is_a_row(cloud):
    """Two rows from row 1 are rows 1 and 2; count is the number of all."""
    every = await cloud.get("/v1/{p}/protected-instances")
    part = await cloud.get("/v1/{p}/protected-instances", limit=2, offset=1)

    assert part["protected_instances"] == every["protected_instances"][1:3]
    assert part["count"] == every["count"] == len(cloud.world.instances)


@pytest.mark.parametrize("quote", ["'", '"'])
async def test_group_ids_win_over_group_id(cloud, quote):
    """A list of group ids in either quote beats the single id; unknown ids are ignored."""
    web, erp = cloud.group("pg-web").id, cloud.group("pg-erp").id

    page = await cloud.get(
        "/v1/{p}/protected-instances", server_group_ids=f"[{quote}{web}{quote},{quote}x{quote}]", server_group_id=erp
    )

    assert {instance["server_group_id"] for instance in page["protected_instances"]} == {web}


async def test_subnets_name_their_network(cloud):
    """A subnet's id equals its neutron_network_id, and is not its neutron_subnet_id."""
    subnets = (await cloud.get("/v1/{p}/subnets", vpc_id=cloud.group("pg-erp").vpc_id))["subnets"]

    assert len(subnets) == 2
    assert all(s["id"] == s["neutron_network_id"] != s["neutron_subnet_id"] for s in subnets)
    available = await cloud.get(f"/v2.0/network-ip-availabilities/{subnets[0]['id']}")
    figures = available["network_ip_availability"]
    assert figures["total_ips"] - figures["used_ips"] == subnets[0]["available_ip_address_count"]


async def test_key_pairs_of_others_are_hidden(cloud):
    """A key pair of scope user is seen by its owner only."""
    pairs = (await cloud.get("/v3/{p}/keypairs"))["keypairs"]

    assert {pair["keypair"]["name"] for pair in pairs} == {"KeyPair-ops", "KeyPair-web", "KeyPair-own"}


async def test_scaling_groups_tell_created_from_added(cloud):
    """A member with a configuration was made by auto scaling, one without was added by hand."""
    groups = (await cloud.get("/autoscaling-api/v1/{p}/scaling_group"))["scaling_groups"]
    group = next(g for g in groups if g["scaling_group_name"] == "as-erp")
    path = f"/autoscaling-api/v1/{{p}}/scaling_group_instance/{group['scaling_group_id']}/list"
    members = (await cloud.get(path))["scaling_group_instances"]

    assert {bool(member["scaling_configuration_id"]) for member in members} == {True, False}


async def test_enterprise_projects_need_the_account(cloud):
    """The global service answers an account-scoped token."""
    token = cloud.service.directory.issue("")[0]
    cloud.http.headers["X-Auth-Token"] = token

    projects = (await cloud.get("/v1.0/enterprise-projects"))["enterprise_projects"]

    assert "0" in {project["id"] for project in projects}


NEIGHBOURS = [
    ("/v1/{p}/cloudservers/flavors", "flavors"),
    ("/v1/{p}/cloudservers/limits", "absolute"),
    ("/v1/{p}/cloudservers/os-server-groups", "server_groups"),
    ("/v2.1/{p}/servers/detail", "servers"),
    ("/v2.1/{p}/os-keypairs", "keypairs"),
    ("/v2/{p}/os-quota-sets/{p}", "quota_set"),
    ("/v1/{p}/vpcs", "vpcs"),
    ("/v1/{p}/quotas", "quotas"),
    ("/v1.0/{p}/dedicated-hosts", "dedicated_hosts"),
    ("/v1/{p}/pools/detail", "pools"),
    ("/v1/{p}/sdrs/quotas", "quotas"),
    ("/v1/{p}/active-domains", "domains"),
    ("/v1/{p}/resource/rpo-statistics", "resource_rpo_statistics"),
    ("/v1/{p}/disaster-recovery-drills", "disaster_recovery_drills"),
    ("/v1/{p}/protected-instances/tags", "tags"),
    ("/", "versions"),
    ("/v1", "version"),
]


@pytest.mark.parametrize(("path", "key"), NEIGHBOURS)
async def test_every_read_answers_under_its_documented_key(cloud, path, key):
    """Each read of the reference answers 200 with something under its key."""
    document = await cloud.get(path)

    assert document[key] or path.endswith("/tags")


async def test_sold_out_flavors_are_hidden_in_their_az(cloud):
    """With an AZ only the flavors one can order there come back; the sale status per AZ is in the extra specs."""
    every = (await cloud.get("/v1/{p}/cloudservers/flavors"))["flavors"]
    here = (await cloud.get("/v1/{p}/cloudservers/flavors", availability_zone="sandbox-1b"))["flavors"]

    hidden = {f["id"] for f in every} - {f["id"] for f in here}
    assert hidden == {"c3.retired.2", "c3.scarce.2"}
    scarce = next(f for f in every if f["id"] == "c3.scarce.2")
    assert scarce["os_extra_specs"]["cond:operation:az"] == "sandbox-1b(sellout)"


async def test_pool_figures_need_usage(cloud):
    """Capacity figures come with usage=true only, and never for a pool that is being deployed."""
    plain = (await cloud.get("/v1/{p}/pools/detail"))["pools"]
    used = (await cloud.get("/v1/{p}/pools/detail", usage="true"))["pools"]

    assert not any("total_capacity_gb" in pool for pool in plain)
    assert {"total_capacity_gb" in pool for pool in used if pool["status"] != "deploying"} == {True}
    assert {"total_capacity_gb" in pool for pool in used if pool["status"] == "deploying"} == {False}


async def test_time_formats_differ_by_resource(cloud):
    """Groups and instances write a space and short decimals, pairs T and six decimals."""
    group = (await cloud.get("/v1/{p}/server-groups"))["server_groups"][0]
    pair = (await cloud.get("/v1/{p}/replications"))["replications"][0]

    assert "T" not in group["created_at"]
    assert "." in group["created_at"]
    assert pair["created_at"][10] == "T"
    assert len(pair["created_at"].split(".")[1]) == 6
