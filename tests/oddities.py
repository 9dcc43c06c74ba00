"""What may be odd about an estate: one function an oddity, each changes the estate it is given.

Every rule that blocks has oddities that make it fire, that nearly do, and that hide what it needs.
"""

from collections.abc import Callable
from random import Random
from typing import Any

Row = dict[str, Any]
Oddity = Callable[[Any, Random], None]

#: Flavors of every random estate; what each has that is not usual.
FLAVORS: dict[str, Row] = {
    "s6.large.2": {},
    "c7.large.2": {},
    "s6.xlarge.2": {"vcpus": 4, "ram_gib": 8.0},
    "s6.medium.2": {"vcpus": 1, "ram_gib": 2.0},
    "gone.large.2": {"sale_status": "abandon"},
    "c6.large.2": {},
    "c6s.large.2": {},
    "m9.large.2": {},
    "kc1.large.2": {"architecture": "arm64", "performance_type": "kunpeng_computing"},
    "d3.xlarge.4": {"local_disks": True, "performance_type": "diskintensive"},
    "x1.large.2": {"local_disks": True},
    "g5.large.2": {"accelerators": True, "performance_type": "gpu"},
    "e3.large.14": {"infiniband": True, "virtualization": "FusionCompute", "performance_type": "saphana"},
    "e2.large.14": {"virtualization": "FusionCompute", "performance_type": "ultracpu"},
    "sold-1.large.2": {"sale_status": "sellout"},
    "sold-2.large.2": {"sale_by_az": "az-1=normal,az-2=sellout"},
    "sold-3.large.2": {"sale_status": "sellout", "sale_by_az": "az-1=normal,az-2=normal"},
    "sold-4.large.2": {"sale_by_az": "az-1=abandon"},
    "test-1.large.2": {"sale_status": "obt"},
    "new-1.large.2": {"sale_status": "promotion"},
}

#: Columns that rules look at and that may be empty, or unread: a line a frame.
JUDGED = {
    line.split(":")[0]: line.split(":")[1].split()
    for line in """\
servers: status task_state az vpc_id address_vpc_ids subnet_id nic_count flavor_id vcpus ram_gib accelerators os_type \
key_name user_id billing locked lock_source lock_scene frozen root_device ecs_group_id tenancy tags
volumes: size_gib status az multiattach encrypted volume_type service_type billing frozen
attachments: device bootable seen_by
groups: status source_az target_az priority_station vpc_id domain_id server_type health_status
protected_instances: target_server_id
scaling_instances: scaling_configuration_id
subnets: free_addresses vpc_id
flavors: vcpus ram_gib performance_type generation architecture virtualization local_disks accelerators infiniband \
sale_status sale_by_az
dedicated_hosts: state az auto_placement available_vcpus available_ram_gib flavor_ids
storage_pools: volume_type status az total_gib provisioned_gib over_subscription_ratio
domains: sold_out""".splitlines()
}

#: Frames that may be unread whole; without servers there is nothing to ask.
MAY_BE_UNREAD = (
    *(frame for frame in JUDGED if frame != "servers"),
    *("replication_pairs", "quotas", "key_pairs", "drill_servers", "resize_flavors", "ecs_limits", "evs_quota"),
)

