"""What is not known, which servers wait for it, and how to get it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sdrs_nb.eligibility.columns import BoolArray
from sdrs_nb.eligibility.facts import Facts
from sdrs_nb.eligibility.hits import UNPUBLISHED
from sdrs_nb.eligibility.judging import Fired
from sdrs_nb.eligibility.verdicts import Verdicts
from sdrs_nb.i18n import _
from sdrs_nb.models import Verdict
from sdrs_nb.rulebook import Effect
from sdrs_nb.tables import MISSING, shape

__all__ = ["missing_facts"]


def missing_facts(facts: Facts, fired: Sequence[Fired], verdicts: Verdicts, sources: pd.DataFrame) -> pd.DataFrame:
    """Return one row a fact that is not known (``tables.MISSING``), those that decide most servers first.

    ``sources`` is the inventory's: it says why a frame was not read.  A server that shares volumes waits for what its
    companions wait for.
    """
    size = len(facts.server_ids)
    waiting: dict[str, BoolArray] = {}
    rules: dict[str, list[str]] = {}
    for one in fired:
        for fact in one.hits.lacking:
            if fact != UNPUBLISHED and facts.selected[one.hits.rows].any():
                mask = waiting.setdefault(fact, np.zeros(size, dtype=bool))
                rules.setdefault(fact, []).append(one.rule)
                if one.effect is Effect.UNKNOWN:
                    mask[one.hits.rows] = True
    unknown = verdicts.are(Verdict.UNKNOWN) & facts.selected
    waiting = {fact: (mask | facts.clusters.any(mask)) & unknown for fact, mask in waiting.items()}
    several = np.sum(list(waiting.values()), axis=0) if waiting else np.zeros(size)
    states = dict(zip(sources["frame"], sources["state"], strict=True))
    rows = [
        (fact, int((mask & (several == 1)).sum()), int((mask & (several > 1)).sum()),
         ", ".join(dict.fromkeys(rules[fact])), _how(fact, states))
        for fact, mask in waiting.items()
    ]  # fmt: skip
    rows.sort(key=lambda row: (-row[1], -row[2], row[0]))
    return shape(pd.DataFrame(rows, columns=list(MISSING.columns)), MISSING)


def _how(fact: str, states: dict[str, str]) -> str:
    """Return how to get a fact, in words that fit every face."""
    frame, _dot, column = fact.partition(".")
    if frame == "about":
        return _("Load the inventory from the cloud: a file does not say who reads it.")
    if column:
        return _(
            "Load the inventory from the cloud, or fill in column {column} of {frame}; what everybody knows can be "
            "declared ({fact}).",
            column=column,
            frame=frame,
            fact=fact,
        )
    if frame == "resize_flavors":
        return _("Load the inventory with the flavors that these servers can be resized to.")
    if states.get(frame) == "loaded":
        return _("Complete {frame}: objects that others name are not in it.", frame=frame)
    if states.get(frame) == "denied":
        return _(
            "Ask for read permission for {frame} and load the inventory again; that there are none can be declared.",
            frame=frame,
        )
    return _("Load {frame} from the cloud, or add it to the file; that there are none can be declared.", frame=frame)
