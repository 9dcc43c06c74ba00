"""Every other SDRS call: allowed states, codes, jobs, and the world afterwards."""

from dataclasses import replace

import pytest

from sdrs_nb.sandbox import Settings

GROUPS, INSTANCES, PAIRS = "/v1/{p}/server-groups", "/v1/{p}/protected-instances", "/v1/{p}/replications"
DRILLS = "/v1/{p}/disaster-recovery-drills"


async def done(cloud, answer, job_type):
    """Let an accepted job end and check that it did what it is called."""
    assert answer.is_success, answer.text
    cloud.sandbox.advance(120)
    job = await cloud.job(answer)
    assert (job["job_type"], job["status"], job["error_code"]) == (job_type, "SUCCESS", None)
    return job


def stop_servers(cloud, name, *, production=True):
    """Shut down the production servers (or the others) of a group."""
    for instance_id in cloud.group(name).instances:
        instance = cloud.world.instances[instance_id]
        server = (cloud.world.current_server if production else cloud.world.dr_server)(instance)
        if server is not None:
            server.status, server.document = "SHUTOFF", None


async def act(cloud, name, key, parameters=None):
    """Ask for a group action."""
    return await cloud.call("POST", f"{GROUPS}/{cloud.group(name).id}/action", {key: parameters or {}})


# -- groups ----------------------------------------------------------------------------------------------------


def new_group(cloud, **fields):
    """Give the body of a valid group."""
    erp = cloud.group("pg-erp")
    body = {
        "name": "pg-new",
        "source_availability_zone": erp.source_az,
        "target_availability_zone": erp.target_az,
        "domain_id": erp.domain_id,
        "source_vpc_id": erp.vpc_id,
    }
    return {"server_group": {**body, **fields}}


async def test_group_lives_and_dies(cloud):
    """A group is created, renamed, refused while it holds something, and deleted."""
    job = await done(cloud, await cloud.call("POST", GROUPS, new_group(cloud)), "createProtectionGroupNoCG")
    path = f"{GROUPS}/{job['entities']['server_group_id']}"

    renamed = await cloud.call("PUT", path, {"server_group": {"name": "pg-renamed"}})
    shown = (await cloud.get(path))["server_group"]
    await done(cloud, await cloud.call("DELETE", path), "deleteProtectionGroupNoCG")

    assert renamed.status_code == 200
    assert (shown["name"], shown["status"], shown["dr_type"]) == ("pg-renamed", "available", "migration")
    assert (await cloud.call("GET", path)).status_code == 400


GROUP_BODY = [
    pytest.param({"name": ""}, "SDRS.0202", id="name empty"),
    pytest.param({"name": "中" * 22}, "SDRS.0202", id="name over 64 bytes"),
    pytest.param({"name": None}, "SDRS.0201", id="name null"),
    pytest.param({"description": "<"}, "SDRS.0212", id="description"),
    pytest.param({"source_availability_zone": "x"}, "SDRS.0203", id="unknown AZ"),
    pytest.param({"domain_id": "x"}, "SDRS.0205", id="unknown domain"),
    pytest.param({"target_availability_zone": "sandbox-1c"}, "SDRS.0233", id="domain of other AZs"),
    pytest.param({"source_vpc_id": "x"}, "SDRS.0204", id="unknown VPC"),
    pytest.param({"dr_type": "other"}, "SDRS.0217", id="dr_type"),
]


@pytest.mark.parametrize(("fields", "code"), GROUP_BODY)
async def test_group_body_is_refused(cloud, code_of, fields, code):
    """Each wrong field of a new group has its code."""
    assert code_of(await cloud.call("POST", GROUPS, new_group(cloud, **fields))) == code


async def test_group_quota(make_cloud, code_of):
    """One group over the quota is 0305."""
    cloud = make_cloud(settings=replace(Settings(), group_quota=8))

    assert code_of(await cloud.call("POST", GROUPS, new_group(cloud))) == "SDRS.0305"


