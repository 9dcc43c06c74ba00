"""No sequence of valid and invalid calls breaks the world's invariants."""

import asyncio
import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

BASE = "/v1/{p}"


def check(cloud):
    """Check what must hold at every moment."""
    world = cloud.world
    sources = [instance.source_server for instance in world.instances.values()]
    targets = [instance.target_server for instance in world.instances.values() if instance.target_server]
    taken = sources + targets
    # A server has at most one instance, and the index says the same.
    assert len(taken) == len(set(taken))
    assert set(world.instance_by_server) == set(taken)
    for instance in world.instances.values():
        assert instance.id in world.groups[instance.group_id].instances
        assert instance.source_server in world.servers
        hanging = {pair.id for pair in world.pairs.values() if instance.id in pair.attachments}
        assert {pair.id for pair in world.pairs_of(instance.id)} == hanging
    for pair in world.pairs.values():
        assert pair.id in world.groups[pair.group_id].pairs
        # Pairs match attachments: each hangs on instances of its own group that exist.
        assert all(world.instances[instance_id].group_id == pair.group_id for instance_id in pair.attachments)
        assert world.pair_by_volume[pair.source_volume] == world.pair_by_volume[pair.target_volume] == pair.id
        assert pair.source_volume in world.volumes
    assert len(world.pair_by_volume) == 2 * len(world.pairs)
    for group in world.groups.values():
        assert all(world.instances[i].group_id == group.id for i in group.instances)
        assert all(world.pairs[i].group_id == group.id for i in group.pairs)
    # Attachments are the same from both sides, and quotas add up.
    by_server = {(server.id, entry[0]) for server in world.servers.values() for entry in server.volumes}
    by_volume = {(owner, volume.id) for volume in world.volumes.values() for owner, _ in volume.attachments}
    assert by_server == by_volume
    assert world.cores_used == sum(world.flavors[s.flavor_id].vcpus for s in world.servers.values())
    assert world.gib_used == sum(volume.size_gib for volume in world.volumes.values())
    addresses = [(nic.subnet_id, nic.ip) for server in world.servers.values() for nic in server.nics]
    assert len(addresses) == len(set(addresses))
    for subnet in world.subnets.values():
        assert 0 <= subnet.used <= subnet.total
    for job in world.jobs.values():
        assert (job.end is not None) == (job.status in {"SUCCESS", "FAIL"})
        assert (job.status == "FAIL") == (job.error_code is not None)


