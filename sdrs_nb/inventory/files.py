"""Files and folders to sheets of raw cells: workbooks, CSV, JSON, JSON lines and Parquet.

Nothing is converted here beyond what the format itself says; ``_sheets`` checks and converts cell by cell.
"""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import Any

from sdrs_nb.errors import InventoryError, Problem, SettingsError
from sdrs_nb.i18n import _
from sdrs_nb.intake.documents import json_of
from sdrs_nb.intake.files import entries_of, read_file
from sdrs_nb.intake.limits import IntakeError, limits
from sdrs_nb.inventory.bounds import TooMuchError, require_rectangle, too_many_rows, too_wide
from sdrs_nb.inventory.headings import IGNORED, fold
from sdrs_nb.inventory.sheets import TOLD, Sheet, more
from sdrs_nb.inventory.values import clean
from sdrs_nb.inventory.workbooks import NoWorkbookError, measure

__all__ = ["ARMOURED", "sheets_of_file", "sheets_of_folder"]

#: A text that starts so is run by spreadsheets when they open a CSV file; ours carry an apostrophe before it.
ARMOURED = frozenset("=+-@'＝＋－＠")
_SEPARATORS = (",", ";", "\t")
_BYTE_ORDER = (b"\xff\xfe", b"\xfe\xff")

#: The sheets of a source by name; the name "" stands for a file that holds one unnamed frame.
Sheets = list[tuple[str, Sheet]]


def sheets_of_folder(folder: Path, problems: list[Problem]) -> Sheets:
    """Return one sheet per data file of the folder, named by the file; other files are passed over."""
    found: Sheets = []
    for path in entries_of(folder):
        is_data = path.is_file() and path.suffix.lower() in _READERS and not path.name.startswith((".", "~$"))
        if is_data and path.suffix.lower() not in _WORKBOOKS and fold(path.stem) not in IGNORED:
            found += [
                (name or path.stem, sheet) for name, sheet in sheets_of_file(read_file(path), path.name, problems)
            ]
    return found


def sheets_of_file(data: bytes, name: str, problems: list[Problem]) -> Sheets:
    """Return the sheets in the bytes of a file called ``name``; what cannot be read at all is a problem."""
    read = _READERS.get(PurePath(name).suffix.lower())
    if read is None:
        raise InventoryError(
            _(
                "{name} is no file that can be read; give one ending in {endings}.",
                name=name,
                endings=", ".join(_READERS),
            )
        )
    return read(data, name, problems)


def _workbook(data: bytes, name: str, problems: list[Problem]) -> Sheets:
    import python_calamine as calamine

    try:
        measured = measure(data, name)
        grids = _grids(calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)), name, measured.rectangles)
    except (calamine.CalamineError, NoWorkbookError, ValueError, OverflowError, OSError) as error:
        problems.append(Problem(name, None, None, _("This is no workbook that can be read: {error}", error=error)))
        return []
    # A panic of the library, which is no Exception; a damaged part of a workbook is enough for one.
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        told = _("This is no workbook that can be read: {error}", error=_("a part of it is damaged; save it again"))
        problems.append(Problem(name, None, None, told))
        return []
    return [(each, Sheet.of_grid(grid, each, problems)) for each, grid in grids if any(map(any, grid))]


def _grids(book: Any, name: str, cells: int) -> list[tuple[str, list[list[Any]]]]:
    """Return the cells of every sheet, at most so many: sheets that share a part are made of it once each."""
    grids: list[tuple[str, list[list[Any]]]] = []
    for each in book.sheet_names:
        if fold(each) in IGNORED:
            continue
        # Empty rows above the heading are kept: row numbers must be those that the spreadsheet shows.
        grid = book.get_sheet_by_name(each).to_python(skip_empty_area=False)
        cells -= len(grid) * (len(grid[0]) if grid else 0)
        if cells < 0:
            raise TooMuchError(f"{name} {each}", _("Several sheets are one part of the file; save it again."))
        grids.append((each, grid))
    return grids


def _csv(data: bytes, name: str, problems: list[Problem]) -> Sheets:
    text, note = _decoded(data, name, problems)
    separator = _separator(text)
    if separator != ",":
        note = " ".join([note, _("Values are separated by {separator}.", separator=repr(separator))]).strip()
    require_rectangle(name, 1, text.count(separator), len(text))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    most = limits().rows
    try:
        grid = list(islice(reader, most + 1))
    except csv.Error as error:
        told = _(
            "The file breaks off near line {line}: {error}. Check the quotes there.", line=reader.line_num, error=error
        )
        problems.append(Problem(name, None, None, told))
        return []
    if "'" in text:
        grid = [[_bare(cell) for cell in cells] for cells in grid]
    return [("", Sheet.of_grid(grid, name, problems, note))]


