"""A look over a workbook before anything is made of it: what it would cost, by what it holds and not by what it says.

An .xlsx file is a ZIP file of XML parts.  Each part is unpacked here a megabyte at a time, counted and let go; the
library that makes cells of them sees the file only when all of it is within ``intake.limits``.  Sizes in the ZIP
directory, ``<dimension>`` and ``spans`` are not believed.  Sheets as programs write them are measured with numpy, which
costs a tenth of reading them; others (cells without ``r=``, prefixes, odd spacing) with a parser, element by element.
"""

import io
import re
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from xml.parsers import expat

import numpy as np
import numpy.typing as npt

from sdrs_nb.i18n import _
from sdrs_nb.intake.limits import in_bytes, limits, raisable
from sdrs_nb.inventory.bounds import TooMuchError, require_rectangle, too_wide

__all__ = ["Measured", "NoWorkbookError", "chunks", "measure", "members_of"]

_STEP = 2**20
_END = b"PK\x05\x06"
_LOCAL = b"PK\x03\x04"
_END_SIZE, _LOCAL_SIZE = 22, 30
_BOOK = "xl/workbook.xml"
_OTHERS = frozenset({"xl/workbook.bin", "content.xml", "mimetype"})
_ENCRYPTED = 0x1
#: By the format: column XFD, and its row.
_MOST_COLUMNS, _MOST_ROWS = 16_384, 1_048_576
#: Bytes after ``<c r="`` in which a reference and its closing quote stand: XFD1048576".
_REFERENCE = 11
_ROOM = 32
#: No tag is shorter: <a>.
_SHORTEST = 3
_DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)", re.IGNORECASE)
_SHEET = re.compile(rb"<(?:[^\s<>/]*:)?sheet[\s/>]")
_TEXT = re.compile(rb"<(?:[^\s<>/]*:)?si[\s/>]")
_PREFIXED = re.compile(rb"<[^\s<>/]*:(?:c|row|si)[\s/>]")
_INDEX = re.compile(rb"<v>\s*(\d{1,9})\s*</v>")
_BLANK, _ZERO, _NINE, _A, _Z = 0x20, 0x30, 0x39, 0x41, 0x5A


class NoWorkbookError(ValueError):
    """The bytes are no workbook; the message says why, for the operator."""


def _damaged() -> NoWorkbookError:
    return NoWorkbookError(_("it is damaged or no workbook; save it again as .xlsx"))


@dataclass
class _Part:
    """What one part of the workbook holds; rows and columns are the farthest, cells at least those that are there."""

    name: str
    size: int = 0
    cells: int = 0
    rows: int = 0
    columns: int = 0
    merged: int = 0
    sheets: int = 0
    shared: int = 0
    longest_text: int = 0
    open_text: int = 0
    is_plain: bool = True


@dataclass
class Measured:
    """What a workbook will cost: cells of all its sheets as full rectangles."""

    rectangles: int = 0
    parts: list[_Part] = field(default_factory=list)


def measure(data: bytes, name: str) -> Measured:
    """Return what the workbook in ``data`` will cost; nothing of it is kept in memory.

    Raises
    ------
    TooMuchError
        It holds more than ``intake.limits``; names the part and the cell.
    NoWorkbookError
        It is no ZIP file, or one that is made to be read in two ways.
    """
    bounds = limits()
    members = members_of(data, name)
    # The library also reads other formats, whose cells are not counted here.
    names = {_plain(member) for member in members}
    if _BOOK not in names or not names.isdisjoint(_OTHERS):
        raise _damaged()
    unpacked = 0
    found = Measured()
    for member in members:
        part = _Part(member.filename)
        for chunk in chunks(data, member, name, unpacked):
            _count(chunk, part, name)
            _require_part(part, name)
        if not part.is_plain:
            _count_exactly(data, member, part, name)
        unpacked += part.size
        _require_part(part, name)
        require_rectangle(f"{name} {part.name}", part.rows, part.columns, part.cells)
        found.rectangles += part.rows * part.columns
        found.parts.append(part)
    if found.rectangles > bounds.cells:
        raise TooMuchError(
            name, _("All sheets together have more than {limit} cells; split the file or raise {setting}.",
                    limit=bounds.cells, setting=raisable("cells"))
        )  # fmt: skip
    sheets, merged = sum(part.sheets for part in found.parts), max((part.merged for part in found.parts), default=0)
    if sheets > bounds.workbook_sheets:
        raise TooMuchError(
            name, _("There are more than {limit} sheets; remove those that are not needed or raise {setting}.",
                    limit=bounds.workbook_sheets, setting=raisable("workbook_sheets"))
        )  # fmt: skip
    if merged > bounds.merged_areas:
        raise TooMuchError(
            name, _("There are more than {limit} merged areas; take the merging out or raise {setting}.",
                    limit=bounds.merged_areas, setting=raisable("merged_areas"))
        )  # fmt: skip
    _require_texts(data, name, members, found, unpacked)
    return found


