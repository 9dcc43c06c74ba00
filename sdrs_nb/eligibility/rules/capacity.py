"""Rules of what a whole plan would use up (G8, G9, P5-P16): sums over every server that is ready."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from sdrs_nb.eligibility.columns import BoolArray, IntArray, ObjectArray
from sdrs_nb.eligibility.facts import Facts
from sdrs_nb.eligibility.rules.request import Case, Request, request_rule
from sdrs_nb.statuses import POOL_DEPLOYING

__all__: list[str] = []


def _ready(request: Request) -> tuple[Facts, BoolArray] | None:
    """Return the facts and the servers that nothing speaks against; None where no inventory is at hand."""
    facts = request.facts
    if facts is None or facts.masks is None:
        return None
    return facts, facts.masks.usable & facts.selected


@request_rule("G8")
def group_has_room(request: Request) -> Iterator[Case]:
    """A group takes a limited number of instances that no page tells; asked only where a limit was set."""
    limit, ready = request.book.number("group_instances"), _ready(request)
    if ready is None or limit < 0:
        return
    facts, servers = ready
    servers = servers & (facts.match.group >= 0)
    planned = np.bincount(facts.match.group[servers], minlength=len(facts.group_ids))
    present = facts.groups.numbers("protected_instance_num")
    for group in np.flatnonzero(planned).tolist():
        label = facts.group_labels[group]
        if np.isnan(present[group]):
            yield Case({"group": label, "limit": limit}, "unsaid")
        elif planned[group] + present[group] > limit:
            evidence = {"planned": int(planned[group]), "present": int(present[group]), "limit": limit}
            yield Case({"group": label, **evidence}, "over_all")


@request_rule("G9")
def pair_quota_reaches(request: Request) -> Iterator[Case]:
    """One pair for every distinct volume not paired yet; a shared volume counts once, quota -1 is no limit."""
    ready = _ready(request)
    if ready is None:
        return
    facts, servers = ready
    frames = ("quotas", "attachments", "replication_pairs")
    if not facts.loaded(*frames):
        yield Case({"frames": [name for name in frames if not facts.loaded(name)]}, "not_loaded")
        return
    wanted = _volumes(facts, servers)
    need = int((~facts.paired[wanted]).sum())
    yield from _short(facts.frames["quotas"], {"replications": need}, "over_all")


@request_rule("P5")
def addresses_free(request: Request) -> Iterator[Case]:
    """One free address for every DR server's primary NIC in its subnet."""
    ready = _ready(request)
    if ready is None:
        return
    facts, servers = ready
    if not facts.loaded("subnets"):
        yield Case({"frames": ["subnets"]}, "not_loaded")
        return
    chosen = request.options.primary_subnet_id
    subnet = facts.servers.coded("subnet_id")
    needs = {chosen: int(servers.sum())} if chosen else _counted(subnet.labels[subnet.codes[servers & subnet.given]])
    free = facts.frames["subnets"].set_index("subnet_id")["free_addresses"].dropna()
    for name, need in needs.items():
        if name in free.index and need > free[name]:
            yield Case({"subnet_id": name, "need": need, "free": int(free[name])})


@request_rule("P7")
def host_has_room(request: Request) -> Iterator[Case]:
    """The dedicated host has vCPUs and memory for every server that is ready."""
    ready, wanted = _ready(request), request.options.dedicated_host_id
    if ready is None or not wanted or not ready[0].loaded("dedicated_hosts"):
        return
    facts, servers = ready
    hosts = facts.frames["dedicated_hosts"]
    host = hosts[hosts["dedicated_host_id"] == wanted]
    needs = _sizes(facts, servers)
    for name, column in (("vcpus", "available_vcpus"), ("ram_gib", "available_ram_gib")):
        for free in host[column].dropna():
            if needs[name] > free:
                evidence = {"what": name, "need": int(needs[name]), "free": int(free)}
                yield Case({"dedicated_host_id": wanted, **evidence}, "over_all")


@request_rule("P12")
def pool_has_room(request: Request) -> Iterator[Case]:
    """The storage pool has room for the volumes of every server that is ready, a shared one once."""
    ready, wanted = _ready(request), request.options.cluster_id
    if ready is None or not wanted:
        return
    facts, servers = ready
    if not facts.loaded("storage_pools", "volumes", "attachments"):
        yield Case({"frames": ["storage_pools", "volumes", "attachments"]}, "not_loaded")
        return
    pools = facts.frames["storage_pools"]
    need = int(np.nan_to_num(facts.volumes.numbers("size_gib"))[_volumes(facts, servers)].sum())
    ready_pools = pools[~pools["status"].eq(POOL_DEPLOYING).fillna(value=False)]  # P10 tells of the others
    for pool in ready_pools[ready_pools["storage_pool_id"] == wanted].to_dict("records"):
        total, given = pool["total_gib"], pool["provisioned_gib"]
        if pd.isna(total) or pd.isna(given):
            yield Case({"frames": ["storage_pools"]}, "not_loaded")
            continue
        ratio = 1.0 if pd.isna(pool["over_subscription_ratio"]) else float(pool["over_subscription_ratio"])
        evidence = {"cluster_id": wanted, "need": need, "free": int(total - given)}
        if need > total * ratio - given:
            yield Case(evidence)
        elif need > total - given:
            yield Case(evidence, "over_subscribed")


