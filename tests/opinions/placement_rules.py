"""Sections 1 and 6 of the eligibility facts, with G9: what the request asks for, and room at the DR site."""

import re
from collections.abc import Iterator
from typing import Any

from tests.opinions import open_points
from tests.opinions.facts import (
    UNREAD,
    Case,
    Claim,
    Row,
    Said,
    all_of,
    always,
    any_of,
    differ,
    known,
    listed,
    negated,
    outside,
    some,
)

FORBIDDEN = re.compile(r"[\x00-\x1f*<>\\=,|/]")


def request_rules(case: Case) -> Iterator[Said]:
    """Yield what Q4, Q6, Q7 and Q8 say of the options: they stop every server alike."""
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
    yield "Q7", "W", any(not re.fullmatch(r"[A-Za-z0-9_-]*", part) for tag in tags for part in (tag.key, tag.value))
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
        read = case.estate.is_loaded("resize_flavors")
        yield "P1", "B", all_of(differ(own, wanted), wanted not in offered if read else None)
        yield (
            "P2",
            "W",
            any_of(*(_less(_flavor_cell(case, wanted, size), case.server(size)) for size in ("vcpus", "ram_gib"))),
        )
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
    subnets = case.estate.rows("subnets")
    if wanted:
        right = [
            negated(outside(row.get("vpc_id"), case.of_group("vpc_id")))
            for row in subnets
            if row["subnet_id"] == wanted
        ]
        yield "P4", "B", negated(some(right, read=case.estate.is_loaded("subnets")))
    used = wanted or case.server("subnet_id")
    free = [case.estate.cell("subnets", row, "free_addresses") for row in subnets if row["subnet_id"] == used]
    yield "P5", "W", any_of(*(always(number, lambda number: number < 1) for number in free))


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
                negated(outside(row.get("az"), case.dr_az)),
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
    held = always(host("flavor_ids"), lambda _ids: True)
    yield "P7", "B", all_of(held, differ(True, flavor_id in listed(host("flavor_ids"))) if known(flavor_id) else None)
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
    if not read:
        yield from (("P11", "B", None), ("P12", "B", None))


def _usable_pool(case: Case, row: Row) -> Claim:
    running = always(case.estate.cell("storage_pools", row, "status"), lambda status: status != "deploying")
    return all_of(running, negated(outside(case.estate.cell("storage_pools", row, "az"), case.dr_az)))


def room_rules(case: Case, servers: frozenset[str]) -> Iterator[Said]:
    """Yield what G9, P12, P14 and P15 say of servers that go together."""
    estate = case.estate
    paired = {volume for row in estate.rows("replication_pairs") for volume in listed(row.get("volume_ids"))}
    attached = {row["volume_id"] for server in servers for row in estate.attached.get(server, [])}
    new = sorted(attached - paired)
    sizes = [estate.cell("volumes", estate.volumes.get(volume), "size_gib") for volume in new]
    total = sum(sizes) if all(known(size) for size in sizes) else UNREAD
    read = estate.is_loaded("attachments") and estate.is_loaded("replication_pairs")
    yield "G9", "B", _over(estate.rows("quotas"), "replications", len(new) if read else UNREAD)
    yield from _pool_room(case, total if read else UNREAD)
    for size, resource, unit in (("", "instances", 1), ("vcpus", "cores", 1), ("ram_gib", "ram_mib", 1024)):
        wanted = [_dr_size(_other(case, server), size) if size else 1 for server in servers]
        need = sum(wanted) * unit if all(known(one) for one in wanted) else UNREAD
        yield "P14", "W", _over(estate.rows("ecs_limits"), resource, need)
    yield "P15", "W", _over(estate.rows("evs_quota"), "volumes", len(new))
    yield "P15", "W", _over(estate.rows("evs_quota"), "gigabytes", total)
    for kind in {estate.cell("volumes", estate.volumes.get(volume), "volume_type") for volume in new} - {UNREAD, None}:
        same = [volume for volume in new if estate.cell("volumes", estate.volumes.get(volume), "volume_type") == kind]
        yield "P15", "W", _over(estate.rows("evs_quota"), f"volumes_{kind}", len(same))
        sizes = [estate.cell("volumes", estate.volumes[volume], "size_gib") for volume in same]
        need = sum(sizes) if all(known(size) for size in sizes) else UNREAD
        yield "P15", "W", _over(estate.rows("evs_quota"), f"gigabytes_{kind}", need)


def _other(case: Case, server_id: str) -> Case:
    return Case(case.estate, case.question, server_id, case.group)


def _over(rows: list[dict[str, Any]], resource: str, need: Any) -> Claim:
    """Tell whether need is more than what a quota leaves; -1 has no limit, no row is no answer."""
    for row in rows:
        if row["resource_type"] == resource:
            if row.get("quota") == -1:
                return False
            if known(row.get("quota")) and known(row.get("used")) and known(need):
                return bool(row["used"] + need > row["quota"])
    return None


def _pool_room(case: Case, need: Any) -> Iterator[Said]:
    for row in case.estate.rows("storage_pools"):
        if row["storage_pool_id"] != case.question.options.cluster_id:
            continue
        total, provisioned, ratio = (
            case.estate.cell("storage_pools", row, column)
            for column in ("total_gib", "provisioned_gib", "over_subscription_ratio")
        )
        if not (known(total) and known(provisioned) and known(need)):
            yield "P12", "B", None
            continue
        within = need <= total * (ratio if known(ratio) else 1) - provisioned
        yield "P12", "B" if not within else "W", need > total - provisioned
