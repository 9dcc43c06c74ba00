"""What was not read is never taken for "there is none"."""

import pandas as pd
import pytest

from sdrs_nb import BatchOptions, check_eligibility, read_inventory
from sdrs_nb.inventory.inventory import Inventory
from sdrs_nb.rulebook import load_rulebook
from sdrs_nb.tables import INVENTORY_TABLES
from tests.builders import (
    a_group,
    a_key_pair,
    a_pair,
    a_server,
    a_volume,
    an_attachment,
    an_instance,
    an_inventory,
)
from tests.eligibility.judged import SERVER, judge, severity_of, verdict_of
from tests.mutilations import estates, mutilated, respelt, surprises

#: Column -> the rule that reads it, and the server or volume that it would block.
BLOCKING = {
    "servers.task_state": ("S8", {"servers": [a_server(SERVER, task_state="deleting")]}),
    "servers.lock_source": ("S9", {"servers": [a_server(SERVER, lock_source="ORDER")]}),
    "servers.lock_scene": ("S9", {"servers": [a_server(SERVER, lock_scene="TO_PERIOD_LOCK")]}),
    "servers.frozen": ("S10", {"servers": [a_server(SERVER, frozen=True)]}),
    "servers.tags": ("S13", {"servers": [a_server(SERVER, tags="__type_baremetal")]}),
    "servers.key_name": ("S22", {"servers": [a_server(SERVER, os_type="Windows", key_name="gone")]}),
    "groups.server_type": ("G5", {"groups": [a_group(server_type="BMS")]}),
    "groups.health_status": ("G4", {"groups": [a_group(health_status="abnormal")]}),
    "protected_instances.target_server_id": (
        "S5",
        {"protected_instances": [an_instance("x", target_server_id=SERVER)]},
    ),
    "volumes.frozen": (
        "D13",
        {"volumes": [a_volume("d", frozen=True)], "attachments": [an_attachment(SERVER, "d")]},
    ),
    "flavors.sale_status": ("P3", {}),
    "flavors.sale_by_az": ("P3", {}),
}


@pytest.mark.parametrize("fact", BLOCKING)
def test_a_column_that_was_not_read_leaves_the_verdict_unknown(fact):
    """What the column would have blocked is not planned without it, and the finding names the column."""
    rule, frames = BLOCKING[fact]
    frame, column = fact.split(".")
    blocked = an_inventory(**frames)
    less = Inventory(
        {name: blocked.frame(name) for name in INVENTORY_TABLES} | {frame: blocked.frame(frame).drop(columns=column)},
        blocked.sources,
        blocked.about,
    )

    eligibility = judge(less)

    assert verdict_of(eligibility) == "unknown"
    found = eligibility.findings_of(SERVER).set_index("rule")
    assert found.loc[rule, "severity"] == "unverified"
    assert fact in found.loc[rule, "message"]
    assert eligibility.missing["fact"].tolist() == [fact]


def test_a_blank_column_of_our_own_says_none():
    """In an inventory of the cloud, and in the files made of it, an empty lock field means free."""
    assert verdict_of(judge(an_inventory())) == "eligible"


@pytest.mark.parametrize("column", ["task_state", "lock_source", "tags"])
def test_a_blank_column_of_somebody_else_says_nothing(column):
    """In a table that somebody made, a column that is blank from top to bottom was not filled in."""
    inventory = an_inventory()
    frames = {name: inventory.frame(name) for name in INVENTORY_TABLES}
    frames["servers"] = frames["servers"].assign(task_state=None, lock_source="x", lock_scene="x", tags="a=b")
    frames["servers"][column] = pd.array([None], dtype="string")

    read = read_inventory(frames)

    assert column in read.unread("servers")


def test_one_value_makes_a_column_read():
    """A column in which anybody filled in anything was read; its gaps mean none."""
    inventory = an_inventory(servers=[a_server("a", task_state="rebooting"), a_server("b")])
    frames = {name: inventory.frame(name) for name in INVENTORY_TABLES}

    read = read_inventory(frames)

    assert "task_state" not in read.unread("servers")
    assert "lock_source" in read.unread("servers")


