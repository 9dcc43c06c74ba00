"""Evidence of a run that stands on its own: one HTML file that needs no network, and the outcome as CSV."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import pandas as pd

from sdrs_nb.errors import JobFailed
from sdrs_nb.exports import write_csv
from sdrs_nb.i18n import _, current_language, ngettext_
from sdrs_nb.models import Stage
from sdrs_nb.runs import Run

if TYPE_CHECKING:
    from sdrs_nb.eligibility import Eligibility
    from sdrs_nb.planning import Plan

__all__ = ["Summary", "report", "summarize"]

_ENDS = (Stage.CREATED.value, Stage.PROTECTED.value)


@dataclass(frozen=True)
class Summary:
    """What became of everybody that was asked for, in numbers.

    ``verdicts`` counts servers by verdict, ``reasons`` blocked servers by rule (a server counts once a rule),
    ``planned`` servers in batches, ``stages`` planned servers by stage, ``left_out`` servers asked for and not planned.
    """

    asked: int
    verdicts: dict[str, int]
    reasons: dict[str, int]
    batches: int
    planned: int
    left_out: int
    stages: dict[str, int]

    @property
    def is_complete(self) -> bool:
        """Whether every planned server reached the end that its group allows: created or protected."""
        return sum(self.stages.get(stage, 0) for stage in _ENDS) == self.planned

    def require_complete(self) -> None:
        """Raise ``JobFailed`` unless every planned server was created or protected."""
        if not self.is_complete:
            missing = self.planned - sum(self.stages.get(stage, 0) for stage in _ENDS)
            raise JobFailed(
                ngettext_(
                    "{count} planned server is neither created nor protected. See its row in the outcome.",
                    "{count} planned servers are neither created nor protected. See their rows in the outcome.",
                    missing,
                )
            )

    def __str__(self) -> str:
        reached = [f"{count} {stage}" for stage, count in self.stages.items() if count]
        lines = [
            _("Servers asked for: {count}", count=self.asked),
            *(f"  {verdict}: {count}" for verdict, count in self.verdicts.items()),
            _("Blocked, by rule (a server can have several reasons):"),
            *(f"  {reason}: {count}" for reason, count in self.reasons.items()),
            _("Planned: {servers} servers in {batches} batches", servers=self.planned, batches=self.batches),
            _("Left out: {count}", count=self.left_out),
            _("Reached: {stages}", stages=", ".join(reached) or "-"),
        ]
        return "\n".join(lines)


def summarize(eligibility: "Eligibility", plan: "Plan", outcome: pd.DataFrame) -> Summary:
    """Return the numbers of one job from load to end; pure.

    Parameters
    ----------
    eligibility, plan
        As they were approved.
    outcome
        From ``verify``, or ``run.servers``.
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
    )


def _counts(values: "pd.Series[Any]") -> dict[str, int]:
    return {str(value): int(count) for value, count in values.value_counts().items()}


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("sdrs_nb"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def report(run: Run, path: str | os.PathLike[str]) -> Path:
    """Write the run as one HTML file at ``path`` and its outcome as CSV beside it; returns the HTML's path.

    Everything comes from the ledger, so the report can be made on any day and shows what was approved, sent and
    answered.  Every text of a server or file is escaped; the file loads nothing from anywhere.  Formula-like cells
    of the CSV are neutralised.

    Raises
    ------
    LedgerError
        The ledger cannot be read.
    """
    target = Path(path)
    servers = run.servers
    page = _environment().get_template("report.html.j2").render(
        _=_,
        language=current_language(),
        run=run,
        record=run.record,
        counts={stage: count for stage, count in run.counts.items() if count},
        plan=run.plan,
        approval=run.approval,
        batches=_records(run.batches),
        servers=_records(servers),
        left_out=_records(run.plan.left_out),
        reasons=_counts(run.plan.left_out["reason"]),
        attempts=_records(run.attempts),
        jobs=_records(run.jobs),
    )  # fmt: skip
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(page, encoding="utf-8")
    write_csv(servers, target.with_suffix(".csv"))
    return target


def _records(frame: pd.DataFrame) -> Sequence[dict[str, Any]]:
    """Return the rows as dictionaries with missing values as empty text."""
    return [
        {str(name): "" if pd.isna(value) else value for name, value in row.items()} for row in frame.to_dict("records")
    ]
