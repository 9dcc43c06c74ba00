"""A look over an OpenDocument spreadsheet before anything is made of it: repeated cells and rows are written once.

``number-rows-repeated`` makes a million rows of one line of XML, so cells are counted as they will be, not as they are
written.  The content is unpacked a megabyte at a time and let go.
"""

from xml.parsers import expat

from sdrs_nb.i18n import _
from sdrs_nb.intake.limits import in_bytes, limits, raisable
from sdrs_nb.inventory.bounds import TooMuchError, require_rectangle, too_many_rows, too_wide
from sdrs_nb.inventory.readers.xlsx_size import NoWorkbookError, chunks, members_of

__all__ = ["measure"]

_CONTENT = "content.xml"
_TABLE, _ROW, _CELLS = "table:table", "table:table-row", frozenset({"table:table-cell", "table:covered-table-cell"})
_MOST_DIGITS = 9


def measure(data: bytes, name: str) -> int:
    """Return how many cells the sheets have together, as full rectangles.

    Raises
    ------
    TooMuchError
        More than ``intake.limits``.
    NoWorkbookError
        It is no OpenDocument spreadsheet.
    """
    members = {member.filename: member for member in members_of(data, name)}
    if _CONTENT not in members:
        raise NoWorkbookError(_("it is damaged or no workbook; save it again as .xlsx"))
    sizing = _Sizing(name)
    for chunk in chunks(data, members[_CONTENT], name, 0):
        sizing.feed(chunk)
    sizing.feed(b"", is_last=True)
    return sizing.rectangles


class _Sizing:
    """Counts rows and columns that hold something, and those before them."""

    def __init__(self, name: str) -> None:
        self.rectangles = 0
        self._name, self._bounds = name, limits()
        self._sheet, self._sheets, self._text = "", 0, 0
        self._rows = self._columns = self._values = 0
        self._at_row = self._at_column = self._repeat_row = self._repeat_cell = 0
        self._holds, self._length = False, 0
        self._row_values = self._row_text = 0
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._begun
        self._parser.EndElementHandler = self._ended
        self._parser.CharacterDataHandler = self._said
        self._parser.StartDoctypeDeclHandler = self._declared

    def feed(self, chunk: bytes, *, is_last: bool = False) -> None:
        """Take in a piece of the content."""
        try:
            self._parser.Parse(chunk, is_last)
        except expat.ExpatError as error:
            raise NoWorkbookError(_("{part} is no XML: {error}", part=_CONTENT, error=error)) from None

    def _declared(self, *_args: object) -> None:
        told = _("The part declares entities or a document type, which no spreadsheet writes; save it again as .xlsx.")
        raise TooMuchError(f"{self._name} {_CONTENT}", told)

    def _begun(self, tag: str, given: dict[str, str]) -> None:
        if tag == _TABLE:
            self._sheets += 1
            if self._sheets > self._bounds.workbook_sheets:
                told = _("There are more than {limit} sheets; remove those that are not needed or raise {setting}.",
                         limit=self._bounds.workbook_sheets, setting=raisable("workbook_sheets"))  # fmt: skip
                raise TooMuchError(self._name, told)
            self._sheet = given.get("table:name", "")
            self._rows = self._columns = self._values = self._at_row = 0
        elif tag == _ROW:
            self._repeat_row = _times(given.get("table:number-rows-repeated"))
            self._at_column, self._row_values, self._row_text = 0, 0, 0
        elif tag in _CELLS:
            self._repeat_cell = _times(given.get("table:number-columns-repeated"))
            self._holds, self._length = "office:value-type" in given, 0

    def _said(self, text: str) -> None:
        self._length += len(text)

    def _ended(self, tag: str) -> None:
        where = f"{self._name} {self._sheet}"
        if tag in _CELLS:
            self._at_column += self._repeat_cell
            if self._holds or self._length:
                if self._at_column > self._bounds.columns:
                    raise too_wide(where, row=self._at_row + 1)
                self._columns = max(self._columns, self._at_column)
                self._row_values += self._repeat_cell
                self._row_text += self._repeat_cell * self._length
        elif tag == _ROW:
            self._at_row += self._repeat_row
            if self._row_values:
                if self._at_row > self._bounds.rows:
                    raise too_many_rows(where)
                self._rows = self._at_row
                self._values += self._row_values * self._repeat_row
                self._text += self._row_text * self._repeat_row
                self._require_text()
        elif tag == _TABLE:
            require_rectangle(where, self._rows, self._columns, self._values)
            self.rectangles += self._rows * self._columns
            if self.rectangles > self._bounds.cells:
                told = _("All sheets together have more than {limit} cells; split the file or raise {setting}.",
                         limit=self._bounds.cells, setting=raisable("cells"))  # fmt: skip
                raise TooMuchError(self._name, told)

    def _require_text(self) -> None:
        if self._text > self._bounds.unpacked_bytes:
            told = _("Unpacked, this file has {size} where {limit} are read; split it or raise {setting}.",
                     size=in_bytes(self._text), limit=in_bytes(self._bounds.unpacked_bytes),
                     setting=raisable("unpacked_bytes"))  # fmt: skip
            raise TooMuchError(self._name, told)


def _times(text: str | None) -> int:
    return max(int(text), 1) if text and text.isdecimal() and len(text) <= _MOST_DIGITS else 1
