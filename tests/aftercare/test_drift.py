"""Two inventories compared: what appeared, went and changed, and what could not be compared."""

import sdrs_nb
from tests.builders import a_group, a_server, an_inventory


def test_the_same_inventory_twice_has_no_changes():
    """Nothing appeared, went or changed, and everything was compared."""
    found = sdrs_nb.diff_inventories(an_inventory(), an_inventory())

    assert found.changes.empty
    assert found.not_compared == ()


def test_what_appeared_went_and_changed_is_told_apart():
    """A new server, one that is gone and one that was stopped, each in its frame with its name."""
    before = an_inventory(servers=[a_server("s1"), a_server("s2", name="old")], system_volumes=False)
    after = an_inventory(servers=[a_server("s1", status="SHUTOFF"), a_server("s3", name="new")], system_volumes=False)

    found = sdrs_nb.diff_inventories(before, after)

    assert found.appeared[["frame", "id", "name"]].to_numpy().tolist() == [["servers", "s3", "new"]]
    assert found.went[["frame", "id", "name"]].to_numpy().tolist() == [["servers", "s2", "old"]]
    changed = found.changed[["frame", "id", "fact", "before", "after"]]
    assert changed.to_numpy().tolist() == [["servers", "s1", "status", "ACTIVE", "SHUTOFF"]]


def test_frames_that_were_read_in_part_are_not_compared():
    """A server that is in neither part, or in one of them, has neither appeared nor gone; the frame is named."""
    before = an_inventory(servers=[a_server("s1"), a_server("s2")], partial={"servers": 1})
    after = an_inventory(servers=[a_server("s2")], partial={"servers": None})

    found = sdrs_nb.diff_inventories(before, after)

    assert found.changes[found.changes["frame"] == "servers"].empty
    assert found.not_compared == ("servers",)


def test_attachments_are_told_by_server_and_volume():
    """A frame with a key of two columns names both."""
    before = an_inventory(servers=[a_server("s1")])
    after = an_inventory(servers=[a_server("s1")], system_volumes=False)

    found = sdrs_nb.diff_inventories(before, after)

    assert found.went[["frame", "id"]].to_numpy().tolist() == [
        ["volumes", "system-of-s1"],
        ["attachments", "s1 system-of-s1"],
    ]


def test_what_could_not_be_read_has_neither_appeared_nor_gone():
    """A frame that one side could not read is named and gives no row."""
    before = an_inventory(groups=[a_group("g1")])
    after = an_inventory(groups=[a_group("g1")], not_loaded=["groups"])

    found = sdrs_nb.diff_inventories(before, after)

    assert found.changes.empty
    assert found.not_compared == ("groups",)
    assert "groups" in repr(found)


def test_a_file_and_the_cloud_it_was_written_from_are_the_same(tmp_path):
    """Writing an inventory and reading it back changes nothing that is compared."""
    inventory = an_inventory()

    found = sdrs_nb.diff_inventories(inventory, sdrs_nb.read_inventory(inventory.to_excel(tmp_path / "e.xlsx")))

    assert found.changes.empty