@request_rule("P14")
def servers_within_quota(request: Request) -> Iterator[Case]:
    """ECS limits leave room for the DR servers; -1 is no limit."""
    ready = _ready(request)
    if ready is None:
        return
    facts, servers = ready
    if not facts.loaded("ecs_limits"):
        yield Case({"frames": ["ecs_limits"]}, "not_loaded")
        return
    sizes = _sizes(facts, servers)
    needs = {"instances": int(servers.sum()), "cores": int(sizes["vcpus"]), "ram_mib": int(sizes["ram_gib"] * 1024)}
    yield from _short(facts.frames["ecs_limits"], needs)


@request_rule("P15")
def volumes_within_quota(request: Request) -> Iterator[Case]:
    """EVS quotas leave room for the DR volumes, altogether and by type; a shared volume counts once."""
    ready = _ready(request)
    if ready is None:
        return
    facts, servers = ready
    if not facts.loaded("evs_quota", "volumes", "attachments"):
        yield Case({"frames": ["evs_quota", "volumes", "attachments"]}, "not_loaded")
        return
    volumes = _volumes(facts, servers)
    size = np.nan_to_num(facts.volumes.numbers("size_gib"))[volumes]
    kind = facts.volumes.coded("volume_type")
    needs = {"volumes": len(volumes), "gigabytes": int(size.sum())}
    for code, label in enumerate(kind.labels):
        mine = kind.codes[volumes] == code
        needs |= {f"volumes_{label}": int(mine.sum()), f"gigabytes_{label}": int(size[mine].sum())}
    yield from _short(facts.frames["evs_quota"], needs)


@request_rule("P16")
def few_idle_pairs(request: Request) -> Iterator[Case]:
    """Pairs that hang on no instance block pairs made by hand, not the creation of instances (ASSUMED: loose_pairs)."""
    facts, limit = request.facts, request.book.number("idle_pairs")
    if facts is not None and facts.loaded("replication_pairs"):
        idle = facts.frames.column("replication_pairs", "protected_instance_ids").fillna("").eq("")
        if int(idle.sum()) >= limit:
            yield Case({"idle": int(idle.sum()), "limit": limit})


@request_rule("H16")
def shared_once(request: Request) -> Iterator[Case]:
    """A shared volume needs one pair, not one an attachment."""
    ready = _ready(request)
    if ready is not None:
        facts, servers = ready
        shared = int((facts.owners[_volumes(facts, servers)] > 1).sum())
        if shared:
            yield Case({"shared": shared})


def _volumes(facts: Facts, servers: BoolArray) -> IntArray:
    return np.unique(facts.attachments.volumes[servers[facts.attachments.servers]])


def _sizes(facts: Facts, servers: BoolArray) -> dict[str, float]:
    """Return vCPUs and memory that the DR servers need: of the flavor asked for, else of production."""
    sizes = {name: facts.servers.numbers(name).copy() for name in ("vcpus", "ram_gib")}
    for server_id, at in facts.server_ids.positions(facts.options.flavors or {}).items():
        specs = facts.flavors.get((facts.options.flavors or {})[server_id], {})
        for name, values in sizes.items():
            values[at] = values[at] if specs.get(name) is None else specs[name]
    return {name: float(np.nansum(values[servers])) for name, values in sizes.items()}


def _short(table: pd.DataFrame, needs: dict[str, int], variant: str = "") -> Iterator[Case]:
    """Tell of every quota that does not reach; -1 is no limit."""
    for name, used, quota in zip(table["resource_type"], table["used"], table["quota"], strict=True):
        need = needs.get(name, 0)
        if not (pd.isna(quota) or pd.isna(used)) and quota >= 0 and need > quota - used:
            yield Case({"what": name, "need": need, "used": int(used), "quota": int(quota)}, variant)


def _counted(names: ObjectArray) -> dict[str, int]:
    values, counts = np.unique(names.astype(str), return_counts=True)
    return dict(zip(values.tolist(), counts.tolist(), strict=True))
