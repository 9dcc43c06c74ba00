"""Where DR servers and disks shall go: subnet, dedicated host, dedicated storage."""

from collections.abc import Sequence
from dataclasses import dataclass

from .errors import Refusal
from .records import Flavor, Group, Host, Server
from .settings import Settings
from .world import World


@dataclass(slots=True, frozen=True)
class Placement:
    """The placement a create request asks for; None = the cloud chooses."""

    subnet_id: str | None = None
    dedicated: bool = False
    host_id: str | None = None
    pool_id: str | None = None


def check_placement(
    world: World, group: Group, servers: Sequence[tuple[Server, Flavor]], placement: Placement, settings: Settings
) -> None:
    """Check the placement of a create request.

    Raises
    ------
    Refusal
        1335; then 1366, 1372, 1373, 1375, 1374 for dedicated hosts; then 1382, 1381, 1384, 1383, 1386, 1385 for
        dedicated storage.
    """
    if placement.subnet_id is not None:
        # The value is the neutron_network_id, which equals the VPC subnet's id; a neutron_subnet_id is unknown here.
        subnet = world.subnets.get(placement.subnet_id)
        if subnet is None or subnet.vpc_id != group.vpc_id:
            raise Refusal("SDRS.1335")
    if placement.dedicated:
        _check_host(world, group, servers, placement, settings)
    if placement.pool_id is not None:
        _check_pool(world, group, servers, placement.pool_id, settings)


def _check_host(
    world: World, group: Group, servers: Sequence[tuple[Server, Flavor]], placement: Placement, settings: Settings
) -> None:
    if not settings.deh_supported:
        raise Refusal("SDRS.1366")
    host = None
    if placement.host_id is not None:
        host = world.hosts.get(placement.host_id)
        # ASSUMED: host_state: a host that is not available is no host to place servers on.
        if host is None or host.state != "available":
            raise Refusal("SDRS.1372")
        if host.az != group.dr_az:
            raise Refusal("SDRS.1373")
    # Single create page: a server of an ECS group cannot be combined with a dedicated host.
    if any(server.ecs_group_id for server, _ in servers):
        raise Refusal("SDRS.1375")
    if host is not None and not fits_host(world, host, [flavor for _, flavor in servers]):
        raise Refusal("SDRS.1374")


def fits_host(world: World, host: Host, flavors: Sequence[Flavor]) -> bool:
    """Whether a host takes these flavors and has room for all of them together."""
    on_it = [world.flavors[server.flavor_id] for server in world.servers.values() if server.host_id == host.id]
    every = [*on_it, *flavors]
    return (
        all(flavor.id.startswith(f"{host.family}.") for flavor in flavors)
        and sum(flavor.vcpus for flavor in every) <= host.vcpus
        and sum(flavor.ram_mib for flavor in every) <= host.memory_mib
    )


def automatic_host(world: World, group: Group, flavor: Flavor) -> Host | None:
    """Give the host the cloud would choose: in the DR AZ, with auto placement, with room; None if there is none."""
    for host in world.hosts.values():
        usable = host.auto_placement and host.state == "available" and host.az == group.dr_az
        if usable and fits_host(world, host, [flavor]):
            return host
    return None


def _check_pool(
    world: World, group: Group, servers: Sequence[tuple[Server, Flavor]], pool_id: str, settings: Settings
) -> None:
    if not settings.dss_supported:
        raise Refusal("SDRS.1382")
    pool = world.pools.get(pool_id)
    if pool is None:
        raise Refusal("SDRS.1381")
    if pool.status == "deploying":
        raise Refusal("SDRS.1384")
    if pool.az != group.dr_az:
        raise Refusal("SDRS.1383")
    volume_ids = {volume_id for server, _ in servers for volume_id, _, _ in server.volumes}
    volumes = [world.volumes[volume_id] for volume_id in volume_ids]
    # Code 1386: pool type and disk type must be exactly the same.
    if any(volume.type != pool.type for volume in volumes):
        raise Refusal("SDRS.1386")
    if pool.provisioned_gib + sum(volume.size_gib for volume in volumes) > pool.total_gib:
        raise Refusal("SDRS.1385")
