"""No rule without a test at its boundary, and none without one for data that is missing."""

import pytest

from sdrs_nb.rulebook import load_rulebook
from tests.checks.every_rule import ROWS, severities

#: Rules that say "not known" by their own nature, also at their boundary.
ALWAYS_UNVERIFIED = {"S19", "S27", "S36", "D5", "H14"}


def test_every_rule_has_a_row():
    """Adding a rule means its entry, its function, and its row here."""
    assert list(ROWS) == list(load_rulebook().rules)


@pytest.mark.parametrize("rule", ROWS)
def test_a_rule_fires_at_its_boundary_and_not_beside_it(rule):
    """The nearest values on either side of the line give different answers."""
    on, off = severities(**ROWS[rule].on), severities(**ROWS[rule].off)

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
