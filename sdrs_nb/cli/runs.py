"""The commands of a run: submit, follow, resume, verify, report, runs."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sdrs_nb.cli import leaving, printing, takeback, watching
from sdrs_nb.cli.options import Connection, Json, RunId, given
from sdrs_nb.errors import ClaimedError, NoBatchCallError, SdrsError, SettingsError
from sdrs_nb.i18n import _

if TYPE_CHECKING:
    from sdrs_nb.cloud import Cloud
    from sdrs_nb.running.runs import Run

__all__ = ["follow", "report", "resume", "runs", "submit", "verify"]

_OUTCOME_COLUMNS = ("server_id", "name", "batch_id", "stage", "error_code", "message")
# Errors that say that the run was never ours to carry on.
_NOT_OURS = (ClaimedError, SettingsError)
Begin = Callable[["Cloud"], Awaitable["Run"]]


def submit(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="PLAN", help=_("The plan, from `sdrs-nb plan`."))],
    *,
    approve: Annotated[
        str,
        typer.Option(
            metavar="FINGERPRINT", help=_("Names the plan that you reviewed; or an approval file, see sdrs-nb approve.")
        ),
    ],
    as_json: Json = False,
) -> None:
    """Send the approved plan, follow it to its end and verify it."""
    from sdrs_nb.planning.planning import Plan

    planned = Plan.load(file)

    async def begin(cloud: "Cloud") -> "Run":
        from sdrs_nb.running import submission
        from sdrs_nb.where import Where

        printing.hint(str(Where.of_identity(await cloud.check())))
        run = await submission.submit(cloud, planned, approve=takeback.approval_in(approve))
        printing.hint(_("Run {run}", run=run.run_id))
        printing.hint(planned.rulebook_reason(cloud.settings.site))
        return run

    _walk(given(context), begin, as_json=as_json)


def _walk(connection: Connection, begin: Begin, *, as_json: bool) -> None:
    """Carry a run to its end and print its outcome; whatever interrupts it, say how to carry on."""
    known: list[Run] = []
    try:
        # asyncio.run turns Ctrl-C into a cancelled follow, which lets the request under way be answered first.
        asyncio.run(_walked(connection, begin, known))
    except (KeyboardInterrupt, SdrsError) as error:
        if not known or isinstance(error, _NOT_OURS):
            raise
        raise typer.Exit(_paused(known[0], error)) from None
    _finish(known[0], as_json=as_json)


async def _walked(connection: Connection, begin: Begin, known: "list[Run]") -> None:
    from sdrs_nb.running.following import follow as until_done
    from sdrs_nb.running.verification import verify as compare

    async with connection.connect() as cloud:
        known.append(run := await begin(cloud))
        with watching.running(quiet=connection.quiet) as on_change:
            await until_done(cloud, run, on_change=on_change)
        await compare(cloud, run)


def _paused(run: "Run", error: BaseException) -> int:
    reason = str(error) or _("Interrupted.")
    if isinstance(error, NoBatchCallError):
        words = f"undo {run.plan.undoes}" if run.plan.is_deletion else f"plan --remainder {run.run_id}"
        printing.hint(_("{reason} The command: sdrs-nb {command} --rulebook otc", reason=reason, command=words))
    else:
        printing.hint(_("{reason} Carry on with: sdrs-nb resume {run}", reason=reason, run=run.run_id))
    reached = leaving.code_of_stages(run.servers["stage"])
    if reached == leaving.STILL_UNKNOWN or not isinstance(error, SdrsError):
        return leaving.STILL_UNKNOWN
    return leaving.code_of(type(error))


def _finish(run: "Run", *, as_json: bool) -> None:
    from sdrs_nb.running.outcomes import state_tone
    from sdrs_nb.tables import worst_first

    outcome = worst_first(run.servers)
    for trouble in run.troubles:
        printing.hint(str(trouble), trouble.tone)
    where = {name: value for name, value in run.where.document().items() if name not in outcome}
    printing.frame(outcome.assign(run_id=run.run_id, **where) if as_json else outcome, as_json=as_json,
                   columns=_OUTCOME_COLUMNS)  # fmt: skip
    printing.hint(repr(run), state_tone(run.state, run.counts))
    if code := leaving.code_of_stages(outcome["stage"]):
        raise typer.Exit(code)


def follow(context: typer.Context, run_id: RunId, *, as_json: Json = False) -> None:
    """Follow a run until all is sent and every job ended."""
    _walk(given(context), _opened(run_id), as_json=as_json)


def resume(context: typer.Context, run_id: RunId, *, as_json: Json = False) -> None:
    """Finish a run after any interruption; nothing is ever sent twice."""
    _walk(given(context), _opened(run_id), as_json=as_json)


def _opened(run_id: str) -> Begin:
    from sdrs_nb.running.runs import open_run

    run = open_run(run_id)

    async def begin(cloud: "Cloud") -> "Run":
        printing.hint(str(run.where))
        printing.hint(run.plan.rulebook_reason(cloud.settings.site))
        return run

    return begin


def verify(context: typer.Context, run_id: RunId, *, as_json: Json = False) -> None:
    """Compare what a run planned with what the cloud shows now."""
    from sdrs_nb.running.runs import open_run

    run = open_run(run_id)
    asyncio.run(_verified(given(context), run))
    _finish(run, as_json=as_json)


async def _verified(connection: Connection, run: "Run") -> None:
    from sdrs_nb.running.verification import verify as compare

    async with connection.connect() as cloud:
        await compare(cloud, run)


def report(
    run_id: RunId,
    path: Annotated[Path, typer.Argument(metavar="[FILE]", help=_("The HTML file."))] = Path("report.html"),
) -> None:
    """Write the report of a run: one HTML file, and CSV, xlsx and JSON lines beside it."""
    from sdrs_nb.reporting.report import report
    from sdrs_nb.running.runs import open_run

    printing.value(report(open_run(run_id), path))


def runs(*, as_json: Json = False) -> None:
    """List the runs in the ledger."""
    from sdrs_nb.running.runs import list_runs

    columns = (
        "run_id",
        "created_at",
        "state",
        "batches",
        "servers",
        "done",
        "failed",
        "unknown",
        "project_id",
        "message",
    )
    printing.frame(list_runs(), as_json=as_json, columns=columns)