#: (frame, column, values): one cell of one row takes one of the values.
CELLS: tuple[tuple[str, str, tuple[Any, ...]], ...] = (
    ("servers", "status", ("BUILD", "ERROR", "REBOOT", "SHUTOFF", "active")),
    ("servers", "task_state", ("deleting", "deleting", "powering-on")),
    ("servers", "az", ("az-2", "az-1", "az-3")),
    ("servers", "vpc_id", ("vpc-2", "vpc-1", "vpc-3")),
    ("servers", "address_vpc_ids", ("vpc-1,vpc-2", "vpc-9", None)),
    ("servers", "nic_count", (2, 12, 13)),
    ("servers", "nic_count", (13, 20)),
    ("servers", "flavor_id", (*FLAVORS, "unlisted.1")),
    ("servers", "flavor_id", ("sold-1.large.2", "sold-2.large.2", "gone.large.2")),
    ("servers", "accelerators", (True,)),
    ("servers", "billing", ("yearly/monthly", "spot", "spot")),
    ("servers", "locked", (True,)),
    ("servers", "lock_source", ("ORDER", "")),
    ("servers", "lock_scene", ("TO_PERIOD_LOCK", "")),
    ("servers", "key_name", ("", "gone")),
    ("servers", "frozen", (True, True, None)),
    ("servers", "root_device", ("/dev/sda", None)),
    ("servers", "ecs_group_id", ("ecs-group-1",)),
    ("servers", "tenancy", ("dedicated", "shared")),
    ("servers", "tags", ("__type_baremetal", "owner=ops,__type_baremetal", "not__type_baremetal=1")),
    ("volumes", "status", ("error", "error_extending", "error_deleting")),
    ("volumes", "status", ("available", "backing-up", "extending", "deleting")),
    ("volumes", "az", ("az-2", "az-1", "az-3")),
    ("volumes", "multiattach", (True,)),
    ("volumes", "encrypted", (True,)),
    ("volumes", "volume_type", ("ESSD", "GPSSD", "SAS", "co-p1")),
    ("volumes", "service_type", ("DSS", "DESS")),
    ("volumes", "billing", ("yearly/monthly",)),
    ("volumes", "frozen", (True, True, None)),
    ("attachments", "bootable", (False, None)),
    ("attachments", "device", ("/dev/vdx", None)),
    ("attachments", "seen_by", ("ecs", "evs")),
    ("groups", "status", ("protected", "reprotecting", "starting", "failed-over", "error", "error-starting")),
    ("groups", "priority_station", ("target",)),
    ("groups", "source_az", (None, "az-2")),
    ("groups", "target_az", (None, "az-1")),
    ("groups", "vpc_id", (None, "vpc-2")),
    ("groups", "server_type", ("BMS",)),
    ("groups", "health_status", ("abnormal", "normal")),
    ("subnets", "free_addresses", (0, 1)),
    ("domains", "sold_out", (True,)),
    ("domains", "local_az", ("az-3",)),
    ("flavors", "sale_by_az", ("az-1=normal,az-2=abandon",)),
    ("dedicated_hosts", "state", ("fault",)),
    ("storage_pools", "status", ("deploying", "extending")),
)


def of_objects() -> list[Oddity]:
    """Return the oddities of one server or volume, the rarer to matter several times."""
    cells = [_cell(*cell) for cell in CELLS if cell[0] in {"servers", "volumes", "attachments"}]
    structure = [protected, stand_in, drilled, paired, no_volume, no_system_volume, missing_volume, key_pair, scaled]
    clusters = [unknown_owner, protected_owner, far_owner]
    return [*cells, *structure, *structure, *clusters, *clusters, *[empty_cell] * 18, *[refused_at_otc] * 10]


def of_estates(*, unread_columns: bool) -> list[Oddity]:
    """Return every oddity; columns that were not read only where asked for."""
    cells = [_cell(*cell) for cell in CELLS if cell[0] not in {"servers", "volumes", "attachments"}]
    wide = [all_groups, encrypted_shared, odd_flavor_everywhere, big_cluster, big_cluster]
    requests = [dedicated, dedicated, pooled, pooled, subnet, other_flavor, other_flavor, bad_text]
    limits = [tight_quota, tight_limits, small_pool, another_group, instance_at_work]
    columns: list[Oddity] = [unread_column] * 10 if unread_columns else []
    return [*of_objects(), *cells, *wide, *requests, *limits, *[unread_frame] * 22, *[partial_frame] * 10, *columns]


def _cell(frame: str, column: str, values: tuple[Any, ...]) -> Oddity:
    def change(estate: Any, draw: Random) -> None:
        if rows := estate.frames[frame]:
            draw.choice(rows)[column] = draw.choice(values)
            _settle_groups(estate)

    change.__name__ = f"{frame}.{column}"
    return change


def _settle_groups(estate: Any) -> None:
    """Let each group's derived AZs follow from its others, as reading does."""
    for row in estate.frames["groups"]:
        places = {"source": ("source_az", "target_az"), "target": ("target_az", "source_az")}
        now = places.get(row["priority_station"])
        row["production_az"], row["dr_az"] = (row[now[0]], row[now[1]]) if now else (None, None)


