"""Groups that servers lack, created in a sandbox that stands still until the caller waits."""

import httpx
import pytest

import sdrs_nb
from sdrs_nb.errors import CloudError, JobFailed, JobTimeout, PlanError, SubmissionUncertain

CREATE = "POST /v1/*/server-groups"


async def needed(cloud):
    """Return the groups that the sandbox's estate lacks, the orphan VPC's first."""
    return sdrs_nb.check_eligibility(await sdrs_nb.load_inventory(cloud)).groups_needed()


async def orphan(cloud, sandbox):
    """Return the row of the VPC that has no group at all."""
    rows = await needed(cloud)
    vpc = next(vpc.id for vpc in sandbox.service.world.vpcs.values() if vpc.name == "vpc-orphan")
    return rows[rows["vpc_id"] == vpc].iloc[0]


async def test_a_group_is_created_and_takes_the_servers(cloud, sandbox, cloud_time):
    """The new group is the candidate of the servers that had none."""
    row = await orphan(cloud, sandbox)

    group_id = await sdrs_nb.create_group(cloud, row, name="pg-orphan", dr_az="sandbox-1a", sleep=cloud_time.sleep)

    eligibility = sdrs_nb.check_eligibility(await sdrs_nb.load_inventory(cloud))
    assert group_id in set(eligibility.candidates["group_id"])
    assert row["vpc_id"] not in set(eligibility.groups_needed()["vpc_id"])
    assert eligibility.inventory.groups.set_index("group_id").loc[group_id, "status"] == "available"


async def test_calling_again_creates_nothing(cloud, sandbox, cloud_time):
    """The group of that name at that place is the one that was asked for."""
    row = await orphan(cloud, sandbox)
    asked = {"name": "pg-orphan", "dr_az": "sandbox-1a", "sleep": cloud_time.sleep}

    first = await sdrs_nb.create_group(cloud, row, **asked)
    second = await sdrs_nb.create_group(cloud, row, **asked)

    assert first == second
    assert [group.name for group in sandbox.service.world.groups.values()].count("pg-orphan") == 1


@pytest.mark.parametrize("kind", ["lost_answer", "no_job_id", "late_handle"])
async def test_a_lost_answer_is_looked_up_and_never_sent_again(cloud, sandbox, cloud_time, kind):
    """The group that shows up is adopted; the request was on the wire once."""
    row = await orphan(cloud, sandbox)
    await told(sandbox, [{"match": CREATE, "kind": kind, "times": 1, "seconds": 20}])

    group_id = await sdrs_nb.create_group(cloud, row, name="pg-orphan", dr_az="sandbox-1a", sleep=cloud_time.sleep)

    assert sandbox.service.world.groups[group_id].name == "pg-orphan"
    assert len(await sent(sandbox)) == 1


@pytest.mark.parametrize("kind", ["reset", "garbage"])
async def test_a_request_that_never_arrived_stays_uncertain(cloud, sandbox, cloud_time, kind):
    """Nothing shows up, nothing is sent again, and the operator is told."""
    row = await orphan(cloud, sandbox)
    await told(sandbox, [{"match": CREATE, "kind": kind, "times": 1}])

    with pytest.raises(SubmissionUncertain, match="pg-orphan"):
        await sdrs_nb.create_group(cloud, row, name="pg-orphan", dr_az="sandbox-1a", sleep=cloud_time.sleep)
    assert len(await sent(sandbox)) == 1


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        pytest.param({"name": ""}, "no name", id="no name"),
        pytest.param({"name": "x" * 65}, "64", id="65 bytes"),
        pytest.param({"name": "a b"}, "holds", id="a space"),
        pytest.param({"name": "pg", "description": "a<b"}, "description", id="bracket"),
        pytest.param({"name": "pg-erp", "dr_az": "sandbox-1a"}, "exists already", id="name taken elsewhere"),
        pytest.param({"name": "pg", "dr_az": "sandbox-1c"}, "No domain", id="sold out"),
    ],
)
async def test_what_cannot_be_created_is_not_sent(cloud, sandbox, cloud_time, asked, words):
    """The sentence says what to change."""
    row = await orphan(cloud, sandbox)

    with pytest.raises(PlanError, match=words):
        await sdrs_nb.create_group(cloud, row, sleep=cloud_time.sleep, **asked)
    assert await sent(sandbox) == []


async def test_several_dr_sites_are_a_choice(cloud, sandbox, cloud_time):
    """Two domains start at AZ a, so the DR AZ has to be named."""
    vpc = next(iter(sandbox.service.world.vpcs))

    with pytest.raises(PlanError, match="dr_az"):
        await sdrs_nb.create_group(
            cloud, {"vpc_id": vpc, "production_az": "sandbox-1a"}, name="pg", sleep=cloud_time.sleep
        )


async def test_a_refusal_is_told_as_it_came(cloud, sandbox, cloud_time):
    """The group quota is used up: SDRS.0305, and nothing was created."""
    row = await orphan(cloud, sandbox)
    sandbox.service.world.max_groups = 0

    with pytest.raises(CloudError, match=r"SDRS\.0305"):
        await sdrs_nb.create_group(cloud, row, name="pg-orphan", sleep=cloud_time.sleep)


async def test_a_group_that_fails_is_told_of(cloud, sandbox, cloud_time):
    """A group in error was made by a job that failed."""
    row = await orphan(cloud, sandbox)
    asked = {"name": "pg-orphan", "sleep": cloud_time.sleep}
    group_id = await sdrs_nb.create_group(cloud, row, **asked)
    sandbox.service.world.groups[group_id].status = "error"

    with pytest.raises(JobFailed, match="pg-orphan"):
        await sdrs_nb.create_group(cloud, row, **asked)


async def test_waiting_ends(cloud, sandbox, cloud_time):
    """A job that is stuck does not hold the caller for ever."""
    row = await orphan(cloud, sandbox)
    await told(sandbox, [{"match": CREATE, "kind": "stuck_job", "times": 1}])

    with pytest.raises(JobTimeout, match="Call again"):
        await sdrs_nb.create_group(cloud, row, name="pg-orphan", timeout_s=60, sleep=cloud_time.sleep)


async def told(sandbox, faults):
    """Set faults."""
    async with raw(sandbox) as http:
        (await http.post("/_sandbox/faults", json=faults)).raise_for_status()


async def sent(sandbox):
    """Return the create requests that reached the sandbox."""
    async with raw(sandbox) as http:
        log = (await http.get("/_sandbox/requests")).json()
    return [one for one in log if one["method"] == "POST" and one["path"].endswith("/server-groups")]


def raw(sandbox):
    """Speak to the sandbox's control routes."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app), base_url="http://sandbox.test")
