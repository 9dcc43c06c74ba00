"""The commands that change nothing: inventory, check, plan."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sdrs_nb.cli import printing, sources, takeback
from sdrs_nb.cli.leaving import NOTHING_ELIGIBLE
from sdrs_nb.cli.options import Group, Json, Rules, Source
from sdrs_nb.errors import LedgerError
from sdrs_nb.i18n import _, ngettext_
from sdrs_nb.rulebook import read_rulebook
from sdrs_nb.words import word

if TYPE_CHECKING:
    from sdrs_nb.eligibility import Eligibility

__all__ = ["check", "inventory", "plan"]

Limit = Annotated[int, typer.Option("--batch-limit", min=1, help=_("Servers per request; 5 unless your quota says."))]
Show = Annotated[
    Literal["verdicts", "findings", "rules"],
    typer.Option(help=_("A row per server, per reason, or per rule that fired.")),
]
_VERDICT_COLUMNS = ("server_id", "name", "group_id", "verdict", "blockers", "warnings")
_FINDING_COLUMNS = ("server_id", "group_id", "rule", "severity", "sdrs_code", "message", "remedy")


def inventory(
    context: typer.Context,
    source: Source = None,
    *,
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
    earlier = read_inventory(since) if since is not None else None
    found = sources.read(context, source)
    if out is not None:
        printing.hint(str(found.to_excel(out) if out.suffix == ".xlsx" else found.to_folder(out)))
    if earlier is None:
        printing.frame(found.sources, as_json=as_json)
        return
    from sdrs_nb.covering.drift import diff_inventories

    printing.frame(diff_inventories(earlier, found).changes, as_json=as_json)


def _checked(
    context: typer.Context, source: str | None, group: str | None, batch_limit: int, rulebook: str | None
) -> "Eligibility":
    from sdrs_nb.eligibility import check_eligibility
    from sdrs_nb.models import BatchOptions

    rules = read_rulebook(rulebook) if rulebook else None  # refused before minutes of loading
    found = sources.read(context, source)
    options = BatchOptions(batch_limit=batch_limit)
    return check_eligibility(found, options=options, group_id=group, rulebook=rules)


def check(
    context: typer.Context,
    source: Source = None,
    *,
    group: Group = None,
    batch_limit: Limit = 5,
    rulebook: Rules = None,
    show: Show = "verdicts",
    findings: Annotated[
        Path | None, typer.Option(metavar="FILE", help=_("Also write every finding to this CSV file."))
    ] = None,
    as_json: Json = False,
) -> None:
    """Check every server and print the verdicts, the findings or the rules that fired."""
    from sdrs_nb.exports import write_csv

    eligibility = _checked(context, source, group, batch_limit, rulebook)
    verdicts = eligibility.verdicts
    if findings is not None:
        write_csv(eligibility.findings, findings)
    match show:
        case "verdicts":
            printing.frame(verdicts, as_json=as_json, columns=_VERDICT_COLUMNS)
        case "findings":
            printing.frame(eligibility.findings, as_json=as_json, columns=_FINDING_COLUMNS)
        case "rules":
            printing.frame(eligibility.by_rule(), as_json=as_json)
    counts = verdicts["verdict"].value_counts()
    told = ", ".join(f"{count} {word(verdict)}" for verdict, count in counts.items())
    printing.hint(eligibility.rulebook_reason)
    printing.hint(_("{servers}: {verdicts}", servers=_servers(len(verdicts)), verdicts=told or "-"))
    if not verdicts["verdict"].isin(["eligible", "warning"]).any():
        raise typer.Exit(NOTHING_ELIGIBLE)


def _servers(count: int) -> str:
    return ngettext_("{count} server", "{count} servers", count)


def plan(
    context: typer.Context,
    source: Source = None,
    *,
    group: Group = None,
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
    remainder: Annotated[
        str | None,
        typer.Option(metavar="RUN", help=_("Plan what is left of this run, with the settings of its own plan.")),
    ] = None,
    as_json: Json = False,
) -> None:
    """Plan the batches, write them to a file and print what would be sent."""
    from sdrs_nb.planning.planning import plan_batches

    if remainder is not None:
        takeback.plan_rest(context, remainder, source, out, rulebook, as_json=as_json)
        return
    eligibility = _checked(context, source, group, batch_limit, rulebook)
    planned = plan_batches(eligibility, name_prefix=name_prefix, approvals_needed=approvals)
    planned.save(out)
    printing.hint(eligibility.rulebook_reason)
    if as_json:
        printing.document({"fingerprint": planned.fingerprint, "file": str(out), "payloads": planned.payloads()})
        return
    printing.frame(planned.servers, as_json=False, columns=("batch_id", "group_id", "name", "server_id"))
    printing.hint(repr(planned))
    printing.hint(repr(planned.estimate(eligibility.inventory, _seen(eligibility.inventory.about.project_id))))
    takeback.say_how_to_submit(planned, out)


def _seen(project_id: str | None) -> list[float]:
    """Return how long jobs of this project took; without a ledger or a project nothing was seen."""
    from sdrs_nb.running.job_history import job_durations

    with suppress(LedgerError):
        return job_durations(project_id=project_id) if project_id else []
    return []
