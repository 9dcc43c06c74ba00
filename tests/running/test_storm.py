"""When nearly every third call goes wrong, a run still reaches its end, and nothing is created twice."""

import httpx
import pytest

import sdrs_nb
from tests.builders_running import control, creations, faults, submit_and_follow

pytest_plugins = ["tests.running_fixtures"]

#: Eight faults that strike independently with this probability leave 70 % of the calls alone.
EACH = 1 - 0.7 ** (1 / 8)
STORM = [
    {"kind": "throttle", "limit": 5000},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 502, "body": "bad gateway"},
    {"kind": "reset"},
    {"kind": "lost_answer"},
    {"kind": "garbage"},
    {"kind": "slow", "seconds": 0.001},
    {"kind": "expire_token"},
]


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_storm_of_faults_is_weathered(sandbox, plan, planned, ledger, cloud_time, seed):
    """With 30 % of all calls faulty every server reaches the end its group allows, each created once."""
    keys = sandbox.credentials
    async with sdrs_nb.connect(
        endpoint="http://sandbox.test",
        project_id=keys["project_id"],
        user=keys["user"],
        password=keys["password"],
        domain=keys["domain"],
        sandbox=True,
        transport=httpx.ASGITransport(sandbox.app),
    ) as cloud:
        await cloud.check()
        await faults(sandbox, *({"match": "*/protected-instances*", "probability": EACH, "seed": seed + n, **fault}
                                for n, fault in enumerate(STORM)),
                     *({"match": f"* /v1/*/{part}*", "probability": EACH, "seed": seed + n, **fault}
                       for part in ("jobs", "server-groups", "replications", "cloudservers")
                       for n, fault in enumerate(STORM)))  # fmt: skip
        run = await submit_and_follow(cloud, plan, ledger, cloud_time)

    struck = sum(fault["fired"] for fault in await control(sandbox, "GET", "faults"))
    assert await creations(sandbox) == planned
    assert set(run.servers["stage"]) <= {"created", "protected", "in sync"}
    assert run.state == "done"
    assert struck > 10


async def test_patience_ends_with_the_reason_and_nothing_lost(sandbox, cloud, plan, planned, ledger, cloud_time):
    """A service that keeps failing pauses the run after a while; resume carries on once it works again."""
    await faults(sandbox, {"match": "GET /v1/*/server-groups/*", "kind": "status", "status": 503, "probability": 1})
    with pytest.raises(sdrs_nb.ServiceError):
        await submit_and_follow(cloud, plan, ledger, cloud_time)
    run = sdrs_nb.open_run(sdrs_nb.list_runs(ledger)["run_id"].iloc[0], ledger)
    paused, message, tries = run.state, run.message, (run.events["kind"] == "trying again").sum()

    await faults(sandbox)
    await sdrs_nb.resume(cloud, run, sleep=cloud_time.sleep)

    assert (paused, run.state) == ("paused", "done")
    assert "503" in message
    assert tries >= 5
    assert await creations(sandbox) == planned
