"""Lists of servers as people have them (a mail, a text file, a workbook, a Series), as entries that name one each.

Nothing is looked up here: what an entry means is ``select``'s business.
"""

import csv
import io
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any, NamedTuple

import pandas as pd

from sdrs_nb.errors import InventoryError
from sdrs_nb.i18n import _
from sdrs_nb.intake.documents import json_of
from sdrs_nb.intake.files import bytes_of, read_file, told
from sdrs_nb.intake.limits import IntakeError, UnreadableError, limits
from sdrs_nb.inventory.files import contents_of_file
from sdrs_nb.inventory.headings import column_of
from sdrs_nb.inventory.notes import Remarks
from sdrs_nb.inventory.readers.answers import Listed
from sdrs_nb.inventory.readers.encodings import decoded
from sdrs_nb.inventory.readers.kinds import kind_of
from sdrs_nb.inventory.sheets import Sheet
from sdrs_nb.inventory.values import trim
from sdrs_nb.tables import SERVERS

__all__ = ["CHOOSING", "Entry", "entries_of", "plain"]

#: Columns of servers that say which server is meant, the most certain first.
CHOOSING = ("server_id", "name", "private_ips", "hostname")
_BETWEEN = re.compile(r"[,;，；、]")
_BULLET = re.compile(r"^(?:[-*•·▪>]+|\(?\d{1,4}[.)])\s+")
_AFTER = ".: "
_AROUND = " \t\"'`<>()[]{}“”‘’「」《》"


class Entry(NamedTuple):
    """One server as somebody named it: ``cells`` are ``(column, text)``, the column empty where it is not said.

    ``facts`` are ``(heading, column, text)`` of what its row says beside, the column empty where it is none of ours.
    """

    row: int
    given: str
    cells: tuple[tuple[str, str], ...]
    may_be_heading: bool = False
    facts: tuple[tuple[str, str, str], ...] = ()


def plain(text: str) -> str:
    """Return a name as it stands in a list without the list's own signs: bullets, numbers, quotes, brackets."""
    return trim(_BULLET.sub("", trim(text)).rstrip(_AFTER).strip(_AROUND))


def entries_of(given: Any, name: str | None = None) -> list[Entry]:
    """Return what a list holds, an entry for each server that it names.

    Parameters
    ----------
    given
        A text (an entry a line, or parted by commas or semicolons), a path or bytes of a file (text, CSV, workbook,
        JSON, Parquet), a DataFrame with a row a server, or anything that gives texts.
    name
        The file's name, where bytes are given.

    Raises
    ------
    InventoryError
        The file is not there or cannot be read, or it is nothing that lists servers.
    """
    if isinstance(given, pd.DataFrame):
        return list(_of_table([str(each) for each in given.columns], given.to_numpy(dtype=object).tolist(), 2))
    if isinstance(given, (bytes, bytearray, memoryview)):
        return _of_file(bytes_of(given, name or "-"), name or "-")
    if isinstance(given, os.PathLike) or (isinstance(given, str) and _is_file(given)):
        return _of_path(Path(given))
    if isinstance(given, str):
        return _of_text(given)
    if isinstance(given, Iterable) and not isinstance(given, Mapping):
        return [Entry(at, text, (("", text),)) for at, text in enumerate(map(_text, given), start=1) if text]
    raise InventoryError(
        _(
            "{kind} is no list of servers; give ids, names or addresses as a list or a text, a file, or an expression.",
            kind=type(given).__name__,
        )
    )


def _is_file(text: str) -> bool:
    try:
        return "\n" not in text and Path(text).is_file()
    except (OSError, ValueError):  # too long for a path, or with characters that no path has
        return False


def _of_path(path: Path) -> list[Entry]:
    try:
        return _of_file(read_file(path), path.name)
    except FileNotFoundError as error:
        raise InventoryError(_("There is no file or folder {path}; check the path.", path=path)) from error
    except OSError as error:
        raise InventoryError(_("{path} cannot be read: {reason}.", path=path, reason=told(error))) from error
    except UnreadableError as error:
        raise InventoryError(str(error)) from None


