"""The two pictures of a report as plain figures: who fell out on the way, and what ran when.  Pure; no markup."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pandas as pd

from sdrs_nb.i18n import _
from sdrs_nb.models import Verdict
from sdrs_nb.running.jobs import Job, read_job
from sdrs_nb.shown.words import word
from sdrs_nb.statuses import OPEN, REACHED, WORST_FIRST, JobStatus, Stage

__all__ = ["Bar", "Step", "Timeline", "timeline", "waterfall"]


@dataclass(frozen=True)
class Step:
    """One line of the waterfall: how many are left, or how many fell out; ``start`` and ``width`` in per cent."""

    label: str
    count: int
    kind: str  # total, lost or pending
    start: float
    width: float


@dataclass(frozen=True)
class Bar:
    """A job or sub-job on the time axis; ``start`` and ``width`` in per cent of the whole."""

    label: str
    about: str
    status: str
    is_sub_job: bool
    start: float
    width: float


@dataclass(frozen=True)
class Timeline:
    """Bars in the order they began, and ticks of the time axis: per cent and words."""

    bars: tuple[Bar, ...] = ()
    ticks: tuple[tuple[float, str], ...] = ()
    begin: datetime | None = None


def waterfall(servers: pd.DataFrame, left_out: pd.DataFrame) -> list[Step]:
    """Return how many servers were asked for, who fell out and why, and how many reached the end.

    Parameters
    ----------
    servers
        Planned servers with their ``stage``.
    left_out
        Servers that were asked for and not planned, with their ``verdict``.
    """
    asked = len(servers) + len(left_out)
    lost = {str(verdict): int(count) for verdict, count in left_out["verdict"].fillna("").value_counts().items()}
    planner = sum(lost.pop(verdict, 0) for verdict in (Verdict.ELIGIBLE.value, Verdict.WARNING.value, ""))
    words = {verdict: word(verdict) for verdict in Verdict} | {Verdict.PROTECTED: _("protected already")}
    falls = [(words[verdict], lost[verdict.value], "lost") for verdict in Verdict if lost.get(verdict.value)]
    falls += [(_("eligible, but not planned"), planner, "lost")] if planner else []
    stages = servers["stage"].value_counts()
    ends = [
        (word(stage), int(stages[stage]), "pending" if stage in OPEN else "lost")
        for stage in WORST_FIRST
        if stage in stages and stage not in REACHED
    ]
    reached = int(servers["stage"].isin(REACHED).sum())
    rows = [(_("asked for"), asked, "total"), *falls, (_("planned"), len(servers), "total")]
    goal = word(Stage.DELETED) if Stage.DELETED in stages else _("created or protected")
    return _placed([*rows, *ends, (goal, reached, "total")], asked)


def _placed(rows: Iterable[tuple[str, int, str]], whole: int) -> list[Step]:
    steps, level, unit = [], whole, 100 / max(whole, 1)
    for label, count, kind in rows:
        if kind == "total":
            level = count
            steps.append(Step(label, count, kind, 0.0, count * unit))
        else:
            level -= count
            steps.append(Step(label, count, kind, level * unit, count * unit))
    return steps


def timeline(jobs: pd.DataFrame, servers: pd.DataFrame) -> Timeline:
    """Return when each job and sub-job ran, by the cloud's own clock.

    Parameters
    ----------
    jobs
        ``Run.jobs``: its ``document`` is the job as the cloud told it last.
    servers
        Planned servers; a sub-job is named by the server whose instance or DR server it made.
    """
    if jobs.empty:
        return Timeline()
    read = [(str(row.batch_id), read_job(json.loads(str(row.document)))) for row in jobs.itertuples()]
    times = [time for _batch, job in read for each in (job, *job.sub_jobs) for time in _times(each)]
    if not times:
        return Timeline()
    begin, end = min(times), max(times)
    names = _names(servers)
    axis = _Axis(begin, end)
    bars: list[Bar] = []
    for batch, job in sorted(read, key=lambda one: (_times(one[1]) or [end])[0]):
        bars += axis.bars(batch, job, names)
    return Timeline(tuple(bars), axis.ticks(), begin)


@dataclass(frozen=True)
class _Axis:
    begin: datetime
    end: datetime

    @property
    def length_s(self) -> float:
        return max((self.end - self.begin).total_seconds(), 1.0)

    def at(self, time: datetime) -> float:
        return 100 * (time - self.begin).total_seconds() / self.length_s

    def bars(self, batch: str, job: Job, names: Mapping[str, str]) -> Iterable[Bar]:
        yield from self._bar(job, batch, is_sub_job=False)
        for sub_job in job.sub_jobs:
            found = names.get(sub_job.protected_instance_id or "") or names.get(sub_job.dr_server_id or "")
            yield from self._bar(sub_job, found or sub_job.job_id, is_sub_job=True)

    def _bar(self, job: Job, label: str, *, is_sub_job: bool) -> Iterable[Bar]:
        times = _times(job)
        if times:
            start = self.at(times[0])
            # A job that still runs reaches to the last thing that is known.
            stop = self.at(times[1]) if len(times) > 1 and job.is_finished else 100.0
            reason = f" {job.error_code or ''} {job.fail_reason or ''}".rstrip() if job.status == JobStatus.FAIL else ""
            about = f"{label}: {job.status.value}, {_duration((stop - start) / 100 * self.length_s)}{reason}"
            yield Bar(label, about, job.status.value, is_sub_job, start, max(stop - start, 0.2))

    def ticks(self) -> tuple[tuple[float, str], ...]:
        return tuple((25.0 * n, _duration(self.length_s * n / 4)) for n in range(5))


def _names(servers: pd.DataFrame) -> dict[str, str]:
    return {
        str(found): str(name)
        for column in ("protected_instance_id", "dr_server_id")
        for found, name in zip(servers[column], servers["name"], strict=True)
        if isinstance(found, str)
    }


def _times(job: Job) -> list[datetime]:
    return [time for text in (job.begin_time, job.end_time) if text and (time := _time(text))]


def _time(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:  # a time in words nobody documented is left out of the picture
        return None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time


def _duration(seconds: float) -> str:
    text = str(timedelta(seconds=round(seconds)))
    return text.removeprefix("0:")
