import json

import pandas as pd
import pytest

from sdrs_nb.widgets.grid_messages import Shown, answer
from sdrs_nb.widgets.grid_state import GridState

SHOWN = Shown("DR servers", 420, detail=True)


@pytest.fixture
def state():
    """Forty servers, four of them stopped."""
    frame = pd.DataFrame(
        {
            "server_id": [f"id-{n}" for n in range(40)],
            "name": [f"web-{n}" for n in range(40)],
            "status": ["SHUTOFF" if n % 10 == 0 else "ACTIVE" for n in range(40)],
        }
    )
    tones = {"status": {"ACTIVE": "good", "SHUTOFF": "neutral"}}
    return GridState(frame, "server_id", None, visible=None, labels={"name": "Name"}, tones=tones, words={})


def ask(state, kind, **extra):
    """Ask as a browser does; the answer must be JSON."""
    reply = answer(state, SHOWN, {"type": kind, "view": "v1", "seq": 7, "start": 0, "stop": 10, **extra})
    assert reply is not None
    assert json.dumps(reply.document)
    return reply


def test_an_answer_names_its_question(state):
    """View and sequence number come back, so that others and late ones can be told apart."""
    document = ask(state, "rows").document

    assert (document["view"], document["seq"]) == ("v1", 7)


def test_setup_brings_texts_columns_and_a_page(state):
    """One question is enough to draw the first screen."""
    document = ask(state, "hello").document

    assert [column["title"] for column in document["columns"]] == ["Server id", "Name", "Status"]
    assert document["texts"]["search"] == "Search all columns"
    assert document["rows"][0] == ["id-0", False, ["id-0", "web-0", ["SHUTOFF", "neutral"]]]
    assert document["state"]["text"] == "40 rows"


def test_a_page_never_holds_the_whole_inventory(state):
    """However much a browser asks for, it gets a page."""
    frame = pd.DataFrame({"server_id": [str(n) for n in range(2000)]})
    state.update(frame)

    assert len(ask(state, "rows", stop=10**9).document["rows"]) == 500


@pytest.mark.parametrize(("start", "stop", "count"), [(0, 0, 0), (38, 50, 2), (90, 99, 0), (-5, 3, 3), (9, 3, 0)])
def test_a_page_is_cut_at_the_ends(state, start, stop, count):
    """Pages outside the rows are short or empty, never an error."""
    assert len(ask(state, "rows", start=start, stop=stop).document["rows"]) == count


def test_select_all_takes_the_shown_rows_only(state):
    """Rows that a filter hides keep the state they had."""
    ask(state, "select", add=["id-1"])
    ask(state, "view", filters={"status": {"kind": "choices", "values": ["SHUTOFF"]}})

    reply = ask(state, "select", shown=True)

    assert state.selected == ("id-0", "id-1", "id-10", "id-20", "id-30")
    assert reply.selection
    assert reply.document["state"]["text"] == "4 of 40 rows shown, 5 selected, 1 of them hidden by the filters"


def test_a_span_follows_the_order_shown(state):
    """Shift selects between two rows as they are sorted now, in either direction."""
    ask(state, "view", sort=[["name", True]])

    ask(state, "select", span={"first": "id-3", "last": "id-5", "on": True})

    assert state.selected == ("id-3", "id-4", "id-5")


def test_a_span_from_a_hidden_row_selects_nothing(state):
    """An anchor that a filter took away means no rows in between."""
    ask(state, "view", search="web-5")

    ask(state, "select", span={"first": "id-3", "last": "id-5", "on": True})

    assert state.selected == ()


def test_a_filter_that_cannot_be_read_leaves_the_rows_as_they_were(state):
    """Half a regular expression must not show, and let select, every row."""
    ask(state, "view", filters={"name": {"kind": "regex", "text": "web-1$"}})

    document = ask(state, "view", filters={"name": {"kind": "regex", "text": "web-1("}}).document

    assert document["state"]["shown"] == 1
    assert "regular expression" in document["problems"]["name"]


def test_a_row_that_is_gone_is_passed_over(state):
    """A click on a row that new data took away changes nothing and fails nothing."""
    reply = ask(state, "select", add=["id-99", "id-2"], remove=["id-98"])

    assert state.selected == ("id-2",)
    assert reply.changed


def test_hostile_names_travel_as_visible_text(state):
    """Names are sent as text with hidden characters written out, and long ones are cut."""
    state.update(pd.DataFrame({"server_id": ["a", "b"], "name": ["x\u202ey\ud800<b>", "n" * 10_000]}, dtype=object))

    rows = ask(state, "rows").document["rows"]

    assert rows[0][2][1] == "x[U+202E]y[U+D800]<b>"
    assert len(rows[1][2][1]) == 300
    assert ask(state, "detail", id="b").document["fields"][1][1] == "n" * 10_000


def test_a_copy_is_of_the_selection_or_of_what_is_shown(state):
    """Nothing selected copies the shown rows; a tab inside a name does not become a cell."""
    state.update(pd.DataFrame({"server_id": ["a", "b"], "name": ["=1+1", "x\ty"]}))

    whole = ask(state, "copy").document
    state.select(["b"])
    part = ask(state, "copy").document

    assert whole["text"] == "Server id\tName\r\na\t'=1+1\r\nb\tx[U+0009]y"
    assert part["text"] == "Server id\tName\r\nb\tx[U+0009]y"


def test_an_export_holds_shown_rows_and_columns(state):
    """Hidden rows and columns stay out, formulas are neutralised, and the file is named for the rows."""
    state.update(pd.DataFrame({"server_id": ["a", "b"], "name": ["=1+1", "x"], "status": ["s", "t"]}))
    ask(state, "view", search="=1")
    ask(state, "columns", visible=["name", "server_id"])

    document = ask(state, "export").document

    assert document["text"] == "name,server_id\r\n'=1+1,a\r\n"
    assert document["name"] == "dr-servers.csv"


def test_what_is_not_known_is_not_answered(state):
    """A question of another version is passed over."""
    assert answer(state, SHOWN, {"type": "format", "view": "v1", "seq": 1}) is None
    assert answer(state, SHOWN, {}) is None
