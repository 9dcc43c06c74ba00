"""Changes under way at the same moment: each was allowed when it was asked for, and one removes what another needs."""

import ipaddress
from dataclasses import dataclass, replace
from typing import Any

import pytest

from sdrs_nb.sandbox import Settings
from tests.sandbox.test_invariants import check

GROUPS, INSTANCES, PAIRS = "/v1/{p}/server-groups", "/v1/{p}/protected-instances", "/v1/{p}/replications"
DRILLS = "/v1/{p}/disaster-recovery-drills"


@dataclass
class Stage:
    """A protected group: two instances that share a pair, a third instance, and a pair that hangs on none."""

    cloud: Any
    owners: list[Any]
    third: Any
    shared: Any
    idle: Any

    async def attach(self, instance, pair):
        body = {"replicationAttachment": {"replication_id": pair.id, "device": None}}
        return await self.cloud.call("POST", f"{INSTANCES}/{instance.id}/attachreplication", body)

    async def detach(self, instance, pair):
        return await self.cloud.call("DELETE", f"{INSTANCES}/{instance.id}/detachreplication/{pair.id}")

    async def expand(self, pair):
        body = {"extend-replication": {"new_size": pair.size_gib + 10}}
        return await self.cloud.call("POST", f"{PAIRS}/{pair.id}/action", body)

    async def delete_pair(self, pair):
        return await self.cloud.call("DELETE", f"{PAIRS}/{pair.id}", {"replication": {"delete_target_volume": True}})

    async def delete(self, *instances, with_server=True):
        body = {"protected_instances": [{"id": one.id} for one in instances], "delete_target_server": with_server}
        return await self.cloud.call("POST", f"{INSTANCES}/delete", body)

    async def act(self, key):
        path = f"{GROUPS}/{self.third.group_id}/action"
        return await self.cloud.call("POST", path, {key: {"priority_station": "source"}})

    async def drill(self):
        body = {"disaster_recovery_drill": {"server_group_id": self.third.group_id, "name": "d"}}
        return await self.cloud.call("POST", DRILLS, body)

    async def add_nic(self, instance):
        subnet_id = self.cloud.world.servers[instance.source_server].nics[0].subnet_id
        return await self.cloud.call("POST", f"{INSTANCES}/{instance.id}/nic", {"subnet_id": subnet_id})

    async def resize(self, instance):
        body = {"resize": {"flavorRef": "c7.4xlarge.4"}}
        return await self.cloud.call("POST", f"{INSTANCES}/{instance.id}/resize", body)


CHANGES = {
    "attach shared pair": lambda s: s.attach(s.third, s.shared),
    "attach idle pair": lambda s: s.attach(s.owners[0], s.idle),
    "detach shared pair": lambda s: s.detach(s.owners[0], s.shared),
    "detach shared pair elsewhere": lambda s: s.detach(s.owners[1], s.shared),
    "expand idle pair": lambda s: s.expand(s.idle),
    "expand held pair": lambda s: s.expand(s.cloud.world.pairs_of(s.third.id)[0]),
    "delete idle pair": lambda s: s.delete_pair(s.idle),
    "delete owners": lambda s: s.delete(*s.owners),
    "delete third": lambda s: s.delete(s.third),
    "delete all but the servers": lambda s: s.delete(*s.owners, s.third, with_server=False),
    "add NIC": lambda s: s.add_nic(s.third),
    "resize": lambda s: s.resize(s.third),
    "disable protection": lambda s: s.act("stop-server-group"),
    "reverse": lambda s: s.act("reverse-server-group"),
    "drill": lambda s: s.drill(),
}


