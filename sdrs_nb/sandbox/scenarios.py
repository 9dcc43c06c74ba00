"""The seeded estate: eight protection groups in different states and servers for every rule of the documents.

Every estate starts from the recipes of `recipes.py`, in their order, as far as its size allows; large estates
repeat them. What makes a server unacceptable never takes more than `_SPECIAL_SHARE` of an estate; all others are
plain servers that some group accepts.
"""

import random

from . import catalogue
from .clock import CLOUD_START
from .estate import AZ_A, AZ_B, AZ_C, DAY_S, ERP, SHOP, SWITCHED, WEB, Estate
from .recipes import RECIPES
from .records import Domain, EnterpriseProject, Group, Host, KeyPair, Pool, ScalingGroup, ServerGroup, Subnet, Vpc
from .settings import Settings
from .world import World

# At most this share of an estate comes from recipes; the rest is plain and acceptable.
_SPECIAL_SHARE = 0.55

# Name, VPC, source AZ, target AZ, status, priority station.
GROUPS = (
    ("pg-erp", "erp", AZ_B, AZ_A, "available", "source"),
    ("pg-web", "web", AZ_A, AZ_B, "protected", "source"),
    # Switched over: its production site is the target AZ now.
    ("pg-web-switched", "web", AZ_A, AZ_B, "protected", "target"),
    # Two groups that take the same servers: the operator has to choose.
    ("pg-shop-1", "shop", AZ_A, AZ_B, "available", "source"),
    ("pg-shop-2", "shop", AZ_A, AZ_B, "available", "source"),
    ("pg-crm", "crm", AZ_A, AZ_C, "starting", "source"),
    ("pg-crm-legacy", "crm", AZ_C, AZ_A, "failed-over", "target"),
    ("pg-lab", "lab", AZ_A, AZ_B, "error-starting", "source"),
)

_ODD_NAMES = (
    "订单-数据库-01",
    "财务 报表 主机",
    "web server 中",
    "<b>bold</b>",
    "<img src=x onerror=alert(1)>",
    'say "hello"',
    "it's quoted",
    "=1+1",
    "+cmd|calc",
    "a&amp;b",
    "naïve-café",
    "x" * 64,
)


def build_world(servers: int, seed: int, settings: Settings, project_id: str, user_id: str) -> World:
    """Build the estate: the same for the same `servers` and `seed`, on every machine.

    Parameters
    ----------
    servers
        Exactly so many servers are in the ECS list when the clock starts, DR and drill servers included.
    seed
        Of ids and draws.
    settings
        Quotas and how long the starting group keeps starting.
    project_id, user_id
        Owner of everything.
    """
    world = World(f"{seed}/{servers}", project_id)
    draw = random.Random(f"{seed}/{servers}/estate")  # noqa: S311 - reproducible on purpose
    estate = Estate(world, draw, user_id)
    _lay_ground(estate)
    _add_groups(estate)
    _follow_recipes(estate, servers)
    _fill_with_plain(estate, servers - len(world.servers))
    _shuffle_and_date(world, draw)
    _set_quotas(world, servers, settings)
    _keep_starting(world, settings)
    return world


# -- ground ----------------------------------------------------------------------------------------------------


def _lay_ground(estate: Estate) -> None:
    world = estate.world
    world.flavors = catalogue.flavors()
    for position, name in enumerate(("erp", "web", "shop", "lab", "crm", "orphan")):
        second = position * 8
        vpc = Vpc(world.new_uuid(), f"vpc-{name}", f"10.{second}.0.0/13")
        world.vpcs[vpc.id] = vpc
        estate.vpc_ids[name] = vpc.id
        # A /14 holds 262,144 addresses: room for every server of the largest estate and its double.
        for offset, part in enumerate(("app", "data")):
            cidr = f"10.{second + offset * 4}.0.0/14"
            subnet = Subnet(world.new_uuid(), world.new_uuid(), f"subnet-{name}-{part}", vpc.id, cidr, 262139)
            world.subnets[subnet.id] = subnet
            estate.subnet_ids.setdefault(name, []).append(subnet.id)
    full = Subnet(world.new_uuid(), world.new_uuid(), "subnet-lab-full", estate.vpc_ids["lab"], "10.31.255.0/28", 11)
    full.used = 11
    world.subnets[full.id] = full
    for name, local, remote, sold_out in (
        ("domain-ab", AZ_A, AZ_B, False),
        ("domain-ac", AZ_A, AZ_C, False),
        ("domain-bc", AZ_B, AZ_C, True),
    ):
        domain = Domain(world.new_uuid(), name, local, remote, sold_out)
        world.domains[domain.id] = domain
    _add_neighbours(estate)


def _add_neighbours(estate: Estate) -> None:
    world, draw = estate.world, estate.draw
    for name, scope, owner in (
        ("KeyPair-ops", "domain", ""),
        ("KeyPair-web", "domain", ""),
        ("KeyPair-own", "user", estate.user_id),
        ("KeyPair-colleague", "user", estate.colleague_id),
    ):
        fingerprint = ":".join(f"{draw.getrandbits(8):02x}" for _ in range(16))
        world.key_pairs[name] = KeyPair(name, fingerprint, scope, owner)
    for name, project_id in (("default", "0"), ("finance", world.new_uuid()), ("retail", world.new_uuid())):
        world.enterprise_projects[project_id] = EnterpriseProject(project_id, name)
        if project_id != "0":
            estate.eps_ids.append(project_id)
    for site in ("erp", "web"):
        group = ScalingGroup(world.new_uuid(), f"as-{site}", estate.vpc_ids[site])
        world.scaling_groups[group.id] = group
        estate.scaling[site] = group
    for name, policy in (("ecs-apart", "anti-affinity"), ("ecs-spread", "anti-affinity")):
        server_group = ServerGroup(world.new_uuid(), name, policy)
        world.server_groups[server_group.id] = server_group
        estate.ecs_groups.append(server_group.id)
    _add_dedicated(estate)


