"""The command line ``sdrs-nb``: parse, call the stages, print, answer with an exit code.

Exit codes: 0 done, 1 something failed, 2 bad usage or input, 3 nothing eligible, 4 outcome still unknown.
"""

import json
import subprocess
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import pandas as pd
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sdrs_nb import loop
from sdrs_nb.errors import JobFailed, JobTimeout, NothingEligibleError, SdrsError, SubmissionUncertain
from sdrs_nb.i18n import _
from sdrs_nb.models import Stage

__all__ = ["app", "main"]

DONE, FAILED, BAD_INPUT, NOTHING_ELIGIBLE, STILL_UNKNOWN = range(5)

T = TypeVar("T")

app = typer.Typer(
    name="sdrs-nb",
    help="Protect cloud servers against the loss of a site, in bulk.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
runbook_app = typer.Typer(help="Documented procedures as notebooks.", no_args_is_help=True)
app.add_typer(runbook_app, name="runbook")

Json = Annotated[bool, typer.Option("--json", help="Print machine-readable JSON.")]
Source = Annotated[
    str | None, typer.Argument(help="An inventory file or folder instead of the cloud.", show_default=False)
]
Group = Annotated[str | None, typer.Option("--group", help="Judge every server against this protection group.")]
RunId = Annotated[str, typer.Argument(help="Run id, from `sdrs-nb runs`.", show_default=False)]


def main() -> None:
    """Run the command line and leave with its exit code."""
    try:
        app()
    except KeyboardInterrupt:
        Console(stderr=True).print(_("Interrupted; nothing is lost. Carry on with: sdrs-nb resume RUN"), markup=False)
        sys.exit(FAILED)
    except SdrsError as error:
        Console(stderr=True).print(Text(str(error)), soft_wrap=True)
        sys.exit(_exit_code(error))


def _exit_code(error: SdrsError) -> int:
    match error:
        case NothingEligibleError():
            return NOTHING_ELIGIBLE
        case JobFailed():
            return FAILED
        case SubmissionUncertain() | JobTimeout():
            return STILL_UNKNOWN
        case _:
            return BAD_INPUT


def _await(work: Coroutine[Any, Any, T]) -> T:
    return loop.wait(work)


def _print(text: object) -> None:
    typer.echo(str(text))


def _print_frame(frame: pd.DataFrame, *, as_json: bool) -> None:
    if as_json:
        typer.echo(frame.to_json(orient="records", date_format="iso", force_ascii=False))
        return
    table = Table(*(str(column) for column in frame.columns), box=None, header_style="bold")
    for row in frame.itertuples(index=False):
        table.add_row(*(Text("" if pd.isna(value) else str(value)) for value in row))
    Console().print(table)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def sandbox(context: typer.Context) -> None:
    """Start the sandbox cloud: --port 0 --servers 240 --seed 7 --speed 60 (--help shows all)."""
    command = [sys.executable, "-m", "sdrs_nb.sandbox", *context.args]
    with subprocess.Popen(command) as process:  # noqa: S603 - our own module, arguments of the operator
        try:
            code = process.wait()
        except KeyboardInterrupt:
            code = process.wait()
    raise typer.Exit(code)


@app.command()
def inventory(
    out: Annotated[Path | None, typer.Option(help="Write it to this .xlsx file or folder of CSV files.")] = None,
    template: Annotated[Path | None, typer.Option(help="Write an empty inventory file to fill in.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Load the inventory of the project and say what was found."""
    from sdrs_nb import inventory as stage

    if template is not None:
        _print(stage.write_template(template))
        return
    found = _await(_load())
    if out is not None:
        _print(found.to_excel(out) if out.suffix == ".xlsx" else found.to_folder(out))
    _print_frame(found.sources, as_json=as_json)


async def _load() -> Any:
    from sdrs_nb.cloud import connect
    from sdrs_nb.inventory import load_inventory

    async with connect() as cloud:
        return await load_inventory(cloud)


def _read(source: str | None) -> Any:
    from sdrs_nb.inventory import read_inventory

    return _await(_load()) if source is None else read_inventory(source)


def _checked(source: str | None, group: str | None, batch_limit: int = 5) -> Any:
    from sdrs_nb.eligibility import check_eligibility
    from sdrs_nb.models import BatchOptions

    return check_eligibility(_read(source), options=BatchOptions(batch_limit=batch_limit), group_id=group)


@app.command()
def check(
    source: Source = None,
    group: Group = None,
    findings: Annotated[Path | None, typer.Option(help="Write every finding to this CSV file.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Check every server's eligibility and print the verdicts."""
    from sdrs_nb.exports import write_csv

    eligibility = _checked(source, group)
    if findings is not None:
        write_csv(eligibility.findings, findings)
    verdicts = eligibility.verdicts
    _print_frame(verdicts, as_json=as_json)
    if not verdicts["verdict"].isin(["eligible", "warning"]).any():
        raise typer.Exit(NOTHING_ELIGIBLE)


@app.command()
def plan(
    source: Source = None,
    group: Group = None,
    name_prefix: Annotated[str, typer.Option(help="First part of the instances' names.")] = "dr",
    batch_limit: Annotated[int, typer.Option(help="Servers per request.")] = 5,
    out: Annotated[Path, typer.Option(help="Where to write the plan.")] = Path("plan.json"),
    *,
    as_json: Json = False,
) -> None:
    """Plan the batches, write them to a file and print what would be sent."""
    from sdrs_nb.planning import plan_batches

    planned = plan_batches(_checked(source, group, batch_limit), name_prefix=name_prefix)
    planned.save(out)
    if as_json:
        typer.echo(json.dumps({"fingerprint": planned.fingerprint, "file": str(out), "payloads": planned.payloads()}))
        return
    _print(planned)
    _print(_("Written to {file}. Approve it with: sdrs-nb submit {file} --approve {fingerprint}",
             file=out, fingerprint=planned.fingerprint))  # fmt: skip


@app.command()
def submit(
    file: Annotated[Path, typer.Argument(help="The plan, from `sdrs-nb plan`.")],
    approve: Annotated[str, typer.Option(help="The fingerprint of the plan that you reviewed.")],
    *,
    as_json: Json = False,
) -> None:
    """Send the approved plan, follow it to its end and verify it."""
    from sdrs_nb.planning import Plan

    _finish(_send(Plan.load(file), approve), as_json=as_json)


async def _send(planned: Any, approve: str) -> pd.DataFrame:
    from sdrs_nb import submission
    from sdrs_nb.cloud import connect

    async with connect() as cloud:
        run = await submission.submit(cloud, planned, approve=approve)
        typer.echo(_("Run {run}", run=run.run_id), err=True)
        return await _followed(cloud, run)


async def _followed(cloud: Any, run: Any) -> pd.DataFrame:
    from sdrs_nb.following import follow
    from sdrs_nb.progress import ProgressLines
    from sdrs_nb.verification import verify

    await follow(cloud, run, on_change=ProgressLines(sys.stderr))
    return await verify(cloud, run)


async def _carry_on(run_id: str) -> pd.DataFrame:
    from sdrs_nb.cloud import connect
    from sdrs_nb.runs import open_run

    run = open_run(run_id)
    async with connect() as cloud:
        return await _followed(cloud, run)


def _finish(work: Coroutine[Any, Any, pd.DataFrame], *, as_json: bool) -> None:
    outcome = _await(work)
    _print_frame(outcome, as_json=as_json)
    stages = set(outcome["stage"])
    if stages & {Stage.UNKNOWN, Stage.ACCEPTED, Stage.JOB_OK}:
        raise typer.Exit(STILL_UNKNOWN)
    if stages & {Stage.FAILED, Stage.NOT_SENT}:
        raise typer.Exit(FAILED)


@app.command()
def follow(run_id: RunId, *, as_json: Json = False) -> None:
    """Follow a run until all is sent and every job ended."""
    _finish(_carry_on(run_id), as_json=as_json)


@app.command()
def resume(run_id: RunId, *, as_json: Json = False) -> None:
    """Finish a run after any interruption; nothing is ever sent twice."""
    _finish(_carry_on(run_id), as_json=as_json)


@app.command()
def verify(run_id: RunId, *, as_json: Json = False) -> None:
    """Compare what a run planned with what the cloud shows now."""
    _finish(_verified(run_id), as_json=as_json)


async def _verified(run_id: str) -> pd.DataFrame:
    from sdrs_nb import verification
    from sdrs_nb.cloud import connect
    from sdrs_nb.runs import open_run

    run = open_run(run_id)
    async with connect() as cloud:
        return await verification.verify(cloud, run)


@app.command()
def report(run_id: RunId, path: Annotated[Path, typer.Argument(help="The HTML file.")] = Path("report.html")) -> None:
    """Write the report of a run as one HTML file, with its outcome as CSV beside it."""
    from sdrs_nb import reporting
    from sdrs_nb.runs import open_run

    _print(reporting.report(open_run(run_id), path))


@app.command()
def runs(*, as_json: Json = False) -> None:
    """List the runs in the ledger."""
    from sdrs_nb.runs import list_runs

    _print_frame(list_runs(), as_json=as_json)


@runbook_app.command("list")
def runbook_list() -> None:
    """List the runbooks that come with the package."""
    from sdrs_nb.runbooks import list_runbooks

    for name in list_runbooks():
        _print(name)


@runbook_app.command("copy")
def runbook_copy(folder: Path) -> None:
    """Copy the runbooks into a folder, to read and change them."""
    from sdrs_nb.runbooks import copy_runbooks

    for path in copy_runbooks(folder):
        _print(path)


# Typer takes no option with two values, any number of times; the ones after the name are read here.
@runbook_app.command("run", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def runbook_run(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name, from `sdrs-nb runbook list`.")],
    out: Annotated[Path, typer.Option(help="Folder for the executed notebook and what it writes.")] = Path("out"),
) -> None:
    """Run a runbook from top to bottom and keep the executed notebook as evidence.

    Set its parameters with -p NAME VALUE, as often as needed: sdrs-nb runbook run 20_protect_servers -p sandbox true
    """
    from sdrs_nb.runbooks import run_runbook

    values = {"out": str(out), **_parameters(context.args)}
    _print(run_runbook(name, out / f"{name.removesuffix('.ipynb')}.ipynb", values))


def _parameters(words: list[str]) -> dict[str, object]:
    values: dict[str, object] = {}
    rest = iter(words)
    for word in rest:
        name, value = next(rest, None), next(rest, None)
        if word not in ("-p", "--parameter") or name is None or value is None:
            raise typer.BadParameter(_("Write parameters as -p NAME VALUE; {word} is not understood.", word=word))
        values[name] = _value(value)
    return values


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


if __name__ == "__main__":
    main()
