"""Which rules kept servers out of a plan, and one language for texts recorded in several, for a report.  Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from sdrs_nb.errors import SettingsError
from sdrs_nb.i18n import _
from sdrs_nb.rulebook import Rulebook

__all__ = ["RuleCount", "count_rules", "in_language", "in_one_language", "rule_titles", "speaks"]

_CHINESE = re.compile(r"[\u3400-\u9fff]")
_LETTER = re.compile(r"[A-Za-z]{2,}")
#: Names in another script do not make a sentence one of that language.
_FEW = 0.35


@dataclass(frozen=True)
class RuleCount:
    """A rule that kept servers out: what is wrong, how many, and what helps."""

    rule: str
    fault: str
    servers: int
    remedy: str


def count_rules(left_out: pd.DataFrame, book: Rulebook) -> list[RuleCount]:
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
        found.append(RuleCount(rule, book.rule(rule).fault(), count, re.sub(r"\{(\w+)[^}]*\}", r"‹\1›", texts.remedy)))
    return found


def speaks(text: str, language: str) -> bool:
    """Tell whether a sentence is in ``language`` (``en`` or ``zh``); ids and names in it may be in any script.

    Texts are recorded in the language of their moment, which nobody wrote down beside them.
    """
    chinese, words = len(_CHINESE.findall(text)), len(_LETTER.findall(text))
    is_chinese = chinese > _FEW * (chinese + words)
    return is_chinese == (language == "zh") or not (chinese or words)


def in_language(text: str, language: str, instead: str = "") -> str:
    """Return a recorded sentence in ``language``: itself, else ``instead``, else itself as a quotation."""
    if speaks(text, language):
        return text
    return instead or _("As recorded: “{text}”", text=text)


def rule_titles(frame: pd.DataFrame, book: Rulebook, column: str = "rules") -> list[str]:
    """Return the titles of the rules that each row names, in the current language."""

    def titles(text: object) -> str:
        known = [rule for rule in re.split(r"[,\s]+", str(text)) if rule in book.rules] if text is not pd.NA else []
        return "; ".join(f"{rule} {book.rule(rule).fault()}" for rule in known)

    return [titles(text) for text in frame[column].fillna("")]


def in_one_language(frame: pd.DataFrame, column: str, instead: Sequence[str] | None, language: str) -> pd.DataFrame:
    """Return the frame with sentences of another language replaced by those of ``instead``, row by row.

    Where there is nothing to say instead, the sentence is quoted as it was recorded: a reason is never dropped.
    """
    if column not in frame:
        return frame
    texts = frame[column].fillna("").astype(str)
    others = instead if instead is not None else [""] * len(frame)
    kept = [in_language(text, language, other) for text, other in zip(texts, others, strict=True)]
    return frame.assign(**{column: pd.array([text or None for text in kept], dtype="string")})
