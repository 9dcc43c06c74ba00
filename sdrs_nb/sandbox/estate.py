"""The builder of an estate: puts servers, volumes, instances and pairs into a world before its clock starts."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .catalogue import AZ_A, AZ_B, AZ_C, LINUX_IMAGES, WINDOWS_IMAGE
from .clock import CLOUD_START
from .records import Drill, Group, Instance, Pair, ScalingGroup, Server, Volume
from .world import World

DAY_S = 86400.0
_PLAIN_FLAVORS = ("s6.large.2", "s6.xlarge.2", "c7.large.2", "c7.xlarge.4", "m7.large.8", "c7.2xlarge.2")
_PLAIN_TYPES = ("SAS", "SAS", "SAS", "SAS", "SSD", "SSD", "SSD", "SATA", "GPSSD", "SAS")
_DATA_DISKS = (0, 0, 1, 1, 1, 1, 2, 2, 2, 3)
_SYSTEM_GIB = (40, 40, 60, 100)
_DATA_GIB = (20, 50, 100, 200, 500)


@dataclass(frozen=True, slots=True)
class Site:
    """Where servers go: VPC, AZ, and the word their names begin with."""

    vpc: str
    az: str
    word: str


# The groups' production sites; see `scenarios.GROUPS` for what makes each of them joinable or not.
ERP = Site("erp", AZ_B, "erp")
WEB = Site("web", AZ_A, "web")
SWITCHED = Site("web", AZ_B, "web-b")
SHOP = Site("shop", AZ_A, "shop")
LAB = Site("lab", AZ_A, "lab")
CRM = Site("crm", AZ_A, "crm")
# No group has its production site here.
ERP_ELSEWHERE = Site("erp", AZ_A, "erp-a")
ORPHAN = Site("orphan", AZ_B, "orphan")


class Estate:
    """Adds things to a world that has no history yet.

    Parameters
    ----------
    world
        Where to add.
    draw
        The seeded generator of everything that is not an id.
    user_id
        The operator: owner of most servers.
    """

    def __init__(self, world: World, draw: random.Random, user_id: str) -> None:
        self.world = world
        self.draw = draw
        self.user_id = user_id
        self.colleague_id = world.new_job_id()
        self.vpc_ids: dict[str, str] = {}
        self.subnet_ids: dict[str, list[str]] = {}
        self.groups: dict[str, Group] = {}
        self.ecs_groups: list[str] = []
        self.host_ids: list[str] = []
        self.scaling: dict[str, ScalingGroup] = {}
        self.eps_ids: list[str] = []
        self._numbers: dict[str, int] = {}

    # -- servers and volumes -----------------------------------------------------------------------------------

    def server(self, site: Site, *, data_disks: int | None = None, nics: int = 1, **fields: Any) -> Server:
        """Add a server that is acceptable in every respect, except for what `fields` change."""
        pick = self.draw.random
        number = self._numbers[site.word] = self._numbers.get(site.word, 0) + 1
        server = Server(
            id=self.world.new_uuid(),
            name=fields.pop("name", f"{site.word}-{('app', 'db', 'mq', 'job')[int(pick() * 4)]}-{number:04d}"),
            az=site.az,
            vpc_id=self.vpc_ids[site.vpc],
            flavor_id=fields.pop("flavor_id", _PLAIN_FLAVORS[int(pick() * len(_PLAIN_FLAVORS))]),
            created=CLOUD_START,
            updated=CLOUD_START,
            user_id=fields.pop("user_id", self.user_id),
            image_name=fields.pop("image_name", LINUX_IMAGES[int(pick() * len(LINUX_IMAGES))]),
            **fields,
        )
        subnets = self.subnet_ids[site.vpc]
        subnet = self.world.subnets[subnets[number % len(subnets)]]
        server.nics = tuple(self.world.new_nic(subnet, primary=not index) for index in range(nics))
        self.world.add_server(server)
        self.volume(server, _SYSTEM_GIB[int(pick() * 4)], system=True)
        for _ in range(_DATA_DISKS[int(pick() * 10)] if data_disks is None else data_disks):
            self.volume(server, _DATA_GIB[int(pick() * 5)])
        return server

    def volume(self, server: Server, size_gib: int, *, system: bool = False, **fields: Any) -> Volume:
        """Add a volume and hang it on a server."""
        index = len(server.volumes)
        volume = Volume(
            id=self.world.new_uuid(),
            name=fields.pop("name", f"{server.name}-volume-{index:04d}"),
            size_gib=size_gib,
            az=fields.pop("az", server.az),
            type=fields.pop("type", _PLAIN_TYPES[int(self.draw.random() * 10)]),
            created=CLOUD_START,
            bootable=system,
            eps_id=server.eps_id,
            **fields,
        )
        status = volume.status
        self.world.add_volume(volume)
        self.world.attach(server, volume, device_name(index), "0" if system else str(index or 1))
        volume.status = status
        return volume

    def share(self, servers: Sequence[Server], size_gib: int = 100) -> Volume:
        """Add one shared volume that hangs on all of `servers`."""
        volume = self.volume(servers[0], size_gib, multiattach=True, name=f"{servers[0].name}-shared", type="SAS")
        for server in servers[1:]:
            self.world.attach(server, volume, device_name(len(server.volumes)), str(len(server.volumes)))
        return volume

    def windows(self, site: Site, key_name: str | None, **fields: Any) -> Server:
        """Add a Windows server that is logged in to with a key pair."""
        return self.server(site, os_type="Windows", image_name=WINDOWS_IMAGE, key_name=key_name, **fields)

    # -- protection --------------------------------------------------------------------------------------------

    def protect(self, server: Server, group_name: str, status: str | None = None) -> tuple[Instance, Server]:
        """Protect a server that is there already: instance, DR server, DR volumes, pairs."""
        group = self.groups[group_name]
        instance = self.bare_instance(server, group_name, status or settled_status(group.status))
        double = self._double(server, group)
        instance.target_server = double.id
        self.world.instance_by_server[double.id] = instance.id
        for volume_id, device, boot_index in server.volumes:
            pair = self.pair(self.world.volumes[volume_id], group)
            pair.status = settled_status(group.status)
            self.world.hang_pair(pair, instance.id, device)
            self.world.attach(double, self.world.volumes[pair.target_volume], device, boot_index)
        return instance, double

    def bare_instance(self, server: Server, group_name: str, status: str) -> Instance:
        """Add an instance without DR server and pairs, as a failed creation leaves one."""
        group = self.groups[group_name]
        number = self._numbers[group_name] = self._numbers.get(group_name, 0) + 1
        instance = Instance(
            id=self.world.new_uuid(),
            name=f"{group_name}-first-{number:04d}",
            description=None,
            group_id=group.id,
            status=status,
            source_server=server.id,
            created=group.created + 3600 + number,
            updated=group.created + 3800 + number,
            station=group.station,
        )
        self.world.add_instance(instance)
        return instance

    def pair(self, volume: Volume, group: Group) -> Pair:
        """Add a pair for a volume, with its DR volume, attached to nothing yet."""
        double = self.world.add_dr_volume(
            volume, group.other_az(volume.az), CLOUD_START, status="available", bootable=volume.bootable
        )
        return self.world.add_pair(
            volume,
            group,
            group.created + 3700,
            updated=group.created + 3800,
            status="available",
            target_volume=double.id,
            # What was protected before the clock starts has long been copied.
            sync_from=group.created if group.status in {"protected", "failed-over"} else None,
        )

    def _double(self, server: Server, group: Group) -> Server:
        double = Server(
            id=self.world.new_uuid(),
            # C9 of the batch page: the DR server keeps the production server's name.
            name=server.name,
            az=group.other_az(server.az),
            vpc_id=server.vpc_id,
            flavor_id=server.flavor_id,
            created=CLOUD_START,
            updated=CLOUD_START,
            status="SHUTOFF",
            os_type=server.os_type,
            image_name=server.image_name,
            user_id=server.user_id,
            hostname=server.host_name,
            role="dr",
        )
        double.nics = (self.world.new_nic(self.world.subnets[server.nics[0].subnet_id]),)
        self.world.add_server(double)
        return double

    def drill(self, group_name: str, site: Site, instance: Instance) -> Drill:
        """Add a drill of one instance whose drill server runs at `site`."""
        group = self.groups[group_name]
        drill = Drill(
            id=self.world.new_uuid(),
            name=f"{group_name}-drill",
            group_id=group.id,
            vpc_id=self.vpc_ids[site.vpc],
            status="available",
            created=CLOUD_START - DAY_S,
            updated=CLOUD_START - DAY_S + 300,
        )
        production = self.world.servers[instance.source_server]
        server = self.server(
            site, name=f"{production.name}-drill", flavor_id=production.flavor_id, role="drill", data_disks=0
        )
        drill.servers[instance.id] = server.id
        self.world.drills[drill.id] = drill
        self.world.drill_by_server[server.id] = drill.id
        return drill


def device_name(index: int) -> str:
    """Give the device of the n-th volume of a server (KVM naming)."""
    return f"/dev/vd{chr(ord('a') + index)}"


def settled_status(group_status: str) -> str:
    """Give the status that instances and pairs of a group have while nothing else happens to them."""
    return "available" if group_status in {"available", "creating"} else group_status


__all__ = [
    "AZ_A", "AZ_B", "AZ_C", "CRM", "DAY_S", "ERP", "ERP_ELSEWHERE", "LAB", "ORPHAN", "SHOP", "SWITCHED", "WEB",
    "Estate", "Site", "device_name", "settled_status",
]  # fmt: skip
