"""Text in columns: values between commas, semicolons, tabs or bars, and the boxes that command-line tools draw."""

import csv
import io
import re
from itertools import islice

from sdrs_nb.i18n import _
from sdrs_nb.intake.limits import limits
from sdrs_nb.inventory.bounds import require_rectangle
from sdrs_nb.inventory.headings import is_known
from sdrs_nb.inventory.notes import Note, Remarks
from sdrs_nb.inventory.readers.grids import sheet_of_grid
from sdrs_nb.inventory.sheets import Sheet
from sdrs_nb.shown.cells import unguarded

__all__ = ["sheet_of_text"]

_SEPARATORS = (",", ";", "\t", "|", "，")
#: What Excel writes and reads as the first line of a CSV file.
_SEP_LINE = re.compile(r"\s*\"?sep=(.)\"?,*\r?\n", re.IGNORECASE)
_BOX = re.compile(r"\s*(\+[-=+]{3,}\+?\s*|\|[^\n]*\|\s*)")
_RULE = re.compile(r"[\s|+:=-]+")
_LOOKED_AT = 10
_SAMPLE, _LONGEST_HEADING = 100_000, 200


def sheet_of_text(text: str, name: str, remarks: Remarks) -> Sheet | None:
    """Return the table in a text; None where it breaks off, which is a problem then."""
    lines = text.lstrip().split("\n", 2)
    if _BOX.fullmatch(lines[0].rstrip("\r")) and len(lines) > 1 and "|" in lines[1]:
        return _boxed(text, name, remarks)
    skipped = 0
    if found := _SEP_LINE.match(text):
        remarks.note(Note(name, "passed over", row=1, before=found[0].strip()))
        text, separator, skipped = text[found.end() :], found[1], 1
    else:
        separator = _separator(text)
    note = ""
    if separator != ",":
        note = _("Values are separated by {separator}.", separator=repr(separator))
        remarks.note(Note(name, "read as", after=note))
    require_rectangle(name, 1, text.count(separator), len(text))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        grid = list(islice(reader, limits().rows + 1))
    except csv.Error as error:
        line = reader.line_num + skipped
        told = _("The file breaks off near line {line}: {error}. Check the quotes there.", line=line, error=error)
        remarks.problem(name, told)
        return None
    if "'" in text:
        grid = [[unguarded(cell) for cell in cells] for cells in grid]
    return sheet_of_grid([*([""] for _line in range(skipped)), *grid], name, remarks, file=name, note=note)


def _separator(text: str) -> str:
    """Return what parts the headings: what tells most columns of ours in one of the first lines, else most cells."""
    lines = list(islice((line for line in text[:_SAMPLE].splitlines() if line.strip()), _LOOKED_AT))
    bare = re.sub(r'"[^"]*"', "", lines[0]) if lines else ""
    known = {
        separator: max((_known(line, separator) for line in lines if separator in line), default=0)
        for separator in _SEPARATORS
    }
    return max(_SEPARATORS, key=lambda each: (known[each] if known[each] > 1 else 0, bare.count(each)))


def _known(line: str, separator: str) -> int:
    cells = next(csv.reader([line], delimiter=separator), [])
    return sum(is_known(cell.strip()) for cell in cells[:1000] if len(cell) < _LONGEST_HEADING)


def _boxed(text: str, name: str, remarks: Remarks) -> Sheet:
    """Return a table as command-line tools draw it, with bars between the cells and rules between rows."""
    grid = []
    for line in islice(text.splitlines(), limits().rows + 1):
        inner = line.strip()
        is_row = inner.startswith("|") and not _RULE.fullmatch(inner)
        grid.append([cell.strip() for cell in inner.strip("|").split("|")] if is_row else [])
    remarks.note(Note(name, "read as", after=_("a table drawn with bars")))
    require_rectangle(name, len(grid), max(map(len, grid), default=0), len(text))
    return sheet_of_grid(grid, name, remarks, file=name)
