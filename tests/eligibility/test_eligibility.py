import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdrs_nb.eligibility.eligibility import check_eligibility
from sdrs_nb.errors import InventoryError, PlanError
from sdrs_nb.i18n.choosing import set_language
from sdrs_nb.inventory.inventory import Inventory
from sdrs_nb.models import Verdict
from sdrs_nb.rulebook import load_rulebook, rulebook_reason
from sdrs_nb.tables import CANDIDATES, FINDINGS, INVENTORY_TABLES, VERDICTS
from tests.builders import (
    a_group,
    a_key_pair,
    a_pair,
    a_server,
    a_volume,
    an_attachment,
    an_instance,
    an_inventory,
)


def verdicts(eligibility) -> dict[str, str]:
    """Return the verdict of each server."""
    frame = eligibility.verdicts
    return dict(zip(frame["server_id"], frame["verdict"], strict=True))


def groups(eligibility) -> dict[str, object]:
    """Return the group that each server is judged against."""
    frame = eligibility.verdicts
    return dict(zip(frame["server_id"], frame["group_id"], strict=True))


def test_a_server_in_order_is_eligible():
    """The builders' server passes every rule."""
    eligibility = check_eligibility(an_inventory())

    assert verdicts(eligibility) == {"server-1": "eligible"}
    assert groups(eligibility) == {"server-1": "group-1"}
    assert repr(eligibility) == "Eligibility(1 eligible)"


def test_frames_have_the_columns_of_their_tables():
    """Columns and dtypes are those of the tables, with rows and without."""
    for inventory in (an_inventory(), an_inventory(servers=[])):
        eligibility = check_eligibility(inventory)
        for table in (VERDICTS, FINDINGS, CANDIDATES):
            frame = getattr(eligibility, table.name)
            assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == dict(table.columns)


def test_an_empty_inventory_gives_empty_frames():
    """Nothing to judge is no error."""
    eligibility = check_eligibility(an_inventory(servers=[]))

    for name in ("verdicts", "findings", "candidates", "clusters", "request_findings"):
        assert getattr(eligibility, name).empty
    for name in ("by_rule", "fewest_fixes", "groups_needed", "wide"):
        assert getattr(eligibility, name)().empty
    assert eligibility.asked == ()


def test_an_inventory_in_which_nothing_was_read_is_judged():
    """Frames that were not read give unknown, not an exception."""
    others = [name for name in INVENTORY_TABLES if name != "servers"]
    eligibility = check_eligibility(an_inventory(not_loaded=others))

    assert verdicts(eligibility) == {"server-1": "unknown"}
    assert set(eligibility.findings["severity"]) == {"unverified", "notice", "warning"} - {"warning"}


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        pytest.param({"group_id": "nowhere"}, "nowhere", id="unknown group"),
        pytest.param({"server_ids": ["a", "b", "a"]}, "a", id="server listed twice"),
        pytest.param({"group_choice": {"server-1": "nowhere"}}, "nowhere", id="unknown group chosen"),
        pytest.param({"group_choice": {"stranger": "group-1"}}, "stranger", id="choice for an unknown server"),
    ],
)
def test_questions_that_make_no_sense_are_refused(asked, named):
    """One sentence names the object."""
    with pytest.raises(PlanError, match=named):
        check_eligibility(an_inventory(), **asked)


@pytest.mark.parametrize(
    ("groups", "named"),
    [
        (0, "Use one of: (none)."),
        (2, "Use one of: name of g00 (g00), name of g01 (g01)."),
        (21, "name of g19 (g19)."),
    ],
)
def test_an_unknown_group_is_answered_with_the_known_ones(groups, named):
    """The sentence says what would be right, up to twenty groups of it, and that there is none."""
    inventory = an_inventory(groups=[a_group(f"g{at:02d}") for at in range(groups)])

    with pytest.raises(PlanError) as caught:
        check_eligibility(inventory, group_id="nowhere")

    assert str(caught.value).endswith(named)


