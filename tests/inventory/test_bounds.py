"""Inventories that are small in a file and large in memory are refused, legitimate ones of every size are read."""

import io
import json
import zipfile

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sdrs_nb.errors import InventoryError
from sdrs_nb.inventory.inventory import read_inventory
from tests import fuzzing
from tests.builders import a_server

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)
HEAD = ("server_id", "name", "status", "az", "vpc_id")
ROW = ("s1", "web", "ACTIVE", "az-1", "vpc-1")


def relations(*targets, kind="worksheet"):
    """The part that says where sheets are."""
    each = "".join(f'<Relationship Id="rId{n}" Type="{OFFICE}/{kind}" Target="{t}"/>' for n, t in enumerate(targets, 1))
    return f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{each}</Relationships>'


def workbook(sheet, strings=None, sheets=("servers",), compress=zipfile.ZIP_DEFLATED, **parts):
    """A workbook whose sheets are all one part: XML, or pieces of XML one after the other."""
    made = io.BytesIO()
    named = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(sheets, start=1))
    with zipfile.ZipFile(made, "w", compress) as book:
        book.writestr("[Content_Types].xml", TYPES)
        book.writestr("_rels/.rels", relations("xl/workbook.xml", kind="officeDocument"))
        book.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{named}</sheets></workbook>'
        )
        book.writestr("xl/_rels/workbook.xml.rels", relations(*["worksheets/sheet1.xml"] * len(sheets)))
        with book.open("xl/worksheets/sheet1.xml", "w") as part:
            for piece in [sheet] if isinstance(sheet, str) else sheet:
                part.write(piece.encode())
        if strings is not None:
            book.writestr("xl/sharedStrings.xml", strings)
        for name, content in parts.items():
            book.writestr(name, content)
    return made.getvalue()


def worksheet(rows, before=""):
    """A sheet's XML around its rows."""
    return f'<?xml version="1.0"?>{before}<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'


def cell(text, at=""):
    """A cell with its text in it."""
    return f'<c{f" r={chr(34)}{at}{chr(34)}" if at else ""} t="inlineStr"><is><t>{text}</t></is></c>'


def row(cells, at=""):
    """A row of cells without a place of their own."""
    return f"<row{at}>{''.join(map(cell, cells))}</row>"


GOOD = row(HEAD) + row(ROW)


def a_far_cell(at):
    """One cell far from the others."""
    return workbook(worksheet(row(HEAD) + f"<row>{cell('x', at)}</row>"))


def many(piece, count):
    """A sheet with the same piece so many thousand times, which packs to next to nothing."""
    return workbook([f'<worksheet xmlns="{MAIN}"><sheetData>', *[piece * 1000] * count, "</sheetData></worksheet>"])


def shared(length, cells, texts=1):
    """Cells that all show one long text."""
    strings = f'<sst xmlns="{MAIN}">' + f"<si><t>{'x' * length}</t></si>" * texts + "</sst>"
    rows = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, cells + 1))
    return workbook(worksheet(rows), strings)


def lying(data):
    """A workbook whose directory says that its sheet is empty."""
    at = (
        data.index(b"xl/worksheets/sheet1.xml", data.rindex(b"PK\x01\x02xl"[:4]) - 400)
        if False
        else data.rfind(b"sheet1.xml")
    )
    entry = data.rfind(b"PK\x01\x02", 0, at)
    return data[: entry + 24] + b"\1\0\0\0" + data[entry + 28 :]


