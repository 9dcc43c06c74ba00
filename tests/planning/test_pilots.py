"""Which batch goes alone: asked for by number or id, else the smallest that no shared volume ties."""

import dataclasses

import pandas as pd
import pytest

import sdrs_nb
from sdrs_nb.errors import PlanError
from sdrs_nb.planning.pilots import choose_pilot
from tests.builders_running import four_batches


@pytest.fixture
async def plan(cloud):
    """Four batches of three servers over two groups."""
    return four_batches(await sdrs_nb.load_inventory(cloud))


def cut(plan, sizes, waves=(1, 1, 1, 1)):
    """Return the plan with batches of these sizes and waves."""
    batches = [
        batch.model_copy(update={"server_ids": batch.server_ids[:size], "wave": wave})
        for batch, size, wave in zip(plan.batches, sizes, waves, strict=True)
    ]
    return dataclasses.replace(plan, batches=tuple(batches), sealed_bodies=None)


def tied(plan, *batches):
    """Return the plan with a volume that the first two servers of each of these batches share."""
    rows = [
        {"volume_id": f"shared-{at}", "server_ids": ",".join(plan.batches[at].server_ids[:2]), "multiattach": True}
        for at in batches
    ]
    volumes = pd.concat([plan.facts.volumes, pd.DataFrame(rows).astype(plan.facts.volumes.dtypes[rows[0].keys()])])
    return dataclasses.replace(plan, facts=dataclasses.replace(plan.facts, volumes=volumes))


@pytest.mark.parametrize("asked", [None, 0, "0", "", False])
async def test_no_pilot_unless_asked_for(plan, asked):
    """Left out, or zero: every batch goes as it comes."""
    assert choose_pilot(plan, asked) is None


@pytest.mark.parametrize(
    ("sizes", "waves", "tied_batches", "chosen"),
    [
        pytest.param((3, 3, 3, 3), (1, 1, 1, 1), (), 0, id="the first of equals"),
        pytest.param((3, 2, 3, 3), (1, 1, 1, 1), (), 1, id="the smallest"),
        pytest.param((3, 2, 3, 1), (1, 1, 1, 1), (), 1, id="the smallest that shows an order"),
        pytest.param((1, 1, 1, 1), (1, 1, 1, 1), (), 0, id="one server where there are no others"),
        pytest.param((3, 3, 2, 1), (1, 1, 1, 2), (), 2, id="of the first wave alone"),
        pytest.param((2, 3, 3, 3), (1, 1, 1, 1), (0,), 2, id="of a group without a cluster"),
        pytest.param((2, 3, 2, 3), (1, 1, 1, 1), (0, 2), 1, id="without a cluster where every group has one"),
        pytest.param((3, 3, 2, 3), (1, 1, 1, 1), (0, 1, 2, 3), 2, id="the smallest where all are clusters"),
    ],
)
@pytest.mark.parametrize("asked", [1, "1", True])
async def test_one_is_the_smallest_batch_of_a_group_without_a_cluster(plan, asked, sizes, waves, tied_batches, chosen):
    """The pilot risks as little as it can, in the order of waves, and is tied to no other server."""
    made = cut(plan, sizes, waves)
    made = tied(made, *tied_batches) if tied_batches else made

    assert choose_pilot(made, asked) == plan.batches[chosen].batch_id


async def test_a_batch_can_be_chosen(plan):
    """Whichever batch is named goes alone."""
    assert choose_pilot(plan, "b003") == "b003"


@pytest.mark.parametrize("asked", [2, -1, "7", "b999", "first"])
async def test_what_is_no_batch_is_refused(plan, asked):
    """A number that means nothing and the id of no batch are told apart from none."""
    with pytest.raises(PlanError, match=r"pilot is 0|has no batch"):
        choose_pilot(plan, asked)
