"""No rule without a test at its boundary, and none without one for data that is missing."""

from functools import cache

import pytest

from sdrs_nb.eligibility.registry import registered
from sdrs_nb.eligibility.rules.request import registered_requests
from sdrs_nb.rulebook import load_rulebook
from tests.eligibility.every_rule import ROWS, severities

#: Rules that say "not known" by their own nature, also at their boundary.
ALWAYS_UNVERIFIED = {"S19", "S27", "S36", "D5", "H14"}
#: Every rule with every frame that it needs.
NEEDS = [(rule, frame) for rule in ROWS for frame in load_rulebook().rule(rule).needs]


@cache
def at_boundary(rule, side):
    """What fires for a row's side, ``on`` or ``off``: the same whichever of the rule's frames is looked at."""
    return severities(**getattr(ROWS[rule], side))


def test_every_rule_has_a_row():
    """Adding a rule means its entry, its function, and its row here."""
    assert list(ROWS) == list(load_rulebook().rules)


@pytest.mark.parametrize("rule", ROWS)
def test_a_rule_fires_at_its_boundary_and_not_beside_it(rule):
    """The nearest values on either side of the line give different answers."""
    on, off = at_boundary(rule, "on"), at_boundary(rule, "off")

    assert rule in on
    assert rule in ALWAYS_UNVERIFIED or "unverified" not in on[rule]
    assert rule not in off


@pytest.mark.parametrize("rule", [rule for rule, row in ROWS.items() if not row.absent])
def test_missing_data_is_never_taken_for_good(rule):
    """Where a rule's data is missing, it says so, or the rule that reports for it does."""
    found = severities(**ROWS[rule].missing)

    assert "unverified" in found[ROWS[rule].reporter or rule]
    assert not ROWS[rule].reporter or rule not in found or rule == "S23"


@pytest.mark.parametrize("rule", [rule for rule, row in ROWS.items() if row.absent])
def test_an_absent_value_can_be_an_answer(rule):
    """Where empty means no, the rule is silent, or tells what it tells of every server."""
    found = severities(**ROWS[rule].missing)

    assert "unverified" not in found.get(rule, set())


@pytest.mark.slow
@pytest.mark.parametrize("rows", [0, 1])
@pytest.mark.parametrize(("rule", "frame"), NEEDS)
def test_what_was_not_received_decides_nothing(rule, frame, rows):
    """Where a rule has nothing to say of a whole frame, it says nothing of a part of it but that nobody knows."""
    found = severities(**ROWS[rule].off, partial={frame: rows})

    assert found.get(rule, set()) <= {"unverified"}


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "frame"), NEEDS)
def test_what_was_received_of_an_incomplete_frame_is_a_fact(rule, frame):
    """A rule that fires for what is there fires for it in a part as well; one that fires for a gap does not."""
    whole, part = at_boundary(rule, "on"), severities(**ROWS[rule].on, partial={frame: None})

    # What a plan would use up is summed over servers that are ready, and none is.
    gaps = registered()[rule].by_absence
    of_a_group = frame == "groups" and registered()[rule].phase == "group" and "blocker" in whole[rule]
    if isinstance(gaps, frozenset):  # some of its cases are gaps, and those are what blocks here
        assert "blocker" not in part[rule]
    elif gaps or of_a_group or rule in registered_requests():
        assert part.get(rule, set()) <= {"unverified"}
    else:
        assert whole[rule] <= part[rule]
