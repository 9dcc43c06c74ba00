"""Workbooks that no library here writes: OpenDocument and old Excel, byte by byte."""

import io
import struct
import zipfile

MANIFEST = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'


def ods_of(rows, declared=""):
    """Return rows as the bytes of an OpenDocument spreadsheet."""
    cells = "".join(
        "<table:table-row>"
        + "".join(f'<table:table-cell office:value-type="string"><text:p>{c}</text:p></table:table-cell>' for c in row)
        + "</table:table-row>"
        for row in rows
    )
    spaces = "".join(f' xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"' for n in ("office", "table", "text"))
    content = (
        f'<?xml version="1.0"?>{declared}<office:document-content{spaces}><office:body><office:spreadsheet>'
        f'<table:table table:name="servers">{cells}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content, zipfile.ZIP_DEFLATED)
        archive.writestr("META-INF/manifest.xml", MANIFEST)
    return made.getvalue()


def xls_of(rows, texts=None, length=4096, cut=0):
    """Return rows of texts as the bytes of an old Excel workbook: records in a stream of a small file system.

    ``cut``: bytes that the table of texts lacks at its end.
    """
    texts = texts or [cell for row in rows for cell in row]

    def record(kind, content):
        return struct.pack("<HH", kind, len(content)) + content

    table = b"".join(struct.pack("<HB", len(text), 0) + text.encode("latin-1") for text in texts)
    table = struct.pack("<II", len(texts), len(texts)) + table
    last = record(0xFC, table[: len(table) - cut]) + record(0x0A, b"")
    sheet_name = b"servers"
    start = record(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 0))
    bound = 4 + 8 + len(sheet_name)
    offset = len(start) + bound + len(last)
    globals_ = start + record(0x85, struct.pack("<IBBBB", offset, 0, 0, len(sheet_name), 0) + sheet_name) + last
    numbered = iter(range(len(rows) * max(map(len, rows))))
    cells = b"".join(
        record(0xFD, struct.pack("<HHHI", at, column, 0, next(numbered) % len(texts)))
        for at, row in enumerate(rows)
        for column, _cell in enumerate(row)
    )
    stream = globals_ + record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 0)) + cells + record(0x0A, b"")
    stream = stream.ljust(-(-max(len(stream), length) // 512) * 512, b"\0")
    sectors = len(stream) // 512
    fat_sectors = -(-(sectors + 2 + sectors // 128 + 1) // 128)
    fat = [0xFFFFFFFD] * fat_sectors + [0xFFFFFFFE]
    first = len(fat)
    fat += [*range(first + 1, first + sectors), 0xFFFFFFFE]
    fat += [0xFFFFFFFF] * (fat_sectors * 128 - len(fat))

    def entry(name, kind, child, begin, size):
        wide = name.encode("utf-16-le")
        return (
            wide.ljust(64, b"\0") + struct.pack("<HBBIII", len(wide) + 2, kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child)
            + b"\0" * 36 + struct.pack("<III", begin, size, 0)
        )  # fmt: skip

    directory = (entry("Root Entry", 5, 1, 0xFFFFFFFE, 0) + entry("Workbook", 2, 0xFFFFFFFF, first, len(stream))).ljust(
        512, b"\0"
    )
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 6
    header += struct.pack("<IIIIIIIII", 0, fat_sectors, fat_sectors, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    header += struct.pack("<109I", *range(fat_sectors), *[0xFFFFFFFF] * (109 - fat_sectors))
    return header + struct.pack(f"<{len(fat)}I", *fat) + directory + stream
