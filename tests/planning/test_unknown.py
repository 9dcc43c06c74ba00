"""Servers of which something is not known: a plan to read, and what the operator is told to change first."""

import pytest

from sdrs_nb import NothingEligibleError, PlanError, check_eligibility, list_runs, plan_batches, submit
from sdrs_nb.planning.planning import Plan
from tests.builders import a_group, a_server, an_instance, an_inventory
from tests.eligibility.judged import judge


def partly_known():
    """Return the check of a server in order, and of one whose lock nobody read."""
    return judge(an_inventory(servers=[a_server("a"), a_server("b", locked=None)]))


def test_a_plan_for_reading_shows_servers_that_are_not_known():
    """It has the servers that wait for a fact beside those in order, and says in each of its words what it is for."""
    usual = plan_batches(partly_known(), name_prefix="erp")

    plan = plan_batches(partly_known(), name_prefix="erp", include_unknown=True)

    assert usual.servers["server_id"].tolist() == ["a"]
    assert plan.servers["server_id"].tolist() == ["a", "b"]
    assert not usual.for_reading
    assert plan.for_reading
    assert repr(plan).endswith("for reading only, never sent")
    assert "never sent" in plan.remarks[0]


@pytest.mark.parametrize("locked", [None, False])
def test_a_plan_for_reading_has_a_fingerprint_of_its_own(locked):
    """Nobody who approved the same batches approved it, even where everything is known."""
    eligibility = judge(an_inventory(servers=[a_server("a"), a_server("b", locked=locked)]))

    reading = plan_batches(eligibility, name_prefix="erp", include_unknown=True)

    assert reading.fingerprint != plan_batches(eligibility, name_prefix="erp").fingerprint


def test_blocked_servers_are_in_no_plan_for_reading():
    """Only what is not known is taken for the time when it is."""
    inventory = an_inventory(servers=[a_server("a", locked=None), a_server("b", status="ERROR")])

    plan = plan_batches(judge(inventory), name_prefix="erp", include_unknown=True)

    assert plan.servers["server_id"].tolist() == ["a"]
    assert plan.left_out["server_id"].tolist() == ["b"]


@pytest.mark.parametrize("saved", [False, True], ids=["as made", "from its file"])
async def test_a_plan_for_reading_is_never_sent(saved, sandbox, cloud, ledger, tmp_path):
    """One sentence refuses it before anything is asked or recorded, also after it was saved and loaded."""
    plan = plan_batches(partly_known(), name_prefix="erp", include_unknown=True)
    if saved:
        plan = Plan.load(plan.save(tmp_path / "plan.json"))

    with pytest.raises(PlanError, match="for reading only") as caught:
        await submit(cloud, plan, approve=plan.fingerprint, ledger=ledger)

    assert "\n" not in str(caught.value)
    assert len(list_runs(ledger=ledger)) == 0
    assert not sandbox.service.log.documents()


def test_a_plan_made_to_look_sendable_is_not_the_plan():
    """The mark belongs to the fingerprint: a document without it is refused."""
    from sdrs_nb.planning import freezing

    document = plan_batches(partly_known(), name_prefix="erp", include_unknown=True).to_document()
    bare = {name: value for name, value in document.items() if name not in {"checksum", "format", "version"}}

    with pytest.raises(PlanError, match="fingerprint"):
        Plan.from_document(freezing.seal(bare | {"for_reading": False}))


def reasons(servers, **frames):
    """Return the sentence with which planning says that nobody can be planned."""
    with pytest.raises(NothingEligibleError) as caught:
        plan_batches(check_eligibility(an_inventory(servers=servers, **frames)), name_prefix="erp")
    return str(caught.value)


def test_what_the_operator_can_change_is_named_first():
    """A group to be chosen, then missing facts, then what is blocked, however many; protected servers are no reason."""
    servers = [
        *(a_server(f"protected-{at}") for at in range(4)),
        *(a_server(f"broken-{at}", status="ERROR") for at in range(3)),
        *(a_server(f"unread-{at}", locked=None) for at in range(2)),
        a_server("undecided"),
    ]

    told = reasons(
        servers,
        groups=[a_group("g1"), a_group("g2")],
        protected_instances=[an_instance(f"protected-{at}", group_id="g1") for at in range(4)],
    )

    places = [told.index(each) for each in ("g1, g2", "S9 (2 servers)", "S7 (3 servers)")]
    assert places == sorted(places)
    assert "S4" not in told
    assert "protected-" not in told


def test_a_rule_that_blocks_some_and_is_open_for_others_is_two_reasons():
    """What can be loaded comes first, though the same rule blocks more."""
    servers = [a_server("b1", locked=True), a_server("b2", locked=True), a_server("u", locked=None)]

    told = reasons(servers)

    assert told.index("S9 (1 server)") < told.index("S9 (2 servers)")


def test_servers_that_are_all_protected_need_nothing():
    """They are done, and the sentence says so."""
    told = reasons([a_server("a")], protected_instances=[an_instance("a")])

    assert told == "The 1 server that was asked for cannot be planned. Every server is protected already."