def test_the_choice_of_a_server_beats_the_group_asked_for():
    """The group asked for is for everybody else."""
    inventory = an_inventory(servers=[a_server("a"), a_server("b")], groups=[a_group("g1"), a_group("g2")])

    eligibility = check_eligibility(inventory, group_id="g1", group_choice={"b": "g2"})

    assert eligibility.verdicts["group_id"].tolist() == ["g1", "g2"]


def test_a_cluster_takes_one_choice_said_twice_and_no_two():
    """Two owners of a volume may both be told the same group; different ones are refused with both named."""
    inventory = two_that_share(groups=[a_group("g1"), a_group("g2")])

    same = check_eligibility(inventory, group_choice={"a": "g2", "b": "g2"})

    assert same.verdicts["group_id"].tolist() == ["g2", "g2"]
    with pytest.raises(PlanError, match=r"group name of g1 \(g1\) was chosen, but for itself group name of g2 \(g2\)"):
        check_eligibility(inventory, group_choice={"a": "g1", "b": "g2"})


def test_a_server_that_stands_twice_is_refused():
    """An inventory must know each server once."""
    with pytest.raises(InventoryError, match="server-1"):
        check_eligibility(an_inventory(servers=[a_server(), a_server()], system_volumes=False))


@pytest.mark.parametrize(
    ("made", "group", "candidates", "rules"),
    [
        pytest.param([a_group("g1")], "g1", ["g1"], set(), id="one fits"),
        pytest.param([a_group("g1"), a_group("g2")], None, ["g1", "g2"], set(), id="several fit"),
        pytest.param([a_group("g1"), a_group("g2", status="error")], "g1", ["g1"], set(), id="one of two is well"),
        pytest.param([a_group("g1", status="starting")], "g1", [], {"G2"}, id="only one, in a bad state"),
        pytest.param(
            [a_group("g1", status="error"), a_group("g2", status="error")], None, [], {"G2"}, id="several, all bad"
        ),
        pytest.param([a_group("g1", source_az="az-3", production_az="az-3")], None, [], {"S2"}, id="AZ does not fit"),
        pytest.param([a_group("g1", vpc_id="vpc-2")], None, [], {"S3"}, id="VPC does not fit"),
        pytest.param([], None, [], {"G1"}, id="no group"),
        pytest.param(
            [a_group("g1", source_az="az-2", target_az="az-1", priority_station="target", production_az="az-1")],
            "g1",
            ["g1"],
            set(),
            id="switched over into the server's AZ",
        ),
    ],
)
def test_servers_are_matched_with_groups(made, group, candidates, rules):
    """VPC and present production AZ decide; several are never chosen from silently."""
    eligibility = check_eligibility(an_inventory(groups=made))
    found = eligibility.findings

    assert eligibility.verdicts["group_id"].fillna("").tolist() == [group or ""]
    assert eligibility.candidates["group_id"].tolist() == candidates
    assert set(found["rule"][found["severity"] == "blocker"]) == rules


@pytest.mark.parametrize(
    ("made", "servers"),
    [
        pytest.param(
            {"source_az": None, "production_az": None, "vpc_id": "vpc-2"}, [{"vpc_id": "vpc-1"}], id="AZ not said"
        ),
        pytest.param({"vpc_id": None}, [{"az": "az-1"}], id="VPC not said"),
        pytest.param({"vpc_id": "vpc-9"}, [{"az": "az-1"}], id="VPC of no server"),
        pytest.param({"source_az": "az-9", "production_az": "az-9"}, [{"az": "az-1"}], id="AZ of no server"),
        pytest.param({"vpc_id": None}, [{"vpc_id": None}], id="VPC not said on either side"),
        pytest.param({"source_az": None, "production_az": None}, [{"az": None}], id="AZ not said on either side"),
    ],
)
def test_a_place_that_is_not_said_or_not_met_matches_nobody(made, servers):
    """A group without VPC or AZ, or with one that no server has, is nobody's candidate, whatever else there is."""
    others = [a_server(f"in {vpc} {az}", vpc_id=vpc, az=az) for vpc in ("vpc-1", "vpc-2") for az in ("az-1", "az-2")]
    asked = [a_server(f"asked-{at}", **row) for at, row in enumerate(servers)]
    eligibility = check_eligibility(an_inventory(servers=[*others, *asked], groups=[a_group(**made)]))

    assert eligibility.candidates.empty
    assert eligibility.verdicts["group_id"].isna().all()