async def test_group_cycle(cloud):
    """Enable, switch over, fail over, re-protect, disable: states, station and production AZ follow."""
    group = cloud.group("pg-erp")
    seen = []

    async def step(key, job_type, parameters=None):
        await done(cloud, await act(cloud, "pg-erp", key, parameters), job_type)
        members = {cloud.world.instances[i].status for i in group.instances} - {"error"}
        seen.append((group.status, group.station, members))
        cloud.sandbox.advance(5000)

    await step("start-server-group", "startProtectionGroupNoCG")
    stop_servers(cloud, "pg-erp")
    await step("reverse-server-group", "reverseProtectionGroupNoCG", {"priority_station": "target"})
    await step("failover-server-group", "failoverProtectionGroupNoCG")
    stop_servers(cloud, "pg-erp", production=False)
    await step("start-server-group", "reprotectProtectionGroupNoCG")
    await step("stop-server-group", "stopProtectionGroupNoCG")

    assert seen == [
        ("protected", "source", {"protected"}),
        ("protected", "target", {"protected"}),
        ("failed-over", "source", {"failed-over"}),
        ("protected", "source", {"protected"}),
        ("available", "source", {"available"}),
    ]


ACTIONS = [
    pytest.param("pg-erp", {"dance": {}}, "SDRS.0206", id="unknown action"),
    pytest.param("pg-erp", {"start-server-group": {}, "stop-server-group": {}}, "SDRS.0201", id="two actions"),
    pytest.param("pg-web", {"reverse-server-group": {"priority_station": "up"}}, "SDRS.0216", id="bad station"),
    pytest.param("pg-web", {"start-server-group": {}}, "SDRS.1021", id="start when protected"),
    pytest.param("pg-erp", {"stop-server-group": {}}, "SDRS.1002", id="stop when available"),
    pytest.param(
        "pg-erp", {"reverse-server-group": {"priority_station": "target"}}, "SDRS.1023", id="reverse when available"
    ),
    pytest.param("pg-erp", {"failover-server-group": {}}, "SDRS.1022", id="fail over when available"),
    pytest.param("pg-shop-1", {"start-server-group": {}}, "SDRS.1002", id="start without pairs"),
    pytest.param("pg-web", {"reverse-server-group": {"priority_station": "target"}}, "SDRS.1319", id="servers run"),
    pytest.param("pg-crm-legacy", {"start-server-group": {}}, None, id="re-protect"),
]


@pytest.mark.parametrize(("name", "body", "code"), ACTIONS)
async def test_group_action_is_refused(cloud, code_of, name, body, code):
    """Each action is refused from the wrong status with its code."""
    assert code_of(await cloud.call("POST", f"{GROUPS}/{cloud.group(name).id}/action", body)) == code


async def test_reprotect_needs_stopped_dr_servers(cloud, code_of):
    """A DR server that runs refuses re-protection with 1342; a copy under way refuses a switchover with 1830."""
    legacy = cloud.group("pg-crm-legacy")
    for instance_id in legacy.instances:
        cloud.world.dr_server(cloud.world.instances[instance_id]).status = "ACTIVE"
    refused = await act(cloud, "pg-crm-legacy", "start-server-group")
    stop_servers(cloud, "pg-web")
    for pair_id in cloud.group("pg-web").pairs:
        cloud.world.pairs[pair_id].sync_from = cloud.service.clock.now()
    copying = await act(cloud, "pg-web", "reverse-server-group", {"priority_station": "target"})

    assert [code_of(refused), code_of(copying)] == ["SDRS.1342", "SDRS.1830"]


async def test_failed_action_ends_in_its_error_status(cloud):
    """A failing job leaves the group in error-starting and an entry in the task center."""
    await cloud.http.post(
        "/_sandbox/faults", json=[{"match": "POST *action", "kind": "fail_subjob", "code": "SDRS.1027"}]
    )
    answer = await act(cloud, "pg-erp", "start-server-group")
    cloud.sandbox.advance(120)

    assert (await cloud.job(answer))["error_code"] == "SDRS.1027"
    assert cloud.group("pg-erp").status == "error-starting"
    failures = (await cloud.get("/v1/{p}/task-center/failure-jobs"))["failure_jobs"]
    assert [failure["failure_status"] for failure in failures] == ["startFail"]
    assert (await act(cloud, "pg-erp", "start-server-group")).status_code == 200


