"""Fixtures of the browser tests: Debian's Chromium, a real JupyterLab, and pages that may not leave it."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab import LabServer, Notebook

_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


# What a kernel does can take long on a machine that runs other tests beside; only a fault lets this time run out.
expect.set_options(timeout=60_000)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark these tests and put them last: Playwright leaves an event loop behind, under which no async test starts."""
    here = [item for item in items if "tests/browser/" in item.path.as_posix()]
    for item in here:
        item.add_marker(pytest.mark.browser)
    items[:] = [item for item in items if item not in here] + here


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Drive the Chromium that the system installed; Playwright downloads none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.fail("No Chromium on this machine: run tools/install-browser.")
    return {"executable_path": found, "args": _FLAGS.split()}


@pytest.fixture(scope="session")
def browser_context_args() -> dict[str, Any]:
    """Give every page one size and let it use the clipboard."""
    return {
        "viewport": {"width": 1360, "height": 860},
        "permissions": ["clipboard-read", "clipboard-write"],
        "accept_downloads": True,
    }


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    """Run one JupyterLab for all tests."""
    server = LabServer(tmp_path_factory.mktemp("lab"))
    yield server
    server.stop()


@pytest.fixture
def left_alone(page: Page, lab: LabServer) -> Iterator[Page]:
    """Watch a page, and fail the test when it opened a dialog, asked another host, or its script failed."""
    seen: list[str] = []
    origin = urlsplit(lab.origin).netloc

    def note_request(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"data", "blob"} and parts.netloc != origin:
            seen.append(f"request to {url}")

    page.on("request", lambda request: note_request(request.url))
    page.on("websocket", lambda websocket: note_request(websocket.url))
    page.on("dialog", lambda dialog: (seen.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on("pageerror", lambda error: seen.append(f"script error {error}"))
    yield page
    assert seen == []


@pytest.fixture
def notebook(
    left_alone: Page, lab: LabServer, request: pytest.FixtureRequest
) -> Iterator[Callable[[Sequence[str]], Notebook]]:
    """Give a function that writes a notebook of the given cells and opens it; kernels end with the test."""

    def opened(cells: Sequence[str]) -> Notebook:
        path = lab.write(f"{request.node.name.replace('[', '-').replace(']', '')}.ipynb", cells)
        return Notebook(left_alone, lab, path)

    yield opened
    left_alone.evaluate("() => window.jupyterapp?.serviceManager.sessions.shutdownAll()")
