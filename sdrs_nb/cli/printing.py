"""What commands print: tables on a terminal, tab-separated lines in a pipe, JSON where it was asked for."""

import sys
from collections.abc import Sequence

import pandas as pd

from sdrs_nb.i18n import Lines, current_language
from sdrs_nb.shown import terminal
from sdrs_nb.shown.cells import text_of
from sdrs_nb.shown.texts import json_text, visible
from sdrs_nb.shown.titles import column_title
from sdrs_nb.shown.words import aspect_word, word

__all__ = ["frame", "hint", "lines", "records", "row", "value"]

#: Columns that hold a word of ours, not of the cloud.
_STATES = frozenset({"verdict", "stage", "state", "severity", "cover", "change", "result"})


def value(content: object) -> None:
    """Print one text or value as a line, ``Lines`` as several."""
    terminal.write(content if isinstance(content, Lines) else visible(str(content)))


def lines(text: str) -> None:
    """Print a text of several lines as it is."""
    terminal.write(text.rstrip("\n"))


def row(*cells: str) -> None:
    """Print a line of tab-separated cells."""
    terminal.write("\t".join(map(visible, cells)))


def hint(text: str, tone: str = "") -> None:
    """Write a sentence to the standard error, so that what is piped stays data; on a terminal in its tone's colour.

    It is one line, whatever a name in it holds, unless it is ``Lines``.
    """
    terminal.write(text if isinstance(text, Lines) else visible(text), sys.stderr, tone=tone)


def records(table: pd.DataFrame) -> str:
    """Return the rows as a JSON list; missing values are null, times are ISO 8601 in UTC."""
    return json_text(table.astype(object).to_dict("records"))


def frame(table: pd.DataFrame, *, as_json: bool, columns: Sequence[str] | None = None) -> None:
    """Print the rows of ``table``: all columns in JSON, else ``columns`` (all when left out).

    In a pipe every row is one line of tab-separated cells under a line of column names: made for ``cut`` and ``awk``,
    never cut to a width.  A terminal is for reading: states are words of the operator's language there, and columns
    have titles, which in English are their names.  Hidden characters of names are written out.
    """
    if as_json:
        terminal.write(records(table))
        return
    shown = table[[name for name in (columns or table.columns) if name in table]]
    if sys.stdout.isatty():
        told = {name: shown[name].map(word, na_action="ignore") for name in shown.columns if name in _STATES}
        if "aspect" in shown:
            told["aspect"] = shown["aspect"].map(aspect_word)
        shown = shown.assign(**told)
    cells = [[visible(text_of(cell)) for cell in row] for row in shown.itertuples(index=False)]
    heads = [str(name) for name in shown.columns]
    if not sys.stdout.isatty():
        terminal.write("\n".join("\t".join(line) for line in [map(visible, heads), *cells]))
        return
    terminal.draw(heads if current_language() == "en" else [column_title(name) for name in heads], cells)


def document(content: object) -> None:
    """Print a JSON document."""
    terminal.write(json_text(content))
