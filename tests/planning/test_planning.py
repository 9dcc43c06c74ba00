import json
import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdrs_nb import tables
from sdrs_nb.errors import NothingEligibleError, PlanError
from sdrs_nb.models import Approval, BatchOptions
from sdrs_nb.planning.planning import Plan, plan_batches
from tests.builders_planning import AnEligibility, an_eligibility, frame


def plan_of(eligibility, **changes) -> Plan:
    """Return the plan with a usual prefix."""
    return plan_batches(eligibility, **{"name_prefix": "erp", **changes})


def contents(plan: Plan) -> set[frozenset[str]]:
    """Return the servers of each batch."""
    return {frozenset(batch.server_ids) for batch in plan.batches}


def with_verdict(
    eligibility: AnEligibility,
    server_id: str,
    verdict: str,
    group_id: object = "g1",
    findings: Sequence[dict[str, str]] = (),
) -> AnEligibility:
    """Return the eligibility with another verdict for one server."""
    verdicts = eligibility.verdicts.copy()
    row = verdicts["server_id"] == server_id
    verdicts["verdict"] = verdicts["verdict"].mask(row, verdict)
    verdicts["group_id"] = verdicts["group_id"].mask(row, group_id)
    return replace(eligibility, verdicts=verdicts, findings=frame(findings, tables.FINDINGS))


def with_frame(eligibility: AnEligibility, name: str, **values: object) -> AnEligibility:
    """Return the eligibility with columns of one inventory frame set."""
    frames = getattr(eligibility.inventory, name).assign(**values)
    return replace(eligibility, inventory=replace(eligibility.inventory, **{name: frames}))


@st.composite
def estates(draw):
    """Draw up to 40 servers in up to three groups, some in clusters, and a batch limit."""
    limit = draw(st.integers(1, 8))
    count = draw(st.integers(1, 40))
    groups = draw(st.integers(1, 3))
    group_of = {f"s{number:02d}": f"g{draw(st.integers(1, groups))}" for number in range(count)}
    clusters = []
    for group in set(group_of.values()):
        members = [server for server, its in group_of.items() if its == group]
        while len(members) > 1 and draw(st.booleans()):
            size = min(draw(st.integers(2, 9)), len(members), limit)
            if size < 2:
                break
            clusters.append(members[:size])
            members = members[size:]
    return an_eligibility(group_of, clusters=clusters, options=BatchOptions(batch_limit=limit))


@pytest.mark.slow
@given(estates())
@settings(max_examples=30)
def test_every_eligible_server_is_in_exactly_one_batch(eligibility):
    """Nothing eligible is lost, doubled, or put with servers of another group; no batch is over the limit."""
    plan = plan_of(eligibility)

    group_of = dict(zip(eligibility.verdicts["server_id"], eligibility.verdicts["group_id"], strict=True))
    planned = [server for batch in plan.batches for server in batch.server_ids]
    assert sorted(planned) == sorted(group_of)
    assert all(group_of[server] == batch.group_id for batch in plan.batches for server in batch.server_ids)
    assert max(len(batch.server_ids) for batch in plan.batches) <= eligibility.options.batch_limit


@pytest.mark.slow
@given(estates())
@settings(max_examples=30)
def test_no_cluster_is_split(eligibility):
    """Servers that share volumes are in one batch."""
    plan = plan_of(eligibility)

    batch_of = dict(zip(plan.servers["server_id"], plan.servers["batch_id"], strict=True))
    for _cluster, rows in eligibility.clusters.groupby("cluster_id"):
        assert len({batch_of[server] for server in rows["server_id"]}) == 1


@pytest.mark.slow
@given(estates(), st.randoms(use_true_random=False))
@settings(max_examples=15)
def test_the_order_of_rows_changes_nothing(eligibility, dice):
    """The same frames in any order of rows give the same plan, byte for byte."""

    def shuffled(rows: pd.DataFrame) -> pd.DataFrame:
        order = dice.sample(range(len(rows)), len(rows))
        return rows.take(order)

    inventory = eligibility.inventory
    mixed = replace(
        eligibility,
        verdicts=shuffled(eligibility.verdicts),
        clusters=shuffled(eligibility.clusters),
        inventory=replace(
            inventory,
            **{name: shuffled(getattr(inventory, name)) for name in ("servers", "volumes", "attachments", "groups")},
        ),
    )

    assert plan_of(mixed).to_document() == plan_of(eligibility).to_document()


