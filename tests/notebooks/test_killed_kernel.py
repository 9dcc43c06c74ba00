"""A run whose kernel was killed half-way: the command line finishes and reports it, the workbench shows the same."""

import asyncio
import json
import subprocess
import sys
import time

import pandas as pd
import psutil
import pytest

import sdrs_nb
from sdrs_nb.widgets.writing import writer


@pytest.fixture
def sandbox(monkeypatch):
    """A sandbox that the environment of kernels and commands points to, slow enough to be interrupted."""
    with sdrs_nb.start_sandbox(servers=60, seed=7, speed=20) as process:
        for name, value in process.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("SDRS_NB_LANG", "en")
        yield process


def begin(approve, folder):
    """Start ``20_protect_servers`` under papermill, in a process of its own and a kernel below it."""
    words = ["runbook", "run", "20_protect_servers", "-p", "approve", approve, "-p", "out", str(folder)]
    return subprocess.Popen(
        [sys.executable, "-m", "sdrs_nb.cli", *words, "--out", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def kill_kernel_of(runbook):
    """End the kernel as a crash does; return how the process that ran the notebook left, and what it said."""
    (kernel,) = [one for one in psutil.Process(runbook.pid).children() if "ipykernel_launcher" in one.cmdline()]
    kernel.kill()
    _printed, said = runbook.communicate(timeout=120)
    return runbook.returncode, said


async def fingerprint_of_the_plan():
    """Name the plan that the runbook will make with its default parameters."""
    async with sdrs_nb.connect() as cloud:
        options = sdrs_nb.BatchOptions(batch_limit=5)
        eligibility = sdrs_nb.check_eligibility(await sdrs_nb.load_inventory(cloud), options=options)
        return sdrs_nb.plan_batches(eligibility, name_prefix="dr").fingerprint


def half_way():
    """Wait until one batch is accepted and another is not sent yet, as the ledger says; return the run's id."""
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        runs = sdrs_nb.list_runs()
        if len(runs) and {"accepted", "pending"} <= set(sdrs_nb.open_run(runs["run_id"][0]).batches["state"]):
            return runs["run_id"][0]
        time.sleep(0.02)
    raise AssertionError("the run was never half-way")


def command(*words):
    """Run ``sdrs-nb`` as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "sdrs_nb.cli", *map(str, words)], capture_output=True, text=True, timeout=120, check=True
    )


def stages(frame):
    """The stage of every server, by its id."""
    return dict(zip(frame["server_id"], frame["stage"], strict=True))


@pytest.mark.slow
def test_a_run_killed_in_a_notebook_is_finished_and_reported_by_commands(sandbox, tmp_path):
    """SIGKILL to the kernel, then resume and report: each server once, and the same server by server everywhere."""
    runbook = begin(asyncio.run(fingerprint_of_the_plan()), tmp_path / "out")
    run_id = half_way()
    code, said = kill_kernel_of(runbook)
    left = sdrs_nb.open_run(run_id).counts["not sent"]
    sandbox.set_speed(1200)

    resumed = pd.DataFrame(json.loads(command("resume", run_id, "--json").stdout))
    command("report", run_id, tmp_path / "report.html")

    run = sdrs_nb.open_run(run_id)
    panel = sdrs_nb.Workbench(sdrs_nb.connect(), run_id=run_id).panels[5]
    writer().flush()
    world = sandbox.world()
    planned = {server for batch in run.plan.batches for server in batch.server_ids}
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    reported = pd.read_csv(tmp_path / "report.csv", dtype="string")
    assert code == 1
    assert "sdrs-nb resume" in said
    assert "Traceback" not in said
    assert left > 0
    assert run.state == "done"
    assert {world["creations"][server] for server in planned} == {1}
    assert set(stages(resumed)) == planned
    assert stages(resumed) == stages(reported) == stages(panel.servers.rows) == stages(run.servers)
    assert set(stages(resumed).values()) <= {"created", "protected", "in sync"}
    assert f"{len(planned)} of {len(planned)} planned servers have a protected instance." in page
    assert all(server in page for server in planned)
    assert panel.batches.rows["state"].tolist() == ["ended"] * len(run.batches)