def test_every_bad_group_is_told_of():
    """Where only groups in a bad state match, each has its finding and nothing is chosen."""
    made = [a_group("g1", status="error"), a_group("g2", status="starting")]
    found = check_eligibility(an_inventory(groups=made)).findings

    assert found.query("rule == 'G2'")["group_id"].tolist() == ["g1", "g2"]


def test_a_choice_decides_between_groups():
    """The group that was chosen is the one that counts."""
    inventory = an_inventory(groups=[a_group("g1"), a_group("g2")])
    eligibility = check_eligibility(inventory, group_choice={"server-1": "g2"})

    assert groups(eligibility) == {"server-1": "g2"}


def two_that_share(**frames) -> Inventory:
    """Return servers a and b with a shared volume."""
    return an_inventory(
        servers=[a_server("a"), a_server("b")],
        volumes=[a_volume("d1", multiattach=True)],
        attachments=[an_attachment("a", "d1"), an_attachment("b", "d1")],
        **frames,
    )


def test_a_choice_holds_for_the_whole_cluster():
    """Servers that travel together join one group."""
    inventory = two_that_share(groups=[a_group("g1"), a_group("g2")])

    assert groups(check_eligibility(inventory, group_choice={"a": "g2"})) == {"a": "g2", "b": "g2"}
    with pytest.raises(PlanError, match="cluster"):
        check_eligibility(inventory, group_choice={"a": "g1", "b": "g2"})


def test_a_group_that_was_asked_for_judges_every_server():
    """With a group given, other places are blockers."""
    inventory = an_inventory(
        servers=[a_server("here"), a_server("there", az="az-2")], groups=[a_group(), a_group("g2")]
    )

    assert verdicts(check_eligibility(inventory, group_id="group-1")) == {"here": "eligible", "there": "blocked"}


def test_filtering_selects_and_never_forgets():
    """A server that was not asked for still owns its shared volume."""
    eligibility = check_eligibility(two_that_share(), server_ids=["a"])

    assert verdicts(eligibility) == {"a": "blocked"}
    assert set(eligibility.findings["server_id"].dropna()) == set(eligibility.by_server()["server_id"]) == {"a"}


@pytest.mark.parametrize(
    ("frames", "verdict"),
    [
        pytest.param({"protected_instances": [an_instance("server-1")]}, "protected", id="over blocked"),
        pytest.param(
            {"protected_instances": [an_instance("server-1"), an_instance("x", target_server_id="server-1")]},
            "protected",
            id="over no candidate",
        ),
        pytest.param(
            {"protected_instances": [an_instance("x", target_server_id="server-1")]},
            "not a candidate",
            id="over blocked",
        ),
        pytest.param({}, "blocked", id="blocked over unknown"),
    ],
)
def test_the_strongest_verdict_counts(frames, verdict):
    """Protected, not a candidate, blocked, unknown, in this order."""
    inventory = an_inventory(servers=[a_server(status="ERROR", frozen=None, nic_count=2)], **frames)

    assert verdicts(check_eligibility(inventory)) == {"server-1": verdict}


def test_every_reason_is_told():
    """A server with several faults has a finding for each, and is counted so."""
    eligibility = check_eligibility(an_inventory(servers=[a_server(status="ERROR", locked=True, nic_count=13)]))
    blockers = eligibility.findings.query("severity == 'blocker'")

    assert blockers["rule"].tolist() == ["S7", "S9", "S20"]
    assert eligibility.verdicts["blockers"].tolist() == [3]


