"""Stand-ins for a checked inventory: what planning reads, valid by default."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from sdrs_nb import tables
from sdrs_nb.eligibility.eligibility import Eligibility
from sdrs_nb.inventory.inventory import About, Inventory
from sdrs_nb.models import BatchOptions, Declared
from sdrs_nb.rulebook import Rulebook, load_rulebook

BOOK = load_rulebook()


class _PlainInventory(Inventory):
    """An inventory whose frames are attributes, so that a dataclass can hold them."""

    servers = volumes = attachments = groups = protected_instances = replication_pairs = quotas = flavors = None
    _notes = ()


class _PlainEligibility(Eligibility):
    """An eligibility whose frames are attributes, so that a dataclass can hold them."""

    verdicts = inventory = asked = clusters = findings = request_findings = candidates = options = rulebook = None
    warnings = None


@dataclass(frozen=True, eq=False)
class AnInventory(_PlainInventory):
    """Frames in the columns of ``tables``, taken as they are."""

    servers: pd.DataFrame
    volumes: pd.DataFrame
    attachments: pd.DataFrame
    groups: pd.DataFrame
    protected_instances: pd.DataFrame
    replication_pairs: pd.DataFrame
    quotas: pd.DataFrame
    flavors: pd.DataFrame = field(default_factory=lambda: tables.empty(tables.FLAVORS))
    declared: tuple[Declared, ...] = ()
    about: About = field(default_factory=About)


@dataclass(frozen=True, eq=False)
class AnEligibility(_PlainEligibility):
    """What ``check_eligibility`` gives, as far as planning reads it."""

    verdicts: pd.DataFrame
    inventory: AnInventory
    asked: Sequence[str]
    clusters: pd.DataFrame
    findings: pd.DataFrame = field(default_factory=lambda: tables.empty(tables.FINDINGS))
    warnings: pd.DataFrame = field(default_factory=lambda: tables.empty(tables.FINDINGS))
    request_findings: pd.DataFrame = field(default_factory=lambda: tables.empty(tables.FINDINGS))
    candidates: pd.DataFrame = field(default_factory=lambda: tables.empty(tables.CANDIDATES))
    options: BatchOptions = field(default_factory=BatchOptions)
    rulebook: Rulebook = BOOK

    @property
    def hindrances(self) -> pd.DataFrame:
        """The findings that keep servers from being planned."""
        return self.findings


def frame(rows: Sequence[Mapping[str, object]], table: tables.Table) -> pd.DataFrame:
    """Return ``rows`` in the columns of ``table``."""
    return tables.shape(pd.DataFrame(list(rows)), table) if rows else tables.empty(table)


def an_eligibility(
    servers: int | Mapping[str, str] = 0,
    *,
    clusters: Sequence[Sequence[str]] = (),
    pair_quota: int = -1,
    pairs_used: int = 0,
    instance_names: Sequence[str] = (),
    **changes: Any,
) -> AnEligibility:
    """Return eligible servers: a number of them in group ``g1``, or ``{server_id: group_id}``.

    Every server has a volume of its own; each of ``clusters`` shares one more.
    """
    group_of = servers if isinstance(servers, Mapping) else {f"s{number:03d}": "g1" for number in range(1, servers + 1)}
    shared = {f"shared-{number}": members for number, members in enumerate(clusters)}
    attached = [{"server_id": each, "volume_id": f"vol-{each}"} for each in group_of]
    attached += [{"server_id": each, "volume_id": volume} for volume, members in shared.items() for each in members]
    inventory = AnInventory(
        servers=frame(
            [
                {"server_id": each, "name": f"name-{each}", "status": "ACTIVE", "az": "az1", "vpc_id": "vpc1",
                 "flavor_id": "c3.large.2"}
                for each in group_of
            ],
            tables.SERVERS,
        ),
        volumes=frame(
            [
                {"volume_id": volume, "size_gib": 40, "multiattach": volume in shared}
                for volume in dict.fromkeys(each["volume_id"] for each in attached)
            ],
            tables.VOLUMES,
        ),
        attachments=frame(attached, tables.ATTACHMENTS),
        groups=frame(
            [
                {"group_id": each, "name": f"group-{each}", "status": "available", "source_az": "az1",
                 "target_az": "az2", "priority_station": "source", "production_az": "az1", "dr_az": "az2",
                 "vpc_id": "vpc1"}
                for each in dict.fromkeys(group_of.values())
            ],
            tables.GROUPS,
        ),
        protected_instances=frame(
            [
                {"protected_instance_id": f"pi-{name}", "name": name, "group_id": "g9", "status": "protected",
                 "source_server_id": f"src-{name}"}
                for name in instance_names
            ],
            tables.PROTECTED_INSTANCES,
        ),
        replication_pairs=tables.empty(tables.REPLICATION_PAIRS),
        quotas=frame([{"resource_type": "replications", "used": pairs_used, "quota": pair_quota}], tables.QUOTAS),
    )  # fmt: skip
    eligibility = AnEligibility(
        verdicts=frame(
            [
                {"server_id": each, "name": f"name-{each}", "group_id": group, "verdict": "eligible"}
                for each, group in group_of.items()
            ],
            tables.VERDICTS,
        ),
        inventory=inventory,
        asked=tuple(group_of),
        clusters=pd.DataFrame(
            [
                {"server_id": each, "cluster_id": f"c{number}", "volume_ids": f"shared-{number}"}
                for number, members in enumerate(clusters)
                for each in members
            ],
            columns=["server_id", "cluster_id", "volume_ids"],
            dtype="string",
        ),
    )
    return replace(eligibility, **changes)
