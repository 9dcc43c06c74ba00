"""What is measured: names, sizes, scripts, and the world each pair of scripts works on."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """One figure: our script, the baseline's, the sizes, and what gives both their arguments."""

    name: str
    ours: str
    baseline: str
    sizes: tuple[int, ...]
    quick_sizes: tuple[int, ...]
    target: str
    world: Callable[[int], AbstractContextManager[list[str]]]


@contextmanager
def sandbox(size: int) -> Iterator[list[str]]:
    """A sandbox cloud of ``size`` servers; the scripts get its endpoint and credentials as JSON."""
    command = [sys.executable, "-m", "sdrs_nb.sandbox", "--port", "0", "--servers", str(size), "--seed", "7"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield [process.stdout.readline().strip()]
        finally:
            process.terminate()


@contextmanager
def estate(size: int) -> Iterator[list[str]]:
    """A folder with the frames of an estate of ``size`` servers."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, str(HERE / "estate.py"), str(size), folder], check=True)
        yield [json.dumps({"folder": folder})]


CASES = (
    Case(
        "inventory loading", "inventory_loading.py", "baseline_inventory_loading.py",
        (1_000, 10_000), (1_000,), "ratio < 1", sandbox,
    ),
    Case(
        "eligibility", "eligibility.py", "baseline_eligibility.py",
        (10_000, 100_000), (10_000,), "ratio <= 3", estate,
    ),
)  # fmt: skip
