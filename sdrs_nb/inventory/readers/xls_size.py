"""A look over an old Excel workbook (.xls) before anything is made of it: where its cells are, how long its texts.

The file is a small file system (OLE) in which a stream ``Workbook`` holds records; a cell names its row and column, and
cells may share one long text of a table of texts.
"""

import struct
from collections import Counter
from collections.abc import Iterator

from sdrs_nb.i18n import _
from sdrs_nb.intake.limits import in_bytes, limits, raisable
from sdrs_nb.inventory.bounds import TooMuchError, require_rectangle, too_wide
from sdrs_nb.inventory.readers.xlsx_size import NoWorkbookError

__all__ = ["measure"]

_ENTRY, _IN_HEADER = 128, 109
_LAST_SECTOR = 0xFFFFFFFA
_BOF, _FILEPASS, _SST, _CONTINUE, _LABELSST, _MULRK, _MULBLANK = 0x809, 0x2F, 0xFC, 0x3C, 0xFD, 0xBD, 0xBE
_WIDE, _RICH, _PHONETIC = 0x01, 0x08, 0x04
#: Records of one cell: number, text, shared text, formula, boolean, short number, blank.
_CELLS = frozenset({0x203, 0x204, _LABELSST, 0x06, 0x205, 0x27E, 0x201, 0xD6})


def measure(data: bytes, name: str) -> int:  # noqa: C901 - one pass over a format of tables
    """Return how many cells the sheets have together, as full rectangles.

    Raises
    ------
    TooMuchError
        More than ``intake.limits``.
    NoWorkbookError
        It is no .xls workbook, or one behind a password.
    """
    bounds = limits()
    try:
        stream = _workbook(data)
        rectangles, texts, is_table = 0, [], False
        rows = columns = values = 0
        uses: Counter[int] = Counter()
        for kind, content in _records(stream):
            if kind == _FILEPASS:
                raise NoWorkbookError(_("it is protected by a password; save it without"))
            if kind == _BOF:
                require_rectangle(name, rows, columns, values)
                rectangles += rows * columns
                rows = columns = values = 0
            elif kind in _CELLS or kind in (_MULRK, _MULBLANK):
                row, column = struct.unpack_from("<HH", content)
                last = struct.unpack_from("<H", content, len(content) - 2)[0] if kind in (_MULRK, _MULBLANK) else column
                rows, columns, values = max(rows, row + 1), max(columns, last + 1), values + last - column + 1
                if columns > bounds.columns:
                    raise too_wide(name, row=row + 1)
                if kind == _LABELSST:
                    uses[struct.unpack_from("<I", content, 6)[0]] += 1
            # The table of texts goes on in the records right behind it.
            is_table = kind == _SST or (is_table and kind == _CONTINUE)
            if is_table:
                texts.append(content)
        lengths = _lengths(texts)
    except (struct.error, IndexError, ValueError) as error:
        if isinstance(error, NoWorkbookError):
            raise
        raise NoWorkbookError(_("it is damaged or no workbook; save it again as .xlsx")) from None
    require_rectangle(name, rows, columns, values)
    rectangles += rows * columns
    _require_texts(name, lengths, uses, len(data))
    if rectangles > bounds.cells:
        told = _("All sheets together have more than {limit} cells; split the file or raise {setting}.",
                 limit=bounds.cells, setting=raisable("cells"))  # fmt: skip
        raise TooMuchError(name, told)
    return rectangles


def _require_texts(name: str, lengths: list[int], uses: Counter[int], size: int) -> None:
    bounds = limits()
    allowed = max(bounds.shared_text_bytes, bounds.text_an_unpacked_byte * size)
    total = sum(count * lengths[index] for index, count in uses.items() if index < len(lengths))
    if total > allowed:
        told = _("Cells share long texts, together {size} where {limit} are read; shorten the long texts or raise "
                 "{setting}.", size=in_bytes(total), limit=in_bytes(allowed),
                 setting=raisable("shared_text_bytes"))  # fmt: skip
        raise TooMuchError(name, told)


def _lengths(segments: list[bytes]) -> list[int]:
    """Return how many characters each text of the table has; a text may go on in the next record."""
    if not segments:
        return []
    lengths: list[int] = []
    at, segment = 8, 0
    while segment < len(segments):
        if at >= len(segments[segment]):
            segment, at = segment + 1, at - len(segments[segment])
            continue
        count, flags = struct.unpack_from("<HB", segments[segment], at)
        at += 3
        runs = struct.unpack_from("<H", segments[segment], at)[0] if flags & _RICH else 0
        at += 2 if flags & _RICH else 0
        more = struct.unpack_from("<I", segments[segment], at)[0] if flags & _PHONETIC else 0
        at += 4 if flags & _PHONETIC else 0
        lengths.append(count)
        while count and segment < len(segments):
            wide = 2 if flags & _WIDE else 1
            here = min(count, (len(segments[segment]) - at) // wide)
            count, at = count - here, at + here * wide
            if count:
                segment, at = segment + 1, 1
                flags = segments[segment][0] if segment < len(segments) and segments[segment] else 0
        at += 4 * runs + more
        while segment < len(segments) and at > len(segments[segment]):
            segment, at = segment + 1, at - len(segments[segment])
    return lengths


def _records(stream: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        yield kind, stream[at + 4 : at + 4 + length]
        at += 4 + length


def _workbook(data: bytes) -> bytes:  # noqa: C901 - one pass over a format of tables
    """Return the stream of records in the file system that an .xls file is."""
    sector = 1 << struct.unpack_from("<H", data, 30)[0]
    mini_sector = 1 << struct.unpack_from("<H", data, 32)[0]
    if sector not in (512, 4096) or mini_sector != 64:  # noqa: PLR2004 - the only sizes of the format
        raise ValueError("sizes")
    directory, cutoff, mini_table, _count, more = struct.unpack_from("<I4xIIII", data, 48)
    places = list(struct.unpack_from(f"<{_IN_HEADER}I", data, 76))
    each = sector // 4
    while more < _LAST_SECTOR and len(places) * sector <= len(data) + _IN_HEADER * sector:
        further = struct.unpack_from(f"<{each}I", data, (more + 1) * sector)
        places, more = [*places, *further[:-1]], further[-1]
    table: list[int] = []
    for place in places:
        if place < _LAST_SECTOR:
            table += struct.unpack_from(f"<{each}I", data, (place + 1) * sector)

    def chained(start: int, following: list[int], source: bytes, size: int, offset: int) -> bytes:
        parts: list[bytes] = []
        most = len(source) // size + 1
        while start < _LAST_SECTOR:
            if len(parts) > most:
                raise ValueError("a circle")
            parts.append(source[start * size + offset : (start + 1) * size + offset])
            start = following[start]
        return b"".join(parts)

    entries = chained(directory, table, data, sector, sector)
    root = None
    for at in range(0, len(entries) - _ENTRY + 1, _ENTRY):
        entry = entries[at : at + _ENTRY]
        title = entry[: max(struct.unpack_from("<H", entry, 64)[0] - 2, 0)].decode("utf-16-le", "replace").casefold()
        start, size = struct.unpack_from("<II", entry, 116)
        root = start if root is None else root
        if title in ("workbook", "book"):
            if size >= cutoff:
                return chained(start, table, data, sector, sector)[:size]
            small = chained(mini_table, table, data, sector, sector)
            following = list(struct.unpack(f"<{len(small) // 4}I", small))
            return chained(start, following, chained(root, table, data, sector, sector), mini_sector, 0)[:size]
    raise NoWorkbookError(_("it is no workbook; save it as .xlsx"))
