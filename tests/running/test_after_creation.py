"""What comes after creation: in sync is said apart from protected, groups are enabled by name, tasks are ticked off."""

import pytest

import sdrs_nb
from sdrs_nb.errors import SettingsError
from sdrs_nb.reporting.todo import summarize_tasks, to_do
from sdrs_nb.running.endings import end_of, progress_of
from sdrs_nb.running.ownership import Ownership, Whose
from sdrs_nb.running.protection import enable_protection, follow_first_synchronisation, runs_of_groups
from tests.builders_running import submit_and_follow

pytest_plugins = ["tests.running_fixtures"]


@pytest.mark.parametrize(
    ("status", "progress", "percent", "stage"),
    [
        ("protected", 100, 100, "in sync"),
        ("protected", "100", 100, "in sync"),
        ("protected", "100.0", 100, "in sync"),
        ("protected", 99, 99, "protected"),
        ("protected", 0, 0, "protected"),
        ("protected", None, 0, "protected"),
        ("protected", "", 0, "protected"),
        ("protected", "all", 0, "protected"),
        ("protected", -1, 0, "protected"),
        ("protected", "99.9", 0, "protected"),
        ("available", 100, 0, "created"),
        ("fault", 100, 0, "created"),
        ("error", 100, 0, "failed"),
        ("creating", 100, 0, "job ok"),
    ],
)
def test_in_sync_is_said_of_a_complete_copy_in_an_enabled_group_alone(status, progress, percent, stage):
    """Anything else that the field may hold proves nothing."""
    from sdrs_nb.running.endings import Ending, Owned

    document = {"id": "i1", "status": status, "progress": progress, "target_server": "d1"}

    row = end_of("s1", Owned(document, Ownership(Whose.MADE, "named by its job")), Ending(None))

    assert progress_of(document) == percent
    assert row["stage"] == stage


async def test_groups_are_enabled_by_their_ids_and_followed_until_in_sync(cloud, plan, ledger, cloud_time):
    """One group of a run alone; its servers end in sync, in the ledger too, and stay so; the others are left alone."""
    run = await submit_and_follow(cloud, plan, ledger, cloud_time)
    waiting = run.servers[run.servers["stage"].eq("created")]
    group = str(waiting["group_id"].iloc[0])
    heard = []

    (asked, groups) = next(iter(runs_of_groups([group], ledger).items()))
    states = await enable_protection(cloud, asked, groups=groups, sleep=cloud_time.sleep)
    frame = await follow_first_synchronisation(
        cloud, asked, groups=groups, sleep=cloud_time.sleep, on_change=lambda seen: heard.append(seen["progress"].min())
    )

    assert asked.run_id == run.run_id
    assert states["group_id"].tolist() == [group]
    assert set(frame["group_id"]) == {group}
    assert heard == sorted(heard)
    assert heard[-1] == 100
    mine = run.servers["group_id"].eq(group)
    assert set(run.servers["stage"][mine]) == {"in sync"}
    assert set((await sdrs_nb.verify(cloud, run)).set_index("server_id").loc[waiting["server_id"], "stage"]) >= {
        "in sync"
    }


async def test_a_run_means_all_its_groups_and_a_stranger_none(cloud, plan, ledger, cloud_time):
    """A group in which no run made anything is refused in a sentence before anything is sent."""
    run = await submit_and_follow(cloud, plan, ledger, cloud_time)

    assert list(runs_of_groups([run.run_id], ledger).values()) == [sorted(set(run.servers["group_id"]))]
    with pytest.raises(SettingsError, match="No run of this ledger made an instance in group nobody's"):
        runs_of_groups(["nobody's"], ledger)


async def test_tasks_are_ticked_off_one_by_one_or_all_at_once_and_open_again(cloud, plan, ledger, cloud_time):
    """The ledger keeps it, so that the list, the report and another process say the same."""
    run = await submit_and_follow(cloud, plan, ledger, cloud_time)
    before = to_do(run)
    single = before[before["rule"].eq("S29")]
    first = str(single["item"].iloc[0])

    run.tick(first, note="li")
    after = to_do(sdrs_nb.open_run(run.run_id, ledger)).set_index("item")["done_at"]
    counted = summarize_tasks(run.servers, {}, run.findings, ledger.done_items(run.run_id)).set_index("item")
    run.tick("S29")
    whole = to_do(run)
    run.tick("S29", is_done=False)
    run.tick(first, is_done=False)

    assert before["done_at"].isna().all()
    assert before["item"].is_unique
    assert after.notna().sum() == 1
    assert after[first]
    assert (counted["done"]["S29"], counted["servers"]["S29"]) == (1, len(single))
    assert whole["done_at"].notna().sum() == len(single)
    assert to_do(run)["done_at"].isna().all()
    assert run.events["kind"].tolist()[-4:] == ["task done", "task done", "task open again", "task open again"]