def _bare(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell[1:2] in ARMOURED and len(cell) > 1 else cell


def _separator(text: str) -> str:
    """Return what parts the headings: a comma unless a semicolon or a tab parts more of them."""
    heading = re.sub(r'"[^"]*"', "", text.partition("\n")[0])
    return max(_SEPARATORS, key=heading.count)


def _decoded(data: bytes, name: str, problems: list[Problem]) -> tuple[str, str]:
    """Return the text of a file and, when it is not UTF-8, a sentence that says how it was read."""
    if data.startswith(_BYTE_ORDER):
        return data.decode("utf-16", "replace"), _("Read as UTF-16.")
    try:
        return data.decode("utf-8-sig"), ""
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("gb18030"), _("Not UTF-8, read as GB18030 (Chinese Excel).")
    except UnicodeDecodeError:
        told = _("The text is neither UTF-8 nor GB18030; save the file as UTF-8.")
        problems.append(Problem(name, None, None, told))
        return "", ""


def _json(data: bytes, name: str, problems: list[Problem]) -> Sheets:
    text, note = _decoded(data, name, problems)
    try:
        content = json_of(text, is_strict=False)
    except IntakeError as error:
        problems.append(Problem(name, None, None, str(error)))
        return []
    if isinstance(content, dict):
        return [
            (str(each), _records(rows, f"{name} {each}", range(2, len(rows) + 2), problems, note))
            for each, rows in content.items()
            if fold(each) not in IGNORED and _is_list(rows, f"{name} {each}", problems)
        ]
    if not _is_list(content, name, problems):
        return []
    return [("", _records(content, name, range(2, len(content) + 2), problems, note))]


def _json_lines(data: bytes, name: str, problems: list[Problem]) -> Sheets:
    text, note = _decoded(data, name, problems)
    bounds = limits()
    if text.count("\n") > bounds.rows:
        raise too_many_rows(name)
    rows: list[int] = []
    records: list[Any] = []
    wrong = 0
    # Not splitlines: it also parts at characters that JSON allows inside a text.
    for at, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            records.append(json_of(line, is_strict=False, bounds=bounds))
            rows.append(at)
        except IntakeError as error:
            wrong += 1
            if wrong <= TOLD:
                problems.append(Problem(name, at, None, str(error)))
    if wrong > TOLD:
        problems.append(Problem(name, None, None, more(wrong - TOLD)))
    return [("", _records(records, name, rows, problems, note))]


def _is_list(rows: Any, where: str, problems: list[Problem]) -> bool:
    if not isinstance(rows, list):
        problems.append(Problem(where, None, None, _("A list of objects belongs here, one object a row.")))
    return isinstance(rows, list)


def _records(rows: Sequence[Any], where: str, places: Sequence[int], problems: list[Problem], note: str) -> Sheet:
    if len(rows) > limits().rows:
        raise too_many_rows(where)
    good = [(at, row) for at, row in zip(places, rows, strict=True) if isinstance(row, dict)]
    wrong = [at for at, row in zip(places, rows, strict=True) if not isinstance(row, dict)]
    told = _("An object of columns and values belongs here.")
    problems += [Problem(where, at, None, told) for at in wrong[:TOLD]]
    if len(wrong) > TOLD:
        problems.append(Problem(where, None, None, more(len(wrong) - TOLD)))
    headings = list(dict.fromkeys(key for _at, row in good for key in row))
    if len(headings) > limits().columns:
        raise too_wide(where, row=None)
    require_rectangle(where, len(good), len(headings), sum(len(row) for _at, row in good))
    columns = [[row.get(heading) for _at, row in good] for heading in headings]
    return Sheet(where, [clean(each) for each in headings], columns, [at for at, _row in good], note, is_none=not rows)


def _parquet(data: bytes, name: str, problems: list[Problem]) -> Sheets:
    try:
        from sdrs_nb.inventory.parquet import NoParquetError, frame_of
    except ImportError as error:
        raise SettingsError(_missing(name, "parquet")) from error
    try:
        frame = frame_of(data, name)
    except NoParquetError as error:
        problems.append(Problem(name, None, None, _("This is no Parquet file that can be read: {error}", error=error)))
        return []
    return [("", Sheet.of_frame(frame, name))]


def _missing(name: str, extra: str) -> str:
    return _(
        "{name} needs a library that is not installed; run: pip install 'sdrs-nb[{extra}]'", name=name, extra=extra
    )


_WORKBOOKS = frozenset({".xlsx", ".xlsm"})
_READERS: Mapping[str, Callable[[bytes, str, list[Problem]], Sheets]] = MappingProxyType(
    {
        ".xlsx": _workbook,
        ".xlsm": _workbook,
        ".csv": _csv,
        ".json": _json,
        ".jsonl": _json_lines,
        ".parquet": _parquet,
    }
)
