"""Hostile texts everywhere: in all that the cloud says and in every field that takes typing, through all seven steps.

Markup, script, formula, text that turns round and 10,000 characters: shown as text, with no dialog and no request to
another host (the fixtures fail on those), nothing injected, and no page wider than its window.
"""

import json
import subprocess
import sys
import time
import urllib.request

import pytest
from playwright.sync_api import expect

from tests.browser.hostile_cloud import HOSTILE

SHOW = """
import os
os.environ.update({environment!r})
import sdrs_nb
workbench = sdrs_nb.Workbench()
connect, inventory, eligibility, plan, approve, submit, outcome = workbench.panels
workbench
"""
OPEN_DETAIL = """
clusters = set(workbench.eligibility.clusters['server_id'])
eligibility._reasons.selected_index = eligibility._help.selected_index = 0
eligibility._on_grid_open(next(one for one in eligibility.grid.rows['server_id'] if one in clusters))
"""
OPEN_FOLDS = "[setattr(one, 'selected_index', 0) for one in plan.children if 'Accordion' in type(one).__name__]"
CHECK = "eligibility._check.click()"
CHECKED = "not workbench.state.is_stale('eligibility') and workbench.eligibility is not None"
#: The number of the step, what is done in it, and what must hold afterwards.
STEPS = [
    (0, "connect._connect.click()", "workbench.state.access is not None"),
    (1, "inventory._load.click()", "workbench.inventory is not None"),
    (2, CHECK, "workbench.eligibility is not None and eligibility.fixes.value"),
    (2, OPEN_DETAIL, "eligibility.detail.layout.display == ''"),
    (3, f"{OPEN_FOLDS}\nplan._plan.click()", "workbench.plan is not None"),
    (4, "approve._who.value = HOSTILE[0]", "approve.batch.options"),
    (5, "None", "True"),
    (6, "None", "True"),
]
TEXT_FIELDS = ".sdrs-panel input:visible:enabled:not([type=number]):not([type=checkbox])"


