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

    def run(*words, input=None, wait=True, **extra):  # noqa: A002 - as subprocess calls it
        command = [sys.executable, "-m", "sdrs_nb.cli", *map(str, words)]
        where = {"env": environment | extra, "cwd": tmp_path, "text": True}
        if not wait:
            return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **where)
        return subprocess.run(command, input=input, capture_output=True, timeout=120, check=False, **where)

    return run