def _of_file(data: bytes, name: str) -> list[Entry]:
    ending = PurePath(name).suffix.lower()
    if ending == ".jsonl" or kind_of(data, name) != "text":
        return _of_contents(data, name)
    if ending != ".json":
        return _of_text(_decoded(data, name))
    try:
        content = json_of(_decoded(data, name), is_strict=False)
    except IntakeError as error:
        raise InventoryError(f"{name}: {error}") from None
    if isinstance(content, list) and all(isinstance(each, str) for each in content):
        return entries_of(content)
    return _of_contents(data, name)


def _of_contents(data: bytes, name: str) -> list[Entry]:
    """Return the entries of the sheet that names servers by a known heading, or of every sheet where none does.

    Of the cloud's own answers each document of a server is one.
    """
    remarks = Remarks()
    contents = [content for _name, content in contents_of_file(data, name, remarks)]
    if not contents and remarks.problems:
        raise InventoryError(_("The list in {file} cannot be used.", file=name), remarks.problems)
    sheets = [content for content in contents if isinstance(content, Sheet)]
    chosen = next((sheet for sheet in sheets if any(_column(each) for each in sheet.headings)), None)
    found = [entry for content in contents if isinstance(content, Listed) for entry in _of_answer(content)]
    for sheet in sheets if chosen is None else [chosen]:
        rows = zip(*(list(column) for column in sheet.columns), strict=True)
        found += _of_table(list(sheet.headings), list(rows), 2)
    return found


def _of_answer(listed: Listed) -> Iterator[Entry]:
    for row, document in enumerate(listed.documents if listed.frame == "servers" else (), start=1):
        known = (("server_id", _text(document.get("id"))), ("name", _text(document.get("name"))))
        cells = tuple((column, text) for column, text in known if text)
        if cells:
            yield Entry(row, " ".join(text for _column_name, text in cells), cells)


def _decoded(data: bytes, name: str) -> str:
    remarks = Remarks()
    text = decoded(data, name, remarks)
    if text is None:
        raise InventoryError(_("The list in {file} cannot be used.", file=name), remarks.problems)
    return text


def _of_text(text: str) -> list[Entry]:
    """Return the entries of a text: a table where its first line has known headings, else an entry a name."""
    if len(text) > limits().file_bytes:
        bytes_of(text.encode(), "-")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    first = next((at for at, line in enumerate(lines) if line.strip()), 0)
    separator = max(",;\t", key=lines[first].count)
    headings = next(csv.reader([lines[first]], delimiter=separator), [])
    if any(map(_column, headings)) and any(map(str.strip, lines[first + 1 :])):
        rest = io.StringIO("\n".join(lines[first + 1 :]), newline="")
        return list(_of_table(headings, list(csv.reader(rest, delimiter=separator)), first + 2))
    found = []
    for at, line in enumerate(lines, start=1):
        for part in _BETWEEN.split(line):
            cells = tuple(("", cell.strip()) for cell in part.split("\t") if cell.strip())
            found += [Entry(at, " ".join(text for _any, text in cells), cells)] if cells else []
    return found


def _of_table(headings: Sequence[str], rows: Sequence[Sequence[Any]], begin: int) -> Iterator[Entry]:
    """Return an entry a row: the cells under known headings; without any of these every cell, headings included."""
    columns = [_column(each) or "" for each in headings]
    is_known = any(columns)
    beside = [(at, each, column_of(each, SERVERS) or "") for at, each in enumerate(headings) if not columns[at]]
    beside = beside if is_known else []
    for row, cells in enumerate(rows if is_known else [headings, *rows], start=begin if is_known else begin - 1):
        filled = [(column, _text(cell)) for column, cell in zip(columns, cells, strict=False) if column or not is_known]
        told_cells = tuple((column, text) for column, text in filled if text)
        if told_cells:
            given = " ".join(text for _column_name, text in told_cells)
            facts = (
                (heading, column, _text(cells[at])) for at, heading, column in beside if heading and at < len(cells)
            )
            yield Entry(row, given, told_cells, row == begin - 1, tuple(fact for fact in facts if fact[2]))


def _column(heading: str) -> str | None:
    column = column_of(heading, SERVERS)
    return column if column in CHOOSING else None


def _text(cell: Any) -> str:
    if cell is None or cell is pd.NA or cell is pd.NaT or cell != cell:  # noqa: PLR0124 - NaN
        return ""
    return trim(str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell))
