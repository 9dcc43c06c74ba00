"""What the cloud checks on one production server and its disks, in the documented order."""

from collections.abc import Mapping
from typing import Any

from .catalogue import VOLUME_TYPES, can_resize
from .errors import Refusal
from .records import Flavor, Group, Server, Volume
from .settings import Settings
from .world import World


def check_server(
    world: World, group: Group, entry: Mapping[str, Any], settings: Settings, unknown_code: str
) -> tuple[Server, Flavor]:
    """Check one entry of a create request and give the server with the flavor of its future DR server.

    Raises
    ------
    Refusal
        The first rule that the server or one of its disks breaks; `unknown_code` when there is no such server.
    """
    server = world.servers.get(entry["server_id"])
    if server is None:
        raise Refusal(unknown_code)
    if server.id in world.instance_by_server:
        # Also a DR server: it belongs to an instance (ASSUMED: taken_server_code).
        raise Refusal("SDRS.1305")
    if server.az != group.production_az:
        raise Refusal("SDRS.1303")
    # Batch create page, constraints: same VPC.
    if server.vpc_id != group.vpc_id:
        raise Refusal("SDRS.1304")
    # ASSUMED: deleting_server: one that is being deleted counts as neither active nor shut off.
    if server.status not in {"ACTIVE", "SHUTOFF"} or server.task_state == "deleting":
        raise Refusal("SDRS.1333")
    if server.lock_source:
        raise Refusal("SDRS.1359")
    # ASSUMED: lock_source: a lock without a source is the system's or the user's own, and blocks as well.
    if server.locked:
        raise Refusal("SDRS.1357")
    flavor = _check_flavors(world, group, server, entry.get("flavorRef"), settings)
    _check_devices(world, server, settings)
    if server.id in world.drill_by_server:
        raise Refusal("SDRS.1825")
    for volume_id, _, _ in server.volumes:
        _check_volume(world, group, server, world.volumes[volume_id], settings)
    return server, flavor


def _check_flavors(world: World, group: Group, server: Server, wanted: str | None, settings: Settings) -> Flavor:
    source = world.flavors[server.flavor_id]
    if source.families & settings.refused_families:
        raise Refusal("SDRS.1356")
    target = source if wanted is None else world.flavors.get(wanted)
    if target is None or (target is not source and not can_resize(source, target)):
        raise Refusal("SDRS.1353")
    # Abandoned in the DR AZ: cannot be ordered any more. Sold out is found out only inside the job.
    if target.sale_status(group.dr_az) == "abandon":
        raise Refusal("SDRS.1353")
    return target


def system_volume_id(server: Server) -> str | None:
    """Give the system disk: boot index "0"; a bootable data disk is none."""
    return next((volume_id for volume_id, _, boot_index in server.volumes if boot_index == "0"), None)


def _check_devices(world: World, server: Server, settings: Settings) -> None:
    if not server.volumes:
        raise Refusal("SDRS.1321")
    system = system_volume_id(server)
    if system is None:
        raise Refusal("SDRS.1339")
    if world.volumes[system].status.startswith("error"):
        raise Refusal("SDRS.1322")
    if len(server.nics) > settings.max_nics:
        raise Refusal("SDRS.1340")
    if len(server.nics) > 1 and not settings.extension_nics_supported:
        raise Refusal("SDRS.1336")


def _check_volume(world: World, group: Group, server: Server, volume: Volume, settings: Settings) -> None:
    if volume.encrypted:
        raise Refusal("SDRS.1802")
    # No page documents a freeze flag of a disk: it follows its server (ASSUMED: frozen_volume).
    if server.frozen or volume.frozen:
        raise Refusal("SDRS.0225")
    # ASSUMED: locked_volume: one in an error state is what the service calls locked; the system disk has its code.
    if volume.status.startswith("error"):
        raise Refusal("SDRS.1831")
    if volume.id in world.pair_by_volume:
        raise Refusal("SDRS.1811")
    check_volume_kind(volume, settings)
    if volume.az != group.production_az:
        raise Refusal("SDRS.1810")


def check_volume_kind(volume: Volume, settings: Settings) -> None:
    """Check that a volume's type can be paired (1806)."""
    if volume.type not in VOLUME_TYPES or volume.type in settings.refused_volume_types:
        raise Refusal("SDRS.1806")


def shared_volume_ids(world: World, server: Server) -> list[str]:
    """Give a server's shared volumes: those made for sharing, and those that hang on several servers anyway."""
    found = []
    for volume_id, _, _ in server.volumes:
        volume = world.volumes[volume_id]
        if volume.multiattach or len(volume.attachments) > 1:
            found.append(volume_id)
    return found
