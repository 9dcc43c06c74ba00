"""Valid-by-default rows and inventories: name what a test is about, the rest is in order."""

from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any

import pandas as pd

from sdrs_nb.inventory.inventory import About, Inventory
from sdrs_nb.tables import INVENTORY_TABLES, SOURCES, empty, shape

Row = dict[str, Any]

GROUP = "group-1"
VPC = "vpc-1"
PRODUCTION_AZ = "az-1"
DR_AZ = "az-2"
CALLER = "user-1"


def a_server(server_id: str = "server-1", **overrides: Any) -> Row:
    """Return a server that every rule takes into ``a_group()`` (with the attachment an inventory adds)."""
    return {
        "server_id": server_id,
        "name": f"name of {server_id}",
        "status": "ACTIVE",
        "az": PRODUCTION_AZ,
        "vpc_id": VPC,
        "address_vpc_ids": VPC,
        "subnet_id": "subnet-1",
        "nic_count": 1,
        "flavor_id": "s6.large.2",
        "vcpus": 2,
        "ram_gib": 4.0,
        "accelerators": False,
        "os_type": "Linux",
        "image_name": "Ubuntu 22.04",
        "user_id": CALLER,
        "billing": "on demand",
        "locked": False,
        "frozen": False,
        "root_device": "/dev/vda",
        "hostname": server_id,
    } | overrides


def a_volume(volume_id: str = "volume-1", **overrides: Any) -> Row:
    """Return a volume in use, not shared, not encrypted."""
    return {
        "volume_id": volume_id,
        "name": f"name of {volume_id}",
        "size_gib": 40,
        "status": "in-use",
        "az": PRODUCTION_AZ,
        "multiattach": False,
        "encrypted": False,
        "bootable": True,
        "volume_type": "SSD",
        "service_type": "EVS",
        "billing": "on demand",
        "frozen": False,
    } | overrides


def an_attachment(server_id: str, volume_id: str, **overrides: Any) -> Row:
    """Return a data volume on a server, seen by ECS and EVS alike."""
    return {
        "server_id": server_id,
        "volume_id": volume_id,
        "device": "/dev/vdb",
        "bootable": False,
        "seen_by": "both",
    } | overrides


def a_group(group_id: str = GROUP, **overrides: Any) -> Row:
    """Return a protection group that takes servers of ``VPC`` in ``PRODUCTION_AZ``."""
    return {
        "group_id": group_id,
        "name": f"name of {group_id}",
        "status": "available",
        "source_az": PRODUCTION_AZ,
        "target_az": DR_AZ,
        "priority_station": "source",
        "production_az": PRODUCTION_AZ,
        "dr_az": DR_AZ,
        "vpc_id": VPC,
        "target_vpc_id": VPC,
        "domain_id": "domain-1",
        "server_type": "ECS",
        "protected_instance_num": 0,
        "replication_num": 0,
    } | overrides


def an_instance(source_server_id: str, **overrides: Any) -> Row:
    """Return a protected instance of a production server."""
    return {
        "protected_instance_id": f"instance-of-{source_server_id}",
        "name": f"erp-0001 of {source_server_id}",
        "group_id": GROUP,
        "status": "protected",
        "source_server_id": source_server_id,
        "target_server_id": f"dr-of-{source_server_id}",
        "priority_station": "source",
    } | overrides


def a_pair(*volume_ids: str, **overrides: Any) -> Row:
    """Return a replication pair of production volume and DR volume."""
    return {
        "replication_pair_id": f"pair-of-{volume_ids[0]}",
        "name": "pair",
        "group_id": GROUP,
        "status": "protected",
        "volume_ids": ",".join(volume_ids),
        "multiattach": False,
    } | overrides


def a_key_pair(name: str, **overrides: Any) -> Row:
    """Return a key pair of the account."""
    return {"name": name, "type": "ssh", "scope": "domain"} | overrides


def a_scaling_instance(server_id: str, **overrides: Any) -> Row:
    """Return a server that a scaling group made."""
    return {
        "server_id": server_id,
        "scaling_group_id": "as-1",
        "scaling_group_name": "name of as-1",
        "scaling_configuration_id": "as-config-1",
        "protect_from_scaling_down": False,
    } | overrides


def a_quota(**overrides: Any) -> Row:
    """Return an SDRS quota of replication pairs without limit."""
    return {"resource_type": "replications", "used": 0, "quota": -1} | overrides


def a_domain(**overrides: Any) -> Row:
    """Return a domain that joins the two AZs."""
    sites = {"local_az": PRODUCTION_AZ, "remote_az": DR_AZ}
    return {"domain_id": "domain-1", "name": "name of domain-1", "sold_out": False} | sites | overrides


