"""The commands that change nothing: inventory, check, plan."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sdrs_nb.cli import printing, sources, takeback
from sdrs_nb.cli.asking import PLANNING, SELECTING, asks
from sdrs_nb.cli.leaving import NOTHING_ELIGIBLE
from sdrs_nb.cli.options import Json, Mapped, Source
from sdrs_nb.errors import LedgerError, NothingEligibleError, PlanError, SettingsError
from sdrs_nb.i18n import Lines, _, ngettext_
from sdrs_nb.rulebook import load_rulebook
from sdrs_nb.shown.disk import require_place
from sdrs_nb.shown.words import word

if TYPE_CHECKING:
    from sdrs_nb.eligibility.eligibility import Eligibility
    from sdrs_nb.inventory.select import Selection
    from sdrs_nb.planning.options import JobOptions

__all__ = ["check", "inventory", "options", "plan"]

WithCloud = Annotated[
    bool,
    typer.Option(
        "--with-cloud", help=_("SOURCE is a list that says which servers; everything else about them is read now.")
    ),
]
Show = Annotated[
    Literal["verdicts", "findings", "rules", "groups", "missing"],
    typer.Option(help=_("A row per server, reason, rule that fired, protection group, or fact that is not known.")),
]
#: Missing facts that are written out.
_TOLD = 5
_VERDICT_COLUMNS = ("server_id", "name", "group_id", "verdict", "reason", "blockers", "warnings")
_FINDING_COLUMNS = (
    "scope",
    "server_id",
    "group_id",
    "cluster_id",
    "rule",
    "severity",
    "sdrs_code",
    "message",
    "remedy",
)


def inventory(
    context: typer.Context,
    source: Source = None,
    *,
    mapped: Mapped = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="PATH", help=_("Write it to this .xlsx file or folder of CSV files.")),
    ] = None,
    template: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help=_("Write an empty .xlsx or folder to fill in by hand, and stop.")),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="PATH", help=_("An earlier inventory: print what appeared, went and changed since.")),
    ] = None,
    as_json: Json = False,
) -> None:
    """Load the inventory, write it to a file, or compare it with an earlier one."""
    from sdrs_nb.inventory.inventory import read_inventory, write_template

    if template is not None:
        printing.value(write_template(template))
        return
    if out is not None:
        require_place(out if out.suffix == ".xlsx" else out / "servers.csv", makes_folders=out.suffix != ".xlsx")
    earlier = read_inventory(since) if since is not None else None
    found = sources.read(context, source, mapped)
    if out is not None:
        printing.hint(str(found.to_excel(out) if out.suffix == ".xlsx" else found.to_folder(out)))
    if earlier is None:
        printing.frame(found.sources, as_json=as_json)
        return
    from sdrs_nb.aftercare.drift import diff_inventories

    printing.frame(diff_inventories(earlier, found).changes, as_json=as_json)


def _judged(
    context: typer.Context, source: str | None, asked: "JobOptions", *, mapped: list[str] | None, with_cloud: bool
) -> "tuple[Eligibility, Selection | None]":
    """Return the eligibility of the servers asked for, and how these were found; open points are told."""
    if with_cloud:
        if source is None:
            raise SettingsError(_("--with-cloud reads the servers of a list from the cloud; name the list."))
        asked, source = asked.model_copy(update={"servers": source}), None
    _refuse_early(asked)
    inventory = sources.read(context, source, mapped).assume(asked.assume or {})
    selection = asked.selection(inventory)
    if selection is not None:
        printing.hint(selection.sentence)
        for text in (*selection.notes, *selection.open_points):
            printing.hint(text)
    return asked.check(inventory, selection), selection


def _refuse_early(asked: "JobOptions") -> None:
    """Refuse a wrong rule book and a list that cannot be read before minutes of loading."""
    from sdrs_nb.inventory.lists import entries_of

    asked.rules  # noqa: B018 - an unknown name is refused here
    if isinstance(asked.servers, str) and "\n" not in asked.servers:
        entries_of(Path(asked.servers))


def _say_what_is_missing(eligibility: "Eligibility") -> None:
    """Write what servers wait for, best first, and that a group is to be chosen, to the standard error."""
    missing = eligibility.missing
    waited_for = missing[(missing["alone"] + missing["together"]) > 0]
    for fact, alone, together, how in zip(
        *(waited_for[name].head(_TOLD) for name in ("fact", "alone", "together", "how")), strict=True
    ):
        printing.hint(
            _(
                "Not known: {fact} (servers that wait: {alone} for it alone, {together} for others too). {how}",
                fact=fact,
                alone=alone,
                together=together,
                how=how,
            )
        )
    if len(waited_for):
        printing.hint(_("To declare one: --assume {fact}=none", fact=waited_for["fact"].iloc[0]))
    _say_what_to_choose(eligibility)


def _say_what_to_choose(eligibility: "Eligibility") -> None:
    candidates, verdicts = eligibility.candidates, eligibility.verdicts
    waiting = verdicts.loc[verdicts["group_id"].isna() & verdicts["verdict"].isin(["eligible", "warning"]), "server_id"]
    groups = candidates.loc[candidates["server_id"].isin(waiting), "group_id"].drop_duplicates().tolist()
    if groups:
        printing.hint(
            ngettext_(
                "{count} server waits for a group to be chosen: --choose {group}",
                "{count} servers wait for a group to be chosen: --choose {group}",
                len(waiting),
                group=" | ".join(groups),
            )
        )


@asks(SELECTING)
def check(
    context: typer.Context,
    source: Source = None,
    *,
    asked: "JobOptions",
    mapped: Mapped = None,
    with_cloud: WithCloud = False,
    show: Show = "verdicts",
    findings: Annotated[
        Path | None, typer.Option(metavar="FILE", help=_("Also write every finding to this CSV file."))
    ] = None,
    as_json: Json = False,
) -> None:
    """Check every server and print the verdicts, the findings or the rules that fired."""
    from sdrs_nb.shown.exports import write_csv

    if findings is not None:
        require_place(findings, makes_folders=True)
    eligibility, _selection = _judged(context, source, asked, mapped=mapped, with_cloud=with_cloud)
    verdicts = eligibility.verdicts
    if findings is not None:
        write_csv(eligibility.findings, findings)
    match show:
        case "verdicts":
            printing.frame(verdicts, as_json=as_json, columns=_VERDICT_COLUMNS)
        case "findings":
            printing.frame(eligibility.findings, as_json=as_json, columns=_FINDING_COLUMNS)
        case "rules":
            printing.frame(eligibility.by_rule().dropna(subset=["severity"]), as_json=as_json)
        case "groups":
            printing.frame(eligibility.groups, as_json=as_json)
        case "missing":
            printing.frame(eligibility.missing, as_json=as_json)
    counts = verdicts["verdict"].value_counts()
    told = ", ".join(f"{count} {word(verdict)}" for verdict, count in counts.items())
    printing.hint(eligibility.rulebook_reason)
    printing.hint(_("{servers}: {verdicts}", servers=_servers(len(verdicts)), verdicts=told or "-"))
    for warning in eligibility.warnings["message"]:
        printing.hint(warning)
    _say_what_is_missing(eligibility)
    if not verdicts["verdict"].isin(["eligible", "warning"]).any():
        raise typer.Exit(NOTHING_ELIGIBLE)


def _servers(count: int) -> str:
    return ngettext_("{count} server", "{count} servers", count)


@asks(SELECTING, PLANNING)
def plan(
    context: typer.Context,
    source: Source = None,
    *,
    asked: "JobOptions",
    mapped: Mapped = None,
    with_cloud: WithCloud = False,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help=_("Where to write the plan."))] = Path(
        "plan.json"
    ),
    include_unknown: Annotated[
        bool, typer.Option("--include-unknown", help=_("Plan servers of unknown verdict too, for reading: never sent."))
    ] = False,
    remainder: Annotated[
        str | None,
        typer.Option(metavar="RUN", help=_("Plan what is left of this run, with the settings of its own plan.")),
    ] = None,
    as_json: Json = False,
) -> None:
    """Plan the batches, write them to a file and print what would be sent."""
    from sdrs_nb.payloads.batch import prefix_problems
    from sdrs_nb.planning.planning import plan_batches

    # Told before credentials are asked for and minutes of loading.
    require_place(out)
    if problems := list(prefix_problems(asked.name_prefix, asked.rules or load_rulebook())):
        raise PlanError(" ".join(problems))
    if remainder is not None:
        takeback.plan_rest(context, remainder, source, out, asked.rulebook, as_json=as_json)
        return
    eligibility, selection = _judged(context, source, asked, mapped=mapped, with_cloud=with_cloud)
    try:
        planned = plan_batches(
            eligibility, include_unknown=include_unknown, **asked.planning(eligibility.inventory, selection)
        )
    except NothingEligibleError:
        _say_what_is_missing(eligibility)
        raise
    planned.save(out)
    printing.hint(eligibility.rulebook_reason)
    if as_json:
        document = {"fingerprint": planned.fingerprint, "file": str(out), "payloads": planned.payloads()}
        if selection is not None:
            document["open"] = selection.open_points
        printing.document(document)
        return
    printing.frame(planned.servers, as_json=False, columns=("batch_id", "group_id", "name", "server_id"))
    printing.hint(repr(planned))
    printing.hint(Lines(repr(planned.estimate(eligibility.inventory, _seen(eligibility.inventory.about.project_id)))))
    takeback.say_how_to_submit(planned, out)


def _seen(project_id: str | None) -> list[float]:
    """Return how long jobs of this project took; without a ledger or a project nothing was seen."""
    from sdrs_nb.running.job_history import job_durations

    with suppress(LedgerError):
        return job_durations(project_id=project_id) if project_id else []
    return []


def options(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help=_("A file of options (YAML)."), show_default=False)
    ] = None,
    *,
    template: Annotated[bool, typer.Option("--template", help=_("Print a file to fill in, and stop."))] = False,
) -> None:
    """Print a file of options to fill in, or what one says."""
    from sdrs_nb.planning.options import options_template, read_options

    if template == (file is not None):
        raise SettingsError(_("Name a file of options, or ask for one to fill in with --template."))
    if template or file is None:
        printing.lines(options_template())
    else:
        printing.document(read_options(file).model_dump(mode="json", exclude_unset=True))