def test_counts_agree_with_findings():
    """Blockers, warnings and notices count what is told of the server or its cluster, unverified all that is open."""
    eligibility = check_eligibility(an_estate())
    found = eligibility.by_server()
    counted = found[found["scope"].isin(["server", "cluster"]) | found["severity"].eq("unverified")]
    counted = counted.groupby(["server_id", "severity"]).size()

    for row in eligibility.verdicts.itertuples():
        for column, severity in (
            ("blockers", "blocker"),
            ("warnings", "warning"),
            ("notices", "notice"),
            ("unverified", "unverified"),
        ):
            assert getattr(row, column) == counted.get((row.server_id, severity), 0)


def test_an_override_changes_what_a_rule_does():
    """A rule that was switched off or softened says so in the verdict."""
    inventory = an_inventory(servers=[a_server(status="REBOOT")])

    assert verdicts(check_eligibility(inventory, rulebook=load_rulebook(S7="warning"))) == {"server-1": "warning"}
    assert verdicts(check_eligibility(inventory, rulebook=load_rulebook(S7="off"))) == {"server-1": "eligible"}


@pytest.mark.parametrize(
    ("about", "asked", "profile"),
    [
        ({}, None, "huaweicloud"),
        ({"cloud_host": "otc.t-systems.com"}, None, "otc"),
        ({"region": "eu-de"}, None, "otc"),
        ({"cloud_host": "127.0.0.1"}, None, "huaweicloud"),
        ({"cloud_host": "otc.t-systems.com"}, "huaweicloud", "huaweicloud"),
        ({}, "otc", "otc"),
        ({}, load_rulebook("huaweicloud-2025"), "huaweicloud-2025"),
    ],
)
def test_an_inventory_is_judged_by_the_rules_of_its_cloud(about, asked, profile):
    """Unless others are asked for, by name or themselves; which ones, and why, is told."""
    inventory = an_inventory(servers=[a_server()])
    inventory.about = inventory.about.model_copy(update=about)

    eligibility = check_eligibility(inventory, rulebook=asked)

    assert eligibility.rulebook is load_rulebook(profile)
    assert eligibility.rulebook_reason == rulebook_reason(eligibility.rulebook, inventory.about.site)
    assert eligibility.if_selected(["server-1"]).rulebook is eligibility.rulebook


def an_estate() -> Inventory:
    """Return forty servers with a bit of everything."""
    servers = [
        a_server(
            f"server-{at:02d}",
            status=["ACTIVE", "SHUTOFF", "ERROR"][at % 3],
            az=["az-1", "az-1", "az-2"][at % 3 - 1],
            vpc_id=["vpc-1", "vpc-1", "vpc-1", "vpc-2"][at % 4],
            os_type=["Linux", "Windows"][at % 2],
            key_name=[None, "k1", "k2"][at % 3],
            nic_count=1 + at % 4,
            frozen=[False, False, None][at % 3],
            name=[f"name {at}", "<b>x</b>", "=1+1", "{server}"][at % 4],
        )
        for at in range(40)
    ]
    return an_inventory(
        servers=servers,
        volumes=[a_volume(f"d{at}", multiattach=at % 2 == 0, encrypted=at % 5 == 0) for at in range(20)],
        attachments=[an_attachment(f"server-{(at * step) % 40:02d}", f"d{at}") for at in range(20) for step in (1, 3)][
            1:
        ],
        groups=[a_group("g1"), a_group("g2", vpc_id="vpc-2"), a_group("g3", vpc_id="vpc-2"), a_group("g4", status="x")],
        protected_instances=[an_instance("server-05", target_server_id="server-06")],
        replication_pairs=[a_pair("d3", "d4")],
        key_pairs=[a_key_pair("k1")],
    )


ESTATE = an_estate()
OF_THE_ESTATE = check_eligibility(ESTATE)
SHOWN = ("verdicts", "findings", "candidates", "clusters", "request_findings")


@pytest.mark.slow
@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_rows_never_matters(seed):
    """Same rows in any order, same output byte for byte."""
    frames = {
        name: ESTATE.frame(name).sample(frac=1, random_state=np.random.default_rng(seed)) for name in INVENTORY_TABLES
    }
    shuffled = check_eligibility(Inventory(frames, ESTATE.sources, ESTATE.about))

    for name in SHOWN:
        assert getattr(shuffled, name).to_csv() == getattr(OF_THE_ESTATE, name).to_csv()


