"""How an accepted request unfolds on the sandbox clock."""

import re

import pytest


async def test_timeline_of_one_server(cloud):
    """INIT, RUNNING, pairs at 30 %, DR server at 70 %, SUCCESS at the end, as the documented table says."""
    server_id = cloud.plain()[0]
    answer = await cloud.batch([server_id])
    seen = []
    for seconds in (0, 1, 55, 74, 70):
        cloud.sandbox.advance(seconds)
        job = await cloud.job(answer)
        instance = cloud.world.instances[cloud.world.instance_by_server[server_id]]
        pairs = (await cloud.get("/v1/{p}/replications", protected_instance_id=instance.id))["replications"]
        seen.append((job["status"], instance.status, {p["status"] for p in pairs}, bool(instance.target_server)))

    assert seen == [
        ("INIT", "creating", set(), False),
        ("RUNNING", "creating", set(), False),
        ("RUNNING", "creating", {"creating"}, False),
        ("RUNNING", "creating", {"available"}, True),
        ("SUCCESS", "available", {"available"}, True),
    ]


async def test_dr_server_keeps_name_flavor_and_vpc(cloud):
    """The DR server is SHUTOFF in the DR AZ under the production server's name, and counted in the ECS list."""
    before = (await cloud.get("/v1/{p}/cloudservers/detail"))["count"]
    server_id = cloud.plain()[0]
    (instance,) = await cloud.protect([server_id])

    listed = await cloud.get("/v1/{p}/cloudservers/detail", server_id=f"{server_id},{instance.target_server}")

    source, double = listed["servers"]
    assert (double["status"], double["OS-EXT-AZ:availability_zone"]) == ("SHUTOFF", "sandbox-1a")
    assert (double["name"], double["flavor"], double["metadata"]["vpc_id"]) == (
        source["name"],
        source["flavor"],
        source["metadata"]["vpc_id"],
    )
    assert (await cloud.get("/v1/{p}/cloudservers/detail"))["count"] == before + 1


async def test_jobs_look_as_documented(cloud):
    """A parent with one sub-job per server in their order; each names its instance and DR server."""
    ids = cloud.plain(3)
    answer = await cloud.batch(ids)
    cloud.sandbox.advance(300)

    job = await cloud.job(answer)

    assert set(job) == {
        "job_id", "job_type", "status", "begin_time", "end_time", "error_code", "fail_reason", "entities",
    }  # fmt: skip
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", job["end_time"])
    subs = job["entities"]["sub_jobs"]
    assert [sub["entities"]["protected_instance_id"] for sub in subs] == [
        cloud.world.instance_by_server[server_id] for server_id in ids
    ]
    assert all("sub_jobs" not in sub["entities"] and sub["entities"]["native_server_id"] for sub in subs)
    assert max(sub["end_time"] for sub in subs) <= job["end_time"]
    assert (await cloud.get(f"/v1/{{p}}/jobs/{subs[0]['job_id']}"))["status"] == "SUCCESS"


async def test_names_count_up_in_every_request(cloud):
    """Instances are named prefix-0001 upwards, again in every request."""
    ids = cloud.plain(3)
    first = await cloud.protect(ids[:2])
    second = await cloud.protect(ids[2:])

    assert [instance.name for instance in first + second] == ["web-0001", "web-0002", "web-0001"]


async def test_shared_volume_gives_one_pair_with_several_attachments(cloud):
    """The volume of a cluster of five becomes one pair attached to five instances."""
    volume = next(v for v in cloud.world.volumes.values() if v.multiattach and len(v.attachments) == 5)
    owners = [server_id for server_id, _ in volume.attachments]
    instances = await cloud.protect(owners)

    pairs = (await cloud.get("/v1/{p}/replications", volume_id=volume.id))["replications"]

    assert len(pairs) == 1
    assert {entry["protected_instance"] for entry in pairs[0]["attachment"]} == {i.id for i in instances}
    double = cloud.world.volumes[pairs[0]["volume_ids"].split(",")[1]]
    assert {server_id for server_id, _ in double.attachments} == {i.target_server for i in instances}


async def test_protected_group_copies_at_once_and_by_size(cloud):
    """In a protected group the copy begins at once and takes as long as the volume is big."""
    server_id = cloud.plain(1, "web")[0]
    await cloud.batch([server_id], "pg-web")
    instance = cloud.world.instances[cloud.world.instance_by_server[server_id]]
    while instance.status == "creating":
        cloud.sandbox.advance(1)
    pair = cloud.world.pairs_of(instance.id)[0]
    before = await cloud.get(f"/v1/{{p}}/replications/{pair.id}")

    cloud.sandbox.advance(pair.size_gib * 2 + 1)
    after = await cloud.get(f"/v1/{{p}}/replications/{pair.id}")

    assert instance.status == "protected"
    assert before["replication"]["progress"] < after["replication"]["progress"] == 100
    assert after["replication"]["replication_status"] == "active"


