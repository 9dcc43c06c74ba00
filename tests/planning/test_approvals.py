from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from sdrs_nb.errors import PlanError
from sdrs_nb.models import Approval
from sdrs_nb.planning.approvals import approval_of, approve, load_approval, save_approval, signers
from sdrs_nb.planning.planning import Plan, plan_batches
from tests.builders_planning import an_eligibility

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def a_plan(needed: int = 1, fingerprint: str = "f" * 64) -> SimpleNamespace:
    """Return what an approval needs of a plan."""
    return SimpleNamespace(fingerprint=fingerprint, approvals_needed=needed, declared=(), warnings=())


def test_the_fingerprint_alone_approves_a_plan_that_needs_one_person():
    """The short form records the user of this machine."""
    approval = approval_of(a_plan(), "f" * 64)

    assert approval.fingerprint == "f" * 64
    assert approval.cosigned == ()


def test_two_different_persons_approve_a_plan_that_needs_two():
    """The second word is added to the first; both are kept with name and time."""
    first = approve(a_plan(2), "li", when=NOON)

    both = approve(a_plan(2), "chen", after=first, when=NOON)

    assert approval_of(a_plan(2), both) is both
    assert [(each.who, each.when) for each in signers(both)] == [("li", NOON), ("chen", NOON)]


@pytest.mark.parametrize(
    ("given", "count"),
    [
        pytest.param("f" * 64, "1 has", id="the fingerprint alone"),
        pytest.param(Approval(fingerprint="f" * 64, who="li"), "1 has", id="one person"),
        pytest.param(Approval(fingerprint="f" * 64), "0 have", id="nobody's name"),
    ],
)
def test_too_few_persons_are_refused(given, count, monkeypatch):
    """A plan that needs two is not sent on one word; the sentence says how many are missing and how to go on."""
    monkeypatch.setenv("LOGNAME", "li")

    with pytest.raises(PlanError, match=rf"needs 2 persons' approval and {count} given it .* another person"):
        approval_of(a_plan(2), given)


@pytest.mark.parametrize(
    "again", ["li", "LI", " Li ", "\uff2c\uff29"], ids=["same", "upper case", "blanks", "full width"]
)
def test_the_same_person_cannot_approve_twice(again):
    """Neither spelling nor blanks make a second person."""
    first = approve(a_plan(2), "li")

    with pytest.raises(PlanError, match=r"approved this plan already\. Another person"):
        approve(a_plan(2), again, after=first)


def test_a_hand_made_approval_with_one_person_twice_is_refused():
    """An approval that was put together by hand is checked as well."""
    twice = Approval(fingerprint="f" * 64, who="li", cosigned=[{"who": "LI"}])

    with pytest.raises(PlanError, match="stands twice"):
        approval_of(a_plan(2), twice)


@pytest.mark.parametrize("who", ["", "  "], ids=["empty", "blank"])
def test_an_approval_without_a_name_is_refused(who):
    """Somebody must answer for it."""
    with pytest.raises(PlanError, match="needs a name"):
        approve(a_plan(), who)


def test_the_approval_of_another_plan_is_refused():
    """A word about one plan is none about another."""
    other = approve(a_plan(fingerprint="0" * 64), "li")

    with pytest.raises(PlanError, match="names plan 000"):
        approve(a_plan(2), "chen", after=other)
    with pytest.raises(PlanError, match="names plan 000"):
        approval_of(a_plan(), other)


def test_an_approval_travels_as_a_file(tmp_path):
    """What one person saves the next one loads."""
    approval = approve(a_plan(2), "chen", after=approve(a_plan(2), "li"))

    assert load_approval(save_approval(approval, tmp_path / "approval.json")) == approval


def test_files_that_hold_no_approval_are_refused(tmp_path):
    """A missing file, a file of something else and a folder that is not there are each one sentence."""
    other = tmp_path / "other.json"
    other.write_text("{}")

    with pytest.raises(PlanError, match="holds no approval"):
        load_approval(other)
    with pytest.raises(PlanError, match="cannot be read"):
        load_approval(tmp_path / "missing.json")
    with pytest.raises(PlanError, match="not written"):
        save_approval(Approval(fingerprint="f"), tmp_path / "nowhere" / "approval.json")


@pytest.mark.parametrize("count", [0, 10])
def test_a_plan_needs_a_sensible_number_of_approvals(count):
    """Nobody and a crowd are refused when planning."""
    with pytest.raises(PlanError, match=f"cannot need {count} approvals"):
        plan_batches(an_eligibility(1), name_prefix="erp", approvals_needed=count)


def test_the_number_of_approvals_belongs_to_the_plan(tmp_path):
    """Another policy is another fingerprint, and it is saved with the plan."""
    one = plan_batches(an_eligibility(1), name_prefix="erp")
    two = plan_batches(an_eligibility(1), name_prefix="erp", approvals_needed=2)

    assert one.fingerprint != two.fingerprint
    assert Plan.load(two.save(tmp_path / "plan.json")).approvals_needed == 2
