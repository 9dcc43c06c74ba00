"""What our rules let through, the sandbox accepts: a sample of the 300 estates of ``tests.contract.estates --all``."""

import pytest

from sdrs_nb.rulebook import load_rulebook
from tests.contract.estates import ASSUMED, judge

SAMPLE = range(24)


@pytest.mark.parametrize("seed", SAMPLE)
async def test_whatever_is_planned_is_accepted_and_succeeds(seed):
    """Each server planned in a random estate is protected in the end, but for what an assumed rule warned of."""
    outcome = await judge(seed)

    assert outcome.surprises == []
    assert outcome.is_enough


@pytest.mark.parametrize("rule", ASSUMED)
def test_exceptions_are_warnings(rule):
    """A rule that blocks needs no exception."""
    book = load_rulebook()

    assert "warning" in {book.severity(rule, variant).value for variant in ("", *book.rule(rule).variants)}