def all_groups(estate: Any, draw: Random) -> None:
    """Give every group the same unusual value."""
    column, value = draw.choice(
        (("status", "starting"), ("status", "error"), ("server_type", "BMS"), ("health_status", "abnormal"))
    )
    for row in estate.frames["groups"]:
        row[column] = value


def encrypted_shared(estate: Any, draw: Random) -> None:
    """Encrypt every shared volume."""
    for row in estate.frames["volumes"]:
        row["encrypted"] = row["encrypted"] or row["multiattach"]


def odd_flavor_everywhere(estate: Any, draw: Random) -> None:
    """Give half of the servers one flavor of an unusual family."""
    flavor = draw.choice([flavor for flavor, odd in FLAVORS.items() if odd])
    for row in estate.frames["servers"]:
        if draw.random() < 0.5:
            row["flavor_id"] = flavor


def refused_at_otc(estate: Any, draw: Random) -> None:
    """Give a server what one site refuses and the others take: a flavor of some families, a host or a volume type."""
    server = _server(estate, draw)
    kind = draw.choice(("flavor", "flavor", "flavor", "tenancy", "volume"))
    if kind == "flavor":
        server["flavor_id"] = draw.choice(("kc1.large.2", "c6.large.2", "d3.xlarge.4", "e3.large.14", "g5.large.2"))
    elif kind == "tenancy":
        server["tenancy"] = "dedicated"
    elif estate.frames["volumes"]:
        draw.choice(estate.frames["volumes"])["volume_type"] = "ESSD"


def empty_cell(estate: Any, draw: Random) -> None:
    """Empty a cell that a rule looks at, most often of a server or volume."""
    frames = ["servers", "volumes", draw.choice(list(JUDGED))]
    frame = draw.choice([name for name in frames if estate.frames[name]])
    draw.choice(estate.frames[frame])[draw.choice(JUDGED[frame])] = None
    _settle_groups(estate)


def unread_frame(estate: Any, draw: Random) -> None:
    """Leave a frame unread."""
    frame = draw.choice(MAY_BE_UNREAD)
    if frame == "groups" and estate.group_id is not None:
        return  # a group that nobody read cannot be chosen
    estate.states[frame] = draw.choice(("denied", "failed", "missing", "not asked"))


def partial_frame(estate: Any, draw: Random) -> None:
    """Read part of a frame: what is there counts, and what is not there may be all the same."""
    frame = draw.choice((*MAY_BE_UNREAD, "servers"))
    if estate.states[frame] != "loaded":
        return
    estate.states[frame] = "partial"
    rows, kept = estate.frames[frame], draw.choice((0.0, 0.5, 0.8, 1.0))
    chosen = draw.choice(rows) if frame == "servers" else None
    rows[:] = [
        row for row in rows if draw.random() < kept or row is chosen or row.get("group_id", "") == estate.group_id
    ]


def unread_column(estate: Any, draw: Random) -> None:
    """Leave a column of a frame unread: it is empty in every row, and that means nothing."""
    frame = draw.choice(list(JUDGED))
    column = draw.choice(JUDGED[frame])
    estate.unread.setdefault(frame, set()).add(column)


def _server(estate: Any, draw: Random) -> Row:
    chosen: Row = draw.choice(estate.frames["servers"])
    return chosen


def _instance(estate: Any, source: str, target: str | None, status: str) -> None:
    instances = estate.frames["protected_instances"]
    instances.append(
        {
            "protected_instance_id": f"instance-{len(instances)}",
            "name": "instance",
            "group_id": "group-1",
            "status": status,
            "progress": 100,
            "source_server_id": source,
            "target_server_id": target,
            "priority_station": "source",
        }
    )


def protected(estate: Any, draw: Random) -> None:
    """Give a server an instance, in any status."""
    status = draw.choice(("available", "protected", "error", "deleting", "invalid", "creating"))
    _instance(estate, _server(estate, draw)["server_id"], draw.choice((None, "somewhere")), status)


def stand_in(estate: Any, draw: Random) -> None:
    """Make a server the DR server of an instance."""
    _instance(estate, "elsewhere", _server(estate, draw)["server_id"], "protected")


def drilled(estate: Any, draw: Random) -> None:
    """Make a server one of a drill."""
    server_id = _server(estate, draw)["server_id"]
    estate.frames["drill_servers"] = [
        {"server_id": server_id, "drill_id": "drill-1", "group_id": "group-1", "protected_instance_id": "instance"}
    ]


