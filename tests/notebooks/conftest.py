"""What kernels need beside the fixtures of all tests."""

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def a_home_that_exists(no_waiting_and_a_home_of_its_own):
    """Jupyter and IPython keep their files in the home folder."""
    Path(os.environ["HOME"]).mkdir()
