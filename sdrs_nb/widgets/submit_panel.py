"""Submit the approved plan and watch it: per batch, job, sub-job and server, while it goes on."""

import asyncio
import json
from collections.abc import Awaitable, Mapping

import ipywidgets
import pandas as pd

from sdrs_nb.cloud import Cloud
from sdrs_nb.errors import NoBatchCallError, SdrsError
from sdrs_nb.i18n import _
from sdrs_nb.ledger.run_states import RunState
from sdrs_nb.models import Wait
from sdrs_nb.running.following import follow, resume
from sdrs_nb.running.jobs import read_job
from sdrs_nb.running.outcomes import state_tone
from sdrs_nb.running.outcomes_html import troubled_first
from sdrs_nb.running.pilots_html import pilot_html
from sdrs_nb.running.runs import Run
from sdrs_nb.running.submission import submit
from sdrs_nb.shown import html
from sdrs_nb.shown.titles import grid_titles
from sdrs_nb.shown.tones import BATCH_TONES, JOB_TONES, STAGE_TONES, TONES
from sdrs_nb.shown.words import batch_word, word
from sdrs_nb.tables import OUTCOME, empty, worst_first
from sdrs_nb.widgets.event_log import event_frame, event_grid
from sdrs_nb.widgets.grid import Grid
from sdrs_nb.widgets.pace_fields import PaceFields
from sdrs_nb.widgets.panel import Panel, button, folded, row, text_field
from sdrs_nb.widgets.pictures import run_timeline
from sdrs_nb.widgets.run_facts import run_facts
from sdrs_nb.widgets.state import WorkbenchState
from sdrs_nb.widgets.steps import Step, step_title

__all__ = ["SubmitPanel", "stage_words"]

#: How a bar of ipywidgets shows a tone; the others have its plain colour.
BAR_STYLES = dict.fromkeys(TONES, "") | {"good": "success", "warning": "warning", "bad": "danger"}
#: Seconds between looks at a run that somebody else carries on.
_LOOK_S = 1.0
#: Rows of the table of a pilot that are shown: more than a batch of five has where nothing differs.
_ROWS = 300
_BATCHES = {
    "batch_id": "string",
    "group": "string",
    "group_id": "string",
    "servers": "Int64",
    "failed": "Int64",
    "state": "string",
    "job_status": "string",
    "sub_jobs": "string",
    "job_id": "string",
    "reason": "string",
}


def stage_words() -> dict[str, str]:
    """Return the stages in the operator's language."""
    return {stage: word(stage) for stage in STAGE_TONES}


