"""Start JupyterLab on the notebooks with a sandbox cloud running and the notebooks pointed at it.

In English these are the notebooks of the checkout, in another language copies of them below ``out/``.
"""

import os
import subprocess
import sys
from pathlib import Path

import sdrs_nb
from sdrs_nb.i18n import LANGUAGES, current_language
from sdrs_nb.runbooks.runbooks import list_runbooks, write_runbook

ROOT = Path(__file__).resolve().parent.parent
_OPEN = "--LabApp.default_url=/lab/tree/00_start_here.ipynb"


def notebooks(language: str, root: Path = ROOT) -> Path:
    """Return the folder of the notebooks in ``language``, the current one; writes the copies that are missing there."""
    if language == LANGUAGES[0]:
        return root / "notebooks"
    folder = root / "out" / f"notebooks-{language}"
    folder.mkdir(parents=True, exist_ok=True)
    for name in list_runbooks():
        copy = folder / f"{name}.ipynb"
        if not copy.exists():
            write_runbook(name, copy)
    return folder


def main() -> int:
    """Run until JupyterLab ends; further arguments go to JupyterLab."""
    folder = notebooks(current_language())
    with sdrs_nb.start_sandbox() as sandbox:
        environment = {**os.environ, **sandbox.environment()}
        command = [sys.executable, "-m", "jupyterlab", f"--notebook-dir={folder}", _OPEN, *sys.argv[1:]]
        # In a container the only user is often root, which JupyterLab refuses unless told.
        command += ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        try:
            return subprocess.call(command, env=environment)
        except KeyboardInterrupt:
            return 0


if __name__ == "__main__":
    sys.exit(main())