@pytest.mark.slow
@given(estates())
@settings(max_examples=10)
def test_a_saved_plan_loads_as_the_same_plan(tmp_path_factory, eligibility):
    """Save and load keep everything: fingerprint, bodies, frames and notes."""
    plan = plan_of(eligibility)
    path = tmp_path_factory.mktemp("plans") / "plan.json"

    loaded = Plan.load(plan.save(path))

    assert loaded.fingerprint == plan.fingerprint
    assert loaded.to_document() == plan.to_document()
    assert loaded.diff(plan).empty


@pytest.mark.slow
@given(st.data())
@settings(max_examples=60)
def test_one_flipped_byte_is_refused(tmp_path_factory, data):
    """A file in which any single byte was changed does not load."""
    path = plan_of(an_eligibility(7)).save(tmp_path_factory.mktemp("plans") / "plan.json")
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)

    with pytest.raises(PlanError):
        Plan.load(path)


def test_line_ends_rewritten_by_version_control_do_not_matter(tmp_path):
    """A plan whose line ends became those of Windows still loads: nothing in it changed."""
    path = plan_of(an_eligibility(3)).save(tmp_path / "plan.json")
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))

    assert len(Plan.load(path).batches) == 1


def test_a_document_with_a_new_checksum_still_fails_on_its_fingerprint():
    """Whoever changes a server and repairs the checksum is caught by the fingerprint."""
    from sdrs_nb.planning import freezing

    document = plan_of(an_eligibility(3)).to_document()
    document["facts"]["servers"][0][2] = "SHUTOFF"
    unsealed = {name: value for name, value in document.items() if name not in {"checksum", "format", "version"}}

    with pytest.raises(PlanError, match="fingerprint"):
        Plan.from_document(freezing.seal(unsealed))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(None, "cannot be read", id="no file"),
        pytest.param("{", "is no JSON", id="cut off"),
        pytest.param("[]", "holds no plan", id="something else"),
        pytest.param('{"format": "sdrs_nb plan", "version": 99}', "of version 99", id="another version"),
    ],
)
def test_files_that_are_no_plan_are_refused(tmp_path, content, said):
    """What cannot be a plan of this release is named with its path."""
    path = tmp_path / "plan.json"
    if content is not None:
        path.write_text(content)

    with pytest.raises(PlanError, match=said) as caught:
        Plan.load(path)

    assert "plan.json" in str(caught.value)


def test_a_plan_that_cannot_be_written_leaves_nothing_behind(tmp_path):
    """Saving to a folder that does not exist says so."""
    with pytest.raises(PlanError, match="was not written"):
        plan_of(an_eligibility(1)).save(tmp_path / "missing" / "plan.json")


def test_a_document_survives_json():
    """What the ledger keeps as text gives the plan back."""
    plan = plan_of(an_eligibility(6))

    again = Plan.from_document(json.loads(json.dumps(plan.to_document())))

    assert again.payload_bytes("b002") == plan.payload_bytes("b002")
    assert again.server_names == plan.server_names


@pytest.mark.parametrize(
    ("servers", "sizes"),
    [
        pytest.param(1, [1], id="1"),
        pytest.param(5, [5], id="5"),
        pytest.param(6, [1, 5], id="6"),
        pytest.param(12, [2, 5, 5], id="12"),
    ],
)
def test_servers_fill_batches_of_the_limit(servers, sizes):
    """As few batches as the limit allows."""
    plan = plan_of(an_eligibility(servers))

    assert sorted(len(batch.server_ids) for batch in plan.batches) == sizes
    assert plan.proof["proven"].all()


def test_batches_are_numbered_and_named_in_order():
    """Batches have ids b001 and on, prefixes of their own and servers in the order of names."""
    plan = plan_of(an_eligibility(12))

    assert [(batch.batch_id, batch.name_prefix) for batch in plan.batches] == [
        ("b001", "erp-001"), ("b002", "erp-002"), ("b003", "erp-003"),
    ]  # fmt: skip
    assert all(list(batch.server_ids) == sorted(batch.server_ids) for batch in plan.batches)


