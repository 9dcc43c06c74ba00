import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdrs_nb.errors import InventoryError, SettingsError
from sdrs_nb.widgets.columns import describe
from sdrs_nb.widgets.paging import Filter, Rows, View

FRAME = pd.DataFrame(
    {
        "server_id": ["s1", "s2", "s3", "s4", "s5"],
        "name": ["web-10", "web-2", "DB-1", None, "db-01"],
        "verdict": ["eligible", "blocked", "eligible", "blocked", "unknown"],
        "vcpus": pd.array([4, 2, None, 16, 8], dtype="Int64"),
        "created_at": pd.to_datetime(
            ["2025-01-31", "2025-02-01", None, "2025-03-01", "2025-02-28T23:59"], utc=True, format="ISO8601"
        ),
    }
)
TONES = {"verdict": {"blocked": "bad", "unknown": "unknown", "eligible": "good"}}


def rows_of(frame=FRAME, words=None):
    """Rows of a frame whose verdicts are states."""
    return Rows(frame, "server_id", describe(frame, frame.columns, labels={}, tones=TONES, words=words or {}))


def shown(view, rows=None):
    """Ids that a view shows, in order."""
    rows = rows or rows_of()
    return [rows.ids[place] for place in rows.positions(view)]


@pytest.mark.parametrize(
    ("column", "chosen", "ids"),
    [
        pytest.param("name", Filter("contains", "DB"), ["s3", "s5"], id="contains in any case"),
        pytest.param("name", Filter("regex", "^web-1"), ["s1"], id="regex"),
        pytest.param("name", Filter("regex", "WEB-[0-9]$"), ["s2"], id="regex in any case"),
        pytest.param("verdict", Filter("choices", values=("blocked", "unknown")), ["s2", "s4", "s5"], id="choices"),
        pytest.param("verdict", Filter("choices"), [], id="no choice"),
        pytest.param("name", Filter("choices", values=("",)), ["s4"], id="missing as a choice"),
        pytest.param("vcpus", Filter("range", "4..8"), ["s1", "s5"], id="range holds its ends"),
        pytest.param("vcpus", Filter("range", ">4"), ["s4", "s5"], id="above"),
        pytest.param("vcpus", Filter("range", "≤ 4"), ["s1", "s2"], id="at most"),
        pytest.param("vcpus", Filter("range", "2"), ["s2"], id="one number"),
        pytest.param("created_at", Filter("range", "2025-02"), ["s2", "s5"], id="a whole month"),
        pytest.param("created_at", Filter("range", "< 2025-02"), ["s1"], id="before a month"),
        pytest.param("created_at", Filter("range", "> 2025-02"), ["s4"], id="after a month"),
        pytest.param("created_at", Filter("range", "..2025-02-01"), ["s1", "s2"], id="until a whole day"),
    ],
)
def test_a_filter_keeps_what_fits(column, chosen, ids):
    """Each kind of filter shows just its rows; a missing value lies in no range."""
    assert shown(View(filters={column: chosen})) == ids


@pytest.mark.parametrize(
    ("search", "ids"),
    [
        ("", ["s1", "s2", "s3", "s4", "s5"]),
        ("  ", ["s1", "s2", "s3", "s4", "s5"]),
        ("WEB", ["s1", "s2"]),
        ("web blocked", ["s2"]),
        ("2025-02-28", ["s5"]),
        ("nothing", []),
    ],
)
def test_search_wants_every_word_in_some_column(search, ids):
    """Words are looked for in all columns, in any case, and all must be there."""
    assert shown(View(search=search)) == ids


@pytest.mark.parametrize(
    ("sort", "ids"),
    [
        pytest.param((("name", False),), ["s3", "s5", "s2", "s1", "s4"], id="numbers in names count"),
        pytest.param((("name", True),), ["s1", "s2", "s5", "s3", "s4"], id="missing last downwards too"),
        pytest.param((("vcpus", False),), ["s2", "s1", "s5", "s4", "s3"], id="numbers"),
        pytest.param((("created_at", True),), ["s4", "s5", "s2", "s1", "s3"], id="times downwards"),
        pytest.param((("verdict", False),), ["s2", "s4", "s5", "s1", "s3"], id="states in their own order"),
        pytest.param((("verdict", False), ("vcpus", True)), ["s4", "s2", "s5", "s1", "s3"], id="two columns"),
    ],
)
def test_sorting_puts_missing_values_last(sort, ids):
    """Names sort as people count, states by severity, and a missing value never leads."""
    assert shown(View(sort=sort)) == ids


def test_words_are_shown_searched_and_chosen():
    """A translated value is what a search, a filter and the list of choices know."""
    rows = rows_of(words={"verdict": {"blocked": "受阻"}})

    assert shown(View(search="受阻"), rows) == ["s2", "s4"]
    assert shown(View(filters={"verdict": Filter("choices", values=("受阻",))}), rows) == ["s2", "s4"]
    assert rows.choices("verdict", View()) == [("受阻", 2), ("unknown", 1), ("eligible", 2)]


