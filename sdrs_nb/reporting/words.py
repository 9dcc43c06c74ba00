"""Which rules kept servers out of a plan, for a report.  Pure."""

import re
from dataclasses import dataclass

import pandas as pd

from sdrs_nb.errors import SettingsError
from sdrs_nb.rulebook import Rulebook

__all__ = ["RuleCount", "rules_of"]


@dataclass(frozen=True)
class RuleCount:
    """A rule that kept servers out: its title, how many, and what helps."""

    rule: str
    title: str
    servers: int
    remedy: str


def rules_of(left_out: pd.DataFrame, book: Rulebook) -> list[RuleCount]:
    """Return the rules of ``book`` that kept servers out, most frequent first; a server counts in each of its rules."""
    counts: dict[str, int] = {}
    for text in left_out["rules"].dropna():
        for rule in filter(None, re.split(r"[,\s]+", str(text))):
            counts[rule] = counts.get(rule, 0) + 1
    found = []
    for rule, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        try:
            texts = book.rule(rule).texts()
        except SettingsError:  # a plan of another version may name a rule that is gone
            found.append(RuleCount(rule, "", count, ""))
            continue
        found.append(RuleCount(rule, texts.title, count, re.sub(r"\{(\w+)[^}]*\}", r"‹\1›", texts.remedy)))
    return found
