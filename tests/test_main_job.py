"""The main job over a real sandbox process: load, check, plan, submit, follow, verify, report."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

import sdrs_nb
from sdrs_nb import loop
from sdrs_nb.running.runs import list_runs, open_run

#: Cloud seconds a second once a run need not be seen on its way any more.
FAST = 1200
SUBMIT_AND_FOLLOW = """
import asyncio, json, sys
import sdrs_nb
plan = sdrs_nb.Plan.load(sys.argv[1])
async def main():
    async with sdrs_nb.connect() as cloud:
        run = await sdrs_nb.submit(cloud, plan, approve=plan.fingerprint)
        await sdrs_nb.follow(cloud, run, on_change=lambda run: print(json.dumps(run.counts), flush=True), every_s=0.01)
asyncio.run(main())
"""


def told(sandbox, path):
    """Read one of the sandbox's control routes."""
    return httpx.get(f"{sandbox.endpoint}/_sandbox/{path}").json()


async def planned(sandbox, **options):
    """Load, check and plan everything, as a new process would."""
    async with sandbox.connect() as cloud:
        inventory = await sdrs_nb.load_inventory(cloud)
    return sdrs_nb.plan_batches(sdrs_nb.check_eligibility(inventory, **options), name_prefix="t")


async def test_the_same_seed_gives_the_same_plan_and_one_other_server_another():
    """Two estates of one seed plan alike, byte for byte; leaving one server out gives another fingerprint."""
    with sdrs_nb.start_sandbox(servers=120, seed=5) as one, sdrs_nb.start_sandbox(servers=120, seed=5) as two:
        first, second = await planned(one), await planned(two)
        alone = next(batch.server_ids[0] for batch in first.batches if len(batch.server_ids) > 1)
        others = [server for batch in first.batches for server in batch.server_ids if server != alone]
        fewer = await planned(one, server_ids=others)

    assert first.fingerprint == second.fingerprint
    assert first.payloads() == second.payloads()
    assert fewer.fingerprint != first.fingerprint


def test_a_run_that_was_killed_is_finished_by_resume(tmp_path, monkeypatch):
    """SIGKILL in the middle, then resume from the ledger alone: each server created once, no blind second create."""
    with sdrs_nb.start_sandbox(servers=120, seed=5, speed=20) as sandbox:
        plan = loop.wait(planned(sandbox))
        plan.save(tmp_path / "plan.json")
        environment = {**os.environ, **sandbox.environment()}
        child = subprocess.Popen(
            [sys.executable, "-c", SUBMIT_AND_FOLLOW, str(tmp_path / "plan.json")],
            env=environment, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        for line in child.stdout:
            if json.loads(line)["accepted"]:
                break
        child.send_signal(signal.SIGKILL)
        child.communicate()
        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        run_id = list_runs()["run_id"].iloc[0]
        sandbox.set_speed(FAST)

        resumed = subprocess.run(
            [sys.executable, "-m", "sdrs_nb.cli", "resume", run_id, "--json"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip

        everybody = {server: 1 for batch in plan.batches for server in batch.server_ids}
        world = told(sandbox, "world")
        assert {server: n for server, n in world["creations"].items() if n} == everybody
        assert {row["stage"] for row in json.loads(resumed.stdout)} <= {"created", "protected", "in sync"}
        assert open_run(run_id).state == "done"
        assert_no_blind_resend(told(sandbox, "requests"))


def assert_no_blind_resend(requests):
    """Check that each repeated server was looked up in its group's list since it was last sent."""
    sent = {}
    for number, request in enumerate(requests):
        if not request["path"].endswith("/protected-instances/batch"):
            continue
        body = request["body"]["protected_instances"]
        group = body["server_group_id"]
        for server in body["servers"]:
            if (earlier := sent.get(server["server_id"])) is not None:
                between = requests[earlier + 1 : number]
                assert any(r["method"] == "GET" and f"server_group_id={group}" in str(r["query"]) for r in between)
            sent[server["server_id"]] = number


@pytest.mark.parametrize("name", ["report.html", "deep/er/report.html"])
async def test_the_report_stands_alone_and_shows_hostile_names_as_text(tmp_path, name):
    """The report names every planned server, loads nothing, and holds markup of names only as text."""
    with sdrs_nb.start_sandbox(servers=240, seed=7, speed=3600) as sandbox:
        plan = await planned(sandbox)
        async with sandbox.connect() as cloud:
            run = await sdrs_nb.submit(cloud, plan, approve=plan.fingerprint)
            await sdrs_nb.follow(cloud, run)
        secret = sandbox.environment()["SDRS_NB_SECRET_KEY"]

    path = sdrs_nb.report(run, tmp_path / name)

    text = path.read_text(encoding="utf-8")
    assert all(server in text for batch in plan.batches for server in batch.server_ids)
    assert "<script" not in text
    assert "<img" not in text
    assert "http-equiv" in text
    assert secret not in text
    assert secret.encode() not in Path(run.ledger.path).read_bytes()
    assert path.with_suffix(".csv").read_text(encoding="utf-8-sig").count("\n") >= len(run.servers)
