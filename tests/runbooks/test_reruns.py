"""A procedure that is run again: its run is found, nobody else's is, and a rehearsal keeps its cloud."""

import pytest

import sdrs_nb
from sdrs_nb.running.scopes import scope_of
from tests.builders_reporting import a_recorded_run


@pytest.fixture
async def submitted(cloud, ledger, cloud_time):
    """A plan of the sandbox's estate that was submitted and followed."""
    inventory = await sdrs_nb.load_inventory(cloud)
    fine = sdrs_nb.check_eligibility(inventory).verdicts.query("verdict in ('eligible', 'warning')")
    fine = fine[fine["group_id"].notna() & fine["cluster_id"].isna()]
    eligibility = sdrs_nb.check_eligibility(inventory, server_ids=list(fine["server_id"][:5]))
    plan = sdrs_nb.plan_batches(eligibility, name_prefix="t")
    run = await sdrs_nb.submit(cloud, plan, approve=plan.fingerprint, ledger=ledger, sleep=cloud_time.sleep)
    return plan, await sdrs_nb.follow(cloud, run, sleep=cloud_time.sleep)


@pytest.mark.parametrize("how", ["plan", "fingerprint", "path", "text path"])
async def test_the_run_of_a_plan_is_found(cloud, ledger, submitted, tmp_path, how):
    """By the plan, its fingerprint or the file it was saved to."""
    plan, run = submitted
    path = plan.save(tmp_path / "plan.json")
    asked = {"plan": plan, "fingerprint": plan.fingerprint, "path": path, "text path": str(path)}[how]

    found = await sdrs_nb.find_run(cloud, asked, ledger=ledger)

    assert found is not None
    assert found.run_id == run.run_id


async def test_a_plan_that_was_never_sent_has_no_run(cloud, ledger, tmp_path):
    """An unknown fingerprint and a file that is not there find nothing."""
    assert await sdrs_nb.find_run(cloud, "0" * 64, ledger=ledger) is None
    assert await sdrs_nb.find_run(cloud, tmp_path / "plan.json", ledger=ledger) is None
    assert await sdrs_nb.find_run(cloud, "", ledger=ledger) is None


async def test_a_run_of_another_project_is_not_found(cloud, ledger):
    """The same plan sent elsewhere does not count here."""
    run = a_recorded_run(ledger, servers=1)

    assert await sdrs_nb.find_run(cloud, run.plan, ledger=ledger) is None


def test_a_rehearsal_keeps_its_cloud_and_its_address(tmp_path):
    """Started again on its folder, a rehearsal has the same endpoint; another estate has a world of its own."""
    with sdrs_nb.start_rehearsal(tmp_path, servers=20, seed=1) as first:
        endpoint, project = first.endpoint, first.project_id
        with sdrs_nb.start_rehearsal(tmp_path, servers=30, seed=1) as other:
            assert other.endpoint != endpoint

    with sdrs_nb.start_rehearsal(tmp_path, servers=20, seed=1) as again:
        assert (again.endpoint, again.project_id) == (endpoint, project)


def test_a_second_rehearsal_at_the_same_time_gets_a_world_of_its_own(tmp_path):
    """While the first holds its port, the second begins anew instead of failing."""
    with (
        sdrs_nb.start_rehearsal(tmp_path, servers=20, seed=1) as first,
        sdrs_nb.start_rehearsal(tmp_path, servers=20, seed=1) as second,
    ):
        assert first.endpoint != second.endpoint


async def test_a_run_to_practise_on_is_made_once(tmp_path):
    """The first call submits and interrupts, the second finds that run; nothing is sent a second time."""
    with sdrs_nb.start_rehearsal(tmp_path, servers=60, speed=600) as rehearsal:
        async with rehearsal.connect() as cloud:
            run = await sdrs_nb.rehearse_run(cloud, tmp_path)
            again = await sdrs_nb.rehearse_run(cloud, tmp_path)
            await sdrs_nb.resume(cloud, again)
            latest = await sdrs_nb.latest_run(cloud)

        assert again.run_id == run.run_id == latest.run_id
        assert set(rehearsal.world()["creations"].values()) == {1}


async def test_only_a_sandbox_is_practised_on(tmp_path):
    """A connection that may be real is refused before anything is asked of it."""
    async with sdrs_nb.connect(
        endpoint="https://sdrs.example.com", project_id="p", access_key="a", secret_key="s"
    ) as cloud:
        with pytest.raises(sdrs_nb.SettingsError, match="may be real"):
            await sdrs_nb.rehearse_run(cloud, tmp_path)


async def test_the_latest_run_is_the_one_of_this_cloud_that_is_not_done(cloud, ledger):
    """Without a name the newest unfinished run counts, else the newest; runs of other clouds never do."""
    strange = a_recorded_run(ledger, servers=1)
    ledger.set_run(strange.run_id, "paused")
    with pytest.raises(sdrs_nb.LedgerError, match="20_protect_servers"):
        await sdrs_nb.latest_run(cloud, ledger=ledger)
    scope = scope_of(await cloud.check())
    unfinished = a_recorded_run(ledger, servers=1, scope=scope)
    ledger.set_run(unfinished.run_id, "paused")
    newest = a_recorded_run(ledger, servers=1, scope=scope)

    assert (await sdrs_nb.latest_run(cloud, ledger=ledger)).run_id == unfinished.run_id
    ledger.set_run(unfinished.run_id, "done")
    assert (await sdrs_nb.latest_run(cloud, ledger=ledger)).run_id in {newest.run_id, unfinished.run_id}
    assert (await sdrs_nb.latest_run(cloud, newest.run_id, ledger=ledger)).run_id == newest.run_id
    with pytest.raises(sdrs_nb.SettingsError, match="belongs to project p1"):
        await sdrs_nb.latest_run(cloud, strange.run_id, ledger=ledger)
