"""Column names and dtypes of every public frame: one kind of thing per row, said in each table's ``about``.

Ids are strings, a missing value is ``NA``, the index means nothing.  Times are UTC.  ``shape`` brings any frame
to its table: missing columns appear as NA, extra columns stay at the end, values get the column's dtype.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import pandas as pd

from sdrs_nb.models import Verdict
from sdrs_nb.statuses import WORST_FIRST, Stage

__all__ = [
    "AMBIGUOUS",
    "DERIVED",
    "ELIGIBILITY_TABLES",
    "INVENTORY_TABLES",
    "MATCHED",
    "NOT_FOUND",
    "Table",
    "empty",
    "shape",
    "worst_first",
]

STR, INT, FLOAT, BOOL, TIME = "string", "Int64", "Float64", "boolean", "datetime64[ns, UTC]"


@dataclass(frozen=True)
class Table:
    """One public frame: its name, what a row is, its columns and which of them a file must have."""

    name: str
    about: str
    columns: Mapping[str, str]
    key: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))


def empty(table: Table) -> pd.DataFrame:
    """Return the table with its columns and dtypes and no row."""
    return pd.DataFrame({name: pd.Series([], dtype=dtype) for name, dtype in table.columns.items()})


def shape(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Return a copy of ``frame`` with the table's columns first, in order and dtype; extra columns follow.

    Raises ``ValueError`` or ``TypeError`` from pandas when a value does not fit its dtype; readers of files
    check values first and name sheet, row and column.
    """
    # Most frames come from one of ours, twenty to an inventory: column after column is work for the others.
    dtypes = {name: pd.api.types.pandas_dtype(dtype) for name, dtype in table.columns.items()}
    if [*frame.columns[: len(dtypes)]] == [*dtypes] and [*frame.dtypes[: len(dtypes)]] == [*dtypes.values()]:
        return frame.reset_index(drop=True)
    known = {
        name: frame[name].astype(dtype) if name in frame else pd.Series(pd.NA, index=frame.index, dtype=dtype)
        for name, dtype in dtypes.items()
    }
    extra = {name: frame[name] for name in frame.columns if name not in table.columns}
    return pd.DataFrame({**known, **extra}, index=frame.index).reset_index(drop=True)


