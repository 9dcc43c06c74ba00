"""What went wrong in a run, as HTML and in the order in which it is looked at."""

from collections.abc import Iterable

import pandas as pd
from markupsafe import Markup

from sdrs_nb.ledger.run_states import BatchState
from sdrs_nb.running.outcomes import Trouble
from sdrs_nb.shown import html

__all__ = ["troubled_first", "troubles_html"]


def troubles_html(troubles: Iterable[Trouble]) -> Markup:
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