@pytest.fixture
def cloud():
    """The environment that points at a hostile sandbox, and its endpoint."""
    command = [sys.executable, "-m", "tests.browser.hostile_cloud"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        facts = json.loads(process.stdout.readline())
        names = ("endpoint", "region", "project_id", "access_key", "secret_key")
        yield {f"SDRS_NB_{name.upper()}": facts[name] for name in names} | {"SDRS_NB_SANDBOX": "1"}
        process.terminate()


def wait_until(notebook, expression):
    """Ask the kernel until ``expression`` holds."""
    deadline = time.monotonic() + 60
    while not (answer := notebook.ask_of(f"print(bool({expression}))").strip()).endswith("True"):
        assert time.monotonic() < deadline, answer
        notebook.page.wait_for_timeout(200)


def assert_harmless(notebook, where):
    """Nothing was injected, nothing ran, and the output is no wider than the room it has."""
    notebook.wait_until_still()
    found = notebook.page.evaluate(
        """() => {
        const output = document.querySelector('.jp-OutputArea-output');
        const room = output.getBoundingClientRect().right + 1;
        const clips = one => getComputedStyle(one).overflowX !== 'visible';
        const scrolls = one => one && one !== output && (clips(one) || scrolls(one.parentElement));
        const wide = [...output.querySelectorAll('*')].filter(one =>
            one.getBoundingClientRect().right > room && !scrolls(one.parentElement));
        return {ran: window.hostile ?? null, injected: document.querySelectorAll('.hostile').length,
                body: document.body.scrollWidth - window.innerWidth,
                wide: wide.slice(0, 5).map(one => `${one.tagName}.${one.className}`)};
    }"""
    )
    assert found == {"ran": None, "injected": 0, "body": found["body"], "wide": []}, where
    assert found["body"] <= 0, where


def type_everywhere(notebook, where):
    """Type each hostile text into every text field of the step on the screen, and put back what was there."""
    fields = notebook.page.locator(TEXT_FIELDS)
    for at in range(fields.count()):
        field = fields.nth(at)
        before = field.input_value()
        for text in HOSTILE:
            field.fill(text.replace("\x00", ""))
            field.press("Tab")
        assert_harmless(notebook, f"{where}, field {at}")
        field.fill(before)
        field.press("Tab")


def test_hostile_texts_do_nothing_in_any_step(notebook, cloud):
    """All seven steps, a detail, a cluster, a refused request and a failed server: everything is text."""
    opened = notebook([SHOW.format(environment=cloud), "None"])
    page = opened.page
    opened.run(0)
    opened.ask_of(f"HOSTILE = {HOSTILE!r}")

    for number, action, expected in STEPS:
        opened.ask_of(f"workbench._show({number})\n{action}")
        wait_until(opened, f"({expected}) and workbench.state.running is None")
        assert_harmless(opened, f"step {number + 1}")
        opened.screen(f"hostile-{number + 1}")
        if number in (1, 2, 3):
            expect(page.locator(".sdrs-line:visible .sdrs-text", has_text='<img class="hostile"').first).to_be_visible()
        type_everywhere(opened, f"step {number + 1}")

    # What was typed into the plan's fields made it stale; a refused request and a failed server follow.
    control(cloud, "faults", [
        {"kind": "status", "match": "POST /v1/*/protected-instances/batch", "status": 400,
         "body": {"error": {"code": HOSTILE[0], "message": HOSTILE[4]}}},
        {"kind": "fail_subjob", "match": "POST /v1/*/protected-instances/batch", "code": HOSTILE[1], "after": 1},
    ])  # fmt: skip
    opened.ask_of(f"workbench._show(2)\n{CHECK}")
    wait_until(opened, f"{CHECKED} and workbench.state.running is None")
    opened.ask_of("workbench._show(3)\nplan._plan.click()")
    wait_until(opened, "not workbench.state.is_stale('plan') and workbench.state.running is None")
    opened.ask_of(
        "workbench._show(4)\napprove._who.value = HOSTILE[1]\n"
        "approve._count.value = str(workbench.state.planned_servers)\napprove._approve.click()"
    )
    wait_until(opened, "workbench.state.is_approved")
    assert_harmless(opened, "approved")
    opened.ask_of("workbench._show(5)\nsubmit._submit.click()\nsubmit._log.selected_index = 0")
    wait_until(opened, "workbench.run is not None and workbench.run.state == 'done'")
    assert_harmless(opened, "submitted")
    opened.screen("hostile-submitted")
    opened.ask_of("workbench._show(6)\noutcome._verify.click()")
    wait_until(opened, "workbench.outcome is not None")
    assert_harmless(opened, "verified")
    opened.screen("hostile-verified")

    opened.ask_of("from IPython.display import display\ndisplay(workbench.inventory, workbench.plan, workbench.run)")
    assert_harmless(opened, "saved summaries")


def control(cloud, path, body):
    """Call one of the sandbox's control routes."""
    url, json_alone = f"{cloud['SDRS_NB_ENDPOINT']}/_sandbox/{path}", {"Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), json_alone)).close()


OPEN_FILES = """
import csv, io, pathlib, sdrs_nb
from sdrs_nb.widgets.inventory_panel import InventoryPanel
panel = InventoryPanel()
[setattr(one, 'selected_index', 0) for one in panel.children if 'Accordion' in type(one).__name__]
panel
"""
#: A file's name holds no slash, and no more than 255 bytes.
FILE_NAME = '<img class="hostile" src=x onerror="window.hostile=1">.csv'


def test_hostile_files_and_names_of_filters_do_nothing(notebook):
    """A file by such a name, with such headings and cells, opened and dropped; a filter kept by such a name."""
    opened = notebook([OPEN_FILES, "None"])
    opened.run(0)
    opened.ask_of(f"HOSTILE = {HOSTILE!r}; FILE = pathlib.Path({FILE_NAME!r})")
    opened.ask_of("def as_csv(*rows):\n    text = io.StringIO()\n    csv.writer(text).writerows(rows)\n"
                  "    return text.getvalue().replace('\\0', '').encode()")  # fmt: skip

    opened.ask_of("FILE.write_bytes(as_csv(HOSTILE, HOSTILE))\n"
                  "panel.opener.path.value = str(FILE)\npanel.opener.open_path.click()")  # fmt: skip
    wait_until(opened, "'hostile' in panel.background.errors.value")
    assert_harmless(opened, "wrong headings")
    opened.screen("hostile-file-refused")

    opened.ask_of("rows = [(f'id-{n}', *[text] * 4) for n, text in enumerate(HOSTILE)]\n"
                  "heads = ('server_id', 'name', 'status', 'az', 'vpc_id')\n"
                  "panel.opener._on_drop_file(str(FILE), as_csv(heads, *rows))")  # fmt: skip
    wait_until(opened, "panel.state.inventory is not None and len(panel.grid.rows) == len(HOSTILE)")
    expect(opened.page.locator(".sdrs-line:visible .sdrs-text", has_text="<img").first).to_be_visible()
    assert_harmless(opened, "opened")

    for number in range(len(HOSTILE)):
        opened.ask_of(f"panel.filters.title.value = HOSTILE[{number}]\npanel.filters._save.click()")
        assert_harmless(opened, f"filter {number}")
    opened.screen("hostile-file")
