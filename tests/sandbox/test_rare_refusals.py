"""Codes that need an uncommon state: the state, the request, the code."""

from dataclasses import replace

import pytest

from sdrs_nb.sandbox import Settings

INSTANCES, PAIRS = "/v1/{p}/protected-instances", "/v1/{p}/replications"


async def test_unknown_pair_status_filter(cloud, code_of):
    """A status no pair can have is 0214."""
    assert code_of(await cloud.call("GET", PAIRS, status="odd")) == "SDRS.0214"


@pytest.mark.parametrize(("nics", "code"), [(1, None), (12, "SDRS.1336")])
async def test_site_without_extension_nics(make_cloud, code_of, nics, code):
    """Where extension NICs are not supported, a server that has some is 1336, and adding one 1337."""
    cloud = make_cloud(settings=replace(Settings(), extension_nics_supported=False))
    many = next(server.id for server in cloud.world.servers.values() if len(server.nics) == 12)
    server_id = many if nics > 1 else cloud.plain()[0]

    assert code_of(await cloud.batch([server_id])) == code


async def test_adding_an_extension_nic_may_be_unsupported(make_cloud, code_of):
    """Where extension NICs are not supported, adding one is 1337."""
    cloud = make_cloud(settings=replace(Settings(), extension_nics_supported=False))
    (instance,) = await cloud.protect(cloud.plain())
    subnet = cloud.world.servers[instance.source_server].nics[0].subnet_id

    assert code_of(await cloud.call("POST", f"{INSTANCES}/{instance.id}/nic", {"subnet_id": subnet})) == "SDRS.1337"


async def test_changes_need_an_instance_at_rest(cloud, code_of):
    """While an instance is busy, NICs are 1327, attaching and resizing 1328, and in a busy group all is 1024."""
    first, second = await cloud.protect(cloud.plain(2))
    pair = cloud.world.pairs_of(second.id)[0]
    subnet = cloud.world.servers[first.source_server].nics[0].subnet_id
    requests = {
        "nic": {"subnet_id": subnet},
        "nic/delete": {"nic_id": "x"},
        "attachreplication": {"replicationAttachment": {"replication_id": pair.id, "device": "/dev/vdz"}},
        "resize": {"resize": {"flavorRef": "c7.4xlarge.4"}},
    }

    async def codes():
        return [
            code_of(await cloud.call("POST", f"{INSTANCES}/{first.id}/{way}", body)) for way, body in requests.items()
        ]

    first.status = "resizing"
    assert await codes() == ["SDRS.1327", "SDRS.1327", "SDRS.1328", "SDRS.1328"]
    cloud.group("pg-erp").status = "starting"
    assert await codes() == ["SDRS.1024"] * 4


async def test_changes_need_both_servers(cloud, code_of):
    """An instance whose production server is gone is abnormal: 1314."""
    (instance,) = await cloud.protect(cloud.plain())
    subnet = cloud.world.servers[instance.source_server].nics[0].subnet_id
    cloud.world.remove_server(instance.source_server)

    nic = await cloud.call("POST", f"{INSTANCES}/{instance.id}/nic", {"subnet_id": subnet})
    resize = await cloud.call("POST", f"{INSTANCES}/{instance.id}/resize", {"resize": {"flavorRef": "c7.4xlarge.4"}})

    assert [code_of(nic), code_of(resize)] == ["SDRS.1314", "SDRS.1314"]


async def test_resize_on_dedicated_hosts_names_them(cloud, code_of):
    """On dedicated hosts a resize names the host: 1370 production, 1369 DR; without a system disk it is 1377."""
    (instance,) = await cloud.protect(cloud.plain())
    source, double = cloud.world.servers[instance.source_server], cloud.world.servers[instance.target_server]
    path, body = f"{INSTANCES}/{instance.id}/resize", {"resize": {"flavorRef": "c7.4xlarge.4"}}

    source.host_id = "h"
    production = code_of(await cloud.call("POST", path, body))
    source.host_id, double.host_id = "", "h"
    dr = code_of(await cloud.call("POST", path, body))
    for pair in cloud.world.pairs_of(instance.id):
        pair.bootable = False
    no_system_disk = code_of(await cloud.call("POST", path, body))

    assert [production, dr, no_system_disk] == ["SDRS.1370", "SDRS.1369", "SDRS.1377"]


