"""The commands around a plan that is not the first: undo, what is left of a run, and one more person's approval."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sdrs_nb.cli import printing, sources
from sdrs_nb.cli.leaving import NOTHING_ELIGIBLE
from sdrs_nb.cli.options import Json, Rules, RunId, Source
from sdrs_nb.i18n import Lines, _
from sdrs_nb.rulebook import choose_rulebook, rulebook_reason
from sdrs_nb.shown.disk import require_place

if TYPE_CHECKING:
    from sdrs_nb.models import Approval
    from sdrs_nb.planning.plans import Plan

__all__ = ["approval_in", "approve", "plan_rest", "say_how_to_submit", "undo"]

_LEFT_OUT_COLUMNS = ("server_id", "name", "rules", "reason")


def undo(
    context: typer.Context,
    run_id: RunId,
    source: Source = None,
    *,
    keep: Annotated[
        list[str] | None, typer.Option("--keep", metavar="SERVER_ID", help=_("Stays protected; as often as needed."))
    ] = None,
    adopted: Annotated[
        list[str] | None,
        typer.Option(
            "--adopted",
            metavar="SERVER_ID",
            help=_("Take in an instance that the run only adopted; as often as needed, or `all`."),
        ),
    ] = None,
    detach_first: Annotated[
        bool,
        typer.Option("--detach-first", help=_("Leave instances with shared pairs out until the pairs are detached.")),
    ] = False,
    delete_dr_servers: Annotated[
        bool, typer.Option("--delete-dr-servers", help=_("Also delete DR servers and DR volumes, for good."))
    ] = False,
    release_eips: Annotated[
        bool, typer.Option("--release-eips", help=_("With --delete-dr-servers: also release their EIPs."))
    ] = False,
    rulebook: Rules = None,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help=_("Where to write the plan."))] = Path(
        "undo.json"
    ),
    as_json: Json = False,
) -> None:
    """Plan the deletion of what a run made, write it to a file and show what stays billed."""
    from sdrs_nb.aftercare.undoing import plan_undo
    from sdrs_nb.running.runs import open_run

    require_place(out)
    run = open_run(run_id)
    rules = choose_rulebook(rulebook, run.plan.rulebook)
    found = sources.read(context, source)
    planned = plan_undo(
        run,
        found,
        keep=keep or (),
        adopted=True if adopted == ["all"] else adopted or (),
        shared_pairs="detach first" if detach_first else "together",
        delete_target_server=delete_dr_servers,
        delete_target_eip=release_eips,
        rulebook=rules,
    )
    planned.save(out)
    printing.hint(rulebook_reason(rules, found.about.site))
    if as_json:
        printing.document({**_document(planned, out), "billed": planned.billed.astype(object).to_dict("records")})
        return
    columns = ("batch_id", "group_id", "instance_name", "name", "server_id")
    printing.frame(planned.servers, as_json=False, columns=columns)
    for reason in planned.left_out["reason"]:
        printing.hint(reason)
    for row in planned.billed.itertuples():
        printing.hint(f"{'*' if row.is_chosen else ' '} {row.meaning}")
    printing.hint(repr(planned))
    say_how_to_submit(planned, out)


def plan_rest(
    context: typer.Context, run_id: str, source: str | None, out: Path, rulebook: str | None, *, as_json: bool
) -> None:
    """Plan what is left of a run: the deletion of failed instances beside ``out``, the creation in ``out``."""
    from sdrs_nb.aftercare.remainders import plan_remainder
    from sdrs_nb.running.runs import open_run

    require_place(out)
    run = open_run(run_id)
    rules = choose_rulebook(rulebook, run.plan.rulebook)
    found = sources.read(context, source)
    rest = plan_remainder(run, found, rulebook=rules)
    first = out.with_name(f"{out.stem}.first{out.suffix}")
    written = [(each, path) for each, path in ((rest.deletion, first), (rest.creation, out)) if each is not None]
    for each, path in written:
        each.save(path)
    printing.hint(rulebook_reason(rules, found.about.site))
    if as_json:
        left_out = rest.left_out.astype(object).where(rest.left_out.notna(), None).to_dict("records")
        printing.document({"plans": [_document(each, path) for each, path in written], "left_out": left_out})
    else:
        printing.frame(rest.left_out, as_json=False, columns=_LEFT_OUT_COLUMNS)
        printing.hint(Lines(repr(rest)))
        for each, path in written:
            say_how_to_submit(each, path)
    if rest.creation is None and len(rest.left_out):
        raise typer.Exit(NOTHING_ELIGIBLE)


def approve(
    file: Annotated[Path, typer.Argument(metavar="PLAN", help=_("The plan that was reviewed."))],
    *,
    who: Annotated[str, typer.Option(metavar="NAME", help=_("Who approves it."))],
    after: Annotated[Path | None, typer.Option(metavar="FILE", help=_("The approval that others gave before."))] = None,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help=_("Where to write the approval."))] = Path(
        "approval.json"
    ),
) -> None:
    """Add one person's approval of a plan to a file, which `sdrs-nb submit` takes."""
    from sdrs_nb.planning import approvals
    from sdrs_nb.planning.plans import Plan

    require_place(out)
    planned = Plan.load(file)
    before = None if after is None else approvals.load_approval(after)
    approval = approvals.approve(planned, who, after=before)
    for each in (*planned.remarks, *planned.open_points):
        printing.hint(each)
    printing.value(approvals.save_approval(approval, out))
    printing.hint(
        _(
            "Approved by {who}; this plan needs {needed}.",
            who=", ".join(each.who for each in approvals.signers(approval)),
            needed=planned.approvals_needed,
        )
    )


def approval_in(text: str) -> "str | Approval":
    """Return the approval in the file that ``text`` names, else ``text``, which is a fingerprint then."""
    from sdrs_nb.planning.approvals import load_approval

    return load_approval(text) if Path(text).is_file() else text


def _document(planned: "Plan", path: Path) -> dict[str, object]:
    return {"fingerprint": planned.fingerprint, "file": str(path), "payloads": planned.payloads()}


def say_how_to_submit(planned: "Plan", path: Path) -> None:
    """Write a plan's notes, where it is, and what comes next, to the standard error."""
    for note in planned.remarks:
        printing.hint(note)
    if planned.for_reading:
        printing.hint(str(path))
        return
    if planned.approvals_needed > 1:
        printing.hint(
            _(
                "Written to {file}. {needed} persons must approve it: sdrs-nb approve {file} --who NAME, the next with "
                "--after approval.json; then sdrs-nb submit {file} --approve approval.json",
                file=path,
                needed=planned.approvals_needed,
            )
        )
        return
    printing.hint(
        _(
            "Written to {file}. Review it, then approve it with: sdrs-nb submit {file} --approve {fingerprint}",
            file=path,
            fingerprint=planned.fingerprint,
        )
    )
