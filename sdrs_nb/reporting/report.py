"""Evidence of a run that stands on its own: one HTML file that needs no network; CSV, xlsx, JSON lines beside it."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from sdrs_nb.asked import checked, needs_columns
from sdrs_nb.cloud.advice import meaning
from sdrs_nb.errors import JobFailed, JobTimeout
from sdrs_nb.i18n import _, current_language, ngettext_
from sdrs_nb.payloads.requests import target
from sdrs_nb.planning.approvals import signers
from sdrs_nb.reporting.charts import timeline, waterfall
from sdrs_nb.reporting.pilots import pilot_section
from sdrs_nb.reporting.todo import summarize_tasks
from sdrs_nb.reporting.words import count_rules, in_language, in_one_language, rule_titles
from sdrs_nb.running.assumptions import assumptions
from sdrs_nb.running.outcomes import Trouble, server_remedy, state_tone, state_words, troubles
from sdrs_nb.running.outcomes_html import troubled_first
from sdrs_nb.running.runs import Run
from sdrs_nb.shown import html
from sdrs_nb.shown.disk import require_place, write_whole
from sdrs_nb.shown.exports import write_csv, write_excel, write_json_lines
from sdrs_nb.shown.texts import json_text
from sdrs_nb.shown.tones import (
    ATTEMPT_TONES,
    BATCH_TONES,
    JOB_TONES,
    PILOT_TONES,
    RUN_TONES,
    STAGE_TONES,
    VERDICT_TONES,
)
from sdrs_nb.shown.words import batch_word, counted, joined, word
from sdrs_nb.statuses import REACHED, WORST_FIRST, Stage, tally
from sdrs_nb.tables import OUTCOME, empty, worst_first

if TYPE_CHECKING:
    from sdrs_nb.eligibility.eligibility import Eligibility
    from sdrs_nb.planning.planning import Plan

__all__ = ["Summary", "report", "require_complete", "summarize"]

#: Tones and words of each kind of state that a report shows.
_TONES = {
    "run": RUN_TONES, "stage": STAGE_TONES, "batch": BATCH_TONES, "job": JOB_TONES, "attempt": ATTEMPT_TONES,
    "pilot": PILOT_TONES,
    "verdict": VERDICT_TONES,
}  # fmt: skip

#: Of what was done while reading, examples of each kind that are shown, and entries of a list that selected nobody.
_EXAMPLES, _OPEN = 20, 200


@dataclass(frozen=True)
class Summary:
    """What became of everybody that was asked for, in numbers.

    ``verdicts`` counts servers by verdict, ``reasons`` blocked servers by rule (a server counts once a rule),
    ``planned`` servers in batches, ``stages`` planned servers by stage, ``left_out`` servers asked for and not planned,
    ``troubles`` what went wrong, why and what to do.  ``waits_for`` is the fingerprint of a plan that nobody approved.
    """

    asked: int
    verdicts: dict[str, int]
    reasons: dict[str, int]
    batches: int
    planned: int
    left_out: int
    stages: dict[str, int]
    troubles: tuple[Trouble, ...] = ()
    waits_for: str = ""

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
            _("Servers asked for: {count}", count=self.asked),
            *(f"  {word(verdict)}: {count}" for verdict, count in self.verdicts.items()),
            _("Blocked, by rule (a server can have several reasons):"),
            *(f"  {reason}: {count}" for reason, count in self.reasons.items()),
            _("Planned: {servers} servers in {batches} batches", servers=self.planned, batches=self.batches),
            _("Left out: {count}", count=self.left_out),
            _("Nothing was sent. To approve this plan: {fingerprint}", fingerprint=self.waits_for)
            if self.waits_for
            else _("Reached: {stages}", stages=joined(reached) or "-"),
            *map(str, self.troubles),
        ]
        return "\n".join(lines)


@checked
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
    needs_columns(outcome, "stage")
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


@checked
def summarize(eligibility: "Eligibility", plan: "Plan", outcome: pd.DataFrame | None = None) -> Summary:
    """Return the numbers of one job from load to end; pure.

    Parameters
    ----------
    eligibility, plan
        As they were approved.
    outcome
        From ``verify``, or ``run.servers``; None where the plan waits for its approval and nothing was sent.
    """
    waits_for = plan.fingerprint if outcome is None else ""
    outcome = empty(OUTCOME) if outcome is None else outcome
    needs_columns(outcome, "stage", "name", "error_code", "message")
    verdicts = eligibility.verdicts
    findings = eligibility.findings
    blocking = findings.loc[findings["severity"] == "blocker", ["server_id", "rule"]].drop_duplicates()
    blocked = blocking[blocking["server_id"].isin(verdicts.loc[verdicts["verdict"] == "blocked", "server_id"])]
    titles = {rule: f"{rule} {eligibility.rulebook.rule(rule).fault()}" for rule in blocked["rule"].unique()}
    return Summary(
        asked=len(verdicts),
        verdicts=_counts(verdicts["verdict"]),
        reasons={titles[rule]: count for rule, count in _counts(blocked["rule"]).items()},
        batches=len(plan.batches),
        planned=sum(len(batch.server_ids) for batch in plan.batches),
        left_out=len(plan.left_out),
        stages=_counts(outcome["stage"]),
        troubles=troubles(outcome, is_deletion=plan.is_deletion),
        waits_for=waits_for,
    )


def _counts(values: "pd.Series[Any]") -> dict[str, int]:
    return {str(value): int(count) for value, count in values.value_counts().items()}


@checked
def report(run: Run, path: str | os.PathLike[str]) -> Path:
    """Write the run as one HTML file at ``path``, with CSV, xlsx and JSON lines beside it; return the HTML's path.

    Everything comes from the ledger, so the report can be made on any day and shows what was approved, sent and
    answered.  Every text of a server or file is escaped; the file loads nothing from anywhere and runs nothing.

    Parameters
    ----------
    run
        From ``submit``, ``open_run`` or ``find_run``; it may still be under way.
    path
        Where to write; folders are made.  Beside it, by the same name: ``.csv`` (the outcome), ``.xlsx`` (outcome,
        batches, left out, to do, requests, jobs) and ``.jsonl`` (every
        recorded event).  Formula-like cells are neutralised.

    Raises
    ------
    LedgerError
        The ledger cannot be read.
    PlanError
        The plan in the ledger was written by another version, or changed.
    SettingsError
        A file cannot be written.
    """
    target = Path(path)
    require_place(target, makes_folders=True)
    with run.ledger.readable():
        frames = _frames(run)
        page = _page(run, frames)
    write_whole(target, page.encode("utf-8", "replace"), makes_folders=True)
    write_csv(frames["outcome"], target.with_suffix(".csv"))
    write_json_lines(_evidence(run, frames), target.with_suffix(".jsonl"))
    sheets = {name: frame for name, frame in frames.items() if name != "events"}
    write_excel(sheets, target.with_suffix(".xlsx"))
    return target


def _frames(run: Run) -> dict[str, pd.DataFrame]:
    plan, language = run.plan, current_language()
    servers = worst_first(run.servers)
    remedies = [
        server_remedy(stage, code, is_deletion=plan.is_deletion, has_instance=not pd.isna(instance))
        for stage, code, instance in zip(
            servers["stage"], servers["error_code"], servers["protected_instance_id"], strict=True
        )
    ]
    signed = [(one.who or "-", one.when.isoformat(), run.approval.fingerprint) for one in signers(run.approval)]
    approvals = pd.DataFrame(signed, columns=["who", "when", "fingerprint"], dtype="string")
    meanings = [meaning(str(code)) if isinstance(code, str) else "" for code in servers["error_code"]]
    servers = in_one_language(servers, "message", meanings, language)
    left_out = in_one_language(plan.left_out, "reason", rule_titles(plan.left_out, plan.rulebook), language)
    findings = in_one_language(run.findings, "message", rule_titles(run.findings, plan.rulebook, "rule"), language)
    names = plan.facts.groups.set_index("group_id")["name"].dropna()
    return {
        "outcome": servers.assign(remedy=pd.array(remedies, dtype="string"), approved_by=", ".join(approvals["who"])),
        "batches": in_one_language(run.batches, "reason", None, language),
        "left_out": left_out,
        "findings": in_one_language(findings, "remedy", None, language),
        "to_do": summarize_tasks(
            servers,
            {str(key): str(name) for key, name in names.items()},
            run.findings,
            run.ledger.done_items(run.run_id),
        ),
        "requests": in_one_language(run.attempts, "message", None, language),
        "jobs": run.jobs,
        **({"pilot": run.pilot_table} if run.pilot else {}),
        "events": run.events,
        "approvals": approvals,  # one row a person
        "assumptions": assumptions(run),
    }


def _evidence(run: Run, frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return every recorded event with its data as data, and before them who approved what, and where."""
    approvals = [{"kind": "approved", "data": row} for row in frames["approvals"].to_dict("records")]
    head = [{"kind": "run", "data": {"run_id": run.run_id, **run.scope}}, *approvals]
    jobs = [
        {"kind": "job", "batch_id": row["batch_id"], "data": {**row, "document": _parsed(row["document"])}}
        for row in frames["jobs"].to_dict("records")
    ]
    events = [{**row, "data": _parsed(row["data"])} for row in frames["events"].to_dict("records")]
    return pd.DataFrame([*head, *events, *jobs], columns=["event_id", "at", "kind", "batch_id", "data"]).astype(
        {"event_id": "Int64"}
    )