@pytest.mark.parametrize(
    ("name", "code"), [("pg-crm", "SDRS.1002"), ("pg-erp", "SDRS.1001"), ("idle", "SDRS.1010"), ("drill", "SDRS.1003")]
)
async def test_group_that_is_used_cannot_be_deleted(cloud, code_of, name, code):
    """Work under way 1002, instances 1001, pairs 1010, drills 1003."""
    group = cloud.group("pg-web" if name == "drill" else "pg-erp" if name == "idle" else name)
    if name in {"idle", "drill"}:
        for instance_id in list(group.instances):
            cloud.world.remove_instance(instance_id)
    if name == "drill":
        for pair_id in list(group.pairs):
            cloud.world.remove_pair(pair_id)

    assert code_of(await cloud.call("DELETE", f"{GROUPS}/{group.id}")) == code


# -- instances -------------------------------------------------------------------------------------------------


def single(cloud, server_id, **fields):
    """Give the body of a single create."""
    body = {"name": "one", "server_id": server_id, "server_group_id": cloud.group("pg-erp").id}
    return {"protected_instance": {**body, **fields}}


async def test_single_create(cloud):
    """One server becomes an instance with the name asked for and the address asked for."""
    server_id = cloud.plain()[0]
    subnet = next(s for s in cloud.world.subnets.values() if s.vpc_id == cloud.group("pg-erp").vpc_id)
    body = single(
        cloud, server_id, primary_subnet_id=subnet.id, primary_ip_address="10.3.0.9", tags=[{"key": "a", "value": "b"}]
    )
    answer = await cloud.call("POST", INSTANCES, body)
    cloud.sandbox.advance(200)

    job = await cloud.job(answer)

    instance = cloud.world.instances[job["entities"]["protected_instance_id"]]
    assert (answer.status_code, job["status"], job["job_type"]) == (200, "SUCCESS", "createProtectedInstanceNoCG")
    assert (instance.name, instance.tags) == ("one", {"a": "b"})
    assert cloud.world.servers[job["entities"]["native_server_id"]].nics[0].ip == "10.3.0.9"


SINGLE = [
    pytest.param({"name": "x" * 65}, "SDRS.0202", id="name of 65"),
    pytest.param({"name": ...}, "SDRS.0201", id="no name"),
    pytest.param({"server_id": ""}, "SDRS.0210", id="server id empty"),
    pytest.param({"server_id": "nobody"}, "SDRS.1326", id="unknown server"),
    pytest.param({"primary_ip_address": "10.3.0.9"}, "SDRS.1380", id="address without subnet"),
    pytest.param({"primary_subnet_id": "own", "primary_ip_address": "10.99.0.1"}, "SDRS.0219", id="address elsewhere"),
    pytest.param({"primary_subnet_id": "own", "primary_ip_address": "taken"}, "SDRS.1334", id="address taken"),
]


@pytest.mark.parametrize(("fields", "code"), SINGLE)
async def test_single_create_is_refused(cloud, code_of, fields, code):
    """What single create checks beside the batch rules."""
    server = cloud.world.servers[cloud.plain()[0]]
    words = {"own": server.nics[0].subnet_id, "taken": server.nics[0].ip}
    body = single(cloud, server.id)["protected_instance"]
    body |= {name: words.get(value, value) for name, value in fields.items()}
    inner = {name: value for name, value in body.items() if value is not ...}

    assert code_of(await cloud.call("POST", INSTANCES, {"protected_instance": inner})) == code


async def test_rename_and_show(cloud, code_of):
    """An instance is renamed and shown; an unknown one is 400 SDRS.1320."""
    (instance,) = await cloud.protect(cloud.plain())
    path = f"{INSTANCES}/{instance.id}"

    answer = await cloud.call("PUT", path, {"protected_instance": {"name": "new"}})
    unknown = await cloud.call("GET", f"{INSTANCES}/nobody")

    assert answer.json()["protected_instance"]["name"] == "new"
    assert (await cloud.get(path))["protected_instance"]["name"] == "new"
    assert (unknown.status_code, code_of(unknown)) == (400, "SDRS.1320")


