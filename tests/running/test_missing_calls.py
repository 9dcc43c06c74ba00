"""A cloud that does not have the call: the run stops at the first answer, and says what to do."""

import pytest

import sdrs_nb
from sdrs_nb.aftercare.remainders import plan_remainder
from sdrs_nb.aftercare.undoing import plan_undo
from sdrs_nb.rulebook import read_rulebook
from sdrs_nb.running.runs import list_runs, open_run
from sdrs_nb.sandbox import Sandbox, Settings
from sdrs_nb.sandbox.switches import assume
from tests.builders_running import CREATE, control, creations, faults, submit_and_follow

pytest_plugins = ["tests.running_fixtures"]

SINGLE = "POST /v1/*/protected-instances"
UNKNOWN = {"error_code": "APIGW.0101", "error_msg": "The API does not exist."}


without_batch_calls = pytest.mark.parametrize("sandbox", [["batch_calls=no"]], indirect=True, ids=[""])


@pytest.fixture
def sandbox(request):
    """A sandbox of a tenant whose batch quota was raised, which plays what a test assumes."""
    return Sandbox(
        servers=240, seed=7, speed=0, settings=assume(Settings(batch_limit=10), getattr(request, "param", ()))
    )


async def sent(sandbox):
    """Every request that would change something, as method, last part of its path, and status."""
    requests = await control(sandbox, "GET", "requests")
    return [(r["method"], r["path"].rpartition("/")[2], r["status"]) for r in requests if r["method"] != "GET"]


def the_run(ledger):
    """The newest run of the ledger."""
    return open_run(list_runs(ledger)["run_id"].iloc[0], ledger)


@without_batch_calls
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(None, id="as the sandbox's gateway says it"),
        pytest.param({"kind": "status", "status": 404}, id="404 without a body"),
        pytest.param({"kind": "status", "status": 405, "body": "Method Not Allowed"}, id="405 in plain text"),
    ],
)
async def test_a_plan_of_batch_creates_stops_after_one_request(sandbox, cloud, plan, ledger, cloud_time, answer):
    """Whatever the groups, one request leaves; nobody is failed, everybody is free, and the remedy is on record."""
    if answer:
        await faults(sandbox, {"match": CREATE, "times": 9, **answer})

    with pytest.raises(sdrs_nb.NoBatchCallError, match=r"no batch create, and nothing was created\. .* rule book otc"):
        await submit_and_follow(cloud, plan, ledger, cloud_time)

    run = the_run(ledger)
    assert len(set(run.batches["group_id"])) == 2
    assert await sent(sandbox) == [("POST", "batch", answer["status"] if answer else 404)]
    assert (run.state, set(run.servers["stage"]), set(run.batches["state"])) == ("paused", {"not sent"}, {"held"})
    assert all("rule book otc" in text for text in (run.message, *run.servers["message"], *run.batches["reason"]))
    assert run.attempts["result"].tolist() == ["not handled"]
    assert await creations(sandbox) == {}


@without_batch_calls
async def test_the_remedy_protects_the_same_servers_one_by_one(sandbox, cloud, plan, ledger, cloud_time, planned):
    """The remainder by the rule book otc is free to be sent, sends single creates only, and can be undone there."""
    with pytest.raises(sdrs_nb.NoBatchCallError):
        await submit_and_follow(cloud, plan, ledger, cloud_time)

    rest = plan_remainder(the_run(ledger), await sdrs_nb.load_inventory(cloud), rulebook="otc")
    again = await submit_and_follow(cloud, rest.creation, ledger, cloud_time)
    made = await creations(sandbox)
    undo = plan_undo(again, await sdrs_nb.load_inventory(cloud))
    await submit_and_follow(cloud, undo, ledger, cloud_time)

    assert made == planned
    assert set(again.servers["stage"]) <= {"created", "protected", "in sync"}
    assert sorted(row[:2] for row in (await sent(sandbox))[1:]) == [
        *sorted(("DELETE", instance) for batch in undo.batches for instance in batch.instance_ids),
        *[("POST", "protected-instances")] * len(planned),
    ]


async def test_an_undo_by_batch_deletes_stops_after_one_request(sandbox, cloud, ledger, cloud_time, carried_out):
    """What was made stays; the remedy is an undo by the rule book otc."""
    run = await carried_out()
    undo = plan_undo(run, await sdrs_nb.load_inventory(cloud))
    await faults(sandbox, {"match": f"{SINGLE}/delete", "kind": "status", "status": 404, "body": UNKNOWN, "times": 9})
    before = len(await sent(sandbox))

    with pytest.raises(sdrs_nb.NoBatchCallError, match=r"no batch delete, and nothing was deleted\. .* rule book otc"):
        await submit_and_follow(cloud, undo, ledger, cloud_time)

    one_by_one = plan_undo(run, await sdrs_nb.load_inventory(cloud), rulebook="otc")
    after = await submit_and_follow(cloud, one_by_one, ledger, cloud_time)
    assert (await sent(sandbox))[before] == ("POST", "delete", 404)
    assert {method for method, _path, _status in (await sent(sandbox))[before + 1 :]} == {"DELETE"}
    assert set(after.servers["stage"]) == {"deleted"}


