"""Plans for a site without batch calls: one request a server."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdrs_nb.errors import PlanError
from sdrs_nb.models import Batch, Call, Tag
from sdrs_nb.payloads.requests import batch_problems, curl_line, hcloud_line, payload, payload_bytes, target
from sdrs_nb.planning.naming import NameRequest, name_instances
from sdrs_nb.planning.planning import Plan, plan_batches
from sdrs_nb.rulebook import load_rulebook
from tests.builders_planning import BOOK, an_eligibility


def otc(*args, **changes):
    """Return what eligibility gives under the profile of a site without batch calls."""
    return replace(an_eligibility(*args, **changes), rulebook=load_rulebook("otc"))


def a_single(**changes) -> Batch:
    """Return the create of one instance."""
    fields = {"batch_id": "b001", "group_id": "g1", "name_prefix": "erp", "instance_name": "erp-0001"}
    return Batch(**{**fields, "server_ids": ("s1",), "call": Call.SINGLE_CREATE, **changes})


def a_delete(**changes) -> Batch:
    """Return the deletion of two instances."""
    fields = {"batch_id": "b001", "group_id": "g1", "server_ids": ("s1", "s2"), "call": Call.BATCH_DELETE}
    return Batch(**{**fields, "instances": {"s1": "p1", "s2": "p2"}, **changes})


@pytest.mark.slow
@given(st.integers(1, 60))
@settings(max_examples=15)
def test_every_server_is_a_request_of_its_own(servers):
    """Nothing is lost or doubled, each request has one server, and no two instances have one name."""
    plan = plan_batches(otc(servers), name_prefix="erp")

    assert sorted(plan.servers["server_id"]) == [f"s{number:03d}" for number in range(1, servers + 1)]
    assert {(len(batch.server_ids), batch.call) for batch in plan.batches} == {(1, Call.SINGLE_CREATE)}
    assert plan.servers["instance_name"].is_unique
    assert plan.servers["instance_name"].iloc[0] == "erp-0001"
    assert plan.proof["proven"].all()


def test_a_plan_of_single_creates_survives_its_file(tmp_path):
    """Saved and loaded it is the same plan, bytes and calls included."""
    plan = plan_batches(otc(3), name_prefix="erp")

    again = Plan.load(plan.save(tmp_path / "plan.json"))

    assert again.fingerprint == plan.fingerprint
    assert (again.batches, again.bodies) == (plan.batches, plan.bodies)


def test_servers_with_shared_volumes_are_left_out_with_the_reason():
    """The single create refuses shared volumes, with several owners or one."""
    eligibility = otc(4, clusters=[["s001", "s002"], ["s003"]])
    one_owner = replace(eligibility, clusters=eligibility.clusters.iloc[:2])

    plan = plan_batches(one_owner, name_prefix="erp")

    assert [batch.server_ids for batch in plan.batches] == [("s004",)]
    assert plan.left_out["rules"].tolist() == ["H15", "H15", "H15"]
    assert plan.left_out["reason"].str.contains("shared volume").all()
    assert "name-s003 (s003)" in plan.left_out["reason"].iloc[2]


def test_the_body_has_one_key_and_the_fields_of_its_page():
    """A single create names its instance itself and has no list of servers."""
    batch = a_single(
        description="d", primary_subnet_id="net", flavors={"s1": "c3.large.2"}, tags=(Tag(key="k", value=""),)
    )

    body = payload(batch)

    assert list(body["protected_instance"].items()) == [
        ("server_group_id", "g1"), ("server_id", "s1"), ("name", "erp-0001"), ("description", "d"),
        ("primary_subnet_id", "net"), ("flavorRef", "c3.large.2"), ("tags", [{"key": "k", "value": ""}]),
    ]  # fmt: skip
    assert json.loads(payload_bytes(batch)) == body


@pytest.mark.parametrize(
    ("batch", "body"),
    [
        pytest.param(
            a_delete(),
            b'{"protected_instances":[{"id":"p1"},{"id":"p2"}],"delete_target_server":false,"delete_target_eip":false}',
            id="together, DR servers stay",
        ),
        pytest.param(
            a_delete(delete_target_server=True, delete_target_eip=True),
            b'{"protected_instances":[{"id":"p1"},{"id":"p2"}],"delete_target_server":true,"delete_target_eip":true}',
            id="together, DR servers and EIPs go",
        ),
        pytest.param(
            a_delete(server_ids=("s1",), call=Call.SINGLE_DELETE, delete_target_server=True),
            b'{"delete_target_server":true,"delete_target_eip":false}',
            id="alone",
        ),
    ],
)
def test_deletes_are_these_bytes(batch, body):
    """The exact bytes of a delete; in a batch delete the key holds an array."""
    assert payload_bytes(batch) == body


@pytest.mark.parametrize(
    ("batch", "method", "path", "operation"),
    [
        pytest.param(a_single(), "POST", "/protected-instances", "CreateProtectedInstance", id="single create"),
        pytest.param(
            a_delete(), "POST", "/protected-instances/delete", "BatchDeleteProtectedInstances", id="batch delete"
        ),
        pytest.param(
            a_delete(server_ids=("s1",), call=Call.SINGLE_DELETE), "DELETE", "/protected-instances/p1",
            "DeleteProtectedInstance", id="single delete",
        ),
    ],
)  # fmt: skip
def test_each_call_goes_to_its_own_path(batch, method, path, operation):
    """Payloads decide method and path; both command lines show them."""
    assert target(batch) == (method, path, operation)
    assert f"-X {method} https://sdrs.test/v1/p{path} " in curl_line(batch, "https://sdrs.test", "p")
    assert f"hcloud SDRS {operation} " in hcloud_line(batch)


def test_the_vendors_line_of_a_delete_names_instances_and_choices():
    """List items are counted from 1 and booleans written as the tool takes them."""
    line = hcloud_line(a_delete(delete_target_server=True))

    assert "--protected_instances.1.id=p1 --protected_instances.2.id=p2 --delete_target_server=true" in line
    assert "--protected_instance_id=p1" in hcloud_line(a_delete(server_ids=("s1",), call=Call.SINGLE_DELETE))


@pytest.mark.parametrize(
    ("batch", "said"),
    [
        pytest.param(a_single(instance_name="x" * 65), "has 65 bytes, 64 are allowed", id="name of 65 bytes"),
        pytest.param(a_single(instance_name="财" * 22), "has 66 bytes", id="22 Chinese characters"),
        pytest.param(a_single(instance_name="a b"), 'holds " "', id="a blank in the name"),
        pytest.param(a_single(description="财" * 22), "description", id="description of 66 bytes"),
        pytest.param(a_delete(instances={}), "deletes no instance", id="nothing to delete"),
        pytest.param(a_delete(instances={"s1": "p1", "s2": "p1"}), "p1 is in the request twice", id="twice"),
    ],
)
def test_what_the_pages_forbid_is_never_sent(batch, said):
    """A broken limit is one sentence with the value."""
    assert said in " ".join(batch_problems(batch))
    with pytest.raises(PlanError, match="Batch b001 cannot be sent"):
        payload(batch)


@pytest.mark.parametrize("name", ["x" * 64, "财" * 21, "a"], ids=["64 bytes", "63 bytes of Chinese", "one character"])
def test_names_up_to_the_limit_are_taken(name):
    """64 bytes are allowed."""
    assert payload(a_single(instance_name=name))["protected_instance"]["name"] == name


def test_a_long_prefix_makes_room_for_its_number():
    """59 characters and "-0001" are 64 bytes; five digits cost one character, and a note says so."""
    short, no_notes = name_instances([NameRequest("x" * 59, "g")], BOOK)
    many, notes = name_instances([NameRequest("x" * 59, "g")] * 10_000, BOOK)

    assert (short, no_notes) == (["x" * 59 + "-0001"], [])
    assert {len(name) for name in many} == {64}
    assert "keeps to 64 characters" in notes[0]


def test_numbers_of_existing_instances_are_skipped():
    """Only an instance of exactly that name takes a number."""
    names, notes = name_instances([NameRequest("erp", "g")] * 2, BOOK, existing=["erp-0001", "erp-0002-x"])

    assert names == ["erp-0002", "erp-0003"]
    assert len(notes) == 1


def test_a_prefix_too_long_in_bytes_is_refused():
    """Thirty Chinese characters are ninety bytes: the sentence says so and what to do."""
    with pytest.raises(PlanError, match=r"95 bytes, 64 are allowed\. Take a shorter name prefix"):
        name_instances([NameRequest("财" * 30, "g")], BOOK)


def test_this_site_takes_no_chinese_names():
    """The profile's own alphabet is held; elsewhere the same name is fine."""
    with pytest.raises(PlanError, match=r'"财务" holds "财", "务"\. Use only ASCII letters'):
        plan_batches(otc(1), name_prefix="财务")

    assert plan_batches(an_eligibility(1), name_prefix="财务").batches[0].name_prefix == "财务-001"


def test_a_template_names_instances_too():
    """The template's {batch} counts requests."""
    plan = plan_batches(otc(2), name_prefix="erp", name_template="{prefix}.{batch:03d}")

    assert plan.servers["instance_name"].tolist() == ["erp.001", "erp.002"]