class Player:
    """Plays seeded random calls, valid and invalid, against a small sandbox."""

    def __init__(self, cloud, seed):
        self.cloud = cloud
        self.draw = random.Random(seed)
        self.ended = {}

    def any_of(self, things, nonsense="nobody"):
        things = list(things)
        return self.draw.choice(things) if things and self.draw.random() < 0.95 else nonsense

    async def step(self):
        """Do one random thing and check everything."""
        moves = [self.batch, self.single, self.delete, self.batch_delete, self.act, self.pair, self.attach, self.detach]
        moves += [
            self.delete_pair,
            self.nic,
            self.drill,
            self.delete_drill,
            self.group,
            self.expand,
            self.wait,
            self.wait,
        ]
        answer = await self.draw.choice(moves)()
        if answer is not None:
            assert answer.status_code in {200, 202, 204, 400, 404}, answer.text
        check(self.cloud)
        for job in self.cloud.world.jobs.values():
            # A job that ended stays ended, with the same end.
            assert self.ended.setdefault(job.id, (job.status, job.end)) == (job.status, job.end) or (
                self.ended[job.id][1] is None
            )
            self.ended[job.id] = (job.status, job.end)

    async def wait(self):
        self.cloud.sandbox.advance(self.draw.choice([1, 20, 60, 200]))

    async def batch(self):
        world = self.cloud.world
        ids = [self.any_of(world.servers) for _ in range(self.draw.randint(1, 3))]
        if self.draw.random() < 0.6:
            # Bring the companions of shared volumes along, so that some requests are complete.
            volumes = [entry[0] for i in ids if i in world.servers for entry in world.servers[i].volumes]
            ids = list(dict.fromkeys(ids + [o for v in volumes for o, _ in world.volumes[v].attachments]))
        joinable = [group.id for group in world.groups.values() if group.name in {"pg-erp", "pg-web"}]
        group_id = self.any_of(joinable or world.groups)
        fault = self.draw.choice([None, None, None, "fail_subjob", "stuck_job", "vanish_job"])
        if fault:
            await self.cloud.http.post("/_sandbox/faults", json=[{"kind": fault}])
        body = {"name_prefix": "p", "server_group_id": group_id, "servers": [{"server_id": i} for i in ids]}
        return await self.cloud.call("POST", f"{BASE}/protected-instances/batch", {"protected_instances": body})

    async def single(self):
        world = self.cloud.world
        body = {
            "name": "one",
            "server_id": self.any_of(world.servers),
            "server_group_id": self.any_of(world.groups),
        }
        return await self.cloud.call("POST", f"{BASE}/protected-instances", {"protected_instance": body})

    async def delete(self):
        body = {"delete_target_server": self.draw.random() < 0.5}
        path = f"{BASE}/protected-instances/{self.any_of(self.cloud.world.instances)}"
        return await self.cloud.call("DELETE", path, body)

    async def batch_delete(self):
        entries = [{"id": self.any_of(self.cloud.world.instances)} for _ in range(self.draw.randint(1, 3))]
        body = {"protected_instances": entries, "delete_target_server": self.draw.random() < 0.5}
        return await self.cloud.call("POST", f"{BASE}/protected-instances/delete", body)

    async def act(self):
        world = self.cloud.world
        if self.draw.random() < 0.5:
            for server in world.servers.values():
                server.status = "SHUTOFF" if server.status == "ACTIVE" else server.status
        keys = ["start-server-group", "stop-server-group", "failover-server-group", "reverse-server-group"]
        body = {self.draw.choice(keys): {"priority_station": "target"}}
        return await self.cloud.call("POST", f"{BASE}/server-groups/{self.any_of(world.groups)}/action", body)

    async def pair(self):
        world = self.cloud.world
        free = [v.id for v in world.volumes.values() if v.status == "available"]
        body = {"server_group_id": self.any_of(world.groups), "volume_id": self.any_of(free), "name": "p"}
        return await self.cloud.call("POST", f"{BASE}/replications", {"replication": body})

    async def attach(self):
        body = {"replicationAttachment": {"replication_id": self.any_of(self.cloud.world.pairs), "device": None}}
        path = f"{BASE}/protected-instances/{self.any_of(self.cloud.world.instances)}/attachreplication"
        return await self.cloud.call("POST", path, body)

    async def detach(self):
        world = self.cloud.world
        held = [(i, pair.id) for pair in world.pairs.values() for i in pair.attachments]
        instance_id, pair_id = self.any_of(held, ("nobody", "nobody"))
        return await self.cloud.call("DELETE", f"{BASE}/protected-instances/{instance_id}/detachreplication/{pair_id}")

    async def delete_pair(self):
        body = {"replication": {"delete_target_volume": self.draw.random() < 0.5}}
        return await self.cloud.call("DELETE", f"{BASE}/replications/{self.any_of(self.cloud.world.pairs)}", body)

    async def expand(self):
        body = {"extend-replication": {"new_size": self.draw.choice([10, 600, 700])}}
        return await self.cloud.call("POST", f"{BASE}/replications/{self.any_of(self.cloud.world.pairs)}/action", body)

    async def nic(self):
        world = self.cloud.world
        path = f"{BASE}/protected-instances/{self.any_of(world.instances)}/nic"
        if self.draw.random() < 0.5:
            return await self.cloud.call("POST", path, {"subnet_id": self.any_of(world.subnets)})
        ports = [nic.port_id for server in world.servers.values() for nic in server.nics if not nic.primary]
        return await self.cloud.call("POST", f"{path}/delete", {"nic_id": self.any_of(ports)})

    async def drill(self):
        body = {"server_group_id": self.any_of(self.cloud.world.groups), "name": "d"}
        return await self.cloud.call("POST", f"{BASE}/disaster-recovery-drills", {"disaster_recovery_drill": body})

    async def delete_drill(self):
        drill_id = self.any_of(self.cloud.world.drills)
        return await self.cloud.call("DELETE", f"{BASE}/disaster-recovery-drills/{drill_id}")

    async def group(self):
        return await self.cloud.call("DELETE", f"{BASE}/server-groups/{self.any_of(self.cloud.world.groups)}")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_world_stays_sound(make_cloud, seed):
    """After every one of 60 random calls all invariants hold, and no call is answered with a server error."""

    async def play():
        player = Player(make_cloud(92, 7), seed)
        for _ in range(60):
            await player.step()

    asyncio.run(play())