async def staged(cloud):
    """Set the stage: everything protected and copied, the servers shut down."""
    world, group = cloud.world, cloud.group("pg-erp")
    owners = await cloud.protect(cloud.cluster(2))
    (third,) = await cloud.protect(cloud.plain())
    shared = next(pair for pair in world.pairs_of(owners[0].id) if len(pair.attachments) == 2)
    idle = next(world.pairs[pair_id] for pair_id in group.pairs if not world.pairs[pair_id].attachments)
    stage = Stage(cloud, owners, third, shared, idle)
    await stage.act("start-server-group")
    cloud.sandbox.advance(100_000)
    for server in world.servers.values():
        server.status = "SHUTOFF" if server.status == "ACTIVE" else server.status
    return stage


def let_jobs_last(cloud, seconds):
    """Let every job that is asked for from now on last so many cloud seconds."""
    cloud.service.settings = replace(cloud.service.settings, job_s=(seconds, seconds))


def settle_soundly(cloud, *, steps, seconds):
    """Let time pass and check the world at every step."""
    for _ in range(steps):
        cloud.sandbox.advance(seconds)
        check(cloud)


@pytest.mark.parametrize("second_s", [20, 80], ids=["second ends first", "first ends first"])
@pytest.mark.parametrize("first", CHANGES)
async def test_two_changes_at_once_leave_a_sound_world(make_cloud, first, second_s):
    """Whatever two changes are under way at once and whichever ends first, both end and the world stays sound."""
    for change in CHANGES.values():
        cloud = make_cloud(92, 7)
        stage = await staged(cloud)
        let_jobs_last(cloud, 50)
        begun = await CHANGES[first](stage)
        let_jobs_last(cloud, second_s)
        await change(stage)

        settle_soundly(cloud, steps=4, seconds=30)

        assert begun.is_success, begun.text
        assert all(job.end for job in cloud.world.jobs.values())
        members = (*stage.owners, stage.third, stage.shared, stage.idle)
        kept = [one for one in members if one.id in {*cloud.world.instances, *cloud.world.pairs}]
        assert not [one.status for one in kept if one.status.endswith("ing") and not one.status.startswith("error")]


@pytest.mark.parametrize("what", ["attach", "detach"])
async def test_job_keeps_a_pair_whose_other_owner_is_still_being_protected(make_cloud, code_of, what):
    """A creation that ends sets no status of a shared pair that a job works on: a second job is refused till then."""
    cloud = make_cloud(92, 7, replace(Settings(), create_s=(100, 200), job_s=(150, 150)))
    (third,) = await cloud.protect(cloud.plain())
    servers = cloud.cluster(2)
    assert (await cloud.batch(servers)).is_success
    owners = [cloud.world.instances[cloud.world.instance_by_server[server_id]] for server_id in servers]
    while all(owner.status == "creating" for owner in owners):
        settle_soundly(cloud, steps=1, seconds=1)
    ready = next(owner for owner in owners if owner.status != "creating")
    shared = next(pair for pair in cloud.world.pairs_of(ready.id) if len(pair.attachments) == 2)
    stage = Stage(cloud, owners, third, shared, shared)
    ask = {"attach": lambda: stage.attach(third, shared), "detach": lambda: stage.detach(ready, shared)}[what]

    first = await ask()
    settle_soundly(cloud, steps=10, seconds=10)
    second = await ask()
    settle_soundly(cloud, steps=4, seconds=50)

    assert {owner.status for owner in owners} == {"available"}
    assert (first.is_success, code_of(second)) == (True, "SDRS.1601")
    assert shared.status == "available"


# -- addresses -------------------------------------------------------------------------------------------------


def address_of(subnet, position):
    """Give the address at a position of a subnet, counted from its end when negative."""
    return str(ipaddress.ip_network(subnet.cidr)[position])


async def test_nic_in_a_subnet_without_addresses_is_not_added(make_cloud):
    """A NIC takes an address for either server; the job fails with 1312 when the subnet has no two left."""
    cloud = make_cloud()
    (instance,) = await cloud.protect(cloud.plain())
    source = cloud.world.servers[instance.source_server]
    subnet = cloud.world.subnets[source.nics[0].subnet_id]
    subnet.total = subnet.used + 1

    answer = await cloud.call("POST", f"{INSTANCES}/{instance.id}/nic", {"subnet_id": subnet.id})
    settle_soundly(cloud, steps=2, seconds=50)

    assert (await cloud.job(answer))["error_code"] == "SDRS.1312"
    assert (instance.status, len(source.nics), subnet.used) == ("available", 1, subnet.total - 1)


