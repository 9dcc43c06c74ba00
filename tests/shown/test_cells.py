import csv
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdrs_nb.shown import cells, texts


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param(None, "", id="none"),
        pytest.param(pd.NA, "", id="na"),
        pytest.param(float("nan"), "", id="nan"),
        pytest.param(pd.NaT, "", id="nat"),
        pytest.param("", "", id="empty text"),
        pytest.param("web-1", "web-1", id="text"),
        pytest.param(True, "yes", id="true"),
        pytest.param(np.False_, "no", id="numpy false"),
        pytest.param(0, "0", id="zero"),
        pytest.param(2.0, "2", id="whole float"),
        pytest.param(np.float64(2.5), "2.5", id="numpy float"),
        pytest.param(pd.Timestamp("2025-03-01 12:30", tz="Asia/Shanghai"), "2025-03-01 04:30", id="time in utc"),
        pytest.param(pd.Timestamp("2025-03-01 12:30:59"), "2025-03-01 12:30", id="time without zone"),
    ],
)
def test_a_value_reads_as_an_operator_says_it(value, shown):
    """Missing values are empty, booleans are words, times are UTC to the minute."""
    assert cells.text_of(value) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("a\u202ebc", "a[U+202E]bc", id="right-to-left override"),
        pytest.param("a\u200bb", "a[U+200B]b", id="zero width space"),
        pytest.param("a\nb", "a[U+000A]b", id="line break"),
        pytest.param("a\x1b[31m", "a[U+001B][31m", id="terminal escape"),
        pytest.param("\ud800", "[U+D800]", id="half a surrogate pair"),
        pytest.param("数据库-01", "数据库-01", id="chinese"),
        pytest.param("Ärger & <b>", "Ärger & <b>", id="markup is not its business"),
    ],
)
def test_hidden_characters_are_written_out(text, shown):
    """Characters that hide or reorder text are shown by their number, all others stay."""
    assert texts.visible(text) == shown


@given(st.text())
def test_visible_text_can_always_be_sent(text):
    """Whatever a name holds, what is shown of it encodes as UTF-8 and stays when shown again."""
    shown = texts.visible(text)

    assert texts.visible(shown) == shown
    assert shown.encode("utf-8").decode("utf-8") == shown


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-cmd", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"])
def test_a_formula_gets_an_apostrophe(text):
    """A cell that a spreadsheet would run is marked as text."""
    assert cells.neutral(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "web-1", "-5", "+5", "-1.5e3", "a=b", "1-2", "(empty)"])
def test_what_is_no_formula_stays(text):
    """Plain texts and signed numbers are not touched."""
    assert cells.neutral(text) == text


@given(st.lists(st.tuples(st.text(), st.text()), min_size=1))
def test_csv_comes_back_as_it_went(rows):
    """Every cell survives the way through CSV, apart from the apostrophe before a formula."""
    clean = [tuple(text.replace("\r", "").replace("\x00", "") for text in row) for row in rows]
    frame = pd.DataFrame(clean, columns=["a", "b"], dtype=object)

    back = list(csv.reader(io.StringIO(cells.csv_text(frame), newline="")))

    assert back == [["a", "b"], *([cells.neutral(text) for text in row] for row in clean)]


@pytest.mark.parametrize(("text", "short"), [("abc", "abc"), ("abcd", "abcd"), ("abcde", "abc…")])
def test_long_texts_end_in_an_ellipsis(text, short):
    """A text is cut to the limit, the ellipsis included."""
    assert cells.clipped(text, 4) == short
