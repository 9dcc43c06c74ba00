"""The coverage panel in a real JupyterLab: chips, drift, a comparison; pictures in both themes, held to axe-core."""

import pytest
from playwright.sync_api import expect

import sdrs_nb
from tests.browser.test_screens import AXE, RUN_AXE, THEMES

#: A DR server's name and tags are changed in what is shown, so that there is drift; the earlier look lacks two servers.
SHOW = """
import sdrs_nb
cloud = sdrs_nb.connect()
found = await sdrs_nb.coverage(cloud)
servers = found.inventory.servers
pair = found.servers[found.servers["dr_server_id"].notna()].iloc[0]
servers.loc[servers["server_id"] == pair["dr_server_id"], ["name", "tags"]] = ["<b>moved</b>", "team=other"]
changed = found.inventory.with_frame("servers", servers)
earlier = found.inventory.with_frame("servers", found.inventory.servers.iloc[2:])
panel = sdrs_nb.CoveragePanel(cloud, found=sdrs_nb.cover(changed), earlier=earlier)
panel
"""


def moved(page):
    """The cells of the grids that show the changed name."""
    return page.locator(".sdrs-grid").get_by_text("<b>moved</b>", exact=True)


@pytest.fixture(scope="module")
def estate():
    """A sandbox of 240 servers."""
    with sdrs_nb.start_sandbox(servers=240, seed=7, speed=600) as sandbox:
        yield sandbox


@pytest.mark.parametrize("language", ["en", "zh"])
def test_coverage_is_pictured_and_accessible(notebook, estate, language):
    """Light and dark, with drift and a comparison open: no serious violation, and hostile names are text."""
    environment = {**estate.environment(), "SDRS_NB_LANG": language}
    opened = notebook([f"import os\nos.environ.update({environment!r})\n{SHOW}", "None"])
    page = opened.page
    page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    opened.run(0)
    page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
    part = page.locator(".jp-OutputArea-output").first
    expect(moved(page).first).to_be_visible()

    serious = []
    for theme, title in THEMES.items():
        opened.theme(title)
        opened.fit(part, 1360)
        opened.screen(f"{language}-coverage-{theme}", part)
        serious += [f"{theme}: {text}" for text in page.evaluate(RUN_AXE)]

    assert serious == []


def test_a_chip_filters_and_a_look_reads_the_cloud_anew(notebook, estate):
    """By mouse: a chip shows only its servers; Look again takes the changed names away, for the cloud has none."""
    opened = notebook([f"import os\nos.environ.update({estate.environment()!r})\n{SHOW}", "None"])
    page = opened.page
    opened.run(0)
    expect(moved(page).first).to_be_visible()

    page.get_by_role("button", name="■ unprotected").click()
    shown = opened.ask_of("print(set(panel.servers.shown['cover']))").strip()
    page.get_by_role("button", name="Look again").click()
    expect(moved(page)).to_have_count(0)

    assert shown == "{'unprotected'}"
    assert opened.ask_of("print(len(panel.found.drift))").strip() == "0"
