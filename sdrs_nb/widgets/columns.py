"""How the grid shows one column: its title, how it is filtered, the words and shapes of its values.

No ipywidgets here; ``describe`` reads a frame and gives back plain records.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from sdrs_nb.errors import SettingsError
from sdrs_nb.i18n import _
from sdrs_nb.shown.cells import text_of
from sdrs_nb.shown.titles import column_title
from sdrs_nb.shown.tones import TONES

__all__ = ["Column", "Kind", "describe"]

Kind = Literal["text", "choice", "number", "time"]

#: A column with more different values than this is filtered by text rather than from a list.
_MOST_CHOICES = 30


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a grid.

    ``kind`` decides the filter: text to be contained, a choice of values, or a range of numbers or times.
    ``tones`` maps a value to one of ``TONES`` (only status columns have any) and, by its order, sorts them;
    ``words`` maps a value to what is shown in its place.
    """

    name: str
    title: str
    kind: Kind
    tones: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)

    def text(self, value: object) -> str:
        """Return what is shown for ``value``."""
        plain = text_of(value)
        return self.words.get(plain, plain)


def describe(
    frame: pd.DataFrame,
    names: Iterable[str],
    *,
    labels: Mapping[str, str],
    tones: Mapping[str, Mapping[str, str]],
    words: Mapping[str, Mapping[str, str]],
) -> tuple[Column, ...]:
    """Return the columns ``names`` of ``frame``, described; a column without a label is titled by its name.

    Raises ``SettingsError`` for a tone that is none of ``TONES``.
    """
    _check_tones(tones)
    return tuple(
        Column(
            name,
            labels.get(name) or column_title(name),
            "choice" if name in tones else _kind(frame[name]),
            tones.get(name, {}),
            words.get(name, {}),
        )
        for name in names
    )


def _check_tones(tones: Mapping[str, Mapping[str, str]]) -> None:
    for column, mapping in tones.items():
        if wrong := sorted(set(mapping.values()) - set(TONES)):
            raise SettingsError(
                _(
                    "Column {column} uses the tones {wrong}, which the grid does not know. Use {known}.",
                    column=column,
                    wrong=", ".join(wrong),
                    known=", ".join(TONES),
                )
            )


def _kind(values: "pd.Series[Any]") -> Kind:
    types = pd.api.types
    if types.is_bool_dtype(values.dtype):
        return "choice"
    if types.is_numeric_dtype(values.dtype):
        return "number"
    if types.is_datetime64_any_dtype(values.dtype):
        return "time"
    return "choice" if _repeats(values) else "text"


def _repeats(values: "pd.Series[Any]") -> bool:
    """Tell whether a few values come again and again; the first thousand rows settle it for most columns."""
    if len({text_of(value) for value in values.head(1000)}) > _MOST_CHOICES:
        return False
    # Far cheaper than texts, but only where every value is one: lists or dicts in cells cannot be counted so.
    if not pd.api.types.is_string_dtype(values.dtype):
        different = len({text_of(value) for value in values})
    else:
        different = values.nunique()
    return different <= _MOST_CHOICES and 2 * different <= len(values)