@pytest.mark.parametrize("with_server", [False, True])
async def test_delete_instance(cloud, with_server):
    """The production server stays; the DR server goes only when asked; the pairs go."""
    (instance,) = await cloud.protect(cloud.plain())
    body = {"delete_target_server": with_server, "delete_target_eip": False}

    await done(cloud, await cloud.call("DELETE", f"{INSTANCES}/{instance.id}", body), "deleteProtectedInstanceNoCG")

    world = cloud.world
    assert instance.source_server in world.servers
    assert (instance.target_server in world.servers) is not with_server
    assert not any(instance.id in pair.attachments for pair in world.pairs.values())
    assert (await cloud.batch([instance.source_server])).status_code == 202


async def test_batch_delete(cloud):
    """A batch delete is 202 with one sub-job per instance."""
    instances = await cloud.protect(cloud.plain(3))
    body = {"protected_instances": [{"id": i.id} for i in instances], "delete_target_server": True}

    answer = await cloud.call("POST", f"{INSTANCES}/delete", body)
    cloud.sandbox.advance(120)

    job = await cloud.job(answer)
    assert (answer.status_code, job["status"], len(job["entities"]["sub_jobs"])) == (202, "SUCCESS", 3)
    assert not any(i.id in cloud.world.instances for i in instances)


async def test_delete_is_refused(cloud, code_of):
    """1301 in a transient state, 1354 prepaid, 1365 and 1409 shared pair, 1363 twice, 1364 two groups, 1320 unknown."""
    first, second = await cloud.protect(cloud.cluster(2))
    (alone,) = await cloud.protect(cloud.plain())
    (web,) = await cloud.protect(cloud.plain(1, "web"), "pg-web")

    async def one(instance, **body):
        return code_of(await cloud.call("DELETE", f"{INSTANCES}/{instance.id}", body))

    async def many(*instances):
        body = {"protected_instances": [{"id": getattr(i, "id", i)} for i in instances]}
        return code_of(await cloud.call("POST", f"{INSTANCES}/delete", body))

    assert await one(first) == "SDRS.1365"
    assert await many(first) == "SDRS.1409"
    assert await many(alone, alone) == "SDRS.1363"
    assert await many(alone, web) == "SDRS.1364"
    assert await many("nobody") == "SDRS.1320"
    assert await many() == "SDRS.0201"
    cloud.world.servers[alone.target_server].billing = "1"
    assert await one(alone, delete_target_server=True) == "SDRS.1354"
    alone.status = "resizing"
    assert await one(alone) == "SDRS.1301"
    assert await many(first, second) is None


async def test_delete_dr_server_after_switchover_is_refused(cloud, code_of):
    """What works as production now cannot be deleted: 1330."""
    instance_id = next(iter(cloud.group("pg-web-switched").instances))

    answer = await cloud.call("DELETE", f"{INSTANCES}/{instance_id}", {"delete_target_server": True})

    assert code_of(answer) == "SDRS.1330"


# -- pairs -----------------------------------------------------------------------------------------------------


async def idle_volume(cloud):
    """Detach the data volume of a plain server and give it."""
    world = cloud.world
    server = next(world.servers[i] for i in cloud.plain(100) if len(world.servers[i].volumes) == 2)
    volume = world.volumes[server.volumes[1][0]]
    world.detach(server, volume.id)
    return server, volume


