"""A real JupyterLab for the tests, and a notebook page in it that can be driven."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

SCREENS = Path("out/screens")

# The news toast covers the page and takes the Tab focus; the update check leaves the machine.
_SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
}

_KERNEL_IS_IDLE = """path => {
    const panel = [...(window.jupyterapp?.shell?.widgets('main') ?? [])].find(one => one.context?.path === path);
    const kernel = panel?.sessionContext?.session?.kernel;
    return kernel?.connectionStatus === 'connected' && kernel.status === 'idle';
}"""

_RUN = """async ([path, at]) => {
    const panel = [...window.jupyterapp.shell.widgets('main')].find(one => one.context?.path === path);
    panel.content.activeCellIndex = at;
    panel.content.deselectAll();
    await window.jupyterapp.commands.execute('notebook:run-cell');
}"""

_KEEPS_STILL = """() => new Promise(resolve => {
    const outputs = () => [...document.querySelectorAll('.jp-OutputArea-output')];
    const seen = () => outputs().map(one =>
        `${one.offsetWidth} ${one.offsetHeight} ${one.querySelectorAll('*').length}`).join();
    let last = seen(), since = performance.now();
    const begun = since;
    const look = now => {
        const present = seen();
        if (present !== last) [last, since] = [present, now];
        now - since > 150 || now - begun > 5000 ? resolve() : requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
})"""

_OUTPUTS = """([path, at]) => {
    const panel = [...window.jupyterapp.shell.widgets('main')].find(one => one.context?.path === path);
    return panel.content.widgets[at].model.outputs.toJSON();
}"""

_WRITE = """([path, at, source]) => {
    const panel = [...window.jupyterapp.shell.widgets('main')].find(one => one.context?.path === path);
    panel.content.widgets[at].model.sharedModel.setSource(source);
}"""

_CELLS = """path => {
    const panel = [...window.jupyterapp.shell.widgets('main')].find(one => one.context?.path === path);
    return panel.content.widgets.length;
}"""


class LabServer:
    """JupyterLab in a process of its own, on a free loopback port, with its own home."""

    def __init__(self, home: Path) -> None:
        self.root = home / "notebooks"
        self.token = secrets.token_hex(16)
        settings = home / "settings"
        for folder in (self.root, settings):
            folder.mkdir(parents=True)
        (settings / "overrides.json").write_text(json.dumps(_SETTINGS), encoding="utf-8")
        self.origin = f"http://127.0.0.1:{free_port()}"
        self._log = (home / "lab.log").open("wb")
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"),
                f"--ServerApp.root_dir={self.root}",
                f"--ServerApp.port={self.origin.rpartition(':')[2]}",
                "--ServerApp.port_retries=0",
                f"--IdentityProvider.token={self.token}",
                "--LabApp.extension_manager=readonly",
                f"--LabApp.app_settings_dir={settings}",
                f"--LabApp.user_settings_dir={home / 'user-settings'}",
                f"--LabApp.workspaces_dir={home / 'workspaces'}",
            ],
            env=_environment(home),
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._wait_until_up(home / "lab.log")

    def _wait_until_up(self, log: Path) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"JupyterLab ended at once:\n{log.read_text(encoding='utf-8')}")
            try:
                with urllib.request.urlopen(f"{self.origin}/api/status?token={self.token}", timeout=5):
                    return
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
        raise RuntimeError(f"JupyterLab did not answer within a minute:\n{log.read_text(encoding='utf-8')}")

    def stop(self) -> None:
        """End the server and its kernels."""
        os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._log.close()

    def write(self, name: str, cells: Sequence[str]) -> str:
        """Write a notebook of code cells below the server's root and return its path."""
        document = {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
            "cells": [_code_cell(f"cell-{at}", source) for at, source in enumerate(cells)],
        }
        (self.root / name).write_text(json.dumps(document), encoding="utf-8")
        return name


class Notebook:
    """A notebook open in a page."""

    def __init__(self, page: Page, server: LabServer, path: str) -> None:
        self.page, self.server, self.path = page, server, path
        self.open()

    def open(self, *, reset: bool = True) -> None:
        """Open the notebook in the page and wait for its kernel; ``reset`` forgets the workspace first."""
        question = f"{'reset&' if reset else ''}token={self.server.token}"
        self.page.goto(f"{self.server.origin}/lab/tree/{self.path}?{question}")
        self.wait_for_kernel()

    def wait_for_kernel(self) -> None:
        """Wait until the kernel is connected and idle."""
        self.page.wait_for_function("() => window.jupyterapp !== undefined", timeout=60_000)
        self.page.wait_for_function(_KERNEL_IS_IDLE, arg=self.path, timeout=60_000)

    def run(self, at: int) -> None:
        """Run one cell and wait until it has ended."""
        self.page.evaluate(_RUN, [self.path, at])

    def text(self, at: int) -> str:
        """Return the plain text of a cell's outputs."""
        outputs: list[dict[str, Any]] = self.page.evaluate(_OUTPUTS, [self.path, at])
        return "".join(_text(output) for output in outputs)

    def ask(self, at: int) -> str:
        """Run a cell and return the plain text of its outputs."""
        self.run(at)
        return self.text(at)

    def ask_of(self, source: str) -> str:
        """Write ``source`` into the last cell, run it, and return the plain text of its outputs."""
        last = self.cell_count() - 1
        self.page.evaluate(_WRITE, [self.path, last, source])
        return self.ask(last)

    def ask_until(self, at: int, expected: Callable[[str], bool]) -> str:
        """Run a cell again and again, for at most half a minute, until its text is as expected; return the text."""
        deadline = time.monotonic() + 30
        while not expected(text := self.ask(at)) and time.monotonic() < deadline:
            self.page.wait_for_timeout(50)
        return text

    def cell_count(self) -> int:
        """Return how many cells the notebook has."""
        return int(self.page.evaluate(_CELLS, self.path))

    def save(self) -> dict[str, Any]:
        """Save the notebook and return what is in the file."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
        document: dict[str, Any] = json.loads((self.server.root / self.path).read_text(encoding="utf-8"))
        return document

    def theme(self, name: str) -> None:
        """Change the theme: ``JupyterLab Light`` or ``JupyterLab Dark``."""
        self.page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", name)
        light = "true" if "Light" in name else "false"
        self.page.wait_for_selector(f'body[data-jp-theme-light="{light}"]', state="attached")

    def wait_until_still(self) -> None:
        """Wait until no output changes its size or its elements any more, for five seconds at most."""
        self.page.evaluate(_KEEPS_STILL)

    def fit(self, part: Locator, width: int) -> None:
        """Make the page ``width`` wide and taller than ``part``: JupyterLab does not draw what has scrolled away."""
        self.page.set_viewport_size({"width": width, "height": 6000})
        # A theme or a width that was just changed may take the part off the page for a moment.
        expect(part).to_be_visible()
        self.wait_until_still()
        self.page.set_viewport_size({"width": width, "height": int(part.evaluate("one => one.offsetHeight")) + 400})
        self.wait_until_still()

    def screen(self, name: str, part: Locator | None = None) -> None:
        """Keep a picture of the page, or of one part of it, under ``out/screens``."""
        SCREENS.mkdir(parents=True, exist_ok=True)
        (part or self.page).screenshot(path=SCREENS / f"{name}.png")


def _code_cell(name: str, source: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "id": name,
        "metadata": {},
        "execution_count": None,
        "outputs": [],
        "source": source,
    }


def _text(output: dict[str, Any]) -> str:
    if output["output_type"] == "error":
        raise AssertionError("\n".join([output["evalue"], *output["traceback"]]))
    text = output.get("text", output.get("data", {}).get("text/plain", ""))
    return text if isinstance(text, str) else "".join(text)


def _environment(home: Path) -> dict[str, str]:
    folders = {
        "HOME": home,
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "IPYTHONDIR": home / "ipython",
        "SDRS_NB_HOME": home / "sdrs",
    }
    return {**os.environ, **{name: str(folder) for name, folder in folders.items()}, "SDRS_NB_LANG": "en"}


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
