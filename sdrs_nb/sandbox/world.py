"""The state of the sandbox cloud: records, indexes and the events that the clock will bring. No I/O, no HTTP."""

import heapq
import ipaddress
import itertools
import random
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from .records import (
    Domain,
    Drill,
    EnterpriseProject,
    FailureJob,
    Flavor,
    Group,
    Host,
    Instance,
    Job,
    KeyPair,
    Nic,
    Pair,
    Pool,
    ScalingGroup,
    Server,
    ServerGroup,
    Subnet,
    Volume,
    Vpc,
)

Event = Callable[[float], None]
T = TypeVar("T")


class World:
    """One project's resources.

    State changes in two ways only: a handler calls a method while it answers a request, or `settle` fires the
    events whose time has come, each with its own time. Reading never changes anything, so everybody who looks
    at the same cloud time sees the same world.

    Parameters
    ----------
    seed
        Makes ids and draws reproducible; the same calls at the same times give the same ids.
    project_id
        The project the resources belong to.
    """

    def __init__(self, seed: str, project_id: str) -> None:
        self.project_id = project_id
        self._ids = random.Random(f"{seed}/ids")  # noqa: S311 - reproducible on purpose
        self.draws = random.Random(f"{seed}/draws")  # noqa: S311 - reproducible on purpose
        self.servers: dict[str, Server] = {}
        self.volumes: dict[str, Volume] = {}
        self.flavors: dict[str, Flavor] = {}
        self.vpcs: dict[str, Vpc] = {}
        self.subnets: dict[str, Subnet] = {}
        self.key_pairs: dict[str, KeyPair] = {}
        self.scaling_groups: dict[str, ScalingGroup] = {}
        self.hosts: dict[str, Host] = {}
        self.pools: dict[str, Pool] = {}
        self.domains: dict[str, Domain] = {}
        self.enterprise_projects: dict[str, EnterpriseProject] = {}
        self.server_groups: dict[str, ServerGroup] = {}
        self.groups: dict[str, Group] = {}
        self.instances: dict[str, Instance] = {}
        self.pairs: dict[str, Pair] = {}
        self.drills: dict[str, Drill] = {}
        self.jobs: dict[str, Job] = {}
        self.failure_jobs: dict[str, FailureJob] = {}
        self.instance_by_server: dict[str, str] = {}
        self.pair_by_volume: dict[str, str] = {}
        self._pairs_by_instance: dict[str, dict[str, None]] = {}
        self.drill_by_server: dict[str, str] = {}
        self.creations: dict[str, int] = {}
        self.max_servers = 0
        self.max_cores = 0
        self.max_ram_mib = 0
        self.max_volumes = 0
        self.max_gib = 0
        self.max_groups = 0
        self.max_pairs = 0
        self.cores_used = 0
        self.ram_used_mib = 0
        self.gib_used = 0
        self.revision = 0
        self._server_order: list[Server] | None = None
        self._volume_order: list[Volume] | None = None
        self._bases: dict[str, int] = {}
        self._chosen_addresses: set[int] = set()
        self._events: list[tuple[float, int, Event]] = []
        self._sequence = itertools.count()

    # -- ids and addresses -------------------------------------------------------------------------------------

    def new_uuid(self) -> str:
        """Draw a 36-character id."""
        text = f"{self._ids.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"

    def new_job_id(self) -> str:
        """Draw a 32-character id, as jobs have."""
        return f"{self._ids.getrandbits(128):032x}"

    def take_address(self, subnet: Subnet, wanted: str = "") -> str:
        """Take an address of a subnet, the next free one unless one is `wanted`, and count it as used."""
        subnet.used += 1
        if wanted:
            self._chosen_addresses.add(int(ipaddress.IPv4Address(wanted)))
            return wanted
        base = self._bases.get(subnet.id)
        if base is None:
            base = self._bases[subnet.id] = int(ipaddress.ip_network(subnet.cidr).network_address)
        while base + subnet.next_host in self._chosen_addresses:
            subnet.next_host += 1
        address = base + subnet.next_host
        subnet.next_host += 1
        return f"{address >> 24 & 255}.{address >> 16 & 255}.{address >> 8 & 255}.{address & 255}"

    def is_address_taken(self, subnet_id: str, address: str) -> bool:
        """Whether a server holds this address of a subnet."""
        nics = (nic for server in self.servers.values() for nic in server.nics if nic.subnet_id == subnet_id)
        return any(nic.ip == address for nic in nics)

    # -- time --------------------------------------------------------------------------------------------------

    def at(self, moment: float, event: Event) -> None:
        """Let `event` happen at cloud time `moment`; it is called with that time."""
        heapq.heappush(self._events, (moment, next(self._sequence), event))

    def next_event(self) -> float | None:
        """Give the time of the next event, None if nothing is under way."""
        return self._events[0][0] if self._events else None

    def settle(self, now: float) -> None:
        """Let everything happen that was due up to `now`, in order of time."""
        while self._events and self._events[0][0] <= now:
            moment, _, event = heapq.heappop(self._events)
            event(moment)
            self.touch()

    def touch(self) -> None:
        """Note that the world changed."""
        self.revision += 1

    # -- servers and volumes -----------------------------------------------------------------------------------

    def add_server(self, server: Server) -> None:
        """Add a server and count its flavor against the quota."""
        self.servers[server.id] = server
        if self._server_order is not None:
            self._server_order.append(server)
        flavor = self.flavors[server.flavor_id]
        self.cores_used += flavor.vcpus
        self.ram_used_mib += flavor.ram_mib

    def remove_server(self, server_id: str) -> None:
        """Remove a server, free its addresses and take it off its volumes."""
        server = self.servers.pop(server_id)
        self._server_order = None
        flavor = self.flavors[server.flavor_id]
        self.cores_used -= flavor.vcpus
        self.ram_used_mib -= flavor.ram_mib
        for nic in server.nics:
            if nic.subnet_id in self.subnets:
                self.subnets[nic.subnet_id].used -= 1
        for volume_id, _, _ in list(server.volumes):
            self.detach(server, volume_id)

    def change_flavor(self, server: Server, flavor_id: str) -> None:
        """Give a server another flavor and count the difference against the quota."""
        before, after = self.flavors[server.flavor_id], self.flavors[flavor_id]
        self.cores_used += after.vcpus - before.vcpus
        self.ram_used_mib += after.ram_mib - before.ram_mib
        server.flavor_id, server.document = flavor_id, None

    def drop_nic(self, server: Server, nic: Nic) -> None:
        """Take a network interface off a server and free its address."""
        server.nics = tuple(held for held in server.nics if held is not nic)
        server.document = None
        if nic.subnet_id in self.subnets:
            self.subnets[nic.subnet_id].used -= 1

    def add_volume(self, volume: Volume) -> None:
        """Add a volume and count its size against the quota."""
        self.volumes[volume.id] = volume
        if self._volume_order is not None:
            self._volume_order.append(volume)
        self.gib_used += volume.size_gib

    def remove_volume(self, volume_id: str) -> None:
        """Remove a volume from the world and from the servers it hangs on."""
        volume = self.volumes[volume_id]
        for server_id, _ in list(volume.attachments):
            if server_id in self.servers:
                self.detach(self.servers[server_id], volume_id)
        del self.volumes[volume_id]
        self._volume_order = None
        self.gib_used -= volume.size_gib

    def attach(self, server: Server, volume: Volume, device: str, boot_index: str) -> None:
        """Hang a volume on a server."""
        server.volumes.append((volume.id, device, boot_index))
        volume.attachments.append((server.id, device))
        volume.status = "in-use"
        server.document = volume.document = None

    def detach(self, server: Server, volume_id: str) -> None:
        """Take a volume off a server; a volume nobody holds any more becomes ``available``."""
        server.volumes = [entry for entry in server.volumes if entry[0] != volume_id]
        server.document = None
        volume = self.volumes.get(volume_id)
        if volume is None:
            return
        volume.attachments = [entry for entry in volume.attachments if entry[0] != server.id]
        volume.document = None
        if not volume.attachments:
            volume.status = "available"

    def servers_newest_first(self) -> Iterable[Server]:
        """Give the servers, newest first: new servers shift the pages, as in a live project."""
        if self._server_order is None:
            self._server_order = list(self.servers.values())
        return reversed(self._server_order)

    def volumes_newest_first(self) -> Iterable[Volume]:
        """Give the volumes, newest first (EVS sorts by ``created_at`` descending by default)."""
        if self._volume_order is None:
            self._volume_order = list(self.volumes.values())
        return reversed(self._volume_order)

    def server_slice(self, start: int, count: int) -> list[Server]:
        """Give `count` servers from position `start`, newest first, without walking the whole estate."""
        if self._server_order is None:
            self._server_order = list(self.servers.values())
        return _slice_from_end(self._server_order, start, count)

    def volume_slice(self, start: int, count: int) -> list[Volume]:
        """Give `count` volumes from position `start`, newest first, without walking the whole estate."""
        if self._volume_order is None:
            self._volume_order = list(self.volumes.values())
        return _slice_from_end(self._volume_order, start, count)

    # -- protection --------------------------------------------------------------------------------------------

    def add_instance(self, instance: Instance) -> None:
        """Add a protected instance; from now on its servers are taken."""
        self.instances[instance.id] = instance
        self.groups[instance.group_id].instances[instance.id] = None
        self.instance_by_server[instance.source_server] = instance.id
        if instance.target_server:
            self.instance_by_server[instance.target_server] = instance.id

    def remove_instance(self, instance_id: str) -> None:
        """Remove a protected instance; its servers are free again."""
        instance = self.instances.pop(instance_id)
        for pair in self.pairs_of(instance_id):
            self.unhang_pair(pair, instance_id)
        self._pairs_by_instance.pop(instance_id, None)
        self.groups[instance.group_id].instances.pop(instance_id, None)
        for server_id in (instance.source_server, instance.target_server):
            self.instance_by_server.pop(server_id, None)

    def add_pair(self, volume: Volume, group: Group, at: float, **fields: Any) -> Pair:
        """Add a replication pair of a volume; from now on its volumes are taken.

        Parameters
        ----------
        volume
            The production volume.
        at
            When it was made.
        fields
            Of the pair: its ``target_volume`` and ``status``, and whatever shall differ from volume and group.
        """
        taken_over: dict[str, Any] = {
            "name": volume.name,
            "description": None,
            "group_id": group.id,
            "source_volume": volume.id,
            "size_gib": volume.size_gib,
            "volume_type": volume.type,
            "multiattach": volume.multiattach,
            "bootable": volume.bootable,
            "created": at,
            "updated": at,
            "station": group.station,
        }
        pair = Pair(**{**taken_over, "id": fields.get("id") or self.new_uuid(), **fields})
        self.pairs[pair.id] = pair
        self.groups[pair.group_id].pairs[pair.id] = None
        self.pair_by_volume[pair.source_volume] = pair.id
        self.pair_by_volume[pair.target_volume] = pair.id
        return pair

    def add_dr_volume(self, volume: Volume, az: str, at: float, **fields: Any) -> Volume:
        """Add the volume at the other site that `volume` is copied to; `fields` are what is not taken over from it."""
        double = Volume(
            id=fields.pop("id", None) or self.new_uuid(),
            name=volume.name,
            size_gib=volume.size_gib,
            az=az,
            type=volume.type,
            created=at,
            multiattach=volume.multiattach,
            **fields,
        )
        self.add_volume(double)
        return double

    def remove_pair(self, pair_id: str) -> None:
        """Remove a replication pair; its volumes are free again."""
        pair = self.pairs.pop(pair_id)
        self.groups[pair.group_id].pairs.pop(pair_id, None)
        for volume_id in (pair.source_volume, pair.target_volume):
            self.pair_by_volume.pop(volume_id, None)
        for instance_id in list(pair.attachments):
            self.unhang_pair(pair, instance_id)

    def hang_pair(self, pair: Pair, instance_id: str, device: str) -> None:
        """Attach a pair to an instance."""
        pair.attachments[instance_id] = device
        self._pairs_by_instance.setdefault(instance_id, {})[pair.id] = None

    def unhang_pair(self, pair: Pair, instance_id: str) -> None:
        """Take a pair off an instance."""
        del pair.attachments[instance_id]
        self._pairs_by_instance[instance_id].pop(pair.id, None)

    def pairs_of(self, instance_id: str) -> list[Pair]:
        """Give the pairs that hang on an instance."""
        return [self.pairs[pair_id] for pair_id in self._pairs_by_instance.get(instance_id, ())]

    def members_of(self, group: Group) -> list[Instance | Pair]:
        """Give a group's protected instances, then its pairs."""
        return [*(self.instances[each] for each in group.instances), *(self.pairs[each] for each in group.pairs)]

    def rest_status(self, group_id: str) -> str:
        """Give the status of a group's members once nothing is under way with them."""
        return "protected" if self.groups[group_id].status == "protected" else "available"

    def current_server(self, instance: Instance) -> Server | None:
        """Give the server that is production now: the one in the group's production AZ; None if it is gone."""
        return self._server_in(instance, self.groups[instance.group_id].production_az)

    def dr_server(self, instance: Instance) -> Server | None:
        """Give the server that stands by now: the one in the group's DR AZ; None while there is none."""
        return self._server_in(instance, self.groups[instance.group_id].dr_az)

    def _server_in(self, instance: Instance, az: str) -> Server | None:
        both = (self.servers.get(instance.source_server), self.servers.get(instance.target_server))
        return next((server for server in both if server is not None and server.az == az), None)

    def new_nic(self, subnet: Subnet, *, primary: bool = True, ip: str = "") -> Nic:
        """Make a network interface with the next free address of the subnet, or with `ip`."""
        return Nic(self.new_uuid(), subnet.id, self.take_address(subnet, ip), primary)

    def keys_visible_to(self, user_id: str) -> list[KeyPair]:
        """Give the key pairs a user sees: a pair of scope ``user`` shows itself to its owner only."""
        return [pair for pair in self.key_pairs.values() if pair.scope == "domain" or pair.owner == user_id]


def _slice_from_end(order: list[T], start: int, count: int) -> list[T]:
    high = len(order) - start
    if high <= 0:
        return []
    return order[max(0, high - count) : high][::-1]
