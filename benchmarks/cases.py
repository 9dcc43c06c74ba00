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
    #: The work changes its world: each script gets one of its own, and once is enough.
    is_fresh: bool = False


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
def submission(size: int) -> Iterator[list[str]]:
    """A sandbox with 100 ms latency and 3-minute jobs at speed 20, eight groups, and a plan of ``size`` servers."""
    speed, latency_s = 20, 0.1
    servers = max(size * 4, 400)
    command = [sys.executable, "-m", "sdrs_nb.sandbox", "--port", "0", "--servers", str(servers), "--seed", "7"]
    command += ["--speed", str(speed), "--latency", str(latency_s * 1000)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process, tempfile.TemporaryDirectory() as home:
        try:
            assert process.stdout is not None
            found = process.stdout.readline().strip()
            plan = str(Path(home) / "plan.json")
            subprocess.run([sys.executable, str(HERE / "submission_plan.py"), found, str(size), plan], check=True)
            yield [json.dumps({**json.loads(found), "plan": plan, "speed": speed, "latency_s": latency_s})]
        finally:
            process.terminate()


@contextmanager
def estate(size: int) -> Iterator[list[str]]:
    """A folder with the frames of an estate of ``size`` servers."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, str(HERE / "estate.py"), str(size), folder], check=True)
        yield [json.dumps({"folder": folder})]


def own_world(what: str) -> Callable[[int], AbstractContextManager[list[str]]]:
    """Nothing but the size and what is measured: each script makes a world of its own (a page, a sandbox, a run)."""

    @contextmanager
    def world(size: int) -> Iterator[list[str]]:
        yield [json.dumps({"size": size, "what": what})]

    return world


CASES = (
    Case(
        "sandbox start", "sandbox_start.py", "",
        (100_000,), (10_000,), "< 15 s, page 25 ms", own_world("start"),
    ),
    Case(
        "inventory loading", "inventory_loading.py", "baseline_inventory_loading.py",
        (1_000, 10_000), (1_000,), "ratio < 1", sandbox,
    ),
    Case(
        "bounds of answers", "inventory_loading.py", "baseline_bounds.py",
        (10_000,), (10_000,), "ratio <= 1.05", sandbox,
    ),
    Case(
        "eligibility", "eligibility.py", "baseline_eligibility.py",
        (10_000, 100_000), (10_000,), "ratio <= 3", estate,
    ),
    Case(
        "eligibility at 1M", "eligibility.py", "",
        (1_000_000,), (), "< 4096 MiB", estate,
    ),
    Case(
        "eligibility rules", "rules_of_servers.py", "baseline_rules_pandera.py",
        (10_000,), (10_000,), "ratio <= 0.2", estate,
    ),
    Case(
        "planning", "planning.py", "baseline_planning.py",
        (100_000,), (10_000,), "< 2 s", estate,
    ),
    Case(
        "report", "report.py", "",
        (1_000,), (1_000,), "< 3 s, 5 MB", own_world("report"),
    ),
    Case(
        "grid, first rows", "grid.py", "baseline_grid.py",
        (1_000, 10_000, 100_000), (10_000,), "ratio < 1, 1 s", own_world("first"),
    ),
    Case(
        "grid, filter", "grid.py", "baseline_grid.py",
        (1_000, 10_000, 100_000), (10_000,), "ratio < 1, 0.3 s", own_world("filter"),
    ),
    Case(
        "submission", "submission.py", "baseline_submission.py",
        (1_000,), (40,), "2.0 calls, 1.15", submission, is_fresh=True,
    ),
)  # fmt: skip