def a_flavor(flavor_id: str = "s6.large.2", **overrides: Any) -> Row:
    """Return a plain flavor on sale everywhere."""
    return {
        "flavor_id": flavor_id,
        "name": flavor_id,
        "vcpus": 2,
        "ram_gib": 4.0,
        "performance_type": "normal",
        "architecture": "x86",
        "local_disks": False,
        "accelerators": False,
        "infiniband": False,
    } | overrides


def a_host(dedicated_host_id: str = "host-1", **overrides: Any) -> Row:
    """Return a dedicated host in the DR AZ with room for ``a_server()``."""
    return {
        "dedicated_host_id": dedicated_host_id,
        "name": f"name of {dedicated_host_id}",
        "state": "available",
        "az": DR_AZ,
        "auto_placement": True,
        "available_vcpus": 64,
        "available_ram_gib": 256.0,
        "flavor_ids": "s6.large.2",
    } | overrides


def a_pool(storage_pool_id: str = "pool-1", **overrides: Any) -> Row:
    """Return a storage pool in the DR AZ with room."""
    return {
        "storage_pool_id": storage_pool_id,
        "name": f"name of {storage_pool_id}",
        "volume_type": "SSD",
        "status": "available",
        "az": DR_AZ,
        "total_gib": 1000,
        "used_gib": 0,
        "provisioned_gib": 0,
    } | overrides


def a_subnet(subnet_id: str = "subnet-1", **overrides: Any) -> Row:
    """Return a subnet of ``VPC`` with free addresses."""
    return {
        "subnet_id": subnet_id,
        "neutron_subnet_id": f"neutron of {subnet_id}",
        "name": f"name of {subnet_id}",
        "vpc_id": VPC,
        "free_addresses": 200,
    } | overrides


def an_inventory(
    *,
    servers: Iterable[Row] | None = None,
    volumes: Iterable[Row] = (),
    attachments: Iterable[Row] = (),
    groups: Iterable[Row] | None = None,
    system_volumes: bool = True,
    not_loaded: Iterable[str] = (),
    partial: Mapping[str, int | None] | None = None,
    caller_user_id: str | None = CALLER,
    declared: Mapping[str, object] | None = None,
    unread: Mapping[str, Collection[str]] | None = None,
    **frames: Iterable[Row],
) -> Inventory:
    """Return an inventory whose frames are all loaded but those of ``not_loaded`` and ``partial``.

    ``partial`` says of which frames only so many rows were received (None: all that are given).
    Each server gets a system volume of its own, ``system-of-<server_id>``, unless ``system_volumes`` is False.
    ``unread`` are columns by frame that were not read, ``declared`` facts that "li" vouches for.
    """
    servers = [a_server()] if servers is None else list(servers)
    volumes, attachments = list(volumes), list(attachments)
    if system_volumes:
        mine = {server["server_id"]: f"system-of-{server['server_id']}" for server in servers}
        volumes += [a_volume(volume_id) for volume_id in mine.values()]
        attachments += [
            an_attachment(server_id, volume_id, device="/dev/vda", bootable=True)
            for server_id, volume_id in mine.items()
        ]
    rows: dict[str, list[Row]] = {
        "quotas": [a_quota()],
        "domains": [a_domain()],
        "flavors": [a_flavor()],
        "subnets": [a_subnet()],
        **{name: list(given) for name, given in frames.items()},
        "servers": servers,
        "volumes": volumes,
        "attachments": attachments,
        "groups": [a_group()] if groups is None else list(groups),
    }
    short = dict(partial or {})
    states = {**dict.fromkeys(INVENTORY_TABLES, "loaded"), **dict.fromkeys(short, "partial")}
    states |= dict.fromkeys(not_loaded, "denied")
    received: dict[str, int | None] = {**short, **dict.fromkeys(not_loaded, 0)}
    tables = {name: a_frame(name, list(rows.get(name, []))[: received.get(name)]) for name in INVENTORY_TABLES}
    sources = pd.DataFrame({"frame": list(states), "state": list(states.values())})
    about = About(caller_user_id=caller_user_id)
    return Inventory(tables, shape(sources, SOURCES), about, unread=unread).assume(declared or {}, who="li")


def a_frame(name: str, rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return rows as the inventory's frame of that name."""
    table = INVENTORY_TABLES[name]
    rows = list(rows)
    return shape(pd.DataFrame(rows), table) if rows else _no_rows(name).copy()


@cache
def _no_rows(name: str) -> pd.DataFrame:
    """Return the frame without a row, made once: most frames of most inventories here are so."""
    return empty(INVENTORY_TABLES[name])
