"""Whose an instance is: made by a job that names it, adopted by name and time, or somebody else's."""

import json
from datetime import UTC, datetime, timedelta

import pytest

import sdrs_nb
from sdrs_nb.models import Approval, Batch, Call
from sdrs_nb.running.ownership import Instance, OwnershipEvidence, Whose, zone_offset
from sdrs_nb.running.runs import open_run
from tests.builders_running import CREATE, faults, submit_and_follow

pytest_plugins = ["tests.running_fixtures"]

SENT = datetime(2026, 3, 2, 12, tzinfo=UTC)
BATCH = Batch(batch_id="b1", group_id="g", call=Call.BATCH_CREATE, name_prefix="erp-001", server_ids=("s1", "s2"))
ALONE = Batch(batch_id="b2", group_id="g", call=Call.SINGLE_CREATE, instance_name="erp-0007", server_ids=("s3",))


def an_attempt(result, *, batch="b1", job="j1", sent=SENT):
    """A row of the ledger."""
    return {
        "batch_id": batch,
        "result": result,
        "job_id": job,
        "sent_cloud_at": sent.isoformat() if sent else None,
    }


def a_job_of(*instances, job="j1", batch="b1", alone=False):
    """A job document that names these instances, in sub-jobs or itself."""
    named = [{"job_id": f"of-{one}", "entities": {"protected_instance_id": one}} for one in instances]
    entities = {"protected_instance_id": instances[0]} if alone else {"sub_jobs": named}
    return {"batch_id": batch, "job_id": job, "document": json.dumps({"job_id": job, "entities": entities})}


def the(instance="i1", name="erp-001-0001", created=SENT + timedelta(seconds=3)):
    """An instance as a list shows it."""
    return Instance(instance, name, created)


def whose(server, instance, *attempts, jobs=(), servers=(), **more):
    """Whose the instance is that holds the server."""
    return OwnershipEvidence([BATCH, ALONE], attempts, jobs, servers, **more).whose(server, instance).whose


def test_a_job_of_an_accepted_request_proves_it():
    """A sub-job of the job that answered names the instance; its name and time do not matter."""
    strange = the(name="renamed", created=SENT - timedelta(days=1))

    assert whose("s1", strange, an_attempt("accepted"), jobs=[a_job_of("i1", "i2")]) == Whose.MADE


def test_a_single_create_is_proved_by_its_job_itself():
    """The job of a single create has no sub-jobs and names its instance."""
    attempt = an_attempt("accepted", batch="b2")
    job = a_job_of("i3", batch="b2", alone=True)

    assert whose("s3", the("i3", "x"), attempt, jobs=[job]) == Whose.MADE


@pytest.mark.parametrize("result", ["refused", "not handled"])
def test_a_request_that_did_nothing_owns_nothing(result):
    """Whatever holds the server after a refusal is not ours, also by our name and at our time."""
    assert whose("s1", the(), an_attempt(result, job=None)) == Whose.OTHERS


@pytest.mark.parametrize("result", [None, "uncertain", "adopted", "absent"])
@pytest.mark.parametrize(
    ("instance", "expected"),
    [
        pytest.param(the(), Whose.ADOPTED, id="our name, after the request"),
        pytest.param(the(created=SENT), Whose.ADOPTED, id="in the same moment"),
        pytest.param(the(created=SENT - timedelta(milliseconds=1)), Whose.OTHERS, id="before it"),
        pytest.param(the(created=None), Whose.OTHERS, id="nobody knows when"),
        pytest.param(the(name="erp-001"), Whose.OTHERS, id="the bare prefix"),
        pytest.param(the(name="erp-001-0001-x"), Whose.OTHERS, id="more than a mark"),
        pytest.param(the(name="erp-0010-0001"), Whose.OTHERS, id="a longer prefix"),
        pytest.param(the(name="xerp-001-0001"), Whose.OTHERS, id="a prefix in the middle"),
        pytest.param(the(name="erp.001-0001"), Whose.OTHERS, id="a prefix that only looks like it"),
    ],
)
def test_a_request_in_doubt_adopts_by_name_and_time(result, instance, expected):
    """The answer was lost: the batch's prefix with a mark, created not before the request can have left."""
    assert whose("s1", instance, an_attempt(result, job=None)) == expected