async def test_pair_lives_and_dies(cloud):
    """A pair is made from an idle volume, attached, expanded, detached, renamed and deleted."""
    server, volume = await idle_volume(cloud)
    (instance,) = await cloud.protect([server.id])
    body = {"server_group_id": cloud.group("pg-erp").id, "volume_id": volume.id, "name": "pair"}
    job = await done(cloud, await cloud.call("POST", PAIRS, {"replication": body}), "createReplicationPairNoCG")
    pair = cloud.world.pairs[job["entities"]["replication_pair_id"]]
    path, of_instance = f"{PAIRS}/{pair.id}", f"{INSTANCES}/{instance.id}"

    attach = {"replicationAttachment": {"replication_id": pair.id, "device": "/dev/sdc"}}
    await done(cloud, await cloud.call("POST", f"{of_instance}/attachreplication", attach), "attachReplicationPairNew")
    assert pair.attachments == {instance.id: "/dev/vdc"}
    assert {owner for owner, _ in volume.attachments} == {server.id}

    grow = {"extend-replication": {"new_size": volume.size_gib + 10}}
    await done(cloud, await cloud.call("POST", f"{path}/action", grow), "expandReplicationPairNew")
    assert cloud.world.volumes[pair.target_volume].size_gib == volume.size_gib == pair.size_gib

    await done(
        cloud, await cloud.call("DELETE", f"{of_instance}/detachreplication/{pair.id}"), "detachReplicationPairNew"
    )
    assert (await cloud.call("PUT", path, {"replication": {"name": "new"}})).json()["replication"]["name"] == "new"
    remove = {"replication": {"server_group_id": pair.group_id, "delete_target_volume": True}}
    await done(cloud, await cloud.call("DELETE", path, remove), "deleteReplicationPairNoCG")
    assert pair.target_volume not in cloud.world.volumes


async def test_new_pair_is_refused(cloud, code_of):
    """0211 unknown disk, 1801 in use, 1811 paired, 1802 encrypted, 1806 type, 1810 AZ, 1024 group at work."""
    _, volume = await idle_volume(cloud)
    held = cloud.world.servers[cloud.plain()[0]].volumes[0][0]
    paired = next(iter(cloud.world.pair_by_volume))

    async def ask(volume_id, group="pg-erp"):
        body = {"server_group_id": cloud.group(group).id, "volume_id": volume_id, "name": "pair"}
        return code_of(await cloud.call("POST", PAIRS, {"replication": body}))

    assert await ask("nobody") == "SDRS.0211"
    assert await ask(held) == "SDRS.1801"
    assert await ask(paired) == "SDRS.1811"
    assert await ask(volume.id, "pg-lab") == "SDRS.1024"
    for name, value, code in (("encrypted", True, "SDRS.1802"), ("type", "odd", "SDRS.1806"), ("az", "x", "SDRS.1810")):
        before = getattr(volume, name)
        setattr(volume, name, value)
        assert await ask(volume.id) == code
        setattr(volume, name, before)


async def test_idle_pairs_have_a_limit(make_cloud, code_of):
    """Pairs that hang on nothing are limited: 1826; and the pair quota counts: 0306."""
    for changes, code in (({"unattached_pair_limit": 1}, "SDRS.1826"), ({"pair_quota": 23}, "SDRS.0306")):
        cloud = make_cloud(settings=replace(Settings(), **changes))
        _, volume = await idle_volume(cloud)
        body = {"server_group_id": cloud.group("pg-erp").id, "volume_id": volume.id, "name": "pair"}

        assert code_of(await cloud.call("POST", PAIRS, {"replication": body})) == code


async def test_attach_and_detach_are_refused(cloud, code_of):
    """1608 unknown, 1603 taken, 1611 other group, 1604 not attached, 1352 system disk of a running server."""
    first, second = await cloud.protect(cloud.plain(2))
    (web,) = await cloud.protect(cloud.plain(1, "web"), "pg-web")
    pair = next(p for p in cloud.world.pairs_of(first.id) if p.bootable)

    def path(instance):
        return f"{INSTANCES}/{instance.id}"

    async def attach(instance, pair_id):
        body = {"replicationAttachment": {"replication_id": pair_id, "device": "/dev/vdz"}}
        return code_of(await cloud.call("POST", path(instance) + "/attachreplication", body))

    async def detach(instance, pair_id):
        return code_of(await cloud.call("DELETE", path(instance) + f"/detachreplication/{pair_id}"))

    assert await attach(first, "nobody") == "SDRS.1608"
    assert await attach(second, pair.id) == "SDRS.1603"
    assert await attach(web, pair.id) == "SDRS.1611"
    assert await detach(second, pair.id) == "SDRS.1604"
    assert await detach(first, pair.id) == "SDRS.1352"


