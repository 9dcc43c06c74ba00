"""Workbooks to sheets: .xlsx, .ods and .xls, each measured before a library makes cells of it."""

import io
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from sdrs_nb.i18n import _
from sdrs_nb.inventory.bounds import TooMuchError
from sdrs_nb.inventory.headings import IGNORED, fold
from sdrs_nb.inventory.notes import Remarks
from sdrs_nb.inventory.readers import ods_size, xls_size, xlsx_size
from sdrs_nb.inventory.readers.formulas import without_value
from sdrs_nb.inventory.readers.grids import Merged, sheet_of_grid
from sdrs_nb.inventory.readers.xlsx_size import NoWorkbookError
from sdrs_nb.inventory.sheets import Sheet

__all__ = ["sheets_of_workbook"]

#: Kind of a workbook -> what counts the cells it will cost, all sheets as full rectangles.
_MEASURES: Mapping[str, Callable[[bytes, str], int]] = MappingProxyType(
    {
        "xlsx": lambda data, name: xlsx_size.measure(data, name).rectangles,
        "ods": ods_size.measure,
        "xls": xls_size.measure,
    }
)


def sheets_of_workbook(data: bytes, name: str, kind: str, remarks: Remarks) -> list[tuple[str, Sheet]]:
    """Return the sheets of a workbook of this kind (``xlsx``, ``ods``, ``xls``) that hold anything.

    Raises
    ------
    TooMuchError
        It would cost more than ``intake.limits``.
    """
    import python_calamine as calamine

    damaged = _("This is no workbook that can be read: {error}", error=_("a part of it is damaged; save it again"))
    try:
        cells = _MEASURES[kind](data, name)
        grids = _grids(calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)), name, cells)
        empty = without_value(data) if kind == "xlsx" else {}
    except (calamine.CalamineError, NoWorkbookError, ValueError, OverflowError, OSError) as error:
        remarks.problem(name, _("This is no workbook that can be read: {error}", error=error))
        return []
    # A panic of the library, which is no Exception; a damaged part of a workbook is enough for one.
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        remarks.problem(name, damaged)
        return []
    found = []
    for each, grid, merged in grids:
        if any(map(any, grid)):
            place = f"{name} {each}"
            formulas = empty.get(each, ())
            sheet = sheet_of_grid(grid, place, remarks, file=name, name=each, merged=merged, formulas=formulas)
            found.append((each, sheet))
    return found


def _grids(book: Any, name: str, cells: int) -> list[tuple[str, list[list[Any]], list[Merged]]]:
    """Return the cells of every sheet, at most so many: sheets that share a part are made of it once each."""
    grids: list[tuple[str, list[list[Any]], list[Merged]]] = []
    for each in book.sheet_names:
        if fold(each) in IGNORED:
            continue
        sheet = book.get_sheet_by_name(each)
        # Empty rows above the heading are kept: row numbers must be those that the spreadsheet shows.
        grid = sheet.to_python(skip_empty_area=False)
        cells -= len(grid) * (len(grid[0]) if grid else 0)
        if cells < 0:
            raise TooMuchError(f"{name} {each}", _("Several sheets are one part of the file; save it again."))
        grids.append((each, grid, list(sheet.merged_cell_ranges or ())))
    return grids
