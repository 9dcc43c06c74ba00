"""Whatever leaves is text: a property for each medium, over texts that attack."""

import csv
import html as standard_html
import io
import json
import logging
import unicodedata

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sdrs_nb.cloud.waiting import Waits
from sdrs_nb.errors import InventoryError, PlanError, Problem
from sdrs_nb.i18n import Lines, _, ngettext_
from sdrs_nb.shown import cells, html, terminal, texts
from sdrs_nb.shown.exports import write_csv, write_excel, write_json_lines
from tests.nasty import HIDDEN, NASTY, TEXTS


def hidden_in(text, but=""):
    """Return the characters of ``text`` that hide, reorder or command."""
    return [sign for sign in text if unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} - {but}]


@pytest.mark.parametrize("sign", HIDDEN, ids=lambda sign: f"U+{ord(sign):04X}")
def test_each_hidden_character_is_written_out(sign):
    """Control, direction, zero-width, filler, private, unassigned and half characters show their number."""
    assert texts.visible(f"a{sign}b") == f"a[U+{ord(sign):04X}]b"


@pytest.mark.parametrize("text", ["", "web-1 (a)", "数据库\u3000主", "Ärger", "a\u00a0b", "𝒳 café", "😀"])
def test_what_can_be_seen_stays(text):
    """Letters and spaces of every script are left as they are."""
    assert texts.visible(text) == text


@given(TEXTS)
def test_visible_text_hides_nothing_and_stays_when_shown_again(text):
    """Nothing hidden is left, on one line, and a second pass changes nothing."""
    shown = texts.visible(text)

    assert hidden_in(shown) == []
    assert len(shown.splitlines()) <= 1
    assert texts.visible(shown) == shown


@given(TEXTS)
def test_a_value_in_a_sentence_makes_no_line_of_its_own(name):
    """Whatever a name holds, the sentence around it is one line without hidden characters, counted or not."""
    for sentence in (_("Server {name}", name=name), ngettext_("{count} of {name}", "{count} of {name}", 2, name=name)):
        assert hidden_in(sentence) == []
        assert sentence == sentence.splitlines()[0]


@given(TEXTS)
def test_a_list_of_problems_keeps_its_own_lines_only(name):
    """One line for the sentence and one for each problem, also when the error is told within another sentence."""
    error = InventoryError(_("{file} cannot be read.", file=name), [Problem(name, 2, name, name)] * 2)
    told = _("{reason} Carry on.", reason=error)

    assert [line[:2] == "  " for line in str(error).split("\n")] == [False, True, True]
    assert hidden_in(str(error).replace("\n", "")) == []
    assert told == f"{error} Carry on."


@pytest.mark.parametrize(
    ("value", "lines"), [("a\nb", 1), (ValueError("a\nb"), 1), (Lines("a\nb"), 2), (PlanError("a\nb"), 2)]
)
def test_only_what_the_package_composed_keeps_its_lines(value, lines):
    """A text and a foreign error are foreign; ``Lines`` and errors of the package are its own."""
    assert len(_("{value}", value=value).split("\n")) == lines


@given(TEXTS)
def test_a_terminal_gets_lines_of_text(text):
    """Nothing but line breaks and tabs of what was written is hidden."""
    stream = io.StringIO()

    terminal.write(text, stream)

    written = stream.getvalue()
    assert written.endswith("\n")
    assert hidden_in(written.replace("\n", "").replace("\t", "")) == []


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "gbk", "utf-8"])
@given(text=TEXTS)
def test_what_an_encoding_lacks_is_written_out(encoding, text):
    """Any text can be written to a stream of any encoding, and every byte can be read back."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, newline="")

    terminal.write(texts.visible(text) + "数", stream)

    assert raw.getvalue().decode(encoding).rstrip("\n").endswith(("数", "[U+6570]"))


@pytest.mark.parametrize("stream", [open("/dev/full", "w", encoding="utf-8"), io.StringIO()], ids=["full", "closed"])  # noqa: PTH123, SIM115 - a device
def test_a_stream_that_takes_nothing_stops_nobody(stream):
    """Writing to a full device or a closed stream loses the text and raises nothing."""
    if isinstance(stream, io.StringIO):
        stream.close()

    terminal.write("progress", stream)


@given(TEXTS)
def test_a_page_shows_every_text_as_text(text):
    """Escaped HTML has no markup of the text's own and nothing hidden; read by a browser it is the visible text."""
    escaped = str(html.escape(text))

    assert not set(escaped) & set("<>\"'")
    assert hidden_in(escaped) == []
    assert standard_html.unescape(escaped) == texts.visible(text)


def framed(names, heading):
    """Return a frame of one column of plain objects: Arrow's strings hold no half pairs."""
    return pd.DataFrame(list(names), columns=pd.Index([heading], dtype=object), dtype=object)


