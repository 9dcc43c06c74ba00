"""Estates made from a seed: a sound one of 1 to 12 servers, then a few oddities, each from a seed of its own.

Every oddity draws from its own generator, so an estate can be made again with some of its oddities left out.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any

from tests import oddities

Row = dict[str, Any]

CALLER = "user-1"
PROFILES = ("huaweicloud", "huaweicloud", "huaweicloud-2025", "otc", "otc")
#: How many oddities an estate has: few, so that servers without a fault stay common.
ODDITIES = (0, 1, 1, 1, 2, 2, 3, 4, 6)
OPTIONAL_GROUPS = (("group-2", "az-1", "vpc-1"), ("group-3", "az-2", "vpc-1"), ("group-4", "az-1", "vpc-2"))


@dataclass
class RandomEstate:
    """Frames with what was read of them, and the question to ask of them; ``made_with`` makes it again."""

    seed: int
    frames: dict[str, list[Row]]
    states: dict[str, str]
    unread: dict[str, set[str]] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    profile: str = "huaweicloud"
    batch_limit: int = 5
    group_id: str | None = None
    selected: list[str] | None = None
    caller_user_id: str | None = CALLER
    oddities: list[str] = field(default_factory=list)
    made_with: dict[str, Any] = field(default_factory=dict)

    @property
    def loaded(self) -> set[str]:
        """Frames that were read whole."""
        return {name for name, state in self.states.items() if state == "loaded"}

    @property
    def partial(self) -> set[str]:
        """Frames of which a part was read."""
        return {name for name, state in self.states.items() if state == "partial"}


def random_estate(
    seed: int,
    *,
    servers: tuple[int, int] = (1, 12),
    unread_columns: bool = False,
    only: Collection[int] | None = None,
) -> RandomEstate:
    """Return the estate of a seed, with so many servers.

    ``only`` keeps the oddities at these places and leaves the others out.  A bigger estate has more oddities of
    single objects, and no more of those that concern it as a whole.
    """
    draw = Random(seed)  # the same on every machine
    frames = _surroundings()
    frames["groups"] = [_group("group-1", "az-1", "vpc-1")]
    frames["groups"] += [_group(*group) for group in OPTIONAL_GROUPS if draw.random() < 0.3]
    estate = RandomEstate(seed, frames, dict.fromkeys(frames, "loaded"), profile=draw.choice(PROFILES))
    estate.made_with = {"servers": servers, "unread_columns": unread_columns, "only": only}
    size = draw.randint(*servers)
    for number in range(1, size + 1):
        _add_server(estate, f"server-{number:02}", draw)
    for tie in range(size // 12 + 1):
        if draw.random() < 0.4:
            _tie(estate, draw, f"shared-{tie}")
    estate.batch_limit = draw.choice((5, 5, 3))
    if draw.random() < 0.3:
        estate.group_id = draw.choice(frames["groups"])["group_id"]
    if draw.random() < 0.25:
        ids = [row["server_id"] for row in frames["servers"]]
        estate.selected = draw.sample(ids, draw.randint(1, len(ids))) + draw.choice(([], [], ["nobody"]))
    of_all = draw.choice(ODDITIES)
    for place in range(of_all + draw.choice(ODDITIES) * (size // 12)):
        of_its_own = Random(f"{seed}/{place}")
        odd = of_its_own.choice(
            oddities.of_estates(unread_columns=unread_columns) if place < of_all else oddities.of_objects()
        )
        if only is None or place in only:
            odd(estate, of_its_own)
            estate.oddities.append(f"{place}:{odd.__name__}")
    for name, rows in frames.items():
        if name not in estate.loaded | estate.partial:
            rows.clear()  # a later oddity may have added some, and nobody read them
        draw.shuffle(rows)
    return estate


def sound_estate(*, groups: int = 1, profile: str = "huaweicloud") -> RandomEstate:
    """Return an estate of one server, server-1, that so many groups fit and no rule speaks against."""
    frames = _surroundings()
    frames["groups"] = [_group(f"group-{number}", "az-1", "vpc-1") for number in range(1, groups + 1)]
    estate = RandomEstate(0, frames, dict.fromkeys(frames, "loaded"), profile=profile)
    _add_server(estate, "server-1", Random(0))
    return estate


def _group(group_id: str, source_az: str, vpc_id: str) -> Row:
    target_az = "az-2" if source_az == "az-1" else "az-1"
    return {
        "group_id": group_id,
        "name": group_id,
        "status": "available",
        "source_az": source_az,
        "target_az": target_az,
        "priority_station": "source",
        "production_az": source_az,
        "dr_az": target_az,
        "vpc_id": vpc_id,
        "target_vpc_id": vpc_id,
        "domain_id": "domain-1",
        "server_type": "ECS",
        "health_status": None,
        "protected_instance_num": 0,
        "replication_num": 0,
    }


def _add_server(estate: RandomEstate, server_id: str, draw: Random) -> None:
    group = draw.choice(estate.frames["groups"])
    windows = draw.random() < 0.25
    estate.frames["servers"].append(
        {
            "server_id": server_id,
            "name": f"name of {server_id}",
            "status": draw.choice(("ACTIVE", "ACTIVE", "SHUTOFF")),
            "task_state": None,
            "az": group["source_az"],
            "vpc_id": group["vpc_id"],
            "address_vpc_ids": group["vpc_id"],
            "subnet_id": f"subnet-of-{group['vpc_id']}",
            "private_ips": "10.0.0.1",
            "nic_count": 1,
            "flavor_id": draw.choice(("s6.large.2", "s6.large.2", "c7.large.2")),
            "vcpus": 2,
            "ram_gib": 4.0,
            "accelerators": False,
            "os_type": "Windows" if windows else "Linux",
            "image_name": "image",
            "key_name": draw.choice((None, "pair-1")),
            "user_id": CALLER,
            "billing": "on demand",
            "locked": False,
            "lock_source": None,
            "lock_scene": None,
            "frozen": False,
            "root_device": "/dev/vda",
            "hostname": server_id,
            "security_groups": "default",
            "agency_name": None,
            "ecs_group_id": None,
            "tenancy": None,
            "dedicated_host_id": None,
            "enterprise_project_id": draw.choice((None, "0")),
            "tags": draw.choice((None, "owner=ops", "owner=ops,bare")),
        }
    )
    add_volume(estate, f"{server_id}-system", [server_id], bootable=True)
    if draw.random() < 0.3:
        add_volume(estate, f"{server_id}-data", [server_id])
    estate.frames["resize_flavors"] += [
        {"server_id": server_id, "flavor_id": flavor} for flavor in ("s6.xlarge.2", "s6.medium.2", "gone.large.2")
    ]


def add_volume(estate: RandomEstate, volume_id: str, server_ids: Collection[str], *, bootable: bool = False) -> None:
    """Add a volume where its first server is, attached to all of these servers."""
    server = next(row for row in estate.frames["servers"] if row["server_id"] in server_ids)
    estate.frames["volumes"].append(
        {
            "volume_id": volume_id,
            "name": volume_id,
            "size_gib": 40,
            "status": "in-use",
            "az": server["az"],
            "multiattach": len(server_ids) > 1,
            "encrypted": False,
            "bootable": bootable,
            "volume_type": "SSD",
            "service_type": "EVS",
            "dedicated_storage_id": None,
            "billing": "on demand",
            "frozen": False,
            "enterprise_project_id": None,
        }
    )
    estate.frames["attachments"] += [
        {
            "server_id": server_id,
            "volume_id": volume_id,
            "device": "/dev/vda" if bootable else f"/dev/vd{volume_id[-1]}",
            "bootable": bootable,
            "seen_by": "both",
        }
        for server_id in server_ids
    ]


def _tie(estate: RandomEstate, draw: Random, name: str) -> None:
    """Tie some servers of one place to a chain, or all to one volume."""
    first = draw.choice(estate.frames["servers"])
    near = [
        row["server_id"]
        for row in estate.frames["servers"]
        if (row["az"], row["vpc_id"]) == (first["az"], first["vpc_id"])
    ]
    tied = draw.sample(near, min(len(near), draw.choice((2, 2, 3, 4, 6))))
    if draw.random() < 0.5:
        add_volume(estate, f"{name}-all", tied)
        return
    for place, (one, other) in enumerate(pairwise(tied)):
        add_volume(estate, f"{name}-{place}", [one, other])


def _surroundings() -> dict[str, list[Row]]:
    roomy = {"used": 10, "quota": 10_000}
    frames: dict[str, list[Row]] = {
        name: []
        for name in [
            "servers",
            "volumes",
            "attachments",
            "groups",
            "protected_instances",
            "replication_pairs",
            "scaling_instances",
            "drill_servers",
            "enterprise_projects",
            "resize_flavors",
        ]
    }
    frames["quotas"] = [{"resource_type": name, **roomy} for name in ("server_groups", "replications")]
    frames["key_pairs"] = [{"name": f"pair-{number}", "type": "ssh", "scope": "user"} for number in (1, 2)]
    frames["vpcs"] = [{"vpc_id": vpc, "name": vpc, "cidr": "10.0.0.0/8"} for vpc in ("vpc-1", "vpc-2")]
    frames["subnets"] = [
        {
            "subnet_id": f"subnet-of-{vpc}",
            "neutron_subnet_id": f"neutron-subnet-of-{vpc}",
            "name": vpc,
            "vpc_id": vpc,
            "cidr": "10.0.0.0/16",
            "status": "ACTIVE",
            "free_addresses": 200,
        }
        for vpc in ("vpc-1", "vpc-2")
    ]
    frames["domains"] = [
        {"domain_id": "domain-1", "name": "one", "sold_out": False, "local_az": "az-1", "remote_az": "az-2"}
    ]
    frames["flavors"] = [_flavor(flavor_id) for flavor_id in oddities.FLAVORS]
    frames["dedicated_hosts"] = [
        {
            "dedicated_host_id": f"host-{az}",
            "name": az,
            "state": "available",
            "az": az,
            "auto_placement": True,
            "available_vcpus": 400,
            "available_ram_gib": 4000.0,
            "flavor_ids": ",".join(oddities.FLAVORS),
        }
        for az in ("az-1", "az-2")
    ]
    frames["storage_pools"] = [
        {
            "storage_pool_id": f"pool-{az}",
            "name": az,
            "volume_type": "SSD",
            "status": "available",
            "az": az,
            "total_gib": 100_000,
            "used_gib": 100,
            "provisioned_gib": 100,
            "over_subscription_ratio": 1.0,
        }
        for az in ("az-1", "az-2")
    ]
    frames["ecs_limits"] = [{"resource_type": name, **roomy} for name in ("instances", "cores")]
    frames["ecs_limits"].append({"resource_type": "ram_mib", "used": 1024, "quota": 10_000_000})
    frames["evs_quota"] = [
        {"resource_type": f"{name}{kind}", **roomy} for name in ("volumes", "gigabytes") for kind in ("", "_SSD")
    ]
    return frames


def _flavor(flavor_id: str) -> Row:
    return {
        "flavor_id": flavor_id,
        "name": flavor_id,
        "vcpus": 2,
        "ram_gib": 4.0,
        "performance_type": "normal",
        "generation": flavor_id.split(".", maxsplit=1)[0],
        "architecture": None,
        "virtualization": "CloudCompute",
        "local_disks": False,
        "accelerators": False,
        "infiniband": False,
        "sale_status": None,
        "sale_by_az": None,
    } | oddities.FLAVORS[flavor_id]
