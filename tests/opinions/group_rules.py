"""Section 2 of the eligibility facts, with S2 and S3: the server against a protection group."""

from collections.abc import Iterator

from tests.opinions.facts import (
    Case,
    Claim,
    Said,
    all_of,
    always,
    any_of,
    differ,
    known,
    listed,
    maybe,
    negated,
    outside,
    some,
)

WAITING = ("creating", "deleting", "fault", "invalid")


def fits(case: Case) -> Claim:
    """Tell whether the group produces in the server's AZ, in its VPC."""
    same_az = negated(outside(case.server("az"), case.production_az))
    return all_of(same_az, negated(outside(case.server("vpc_id"), case.of_group("vpc_id"))))


def group_rules(case: Case) -> Iterator[Said]:
    """Yield what S2, S3, G2-G5, G9-G11 say."""
    yield "S2", "B", differ(case.server("az"), case.production_az)
    yield "S3", "B", differ(case.server("vpc_id"), case.of_group("vpc_id"))
    yield "S3", "W", _stale_network(case)
    yield "G2", "B", always(case.of_group("status"), lambda status: status not in {"available", "protected"})
    yield "G3", "W", always(case.of_group("priority_station"), lambda station: station == "target")
    yield "G4", "B", _is_broken(case)
    yield "G5", "B", always(case.of_group("server_type"), lambda kind: kind != "ECS")
    yield "G10", "W", _no_domain(case)
    statuses = [
        case.estate.cell("protected_instances", row, "status")
        for row in case.estate.rows("protected_instances")
        if case.group is not None and row["group_id"] == case.group["group_id"]
    ]
    unwell = [always(status, lambda text: text in WAITING or text.startswith("error")) for status in statuses]
    yield "G11", "W", some(unwell, read=case.estate.is_read("protected_instances", "group_id"))


def no_group_fits(case: Case) -> Iterator[Said]:
    """Yield S3 where no group is in the server's VPC, else S2: a group of its VPC produces elsewhere."""
    vpcs = [case.estate.cell("groups", row, "vpc_id") for row in case.estate.rows("groups")]
    same_vpc = case.server("vpc_id") in vpcs
    yield "S2" if same_vpc else "S3", "B", True


def _stale_network(case: Case) -> Claim:
    keys = case.server("address_vpc_ids")
    disagree = maybe(keys, lambda _text: known(case.server("vpc_id")) and case.server("vpc_id") not in listed(keys))
    return any_of(maybe(keys, lambda _text: len(listed(keys)) > 1), disagree)


def _is_broken(case: Case) -> Claim:
    source, target = case.of_group("source_az"), case.of_group("target_az")
    return any_of(
        *(case.of_group(column) is None for column in ("source_az", "target_az", "vpc_id")),
        negated(differ(source, target)),
        *(None for column in ("source_az", "target_az", "vpc_id") if not known(case.of_group(column))),
        maybe(case.of_group("health_status"), lambda health: health == "abnormal"),
    )


def _no_domain(case: Case) -> Claim:
    pair = {case.of_group("source_az"), case.of_group("target_az")}
    if not all(known(az) for az in pair):
        return None
    usable = [
        negated(always(case.estate.cell("domains", row, "sold_out"), bool))
        for row in case.estate.rows("domains")
        if {row["local_az"], row["remote_az"]} == pair
    ]
    return negated(some(usable, read=case.estate.is_read("domains", "local_az", "remote_az")))