def test_the_inventory_is_not_changed():
    """No frame of the caller is touched."""
    before = {name: ESTATE.frame(name).copy(deep=True) for name in INVENTORY_TABLES}

    check_eligibility(ESTATE, server_ids=["server-01"]).findings  # noqa: B018 - reading renders

    for name, frame in before.items():
        pd.testing.assert_frame_equal(ESTATE.frame(name), frame)


@pytest.mark.parametrize("name", SHOWN)
def test_what_is_handed_out_can_be_changed_freely(name):
    """A caller's changes never come back."""
    before = getattr(OF_THE_ESTATE, name).to_csv()

    mine = getattr(OF_THE_ESTATE, name)
    mine.iloc[:, 0] = "changed"

    assert getattr(OF_THE_ESTATE, name).to_csv() == before


@pytest.mark.parametrize("server_id", ["server-00", "server-05", "server-17", "server-39"])
def test_the_findings_of_one_server_are_those_of_all(server_id):
    """Rendering one server gives the same rows as rendering everything."""
    found = OF_THE_ESTATE.by_server()
    mine = found[found["server_id"] == server_id].reset_index(drop=True)

    pd.testing.assert_frame_equal(OF_THE_ESTATE.findings_of(server_id), mine)


def test_names_are_shown_as_they_are():
    """Braces in a server's name are no template."""
    message = OF_THE_ESTATE.findings_of("server-03").query("rule == 'S30'")["message"].iloc[0]

    assert "{server} (server-03)" in message


def test_no_field_is_left_empty():
    """Every sentence is whole: no field of a template stays open in any finding."""
    for found in (OF_THE_ESTATE.findings, OF_THE_ESTATE.by_server()):
        for column in ("message", "remedy"):
            assert not found[column].str.replace("{server}", "").str.contains("[{}]").any()
        assert found[["scope", "rule", "severity", "message", "remedy", "source"]].notna().all(axis=None)


def test_findings_follow_the_language():
    """The same finding reads Chinese after the language was changed."""
    eligibility = check_eligibility(an_inventory(servers=[a_server(status="ERROR")]))
    set_language("zh")
    try:
        chinese = eligibility.findings.query("rule == 'S7'")["message"].iloc[0]
    finally:
        set_language("en")
        english = eligibility.findings.query("rule == 'S7'")["message"].iloc[0]
        set_language(None)

    assert "状态为 ERROR" in chinese
    assert "is ERROR" in english


def test_explain_tells_everything_about_one_server():
    """Verdict, companions, groups and findings in one text."""
    explanation = check_eligibility(two_that_share(groups=[a_group("g1"), a_group("g2")])).explain("a")

    assert explanation.verdict is Verdict.ELIGIBLE
    assert explanation.group_ids == ("g1", "g2")
    assert explanation.companions == ("b",)
    assert "Several protection groups fit: name of g1, name of g2." in str(explanation)


def test_explain_needs_a_server_that_was_asked_for():
    """A server that was not judged cannot be explained."""
    with pytest.raises(PlanError, match="stranger"):
        OF_THE_ESTATE.explain("stranger")


def test_if_selected_asks_again_with_other_servers():
    """Everything but the selection stays as it was asked."""
    eligibility = check_eligibility(two_that_share(), server_ids=["a"], group_id="group-1")

    assert verdicts(eligibility.if_selected(["a", "b"])) == {"a": "eligible", "b": "eligible"}


def test_the_waterfall_ends_at_what_is_ready():
    """Each step says what it cost; what is left in the end can be planned."""
    steps = OF_THE_ESTATE.waterfall()
    ready = OF_THE_ESTATE.verdicts["verdict"].isin(["eligible", "warning"]).sum()

    assert steps["left"].iloc[0] == 40
    assert steps["left"].iloc[-1] == ready
    assert steps["lost"].sum() == 40 - ready


