"""Eligibility held against a second opinion that reads the same facts and shares no code with the rules."""

from collections import Counter

from tests.opinions.comparison import Disagreement, Tally, of_second, smallest, tally
from tests.random_estates import random_estate


def _told(disagreements: list[Disagreement]) -> str:
    return "\n".join(str(smallest(one)) for one in disagreements[:3])


def test_both_opinions_agree_on_small_estates():
    """Verdict and blocking rules are the same for every server of estates of 1 to 12 servers."""
    found = tally(150)

    assert not found.disagreements, _told(found.disagreements)


def test_no_server_of_many_can_go_by_mistake():
    """Where many servers, groups and shared volumes meet, whom the package lets go the second opinion lets go too.

    In rare corners (a group read in part, a companion of which something is not known) the package is the stricter one.
    """
    found = tally(1_850, servers=(60, 100))

    can_go = {"eligible", "warning"}
    wrong = [one for one in found.disagreements if one.package.verdict in can_go and one.second.verdict not in can_go]
    assert not wrong, _told(wrong)
    assert len(found.disagreements) < 0.01 * found.verdicts.total(), _told(found.disagreements)


def test_every_rule_is_exercised():
    """Every rule that blocks or warns does so somewhere in random estates."""
    found = Tally()
    for seed in range(1_500):
        for second in of_second(random_estate(seed, unread_columns=seed % 2 == 1)).values():
            found.count(second)

    assert found.rare(1) == {}


def test_random_estates_are_balanced():
    """Servers that can go, that cannot, and of which too little is known, are each a twelfth; every verdict occurs."""
    given = Counter(opinion.verdict for seed in range(250) for opinion in of_second(random_estate(seed)).values())

    can_go = given["eligible"] + given["warning"]
    assert min(can_go, given["unknown"], given["blocked"]) >= given.total() / 12
    assert set(given) == {"protected", "not a candidate", "blocked", "unknown", "warning", "eligible"}


def test_a_seed_makes_the_same_estate_again():
    """A disagreement can be repeated from its seed."""
    one, other = (random_estate(17, unread_columns=True) for _ in range(2))

    assert one == other
    assert one != random_estate(18, unread_columns=True)
