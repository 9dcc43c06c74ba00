"""One cell at a time: what a cloud document, a spreadsheet or a CSV file says, in the dtype of its column.

``convert`` serves both ways in.  Documents from the cloud are read leniently: what cannot be read is NA.  Files are
read strictly: what cannot be read is named by row.  Equal texts share one object, so a million servers whose status
is ``ACTIVE`` hold that word once.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import date, time, timedelta
from math import isnan
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from sdrs_nb.i18n import _
from sdrs_nb.ids import ID_ENDINGS, canonical, respelt
from sdrs_nb.intake.limits import limits
from sdrs_nb.tables import BOOL, FLOAT, INT, STR, TIME, Table

__all__ = ["clean", "column", "convert", "shorten", "trim"]

Parser = Callable[[Any], Any]

_TRUE = frozenset({"true", "yes", "1", "是", "真"})
_FALSE = frozenset({"false", "no", "0", "否", "假"})
_WHOLE = re.compile(r"[+-]?[0-9]+(\.0*)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)
#: Every form of sdrs-api.md 1.2: T or space, minutes to nine decimals, Z, an offset or nothing (UTC).
_MOMENT = re.compile(
    r"(?:1[7-9]|2[01])\d\d-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{0,9})?)?\s?(?:Z|[+-]\d\d(?::?\d\d)?)?)?", re.ASCII
)
#: How Excel shows a long number; an id that looks so has lost its digits.
_MANGLED = re.compile(r"[0-9](\.[0-9]+)?E\+[0-9]+", re.ASCII)
#: Excel keeps 15 digits of a number.
_EXACT = 10**15
_INT64 = 2**63
_SHOWN = 60
_NO_CHARACTERS = re.compile("[\ud800-\udfff\ufffe\uffff]")

#: Words of Chinese consoles and spreadsheets for the choices of the tables.
_CHOICE_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "按需": "on demand",
        "按需计费": "on demand",
        "包年/包月": "yearly/monthly",
        "包周期": "yearly/monthly",
        "竞价": "spot",
    }
)


class BadValueError(ValueError):
    """A value that does not fit its column; the message is for the operator."""


class _Cells(dict[str, Any]):
    """Remembers what every distinct text became, so that each is read once and equal results are one object."""

    def __init__(self, parse: Parser, most: int) -> None:
        super().__init__()
        self._parse = parse
        self._most = most
        self.failed = False

    def __missing__(self, text: str) -> Any:
        self[text] = result = self.read(text)
        return result

    def read(self, value: Any) -> Any:
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and isnan(value)):
            return None
        if isinstance(value, str):
            value = trim(value)
            if not value:
                return None
        try:
            if isinstance(value, str):
                _require_cell(value, self._most)
            return self._parse(value)
        except BadValueError as error:
            self.failed = True
            return error


def _require_cell(text: str, most: int) -> None:
    if len(text) > most:
        raise BadValueError(
            _("{value} has {count} characters, more than the {limit} of a cell; shorten it.", value=shorten(text[:99]),
              count=len(text), limit=most)
        )  # fmt: skip


def shorten(value: object) -> str:
    """Return a value as a message shows it: on one line, at most 60 characters."""
    text = " ".join(str(value).split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def trim(text: str) -> str:
    """Return the text without white space and invisible characters (such as zero-width ones) around it."""
    text = text.strip()
    while (
        text
        and not text.isascii()
        and (unicodedata.category(text[0]) == "Cf" or unicodedata.category(text[-1]) == "Cf")
    ):
        text = (text[1:] if unicodedata.category(text[0]) == "Cf" else text[:-1]).strip()
    return text


def clean(text: str) -> str:
    """Return the text without what no file can hold: half surrogate pairs and the two non-characters of XML."""
    return _NO_CHARACTERS.sub("\ufffd", text)


def convert(values: Sequence[Any], table: Table, name: str) -> tuple[pd.api.extensions.ExtensionArray, dict[int, str]]:
    """Return the values in the dtype of column ``name`` of ``table``, and a sentence for each that does not fit.

    The sentences are by position. Texts are trimmed; empty text, None and NaN are NA; a value that does not fit is NA.
    No network, no disk.
    """
    dtype = table.columns[name]
    results: Sequence[Any] | None = _as_they_are(values, table, name)
    bad: dict[int, str] = {}
    if results is None:
        cells = _Cells(_parser(table, name), limits().cell_characters)
        results = [
            cells[value] if value.__class__ is str else None if value is None else cells.read(value) for value in values
        ]
        if cells.failed:
            bad = {at: str(result) for at, result in enumerate(results) if isinstance(result, BadValueError)}
            results = [None if isinstance(result, BadValueError) else result for result in results]
    if dtype == TIME:
        return _moments(results, bad), bad
    return pd.array(results, dtype=dtype), bad  # type: ignore[call-overload]  # dtype is a name of tables


def _as_they_are(values: Sequence[Any], table: Table, name: str) -> list[Any] | None:
    """Return the values at once where nothing in them needs a closer look, None where something may.

    Nearly every column of a hundred thousand documents is of this kind; reading cell by cell takes four times as long.
    """
    kinds = set(map(type, values)) - {type(None)}
    dtype = table.columns[name]
    if not kinds or (dtype == BOOL and kinds == {bool}):
        return list(values)
    if dtype != STR or kinds != {str} or name in table.choices:
        return None
    trimmed = {value: trim(value) or None if value else None for value in set(values)}
    together = "\n".join(filter(None, trimmed.values()))
    if max(map(len, filter(None, trimmed)), default=0) > limits().cell_characters:
        return None
    if not together.isascii() and together != clean(together):
        return None
    if name.endswith(ID_ENDINGS):
        if "E+" in together:
            return None
        if forms := respelt(filter(None, trimmed.values()), name):
            trimmed = {value: forms.get(text or "", text) or None for value, text in trimmed.items()}
    return [trimmed[value] for value in values]


def column(values: Sequence[Any], table: Table, name: str) -> pd.api.extensions.ExtensionArray:
    """Return the values of cloud documents in the dtype of the column; what the cloud sent malformed is NA."""
    return convert(values, table, name)[0]


def _parser(table: Table, name: str) -> Parser:
    dtype = table.columns[name]
    if name in table.choices:
        known = {choice.casefold(): choice for choice in table.choices[name]}
        known |= {word: choice for word, choice in _CHOICE_ALIASES.items() if choice in table.choices[name]}
        return lambda value: _choice(value, known, table.choices[name])
    if dtype == STR:
        return (lambda value: canonical(_id(value), name) or None) if name.endswith(ID_ENDINGS) else _text
    return _PARSERS[dtype]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value if value.isascii() else clean(value)
    if isinstance(value, bool):
        raise BadValueError(
            _("{value} is a true/false cell where text belongs; format the column as text.", value=str(value).upper())
        )
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number_as_text(value)
    if isinstance(value, (date, time, timedelta)):
        raise BadValueError(
            _("{value} is a date where text belongs; format the column as text and enter it again.", value=str(value))
        )
    raise BadValueError(_("{value} is no text.", value=shorten(value)))


def _id(value: Any) -> str:
    if isinstance(value, str) and _MANGLED.fullmatch(value):
        raise BadValueError(_lost_digits(value))
    if isinstance(value, float) and not value.is_integer():
        raise BadValueError(_("{value} is a number, not an id; format the column as text.", value=str(value)))
    return _text(value)


def _number_as_text(value: float) -> str:
    if not abs(value) < _EXACT:
        raise BadValueError(_lost_digits(value))
    return str(int(value)) if value.is_integer() else repr(value)


def _lost_digits(value: object) -> str:
    return _(
        "{value} is a number whose last digits the spreadsheet has dropped; format the column as text and paste "
        "the value again.",
        value=str(value),
    )


def _choice(value: Any, known: Mapping[str, str], choices: Sequence[str]) -> str:
    if isinstance(value, str) and (found := known.get(value.casefold())):
        return found
    raise BadValueError(_("{value} is not one of: {choices}.", value=shorten(value), choices=", ".join(choices)))


def _whole(value: Any) -> int:
    number: int | None = None
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, float) and value.is_integer():
        number = int(value)
    elif isinstance(value, str) and _WHOLE.fullmatch(value) and len(value) < _SHOWN:
        number = int(value.split(".")[0])
    if number is None or not -_INT64 <= number < _INT64:
        raise BadValueError(_("{value} is not a whole number.", value=shorten(value)))
    return number


def _number(value: Any) -> float:
    fits = isinstance(value, (int, float)) and not isinstance(value, bool)
    if fits or (isinstance(value, str) and _NUMBER.fullmatch(value)):
        try:
            number = float(value)
        except OverflowError:
            number = float("inf")
        if abs(number) != float("inf"):
            return number
    raise BadValueError(_("{value} is not a number.", value=shorten(value)))


def _truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).casefold()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise BadValueError(
        _("{value} is neither true nor false; write true, false, yes, no, 1, 0, 是 or 否.", value=shorten(value))
    )


def _moment(value: Any) -> str:
    text = value.isoformat() if isinstance(value, date) else value
    if isinstance(text, str) and _MOMENT.fullmatch(text):
        return text
    raise BadValueError(_not_a_time(value))


def _not_a_time(value: object) -> str:
    return _("{value} is not a time; write it like 2024-01-31T01:02:03Z.", value=shorten(value))


def _moments(texts: Sequence[str | None], bad: dict[int, str]) -> pd.api.extensions.ExtensionArray:
    """Read all times at once; one that only looks like a time (31 February) is added to ``bad``."""
    raw: pd.Series[Any] = pd.Series(texts, dtype="object")
    parsed = pd.to_datetime(raw, format="ISO8601", utc=True, errors="coerce").dt.as_unit("ns")
    for at in raw.index[parsed.isna() & raw.notna()]:
        bad[int(at)] = _not_a_time(raw[at])
    return parsed.array


_PARSERS: Mapping[str, Parser] = MappingProxyType({INT: _whole, FLOAT: _number, BOOL: _truth, TIME: _moment})
