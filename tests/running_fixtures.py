"""Fixtures of tests that walk a run: a plan of twelve servers and a way to carry it out.  Used as a pytest plugin."""

import pytest

import sdrs_nb
from sdrs_nb.running.pacing import Pace


@pytest.fixture
async def plan(cloud):
    """Four batches of three servers over two groups."""
    inventory = await sdrs_nb.load_inventory(cloud)
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


@pytest.fixture
def planned(plan):
    """Every planned server, once."""
    return {server: 1 for batch in plan.batches for server in batch.server_ids}


@pytest.fixture
async def carried_out(cloud, plan, ledger, cloud_time):
    """Submit the plan and follow it to its end."""

    async def carry_out(**pace):
        run = await sdrs_nb.submit(
            cloud, plan, approve=plan.fingerprint, ledger=ledger, sleep=cloud_time.sleep, pace=Pace(**pace)
        )
        return await sdrs_nb.follow(cloud, run, sleep=cloud_time.sleep)

    return carry_out
