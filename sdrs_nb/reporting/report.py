"""Evidence of a run that stands on its own: one HTML file that needs no network; CSV, xlsx, JSON lines beside it."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from sdrs_nb import html
from sdrs_nb.errors import JobFailed, JobTimeout
from sdrs_nb.exports import write_csv, write_excel, write_json_lines
from sdrs_nb.i18n import _, current_language, ngettext_
from sdrs_nb.payloads.requests import target
from sdrs_nb.planning.approvals import signers
from sdrs_nb.reporting.charts import timeline, waterfall
from sdrs_nb.reporting.retelling import retell, retell_titles, retold
from sdrs_nb.reporting.todo import summarize_tasks
from sdrs_nb.reporting.words import rules_of
from sdrs_nb.running.outcomes import Trouble, server_remedy, state_tone, state_words, troubles, was_taken
from sdrs_nb.running.runs import Run
from sdrs_nb.showing import troubled_first
from sdrs_nb.statuses import REACHED, WORST_FIRST, Stage, tally
from sdrs_nb.tables import worst_first
from sdrs_nb.tones import ATTEMPT_TONES, BATCH_TONES, JOB_TONES, RUN_TONES, STAGE_TONES, VERDICT_TONES
from sdrs_nb.where import Where
from sdrs_nb.words import batch_word, counted, joined, word

if TYPE_CHECKING:
    from sdrs_nb.eligibility import Eligibility
    from sdrs_nb.planning.planning import Plan

__all__ = ["Summary", "report", "require_complete", "summarize"]

#: Tones and words of each kind of state that a report shows.
_TONES = {
    "run": RUN_TONES, "stage": STAGE_TONES, "batch": BATCH_TONES, "job": JOB_TONES, "attempt": ATTEMPT_TONES,
    "verdict": VERDICT_TONES,
}  # fmt: skip


@dataclass(frozen=True)
class Summary:
    """What became of everybody that was asked for, in numbers.

    ``verdicts`` counts servers by verdict, ``reasons`` blocked servers by rule (a server counts once a rule),
    ``planned`` servers in batches, ``stages`` planned servers by stage, ``left_out`` servers asked for and not planned,
    ``troubles`` what went wrong, why and what to do; ``where`` and ``approved_by`` are of the run, where it was named.
    """

    asked: int
    verdicts: dict[str, int]
    reasons: dict[str, int]
    batches: int
    planned: int
    left_out: int
    stages: dict[str, int]
    troubles: tuple[Trouble, ...] = ()
    where: Where | None = None
    approved_by: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether every planned server reached the end that its group allows: created or protected."""
        return tally(self.stages).reached == self.planned

    def require_complete(self) -> None:
        """Raise as the function ``require_complete`` does, unless every planned server was created or protected."""
        _require(self.stages, self.planned)

    def __str__(self) -> str:
        reached = [counted(self.stages[stage], stage) for stage in WORST_FIRST if self.stages.get(stage)]
        lines = [
            *([str(self.where)] if self.where else ()),
            *([_("Approved by {who}", who=joined(self.approved_by))] if self.approved_by else ()),
            _("Servers asked for: {count}", count=self.asked),
            *(f"  {word(verdict)}: {count}" for verdict, count in self.verdicts.items()),
            _("Blocked, by rule (a server can have several reasons):"),
            *(f"  {reason}: {count}" for reason, count in self.reasons.items()),
            _("Planned: {servers} servers in {batches} batches", servers=self.planned, batches=self.batches),
            _("Left out: {count}", count=self.left_out),
            _("Reached: {stages}", stages=joined(reached) or "-"),
            *map(str, self.troubles),
        ]
        return "\n".join(lines)


def require_complete(outcome: pd.DataFrame) -> None:
    """Raise unless every planned server of ``outcome`` (from ``verify``) was created or protected; pure.

    A procedure ends with it, so that its exit code tells the outcome.

    Raises
    ------
    JobTimeout
        The fate of some servers is still unknown.
    JobFailed
        Some servers failed or were not sent.
    """
    _require(_counts(outcome["stage"]), len(outcome))


def _require(stages: Mapping[str, int], planned: int) -> None:
    found = tally(stages)
    if pending := found.unknown + found.moving:
        raise JobTimeout(
            ngettext_(
                "The fate of {count} planned server is not known yet. Resume the run: it is looked up, not resent.",
                "The fate of {count} planned servers is not known yet. Resume the run: they are looked up, not resent.",
                pending,
            )
        )
    if missing := planned - found.reached:
        raise JobFailed(
            ngettext_(
                "{count} planned server did not reach its end ({stages}). See its row in the outcome.",
                "{count} planned servers did not reach their end ({stages}). See their rows in the outcome.",
                missing,
                stages=joined(
                    counted(stages[stage], stage) for stage in WORST_FIRST if stage not in REACHED and stages.get(stage)
                ),
            )
        )


