"""The workbench in a real JupyterLab: the whole job by mouse, again by keyboard, and across reloads and restarts."""

import json
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

import sdrs_nb
from tests.browser.lab import Notebook

START_HERE = Path(__file__).parents[2] / "notebooks" / "00_start_here.ipynb"
CONNECT, WORKBENCH = 1, 2
#: Cloud seconds a second: while a run is to be seen on its way, as a rule, and once it need not be seen any more.
SLOW, BRISK, FAST = 2, 120, 1200
TOLD = """
import json
told = {
    "counts": workbench.run.counts if workbench.run else {},
    "run_id": workbench.run.run_id if workbench.run else None,
    "states": repr(workbench),
    "outcome": [] if workbench.outcome is None else workbench.outcome[["server_id", "stage"]].to_numpy().tolist(),
}
print(json.dumps(told))
"""


def code_cells(servers, ledger):
    """The code cells of 00_start_here, told which cloud and ledger to use, and one that tells what the kernel knows.

    Each test has a ledger of its own: the estate is the same, and a run left unfinished holds its servers.
    """
    cells = [
        "".join(cell["source"])
        for cell in json.loads(START_HERE.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "code"
    ]
    environment = f"import os\nos.environ.update({servers.environment() | {'SDRS_NB_HOME': str(ledger)}!r})\n"
    return [environment + cells[0], *cells[1:], TOLD]


@pytest.fixture(scope="module")
def servers():
    """A sandbox of 60 servers, fast enough that a job takes a second or two."""
    with sdrs_nb.start_sandbox(servers=60, seed=3, speed=BRISK) as sandbox:
        yield sandbox


class Bench:
    """The workbench as a page shows it, and what its kernel says."""

    def __init__(self, notebook, cells):
        self.notebook, self.page = notebook, notebook.page
        self.last = len(cells) - 1

    def show(self):
        """Run the first cells and wait for the workbench."""
        for at in (0, CONNECT, WORKBENCH):
            self.notebook.run(at)
        expect(self.button("1 Connect")).to_be_visible()

    def load(self):
        """Connect and load the inventory, by mouse."""
        self.button("Connect").click()
        expect(self.button("1 Connect ● done")).to_be_visible()
        self.button("2 Inventory").click()
        self.button("Load inventory").click()
        expect(self.button("Load again")).to_be_enabled()

    def button(self, name):
        """A button that begins with this name."""
        return self.page.get_by_role("button", name=re.compile(f"^{re.escape(name)}"))

    def told(self):
        """What the kernel knows."""
        return json.loads(self.notebook.ask(self.last))

    def wait_for(self, step, word, seconds=60):
        """Wait until a step stands at this word."""
        deadline = time.monotonic() + seconds
        while f"{step}: {word}" not in (states := self.told()["states"]):
            assert time.monotonic() < deadline, states
            self.page.wait_for_timeout(200)

    def planned(self):
        """How many servers the approval asks about."""
        text = self.page.get_by_text(re.compile(r"Submitting creates \d+")).inner_text()
        return re.search(r"\d+", text).group()


@pytest.fixture
def bench(notebook, servers, tmp_path):
    """The workbench of 00_start_here on a sandbox as it was at the start."""
    servers.reset()
    servers.set_speed(BRISK)
    cells = code_cells(servers, tmp_path / "ledger")
    made = Bench(notebook(cells), cells)
    made.show()
    return made


def assert_as_in_the_world(bench, servers):
    """Check the outcome in the kernel against the sandbox's true state, server by server."""
    told = bench.told()
    world = servers.world()
    sources = {one["source_server"]: one["status"] for one in world["instances"]}
    assert told["outcome"]
    for server, stage in told["outcome"]:
        assert stage in {"available": ("created",), "protected": ("protected", "in sync")}[sources[server]]
        assert world["creations"][server] == 1


def test_the_whole_job_by_mouse(bench, servers):
    """Load, check, read reasons, plan, approve, submit, watch, verify: the outcome equals the sandbox's world."""
    page, screen = bench.page, bench.notebook.screen
    bench.button("Connect").click()
    expect(bench.button("1 Connect ● done")).to_be_visible()
    expect(page.get_by_text("SDRS_NB_ACCESS_KEY").first).to_be_visible()
    bench.button("Next: Inventory").click()
    bench.button("Load inventory").click()
    expect(bench.button("Load again")).to_be_enabled()

    bench.button("Next: Eligibility").click()
    bench.button("Check eligibility").click()
    expect(bench.button("■ blocked")).to_be_visible()
    bench.button("■ blocked").click()
    page.locator(".sdrs-line:visible .sdrs-first").first.dblclick()
    expect(page.get_by_role("heading", name=re.compile("every reason"))).to_be_visible()
    expect(page.locator(".sdrs-card:visible").first).to_be_visible()

    bench.button("Next: Plan").click()
    bench.button("Plan batches").click()
    expect(bench.button("4 Plan ● done")).to_be_visible()

    bench.button("Next: Preview and approve").click()
    page.get_by_label("Type the number of servers to approve").fill("1")
    bench.button("Approve").click()
    expect(page.get_by_text("Type the number of servers in this plan")).to_be_visible()
    page.get_by_label("Type the number of servers to approve").fill(bench.planned())
    bench.button("Approve").click()
    expect(page.get_by_text("exactly these requests, nothing else")).to_be_visible()

    servers.set_speed(SLOW)
    bench.button("Next: Submit and follow").click()
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.get_by_text("job under way").first).to_be_visible()
    # A kernel that waited for the jobs would answer when they are done.
    assert "Submit and follow: running" in bench.told()["states"]
    servers.set_speed(FAST)
    bench.wait_for("Submit and follow", "done")
    screen("workbench-by-mouse")

    bench.button("Next: Verify and report").click()
    bench.button("Verify").click()
    bench.wait_for("Verify and report", "done")
    assert_as_in_the_world(bench, servers)


