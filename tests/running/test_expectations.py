"""A batch compared with its expectation: real answers of the sandbox, changed one thing at a time."""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sdrs_nb
from sdrs_nb.ledger.pilots import PilotResult
from sdrs_nb.ledger.run_states import BatchState
from sdrs_nb.running.expectations import Findings, compare_batch
from sdrs_nb.running.jobs import read_job
from tests.builders_running import submit_and_follow

pytest_plugins = ["tests.running_fixtures"]

DOCUMENTS = ("instances", "details", "pairs", "servers", "volumes")


@pytest.fixture
async def seen(cloud, plan, ledger, cloud_time):
    """The plan, its first batch, and all that the cloud shows of it after a run, as plain documents."""
    run = await submit_and_follow(cloud, plan, ledger, cloud_time)
    batch = plan.batches[0]
    instances = [one for one in await cloud.sdrs.protected_instances(batch.group_id)
                 if one["source_server"] in batch.server_ids]  # fmt: skip
    details = [await cloud.sdrs.protected_instance(one["id"]) for one in instances]
    pairs = await cloud.sdrs.replication_pairs(batch.group_id)
    ids = [one[side] for one in instances for side in ("source_server", "target_server")]
    volumes = [each for one in pairs for each in one["volume_ids"].split(",")]
    jobs = run.jobs.set_index("batch_id")["document"]
    outcome = {row["server_id"]: row for row in run.servers.to_dict("records")}
    return plan, batch, {
        "job": json.loads(jobs[batch.batch_id]),
        "outcome": {server: outcome[server] for server in batch.server_ids},
        "group": await cloud.sdrs.group(batch.group_id),
        "instances": instances,
        "details": details,
        "pairs": pairs,
        "servers": await cloud.ecs.servers_by_id(ids),
        "volumes": await cloud.evs.volumes_by_id(volumes),
    }  # fmt: skip


def compared(plan, batch, parts, **more):
    """Return the rows of comparing these parts."""
    found = {"state": BatchState.ENDED, **parts, **more}
    found["job"] = found["job"] and read_job(found["job"])
    return compare_batch(plan, batch, Findings(**found))


def differing(rows):
    """Return the aspects and the assumptions of what differs."""
    rows = [row for row in rows if row.result == PilotResult.DIFFERENT]
    return {row.aspect for row in rows}, {row.assumption for row in rows} - {""}


def dr_server(parts):
    """Return the document of the first instance's DR server."""
    return next(one for one in parts["servers"] if one["id"] == parts["instances"][0]["target_server"])


def dr_volume(parts):
    """Return the document of the DR volume of the first instance's first pair."""
    mine = parts["instances"][0]["id"]
    pair = next(one for one in parts["pairs"] if mine in str(one["attachment"]))
    return next(one for one in parts["volumes"] if one["id"] == pair["volume_ids"].split(",")[1])


def sub_jobs(parts):
    """Return the sub-jobs of the job."""
    return parts["job"]["entities"]["sub_jobs"]


def renamed(parts, names):
    """Give the instances these names, in the lists and alone."""
    by_id = {one["id"]: name for one, name in zip(parts["instances"], names, strict=True)}
    for one in (*parts["instances"], *parts["details"]):
        one["name"] = by_id[one["id"]]


#: What changes -> which aspects differ, and on which assumption they rest.
CHANGES = {
    "numbered from zero": (
        lambda p: renamed(p, [f"{one['name'][:-4]}{int(one['name'][-4:]) - 1:04}" for one in p["instances"]]),
        {"instance name"}, {"numbering"}),
    "numbered without zeros": (
        lambda p: renamed(p, [f"{one['name'][:-4]}{int(one['name'][-4:])}" for one in p["instances"]]),
        {"instance name"}, {"numbering"}),
    "sub-jobs in another order": (lambda p: sub_jobs(p).reverse(), {"order of sub-jobs"}, {"sub_job_order"}),
    "a sub-job too few": (lambda p: sub_jobs(p).pop(), {"sub-jobs"}, {"sub_job_shape"}),
    "sub-jobs without a DR server": (
        lambda p: [one["entities"].pop("native_server_id") for one in sub_jobs(p)], {"ids in sub-jobs"},
        {"sub_job_shape"}),
    "lists without the status of pairs": (
        lambda p: [one.pop("status") for one in p["pairs"]], {"fields of the list of pairs"}, {"list_fields"}),
    "lists without the owner of pairs": (
        lambda p: [one.pop("attachment") for one in p["pairs"]], {"fields of the list of pairs"}, {"list_fields"}),
    "lists without DR servers": (
        lambda p: [one.pop("target_server") for one in p["instances"]], {"fields of the list of instances"},
        {"list_fields"}),
    "tags not copied": (lambda p: dr_server(p).update(tags=["other=1"]), {"tags"}, {"copied_settings"}),
    "security groups not copied": (
        lambda p: dr_server(p).update(security_groups=[{"name": "sys-default"}]), {"security groups"},
        {"copied_settings"}),
    "another flavor": (lambda p: dr_server(p).update(flavor={"id": "x1.huge"}), {"flavor"}, {"dr_flavor"}),
    "the DR server runs": (lambda p: dr_server(p).update(status="ACTIVE"), {"DR status"}, {"dr_state"}),
    "the DR server stands elsewhere": (
        lambda p: dr_server(p).update({"OS-EXT-AZ:availability_zone": "elsewhere"}), {"AZ"}, set()),
    "the DR server in another subnet": (
        lambda p: [nic.update(subnet_id="other") for nic in dr_server(p)["network_interfaces"]], {"subnet"}, set()),
    "the DR server on a host": (
        lambda p: dr_server(p).update({"os:scheduler_hints": {"dedicated_host_id": ["h1"]}}), {"dedicated host"},
        set()),
    "the DR server has another name": (lambda p: dr_server(p).update(name="other"), {"DR name"}, set()),
    "an instance in another state": (
        lambda p: p["instances"][0].update(status="starting"), {"instance status"}, {"instance_state"}),
    "an instance with tags that nobody asked for": (
        lambda p: p["details"][0].update(tags=[{"key": "a", "value": "b"}]), {"instance tags"}, set()),
    "a pair in another state": (
        lambda p: [one.update(status="creating") for one in p["pairs"]], {"pair status"}, {"pair_state"}),
    "a pair too few": (lambda p: p["pairs"].clear(), {"pairs"}, set()),
    "a DR volume of another size": (lambda p: dr_volume(p).update(size=1), {"size"}, set()),
    "a DR volume of another type": (lambda p: dr_volume(p).update(volume_type="other"), {"volume type"}, set()),
    "a DR volume elsewhere": (lambda p: dr_volume(p).update(availability_zone="x"), {"volume AZ"}, set()),
    "the parent failed though no sub-job did": (
        lambda p: p["job"].update(status="FAIL", error_code="X"), {"status"}, {"parent_end"}),
    "the parent ended before a sub-job": (
        lambda p: sub_jobs(p)[0].update(status="RUNNING", end_time=None), {"sub-jobs ended"}, {"parent_end"}),
    "the group changed": (
        lambda p: p["group"].update(status="starting"), {"group status"}, {"group_after_create"}),
}  # fmt: skip