def _require_part(part: _Part, name: str) -> None:
    bounds = limits()
    where, most_rows = f"{name} {part.name}", min(bounds.rows, _MOST_ROWS)
    if part.columns > min(bounds.columns, _MOST_COLUMNS):
        raise too_wide(where, row=None, column=_letters(part.columns))
    if part.rows > most_rows:
        told = _("There are more than {limit} rows; split the file or raise {setting}.", limit=most_rows,
                 setting=raisable("rows"))  # fmt: skip
        raise TooMuchError(where, told, row=part.rows)


def _plain(member: zipfile.ZipInfo) -> str:
    return member.filename.casefold().replace("\\", "/").lstrip("/")


def members_of(data: bytes, name: str) -> list[zipfile.ZipInfo]:
    """Return the parts of a workbook by the one directory at the very end, so that no other reader finds another.

    Raises
    ------
    NoWorkbookError
        It is no such file, or behind a password.
    TooMuchError
        It has more parts than the bound.
    """
    broken = _damaged()
    at = len(data) - _END_SIZE
    if at < 0 or data[at : at + 4] != _END or data[:4] != _LOCAL:
        raise broken
    length, offset = (int.from_bytes(data[at + start : at + start + 4], "little") for start in (12, 16))
    if offset + length != at:
        raise broken
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            members = [member for member in book.infolist() if not member.is_dir()]
    except (zipfile.BadZipFile, struct.error, ValueError, NotImplementedError, OSError, LookupError, ArithmeticError):
        raise broken from None
    if len(members) > limits().workbook_parts:
        raise TooMuchError(
            name, _("The workbook has more than {limit} parts; save it again or raise {setting}.",
                    limit=limits().workbook_parts, setting=raisable("workbook_parts"))
        )  # fmt: skip
    if any(member.flag_bits & _ENCRYPTED for member in members):
        raise NoWorkbookError(_("it is protected by a password; save it without"))
    if any(count > 1 for count in Counter(map(_plain, members)).values()):
        raise broken
    return members


def chunks(data: bytes, member: zipfile.ZipInfo, name: str, before: int) -> Iterator[bytes]:
    """Yield a part's content, cut before a tag; its size is what comes out, whatever the directory says.

    ``before``: bytes of the parts before it.
    """
    bounds = limits()
    header = data[member.header_offset : member.header_offset + _LOCAL_SIZE]
    if len(header) < _LOCAL_SIZE or header[:4] != _LOCAL:
        raise _damaged()
    start = member.header_offset + _LOCAL_SIZE + int.from_bytes(header[26:28], "little")
    start += int.from_bytes(header[28:30], "little")
    packed = memoryview(data)[start : start + member.compress_size]
    size = 0
    rest = b""
    for fresh in _unpacked(packed, member.compress_type):
        size += len(fresh)
        allowed = max(bounds.unpacked_free_bytes, bounds.unpacked_a_packed_byte * len(data))
        if before + size > min(allowed, bounds.unpacked_bytes):
            raise TooMuchError(
                f"{name} {member.filename}",
                _("Unpacked, this workbook of {size} has more than {limit}. Copy the cells that are needed into a new "
                  "workbook, or raise {setting}.",
                  size=in_bytes(len(data)), limit=in_bytes(min(allowed, bounds.unpacked_bytes)),
                  setting=raisable("unpacked_a_packed_byte" if allowed < bounds.unpacked_bytes else "unpacked_bytes")),
            )  # fmt: skip
        whole = rest + fresh
        # A tag that the cut would part is looked at with the next piece.
        cut = whole.rfind(b"<")
        if len(whole) - max(cut, 0) > bounds.gap_bytes:
            raise _gap(name, member.filename)
        rest = whole[max(cut, 0) :]
        if cut > 0:
            yield whole[:cut]
    yield rest


