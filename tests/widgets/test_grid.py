import json

import pandas as pd
import pytest

from sdrs_nb.errors import InventoryError, SettingsError
from sdrs_nb.widgets import Grid
from sdrs_nb.widgets.writing import writer


@pytest.fixture
def frame():
    """Three servers, one with a hostile name."""
    return pd.DataFrame(
        {"server_id": ["a", "b", "c"], "name": ["web-1", "<script>alert(1)</script>", "=cmd"], "vcpus": [1, 2, 4]}
    )


@pytest.fixture
def sent(monkeypatch):
    """What a grid sent to browsers, in place of a browser."""
    messages = []
    writer().flush()  # what grids of other tests still have to say
    monkeypatch.setattr(Grid, "send", lambda _grid, content: messages.append(content))
    return messages


def test_the_selection_is_in_the_frames_order(frame):
    """However rows were selected, ids come back in one order."""
    grid = Grid(frame)

    grid.selected = ["c", "a"]

    assert grid.selected == ("a", "c")


def test_new_rows_keep_the_selection_by_id(frame):
    """Rows that move stay selected, rows that go are left out, rows that come back are selected again."""
    grid = Grid(frame)
    grid.selected = ["a", "b"]

    grid.update(frame.iloc[[2, 1]])
    without = grid.selected
    grid.update(frame.iloc[::-1])

    assert without == ("b",)
    assert grid.selected == ("b", "a")


def test_rows_that_cannot_be_known_change_nothing(frame):
    """A refused update leaves the old rows in place."""
    grid = Grid(frame)

    with pytest.raises(InventoryError, match="more than once"):
        grid.update(pd.concat([frame, frame]))

    assert len(grid) == 3


def test_an_id_without_a_row_cannot_be_selected(frame):
    """A typing mistake in a selection is said, not swallowed."""
    grid = Grid(frame)

    with pytest.raises(SettingsError, match="nowhere"):
        grid.selected = ["a", "nowhere"]

    assert grid.selected == ()


def test_filters_show_and_keep(frame):
    """A filter shows its rows; the selection outside it stays; clearing shows all again."""
    grid = Grid(frame)
    grid.selected = ["a"]

    grid.filter("vcpus", range=">= 2")
    grid.sort("vcpus", descending=True)
    shown = grid.shown["server_id"].tolist()
    grid.clear_filters()

    assert shown == ["c", "b"]
    assert grid.selected == ("a",)
    assert grid.shown["server_id"].tolist() == ["c", "b", "a"]


def test_saved_filters_come_back(frame):
    """What ``filters`` gives can go through JSON into another grid."""
    grid, other = Grid(frame), Grid(frame)
    grid.filter("name", contains="web")

    other.set_filters(json.loads(json.dumps(grid.filters)))

    assert other.shown["server_id"].tolist() == ["a"]


def test_callbacks_hear_of_every_change(frame):
    """A change of selection calls with the ids, whether it came from Python or from new rows."""
    heard = []
    grid = Grid(frame)
    grid.on_selection(heard.append)

    grid.selected = ["a", "b"]
    grid.select(["a"], on=False)
    grid.update(frame.iloc[[0]])

    assert heard == [("a", "b"), ("b",), ()]


def test_a_row_opened_in_the_browser_is_told(frame, sent):
    """Opening a row answers with its values and calls with its id."""
    opened = []
    grid = Grid(frame)
    grid.on_open(opened.append)

    grid._handle_custom_msg({"type": "detail", "id": "b", "view": "v", "seq": 1}, [])

    assert opened == ["b"]
    assert sent[0]["fields"][1] == ["Name", "<script>alert(1)</script>", ""]


def test_a_browser_selects_and_others_are_told(frame, sent):
    """The asking view gets its page at once; other views hear that something changed."""
    grid = Grid(frame)

    grid._handle_custom_msg({"type": "select", "add": ["b"], "view": "v", "seq": 1, "stop": 10}, [])
    writer().flush()

    assert grid.selected == ("b",)
    assert [message["type"] for message in sent] == ["rows", "changed"]


def test_saved_state_holds_no_row(frame):
    """What a notebook saves of the widget knows no server, selected or not."""
    grid = Grid(frame.assign(name="erp-database"))
    grid.selected = ["a"]

    saved = json.dumps({name: str(value) for name, value in grid.get_state().items()})

    assert "erp-database" not in saved


def test_a_saved_notebook_shows_a_short_escaped_account(frame):
    """Beside the live view there is HTML and text: escaped, a few rows, and how many there are."""
    many = pd.DataFrame({"server_id": [f"id-{n}" for n in range(240)], "name": ["<script>alert(1)</script>"] * 240})

    data, _metadata = Grid(many, title="Servers")._repr_mimebundle_()

    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/plain"] == "<Grid Servers: 240 rows>"
    assert "The first 5 of 240 rows" in data["text/html"]
    assert "<script" not in data["text/html"]
    assert "id-5" not in data["text/html"]


def test_an_export_can_be_written(frame, tmp_path):
    """The file opens in Excel as UTF-8, with no formula left in it."""
    path = tmp_path / "servers.csv"

    text = Grid(frame).export(path)

    assert path.read_bytes().startswith(b"\xef\xbb\xbfserver_id,name,vcpus\r\n")
    assert "c,'=cmd,4\r\n" in text


def test_the_callers_frame_is_its_own(frame):
    """Changing the frame afterwards does not change the grid, nor the grid the frame."""
    grid = Grid(frame)
    before = frame.copy()

    frame.loc[0, "name"] = "changed"

    assert grid.rows["name"][0] == before["name"][0]


def test_an_empty_grid_is_no_error():
    """A grid may be shown before there are rows."""
    grid = Grid(pd.DataFrame({"server_id": pd.Series([], dtype="string")}))

    assert grid.selected == ()
    assert "No rows" in grid._repr_html_()


def test_an_unknown_tone_is_refused(frame):
    """A tone the grid does not know is named, with those it knows."""
    with pytest.raises(SettingsError, match="green"):
        Grid(frame, status_columns={"name": {"web-1": "green"}})
