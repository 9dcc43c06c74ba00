"""Ranges as an operator types them: ``8``, ``>= 8``, ``< 16``, ``8..32``, ``2025-03..2025-06``."""

import re
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from sdrs_nb.errors import SettingsError
from sdrs_nb.i18n import _
from sdrs_nb.shown.cells import is_missing

__all__ = ["Range", "parse_range"]

_COMPARED = re.compile(r"(>=|<=|>|<|=|≥|≤)\s*(.+)")


@dataclass(frozen=True, slots=True)
class Range:
    """Bounds of a number or a time (UTC, nanoseconds); None is unbounded, ``above``/``below`` leave the bound out."""

    minimum: float | None = None
    maximum: float | None = None
    above: bool = False
    below: bool = False

    def mask(self, values: "npt.NDArray[Any]") -> "npt.NDArray[np.bool_]":
        """Tell for each of ``values`` (floats, NaN where missing) whether it lies in the range; missing never does."""
        fits = ~np.isnan(values)
        if self.minimum is not None:
            fits &= values > self.minimum if self.above else values >= self.minimum
        if self.maximum is not None:
            fits &= values < self.maximum if self.below else values <= self.maximum
        return np.asarray(fits, dtype=bool)


def parse_range(text: str, kind: Literal["number", "time"]) -> Range:
    """Return the range that ``text`` says; an empty text is the range that leaves nothing but missing values out.

    A day, month or year given as a time means all of it.  Raises ``SettingsError`` when the text cannot be read.
    """
    text = text.strip()
    if not text:
        return Range()
    if ".." in text:
        low, _dots, high = (part.strip() for part in text.partition(".."))
        return Range(_bounds(low, kind)[0] if low else None, _bounds(high, kind)[1] if high else None)
    found = _COMPARED.fullmatch(text)
    return _compared(found[1], found[2], kind) if found else Range(*_bounds(text, kind))


def _compared(sign: str, text: str, kind: Literal["number", "time"]) -> Range:
    first, last = _bounds(text.strip(), kind)
    match sign:
        case ">=" | "≥":
            return Range(minimum=first)
        case "<=" | "≤":
            return Range(maximum=last)
        case ">":
            return Range(minimum=last, above=True)
        case "<":
            return Range(maximum=first, below=True)
        case _:
            return Range(first, last)


def _bounds(text: str, kind: Literal["number", "time"]) -> tuple[float, float]:
    """Return the first and the last moment or number that ``text`` covers."""
    try:
        if kind == "number":
            number = float(text)
            if np.isnan(number):
                raise ValueError(text)  # noqa: TRY301 - "nan" reads as a float and is no bound
            return number, number
        period = pd.Period(text)
        if is_missing(period):
            raise ValueError(text)  # noqa: TRY301 - "NaT" reads as a period and is no bound
        return float(period.start_time.value), float(period.end_time.value)
    except (ValueError, OverflowError, AttributeError, pd.errors.OutOfBoundsDatetime) as error:
        raise SettingsError(_not_a_range(text, kind)) from error


def _not_a_range(text: str, kind: str) -> str:
    if kind == "number":
        return _('"{text}" is no number. Write a range such as 8, >= 8, < 16 or 8..32.', text=text)
    return _('"{text}" is no date. Write a range such as 2025-03, >= 2025-03-01 or 2025-03..2025-06.', text=text)
