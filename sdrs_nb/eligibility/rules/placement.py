"""Rules of where DR servers go (P), as far as they speak of single servers: flavor, subnet, host, pool."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from sdrs_nb.eligibility.columns import BoolArray
from sdrs_nb.eligibility.facts import Facts
from sdrs_nb.eligibility.hits import Hits, where
from sdrs_nb.eligibility.registry import rule
from sdrs_nb.eligibility.rules.server import OfGroup
from sdrs_nb.statuses import USABLE_HOST, USABLE_POOL

__all__ = ["sale_status"]

_NOT_SOLD = frozenset({"sellout", "abandon"})


def sale_status(specs: Mapping[str, Any], az: str) -> str:
    """Return how a flavor is sold in an AZ: what is said of the AZ wins over what is said of the flavor."""
    by_az = dict(part.split("=", 1) for part in str(specs.get("sale_by_az") or "").split(",") if "=" in part)
    return str(by_az.get(az) or specs.get("sale_status") or "normal")


def _other_flavor(facts: Facts) -> BoolArray:
    """Servers for which another flavor than production's was asked for."""
    own, chosen = facts.servers.coded("flavor_id"), facts.dr_flavor
    if not facts.options.flavors:
        return np.zeros(len(facts.server_ids), dtype=bool)
    rows = facts.server_ids.positions(facts.options.flavors).values()
    other = np.zeros(len(facts.server_ids), dtype=bool)
    for row in rows:
        other[row] = chosen[row] != own[row]
    return other


def _any_host(facts: Facts) -> bool:
    return facts.options.tenancy == "dedicated" and not facts.options.dedicated_host_id


def _subnet_asked(facts: Facts) -> BoolArray:
    return np.full(len(facts.server_ids), bool(facts.options.primary_subnet_id))


def _host_asked(facts: Facts) -> BoolArray:
    return np.full(len(facts.server_ids), bool(facts.options.dedicated_host_id))


def _any_host_asked(facts: Facts) -> BoolArray:
    return np.full(len(facts.server_ids), _any_host(facts))


def _pool_asked(facts: Facts) -> BoolArray:
    return np.full(len(facts.server_ids), bool(facts.options.cluster_id))


@rule("P1", concerns=_other_flavor, by_absence=True)
def flavor_fits(facts: Facts) -> Iterator[Hits]:
    """The DR flavor is production's own or one it can be resized to (batch-create page, field flavorRef)."""
    other, chosen = _other_flavor(facts), facts.dr_flavor
    table = facts.frames["resize_flavors"]
    allowed = set(zip(table["server_id"], table["flavor_id"], strict=True))
    asked = set(table["server_id"])
    rows = np.flatnonzero(other)
    ids = facts.server_ids.labels
    known = np.array([ids[row] in asked for row in rows], dtype=bool)
    fits = np.array([(ids[row], chosen[row]) in allowed for row in rows], dtype=bool)
    refused, unsaid = np.zeros_like(other), np.zeros_like(other)
    refused[rows[known & ~fits]] = True
    unsaid[rows[~known]] = True
    yield where(refused, dr_flavor=chosen, flavor_id=facts.servers.coded("flavor_id"))
    yield where(unsaid, lacking="resize_flavors", dr_flavor=chosen)


@rule("P2", concerns=_other_flavor)
def flavor_not_smaller(facts: Facts) -> Iterator[Hits]:
    """The DR flavor has no fewer vCPUs and no less memory than production (batch-create page, field flavorRef)."""
    other, chosen = _other_flavor(facts), facts.dr_flavor
    smaller = np.zeros_like(other)
    vcpus, ram = facts.servers.numbers("vcpus"), facts.servers.numbers("ram_gib")
    for row in np.flatnonzero(other):
        specs = facts.flavors.get(str(chosen[row]), {})
        smaller[row] = any(
            specs.get(name) is not None and specs[name] < mine
            for name, mine in (("vcpus", vcpus[row]), ("ram_gib", ram[row]))
        )
    yield where(smaller, dr_flavor=chosen, flavor_id=facts.servers.coded("flavor_id"))
    yield where(other & ~chosen.isin(facts.flavors), lacking="flavors", dr_flavor=chosen)


@rule("P3", by_group=True)
def flavor_on_sale(facts: Facts) -> Iterator[Hits]:
    """The DR flavor is on sale in the DR AZ, also where production's is taken over."""
    chosen, group = facts.dr_flavor, facts.match.group
    dr_az = OfGroup(facts.dr_az, group)
    # Only a whole list proves by its silence that a flavor is not sold.
    unlisted = (group >= 0) & chosen.given & ~chosen.isin(facts.flavors) & facts.loaded("flavors")
    sold_out = np.zeros(len(facts.server_ids), dtype=bool)
    for az in sorted({str(name) for name in facts.dr_az if name}):
        there = np.append(facts.dr_az == az, False)[group]
        gone = chosen.where(partial(_not_sold, facts, az))
        sold_out |= there & gone
    yield where(unlisted, dr_flavor=chosen, dr_az=dr_az)
    yield where((group >= 0) & ~chosen.given, lacking="servers.flavor_id")
    yield where(sold_out, variant="sold_out", dr_flavor=chosen, dr_az=dr_az)


def _not_sold(facts: Facts, az: str, flavor_id: str) -> bool:
    return sale_status(facts.flavors.get(flavor_id, {}), az) in _NOT_SOLD


