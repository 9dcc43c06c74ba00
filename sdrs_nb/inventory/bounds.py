"""Refusals of what is too much for an inventory, each with its place; the bounds are in ``intake.limits``."""

from collections.abc import Sequence
from typing import Any

from sdrs_nb.errors import Problem
from sdrs_nb.i18n import _
from sdrs_nb.intake.limits import limits, raisable

__all__ = ["TooMuchError", "require_grid", "require_rectangle", "too_many_rows", "too_wide"]


class TooMuchError(Exception):
    """A source holds more than is read; ``problem`` says where and what to do."""

    def __init__(self, where: str, message: str, row: int | None = None, column: str | None = None) -> None:
        self.problem = Problem(where, row, column, message)
        super().__init__(str(self.problem))


def too_many_rows(where: str) -> TooMuchError:
    """Return the refusal of a sheet with more rows than the bound."""
    most = limits().rows
    told = _("There are more than {limit} rows; split the file or raise {setting}.", limit=most,
             setting=raisable("rows"))  # fmt: skip
    return TooMuchError(where, told, row=most + 1)


def too_wide(where: str, row: int | None, column: str | None = None) -> TooMuchError:
    """Return the refusal of a sheet with more columns than the bound."""
    told = _(
        "There are more than {limit} columns; delete those without meaning to the right or raise {setting}.",
        limit=limits().columns,
        setting=raisable("columns"),
    )
    return TooMuchError(where, told, row=row, column=column)


def require_rectangle(where: str, rows: int, columns: int, values: int) -> None:
    """Refuse a frame of so many rows and columns in which at most so many cells hold something.

    Raises
    ------
    TooMuchError
        There are more cells than the bound, or far more than hold anything.
    """
    bounds = limits()
    cells = rows * columns
    if cells <= bounds.blank_cells:
        return
    if cells > bounds.cells:
        told = _(
            "{rows} rows of {columns} columns are more than {limit} cells; split the file or raise {setting}.",
            rows=rows,
            columns=columns,
            limit=bounds.cells,
            setting=raisable("cells"),
        )
        raise TooMuchError(where, told)
    if cells > bounds.cells_a_value * values:
        told = _(
            "Of {cells} cells ({rows} rows, {columns} columns) at most {values} hold anything; delete the far cells "
            "and blank rows, save the file again, or raise {setting}.",
            cells=cells,
            rows=rows,
            columns=columns,
            values=values,
            setting=raisable("blank_cells"),
        )
        raise TooMuchError(where, told)


def require_grid(where: str, grid: Sequence[Sequence[Any]]) -> int:
    """Return the width of rows of cells that are within the bounds.

    Raises
    ------
    TooMuchError
        Too many rows, columns or blank cells.
    """
    if len(grid) > limits().rows:
        raise too_many_rows(where)
    width = max(map(len, grid), default=0)
    if width > limits().columns:
        raise too_wide(where, row=next(at for at, cells in enumerate(grid, start=1) if len(cells) == width))
    require_rectangle(where, len(grid), width, sum(map(len, grid)))
    return width