async def test_windows_without_its_key_pair_fails_inside_the_job(cloud):
    """The request passes; the job fails with 1306, the instance stays in error and keeps its server taken."""
    world = cloud.world
    lost = next(s for s in world.servers.values() if s.os_type == "Windows" and s.key_name == "KeyPair-lost")
    good = cloud.plain()[0]
    pairs = len(world.pairs)
    answer = await cloud.batch([good, lost.id])
    cloud.sandbox.advance(300)

    job = await cloud.job(answer)

    instance = world.instances[world.instance_by_server[lost.id]]
    subs = job["entities"]["sub_jobs"]
    assert [sub["status"] for sub in subs] == ["SUCCESS", "FAIL"]
    assert (job["status"], job["error_code"], job["fail_reason"]) == ("FAIL", "SDRS.1306", subs[1]["fail_reason"])
    assert (instance.status, instance.target_server) == ("error", "")
    assert len(world.pairs) == pairs + len(world.servers[good].volumes)
    assert (await cloud.batch([lost.id])).json()["error"]["code"] == "SDRS.1305"


async def test_failed_instance_is_in_the_task_center_of_its_group(cloud):
    """Failures of instances are listed with their group's id only, and can be forgotten."""
    lost = next(s for s in cloud.world.servers.values() if s.os_type == "Windows" and s.key_name == "KeyPair-lost")
    await cloud.protect([lost.id])
    group_id = cloud.group("pg-erp").id
    path = "/v1/{p}/task-center/failure-jobs"

    without = await cloud.get(path)
    with_group = await cloud.get(path, server_group_id=group_id, resource_type="protectedInstance")
    gone = await cloud.call("DELETE", f"/v1/{{p}}/task-center/{group_id}/failure-jobs/batch")

    assert without["failure_jobs"] == []
    assert [f["failure_status"] for f in with_group["failure_jobs"]] == ["createFail"]
    assert gone.status_code == 204
    assert (await cloud.get(path, server_group_id=group_id))["count"] == 0


LATE = [
    pytest.param("lab-app", "Ecs.0018", lambda s, w: s.flavor_id == "c3.scarce.2", id="flavor sold out"),
    pytest.param(
        "lab", "Ecs.0012", lambda s, w: w.subnets[s.nics[0].subnet_id].name == "subnet-lab-full", id="no address"
    ),
    pytest.param("lab", "SDRS.1306", lambda s, w: s.key_name == "KeyPair-colleague", id="a colleague's key pair"),
]


@pytest.mark.parametrize(("word", "code", "is_it"), LATE)
async def test_lack_at_the_dr_site_fails_inside_the_job(cloud, word, code, is_it):
    """What only the DR site knows passes the request and fails the sub-job with its own code."""
    lab = cloud.group("pg-lab")
    lab.status = "available"
    server = next(s for s in cloud.world.servers.values() if s.vpc_id == lab.vpc_id and is_it(s, cloud.world))
    answer = await cloud.batch([server.id], "pg-lab")
    cloud.sandbox.advance(300)

    assert (await cloud.job(answer))["error_code"] == code


async def test_quota_used_up_meanwhile_fails_inside_the_job(cloud):
    """ECS and EVS quotas are looked at when the DR server is made: Ecs.0001 and SDRS.1812."""
    first, second = cloud.plain(2)
    cloud.world.max_servers = len(cloud.world.servers)
    no_server = await cloud.batch([first])
    cloud.sandbox.advance(300)
    cloud.world.max_servers, cloud.world.max_volumes = 999, len(cloud.world.volumes)
    no_volume = await cloud.batch([second])
    cloud.sandbox.advance(300)

    assert [(await cloud.job(answer))["error_code"] for answer in (no_server, no_volume)] == ["Ecs.0001", "SDRS.1812"]


async def test_reading_changes_nothing(cloud):
    """However often and whenever somebody looks, the outcome is the same to the last byte."""
    await cloud.batch(cloud.plain(2))
    for _ in range(200):
        cloud.sandbox.advance(1)
        await cloud.get("/v1/{p}/protected-instances")
    watched = await cloud.get("/_sandbox/world")

    cloud.sandbox.reset()
    await cloud.batch(cloud.plain(2))
    cloud.sandbox.advance(200)
    unwatched = await cloud.get("/_sandbox/world")

    assert watched == unwatched


async def test_creations_count_every_real_instance(cloud):
    """The true state counts how often a server was really given an instance; refusals do not count."""
    server_id = cloud.plain()[0]
    await cloud.batch([server_id])
    await cloud.batch([server_id])

    assert (await cloud.get("/_sandbox/world"))["creations"] == {server_id: 1}


async def test_unknown_job_is_refused_at_the_top_level(cloud):
    """A job nobody knows is 400 SDRS.0408 with code and message at the top of the body."""
    answer = await cloud.call("GET", "/v1/{p}/jobs/nobody")

    assert (answer.status_code, answer.json()["code"]) == (400, "SDRS.0408")


async def test_speed_moves_cloud_time_with_wall_time(make_cloud):
    """At speed 60 a wall second is a cloud minute, and the job ends by itself."""
    from sdrs_nb.sandbox import Sandbox

    wall = [0.0]
    sandbox = Sandbox(40, 7, 60, wall=lambda: wall[0])
    start = sandbox.service.clock.now()

    wall[0] += 3
    assert sandbox.service.settle() == start + 180
    wall[0] -= 10
    assert sandbox.service.settle() == start + 180
