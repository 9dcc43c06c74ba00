"""One batch goes alone, is compared with what was expected, and nothing follows it without the operator's word."""

import pytest

import sdrs_nb
from sdrs_nb.errors import SettingsError
from sdrs_nb.ledger.ledger import Ledger
from sdrs_nb.ledger.pilots import PilotState
from sdrs_nb.sandbox import Sandbox
from sdrs_nb.sandbox.settings import Settings
from sdrs_nb.sandbox.switches import SWITCHES, assume
from tests.builders_running import CREATE, CloudTime, connected_to, creates, creations, faults

pytest_plugins = ["tests.running_fixtures"]


@pytest.fixture
async def piloted(cloud, plan, ledger, cloud_time):
    """Submit the plan with a pilot and follow it as far as it goes."""

    async def carry_out(**options):
        run = await sdrs_nb.submit(
            cloud, plan, approve=plan.fingerprint, ledger=ledger, sleep=cloud_time.sleep, **{"pilot": 1} | options
        )
        return await sdrs_nb.follow(cloud, run, sleep=cloud_time.sleep)

    return carry_out


async def test_the_pilot_goes_alone_and_waits(sandbox, piloted):
    """One request is sent; its every consequence is as expected; the run pauses and says how it goes on."""
    run = await piloted()

    assert await creates(sandbox) == [(202, True)]
    assert set(run.pilot_table["result"]) == {"as expected"}
    assert (run.state, run.pilot.state) == ("paused", "compared")
    assert f"sdrs-nb control {run.run_id} go" in run.message


async def test_resume_does_not_skip_the_pilot(sandbox, cloud, piloted, cloud_time):
    """Without the word nothing more is sent, however often the run is resumed or followed."""
    run = await piloted()

    for carry_on in (sdrs_nb.resume, sdrs_nb.follow, sdrs_nb.resume):
        await carry_on(cloud, run, sleep=cloud_time.sleep)

    assert len(await creates(sandbox)) == 1
    assert run.state == "paused"


async def test_the_word_lets_the_others_follow(sandbox, cloud, piloted, planned, cloud_time):
    """After ``go_on`` the run ends as any other, and who said so is recorded."""
    run = await piloted()
    run.go_on(who="ann")

    await sdrs_nb.resume(cloud, run, sleep=cloud_time.sleep)

    assert await creations(sandbox) == planned
    assert (run.state, run.pilot.state, run.pilot.who) == ("done", "released", "ann")


async def test_auto_needs_no_word_where_nothing_differs(sandbox, piloted, planned):
    """The pilot is compared all the same, before the second batch."""
    run = await piloted(pilot_auto=True)

    assert await creations(sandbox) == planned
    assert (run.state, run.pilot.state, run.pilot.who) == ("done", "released", "")
    kinds = run.events["kind"].tolist()
    assert kinds.index("pilot released") < [at for at, kind in enumerate(kinds) if kind == "intent"][1]


@pytest.mark.parametrize("auto", [False, True])
async def test_a_difference_stops_the_run_until_a_reason_is_given(sandbox, cloud, piloted, cloud_time, auto):
    """A failed server differs: even with ``pilot_auto`` nothing follows, and a word without a reason is refused."""
    await faults(sandbox, {"match": CREATE, "kind": "fail_subjob", "n": 2, "code": "Ecs.0001", "times": 1})
    run = await piloted(pilot_auto=auto)

    assert len(await creates(sandbox)) == 1
    assert run.pilot.state == PilotState.COMPARED
    assert {"outcome"} <= {row.aspect for row in run.pilot.differences}
    with pytest.raises(SettingsError, match="differs from what was expected"):
        run.go_on()
    run.go_on("the quota was raised")
    await sdrs_nb.resume(cloud, run, sleep=cloud_time.sleep)
    assert len(await creates(sandbox)) == 4
    assert run.pilot.reason == "the quota was raised"


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"kind": "status", "status": 400, "body": {"error_code": "SDRS.1013", "error_msg": "no"}},
                     id="refused"),
        pytest.param({"kind": "stuck_job"}, id="never ends"),
    ],
)  # fmt: skip
async def test_a_pilot_that_made_nothing_differs(sandbox, piloted, fault):
    """A refused request and a job without an end are differences; nothing follows."""
    await faults(sandbox, {"match": CREATE, "times": 1, **fault})

    run = await piloted()

    assert len(await creates(sandbox)) == 1
    assert run.pilot.differences[0].aspect == "request"
    assert run.state == "paused"


async def test_what_may_not_be_read_is_not_compared(sandbox, piloted):
    """Where single instances are denied, what only they tell says so, and is not as expected."""
    denied = {"kind": "status", "status": 403, "body": {"error_code": "X.403", "error_msg": "denied"}}
    await faults(sandbox, {"match": "GET /v1/*/protected-instances/*", **denied})
    run = await piloted(pilot="b002")

    rows = run.pilot_table
    mine = rows[rows["aspect"].isin(["instance tags", "fields of an instance"])]
    assert set(mine["result"]) == {"not compared"}
    assert mine["why"].str.contains("denied").all()
    assert run.pilot.is_as_expected


