import json
import re

import pytest
from playwright.sync_api import expect

SHOW = """
import pandas as pd
from sdrs_nb.widgets import Grid

HOSTILE = ["<img src=x onerror=alert(1)>", "<script>alert(2)</script>", "a\\u202egpj.exe", "=cmd|' /C calc'!A0"]
names = [f"erp-db-{n}" for n in range(235)] + HOSTILE + ["n" * 10_000]
frame = pd.DataFrame({
    "name": names,
    "server_id": [f"0f7b-{n:04}" for n in range(240)],
    "status": ["SHUTOFF" if n % 10 == 4 else "ACTIVE" for n in range(240)],
    "vcpus": pd.array([None if n % 50 == 7 else 2 ** (n % 5) for n in range(240)], dtype="Int64"),
    "created_at": pd.Timestamp("2025-01-01", tz="UTC") + pd.to_timedelta(range(240), unit="D"),
    "tags": [f"owner=team-{n % 40},stage=prod" for n in range(240)],
})
opened = []
grid = Grid(frame, title="Servers", labels={"name": "Name", "vcpus": "vCPUs"},
            status_columns={"status": {"SHUTOFF": "neutral", "ACTIVE": "good"}})
grid.on_open(opened.append)
grid
"""
ASK = "import json; print(json.dumps([grid.selected, grid.shown['server_id'].tolist(), opened]))"