async def test_pair_delete_and_expand_are_refused(cloud, code_of):
    """1605 attached, 1611 other group, 1819 prepaid, 1818 shared and in use, 1601 state, 0206 unknown action."""
    (instance,) = await cloud.protect(cloud.plain())
    pair = cloud.world.pairs_of(instance.id)[0]
    path = f"{PAIRS}/{pair.id}"
    grow = {"extend-replication": {"new_size": pair.size_gib + 10}}

    async def delete(group_id):
        return code_of(await cloud.call("DELETE", path, {"replication": {"server_group_id": group_id}}))

    assert await delete(pair.group_id) == "SDRS.1605"
    assert await delete("x") == "SDRS.1611"
    assert code_of(await cloud.call("POST", f"{path}/action", {"x": {}})) == "SDRS.0206"
    pair.multiattach = True
    assert code_of(await cloud.call("POST", f"{path}/action", grow)) == "SDRS.1818"
    cloud.world.volumes[pair.source_volume].order_id = "CS1"
    assert code_of(await cloud.call("POST", f"{path}/action", grow)) == "SDRS.1819"
    pair.status = "starting"
    assert code_of(await cloud.call("POST", f"{path}/action", grow)) == "SDRS.1601"


# -- NICs and resize -------------------------------------------------------------------------------------------


async def test_nic_is_added_and_deleted(cloud, code_of):
    """Both servers get the interface and lose it; the primary one stays."""
    (instance,) = await cloud.protect(cloud.plain())
    source, double = cloud.world.servers[instance.source_server], cloud.world.servers[instance.target_server]
    path = f"{INSTANCES}/{instance.id}/nic"
    body = {"subnet_id": source.nics[0].subnet_id, "security_groups": []}

    job = await done(cloud, await cloud.call("POST", path, body), "addNicNew")
    assert (len(source.nics), len(double.nics)) == (2, 2)
    primary = await cloud.call("POST", f"{path}/delete", {"nic_id": source.nics[0].port_id})
    unknown = await cloud.call("POST", f"{path}/delete", {"nic_id": "x"})
    empty = await cloud.call("POST", f"{path}/delete", {"nic_id": ""})
    await done(cloud, await cloud.call("POST", f"{path}/delete", {"nic_id": job["entities"]["nic_id"]}), "deleteNicNew")

    assert (len(source.nics), len(double.nics)) == (1, 1)
    assert [code_of(answer) for answer in (primary, unknown, empty)] == ["SDRS.1311", "SDRS.1310", "SDRS.0223"]
    assert list(primary.json()) == ["badrequest"]


async def test_resize(cloud, code_of):
    """Both stopped servers get the flavor; running, equal, unfit or prepaid servers refuse."""
    (instance,) = await cloud.protect(cloud.plain())
    source, double = cloud.world.servers[instance.source_server], cloud.world.servers[instance.target_server]
    target = "c7.4xlarge.4"

    async def ask(**body):
        return await cloud.call("POST", f"{INSTANCES}/{instance.id}/resize", {"resize": body})

    assert code_of(await ask()) == "SDRS.0201"
    assert code_of(await ask(flavorRef=source.flavor_id)) == "SDRS.1341"
    assert code_of(await ask(production_flavorRef="kc1.xlarge.2")) == "SDRS.1378"
    assert code_of(await ask(dr_flavorRef="kc1.xlarge.2")) == "SDRS.1379"
    assert code_of(await ask(flavorRef=target, production_dedicated_host_id="h")) == "SDRS.1368"
    assert code_of(await ask(flavorRef=target, dr_dedicated_host_id="h")) == "SDRS.1367"
    assert code_of(await ask(flavorRef=target)) == "SDRS.1352"
    source.billing = "1"
    assert code_of(await ask(flavorRef=target)) == "SDRS.1376"
    source.billing, source.status = "0", "SHUTOFF"
    await done(cloud, await ask(flavorRef=target), "resizeProtectedInstanceNew")
    assert source.flavor_id == double.flavor_id == target


# -- drills ----------------------------------------------------------------------------------------------------


