"""Section 3 of the eligibility facts: the server itself."""

import re
from collections.abc import Iterator

from tests.opinions import open_points
from tests.opinions.facts import (
    Case,
    Claim,
    Row,
    Said,
    all_of,
    always,
    any_of,
    known,
    lacks,
    listed,
    maybe,
    negated,
    some,
)

REFUSED_GENERATIONS = ("c6", "c9", "s9", "i9", "m9")


def server_rules(case: Case) -> Iterator[Said]:
    """Yield what S4-S13, S20-S25, S31-S34 say."""
    yield from _candidacy(case)
    yield "S7", "B", always(case.server("status"), lambda status: status not in {"ACTIVE", "SHUTOFF"})
    task = case.server("task_state")
    yield "S8", "B", maybe(task, lambda task: task == "deleting")
    yield "S8", "W", maybe(task, lambda task: task != "deleting")
    locks = [maybe(case.server(column), bool) for column in ("lock_source", "lock_scene")]
    yield "S9", "B", any_of(always(case.server("locked"), bool), *locks)
    yield "S10", "B", maybe(case.server("frozen"), bool)
    yield "S11", "B", False if case.attachments else (True if case.estate.is_loaded("attachments") else None)
    yield "S12", "B", _no_system_volume(case)
    bare_metal = any(tag.split("=")[0] == "__type_baremetal" for tag in listed(case.server("tags")))
    yield "S13", "B", maybe(case.server("tags"), lambda _tags: bare_metal)
    yield "S20", "B", always(case.server("nic_count"), lambda count: count > 12)
    yield "S21", "W", always(case.server("nic_count"), lambda count: count > 1)
    yield from _key_pairs(case)
    made = [
        maybe(case.estate.cell("scaling_instances", row, "scaling_configuration_id"), bool)
        for row in case.estate.rows("scaling_instances")
        if row["server_id"] == case.server_id
    ]
    yield "S25", "W", some(made, read=case.estate.is_loaded("scaling_instances"))
    yield "S31", "W", always(case.server("billing"), lambda billing: billing == "yearly/monthly")
    yield "S32", "W", always(case.server("billing"), lambda billing: billing == "spot")
    if case.question.options.tenancy == "dedicated":
        yield "S33", "B", maybe(case.server("ecs_group_id"), bool)
    if case.question.profile == "otc":
        yield "S34", "B", maybe(case.server("tenancy"), lambda tenancy: tenancy == "dedicated")
    yield from _flavor_family(case)


def _candidacy(case: Case) -> Iterator[Said]:
    for rule, column in (("S4", "source_server_id"), ("S5", "target_server_id")):
        yield rule, "B", case.estate.named("protected_instances", column, case.server_id)
    yield "S6", "B", case.estate.named("drill_servers", "server_id", case.server_id)


def system_volume(case: Case, attachment: Row) -> Claim:
    """Tell whether an attachment is the server's system volume: boot index 0, else the root device's."""
    estate = case.estate

    def boots(row: Row) -> Claim:
        return always(estate.cell("attachments", row, "bootable"), bool)

    if any(boots(row) is True for row in case.attachments):
        return boots(attachment) is True
    root, device = case.server("root_device"), estate.cell("attachments", attachment, "device")
    if known(root) and root == device:
        return True
    return False if boots(attachment) is False and known(root) and known(device) else None


def _no_system_volume(case: Case) -> Claim:
    whole = case.estate.is_loaded("attachments")
    if whole and not case.attachments:
        return open_points.NO_VOLUME_MEANS_NO_SYSTEM_VOLUME
    return negated(some((system_volume(case, attachment) for attachment in case.attachments), read=whole))


def _key_pairs(case: Case) -> Iterator[Said]:
    key = case.server("key_name")
    windows = all_of(always(case.server("os_type"), lambda os_type: os_type == "Windows"), maybe(key, bool))
    names = {row["name"] for row in case.estate.rows("key_pairs")}
    gone = lacks(key, names, whole=case.estate.is_loaded("key_pairs"))
    user, caller = case.server("user_id"), case.question.caller_user_id
    foreign = user != caller if known(user) and caller else None
    proven = negated(foreign) if open_points.MISSING_KEY_PAIR_NEEDS_PROOF else True
    yield "S22", "B", all_of(windows, gone, proven)
    yield "S23", "W", all_of(windows, any_of(gone is None, foreign))


def _flavor_family(case: Case) -> Iterator[Said]:
    severity = case.question.severity(otc="B")
    flavor_id = case.server("flavor_id")
    flavor = case.estate.flavors.get(flavor_id) if known(flavor_id) else None

    def spec(column: str) -> object:
        return case.estate.cell("flavors", flavor, column)

    def of_kind(*kinds: str) -> Claim:
        return maybe(spec("performance_type"), lambda kind: kind in kinds)

    def named(pattern: str) -> Claim:
        return always(flavor_id, lambda text: re.match(pattern, text) is not None)

    yield (
        "S14",
        severity,
        any_of(maybe(spec("local_disks"), bool), of_kind("diskintensive", "highio"), named(r"[di]\d")),
    )
    told = (maybe(spec("accelerators"), bool), maybe(case.server("accelerators"), bool))
    decided = [claim for claim in told if claim is not None]  # both tell of the one flavor
    yield "S15", severity, any_of(*(decided or [None]), of_kind("gpu", "fpga", "ascend"))
    arm = maybe(spec("architecture"), lambda architecture: architecture == "arm64")
    kunpeng = maybe(spec("performance_type"), lambda kind: kind.startswith("kunpeng_"))
    yield "S16", severity, any_of(arm, kunpeng, named("k"))
    generation = maybe(spec("generation"), lambda text: text in REFUSED_GENERATIONS)
    yield "S17", severity, any_of(always(flavor_id, lambda text: text.split(".")[0] in REFUSED_GENERATIONS), generation)
    yield "S17", "W", named(rf"({'|'.join(REFUSED_GENERATIONS)})[a-z]")
    xen = maybe(spec("virtualization"), lambda kind: kind == "FusionCompute")
    yield "S18", severity, any_of(maybe(spec("infiniband"), bool), all_of(xen, of_kind("saphana", "ultracpu")))