def summarize(eligibility: "Eligibility", plan: "Plan", outcome: pd.DataFrame, run: Run | None = None) -> Summary:
    """Return the numbers of one job from load to end; reads the ledger where ``run`` is named, else pure.

    Parameters
    ----------
    eligibility, plan
        As they were approved.
    outcome
        From ``verify``, or ``run.servers``.
    run
        The run, to say where it went and who approved it.
    """
    verdicts = eligibility.verdicts
    findings = eligibility.findings
    blocking = findings.loc[findings["severity"] == "blocker", ["server_id", "rule"]].drop_duplicates()
    blocked = blocking[blocking["server_id"].isin(verdicts.loc[verdicts["verdict"] == "blocked", "server_id"])]
    titles = {rule: f"{rule} {eligibility.rulebook.rule(rule).title}" for rule in blocked["rule"].unique()}
    return Summary(
        asked=len(verdicts),
        verdicts=_counts(verdicts["verdict"]),
        reasons={titles[rule]: count for rule, count in _counts(blocked["rule"]).items()},
        batches=len(plan.batches),
        planned=sum(len(batch.server_ids) for batch in plan.batches),
        left_out=len(plan.left_out),
        stages=_counts(outcome["stage"]),
        troubles=troubles(outcome, is_deletion=plan.is_deletion),
        where=run.where if run is not None else None,
        approved_by=tuple(each.who or "-" for each in signers(run.approval)) if run is not None else (),
    )


def _counts(values: "pd.Series[Any]") -> dict[str, int]:
    return {str(value): int(count) for value, count in values.value_counts().items()}


def report(run: Run, path: str | os.PathLike[str]) -> Path:
    """Write the run as one HTML file at ``path``, with CSV, xlsx and JSON lines beside it; return the HTML's path.

    It speaks the current language; reasons that were recorded in another are told again, and what cannot be told again
    is quoted.  The event file keeps what was recorded.

    Everything comes from the ledger, so the report can be made on any day and shows what was approved, sent and
    answered.  Every text of a server or file is escaped; the file loads nothing from anywhere and runs nothing.

    Parameters
    ----------
    run
        From ``submit``, ``open_run`` or ``find_run``; it may still be under way.
    path
        Where to write; folders are made.  Beside it, by the same name: ``.csv`` (the outcome), ``.xlsx`` (outcome,
        batches, left out, to do, requests, jobs; only where the extra ``excel`` is installed) and ``.jsonl`` (every
        recorded event, its data as JSON).  Each says which plan it was, who approved it and where it went.
        Formula-like cells are neutralised.

    Raises
    ------
    LedgerError
        The ledger cannot be read.
    PlanError
        The plan in the ledger was written by another version, or changed.
    OSError
        A file cannot be written.
    """
    target = Path(path)
    frames = _frames(run)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(_page(run, frames), encoding="utf-8")
    of_run = {"run_id": run.run_id, **_evidence(run)}
    write_csv(frames["outcome"].assign(**of_run), target.with_suffix(".csv"))
    write_json_lines(_events(run, frames["events"]), target.with_suffix(".jsonl"))
    if find_spec("openpyxl"):
        facts = pd.DataFrame(of_run.items(), columns=["name", "value"]).astype("string")
        sheets = {"run": facts, **{name: frame for name, frame in frames.items() if name != "events"}}
        write_excel(sheets, target.with_suffix(".xlsx"))
    return target


def _frames(run: Run) -> dict[str, pd.DataFrame]:
    servers, plan = retold(worst_first(run.servers), "message", code="error_code"), run.plan
    remedies = [
        server_remedy(stage, code, is_deletion=plan.is_deletion, taken=taken)
        for stage, code, taken in zip(servers["stage"], servers["error_code"], was_taken(servers), strict=True)
    ]
    names = plan.facts.groups.set_index("group_id")["name"].dropna()
    return {
        "outcome": servers.assign(remedy=pd.array(remedies, dtype="string")),
        "batches": retold(run.batches, "reason"),
        "left_out": retold(plan.left_out, "reason"),
        "findings": retold(run.findings, "message", "remedy"),
        "to_do": summarize_tasks(servers, {str(key): str(name) for key, name in names.items()}, run.findings),
        "requests": retold(run.attempts, "message", code="code"),
        "jobs": run.jobs,
        "events": run.events,
    }


