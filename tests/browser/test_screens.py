"""Every step of the workbench as pictures under out/screens, in both themes, wide and narrow, and held to axe-core.

The steps are driven from the kernel, so that the walk is the same in every language.
"""

import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

import sdrs_nb

AXE = Path(__file__).parents[2] / "out" / "npm" / "node_modules" / "axe-core" / "axe.min.js"
SHOW = """
import sdrs_nb
workbench = sdrs_nb.Workbench(sandbox=sdrs_nb.start_sandbox)
connect, inventory, eligibility, plan, approve, submit, outcome = workbench.panels
workbench
"""
OPEN = """
clusters = set(workbench.eligibility.clusters['server_id'])
blocked = eligibility.grid.rows.query("verdict == 'blocked'")['server_id']
eligibility._reasons.selected_index = eligibility._help.selected_index = 0
eligibility._on_grid_open(next(one for one in blocked if one in clusters))
"""
OVERRIDE = """
overrides = plan.overrides
plan._overrides.selected_index = 0
overrides.whom.value, overrides.field.value, overrides.value.value = overrides.whom.options[1][1], 'wave', '2'
overrides._set.click()
overrides.servers.selected = list(overrides.servers.rows['server_id'][:5])
overrides.whom.value, overrides.field.value, overrides.value.value = '', 'tags', 'owner=财务'
overrides._set.click()
overrides.field.value, overrides.value.value = 'tenancy', 'nowhere'
overrides._set.click()
"""
TAKEN_BACK = """
[overrides._on_remove_click(one) for one in workbench.state.overrides]
plan._overrides.selected_index = None
plan._plan.click()
"""
#: What is clicked in each step, and what must hold before its picture is taken.
STEPS = [
    ("1-connect", 0, "connect._connect.click()", "workbench.state.access is not None"),
    ("2-inventory", 1, "inventory._load.click()", "workbench.inventory is not None"),
    ("3-eligibility", 2, "eligibility._check.click()", "workbench.eligibility is not None and eligibility.fixes.value"),
    (
        "3-eligibility-detail", 2,
        OPEN,
        "eligibility.detail.layout.display == ''",
    ),
    ("4-plan", 3, "plan._plan.click()", "workbench.plan is not None"),
    ("4-plan-overrides", 3, OVERRIDE, "len(workbench.state.overrides) == 2"),
    ("4-plan-again", 3, TAKEN_BACK, "workbench.plan is not None and not workbench.state.is_stale('plan')"),
    ("5-approve", 4, "approve.search.value = 'dr-00'", "True"),
    (
        "5-approved", 4,
        "approve._count.value = str(workbench.state.planned_servers); approve._approve.click()",
        "workbench.state.approval is not None",
    ),
    ("6-submitting", 5, "submit._submit.click()", "workbench.run is not None and workbench.run.counts['created']"),
    ("6-submitted", 5, "submit._log.selected_index = 0", "workbench.run.state == 'done'"),
    ("7-outcome", 6, "outcome._verify.click()", "workbench.outcome is not None"),
]  # fmt: skip
SIZES = {"wide": 1360, "narrow": 700}
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
#: The red of words on the dark theme, in which the last pictures are taken.
DARK_RED = "rgb(239, 154, 154)"
RUN_AXE = """async () => {
    const found = await axe.run(document.querySelector('.jp-OutputArea-output'), {resultTypes: ['violations']});
    return found.violations.filter(one => ['serious', 'critical'].includes(one.impact)).map(one =>
        `${one.id}: ${one.help}: ` + one.nodes.slice(0, 4).map(node => node.html.slice(0, 160)).join(' | '));
}"""


@pytest.fixture
def estate():
    """A sandbox of 240 servers as at the start, slow enough that a run is seen on its way."""
    with sdrs_nb.start_sandbox(servers=240, seed=7, speed=60) as sandbox:
        yield sandbox


def wait_until(notebook, expression):
    """Ask the kernel until ``expression`` holds."""
    deadline = time.monotonic() + 120
    while not (answer := notebook.ask_of(f"print(bool({expression}))").strip()).endswith("True"):
        assert time.monotonic() < deadline, answer
        notebook.page.wait_for_timeout(100)


def pictures(notebook, name, language):
    """Take the step's picture in each theme and width, and return what axe-core finds serious in each theme."""
    page, serious = notebook.page, []
    for theme, title in THEMES.items():
        notebook.theme(title)
        for size, width in SIZES.items():
            part = page.locator(".jp-OutputArea-output").first
            notebook.fit(part, width)
            notebook.screen(f"{language}-{name}-{theme}-{size}", part)
        serious += [f"{name}, {theme}: {text}" for text in page.evaluate(RUN_AXE)]
    return serious


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_step_is_pictured_and_accessible(notebook, estate, language):
    """Each step with 240 rows and one detail open, two servers failing: no serious violation in either theme."""
    if not AXE.is_file():
        pytest.fail("axe-core is not installed: run tools/install-axe.")
    environment = {**estate.environment(), "SDRS_NB_LANG": language}
    opened = notebook([f"import os\nos.environ.update({environment!r})\n{SHOW}", "None"])
    page = opened.page
    page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    opened.run(0)
    page.add_script_tag(content=AXE.read_text(encoding="utf-8"))

    serious = []
    for name, number, action, expected in STEPS:
        if name == "6-submitting":
            estate.set_faults({"match": "POST /v1/*/protected-instances/batch", "kind": "fail_subjob", "times": 2})
        if name == "6-submitted":
            estate.set_speed(1200)
        opened.ask_of(f"workbench._show({number})\n{action}")
        wait_until(opened, expected)
        opened.wait_until_still()
        serious += pictures(opened, name, language)

    assert serious == []
    expect(page.locator(".sdrs-steps .sdrs-step-bad")).to_have_count(2)
    expect(page.locator(".sdrs-panel .sdrs-status.sdrs-tone-bad").last).to_have_css("color", DARK_RED)
