"""Sections 1 and 6 of the eligibility facts, with G9: what the request asks for, and what the DR site has."""

import re
from collections.abc import Iterator
from typing import Any

from tests.opinions import open_points
from tests.opinions.facts import (
    UNREAD,
    Case,
    Claim,
    Estate,
    Row,
    Said,
    all_of,
    always,
    any_of,
    differ,
    known,
    lacks,
    listed,
    negated,
    outside,
    some,
)

FORBIDDEN = re.compile(r"[\x00-\x1f*<>\\=,|/]")


def request_rules(case: Case) -> Iterator[Said]:
    """Yield what Q4, Q6 and Q8 say of the options: they stop every server alike."""
    options = case.question.options
    text = options.description or ""
    yield "Q4", "B", len(text) > 64 or bool(set("<>") & set(text))
    tags = options.tags or ()
    keys = [tag.key for tag in tags]
    wrong = any(
        not 1 <= len(tag.key) <= 36 or len(tag.value) > 43 or FORBIDDEN.search(tag.key) or FORBIDDEN.search(tag.value)
        for tag in tags
    )
    yield "Q6", "B", len(tags) > 10 or len(set(keys)) < len(keys) or wrong
    lone_host = options.dedicated_host_id is not None and options.tenancy != "dedicated"
    yield "Q8", "B", options.tenancy not in {None, "shared", "dedicated"} or lone_host


def placement_rules(case: Case) -> Iterator[Said]:
    """Yield what P1-P13 say of one server in one group."""
    yield from _flavor(case)
    yield from _subnet(case)
    yield from _host(case)
    yield from _pool(case)


def _flavor(case: Case) -> Iterator[Said]:
    own, wanted = case.server("flavor_id"), case.dr_flavor_id
    offered = {row["flavor_id"] for row in case.estate.rows("resize_flavors") if row["server_id"] == case.server_id}
    if (case.question.options.flavors or {}).get(case.server_id):
        yield (
            "P1",
            "B",
            all_of(differ(own, wanted), lacks(wanted, offered, whole=case.estate.is_loaded("resize_flavors"))),
        )
        smaller = [_less(_flavor_cell(case, wanted, size), case.server(size)) for size in ("vcpus", "ram_gib")]
        yield "P2", "W", any_of(*smaller)
    sale = _sale_state(case, wanted)
    absent = always(wanted, lambda flavor: flavor not in case.estate.flavors) and case.estate.is_loaded("flavors")
    if absent and open_points.ABSENT_FLAVOR_WARNS:
        yield "P3", "W", True
        return
    yield "P3", "B", always(sale, lambda state: state in {"sellout", "abandon"})
    yield "P3", "W", always(sale, lambda state: state in open_points.UNCERTAIN_SALE)


def _flavor_cell(case: Case, flavor_id: Any, column: str) -> Any:
    flavor = case.estate.flavors.get(flavor_id) if known(flavor_id) else None
    return case.estate.cell("flavors", flavor, column)


def _less(one: Any, other: Any) -> Claim:
    return one < other if known(one) and known(other) else None


def _sale_state(case: Case, flavor_id: Any) -> Any:
    """Return the sale state in the DR AZ: what is said of that AZ, else of the flavor, else normal."""
    by_az, general = (_flavor_cell(case, flavor_id, column) for column in ("sale_by_az", "sale_status"))
    states = dict(part.split("=", 1) for part in listed(by_az))
    if by_az is UNREAD or (states and not known(case.dr_az)):
        return UNREAD
    return states.get(case.dr_az) or (general if general is not None else "normal")


def _subnet(case: Case) -> Iterator[Said]:
    wanted = case.question.options.primary_subnet_id
    if wanted:
        right = [
            negated(outside(case.estate.cell("subnets", row, "vpc_id"), case.of_group("vpc_id")))
            for row in case.estate.rows("subnets")
            if row["subnet_id"] == wanted
        ]
        yield "P4", "B", negated(some(right, read=case.estate.is_loaded("subnets")))


