"""The coverage panel without a browser: set it up, click, and look at what it holds and shows."""

import asyncio
import html
import json
import re
import time

import httpx
import pandas as pd
import pytest

import sdrs_nb
from sdrs_nb.widgets.writing import writer
from tests.builders import DR_AZ, a_group, a_server, an_instance, an_inventory

HOSTILE = "<img src=x onerror=alert(1)>"


def an_estate(**changes):
    """One server protected, one not, one in error; ``changes`` are made on the protected one's DR server."""
    return an_inventory(
        servers=[
            a_server("s1", name="erp-db", hostname="h"),
            a_server("dr-of-s1", **{"name": "erp-db", "hostname": "h", "az": DR_AZ, **changes}),
            a_server("s2", name=HOSTILE),
            a_server("s3", name="erp-app"),
        ],
        groups=[a_group(name="finance")],
        protected_instances=[an_instance("s1", status="protected", progress=100), an_instance("s3", status="error")],
    )


def settled(panel, until, seconds=60):
    """Wait until ``until()`` holds, with everything drawn; the panel's failure is the message otherwise."""
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline, panel.background.errors.value
        time.sleep(0.02)
        writer().flush()
    writer().flush()


def text(widget):
    """The text of an HTML widget, without its markup and style."""
    return html.unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", widget.value, flags=re.DOTALL))


def chips(panel):
    """The chips by their text."""
    return {chip.description: chip for chip in panel._chips.children}


def test_chips_count_the_words_worst_first_and_filter():
    """Shape, word and count in order; a click shows only those, another all again."""
    panel = sdrs_nb.CoveragePanel(found=an_estate())

    named = list(chips(panel))
    chips(panel)["■ unprotected: 1"].click()
    only = panel.servers.shown["server_id"].tolist()
    chips(panel)["■ unprotected: 1"].click()

    assert named == ["All: 3", "■ error: 1", "■ unprotected: 1", "● protected: 1"]
    assert only == ["s2"]
    assert len(panel.servers.shown) == 3


def test_the_picture_tells_a_screen_reader_the_counts():
    """The bar's label names every part and how many servers it stands for."""
    panel = sdrs_nb.CoveragePanel(found=an_estate())

    assert 'aria-label="Coverage of 3 servers: error 1, unprotected 1, protected 1"' in panel._picture.value


def test_drift_has_a_row_a_setting_with_what_to_do():
    """The setting, both values and the remedy; chips count the settings."""
    panel = sdrs_nb.CoveragePanel(found=an_estate(tags="team=other", hostname="elsewhere"))

    assert panel.drift.rows[["fact", "production", "dr"]].to_numpy().tolist() == [
        ["hostname", "h", "elsewhere"],
        ["tags", "", "team=other"],
    ]
    assert panel.drift.rows["remedy"].str.len().gt(20).all()
    assert [chip.description for chip in panel.fact_facet.children[1:]] == ["Hostname: 1", "Tags: 1"]


def test_names_are_text_wherever_they_are_shown():
    """A name that is markup reaches no HTML of the panel unescaped, saved notebook included."""
    panel = sdrs_nb.CoveragePanel(found=an_estate(name=HOSTILE), earlier=an_inventory(servers=[]))

    saved = panel._repr_mimebundle_()
    shown = [panel._said.value, panel._picture.value, panel._changes_said.value, saved["text/html"]]

    assert "<img" not in "".join(shown)
    assert "&lt;img" in saved["text/html"]


def test_rows_are_no_part_of_what_a_notebook_saves_as_widget_state():
    """Server ids reach the browser by message, never in a trait."""
    panel = sdrs_nb.CoveragePanel(found=an_estate())

    state = json.dumps([grid.get_state() for grid in (panel.servers, panel.drift)], default=str)

    assert "erp-db" not in state


def test_what_could_not_be_looked_at_is_said():
    """A frame that was not read is named above the grid."""
    found = sdrs_nb.cover(
        an_inventory(servers=[a_server()]), unverified=["Auto recovery was not compared: ECS answered 404 x."]
    )

    panel = sdrs_nb.CoveragePanel(found=found)

    assert "Auto recovery was not compared" in text(panel._said)


def test_what_is_shown_is_written_as_csv_without_formulas(tmp_path):
    """Filtered rows only, one file a grid; a formula in a name gets an apostrophe."""
    inventory = an_inventory(servers=[a_server("s1", name="=1+1"), a_server("s2")])
    panel = sdrs_nb.CoveragePanel(found=inventory)
    panel.servers.filter("server_id", contains="s1")
    panel._folder.value = str(tmp_path / "lists")

    panel._save.click()
    settled(panel, lambda: "Written" in text(panel._written))

    written = pd.read_csv(tmp_path / "lists" / "coverage.csv")
    assert written[["server_id", "name"]].to_numpy().tolist() == [["s1", "'=1+1"]]
    assert (tmp_path / "lists" / "drift.csv").is_file()
    assert not (tmp_path / "lists" / "changes.csv").exists()