def _add_dedicated(estate: Estate) -> None:
    world = estate.world
    for name, az, state, auto, family in (
        ("deh-a-c7", AZ_A, "available", True, "c7"),
        ("deh-a-s6", AZ_A, "available", False, "s6"),
        ("deh-b-c7", AZ_B, "available", True, "c7"),
        ("deh-b-fault", AZ_B, "fault", True, "c7"),
    ):
        host = Host(world.new_uuid(), name, az, state, auto, family, 72, 327680)
        world.hosts[host.id] = host
        estate.host_ids.append(host.id)
    for name, az, kind, status, total, provisioned in (
        ("dss-a-sas", AZ_A, "SAS", "available", 120000, 20000),
        ("dss-a-ssd", AZ_A, "SSD", "available", 60000, 10000),
        ("dss-b-sas", AZ_B, "SAS", "available", 120000, 20000),
        ("dss-a-deploying", AZ_A, "SAS", "deploying", 0, 0),
        ("dss-a-full", AZ_A, "SAS", "available", 13000, 12999),
    ):
        pool = Pool(world.new_uuid(), name, az, kind, status, total, provisioned)
        world.pools[pool.id] = pool


def _add_groups(estate: Estate) -> None:
    world = estate.world
    for age, (name, vpc, source_az, target_az, status, station) in enumerate(GROUPS):
        domain = next(d for d in world.domains.values() if {d.local_az, d.remote_az} == {source_az, target_az})
        created = CLOUD_START - (200 - age * 20) * DAY_S + age * 0.37
        group = Group(
            id=world.new_uuid(),
            name=name,
            description="",
            status=status,
            source_az=source_az,
            target_az=target_az,
            vpc_id=estate.vpc_ids[vpc],
            domain_id=domain.id,
            created=created,
            updated=created + 5 * DAY_S,
            station=station,
        )
        world.groups[group.id] = group
        estate.groups[name] = group


# -- servers ---------------------------------------------------------------------------------------------------


def _follow_recipes(estate: Estate, servers: int) -> None:
    room = int(servers * _SPECIAL_SHARE)
    while True:
        taken = 0
        for recipe in RECIPES:
            if recipe.size <= room:
                recipe.cook(estate)
                room -= recipe.size
                taken += recipe.size
        if not taken or room < sum(recipe.size for recipe in RECIPES):
            return


def _fill_with_plain(estate: Estate, count: int) -> None:
    pick = estate.draw.random
    # Most servers have exactly one group to join, some have two.
    sites = (ERP, ERP, ERP, ERP, ERP, WEB, WEB, WEB, SWITCHED, SHOP)
    for index in range(count):
        site = ERP if index < len(_ODD_NAMES) else sites[int(pick() * len(sites))]
        fields: dict[str, object] = {}
        if index < len(_ODD_NAMES):
            fields["name"] = _ODD_NAMES[index]
        if pick() < 0.15:  # noqa: PLR2004 - a share of the estate
            fields["status"] = "SHUTOFF"
        if pick() < 0.1:  # noqa: PLR2004 - a share of the estate
            fields["tags"] = ("env=prod", f"team={site.word}")
        if pick() < 0.2:  # noqa: PLR2004 - a share of the estate
            estate.windows(site, "KeyPair-web" if pick() < 0.5 else None, **fields)  # noqa: PLR2004 - half of them
        else:
            estate.server(site, key_name="KeyPair-ops", **fields)  # type: ignore[arg-type]


# -- finish ----------------------------------------------------------------------------------------------------


def _shuffle_and_date(world: World, draw: random.Random) -> None:
    # Cases must not stand in a row: the list's order says nothing about what a server is.
    servers = list(world.servers.values())
    draw.shuffle(servers)
    world.servers = {}
    step = 300 * DAY_S / max(1, len(servers))
    for index, server in enumerate(servers):
        server.created = server.updated = round(CLOUD_START - 310 * DAY_S + index * step, 3)
        world.servers[server.id] = server
    volumes = list(world.volumes.values())
    draw.shuffle(volumes)
    world.volumes = {}
    step = 300 * DAY_S / max(1, len(volumes))
    for index, volume in enumerate(volumes):
        volume.created = round(CLOUD_START - 309 * DAY_S + index * step, 3)
        world.volumes[volume.id] = volume


def _set_quotas(world: World, servers: int, settings: Settings) -> None:
    world.max_groups = settings.group_quota
    world.max_pairs = settings.pair_quota or max(100, len(world.pairs) + 3 * servers)
    world.max_servers = max(200, 3 * servers)
    world.max_cores = 16 * world.max_servers
    world.max_ram_mib = 65536 * world.max_servers
    world.max_volumes = max(400, 8 * servers)
    world.max_gib = 1000 * world.max_volumes


def _keep_starting(world: World, settings: Settings) -> None:
    starting = [group for group in world.groups.values() if group.status == "starting"]

    def finish(at: float) -> None:
        for group in starting:
            group.set_status("protected", at)
            for member in world.members_of(group):
                member.status = "protected"
            for pair_id in group.pairs:
                world.pairs[pair_id].sync_from = at

    world.at(CLOUD_START + settings.starting_group_s, finish)
