"""Documents of the cloud to frames: every field that is not simply copied, and every way a document can be odd."""

import pandas as pd
import pytest

from sdrs_nb.inventory.documents import FRAMES, attachments
from sdrs_nb.tables import INVENTORY_TABLES
from tests.builders_inventory import a_group_document, a_server_document, a_volume_document, an_address


def the_server(document):
    """Return the one row that a server document becomes."""
    return FRAMES["servers"]([document]).iloc[0]


def the_volume(document):
    """Return the one row that a volume document becomes."""
    return FRAMES["volumes"]([document]).iloc[0]


@pytest.mark.parametrize("name", sorted(FRAMES))
def test_no_documents_give_the_tables_columns_and_dtypes(name):
    """A list without documents is an empty frame with every column in its dtype."""
    frame = FRAMES[name]([])

    assert {column: str(dtype) for column, dtype in frame.dtypes.items()} == dict(INVENTORY_TABLES[name].columns)
    assert len(frame) == 0


@pytest.mark.parametrize("name", sorted(FRAMES))
@pytest.mark.parametrize("odd", [None, "text", 7, [], {}, [None], ["x"], {"a": None}], ids=repr)
def test_a_malformed_document_never_raises(name, odd):
    """Whatever stands in the fields of a document, the frame is built and its columns keep their dtypes."""
    fields = {*a_server_document(), *a_volume_document(), *a_group_document(), "volume_ids", "attachment"}
    fields |= {"record_metadata", "drill_servers", "local_replication_cluster", "network_interfaces", "sys_tags"}
    document = dict.fromkeys(fields, odd) | {"id": "id-1", "instance_id": "id-1", "type": "t", "name": "n"}

    frame = FRAMES[name]([document, document])

    assert {column: str(dtype) for column, dtype in frame.dtypes.items()} == dict(INVENTORY_TABLES[name].columns)
    assert len(frame) <= 1


@pytest.mark.parametrize(
    ("mode", "billing"), [("0", "on demand"), ("1", "yearly/monthly"), ("2", "spot"), ("9", None), (None, None)]
)
def test_billing_follows_the_charging_mode(mode, billing):
    """charging_mode is a text of one digit; an unknown one is NA."""
    server = the_server(a_server_document(metadata={"charging_mode": mode}))

    assert server["billing"] == billing if billing else pd.isna(server["billing"])


def test_the_vpc_comes_from_metadata_before_addresses():
    """metadata.vpc_id wins; the keys of addresses are kept beside it so that a rule can see them disagree."""
    nets = {"vpc-b": [an_address("10.0.0.1", "p1")], "vpc-a": []}

    server = the_server(a_server_document(addresses=nets))

    assert (server["vpc_id"], server["address_vpc_ids"]) == ("vpc-1", "vpc-a,vpc-b")


@pytest.mark.parametrize(
    ("nets", "vpc_id"),
    [({"vpc-9": []}, "vpc-9"), ({"vpc-8": [], "vpc-9": []}, None), ({}, None)],
    ids=["one", "two", "none"],
)
def test_without_metadata_only_a_single_address_key_tells_the_vpc(nets, vpc_id):
    """Two keys of addresses are no answer, so the VPC is NA."""
    server = the_server(a_server_document(metadata={"vpc_id": ""}, addresses=nets))

    assert server["vpc_id"] == vpc_id if vpc_id else pd.isna(server["vpc_id"])


def test_a_nic_counts_once_and_floating_addresses_do_not():
    """NICs are the distinct ports with a fixed address."""
    items = [an_address("10.0.0.1", "p1"), an_address("fd00::1", "p1"), an_address("10.0.0.2", "p2")]
    items.append(an_address("80.1.1.1", "p3", "floating"))

    server = the_server(a_server_document(addresses={"vpc-1": items}))

    assert server["nic_count"] == 2
    assert server["private_ips"] == "10.0.0.1,fd00::1,10.0.0.2"


def test_a_server_whose_addresses_were_not_sent_has_no_nic_count():
    """No addresses at all is "not told", not zero NICs."""
    assert pd.isna(the_server(a_server_document(addresses=None))["nic_count"])
    assert the_server(a_server_document(addresses={}))["nic_count"] == 0