def _parsed(text: object) -> Any:
    try:
        return json.loads(str(text))
    except ValueError:
        return text


def _page(run: Run, frames: dict[str, pd.DataFrame]) -> str:
    outcome, left_out = frames["outcome"], frames["left_out"]
    counts = run.counts
    stages = {stage: counts[stage] for stage in WORST_FIRST if counts[stage]}
    calls = {batch.batch_id: target(batch) for batch in run.plan.batches}
    bodies = {batch.batch_id: run.plan.payload_bytes(batch.batch_id).decode() for batch in run.plan.batches}
    with run.ledger.readable():
        shown_timeline = timeline(run.jobs, outcome)
    return str(
        html.render(
            "report.html",
            _=_,
            shown=cache(_shown),  # a report shows the same few states thousands of times
            language=current_language(),
            made_at=datetime.now(UTC),
            run=run,
            record=run.record,
            signed=signers(run.approval),
            state_words=state_words(run.state, counts),
            tone=state_tone(run.state, counts),
            shapes=html.SHAPES,
            headline=_headline(run, len(left_out)),
            troubles=run.troubles,
            stages=stages,
            steps=waterfall(outcome, left_out),
            rules=count_rules(left_out, run.plan.rulebook),
            timeline=shown_timeline,
            batches=_records(troubled_first(frames["batches"])),
            servers=_records(outcome),
            left_out=_records(left_out),
            pilot=pilot_section(run),
            tasks=_records(frames["to_do"]),
            proof=_records(run.plan.proof),
            notes=_recorded(note for note in run.plan.remarks if note not in run.plan.warnings),
            warnings=_recorded(run.plan.warnings),
            assumptions=_records(frames["assumptions"].query("seen != 'not seen'")),
            contradictions=run.contradictions,
            unseen=int(frames["assumptions"]["seen"].eq("not seen").sum()),
            reading=[done.sentence(_EXAMPLES) for done in run.plan.reading],
            open_points=_recorded(run.plan.open_points[:_OPEN]),
            more_open=max(len(run.plan.open_points) - _OPEN, 0),
            attempts=_records(frames["requests"]),
            jobs=_records(frames["jobs"]),
            bodies=bodies,
            calls=calls,
            pretty=lambda text: text if (found := _parsed(text)) is text else json_text(found, indent=1),
            code=html.code,
        )
    )