def test_an_earlier_inventory_is_opened_and_compared(tmp_path):
    """The file says what was then; the grid says what went, appeared and changed since."""
    earlier = an_inventory(servers=[a_server("s2", name="old"), a_server("gone")])
    path = earlier.to_excel(tmp_path / "monday.xlsx")
    panel = sdrs_nb.CoveragePanel(found=an_inventory(servers=[a_server("s2", name="new")]))

    panel.earlier_opener.path.value = str(path)
    panel.earlier_opener.open_path.click()
    settled(panel, lambda: len(panel.moved))

    moved = panel.moved.rows[panel.moved.rows["frame"] == "servers"]
    rows = moved[["change", "id", "fact", "before", "after"]].fillna("").to_numpy().tolist()
    assert sorted(rows) == [["changed", "s2", "name", "old", "new"], ["went", "gone", "", "", ""]]
    assert "1 fact changed" in text(panel._changes_said)


def test_a_file_takes_the_place_of_a_cloud(tmp_path):
    """Opened by its path, an inventory is looked at without any cloud; there is nothing to load from."""
    path = an_estate().to_excel(tmp_path / "estate.xlsx")
    panel = sdrs_nb.CoveragePanel()

    panel.opener.path.value = str(path)
    panel.opener.open_path.click()
    settled(panel, lambda: len(panel.servers))

    assert panel._look.disabled
    assert panel.found.counts["unprotected"] == 1
    assert panel._body.layout.display == ""


def test_a_broken_file_is_told(tmp_path):
    """The reader's own words appear, and nothing else changes."""
    panel = sdrs_nb.CoveragePanel()
    panel.opener.path.value = str(tmp_path / "missing.xlsx")

    panel.opener.open_path.click()
    settled(panel, lambda: panel.background.errors.value)

    assert "missing.xlsx" in text(panel.background.errors)
    assert panel.found is None


@pytest.fixture(scope="module")
def cloud_process():
    """A sandbox of 60 servers."""
    with sdrs_nb.start_sandbox(servers=60, seed=7, speed=600) as sandbox:
        yield sandbox


def test_a_look_at_the_cloud_shows_what_the_function_returns(cloud_process):
    """One click, in the background; servers and drift are those of ``await sdrs_nb.coverage(cloud)``."""
    cloud = cloud_process.connect()
    panel = sdrs_nb.CoveragePanel(cloud)

    panel._look.click()
    writer().flush()
    during = (panel._look.disabled, panel._progress.layout.display)
    settled(panel, lambda: len(panel.servers) and not panel._look.disabled)

    expected = asyncio.run(sdrs_nb.coverage(cloud))
    pd.testing.assert_frame_equal(panel.servers.rows, expected.servers)
    pd.testing.assert_frame_equal(panel.drift.rows.drop(columns="row"), expected.drift)
    assert during == (True, "")
    assert panel._look.description == "Look again"


@pytest.mark.slow
def test_a_look_can_be_stopped_and_begun_again(cloud_process):
    """Stop leaves what was shown, and the button free; the next look succeeds."""
    httpx.post(
        f"{cloud_process.endpoint}/_sandbox/faults",
        json=[{"match": "GET /v1/*/cloudservers/detail", "kind": "slow", "seconds": 5, "times": 1}],
    ).raise_for_status()
    panel = sdrs_nb.CoveragePanel(cloud_process.connect(), auto_recovery=False)

    panel._look.click()
    panel._progress.children[2].click()
    writer().flush()
    stopped = (panel.found, panel._look.disabled, panel._progress.layout.display)
    panel._look.click()
    settled(panel, lambda: panel.found is not None)

    assert stopped == (None, False, "none")
    assert panel.background.errors.value == ""


def test_a_cloud_that_refuses_is_told(cloud_process):
    """The sentence of the error appears, and the look can be tried again."""
    panel = sdrs_nb.CoveragePanel(
        sdrs_nb.connect(
            endpoint=cloud_process.endpoint, project_id=cloud_process.project_id, access_key="AK", secret_key="SK"
        )
    )

    panel._look.click()
    settled(panel, lambda: panel.background.errors.value and not panel._look.disabled)

    assert panel.found is None
    assert text(panel.background.errors).strip()