def is_harmless(cell):
    """Tell whether a spreadsheet shows the cell and does not run it, and a terminal obeys nothing in it."""
    begins = cell.lstrip()[:1] not in set("=+-@") or cells._NUMBER.fullmatch(cell) or not cell
    controls = [sign for sign in cell if unicodedata.category(sign) in {"Cc", "Cs"} and sign not in "\t\r\n"]
    return bool(begins) and cell[:1] not in set("\t\r\n") and not controls


@given(st.lists(TEXTS, min_size=1, max_size=4), TEXTS)
def test_csv_runs_nothing_and_can_be_read(tmp_path_factory, names, heading):
    """Heads and cells are harmless, a row a server, in the text of a grid and in a file alike."""
    frame = framed(names, heading)
    path = write_csv(frame, tmp_path_factory.mktemp("csv") / "a.csv")

    rows = [list(csv.reader(io.StringIO(text, newline=""))) for text in (cells.csv_text(frame), read(path))]

    assert all(is_harmless(cell) for each in rows for row in each for cell in row)
    assert [len(each) for each in rows] == [len(names) + 1] * 2 or "" in names


def read(path):
    """Return the text of a CSV file as it is."""
    return path.read_bytes().decode("utf-8-sig")


@given(st.lists(TEXTS, min_size=1, max_size=3), TEXTS)
def test_a_workbook_runs_nothing_and_can_be_read(tmp_path_factory, names, heading):
    """Every cell is a text, harmless, and holds what was written."""
    frame = framed(names, heading)
    path = write_excel({"servers": frame}, tmp_path_factory.mktemp("xlsx") / "a.xlsx")

    sheet = openpyxl.load_workbook(path)["servers"]
    found = [row[0] for row in sheet.iter_rows(values_only=True)]

    assert all(cell is None or (isinstance(cell, str) and is_harmless(cell)) for cell in found)
    assert found[0] in {cells.neutral(heading), cells.neutral(heading).replace("\r\n", "\n").replace("\r", "\n"), None}


def joined(value):
    """Return the value with two halves of a pair that meet as one character: JSON cannot tell them apart."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    if isinstance(value, list):
        return [joined(one) for one in value]
    return {joined(name): joined(one) for name, one in value.items()} if isinstance(value, dict) else value


@example({"a": "\ud800\udfff", "\ud83d\ude00": ["\udfff\ud800"]})
@given(st.dictionaries(TEXTS, st.one_of(TEXTS, st.floats(), st.none(), st.lists(TEXTS, max_size=2)), max_size=3))
def test_json_is_valid_shows_nothing_hidden_and_reads_back(value):
    """Strict JSON in UTF-8; texts come back, two halves that meet as their character; numbers it lacks are null."""
    text = texts.json_text(value)

    back = json.loads(text.encode().decode(), parse_constant=pytest.fail)
    assert hidden_in(text) == []
    assert back == joined(
        {name: None if isinstance(one, float) and not np.isfinite(one) else one for name, one in value.items()}
    )


@pytest.mark.parametrize(
    ("value", "written"),
    [
        pytest.param(pd.NA, "null", id="na"),
        pytest.param(pd.NaT, "null", id="nat"),
        pytest.param(np.int64(5), "5", id="numpy number"),
        pytest.param(np.bool_(True), "true", id="numpy truth"),
        pytest.param(pd.Timestamp("2025-03-01T04:30Z"), '"2025-03-01T04:30:00+00:00"', id="time"),
        pytest.param({"a": {1: (2, None)}}, '{"a": {"1": [2, null]}}', id="nested"),
        pytest.param("\x9b\u202e\U000e0041", '"\\u009b\\u202e\\udb40\\udc41"', id="escapes"),
    ],
)
def test_json_of_what_frames_hold(value, written):
    """Missing is null, numbers are numbers, times ISO 8601, hidden characters escapes."""
    assert texts.json_text(value) == written


def test_json_lines_are_a_line_a_row(tmp_path):
    """Every line is an object, whatever its texts hold."""
    frame = framed(NASTY, "name")

    path = write_json_lines(frame, tmp_path / "a.jsonl")

    lines = path.read_text(encoding="utf-8").split("\n")
    assert [json.loads(line)["name"] for line in lines if line] == list(NASTY)
    assert hidden_in("".join(lines)) == []


def test_log_records_are_sentences(caplog):
    """What the package logs was made by the sentences' function: nothing of a name gets to the log as it is."""
    with caplog.at_level(logging.WARNING, "sdrs_nb"):
        Waits().begin(_("{endpoint} makes us wait.", endpoint=NASTY[0]))

    assert [hidden_in(record.getMessage()) for record in caplog.records] == [[]]