async def test_drill_lives_and_dies(cloud):
    """A drill makes a drill server per instance in its VPC; deleting it takes them away."""
    before = len(cloud.world.servers)
    orphan = next(vpc.id for vpc in cloud.world.vpcs.values() if vpc.name == "vpc-orphan")
    body = {"server_group_id": cloud.group("pg-erp").id, "name": "drill", "drill_vpc_id": orphan}
    job = await done(
        cloud, await cloud.call("POST", DRILLS, {"disaster_recovery_drill": body}), "createDisasterRecoveryDrill"
    )
    drill = cloud.world.drills[job["entities"]["disaster_recovery_drill_id"]]

    assert drill.servers
    assert {cloud.world.servers[i].vpc_id for i in drill.servers.values()} == {orphan}
    renamed = await cloud.call("PUT", f"{DRILLS}/{drill.id}", {"disaster_recovery_drill": {"name": "new"}})
    assert renamed.json()["disaster_recovery_drill"]["name"] == "new"
    await done(cloud, await cloud.call("DELETE", f"{DRILLS}/{drill.id}"), "deleteDisasterRecoveryDrill")
    assert len(cloud.world.servers) == before


async def test_drill_is_refused(cloud, code_of):
    """1902 unknown, 1928 no such VPC, 1907 the group's own, 1921 used by a drill, 1002 wrong status, 1913 busy."""
    erp, crm = cloud.group("pg-erp"), cloud.group("pg-crm")
    drill = next(iter(cloud.world.drills.values()))

    async def ask(group, vpc_id):
        body = {"server_group_id": group.id, "name": "drill", "drill_vpc_id": vpc_id}
        return code_of(await cloud.call("POST", DRILLS, {"disaster_recovery_drill": body}))

    assert code_of(await cloud.call("GET", f"{DRILLS}/nobody")) == "SDRS.1902"
    assert await ask(erp, "nobody") == "SDRS.1928"
    assert await ask(erp, erp.vpc_id) == "SDRS.1907"
    assert await ask(cloud.group("pg-web"), drill.vpc_id) == "SDRS.1921"
    assert await ask(crm, erp.vpc_id) == "SDRS.1002"
    drill.status = "creating"
    assert code_of(await cloud.call("DELETE", f"{DRILLS}/{drill.id}")) == "SDRS.1913"


# -- tags ------------------------------------------------------------------------------------------------------


async def test_tags_come_and_go(cloud):
    """Tags are added, overwritten, listed, searched, deleted; 204 on every write."""
    (instance,) = await cloud.protect(cloud.plain())
    path = f"{INSTANCES}/{instance.id}/tags"

    answers = [
        await cloud.call("POST", path, {"tag": {"key": "a", "value": "1"}}),
        await cloud.call("POST", path, {"tag": {"key": "a", "value": "2"}}),
        await cloud.call("POST", f"{path}/action", {"action": "create", "tags": [{"key": "b c", "value": ""}]}),
        await cloud.call("POST", f"{path}/action", {"action": "delete", "tags": [{"key": "nobody"}]}),
    ]
    listed = (await cloud.get(path))["tags"]
    search = {"action": "filter", "tags": [{"key": "a", "values": ["*2"]}], "limit": "10", "offset": "0"}
    found = (await cloud.call("POST", f"{INSTANCES}/resource_instances/action", search)).json()
    gone = await cloud.call("DELETE", f"{path}/b%20c")

    assert [answer.status_code for answer in [*answers, gone]] == [204] * 5
    assert listed == [{"key": "a", "value": "2"}, {"key": "b c", "value": ""}]
    assert [resource["resource_id"] for resource in found["resources"]] == [instance.id]
    assert instance.tags == {"a": "2"}


async def test_unknown_tag_is_the_only_404(cloud, code_of):
    """Deleting a key the instance does not have is 404 SDRS.2206."""
    (instance,) = await cloud.protect(cloud.plain())

    answer = await cloud.call("DELETE", f"{INSTANCES}/{instance.id}/tags/nobody")

    assert (answer.status_code, code_of(answer)) == (404, "SDRS.2206")


TAG_ACTIONS = [
    ({"action": "x", "tags": [{"key": "a"}]}, "SDRS.2201"),
    ({"action": "create", "tags": []}, "SDRS.2202"),
    ({"action": "create", "tags": [{"key": f"k{n}", "value": ""} for n in range(11)]}, "SDRS.2203"),
    ({"action": "create", "tags": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]}, "SDRS.2209"),
    ({"action": "delete", "tags": [{"key": ""}]}, "SDRS.2205"),
    ({"action": "delete", "tags": [{"key": "*"}]}, "SDRS.2204"),
]