async def test_there_is_nothing_to_say_yes_to_before_the_comparison(cloud, plan, ledger, cloud_time):
    """The word is given on what was compared, never before."""
    run = await sdrs_nb.submit(
        cloud, plan, approve=plan.fingerprint, ledger=ledger, sleep=cloud_time.sleep, pilot="b004"
    )

    with pytest.raises(SettingsError, match="not been compared"):
        run.go_on("I am in a hurry")
    await sdrs_nb.follow(cloud, run, sleep=cloud_time.sleep)
    assert run.pilot.batch_id == "b004"


async def test_cancelling_what_waits_ends_the_run(cloud, sandbox, piloted, cloud_time):
    """Whoever does not want the rest gives it up: the run is done with its pilot alone."""
    run = await piloted()
    run.cancel()

    await sdrs_nb.resume(cloud, run, sleep=cloud_time.sleep)

    assert run.state == "done"
    assert len(await creates(sandbox)) == 1


async def test_enabling_protection_waits_for_the_word_too(cloud, sandbox, ledger, plan, piloted, cloud_time):
    """A plan of one batch: protection of its group, which starts copying, is enabled only after the word."""
    run = await piloted(enable_protection=True)
    run.cancel()
    await sdrs_nb.resume(cloud, run, sleep=cloud_time.sleep)
    assert run.counts["protected"] == 0

    run.go_on()
    await sdrs_nb.resume(cloud, run, sleep=cloud_time.sleep)

    assert run.counts["protected"] + run.counts["in sync"] == 3


def played(assumed):
    """Return a sandbox that plays the service by these words of ``--assume``, on a clock that stands still."""
    return Sandbox(servers=240, seed=7, speed=0, settings=assume(Settings(), assumed))


def a_plan(inventory):
    """Return two batches of two servers with tags in one group that is not enabled: whatever a switch can show."""
    servers, groups = inventory.servers, inventory.groups
    tagged = servers.loc[servers["tags"].fillna("").ne(""), "server_id"]
    everybody = sdrs_nb.check_eligibility(inventory)
    verdicts = everybody.verdicts
    fine = verdicts[verdicts["verdict"].isin(["eligible", "warning"]) & verdicts["server_id"].isin(tagged)]
    fine = fine[~fine["server_id"].isin(everybody.clusters["server_id"])]
    fine = fine[fine["group_id"].isin(groups.loc[groups["status"] == "available", "group_id"])]
    group = fine["group_id"].value_counts().index[0]
    chosen = fine.loc[fine["group_id"] == group, "server_id"].tolist()[:4]
    options = sdrs_nb.BatchOptions(batch_limit=2)
    eligibility = sdrs_nb.check_eligibility(inventory, server_ids=chosen, options=options)
    return sdrs_nb.plan_batches(eligibility, name_prefix="t")


#: Every answer of a switch but the assumed one, where a batch can show it.
OTHERWISE = [
    f"{name}={answer}"
    for name, switch in SWITCHES.items()
    if name != "batch_calls"
    for answer in list(switch.answers)[1:]
    if answer != "without_target_server"  # no server is eligible then: nobody knows which are DR servers
]
#: What must go wrong for a switch to show.
ON_FAILURE = {"parent_end", "failed_instance"}


@pytest.mark.parametrize("switch", OTHERWISE)
async def test_a_pilot_names_the_assumption_that_does_not_hold(switch, tmp_path):
    """Under each switch exactly its assumption is named as different, before the second batch is sent."""
    sandbox = played([switch])
    cloud_time = CloudTime(sandbox)
    name = switch.partition("=")[0]
    async with connected_to(sandbox) as cloud:
        ledger = Ledger(tmp_path / "ledger.db", clock=cloud_time.clock)
        inventory = await sdrs_nb.load_inventory(cloud)
        plan = a_plan(inventory)
        if name in ON_FAILURE:
            await faults(sandbox, {"match": CREATE, "kind": "fail_subjob", "n": 2, "code": "Ecs.0001", "times": 1})
        before = len(await creates(sandbox))
        run = await sdrs_nb.submit(
            cloud, plan, approve=plan.fingerprint, ledger=ledger, sleep=cloud_time.sleep, pilot="b001", pilot_auto=True
        )
        await sdrs_nb.follow(cloud, run, sleep=cloud_time.sleep)

    assert len(plan.batches) == 2
    assert {row.assumption for row in run.pilot.differences} - {""} == {name}
    assert len(await creates(sandbox)) == before + 1
    assert run.state == "paused"
