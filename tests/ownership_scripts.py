"""Random scripts of two operators and a colleague on one sandbox: whose instances are whose, by the sandbox's own log.

    python -m tests.ownership_scripts --scripts 100 [--seed 1]

Two ledgers that know nothing of each other, one cloud.  In random order: plans of one operator or the other, the same
plan twice, refusals, lost answers, late handling, answers without a job, vanished jobs, single creates, instances that
somebody makes by hand (some with the very prefix of a plan), remainders planned as new runs, verifying.  The sandbox
notes which request made which instance and which job answered it.  Then for every run: what the undo names was made by
a request whose answer the run has, or, when asked for, bears its name and is not older than a request of its in doubt;
every stage agrees with the notes; and submitting the undo deletes nothing else.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

import httpx

import sdrs_nb
from sdrs_nb.ledger.ledger import Ledger
from sdrs_nb.models import Call, Pace
from sdrs_nb.running.ownership import Instance
from sdrs_nb.running.runs import list_runs, open_run
from sdrs_nb.sandbox import Sandbox, Settings
from tests.builders_running import CloudTime, control, faults

CREATES = ("POST /v1/*/protected-instances/batch", "POST /v1/*/protected-instances")
FAULTS = (
    None,
    {"kind": "status", "status": 400, "body": {"error": {"code": "SDRS.0209", "message": "refused"}}},
    {"kind": "status", "status": 503},
    {"kind": "lost_answer"},
    {"kind": "no_job_id"},
    {"kind": "late_handle", "seconds": 60},
    {"kind": "late_handle", "seconds": 400},
    {"kind": "vanish_job", "seconds": 0},
    {"kind": "fail_subjob", "code": "SDRS.1306", "n": 1},
    {"kind": "reset"},
)
MADE = {"created", "protected", "in sync"}


class Notes:
    """What the sandbox really did: for every instance the request that made it and the job that answered."""

    def __init__(self, sandbox):
        self.job_of, self.order = {}, {}
        handle = sandbox.service._handle

        def noting(call, handler, logged):
            before = set(call.world.instances)
            reply = None
            try:
                reply = handle(call, handler, logged)
            finally:
                job = json.loads(reply.encoded()).get("job_id") if reply is not None and reply.body else None
                for instance in set(call.world.instances) - before:
                    self.job_of[instance], self.order[instance] = job, logged.arrival
            return reply

        sandbox.service._handle = noting


class Script:
    """One random script and what it must have come to."""

    def __init__(self, seed, folder):
        self.draw = random.Random(seed)  # a test's draws
        profile = self.draw.choice(("huaweicloud", "huaweicloud", "otc"))
        self.sandbox = Sandbox(
            servers=60, seed=self.draw.randint(1, 5), speed=0, settings=Settings.for_profile(profile)
        )
        self.book = sdrs_nb.load_rulebook(profile)
        self.time, self.notes = CloudTime(self.sandbox), Notes(self.sandbox)
        self.ledgers = [Ledger(Path(folder) / f"{name}.db", clock=self.time.clock) for name in ("one", "other")]
        self.plans, self.tally = [], Counter()

    def connect(self):
        """A connection of one of the operators."""
        keys = {name: self.sandbox.credentials[name] for name in ("project_id", "access_key", "secret_key")}
        transport = httpx.ASGITransport(self.sandbox.app)
        return sdrs_nb.connect(endpoint="http://sandbox.test", sandbox=True, transport=transport, **keys)

    async def walk(self):
        """Do a few random things, then check every run."""
        async with self.connect() as cloud:
            for _ in range(self.draw.randint(3, 6)):
                act = self.draw.choice((self.submit_new, self.submit_new, self.submit_same, self.make_by_hand,
                                        self.replan, self.verify))  # fmt: skip
                await act(cloud)
            await faults(self.sandbox)
            self.sandbox.advance(1000)
            for ledger in self.ledgers:
                for run_id in list_runs(ledger)["run_id"]:
                    run = open_run(run_id, ledger)
                    await sdrs_nb.resume(cloud, run, sleep=self.time.sleep)
                    await sdrs_nb.verify(cloud, run)
            for ledger in self.ledgers:
                for run_id in list_runs(ledger)["run_id"]:
                    await self.check(cloud, open_run(run_id, ledger))
        return self.tally

    async def submit_new(self, cloud):
        """Plan a few servers that can be protected, and submit that under some fault."""
        inventory = await sdrs_nb.load_inventory(cloud)
        verdicts = sdrs_nb.check_eligibility(inventory, rulebook=self.book).verdicts
        fine = verdicts[verdicts["verdict"].isin(["eligible", "warning"])].dropna(subset=["group_id"])
        if fine.empty:
            return
        ids = self.draw.sample(fine["server_id"].tolist(), min(len(fine), self.draw.randint(2, 6)))
        options = sdrs_nb.BatchOptions(batch_limit=self.draw.randint(1, 3))
        judged = sdrs_nb.check_eligibility(inventory, server_ids=ids, options=options, rulebook=self.book)
        try:
            self.plans.append(sdrs_nb.plan_batches(judged, name_prefix=self.draw.choice(("erp", "web"))))
        except sdrs_nb.NothingEligibleError:
            return
        if self.draw.random() < 0.3:
            await self.make_by_hand(cloud)
        await self.carry_out(cloud, self.plans[-1], self.draw.choice(self.ledgers))
        if self.draw.random() < 0.3:
            await self.make_by_hand(cloud)

    async def submit_same(self, cloud):
        """Submit a plan that is known already, from either ledger."""
        if self.plans:
            await self.carry_out(cloud, self.draw.choice(self.plans), self.draw.choice(self.ledgers))

    async def replan(self, cloud):
        """Plan what a run left as a new run, and submit it."""
        ledger = self.draw.choice(self.ledgers)
        runs = [open_run(run_id, ledger) for run_id in list_runs(ledger)["run_id"]]
        runs = [run for run in runs if not run.plan.is_deletion]
        if runs:
            left = sdrs_nb.plan_remainder(self.draw.choice(runs), await sdrs_nb.load_inventory(cloud))
            for plan in filter(None, (left.deletion, left.creation)):
                await self.carry_out(cloud, plan, ledger)

    async def carry_out(self, cloud, plan, ledger):
        """Submit a plan and follow it as far as it goes."""
        fault = self.draw.choice(FAULTS)
        if fault is not None:
            limits = {"times": self.draw.randint(1, 2), "probability": self.draw.choice((0.5, 1))}
            await faults(self.sandbox, *({"match": match, **fault, **limits} for match in CREATES))
        self.tally[fault["kind"] if fault else "no fault"] += 1
        pace = Pace(resends=self.draw.randint(0, 3))
        try:
            run = await sdrs_nb.submit(
                cloud, plan, approve=plan.fingerprint, ledger=ledger, sleep=self.time.sleep, pace=pace
            )
            await sdrs_nb.follow(cloud, run, sleep=self.time.sleep)
        except sdrs_nb.ClaimedError:
            self.tally["claimed"] += 1
        finally:
            await faults(self.sandbox)

    async def make_by_hand(self, cloud):
        """Somebody protects servers of a plan in the console, perhaps with its very prefix."""
        if not self.plans:
            return
        batch = self.draw.choice(self.draw.choice(self.plans).batches)
        if batch.call.is_delete:
            return
        server = self.draw.choice(batch.server_ids)
        prefix = batch.name_prefix if batch.call is Call.BATCH_CREATE else batch.instance_name
        name = self.draw.choice((prefix, "colleague"))
        one = {"server_group_id": batch.group_id, "server_id": server, "name": f"{name}-0001"[:64]}
        body = json.dumps({"protected_instance": one}).encode()
        try:
            await cloud.sdrs.create_protected_instance(body)
            self.tally["by hand"] += 1
        except sdrs_nb.CloudError:
            return
        self.sandbox.advance(300)

    async def verify(self, cloud):
        """Look at a run on the way."""
        ledger = self.draw.choice(self.ledgers)
        for run_id in list_runs(ledger)["run_id"]:
            await sdrs_nb.verify(cloud, open_run(run_id, ledger))

    async def check(self, cloud, run):
        """Check the stages of a run and its undo against what the sandbox noted."""
        if run.plan.is_deletion:
            return
        await sdrs_nb.verify(cloud, run)  # the undo of another run may have changed the world
        world = await control(self.sandbox, "GET", "world")
        held = {one["source_server"]: one for one in world["instances"]}
        answered = set(run.attempts["job_id"].dropna()) if len(run.attempts) else set()
        seen = set(run.jobs["job_id"]) if len(run.jobs) else set()
        for row in run.servers.itertuples():
            instance = held.get(row.server_id)
            ours = instance is not None and self.notes.job_of.get(instance["id"]) in answered
            if ours:
                assert row.stage in MADE | {"failed"}, (row, instance)
                # A job that vanished before anybody looked proves nothing.
                assert row.whose == ("made" if self.notes.job_of[instance["id"]] in seen else "adopted"), row
            elif instance is None:
                assert row.stage not in MADE | {"taken by others"}, row
            else:
                assert row.whose in ("adopted", "others"), (row, instance)
                assert (row.stage == "taken by others") == (row.whose == "others"), row
                if row.whose == "adopted":
                    self.assert_adoptable(run, row, instance)
            self.tally[f"{row.stage}, {row.whose or 'nobody'}"] += 1
        await self.check_undo(cloud, run, answered)

    def assert_adoptable(self, run, row, instance):
        """What is adopted bears the batch's name and is not older than the batch's first request in doubt."""
        batch = next(batch for batch in run.plan.batches if row.server_id in batch.server_ids)
        assert instance["name"].startswith(batch.name_prefix or batch.instance_name), (row, instance)
        attempts = run.attempts
        mine = attempts[(attempts["batch_id"] == batch.batch_id) & ~attempts["result"].isin(["refused", "not handled"])]
        assert len(mine), row
        made = self.sandbox.service.world.instances[instance["id"]].created
        assert made >= sdrs_times(mine["sent_cloud_at"].min()), (row, instance)

    async def check_undo(self, cloud, run, answered):
        """By default the undo names only what the run's accepted requests made; submitting it deletes nothing else."""
        for adopted in (False, True):
            inventory = await sdrs_nb.load_inventory(cloud)
            instances = set(inventory.protected_instances["protected_instance_id"])
            try:
                undo = sdrs_nb.plan_undo(run, inventory, adopted=adopted, delete_target_server=True)
            except sdrs_nb.NothingEligibleError:
                continue
            named = {one for batch in undo.batches for one in batch.instance_ids}
            rows = run.servers.set_index("protected_instance_id")
            for instance in named:
                if self.notes.job_of[instance] not in answered:
                    assert adopted, instance
                    assert rows.loc[instance, "whose"] == "adopted", instance
            undone = await sdrs_nb.submit(
                cloud, undo, approve=undo.fingerprint, ledger=run.ledger, sleep=self.time.sleep
            )
            await sdrs_nb.follow(cloud, undone, sleep=self.time.sleep)
            self.sandbox.advance(1000)
            after = set((await sdrs_nb.load_inventory(cloud)).protected_instances["protected_instance_id"])
            assert instances - after == named, (instances - after, named)
            self.tally["undone, adopted" if adopted else "undone"] += len(named)


def sdrs_times(text):
    """Seconds since 1970 of a moment that the ledger kept."""
    return Instance.of({"id": "", "created_at": text}).created_at.timestamp()


def try_scripts(seeds, tell=None):
    """Walk one script a seed and return what happened in all of them."""
    tally = Counter()
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            tally += asyncio.run(Script(seed, folder).walk())
        if tell:
            tell(f"script {seed}: {sum(tally.values())} facts agree")
    return tally


def main() -> int:
    """Parse the arguments, walk the scripts, print the tally as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.ownership_scripts", description=__doc__)
    parser.add_argument("--scripts", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    tally = try_scripts(range(given.seed, given.seed + given.scripts), tell=lambda line: sys.stderr.write(line + "\n"))
    sys.stdout.write(json.dumps(dict(tally), indent=2, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
