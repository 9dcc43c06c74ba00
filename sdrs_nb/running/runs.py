"""A run as the ledger knows it: read afresh each time, the same in every notebook and on every day."""

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd
from filelock import FileLock, Timeout

from sdrs_nb.asked import checked
from sdrs_nb.cloud.budget import Allowance, allowance_at
from sdrs_nb.errors import LedgerError
from sdrs_nb.home import operator_name
from sdrs_nb.i18n import _
from sdrs_nb.ledger.ledger import SCOPE, Control, Ledger, RunState
from sdrs_nb.ledger.observing import CONTRADICTED
from sdrs_nb.ledger.pilots import Pilot, PilotResult
from sdrs_nb.ledger.run_states import BatchState, BatchTally, batch_tally
from sdrs_nb.models import Approval, Pace, Wait
from sdrs_nb.running.observations import contradiction_sentence
from sdrs_nb.running.outcomes import Trouble, state_tone, state_words, troubles
from sdrs_nb.running.scopes import where
from sdrs_nb.running.walk import walk_of
from sdrs_nb.shown.words import batch_word, counted, joined, word
from sdrs_nb.statuses import WORST_FIRST, Stage, Tally, tally
from sdrs_nb.tables import OUTCOME, PILOT, shape

if TYPE_CHECKING:
    from sdrs_nb.planning.planning import Plan

__all__ = ["Run", "list_runs", "open_run"]


