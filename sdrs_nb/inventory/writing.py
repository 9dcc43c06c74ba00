"""Inventories to workbooks and folders that can be read back to the same inventory, and empty templates.

Texts come from the cloud and so from anybody: in a workbook each is written as text, in a CSV file what a spreadsheet
would run as a formula carries an apostrophe, which reading takes away.
"""

import csv
import io
import re
from pathlib import Path
from typing import Any

import pandas as pd

from sdrs_nb.errors import InventoryError, Problem
from sdrs_nb.i18n import _
from sdrs_nb.inventory.files import ARMOURED
from sdrs_nb.inventory.meanings import readme
from sdrs_nb.inventory.sheets import ABOUT, DECLARED
from sdrs_nb.inventory.values import clean
from sdrs_nb.shown.disk import write_whole
from sdrs_nb.tables import BOOL, FLOAT, INT, INVENTORY_TABLES, SOURCES, TIME, empty, shape

__all__ = ["template", "to_excel", "to_folder"]

_SHEET_ROWS = 2**20
_CELL_CHARACTERS = 32_767
#: Whole numbers beyond this lose digits in a spreadsheet, so they are written as text.
_EXACT = 10**15
#: What XML cannot hold, and texts that Excel's own escape for it (_x000D_) would change.
_ESCAPED = re.compile(r"[\x00-\x08\x0b-\x1f]|_(?=x[0-9A-Fa-f]{4}_)")
#: Texts that the writing library takes for formulas or error values unless told otherwise.
_TAKEN_FOR_MORE = re.compile(r"[=+\-@].*|#(NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|N/A)", re.DOTALL)


def to_excel(contents: dict[str, pd.DataFrame], path: Path) -> Path:
    """Write frames, ``sources`` and ``about`` as sheets, by their names."""
    return _workbook(path, contents)


def to_folder(contents: dict[str, pd.DataFrame], path: Path) -> Path:
    """Write frames, ``sources`` and ``about`` as CSV files, by their names; files of other frames go."""
    path.mkdir(parents=True, exist_ok=True)
    for name, frame in contents.items():
        _write_csv(path / f"{name}.csv", frame)
    for name in (*INVENTORY_TABLES, DECLARED.name):
        if name not in contents:
            (path / f"{name}.csv").unlink(missing_ok=True)
    return path


def template(path: Path) -> Path:
    """Write headings of every frame, ``sources`` with every frame ``missing``, and a readme."""
    states = pd.DataFrame({"frame": list(INVENTORY_TABLES), "state": "missing"})
    contents = {name: empty(table) for name, table in INVENTORY_TABLES.items()}
    contents |= {"sources": shape(states, SOURCES), "about": empty(ABOUT)}
    if path.suffix.lower() == ".xlsx":
        return _workbook(path, {"readme": readme(), **contents})
    path.mkdir(parents=True, exist_ok=True)
    for name, frame in {"readme": readme(), **contents}.items():
        _write_csv(path / f"{name}.csv", frame)
    return path


def _cells(column: "pd.Series[Any]") -> list[Any]:
    """Return a column as a file holds it: text, numbers, true and false; None where missing."""
    if isinstance(column.dtype, pd.DatetimeTZDtype) or str(column.dtype) == TIME:
        return [None if pd.isna(value) else value.isoformat().replace("+00:00", "Z") for value in column]
    values = column.astype("object").tolist()
    if str(column.dtype) in {INT, FLOAT, BOOL}:
        return [None if value is pd.NA else value for value in values]
    return [None if pd.isna(value) else str(value) for value in values]


def _workbook(path: Path, contents: dict[str, pd.DataFrame]) -> Path:
    from openpyxl import Workbook

    _refuse_too_much(path, contents)
    book = Workbook(write_only=True)
    for name, frame in contents.items():
        sheet = book.create_sheet(name)
        sheet.freeze_panes = "A2"
        _format_as_text(sheet, frame)
        sheet.append([_excel_cell(sheet, str(heading)) for heading in frame.columns])
        columns = [[_excel_cell(sheet, cell) for cell in _cells(frame[heading])] for heading in frame.columns]
        for row in zip(*columns, strict=True):
            sheet.append(row)
    return write_whole(path, book.save)


def _format_as_text(sheet: Any, frame: pd.DataFrame) -> None:
    """Format text columns as text, so that ids pasted into them later keep their digits."""
    from openpyxl.utils import get_column_letter

    for at, dtype in enumerate(frame.dtypes, start=1):
        if str(dtype) not in {INT, FLOAT, BOOL}:
            sheet.column_dimensions[get_column_letter(at)].number_format = "@"


def _excel_cell(sheet: Any, value: Any) -> Any:
    if isinstance(value, str):
        value = clean(value)
        if _ESCAPED.search(value):
            value = _ESCAPED.sub(lambda found: f"_x{ord(found[0]):04X}_", value)
        return _text_cell(sheet, value) if _TAKEN_FOR_MORE.fullmatch(value) else value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _EXACT:
        return str(value)
    # The writing library keeps 16 digits; a number that needs 17 is written as text.
    if isinstance(value, float) and float(f"{value:.16g}") != value:
        return repr(value)
    return value


def _text_cell(sheet: Any, value: str) -> Any:
    """Return a cell that stays text, also when somebody edits it."""
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, value)
    cell.data_type = "s"
    cell.number_format = "@"
    return cell


def _refuse_too_much(path: Path, contents: dict[str, pd.DataFrame]) -> None:
    problems = []
    for name, frame in contents.items():
        if len(frame) >= _SHEET_ROWS:
            told = _("{rows} rows do not fit a sheet; write a folder instead.", rows=len(frame))
            problems.append(Problem(name, None, None, told))
        for heading in frame.columns:
            for at, cell in enumerate(_cells(frame[heading]), start=2):
                # Each escaped character takes seven.
                if isinstance(cell, str) and len(cell) * 7 > _CELL_CHARACTERS < len(_ESCAPED.sub("_x0000_", cell)):
                    told = _("This text is too long for a cell; write a folder instead.")
                    problems.append(Problem(name, at, str(heading), told))
    if problems:
        raise InventoryError(_("The inventory does not fit the workbook {name}.", name=path.name), problems)


def _write_csv(path: Path, frame: pd.DataFrame) -> None:
    columns = [[_csv_cell(cell) for cell in _cells(frame[heading])] for heading in frame.columns]
    text = io.StringIO(newline="")
    # With this line ending a lone carriage return inside a value is quoted as well.
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([_csv_cell(str(heading)) for heading in frame.columns])
    writer.writerows(zip(*columns, strict=True))
    write_whole(path, text.getvalue().encode("utf-8-sig", "replace"))


def _csv_cell(cell: Any) -> Any:
    if isinstance(cell, str):
        return "'" + cell if cell[:1] in ARMOURED and cell else cell
    return str(cell).lower() if isinstance(cell, bool) else cell