@pytest.mark.parametrize(
    ("metadata", "is_frozen"), [({"EcmResStatus": "freeze"}, True), ({"EcmResStatus": "normal"}, False), ({}, False)]
)
def test_frozen_is_what_metadata_says(metadata, is_frozen):
    """EcmResStatus appears only after a freeze; without it a server is not frozen."""
    assert the_server(a_server_document(metadata=metadata))["frozen"] == is_frozen


def test_facts_of_metadata_are_unknown_when_metadata_was_not_sent():
    """A document without metadata says neither frozen nor encrypted, so both are NA rather than no."""
    assert pd.isna(the_server(a_server_document() | {"metadata": None})["frozen"])
    assert pd.isna(the_volume(a_volume_document(metadata=None))["encrypted"])


def test_empty_lock_fields_mean_free():
    """The cloud sends "" for a server that no service has locked; that is NA."""
    server = the_server(a_server_document(metadata={"lockSource": "", "lockScene": "TO_PERIOD_LOCK"}))

    assert pd.isna(server["lock_source"])
    assert server["lock_scene"] == "TO_PERIOD_LOCK"


def test_flavor_figures_are_numbers_and_memory_is_in_gib():
    """Both vcpus and ram come as text, ram in MiB."""
    server = the_server(a_server_document(flavor={"id": "f", "vcpus": "8", "ram": "1536", "gpus": [{"name": "g"}]}))

    assert (server["vcpus"], server["ram_gib"], server["accelerators"]) == (8, 1.5, True)


def test_scheduler_hints_are_lists_of_one():
    """tenancy, host and group are unpacked from their lists."""
    hints = {"tenancy": ["dedicated"], "dedicated_host_id": ["host-1"], "group": "group-1"}

    server = the_server(a_server_document(**{"os:scheduler_hints": hints}))

    assert list(server[["tenancy", "dedicated_host_id", "ecs_group_id"]]) == ["dedicated", "host-1", "group-1"]


def test_the_primary_subnet_is_the_primary_nics():
    """With several NICs only the one marked primary tells the subnet."""
    nics = [{"subnet_id": "s1", "primary": False}, {"subnet_id": "s2", "primary": True}]

    assert the_server(a_server_document(network_interfaces=nics))["subnet_id"] == "s2"
    assert pd.isna(the_server(a_server_document(network_interfaces=nics[:1] * 2))["subnet_id"])


def test_the_enterprise_project_may_hide_in_system_tags():
    """Where the field is missing, _sys_enterprise_project_id says it."""
    tags = [{"key": "_sys_enterprise_project_id", "value": "ep-1"}]

    assert the_server(a_server_document(sys_tags=tags))["enterprise_project_id"] == "ep-1"


def test_names_stay_as_they_are():
    """Markup, formulas, quotes and Chinese in a name are text."""
    names = ["=1+1", "<b>x</b>", 'a "quoted" name', "数据库 01", "'; DROP"]

    frame = FRAMES["servers"]([a_server_document(str(at), name=name) for at, name in enumerate(names)])

    assert frame["name"].tolist() == names


def test_an_object_seen_on_two_pages_is_one_row():
    """The later word counts, and an entry without an id is no row."""
    documents = [a_server_document("a", status="BUILD"), a_server_document("a"), a_server_document("")]

    frame = FRAMES["servers"](documents)

    assert frame["status"].tolist() == ["ACTIVE"]


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("2024-01-31T01:02:03.456Z", "2024-01-31T01:02:03.456Z"),
        ("2024-01-31 01:02:03.74", "2024-01-31T01:02:03.74Z"),
        ("2024-01-31 01:02:03.0", "2024-01-31T01:02:03Z"),
        ("2024-01-31T01:02:03.456789", "2024-01-31T01:02:03.456789Z"),
        ("2024-01-31T01:02:03.123456789", "2024-01-31T01:02:03.123456789Z"),
        ("2018-05-30T15:00:00Z", "2018-05-30T15:00:00Z"),
        ("2024-01-31 01:15", "2024-01-31T01:15:00Z"),
        ("2024-01-31T09:02:03+08:00", "2024-01-31T01:02:03Z"),
        ("2024-01-31T09:02:03+0800", "2024-01-31T01:02:03Z"),
        ("2024-02-31T01:02:03Z", None),
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31T00:00:00Z", None),
        ("yesterday", None),
        ("", None),
        (1706662923, None),
    ],
)
def test_every_documented_time_is_read_as_utc(sent, read):
    """All forms of sdrs-api.md 1.2 become UTC; what is no time is NA."""
    created = FRAMES["groups"]([a_group_document(created_at=sent)])["created_at"].iloc[0]

    assert created == pd.Timestamp(read) if read else pd.isna(created)


