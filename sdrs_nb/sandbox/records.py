"""The things of the sandbox cloud, as compact records; documents are rendered from them on demand."""

from dataclasses import dataclass, field


@dataclass(slots=True, frozen=True)
class Flavor:
    """A flavor of the catalogue; `families` are the groups 1356 may refuse, `sale` the sale status per AZ."""

    id: str
    vcpus: int
    ram_mib: int
    performance: str
    generation: str
    arm64: bool = False
    xen: bool = False
    families: frozenset[str] = frozenset()
    specs: tuple[tuple[str, str], ...] = ()
    sale: tuple[tuple[str, str], ...] = ()

    def sale_status(self, az: str) -> str:
        """Give ``normal``, ``sellout`` or ``abandon`` for one AZ; what is sold per AZ wins over the general status."""
        return dict(self.sale).get(az, "normal")


@dataclass(slots=True, frozen=True)
class Nic:
    """A network interface: `subnet_id` is the VPC subnet's id, which equals its ``neutron_network_id``."""

    port_id: str
    subnet_id: str
    ip: str
    primary: bool
    floating_ip: str = ""


@dataclass(slots=True)
class Server:
    """A cloud server; `volumes` holds (volume id, device, boot index) in the order of attachment."""

    id: str
    name: str
    az: str
    vpc_id: str
    flavor_id: str
    created: float
    updated: float
    status: str = "ACTIVE"
    task_state: str | None = None
    os_type: str = "Linux"
    image_name: str = "CentOS 7.9 64bit"
    key_name: str | None = None
    user_id: str = ""
    billing: str = "0"
    eps_id: str = "0"
    tags: tuple[str, ...] = ()
    locked: bool = False
    lock_source: str = ""
    frozen: bool = False
    host_id: str = ""
    ecs_group_id: str = ""
    agency: str = ""
    security_groups: tuple[str, ...] = ("default",)
    role: str = "production"
    hostname: str = ""
    auto_recovery: bool = True
    nics: tuple[Nic, ...] = ()
    volumes: list[tuple[str, str, str]] = field(default_factory=list)
    document: bytes | None = None

    @property
    def host_name(self) -> str:
        """The name inside the server: its own, or one made of its id."""
        return self.hostname or f"host-{self.id[:8]}"


@dataclass(slots=True)
class Volume:
    """An EVS volume; `attachments` holds (server id, device)."""

    id: str
    name: str
    size_gib: int
    az: str
    type: str
    created: float
    status: str = "in-use"
    multiattach: bool = False
    encrypted: bool = False
    frozen: bool = False
    bootable: bool = False
    pool_id: str = ""
    order_id: str = ""
    eps_id: str = "0"
    attachments: list[tuple[str, str]] = field(default_factory=list)
    document: bytes | None = None


class Dated:
    """A thing of SDRS, whose status changes at a moment."""

    __slots__ = ()
    status: str
    updated: float

    def set_status(self, status: str, at: float) -> None:
        """Give it a status, as changed at cloud time `at`."""
        self.status, self.updated = status, at  # type: ignore[misc]  # the records hold the slots


@dataclass(slots=True)
class Group(Dated):
    """A protection group; the AZs stay as at creation, `station` says which of them is production now."""

    id: str
    name: str
    description: str
    status: str
    source_az: str
    target_az: str
    vpc_id: str
    domain_id: str
    created: float
    updated: float
    station: str = "source"
    instances: dict[str, None] = field(default_factory=dict)
    pairs: dict[str, None] = field(default_factory=dict)

    def other_az(self, az: str) -> str:
        """Give the group's other AZ."""
        return self.target_az if az == self.source_az else self.source_az

    @property
    def production_az(self) -> str:
        """Give the AZ that is the production site now."""
        return self.source_az if self.station == "source" else self.target_az

    @property
    def dr_az(self) -> str:
        """Give the AZ that is the DR site now."""
        return self.other_az(self.production_az)


@dataclass(slots=True)
class Instance(Dated):
    """A protected instance; `listed_from` is later than `created` only while a list lags."""

    id: str
    name: str
    description: str | None
    group_id: str
    status: str
    source_server: str
    created: float
    updated: float
    target_server: str = ""
    station: str = "source"
    tags: dict[str, str] = field(default_factory=dict)
    listed_from: float = 0.0


@dataclass(slots=True)
class Pair(Dated):
    """A replication pair; `attachments` maps instance id to device, `sync_from` is when its first copy began."""

    id: str
    name: str
    description: str | None
    group_id: str
    status: str
    source_volume: str
    target_volume: str
    size_gib: int
    volume_type: str
    multiattach: bool
    bootable: bool
    created: float
    updated: float
    station: str = "source"
    attachments: dict[str, str] = field(default_factory=dict)
    sync_from: float | None = None
    failure: str = ""
    listed: bool = True


@dataclass(slots=True)
class Drill(Dated):
    """A DR drill; `servers` maps instance id to drill server id."""

    id: str
    name: str
    group_id: str
    vpc_id: str
    status: str
    created: float
    updated: float
    servers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Job:
    """A job or sub-job; `listed_from` is when its parent begins to show it, `vanishes_at` when queries lose it."""

    id: str
    type: str
    begin: float
    entities: dict[str, object]
    status: str = "INIT"
    end: float | None = None
    error_code: str | None = None
    fail_reason: str | None = None
    sub_jobs: list["Job"] = field(default_factory=list)
    listed_from: float = 0.0
    vanishes_at: float | None = None
    is_sub_job: bool = False


@dataclass(slots=True)
class FailureJob:
    """An entry of the task center: `group_id` is empty for failures of a group itself."""

    job_id: str
    job_type: str
    resource_id: str
    resource_name: str
    resource_type: str
    failure_status: str
    group_id: str
    begin: float
    error_code: str
    fail_reason: str


@dataclass(slots=True)
class Vpc:
    """A VPC."""

    id: str
    name: str
    cidr: str


@dataclass(slots=True)
class Subnet:
    """A subnet: `id` is also its neutron network id; `used` addresses are taken, `next_host` is the next to go."""

    id: str
    neutron_subnet_id: str
    name: str
    vpc_id: str
    cidr: str
    total: int
    used: int = 0
    next_host: int = 10


@dataclass(slots=True, frozen=True)
class KeyPair:
    """A key pair; scope ``user`` is visible to its owner only."""

    name: str
    fingerprint: str
    scope: str = "domain"
    owner: str = ""


@dataclass(slots=True)
class ScalingGroup:
    """An auto-scaling group; `members` maps server id to (configuration id or "", protected from scale-in)."""

    id: str
    name: str
    vpc_id: str
    members: dict[str, tuple[str, bool]] = field(default_factory=dict)


@dataclass(slots=True, frozen=True)
class Host:
    """A dedicated host that takes the flavors whose id starts with `family`."""

    id: str
    name: str
    az: str
    state: str
    auto_placement: bool
    family: str
    vcpus: int
    memory_mib: int


@dataclass(slots=True)
class Pool:
    """A dedicated storage (DSS) pool."""

    id: str
    name: str
    az: str
    type: str
    status: str
    total_gib: int
    provisioned_gib: int


@dataclass(slots=True, frozen=True)
class Domain:
    """An active-active domain: two AZs that replicate to each other."""

    id: str
    name: str
    local_az: str
    remote_az: str
    sold_out: bool = False


@dataclass(slots=True, frozen=True)
class EnterpriseProject:
    """An enterprise project of the account."""

    id: str
    name: str
    status: int = 1


@dataclass(slots=True, frozen=True)
class ServerGroup:
    """An ECS group (placement policy)."""

    id: str
    name: str
    policy: str
