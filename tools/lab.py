"""Start JupyterLab on the notebooks with a sandbox cloud running and the notebooks pointed at it."""

import os
import subprocess
import sys
from pathlib import Path

import sdrs_nb

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"


def main() -> int:
    """Run until JupyterLab ends; further arguments go to JupyterLab."""
    with sdrs_nb.start_sandbox() as sandbox:
        environment = {**os.environ, **sandbox.environment()}
        command = [sys.executable, "-m", "jupyterlab", f"--notebook-dir={NOTEBOOKS}", *sys.argv[1:]]
        try:
            return subprocess.call(command, env=environment)
        except KeyboardInterrupt:
            return 0


if __name__ == "__main__":
    sys.exit(main())