@pytest.mark.parametrize(("body", "code"), TAG_ACTIONS)
async def test_tag_action_is_refused(cloud, code_of, body, code):
    """Each wrong tag action has its code."""
    (instance,) = await cloud.protect(cloud.plain())

    assert code_of(await cloud.call("POST", f"{INSTANCES}/{instance.id}/tags/action", body)) == code


@pytest.mark.parametrize(("action", "code"), [("create", "SDRS.2221"), ("delete", "SDRS.2222")])
async def test_tags_need_an_instance_at_rest(cloud, code_of, action, code):
    """While an instance is being made its tags cannot be changed."""
    server_id = cloud.plain()[0]
    await cloud.batch([server_id])
    path = f"{INSTANCES}/{cloud.world.instance_by_server[server_id]}/tags/action"

    assert code_of(await cloud.call("POST", path, {"action": action, "tags": [{"key": "a", "value": ""}]})) == code


SEARCHES = [
    ({"action": "x"}, "SDRS.2210"),
    ({"action": "count", "limit": "1"}, "SDRS.2211"),
    ({"action": "filter", "limit": "0"}, "SDRS.2220"),
    ({"action": "filter", "matches": []}, "SDRS.2212"),
    ({"action": "filter", "matches": [{"key": "", "value": "x"}]}, "SDRS.2213"),
    ({"action": "filter", "matches": [{"key": "x", "value": "x"}]}, "SDRS.2214"),
    ({"action": "filter", "matches": [{"key": "resource_name", "value": "x"}] * 2}, "SDRS.2215"),
    ({"action": "filter", "matches": [{"key": "resource_name", "value": None}]}, "SDRS.2216"),
    ({"action": "filter", "matches": [{"key": "resource_name", "value": "x" * 256}]}, "SDRS.2217"),
    ({"action": "filter", "tags": [{"key": "a", "values": [str(n) for n in range(11)]}]}, "SDRS.2218"),
    ({"action": "filter", "tags": [{"key": "a", "values": ["1", "1"]}]}, "SDRS.2219"),
    ({"action": "count"}, None),
]


@pytest.mark.parametrize(("body", "code"), SEARCHES)
async def test_tag_search_is_refused(cloud, code_of, body, code):
    """Each wrong search by tags has its code."""
    assert code_of(await cloud.call("POST", f"{INSTANCES}/resource_instances/action", body)) == code


# -- profiles --------------------------------------------------------------------------------------------------


async def test_newest_mainland_profile_refuses_shared_volumes(make_cloud, code_of):
    """huaweicloud-2025 refuses a complete cluster that huaweicloud takes."""
    codes = []
    for profile in ("huaweicloud", "huaweicloud-2025"):
        cloud = make_cloud(settings=Settings.for_profile(profile))
        volume = next(v for v in cloud.world.volumes.values() if v.multiattach and len(v.attachments) == 5)
        codes.append(code_of(await cloud.batch([owner for owner, _ in volume.attachments])))

    assert codes == [None, "SDRS.1806"]


async def test_otc_has_single_create_only(make_cloud, code_of):
    """Profile otc knows no batch create, refuses Kunpeng and ESSD, and ignores the fields of dedicated hosts."""
    cloud = make_cloud(settings=Settings.for_profile("otc"))
    kunpeng = next(s.id for s in cloud.world.servers.values() if s.flavor_id == "kc1.xlarge.2")
    essd = next(v.attachments[0][0] for v in cloud.world.volumes.values() if v.type == "ESSD")

    async def one(server_id, **fields):
        return code_of(await cloud.call("POST", INSTANCES, single(cloud, server_id, **fields)))

    assert (await cloud.batch(cloud.plain())).status_code == 404
    assert await one(kunpeng) == "SDRS.1356"
    assert await one(essd) == "SDRS.1806"
    assert await one(cloud.plain()[0], name="中") == "SDRS.0202"
    assert await one(cloud.plain()[0], tenancy="dedicated", cluster_id="x") is None