def test_a_single_create_in_doubt_adopts_its_own_name_alone():
    """A name of its own has no mark behind it."""
    attempt = an_attempt("uncertain", batch="b2", job=None)

    assert whose("s3", the("i3", "erp-0007"), attempt) == Whose.ADOPTED
    assert whose("s3", the("i3", "erp-0007-0001"), attempt) == Whose.OTHERS


def test_the_earliest_attempt_in_doubt_counts():
    """An attempt that came true late was the first, whatever the later ones came to."""
    for result in ("refused", "uncertain"):
        later = an_attempt(result, job=None, sent=SENT + timedelta(hours=1))

        assert whose("s1", the(), an_attempt("absent", job=None), later) == Whose.ADOPTED


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        pytest.param([], Whose.ADOPTED, id="the job was never seen"),
        pytest.param([a_job_of("i2")], Whose.ADOPTED, id="it names only another of the batch"),
        pytest.param([a_job_of("i8", "i9")], Whose.OTHERS, id="it names other instances for all of the batch"),
    ],
)
def test_a_job_that_does_not_tell_leaves_doubt(jobs, expected):
    """As long as the job of an accepted request names fewer instances than the batch has servers."""
    assert whose("s1", the(), an_attempt("accepted"), jobs=jobs) == expected


def test_a_job_of_another_batch_or_attempt_proves_nothing():
    """The job must be the one that answered this batch's accepted request."""
    refused = an_attempt("refused")

    assert whose("s1", the(name="x"), refused, jobs=[a_job_of("i1")]) == Whose.OTHERS
    assert whose("s3", the(name="x"), an_attempt("accepted"), jobs=[a_job_of("i1", "i2")]) == Whose.OTHERS


def test_what_an_older_version_recorded_counts_as_adopted():
    """Without the cloud's time the record is all there is; it never makes ours what was refused."""
    old = an_attempt("adopted", job=None, sent=None)
    recorded = [{"server_id": "s1", "protected_instance_id": "i1", "whose": ""}]

    assert whose("s1", the(name="x"), old, servers=recorded) == Whose.ADOPTED
    assert whose("s1", the("i9"), old, servers=recorded) == Whose.OTHERS
    assert whose("s1", the(name="x"), an_attempt("refused", sent=None), servers=recorded) == Whose.OTHERS


def test_times_of_the_lists_are_read_by_their_offset():
    """Where the lists print local time, an older instance does not look newer than the request."""
    before = the(created=SENT + timedelta(hours=8) - timedelta(seconds=1))

    assert whose("s1", before, an_attempt("uncertain", job=None), times_offset_s=8 * 3600) == Whose.OTHERS
    assert whose("s1", before, an_attempt("uncertain", job=None)) == Whose.ADOPTED


@pytest.mark.parametrize("hours", [0, 8, 5.75, -3.5, 14, -12])
def test_an_offset_is_learnt_from_an_instance_of_ours(hours):
    """Any zone of the world, whatever was assumed before."""
    created = SENT + timedelta(seconds=20, hours=hours)

    for known in (0.0, 3600.0):
        assert zone_offset(created, SENT, SENT + timedelta(minutes=5), known) == hours * 3600


@pytest.mark.parametrize("away", [timedelta(days=200), timedelta(minutes=7), timedelta(hours=-15)])
def test_what_no_zone_explains_teaches_nothing(away):
    """Times that no offset brings between request and look are not a zone's."""
    assert zone_offset(SENT + away, SENT, SENT + timedelta(minutes=1), 0.0) is None