def worst_first(outcome: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of an outcome (column ``stage``) with those first that need somebody; else their order stays."""
    order = {stage.value: at for at, stage in enumerate(WORST_FIRST)}
    return outcome.sort_values("stage", key=lambda stages: stages.map(order), kind="stable", ignore_index=True)


SERVERS = Table(
    "servers",
    "a server (ECS) of this project and region, DR servers and drill servers included",
    {
        "server_id": STR,
        "name": STR,
        "status": STR,  # as the cloud spells it: ACTIVE, SHUTOFF, BUILD, ERROR, ...
        "task_state": STR,  # NA when nothing is under way
        "az": STR,
        "vpc_id": STR,  # metadata.vpc_id, else the only key of addresses
        "address_vpc_ids": STR,  # keys of addresses, comma-joined, sorted; empty when none
        "subnet_id": STR,  # neutron_network_id of the primary NIC, where the cloud tells
        "private_ips": STR,  # comma-joined fixed addresses
        "nic_count": INT,  # distinct ports with a fixed address
        "flavor_id": STR,
        "vcpus": INT,
        "ram_gib": FLOAT,
        "accelerators": BOOL,  # the flavor names a GPU or another accelerator
        "os_type": STR,  # Linux or Windows
        "image_name": STR,
        "key_name": STR,  # NA: no key pair
        "user_id": STR,  # who made the server
        "billing": STR,  # on demand, yearly/monthly, spot
        "locked": BOOL,
        "lock_source": STR,  # NA or empty: not locked by another service
        "lock_scene": STR,
        "frozen": BOOL,
        "root_device": STR,
        "hostname": STR,
        "security_groups": STR,  # names, comma-joined
        "agency_name": STR,
        "ecs_group_id": STR,  # anti-affinity group of the server, NA: none
        "tenancy": STR,  # dedicated: production runs on a dedicated host
        "dedicated_host_id": STR,
        "enterprise_project_id": STR,  # NA, empty and "0" all mean the default project
        "tags": STR,  # key=value, comma-joined; a bare key stands alone
        "created_at": TIME,
    },
    key=("server_id",),
    required=("server_id", "name", "status", "az", "vpc_id"),
    choices=MappingProxyType({"billing": ("on demand", "yearly/monthly", "spot"), "os_type": ("Linux", "Windows")}),
)

VOLUMES = Table(
    "volumes",
    "a volume (EVS disk)",
    {
        "volume_id": STR,
        "name": STR,
        "size_gib": INT,
        "status": STR,
        "az": STR,
        "multiattach": BOOL,
        "encrypted": BOOL,  # from metadata.__system__encrypted, never from the field "encrypted"
        "bootable": BOOL,
        "volume_type": STR,
        "service_type": STR,  # EVS, DSS, DESS
        "dedicated_storage_id": STR,
        "billing": STR,  # yearly/monthly when metadata.orderID is set, else on demand
        "frozen": BOOL,
        "enterprise_project_id": STR,
        "created_at": TIME,
    },
    key=("volume_id",),
    required=("volume_id",),
    choices=MappingProxyType({"billing": ("on demand", "yearly/monthly")}),
)

ATTACHMENTS = Table(
    "attachments",
    "one volume on one server",
    {
        "server_id": STR,
        "volume_id": STR,
        "device": STR,
        "bootable": BOOL,  # the server's system disk: bootIndex "0"; NA where the cloud does not say
        "seen_by": STR,  # ecs, evs or both: who reported it
    },
    key=("server_id", "volume_id"),
    required=("server_id", "volume_id"),
    choices=MappingProxyType({"seen_by": ("ecs", "evs", "both")}),
)

GROUPS = Table(
    "groups",
    "a protection group",
    {
        "group_id": STR,
        "name": STR,
        "status": STR,
        "source_az": STR,
        "target_az": STR,
        "priority_station": STR,  # source or target: where production runs now
        "production_az": STR,  # derived: source_az or target_az by priority_station
        "dr_az": STR,  # derived: the other one
        "vpc_id": STR,
        "target_vpc_id": STR,
        "domain_id": STR,
        "server_type": STR,
        "health_status": STR,
        "protected_instance_num": INT,
        "replication_num": INT,
        "created_at": TIME,
    },
    key=("group_id",),
    required=("group_id", "status", "source_az", "target_az", "priority_station", "vpc_id"),
    choices=MappingProxyType({"priority_station": ("source", "target")}),
)

PROTECTED_INSTANCES = Table(
    "protected_instances",
    "a protected instance",
    {
        "protected_instance_id": STR,
        "name": STR,
        "group_id": STR,
        "status": STR,
        "progress": INT,  # first synchronisation, per cent
        "source_server_id": STR,
        "target_server_id": STR,
        "priority_station": STR,
        "created_at": TIME,
    },
    key=("protected_instance_id",),
    required=("protected_instance_id", "group_id", "status", "source_server_id"),
)

REPLICATION_PAIRS = Table(
    "replication_pairs",
    "a replication pair",
    {
        "replication_pair_id": STR,
        "name": STR,
        "group_id": STR,
        "status": STR,
        "replication_status": STR,
        "progress": INT,
        "volume_ids": STR,  # both volumes, comma-joined; which one is production is not said
        "protected_instance_ids": STR,  # comma-joined; empty: attached to none
        "multiattach": BOOL,
        "created_at": TIME,
    },
    key=("replication_pair_id",),
    required=("replication_pair_id", "volume_ids"),
)

QUOTAS = Table(
    "quotas",
    "an SDRS quota",
    {"resource_type": STR, "used": INT, "quota": INT},  # server_groups or replications; quota -1 = no limit
    key=("resource_type",),
    required=("resource_type", "used", "quota"),
)

KEY_PAIRS = Table(
    "key_pairs",
    "a key pair that the caller can see",
    {"name": STR, "type": STR, "scope": STR},
    key=("name",),
    required=("name",),
)

SCALING_INSTANCES = Table(
    "scaling_instances",
    "a server in an auto-scaling group",
    {
        "server_id": STR,
        "scaling_group_id": STR,
        "scaling_group_name": STR,
        "scaling_configuration_id": STR,  # empty or NA: added by hand
        "protect_from_scaling_down": BOOL,
    },
    key=("server_id",),
    required=("server_id",),
)

VPCS = Table("vpcs", "a VPC", {"vpc_id": STR, "name": STR, "cidr": STR}, key=("vpc_id",), required=("vpc_id",))

SUBNETS = Table(
    "subnets",
    "a subnet of a VPC",
    {
        "subnet_id": STR,  # = neutron_network_id: the value for primary_subnet_id
        "neutron_subnet_id": STR,
        "name": STR,
        "vpc_id": STR,
        "cidr": STR,
        "status": STR,
        "free_addresses": INT,
    },
    key=("subnet_id",),
    required=("subnet_id", "vpc_id"),
)

DRILL_SERVERS = Table(
    "drill_servers",
    "a server made by a DR drill",
    {"server_id": STR, "drill_id": STR, "group_id": STR, "protected_instance_id": STR},
    key=("server_id",),
    required=("server_id",),
)

ENTERPRISE_PROJECTS = Table(
    "enterprise_projects",
    "an enterprise project",
    {"enterprise_project_id": STR, "name": STR},
    key=("enterprise_project_id",),
    required=("enterprise_project_id",),
)

DOMAINS = Table(
    "domains",
    "an active-active domain: two AZs that can protect one another",
    {"domain_id": STR, "name": STR, "sold_out": BOOL, "local_az": STR, "remote_az": STR},
    key=("domain_id",),
    required=("domain_id",),
)

FLAVORS = Table(
    "flavors",
    "a flavor of servers",
    {
        "flavor_id": STR,
        "name": STR,
        "vcpus": INT,
        "ram_gib": FLOAT,
        "performance_type": STR,  # ecs:performancetype
        "generation": STR,  # ecs:generation
        "architecture": STR,  # ecs:instance_architecture; arm64 is Kunpeng
        "virtualization": STR,  # ecs:virtualization_env_types; FusionCompute is Xen
        "local_disks": BOOL,
        "accelerators": BOOL,
        "infiniband": BOOL,
        "sale_status": STR,  # cond:operation:status; NA means normal
        "sale_by_az": STR,  # az=status, comma-joined; wins over sale_status in the AZs it names
    },
    key=("flavor_id",),
    required=("flavor_id",),
)

RESIZE_FLAVORS = Table(
    "resize_flavors",
    "a flavor that one server can be resized to, which is what its DR server may have",
    {"server_id": STR, "flavor_id": STR},
    key=("server_id", "flavor_id"),
    required=("server_id", "flavor_id"),
)

DEDICATED_HOSTS = Table(
    "dedicated_hosts",
    "a dedicated host (DeH)",
    {
        "dedicated_host_id": STR,
        "name": STR,
        "state": STR,  # available, fault, released
        "az": STR,
        "auto_placement": BOOL,
        "available_vcpus": INT,
        "available_ram_gib": FLOAT,
        "flavor_ids": STR,  # flavors it can hold, comma-joined
    },
    key=("dedicated_host_id",),
    required=("dedicated_host_id", "state", "az"),
)

STORAGE_POOLS = Table(
    "storage_pools",
    "a dedicated storage (DSS) pool",
    {
        "storage_pool_id": STR,
        "name": STR,
        "volume_type": STR,
        "status": STR,  # available, deploying, extending
        "az": STR,
        "total_gib": INT,
        "used_gib": INT,
        "provisioned_gib": INT,
        "over_subscription_ratio": FLOAT,
    },
    key=("storage_pool_id",),
    required=("storage_pool_id", "status", "az"),
)

ECS_LIMITS = Table(
    "ecs_limits",
    "a limit on servers of the project",
    {"resource_type": STR, "used": INT, "quota": INT},  # instances, cores, ram_mib; quota -1 = no limit
    key=("resource_type",),
    required=("resource_type", "used", "quota"),
)

EVS_QUOTA = Table(
    "evs_quota",
    "a quota of volumes of the project",
    {"resource_type": STR, "used": INT, "quota": INT},  # volumes, gigabytes, volumes_SSD, ...; quota -1 = no limit
    key=("resource_type",),
    required=("resource_type", "used", "quota"),
)

SOURCES = Table(
    "sources",
    "where one frame of the inventory came from and whether it could be read",
    {
        "frame": STR,
        "state": STR,  # loaded, partial (known to be incomplete), denied, failed, missing (not in the file), not asked
        "rows": INT,
        "loaded_at": TIME,
        "message": STR,
        "unread": STR,  # columns of the frame that were not read, comma-joined; NA: every column was
    },
    key=("frame",),
    choices=MappingProxyType({"state": ("loaded", "partial", "denied", "failed", "missing", "not asked")}),
)

READING = Table(
    "reading",
    "something that was guessed, mapped, filled in, changed, dropped or passed over while a file was read",
    {
        "file": STR,
        "sheet": STR,
        "row": INT,  # as a spreadsheet shows it; NA where no row is meant
        "column": STR,  # the heading as it stands there
        "what": STR,  # mapped, guessed, read as, changed, filled, dropped, passed over, not understood, not told, ...
        "from": STR,
        "to": STR,
    },
)

#: Frames of an inventory by name, in the order in which they are shown and written.
INVENTORY_TABLES: Mapping[str, Table] = MappingProxyType(
    {
        table.name: table
        for table in (
            SERVERS,
            VOLUMES,
            ATTACHMENTS,
            GROUPS,
            PROTECTED_INSTANCES,
            REPLICATION_PAIRS,
            QUOTAS,
            KEY_PAIRS,
            SCALING_INSTANCES,
            VPCS,
            SUBNETS,
            DRILL_SERVERS,
            ENTERPRISE_PROJECTS,
            DOMAINS,
            FLAVORS,
            RESIZE_FLAVORS,
            DEDICATED_HOSTS,
            STORAGE_POOLS,
            ECS_LIMITS,
            EVS_QUOTA,
        )
    }
)

#: Columns that follow from others of their frame, so that nobody need read them.
DERIVED: Mapping[str, frozenset[str]] = MappingProxyType({"groups": frozenset({"production_az", "dr_az"})})

MATCHED = Table(
    "matched",
    "an entry of a list that names one server, or a server that an expression is true for",
    {
        "given": STR,  # as it stands in the list; the expression
        "how": STR,  # id, name, IP, host name, several joined by "+"; "loose" where only letter case or domain differ
        "server_id": STR,
        "name": STR,
    },
)

AMBIGUOUS = Table(
    "ambiguous",
    "an entry of a list x server that it may mean",
    {
        "given": STR,
        "how": STR,
        "server_id": STR,
        "name": STR,
        "apart": STR,  # what this server differs in from the others: column=value, semicolon-joined
    },
)

NOT_FOUND = Table(
    "not_found",
    "an entry of a list that names no server",
    {"given": STR, "row": INT, "reason": STR},  # row: line of the text or row of the sheet
)

VERDICTS = Table(
    "verdicts",
    "a server that was asked about",
    {
        "server_id": STR,
        "name": STR,
        "group_id": STR,  # NA where none fits, or several fit and none was chosen
        "verdict": STR,
        "reason": STR,  # the first rule behind the verdict in fault words, "+2" where two more block; NA if eligible
        "cluster_id": STR,  # NA where it shares no volume
        "blockers": INT,
        "warnings": INT,  # its own, as notices; what its group, the request or the estate has in common is told there
        "notices": INT,
        "unverified": INT,
    },
    key=("server_id",),
    choices=MappingProxyType({"verdict": tuple(verdict.value for verdict in Verdict)}),
)

FINDINGS = Table(
    "findings",
    "rule that fired, once at its scope: a server (and group), cluster, group, the request, the estate",
    {
        "scope": STR,
        "server_id": STR,
        "group_id": STR,
        "cluster_id": STR,  # of the cluster, or that the server is in
        "rule": STR,
        "severity": STR,
        "sdrs_code": STR,  # the code the service would answer with, e.g. SDRS.1305; NA where there is none
        "message": STR,
        "evidence": STR,  # the values that made the rule fire: name=value, semicolon-joined
        "remedy": STR,
        "source": STR,
    },
    choices=MappingProxyType(
        {
            "scope": ("server", "cluster", "group", "request", "estate"),
            "severity": ("blocker", "warning", "notice", "unverified"),
        }
    ),
)

MISSING = Table(
    "missing",
    "a fact that is not known: a frame, or a column of one",
    {
        "fact": STR,  # frame or frame.column
        "alone": INT,  # servers whose verdict is unknown for want of this fact alone
        "together": INT,  # servers that wait for this fact and others
        "rules": STR,  # rules that cannot be decided without it, comma-joined
        "how": STR,
    },
    key=("fact",),
)

GROUP_VERDICTS = Table(
    "group verdicts",
    "a protection group and what would join it",
    {
        "group_id": STR,
        "name": STR,
        "verdict": STR,  # blocked, unknown, warning, eligible
        "reasons": STR,  # in fault words, comma-joined, what blocks first
        "room": INT,  # instances it still takes; NA where no limit is set or its instances are not counted
        "servers": INT,  # servers that can be protected and are judged against it
        "could_join": INT,  # servers that can be protected and fit it among others, so that a choice is open
    },
    key=("group_id",),
)

CANDIDATES = Table("candidates", "server x protection group it could join", {"server_id": STR, "group_id": STR})

ELIGIBILITY_TABLES: Mapping[str, Table] = MappingProxyType(
    {t.name: t for t in (VERDICTS, FINDINGS, CANDIDATES, MISSING, GROUP_VERDICTS)}
)

LEFT_OUT = Table(
    "left_out",
    "a server that was asked for and is in no batch",
    {"server_id": STR, "name": STR, "group_id": STR, "verdict": STR, "reason": STR, "rules": STR},
    key=("server_id",),
)

ASSUMPTIONS = Table(
    "assumptions",
    "choice where the documents are silent, with what was seen of it",
    {
        "id": STR,
        "statement": STR,
        "setting": STR,
        "touches": STR,
        "seen_by": STR,
        "seen": STR,
        "run_id": STR,
        "request_id": STR,
        "seen_at": TIME,
        "detail": STR,
    },
    key=("id",),
    choices=MappingProxyType({"seen": ("confirmed", "contradicted", "not seen")}),
)

OUTCOME = Table(
    "outcome",
    "a planned server and what became of it",
    {
        "server_id": STR,
        "name": STR,
        "group_id": STR,
        "batch_id": STR,
        "job_id": STR,
        "stage": STR,
        "protected_instance_id": STR,
        "dr_server_id": STR,
        "error_code": STR,
        "message": STR,
        "whose": STR,  # whose the instance is that was found; empty where none was
        "proof": STR,  # the fact that proves it, in a sentence
    },
    key=("server_id",),
    choices=MappingProxyType({"stage": tuple(stage.value for stage in Stage)}),
)

PILOT = Table(
    "pilot",
    "an aspect of one thing that a pilot batch made: what was expected, what was found",
    {
        "subject": STR,  # id of a batch, job, group, server, volume
        "name": STR,  # how people call it
        "aspect": STR,
        "expected": STR,
        "found": STR,
        "result": STR,
        "why": STR,  # why it was not compared
        "assumption": STR,  # id of the assumption that the expectation rests on; empty: a page documents it
    },
    choices=MappingProxyType({"result": ("as expected", "different", "not compared")}),
)