def test_the_wide_view_has_a_column_a_rule():
    """A cell holds the severity with which the rule fired for the server."""
    wide = OF_THE_ESTATE.wide().set_index("server_id")
    found = OF_THE_ESTATE.by_server()

    assert set(wide.columns) - {"name", "verdict"} == set(found["rule"])
    assert wide["S7"].eq("blocker").sum() == len(found.query("rule == 'S7'"))


def test_the_fewest_fixes_come_first():
    """One key pair frees two servers; the server with two faults is freed by the second fix."""
    windows = {"os_type": "Windows", "key_name": "k"}
    servers = [a_server("a", **windows), a_server("b", **windows), a_server("c", **windows, status="ERROR")]
    fixes = check_eligibility(an_inventory(servers=servers)).fewest_fixes()

    assert fixes[["rule", "about", "freed", "freed_so_far"]].fillna("").to_numpy().tolist() == [
        ["S22", "k", 2, 2],
        ["S7", "", 1, 3],
    ]


def test_a_fix_for_a_companion_frees_the_cluster():
    """What holds a companion back is what holds the whole cluster back."""
    inventory = two_that_share()
    broken = inventory.with_frame("servers", inventory.servers.assign(status=["ACTIVE", "ERROR"]))

    assert check_eligibility(broken).fewest_fixes()[["rule", "freed"]].to_numpy().tolist() == [["S7", 2]]


def test_groups_that_would_have_to_be_created_are_named():
    """One row a VPC and AZ without a group, with the DR AZ that a domain offers."""
    servers = [a_server("a"), a_server("b", vpc_id="vpc-2"), a_server("c", vpc_id="vpc-2"), a_server("d", az="az-3")]
    needed = check_eligibility(an_inventory(servers=servers)).groups_needed()

    assert needed.fillna("").to_numpy().tolist() == [
        ["vpc-1", "az-3", 1, "", ""],
        ["vpc-2", "az-1", 2, "az-2", "domain-1"],
    ]


def test_by_rule_counts_servers():
    """One row a rule, in the order of the rule book: servers pass it, fail it, or it is open for them."""
    counts = OF_THE_ESTATE.by_rule()
    blocked = counts[counts["rule"] == "S7"].iloc[0]

    assert blocked[["fault", "severity", "servers", "fail"]].tolist() == ["Not active or shut off", "blocker", 13, 13]
    assert blocked["rate"] == pytest.approx(blocked["pass"] / (blocked["pass"] + 13))
    assert (counts["pass"] + counts["fail"] + counts["unknown"] == len(OF_THE_ESTATE.asked)).all()
    assert counts["rate"].isna().tolist() == (counts["pass"] + counts["fail"]).eq(0).tolist()
    assert counts["rule"].drop_duplicates().tolist() == [
        rule for rule in load_rulebook().rules if rule in set(counts["rule"])
    ]


def test_what_is_said_of_a_group_is_told_once():
    """A warning about the group counts every server it was told to, and those of which nothing else is said."""
    inventory = an_inventory(
        servers=[a_server("a"), a_server("b"), a_server("c", billing="spot"), a_server("other")],
        protected_instances=[an_instance("other", status="fault")],
    )
    eligibility = check_eligibility(inventory)

    told = eligibility.by_group().set_index(["group_id", "rule"])
    assert not told.index.duplicated().any()
    assert told.loc[("group-1", "G11"), ["severity", "servers", "otherwise_eligible"]].tolist() == ["warning", 4, 2]
    assert told.loc[("group-1", "G7"), "otherwise_eligible"] == 2
    assert check_eligibility(an_inventory(servers=[])).by_group().empty


def test_hindrances_are_what_keeps_servers_from_being_planned():
    """Blockers and undecided blocking rules are there, everything else is not."""
    found, kept = OF_THE_ESTATE.findings, OF_THE_ESTATE.hindrances
    undecided = found[found["severity"] == "unverified"]["rule"]

    assert len(kept[kept["severity"] == "blocker"]) == (found["severity"] == "blocker").sum()
    assert set(kept["severity"]) <= {"blocker", "unverified"}
    assert "S36" in set(undecided)
    assert "S36" not in set(kept["rule"])