def test_payloads_are_the_bytes_that_are_sent():
    """Every dict shown is the JSON of the exact bytes."""
    plan = plan_of(an_eligibility(6), options=BatchOptions(tags={"team": "数据库"}, description="dr"))

    assert plan.payloads() == [json.loads(plan.payload_bytes(batch.batch_id)) for batch in plan.batches]


@pytest.mark.slow
def test_adding_a_server_changes_few_batches():
    """Wherever a server is added among 500, a handful of the 100 batches change."""
    dice = random.Random(7)
    ids = [f"{dice.getrandbits(64):016x}" for _each in range(500)]
    changed = []
    for _each in range(20):
        more = [*ids, f"{dice.getrandbits(64):016x}"]
        before, after = (contents(plan_of(an_eligibility(dict.fromkeys(each, "g1")))) for each in (ids, more))
        changed.append(len(after - before))

    assert max(changed) <= 8
    assert sum(changed) / len(changed) <= 6


@pytest.mark.parametrize(
    ("order", "groups"),
    [("name", ["ga", "gb", "gc"]), ("smallest", ["gc", "ga", "gb"]), (["gb", "nowhere"], ["gb", "ga", "gc"])],
)
def test_groups_come_in_the_order_asked_for(order, groups):
    """By name, fewest batches first, or in the order of the groups given."""
    group_of = {f"s{n:02d}": "gb" if n < 11 else "ga" if n < 17 else "gc" for n in range(20)}

    plan = plan_of(an_eligibility(group_of), group_order=order)

    assert list(dict.fromkeys(batch.group_id for batch in plan.batches)) == groups


def test_blocked_servers_are_left_out_with_their_rules():
    """A blocked server's reason is its first blocker's message; every blocking rule is named."""
    findings = [
        {"server_id": "s002", "rule": "S7", "severity": "blocker", "message": "Server is in BUILD."},
        {"server_id": "s002", "rule": "S28", "severity": "notice", "message": "n"},
        {"server_id": "s002", "rule": "D1", "severity": "blocker", "message": "Volume is encrypted."},
    ]
    eligibility = with_verdict(an_eligibility(3), "s002", "blocked", findings=findings)

    left_out = plan_of(eligibility).left_out

    assert left_out.to_dict("records") == [
        {"server_id": "s002", "name": "name-s002", "group_id": "g1", "verdict": "blocked",
         "reason": "Server is in BUILD.", "rules": "S7, D1"}
    ]  # fmt: skip


@pytest.mark.parametrize("verdict", ["protected", "not a candidate", "blocked", "unknown"])
def test_every_verdict_that_is_not_planned_has_a_reason(verdict):
    """Even without findings nobody is left out in silence."""
    left_out = plan_of(with_verdict(an_eligibility(2), "s001", verdict)).left_out

    assert list(left_out["server_id"]) == ["s001"]
    assert left_out["reason"].str.len().gt(10).all()


def test_a_server_with_several_groups_waits_for_a_choice():
    """Where several groups fit and none was chosen, the reason names them."""
    eligibility = replace(
        with_verdict(an_eligibility(2), "s001", "eligible", group_id=pd.NA),
        candidates=frame([{"server_id": "s001", "group_id": g} for g in ("g2", "g1")], tables.CANDIDATES),
    )

    left_out = plan_of(eligibility).left_out

    assert "fit server name-s001 (s001): g1, g2." in left_out["reason"].iloc[0]


def test_a_server_asked_for_and_not_in_the_inventory_is_left_out():
    """An id that nobody knows is accounted for."""
    eligibility = replace(an_eligibility(2), asked=("s001", "s002", "ghost"))

    left_out = plan_of(eligibility).left_out

    assert left_out[["server_id", "rules"]].to_numpy().tolist() == [["ghost", "S1"]]


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        pytest.param({"verdict": "blocked"}, {"s001": "", "s002": "H4"}, id="partner blocked"),
        pytest.param({"verdict": "eligible", "group_id": "g2"}, {"s001": "H4", "s002": "H4"}, id="two groups"),
    ],
)
def test_a_cluster_goes_whole_or_not_at_all(change, rules):
    """A cluster with a server that cannot be planned beside it is left out."""
    eligibility = with_verdict(an_eligibility(4, clusters=[["s001", "s002"]]), "s001", **change)

    plan = plan_of(eligibility)

    assert dict(zip(plan.left_out["server_id"], plan.left_out["rules"], strict=True)) == rules
    assert contents(plan) == {frozenset({"s003", "s004"})}


