"""The remainder of a run: failed instances are cleared away first, then only what is not protected is planned."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdrs_nb.aftercare.remainders import plan_remainder
from sdrs_nb.errors import PlanError
from sdrs_nb.inventory.inventory import Inventory
from sdrs_nb.ledger.ledger import Ledger
from sdrs_nb.models import BatchOptions, Tag
from sdrs_nb.planning.plans import Plan
from sdrs_nb.tables import INVENTORY_TABLES
from tests.builders_runs import a_run, an_estate, ended


def planned(plan: Plan | None) -> set[str]:
    """Return the servers of a plan, none of no plan."""
    return set() if plan is None else {each for batch in plan.batches for each in batch.server_ids}


@given(st.data())
@settings(max_examples=15)
def test_every_server_is_protected_planned_or_left_out(tmp_path_factory, data):
    """Nothing is forgotten or doubled, and every failed instance of a planned server is deleted first."""
    count = data.draw(st.integers(1, 12))
    names = [f"s{number:02d}" for number in range(count)]
    fates = {each: data.draw(st.sampled_from(["protected", "error", "none", "invalid"])) for each in names}
    statuses = {each: fate for each, fate in fates.items() if fate != "none"}
    ledger = Ledger(tmp_path_factory.mktemp("remainder") / "ledger.db")
    run = ended(a_run(ledger, an_estate(count)), without=[each for each in names if fates[each] == "none"])

    rest = plan_remainder(run, an_estate(count, statuses=statuses))
    ledger.close()

    by_fate = {fate: {each for each in names if fates[each] == fate} for fate in fates.values()}
    assert planned(rest.deletion) == by_fate.get("error", set())
    assert planned(rest.creation) == by_fate.get("error", set()) | by_fate.get("none", set())
    assert set(rest.left_out["server_id"]) == by_fate.get("invalid", set())
    assert rest.protected == len(by_fate.get("protected", ()))


def test_failed_instances_are_deleted_before_their_servers_are_planned_again(ledger):
    """Two plans, each with its own fingerprint; the first says that it comes first."""
    run = ended(a_run(ledger, an_estate(3)), failed=["s01"])

    rest = plan_remainder(run, an_estate(3, statuses={"s00": "protected", "s01": "error", "s02": "protected"}))

    assert rest.deletion.payloads() == [
        {"protected_instances": [{"id": "instance-of-s01"}], "delete_target_server": False, "delete_target_eip": False}
    ]
    assert planned(rest.creation) == {"s01"}
    assert rest.deletion.fingerprint != rest.creation.fingerprint
    assert "Submit this plan first" in rest.deletion.notes[0]
    assert rest.left_out.empty


def test_a_cluster_with_a_protected_partner_is_left_out_with_three_ways_out(ledger):
    """One of two servers that share a volume was made, the other failed: neither alone nor together (H5)."""
    shared = [["s00", "s01"]]
    run = ended(a_run(ledger, an_estate(2, shared=shared)), failed=["s01"])
    after = an_estate(2, shared=shared, statuses={"s00": "protected", "s01": "error"})
    pairs = after.replication_pairs
    pairs.loc[pairs["replication_pair_id"] == "pair-of-shared-0", "protected_instance_ids"] = "instance-of-s00"

    rest = plan_remainder(run, Inventory({**frames(after), "replication_pairs": pairs}))

    reason = rest.left_out["reason"].iloc[0]
    assert (rest.deletion, rest.creation) == (None, None)
    assert rest.left_out["server_id"].tolist() == ["s01"]
    for way in ("Detach the shared volumes", "delete the instances of", "leave", "instance-of-s01 stays"):
        assert way in reason


def frames(inventory: Inventory) -> dict[str, pd.DataFrame]:
    """Return the loaded frames of an inventory."""
    return {name: inventory.frame(name) for name in INVENTORY_TABLES if inventory.is_loaded(name)}


def test_a_failed_instance_tied_to_a_good_one_stays(ledger):
    """Deleting it would need its partner deleted too (1409), so both stay and the reason says why."""
    shared = [["s00", "s01"]]
    run = ended(a_run(ledger, an_estate(2, shared=shared)), failed=["s01"])

    rest = plan_remainder(run, an_estate(2, shared=shared, statuses={"s00": "protected", "s01": "error"}))

    assert (rest.deletion, rest.creation) == (None, None)
    assert rest.left_out["rules"].tolist() == ["H17"]


def test_an_instance_that_the_run_did_not_make_is_not_deleted(ledger):
    """Somebody else's failed instance holds the server; it is left out, not cleared away."""
    run = ended(a_run(ledger, an_estate(1)), without=["s00"])

    rest = plan_remainder(run, an_estate(1, statuses={"s00": "error"}))

    assert (rest.deletion, rest.creation) == (None, None)
    assert rest.left_out["verdict"].tolist() == ["protected"]


def test_batches_that_have_not_ended_wait(ledger):
    """What may still be made is not planned a second time."""
    run = ended(
        a_run(ledger, an_estate(2), options=BatchOptions(batch_limit=1)), still=["b001"], without=["s00", "s01"]
    )

    rest = plan_remainder(run, an_estate(2))

    assert planned(rest.creation) == {"s01"}
    assert "Resume the run" in rest.left_out["reason"].iloc[0]


def test_settings_of_the_first_plan_are_kept(ledger):
    """Tags, subnet and flavor that single servers were given are theirs again; numbers in use are skipped."""
    overrides = [
        {"server_id": "s00", "tags": {"tier": "db"}, "wave": 2},
        {"server_id": "s01", "flavor_id": "s6.large.2"},
    ]
    options = BatchOptions(description="first")
    run = ended(a_run(ledger, an_estate(3), overrides=overrides, options=options), without=["s00", "s01"])

    creation = plan_remainder(run, an_estate(3, statuses={"s02": "protected"})).creation

    made = {batch.server_ids: batch for batch in creation.batches}
    assert made["s00",].tags == (Tag(key="tier", value="db"),)
    assert made["s01",].flavors == {"s01": "s6.large.2"}
    assert {batch.description for batch in creation.batches} == {"first"}


def test_nothing_left_is_an_empty_remainder(ledger):
    """All protected: no plan, nobody left out, and the repr says so."""
    run = ended(a_run(ledger, an_estate(2)))

    rest = plan_remainder(run, an_estate(2, statuses={"s00": "protected", "s01": "available"}))

    assert (rest.deletion, rest.creation) == (None, None)
    assert repr(rest) == f"Remainder of run {run.run_id}: 2 protected, 0 to protect, 0 left out"


def test_the_remainder_shows_both_plans(ledger):
    """The repr has a line for each plan."""
    run = ended(a_run(ledger, an_estate(2)), failed=["s00"], without=["s01"])

    lines = repr(plan_remainder(run, an_estate(2, statuses={"s00": "error"}))).splitlines()

    assert "0 protected, 2 to protect, 0 left out" in lines[0]
    assert "deletes the instances of 1 server" in lines[1]
    assert "2 servers in 1 batch" in lines[2]


def test_a_template_that_overflows_is_one_sentence(ledger):
    """The names of the remainder keep to the limits as well."""
    run = ended(a_run(ledger, an_estate(1)), without=["s00"])

    with pytest.raises(PlanError, match="does not fit group"):
        plan_remainder(run, an_estate(1), name_template="x" * 60 + "{batch}")