@rule("P4", concerns=_subnet_asked, by_group=True, by_absence=True)
def subnet_of_vpc(facts: Facts) -> Iterator[Hits]:
    """The DR subnet is a subnet of the group's VPC, by its network id (batch-create page, field primary_subnet_id)."""
    wanted = facts.options.primary_subnet_id
    if not wanted:
        return
    subnets = facts.frames["subnets"]
    its_own = subnets["vpc_id"][subnets["subnet_id"] == wanted]
    if its_own.isna().any():
        yield where(facts.servers.known, lacking="subnets.vpc_id", primary_subnet_id=wanted)
        return
    vpcs = set(its_own)
    fits = np.append(facts.groups.coded("vpc_id").isin(vpcs), True)[facts.match.group]
    meant = subnets["subnet_id"][subnets["neutron_subnet_id"] == wanted].dropna().tolist()
    if meant and not vpcs:
        yield where(~fits, variant="neutron", primary_subnet_id=wanted, subnet_id=meant[0])
    else:
        group_vpc = OfGroup(facts.groups.coded("vpc_id"), facts.match.group)
        yield where(~fits, primary_subnet_id=wanted, group_vpc=group_vpc)


@rule("P6", concerns=_host_asked, by_group=True, by_absence=True)
def host_usable(facts: Facts) -> Iterator[Hits]:
    """The dedicated host exists, is available and stands in the DR AZ."""
    wanted = facts.options.dedicated_host_id
    if wanted:
        hosts = facts.frames["dedicated_hosts"]
        found = hosts[hosts["dedicated_host_id"] == wanted]
        yield from _place(facts, wanted, found, USABLE_HOST, frame="dedicated_hosts", state="state")


@rule("P7", concerns=_host_asked)
def host_takes_flavor(facts: Facts) -> Iterator[Hits]:
    """The dedicated host can hold the DR flavor."""
    wanted, hosts, flavor = facts.options.dedicated_host_id, facts.frames["dedicated_hosts"], facts.dr_flavor
    found = hosts["flavor_ids"][hosts["dedicated_host_id"] == wanted].tolist() if wanted else []
    if not found:  # P6 tells of a host that nobody knows
        return
    if isinstance(found[0], str):
        capable = set(found[0].split(","))
        yield where(flavor.where(lambda name: name not in capable), dr_flavor=flavor, dedicated_host_id=wanted)
        yield where(~flavor.given, lacking="servers.flavor_id")
    else:
        yield where(facts.servers.known, lacking="dedicated_hosts.flavor_ids")


@rule("P8", concerns=_any_host_asked, by_group=True, by_absence=True)
def some_host_places(facts: Facts) -> Iterator[Hits]:
    """Without a host the system needs one in the DR AZ that places automatically and takes the DR flavor."""
    if not _any_host(facts):
        return
    hosts = facts.frames["dedicated_hosts"]
    open_ones = hosts[hosts["state"].isin(USABLE_HOST) & hosts["auto_placement"].fillna(False).astype(bool)]
    flavor, dr_az = facts.dr_flavor, OfGroup(facts.dr_az, facts.match.group)
    for az in sorted({str(az) for az in facts.dr_az if az}):
        there = np.append(facts.dr_az == az, False)[facts.match.group]
        here = open_ones.loc[(open_ones["az"] == az).fillna(False), "flavor_ids"]
        if here.empty:
            yield where(there, dr_az=dr_az)
        elif here.notna().all():
            refused = flavor.given & ~flavor.isin(set(",".join(here).split(",")))
            yield where(there & refused, variant="flavor", dr_az=dr_az, dr_flavor=flavor)


@rule("P10", concerns=_pool_asked, by_group=True, by_absence=True)
def pool_usable(facts: Facts) -> Iterator[Hits]:
    """The storage pool exists, is deployed and stands in the DR AZ."""
    # One that is extended is usable (ASSUMED: extended_pool).
    wanted = facts.options.cluster_id
    if wanted:
        pools = facts.frames["storage_pools"]
        found = pools[pools["storage_pool_id"] == wanted]
        yield from _place(facts, wanted, found, USABLE_POOL, frame="storage_pools", state="status")


@rule("P11", concerns=_pool_asked)
def pool_of_volume_type(facts: Facts) -> Iterator[Hits]:
    """The pool's type is that of every volume; one request cannot serve two types from one pool."""
    wanted = facts.options.cluster_id
    pools = facts.frames["storage_pools"]
    types = pools["volume_type"][pools["storage_pool_id"] == wanted].tolist() if wanted else []
    if types and not isinstance(types[0], str):
        yield where(facts.servers.known, lacking="storage_pools.volume_type")
    elif types:
        kind = facts.volumes.coded("volume_type")
        differs = kind.given & ~kind.isin({types[0]})
        yield facts.by_attachment(facts.of_volumes(~kind.given & facts.volumes.known), lacking="volumes.volume_type")
        hits = facts.by_attachment(facts.of_volumes(differs), volume_type=kind)
        yield hits.with_evidence(pool_type=types[0], cluster_id=wanted)


def _place(
    facts: Facts, wanted: str, found: pd.DataFrame, usable: frozenset[str], *, frame: str, state: str
) -> Iterator[Hits]:
    """Tell of a host or a pool that is unknown, not usable, or in another AZ than the DR site's."""
    everyone = facts.servers.known
    if found.empty:
        yield where(everyone, wanted=wanted)
        return
    now, az = found[state].iloc[0], found["az"].iloc[0]
    if pd.isna(now):
        yield where(everyone, lacking=f"{frame}.{state}", wanted=wanted)
    elif now not in usable:
        yield where(everyone, variant="state", wanted=wanted, state=str(now))
    if pd.isna(az) or not facts.loaded("groups"):
        yield where(everyone, lacking=f"{frame}.az" if pd.isna(az) else "groups", wanted=wanted)
        return
    elsewhere = np.append(facts.dr_az != az, False)[facts.match.group]
    yield where(
        elsewhere, variant="elsewhere", wanted=wanted, az=str(az), dr_az=OfGroup(facts.dr_az, facts.match.group)
    )
