"""Ours: submit a plan over eight groups and follow it until every job has ended."""

import asyncio
import json
import math
import os
import resource
import sys
import tempfile
import time
from datetime import datetime

import httpx

import sdrs_nb


def told(endpoint, path):
    """Read one of the sandbox's control routes."""
    return httpx.get(f"{endpoint}/_sandbox/{path}", timeout=120).json()


def critical_path_s(plan, jobs, speed, latency_s):
    """Return the seconds of the slowest group: per batch a re-check, the POST, its job, and the look that sees its end."""
    long = {}
    for job in jobs:
        if (job.get("entities") or {}).get("sub_jobs"):
            begin, end = (datetime.fromisoformat(job[name]) for name in ("begin_time", "end_time"))
            group = job["entities"]["server_group_id"]
            long[group] = long.get(group, 0.0) + (end - begin).total_seconds() / speed + 3 * latency_s
    assert set(long) == {batch.group_id for batch in plan.batches}
    return max(long.values())


async def main():
    """Submit, follow, print the figures."""
    found = json.loads(sys.argv[1])
    plan = sdrs_nb.Plan.load(found["plan"])
    keys = {name: found[name] for name in ("endpoint", "project_id", "access_key", "secret_key")}
    before = len(told(found["endpoint"], "requests"))
    async with sdrs_nb.connect(**keys, sandbox=True) as cloud:
        begun = time.perf_counter()
        run = await sdrs_nb.submit(cloud, plan, approve=plan.fingerprint)
        await sdrs_nb.follow(cloud, run)
        seconds = time.perf_counter() - begun
    asked = told(found["endpoint"], "requests")[before:]
    world = told(found["endpoint"], "world")
    planned = {server: 1 for batch in plan.batches for server in batch.server_ids}
    assert {server: n for server, n in world["creations"].items() if n} == planned
    ids = {batch.group_id for batch in plan.batches}
    least = sum(
        math.ceil(sum(len(b.server_ids) for b in plan.batches if b.group_id == group) / plan.options.batch_limit)
        for group in ids
    )
    creates = sum(request["path"].endswith("/protected-instances/batch") for request in asked)
    critical = critical_path_s(plan, world["jobs"], found["speed"], found["latency_s"])
    print(
        json.dumps(
            {
                "seconds": seconds,
                "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "creates": creates,
                "fewest creates": least,
                "calls a server": round(len(asked) / len(planned), 2),
                "makespan / critical path": round(seconds / critical, 3),
            }
        )
    )


with tempfile.TemporaryDirectory() as home:
    os.environ["SDRS_NB_HOME"] = home
    asyncio.run(main())