async def test_drill_in_a_subnet_without_addresses_fails(make_cloud):
    """A drill takes an address for each DR server; its job fails with 1912 when they are not there."""
    cloud = make_cloud()
    await cloud.protect(cloud.plain(2))
    vpc = next(vpc for vpc in cloud.world.vpcs.values() if vpc.name == "vpc-orphan")
    subnet = next(subnet for subnet in cloud.world.subnets.values() if subnet.vpc_id == vpc.id)
    subnet.total = subnet.used + 1
    body = {"server_group_id": cloud.group("pg-erp").id, "name": "d", "drill_vpc_id": vpc.id}

    answer = await cloud.call("POST", DRILLS, {"disaster_recovery_drill": body})
    settle_soundly(cloud, steps=2, seconds=50)

    assert (await cloud.job(answer))["error_code"] == "SDRS.1912"
    assert [drill.status for drill in cloud.world.drills.values() if drill.vpc_id == vpc.id] == ["error"]


async def test_address_asked_for_twice_is_given_once(make_cloud):
    """An address that two requests ask for while it is free goes to the one whose job gets there first."""
    cloud = make_cloud()
    first, second = await cloud.protect(cloud.plain(2))
    subnet = cloud.world.subnets[cloud.world.servers[first.source_server].nics[0].subnet_id]
    body = {"subnet_id": subnet.id, "ip_address": address_of(subnet, -9)}

    answers = [await cloud.call("POST", f"{INSTANCES}/{one.id}/nic", body) for one in (first, second)]
    settle_soundly(cloud, steps=2, seconds=50)

    codes = [(await cloud.job(answer))["error_code"] for answer in answers]
    assert sorted(codes, key=str) == [None, "SDRS.1312"]


async def test_chosen_address_is_never_given_again(make_cloud):
    """An address that an operator chose is passed over when the next free one is given out."""
    cloud = make_cloud()
    (server_id,) = cloud.plain()
    source = cloud.world.servers[server_id]
    subnet = cloud.world.subnets[source.nics[0].subnet_id]
    ahead = address_of(subnet, subnet.next_host + 1)
    body = {"name": "one", "server_id": server_id, "server_group_id": cloud.group("pg-erp").id}
    body |= {"primary_subnet_id": subnet.id, "primary_ip_address": ahead}

    assert (await cloud.call("POST", INSTANCES, {"protected_instance": body})).is_success
    settle_soundly(cloud, steps=4, seconds=50)
    given = [cloud.world.new_nic(subnet).ip for _ in range(3)]

    target = cloud.world.instances[cloud.world.instance_by_server[server_id]].target_server
    assert cloud.world.servers[target].nics[0].ip == ahead
    assert ahead not in given


async def test_single_create_whose_address_was_taken_meanwhile_fails(make_cloud):
    """An address that was free when the request came and is taken when the DR server is made: the job says so."""
    cloud = make_cloud()
    ids = cloud.plain(2)
    subnet = cloud.world.subnets[cloud.world.servers[ids[0]].nics[0].subnet_id]
    answers = []
    for server_id in ids:
        body = {"name": "one", "server_id": server_id, "server_group_id": cloud.group("pg-erp").id}
        body |= {"primary_subnet_id": subnet.id, "primary_ip_address": address_of(subnet, -9)}
        answers.append(await cloud.call("POST", INSTANCES, {"protected_instance": body}))

    settle_soundly(cloud, steps=4, seconds=50)

    codes = [(await cloud.job(answer))["error_code"] for answer in answers]
    assert sorted(codes, key=str) == ["Ecs.0012", None]
