"""What is made of the attachments' rows: each volume on each server counts once, whatever its rows say."""

import pytest

from tests.builders import a_server, a_volume, an_attachment, an_inventory
from tests.eligibility.judged import SERVER, judge, severity_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param({"bootable": True}, {"bootable": False}, id="bootable"),
        pytest.param({"bootable": None}, {"bootable": False}, id="bootable, not said"),
        pytest.param({"device": "/dev/vda", "bootable": None}, {"device": "/dev/vdc", "bootable": None}, id="device"),
        pytest.param({"seen_by": "ecs"}, {"seen_by": "both"}, id="seen by"),
        pytest.param({"seen_by": None}, {"seen_by": "evs"}, id="seen by, not said"),
        pytest.param(
            {"device": "/dev/vdb", "bootable": None, "seen_by": "ecs"},
            {"device": "/dev/vdbe", "bootable": None, "seen_by": "cs"},
            id="values that would run into each other",
        ),
    ],
)
def test_rows_that_disagree_on_an_attachment_may_stand_in_any_order(one, other):
    """The same row counts wherever it stands, also between rows that name no volume and rows of other servers."""
    rows = [
        an_attachment(SERVER, None),
        an_attachment("server-2", "other", bootable=True),
        an_attachment(SERVER, "v", **one),
        an_attachment("server-0", "v0", bootable=True),
        an_attachment(SERVER, "v", **other),
    ]

    def told(attachments):
        inventory = an_inventory(
            servers=[a_server(name) for name in ("server-0", SERVER, "server-2")],
            volumes=[a_volume(name) for name in ("other", "v", "v0")],
            attachments=attachments,
            system_volumes=False,
        )
        return judge(inventory).findings.to_csv()

    assert told(rows) == told(rows[::-1])


def test_an_attachment_that_stands_twice_counts_once():
    """Twice 600 GiB of one volume are no TiB, and a volume on one server is not shared with itself."""
    rows = [an_attachment(SERVER, "data-1"), an_attachment(SERVER, "data-1", device="/dev/vdc")]
    eligibility = judge(an_inventory(volumes=[a_volume("data-1", size_gib=600)], attachments=rows))

    assert severity_of("D12", eligibility) is None
    assert eligibility.clusters.empty


@pytest.mark.parametrize(("server_id", "volume_id"), [(None, "data-1"), (SERVER, None), (None, None)])
def test_a_row_that_lacks_an_id_attaches_nothing(server_id, volume_id):
    """A volume without a server concerns nobody, and a server without a volume no volume."""
    inventory = an_inventory(
        system_volumes=False,
        volumes=[a_volume("system"), a_volume("data-1", encrypted=True)],
        attachments=[an_attachment(SERVER, "system", bootable=True), an_attachment(server_id, volume_id)],
    )

    assert severity_of("D1", judge(inventory)) is None


@pytest.mark.parametrize("turned", [False, True], ids=["as listed", "the other way round"])
def test_volumes_of_two_servers_that_alternate_make_one_finding_a_server(turned):
    """Whatever the order of rows and of volumes' ids, a server's finding names all of its volumes, by id."""
    owners = {"v1": "a", "v2": "b", "v3": "a", "v4": "b"}
    rows = [an_attachment(server_id, volume_id) for volume_id, server_id in owners.items()]
    inventory = an_inventory(
        servers=[a_server("a"), a_server("b")],
        volumes=[a_volume(each, encrypted=True) for each in owners],
        attachments=rows[::-1] if turned else rows,
    )

    found = judge(inventory).findings.query("rule == 'D1'")

    assert found[["server_id", "evidence"]].to_numpy().tolist() == [
        ["a", "volumes=name of v1 (v1),name of v3 (v3)"],
        ["b", "volumes=name of v2 (v2),name of v4 (v4)"],
    ]


@pytest.mark.parametrize("order", [["both", "ecs"], ["ecs", "both"], ["both", "ecs", "evs"]])
def test_of_rows_that_disagree_the_one_that_sorts_first_counts(order):
    """An attachment that one row says both services tell of is not told of by one alone."""
    inventory = an_inventory(
        volumes=[a_volume("v")], attachments=[an_attachment(SERVER, "v", seen_by=each) for each in order]
    )

    assert severity_of("H13", judge(inventory)) is None
