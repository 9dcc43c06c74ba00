"""Everything a job can be told, in one file: which servers, what requests share, groups, waves, how it is sent.

The words are those of ``BatchOptions``, ``check_eligibility``, ``plan_batches``, ``submit`` and ``Pace``; command line
and runbooks take the same file.
"""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, field_validator

from sdrs_nb.asked import checked
from sdrs_nb.eligibility.eligibility import Eligibility, check_eligibility
from sdrs_nb.errors import InventoryError, NothingEligibleError, PlanError, Problem, SettingsError
from sdrs_nb.i18n import _
from sdrs_nb.ids import canonical
from sdrs_nb.intake.documents import yaml_of
from sdrs_nb.intake.files import read_file, told
from sdrs_nb.intake.limits import IntakeError, UnreadableError
from sdrs_nb.inventory.inventory import Inventory
from sdrs_nb.inventory.select import Selection, select
from sdrs_nb.models import BatchOptions, Pace
from sdrs_nb.rulebook import Rulebook, read_rulebook

__all__ = ["JobOptions", "options_template", "read_options"]

Value = TypeVar("Value")


class JobOptions(BatchOptions):
    """What a job is told beside its inventory and its approval; every field may be left out.

    Parameters
    ----------
    servers
        Which servers: a list of ids, names, addresses or host names, or the path of a file that holds one (a text
        of several lines is the list itself); see ``select``.  All where nothing is said.
    where
        An expression over columns and tags that the servers have to satisfy as well.
    group_id
        Judge every server against this protection group.
    group_choice
        Where several groups fit: ids of groups for every server that they fit, ``server=group_id`` for one server,
        or ``{server: group_id}``.
    rulebook
        Whose rules, see ``read_rulebook``.
    assume
        Facts that could not be read, ``{fact: value}``; see ``Inventory.assume``.
    name_prefix, name_template, group_order, priority, wave_limit, overrides, known_flavors, approvals_needed
        As ``plan_batches`` takes them; ``priority`` and ``overrides`` may name servers as ``servers`` does.
    on_failure, enable_protection, pace, pilot, pilot_auto
        As ``submit`` takes them.

    Raises
    ------
    SettingsError
        A field is unknown, or its value is of the wrong kind.
    """

    servers: tuple[str, ...] | str | None = None
    where: str | None = None
    group_id: str | None = None
    group_choice: str | tuple[str, ...] | Mapping[str, str] | None = None
    rulebook: str | None = None
    assume: Mapping[str, Any] | None = None
    name_prefix: str = "dr"
    name_template: str | None = None
    group_order: Literal["name", "smallest"] | tuple[str, ...] = "name"
    priority: Mapping[str, float] | None = None
    wave_limit: int | None = Field(default=None, ge=1)
    overrides: tuple[Mapping[str, Any], ...] = ()
    known_flavors: tuple[str, ...] = ()
    approvals_needed: int = 1
    on_failure: Literal["continue", "stop"] | None = None
    enable_protection: bool = False
    pace: Pace = Field(default_factory=Pace)
    pilot: int | str | None = None
    pilot_auto: bool = False

    @field_validator("servers", mode="before")
    @classmethod
    def _texts(cls, value: object) -> object:
        return tuple(map(str, value)) if isinstance(value, (list, tuple)) else value

    @property
    def batch(self) -> BatchOptions:
        """What the requests share."""
        return BatchOptions(**{name: getattr(self, name) for name in BatchOptions.model_fields})

    @property
    def rules(self) -> Rulebook | None:
        """The rule book that is asked for; None: that of the cloud.  Raises ``SettingsError`` for an unknown one."""
        return read_rulebook(self.rulebook) if self.rulebook else None

    def selection(self, inventory: Inventory) -> Selection | None:
        """Return which servers are meant, and what of the list is open; None where all are.

        Raises
        ------
        InventoryError
            No entry of the list names a server, or the list or the expression cannot be used.
        NothingEligibleError
            The expression holds for no server.
        """
        if self.servers is None and self.where is None:
            return None
        is_path = isinstance(self.servers, str) and "\n" not in self.servers
        found = select(inventory, Path(str(self.servers)) if is_path else self.servers, where=self.where)
        if found.server_ids:
            return found
        if not found.open_points:
            raise NothingEligibleError(" ".join([_("No server is selected."), *found.notes]))
        problems = [Problem(_("list"), None, None, each) for each in found.open_points]
        raise InventoryError(_("No entry of the list names one server."), problems)

    def check(
        self, inventory: Inventory, selection: Selection | None = None, *, rulebook: Rulebook | None = None
    ) -> Eligibility:
        """Return the eligibility of the servers that ``selection`` holds, all where it is None, by these options.

        ``rulebook`` wins over the one named here, as that of a run that is carried on.

        Raises
        ------
        PlanError
            A group fits no server, or a server that is named is not one; further as ``check_eligibility``.
        """
        shared = self.batch
        if shared.flavors:
            shared = shared.model_copy(update={"flavors": _by_id(inventory, shared.flavors)})
        asked: dict[str, Any] = {
            "options": shared,
            "group_id": self.group_id,
            "server_ids": None if selection is None else selection.server_ids,
            "rulebook": rulebook or self.rules,
        }
        judged = check_eligibility(inventory, **asked)
        if not self.group_choice:
            return judged
        return check_eligibility(inventory, group_choice=self._choices(judged), **asked)

    def _choices(self, judged: Eligibility) -> dict[str, str]:
        """Return the group chosen for each server: one that is named, or every server that waits for a choice."""
        if isinstance(self.group_choice, Mapping):
            return _by_id(judged.inventory, self.group_choice)
        texts = (self.group_choice,) if isinstance(self.group_choice, str) else self.group_choice or ()
        own = [text.rpartition("=") for text in texts if "=" in text]
        for_all = [canonical(text, "group_id") for text in texts if "=" not in text]
        candidates = judged.candidates
        if strangers := set(for_all) - {*candidates["group_id"]}:
            raise PlanError(
                _(
                    "No server is known to fit protection group {group}. Choose one of: {groups}.",
                    group=min(strangers),
                    groups=", ".join(sorted({*candidates["group_id"]})) or "-",
                )
            )
        several = candidates[candidates.duplicated("server_id", keep=False)]
        fitting = several[several["group_id"].isin(for_all)].drop_duplicates("server_id")
        return {
            **dict(zip(fitting["server_id"], fitting["group_id"], strict=True)),
            **_by_id(judged.inventory, {server: group for server, _equals, group in own}),
        }

    def planning(self, inventory: Inventory, selection: Selection | None = None) -> dict[str, Any]:
        """Return what ``plan_batches`` is told beside the eligibility; servers by their ids.

        ``selection``: what the list came to, so that the plan names the entries that selected nobody.

        Raises
        ------
        PlanError
            A server that is named is not one of the inventory.
        """
        rows = [
            {**row, "server_id": next(iter(_by_id(inventory, {str(row["server_id"]): 0})))}
            if "server_id" in row
            else row
            for row in self.overrides
        ]
        return {
            "name_prefix": self.name_prefix,
            "name_template": self.name_template,
            "group_order": self.group_order,
            "priority": _by_id(inventory, self.priority) if self.priority else None,
            "wave_limit": self.wave_limit,
            "overrides": rows or None,
            "known_flavors": self.known_flavors,
            "approvals_needed": self.approvals_needed,
            "selection": selection,
        }

    @property
    def sending(self) -> dict[str, Any]:
        """What ``submit`` is told beside the plan and its approval."""
        names = ("on_failure", "enable_protection", "pace", "pilot", "pilot_auto")
        return {name: getattr(self, name) for name in names}


