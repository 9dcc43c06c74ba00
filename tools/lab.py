"""Start JupyterLab on the notebooks with a sandbox cloud running and the notebooks pointed at it."""

import os
import subprocess
import sys
from pathlib import Path

import sdrs_nb

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
_OPEN = "--LabApp.default_url=/lab/tree/00_start_here.ipynb"


def main() -> int:
    """Run until JupyterLab ends; further arguments go to JupyterLab."""
    with sdrs_nb.start_sandbox() as sandbox:
        environment = {**os.environ, **sandbox.environment()}
        command = [sys.executable, "-m", "jupyterlab", f"--notebook-dir={NOTEBOOKS}", _OPEN, *sys.argv[1:]]
        # In a container the only user is often root, which JupyterLab refuses unless told.
        command += ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        try:
            return subprocess.call(command, env=environment)
        except KeyboardInterrupt:
            return 0


if __name__ == "__main__":
    sys.exit(main())