async def test_pair_changes_look_at_the_disks(cloud, code_of):
    """A disk in the wrong state is 1817 when expanding; a prepaid DR disk is 1827 when deleting with the pair."""
    group = cloud.group("pg-erp")
    pair = next(cloud.world.pairs[i] for i in group.pairs if not cloud.world.pairs[i].attachments)
    path = f"{PAIRS}/{pair.id}"

    cloud.world.volumes[pair.source_volume].status = "backing-up"
    grow = await cloud.call("POST", f"{path}/action", {"extend-replication": {"new_size": pair.size_gib + 1}})
    cloud.world.volumes[pair.target_volume].order_id = "CS1"
    body = {"replication": {"server_group_id": group.id, "delete_target_volume": True}}

    assert code_of(grow) == "SDRS.1817"
    assert code_of(await cloud.call("DELETE", path, body)) == "SDRS.1827"


async def test_failed_pair_tells_its_reason(cloud):
    """A pair whose creation failed is in error with 1606 in its failure detail."""
    server = cloud.world.servers[cloud.plain()[0]]
    volume = cloud.world.volumes[server.volumes[0][0]]
    cloud.world.detach(server, volume.id)
    await cloud.http.post("/_sandbox/faults", json=[{"kind": "fail_subjob", "code": "SDRS.1609"}])
    body = {"server_group_id": cloud.group("pg-erp").id, "volume_id": volume.id, "name": "pair"}
    answer = await cloud.call("POST", PAIRS, {"replication": body})
    cloud.sandbox.advance(100)

    job = await cloud.job(answer)
    pair = (await cloud.get(f"{PAIRS}/{job['entities']['replication_pair_id']}"))["replication"]

    assert (job["status"], pair["status"], pair["failure_detail"]) == ("FAIL", "error", "SDRS.1606")


async def test_drill_vpc_needs_a_subnet(cloud, code_of):
    """A drill VPC without subnets is 1908."""
    orphan = next(vpc.id for vpc in cloud.world.vpcs.values() if vpc.name == "vpc-orphan")
    for subnet in [subnet for subnet in cloud.world.subnets.values() if subnet.vpc_id == orphan]:
        del cloud.world.subnets[subnet.id]
    body = {"server_group_id": cloud.group("pg-erp").id, "name": "drill", "drill_vpc_id": orphan}

    answer = await cloud.call("POST", "/v1/{p}/disaster-recovery-drills", {"disaster_recovery_drill": body})

    assert code_of(answer) == "SDRS.1908"


GONE = [
    pytest.param("attach", "SDRS.1821", id="attach"),
    pytest.param("detach", "SDRS.1822", id="detach"),
    pytest.param("expand", "SDRS.1820", id="expand"),
    pytest.param("nic", "SDRS.1313", id="delete NIC"),
]


@pytest.mark.parametrize(("what", "code"), GONE)
async def test_job_fails_when_its_instance_goes_meanwhile(cloud, what, code):
    """An instance deleted while a job works on it makes that job fail with the job's own code."""
    (instance,) = await cloud.protect(cloud.plain())
    path = f"{INSTANCES}/{instance.id}"
    pair = cloud.world.pairs_of(instance.id)[0]
    cloud.world.servers[instance.source_server].status = "SHUTOFF"
    server = cloud.world.servers[instance.source_server]
    subnet = cloud.world.subnets[server.nics[0].subnet_id]
    server.nics = (*server.nics, cloud.world.new_nic(subnet, primary=False))
    idle = next(cloud.world.pairs[i] for i in cloud.group("pg-erp").pairs if not cloud.world.pairs[i].attachments)
    if what == "attach":
        body = {"replicationAttachment": {"replication_id": idle.id, "device": "/dev/vdz"}}
        answer = await cloud.call("POST", f"{path}/attachreplication", body)
    elif what == "detach":
        answer = await cloud.call("DELETE", f"{path}/detachreplication/{pair.id}")
    elif what == "expand":
        body = {"extend-replication": {"new_size": pair.size_gib + 1}}
        answer = await cloud.call("POST", f"{PAIRS}/{pair.id}/action", body)
    else:
        answer = await cloud.call("POST", f"{path}/nic/delete", {"nic_id": server.nics[-1].port_id})
    assert answer.status_code == 200, answer.text

    cloud.world.remove_instance(instance.id)
    for pair_id in [p.id for p in cloud.world.pairs.values() if not p.attachments and p is not idle]:
        cloud.world.remove_pair(pair_id)
    cloud.sandbox.advance(100)

    assert (await cloud.job(answer))["error_code"] == code
