"""What a report tells the operator to do: per server by its stage, and per rule.  Pure."""

import re
from dataclasses import dataclass

import pandas as pd

from sdrs_nb.cloud.advice import advice
from sdrs_nb.errors import SettingsError
from sdrs_nb.i18n import _
from sdrs_nb.rulebook import Rulebook
from sdrs_nb.statuses import Stage

__all__ = ["RuleCount", "rules_of", "server_remedy"]


@dataclass(frozen=True)
class RuleCount:
    """A rule that kept servers out: its title, how many, and what helps."""

    rule: str
    title: str
    servers: int
    remedy: str


def server_remedy(stage: str, code: object) -> str:
    """Return what to do about a planned server that stands at ``stage``; empty when there is nothing to do."""
    known = advice(str(code), 0) if isinstance(code, str) and code else ""
    match stage:
        case Stage.FAILED:
            text = _("Remove the cause, delete an instance left in status error, then plan the server again.")
            return f"{known} {text}".strip()
        case Stage.NOT_SENT:
            return _("Nothing was sent for it. Resume the run, or plan the server again.")
        case Stage.UNKNOWN | Stage.ACCEPTED | Stage.JOB_OK:
            return _("Its fate is not known yet: resume the run, which looks it up and sends nothing twice.")
        case Stage.TAKEN:
            return _("Find out who protected it. If that shall stay, nothing is left to do for it.")
        case Stage.CREATED:
            return _("Enable protection of its group; until then nothing is copied.")
        case _:
            return ""


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
