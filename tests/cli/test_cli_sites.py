"""Whose rules hold, as a shell sees it: Open Telekom Cloud is served one by one, and a wrong choice stops at once."""

import json

import pytest

import sdrs_nb
from tests.builders_sites import a_site_without_batch_calls, sent

pytest_plugins = ["tests.cli.shell_fixtures"]


def test_open_telekom_cloud_is_served_one_by_one(shell):
    """Its host alone decides: plan, submit and undo use single calls and say why; every server ends right."""
    why = "Rule book otc: otc.t-systems.com is Open Telekom Cloud."
    with a_site_without_batch_calls() as (sandbox, cloud):
        planned = shell("plan", "--json", **cloud)
        submitted = shell(
            "submit", "plan.json", "--approve", json.loads(planned.stdout)["fingerprint"], "--json", **cloud
        )
        created = sent(sandbox)
        run_id = json.loads(shell("runs", "--json").stdout)[0]["run_id"]
        undo = shell("undo", run_id, "--json", **cloud)
        undone = shell("submit", "undo.json", "--approve", json.loads(undo.stdout)["fingerprint"], "--json", **cloud)
        deleted = sent(sandbox)[len(created) :]

    outcome = json.loads(submitted.stdout)
    assert {row["stage"] for row in outcome} <= {"created", "protected", "in sync"}
    assert created == [("POST", "/protected-instances", 200)] * len(outcome)
    assert {row["stage"] for row in json.loads(undone.stdout)} == {"deleted"}
    assert [method for method, _path, _status in deleted] == ["DELETE"] * len(outcome)
    assert [done.stderr.count(why) for done in (planned, submitted, undo, undone)] == [1] * 4


def test_batch_creates_there_stop_after_one_404_and_the_named_command_goes_on(shell):
    """The profile of Huawei Cloud, chosen against the cloud's own, sends one request; its remedy plans the rest."""
    with a_site_without_batch_calls() as (sandbox, cloud):
        planned = shell("plan", "--rulebook", "huaweicloud", "--json", **cloud)
        stopped = shell("submit", "plan.json", "--approve", json.loads(planned.stdout)["fingerprint"], **cloud)
        first = sent(sandbox)
        run_id = json.loads(shell("runs", "--json").stdout)[0]["run_id"]
        resumed = shell("resume", run_id, "--json", **cloud)
        words = stopped.stderr.rpartition("The command: sdrs-nb ")[2].split()
        rest = json.loads(shell(*words, "--json", **cloud).stdout)["plans"][0]
        submitted = shell("submit", rest["file"], "--approve", rest["fingerprint"], "--json", **cloud)
        second = sent(sandbox)[1:]

    assert "as chosen; that of Open Telekom Cloud is otc." in planned.stderr
    assert first == [("POST", "/protected-instances/batch", 404)]
    assert stopped.returncode == 2
    assert "no batch create, and nothing was created" in stopped.stderr
    assert words == ["plan", "--remainder", run_id, "--rulebook", "otc"]
    assert (resumed.returncode, {row["stage"] for row in json.loads(resumed.stdout)}) == (1, {"not sent"})
    outcome = json.loads(submitted.stdout)
    assert {row["stage"] for row in outcome} <= {"created", "protected", "in sync"}
    assert second == [("POST", "/protected-instances", 200)] * len(outcome)


def test_a_file_counts_as_of_its_own_cloud_else_of_the_one_that_is_set(shell, tmp_path):
    """What was loaded keeps its cloud; a hand-made list is judged for where it would be sent; a choice beats both."""
    (tmp_path / "list.csv").write_text("server_id,name,status,az,vpc_id\ns1,db-1,ACTIVE,az-1,vpc-1\n")
    with a_site_without_batch_calls() as (_sandbox, cloud):
        shell("inventory", "--out", "estate.xlsx", **cloud)
        told = [
            shell("check", *words, **extra).stderr.splitlines()[0]
            for words, extra in (
                (["estate.xlsx"], {}),
                (["list.csv"], {}),
                (["list.csv"], cloud),
                (["estate.xlsx", "--rulebook", "otc S22=warning"], {}),
            )
        ]

    assert told == [
        "Rule book otc: otc.t-systems.com is Open Telekom Cloud.",
        "Rule book huaweicloud is ASSUMED: nothing says which cloud this is. Choose another if that is wrong.",
        "Rule book otc: otc.t-systems.com is Open Telekom Cloud.",
        "Rule book otc S22=warning, as chosen.",
    ]


@pytest.mark.parametrize(("name", "named"), [("mars", "otc"), ("otc S99=off", "S99"), ("otc batch_size=many", "size")])
def test_a_rule_book_that_there_is_not_is_refused_before_anything_is_read(shell, name, named):
    """One sentence and 2, though no credentials are there to read a cloud with."""
    done = shell("check", "--rulebook", name)

    assert done.returncode == 2
    assert named in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_switches_are_handed_to_the_sandbox_and_refused_by_it(shell):
    """``sdrs-nb sandbox`` lists them, ``start_sandbox`` passes them on; an unknown one starts nothing."""
    assert "batch_calls=yes|no" in shell("sandbox", "--help").stdout
    assert shell("sandbox", "--assume", "gravity=no").returncode == 2
    with pytest.raises(sdrs_nb.SdrsError, match="no switch 'gravity'"):
        sdrs_nb.start_sandbox(servers=5, assume={"gravity": "no"})
