"""Write frames as files that a spreadsheet can open without running anything in them: CSV, xlsx, JSON lines."""

import os
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from sdrs_nb.asked import checked
from sdrs_nb.shown.cells import is_missing, neutral
from sdrs_nb.shown.disk import require_place, write_whole
from sdrs_nb.shown.texts import json_text

__all__ = ["write_csv", "write_excel", "write_json_lines"]


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
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    for name, frame in sheets.items():
        sheet = book.create_sheet(name)
        sheet.freeze_panes = "A2"
        safe = _neutralised(frame)
        for row in [list(safe.columns), *safe.itertuples(index=False, name=None)]:
            cells = [WriteOnlyCell(sheet, _storable(value)) for value in row]
            for cell in cells:
                if isinstance(cell.value, str):
                    cell.data_type = "s"  # openpyxl takes a leading = for a formula otherwise
            sheet.append(cells)
    return write_whole(Path(path), book.save, makes_folders=True)


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
