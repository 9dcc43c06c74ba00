import pytest

from sdrs_nb.eligibility.rules.deletion import instances_to_add
from sdrs_nb.eligibility.rules.request import request_findings
from sdrs_nb.models import BatchOptions, Tag
from sdrs_nb.rulebook import load_rulebook
from tests.builders import a_frame, a_pair


def found(prefix: str | None = "erp", *, profile: str = "huaweicloud", names: tuple[str, ...] = (), **options):
    """Return the rules and variants that fired, with their effect."""
    findings = request_findings(BatchOptions(**options), prefix, load_rulebook(profile), existing_names=names)
    return {(one.rule, one.variant): one.effect.value for one in findings}


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        pytest.param(None, {}, id="not known yet"),
        pytest.param("", {("Q1", "empty"): "blocker"}, id="0"),
        pytest.param("a", {}, id="1"),
        pytest.param("a" * 59, {}, id="59"),
        pytest.param("a" * 60, {("Q1", ""): "blocker", ("Q2", ""): "warning"}, id="60"),
        pytest.param("erp*", {("Q1", "characters"): "blocker"}, id="asterisk"),
        pytest.param("erp 1", {("Q1", "characters"): "blocker"}, id="space"),
        pytest.param("Erp_1.2-3", {}, id="every kind"),
        pytest.param("生产" * 9 + "生", {}, id="19 Chinese characters are 62 bytes with the mark"),
        pytest.param("生产" * 10, {("Q2", ""): "warning"}, id="20 Chinese characters are 65 bytes with the mark"),
    ],
)
def test_q1_and_q2_hold_the_prefix_to_its_limits(prefix, expected):
    """A prefix has 1 to 59 allowed characters, and should fit 64 bytes with its mark."""
    assert found(prefix) == expected


def test_q1_takes_no_chinese_at_otc():
    """The international pages drop Chinese."""
    assert ("Q1", "characters") in found("生产", profile="otc")


@pytest.mark.parametrize(("names", "fires"), [(("erp-0001",), True), (("erp-1",), False), (("erp2-0001",), False)])
def test_q3_finds_names_that_would_repeat(names, fires):
    """Numbering starts again in every request, so equal prefixes give equal names."""
    assert (("Q3", "") in found("erp", names=names)) is fires


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({"description": "x" * 64}, {}, id="Q4 64"),
        pytest.param({"description": "x" * 65}, {("Q4", ""): "blocker"}, id="Q4 65"),
        pytest.param({"description": "a<b"}, {("Q4", "characters"): "blocker"}, id="Q4 bracket"),
        pytest.param({"description": ""}, {}, id="Q4 empty is left out"),
        pytest.param({"batch_limit": 0}, {("Q5", ""): "blocker"}, id="Q5 0"),
        pytest.param({"batch_limit": 1}, {}, id="Q5 1"),
        pytest.param({"batch_limit": 6}, {("Q5", "raised"): "warning"}, id="Q5 6"),
        pytest.param({"tags": {f"k{at}": "v" for at in range(10)}}, {}, id="Q6 10 tags"),
        pytest.param({"tags": {f"k{at}": "v" for at in range(11)}}, {("Q6", ""): "blocker"}, id="Q6 11 tags"),
        pytest.param({"tags": {"k" * 36: "v" * 43}}, {}, id="Q6 36 and 43"),
        pytest.param({"tags": {"k" * 37: "v"}}, {("Q6", "long_key"): "blocker"}, id="Q6 37"),
        pytest.param({"tags": {"k": "v" * 44}}, {("Q6", "long_value"): "blocker"}, id="Q6 44"),
        pytest.param({"tags": {"": "v"}}, {("Q6", "empty_key"): "blocker"}, id="Q6 empty key"),
        pytest.param({"tags": {"k": ""}}, {}, id="Q6 empty value"),
        pytest.param(
            {"tags": (Tag(key="k", value="1"), Tag(key="k", value="2"))},
            {("Q6", "duplicate"): "blocker"},
            id="Q6 twice",
        ),
        pytest.param(
            {"tags": {"k=": "v"}}, {("Q6", "key_characters"): "blocker", ("Q7", ""): "warning"}, id="Q6 character"
        ),
        pytest.param(
            {"tags": {"k": "\x1f"}}, {("Q6", "value_characters"): "blocker", ("Q7", ""): "warning"}, id="Q6 control"
        ),
        pytest.param({"tags": {"k": "ä"}}, {("Q7", ""): "warning"}, id="Q7 letter of another alphabet"),
        pytest.param({"tenancy": "shared"}, {}, id="Q8 shared"),
        pytest.param({"tenancy": "private"}, {("Q8", ""): "blocker"}, id="Q8 unknown"),
        pytest.param({"dedicated_host_id": "h"}, {("Q8", "host"): "blocker"}, id="Q8 host alone"),
        pytest.param({"dedicated_host_id": "h", "tenancy": "dedicated"}, {}, id="Q8 host"),
        pytest.param({"cluster_id": ""}, {("Q9", ""): "blocker"}, id="Q9 empty pool"),
        pytest.param({"flavors": {"s": ""}}, {("Q9", ""): "blocker"}, id="Q9 empty flavor"),
        pytest.param({"cluster_id": None}, {}, id="Q9 left out"),
    ],
)
def test_options_are_held_to_their_limits(options, expected):
    """Each rule fires at its boundary and not beside it."""
    assert found(**options) == expected


def test_q10_tells_that_otc_has_no_batch_create():
    """The request would be refused there."""
    assert found(profile="otc") == {("Q10", ""): "warning"}


def test_h17_finds_every_instance_to_delete_along():
    """Instances tied through shared pairs are found through each other."""
    pairs = a_frame(
        "replication_pairs",
        [
            a_pair("v1", protected_instance_ids="i1,i2"),
            a_pair("v2", protected_instance_ids="i2,i3"),
            a_pair("v3", protected_instance_ids="i4"),
        ],
    )

    assert instances_to_add(pairs, ["i1"]).to_dict("list") == {
        "replication_pair_id": ["pair-of-v1", "pair-of-v2"],
        "protected_instance_id": ["i2", "i3"],
    }
    assert instances_to_add(pairs, ["i4"]).empty
