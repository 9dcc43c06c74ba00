"""Files and folders to what stands in them: sheets of raw cells, and lists of the cloud as it answered.

Nothing is converted here beyond what the format itself says; ``understanding`` and ``sheets`` look at the cells.
"""

import re
from dataclasses import replace
from pathlib import Path

from sdrs_nb.errors import InventoryError, SettingsError
from sdrs_nb.i18n import _
from sdrs_nb.intake.files import entries_of, read_file
from sdrs_nb.inventory.headings import IGNORED, fold
from sdrs_nb.inventory.notes import Note, Remarks
from sdrs_nb.inventory.readers.answers import Listed
from sdrs_nb.inventory.readers.delimited import sheet_of_text
from sdrs_nb.inventory.readers.encodings import decoded
from sdrs_nb.inventory.readers.grids import sheet_of_grid
from sdrs_nb.inventory.readers.html_tables import grid_of_html, is_html
from sdrs_nb.inventory.readers.json_texts import OwnOutputError, contents_of_json
from sdrs_nb.inventory.readers.kinds import kind_of, refuse_text
from sdrs_nb.inventory.readers.spreadsheets import sheets_of_workbook
from sdrs_nb.inventory.sheets import Sheet

__all__ = ["Contents", "contents_of_file", "contents_of_folder"]

#: What a source holds, by the name of its sheet; "" stands for a file that holds one unnamed frame.
Contents = list[tuple[str, Sheet | Listed]]

_WORKBOOKS = frozenset({"xlsx", "ods", "xls"})
#: Endings of files that may hold frames; a folder may hold anything beside them.
_ENDINGS = frozenset(
    (".xlsx", ".xlsm", ".ods", ".xls", ".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".tfstate",
     ".html", ".htm")
)  # fmt: skip

#: How JSON begins; a bracket with a word in it is a section of an INI file.
_JSON = re.compile(r"\{|\[\s*(?:[\[{\"\]\d-]|$)|\[?(?:null|true|false)\b|-?\d+\s*$")


def contents_of_folder(folder: Path, remarks: Remarks) -> Contents:
    """Return what the files of a folder hold, named by the file; what is no data of ours is passed over and noted."""
    found: Contents = []
    for path in entries_of(folder):
        if not path.is_file() or path.name.startswith((".", "~$")) or fold(path.stem) in IGNORED:
            continue
        if path.suffix.lower() not in _ENDINGS:
            remarks.note(Note(path.name, "passed over", before=path.name))
            continue
        try:
            contents = contents_of_file(read_file(path), path.name, remarks)
        except OwnOutputError as error:
            remarks.note(Note(path.name, "passed over", before=path.name, after=str(error)))
            continue
        except InventoryError as error:
            if path.suffix.lower() not in (".txt", ".html", ".htm"):
                # A file that says "none of these" is told apart from one that holds nothing by its name alone.
                remarks.problem(path.name, str(error))
            else:
                remarks.note(Note(path.name, "passed over", before=path.name, after=str(error)))
            continue
        found += [(name or path.stem, content) for name, content in contents]
    return found


def contents_of_file(data: bytes, name: str, remarks: Remarks) -> Contents:
    """Return what the bytes of a file called ``name`` hold; the name is told in messages and is no hint.

    Raises
    ------
    InventoryError
        It holds nothing, or is of a format that is known and not read.
    """
    kind = kind_of(data, name)
    if kind in _WORKBOOKS:
        return list(sheets_of_workbook(data, name, kind, remarks))
    if kind == "parquet":
        return _parquet(data, name, remarks)
    before = len(remarks.notes)
    text = decoded(data, name, remarks)
    if text is None:
        return []
    encoding = "".join(note.after for note in remarks.notes[before:])
    told = _("Read as {encoding}.", encoding=encoding) if encoding else ""
    return [
        (
            each,
            replace(content, note=f"{told} {content.note}".strip()) if told and isinstance(content, Sheet) else content,
        )
        for each, content in _of_text(text, name, remarks)
    ]


def _of_text(text: str, name: str, remarks: Remarks) -> Contents:
    start = text.lstrip("\ufeff \t\r\n\0")
    if _JSON.match(start):
        return list(contents_of_json(text.strip("\ufeff \t\r\n\0"), name, remarks))
    if is_html(text):
        grid = grid_of_html(text, name)
        remarks.note(Note(name, "read as", after=_("a table of an HTML page")))
        return [("", sheet_of_grid(grid, name, remarks, file=name))]
    refuse_text(text, name)
    sheet = sheet_of_text(text, name, remarks)
    return [] if sheet is None else [("", sheet)]


def _parquet(data: bytes, name: str, remarks: Remarks) -> Contents:
    try:
        from sdrs_nb.inventory.readers.parquet import NoParquetError, frame_of
    except ImportError as error:
        told = _("{name} needs a library that is not installed; run: pip install 'sdrs-nb[{extra}]'", name=name,
                 extra="parquet")  # fmt: skip
        raise SettingsError(told) from error
    try:
        frame = frame_of(data, name)
    except NoParquetError as error:
        remarks.problem(name, _("This is no Parquet file that can be read: {error}", error=error))
        return []
    return [("", Sheet.of_frame(frame, name))]