async def test_what_the_documents_say_is_as_expected(seen):
    """Nothing changed: every row is as expected, and each server, volume, the job and the group have some."""
    plan, batch, parts = seen

    rows = compared(plan, batch, parts)

    assert {row.result for row in rows} == {PilotResult.AS_EXPECTED}
    assert {batch.batch_id, batch.group_id, parts["job"]["job_id"], *batch.server_ids} <= {row.subject for row in rows}


async def test_one_change_is_named_and_nothing_else(seen):
    """Whatever one thing is otherwise, its aspect differs and names its assumption; no other aspect differs."""
    plan, batch, parts = seen
    told = {}
    for name, (change, aspects, assumptions) in CHANGES.items():
        changed = copy.deepcopy(parts)
        change(changed)
        found = differing(compared(plan, batch, changed))
        if found != (aspects, assumptions):
            told[name] = found

    assert told == {}


async def test_what_was_not_read_is_never_as_expected(seen):
    """Each part that could not be read leaves rows that say why, and takes away the expected ones that rest on it."""
    plan, batch, parts = seen
    before = [row for row in compared(plan, batch, parts) if row.result == PilotResult.AS_EXPECTED]
    for part in ("group", *DOCUMENTS):
        rows = compared(plan, batch, parts | {part: None}, unread={part: "denied"})

        missing = [row for row in rows if row.result == PilotResult.NOT_COMPARED]
        assert any(row.why == "denied" for row in missing), part
        assert differing(rows) == (set(), set()), part
        assert len([row for row in rows if row.result == PilotResult.AS_EXPECTED]) < len(before), part


async def test_a_missing_field_is_never_as_expected(seen):
    """Any one field taken out of every document of any part adds no row that is as expected."""
    plan, batch, parts = seen
    before = {(row.subject, row.aspect, row.expected) for row in compared(plan, batch, parts)}
    fields = sorted({(part, name) for part in DOCUMENTS for one in parts[part] for name in one if name != "id"})

    @settings(max_examples=len(fields), deadline=None)
    @given(st.sampled_from(fields))
    def holds(field):
        part, name = field
        changed = copy.deepcopy(parts)
        for one in changed[part]:
            one.pop(name, None)
        rows = compared(plan, batch, changed)
        good = {(row.subject, row.aspect, row.expected) for row in rows if row.result == PilotResult.AS_EXPECTED}
        assert good <= before
        assert differing(rows)[0] <= {aspect for _subject, aspect, _expected in before if "fields" in aspect}

    holds()


async def test_asked_for_settings_are_expected(seen):
    """Flavor, subnet, host, tags and description that the batch asks for are expected, not production's."""
    plan, batch, parts = seen
    server = batch.server_ids[0]
    asked = batch.model_copy(
        update={"flavors": {server: "f"}, "primary_subnet_id": "s", "tenancy": "dedicated", "dedicated_host_id": "h",
                "description": "d", "tags": (sdrs_nb.models.Tag(key="k", value="v"),)}
    )  # fmt: skip

    aspects, assumptions = differing(compared(plan, asked, parts))

    assert aspects == {"flavor", "subnet", "dedicated host", "instance tags"}
    assert assumptions == set()


async def test_a_request_that_was_not_taken_is_the_one_difference(seen):
    """A refused or held batch made nothing: the request differs with the reason, and nothing else is asked."""
    plan, batch, parts = seen
    for state in (BatchState.REFUSED, BatchState.HELD):
        rows = compared(plan, batch, parts, state=state, reason="because")

        assert [(row.aspect, row.found) for row in rows] == [("request", f"{state}: because")]