async def test_a_cloud_that_took_a_batch_before_has_the_call(sandbox, cloud, plan, ledger, cloud_time, planned):
    """Then the gateway is at fault: the run pauses as after a 403, keeps what is left, and resume finishes it."""
    await faults(sandbox, {"match": CREATE, "kind": "status", "status": 404, "body": UNKNOWN, "after": 2})

    with pytest.raises(sdrs_nb.UnknownCallError) as stopped:
        await submit_and_follow(cloud, plan, ledger, cloud_time)

    run = the_run(ledger)
    assert type(stopped.value) is sdrs_nb.UnknownCallError
    assert (run.state, set(run.batches["state"]) >= {"pending"}) == ("paused", True)
    await sdrs_nb.resume(cloud, run, sleep=cloud_time.sleep)
    assert await creations(sandbox) == planned


async def test_a_single_create_that_is_unknown_stops_the_run_too(sandbox, cloud, plan, ledger, cloud_time):
    """No rule book helps there: the endpoint is to be checked, and the run waits for it."""
    inventory = await sdrs_nb.load_inventory(cloud)
    chosen = plan.servers["server_id"].tolist()
    eligibility = sdrs_nb.check_eligibility(inventory, rulebook="otc", server_ids=chosen)
    await faults(sandbox, {"match": SINGLE, "kind": "status", "status": 404, "body": UNKNOWN, "times": 9})

    with pytest.raises(sdrs_nb.UnknownCallError, match="check the endpoint") as stopped:
        await submit_and_follow(cloud, sdrs_nb.plan_batches(eligibility, name_prefix="t"), ledger, cloud_time)

    run = the_run(ledger)
    assert "rule book" not in str(stopped.value)
    assert [row for row in await sent(sandbox) if row[0] == "POST"] == [("POST", "protected-instances", 404)]
    assert set(run.batches["state"]) == {"pending"}
    assert set(run.servers["stage"]) == {"not sent"}


async def test_a_404_of_the_service_is_about_the_object(sandbox, cloud, plan, ledger, cloud_time):
    """A group that is not there refuses its own batch; the others go on."""
    gone = {"error": {"code": "SDRS.1013", "message": "The protection group does not exist."}}
    await faults(sandbox, {"match": CREATE, "kind": "status", "status": 404, "body": gone, "times": 1})

    run = await submit_and_follow(cloud, plan, ledger, cloud_time)

    assert sorted(run.batches["state"]) == ["ended", "ended", "ended", "refused"]


async def test_what_stops_a_run_is_met_once_and_not_by_every_group(sandbox, cloud, plan, ledger, cloud_time):
    """A 403 on the first create keeps the other group from sending too."""
    await faults(sandbox, {"match": CREATE, "kind": "status", "status": 403, "times": 9})

    with pytest.raises(sdrs_nb.PermissionDeniedError):
        await submit_and_follow(cloud, plan, ledger, cloud_time)

    assert len(await sent(sandbox)) == 1


@pytest.mark.parametrize("rulebook", ["huaweicloud S7=off batch_delete_size=2 batch_size=10", "otc S22=warning"])
async def test_every_later_reader_goes_by_the_runs_own_rules(cloud, plan, ledger, cloud_time, tmp_path, rulebook):
    """Resume, remainder, undo and report of a run use the rules it was planned by, changed limits included."""
    inventory = await sdrs_nb.load_inventory(cloud)
    chosen = plan.servers["server_id"].tolist()
    options = sdrs_nb.BatchOptions(batch_limit=10)
    eligibility = sdrs_nb.check_eligibility(inventory, rulebook=rulebook, server_ids=chosen, options=options)
    one = sdrs_nb.plan_batches(eligibility, name_prefix="t")
    run = await sdrs_nb.submit(cloud, one, approve=one.fingerprint, ledger=ledger, sleep=cloud_time.sleep)
    run.pause()
    await sdrs_nb.resume(cloud, run, sleep=cloud_time.sleep)

    after = await sdrs_nb.load_inventory(cloud)
    undo = plan_undo(run, after)
    page = sdrs_nb.report(run, tmp_path / "report.html").read_text(encoding="utf-8")

    rest = plan_remainder(run, inventory).creation
    assert [each.rulebook for each in (one, run.plan, undo, rest)] == [read_rulebook(rulebook)] * 4
    assert max(len(batch.server_ids) for batch in one.batches) == (1 if rulebook.startswith("otc") else 6)
    assert max(len(batch.server_ids) for batch in undo.batches) == (1 if rulebook.startswith("otc") else 2)
    assert run.plan.rulebook_version in page