def test_a_cluster_larger_than_the_limit_is_left_out():
    """Six servers that share volumes fit in no batch of five."""
    members = [f"s{number:03d}" for number in range(1, 7)]

    plan = plan_of(an_eligibility(8, clusters=[members]))

    assert set(plan.left_out["server_id"]) == set(members)
    assert set(plan.left_out["rules"]) == {"H6"}


@pytest.mark.parametrize(
    ("quota", "used", "planned"),
    [
        pytest.param(-1, 900, 6, id="no limit"),
        pytest.param(10, 3, 6, id="enough: six own volumes and one shared"),
        pytest.param(10, 4, 4, id="one short: the cluster needs three"),
        pytest.param(10, 10, 0, id="nothing left"),
    ],
)
def test_the_pair_quota_leaves_whole_clusters_out(quota, used, planned):
    """What the quota does not allow is left out under rule G9, clusters whole, shared volumes counted once."""
    eligibility = an_eligibility(6, clusters=[["s005", "s006"]], pair_quota=quota, pairs_used=used)

    if not planned:
        with pytest.raises(NothingEligibleError, match="replication pair"):
            plan_of(eligibility)
        return
    plan = plan_of(eligibility)

    assert len(plan.servers) == planned
    assert set(plan.left_out["rules"]) <= {"G9"}


def test_priority_decides_who_gets_the_last_pairs():
    """With room for two, the servers with the best priority are planned."""
    eligibility = an_eligibility(4, pair_quota=2)

    plan = plan_of(eligibility, priority={"s004": 1, "s002": 2})

    assert contents(plan) == {frozenset({"s002", "s004"})}


def test_volumes_in_a_pair_need_no_new_one():
    """A volume that is replicated already does not count against the quota."""
    eligibility = an_eligibility(2, pair_quota=1)
    pairs = frame([{"replication_pair_id": "r1", "volume_ids": "vol-s001, other"}], tables.REPLICATION_PAIRS)
    eligibility = replace(eligibility, inventory=replace(eligibility.inventory, replication_pairs=pairs))

    assert len(plan_of(eligibility).servers) == 2


def test_a_quota_that_was_not_loaded_is_noted():
    """Without the quota the plan is made, and says that it was not held against it."""
    eligibility = an_eligibility(2)
    eligibility = replace(eligibility, inventory=replace(eligibility.inventory, quotas=tables.empty(tables.QUOTAS)))

    assert "was not loaded" in plan_of(eligibility).notes[0]


def test_nothing_eligible_names_the_count_and_the_reasons():
    """When no server can be planned, one error says how many were asked for and why not."""
    findings = [
        {"server_id": each, "rule": "G2", "severity": "blocker", "message": "Group g1 is starting: wait and reload."}
        for each in ("s001", "s002")
    ]
    eligibility = with_verdict(an_eligibility(2), "s001", "blocked")
    eligibility = with_verdict(eligibility, "s002", "blocked", findings=findings)

    with pytest.raises(NothingEligibleError, match=r"None of the 2 servers .* G2 \(2 servers\): Group g1 is starting"):
        plan_of(eligibility)


