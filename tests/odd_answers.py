"""Whole runs against a cloud whose answers are bent: any value of any document may be anything.

    python -m tests.odd_answers --answers 500 [--seed 1]

Load, check, plan, submit, follow, verify, plan an undo, on a sandbox in this process.  Some answers on the way have
one value replaced, moved, dropped or doubled, or are no document at all.  Whatever happens must be a result or an
``SdrsError``; a run that paused is resumed once the answers are sound again, and ends with nobody created twice and
with the truth of every server.  Prints what was bent and how it ended; exits 1 on any other error.
"""

import argparse
import asyncio
import json
import random
import resource
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path

import httpx

import sdrs_nb
from sdrs_nb.ledger.ledger import Ledger
from sdrs_nb.models import Pace
from sdrs_nb.sandbox import Sandbox
from sdrs_nb.sandbox.routing import Reply
from tests.builders_running import CloudTime, four_batches

#: What may stand anywhere in place of anything.
VALUES = (
    None, "", "x", "\x1b[2J\nrun s: created", "\u202e", "a" * 70_000, 0, -1, 1, True, False, 2**63, 10**400, 0.5, [],
    {}, [[]], [None], ["x"], {"id": None}, {"id": "x"}, [{"id": "x"}, {"id": "x"}], "2026-13-45", "None", "nan",
)  # fmt: skip
#: Whole bodies.
BODIES = (b"", b"null", b"[]", b'"x"', b"{", b"<html>", b"[" * 5000, b"\xff\xfe", b"{}", b"NaN", b"0")
ENDS = {"created", "protected", "in sync", "failed", "unknown", "not sent", "taken by others"}
#: Answers bent in one run.
BENT_AT_ONCE = 6
MOST_MIB = 300


def places(value, path=()):
    """Every path to a value within a document."""
    yield path
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield from places(part, (*path, key))


def bent(document, draw):
    """A copy of the document with one value changed, and where."""
    path = draw.choice([path for path in places(document) if path] or [()])
    if not path:
        return draw.choice(VALUES), path
    copy = json.loads(json.dumps(document))
    inside = copy
    for key in path[:-1]:
        inside = inside[key]
    match draw.choice(("replace", "replace", "replace", "drop", "double")):
        case "drop":
            del inside[path[-1]]
        case "double" if isinstance(inside, list):
            inside.append(inside[path[-1]])
        case _:
            inside[path[-1]] = draw.choice(VALUES)
    return copy, path


class Bending:
    """Stands between the sandbox and its callers and bends some of the answers."""

    def __init__(self, sandbox, draw, most):
        self.draw, self.left, self.told, self.is_on = draw, most, [], True
        answer = sandbox.service.answer

        def bending(request, effects, logged):
            reply = answer(request, effects, logged)
            if not self.is_on or self.left == 0 or draw.random() > 0.12:
                return reply
            self.left -= 1
            return self.bend(request, reply)

        sandbox.service.answer = bending

    def bend(self, request, reply):
        """Return another answer in place of this one."""
        where = f"{request.method} {request.raw_path}"
        if self.draw.random() < 0.15:
            self.told.append(f"{where}: no document")
            return Reply(reply.status, self.draw.choice(BODIES), reply.headers)
        document, path = bent(json.loads(reply.encoded() or b"{}"), self.draw)
        self.told.append(f"{where}: {'.'.join(map(str, path))}")
        return Reply(reply.status, json.dumps(document).encode(), reply.headers)


async def whole_run(seed, folder):
    """Carry out one job with bent answers; return how it went, and what was bent."""
    draw = random.Random(seed)
    sandbox = Sandbox(servers=60, seed=seed % 7 + 1, speed=0)
    bending = Bending(sandbox, draw, BENT_AT_ONCE)
    cloud_time = CloudTime(sandbox)
    keys = {name: sandbox.credentials[name] for name in ("project_id", "access_key", "secret_key")}
    ledger = Ledger(folder / f"{seed}.db", clock=cloud_time.clock)
    ended, run = "nothing planned", None
    async with sdrs_nb.connect(
        endpoint="http://sandbox.test", transport=httpx.ASGITransport(sandbox.app), sandbox=True, attempts=1, **keys
    ) as cloud:
        try:
            plan = four_batches(await sdrs_nb.load_inventory(cloud))
            run = await sdrs_nb.submit(
                cloud,
                plan,
                approve=plan.fingerprint,
                ledger=ledger,
                sleep=cloud_time.sleep,
                pace=Pace(settle_s=20, job_limit_s=600, patience_s=60),
            )
            ended = str((await sdrs_nb.follow(cloud, run, sleep=cloud_time.sleep)).state)
        except sdrs_nb.SdrsError as error:
            ended = type(error).__name__
        bending.is_on = False
        if run is not None:
            # What was odd is over: the run comes to its end, and the record to the truth.
            for _again in range(3):
                await sdrs_nb.resume(cloud, run, sleep=cloud_time.sleep)
            await sdrs_nb.verify(cloud, run)
            world, rows = sandbox.service.world, run.servers
            assert all(times <= 1 for times in world.creations.values()), "a server was created twice"
            truth = {instance.source_server for instance in world.instances.values()}
            assert set(rows["stage"]) <= ENDS, set(rows["stage"])
            lost = {row.server_id for row in rows.itertuples() if row.stage == "not sent"} & truth
            assert not lost, f"called not sent, though created: {lost}"
            if {"created", "protected"} & set(rows["stage"]):
                sdrs_nb.plan_undo(run, await sdrs_nb.load_inventory(cloud))
    ledger.close()
    return ended, bending.told


async def many(answers, seed, told=lambda _line: None):
    """Bend at least ``answers`` answers in whole runs; return how they ended, faults with their seeds, and how many."""
    ends, wrong, count = Counter(), [], 0
    with tempfile.TemporaryDirectory() as folder:
        while count < answers:
            try:
                ended, bends = await whole_run(seed, Path(folder))
            except Exception:  # noqa: BLE001 - what is looked for
                wrong.append(f"seed {seed}: {traceback.format_exc()}")
                ended, bends = "ERROR", ["?"] * BENT_AT_ONCE
            ends[ended] += 1
            count += len(bends)
            told(f"seed {seed}: {ended}; {'; '.join(bends)}")
            seed += 1
    return ends, wrong, count


def _say(line):
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main():
    """Run from the command line; see the head of this file."""
    parser = argparse.ArgumentParser(prog="python -m tests.odd_answers", description=__doc__)
    parser.add_argument("--answers", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ends, wrong, count = asyncio.run(many(given.answers, given.seed, told=_say))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    _say(f"{count} answers bent in {ends.total()} runs: {dict(ends)}; {grown} MiB above the start")
    _say("\n".join(wrong))
    return 1 if wrong or grown > MOST_MIB else 0


if __name__ == "__main__":
    sys.exit(main())