class SubmitPanel(Panel):
    """The run while it goes on; closing the page or restarting the kernel loses nothing of it.

    Parameters
    ----------
    cloud
        Where to send.
    state
        The workbench's state; a state whose run was set shows that run and can carry it on.
    """

    def __init__(self, cloud: Cloud | None = None, state: WorkbenchState | None = None) -> None:
        super().__init__(state or WorkbenchState(cloud), Step.SUBMIT)
        self._said = ("", "")
        self._submit = button(_("Submit"), self._on_submit_click, style="danger")
        self._enable = ipywidgets.Checkbox(
            description=_("Enable protection of the groups at the end, which starts copying data"), indent=False
        )
        self._careful = ipywidgets.Checkbox(description=_("Send nothing more once a server fails"), indent=False)
        self.pace = PaceFields(self.state)
        self._choices = ipywidgets.VBox(
            [row(self._enable, self._careful), folded(_("How fast it goes and how long it waits"), self.pace)]
        )
        self._stop = button(_("Stop after this batch"), self._on_stop_click,
                            tooltip=_("Send nothing more; what was sent is followed to its end"))  # fmt: skip
        self._pause = button(_("Pause"), self._on_pause_click,
                             tooltip=_("Send nothing more and look at no job; jobs go on in the cloud"))  # fmt: skip
        self._resume = button(_("Carry on"), self._on_resume_click, style="primary")
        self._go_on = button(_("Go on"), self._on_go_on_click, style="warning",
                             tooltip=_("Send the other batches; it is recorded that you said so"))  # fmt: skip
        self._why = text_field(description=_("Why it may go on all the same"), width="420px")
        self._pilot = ipywidgets.HTML()
        self._word = row(self._go_on, self._why)
        self._retry = button(_("Retry what failed as a new plan"), self._on_retry_click)
        self._new = button(_("New plan"), self._on_new_click)
        self._actions = row(self._submit, self._stop, self._pause, self._resume, self._retry, self._new)
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
                "failed": _("Failed"),
                "state": _("State"),
                "job_status": _("Job status"),
                "sub_jobs": _("Sub-jobs"),
                "job_id": _("Job"),
                "reason": _("Reason"),
            },
            visible=("batch_id", "servers", "failed", "state", "job_status", "sub_jobs", "group", "reason"),
            status_columns={"state": BATCH_TONES, "job_status": JOB_TONES},
            words={"state": {state: batch_word(state) for state in BATCH_TONES}},
            title=_("Batches"),
            height=260,
        )
        self.servers = Grid(
            empty(OUTCOME),
            "server_id",
            visible=("name", "stage", "batch_id", "message", "protected_instance_id", "server_id"),
            labels=grid_titles(),
            status_columns={"stage": STAGE_TONES},
            words={"stage": stage_words()},
            title=_("Servers of the run"),
            height=300,
        )
        self._timeline = ipywidgets.HTML()
        self.events = event_grid()
        self._log = folded(_("Event log"), self.events)
        self._body = ipywidgets.VBox(
            [
                row(self._bar, self._doing),
                self._facts,
                self._pilot,
                self._word,
                self.batches,
                self._timeline,
                self.servers,
                self._log,
            ]
        )
        self._fill([self._actions, self._choices, self._body])

    def _on_submit_click(self) -> None:
        if self.cloud is None or not self._is_free or self.state.run is not None:
            return
        self.state.begin(self.step)
        self.background.start("run", self._submitting(self.cloud), done=self._on_ended, failed=self._failed)

    def _on_resume_click(self) -> None:
        run = self.state.run
        if run is None or self.cloud is None:
            return
        if self.background.is_running("run"):
            run.carry_on()
        elif self._is_free:
            self.state.begin(self.step)
            work = self._resuming(self.cloud, run)
            self.background.start("run", work, done=self._on_ended, failed=self._failed)

    def _on_go_on_click(self) -> None:
        run = self.state.run
        if run is not None and self._is_free:
            try:
                run.go_on(self._why.value.strip())
            except SdrsError as error:
                self._failed(error)
            else:
                self._on_resume_click()

    def _on_stop_click(self) -> None:
        if self.state.run is not None:
            self.state.run.stop()
            self.redraw()

    def _on_pause_click(self) -> None:
        if self.state.run is not None:
            self.state.run.pause()
            self.redraw()

    def _on_retry_click(self) -> None:
        self.state.start_over(self.state.to_retry)

    def _on_new_click(self) -> None:
        self.state.start_over()

    async def _submitting(self, cloud: Cloud) -> Run:
        plan, approval = self.state.plan, self.state.approval
        assert plan is not None  # noqa: S101 - blockers() said so
        assert approval is not None  # noqa: S101 - blockers() said so
        run = await submit(
            cloud,
            plan,
            approve=approval,
            enable_protection=bool(self._enable.value),
            on_failure="stop" if self._careful.value else None,
            eligibility=self.state.eligibility,
            pace=self.state.pace,
            pilot=int(self.state.wants_pilot),
        )
        self.state.set_run(run)
        return await self._walked(follow(cloud, run, on_change=self._on_change))

    async def _resuming(self, cloud: Cloud, run: Run) -> Run:
        return await self._walked(resume(cloud, run, on_change=self._on_change))

    async def _walked(self, walk: Awaitable[Run]) -> Run:
        try:
            return await walk
        except NoBatchCallError as error:
            how = _("{error} Choose Retry what failed as a new plan, load the inventory, and choose that rule book in "
                    "the step {step}.", error=error, step=step_title(Step.ELIGIBILITY))  # fmt: skip
            raise SdrsError(how) from error

    async def _watching(self, run: Run) -> None:
        # Another notebook, process or cell may carry the run on: the ledger shows how it goes.
        before = run.state
        while before != RunState.DONE and not self._is_running and self.state.run is run:
            await asyncio.sleep(_LOOK_S)
            now = run.state
            if RunState.RUNNING in (before, now) or now != before:
                self.redraw()
            before = now

    def _on_change(self, _run: Run) -> None:
        self.redraw()

    def _on_ended(self, _run: Run) -> None:
        self.state.end(self.step)

    def _wait(self) -> Wait | None:
        # A run says it by its record, so that a panel that only watches it shows it too; see its figures.
        return super()._wait() if self.state.run is None else None

    def _draw(self) -> None:
        run = self.state.run
        self._body.layout.display = "none" if run is None else ""
        self._choices.layout.display = "" if run is None else "none"
        for widget in (self._stop, self._pause, self._resume, self._retry, self._new):
            widget.layout.display = "none" if run is None else ""
        self._submit.layout.display = "" if run is None else "none"
        self._submit.disabled = not self._is_free or self.cloud is None
        if run is not None:
            self._draw_run(run, run.state)

    def _draw_run(self, run: Run, now: RunState) -> None:
        is_moving = now == RunState.RUNNING or self._is_running
        if now != RunState.DONE and not self._is_running and not self.background.is_running("watch"):
            self.background.start("watch", self._watching(run), done=self._on_watched)
        is_stopped = run.record["control"] != "go"
        self._stop.disabled = self._pause.disabled = not is_moving or is_stopped
        self._resume.disabled = self.cloud is None or now == RunState.DONE or (is_moving and not is_stopped)
        self._draw_pilot(run, is_moving=is_moving)
        failed = self.state.to_retry if not is_moving else ()
        self._retry.disabled = not failed
        self._new.disabled = is_moving or now != RunState.DONE
        now_at = run.tally
        self._bar.max, self._bar.value = max(now_at.whole, 1), now_at.ended
        self._bar.bar_style = BAR_STYLES[state_tone(now, run.counts)]
        self._doing.value = _("{ended} of {all} servers have ended", ended=now_at.ended, all=now_at.whole)
        self._facts.value = run_facts(run, now)
        if (said := self.state.shown(self.step)) != self._said:
            self._said = said
            self.state.changed()  # the steps above the panels say it too
        self._timeline.value = run_timeline(run)
        self.batches.update(_batches_frame(run, self.state.group_names))
        self.servers.update(worst_first(run.servers))
        self.events.update(event_frame(run.events))

    def _draw_pilot(self, run: Run, *, is_moving: bool) -> None:
        pilot = run.pilot
        self._pilot.value = html.fragment(pilot_html(pilot, run.pilot_table, _ROWS)) if pilot is not None else ""
        waits = pilot is not None and pilot.holds_back and not is_moving and run.state == RunState.PAUSED
        self._word.layout.display = "" if waits else "none"
        self._why.layout.display = "none" if pilot is None or pilot.is_as_expected else ""
        if waits:  # carrying on without the word would only wait again
            self._resume.disabled = True

    def _on_watched(self, _nothing: None) -> None:
        self.state.changed()


def _batches_frame(run: Run, group_names: Mapping[str, str]) -> pd.DataFrame:
    batches = troubled_first(run.batches)
    jobs = run.jobs
    documents = {} if jobs.empty else dict(zip(jobs["job_id"], jobs["document"], strict=True))
    texts = [_sub_jobs(documents.get(job_id)) for job_id in batches["job_id"]]
    named = [group_names.get(group, group) for group in batches["group_id"]]
    return batches.assign(sub_jobs=texts, group=named)[list(_BATCHES)].astype(_BATCHES)


def _sub_jobs(document: str | None) -> str:
    counts = read_job(json.loads(document)).counts if document else {}
    return ", ".join(f"{count} {status}" for status, count in counts.items())
