"""Groups that wait to be chosen and facts that are not known, as a shell sees them."""

import json

import pytest

from sdrs_nb.planning.planning import Plan
from tests.builders import a_group, a_server, an_inventory

pytest_plugins = ["tests.cli.shell_fixtures"]

GROUPS = ["1f9ef5dd-ba59-498b-a993-8fa2e0d6b426", "7a1d0c52-9b1e-4c8a-8f0e-2f7f5e6a1b11"]
#: Nobody answers there.
NOBODY = {
    "SDRS_NB_ENDPOINT": "http://127.0.0.1:9",
    "SDRS_NB_PROJECT_ID": "p",
    "SDRS_NB_ACCESS_KEY": "AK",
    "SDRS_NB_SECRET_KEY": "SK",
    "SDRS_NB_ATTEMPTS": "1",
}


@pytest.fixture
def undecided(tmp_path):
    """A folder with three servers that two groups fit."""
    servers = [a_server(name) for name in ("a", "b", "c")]
    return an_inventory(servers=servers, groups=[a_group(each) for each in GROUPS]).to_folder(tmp_path / "estate")


@pytest.fixture
def partly_known(tmp_path):
    """A folder with one server whose lock nobody read."""
    return an_inventory(servers=[a_server("a", locked=None)]).to_folder(tmp_path / "estate")


def planned(folder):
    """Return the group of each server of the plan in the shell's folder."""
    servers = Plan.load(folder / "plan.json").servers
    return dict(zip(servers["server_id"], servers["group_id"], strict=True))


def test_servers_that_wait_for_a_group_are_counted_with_what_to_type(shell, undecided):
    """``check`` names the groups; ``plan`` makes none and says so with code 3."""
    checked, refused = shell("check", undecided), shell("plan", undecided)

    hint = f"3 servers wait for a group to be chosen: --choose {GROUPS[0]} | {GROUPS[1]}"
    assert hint in checked.stderr
    assert refused.returncode == 3
    assert hint in refused.stderr


@pytest.mark.parametrize("spelt", [str.lower, str.upper], ids=["lower case", "upper case"])
def test_one_group_is_chosen_for_all_and_another_for_one(shell, undecided, tmp_path, spelt):
    """``GROUP`` is for every server that it fits, ``SERVER=GROUP`` for one, in whatever spelling."""
    done = shell("plan", undecided, "--choose", spelt(GROUPS[1]), "--choose", f"b={spelt(GROUPS[0])}", "--json")

    assert done.returncode == 0
    assert planned(tmp_path) == {"a": GROUPS[1], "b": GROUPS[0], "c": GROUPS[1]}


@pytest.mark.parametrize("choice", ["nowhere", "a=nowhere"])
def test_a_group_that_cannot_be_chosen_is_refused_with_those_that_can(shell, undecided, choice):
    """A misspelt group is one line with code 2, never passed over."""
    done = shell("plan", undecided, "--choose", choice)

    assert done.returncode == 2
    assert "nowhere" in done.stderr
    assert GROUPS[0] in done.stderr


def test_a_plan_for_reading_is_shown_and_never_sent(shell, partly_known, tmp_path):
    """``--include-unknown`` plans what is not known; ``submit`` refuses that file in one line, and asks nobody."""
    usual = shell("plan", partly_known)
    reading = shell("plan", partly_known, "--include-unknown")
    fingerprint = Plan.load(tmp_path / "plan.json").fingerprint
    refused = shell("submit", "plan.json", "--approve", fingerprint, **NOBODY)

    assert usual.returncode == 3
    assert "Not known: servers.locked" in usual.stderr
    assert reading.returncode == 0
    assert "never sent" in reading.stderr
    assert "submit" not in reading.stderr
    assert list(planned(tmp_path)) == ["a"]
    assert (refused.returncode, refused.stdout, len(refused.stderr.splitlines())) == (2, "", 1)
    assert "for reading only" in refused.stderr


def test_a_declared_fact_makes_the_same_plan_sendable(shell, partly_known, tmp_path):
    """``--assume`` is told with the plan, and its payload is the one that was read before."""
    read = json.loads(shell("plan", partly_known, "--include-unknown", "--json").stdout)
    done = shell("plan", partly_known, "--assume", "servers.locked=false", "--json")

    assert json.loads(done.stdout)["payloads"] == read["payloads"]
    plan = Plan.load(tmp_path / "plan.json")
    assert [(each.fact, each.value) for each in plan.declared] == [("servers.locked", "False")]
    assert not plan.for_reading
