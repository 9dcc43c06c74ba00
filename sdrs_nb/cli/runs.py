"""The commands of a run: submit, follow, resume, control, verify, report, runs."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sdrs_nb.cli import leaving, printing, takeback, watching
from sdrs_nb.cli.asking import SENDING, asks
from sdrs_nb.cli.options import Connection, Json, RunId, given
from sdrs_nb.errors import ClaimedError, NoBatchCallError, SdrsError, SettingsError
from sdrs_nb.i18n import Lines, _, ngettext_

if TYPE_CHECKING:
    import pandas as pd

    from sdrs_nb.cloud import Cloud
    from sdrs_nb.ledger.pilots import Pilot
    from sdrs_nb.planning.options import JobOptions
    from sdrs_nb.running.runs import Run

__all__ = [
    "Wish", "assumptions", "control", "enable", "follow", "report", "resume", "runs", "submit", "todo", "verify",
]  # fmt: skip

_OUTCOME_COLUMNS = ("server_id", "name", "batch_id", "stage", "whose", "error_code", "message")
# Errors that say that the run was never ours to carry on.
_NOT_OURS = (ClaimedError, SettingsError)
#: How often it is looked whether a run that shall be carried on is still held, and the seconds between.
_LOOKS, _LOOK_S = 8, 0.5
Begin = Callable[["Cloud"], Awaitable["Run"]]


@asks(SENDING)
def submit(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="PLAN", help=_("The plan, from `sdrs-nb plan`."))],
    *,
    asked: "JobOptions",
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
        from sdrs_nb.running.pilot import is_first_contact

        sending = asked.sending
        if sending["pilot"] is None and sys.stdin.isatty() and sys.stdout.isatty():
            await cloud.check()
            sending["pilot"] = int(is_first_contact(cloud, planned))
        run = await submission.submit(cloud, planned, approve=takeback.approval_in(approve), **sending)
        printing.hint(_("Run {run}", run=run.run_id))
        printing.hint(run.where)
        printing.hint(planned.rulebook_reason(cloud.settings.site))
        if (pilot := run.pilot) is not None:
            printing.hint(pilot.sentence)
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
    run = known[0]
    if (pilot := run.pilot) is None:
        _finish(run, as_json=as_json)
    else:
        _finish_piloted(run, pilot, as_json=as_json)


async def _walked(connection: Connection, begin: Begin, known: "list[Run]") -> None:
    from sdrs_nb.running.following import follow as until_done
    from sdrs_nb.running.verification import verify as compare

    async with connection.connect() as cloud:
        known.append(run := await begin(cloud))
        with watching.running(quiet=connection.quiet) as on_change:
            await until_done(cloud, run, on_change=on_change)
        await compare(cloud, run)


def _paused(run: "Run", error: BaseException) -> int:
    reason = error if str(error) else _("Interrupted.")
    if isinstance(error, NoBatchCallError):
        words = f"undo {run.plan.undoes}" if run.plan.is_deletion else f"plan --remainder {run.run_id}"
        told = _("{reason} The command: sdrs-nb {command} --rulebook otc", reason=reason, command=words)
    else:
        told = _("{reason} Carry on with: sdrs-nb resume {run}", reason=reason, run=run.run_id)
    printing.hint(Lines(told))
    reached = leaving.code_of_stages(run.servers["stage"])
    if reached == leaving.STILL_UNKNOWN or not isinstance(error, SdrsError):
        return leaving.STILL_UNKNOWN
    return leaving.code_of(type(error))


def _finish(run: "Run", *, as_json: bool) -> None:
    from sdrs_nb.running.outcomes import state_tone
    from sdrs_nb.tables import worst_first

    outcome = worst_first(run.servers)
    for trouble in run.troubles:
        printing.hint(Lines(trouble), trouble.tone)
    for sentence in run.contradictions:
        printing.hint(sentence, "warning")
    printing.frame(outcome, as_json=as_json, columns=_OUTCOME_COLUMNS)
    printing.hint(repr(run), state_tone(run.state, run.counts))
    if code := leaving.code_of_stages(outcome["stage"]):
        raise typer.Exit(code)


def _finish_piloted(run: "Run", pilot: "Pilot", *, as_json: bool) -> None:
    """Print what became of a run with a pilot: its table while the run waits for the word, else the outcome."""
    table = run.pilot_table
    if as_json:
        shown = pilot.model_dump(mode="json", exclude={"rows"}) | {"as_expected": pilot.is_as_expected}
        rows = table.astype(object).to_dict("records")
        outcome = run.servers.astype(object).to_dict("records")
        printing.document({"run_id": run.run_id, "pilot": shown | {"rows": rows}, "outcome": outcome})
    if not (pilot.holds_back and run.state == "paused"):
        if not as_json:
            _finish(run, as_json=False)
        code = leaving.code_of_stages(run.servers["stage"])
        raise typer.Exit(code or (leaving.FAILED if pilot.holds_back and pilot.differences else leaving.DONE))
    if not as_json:
        printing.frame(table, as_json=False)
    printing.hint(repr(run))
    printing.hint(run.message, "good" if pilot.is_as_expected else "bad")
    unknown = run.servers.loc[run.servers["batch_id"].eq(pilot.batch_id), "stage"].eq("unknown").any()
    raise typer.Exit(leaving.STILL_UNKNOWN if unknown else leaving.DONE if pilot.is_as_expected else leaving.FAILED)


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
        printing.hint(run.where)
        printing.hint(run.plan.rulebook_reason(cloud.settings.site))
        return run

    return begin


class Wish(StrEnum):
    """What an operator may want of a run, from another shell than the one that carries it on."""

    STOP = "stop"
    PAUSE = "pause"
    GO = "go"
    CARRY_ON = "carry-on"
    CANCEL = "cancel"
    LET_GO = "let-go"


def control(
    context: typer.Context,
    run_id: RunId,
    wish: Annotated[Wish, typer.Argument(metavar="go|stop|pause|carry-on|cancel|let-go", show_default=False)],
    *,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help=_("Why; it is recorded."))] = "",
    who: Annotated[str, typer.Option("--who", metavar="NAME", help=_("Who says so; by default the user here."))] = "",
) -> None:
    """Tell whoever carries a run on what to do, or give up what was not sent."""
    from sdrs_nb.running.runs import open_run

    run = open_run(run_id)
    match wish:
        case Wish.STOP:
            run.stop(reason)
        case Wish.PAUSE:
            run.pause(reason)
        case Wish.GO | Wish.CARRY_ON:
            if wish == Wish.GO and (pilot := run.pilot) is not None and pilot.holds_back:
                run.go_on(reason, who=who or None)
            run.carry_on()
            if _is_left(run):
                _walk(given(context), _opened(run_id), as_json=False)
                return
        case Wish.CANCEL:
            freed = run.cancel(reason)
            printing.hint(ngettext_("{count} server is free again.", "{count} servers are free again.", freed))
        case Wish.LET_GO:
            if not reason:
                raise SettingsError(_("Say why nothing can come of these requests any more: --reason TEXT."))
            batches = run.let_go(reason, who=who or None)
            printing.hint(_("Let go: {batches}.", batches=", ".join(batches) or "-"))
    printing.hint(repr(run))


def _is_left(run: "Run") -> bool:
    """Tell whether nobody carries an unfinished run on; whoever pauses it now may still wait for an answer."""
    for _look in range(_LOOKS):
        if not run.is_held:
            return run.state != "done"
        time.sleep(_LOOK_S)
    return False


def verify(context: typer.Context, run_id: RunId, *, as_json: Json = False) -> None:
    """Compare what a run planned with what the cloud shows now."""
    from sdrs_nb.running.runs import open_run

    run = open_run(run_id)
    printing.hint(run.where)
    asyncio.run(_verified(given(context), run))
    _finish(run, as_json=as_json)


async def _verified(connection: Connection, run: "Run") -> None:
    from sdrs_nb.running.verification import verify as compare

    async with connection.connect(read_only=True) as cloud:
        await compare(cloud, run)


def report(
    run_id: RunId,
    path: Annotated[Path, typer.Argument(metavar="[FILE]", help=_("The HTML file."))] = Path("report.html"),
) -> None:
    """Write the report of a run: one HTML file, and CSV, xlsx and JSON lines beside it."""
    from sdrs_nb.reporting.report import report
    from sdrs_nb.running.runs import open_run

    printing.value(report(open_run(run_id), path))


def assumptions(
    run_id: Annotated[str, typer.Argument(metavar="[RUN]", help=_("A run; by default the newest."))] = "",
    *,
    as_json: Json = False,
) -> None:
    """List what is taken for true where the documents are silent, and what was seen of it on the cloud of a run."""
    from sdrs_nb.running.assumptions import assumptions as known
    from sdrs_nb.running.runs import open_run

    found = known(open_run(run_id)) if run_id else known()
    printing.frame(found, as_json=as_json, columns=("id", "seen", "statement", "setting", "touches", "detail"))
    if (wrong := found["seen"].eq("contradicted")).any():
        printing.hint(_("Does not hold on this cloud: {ids}.", ids=", ".join(found["id"][wrong])), "warning")


def todo(
    run_id: RunId,
    *,
    done: Annotated[list[str] | None, typer.Option("--done", metavar="ITEM", help=_("Tick this off."))] = None,
    undone: Annotated[
        list[str] | None, typer.Option("--open", metavar="ITEM", help=_("This is not done after all."))
    ] = None,
    as_json: Json = False,
) -> None:
    """List what is left to do by hand after a run, and tick it off."""
    from sdrs_nb.reporting.todo import to_do
    from sdrs_nb.running.runs import open_run

    run = open_run(run_id)
    tasks = to_do(run)
    known = {*tasks["item"], *tasks["item"].str.partition(":")[0]}
    if strange := sorted({*(done or ()), *(undone or ())} - known):
        raise SettingsError(_("There is no item {item} on the to-do list of run {run}.", item=strange[0], run=run_id))
    for item, is_done in (*((each, True) for each in done or ()), *((each, False) for each in undone or ())):
        run.tick(item, is_done=is_done)
    printing.frame(to_do(run), as_json=as_json, columns=("item", "done_at", "name", "task"))


def enable(
    context: typer.Context,
    groups: Annotated[list[str], typer.Argument(metavar="GROUP|RUN...", help=_("Ids of groups, or of runs."))],
    *,
    follow_copy: Annotated[
        bool, typer.Option("--follow/--no-follow", help=_("Follow the first copy to its end, per cent by per cent."))
    ] = True,
    as_json: Json = False,
) -> None:
    """Enable protection of groups in which a run made instances, and follow the first copy of their data."""
    from sdrs_nb.running.protection import runs_of_groups

    asked = runs_of_groups(groups)
    states, copied = asyncio.run(_enabled(given(context), asked, follow_copy=follow_copy))
    printing.frame(copied if follow_copy else states, as_json=as_json)
    for message in states["message"][states["message"].ne("")]:
        printing.hint(message, "bad")
    if not states["status"].eq("protected").all():
        raise typer.Exit(leaving.FAILED)


async def _enabled(
    connection: Connection, asked: "Mapping[Run, Collection[str]]", *, follow_copy: bool
) -> "tuple[pd.DataFrame, pd.DataFrame]":
    import pandas as pd

    from sdrs_nb.running.protection import enable_protection, follow_first_synchronisation

    states, copies = [], []
    async with connection.connect() as cloud:
        for run, groups in asked.items():
            states.append(await enable_protection(cloud, run, groups=groups))
            if follow_copy:
                told = None if connection.quiet else watching.copying()
                frame = await follow_first_synchronisation(cloud, run, groups=groups, on_change=told)
                copies.append(frame)
    return pd.concat(states, ignore_index=True), pd.concat(copies, ignore_index=True) if copies else pd.DataFrame()


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