class Shown:
    """The grid as a page shows it, and what its kernel says of it."""

    def __init__(self, notebook):
        self.notebook, self.page = notebook, notebook.page
        self.root = self.page.locator(".sdrs-grid")
        self.grid = self.root.get_by_role("grid")
        self.count = self.root.locator(".sdrs-count")

    def run(self):
        """Run the cell that shows the grid, and wait for its first rows."""
        self.notebook.run(0)
        self.ready()

    def ready(self):
        """Wait for the first rows."""
        expect(self.root.locator(".sdrs-line:not(.sdrs-coming)").first).to_be_visible()

    def cell(self, name):
        """The cell of a name in the first column."""
        return self.root.locator(".sdrs-line .sdrs-first", has_text=re.compile(f"^{re.escape(name)}$"))

    def press(self, *keys):
        """Press keys one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def kernel(self):
        """Selected ids, shown ids and opened ids, as the kernel knows them."""
        return json.loads(self.notebook.ask(1))

    def selected(self, count):
        """Selected ids, once the kernel has ``count`` of them."""
        self.notebook.ask_until(1, lambda text: len(json.loads(text)[0]) == count)
        return self.kernel()[0]


@pytest.fixture
def shown(notebook):
    """A grid of 240 servers in a notebook."""
    made = Shown(notebook([SHOW, ASK, ""]))
    made.run()
    return made


def test_keyboard_alone_finds_sorts_and_selects(shown):
    """From the notebook by Tab to the grid; arrows, Space, Shift and Ctrl+A select; no cell is deleted on the way."""
    for _step in range(40):
        shown.press("Tab")
        if shown.page.evaluate("() => document.activeElement.matches('[role=grid]')"):
            break
    shown.press("ArrowDown", "Space", "ArrowDown", "ArrowDown", "Space", "Shift+ArrowDown", "Shift+ArrowDown")
    expect(shown.count).to_have_text("240 rows, 4 selected")
    shown.press("d", "d", "x", "a", "b")

    assert shown.notebook.cell_count() == 3
    assert shown.selected(4) == ["0f7b-0001", "0f7b-0003", "0f7b-0004", "0f7b-0005"]

    shown.grid.focus()
    shown.press("Control+Home", "End", "PageDown", "Home", "Space")
    assert len(shown.selected(5)) == 5

    shown.grid.focus()
    shown.press("/")
    shown.page.keyboard.type("db-23")
    shown.press("Enter")
    expect(shown.count).to_have_text("6 of 240 rows shown, 5 selected, 5 of them hidden by the filters")
    shown.press("Control+a")
    expect(shown.count).to_have_text("6 of 240 rows shown, 11 selected, 5 of them hidden by the filters")

    shown.press("ArrowUp", "ArrowUp", "ArrowRight", "Enter", "Enter")
    expect(shown.grid.get_by_role("columnheader", name="Name")).to_have_attribute("aria-sort", "descending")
    expect(shown.root.locator(".sdrs-line .sdrs-first").first).to_have_text("erp-db-234")


def test_mouse_selects_and_a_filter_keeps_the_selection(shown):
    """Ticks select, Shift spans, filters by text, choice, range and expression hide but do not forget."""
    shown.root.locator(".sdrs-line .sdrs-tick").nth(1).click()
    shown.root.locator(".sdrs-line .sdrs-tick").nth(4).click(modifiers=["Shift"])
    expect(shown.count).to_have_text("240 rows, 4 selected")

    shown.root.get_by_label("Filter vCPUs").fill("16..")
    expect(shown.count).to_have_text("48 of 240 rows shown, 4 selected, 3 of them hidden by the filters")
    shown.root.get_by_label("Filter Status").click()
    shown.page.get_by_role("checkbox", name=re.compile("ACTIVE")).uncheck()
    expect(shown.count).to_have_text("24 of 240 rows shown, 4 selected, 3 of them hidden by the filters")
    shown.press("Escape")
    shown.root.get_by_role("button", name="Filter Name: Regular expression").click()
    shown.root.get_by_label("Filter Name", exact=True).fill("db-(1|2)[0-9]{2}$")
    shown.root.get_by_role("button", name="Clear filters").click()
    expect(shown.count).to_have_text("240 rows, 4 selected")

    assert shown.selected(4) == ["0f7b-0001", "0f7b-0002", "0f7b-0003", "0f7b-0004"]


def test_half_an_expression_shows_what_was_shown_before(shown):
    """A filter that cannot be read is marked and said; the rows stay as they were."""
    shown.root.get_by_role("button", name="Filter Name: Regular expression").click()
    field = shown.root.get_by_label("Filter Name", exact=True)
    field.fill("db-1.$")
    expect(shown.count).to_have_text("10 of 240 rows shown")

    field.fill("db-1(")

    expect(field).to_have_attribute("aria-invalid", "true")
    expect(shown.root.get_by_role("alert")).to_contain_text("is no regular expression")
    expect(shown.count).to_have_text("10 of 240 rows shown")


def test_titles_sort_and_rows_open(shown):
    """A click on a title sorts, a second one turns it round; a double click shows every value of a row as text."""
    title = shown.grid.get_by_role("columnheader", name="vCPUs")
    title.click()
    expect(title).to_have_attribute("aria-sort", "ascending")
    title.click()
    expect(title).to_have_attribute("aria-sort", "descending")
    expect(shown.root.locator(".sdrs-line").first.get_by_role("gridcell").nth(1)).to_have_text("erp-db-4")

    shown.cell("erp-db-4").dblclick()

    detail = shown.root.get_by_role("region", name="All values of this row")
    expect(detail).to_contain_text("owner=team-4,stage=prod")
    shown.press("Escape")
    expect(detail).to_be_hidden()
    assert shown.kernel()[2] == ["0f7b-0004"]


def test_hostile_names_show_as_text(shown):
    """Markup, scripts, direction marks and endless names are text in cells, tips and details."""
    shown.grid.focus()
    shown.press("Control+End")

    expect(shown.cell("<img src=x onerror=alert(1)>")).to_be_visible()
    expect(shown.cell("a[U+202E]gpj.exe")).to_be_visible()
    shown.cell("<script>alert(2)</script>").dblclick()
    expect(shown.root.get_by_role("region")).to_contain_text("<script>alert(2)</script>")
    assert shown.root.locator("img, script, iframe").count() == 0
    assert shown.root.locator(".sdrs-line").first.bounding_box()["height"] == 28


def test_a_reload_loses_nothing(shown):
    """After the browser's page is loaded again, selection, filters and order are those of the kernel."""
    shown.grid.get_by_role("columnheader", name="vCPUs").click()
    expect(shown.root.locator(".sdrs-line .sdrs-first").nth(1)).to_have_text("erp-db-5")  # rows have stopped moving
    shown.cell("erp-db-5").click(modifiers=["Control"])
    shown.root.get_by_placeholder("Search all columns").fill("db-1")
    expect(shown.count).to_have_text("111 of 240 rows shown, 1 selected, 1 of them hidden by the filters")
    shown.notebook.save()

    shown.notebook.open(reset=False)

    shown.ready()
    expect(shown.count).to_have_text("111 of 240 rows shown, 1 selected, 1 of them hidden by the filters")
    expect(shown.root.get_by_placeholder("Search all columns")).to_have_value("db-1")
    expect(shown.grid.get_by_role("columnheader", name="vCPUs")).to_have_attribute("aria-sort", "ascending")
    assert shown.selected(1) == ["0f7b-0005"]


def test_new_rows_keep_the_selection(notebook):
    """Rows that Python replaces are on the screen at once, and what was selected is the same servers."""
    shown = Shown(notebook([SHOW, ASK, "grid.update(frame.iloc[::-1].head(200)); grid.select(['0f7b-0200'])"]))
    shown.run()
    shown.cell("erp-db-3").click(modifiers=["Control"])
    shown.grid.focus()
    shown.press("Control+End")
    shown.cell("erp-db-234").click(modifiers=["Control"])
    expect(shown.count).to_have_text("240 rows, 2 selected")

    shown.notebook.run(2)

    expect(shown.count).to_have_text("200 rows, 2 selected")
    assert shown.selected(2) == ["0f7b-0234", "0f7b-0200"]


