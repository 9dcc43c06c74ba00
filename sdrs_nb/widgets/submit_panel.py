"""Submit the approved plan and watch it: per batch, job, sub-job and server, while it goes on."""

import json
from collections.abc import Mapping

import ipywidgets
import pandas as pd

from sdrs_nb import html
from sdrs_nb.cloud import Cloud
from sdrs_nb.following import follow
from sdrs_nb.i18n import _
from sdrs_nb.jobs import read_job
from sdrs_nb.ledger import RunState
from sdrs_nb.models import Stage
from sdrs_nb.runs import Run
from sdrs_nb.submission import submit
from sdrs_nb.tables import OUTCOME, empty
from sdrs_nb.widgets.grid import Grid
from sdrs_nb.widgets.inventory_panel import server_labels
from sdrs_nb.widgets.panel import Panel, button, row
from sdrs_nb.widgets.state import Step, WorkbenchState
from sdrs_nb.words import word

__all__ = ["STAGE_TONES", "SubmitPanel", "stage_words"]

STAGE_TONES = {
    "not sent": "neutral",
    "accepted": "running",
    "job ok": "running",
    "created": "good",
    "protected": "good",
    "failed": "bad",
    "unknown": "unknown",
}
_BATCH_TONES = {
    "pending": "neutral",
    "sending": "running",
    "uncertain": "unknown",
    "accepted": "running",
    "ended": "good",
    "refused": "bad",
    "held": "warning",
    "unknown": "unknown",
}
_BATCHES = {
    "batch_id": "string",
    "group": "string",
    "group_id": "string",
    "servers": "Int64",
    "state": "string",
    "job_status": "string",
    "sub_jobs": "string",
    "job_id": "string",
    "reason": "string",
}


def stage_words() -> dict[str, str]:
    """Return the stages in the operator's language."""
    return {stage: word(stage) for stage in STAGE_TONES}


def _batch_words() -> dict[str, str]:
    return {
        "pending": _("not sent yet"),
        "sending": _("being sent"),
        "uncertain": _("answer lost, looking"),
        "accepted": _("job under way"),
        "ended": _("ended"),
        "refused": _("refused"),
        "held": _("held back"),
        "unknown": _("unknown"),
    }


class SubmitPanel(Panel):
    """The run while it goes on; closing the page or restarting the kernel loses nothing of it.

    Parameters
    ----------
    cloud
        Where to send.
    state
        The workbench's state; a state whose run was set shows that run and can carry it on.
    """

    def __init__(self, cloud: Cloud | None, state: WorkbenchState) -> None:
        super().__init__(state, Step.SUBMIT, _("Submission"))
        self.cloud = cloud
        self._submit = button(_("Submit"), self._on_submit_click, style="danger")
        self._stop = button(_("Stop after the requests under way"), self._on_stop_click)
        self._resume = button(_("Carry on"), self._on_resume_click, style="primary")
        self._bar = ipywidgets.IntProgress(layout=ipywidgets.Layout(width="320px"))
        self._doing = ipywidgets.Label()
        self._facts = ipywidgets.HTML()
        self.batches = Grid(
            pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in _BATCHES.items()}),
            "batch_id",
            labels={
                "batch_id": _("Batch"),
                "group": _("Group"),
                "group_id": _("Group ID"),
                "servers": _("Servers"),
                "state": _("State"),
                "job_status": _("Job status"),
                "sub_jobs": _("Sub-jobs"),
                "job_id": _("Job"),
                "reason": _("Reason"),
            },
            visible=("batch_id", "servers", "state", "job_status", "sub_jobs", "group", "reason"),
            status_columns={"state": _BATCH_TONES},
            words={"state": _batch_words()},
            title=_("Batches"),
            height=260,
        )
        self.servers = Grid(
            empty(OUTCOME),
            "server_id",
            visible=("name", "stage", "batch_id", "message", "protected_instance_id", "server_id"),
            labels=server_labels(),
            status_columns={"stage": STAGE_TONES},
            words={"stage": stage_words()},
            title=_("Servers of the run"),
            height=320,
        )
        self._fill(
            [
                row(self._submit, self._stop, self._resume),
                row(self._bar, self._doing),
                self._facts,
                self.batches,
                self.servers,
            ]
        )

    def _on_submit_click(self) -> None:
        if self.cloud is None or not self._is_free or self.state.run is not None:
            return
        self.state.begin(self.step)
        self.background.start("run", self._submitting(self.cloud), done=self._on_ended, failed=self._failed)

    def _on_resume_click(self) -> None:
        if self.cloud is None or not self._is_free or self.state.run is None:
            return
        self.state.begin(self.step)
        self.background.start(
            "run", self._following(self.cloud, self.state.run), done=self._on_ended, failed=self._failed
        )

    def _on_stop_click(self) -> None:
        self.background.stop("run")
        self.state.end(self.step)

    async def _submitting(self, cloud: Cloud) -> Run:
        plan, approval = self.state.plan, self.state.approval
        assert plan is not None  # noqa: S101 - blockers() said so
        assert approval is not None  # noqa: S101 - blockers() said so
        run = await submit(cloud, plan, approve=approval)
        self.state.set_run(run)
        return await self._following(cloud, run)

    async def _following(self, cloud: Cloud, run: Run) -> Run:
        return await follow(cloud, run, on_change=lambda _run: self.redraw())

    def _on_ended(self, _run: Run) -> None:
        self.state.end(self.step)

    def _draw(self) -> None:
        run = self.state.run
        running = self._is_running
        self._submit.disabled = running or run is not None or not self._is_free
        self._stop.disabled = not running
        can_resume = run is not None and not running and run.state != RunState.DONE and self.cloud is not None
        self._resume.disabled = not can_resume
        if run is None:
            self._bar.max, self._bar.value, self._doing.value, self._facts.value = 1, 0, "", ""
            return
        self._draw_run(run)

    def _draw_run(self, run: Run) -> None:
        counts = run.counts
        words = stage_words()
        ended = sum(counts[stage.value] for stage in (Stage.CREATED, Stage.PROTECTED, Stage.FAILED))
        self._bar.max, self._bar.value = max(sum(counts.values()), 1), ended
        self._doing.value = _("{ended} of {all} servers have ended", ended=ended, all=sum(counts.values()))
        facts = [(_("Run"), run.run_id), *((words[stage], count) for stage, count in counts.items() if count)]
        message = html.message(run.message, "warning") if run.message else ""
        self._facts.value = html.fragment(html.facts(facts)) + message
        self.batches.update(_batches_frame(run, self.state.group_names))
        self.servers.update(run.servers)


def _batches_frame(run: Run, group_names: Mapping[str, str]) -> pd.DataFrame:
    batches = run.batches
    jobs = run.jobs
    documents = {} if jobs.empty else dict(zip(jobs["job_id"], jobs["document"], strict=True))
    texts = [_sub_jobs(documents.get(job_id)) for job_id in batches["job_id"]]
    named = [group_names.get(group, group) for group in batches["group_id"]]
    return batches.assign(sub_jobs=texts, group=named)[list(_BATCHES)].astype(_BATCHES)


def _sub_jobs(document: str | None) -> str:
    counts = read_job(json.loads(document)).counts if document else {}
    return ", ".join(f"{count} {status}" for status, count in counts.items())