def paired(estate: Any, draw: Random) -> None:
    """Put a volume into a replication pair."""
    if not estate.frames["volumes"]:
        return
    volume_id, pairs = draw.choice(estate.frames["volumes"])["volume_id"], estate.frames["replication_pairs"]
    pairs.append(
        {
            "replication_pair_id": f"pair-{len(pairs)}",
            "name": "pair",
            "group_id": "group-1",
            "status": "protected",
            "volume_ids": draw.choice((f"{volume_id},other", f"other,{volume_id}")),
            "protected_instance_ids": None,
        }
    )


def no_volume(estate: Any, draw: Random) -> None:
    """Take every volume off a server."""
    server_id = _server(estate, draw)["server_id"]
    attachments = estate.frames["attachments"]
    attachments[:] = [row for row in attachments if row["server_id"] != server_id]


def no_system_volume(estate: Any, draw: Random) -> None:
    """Take the boot mark off a server's volumes, and often the root device too."""
    server = _server(estate, draw)
    server["root_device"] = draw.choice(("/dev/vda", "/dev/xvda", "/dev/sda"))
    mark = draw.choice((False, False, None))
    for row in estate.frames["attachments"]:
        if row["server_id"] == server["server_id"]:
            row["bootable"] = mark


def missing_volume(estate: Any, draw: Random) -> None:
    """Hide a volume that a server has."""
    if volumes := estate.frames["volumes"]:
        volumes.remove(draw.choice(volumes))


def key_pair(estate: Any, draw: Random) -> None:
    """Give a Windows server a key pair, there or gone, made by the caller, by another user or by nobody knows whom."""
    server = _server(estate, draw)
    server |= {
        "os_type": draw.choice(("Windows", "Windows", "Windows", None)),
        "key_name": draw.choice(("gone", "pair-1", "gone")),
    }
    server["user_id"] = draw.choice(("user-1", "user-1", "user-2", None))
    estate.caller_user_id = draw.choice(("user-1", "user-1", None))


def scaled(estate: Any, draw: Random) -> None:
    """Put a server into a scaling group."""
    server_id = _server(estate, draw)["server_id"]
    estate.frames["scaling_instances"] = [
        {
            "server_id": server_id,
            "scaling_group_id": "scaling-1",
            "scaling_group_name": "scaling",
            "scaling_configuration_id": draw.choice((None, "configuration-1")),
            "protect_from_scaling_down": False,
        }
    ]


def _share(estate: Any, draw: Random, other: str) -> None:
    """Attach one more server to a volume, a shared one where there is one."""
    volumes = estate.frames["volumes"]
    shared = [row for row in volumes if row["multiattach"]] or volumes
    if not shared:
        return
    volume = draw.choice(shared)
    volume["multiattach"] = True
    row = {
        "server_id": other,
        "volume_id": volume["volume_id"],
        "device": "/dev/vdz",
        "bootable": False,
        "seen_by": "both",
    }
    attachments = estate.frames["attachments"]
    if (other, volume["volume_id"]) not in {(one["server_id"], one["volume_id"]) for one in attachments}:
        attachments.append(row)


def unknown_owner(estate: Any, draw: Random) -> None:
    """Attach a server that nobody can see."""
    _share(estate, draw, "hidden")


def protected_owner(estate: Any, draw: Random) -> None:
    """Attach a server that has an instance, is a DR server, or is one of a drill."""
    server_id = _server(estate, draw)["server_id"]
    _share(estate, draw, server_id)
    kind = draw.choice(("source", "target", "drill"))
    if kind == "source":
        _instance(estate, server_id, None, "protected")
    elif kind == "target":
        _instance(estate, "elsewhere", server_id, "protected")
    else:
        estate.frames["drill_servers"] = [{"server_id": server_id, "drill_id": "drill-1"}]


def far_owner(estate: Any, draw: Random) -> None:
    """Attach a server of another VPC or AZ."""
    server = _server(estate, draw)
    server[draw.choice(("az", "vpc_id"))] = draw.choice(("az-2", "vpc-2"))
    _share(estate, draw, server["server_id"])