def _host(case: Case) -> Iterator[Said]:
    options, hosts = case.question.options, case.estate.rows("dedicated_hosts")
    if case.question.profile == "otc":
        yield "P9", "B", options.tenancy == "dedicated" or options.dedicated_host_id is not None
    read = case.estate.is_loaded("dedicated_hosts")
    if options.dedicated_host_id:
        named = [row for row in hosts if row["dedicated_host_id"] == options.dedicated_host_id]
        usable = [_usable_host(case, row) for row in named]
        yield "P6", "B", negated(some(usable, read=read))
        for row in named:
            yield from _room_on_host(case, row)
    elif options.tenancy == "dedicated":
        placing = [
            all_of(
                negated(outside(case.estate.cell("dedicated_hosts", row, "az"), case.dr_az)),
                always(case.estate.cell("dedicated_hosts", row, "auto_placement"), bool),
            )
            for row in hosts
        ]
        yield "P8", "W", negated(some(placing, read=read))


def _usable_host(case: Case, row: Row) -> Claim:
    available = always(case.estate.cell("dedicated_hosts", row, "state"), lambda state: state == "available")
    return all_of(available, negated(outside(case.estate.cell("dedicated_hosts", row, "az"), case.dr_az)))


def _room_on_host(case: Case, row: Row) -> Iterator[Said]:
    def host(column: str) -> Any:
        return case.estate.cell("dedicated_hosts", row, column)

    flavor_id = case.dr_flavor_id
    yield "P7", "B", always(host("flavor_ids"), lambda ids: flavor_id not in listed(ids)) if known(flavor_id) else None
    free = {"vcpus": host("available_vcpus"), "ram_gib": host("available_ram_gib")}
    yield "P7", "W", any_of(*(_less(free[size], _dr_size(case, size)) for size in free))


def _dr_size(case: Case, size: str) -> Any:
    chosen = (case.question.options.flavors or {}).get(case.server_id)
    return _flavor_cell(case, chosen, size) if chosen else case.server(size)


def _pool(case: Case) -> Iterator[Said]:
    wanted = case.question.options.cluster_id
    if not wanted:
        return
    if case.question.profile == "otc":
        yield "P13", "B", True
    pools = [row for row in case.estate.rows("storage_pools") if row["storage_pool_id"] == wanted]
    read = case.estate.is_loaded("storage_pools")
    yield "P10", "B", negated(some((_usable_pool(case, row) for row in pools), read=read))
    for row in pools:
        kind = case.estate.cell("storage_pools", row, "volume_type")
        yield "P11", "B", any_of(*(differ(kind, volume("volume_type")) for _attachment, volume in case.disks()))
    if not read and not pools:
        yield from (("P11", "B", None), ("P12", "B", None))


def _usable_pool(case: Case, row: Row) -> Claim:
    running = always(case.estate.cell("storage_pools", row, "status"), lambda status: status != "deploying")
    return all_of(running, negated(outside(case.estate.cell("storage_pools", row, "az"), case.dr_az)))


def room_rules(case: Case, servers: frozenset[str]) -> Iterator[Said]:
    """Yield what G9 and P12 say of servers that go together; sums over a whole plan are the planner's."""
    estate = case.estate
    attached = {row["volume_id"] for server in servers for row in estate.attached.get(server, [])}
    new = sorted(volume for volume in attached if estate.paired(volume) is not True)
    read = estate.is_loaded("attachments") and estate.is_read("replication_pairs", "volume_ids")
    yield "G9", "B", _over_quota(estate, len(new)) if read else None
    sizes = [estate.cell("volumes", estate.volumes.get(volume), "size_gib") for volume in new]
    need = sum(sizes) if read and all(known(size) for size in sizes) else UNREAD
    for row in estate.rows("storage_pools"):
        if row["storage_pool_id"] == case.question.options.cluster_id:
            columns = ("total_gib", "provisioned_gib", "over_subscription_ratio")
            total, provisioned, ratio = (estate.cell("storage_pools", row, column) for column in columns)
            measured = known(total) and known(provisioned) and ratio is not UNREAD
            yield "P12", "B", _less(total * (ratio or 1) - provisioned, need) if measured else None


def _over_quota(estate: Estate, pairs: int) -> Claim:
    """Tell whether there is no quota left for so many pairs; -1 has no limit, no row is no answer."""
    for row in estate.rows("quotas"):
        if row["resource_type"] == "replications":
            return bool(row["quota"] != -1 and row["used"] + pairs > row["quota"])
    return None
