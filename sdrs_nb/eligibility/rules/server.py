"""Rules of servers that decide whether one can be taken at all (S1-S13)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sdrs_nb.eligibility.columns import BoolArray, IntArray, Lookup
from sdrs_nb.eligibility.facts import Facts
from sdrs_nb.eligibility.hits import Hits, Many, where
from sdrs_nb.eligibility.registry import rule
from sdrs_nb.statuses import DELETED_TASKS, USABLE_SERVER

__all__ = ["OfGroup"]


@dataclass(frozen=True, slots=True)
class OfGroup:
    """A column of groups, read through the group that each server is judged against."""

    values: Lookup
    group: IntArray

    def __getitem__(self, server: int, /) -> object:
        group = self.group[server]
        return None if group < 0 else self.values[group]


@rule("S1", by_absence=True)
def in_inventory(facts: Facts) -> Iterator[Hits]:
    """The server is in the inventory of this project and region."""
    yield where(~facts.servers.known)


@rule("S2", by_absence=frozenset({"no_group"}))
def production_az(facts: Facts) -> Iterator[Hits]:
    """The server is in the AZ where the group's production runs now; exact strings, as the service compares."""
    az, place, group = facts.servers.coded("az"), facts.sites, facts.match.group
    judged = (group >= 0) & ~az.missing
    wanted = np.append(place.production_az, -1)[group]
    yield where(
        judged & (wanted != -1) & (wanted != az.codes), az=az, production_az=OfGroup(facts.production_az, group)
    )
    elsewhere = facts.match.unplaced & ~az.missing & _vpc_has_group(facts)
    # A group that does not say where it produces may be the one; one whose AZs are empty takes nobody (G4).
    unsaid = facts.groups.coded("priority_station").missing | bool(
        facts.unread(["groups.source_az", "groups.target_az"])
    )
    open_vpcs = place.vpc[(place.vpc >= 0) & (place.production_az == -1) & unsaid]
    unsaid = elsewhere & np.isin(facts.servers.coded("vpc_id").codes, open_vpcs)
    yield where(unsaid, lacking="groups.priority_station", az=az)
    elsewhere &= ~unsaid
    yield _with_groups_of_vpc(facts, where(elsewhere, variant="no_group", az=az))
    yield where(((group >= 0) | facts.match.unplaced) & az.missing, lacking="servers.az", az=az)
    yield where((group >= 0) & ~az.missing & (wanted == -1), lacking="groups.priority_station", az=az)


@rule("S3", by_absence=frozenset({"no_group"}))
def same_vpc(facts: Facts) -> Iterator[Hits]:
    """Server and group are in the same VPC (batch-create page, Constraints, fourth item)."""
    vpc, group = facts.servers.coded("vpc_id"), facts.match.group
    wanted = np.append(facts.sites.vpc, -1)[group]
    judged = (group >= 0) & vpc.given & (wanted != -1)
    yield where(judged & (wanted != vpc.codes), vpc_id=vpc, group_vpc=OfGroup(facts.groups.coded("vpc_id"), group))
    if not facts.unread(["groups.vpc_id"]):
        no_group = facts.match.unplaced & vpc.given & ~_vpc_has_group(facts) & (len(facts.group_ids) > 0)
        yield where(no_group, variant="no_group", vpc_id=vpc)
    yield where(~vpc.given, lacking="servers.vpc_id", vpc_id=vpc)
    seen = facts.servers.coded("address_vpc_ids")
    same = np.append(vpc.code_of(seen.labels), -1)[seen.codes] == vpc.codes
    yield where(seen.given & vpc.given & ~same, variant="stale", vpc_id=vpc, address_vpc_ids=seen)


@rule("S4")
def unprotected(facts: Facts) -> Iterator[Hits]:
    """No protected instance has the server as its production server, in any group and any status."""
    named = _in_instances(facts, facts.sources)
    yield named
    # An instance that does not say whose it is may be any server's.
    if facts.frames.column("protected_instances", "source_server_id").isna().any():
        yield where(_but(facts.servers.known, named), lacking="protected_instances.source_server_id")


@rule("S5")
def no_dr_server(facts: Facts) -> Iterator[Hits]:
    """The server is not the DR server of an instance: those carry production's name and must not be offered."""
    yield _in_instances(facts, facts.targets)


