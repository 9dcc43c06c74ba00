"""Results show themselves in a cell: short, escaped, the same in a saved notebook."""

import pandas as pd

import sdrs_nb
from sdrs_nb.running.outcomes_html import troubled_first
from tests.builders import a_server, an_inventory

HOSTILE = "<img src=x onerror=alert(1)>"


def test_an_inventory_shows_counts_and_never_its_rows():
    """Counts per frame are there; no server of the inventory is."""
    shown = an_inventory(servers=[a_server("s1", name=HOSTILE)])._repr_html_()

    assert "servers" in shown
    assert "s1" not in shown
    assert "<img" not in shown


def test_an_eligibility_shows_verdicts_and_the_rules_that_cost_most():
    """Servers by verdict and rules with their titles."""
    shown = sdrs_nb.check_eligibility(an_inventory())._repr_html_()

    assert "Eligibility" in shown
    assert "S29" in shown


def test_a_plan_shows_its_fingerprint_and_first_batches():
    """Fingerprint, number of requests and prefixes are readable."""
    plan = sdrs_nb.plan_batches(sdrs_nb.check_eligibility(an_inventory()), name_prefix="erp")

    shown = plan._repr_html_()

    assert plan.fingerprint in shown
    assert plan.batches[0].name_prefix in shown


def test_a_group_name_cannot_become_markup():
    """A hostile name of a group in a plan's notes or rows stays text."""
    inventory = an_inventory()
    groups = inventory.groups.assign(name=HOSTILE)

    plan = sdrs_nb.plan_batches(sdrs_nb.check_eligibility(inventory.with_frame("groups", groups)), name_prefix="erp")

    assert "<img" not in plan._repr_html_()


def test_batches_with_trouble_come_before_those_under_way_and_those_at_rest():
    """A failure in a batch that ended, a refusal, a doubt; then what moves; then the rest in sending order."""
    states = ["ended", "accepted", "ended", "sending", "refused", "pending", "unknown", "accepted", "held"]
    failed = [0, 0, 1, 0, 0, 0, 0, 2, 0]
    batches = pd.DataFrame({"batch_id": [f"b{at}" for at in range(9)], "state": states, "failed": failed})

    assert troubled_first(batches)["batch_id"].tolist() == ["b2", "b4", "b6", "b7", "b8", "b1", "b3", "b0", "b5"]
    assert troubled_first(batches.head(0)).empty