def test_no_server_at_all_is_said():
    """An empty inventory gives one sentence."""
    with pytest.raises(NothingEligibleError, match="No server was asked for"):
        plan_of(an_eligibility(0))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"name_prefix": ""}, "name prefix is empty", id="prefix of 0"),
        pytest.param({"name_prefix": "p" * 60}, "has 60 characters", id="prefix of 60"),
        pytest.param({"name_prefix": "erp*"}, r"holds \"\*\"", id="prefix with *"),
        pytest.param({"options": BatchOptions(batch_limit=0)}, "batch limit 0 is out of range", id="limit 0"),
        pytest.param({"options": BatchOptions(batch_limit=51)}, "batch limit 51 is out of range", id="limit 51"),
        pytest.param({"options": BatchOptions(tenancy="x")}, '"x" does not exist', id="tenancy"),
        pytest.param({"options": BatchOptions(tags={str(n): "" for n in range(11)})}, "has 11 tags", id="11 tags"),
        pytest.param({"options": BatchOptions(flavors={"ghost": "c3"})}, "server ghost a flavor", id="unknown server"),
        pytest.param({"wave_limit": 4}, "A wave of at most 4 servers", id="wave below batch"),
        pytest.param({"name_template": "{group}" + "x" * 60}, "does not fit group", id="template overflow"),
        pytest.param({"overrides": [{"server_id": "ghost"}]}, "name server ghost", id="override: server"),
        pytest.param({"overrides": [{"group_id": "g7"}]}, "name group g7", id="override: group"),
        pytest.param({"overrides": [{"group_id": "g1", "flavor_id": "c9"}]}, "name flavor c9", id="override: flavor"),
        pytest.param({"overrides": [{"group_id": "g1", "colour": 1}]}, "no column colour", id="override: column"),
        pytest.param({"overrides": [{"tenancy": "shared"}]}, "Row 1 .* chooses no server", id="override: nobody"),
        pytest.param({"overrides": [{"group_id": "g1", "wave": 0}]}, "wave 0 .* is no number", id="override: wave"),
        pytest.param({"overrides": [{"group_id": "g1", "tenancy": "x"}]}, '"x" does not exist', id="override: value"),
    ],
)
def test_bad_input_is_one_sentence_with_object_and_remedy(changes, said):
    """Bad options, names, templates and overrides are refused before anything is planned."""
    with pytest.raises(PlanError, match=said) as caught:
        plan_of(an_eligibility(2), **changes)

    assert "\n" not in str(caught.value)


def test_blockers_of_the_request_are_all_named():
    """What eligibility found wrong with every request keeps the plan from being made; rules of the planner do not."""
    findings = frame(
        [
            {"rule": "Q4", "severity": "blocker", "message": "First.", "remedy": "Do this."},
            {"rule": "Q8", "severity": "blocker", "message": "Second."},
            {"rule": "Q7", "severity": "warning", "message": "Third."},
            {"rule": "G9", "severity": "blocker", "message": "Fourth."},
        ],
        tables.FINDINGS,
    )

    with pytest.raises(PlanError) as caught:
        plan_of(an_eligibility(2, request_findings=findings))

    assert str(caught.value).splitlines() == ["First. Do this.", "Second."]


def test_overrides_split_batches_by_what_requests_share():
    """Servers that differ in tenancy are never in one request; the more specific override wins."""
    eligibility = with_frame(an_eligibility(5), "servers", tags=["tier=db", "tier=db", pd.NA, "x", "tier=app"])
    overrides = [
        {"server_id": "s002", "tenancy": "shared"},
        {"tag": "tier=db", "tenancy": "dedicated", "dedicated_host_id": "h1"},
        {"server_id": "s002", "dedicated_host_id": ""},
    ]

    plan = plan_of(eligibility, overrides=overrides)

    shared = {batch.server_ids: (batch.tenancy, batch.dedicated_host_id) for batch in plan.batches}
    assert shared == {
        ("s001",): ("dedicated", "h1"),
        ("s002",): ("shared", None),
        ("s003", "s004", "s005"): (None, None),
    }


GROUP_ROW, TAG_ROW, SERVER_ROW = {"group_id": "g1"}, {"tag": "tier=db"}, {"server_id": "s001"}


def descriptions(overrides, **servers: object) -> dict[str, str | None]:
    """Return by server what the overrides describe it as; s001 and s002 carry the tag, s003 another one."""
    eligibility = with_frame(an_eligibility(3), "servers", tags=["tier=db", "a=b, tier=db", "tier=db2"], **servers)
    plan = plan_of(eligibility, overrides=overrides)
    return {server: batch.description for batch in plan.batches for server in batch.server_ids}


