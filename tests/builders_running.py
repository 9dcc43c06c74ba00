"""A run against the sandbox in this process: its faults, its true state, and a walk to its end."""

import httpx

import sdrs_nb

CREATE = "POST /v1/*/protected-instances/batch"
LIST = "GET /v1/*/protected-instances"


async def control(sandbox, method, path, **parts):
    """Call one of the sandbox's control routes."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app), base_url="http://sandbox.test") as client:
        answer = await client.request(method, f"/_sandbox/{path}", **parts)
        return answer.json()


async def faults(sandbox, *wanted):
    """Switch on these faults."""
    await control(sandbox, "POST", "faults", json=list(wanted))


async def creations(sandbox):
    """How often each server was really given an instance since the start."""
    return {server: n for server, n in (await control(sandbox, "GET", "world"))["creations"].items() if n}


async def creates(sandbox):
    """The create requests that the sandbox received, as (status, handled)."""
    requests = await control(sandbox, "GET", "requests")
    return [(r["status"], r["handled"]) for r in requests if r["path"].endswith("/protected-instances/batch")]


async def submit_and_follow(cloud, plan, ledger, cloud_time):
    """Submit the plan and follow it."""
    run = await sdrs_nb.submit(cloud, plan, approve=plan.fingerprint, ledger=ledger, sleep=cloud_time.sleep)
    return await sdrs_nb.follow(cloud, run, sleep=cloud_time.sleep)