def _by_id(inventory: Inventory, values: Mapping[str, Value]) -> dict[str, Value]:
    """Return ``values`` by server id; servers may be named as in a list, as long as each name means one."""
    known = set(inventory.servers["server_id"])
    found: dict[str, Value] = {}
    open_points: list[str] = []
    for name, value in values.items():
        if (server_id := canonical(name)) in known:
            found[server_id] = value
            continue
        chosen = select(inventory, [name])
        open_points += chosen.open_points
        found |= dict.fromkeys(chosen.server_ids, value)
    if open_points:
        raise PlanError("\n".join(open_points))
    return found


@checked
def read_options(path: "str | PathLike[str]") -> JobOptions:
    """Return what a file of options (YAML) says; ``sdrs-nb options --template`` writes one to fill in.

    A path in ``servers`` is looked for beside the file.  No network; reads the file.

    Raises
    ------
    SettingsError
        The file cannot be read, is no YAML, or has a field that is unknown or of the wrong kind.
    """
    place = Path(path)
    try:
        content = yaml_of(read_file(place).decode("utf-8-sig"))
    except OSError as error:
        raise SettingsError(_("{path} cannot be read: {reason}.", path=place, reason=told(error))) from error
    except (IntakeError, UnreadableError, UnicodeDecodeError) as error:
        reason = _("This is not UTF-8.") if isinstance(error, UnicodeDecodeError) else error
        raise SettingsError(_("The options in {path} cannot be used: {reason}", path=place, reason=reason)) from None
    if content is not None and not isinstance(content, dict):
        raise SettingsError(_("The options in {path} are no fields with values, such as batch_limit: 5.", path=place))
    given = {str(name): value for name, value in (content or {}).items() if value is not None}
    beside = place.parent / given["servers"] if isinstance(given.get("servers"), str) else None
    if beside is not None and beside.is_file():
        given["servers"] = str(beside)
    try:
        options = JobOptions(**given)
        options.rules  # noqa: B018 - a rule book that is none is refused with its file
    except SettingsError as error:
        raise SettingsError(_("The options in {path} cannot be used: {reason}", path=place, reason=error)) from None
    return options


