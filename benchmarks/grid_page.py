"""A real JupyterLab in Chromium that shows a frame in a grid: seconds until rows stand on the screen.

Shared by both scripts of the grid's cases, so that ours and the baseline are measured in the same way: Lab, kernel and
frame are ready before the clock starts, and what counts is what the page shows.
"""

import json
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.browser.conftest import _FLAGS
from tests.browser.lab import LabServer, Notebook

FRAME = """
import pandas as pd
SIZE = {size}
frame = pd.DataFrame({{
    "name": [f"erp-app-{{n:06}}" for n in range(SIZE - 1)] + ["needle"],
    "server_id": [f"0f7b91d2-{{n:012}}" for n in range(SIZE)],
    **{{f"fact_{{at}}": [f"value {{(n * at) % 97}}" for n in range(SIZE)] for at in range(1, 12)}},
    **{{f"number_{{at}}": [(n * at) % 1009 for n in range(SIZE)] for at in range(1, 8)}},
}})
"""
MEMORY = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
LIMIT_MS = 180_000


def measure(show: str, narrow: str, shown: str, narrowed: str, remember: str = "() => 0") -> None:
    """Measure what the arguments ask for and print the figures.

    ``show`` and ``narrow`` are cells; ``shown`` and ``narrowed`` are JavaScript that tells when the page is there, the
    latter given what ``remember`` returned before.
    """
    asked = json.loads(sys.argv[1])
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        import shutil

        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_FLAGS.split())
        server = LabServer(Path(home))
        try:
            page = browser.new_page(viewport={"width": 1360, "height": 860})
            path = server.write("grid.ipynb", [FRAME.format(size=asked["size"]), show, narrow, MEMORY])
            notebook = Notebook(page, server, path)
            notebook.run(0)
            seconds = _timed(page, notebook, 1, shown, None)
            if asked["what"] == "filter":
                page.wait_for_timeout(2000)  # whatever a grid prepares in the background after its first rows
                seconds = _timed(page, notebook, 2, narrowed, page.evaluate(remember))
            peak = float(notebook.ask(3))
        finally:
            server.stop()
            browser.close()
    print(json.dumps({"seconds": seconds, "peak_mib": peak}))


def _timed(page, notebook, cell, condition, argument):
    run = f"""async ([path, at, argument]) => {{
        const panel = [...window.jupyterapp.shell.widgets('main')].find(one => one.context?.path === path);
        panel.content.activeCellIndex = at;
        panel.content.deselectAll();
        const begun = performance.now(), holds = {condition};
        const ran = window.jupyterapp.commands.execute('notebook:run-cell');
        while (!holds(argument)) {{
            if (performance.now() - begun > {LIMIT_MS}) throw new Error('nothing on the screen');
            await new Promise(requestAnimationFrame);
        }}
        const seconds = (performance.now() - begun) / 1000;
        await ran;
        return seconds;
    }}"""
    return page.evaluate(run, [notebook.path, cell, argument])