def _gap(name: str, part: str) -> TooMuchError:
    return TooMuchError(
        f"{name} {part}",
        _("There is a cell or a gap of more than {limit}; delete it, or copy the cells that are needed into a new "
          "workbook.", limit=in_bytes(limits().gap_bytes)),
    )  # fmt: skip


def _unpacked(packed: memoryview, method: int) -> Iterator[bytes]:
    if method == zipfile.ZIP_STORED:
        for at in range(0, len(packed), _STEP):
            yield bytes(packed[at : at + _STEP])
        return
    if method != zipfile.ZIP_DEFLATED:
        raise NoWorkbookError(_("it is packed in a way that spreadsheets do not use; save it again as .xlsx"))
    inflating = zlib.decompressobj(-zlib.MAX_WBITS)
    at = 0
    try:
        while not inflating.eof:
            fresh: bytes | memoryview = inflating.unconsumed_tail
            if not fresh:
                fresh = packed[at : at + _STEP]
                at += len(fresh)
            if not (piece := inflating.decompress(fresh, _STEP)) and not fresh:
                return
            yield piece
    except zlib.error:
        raise _damaged() from None


def _count(chunk: bytes, part: _Part, name: str) -> None:
    """Add what a piece of a part holds; the piece begins at a tag and ends before one."""
    if not part.size and chunk.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _damaged()  # no spreadsheet writes UTF-16, in which nothing would be found here
    part.size += len(chunk)
    if len(chunk) < _SHORTEST:
        return
    content = np.frombuffer(chunk, np.uint8)
    # Once over the bytes a letter, and no list of all tags: there are four of them a cell.
    begins, second = content[:-1] == ord("<"), content[1:]
    if (begins & (second == ord("!"))).any() and _DECLARATION.search(chunk):
        raise TooMuchError(
            f"{name} {part.name}",
            _("The part declares entities or a document type, which no spreadsheet writes; save it again as .xlsx."),
        )
    if part.name.casefold().endswith("workbook.xml"):
        part.sheets += len(_SHEET.findall(chunk))
    if (begins & (second == ord("m"))).any() or b":m" in chunk:
        part.merged += chunk.count(b"mergeCell ")
    if not part.is_plain:
        return
    padded = np.frombuffer(chunk + b" " * _ROOM, np.uint8)
    cells = np.flatnonzero(begins & (second == ord("c")))
    cells = cells[_ends_name(padded[cells + 2])]
    items = np.flatnonzero(begins & (second == ord("s")))
    items = items[(padded[items + 2] == ord("i")) & _ends_name(padded[items + 3])]
    if len(items) or part.shared:
        # The last text of the piece before ends where the first of this one begins.
        ends = np.append(items, len(content))
        part.longest_text = max(part.longest_text, part.open_text + int(ends[0]), int(np.diff(ends).max(initial=0)))
        part.open_text = int(ends[-1] - ends[-2]) if len(items) else part.open_text + len(content)
        part.shared += len(items)
    if b":" in chunk and _PREFIXED.search(chunk):
        part.is_plain = False
    elif len(cells):
        part.cells += len(cells)
        _measure_cells(padded, cells, part)


