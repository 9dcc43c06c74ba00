"""``sdrs-nb`` as a shell runs it.  Used as a pytest plugin."""

import os
import subprocess
import sys

import pytest


@pytest.fixture
def shell(tmp_path):
    """Run ``sdrs-nb`` as a process of its own in an empty folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SDRS_NB_")}
    environment |= {"SDRS_NB_HOME": os.environ["SDRS_NB_HOME"], "SDRS_NB_LANG": "en"}

    def run(*words, **extra):
        return subprocess.run(
            [sys.executable, "-m", "sdrs_nb.cli", *map(str, words)],
            env=environment | extra,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run
