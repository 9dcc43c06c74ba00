"""Undo plans: only what the run made, in as few requests as the service allows, nothing hidden about the bill."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdrs_nb.aftercare.remainders import plan_remainder
from sdrs_nb.aftercare.undoing import plan_undo
from sdrs_nb.errors import NothingEligibleError, PlanError
from sdrs_nb.inventory.inventory import About, Inventory
from sdrs_nb.ledger.ledger import Ledger
from sdrs_nb.models import Approval, Call
from sdrs_nb.planning.plans import Plan
from sdrs_nb.reporting.report import report
from sdrs_nb.rulebook import load_rulebook
from sdrs_nb.running.runs import Run
from tests.builders_runs import SCOPE, a_run, an_estate, ended


def all_in(status: str, count: int) -> dict[str, str]:
    """Return that many servers with an instance in ``status``."""
    return {f"s{number:02d}": status for number in range(count)}


def deleted(plan: Plan) -> set[str]:
    """Return the instances that the plan deletes."""
    return {each for batch in plan.batches for each in batch.instance_ids}


def test_an_undo_deletes_what_the_run_made_and_nothing_else(ledger):
    """Instances that were there before, or that others made since, are not touched."""
    run = ended(a_run(ledger, an_estate(3)))
    after = an_estate(["s00", "s01", "s02", "other"], statuses={**all_in("protected", 3), "other": "protected"})

    undo = plan_undo(run, after)

    assert deleted(undo) == {"instance-of-s00", "instance-of-s01", "instance-of-s02"}
    assert undo.left_out.empty
    assert undo.undoes == run.run_id


def test_the_requests_are_exact_bytes_with_the_choices_made(ledger):
    """Each body lists instance ids and both choices; nothing is deleted by default but the instances."""
    run = ended(a_run(ledger, an_estate(2)))
    after = an_estate(2, statuses=all_in("available", 2))

    kept, gone = plan_undo(run, after), plan_undo(run, after, delete_target_server=True, delete_target_eip=True)

    assert kept.bodies[0] == (
        b'{"protected_instances":[{"id":"instance-of-s00"},{"id":"instance-of-s01"}],'
        b'"delete_target_server":false,"delete_target_eip":false}'
    )
    assert gone.payloads()[0]["delete_target_server"] is gone.payloads()[0]["delete_target_eip"] is True
    assert kept.fingerprint != gone.fingerprint


@pytest.mark.parametrize(
    ("count", "sizes"),
    [
        pytest.param(1, [1], id="one"),
        pytest.param(20, [20], id="a full request"),
        pytest.param(21, [1, 20], id="one more"),
    ],
)
def test_at_most_twenty_instances_go_in_a_request(ledger, count, sizes):
    """The limit of the batch-delete page is held, by a limit in the rule book."""
    run = ended(a_run(ledger, an_estate(count)))
    after = an_estate(count, statuses=all_in("protected", count))

    undo = plan_undo(run, after)
    five = plan_undo(run, after, rulebook=load_rulebook(batch_delete_size=5))

    assert sorted(len(batch.server_ids) for batch in undo.batches) == sizes
    assert max(len(batch.server_ids) for batch in five.batches) <= 5
    assert undo.proof["proven"].all()


@given(st.data())
@settings(max_examples=15)
def test_every_instance_is_deleted_once_and_shared_pairs_stay_together(tmp_path_factory, data):
    """Whatever is shared, kept and limited: no instance twice, no pair split, no request over the limit."""
    count, limit = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 6))
    names = [f"s{number:02d}" for number in range(count)]
    cuts = sorted(data.draw(st.sets(st.integers(1, count), max_size=4)))
    shared = [names[a:b] for a, b in zip([0, *cuts], [*cuts, count], strict=True) if 1 < b - a <= 5]
    keep = data.draw(st.sets(st.sampled_from(names)))
    ledger = Ledger(tmp_path_factory.mktemp("undo") / "ledger.db")
    run = ended(a_run(ledger, an_estate(count, shared=shared)))
    after = an_estate(count, shared=shared, statuses=all_in("protected", count))

    try:
        undo = plan_undo(run, after, keep=keep, rulebook=load_rulebook(batch_delete_size=limit))
        batches, left_out = undo.batches, set(undo.left_out["server_id"])
    except NothingEligibleError:
        batches, left_out = (), set(names)
    ledger.close()

    gone = [server for batch in batches for server in batch.server_ids]
    assert sorted([*gone, *left_out]) == names
    assert keep <= left_out
    assert all(len(batch.server_ids) <= limit for batch in batches)
    for members in shared:
        where = {batch.batch_id for batch in batches for server in batch.server_ids if server in members}
        assert len(where) <= 1
        assert not where or not keep & set(members)


def test_a_kept_server_keeps_its_partner(ledger):
    """Instances with a shared pair are deleted together or not at all (1409); the reason names the partner."""
    shared = [["s00", "s01"]]
    run = ended(a_run(ledger, an_estate(3, shared=shared)))

    undo = plan_undo(run, an_estate(3, shared=shared, statuses=all_in("protected", 3)), keep=["s00"])

    reasons = undo.left_out.set_index("server_id")
    assert deleted(undo) == {"instance-of-s02"}
    assert "stays protected" in reasons.loc["s00", "reason"]
    assert "instance-of-s00" in reasons.loc["s01", "reason"]
    assert reasons.loc["s01", "rules"] == "H17"


def test_more_tied_instances_than_a_request_takes_are_left_out(ledger):
    """A chain longer than the limit cannot be deleted in one request; the reason says how to go on."""
    shared = [["s00", "s01", "s02"]]
    run = ended(a_run(ledger, an_estate(4, shared=shared)))
    after = an_estate(4, shared=shared, statuses=all_in("protected", 4))

    undo = plan_undo(run, after, rulebook=load_rulebook(batch_delete_size=2))

    assert deleted(undo) == {"instance-of-s03"}
    assert undo.left_out["reason"].str.contains(r"tied .* to 3 instances, and a request deletes 2\. Detach").all()


@pytest.mark.parametrize(
    ("statuses", "record", "changes", "said"),
    [
        pytest.param({"s00": "deleting"}, {}, {}, "status deleting", id="being deleted"),
        pytest.param({"s00": "creating"}, {}, {}, "status creating", id="being made"),
        pytest.param({}, {}, {}, "no longer there", id="gone already"),
        pytest.param({"s00": "protected"}, {"without": ["s00"]}, {}, "made no instance", id="not of this run"),
        pytest.param({"s00": "protected"}, {"still": ["b001"]}, {}, "Resume the run", id="batch under way"),
    ],
)
def test_what_cannot_be_deleted_is_left_out_with_the_reason(ledger, statuses, record, changes, said):
    """Each case is a sentence with the server."""
    run = ended(a_run(ledger, an_estate(1)), **record)

    with pytest.raises(NothingEligibleError, match=said) as caught:
        plan_undo(run, an_estate(1, statuses=statuses, **changes))

    assert "s00" in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"double": {"billing": "yearly/monthly"}}, "SDRS.1354", id="prepaid DR server"),
        pytest.param({"group": {"priority_station": "target"}}, "SDRS.1330", id="group switched over"),
    ],
)
def test_dr_servers_that_the_service_would_not_delete_are_told_before(ledger, changes, said):
    """Only where the deletion of DR servers was chosen; without it the instances go."""
    run = ended(a_run(ledger, an_estate(1)))
    after = an_estate(1, statuses={"s00": "protected"}, **changes)

    with pytest.raises(NothingEligibleError, match=said):
        plan_undo(run, after, delete_target_server=True)

    assert deleted(plan_undo(run, after)) == {"instance-of-s00"}


def test_what_stays_billed_is_shown_for_each_choice(ledger):
    """DR servers, DR volumes and EIPs: a row a choice, the one made is marked; a shared pair counts once."""
    shared = [["s00", "s01"]]
    run = ended(a_run(ledger, an_estate(2, shared=shared)))
    after = an_estate(2, shared=shared, statuses=all_in("protected", 2))

    billed = plan_undo(run, after, delete_target_server=True).billed

    assert billed[["is_chosen", "dr_servers", "dr_volumes", "eips"]].to_numpy().tolist() == [
        [False, 2, 3, "stay"],
        [True, 0, 0, "stay"],
        [False, 0, 0, "released"],
    ]
    assert billed["dr_volumes_gib"].iloc[0] > 0
    assert "EIPs stay and are billed" in billed["meaning"].iloc[1]


def test_a_plan_that_creates_has_no_bill_of_a_deletion(ledger):
    """The frame is there with its columns, and empty."""
    run = a_run(ledger, an_estate(1))

    assert run.plan.billed.empty
    assert "dr_servers" in run.plan.billed


def test_eips_alone_are_said_to_change_nothing(ledger):
    """Without deleting DR servers nothing is released: a note says so, and the table agrees."""
    run = ended(a_run(ledger, an_estate(1)))

    undo = plan_undo(run, an_estate(1, statuses={"s00": "protected"}), delete_target_eip=True)

    assert "changes nothing" in undo.notes[1]
    assert undo.billed.loc[undo.billed["is_chosen"], "delete_target_server"].tolist() == [False]


def test_an_undo_survives_its_file(ledger, tmp_path):
    """Saved and loaded it is the same plan; one changed choice is refused."""
    run = ended(a_run(ledger, an_estate(2)))
    undo = plan_undo(run, an_estate(2, statuses=all_in("protected", 2)))
    path = undo.save(tmp_path / "undo.json")

    again = Plan.load(path)
    path.write_text(path.read_text().replace('"delete_target_server": false', '"delete_target_server": true'))

    assert (again.fingerprint, again.bodies, again.undoes) == (undo.fingerprint, undo.bodies, run.run_id)
    assert again.billed.equals(undo.billed)
    with pytest.raises(PlanError, match="was changed"):
        Plan.load(path)


def test_a_changed_world_is_listed(ledger):
    """An instance gone or in another status since the plan was made is a change."""
    run = ended(a_run(ledger, an_estate(2)))
    undo = plan_undo(run, an_estate(2, statuses=all_in("protected", 2)))

    changes = undo.changes_in(an_estate(2, statuses={"s00": "fault"}))

    told = changes.set_index(["id", "fact"])["after"].to_dict()
    assert told["instance-of-s00", "status"] == "fault"
    assert told["instance-of-s01", "present"] == "no"


def test_the_undo_shows_itself_in_one_line(ledger):
    """The repr says what is deleted, of which run, and what stays."""
    run = ended(a_run(ledger, an_estate(2)))

    undo = plan_undo(run, an_estate(2, statuses=all_in("protected", 2)))

    assert repr(undo) == (
        f"Plan {undo.fingerprint[:12]} deletes the instances of 2 servers that run {run.run_id} made, in 1 batch for "
        "1 group; DR servers and DR volumes stay and are billed; 0 left out"
    )


def test_a_site_without_batch_calls_deletes_one_by_one(ledger):
    """Under the profile otc each instance is a request of its own."""
    run = ended(a_run(ledger, an_estate(2), rulebook="otc"))

    undo = plan_undo(run, an_estate(2, statuses=all_in("protected", 2)))

    assert [(batch.call, batch.instance_ids) for batch in undo.batches] == [
        (Call.SINGLE_DELETE, ("instance-of-s00",)),
        (Call.SINGLE_DELETE, ("instance-of-s01",)),
    ]
    assert undo.bodies[0] == b'{"delete_target_server":false,"delete_target_eip":false}'


def test_a_run_of_another_release_keeps_its_limits_and_says_so(ledger, tmp_path):
    """What its plan recorded still holds; the undo, the remainder and the report name that other rules may differ."""
    recorded = "huaweicloud 0123456789ab batch_delete_size=2"
    run = ended(a_run(ledger, an_estate(4), recorded=recorded), without=["s03"])
    after = an_estate(4, statuses=all_in("protected", 3))

    undo, rest = plan_undo(run, after), plan_remainder(run, after)
    page = report(run, tmp_path / "report.html").read_text(encoding="utf-8")

    assert [len(batch.server_ids) for batch in undo.batches] == [2, 1]
    assert rest.creation.rulebook.number("batch_delete_size") == 2
    for told in (*undo.notes[-1:], *rest.creation.notes[-1:], page):
        assert f"The plan was made by rule book {recorded}; this release has {undo.rulebook_version}." in told
    assert not any("this release" in note for note in plan_undo(run, after, rulebook="huaweicloud").notes)


@pytest.mark.parametrize(
    ("keep", "said"),
    [
        pytest.param(["elsewhere"], "keep names server elsewhere, but run", id="unknown server"),
        pytest.param("s00", "list of server ids", id="one text"),
    ],
)
def test_a_server_to_keep_must_be_in_the_run(ledger, keep, said):
    """A misspelt id would let the wrong instance go, so it is refused."""
    run = ended(a_run(ledger, an_estate(1)))

    with pytest.raises(PlanError, match=said):
        plan_undo(run, an_estate(1, statuses={"s00": "protected"}), keep=keep)


def test_an_inventory_of_another_project_or_without_instances_is_refused(ledger):
    """An undo is never planned from what cannot show the instances."""
    run = ended(a_run(ledger, an_estate(1)))
    after = an_estate(1, statuses={"s00": "protected"})
    stranger = Inventory({"servers": after.servers}, about=About(project_id="p2"))

    with pytest.raises(PlanError, match="belongs to project p1, but this inventory is of project p2"):
        plan_undo(run, stranger)
    with pytest.raises(PlanError, match="not hold all protected_instances, replication_pairs"):
        plan_undo(run, Inventory({"servers": after.servers}))


def test_an_undo_cannot_be_undone(ledger):
    """A run that deleted made nothing; the sentence names the run that did."""
    run = ended(a_run(ledger, an_estate(1)))
    after = an_estate(1, statuses={"s00": "protected"})
    undo = plan_undo(run, after)
    again = Run(
        ledger.create_run(scope=SCOPE, plan=undo, approval=Approval(fingerprint=undo.fingerprint), settings={}), ledger
    )

    assert again.plan.fingerprint == undo.fingerprint
    with pytest.raises(PlanError, match=f"Give run {run.run_id}"):
        plan_undo(again, after)


def test_an_undo_needs_as_many_approvals_as_its_run(ledger):
    """Two persons for the plan are two persons for taking it back."""
    run = ended(a_run(ledger, an_estate(1), approvals_needed=2))

    undo = plan_undo(run, an_estate(1, statuses={"s00": "protected"}))

    assert undo.approvals_needed == 2
    assert json.loads(json.dumps(undo.to_document()))["approvals_needed"] == 2
