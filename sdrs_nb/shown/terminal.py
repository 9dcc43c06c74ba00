"""The one way to a terminal, a pipe or the output of a cell: what is written there is text, and stays text.

Every other module hands its lines, tables and bars to this one.  Hidden characters are written out (``texts.visible``),
and so is what the stream's encoding lacks.  A stream that is closed or full loses what is written and stops nobody:
progress of a run is worth less than the run.
"""

import codecs
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, TextIO

from sdrs_nb.shown.texts import replace_unprintable, visible

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["bars", "draw", "write"]

#: Name of the error handler that writes out what an encoding lacks.
HANDLER = "sdrs_nb.visible"
codecs.register_error(HANDLER, replace_unprintable)

_COLOURS: Mapping[str, str] = MappingProxyType(
    {"bad": "red", "warning": "yellow", "unknown": "magenta", "good": "green"}
)
#: Line breaks and tabs are the structure of what the package writes; every value lost its own before (``i18n``).
_PIECE = re.compile(r"[^\n\t]+")


def write(text: str, stream: TextIO | None = None, *, tone: str = "") -> None:
    """Write ``text`` and a line end to ``stream`` (the standard output when left out), at once.

    Line breaks and tabs stay, every other hidden character is written out.  ``tone`` colours it on a terminal.
    """
    whole(text + "\n", stream, tone=tone)


def whole(text: str, stream: TextIO | None = None, *, tone: str = "") -> None:
    """Write ``text`` as ``write`` does, without a line end of ours: for what comes in pieces."""
    target = sys.stdout if stream is None else stream
    if target is None:  # closed before we were started
        return
    shown = _PIECE.sub(lambda piece: visible(piece.group()), text)
    with suppress(OSError, ValueError):  # full, or closed
        if (colour := _COLOURS.get(tone)) and target.isatty():
            from rich.console import Console
            from rich.text import Text

            Console(file=target).print(Text(shown, style=colour), end="", soft_wrap=True)
        else:
            encoding = getattr(target, "encoding", None) or "utf-8"
            target.write(shown.encode(encoding, HANDLER).decode(encoding))
        target.flush()


def draw(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Draw a table of texts on the standard output, as wide as the terminal."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    # Text, never a plain string: rich would read [markup] in a server's name.
    table = Table(*(escape(visible(head)) for head in heads), box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    Console().print(table)


def bars() -> "Progress":
    """Return moving bars on the standard error; a task's words are ours, its style red once something failed."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