def _recorded(sentences: Iterable[str]) -> list[str]:
    return [in_language(each, current_language()) for each in sentences]


def _shown(state: str, kind: str) -> tuple[str, str, str]:
    """Return tone, shape and word of a state; a word that is not ours is neutral and stays as it is."""
    tone = _TONES[kind].get(state, "neutral")
    return tone, html.SHAPES[tone], batch_word(state) if kind == "batch" else word(state)


def _headline(run: Run, left_out: int) -> list[str]:
    """Return the sentences that somebody reads who reads nothing else."""
    found = run.tally
    planned, reached, pending = found.whole, found.reached, found.unknown + found.moving
    rest = planned - reached - pending
    sentences = [
        _("{reached} of {planned} planned servers have a protected instance.", reached=reached, planned=planned)
    ]
    if run.plan.undoes:
        sentences = [
            _("An undo of run {run}: {reached} of {planned} protected instances are deleted.",
              run=run.plan.undoes, reached=reached, planned=planned)
        ]  # fmt: skip
    if created := run.counts[Stage.CREATED]:
        sentences.append(
            _("{count} of them are in groups that are not enabled: nothing of them is copied yet.", count=created)
        )
    if rest:
        sentences.append(_("{count} failed or were not sent; the reasons are below.", count=rest))
    if pending:
        sentences.append(_("The fate of {count} is not known yet.", count=pending))
    if left_out:
        sentences.append(_("{count} servers that were asked for were left out, each with its reason.", count=left_out))
    if run.message:
        sentences.append(run.message)
    return sentences


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as dictionaries with missing values as empty text."""
    columns = [frame[name].astype(object).where(frame[name].notna(), "") for name in frame.columns]
    names = [str(name) for name in frame.columns]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
