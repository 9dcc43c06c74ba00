"""Write frames as files that a spreadsheet can open without running anything in them: CSV, xlsx, JSON lines."""

import os
import re
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from sdrs_nb.asked import checked
from sdrs_nb.shown.cells import is_missing, neutral
from sdrs_nb.shown.disk import require_place, write_whole
from sdrs_nb.shown.texts import json_text

__all__ = ["write_csv", "write_excel", "write_json_lines", "write_sheets"]

#: Texts that the writing library takes for formulas or error values unless told otherwise.
_TAKEN_FOR_MORE = re.compile(r"[=+\-@].*|#(NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|N/A)", re.DOTALL)


@checked
def write_csv(frame: pd.DataFrame, path: str | os.PathLike[str]) -> Path:
    """Write ``frame`` to ``path`` as UTF-8 CSV with a byte order mark (for Excel) and return the path.

    Text cells that a spreadsheet would run as a formula get a leading apostrophe; missing values are empty cells.
    The frame is not changed.  The file appears whole or not at all.

    Raises
    ------
    SettingsError
        The file cannot be written.
    """
    safe = _neutralised(frame)
    return write_whole(
        Path(path),
        lambda file: safe.to_csv(file, index=False, encoding="utf-8-sig", lineterminator="\r\n"),
        makes_folders=True,
    )


@checked
def write_excel(sheets: Mapping[str, pd.DataFrame], path: str | os.PathLike[str]) -> Path:
    """Write a workbook with a sheet per frame, by sheet name, and return the path.

    Every text is written as text, and one that a spreadsheet would run as a formula starts with an apostrophe, so
    that it stays harmless when the sheet is saved as CSV.  Times are text in UTC.  Replaces an existing file.

    Raises
    ------
    SettingsError
        The file cannot be written.
    """
    require_place(Path(path), makes_folders=True)
    safe = {name: _neutralised(frame) for name, frame in sheets.items()}
    rows = {
        name: [list(frame.columns), *map(partial(map, _storable), frame.itertuples(index=False, name=None))]
        for name, frame in safe.items()
    }
    return write_sheets(rows, Path(path), makes_folders=True)


def write_sheets(
    sheets: Mapping[str, Iterable[Iterable[object]]],
    path: Path,
    *,
    text_columns: Mapping[str, Iterable[int]] = MappingProxyType({}),
    makes_folders: bool = False,
) -> Path:
    """Write a workbook with a sheet per list of rows, by its name, each text as text, and return the path.

    ``text_columns``: by sheet the columns (from 1) that are formatted as text, so that ids typed into them later keep
    their digits.

    Raises
    ------
    SettingsError
        The file cannot be written.
    """
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.utils import get_column_letter

    def cell(sheet: Any, value: object) -> object:
        if not (isinstance(value, str) and _TAKEN_FOR_MORE.fullmatch(value)):
            return value
        text = WriteOnlyCell(sheet, value)
        text.data_type = "s"
        text.number_format = "@"  # it stays text when somebody edits it
        return text

    book = Workbook(write_only=True)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        sheet.freeze_panes = "A2"
        for column in text_columns.get(name, ()):
            sheet.column_dimensions[get_column_letter(column)].number_format = "@"
        for row in rows:
            sheet.append([cell(sheet, value) for value in row])
    return write_whole(path, book.save, makes_folders=makes_folders)


@checked
def write_json_lines(frame: pd.DataFrame, path: str | os.PathLike[str]) -> Path:
    """Write ``frame`` as one JSON object a line (UTF-8, missing is null, times ISO 8601 in UTC); return the path.

    Texts read back as they are; hidden characters are escapes.

    Raises
    ------
    SettingsError
        The file cannot be written.
    """
    rows = frame.astype(object).to_dict("records")
    text = "".join(f"{json_text(row)}\n" for row in rows)
    return write_whole(Path(path), text.encode(), makes_folders=True)


def _neutralised(frame: pd.DataFrame) -> pd.DataFrame:
    safe = frame.rename(columns=lambda name: neutral(str(name)))
    for column in safe.columns:
        if not (pd.api.types.is_numeric_dtype(safe[column]) or pd.api.types.is_datetime64_any_dtype(safe[column])):
            safe[column] = safe[column].map(lambda value: neutral(value) if isinstance(value, str) else value)
    return safe


def _storable(value: object) -> object:
    if is_missing(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value
