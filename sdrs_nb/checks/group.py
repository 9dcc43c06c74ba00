"""Rules of protection groups (G): asked once a group, told to every server that is judged against it."""

from collections.abc import Iterator

import numpy as np

from sdrs_nb.checks.facts import Facts
from sdrs_nb.checks.hits import Hits, where
from sdrs_nb.checks.registry import rule

__all__: list[str] = []


@rule("G1")
def known_group(facts: Facts) -> Iterator[Hits]:
    """The project has a protection group at all; one that was asked for by id is looked up before any rule."""
    if len(facts.group_ids) == 0:
        yield where(facts.servers.known)


@rule("G2", phase="group")
def status_allows_creation(facts: Facts) -> Iterator[Hits]:
    """Status ``available`` or ``protected`` (batch-create page, Constraints, first item)."""
    status = facts.groups.coded("status")
    refused = ~status.isin({"available", "protected"}) & ~status.missing
    failed_over, broken = status.isin({"failed-over"}), status.where(lambda text: text.startswith("error"))
    yield where(refused & ~failed_over & ~broken, status=status)
    yield where(failed_over, variant="failed_over", status=status)
    yield where(broken, variant="error", status=status)
    yield where(status.missing, unverified=True, status=status)


@rule("G3", phase="group")
def production_at_source(facts: Facts) -> Iterator[Hits]:
    """A group that was switched over produces in its target AZ."""
    station = facts.groups.coded("priority_station")
    target = facts.groups.coded("target_az")
    yield where(station.isin({"target"}), production_az=target, source_az=facts.groups.coded("source_az"))


@rule("G4", phase="group")
def sound_data(facts: Facts) -> Iterator[Hits]:
    """AZs and VPC present and different, health not abnormal (an empty health is normal)."""
    source, target = facts.groups.coded("source_az"), facts.groups.coded("target_az")
    vpc, health = facts.groups.coded("vpc_id"), facts.groups.coded("health_status")
    equal = target.code_of(source.labels)
    same = source.given & (np.append(equal, -1)[source.codes] == target.codes)
    broken = ~source.given | ~target.given | ~vpc.given | same | health.isin({"abnormal"})
    yield where(broken, source_az=source, target_az=target, vpc_id=vpc, health_status=health)


@rule("G5", phase="group")
def protects_servers(facts: Facts) -> Iterator[Hits]:
    """The group is one for ECS servers."""
    kind = facts.groups.coded("server_type")
    yield where(~kind.isin({"ECS"}) & kind.given, server_type=kind)


@rule("G6", phase="group")
def copies_at_once(facts: Facts) -> Iterator[Hits]:
    """In a protected group new pairs start to synchronise at once."""
    yield where(facts.groups.coded("status").isin({"protected"}))


@rule("G7", phase="group")
def copies_nothing_yet(facts: Facts) -> Iterator[Hits]:
    """In an available group nothing is copied until protection is enabled."""
    yield where(facts.groups.coded("status").isin({"available"}))
