"""Rows of cells to a ``Sheet``: where the heading stands, which rows are none, what merged cells stand for."""

import re
from collections.abc import Sequence
from typing import Any

from sdrs_nb.i18n import _
from sdrs_nb.inventory.bounds import require_grid
from sdrs_nb.inventory.headings import is_known
from sdrs_nb.inventory.notes import Note, Remarks
from sdrs_nb.inventory.sheets import Sheet, heading_of, is_blank

__all__ = ["Merged", "sheet_of_grid"]

#: First and last row and column of cells that are one, counted from 0.
Merged = tuple[tuple[int, int], tuple[int, int]]

#: Rows above a table in which its heading is looked for.
_DEEPEST = 30
_LONGEST_HEADING = 200
_NUL = re.compile(r"[\x00\s]*")


def sheet_of_grid(
    grid: Sequence[Sequence[Any]],
    where: str,
    remarks: Remarks,
    *,
    file: str,
    name: str = "",
    note: str = "",
    merged: Sequence[Merged] = (),
    formulas: Sequence[tuple[int, int]] = (),
) -> Sheet:
    """Return rows of cells as a sheet: title rows above the heading and rows without a value are passed over.

    The heading is the first row, unless a row below names columns of ours and the first does not.  Rows keep the
    number that a spreadsheet shows.

    Raises
    ------
    TooMuchError
        More rows, columns or blank cells than the bounds.
    """
    width = require_grid(where, grid)
    at = _heading_row(grid)
    for row in range(at):
        if _has_any(grid[row]):
            text = " ".join(str(cell) for cell in grid[row] if not is_blank(cell))
            remarks.note(Note(file, "passed over", name, row + 1, before=text[:60], after=_("title above the heading")))
    headings = [heading_of(cell) for cell in (grid[at] if len(grid) > at else ())]
    headings += [""] * (width - len(headings))
    kept = [(row, cells) for row, cells in enumerate(grid[at + 1 :], start=at + 2) if _has_any(cells)]
    filled = [[*cells, *[None] * (width - len(cells))] for _row, cells in kept]
    _fill_down(filled, [row for row, _cells in kept], merged, headings, remarks, file, name)
    columns: list[Sequence[Any]] = list(zip(*filled, strict=True)) if filled else [()] * width
    named = []
    for column, (heading, cells) in enumerate(zip(headings, columns, strict=True), start=1):
        if heading:
            named.append((heading, cells))
        elif any(not is_blank(cell) for cell in cells):
            remarks.problem(where, _("Column {number} has values but no heading.", number=column), row=at + 1)
    return Sheet(
        where,
        [heading for heading, _cells in named],
        [cells for _heading, cells in named],
        [row for row, _cells in kept],
        note,
        file=file,
        name=name,
        heading_row=at + 1,
        empty_formulas=tuple(
            (row, headings[column - 1]) for row, column in formulas if row > at + 1 and column <= len(headings)
        ),
    )


def _heading_row(grid: Sequence[Sequence[Any]]) -> int:
    """Return which row is the heading, counted from 0: the first with cells, unless a later one names columns."""
    filled = [row for row, cells in enumerate(grid[: _DEEPEST * 2]) if _has_any(cells)][:_DEEPEST]
    if not filled:
        return 0
    known = {row: _known(grid[row]) for row in filled}
    if known[filled[0]] < 2:  # noqa: PLR2004 - one word alone may be a title
        for row in filled:
            if known[row] >= 2 and known[row] > known[filled[0]]:  # noqa: PLR2004
                return row
        for row in filled:
            if known[row] and not known[filled[0]] and sum(not is_blank(cell) for cell in grid[row]) == 1:
                return row
    return filled[0]


def _known(cells: Sequence[Any]) -> int:
    texts = {cell for cell in cells if isinstance(cell, str) and 0 < len(cell) < _LONGEST_HEADING}
    return sum(is_known(text) for text in texts)


def _has_any(cells: Sequence[Any]) -> bool:
    # Nearly always the first one holds something, and is found without a generator.
    return bool(cells) and (not _is_padding(cells[0]) or any(not _is_padding(cell) for cell in cells))


def _is_padding(cell: Any) -> bool:
    return is_blank(cell) or (isinstance(cell, str) and cell[0] == "\0" and _NUL.fullmatch(cell) is not None)


def _fill_down(  # noqa: PLR0917 - what it changes, and where that stands
    rows: list[list[Any]],
    numbers: list[int],
    merged: Sequence[Merged],
    headings: Sequence[str],
    remarks: Remarks,
    file: str,
    name: str,
) -> None:
    """Write the value of cells that are merged over several rows of a column into each of these rows."""
    places = {number: at for at, number in enumerate(numbers)}
    for (top, left), (bottom, right) in merged:
        if left != right or bottom <= top or top + 1 not in places or left >= len(headings):
            continue
        value = rows[places[top + 1]][left]
        if is_blank(value):
            continue
        for row in range(top + 2, bottom + 2):
            if row in places and is_blank(rows[places[row]][left]):
                rows[places[row]][left] = value
                remarks.note(Note(file, "filled", name, row, headings[left], after=str(value)[:60]))
