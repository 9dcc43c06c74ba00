"""Sentences that were stored in one language, told in another: a report speaks one, whoever walked the run.

The ledger keeps what was said in words.  A stored sentence was made of a template of the catalogue or of the rule
book and values; both languages' templates are here, so the template is found again and filled anew.  What no template
made (words of the cloud, sentences of another version) stays as it was and is marked as a quotation.  Pure.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

import pandas as pd

from sdrs_nb.cloud.advice import meaning
from sdrs_nb.i18n import LANGUAGES, _, current_language, wordings
from sdrs_nb.rulebook import PROFILES, load_rulebook

__all__ = ["retell", "retell_titles", "retold"]

_FIELD = re.compile(r"\{+(\w+)[^{}]*\}+")
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_SENTENCE_ENDS = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])\s*")
# Less fixed text than this says too little: "{name}: {value}" fits everything.
_LEAST = {"en": 8, "zh": 3}
#: Sentences within sentences within sentences.
_DEEPEST = 4
#: Sentences of one text that are tried together; a longer text is told piece by piece.
_MOST = 10
#: Words that make an English sentence; fewer are a name or a code.
_FEW_WORDS = 3


def retell(text: str, code: object = None) -> str:
    """Return a stored sentence in the current language.

    One that cannot be told again is quoted as it was recorded, behind what the service's ``code`` means.
    """
    language = current_language()
    if not text.strip() or (language == LANGUAGES[0] and not _CHINESE.search(text)):
        return text
    score, told = _best(text, language, 0)
    if score or not _is_foreign(text, language):
        return told
    known = meaning(str(code)) if isinstance(code, str) else ""
    quoted = _("Recorded in these words: “{text}”", text=text)
    return f"{known} {quoted}".strip()


def retell_titles(text: str) -> str:
    """Return "title: value; title: value" with the titles in the current language and the values as they are."""
    titles = _titles(current_language())
    parts = [part.partition(": ") for part in text.split("; ")]
    return "; ".join(f"{titles.get(title, title)}{colon}{value}" for title, colon, value in parts)


@cache
def _titles(language: str) -> dict[str, str]:
    at = 0 if language == LANGUAGES[0] else 1
    return {pair[1 - at][0]: pair[at][0] for pair in wordings(LANGUAGES[1])}


def retold(frame: pd.DataFrame, *columns: str, code: str | None = None) -> pd.DataFrame:
    """Return ``frame`` with the sentences in ``columns`` in the current language; ``code`` names a column of codes."""
    if frame.empty:
        return frame
    codes = frame[code].tolist() if code in frame else [None] * len(frame)
    changed = {
        name: pd.array(
            [
                retell(text, one) if isinstance(text, str) else None
                for text, one in zip(frame[name], codes, strict=True)
            ],
            dtype="string",
        )
        for name in columns
        if name in frame
    }
    return frame.assign(**changed)


def _is_foreign(text: str, language: str) -> bool:
    if language == LANGUAGES[0]:  # a name or a word of the cloud may be Chinese in an English sentence
        return 2 * len(_CHINESE.findall(text)) > len(re.findall("[A-Za-z]", text))
    return not _CHINESE.search(text) and len(re.findall(r"[A-Za-z]{2,}", text)) > _FEW_WORDS


@dataclass(frozen=True)
class _Template:
    """One stored wording: how it is recognised, how much fixed text it has, and its wordings in the other language."""

    pattern: re.Pattern[str]
    fixed: str
    weight: int
    others: tuple[str, ...]


@cache
def _templates(language: str) -> tuple[_Template, ...]:
    """Return every wording that is not in ``language``, with those in ``language``."""
    other = next(each for each in LANGUAGES if each != language)
    found: dict[str, _Template] = {}
    for english, translated in _pairs():
        theirs, ours = (english, translated) if language != LANGUAGES[0] else (translated, english)
        for text in theirs:
            if (made := _template(text, ours, _LEAST[other])) is not None:
                found.setdefault(text, made)
    return tuple(found.values())


def _pairs() -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    yield from wordings(LANGUAGES[1])
    for profile in PROFILES:
        for rule in load_rulebook(profile).rules.values():
            for en, zh in ((rule.en, rule.zh), *((one.en, one.zh) for one in rule.variants.values())):
                parts = ((en.message, zh.message), (en.remedy, zh.remedy), (en.title, zh.title))
                yield from (((english,), (chinese,)) for english, chinese in parts if english and chinese)


def _template(text: str, others: tuple[str, ...], least: int) -> _Template | None:
    if text.endswith((": ", "：")):
        text, others = f"{text}{{_rest}}", tuple(f"{each}{{_rest}}" for each in others)
    parts = _FIELD.split(text)
    fixed = [part for part in parts[::2] if part.strip()]
    weight = sum(len(part.strip()) for part in fixed)
    if weight < least or not others[0]:
        return None
    seen: set[str] = set()
    pattern = ""
    for at, part in enumerate(parts):
        if at % 2 == 0:
            pattern += re.escape(part)
        else:
            # A server is called by its name and its id in brackets, which belong together.
            pattern += f"(?P={part})" if part in seen else rf"(?P<{part}>.*?(?: \([^()]*\))?)"
            seen.add(part)
    return _Template(re.compile(pattern.strip(), re.DOTALL), max(fixed, key=len).strip(), weight, others)


def _best(text: str, language: str, depth: int) -> tuple[int, str]:
    """Return how much of ``text`` was recognised and the text in ``language``, cut where that recognises most."""
    ends = [match.span() for match in _SENTENCE_ENDS.finditer(text.rstrip())]
    starts = [0, *(end for _begin, end in ends)]
    stops = [*(begin for begin, _end in ends), len(text)]
    size = len(starts)
    if size > _MOST:
        pieces = [_match(text[begin:end], language, depth) for begin, end in zip(starts, stops, strict=True)]
        return sum(score for score, _piece in pieces), " ".join(piece for _score, piece in pieces)
    best: list[tuple[int, str]] = [(0, "")] * (size + 1)
    for first in range(size - 1, -1, -1):
        choices = []
        for last in range(first, size):
            score, told = _match(text[starts[first] : stops[last]], language, depth)
            later, rest = best[last + 1]
            choices.append((score + later, f"{told} {rest}" if rest else told))
        best[first] = max(choices, key=lambda each: each[0])
    return best[0]


@lru_cache(maxsize=4096)
def _match(piece: str, language: str, depth: int) -> tuple[int, str]:
    """Return how much of one piece a single template and those of its values recognise, and the piece told again."""
    found = (0, piece)
    if depth == _DEEPEST:
        return found
    for template in _templates(language):
        if template.fixed not in piece or not (match := template.pattern.fullmatch(piece)):
            continue
        score, values = template.weight, {}
        for name, value in match.groupdict().items():
            more, values[name] = _best(value, language, depth + 1)
            score += more if value else -1  # a piece cut too short looks like a template with an empty value
        if score > found[0]:
            found = score, _filled(_form(template, values), values)
    return found


def _filled(text: str, values: dict[str, str]) -> str:
    return _FIELD.sub(lambda field: values.get(field[1], field[0]), text)


def _form(template: _Template, values: dict[str, str]) -> str:
    """Return the singular or plural that the count asks for; Chinese has one form."""
    is_plural = len(template.others) > 1 and values.get("count") != "1"
    return template.others[1] if is_plural else template.others[0]
