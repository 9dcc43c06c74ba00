"""Kill a submitting process with SIGKILL again and again, resume, and see that each server was created once.

    python -m tests.crash --kills 200 [--batches 60] [--seed 1] [--speed 300]

A sandbox process, and children that submit or resume a plan against it.  Each child dies at one seeded moment: right
after its n-th ledger write of one kind, some milliseconds after an intent (the request is in flight then), or some
time after its start.  The wall clock of each is off by five hours, either way or not at all.  A world bears several
deaths, on the way and while protection is enabled; in every other world the operator cancels what is not sent yet, and
dies of that too.  Then a last child finishes the run, another submits what was cancelled as a new plan, and the world,
the ledger and the request log must agree.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import httpx

import sdrs_nb
from sdrs_nb.ledger.ledger import Ledger
from sdrs_nb.models import Pace
from sdrs_nb.running.runs import list_runs, open_run

CREATE = "POST /v1/*/protected-instances/batch"
LIST = "GET /v1/*/protected-instances"
SETTLE_S = 180.0
#: What goes wrong beside the deaths, world by world.
FAULTS = {
    "nothing else": [],
    "slow creates": [{"match": CREATE, "kind": "slow", "seconds": 0.05, "probability": 0.5}],
    "lost answers": [{"match": CREATE, "kind": "lost_answer", "probability": 0.25}],
    "late handling": [{"match": CREATE, "kind": "late_handle", "seconds": 60, "probability": 0.25}],
    "dropped before they were handled": [
        {"match": CREATE, "kind": "reset", "probability": 0.2},
        {"match": CREATE, "kind": "status", "status": 502, "probability": 0.1},
    ],
    "handled around the settling time": [
        {"match": CREATE, "kind": "late_handle", "seconds": seconds, "probability": 0.06}
        for seconds in (150, 170, 178, 180, 182, 190, 215, 400)
    ],
    "slow lists": [
        {"match": LIST, "kind": "slow", "seconds": 1, "probability": 0.2},
        {"match": CREATE, "kind": "lost_answer", "probability": 0.15},
        {"match": CREATE, "kind": "late_handle", "seconds": 175, "probability": 0.1},
    ],
    "lagging lists": [
        {"match": LIST, "kind": "list_lag", "seconds": 60},
        {"match": CREATE, "kind": "lost_answer", "probability": 0.25},
    ],
}
#: In every world some looks fail, so that the ledger is written to about that too.
FAILING_LOOKS = {"match": "GET /v1/*/jobs/*", "kind": "status", "status": 409, "probability": 0.25}
#: Moments of death on the way: ledger writes by kind, in flight, by time.  "run" can only be a world's first death.
KINDS = ("intent", "answer", "look", "batch state", "run state", "in flight", "time", "control", "note")
#: Ledger writes that come at the end, when groups are enabled, and the operator's own.
ENDINGS = ("action intent", "action answer", "servers")
CANCEL = "release"
DEATHS_ON_THE_WAY = 5
_LIMIT_S = 180


@dataclass(frozen=True)
class Death:
    """When a child dies: after the ``nth`` write of ``kind``, ``delay_s`` later; by ``time``, after ``delay_s``."""

    kind: str
    nth: int = 1
    delay_s: float = 0.0


@dataclass
class Tally:
    """What happened in all worlds together."""

    deaths: Counter = field(default_factory=Counter)
    worlds: Counter = field(default_factory=Counter)
    creates: int = 0
    repeated: int = 0


def die():
    """End this process as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


def after_write_of(death):
    """Return what the ledger calls after each write: dies at the right one."""
    seen = Counter()

    def after_write(kind):
        seen[kind] += 1
        wanted = "intent" if death.kind == "in flight" else death.kind
        if kind == wanted and seen[kind] == death.nth:
            if not death.delay_s:
                die()
            threading.Timer(death.delay_s, die).start()

    return after_write


def child(facts, home, plan_path, death):
    """Submit the plan, or resume its run if there is one (or cancel what is not sent), and die when told."""
    os.environ["SDRS_NB_HOME"] = str(home)
    if death is not None and death.kind == "time":
        threading.Timer(death.delay_s, die).start()
    ledger = Ledger(after_write=after_write_of(death) if death else None, clock=stepped(death))
    if death is not None and death.kind == CANCEL:
        open_run(newest(ledger), ledger).cancel()
    else:
        asyncio.run(carry_out(facts, sdrs_nb.Plan.load(plan_path), ledger))