@pytest.mark.parametrize("order", list(permutations([GROUP_ROW, TAG_ROW, SERVER_ROW])))
def test_the_more_specific_override_wins_wherever_it_stands(order):
    """A server's own row beats that of its tag, and that beats the group's."""
    overrides = [{**row, "description": "-".join(row)} for row in order]

    assert descriptions(overrides) == {"s001": "server_id", "s002": "tag", "s003": "group_id"}


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        pytest.param(GROUP_ROW, GROUP_ROW, ["2", "2", "2"], id="the later of two groups"),
        pytest.param(TAG_ROW, TAG_ROW, ["2", "2", None], id="the later of two tags"),
        pytest.param(SERVER_ROW, SERVER_ROW, ["2", None, None], id="the later of two servers"),
        pytest.param({**GROUP_ROW, **TAG_ROW}, GROUP_ROW, ["1", "1", "2"], id="a tag within a group beats the group"),
        pytest.param({**GROUP_ROW, **SERVER_ROW}, TAG_ROW, ["1", "2", None], id="a server of a group beats a tag"),
        pytest.param({**TAG_ROW, "server_id": "s003"}, GROUP_ROW, ["2", "2", "2"], id="every chooser must fit"),
        pytest.param({"tag": "tier"}, TAG_ROW, ["2", "2", "1"], id="a key alone stands for all of its values"),
        pytest.param({"tag": "a"}, {"tag": "b"}, [None, "1", None], id="a value alone is no tag"),
        pytest.param({"tag": "tier=d"}, {"tag": ""}, [None, None, None], id="a part of a tag and no tag"),
    ],
)
def test_overrides_of_one_rank_and_of_several_choosers(first, second, told):
    """A row counts as its most specific chooser; of two alike the later one wins."""
    overrides = [{**first, "description": "1"}, {**second, "description": "2"}]

    assert descriptions(overrides) == dict(zip(("s001", "s002", "s003"), told, strict=True))


def test_the_file_stands_between_general_rows_and_those_of_a_server():
    """An extra column beats the rows of groups and tags, and loses against a row that names the server."""
    overrides = [{**row, "description": "-".join(row)} for row in (SERVER_ROW, TAG_ROW, GROUP_ROW)]

    told = descriptions(overrides, dr_description=["file", "file", pd.NA])

    assert told == {"s001": "server_id", "s002": "file", "s003": "group_id"}


def test_overrides_of_a_server_add_up():
    """A row changes what it names and leaves what other rows said."""
    overrides = [{**GROUP_ROW, "description": "g"}, {**SERVER_ROW, "wave": 2}]

    plan = plan_of(an_eligibility(2), overrides=overrides)

    assert [(batch.server_ids, batch.wave, batch.description) for batch in plan.batches] == [
        (("s002",), 1, "g"),
        (("s001",), 2, "g"),
    ]


def test_a_tag_that_nobody_carries_is_noted():
    """Most likely it is misspelt."""
    plan = plan_of(an_eligibility(2), overrides=[{"tag": "tier=bd", "description": "x"}])

    assert "No planned server carries the tag tier=bd" in plan.notes[0]


def test_overrides_may_be_a_frame_with_gaps():
    """A missing value in a frame of overrides changes nothing."""
    overrides = pd.DataFrame({"server_id": ["s001", "s002"], "wave": [2, None], "tags": [None, "a=b,c"]})

    plan = plan_of(an_eligibility(3), overrides=overrides)

    assert {batch.server_ids: (batch.wave, len(batch.tags)) for batch in plan.batches} == {
        ("s003",): (1, 0),
        ("s002",): (1, 2),
        ("s001",): (2, 0),
    }


def test_extra_columns_of_the_inventory_are_overrides():
    """The inventory file may say wave and DR flavor of a server."""
    eligibility = with_frame(an_eligibility(2), "servers", wave=[2, 1], dr_flavor_id=[pd.NA, "c3.large.2"])

    plan = plan_of(eligibility)

    assert [batch.server_ids for batch in plan.batches] == [("s002",), ("s001",)]
    assert plan.payloads()[0]["protected_instances"]["servers"] == [{"server_id": "s002", "flavorRef": "c3.large.2"}]