@checked
def list_runs(ledger: Ledger | None = None) -> pd.DataFrame:
    """Return one row a run of the ledger, newest first.

    Columns: ``run_id``, ``created_at`` (UTC), ``state`` (ready, running, paused, done), ``batches``, ``servers``,
    ``done`` (servers that reached the end their plan aims at), ``failed``, ``unknown``, ``endpoint``, ``region``,
    ``project_id``, ``fingerprint``, ``message``, ``project_name``, ``cloud_host``, ``user_name``, ``world`` (of a
    sandbox).  No run gives an empty frame with these columns.  Reads the ledger
    file, no network.

    Raises
    ------
    LedgerError
        The ledger cannot be read.
    """
    rows = (ledger or Ledger()).runs()
    columns = [
        "run_id", "created_at", "state", "batches", "servers", "done", "failed", "unknown", "endpoint", "region",
        "project_id", "fingerprint", "message", "project_name", "cloud_host", "user_name", "world",
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(created_at=pd.to_datetime(frame["created_at"], utc=True, format="ISO8601"))


@checked
def open_run(run_id: str, ledger: Ledger | None = None) -> "Run":
    """Return the run called ``run_id``, as any notebook, day or process left it.

    Raises
    ------
    LedgerError
        The ledger cannot be read or holds no such run.
    """
    run = Run(run_id, ledger or Ledger())
    run.record  # noqa: B018 - reading it proves that the run exists
    return run


class Run:
    """One approved plan on its way: every property reads the ledger, so it shows what is true now.

    ``state`` is ready, running, paused or done; ``message`` says in a sentence what it waits for or why it paused.
    ``stop``, ``pause``, ``carry_on`` and ``cancel`` may be called from any notebook or process; whoever carries the
    run on notices within a second.
    """

    def __init__(self, run_id: str, ledger: Ledger) -> None:
        self.run_id = run_id
        self.ledger = ledger

    def _repr_html_(self) -> str:
        from sdrs_nb.running.outcomes_html import troubled_first, troubles_html
        from sdrs_nb.running.pilots_html import pilot_html
        from sdrs_nb.shown import html

        counts, state = self.counts, self.state
        stands = html.status(state_words(state, counts), state_tone(state, counts))
        facts = [
            (_("State"), stands),
            (_("Where"), self.where),
            *((word(stage), counts[stage]) for stage in WORST_FIRST if counts[stage]),
        ]
        batches = troubled_first(self.batches)[["batch_id", "state", "job_status", "servers", "failed", "reason"]]
        batches["state"] = batches["state"].map(batch_word)
        notes = [self.message] if self.message else []
        title = _("Run {run}", run=self.run_id)
        body = [troubles_html(self.troubles), pilot_html(self.pilot, self.pilot_table), html.table(batches, html.FEW)]
        return html.summary(title, facts, notes=notes, body=body)

    def __repr__(self) -> str:
        counts = self.counts
        stages = joined(counted(counts[stage], stage) for stage in WORST_FIRST if counts[stage])
        state = state_words(self.state, counts)
        return _("Run {run} ({state}): {counts}", run=self.run_id, state=state, counts=stages)

    @property
    def record(self) -> dict[str, Any]:
        """The run's row: when, where, by whom, in which state.

        Raises
        ------
        LedgerError
            The ledger holds no such run.
        """
        record = self.ledger.run(self.run_id)
        if record is None:
            raise LedgerError(
                _(
                    "There is no run {run} in the ledger {path}. sdrs_nb.list_runs() shows those it holds.",
                    run=self.run_id,
                    path=self.ledger.path,
                )
            )
        return record

    @property
    def state(self) -> RunState:
        """Where the run stands; a run whose process has died is paused, whatever it wrote last."""
        state = RunState(self.record["state"])
        return RunState.PAUSED if state == RunState.RUNNING and not self.is_held else state

    @property
    def message(self) -> str:
        """Why the run stands where it does or what it waits for, or an empty string."""
        record = self.record
        if record["state"] == RunState.RUNNING and not self.is_held:
            return _("The process that carried this run on has ended. Nothing is lost: resume carries on.")
        if record["state"] == RunState.RUNNING and (wait := self.waiting) is not None:
            return str(wait)
        return str(record["message"])

    @property
    def waiting(self) -> Wait | None:
        """The wait for the gateway's limit that holds the run back now; None where none does."""
        return self.ledger.waiting(self.run_id)

    @property
    def is_held(self) -> bool:
        """Whether some process of this machine carries the run on now."""
        lock = FileLock(self.ledger.path.with_name(f"{self.run_id}.lock"), mode=0o600)
        if not self.ledger.path.with_name(f"{self.run_id}.lock").exists():
            return False
        try:
            with lock.acquire(timeout=0):
                return False
        except Timeout:
            return True

    def stop(self, reason: str = "") -> None:
        """Send no further batch; what was sent is followed to its end, then the run is paused."""
        self._ask(Control.STOP, reason or _("Stopped by the operator; resume carries on."))

    def pause(self, reason: str = "") -> None:
        """Send no further batch and look at no job, after the requests under way; jobs go on in the cloud."""
        self._ask(Control.PAUSE, reason or _("Paused by the operator; resume carries on."))

    def carry_on(self) -> None:
        """Take ``stop`` back where the run is still carried on; where nobody does, call ``resume``."""
        self._ask(Control.GO, "")

    def go_on(self, reason: str = "", *, who: str | None = None) -> None:
        """Say that the run may go on after its pilot, as ``who`` (by default the user of this machine) answers for.

        It is recorded.  Where nobody carries the run on, as after a pilot that was compared, call ``resume`` then.

        Raises
        ------
        SettingsError
            The run has no pilot, it was not compared yet, or it differs and no reason is given; nothing is recorded.
        LedgerError
            The word cannot be recorded.
        """
        self.ledger.release_pilot(self.run_id, operator_name() if who is None else who, reason)

    def cancel(self, reason: str = "") -> int:
        """Give up every batch that was not sent yet, for good, and free its servers; returns how many servers.

        What was sent is followed to its end.  The given-up servers can be planned again.
        """
        return self.ledger.release(self.run_id, reason or _("Cancelled before it was sent."))

    def let_go(self, reason: str, *, who: str | None = None) -> list[str]:
        """Free the servers of batches whose fate is unknown, on the operator's recorded word; returns the batches.

        For when nothing can come of those requests any more, as ``who`` (by default the user of this machine) answers
        for.  The servers stay ``unknown`` in this run and can be planned again.

        Raises
        ------
        LedgerError
            The word cannot be recorded; nothing is freed.
        """
        return self.ledger.let_go(self.run_id, operator_name() if who is None else who, reason)

    def tick(self, item: str, *, is_done: bool = True, note: str = "") -> None:
        """Record that a task of ``to_do`` is done, or (``is_done=False``) is not after all; nothing is sent.

        Parameters
        ----------
        item
            From the column of that name, such as ``S29:SERVER``, or ``S29`` for all its servers.
        note
            Who says so; by default the user of this machine.

        Raises
        ------
        LedgerError
            It cannot be recorded.
        """
        self.ledger.tick(self.run_id, item, is_done=is_done, note=note or operator_name())

    def _ask(self, control: Control, reason: str) -> None:
        self.ledger.set_control(self.run_id, control, reason)
        walk = walk_of(self.ledger, self.run_id)  # another process reads the ledger; here nobody needs to wait for that
        if walk is not None and not walk.done.done():
            walk.ask(control, reason)

    @property
    def findings(self) -> pd.DataFrame:
        """What the rules said of the planned servers, kept with the run.

        One row a finding: ``server_id, group_id, rule, severity, sdrs_code, message, remedy``, ``origin`` (``plan``:
        when it was planned, ``door``: right before it was sent) and ``taken_at`` (UTC).  Messages are in the language
        of that moment.
        """
        columns = ["server_id", "group_id", "rule", "severity", "sdrs_code", "message", "remedy", "origin", "taken_at"]
        frame = pd.DataFrame(self.ledger.findings(self.run_id), columns=columns).astype("string")
        return frame.assign(taken_at=pd.to_datetime(frame["taken_at"], utc=True, format="ISO8601"))

    @property
    def remainder(self) -> pd.DataFrame:
        """The planned servers that this run will not create, and that a new plan may name; they need a new approval.

        One row a server: ``server_id, name, group_id, batch_id, error_code, message``.  Servers of held, cancelled
        and refused batches, except those that are the likely cause of a refusal (their stage is ``failed``).
        """
        columns = ["server_id", "name", "group_id", "batch_id", "error_code", "message"]
        given_up = (BatchState.HELD, BatchState.REFUSED)
        servers = [row for row in self.ledger.servers(self.run_id) if row["stage"] == Stage.NOT_SENT]
        rows = [row for row in servers if row["batch_state"] in given_up]
        return pd.DataFrame(rows, columns=columns).astype("string")

    @property
    def seconds_to_go(self) -> float | None:
        """Seconds until the last batch ends if the rest goes as the batches so far; None while nothing is known."""
        took = self.ledger.seconds_of_batches(self.run_id)
        return took[len(took) // 2] * self.ledger.batches_to_go(self.run_id) if took else None

    @property
    def calls_left(self) -> Allowance | None:
        """How the gateway's call budget for this project stands on this machine; None while no 429 named one."""
        return allowance_at(self.record["endpoint"])

    @cached_property
    def plan(self) -> "Plan":
        """The approved plan, with its exact payloads, as recorded before anything was sent."""
        from sdrs_nb.planning.planning import Plan

        with self.ledger.readable():
            return Plan.from_document(json.loads(self.record["plan"]))

    @cached_property
    def pace(self) -> Pace:
        """The waiting times and limits that the run was submitted with."""
        with self.ledger.readable():
            return Pace.model_validate_json(self.record["settings"])

    @cached_property
    def approval(self) -> Approval:
        """Who approved the plan, and when."""
        with self.ledger.readable():
            return Approval.model_validate_json(self.record["approval"])

    @property
    def scope(self) -> dict[str, str]:
        """The cloud the run talks to: endpoint, region, project and what else is known of it, by name."""
        record = self.record
        return {name: record[name] for name in SCOPE}

    @property
    def where(self) -> str:
        """The cloud, region, project and user of the run, in one line."""
        return where(self.scope)

    @property
    def batches(self) -> pd.DataFrame:
        """One row a batch in sending order.

        Columns: ``batch_id, group_id, state, reason, job_id, job_status, servers``, ``failed`` (of these servers).
        """
        columns = ["batch_id", "group_id", "state", "reason", "job_id", "job_status", "servers", "failed"]
        return pd.DataFrame(self.ledger.batches(self.run_id), columns=columns)

    @property
    def servers(self) -> pd.DataFrame:
        """One row a planned server, in the columns of the outcome (``tables.OUTCOME``), as far as it is known."""
        rows = self.ledger.servers(self.run_id)
        return shape(pd.DataFrame(rows, columns=list(OUTCOME.columns)), OUTCOME)

    @property
    def counts(self) -> dict[str, int]:
        """Servers by stage, every stage named, in order."""
        found = self.ledger.stages(self.run_id)
        return {stage.value: found.get(stage.value, 0) for stage in Stage}

    @property
    def tally(self) -> Tally:
        """Servers by what their stages mean: how many have ended, and how."""
        return tally(self.counts)

    @property
    def troubles(self) -> tuple[Trouble, ...]:
        """What went wrong so far, by stage and code of the service: how many, which, why, and what to do."""
        return troubles(self.servers, self.state, is_deletion=self.plan.is_deletion)

    @property
    def batch_tally(self) -> BatchTally:
        """Batches by what their states mean."""
        return batch_tally(self.batches["state"])

    @property
    def pilot(self) -> Pilot | None:
        """The batch that goes alone, where it stands and who let the others follow; None where the run has none."""
        return self.ledger.pilot(self.run_id)

    @property
    def waits_for_word(self) -> bool:
        """Whether the run stands still after a pilot that is as expected, until somebody says ``go_on``."""
        pilot = self.pilot
        return pilot is not None and pilot.holds_back and pilot.is_as_expected and self.state == RunState.PAUSED

    @property
    def pilot_table(self) -> pd.DataFrame:
        """What the pilot was expected to bring about and what was found (``tables.PILOT``), differences first.

        One row an aspect of one thing; empty before it was compared, and where the run has no pilot.
        """
        pilot = self.pilot
        rows = [row.model_dump(mode="json") for row in (pilot.rows if pilot else ())]
        order = [PilotResult.DIFFERENT, PilotResult.NOT_COMPARED, PilotResult.AS_EXPECTED]
        rows.sort(key=lambda row: order.index(row["result"]))
        return shape(pd.DataFrame(rows, columns=list(PILOT.columns)), PILOT)

    @property
    def attempts(self) -> pd.DataFrame:
        """One row a create request that was or may have been sent, with its answer."""
        return pd.DataFrame(self.ledger.attempts(self.run_id))

    @property
    def jobs(self) -> pd.DataFrame:
        """One row a job: ``job_id, batch_id, status, looks, first_look_at, last_look_at, document`` (JSON text)."""
        return pd.DataFrame(self.ledger.jobs(self.run_id))

    @property
    def contradictions(self) -> list[str]:
        """What this run saw that does not hold although it was assumed, a sentence each, in the order it was seen."""
        seen = [row for row in self.ledger.observations(self.run_id) if row["seen"] == CONTRADICTED]
        return [contradiction_sentence(row["assumption"], row["detail"]) for row in seen]

    @property
    def events(self) -> pd.DataFrame:
        """One row a thing that happened, oldest first: ``at`` (UTC), ``kind``, ``batch_id``, ``data`` (JSON text)."""
        frame = pd.DataFrame(self.ledger.events(self.run_id), columns=["event_id", "at", "kind", "batch_id", "data"])
        return frame.assign(at=pd.to_datetime(frame["at"], utc=True, format="ISO8601"))