@rule("S6")
def no_drill_server(facts: Facts) -> Iterator[Hits]:
    """The server was not made by a DR drill."""
    yield facts.by_rows("drill_servers", facts.drills, drill_id="drill_id")


@rule("S7")
def active_or_shut_off(facts: Facts) -> Iterator[Hits]:
    """Status ACTIVE or SHUTOFF."""
    status = facts.servers.coded("status")
    yield where(status.given & ~status.isin(USABLE_SERVER), status=status)
    yield where(~status.given, lacking="servers.status", status=status)


@rule("S8")
def nothing_under_way(facts: Facts) -> Iterator[Hits]:
    """No task runs on the server; one that is being deleted hides behind ACTIVE or SHUTOFF."""
    task = facts.servers.coded("task_state")
    deleting = task.isin(DELETED_TASKS)
    yield where(task.given & ~deleting, task_state=task)
    yield where(deleting, variant="deleting", task_state=task)


@rule("S9")
def unlocked(facts: Facts) -> Iterator[Hits]:
    """Not locked, by another service, the system or a user; an empty lock field means free."""
    source, scene = facts.servers.coded("lock_source"), facts.servers.coded("lock_scene")
    locked, unsaid = facts.servers.true("locked"), facts.servers.missing("locked")
    by_service = source.given
    by_other = ~by_service & (locked | scene.given)
    yield where(by_service, variant="service", lock_source=source, lock_scene=scene)
    yield where(by_other, lock_scene=scene)
    yield where(unsaid & ~by_service & ~by_other, lacking="servers.locked")


@rule("S10")
def not_frozen(facts: Facts) -> Iterator[Hits]:
    """Not frozen for arrears or by the police; a server that never was has no such mark."""
    yield where(facts.servers.true("frozen"))


@rule("S11", by_absence=True)
def has_volume(facts: Facts) -> Iterator[Hits]:
    """At least one volume is attached."""
    yield where(~_attached(facts))


@rule("S12", by_absence=True)
def has_system_volume(facts: Facts) -> Iterator[Hits]:
    """One attached volume is the system volume; a bootable data volume is none."""
    has = np.zeros(len(facts.server_ids), dtype=bool)
    has[facts.attachments.servers[facts.system_volume]] = True
    unsaid = np.zeros(len(facts.server_ids), dtype=bool)
    unsaid[facts.attachments.servers[facts.attachments.columns.missing("bootable")]] = True
    lacking = _attached(facts) & ~has
    yield where(lacking & ~unsaid)
    yield where(lacking & unsaid, lacking="attachments.bootable")


@rule("S13")
def no_bare_metal(facts: Facts) -> Iterator[Hits]:
    """No bare-metal server, which ECS lists with the tag ``__type_baremetal``."""
    tags = facts.servers.coded("tags")
    marks = tags.where(lambda text: any(tag.split("=")[0].strip() == "__type_baremetal" for tag in text.split(",")))
    yield where(marks, tags=tags)


def _attached(facts: Facts) -> BoolArray:
    attached = np.zeros(len(facts.server_ids), dtype=bool)
    attached[facts.attachments.servers] = True
    return attached


def _but(mask: BoolArray, hits: Hits) -> BoolArray:
    """Return the mask without what hits name already."""
    rest = mask.copy()
    rest[hits.rows] = False
    return rest


def _vpc_has_group(facts: Facts) -> BoolArray:
    return np.isin(facts.servers.coded("vpc_id").codes, facts.sites.vpc[facts.sites.vpc >= 0])


def _with_groups_of_vpc(facts: Facts, hits: Hits) -> Hits:
    """Add the groups of each server's VPC with the AZ in which they produce."""
    vpc = facts.sites.vpc
    order = np.argsort(vpc, kind="stable")
    mine = facts.servers.coded("vpc_id").codes[hits.rows]
    names = [f"{facts.group_labels[at]}: {facts.production_az[at] or '-'}" for at in range(len(vpc))]
    starts, ends = (np.searchsorted(vpc[order], mine, side=side) for side in ("left", "right"))
    groups = Many(np.array([*names, None], dtype=object), order, starts, ends)
    return Hits(hits.rows, {**hits.evidence, "groups": groups}, hits.variant)


def _in_instances(facts: Facts, positions: IntArray) -> Hits:
    return facts.by_rows(
        "protected_instances",
        positions,
        protected_instances="protected_instance_id",
        instance_status="status",
        instance_group="group_id",
    )