def big_cluster(estate: Any, draw: Random) -> None:
    """Tie many servers together."""
    for _ in range(draw.randint(1, 8)):
        _share(estate, draw, _server(estate, draw)["server_id"])


def dedicated(estate: Any, draw: Random) -> None:
    """Ask for dedicated hosts: none named, a good one, one that cannot be used."""
    host = draw.choice((None, None, "host-az-2", "host-az-2", "host-az-1", "unknown"))
    estate.options |= {"tenancy": "dedicated", "dedicated_host_id": host}
    for row in estate.frames["servers"]:
        if draw.random() < 0.2:
            row["ecs_group_id"] = "ecs-group-1"
    placing = host is not None or draw.random() < 0.5
    for row in estate.frames["dedicated_hosts"]:
        row["auto_placement"] = row["auto_placement"] and placing
        match draw.randrange(5):
            case 0:
                row["flavor_ids"] = "c7.large.2"
            case 1:
                row["available_vcpus"] = draw.choice((1, 2, 3))
            case 2:
                row["auto_placement"] = False


def pooled(estate: Any, draw: Random) -> None:
    """Ask for a storage pool: a good one, one that cannot be used."""
    estate.options["cluster_id"] = draw.choice(("pool-az-2", "pool-az-2", "pool-az-1", "unknown"))
    for row in estate.frames["storage_pools"]:
        row["volume_type"] = draw.choice(("SSD", "SSD", "SSD", "SAS"))


def small_pool(estate: Any, draw: Random) -> None:
    """Ask for a pool with little room."""
    estate.options["cluster_id"] = "pool-az-2"
    total, provisioned = draw.choice(((100, 60), (100, 20), (100, 100), (1000, 990)))
    for row in estate.frames["storage_pools"]:
        row |= {
            "total_gib": total,
            "provisioned_gib": provisioned,
            "over_subscription_ratio": draw.choice((1.0, 2.0, None)),
        }


def subnet(estate: Any, draw: Random) -> None:
    """Ask for a subnet: right, of another VPC, by its wrong id, unknown."""
    choices = ("subnet-of-vpc-1", "subnet-of-vpc-2", "neutron-subnet-of-vpc-1", "unknown")
    estate.options["primary_subnet_id"] = draw.choice(choices)


def other_flavor(estate: Any, draw: Random) -> None:
    """Ask for other flavors than production's for some servers."""
    choices = ("s6.xlarge.2", "s6.medium.2", "s6.large.2", "gone.large.2", "c7.large.2", "unlisted.1")
    estate.options["flavors"] = {
        row["server_id"]: draw.choice(choices) for row in estate.frames["servers"] if draw.random() < 0.5
    }


def bad_text(estate: Any, draw: Random) -> None:
    """Ask with a description, tags or a host that no request may carry."""
    estate.options |= draw.choice(
        (
            {"description": "x" * 65},
            {"description": "<b>"},
            {"description": "x" * 64},
            {"tags": {"k" * 37: "v"}},
            {"tags": {f"key{number}": "v" for number in range(11)}},
            {"tags": {"owner": "a/b"}},
            {"tags": {"owner": "a b"}},
            {"dedicated_host_id": "host-az-2"},
        )
    )


def tight_quota(estate: Any, draw: Random) -> None:
    """Leave little or no quota of replication pairs."""
    for row in estate.frames["quotas"]:
        row |= {"used": 10, "quota": draw.choice((10, 10, 11, 12, -1))}


def tight_limits(estate: Any, draw: Random) -> None:
    """Leave little or no room for DR servers or their volumes."""
    frame = draw.choice(("ecs_limits", "evs_quota"))
    if rows := estate.frames[frame]:
        draw.choice(rows).update({"used": 100, "quota": draw.choice((100, 102, 150, -1))})


def another_group(estate: Any, draw: Random) -> None:
    """Add a group that takes what another takes."""
    if groups := estate.frames["groups"]:
        twin = draw.choice(groups) | {"group_id": "group-9", "name": "group-9"}
        groups.append(twin | draw.choice(({}, {"status": "starting"}, {"server_type": "BMS"})))


def instance_at_work(estate: Any, draw: Random) -> None:
    """Let an instance of a group be unwell."""
    _instance(estate, "elsewhere", "somewhere", draw.choice(("fault", "creating", "error", "available")))
