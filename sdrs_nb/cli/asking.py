"""Everything a job can be told, as options of a command: a file of options, and what is typed beside it and wins."""

import functools
import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from sdrs_nb.cli.options import Assume, Choose, Group, Rules
from sdrs_nb.errors import SettingsError
from sdrs_nb.i18n import _

if TYPE_CHECKING:
    from sdrs_nb.planning.options import JobOptions

__all__ = ["PLANNING", "SELECTING", "SENDING", "asks"]


def _option(kind: Any, name: str, metavar: str, text: str, **more: Any) -> Any:
    """Return the annotation of an option that may be left out."""
    return Annotated[kind | None, typer.Option(name, metavar=metavar, help=text, show_default=False, **more)]


_FILE = {
    "options": _option(Path, "--options", "FILE", _("Everything a job can be told (YAML); what is typed beside it "
                                                    "wins. `sdrs-nb options --template` writes one to fill in.")),
}  # fmt: skip
#: What is judged, and what requests share, as the rules look at both.
SELECTING: Mapping[str, Any] = {
    **_FILE,
    "servers": _option(str, "--servers", "FILE|-", _("Only these: a list of ids, names, addresses or host names in a "
                                                     "file (text, CSV, workbook), or - for the standard input.")),
    "where": _option(str, "--where", "EXPR", _("Only servers for which this holds, such as "
                                               "\"az == 'cn-north-4a' && tags.env == 'prod'\".")),
    "group_id": Group,
    "assume": Assume,
    "group_choice": Choose,
    "rulebook": Rules,
    "batch_limit": _option(int, "--batch-limit", "N", _("Servers per request; 5 unless your quota says."), min=1),
    "tenancy": _option(Literal["shared", "dedicated"], "--tenancy", "shared|dedicated",
                       _("Where DR servers are made.")),
    "dedicated_host_id": _option(str, "--host", "ID", _("Dedicated host of the DR servers.")),
    "cluster_id": _option(str, "--pool", "ID", _("Dedicated storage pool of the DR volumes.")),
    "primary_subnet_id": _option(str, "--subnet", "ID", _("Subnet of the DR servers' primary NIC.")),
    "tags": _option(list[str], "--tag", "KEY=VALUE", _("Tag on every instance; may be repeated.")),
    "description": _option(str, "--description", "TEXT", _("Description of every instance.")),
    "flavors": _option(list[str], "--flavor", "SERVER=FLAVOR", _("Flavor of one DR server; may be repeated.")),
}  # fmt: skip
#: How batches are made.
PLANNING: Mapping[str, Any] = {
    "name_prefix": _option(str, "--name-prefix", "TEXT", _("First part of the instances' names, 1 to 59 characters; "
                                                           "dr where left out.")),
    "name_template": _option(str, "--name-template", "TEXT", _("Names in place of prefix and number; its fields are "
                                                               "group, batch, wave and prefix.")),
    "group_order": _option(str, "--group-order", "name|smallest|IDS", _("Which groups go first.")),
    "priority": _option(list[str], "--priority", "SERVER=NUMBER", _("Lower first, where a quota does not reach for "
                                                                    "all; may be repeated.")),
    "wave_limit": _option(int, "--wave-limit", "N", _("Servers a wave may have."), min=1),
    "overrides": _option(list[str], "--override", "ROW", _("What is otherwise for a group_id, tag or server_id, such "
                                                           "as 'tag=env=test; wave=2'; may be repeated.")),
    "known_flavors": _option(list[str], "--known-flavor", "NAME", _("A flavor that no server of the inventory has; "
                                                                    "may be repeated.")),
    "approvals_needed": _option(int, "--approvals", "N", _("Different persons who must approve it before it is "
                                                           "sent.")),
}  # fmt: skip
#: How a plan is sent.
SENDING: Mapping[str, Any] = {
    **_FILE,
    "on_failure": _option(Literal["continue", "stop"], "--on-failure", "continue|stop",
                          _("When a server fails: go on with the other batches, or send nothing more.")),
    "enable_protection": Annotated[bool | None, typer.Option(
        "--enable-protection/--no-enable-protection", show_default=False,
        help=_("Enable the groups' protection when all has ended."))],
    "pace": _option(list[str], "--pace", "NAME=VALUE", _("A waiting time or limit, such as groups_at_once=2 or "
                                                         "job_limit_s=7200; may be repeated.")),
    "pilot": _option(str, "--pilot", "0|1|BATCH", _("Send one batch alone, compare what it brought about, and wait: "
                                                    "1 the smallest, or the id of a batch; 0 none.")),
    "pilot_auto": Annotated[bool | None, typer.Option(
        "--pilot-auto", show_default=False, help=_("Go on without a word where the pilot shows no difference."))],
}  # fmt: skip


def asks(*tables: Mapping[str, Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return what gives a command the options of ``tables``; it gets their values as ``asked``, a ``JobOptions``."""
    added = {name: annotation for table in tables for name, annotation in table.items()}

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def run(*args: Any, **given: Any) -> None:
            command(*args, asked=_asked({name: given.pop(name) for name in added}), **given)

        own = [each for each in inspect.signature(command).parameters.values() if each.name != "asked"]
        more = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
            for name, annotation in added.items()
        ]
        run.__signature__ = inspect.Signature([*own, *more])  # type: ignore[attr-defined]  # what typer reads
        run.__annotations__ = {each.name: each.annotation for each in (*own, *more)}
        return run

    return decorate


def _asked(given: dict[str, Any]) -> "JobOptions":
    """Return what the file and the words of a command say together."""
    from sdrs_nb.inventory.assuming import read_assumptions
    from sdrs_nb.planning.options import JobOptions, read_options

    file = given.pop("options", None)
    said = {name: value for name, value in given.items() if value is not None}
    if said.get("servers") == "-":
        said["servers"] = sys.stdin.read() + "\n"
    if "assume" in said:
        said["assume"] = read_assumptions(said["assume"])
    for name in ("tags", "flavors", "priority"):
        if name in said:
            said[name] = _pairs(said[name], name)
    if "overrides" in said:
        said["overrides"] = [_pairs(text.split(";"), "override") for text in said["overrides"]]
    if said.get("group_order", "name") not in {"name", "smallest"}:
        said["group_order"] = said["group_order"].split(",")
    read = {} if file is None else read_options(file).model_dump(exclude_unset=True)
    if "pace" in said:
        said["pace"] = {**read.get("pace", {}), **_pairs(said["pace"], "pace")}
    return JobOptions(**{**read, **said})


def _pairs(texts: list[str], name: str) -> dict[str, str]:
    """Return ``key=value`` texts as a mapping; the first equals sign parts them, so that a tag may be a value."""
    parts = [text.strip().partition("=") for text in texts if text.strip()]
    if wrong := [key for key, equals, _value in parts if not equals]:
        raise SettingsError(_("--{option}: write KEY=VALUE; {text} has no equals sign.", option=name, text=wrong[0]))
    return {key.strip(): value.strip() for key, _equals, value in parts}
