import pytest

from tests.builders import GROUP, a_domain, a_group, a_pair, a_server, an_instance, an_inventory
from tests.eligibility.judged import SERVER, judge, severity_of, verdict_of


@pytest.mark.parametrize(
    ("rule", "group", "severity"),
    [
        pytest.param("G2", {"status": "available"}, None, id="G2 available"),
        pytest.param("G2", {"status": "protected"}, None, id="G2 protected"),
        pytest.param("G2", {"status": "starting"}, "blocker", id="G2 starting"),
        pytest.param("G2", {"status": "failed-over"}, "blocker", id="G2 failed over"),
        pytest.param("G2", {"status": "error-starting"}, "blocker", id="G2 error"),
        pytest.param("G2", {"status": None}, "unverified", id="G2 not said"),
        pytest.param(
            "G3", {"priority_station": "target", "source_az": "az-2", "target_az": "az-1"}, "warning", id="G3"
        ),
        pytest.param("G3", {}, None, id="G3 at source"),
        pytest.param("G4", {"target_az": "az-1"}, "blocker", id="G4 equal AZs"),
        pytest.param("G4", {"health_status": "abnormal"}, "blocker", id="G4 abnormal"),
        pytest.param("G4", {"health_status": "normal"}, None, id="G4 normal"),
        pytest.param("G4", {"health_status": None}, None, id="G4 health not said is normal"),
        pytest.param("G5", {"server_type": "BMS"}, "blocker", id="G5 other kind"),
        pytest.param("G5", {"server_type": "ECS"}, None, id="G5 ECS"),
        pytest.param("G6", {"status": "protected"}, "notice", id="G6"),
        pytest.param("G6", {"status": "available"}, None, id="G6 available"),
        pytest.param("G7", {"status": "available"}, "notice", id="G7"),
        pytest.param("G7", {"status": "protected"}, None, id="G7 protected"),
    ],
)
def test_rules_of_a_group_look_at_its_own_columns(rule, group, severity):
    """Each rule fires at its boundary and not beside it."""
    eligibility = judge(an_inventory(groups=[a_group(**group)]), group_id=GROUP)

    assert severity_of(rule, eligibility) == severity


@pytest.mark.parametrize("rule", ["G1", "G2", "G4", "S2", "S3"])
def test_without_groups_nothing_about_them_is_known(rule):
    """Groups that could not be read leave every rule about them undecided, and the verdict unknown."""
    eligibility = judge(an_inventory(not_loaded=["groups"]))

    assert severity_of(rule, eligibility) == "unverified"
    assert verdict_of(eligibility) == "unknown"


@pytest.mark.parametrize("asked", [{"group_id": GROUP}, {"group_choice": {SERVER: GROUP}}], ids=["asked for", "chosen"])
def test_a_group_is_not_looked_up_where_groups_were_not_read(asked):
    """It may well exist: no error, and nothing about it is known."""
    assert verdict_of(judge(an_inventory(not_loaded=["groups"]), **asked)) == "unknown"


def test_a_project_without_groups_has_none_to_join():
    """G1 fires where groups were read and there are none."""
    assert severity_of("G1", judge(an_inventory(groups=[]))) == "blocker"


@pytest.mark.parametrize(
    ("domains", "severity"),
    [
        pytest.param([a_domain()], None, id="joined"),
        pytest.param([a_domain(local_az="az-2", remote_az="az-1")], None, id="joined the other way round"),
        pytest.param([a_domain(remote_az="az-9")], "warning", id="joins other AZs"),
        pytest.param([a_domain(sold_out=True)], "warning", id="sold out"),
        pytest.param([a_domain(sold_out=True), a_domain(domain_id="domain-2")], None, id="one of two sold out"),
    ],
)
def test_g10_looks_for_a_domain_that_joins_the_sites(domains, severity):
    """G10 warns when no domain with room joins the two AZs."""
    assert severity_of("G10", judge(an_inventory(domains=domains))) == severity


@pytest.mark.parametrize(
    ("status", "severity"),
    [("protected", None), ("creating", "warning"), ("error-deleting", "warning"), ("fault", "warning")],
)
def test_g11_looks_at_other_instances_of_the_group(status, severity):
    """G11 warns when another instance of the group is under way or broken."""
    inventory = an_inventory(
        servers=[a_server(SERVER), a_server("other")], protected_instances=[an_instance("other", status=status)]
    )

    assert severity_of("G11", judge(inventory)) == severity


def test_g12_warns_of_our_own_job():
    """G12 fires for a group on which a job of ours runs, and for no other."""
    assert severity_of("G12", judge(busy_groups=[GROUP])) == "warning"
    assert severity_of("G12", judge(busy_groups=["another"])) is None


@pytest.mark.parametrize(("status", "severity"), [("copying", "notice"), ("active", None)])
def test_g13_tells_of_pairs_that_copy(status, severity):
    """G13 is a notice while a pair of the group copies."""
    pair = a_pair("a-volume", "its-copy", replication_status=status)

    assert severity_of("G13", judge(an_inventory(replication_pairs=[pair]))) == severity


@pytest.mark.parametrize(
    ("rule", "frame"), [("G10", "domains"), ("G11", "protected_instances"), ("G13", "replication_pairs")]
)
def test_other_frames_that_are_missing_leave_warnings_undecided(rule, frame):
    """A warning or notice whose frame was not read is unverified."""
    assert severity_of(rule, judge(an_inventory(not_loaded=[frame]))) == "unverified"