def press_until_focused(page, name, key="Tab"):
    """Press a key until the focus is on the button that begins with this name."""
    for _ in range(120):
        label = " ".join(page.evaluate("() => document.activeElement.textContent || ''").split())
        kind = page.evaluate("() => document.activeElement.tagName")
        if kind == "BUTTON" and label.startswith(name):
            return
        page.keyboard.press(key)
    raise AssertionError(f"no way to {name} by {key}")


def test_the_whole_job_by_keyboard_alone(bench, servers):
    """The same job with no mouse: Tab, Enter, Space and typing only."""
    page = bench.page
    page.evaluate("() => document.querySelector('.jp-OutputArea-output button').focus()")
    for step, action in [
        ("1 Connect", "Connect"),
        ("2 Inventory", "Load inventory"),
        ("3 Eligibility", "Check eligibility"),
        ("4 Plan", "Plan batches"),
    ]:
        press_until_focused(page, step, "Shift+Tab" if step != "1 Connect" else "Tab")
        page.keyboard.press("Enter")
        press_until_focused(page, action)
        page.keyboard.press("Enter")
        # Asking the kernel would move the focus.
        expect(bench.button(f"{step} ● done")).to_be_visible()
    press_until_focused(page, "5 Preview and approve", "Shift+Tab")
    page.keyboard.press("Enter")
    count = bench.planned()
    expect(page.get_by_label("Type the number")).to_be_enabled()
    for _ in range(200):
        if page.evaluate(
            "() => document.activeElement.getAttribute('aria-label') || document.activeElement.id || ''"
        ) and (
            page.evaluate("() => document.activeElement.labels?.[0]?.textContent || ''").startswith("Type the number")
        ):
            break
        page.keyboard.press("Tab")
    page.keyboard.type(count)
    expect(page.get_by_label("Type the number")).to_have_value(count)
    press_until_focused(page, "Approve")
    page.keyboard.press("Enter")
    expect(page.get_by_text("exactly these requests, nothing else")).to_be_visible()
    press_until_focused(page, "6 Submit and follow", "Shift+Tab")
    page.keyboard.press("Enter")
    press_until_focused(page, "Submit")
    page.keyboard.press("Enter")
    expect(bench.button("6 Submit and follow ● done")).to_be_visible()
    press_until_focused(page, "7 Verify and report", "Shift+Tab")
    page.keyboard.press("Enter")
    press_until_focused(page, "Verify")
    page.keyboard.press("Enter")
    expect(bench.button("7 Verify and report ● done")).to_be_visible()
    assert_as_in_the_world(bench, servers)


def submit_everything(bench):
    """Go to the running submission, by mouse."""
    bench.load()
    bench.button("3 Eligibility").click()
    bench.button("Check eligibility").click()
    expect(bench.button("■ blocked")).to_be_visible()
    bench.button("4 Plan").click()
    bench.button("Plan batches").click()
    expect(bench.button("4 Plan ● done")).to_be_visible()
    bench.button("5 Preview and approve").click()
    bench.page.get_by_label("Type the number of servers to approve").fill(bench.planned())
    bench.button("Approve").click()
    expect(bench.page.get_by_text("exactly these requests, nothing else")).to_be_visible()
    bench.button("6 Submit and follow").click()
    bench.page.get_by_role("button", name="Submit", exact=True).click()
    expect(bench.page.get_by_text("job under way").first).to_be_visible()