def stepped(death):
    """Return a wall clock that was set by hours: what it shows must decide nothing."""
    step = timedelta(hours=random.Random(repr(death)).choice((-5, 0, 5)))  # a test's draw
    return lambda: datetime.now(UTC) + step


def successor(facts, home):
    """Submit what the run left, as a new plan, and bring that to its end."""
    os.environ["SDRS_NB_HOME"] = str(home)

    async def submit():
        async with sdrs_nb.connect(**keys_of(facts)) as cloud:
            left = sdrs_nb.plan_remainder(await sdrs_nb.latest_run(cloud), await sdrs_nb.load_inventory(cloud)).creation
            if left is not None:
                await sdrs_nb.follow(cloud, await sdrs_nb.submit(cloud, left, approve=left.fingerprint))

    asyncio.run(submit())


def look_again(facts, home):
    """Resume every run."""
    os.environ["SDRS_NB_HOME"] = str(home)

    async def resume():
        async with sdrs_nb.connect(**keys_of(facts)) as cloud:
            for run_id in list_runs()["run_id"]:
                await sdrs_nb.resume(cloud, open_run(run_id))

    asyncio.run(resume())


def keys_of(facts):
    """Return what ``connect`` takes."""
    return {name: facts[name] for name in ("endpoint", "project_id", "access_key", "secret_key")} | {"sandbox": True}


def newest(ledger):
    """Return the newest run of the ledger."""
    return list_runs(ledger)["run_id"].iloc[0]


def rival(facts, home, plan_path, said):
    """Submit the plan whatever the ledger holds, and write down what was refused."""
    os.environ["SDRS_NB_HOME"] = str(home)

    async def submit():
        plan = sdrs_nb.Plan.load(plan_path)
        async with sdrs_nb.connect(**keys_of(facts)) as cloud:
            await sdrs_nb.follow(cloud, await sdrs_nb.submit(cloud, plan, approve=plan.fingerprint))

    try:
        asyncio.run(submit())
    except sdrs_nb.ClaimedError as error:
        Path(said).write_text(str(error), encoding="utf-8")


async def carry_out(facts, plan, ledger):
    """Bring the plan's run to its end."""
    async with sdrs_nb.connect(**keys_of(facts)) as cloud:
        if run := await sdrs_nb.find_run(cloud, plan, ledger=ledger):
            await sdrs_nb.resume(cloud, run)
            return
        pace = Pace(settle_s=SETTLE_S, enable_protection=True)
        run = await sdrs_nb.submit(cloud, plan, approve=plan.fingerprint, ledger=ledger, pace=pace)
        await sdrs_nb.follow(cloud, run)


