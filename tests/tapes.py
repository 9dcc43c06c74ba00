"""Make the tapes of ``tests/data/tapes`` anew on the sandbox: ``python -m tests.tapes``.

``load``: the inventory of twelve servers.  ``run``: their plan of two batches, from loading to verifying.  ``refusal``:
the same, the first create refused by the service.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

import sdrs_nb
from sdrs_nb.cloud import Cloud
from sdrs_nb.inventory.inventory import Inventory
from sdrs_nb.ledger.ledger import Ledger
from sdrs_nb.planning.planning import Plan
from sdrs_nb.sandbox import Sandbox
from tests.builders_running import CREATE, CloudTime, connected_to, faults

FOLDER = Path(__file__).parent / "data" / "tapes"
#: For sandboxes alone: who knows a tape's key can try names.
KEY = "5a" * 32
SERVERS = 12


class Job(NamedTuple):
    """What came of one walk through all steps."""

    inventory: Inventory
    plan: Plan
    outcome: pd.DataFrame


async def job(
    cloud: Cloud, ledger: Ledger, sleep: Callable[[float], Awaitable[None]] | None = None, **options: Any
) -> Job:
    """Load, check, plan, submit, follow and verify."""
    inventory = await sdrs_nb.load_inventory(cloud)
    plan = sdrs_nb.plan_batches(sdrs_nb.check_eligibility(inventory), name_prefix="erp", **options)
    run = await sdrs_nb.submit(cloud, plan, approve=plan.fingerprint, ledger=ledger, sleep=sleep)
    run = await sdrs_nb.follow(cloud, run, sleep=sleep)
    return Job(inventory, plan, await sdrs_nb.verify(cloud, run))


async def recorded(folder: Path, ledger: Path, *wanted: dict[str, Any], servers: int = SERVERS, **login: Any) -> Job:
    """Record a job on a sandbox of its own, with these faults."""
    sandbox = Sandbox(servers=servers, seed=7, speed=0)
    cloud_time = CloudTime(sandbox)
    await faults(sandbox, *wanted)
    with_clock = Ledger(ledger, clock=cloud_time.clock)
    async with connected_to(sandbox, record=folder, **login) as cloud:
        return await job(cloud, with_clock, cloud_time.sleep)


#: A create that the service refuses, in its own words.
REFUSED = {
    "match": CREATE,
    "kind": "status",
    "status": 400,
    "body": {"error": {"code": "SDRS.1303", "message": "The AZ of the server is not the production site AZ."}},
    "times": 1,
}


async def _load(folder: Path) -> None:
    async with connected_to(Sandbox(servers=SERVERS, seed=7, speed=0), record=folder) as cloud:
        await sdrs_nb.load_inventory(cloud)


def main() -> None:
    """Make all of them."""
    with tempfile.TemporaryDirectory() as made:
        home = Path(made)
        os.environ["SDRS_NB_HOME"] = made
        (home / "tape.key").write_text(KEY)
        for name, work in {
            "load": _load,
            "run": lambda folder: recorded(folder, home / "run.db"),
            "refusal": lambda folder: recorded(folder, home / "refusal.db", REFUSED),
        }.items():
            shutil.rmtree(FOLDER / name, ignore_errors=True)
            asyncio.run(work(FOLDER / name))
            (made_file,) = (FOLDER / name).iterdir()
            made_file.rename(FOLDER / name / f"{name}.tape.jsonl")
            made_file.parent.chmod(0o755)


if __name__ == "__main__":
    main()
