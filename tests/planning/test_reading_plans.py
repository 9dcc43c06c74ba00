"""What is not known yet: plans for reading only, the choice of a group, and reasons that say what to change."""

import json
from types import SimpleNamespace

import pandas as pd
import pytest

import sdrs_nb
from sdrs_nb.planning.left_out import most_frequent
from tests.builders import GROUP, a_group, a_server, a_volume, an_attachment, an_instance, an_inventory

pytest_plugins = ["tests.cli.shell_fixtures"]
OTHER = "group-2"


def unknown_inventory():
    """One server of which everything is known, one whose lock nobody read."""
    return an_inventory(
        servers=[a_server("known"), a_server("unknown", locked=None)],
        volumes=[a_volume("v1"), a_volume("v2")],
        attachments=[an_attachment("known", "v1"), an_attachment("unknown", "v2")],
    )


def planned(inventory, **options):
    """A plan of it."""
    return sdrs_nb.plan_batches(sdrs_nb.check_eligibility(inventory), name_prefix="erp", **options)


def servers_of(plan):
    """Every server that a plan sends."""
    return {server for batch in plan.batches for server in batch.server_ids}


def test_servers_that_nobody_knows_enough_of_are_planned_for_reading_alone(tmp_path):
    """Left out by default; on request they are in the plan, which says so, also from its file."""
    inventory = unknown_inventory()

    plan = planned(inventory, include_unknown=True)
    again = sdrs_nb.Plan.load(plan.save(tmp_path / "plan.json"))

    assert servers_of(planned(inventory)) == {"known"}
    assert servers_of(plan) == servers_of(again) == {"known", "unknown"}
    assert plan.for_reading
    assert again.for_reading
    assert plan.fingerprint == again.fingerprint != planned(inventory).fingerprint
    assert any("never sent" in remark for remark in plan.remarks)


async def test_a_plan_for_reading_is_refused_before_anything_is_asked():
    """Neither ledger nor cloud are touched."""
    plan = planned(unknown_inventory(), include_unknown=True)

    with pytest.raises(sdrs_nb.PlanError, match="for reading only"):
        await sdrs_nb.submit(SimpleNamespace(sdrs=None), plan, approve=plan.fingerprint)


def test_a_file_that_no_longer_says_for_reading_was_changed(tmp_path):
    """The word is under the fingerprint."""
    path = planned(unknown_inventory(), include_unknown=True).save(tmp_path / "plan.json")
    text = path.read_text(encoding="utf-8")
    assert '"for_reading": true' in text
    path.write_text(text.replace('"for_reading": true', '"for_reading": false'), encoding="utf-8")

    with pytest.raises(sdrs_nb.PlanError):
        sdrs_nb.Plan.load(path)


@pytest.mark.slow
def test_the_shell_plans_for_reading_and_refuses_to_submit(shell, tmp_path):
    """``plan --include-unknown`` writes the file, ``submit`` refuses it in a sentence."""
    estate = unknown_inventory().to_excel(tmp_path / "estate.xlsx")

    done = shell("plan", "estate.xlsx", "--include-unknown", "--json")
    nowhere = {"ENDPOINT": "http://127.0.0.1:9", "PROJECT_ID": "p", "ACCESS_KEY": "a", "SECRET_KEY": "s"}
    cloud = {f"SDRS_NB_{name}": value for name, value in nowhere.items()}
    refused = shell("submit", "plan.json", "--approve", json.loads(done.stdout)["fingerprint"], **cloud)

    assert done.returncode == 0, done.stderr
    assert estate.is_file()
    assert refused.returncode == 2
    assert "for reading only" in refused.stderr