def test_unread_columns_are_remembered_by_files_and_by_frames_put_in_place(tmp_path):
    """Writing an inventory and reading it again, or exchanging a frame, makes nothing known that was not."""
    inventory = an_inventory(unread={"servers": ["tags", "lock_source"]})

    there_and_back = [
        read_inventory(inventory.to_excel(tmp_path / "x.xlsx")),
        read_inventory(inventory.to_folder(tmp_path / "x")),
        inventory.with_frame("servers", inventory.servers),
        inventory.with_frame("volumes", inventory.volumes),
    ]

    assert [each.unread("servers") for each in there_and_back] == [{"tags", "lock_source"}] * 4
    assert {verdict_of(judge(each), "server-1") for each in there_and_back} == {"unknown"}


def test_a_frame_put_in_place_keeps_what_was_read():
    """A filtered frame whose lock column happens to be blank was read, as the one before it was."""
    inventory = an_inventory(servers=[a_server("a", lock_source="ORDER"), a_server("b")])

    fewer = inventory.with_frame("servers", inventory.servers[inventory.servers["server_id"] == "b"])

    assert fewer.unread("servers") == set()


def test_a_windows_server_whose_key_pair_was_not_read_is_unknown_and_linux_is_not():
    """Key pairs concern Windows; a server of a system nobody knows counts as one that may need it."""
    servers = [a_server("win", os_type="Windows"), a_server("lin"), a_server("odd", os_type=None)]
    inventory = an_inventory(servers=servers, unread={"servers": ["key_name"]}, key_pairs=[a_key_pair("k")])

    eligibility = judge(inventory)

    assert [verdict_of(eligibility, each) for each in ("win", "lin", "odd")] == ["unknown", "eligible", "unknown"]


def test_membership_in_an_ecs_group_matters_for_dedicated_hosts_alone():
    """An unread column that could only give a notice leaves the verdict alone."""
    inventory = an_inventory(unread={"servers": ["ecs_group_id"]})

    assert verdict_of(judge(inventory)) == "eligible"
    dedicated = judge(inventory, options=BatchOptions(tenancy="dedicated"))
    assert severity_of("S33", dedicated) == "unverified"


def test_stale_addresses_that_were_not_read_only_add_to_unverified():
    """A case of a rule that only warns makes no verdict unknown by its missing column."""
    eligibility = judge(an_inventory(unread={"servers": ["address_vpc_ids"]}))

    assert verdict_of(eligibility) == "eligible"
    assert severity_of("S3", eligibility) == "unverified"


def test_an_instance_that_does_not_say_whose_it_is_may_be_anybodys():
    """One row without its server leaves every server unknown but those that are named."""
    instances = [an_instance("a", protected_instance_id="1"), an_instance("x", protected_instance_id="2")]
    instances[1]["source_server_id"] = None
    eligibility = judge(an_inventory(servers=[a_server("a"), a_server("b")], protected_instances=instances))

    assert [verdict_of(eligibility, each) for each in ("a", "b")] == ["protected", "unknown"]


def test_a_pair_that_does_not_say_its_volumes_may_hold_any():
    """One pair without its volumes leaves every server with volumes unknown."""
    eligibility = judge(an_inventory(replication_pairs=[a_pair("x") | {"volume_ids": None}]))

    assert severity_of("D2", eligibility) == "unverified"
    assert verdict_of(eligibility) == "unknown"


def test_a_group_that_does_not_say_where_it_produces_is_not_taken_for_another_az():
    """No group fits for certain, so the server is unknown and not blocked."""
    eligibility = judge(an_inventory(groups=[a_group(priority_station=None)]))

    assert verdict_of(eligibility) == "unknown"


@pytest.fixture(scope="module")
def several_estates():
    """Four sandbox estates in one inventory."""
    return estates(range(4), servers=12)


@pytest.mark.slow
def test_no_frame_and_no_column_gone_makes_a_server_plannable(several_estates):
    """Knowing less never turns blocked, protected, unknown or not a candidate into eligible or warning."""
    assert surprises(several_estates, mutilated(several_estates)) == []


@pytest.mark.slow
def test_no_spelling_of_an_id_makes_a_server_plannable(several_estates):
    """Four spellings of every column of ids."""
    assert surprises(several_estates, respelt(several_estates)) == []


def test_profiles_that_block_flavors_need_what_tells_them():
    """Where a family of flavors is refused, an unread column of flavors leaves the verdict unknown."""
    inventory = an_inventory(unread={"flavors": ["architecture"]})

    verdicts = {
        profile: check_eligibility(inventory, rulebook=load_rulebook(profile)).verdicts["verdict"].iloc[0]
        for profile in ("huaweicloud", "otc")
    }

    assert verdicts == {"huaweicloud": "eligible", "otc": "unknown"}
