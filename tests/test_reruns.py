"""A procedure that is run again: its run is found, nobody else's is, and a rehearsal keeps its cloud."""

import pytest

import sdrs_nb
from tests.builders_reporting import a_recorded_run


@pytest.fixture
async def submitted(cloud, ledger, cloud_time):
    """A plan of the sandbox's estate that was submitted and followed."""
    inventory = await sdrs_nb.load_inventory(cloud)
    fine = sdrs_nb.check_eligibility(inventory).verdicts.query("verdict in ('eligible', 'warning')").dropna()
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


def test_two_rehearsals_in_one_folder_are_refused(tmp_path):
    """While one runs, the second says why it cannot and what to do."""
    with (
        sdrs_nb.start_rehearsal(tmp_path, servers=20, seed=1),
        pytest.raises(sdrs_nb.SettingsError, match="delete that folder"),
    ):
        sdrs_nb.start_rehearsal(tmp_path, servers=20, seed=1)