def options_template() -> str:
    """Return a file of options to fill in: every field with what it means, none of them set."""
    head = _("What a job is told. Take away the # in front of what you want; what is left out stays as it is.")
    parts = [
        "\n".join([f"# {title}", *(f"#{example}  # {meaning}" for example, meaning in fields)])
        for title, fields in _parts()
    ]
    return "\n\n".join([f"# {head}", *parts]) + "\n"


def _parts() -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Return the fields of a file of options by what they are about: an example of each, and its meaning."""
    return (
        (
            _("Which servers"),
            (
                ("servers: [web-01, 10.0.0.7]", _("ids, names, addresses, host names, or a file of them")),
                ("where: az == 'cn-north-4a' && tags.env == 'prod'", _("an expression over columns and tags")),
                ("assume: {drill_servers: none}", _("facts that could not be read, declared in your name")),
            ),
        ),
        (
            _("Groups and rules"),
            (
                ("group_id: GROUP_ID", _("judge every server against this protection group")),
                ("group_choice: GROUP_ID", _("where several fit: one for all, or a group for each server")),
                ("rulebook: huaweicloud", _("whose rules; those of the cloud where left out")),
            ),
        ),
        (
            _("What requests share"),
            (
                ("batch_limit: 5", _("servers per request")),
                ("tenancy: shared", _("shared or dedicated: where DR servers are made")),
                ("dedicated_host_id: HOST_ID", _("dedicated host, with tenancy: dedicated")),
                ("cluster_id: POOL_ID", _("dedicated storage pool of the DR volumes")),
                ("primary_subnet_id: SUBNET_ID", _("subnet of the DR servers' primary NIC")),
                ("tags: {owner: ops}", _("on every instance")),
                ("description: TEXT", _("of every instance, at most 64 characters")),
                ("flavors: {web-01: s6.large.2}", _("DR servers of another flavor than production")),
            ),
        ),
        (
            _("Batches"),
            (
                ("name_prefix: dr", _("first part of the instances' names")),
                ('name_template: "{group}-{batch:03d}"', _("in place of prefix and number")),
                ("group_order: name", _("name, smallest, or a list of group ids")),
                ("priority: {db-01: 1}", _("lower first, where a quota does not reach for all")),
                ("wave_limit: 50", _("servers a wave may have")),
                ("overrides: [{tag: env=test, wave: 2}]", _("what is otherwise for a group_id, tag or server_id")),
                ("known_flavors: [s7.large.2]", _("flavors that no server of the inventory has")),
                ("approvals_needed: 1", _("different persons who must approve")),
            ),
        ),
        (
            _("Sending"),
            (
                ("on_failure: continue", _("continue with the other batches when one fails, or stop")),
                ("enable_protection: false", _("enable the groups' protection at the end")),
                ("pace: {groups_at_once: 4, job_limit_s: 3600}", _("waiting times and limits, see Pace")),
                ("pilot: 1", _("send one batch alone, compare it, and wait: 0, 1, or the id of the batch")),
                ("pilot_auto: false", _("go on without a word where the pilot shows no difference")),
            ),
        ),
    )