def test_a_closed_tab_in_the_middle_loses_nothing(bench, servers):
    """Leaving the page while jobs run and opening it again: the run goes on and ends, each server created once."""
    submit_everything(bench)
    bench.notebook.save()

    bench.page.goto("about:blank")
    bench.page.wait_for_timeout(1500)
    bench.notebook.open(reset=False)

    servers.set_speed(FAST)
    bench.wait_for("Submit and follow", "done")
    told = bench.told()["counts"]
    assert told["created"] + told["protected"] + told["in sync"] == sum(told.values())
    creations = servers.world()["creations"]
    assert set(creations.values()) <= {0, 1}
    assert sum(creations.values()) == sum(told.values())


def test_a_restarted_kernel_shows_the_run_and_carries_it_on(bench, servers):
    """After a kernel restart in the middle, Workbench(cloud, run_id=...) stands at the run, and Carry on ends it."""
    submit_everything(bench)
    run_id = bench.told()["run_id"]
    page = bench.page
    page.evaluate(
        """async path => {
        const panel = [...window.jupyterapp.shell.widgets('main')].find(one => one.context?.path === path);
        await panel.sessionContext.restartKernel();
    }""",
        bench.notebook.path,
    )
    bench.notebook.wait_for_kernel()
    bench.notebook.run(0)
    bench.notebook.run(CONNECT)
    page.evaluate(
        """([path, at, source]) => {
        const panel = [...window.jupyterapp.shell.widgets('main')].find(one => one.context?.path === path);
        panel.content.widgets[at].model.sharedModel.setSource(source);
    }""",
        [
            bench.notebook.path,
            WORKBENCH,
            f'workbench = sdrs_nb.Workbench(sdrs_nb.connect(), run_id="{run_id}")\nworkbench',
        ],
    )
    bench.notebook.run(WORKBENCH)

    expect(page.get_by_text(run_id).first).to_be_visible()
    bench.notebook.screen("workbench-6-restarted")
    bench.button("Carry on").click()

    servers.set_speed(FAST)
    bench.wait_for("Submit and follow", "done")
    told = bench.told()["counts"]
    creations = servers.world()["creations"]
    assert set(creations.values()) <= {0, 1}
    assert told["created"] + told["protected"] + told["in sync"] == sum(told.values()) == sum(creations.values())


def test_two_notebooks_on_one_run_show_the_same(notebook, tmp_path):
    """Stopped from a second notebook the first one shows it; carried on there, both end at the same figures."""
    # Slow enough that the second notebook opens while there is something left to send.
    with sdrs_nb.start_sandbox(servers=60, seed=3, speed=25) as servers:
        cells = code_cells(servers, tmp_path)
        bench = Bench(notebook(cells), cells)
        bench.show()
        follow_from_a_second_notebook(bench, servers, tmp_path)


def follow_from_a_second_notebook(bench, servers, ledger):
    """Submit, stop and carry on from another notebook, and compare what both say at the end."""
    submit_everything(bench)
    run_id = bench.told()["run_id"]
    cells = code_cells(servers, ledger)
    cells[WORKBENCH] = f'workbench = sdrs_nb.Workbench(sdrs_nb.connect(), run_id="{run_id}")\nworkbench'
    server = bench.notebook.server
    page = bench.page.context.new_page()
    other = Bench(Notebook(page, server, server.write("second.ipynb", cells)), cells)
    for at in (0, CONNECT, WORKBENCH):
        other.notebook.run(at)

    other.button("Stop after this batch").click()
    expect(bench.page.get_by_text("Stopped by the operator").first).to_be_visible()
    expect(other.button("Carry on")).to_be_enabled()
    other.button("Carry on").click()

    servers.set_speed(FAST)
    expect(other.button("6 Submit and follow ● done")).to_be_visible(timeout=90_000)
    expect(bench.button("6 Submit and follow ● done")).to_be_visible()
    assert bench.told()["counts"] == other.told()["counts"]
    assert set(servers.world()["creations"].values()) <= {0, 1}


def test_a_saved_notebook_holds_no_secret_and_no_inventory(bench, servers):
    """After the job the file holds neither a credential nor the estate's servers."""
    submit_everything(bench)
    bench.wait_for("Submit and follow", "done")

    cells = bench.notebook.save()["cells"]
    outputs = json.dumps([cell["outputs"] for cell in cells[:-1]])
    for name in ("SDRS_NB_SECRET_KEY", "SDRS_NB_ACCESS_KEY"):
        assert servers.environment()[name] not in outputs
    ids = [server["id"] for server in servers.world()["servers"]]
    assert sum(one in outputs for one in ids) <= 10


def test_hostile_names_show_as_text(bench):
    """Names that are markup appear letter by letter; the fixture fails on any dialog or foreign request."""
    bench.load()
    search = bench.page.get_by_placeholder("Search all columns").first

    search.fill("<")

    expect(bench.page.locator(".sdrs-line:visible .sdrs-first", has_text="<").first).to_be_visible()
    assert bench.page.locator(".sdrs-grid img, .sdrs-grid script, .sdrs-grid b").count() == 0
