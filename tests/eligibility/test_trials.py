"""A server that several groups fit is tried against each of them."""

import pytest

from sdrs_nb.eligibility.registry import registered
from sdrs_nb.models import BatchOptions
from tests.builders import DR_AZ, a_flavor, a_group, a_host, a_server, a_volume, an_attachment, an_inventory
from tests.eligibility.judged import SERVER, judge, severity_of, verdict_of

OTHER = a_group("group-2", target_az="az-3", dr_az="az-3")


def test_a_server_that_each_group_would_refuse_is_blocked():
    """The message names every group with the rule that speaks there."""
    sold_out = a_flavor(sale_by_az=f"{DR_AZ}=sellout,az-3=abandon")

    eligibility = judge(an_inventory(groups=[a_group(), OTHER], flavors=[sold_out]))

    assert verdict_of(eligibility) == "blocked"
    message = eligibility.findings_of(SERVER).set_index("rule").loc["G14", "message"]
    assert message.count("P3") == 2
    assert "group-2" in message


def test_one_group_that_takes_it_leaves_the_choice_open():
    """A refusal of one of two groups is no refusal."""
    sold_out = a_flavor(sale_by_az="az-3=sellout")

    eligibility = judge(an_inventory(groups=[a_group(), OTHER], flavors=[sold_out]))

    assert verdict_of(eligibility) == "eligible"
    assert severity_of("G14", eligibility) is None


def test_groups_that_may_refuse_leave_it_unknown():
    """Refused by one, not known of the other: nobody can say that some group takes it."""
    host = a_host(az=None)

    eligibility = judge(
        an_inventory(groups=[a_group(), OTHER], dedicated_hosts=[host]),
        options=BatchOptions(tenancy="dedicated", dedicated_host_id=host["dedicated_host_id"]),
    )

    assert verdict_of(eligibility) == "unknown"


@pytest.mark.parametrize("where", ["az-9", "az-1"])
def test_servers_that_share_a_volume_are_refused_together(where):
    """What refuses one of a cluster in every group refuses all of it."""
    inventory = an_inventory(
        servers=[a_server("a"), a_server("b")],
        volumes=[a_volume("shared", multiattach=True), a_volume("own", az=where)],
        attachments=[an_attachment("a", "shared"), an_attachment("b", "shared"), an_attachment("b", "own")],
        groups=[a_group(), OTHER],
    )

    eligibility = judge(inventory)

    expected = "blocked" if where == "az-9" else "eligible"
    assert [verdict_of(eligibility, each) for each in ("a", "b")] == [expected] * 2


def test_rules_that_look_at_the_group_are_those_that_are_tried():
    """A rule whose answer depends on the group says so; AZ and VPC of a candidate fit by themselves."""

    class Watched:
        """Facts whose match tells when it is looked at."""

        def __init__(self, facts, seen):
            self.__dict__.update(_facts=facts, _seen=seen)

        def __getattr__(self, name):
            if name == "match":
                self._seen.append(name)
            return getattr(self._facts, name)

    options = BatchOptions(
        tenancy="dedicated", dedicated_host_id="host-1", cluster_id="pool-1", primary_subnet_id="subnet-1"
    )
    inventory = an_inventory(dedicated_hosts=[a_host()], storage_pools=[{"storage_pool_id": "pool-1", "az": DR_AZ}])
    for wanted in (options, BatchOptions(tenancy="dedicated")):
        facts = judge(inventory, options=wanted)._facts
        for check in registered().values():
            seen: list[str] = []
            if check.phase == "server" and check.rule not in {"S2", "S3"}:
                list(check.function(Watched(facts, seen)))
                assert check.by_group or not seen, check.rule