def two_groups():
    """Two servers that fit two groups each."""
    return an_inventory(
        servers=[a_server("one"), a_server("two")],
        groups=[a_group(), a_group(group_id=OTHER, name="second")],
        volumes=[a_volume("v1"), a_volume("v2")],
        attachments=[an_attachment("one", "v1"), an_attachment("two", "v2")],
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        pytest.param([], {}, id="none chosen"),
        pytest.param([OTHER], {"one": OTHER, "two": OTHER}, id="one group for all that wait"),
        pytest.param([OTHER, f"two={GROUP}"], {"one": OTHER, "two": GROUP}, id="another for one of them"),
        pytest.param([f"one={GROUP}"], {"one": GROUP}, id="for one alone"),
    ],
)
def test_the_shell_chooses_a_group(shell, tmp_path, choices, expected):
    """Servers that fit several groups are planned in the one that was chosen, and wait until one is."""
    two_groups().to_excel(tmp_path / "estate.xlsx")
    words = [word for choice in choices for word in ("--choose", choice)]

    done = shell("plan", "estate.xlsx", *words, "--json")

    if not expected:
        assert done.returncode == 3
        assert "--choose" in done.stderr
        return
    bodies = [body["protected_instances"] for body in json.loads(done.stdout)["payloads"]]
    found = {server["server_id"]: body["server_group_id"] for body in bodies for server in body["servers"]}
    assert found == expected


def test_reasons_begin_with_what_can_be_changed():
    """A group to be chosen and data to be loaded come before what only the estate's owner can change."""
    inventory = an_inventory(
        servers=[
            *(a_server(f"bad-{n}", status="ERROR") for n in range(5)),
            a_server("unknown", locked=None),
            a_server("done"),
        ],
        protected_instances=[an_instance("done")],
    )
    verdicts = sdrs_nb.check_eligibility(inventory)

    with pytest.raises(sdrs_nb.NothingEligibleError) as nothing:
        sdrs_nb.plan_batches(verdicts, name_prefix="erp")

    told = str(nothing.value)
    assert told.index("S9") < told.index("S7")
    assert "S2" not in told


def test_servers_that_are_protected_are_no_reason():
    """When there is nothing else, that is what is said."""
    left_out = pd.DataFrame({"verdict": ["protected"] * 3, "rules": ["S2"] * 3, "reason": ["has one"] * 3})

    assert most_frequent(left_out) == "Every server is protected already."


def test_an_inventory_of_an_older_version_says_the_same(tmp_path):
    """Its sources have no column for what was not read; read from a cloud, its blanks mean none."""
    inventory = an_inventory(servers=[a_server("known"), a_server("locked", locked=True, lock_source="ORDER")])
    folder = inventory.to_folder(tmp_path / "old")
    sources = pd.read_csv(folder / "sources.csv", dtype=str)
    sources.drop(columns="unread").to_csv(folder / "sources.csv", index=False)
    about = pd.read_csv(folder / "about.csv", dtype=str)
    about.assign(origin="https://sdrs.region.example").to_csv(folder / "about.csv", index=False)

    old = sdrs_nb.check_eligibility(sdrs_nb.read_inventory(folder)).verdicts

    assert old["verdict"].tolist() == sdrs_nb.check_eligibility(inventory).verdicts["verdict"].tolist()


def test_sources_that_lack_frames_of_today_leave_them_missing(tmp_path):
    """An older file does not know every frame: those are missing, named as such, and can be declared."""
    inventory = an_inventory(servers=[a_server("known")])
    folder = inventory.to_folder(tmp_path / "old")
    sources = pd.read_csv(folder / "sources.csv", dtype=str)
    sources[sources["frame"] != "drill_servers"].to_csv(folder / "sources.csv", index=False)
    (folder / "drill_servers.csv").unlink()

    old = sdrs_nb.read_inventory(folder)
    judged = sdrs_nb.check_eligibility(old)

    assert judged.verdicts["verdict"].tolist() == ["unknown"]
    assert judged.missing["fact"].tolist() == ["drill_servers"]
    declared = sdrs_nb.check_eligibility(old.assume({"drill_servers": "none"}))
    assert declared.verdicts["verdict"].tolist() == sdrs_nb.check_eligibility(inventory).verdicts["verdict"].tolist()
