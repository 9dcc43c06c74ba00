"""Small records that several stages share."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from sdrs_nb.errors import SettingsError
from sdrs_nb.i18n import _, ngettext_
from sdrs_nb.ids import canonical

__all__ = [
    "Approval",
    "Batch",
    "BatchOptions",
    "Call",
    "Declared",
    "OnWait",
    "Pace",
    "Record",
    "SignOff",
    "Tag",
    "Verdict",
    "Wait",
    "instance_name",
]  # fmt: skip


class Record(BaseModel):
    """A frozen record that refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Asked(Record):
    """A record that an operator makes: what is wrong with it is one sentence, a ``SettingsError``."""

    if not TYPE_CHECKING:  # checkers read the fields

        def __init__(self, /, **values: object) -> None:
            try:
                super().__init__(**values)
            except ValidationError as error:
                kind = type(self)
                problems = [
                    _("{name}: {problem}", name=".".join(map(str, each["loc"])) or kind.__name__, problem=each["msg"])
                    for each in error.errors()
                ]
                raise SettingsError(
                    _(
                        "{kind}() cannot be made. {problems}. It takes: {known}.",
                        kind=kind.__name__,
                        problems="; ".join(problems),
                        known=", ".join(kind.model_fields),
                    )
                ) from error


class Verdict(StrEnum):
    """What eligibility says of a server, strongest first."""

    PROTECTED = "protected"
    NOT_A_CANDIDATE = "not a candidate"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"
    WARNING = "warning"
    ELIGIBLE = "eligible"


class Call(StrEnum):
    """Which call of the service a batch is sent with."""

    BATCH_CREATE = "batch create"
    SINGLE_CREATE = "single create"  # where the site has no batch call
    BATCH_DELETE = "batch delete"
    SINGLE_DELETE = "single delete"

    @property
    def is_delete(self) -> bool:
        """Whether the call takes protected instances away."""
        return self in (Call.BATCH_DELETE, Call.SINGLE_DELETE)

    @property
    def is_batch(self) -> bool:
        """Whether it is one of the batch calls, which not every site has."""
        return self in (Call.BATCH_CREATE, Call.BATCH_DELETE)


class Tag(Record):
    """A tag put on every instance of a request; its limits are held by ``payloads``."""

    key: str
    value: str


class BatchOptions(Asked):
    """What the requests of a plan share, as the operator asks for it; None leaves the field out of the payload.

    Nothing is refused here: rules Q4-Q8 report a bad value per rule, and ``payloads`` never builds one.

    Parameters
    ----------
    batch_limit
        Servers per request; 5 by default (batch-create page, field ``servers``: at most 5 by default).
    tenancy
        ``"shared"`` or ``"dedicated"``: where DR servers are made.
    dedicated_host_id
        Dedicated host for DR servers; only with ``tenancy="dedicated"``.
    cluster_id
        Dedicated storage (DSS) pool for DR volumes.
    primary_subnet_id
        Subnet of the DR servers' primary NIC; the value is the subnet's ``neutron_network_id``.
    flavors
        ``{server_id: flavor_id}`` for DR servers that shall not have production's flavor.
    tags
        Tags for every instance, ``{key: value}`` or a list of ``Tag`` (which can show duplicate keys).
    description
        Description of every instance, at most 64 characters.
    """

    batch_limit: int = 5
    tenancy: str | None = None
    dedicated_host_id: str | None = None
    cluster_id: str | None = None
    primary_subnet_id: str | None = None
    flavors: Mapping[str, str] | None = None
    tags: tuple[Tag, ...] | None = None
    description: str | None = None

    @field_validator("dedicated_host_id", "cluster_id", "primary_subnet_id")
    @classmethod
    def _canonical(cls, value: str | None) -> str | None:
        return None if value is None else canonical(value, "")

    @field_validator("flavors")
    @classmethod
    def _of_canonical_servers(cls, value: Mapping[str, str] | None) -> Mapping[str, str] | None:
        return value and {canonical(server): flavor for server, flavor in value.items()}

    @field_validator("tags", mode="before")
    @classmethod
    def _tags_from_mapping(cls, value: object) -> object:
        if isinstance(value, Mapping):
            return tuple(Tag(key=key, value=text) for key, text in value.items())
        return value


def instance_name(name_prefix: str, position: int) -> str:
    """Return the name to expect of the instance at ``position`` (from 1) of a batch create.

    The service appends a mark to the prefix (batch-create page, table 1, name_prefix).  The page shows "-0001" as an
    example; that it counts from 1 in each request is ASSUMED: numbering.
    """
    return f"{name_prefix}-{position:04d}"


