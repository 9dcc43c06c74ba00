"""The commands that change nothing: inventory, check, plan."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sdrs_nb.cli import printing, sources, takeback
from sdrs_nb.cli.leaving import NOTHING_ELIGIBLE
from sdrs_nb.cli.options import Assume, Choose, Group, Json, Mapped, Rules, Source
from sdrs_nb.errors import LedgerError, NothingEligibleError, PlanError
from sdrs_nb.i18n import Lines, _, ngettext_
from sdrs_nb.ids import canonical
from sdrs_nb.rulebook import choose_rulebook, load_rulebook, read_rulebook
from sdrs_nb.shown.disk import require_place
from sdrs_nb.shown.words import word

if TYPE_CHECKING:
    from sdrs_nb.eligibility.eligibility import Eligibility

__all__ = ["check", "inventory", "plan"]

Limit = Annotated[int, typer.Option("--batch-limit", min=1, help=_("Servers per request; 5 unless your quota says."))]
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


def _choices(eligibility: "Eligibility", choose: list[str]) -> dict[str, str]:
    """Return the group chosen for each server: one named by its id, or every server that waits for a choice.

    Raises ``PlanError`` for a group that fits no server.
    """
    own = [text.partition("=") for text in choose if "=" in text]
    candidates = eligibility.candidates
    several = candidates[candidates.duplicated("server_id", keep=False)]
    for_all = [canonical(text, "group_id") for text in choose if "=" not in text]
    if strangers := set(for_all) - {*candidates["group_id"]}:
        raise PlanError(
            _(
                "No server is known to fit protection group {group}. Choose one of: {groups}.",
                group=min(strangers),
                groups=", ".join(sorted({*candidates["group_id"]})) or "-",
            )
        )
    fitting = several[several["group_id"].isin(for_all)].drop_duplicates("server_id")
    return {
        **dict(zip(fitting["server_id"], fitting["group_id"], strict=True)),
        **{server: group for server, _equals, group in own},
    }


def _checked(
    context: typer.Context,
    source: str | None,
    *,
    group: str | None,
    batch_limit: int,
    assume: list[str] | None,
    choose: list[str] | None,
    rulebook: str | None,
    mapped: list[str] | None,
) -> "Eligibility":
    from sdrs_nb.eligibility.eligibility import check_eligibility
    from sdrs_nb.inventory.assuming import read_assumptions
    from sdrs_nb.models import BatchOptions

    rules = read_rulebook(rulebook) if rulebook else None  # refused before minutes of loading
    declared = read_assumptions(assume or ())
    inventory = sources.read(context, source, mapped).assume(declared)
    options = BatchOptions(batch_limit=batch_limit)
    checked = check_eligibility(inventory, options=options, group_id=group, rulebook=rules)
    if choose:
        choices = _choices(checked, choose)
        checked = check_eligibility(inventory, options=options, group_id=group, group_choice=choices, rulebook=rules)
    return checked


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


def check(
    context: typer.Context,
    source: Source = None,
    *,
    group: Group = None,
    assume: Assume = None,
    choose: Choose = None,
    mapped: Mapped = None,
    batch_limit: Limit = 5,
    rulebook: Rules = None,
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
    eligibility = _checked(
        context,
        source,
        group=group,
        batch_limit=batch_limit,
        assume=assume,
        choose=choose,
        rulebook=rulebook,
        mapped=mapped,
    )
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


def plan(
    context: typer.Context,
    source: Source = None,
    *,
    group: Group = None,
    assume: Assume = None,
    choose: Choose = None,
    mapped: Mapped = None,
    name_prefix: Annotated[
        str, typer.Option(metavar="TEXT", help=_("First part of the instances' names, 1 to 59 characters."))
    ] = "dr",
    batch_limit: Limit = 5,
    rulebook: Rules = None,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help=_("Where to write the plan."))] = Path(
        "plan.json"
    ),
    approvals: Annotated[
        int,
        typer.Option("--approvals", metavar="N", help=_("Different persons who must approve it before it is sent.")),
    ] = 1,
    include_unknown: Annotated[
        bool,
        typer.Option("--include-unknown", help=_("Plan servers of unknown verdict too, for reading: never sent.")),
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
    if problems := list(prefix_problems(name_prefix, choose_rulebook(rulebook, load_rulebook()))):
        raise PlanError(" ".join(problems))
    if remainder is not None:
        takeback.plan_rest(context, remainder, source, out, rulebook, as_json=as_json)
        return
    eligibility = _checked(
        context,
        source,
        group=group,
        batch_limit=batch_limit,
        assume=assume,
        choose=choose,
        rulebook=rulebook,
        mapped=mapped,
    )
    try:
        planned = plan_batches(
            eligibility, name_prefix=name_prefix, approvals_needed=approvals, include_unknown=include_unknown
        )
    except NothingEligibleError:
        _say_what_is_missing(eligibility)
        raise
    planned.save(out)
    printing.hint(eligibility.rulebook_reason)
    if as_json:
        printing.document({"fingerprint": planned.fingerprint, "file": str(out), "payloads": planned.payloads()})
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
