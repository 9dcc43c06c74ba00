"""A run against the sandbox in this process: its faults, its true state, and a walk to its end."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx

import sdrs_nb
from sdrs_nb import loop

CREATE = "POST /v1/*/protected-instances/batch"
LIST = "GET /v1/*/protected-instances"


#: Work that the run hands to threads is done one after the other, so that whoever comes last knows that all is done.
_ONE_THREAD = ThreadPoolExecutor(1, "one thread")


class CloudTime:
    """The clock and the sleep of a run on a sandbox that stands still: sleeping moves both.

    No time passes while a thread is at work, so a slow machine or a fast disk changes nothing of what happens when.
    """

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.now = datetime(2026, 1, 31, tzinfo=UTC)
        loop.private_loop().call_soon_threadsafe(loop.private_loop().set_default_executor, _ONE_THREAD)

    def clock(self):
        return self.now

    async def sleep(self, seconds):
        await asyncio.get_running_loop().run_in_executor(_ONE_THREAD, int)
        self.now += timedelta(seconds=seconds)
        self.sandbox.advance(seconds)


class Gate:
    """A sleep that lets nobody through until it is opened, and knows how many have come to it.

    A run first waits when a create was accepted, one wait for each group.
    """

    def __init__(self, cloud_time):
        self._cloud_time = cloud_time
        self._open = asyncio.Event()
        self._arrivals = threading.Semaphore(0)

    async def sleep(self, seconds):
        self._arrivals.release()
        await self._open.wait()
        await self._cloud_time.sleep(seconds)

    async def reached(self, times):
        """Wait until the run came to wait so many times more."""
        for _ in range(times):
            assert await asyncio.to_thread(self._arrivals.acquire, timeout=60), "the run never came to wait"

    def open(self):
        """Let time pass, from now on."""
        loop.private_loop().call_soon_threadsafe(self._open.set)


def four_batches(inventory):
    """Return a plan of the sandbox's inventory: four batches of three servers over two groups."""
    everybody = sdrs_nb.check_eligibility(inventory)
    verdicts = everybody.verdicts
    clustered = set(everybody.clusters["server_id"])
    fine = verdicts[verdicts["verdict"].isin(["eligible", "warning"]) & ~verdicts["server_id"].isin(clustered)]
    groups = fine["group_id"].value_counts().index[:2]
    chosen = [server for group in groups for server in fine.loc[fine["group_id"] == group, "server_id"][:6]]
    options = sdrs_nb.BatchOptions(batch_limit=3)
    return sdrs_nb.plan_batches(
        sdrs_nb.check_eligibility(inventory, server_ids=chosen, options=options), name_prefix="t"
    )


async def control(sandbox, method, path, **parts):
    """Call one of the sandbox's control routes."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app), base_url="http://sandbox.test") as client:
        answer = await client.request(method, f"/_sandbox/{path}", **parts)
        return answer.raise_for_status().json()


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


def connected_to(sandbox, kind="access key", **more):
    """A connection to a sandbox in this process, by its access key or its password."""
    names = {"access key": ("access_key", "secret_key"), "password": ("user", "password", "domain")}[kind]
    keys = {name: sandbox.credentials[name] for name in ("project_id", *names)}
    options = {"transport": httpx.ASGITransport(sandbox.app), "sandbox": True, **keys, **more}
    return sdrs_nb.connect(endpoint="http://localhost", **options)