class Batch(Record):
    """One request: its servers in sending order and everything they share.

    Parameters
    ----------
    wave
        No part of the request: batches of a wave are sent when every batch of the waves before has ended.
    call
        What is sent; the fields that it does not know are left empty.
    instance_name
        Name of the one instance of a single create.
    instances
        ``{server_id: protected_instance_id}`` of a delete.
    delete_target_server, delete_target_eip
        Whether a delete also takes the DR servers with their volumes, and releases their EIPs.
    """

    batch_id: str
    group_id: str
    name_prefix: str = ""
    wave: int = 1
    call: Call = Call.BATCH_CREATE
    server_ids: tuple[str, ...] = Field(min_length=1)
    flavors: Mapping[str, str] = Field(default_factory=dict)
    cluster_id: str | None = None
    primary_subnet_id: str | None = None
    tenancy: str | None = None
    dedicated_host_id: str | None = None
    tags: tuple[Tag, ...] = ()
    description: str | None = None
    instance_name: str | None = None
    instances: Mapping[str, str] = Field(default_factory=dict)
    delete_target_server: bool = False
    delete_target_eip: bool = False

    @property
    def instance_ids(self) -> tuple[str, ...]:
        """Ids of the protected instances of a delete, in sending order."""
        return tuple(self.instances[server_id] for server_id in self.server_ids if server_id in self.instances)

    @property
    def instance_names(self) -> tuple[str, ...]:
        """Names to expect of the instances that a create makes, in the order of its servers."""
        if self.call is Call.SINGLE_CREATE:
            return (self.instance_name or "",)
        return tuple(instance_name(self.name_prefix, position) for position in range(1, len(self.server_ids) + 1))


class Declared(Record):
    """A fact that was not read but that somebody vouches for; ``fact`` is a frame or ``frame.column``.

    ``value`` is ``"none"`` where there is none, else the value that fills every gap of the column.
    """

    fact: str
    value: str
    who: str = ""
    when: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))

    @property
    def sentence(self) -> str:
        """What was declared, and by whom, in the current language."""
        return _("{fact} was not read; {who} declared: {value}.", fact=self.fact, who=self.who or "-", value=self.value)


class SignOff(Record):
    """Who approved a plan beside the first person, and when."""

    who: str
    when: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))


class Approval(Asked):
    """Somebody's word that exactly this plan may be sent; ``cosigned`` holds the words of others, see ``approvals``.

    ``declared``: facts that the plan rests on although nobody read them; ``warnings``: what the plan said of its
    groups, requests and the estate when the word was given.
    """

    fingerprint: str
    who: str = ""
    when: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))
    cosigned: tuple[SignOff, ...] = ()
    declared: tuple[Declared, ...] = ()
    warnings: tuple[str, ...] = ()


class Wait(Record):
    """Calls are held back until ``until``, since the gateway takes ``calls`` in ``window_s`` seconds."""

    until: AwareDatetime
    calls: int
    window_s: float

    def __str__(self) -> str:
        """Return it as a sentence, by this machine's own clock."""
        time = f"{self.until.astimezone():%H:%M:%S}"
        named = {1.0: _("a second"), 60.0: _("a minute"), 3600.0: _("an hour"), 86400.0: _("a day")}
        window = named.get(self.window_s) or _("in {seconds} s", seconds=f"{self.window_s:g}")
        limit = ngettext_("{count} request {window}", "{count} requests {window}", self.calls, window=window)
        return _("waiting until {time} for the gateway's limit ({limit})", time=time, limit=limit)


#: Told a wait when it begins or its end moves, and None when calls leave again.
OnWait = Callable[[Wait | None], None]


class Pace(Asked):
    """Named waiting times and limits of a run; kept with it in the ledger.

    Parameters
    ----------
    first_look_s, longest_look_s
        Wait before the first look at a job, and the longest wait between looks (job page; ASSUMED: poll_pace:
        5 s growing to 30 s).  Once jobs have ended, the first look waits as long as the fastest of them took.
    settle_s
        How long after an unanswered create the list of instances must stay without a server before that server
        counts as absent; longer than a late acceptance or a lagging list (ASSUMED: late_lists: 180 s).
    job_limit_s
        A job that has not ended by then is left as ``unknown``; resume looks again (ASSUMED: job_limit: 3600 s,
        at least 30 minutes for a batch).
    group_wait_s
        How long to wait for a group in a passing state (starting, stopping, ...) before its batch is held.
    fresh_s, fresh_project_s
        How old the list of the own group's instances, and the project's lists of instances and replication pairs, may
        be at a re-check, so that groups can share a read; everything else is read for each batch.
    patience_s
        How long failing calls (no answer, 429, 5xx) are tried again before the run pauses with the reason.
    resends
        How often a create that provably did nothing is sent again.
    on_failure
        ``"continue"`` with the other batches when one fails, or ``"stop"``: nothing more is sent, what was sent is
        followed to its end.
    enable_protection
        Whether protection of the run's groups is enabled when all of it has ended.
    groups_at_once
        How many groups are worked on side by side; all of a wave where None.
    """

    first_look_s: float = Field(default=5.0, gt=0)
    longest_look_s: float = Field(default=30.0, gt=0)
    settle_s: float = Field(default=180.0, ge=0)
    job_limit_s: float = Field(default=3600.0, gt=0)
    group_wait_s: float = Field(default=0.0, ge=0)
    resends: int = Field(default=3, ge=0)
    fresh_s: float = Field(default=30.0, ge=0)
    fresh_project_s: float = Field(default=120.0, ge=0)
    patience_s: float = Field(default=900.0, ge=0)
    on_failure: Literal["continue", "stop"] = "continue"
    enable_protection: bool = False
    groups_at_once: int | None = Field(default=None, ge=1)

    def delay_s(self, looks: int) -> float:
        """Return the seconds to wait before look number ``looks + 1``: growing by half each time, to the longest."""
        return min(self.first_look_s * 1.5**looks, self.longest_look_s)
