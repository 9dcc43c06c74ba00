from html.parser import HTMLParser

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdrs_nb.shown import html

HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "</style><b>", "&lt;b&gt;")


class Tags(HTMLParser):
    """Collects the tags and the text of a piece of HTML."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(html.summary, id="title"),
        pytest.param(lambda name: html.summary("", [(name, name)]), id="facts"),
        pytest.param(lambda name: html.summary("", notes=[name]), id="note"),
        pytest.param(lambda name: html.fragment(html.table(pd.DataFrame({name: [name]}))), id="table"),
        pytest.param(lambda name: html.fragment(html.table(pd.DataFrame({"a": [1]}), labels={"a": name})), id="label"),
        pytest.param(lambda name: html.message(name, "bad"), id="message"),
        pytest.param(lambda name: html.fragment(html.status(name, "good")), id="status"),
        pytest.param(lambda name: html.fragment(html.code(name)), id="code"),
        pytest.param(lambda name: html.fragment(html.heading(name), html.paragraph(name)), id="heading"),
        pytest.param(lambda name: html.page(name, [html.paragraph(name)]), id="page"),
    ],
)
def test_names_show_as_text(shown, name):
    """Whatever part of a page a hostile name stands in, it adds no tag and reads as it was typed."""
    plain, hostile = Tags(shown("name")), Tags(shown(name))

    assert hostile.tags == plain.tags
    assert name in "".join(hostile.texts) or html.escape(name).upper() in html.escape("".join(hostile.texts)).upper()


@given(st.text())
def test_escaped_text_holds_no_markup(text):
    """No text at all opens a tag, closes one, ends an attribute or hides a character."""
    escaped = str(html.escape(text))

    assert not set(escaped) & set("<>\"'\u202e\x00")


def test_a_table_says_how_many_rows_there_are():
    """A cut table names both figures, a whole one its own."""
    frame = pd.DataFrame({"server_id": [f"id-{n}" for n in range(12)]})

    assert "The first 10 of 12 rows" in html.table(frame)
    assert "12 rows" in html.table(frame, limit=None)
    assert "The first 5 of 240 rows" in html.table(frame, 5, total=240)


def test_a_table_without_rows_is_a_sentence():
    """An empty frame is no empty table."""
    assert html.table(pd.DataFrame({"a": []})) == "<p>No rows.</p>"


def test_missing_values_are_empty_cells():
    """NA shows as nothing, not as a word."""
    frame = pd.DataFrame({"vcpus": pd.array([None, 4], dtype="Int64")})

    assert Tags(html.table(frame)).texts[-2:] == ["Vcpus", "4"] or "&lt;NA&gt;" not in html.table(frame)
    assert "NA" not in html.table(frame)


def test_a_page_may_load_nothing():
    """A page's policy forbids scripts and every request, and it names its language."""
    page = html.page("Report", [html.paragraph("All well.")])

    assert "default-src 'none'" in page
    assert page.startswith("<!doctype html>")
    assert '<html lang="en">' in page


def test_every_tone_has_a_shape_of_its_own():
    """No two states look alike without colour."""
    assert len(set(html.SHAPES.values())) == len(html.SHAPES)