def _ends_name(following: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    ends: npt.NDArray[np.bool_] = (following <= _BLANK) | (following == ord(">")) | (following == ord("/"))
    return ends


def _measure_cells(content: npt.NDArray[np.uint8], cells: npt.NDArray[np.int64], part: _Part) -> None:
    """Take in the farthest row and column of cells written ``<c r="AB12"``; anything else makes the part not plain."""
    start = cells + 3
    if not all(bool((content[start + at] == byte).all()) for at, byte in enumerate(b'r="')):
        part.is_plain = False
        return
    start = start + 3
    column, row = np.zeros((2, len(start)), np.int64)
    is_open = np.ones(len(start), np.bool_)
    for at in range(_REFERENCE + 1):
        byte = content[start + at]
        is_letter = is_open & (byte >= _A) & (byte <= _Z)
        is_digit = is_open & (byte >= _ZERO) & (byte <= _NINE)
        column = np.where(is_letter, column * 26 + (byte - (_A - 1)), column)
        row = np.where(is_digit, row * 10 + (byte - _ZERO), row)
        is_open = is_letter | is_digit
        if not is_open.any():
            break
    if bool((column == 0).any()) or bool((row == 0).any()):
        part.is_plain = False
    part.columns = max(part.columns, int(column.max()))
    part.rows = max(part.rows, int(row.max()))


class _Exact:
    """Counts a part with a parser, as a reader of spreadsheets would place its cells."""

    def __init__(self, part: _Part, name: str) -> None:
        self._part, self._name = part, name
        self._most_rows, self._most_columns = min(limits().rows, _MOST_ROWS), limits().columns
        self._row = self._column = self._item = 0
        part.cells = part.rows = part.columns = part.shared = part.longest_text = 0
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._begun
        self._parser.CharacterDataHandler = self._said
        self._parser.StartDoctypeDeclHandler = self._declared

    def feed(self, chunk: bytes, *, is_last: bool = False) -> None:
        """Take in a piece of the part."""
        try:
            self._parser.Parse(chunk, is_last)
        except expat.ExpatError as error:
            raise NoWorkbookError(_("{part} is no XML: {error}", part=self._part.name, error=error)) from None

    def _declared(self, *_args: object) -> None:
        raise TooMuchError(
            f"{self._name} {self._part.name}",
            _("The part declares entities or a document type, which no spreadsheet writes; save it again as .xlsx."),
        )

    def _said(self, text: str) -> None:
        self._item += len(text)
        self._part.longest_text = max(self._part.longest_text, self._item)

    def _begun(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if name == "row":
            said = attributes.get("r", "")
            self._row = int(said) if said.isdecimal() and len(said) < _REFERENCE else self._row + 1
            self._column = 0
        elif name == "c":
            self._placed(attributes.get("r"))
        elif name == "si":
            self._part.shared += 1
        if name in {"row", "c", "si"}:
            self._item = 0

    def _placed(self, said: str | None) -> None:
        part = self._part
        self._column += 1
        if said and (found := re.fullmatch(r"([A-Za-z]{1,3})([0-9]{1,7})", said)):
            self._column = _number(found[1])
            part.rows = max(part.rows, int(found[2]))
        part.cells += 1
        part.rows = max(part.rows, self._row)
        part.columns = max(part.columns, self._column)
        if part.rows > self._most_rows or part.columns > self._most_columns:
            _require_part(part, self._name)


def _count_exactly(data: bytes, member: zipfile.ZipInfo, part: _Part, name: str) -> None:
    exact = _Exact(part, name)
    for chunk in chunks(data, member, name, 0):
        exact.feed(chunk)
    exact.feed(b"", is_last=True)


def _shared_texts(
    data: bytes, name: str, parts: Iterable[tuple[zipfile.ZipInfo, _Part]]
) -> tuple[list[int], Counter[int]]:
    """Return the length of each shared text, and how many cells use it."""
    lengths: list[int] = []
    uses: Counter[int] = Counter()
    for member, part in parts:
        for chunk in chunks(data, member, name, 0):
            if part.shared:
                starts = [match.start() for match in _TEXT.finditer(chunk)]
                if lengths:
                    lengths[-1] += starts[0] if starts else len(chunk)
                lengths += [end - at for at, end in pairwise([*starts, len(chunk)])]
            if part.cells:
                uses.update(map(int, _INDEX.findall(chunk)))
    return lengths, uses


def _require_texts(data: bytes, name: str, members: list[zipfile.ZipInfo], found: Measured, unpacked: int) -> None:
    """Refuse texts that many cells share and that would be far larger in memory, once a cell, than in the file."""
    bounds = limits()
    allowed = max(bounds.shared_text_bytes, bounds.text_an_unpacked_byte * unpacked)
    longest = max((part.longest_text for part in found.parts if part.shared), default=0)
    if longest * sum(part.cells for part in found.parts) <= allowed:
        return
    lengths, uses = _shared_texts(data, name, [(member, part) for member, part in zip(members, found.parts, strict=True)
                                               if part.shared or part.cells])  # fmt: skip
    total = sum(count * lengths[index] for index, count in uses.items() if index < len(lengths))
    if total > allowed:
        raise TooMuchError(
            name,
            _("Cells share long texts, together {size} where {limit} are read; shorten the long texts or raise "
              "{setting}.",
              size=in_bytes(total), limit=in_bytes(allowed), setting=raisable("shared_text_bytes")),
        )  # fmt: skip


def _number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - (_A - 1)
    return number


def _letters(number: int) -> str:
    text = ""
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(_A + rest) + text
    return text
