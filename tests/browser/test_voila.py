"""The workbench as an application of its own: the same widgets under Voila, without a notebook's cells."""

import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect

import sdrs_nb
from tests.browser.lab import LabServer, free_port

SHOW = "import sdrs_nb\nworkbench = sdrs_nb.Workbench()\nworkbench"


@pytest.fixture
def voila(lab: LabServer, tmp_path):
    """Voila serving one notebook that shows the workbench, pointed at a sandbox."""
    with sdrs_nb.start_sandbox(servers=60, seed=3, speed=60) as sandbox:
        notebook = Path(shutil.copy(lab.root / lab.write("voila.ipynb", [SHOW]), tmp_path))
        port = free_port()
        folders = {"HOME": str(tmp_path), "SDRS_NB_HOME": str(tmp_path / "home"), "SDRS_NB_LANG": "en"}
        with subprocess.Popen(
            [sys.executable, "-m", "voila", str(notebook), "--no-browser", f"--port={port}"],
            env={**os.environ, **folders, **sandbox.environment()},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            yield f"http://127.0.0.1:{port}/"
            process.terminate()


def test_the_workbench_works_under_voila(voila, page):
    """Connect and load by mouse; the grid shows rows.  Voila's own style sheet for icons is kept from leaving."""
    page.route(re.compile(r"https://"), lambda route: route.abort())
    wait_for(page, voila)
    page.goto(voila)

    page.get_by_role("button", name=re.compile("^Connect")).click()
    expect(page.get_by_role("button", name=re.compile("^1 Connect ● done"))).to_be_visible()
    page.get_by_role("button", name=re.compile("^Next: Inventory")).click()
    page.get_by_role("button", name=re.compile("^Load inventory")).click()

    expect(page.locator(".sdrs-line:not(.sdrs-coming)").first).to_be_visible()


def wait_for(page, address):
    """Wait until something answers at ``address``."""
    for _attempt in range(150):
        try:
            urllib.request.urlopen(address, timeout=60).close()
        except (urllib.error.URLError, ConnectionError):
            page.wait_for_timeout(200)
        else:
            return
    raise AssertionError("Voila did not answer")