async def test_what_a_colleague_makes_after_our_refusal_is_his(sandbox, cloud, plan, ledger, cloud_time):
    """Our request was refused, he then protects its servers: theirs in every face, and no undo of ours names them."""
    refusal = {"kind": "status", "status": 400, "body": {"error": {"code": "SDRS.0209", "message": "refused"}}}
    await faults(sandbox, {"match": CREATE, "times": 1, **refusal})
    run = await submit_and_follow(cloud, plan, ledger, cloud_time)
    refused = run.batches.loc[run.batches["state"] == "refused", "batch_id"].item()
    servers = list(plan.batch(refused).server_ids)
    body = json.loads(plan.payload_bytes(refused))
    body["protected_instances"]["name_prefix"] = "colleague"
    await cloud.sdrs.batch_create(json.dumps(body).encode())
    sandbox.advance(600)

    outcome = (await sdrs_nb.verify(cloud, run)).set_index("server_id")
    inventory = await sdrs_nb.load_inventory(cloud)
    undo = sdrs_nb.plan_undo(run, inventory, adopted=True, delete_target_server=True)

    assert set(outcome.loc[servers, "stage"]) == {"taken by others"}
    assert outcome.loc[servers, "message"].str.contains("colleague-000").all()
    assert outcome.loc[servers, "protected_instance_id"].isna().all()
    assert not {server for batch in undo.batches for server in batch.server_ids} & set(servers)
    his = inventory.protected_instances[inventory.protected_instances["source_server_id"].isin(servers)]
    assert not set(his["protected_instance_id"]) & {one for batch in undo.batches for one in batch.instance_ids}
    assert not any(one in undo.left_out["reason"].str.cat() for one in his["protected_instance_id"])


async def test_a_colleagues_instance_at_the_door_is_told_as_his(sandbox, cloud, plan, ledger, cloud_time):
    """Protected between planning and sending: that server is taken by others, its companions were not sent."""
    batch = plan.batches[0]
    alone = {"server_group_id": batch.group_id, "server_id": batch.server_ids[0], "name": f"{batch.name_prefix}-0001"}
    await cloud.sdrs.create_protected_instance(json.dumps({"protected_instance": alone}).encode())
    sandbox.advance(600)

    run = await submit_and_follow(cloud, plan, ledger, cloud_time)

    stages = run.servers.set_index("server_id")["stage"]
    assert stages[batch.server_ids[0]] == "taken by others"
    assert set(stages[list(batch.server_ids[1:])]) == {"not sent"}


async def test_a_lost_answer_is_adopted_and_undone_only_when_asked_for(sandbox, cloud, plan, ledger, cloud_time):
    """The evidence is shown in ``left_out``; by server or as a whole it is taken in."""
    await faults(sandbox, {"match": CREATE, "kind": "lost_answer", "times": 1})
    run = await submit_and_follow(cloud, plan, ledger, cloud_time)
    rows = run.servers.set_index("server_id")
    adopted = rows.index[rows["whose"] == "adopted"].tolist()
    inventory = await sdrs_nb.load_inventory(cloud)

    def named(undo):
        return {server for batch in undo.batches for server in batch.server_ids}

    assert len(adopted) == 3
    assert named(sdrs_nb.plan_undo(run, inventory)) == set(rows.index) - set(adopted)
    assert named(sdrs_nb.plan_undo(run, inventory, adopted=adopted[:1])) == set(rows.index) - set(adopted[1:])
    assert named(sdrs_nb.plan_undo(run, inventory, adopted=True)) == set(rows.index)
    left_out = sdrs_nb.plan_undo(run, inventory).left_out.set_index("server_id")
    assert left_out.loc[adopted, "reason"].str.contains("bears its name").all()


async def test_times_in_another_zone_are_learnt_from_the_first_instance_of_ours(
    sandbox, cloud, plan, ledger, cloud_time, monkeypatch
):
    """A service that prints Beijing time: seen, told, and kept for the next run."""
    from sdrs_nb.sandbox import sdrs_documents

    spaced = sdrs_documents.spaced
    monkeypatch.setattr(sdrs_documents, "spaced", lambda at: spaced(at + 8 * 3600))
    await faults(sandbox, {"match": CREATE, "kind": "lost_answer", "times": 1, "after": 3})

    run = await submit_and_follow(cloud, plan, ledger, cloud_time)

    assert run.record["times_offset_s"] == 8 * 3600
    assert "+8 h" in run.record["times_seen"]
    assert set(run.servers["stage"]) <= {"created", "protected", "in sync"}
    other = ledger.create_run(scope=run.scope, plan=sdrs_nb.plan_undo(run, await sdrs_nb.load_inventory(cloud)),
                              approval=Approval(fingerprint=""), settings={})  # fmt: skip
    assert open_run(other, ledger).record["times_offset_s"] == 8 * 3600