def test_a_cluster_cannot_be_given_two_tenancies():
    """Servers of one request share its tenancy: the sentence names both."""
    eligibility = an_eligibility(2, clusters=[["s001", "s002"]])

    with pytest.raises(PlanError, match=r"Servers s001 and s002 share volumes .* differ in tenancy"):
        plan_of(eligibility, overrides=[{"server_id": "s002", "tenancy": "shared"}])


def test_a_cluster_goes_in_its_last_wave():
    """Where servers of a cluster have different waves, the last one counts and a note says so."""
    plan = plan_of(an_eligibility(2, clusters=[["s001", "s002"]]), overrides=[{"server_id": "s002", "wave": 3}])

    assert [batch.wave for batch in plan.batches] == [1]
    assert "s001 goes in wave 3" in plan.notes[0]


@pytest.mark.parametrize(
    ("servers", "limit", "waves"),
    [
        pytest.param(12, None, [12], id="no limit"),
        pytest.param(12, 5, [5, 5, 2], id="a batch"),
        pytest.param(12, 9, [5, 7], id="less than two batches"),
        pytest.param(12, 10, [10, 2], id="two batches"),
        pytest.param(12, 12, [12], id="all of them"),
        pytest.param(23, 10, [10, 10, 3], id="several waves"),
    ],
)
def test_waves_hold_at_most_the_servers_asked_for(servers, limit, waves):
    """A wave larger than its limit becomes several, each waiting for the one before; batches stay whole."""
    plan = plan_of(an_eligibility(servers), wave_limit=limit)

    assert plan.waves["servers"].tolist() == waves
    assert plan.waves["wave"].tolist() == list(range(1, len(waves) + 1))
    assert plan.waves["after"].tolist()[1:] == plan.waves["wave"].tolist()[:-1]


@pytest.mark.parametrize(("limit", "waves"), [(None, [7, 5]), (5, [5, 2, 5]), (10, [7, 5])])
def test_waves_of_the_operator_are_never_joined(limit, waves):
    """A limit splits each of them on its own, and they are numbered without gaps, whichever group is first."""
    eligibility = an_eligibility({f"s{n:02d}": "g1" if n <= 5 else "g2" for n in range(1, 13)})

    plan = plan_of(eligibility, wave_limit=limit, overrides=[{"group_id": "g1", "wave": 7}])

    assert plan.waves["servers"].tolist() == waves
    assert plan.waves["wave"].tolist() == list(range(1, len(waves) + 1))
    assert plan.batches[-1].group_id == "g1"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        pytest.param("servers", {"status": "SHUTOFF"}, id="server status"),
        pytest.param("servers", {"flavor_id": "c9"}, id="flavor"),
        pytest.param("volumes", {"size_gib": 41}, id="volume size"),
        pytest.param("groups", {"status": "protected"}, id="group status"),
    ],
)
def test_a_changed_world_changes_the_fingerprint_and_is_listed(name, values):
    """One fact changed: another fingerprint, and changes_in and diff name it."""
    before = an_eligibility(2)
    after = with_frame(before, name, **values)
    plan, later = plan_of(before), plan_of(after)

    changes = plan.changes_in(after.inventory)

    assert plan.fingerprint != later.fingerprint
    assert set(changes["fact"]) == set(values)
    assert set(values) <= set(plan.diff(later)["fact"])
    assert plan.changes_in(before.inventory).empty


def test_the_fingerprint_does_not_depend_on_unrelated_columns():
    """A plan from a file and from the cloud has one fingerprint: only facts that requests rest on count."""
    eligibility = an_eligibility(3)

    assert plan_of(with_frame(eligibility, "servers", hostname="h")).fingerprint == plan_of(eligibility).fingerprint


def test_servers_of_a_request_stand_in_the_order_of_their_names():
    """Also where servers that travel together have others between them."""
    plan = plan_of(an_eligibility(4, clusters=[["s001", "s004"]]))

    assert [batch.server_ids for batch in plan.batches] == [("s001", "s002", "s003", "s004")]


