"""Fixtures of tests that walk a run: a plan of twelve servers and a way to carry it out.  Used as a pytest plugin."""

import pytest

import sdrs_nb
from sdrs_nb.models import Pace
from tests.builders_running import four_batches


@pytest.fixture
async def plan(cloud):
    """Four batches of three servers over two groups."""
    return four_batches(await sdrs_nb.load_inventory(cloud))


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