def test_a_screen_reader_finds_a_grid(shown):
    """Roles, counts and states are those of an ARIA grid, and the active cell is named."""
    expect(shown.grid).to_have_attribute("aria-rowcount", "242")
    expect(shown.grid).to_have_attribute("aria-colcount", "7")
    expect(shown.grid).to_have_attribute("aria-label", "Servers")
    shown.cell("erp-db-2").click()
    active = shown.grid.get_attribute("aria-activedescendant")

    row = shown.page.locator(f"#{active}").locator("xpath=..")
    assert (row.get_attribute("role"), row.get_attribute("aria-rowindex")) == ("row", "5")
    assert row.get_attribute("aria-selected") == "false"
    shown.press("Space")
    expect(row).to_have_attribute("aria-selected", "true")
    expect(shown.grid.get_by_role("columnheader")).to_have_count(7)


def test_what_is_shown_can_be_taken_out(shown):
    """Export saves shown rows with formulas neutralised; Ctrl+C copies the cell, Copy the selected rows."""
    shown.root.get_by_placeholder("Search all columns").fill("calc")
    expect(shown.count).to_have_text("1 of 240 rows shown")
    with shown.page.expect_download() as download:
        shown.root.get_by_role("button", name="Export CSV").click()
    lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()

    assert download.value.suggested_filename == "servers.csv"
    assert lines[0] == "name,server_id,status,vcpus,created_at,tags"
    assert lines[1].startswith("'=cmd|' /C calc'!A0,0f7b-0238,")

    shown.root.locator(".sdrs-line").first.get_by_role("gridcell").nth(2).click()
    shown.press("Control+c")
    expect(shown.root.get_by_role("alert")).to_have_text("Cell copied.")
    assert shown.page.evaluate("() => navigator.clipboard.readText()") == "0f7b-0238"


def test_columns_can_be_chosen_and_resized(shown):
    """A column taken away is gone from titles and rows, a width pulled by keyboard stays, and both outlive a reload."""
    shown.root.get_by_role("button", name="Columns").click()
    shown.page.get_by_role("checkbox", name="Tags").uncheck()
    shown.press("Escape")
    expect(shown.grid.get_by_role("columnheader")).to_have_count(6)
    title = shown.grid.get_by_role("columnheader", name="Server id")
    title.click()
    before = title.bounding_box()["width"]
    shown.press("Shift+ArrowRight", "Shift+ArrowRight")
    shown.page.wait_for_timeout(500)
    shown.notebook.save()
    shown.notebook.open(reset=False)
    shown.ready()

    expect(shown.grid.get_by_role("columnheader")).to_have_count(6)
    width = shown.grid.get_by_role("columnheader", name="Server id").bounding_box()["width"]
    assert width == pytest.approx(before + 32, abs=2)


def test_a_saved_notebook_shows_a_summary_without_its_kernel(shown):
    """The file holds a short account and no inventory; opened with no kernel it shows that account."""
    document = shown.notebook.save()
    saved = json.dumps(document)

    assert "The first 5 of 240 rows" in saved
    assert "owner=team-39" not in saved
    assert "erp-db-200" not in saved


def test_the_kernel_may_be_busy(notebook):
    """While no answer comes the grid says that it waits, and what was asked for comes when the kernel is free."""
    shown = Shown(notebook([SHOW, ASK, "import time\nwith grid._state.lock: time.sleep(4)"]))
    shown.run()
    shown.page.evaluate(
        "path => { const panel = [...window.jupyterapp.shell.widgets('main')].find(one => one.context?.path === path);"
        "panel.content.activeCellIndex = 2; panel.content.deselectAll();"
        "window.jupyterapp.commands.execute('notebook:run-cell'); }",
        shown.notebook.path,
    )
    shown.root.get_by_placeholder("Search all columns").fill("db-23")

    expect(shown.root.get_by_role("alert")).to_contain_text("Waiting for the kernel")
    expect(shown.count).to_have_text("6 of 240 rows shown", timeout=10_000)
    expect(shown.root.get_by_role("alert")).to_have_text("")


def test_pictures_of_the_grid(shown):
    """A picture is kept in each theme, wide and narrow, with a selection and a row opened; nothing sticks out."""
    shown.page.evaluate("() => window.jupyterapp.commands.execute('application:toggle-left-area')")
    shown.root.get_by_placeholder("Search all columns").fill("db-1")
    expect(shown.count).to_have_text("111 of 240 rows shown")
    shown.root.locator(".sdrs-line .sdrs-tick").nth(1).click()
    shown.root.locator(".sdrs-line .sdrs-tick").nth(3).click(modifiers=["Shift"])
    expect(shown.count).to_have_text("111 of 240 rows shown, 3 selected")
    for theme in ("Light", "Dark"):
        shown.notebook.theme(f"JupyterLab {theme}")
        for width in (1360, 480):
            shown.page.set_viewport_size({"width": width, "height": 860})
            shown.notebook.screen(f"grid-{theme.lower()}-{width}", shown.root)
            shown.cell("erp-db-11").dblclick()
            expect(shown.root.get_by_role("region")).to_be_visible()
            shown.notebook.screen(f"grid-{theme.lower()}-{width}-detail", shown.root)
            shown.press("Escape")

            assert shown.root.evaluate("root => root.scrollWidth <= root.clientWidth")
