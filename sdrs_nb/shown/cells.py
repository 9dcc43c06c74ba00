"""What a value looks like in a cell: as text for a screen, and as text that a spreadsheet will not run.

Names in an inventory were typed by strangers: ``neutral`` takes the power from a cell that a spreadsheet would read as
a formula; what hides or reorders text is the business of ``texts``.  No markup here; that is ``html``.
"""

import csv
import io
import math
import re
from collections.abc import Iterable, Sequence
from datetime import datetime

import numpy as np
import pandas as pd

from sdrs_nb.i18n import _
from sdrs_nb.shown.texts import storable

__all__ = ["clipped", "csv_lines", "csv_text", "guarded", "is_missing", "neutral", "text_of", "unguarded"]

# A spreadsheet takes a cell for a formula by its first character; the full-width forms are folded by some.
_FORMULA_STARTS = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
_FORMULA = re.compile(f"^[\\s\x00-\x1f]*[{re.escape(''.join(sorted(_FORMULA_STARTS)))}]|^[\t\r\n]")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")


def is_missing(value: object) -> bool:
    """Tell whether ``value`` stands for "nothing here": None, NA, NaN or NaT."""
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def text_of(value: object) -> str:
    """Return ``value`` as an operator reads it: missing is empty, times are UTC to the minute, booleans are words."""
    if is_missing(value):
        return ""
    match value:
        case bool() | np.bool_():
            return _("yes") if value else _("no")
        case float() | np.floating():
            return f"{float(value):.10g}"
        case datetime():
            when = pd.Timestamp(value)
            return (when if when.tzinfo is None else when.tz_convert("UTC")).strftime("%Y-%m-%d %H:%M")
    return str(value)


def clipped(text: str, limit: int = 300) -> str:
    """Return at most ``limit`` characters of ``text``, ending in an ellipsis where something was cut."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def neutral(text: str) -> str:
    """Return ``text`` so that a spreadsheet shows it and never runs it: an apostrophe goes before a formula.

    Plain numbers such as ``-5`` stay as they are; what a file cannot hold is written out.  Source: OWASP, CSV
    Injection, characters that start a formula.
    """
    if not (text.isascii() and text.isprintable()):
        text = storable(text)
    if text[:1].isalnum():  # by far the most cells; no formula starts so
        return text
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def guarded(text: str) -> str:
    """Return ``text`` for a CSV file that is read back: an apostrophe goes before a formula or an apostrophe."""
    return f"'{text}" if text[:1] == "'" or text[:1] in _FORMULA_STARTS else text


def unguarded(text: str) -> str:
    """Return what ``guarded`` was given, once it was read back from a file."""
    return text[1:] if text[:1] == "'" and (text[1:2] == "'" or text[1:2] in _FORMULA_STARTS) else text


def csv_lines(rows: Iterable[Sequence[object]]) -> str:
    """Return rows of cells as CSV; lines end in CRLF, so that a lone carriage return in a value is quoted as well."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


def csv_text(frame: pd.DataFrame) -> str:
    """Return ``frame`` as CSV with its column names as the header and every cell neutralised; lines end in CRLF.

    Missing values are empty cells; times are UTC to the minute.  An empty frame gives the header alone.
    """
    columns = [[neutral(text_of(value)) for value in frame[name]] for name in frame.columns]
    return csv_lines([[neutral(str(name)) for name in frame.columns], *zip(*columns, strict=True)])