def test_an_attachment_that_stands_twice_changes_no_plan():
    """A volume has each of its servers once, shared or not."""
    eligibility = an_eligibility(3, clusters=[["s001", "s002"]])
    rows = eligibility.inventory.attachments
    doubled = replace(
        eligibility, inventory=replace(eligibility.inventory, attachments=pd.concat([rows, rows], ignore_index=True))
    )

    assert plan_of(doubled).fingerprint == plan_of(eligibility).fingerprint


def test_a_server_that_was_protected_meanwhile_is_listed():
    """Whatever instance a planned server has now is news, in any group and status; those of others are none."""
    eligibility = an_eligibility(2, instance_names=["somebody's"])
    plan = plan_of(eligibility)
    instance = {"protected_instance_id": "pi-1", "name": "x", "group_id": "g9", "status": "error"}
    instances = frame([{**instance, "source_server_id": "s002"}], tables.PROTECTED_INSTANCES)

    live = replace(eligibility.inventory, protected_instances=instances)

    assert plan.changes_in(eligibility.inventory).empty
    assert plan.changes_in(live).to_numpy().tolist() == [
        ["server", "s002", "name-s002", "protected_instance_id", "", "pi-1"]
    ]


def test_a_server_that_is_gone_is_listed_as_not_present():
    """A planned server that the inventory no longer has is named."""
    plan = plan_of(an_eligibility(2))

    changes = plan.changes_in(an_eligibility(1).inventory)

    assert ["server", "s002", "name-s002", "present", "yes", "no"] in changes.to_numpy().tolist()


def test_frames_handed_out_are_copies():
    """Changing a frame of the plan changes no plan, and the plan changed no frame of ours."""
    eligibility = an_eligibility(3)
    before = eligibility.verdicts.copy()
    plan = plan_of(eligibility)

    for handed_out in (plan.left_out, plan.servers, plan.proof):
        handed_out["name"] = "x"

    pd.testing.assert_frame_equal(eligibility.verdicts, before)
    assert set(plan.servers["name"]) == {"name-s001", "name-s002", "name-s003"}


def test_servers_show_what_to_expect():
    """One row a server: its batch, position, expected instance name and volumes."""
    servers = plan_of(an_eligibility(2, clusters=[["s001", "s002"]])).servers

    assert servers[
        ["server_id", "batch_id", "position", "instance_name", "volumes", "size_gib"]
    ].to_numpy().tolist() == [
        ["s001", "b001", 1, "erp-001-0001", 2, 80],
        ["s002", "b001", 2, "erp-001-0002", 2, 80],
    ]


def test_an_unknown_batch_is_named():
    """Asking for the bytes of a batch that is not there says which there are."""
    with pytest.raises(PlanError, match=r"no batch b009\. Its batches are b001 to b001"):
        plan_of(an_eligibility(2)).payload_bytes("b009")


def test_the_plan_shows_itself_in_one_line():
    """The repr counts servers, batches, groups and who is left out."""
    plan = plan_of(an_eligibility(6))

    assert repr(plan) == f"Plan {plan.fingerprint[:12]}: 6 servers in 2 batches for 1 group, 0 left out"


def test_an_approval_names_a_fingerprint():
    """An approval carries the fingerprint, who and when."""
    plan = plan_of(an_eligibility(1))

    approval = Approval(fingerprint=plan.fingerprint, who="li")

    assert approval.fingerprint == plan.fingerprint
    assert approval.when.tzinfo is not None


def test_batches_of_a_tape_stay_as_they_were():
    """Where all servers of a recorded batch are wanted, it is planned again, in its order; the rest is packed anew."""
    eligibility = an_eligibility(12)
    one, two, three, four, five, six, *_rest = eligibility.asked
    recorded = ((six, one, four), (three, two), (five, "gone"))
    about = eligibility.inventory.about.model_copy(update={"batches": recorded})
    taped = replace(eligibility, inventory=replace(eligibility.inventory, about=about))

    plan = plan_of(taped)

    assert [batch.server_ids for batch in plan.batches][:2] == [*recorded[:2]]
    assert sorted(server for batch in plan.batches for server in batch.server_ids) == sorted(eligibility.asked)
    assert max(len(batch.server_ids) for batch in plan.batches) <= 5