async def planned(sandbox, batches, size=2):
    """Plan so many batches of ``size`` servers over every group that takes some."""
    async with sandbox.connect() as cloud:
        inventory = await sdrs_nb.load_inventory(cloud)
    every = sdrs_nb.check_eligibility(inventory)
    usable = every.verdicts[every.verdicts["verdict"].isin(["eligible", "warning"])]["server_id"]
    fitting = every.candidates[every.candidates["server_id"].isin(usable)]
    fitting = fitting[~fitting["server_id"].isin(every.clusters["server_id"])].drop_duplicates("server_id")
    # In turns from each group, so that groups are about equally long.
    turns = fitting.assign(turn=fitting.groupby("group_id").cumcount() // size).sort_values(["turn", "group_id"])
    chosen = []
    for _key, rows in turns.groupby(["turn", "group_id"], sort=True):
        if len(rows) == size and len(chosen) < batches * size:
            chosen += rows[["server_id", "group_id"]].itertuples(index=False)
    options = sdrs_nb.BatchOptions(batch_limit=size)
    ids = [row.server_id for row in chosen]
    choice = {row.server_id: row.group_id for row in chosen}
    judged = sdrs_nb.check_eligibility(inventory, server_ids=ids, group_choice=choice, options=options)
    plan = sdrs_nb.plan_batches(judged, name_prefix="crash")
    assert len(plan.batches) == batches, plan
    return plan


def deaths(seed, batches) -> Iterator[Death]:
    """Yield seeded deaths on the way, every kind in turn; early enough for a world to bear several."""
    draw = random.Random(seed)  # a test's draws
    most = max(1, min(10, batches // DEATHS_ON_THE_WAY))
    while True:
        for kind in KINDS:
            if kind == "time":
                yield Death(kind, delay_s=draw.uniform(0.05, 2.5))
            elif kind == "in flight":
                yield Death(kind, nth=draw.randint(1, most), delay_s=draw.uniform(0.002, 0.06))
            elif kind in ("run state", "control"):
                yield Death(kind)
            else:
                yield Death(kind, nth=draw.randint(1, most))


class Worlds:
    """One sandbox process, reset for each world."""

    def __init__(self, batches, speed, folder) -> None:
        self.folder = Path(folder)
        self.sandbox = sdrs_nb.start_sandbox(servers=max(240, batches * 12), seed=7, speed=speed)
        self.facts = {
            "endpoint": self.sandbox.endpoint,
            **{
                name: self.sandbox.environment()[f"SDRS_NB_{name.upper()}"]
                for name in ("project_id", "access_key", "secret_key")
            },
        }
        self.processes = multiprocessing.get_context("forkserver")
        stages = ["sdrs_nb.running.submission", "sdrs_nb.running.following", "sdrs_nb.planning.planning", "httpx"]
        self.processes.set_forkserver_preload(stages)
        self.plan = asyncio.run(planned(self.sandbox, batches))
        self.plan_path = self.plan.save(self.folder / "plan.json")

    def control(self, method, path, **parts):
        """Call one of the sandbox's control routes."""
        answer = httpx.request(method, f"{self.sandbox.endpoint}/_sandbox/{path}", timeout=60, **parts)
        return answer.raise_for_status().json()

    def run_child(self, home, death):
        """Run one child to its end and tell whether it was killed."""
        return self.run_process(child, self.facts, home, self.plan_path, death)

    def run_process(self, target, *args):
        """Run a function in a process of its own and tell whether it was killed."""
        process = self.processes.Process(target=target, args=args)
        process.start()
        process.join(_LIMIT_S)
        assert process.exitcode is not None, f"hangs: {args}"
        assert process.exitcode in (0, -signal.SIGKILL), (process.exitcode, args)
        return process.exitcode != 0

    def moments(self, number, on_the_way):
        """Yield the deaths of one world in order."""
        if number % 2 == 0:
            yield Death("run")
        for _ in range(DEATHS_ON_THE_WAY):
            yield next(on_the_way)
        if number % 2 == 1:
            yield Death(CANCEL)
        for kind in ENDINGS:
            yield Death(kind)

    def try_one(self, number, on_the_way, wanted, tally):
        """Let one world bear up to ``wanted`` deaths, finish its run, check it."""
        name = list(FAULTS)[number % len(FAULTS)]
        self.control("POST", "reset", json={})
        self.control("POST", "faults", json=[*FAULTS[name], FAILING_LOOKS])
        home = self.folder / f"home-{number}"
        for death in islice(self.moments(number, on_the_way), wanted):
            if self.run_child(home, death):  # else the run ended before that moment came
                tally.deaths[death.kind] += 1
            self.check_nothing_made_is_called_not_sent(home)
        self.run_child(home, None)
        # What is handled very late has been handled now, and is found by whoever looks again.
        self.control("POST", "advance", json={"seconds": 600})
        self.run_child(home, None)
        self.run_process(successor, self.facts, home)
        self.control("POST", "advance", json={"seconds": 600})
        self.run_process(look_again, self.facts, home)
        self.check(home, tally)
        tally.worlds[name] += 1

    def check_nothing_made_is_called_not_sent(self, home):
        """Check that a server that was given an instance is "not sent" in no run but one that never sent it."""
        made = {server for server, n in self.control("GET", "world")["creations"].items() if n}
        ledger = Ledger(Path(home) / "ledger.db")
        rows = ledger.rows(
            "SELECT s.server_id FROM servers s JOIN attempts a USING (run_id, batch_id) WHERE s.stage = 'not sent' "
            "AND (a.result IS NULL OR a.result <> 'not handled')"
        )
        ledger.close()
        assert not made & {row["server_id"] for row in rows}

    def check(self, home, tally):
        """Check that world, ledger and request log agree."""
        everybody = {server: 1 for batch in self.plan.batches for server in batch.server_ids}
        world, requests = self.control("GET", "world"), self.control("GET", "requests")
        ledger = Ledger(Path(home) / "ledger.db")
        runs = [open_run(run_id, ledger) for run_id in reversed(list_runs(ledger)["run_id"].tolist())]
        made = {server: n for server, n in world["creations"].items() if n}
        odd = [server for server in everybody if made.get(server) != 1]
        assert made == everybody, [run.servers[run.servers["server_id"].isin(odd)].to_dict("records") for run in runs]
        assert all(run.state == "done" for run in runs), [(run.state, run.message) for run in runs]
        # What the first run gave up is the successor's, whose word is the later one.
        told = {row.server_id: row for run in runs for row in run.servers.itertuples()}
        assert {row.stage for row in told.values()} <= {"created", "protected", "in sync"}, [run.counts for run in runs]
        instances = {one["source_server"]: one["id"] for one in world["instances"]}
        assert {server: row.protected_instance_id for server, row in told.items()} == {
            server: instances[server] for server in everybody
        }
        ledger.close()
        creates = [one for one in requests if one["path"].endswith("/protected-instances/batch")]
        tally.creates += len(creates)
        tally.repeated += assert_no_blind_resend(requests)


def assert_no_blind_resend(requests, settle_s=SETTLE_S):
    """Check every repeated create: since an accepted or unanswered one, its group was listed after the settling time.

    Returns how many creates were repeated.  The service's own refusal of a double may be needed only where an earlier
    request was handled later than the settling time allows for.
    """
    sent, repeated = {}, 0
    for number, request in enumerate(requests):
        if not request["path"].endswith("/protected-instances/batch"):
            continue
        body = request["body"]["protected_instances"]
        again = {sent[one["server_id"]] for one in body["servers"] if one["server_id"] in sent}
        for earlier in again:
            repeated += 1
            lists = [
                (moment(other) - moment(requests[earlier])).total_seconds()
                for other in requests[earlier + 1 : number]
                if other["method"] == "GET"
                and other["path"].endswith("/protected-instances")
                and other["query"].get("server_group_id") == body["server_group_id"]
                and other["status"] == 200
            ]
            assert any(seconds >= settle_s for seconds in lists), (earlier, number, lists)
        assert request["code"] != "SDRS.1305" or again, "the sandbox had to refuse a double"
        if request["status"] is None or request["status"] < 400 or request["status"] >= 500 or request["status"] == 408:
            sent |= {one["server_id"]: number for one in body["servers"]}
    return repeated


def moment(request):
    """Return when a request reached the sandbox, in cloud time."""
    return datetime.fromisoformat(request["at"])


def kill_and_resume(kills, batches, seed=1, speed=300.0, tell=None):
    """Let ``kills`` children die and return the tally; raises ``AssertionError`` at the first disagreement."""
    tally, on_the_way, number = Tally(), deaths(seed, batches), 0
    with tempfile.TemporaryDirectory() as folder:
        worlds = Worlds(batches, speed, folder)
        try:
            while (left := kills - sum(tally.deaths.values())) > 0:
                worlds.try_one(number, on_the_way, left, tally)
                number += 1
                if tell:
                    tell(f"{sum(tally.deaths.values())} deaths in {number} worlds: {dict(tally.deaths)}")
        finally:
            worlds.sandbox.stop()
    return tally


def main() -> int:
    """Parse the arguments, kill, print the tally as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--batches", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=float, default=300.0)
    given = parser.parse_args()
    begun = time.monotonic()
    tally = kill_and_resume(
        given.kills, given.batches, given.seed, given.speed, tell=lambda line: sys.stderr.write(line + "\n")
    )
    figures = {
        "deaths": dict(tally.deaths),
        "worlds": dict(tally.worlds),
        "creates": tally.creates,
        "repeated after settling": tally.repeated,
        "seconds": round(time.monotonic() - begun),
    }
    sys.stdout.write(json.dumps(figures) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
