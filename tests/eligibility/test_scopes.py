"""What the servers of a cluster, a group or the estate have in common is told there once, and nothing is lost."""

import pandas as pd
import pytest

from sdrs_nb.eligibility.eligibility import Eligibility, check_eligibility
from sdrs_nb.i18n.choosing import set_language
from sdrs_nb.rulebook import load_rulebook
from tests.builders import a_group, a_server, an_instance, an_inventory
from tests.mutilations import estate

#: What was said of the demo estate (240 servers, seed 7), when every finding had a row at every server: rows by rule.
BEFORE = {
    "G2": 12, "G3": 19, "G6": 59, "G7": 147, "G11": 197, "S2": 6, "S3": 2, "S4": 10, "S5": 8, "S6": 1, "S7": 3, "S8": 2,
    "S9": 2, "S10": 1, "S11": 1, "S12": 1, "S13": 1, "S14": 1, "S15": 1, "S16": 1, "S20": 1, "S21": 1, "S22": 2,
    "S23": 1, "S24": 1, "S25": 1, "S26": 1, "S28": 1, "S29": 240, "S30": 240, "S31": 1, "S32": 1, "S33": 1, "S34": 1,
    "S35": 240, "S36": 240, "D1": 3, "D2": 20, "D3": 1, "D4": 1, "D6": 1, "D7": 50, "D8": 1, "D11": 239, "D12": 1,
    "H1": 10, "H2": 2, "H4": 7, "H5": 2, "H6": 13, "H7": 2, "H9": 2, "H12": 2, "P3": 2,
}  # fmt: skip


@pytest.fixture(scope="module")
def demo() -> Eligibility:
    """The demo estate, checked."""
    return check_eligibility(estate(7, 240))


def test_the_demo_estate_is_told_in_few_rows_and_loses_none(demo):
    """What is repeated at every server is derived from what is told once, rule by rule as it was before."""
    found = demo.findings
    servers = found["evidence"].str.extract(r"(?:^|; )servers=(\d+)$")[0].astype("Int64").fillna(1)
    told = servers.groupby(found["rule"]).sum()
    by_server = demo.by_server()

    assert len(found) <= 260
    # H15 is new: it names pages that disagree.  Q11 and H16 speak of the inventory and of the request.
    assert told.drop(["H15", "Q11", "H16"]).to_dict() == BEFORE
    assert by_server["rule"].value_counts().drop("H15").to_dict() == BEFORE


def test_every_row_of_a_server_is_found_at_the_scope_it_names(demo):
    """From a server's row follows the one that tells it, and the other way round; messages of its own are the same."""
    found, rows = demo.findings, demo.by_server()
    keys = {
        "server": ["server_id", "group_id", "rule", "severity", "message"],
        "cluster": ["cluster_id", "rule", "severity"],
        "group": ["group_id", "rule", "severity", "message"],
        "estate": ["rule", "severity", "remedy"],
    }

    for scope, columns in keys.items():
        told = found[found["scope"].eq(scope) & found["rule"].isin(rows["rule"])][columns].fillna("-")
        mine = rows[rows["scope"] == scope][columns].fillna("-")
        assert not told.duplicated().any()
        assert set(mine.itertuples(index=False, name=None)) == set(told.itertuples(index=False, name=None))


def test_all_that_concerns_a_server_is_explained(demo):
    """Its own findings with its own evidence, those of its group and cluster, the request's and the estate's."""
    rows, common = demo.by_server(), demo.findings
    common = common[common["rule"].isin(["Q11", "H16"])]

    for server_id in demo.asked[::24]:
        mine = demo.explain(server_id).findings
        own = rows[rows["server_id"] == server_id].reset_index(drop=True)
        pd.testing.assert_frame_equal(mine.iloc[: len(own)], own)
        assert set(mine.iloc[len(own) :]["rule"]) == set(common["rule"])


def test_a_server_is_warned_of_only_for_a_matter_of_its_own(demo):
    """Each verdict "warning" has a warning of the server itself behind it, and no other server has one."""
    found = demo.findings
    warned = set(found.loc[found["severity"].eq("warning") & found["scope"].eq("server"), "server_id"])
    verdicts = demo.verdicts.set_index("server_id")["verdict"]
    open_to_warnings = verdicts[verdicts.isin(["eligible", "warning"])]

    assert set(open_to_warnings.index[open_to_warnings == "warning"]) == warned & set(open_to_warnings.index)


def test_groups_say_whether_they_take_servers_and_who_would_join(demo):
    """A row a group; servers that are ready and have chosen nothing are counted at each group that fits."""
    groups, verdicts = demo.groups.set_index("name"), demo.verdicts
    ready = verdicts[verdicts["verdict"].isin(["eligible", "warning"])]

    assert groups.loc[["pg-erp", "pg-lab", "pg-crm", "pg-shop-1"], "verdict"].tolist() == [
        "warning", "blocked", "blocked", "eligible",
    ]  # fmt: skip
    assert groups.loc["pg-lab", "reasons"] == "Group in error, Other instances not sound"
    assert groups["servers"].sum() == ready["group_id"].notna().sum()
    assert groups.loc["pg-shop-1", "could_join"] == ready["group_id"].isna().sum()
    assert groups["room"].isna().all()


@pytest.mark.parametrize(("limit", "room"), [(5, 4), (1, 0), (-1, None)])
def test_room_is_what_a_set_limit_leaves(limit, room):
    """Where no limit is set nobody knows."""
    inventory = an_inventory(groups=[a_group(protected_instance_num=1)])
    found = check_eligibility(inventory, rulebook=load_rulebook(group_instances=limit)).groups["room"]

    assert found.astype(object).where(found.notna(), None).tolist() == [room]


@pytest.mark.parametrize(
    ("language", "reason"),
    [("en", "Not active or shut off +2"), ("zh", "\u4e0d\u662f\u8fd0\u884c\u6216\u5173\u673a\u72b6\u6001 +2")],
)
def test_the_reason_is_the_first_fault_and_how_many_more(language, reason):
    """In the language in use, which may change between two looks."""
    eligibility = check_eligibility(an_inventory(servers=[a_server(status="ERROR", locked=True, nic_count=13)]))

    set_language(language)
    try:
        assert eligibility.verdicts["reason"].tolist() == [reason]
    finally:
        set_language("en")


def test_names_stand_alone_in_sentences_while_they_are_unique():
    """The id follows where two servers bear one name; evidence names both always."""
    servers = [a_server("a", name="twin", status="ERROR"), a_server("b", name="twin", status="ERROR")]
    inventory = an_inventory(servers=[*servers, a_server("c", name="single", status="ERROR")])
    told = check_eligibility(inventory).findings.query("rule == 'S7'")["message"]

    assert [message.partition(" is ERROR")[0] for message in told] == [
        "Server twin (a)", "Server twin (b)", "Server single",
    ]  # fmt: skip


def test_a_failed_instance_of_the_group_is_a_warning_to_read_and_no_verdict():
    """It is told once at the group, however many servers would join it."""
    inventory = an_inventory(
        servers=[a_server("a"), a_server("b"), a_server("other")],
        protected_instances=[an_instance("other", target_server_id=None, status="fault")],
    )
    eligibility = check_eligibility(inventory)

    assert eligibility.warnings[["scope", "rule"]].to_numpy().tolist() == [["group", "G11"]]
    assert eligibility.verdicts["verdict"].tolist() == ["eligible", "eligible", "protected"]
