"""What may be odd about a server: each twist changes one thing of a random estate, harmless or not."""

import random
from collections.abc import Callable
from typing import Any

from sdrs_nb.sandbox.catalogue import AZ_A, AZ_B, AZ_C, WINDOWS_IMAGE
from sdrs_nb.sandbox.estate import WEB
from sdrs_nb.sandbox.records import Server
from tests.contract.stage import Stage

Twist = Callable[[Stage, Server, random.Random], object]

FLAVORS = (
    "d3.xlarge.8",
    "i3.2xlarge.8",
    "g6.xlarge.4",
    "kc1.xlarge.2",
    "e3.7xlarge.12",
    "c6.large.2",
    "c3.retired.2",
    "c3.scarce.2",
    "s6.2xlarge.2",
    "m7.large.8",
)
TYPES = ("SATA", "SSD", "GPSSD", "ESSD", "GPSSD2", "ESSD2", "co-p1")
VOLUME_STATES = ("error", "error_extending", "extending", "backing-up", "in-use")
KEYS = (None, "KeyPair-ops", "KeyPair-own", "KeyPair-colleague", "KeyPair-lost")


def setting(**choices: tuple[Any, ...]) -> Twist:
    """Give a server one of some values for each of these fields."""

    def twist(_stage: Stage, server: Server, draw: random.Random) -> None:
        for name, values in choices.items():
            setattr(server, name, draw.choice(values))

    return twist


def on_volume(**choices: tuple[Any, ...]) -> Twist:
    """Give one of a server's volumes, or a new one, one of some values for each of these fields."""

    def twist(stage: Stage, server: Server, draw: random.Random) -> None:
        if not server.volumes or draw.random() < 0.5:
            stage.data_volume(server)
        volume = stage.world.volumes[draw.choice(server.volumes)[0]]
        for name, values in choices.items():
            setattr(volume, name, draw.choice(values))

    return twist


def flavor(stage: Stage, server: Server, draw: random.Random) -> None:
    """Give another flavor, some of them special, withdrawn or sold out somewhere."""
    stage.world.change_flavor(server, draw.choice(FLAVORS))


def windows(_stage: Stage, server: Server, draw: random.Random) -> None:
    """Make it a Windows server with some key pair or none, now and then made by somebody else."""
    server.user_id = draw.choice((server.user_id, server.user_id, "a-colleague"))
    server.os_type, server.image_name, server.key_name = "Windows", WINDOWS_IMAGE, draw.choice(KEYS)


def nics(stage: Stage, server: Server, draw: random.Random) -> None:
    """Give more NICs, of the same subnet."""
    subnet = stage.world.subnets[server.nics[0].subnet_id]
    more = draw.choice((2, 12, 13)) - 1
    server.nics = (server.nics[0], *(stage.world.new_nic(subnet, primary=False) for _ in range(more)))


def moved_vpc(stage: Stage, server: Server, draw: random.Random) -> None:
    """Put it into another VPC, with its NIC."""
    name = draw.choice(("lab", "orphan", "erp"))
    server.vpc_id = stage.estate.vpc_ids[name]
    server.nics = (stage.world.new_nic(stage.world.subnets[stage.estate.subnet_ids[name][0]]),)


def moved_az(stage: Stage, server: Server, draw: random.Random) -> None:
    """Put it into another AZ, with its volumes as a rule."""
    server.az = draw.choice((AZ_A, AZ_B, AZ_C))
    if draw.random() < 0.8:
        for volume_id, _device, _boot in server.volumes:
            stage.world.volumes[volume_id].az = server.az


def bare(stage: Stage, server: Server, _draw: random.Random) -> None:
    """Leave it with a data volume only (what stands at the root device would count as a system volume)."""
    stage.data_volume(server)
    stage.world.remove_volume(server.volumes[0][0])


def pairs(stage: Stage, server: Server, _draw: random.Random) -> None:
    """Leave a pair of one of its volumes behind."""
    stage.estate.pair(stage.data_volume(server), stage.group)


def broken_instance(stage: Stage, server: Server, draw: random.Random) -> None:
    """Leave an instance of it behind."""
    stage.estate.bare_instance(server, draw.choice(("pg-erp", "pg-web")), "error")


def member(stage: Stage, server: Server, draw: random.Random) -> None:
    """Put it into a scaling group."""
    group = draw.choice(list(stage.world.scaling_groups.values()))
    group.members[server.id] = (draw.choice(("", "configuration-1")), False)


def drilled(stage: Stage, server: Server, _draw: random.Random) -> None:
    """Make it a drill server of somebody's instance."""
    instance = stage.estate.bare_instance(stage.server(WEB), "pg-web", "protected")
    drill = stage.estate.drill("pg-web", WEB, instance)
    stage.world.drill_by_server[server.id] = drill.id
    drill.servers["another instance"] = server.id


TWISTS: tuple[Twist, ...] = (
    setting(status=("SHUTOFF", "SHUTOFF", "ERROR", "BUILD", "REBOOT")),
    setting(task_state=("powering-on", "deleting", "rebooting")),
    setting(locked=(True,), lock_source=("", "ORDER")),
    setting(frozen=(True,)),
    setting(billing=("1", "2")),
    setting(eps_id=("0", "a-project")),
    setting(tags=(("env=prod",), ("note=__type_baremetal",))),
    setting(ecs_group_id=("an-ecs-group",)),
    setting(host_id=("a-host",)),
    setting(key_name=KEYS),
    setting(name=("订单-01", "<b>bold</b>", "=1+1")),
    on_volume(encrypted=(True,)),
    on_volume(status=VOLUME_STATES),
    on_volume(type=TYPES),
    on_volume(az=(AZ_A, AZ_B)),
    on_volume(order_id=("CS1",)),
    on_volume(size_gib=(10, 2000)),
    on_volume(multiattach=(True,)),
    flavor,
    windows,
    nics,
    moved_vpc,
    moved_az,
    bare,
    pairs,
    broken_instance,
    member,
    drilled,
)