def test_choices_count_what_the_other_filters_let_through():
    """A column's own filter does not hide its other values; those of other columns do count."""
    view = View(filters={"verdict": Filter("choices", values=("blocked",)), "name": Filter("contains", "web")})

    assert rows_of().choices("verdict", view) == [("blocked", 1), ("unknown", 0), ("eligible", 1)]


@pytest.mark.parametrize(
    ("column", "chosen", "word"),
    [
        ("name", Filter("regex", "("), "regular expression"),
        ("vcpus", Filter("range", "many"), "number"),
        ("vcpus", Filter("range", "nan"), "number"),
        ("created_at", Filter("range", "soon"), "date"),
        ("created_at", Filter("range", "NaT"), "date"),
        ("name", Filter("range", "1..2"), "no range"),
    ],
)
def test_a_filter_that_cannot_be_read_is_refused(column, chosen, word):
    """The refusal says what was expected."""
    with pytest.raises(SettingsError, match=word):
        rows_of().positions(View(filters={column: chosen}))


@pytest.mark.parametrize(
    ("ids", "word"),
    [(["a", "a"], "more than once"), (["a", None], "lacks a value")],
    ids=["repeated", "missing"],
)
def test_every_row_needs_an_id_of_its_own(ids, word):
    """A selection by id would otherwise mean more than one row, or none."""
    with pytest.raises(InventoryError, match=word):
        rows_of(pd.DataFrame({"server_id": ids}))


def test_a_frame_without_the_id_column_is_refused():
    """The refusal names the column."""
    with pytest.raises(InventoryError, match="server_id"):
        Rows(pd.DataFrame({"name": ["a"]}), "server_id", ())


@pytest.mark.parametrize(
    "chosen", [Filter("contains", "x"), Filter("regex", "x"), Filter("range", "1"), Filter("choices", values=("a", ""))]
)
def test_a_filter_comes_back_from_json(chosen):
    """A saved filter is the filter it was."""
    assert Filter.from_json(chosen.to_json()) == chosen


@pytest.mark.parametrize("document", [{"kind": "contains", "text": " "}, {"kind": "range", "text": ""}])
def test_an_empty_text_filters_nothing(document):
    """Clearing the text takes the filter away."""
    assert Filter.from_json(document) is None


words = st.text(st.sampled_from("aA1 0é<\u202e"), max_size=4)
frames = st.lists(st.tuples(words, st.one_of(st.none(), st.integers(-9, 9))), max_size=12).map(
    lambda rows: pd.DataFrame(
        {
            "server_id": pd.Series([f"id-{n}" for n in range(len(rows))], dtype=object),
            "name": pd.Series([name for name, _number in rows], dtype=object),
            "number": pd.array([number for _name, number in rows], dtype="Int64"),
        }
    )
)


@given(frames, st.sampled_from(["name", "number"]), st.booleans())
def test_sorting_loses_no_row(frame, column, descending):
    """Every row is shown once in any order, and values never go back."""
    rows = rows_of(frame)

    order = rows.positions(View(sort=((column, descending),))).tolist()

    assert sorted(order) == list(range(len(frame)))
    numbers = [frame["number"][place] for place in order if column == "number" and frame["number"][place] is not pd.NA]
    assert numbers == sorted(numbers, reverse=descending)


@given(frames, words)
def test_a_filter_and_its_opposite_are_everything(frame, text):
    """Rows that contain a text and rows that do not are all rows, none twice."""
    rows = rows_of(frame)
    mask = rows.mask(View(filters={"name": Filter("contains", text)}))

    assert [text.strip().casefold() in name.casefold() for name in frame["name"]] == mask.tolist()


@given(frames, st.integers(0, 14), st.integers(0, 14))
def test_a_page_shows_what_the_whole_column_shows(frame, start, stop):
    """Texts worked out for a page are those worked out for the column."""
    rows = rows_of(frame)
    places = list(range(len(frame)))[start:stop]

    assert rows.cells(["name", "number"], places) == [
        [rows.texts("name")[place], rows.texts("number")[place]] for place in places
    ]


def test_texts_of_many_times_are_those_of_one():
    """The fast way to write out a column of times gives the same texts, missing ones included."""
    rows = rows_of()

    assert rows.texts("created_at") == [row[0] for row in rows.cells(["created_at"], range(5))]


def test_the_frame_is_never_changed():
    """Looking at rows leaves the caller's frame as it was."""
    before = FRAME.copy(deep=True)

    shown(View("web", {"vcpus": Filter("range", "1..4")}, (("name", True),)))

    pd.testing.assert_frame_equal(FRAME, before)
