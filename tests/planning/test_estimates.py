"""Estimates: numbers that can be counted are exact, times follow groups, waves and jobs seen before."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sdrs_nb
from sdrs_nb.aftercare.undoing import plan_undo
from sdrs_nb.models import BatchOptions
from sdrs_nb.planning.planning import plan_batches
from sdrs_nb.running.job_history import job_durations
from tests.builders_planning import an_eligibility
from tests.builders_running import control
from tests.builders_runs import a_run, an_estate, ended


def a_plan(servers, **changes):
    """Return a plan with a usual prefix."""
    named = {name: changes.pop(name) for name in ("overrides", "wave_limit") if name in changes}
    return plan_batches(an_eligibility(servers, **changes), name_prefix="erp", **named)


def test_requests_instances_pairs_and_gib_are_counted():
    """One pair a volume, a shared one once; GiB likewise."""
    eligibility = an_eligibility(7, clusters=[["s001", "s002"]], pair_quota=100, pairs_used=3)
    plan = plan_batches(eligibility, name_prefix="erp")

    estimate = plan.estimate(eligibility.inventory)

    assert (estimate.requests, estimate.instances, estimate.pairs, estimate.size_gib) == (2, 7, 8, 320)
    assert (estimate.quota, estimate.quota_used, estimate.quota_after) == (100, 3, 11)
    assert estimate.is_within_quota is True


@pytest.mark.parametrize(
    ("quota", "used", "within"),
    [
        pytest.param(-1, 10_000, True, id="no limit"),
        pytest.param(5, 3, True, id="just enough"),
        pytest.param(4, 3, False, id="one too few"),
    ],
)
def test_the_quota_is_compared(quota, used, within):
    """Two servers need two pairs; -1 means no limit."""
    plan = a_plan(2)

    estimate = plan.estimate(an_eligibility(2, pair_quota=quota, pairs_used=used).inventory)

    assert estimate.is_within_quota is within


def test_without_an_inventory_the_quota_is_not_known():
    """Nothing is guessed, and the text says what to do."""
    estimate = a_plan(2).estimate()

    assert (estimate.quota, estimate.quota_after, estimate.is_within_quota) == (None, None, None)
    assert "not known; load the inventory" in repr(estimate)


@pytest.mark.parametrize(
    ("history", "job_s", "seen"),
    [
        pytest.param([], 300, 0, id="none"),
        pytest.param([10, 10], 300, 0, id="too few"),
        pytest.param([60, 90, 600], 90, 3, id="three"),
    ],
)
def test_a_jobs_time_is_the_median_of_what_was_seen(history, job_s, seen):
    """Fewer than three jobs say nothing; then it is assumed and said so."""
    estimate = a_plan(3).estimate(history=history)

    assert (estimate.job_s, estimate.jobs_seen) == (job_s, seen)
    assert ("are assumed" in repr(estimate)) == (seen == 0)


def test_groups_work_side_by_side_and_waves_one_after_the_other():
    """Ten servers of one group take twice as long as five and five of two groups; a second wave adds its own time."""
    history, five = [60.0] * 5, BatchOptions(batch_limit=5)
    one = a_plan({f"s{n}": "g1" for n in range(10)}, options=five).estimate(history=history)
    two = a_plan({f"s{n}": f"g{n % 2}" for n in range(10)}, options=five).estimate(history=history)
    waves = a_plan(
        {f"s{n}": f"g{n % 2}" for n in range(10)}, options=five, overrides=[{"group_id": "g1", "wave": 2}]
    ).estimate(history=history)

    assert one.duration_s == 2 * two.duration_s == waves.duration_s
    assert one.requests == two.requests == waves.requests == 2


@pytest.mark.slow
@given(st.integers(1, 60), st.lists(st.floats(1, 5000), max_size=20))
@settings(max_examples=20)
def test_more_servers_never_take_less(servers, history):
    """Every figure grows with the plan, and slow jobs never end sooner than usual ones."""
    less, more = (a_plan(count).estimate(history=history) for count in (servers, servers + 1))

    assert less.api_calls <= more.api_calls
    assert less.duration_s <= more.duration_s
    assert less.pairs < more.pairs
    assert less.duration_s <= less.slow_s


def test_volumes_of_unknown_size_are_named():
    """A size that nobody knows is not counted as nothing in silence."""
    eligibility = an_eligibility(2)
    eligibility.inventory.volumes["size_gib"] = [40, None]

    estimate = plan_batches(eligibility, name_prefix="erp").estimate()

    assert (estimate.size_gib, estimate.volumes_of_unknown_size) == (40, 1)
    assert "size of 1 volume is not known" in repr(estimate)


def test_an_undo_frees_pairs_and_copies_nothing(ledger):
    """The estimate of a deletion counts pairs down and has no GiB to copy."""
    run = ended(a_run(ledger, an_estate(2)))
    after = an_estate(2, statuses={"s00": "protected", "s01": "protected"}, pairs_used=2)

    estimate = plan_undo(run, after).estimate(after)

    assert (estimate.instances, estimate.pairs, estimate.size_gib, estimate.quota_after) == (2, 2, 0, 0)
    assert "to copy" not in repr(estimate)


def test_the_estimate_reads_as_sentences():
    """Counts, time and quota in three lines."""
    eligibility = an_eligibility(6, pair_quota=10, pairs_used=1)

    text = repr(plan_batches(eligibility, name_prefix="erp").estimate(eligibility.inventory, history=[60.0] * 4))

    assert text.splitlines()[0].startswith("2 requests, about ")
    assert "6 protected instances, 6 replication pairs, 240 GiB to copy." in text
    assert "(4 jobs seen before)" in text
    assert "1 in use before, 7 after, 10 allowed" in text


@pytest.mark.slow
async def test_calls_and_time_are_near_what_a_run_takes(sandbox, cloud, ledger, cloud_time):
    """On the sandbox the second run needs about as many calls and as much time as its estimate says."""
    inventory = await sdrs_nb.load_inventory(cloud)
    eligibility = sdrs_nb.check_eligibility(inventory)
    verdicts = eligibility.verdicts
    fine = verdicts[
        verdicts["verdict"].isin(["eligible", "warning"])
        & ~verdicts["server_id"].isin(eligibility.clusters["server_id"])
    ]
    mine = fine.loc[fine["group_id"] == fine["group_id"].value_counts().index[0], "server_id"].tolist()
    options = BatchOptions(batch_limit=2)
    first, second = (
        plan_batches(sdrs_nb.check_eligibility(inventory, server_ids=some, options=options), name_prefix=name)
        for some, name in ((mine[:8], "a"), (mine[8:14], "b"))
    )
    await carried_out(cloud, first, ledger, cloud_time)
    history = job_durations(ledger, endpoint="http://sandbox.test")

    estimate = second.estimate(inventory, history)
    calls, begun = len(await control(sandbox, "GET", "requests")), cloud_time.now
    await carried_out(cloud, second, ledger, cloud_time)

    took = (cloud_time.now - begun).total_seconds()
    assert len(history) == len(first.batches)
    calls = len(await control(sandbox, "GET", "requests")) - calls
    assert 0.5 < estimate.api_calls / calls < 2, (estimate.api_calls, calls)
    assert 0.5 < estimate.duration_s / took < 2, (estimate.duration_s, took)


async def carried_out(cloud, plan, ledger, cloud_time):
    """Submit the plan, follow it and compare."""
    run = await sdrs_nb.submit(cloud, plan, approve=plan.fingerprint, ledger=ledger, sleep=cloud_time.sleep)
    await sdrs_nb.follow(cloud, run, sleep=cloud_time.sleep)
    await sdrs_nb.verify(cloud, run)


def test_job_durations_come_from_the_ledger(ledger):
    """Only jobs that succeeded, of this cloud and project, creations apart from deletions; oldest first."""
    run = a_run(ledger, an_estate(1))
    undo_of = ended(a_run(ledger, an_estate(["x"])))
    undo = plan_undo(undo_of, an_estate(["x"], statuses={"x": "protected"}))
    undone = ledger.create_run(
        scope={"endpoint": "http://sandbox.test", "region": "r", "project_id": "p1"},
        plan=undo,
        approval=sdrs_nb.Approval(fingerprint=undo.fingerprint),
        settings={},
    )
    for job_id, status, seconds in (("j1", "SUCCESS", 10), ("j2", "FAIL", 20), ("j3", "SUCCESS", 30)):
        ledger.look(run.run_id, "b001", job_id, status, a_job(seconds))
    ledger.look(undone, "b001", "j4", "SUCCESS", a_job(5))

    assert sorted(job_durations(ledger)) == [10, 30]
    assert job_durations(ledger, deletions=True) == [5]
    assert job_durations(ledger, project_id="other") == []
    assert len(job_durations(ledger, at_most=1)) == 1


def a_job(seconds):
    """Return the document of a job that took that long."""
    document = {"begin_time": "2026-01-31T00:00:00.000Z", "end_time": f"2026-01-31T00:00:{seconds:02d}.000Z"}
    return json.loads(json.dumps(document))
