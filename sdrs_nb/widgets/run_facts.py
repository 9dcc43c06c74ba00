"""A run in figures: where it stands, elapsed and expected time, calls left, servers by stage."""

from datetime import UTC, datetime, timedelta

from sdrs_nb.i18n import _
from sdrs_nb.ledger.run_states import RunState
from sdrs_nb.running.outcomes import state_tone, state_words
from sdrs_nb.running.outcomes_html import troubles_html
from sdrs_nb.running.runs import Run
from sdrs_nb.shown import html
from sdrs_nb.shown.words import word
from sdrs_nb.statuses import WORST_FIRST

__all__ = ["run_facts"]


def run_facts(run: Run, now: RunState) -> str:
    """Return the figures of ``run``, which stands at ``now``, what it waits for and what failed; reads the ledger."""
    counts = run.counts
    stands = html.status(state_words(now, counts), state_tone(now, counts))
    facts: list[tuple[str, object]] = [
        (_("Run"), run.run_id),
        (_("State"), stands),
        (_("Where"), run.where),
        (_("Elapsed"), _elapsed(run)),
    ]
    if now == RunState.RUNNING and (to_go := run.seconds_to_go) is not None:
        facts.append((_("Expected still"), _time(to_go)))
    if (allowance := run.calls_left) is not None:
        left = _("{left} of {calls} in {window}", left=allowance.left, calls=allowance.calls,
                 window=_time(allowance.window_s))  # fmt: skip
        facts.append((_("Calls left"), left))
    facts += [(word(stage), counts[stage.value]) for stage in WORST_FIRST if counts[stage.value]]
    facts.append((_("Rule book"), run.plan.rulebook.name))
    message = html.message(run.message, "warning") if run.message and now != RunState.DONE else ""
    note = html.message(run.plan.rulebook_note, "warning") if run.plan.rulebook_note else ""
    return html.fragment(html.facts(facts)) + message + note + html.fragment(troubles_html(run.troubles))


def _elapsed(run: Run) -> str:
    record = run.record
    begun = datetime.fromisoformat(record["created_at"])
    ended = datetime.now(UTC)
    if record["state"] in (RunState.DONE, RunState.PAUSED) and not (events := run.events).empty:
        ended = events["at"].iloc[-1].to_pydatetime()
    return _time((ended - begun).total_seconds())


def _time(seconds: float) -> str:
    return str(timedelta(seconds=max(round(seconds), 0)))