BOMBS = {
    "a far cell": (lambda: a_far_cell("XFD1048576"), "column XFD: There are more than 1000 columns"),
    "a far column": (lambda: a_far_cell("ALM2"), "column ALM: There are more than 1000 columns"),
    "a far row": (lambda: a_far_cell("B1048576"), "hold anything; delete the far cells"),
    "a far row with single quotes": (
        lambda: workbook(worksheet(row(HEAD) + "<row><c r='B1048576'><v>1</v></c></row>")),
        "hold",
    ),
    "a far row in lower case": (lambda: a_far_cell("b1048576"), "hold anything"),
    "a far row in a prefix": (
        lambda: workbook(
            f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData><x:row><x:c r="B1048576"><x:v>1</x:v></x:c>'
            "</x:row></x:sheetData></x:worksheet>"
        ),
        "hold anything",
    ),
    "a far row by its row": (lambda: workbook(worksheet(row(HEAD) + row(ROW, ' r="1048576"'))), "hold anything"),
    "rows beyond the format": (lambda: a_far_cell("A1048577"), "more than 1048576 rows"),
    "rows without places": (lambda: many("<row><c><v>1</v></c></row>", 1_100), "more than 1048576 rows"),
    "hundreds of megabytes": (lambda: many(row(["a"]), 4_000), "Unpacked, this workbook of .* has more than"),
    "... behind a directory that lies": (lambda: lying(many(row(["a"]), 4_000)), "Unpacked, this workbook"),
    "megabytes of blanks": (
        lambda: workbook([worksheet(GOOD).replace("<sheetData>", " "), *[" " * 2**20] * 40]),
        "a gap of more",
    ),
    "a huge text": (lambda: workbook(worksheet(row(["x" * 2**21]))), "a cell or a gap of more than 1 MiB"),
    "a text in many cells": (lambda: shared(30_000, 20_000), "Cells share long texts, together 572.* MiB"),
    "a document type": (lambda: workbook(worksheet(GOOD, '<!DOCTYPE x [<!ENTITY a "b">]>')), "declares entities"),
    "laughs": (lambda: workbook(worksheet(row(["&a;"]), '<!doctype x [<!ENTITY a "&b;&b;">]>')), "declares entities"),
    "many sheets": (lambda: workbook(worksheet(GOOD), sheets=[f"s{n}" for n in range(201)]), "more than 200 sheets"),
    "one part as many sheets": (
        lambda: workbook(worksheet(row(HEAD) + row(ROW)), sheets=["servers", "volumes"]),
        "Several sheets are one part",
    ),
    "many parts": (
        lambda: workbook(worksheet(GOOD), **{f"xl/x{n}.xml": "<x/>" for n in range(2_000)}),
        "more than 2000 parts",
    ),
    "many merged areas": (
        lambda: workbook(
            worksheet(GOOD).replace("</worksheet>", '<mergeCell ref="A1:B1"/>' * 100_001 + "</worksheet>")
        ),
        "more than 100000 merged areas",
    ),
    "UTF-16": (lambda: workbook(worksheet(GOOD), **{"xl/y.xml": "<x/>".encode("utf-16")}), "damaged or no workbook"),
    "another packing": (lambda: workbook(worksheet(GOOD), compress=zipfile.ZIP_BZIP2), "packed in a way"),
    "another directory behind": (
        lambda: workbook(worksheet(GOOD)) + workbook(worksheet(GOOD)),
        "damaged or no workbook",
    ),
    "another format inside": (
        lambda: workbook(worksheet(GOOD), mimetype="x", **{"content.xml": "<x/>"}),
        "damaged or no workbook",
    ),
    "a workbook in another file": (
        lambda: b"\xd0\xcf\x11\xe0" + workbook(worksheet(GOOD)),
        "no encoding that can be told",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("make", "told"), BOMBS.values(), ids=BOMBS)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_workbook_that_would_cost_far_more_than_it_weighs(make, told):
    """It is refused in one sentence that names the file, before any memory is spent on it."""
    data = make()
    before = fuzzing.peak_mb()

    with pytest.raises(InventoryError, match=told) as refused:
        read_inventory(data, name="e.xlsx")

    assert "e.xlsx" in str(refused.value)
    assert len(refused.value.problems) == 1
    assert fuzzing.peak_mb() - before < 100


ODD = {
    "cells without places": worksheet(GOOD),
    "single quotes": worksheet(GOOD).replace("<c", "<c r='A1'", 1),
    "a dimension that lies": worksheet(GOOD).replace("<sheetData>", '<dimension ref="A1:XFD1048576"/><sheetData>'),
    "spans that lie": worksheet(GOOD).replace("<row>", '<row spans="1:16384">'),
    "a prefix": worksheet(GOOD)
    .replace("<", "<x:")
    .replace("<x:/", "</x:")
    .replace("<x:?", "<?")
    .replace("xmlns=", "xmlns:x="),
}


@pytest.mark.parametrize("sheet", ODD.values(), ids=ODD)
def test_workbooks_that_are_only_written_oddly_are_read(sheet):
    """What a sheet says of its size counts for nothing, and places may be left out."""
    assert read_inventory(workbook(sheet), name="e.xlsx").servers["server_id"].tolist() == ["s1"]


@pytest.mark.parametrize(("rows", "is_read"), [(2, True), (3, True), (4, False)])
@pytest.mark.parametrize("name", ["e.csv", "e.json", "e.jsonl", "e.xlsx", "e.parquet", "frame"])
def test_the_bound_of_rows(name, rows, is_read, monkeypatch):
    """The heading is a row where a file has one; every format and a DataFrame has the same bound."""
    has_heading = name in {"e.csv", "e.xlsx"}
    monkeypatch.setenv("SDRS_NB_LIMIT_ROWS", str(3 + has_heading))
    frame = pd.DataFrame([dict(zip(HEAD, (f"s{n}", *ROW[1:]), strict=True)) for n in range(rows)])

    def read():
        return read_inventory(frame if name == "frame" else bytes_of(frame, name), name=name)

    if is_read:
        assert len(read().servers) == rows
    else:
        with pytest.raises(InventoryError, match=r"more than . rows; split the file or raise SDRS_NB_LIMIT_ROWS"):
            read()


def bytes_of(frame, name):
    """The frame as a file of that ending."""
    made = io.BytesIO()
    match name.rpartition(".")[2]:
        case "csv":
            frame.to_csv(made, index=False)
        case "json":
            frame.to_json(made, orient="records")
        case "jsonl":
            frame.to_json(made, orient="records", lines=True)
        case "parquet":
            frame.to_parquet(made)
        case _:
            frame.to_excel(made, index=False, sheet_name="servers")
    return made.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("e.csv", lambda: ",".join(HEAD) + ",x" * 1000, r"row 1.*more than 1000 columns"),
        ("e.csv", lambda: ",".join(HEAD) + "\n" + "a," * 1200, r"row 2.*more than 1000 columns"),
        ("e.csv", lambda: ",".join(f"c{n}" for n in range(900)) + "\na" * 100_000, "hold anything"),
        ("e.csv", lambda: "," * 100_000_001, "more than 100000000 cells"),
        ("e.json", lambda: json.dumps([{f"k{n}": 1} for n in range(1001)]), "more than 1000 columns"),
        ("e.json", lambda: json.dumps([{f"k{n % 900}": 1} for n in range(30_000)]), "hold anything"),
        ("e.json", lambda: '[{"server_id": "s1", "x": ' + "[" * 99 + "]" * 99 + "}]", "64 deep"),
        ("e.json", lambda: '[{"server_id": "s1", "server_id": "s2"}]', "'server_id' twice"),
        ("e.json", lambda: '[{"server_id": Infinity}]', "Infinity"),
        ("e.json", lambda: f'[{{"server_id": {"9" * 5000}}}]', "too many digits"),
        ("e.jsonl", lambda: '{"a": 1, "a": 2}\n' * 1500, "500 more rows have the same trouble"),
        ("e.json", lambda: json.dumps([1] * 1500), "500 more rows have the same trouble"),
    ],
)
def test_texts_that_are_too_much(name, data, told):
    """Wide, sparse, deep, repeated and endless values are refused with their place."""
    with pytest.raises(InventoryError, match=told):
        read_inventory(data().encode(), name=name)