def _evidence(run: Run) -> dict[str, str]:
    """Return what every file says of the run: which plan, who approved it, where it went."""
    where = {name: str(value) for name, value in run.where.document().items()}
    signed = "; ".join(f"{each.who or '-'}, {each.when.isoformat()}" for each in signers(run.approval))
    return {"fingerprint": run.record["fingerprint"], "approved_by": signed, **where}


def _events(run: Run, events: pd.DataFrame) -> pd.DataFrame:
    """Return the events with their data parsed: with every approver, where it went, and the jobs as last told."""
    data: list[dict[str, Any]] = [json.loads(text) for text in events["data"]]
    documents = {} if run.jobs.empty else dict(zip(run.jobs["job_id"], run.jobs["document"], strict=True))
    # The ledger keeps the document of a job's last look only.
    for one in reversed([each for each, kind in zip(data, events["kind"], strict=True) if kind == "look"]):
        if document := documents.pop(one.get("job_id"), None):
            one["document"] = json.loads(document)
    told = {
        "approvals": [each.model_dump(mode="json") for each in signers(run.approval)],
        "where": run.where.document(),
    }
    for at, kind in enumerate(events["kind"]):
        if kind == "run recorded":
            data[at] |= told
    return events.assign(data=pd.Series(data, index=events.index, dtype=object))


def _page(run: Run, frames: dict[str, pd.DataFrame]) -> str:
    outcome, left_out = frames["outcome"], frames["left_out"]
    counts = run.counts
    stages = {stage: counts[stage] for stage in WORST_FIRST if counts[stage]}
    calls = {batch.batch_id: target(batch) for batch in run.plan.batches}
    bodies = {batch.batch_id: run.plan.payload_bytes(batch.batch_id).decode() for batch in run.plan.batches}
    proof = retold(run.plan.proof, "why")
    return str(
        html.render(
            "report.html",
            _=_,
            shown=cache(_shown),  # a report shows the same few states thousands of times
            language=current_language(),
            made_at=datetime.now(UTC),
            run=run,
            record=run.record,
            approvals=signers(run.approval),
            where=run.where,
            state_words=state_words(run.state, counts),
            tone=state_tone(run.state, counts),
            shapes=html.SHAPES,
            headline=_headline(run, len(left_out)),
            troubles=troubles(outcome, run.state, is_deletion=run.plan.is_deletion),
            stages=stages,
            steps=waterfall(outcome, left_out),
            rules=rules_of(left_out, run.plan.rulebook),
            timeline=timeline(run.jobs, outcome),
            batches=_records(troubled_first(frames["batches"])),
            servers=_records(outcome),
            left_out=_records(left_out),
            tasks=_records(frames["to_do"]),
            proof=_records(proof.assign(shared=proof["shared"].map(retell_titles))),
            notes=[retell(note) for note in run.plan.remarks],
            attempts=_records(frames["requests"]),
            jobs=_records(frames["jobs"]),
            bodies=bodies,
            calls=calls,
            pretty=_pretty,
            code=html.code,
        )
    )


def _shown(state: str, kind: str) -> tuple[str, str, str]:
    """Return tone, shape and word of a state; a word that is not ours is neutral and stays as it is."""
    tone = _TONES[kind].get(state, "neutral")
    return tone, html.SHAPES[tone], batch_word(state) if kind == "batch" else word(state)


def _headline(run: Run, left_out: int) -> list[str]:
    """Return the sentences that somebody reads who reads nothing else."""
    found = run.tally
    planned, reached, pending = found.whole, found.reached, found.unknown + found.moving
    rest = planned - reached - pending
    told = [_("{reached} of {planned} planned servers have a protected instance.", reached=reached, planned=planned)]
    if run.plan.undoes:
        told = [
            _("An undo of run {run}: {reached} of {planned} protected instances are deleted.",
              run=run.plan.undoes, reached=reached, planned=planned)
        ]  # fmt: skip
    if created := run.counts[Stage.CREATED]:
        told.append(
            _("{count} of them are in groups that are not enabled: nothing of them is copied yet.", count=created)
        )
    if rest:
        told.append(_("{count} failed or were not sent; the reasons are below.", count=rest))
    if pending:
        told.append(_("The fate of {count} is not known yet.", count=pending))
    if left_out:
        told.append(_("{count} servers that were asked for were left out, each with its reason.", count=left_out))
    if run.message:
        told.append(retell(run.message))
    return told


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=1, ensure_ascii=False)
    except ValueError:
        return text


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as dictionaries with missing values as empty text."""
    columns = [frame[name].astype(object).where(frame[name].notna(), "") for name in frame.columns]
    names = [str(name) for name in frame.columns]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
