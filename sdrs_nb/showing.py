"""How results show themselves in a cell, live and in a saved notebook: short, escaped, no markup of theirs.

Each function takes one object and returns HTML for its ``_repr_html_``; none of them shows a whole inventory.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from sdrs_nb import html
from sdrs_nb.i18n import _
from sdrs_nb.ledger.run_states import BatchState
from sdrs_nb.models import Verdict
from sdrs_nb.running.outcomes import Trouble, state_tone, state_words
from sdrs_nb.statuses import WORST_FIRST
from sdrs_nb.tables import INVENTORY_TABLES
from sdrs_nb.titles import frame_title
from sdrs_nb.words import batch_word, word

if TYPE_CHECKING:
    from sdrs_nb.eligibility import Eligibility
    from sdrs_nb.inventory.inventory import Inventory
    from sdrs_nb.planning.plans import Plan
    from sdrs_nb.running.runs import Run

__all__ = ["eligibility_html", "inventory_html", "plan_html", "run_html", "troubled_first", "troubles_html"]

#: Rows of a frame that a summary shows.
_FEW = 10


def inventory_html(inventory: "Inventory") -> str:
    """Return how many rows each frame has, and what could not be read and why."""
    counts = [(frame_title(name), len(inventory.frame(name))) for name in INVENTORY_TABLES if inventory.is_loaded(name)]
    sources = inventory.sources
    unread = sources[~sources["state"].isin(["loaded", "not asked"])]
    notes = [
        f"{frame_title(name)}: {word(state)}" + (f", {message}" if isinstance(message, str) else "")
        for name, state, message in unread[["frame", "state", "message"]].to_numpy().tolist()
    ]
    return html.summary(_("Inventory"), counts, notes=notes)


def eligibility_html(eligibility: "Eligibility") -> str:
    """Return the servers by verdict and the rules that cost the most of them."""
    counts = eligibility.verdicts["verdict"].value_counts()
    shown = [(word(verdict), int(counts[verdict.value])) for verdict in reversed(Verdict) if verdict.value in counts]
    rules = eligibility.by_rule()
    rules["severity"] = rules["severity"].map(word)
    return html.summary(_("Eligibility"), shown, body=[html.table(rules, _FEW)])


def plan_html(plan: "Plan") -> str:
    """Return the plan's numbers and its first batches."""
    facts = [
        (_("Servers planned"), sum(len(batch.server_ids) for batch in plan.batches)),
        (_("Requests"), len(plan.batches)),
        (_("Protection groups"), len({batch.group_id for batch in plan.batches})),
        (_("Left out"), len(plan.omitted)),
        (_("Fingerprint"), plan.fingerprint),
    ]
    rows = [(batch.batch_id, batch.group_id, batch.name_prefix, len(batch.server_ids)) for batch in plan.batches[:_FEW]]
    batches = pd.DataFrame(rows, columns=[_("Batch"), _("Group"), _("Name prefix"), _("Servers")])
    return html.summary(_("Plan"), facts, notes=plan.notes, body=[html.table(batches, _FEW, total=len(plan.batches))])


def run_html(run: "Run") -> str:
    """Return where the run stands: servers by stage, and its batches that need a look first."""
    counts, state = run.counts, run.state
    stands = html.status(state_words(state, counts), state_tone(state, counts))
    facts: list[tuple[str, object]] = [(_("State"), stands)]
    facts += [(word(stage), counts[stage]) for stage in WORST_FIRST if counts[stage]]
    facts += run.where.facts
    batches = troubled_first(run.batches)[["batch_id", "state", "job_status", "servers", "failed", "reason"]]
    batches["state"] = batches["state"].map(batch_word)
    notes = [run.message] if run.message else []
    title = _("Run {run}", run=run.run_id)
    return html.summary(title, facts, notes=notes, body=[troubles_html(run.troubles), html.table(batches, _FEW)])


def troubles_html(troubles: "Iterable[Trouble]") -> Markup:
    """Return what failed, why and what to do, one block a reason; nothing where nothing failed."""
    shown = list(troubles)
    return html.render("troubles.html", troubles=shown, shapes=html.SHAPES) if shown else Markup()


def troubled_first(batches: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of ``Run.batches``: those with trouble, those under way, the others; else their order stays."""
    is_moving = batches["state"].map(lambda state: BatchState(state).is_moving).astype(bool)
    is_calm = batches["failed"].eq(0) & batches["state"].isin([BatchState.ENDED, BatchState.PENDING])
    is_troubled = ~is_calm & (~is_moving | batches["failed"].gt(0))
    parts = (batches[is_troubled], batches[is_moving & ~is_troubled], batches[is_calm])
    return pd.concat(parts, ignore_index=True)