def parquet(columns, **options):
    """Columns as the bytes of a Parquet file."""
    made = io.BytesIO()
    pq.write_table(pa.table(columns), made, **options)
    return made.getvalue()


def nested(depth):
    """A column of lists in lists."""
    kind = pa.string()
    for _level in range(depth):
        kind = pa.list_(kind)
    return pa.nulls(1, kind)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: parquet({"server_id": pa.nulls(2_000_001, pa.string())}), "more than 2000000 rows"),
        (lambda: parquet({f"c{n}": ["x"] for n in range(1001)}), "more than 1000 columns"),
        (lambda: parquet({f"c{n}": pa.nulls(200_000, pa.int8()) for n in range(300)}), "hold anything"),
        (lambda: parquet({"server_id": pa.array(["x" * 600_000])}), "more than 131072 characters"),
        (
            lambda: parquet({"x": pa.DictionaryArray.from_arrays(pa.array([0] * 50_000), ["x" * 130_000])}),
            "Unpacked, this file has 6",
        ),
        (lambda: parquet({"x": nested(20)}), "columns in columns"),
        (lambda: b"PAR1" * 100, "no Parquet file"),
    ],
    ids=["rows", "columns", "empty cells", "a long text", "a text in many rows", "nesting", "nothing"],
)
def test_parquet_that_would_cost_far_more_than_it_weighs(make, told):
    """Metadata and dictionaries are looked at before texts are written out."""
    data = make()

    with pytest.raises(InventoryError, match=told):
        read_inventory(data, name="servers.parquet")


@pytest.mark.parametrize("column", ["server_id", "name", "note", "tags", "vpc_id"])
@pytest.mark.parametrize("value", ['"\\ud800x"', '{"k": "\\ud800x"}', '["\\ud800x"]'])
def test_half_a_character_never_gets_into_a_frame(column, value):
    """It becomes the sign for an unreadable one, or the value is refused; no library meets it later."""
    row = json.dumps(dict(zip(HEAD, ROW, strict=True)) | {column: "@"}).replace('"@"', value)

    try:
        frame = read_inventory(f"[{row}]".encode(), name="servers.json").servers
    except InventoryError as refused:
        assert column in str(refused)  # noqa: PT017 - either way out is right
    else:
        assert "\ufffdx" in frame[column].iloc[0]


@pytest.mark.slow
def test_a_csv_of_a_hundred_thousand_servers_is_read():
    """Every fact of every one of them."""
    frame = pd.DataFrame([a_server("s")] * 100_000).assign(server_id=[f"s{n}" for n in range(100_000)])

    servers = read_inventory(bytes_of(frame, "e.csv"), name="servers.csv").servers

    assert len(servers) == 100_000
    assert servers["server_id"].iloc[-1] == "s99999"


@pytest.mark.slow
def test_a_workbook_of_twenty_thousand_servers_is_read():
    """As openpyxl writes it, with sparse columns, a far title over the heading's width and a sheet beside it."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("servers")
    sheet.append([*HEAD, *(f"note {n}" for n in range(30))])
    for n in range(20_000):
        sheet.append([f"s{n}", *ROW[1:]])
    made = io.BytesIO()
    book.save(made)

    assert len(read_inventory(made.getvalue(), name="e.xlsx").servers) == 20_000
