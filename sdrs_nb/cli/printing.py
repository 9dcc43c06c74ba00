"""What commands print: tables on a terminal, tab-separated lines in a pipe, JSON where it was asked for."""

import json
import sys
from collections.abc import Sequence

import pandas as pd
import typer

from sdrs_nb.cells import text_of, visible
from sdrs_nb.i18n import current_language
from sdrs_nb.titles import column_title
from sdrs_nb.words import word

__all__ = ["frame", "hint", "records", "value"]

#: Columns that hold a word of ours, not of the cloud.
_STATES = frozenset({"verdict", "stage", "state", "severity", "cover", "change"})
_COLOURS = {"bad": "red", "warning": "yellow", "unknown": "magenta", "good": "green"}


def value(content: object) -> None:
    """Print one text or value."""
    typer.echo(str(content))


def hint(text: str, tone: str = "") -> None:
    """Write a sentence to the standard error, so that what is piped stays data; on a terminal in its tone's colour."""
    typer.secho("\n".join(map(visible, text.split("\n"))), err=True, fg=_COLOURS.get(tone))


def records(table: pd.DataFrame) -> str:
    """Return the rows as a JSON list; missing values are null, times are ISO 8601 in UTC."""
    return str(table.to_json(orient="records", date_format="iso", force_ascii=False))


def frame(table: pd.DataFrame, *, as_json: bool, columns: Sequence[str] | None = None) -> None:
    """Print the rows of ``table``: all columns in JSON, else ``columns`` (all when left out).

    In a pipe every row is one line of tab-separated cells under a line of column names: made for ``cut`` and ``awk``,
    never cut to a width.  A terminal is for reading: states are words of the operator's language there, and columns
    have titles, which in English are their names.  Hidden characters of names are written out.
    """
    if as_json:
        typer.echo(records(table))
        return
    shown = table[[name for name in (columns or table.columns) if name in table]]
    if sys.stdout.isatty():
        told = {name: shown[name].map(word, na_action="ignore") for name in shown.columns if name in _STATES}
        shown = shown.assign(**told)
    cells = [[visible(text_of(cell)) for cell in row] for row in shown.itertuples(index=False)]
    heads = [str(name) for name in shown.columns]
    if not sys.stdout.isatty():
        typer.echo("\n".join("\t".join(row) for row in [heads, *cells]))
        return
    _draw(heads if current_language() == "en" else [column_title(name) for name in heads], cells)


def _draw(heads: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(*heads, box=None, header_style="bold", pad_edge=False)
    for row in cells:
        # Text, never a plain string: rich would read [markup] in a server's name.
        drawn.add_row(*(Text(cell) for cell in row))
    Console().print(drawn)


def document(content: object) -> None:
    """Print a JSON document."""
    typer.echo(json.dumps(content, ensure_ascii=False, default=str))