@pytest.mark.parametrize(
    ("metadata", "is_encrypted"),
    [({"__system__encrypted": "1"}, True), ({"__system__encrypted": "0"}, False), ({}, False)],
)
def test_encryption_is_read_from_metadata_alone(metadata, is_encrypted):
    """The field "encrypted" of the document (True here) is not supported by the service and ignored."""
    assert the_volume(a_volume_document(metadata=metadata))["encrypted"] == is_encrypted


def test_a_volume_with_an_order_is_yearly_or_monthly():
    """metadata.orderID decides the billing of a volume."""
    assert the_volume(a_volume_document(metadata={"orderID": "CS1"}))["billing"] == "yearly/monthly"
    assert the_volume(a_volume_document(metadata={"orderID": ""}))["billing"] == "on demand"


def test_attachments_are_the_union_of_both_sides():
    """What either side reports counts, and who reported it is kept."""
    server = a_server_document()
    server["os-extended-volumes:volumes_attached"].append({"id": "volume-2", "device": "/dev/vdb", "bootIndex": "1"})
    server["os-extended-volumes:volumes_attached"].append({"id": "volume-4", "device": "/dev/vdd", "bootIndex": ""})
    volumes = [a_volume_document("volume-1"), a_volume_document("volume-3", "server-9")]

    frame = attachments([server], volumes).set_index(["server_id", "volume_id"])

    assert frame["seen_by"].to_dict() == {
        ("server-1", "volume-1"): "both",
        ("server-1", "volume-2"): "ecs",
        ("server-1", "volume-4"): "ecs",
        ("server-9", "volume-3"): "evs",
    }
    assert frame["bootable"].astype("object").fillna("unknown").tolist() == [True, False, "unknown", "unknown"]
    assert frame["device"].tolist() == ["/dev/vda", "/dev/vdb", "/dev/vdd", "/dev/sda"]


@pytest.mark.parametrize(
    ("station", "production", "disaster"), [("source", "az-1", "az-2"), ("target", "az-2", "az-1"), ("", None, None)]
)
def test_the_station_says_where_production_runs(station, production, disaster):
    """The AZs of a group never change; priority_station tells which one is production."""
    group = FRAMES["groups"]([a_group_document(priority_station=station)]).iloc[0]

    assert group["production_az"] == production if production else pd.isna(group["production_az"])
    assert group["dr_az"] == disaster if disaster else pd.isna(group["dr_az"])


def test_a_pair_names_its_volumes_and_instances():
    """volume_ids is one text; attachment has one entry per instance of a shared pair."""
    document = {
        "id": "pair-1",
        "volume_ids": "v1, v2",
        "attachment": [{"protected_instance": "i1"}, {"protected_instance": "i2"}],
        "record_metadata": {"multiattach": True},
    }

    pair = FRAMES["replication_pairs"]([document]).iloc[0]

    assert (pair["volume_ids"], pair["protected_instance_ids"], pair["multiattach"]) == ("v1,v2", "i1,i2", True)


def test_drills_become_one_row_per_server():
    """Every server of a drill is a row with its drill and group."""
    drill = {"id": "d1", "server_group_id": "g1", "drill_servers": [{"drill_server_id": f"s{n}"} for n in range(2)]}

    frame = FRAMES["drill_servers"]([drill, {"id": "d2"}])

    assert frame[["server_id", "drill_id", "group_id"]].to_numpy().tolist() == [["s0", "d1", "g1"], ["s1", "d1", "g1"]]
