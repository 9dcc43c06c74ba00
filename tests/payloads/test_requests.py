import json
import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdrs_nb.eligibility.rules.request import request_findings
from sdrs_nb.errors import PlanError
from sdrs_nb.models import Batch, BatchOptions, Tag
from sdrs_nb.payloads.requests import batch_problems, curl_line, hcloud_line, payload, payload_bytes
from sdrs_nb.planning.freezing import body_bytes
from sdrs_nb.rulebook import Effect, load_rulebook


def a_batch(**changes) -> Batch:
    """Return a batch of two servers that the service takes."""
    fields = {"batch_id": "b001", "group_id": "g1", "name_prefix": "erp-001", "server_ids": ("s1", "s2"), **changes}
    return Batch(**fields)


def tags(count: int) -> tuple[Tag, ...]:
    """Return so many different tags."""
    return tuple(Tag(key=f"k{number}", value="v") for number in range(count))


def test_a_plain_batch_holds_what_is_required_and_nothing_else():
    """Optional fields without a value are left out, not sent as null or empty text."""
    batch = a_batch(description="", tenancy=None, cluster_id="", tags=())

    body = payload(batch)

    assert body == {
        "protected_instances": {
            "name_prefix": "erp-001",
            "server_group_id": "g1",
            "servers": [{"server_id": "s1"}, {"server_id": "s2"}],
        }
    }


def test_fields_stand_in_the_order_of_the_page():
    """Keys are in the order of the batch-create page's tables, so that a reviewer finds them."""
    batch = a_batch(
        description="d", cluster_id="pool", primary_subnet_id="net", tenancy="dedicated", dedicated_host_id="host",
        tags=tags(1), flavors={"s2": "c3.large.2"},
    )  # fmt: skip

    body = payload(batch)["protected_instances"]

    assert list(body) == [
        "name_prefix", "description", "server_group_id", "cluster_id", "primary_subnet_id", "servers", "tenancy",
        "dedicated_host_id", "tags",
    ]  # fmt: skip
    assert body["servers"] == [{"server_id": "s1"}, {"server_id": "s2", "flavorRef": "c3.large.2"}]


def test_bytes_are_the_dict_with_characters_as_themselves():
    """The bytes are compact UTF-8 JSON of the dict; Chinese is not escaped."""
    batch = a_batch(name_prefix="财务-001")

    body = payload_bytes(batch)

    assert json.loads(body) == payload(batch)
    assert body.startswith('{"protected_instances":{"name_prefix":"财务-001","server_group_id":"g1"'.encode())


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"name_prefix": "a"}, id="prefix of 1"),
        pytest.param({"name_prefix": "a" * 59}, id="prefix of 59"),
        pytest.param({"name_prefix": "中" * 59}, id="prefix of 59 Chinese characters"),
        pytest.param({"name_prefix": "a.b_c-9"}, id="every kind of character"),
        pytest.param({"description": "d" * 64}, id="description of 64"),
        pytest.param({"tags": tags(10)}, id="10 tags"),
        pytest.param({"tags": (Tag(key="k" * 36, value="v" * 43),)}, id="tag at its limits"),
        pytest.param({"tags": (Tag(key="k", value=""),)}, id="empty tag value"),
        pytest.param({"tenancy": "shared"}, id="shared"),
        pytest.param({"tenancy": "dedicated"}, id="dedicated without host"),
        pytest.param({"tenancy": "dedicated", "dedicated_host_id": "h"}, id="dedicated host"),
        pytest.param({"server_ids": ("s1",)}, id="one server"),
        pytest.param({"server_ids": ("s1", "s2", "s3", "s4", "s5")}, id="five servers"),
    ],
)
def test_what_the_page_allows_has_no_problem(changes):
    """Values at the limits of the batch-create page pass."""
    assert batch_problems(a_batch(**changes), batch_limit=5) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"name_prefix": ""}, "name prefix is empty", id="prefix of 0"),
        pytest.param({"name_prefix": "a" * 60}, "has 60 characters, 59 are allowed", id="prefix of 60"),
        pytest.param({"name_prefix": "erp*"}, 'The name prefix "erp*" holds "*"', id="prefix with *"),
        pytest.param({"name_prefix": "ｅrp"}, 'holds "ｅ"', id="full-width letter"),
        pytest.param({"name_prefix": "erp\n"}, r'holds "\n"', id="prefix with line end"),
        pytest.param({"description": "d" * 65}, "has 65 characters, 64 are allowed", id="description of 65"),
        pytest.param({"description": "a<b"}, 'holds "<" or ">"', id="description with <"),
        pytest.param({"description": "a>b"}, 'holds "<" or ">"', id="description with >"),
        pytest.param({"tags": tags(11)}, "The request has 11 tags, 10 are allowed", id="11 tags"),
        pytest.param({"tags": tags(1) * 2}, 'The tag key "k0" is given twice', id="duplicate tag key"),
        pytest.param({"tags": (Tag(key="", value="v"),)}, "A tag has an empty key", id="empty tag key"),
        pytest.param({"tags": (Tag(key="k" * 37, value="v"),)}, "is longer than 36 characters", id="tag key of 37"),
        pytest.param({"tags": (Tag(key="k", value="v" * 44),)}, "is longer than 43 characters", id="tag value of 44"),
        pytest.param({"tenancy": "Dedicated"}, 'The tenancy "Dedicated" does not exist', id="unknown tenancy"),
        pytest.param(
            {"dedicated_host_id": "h1"}, 'dedicated host h1 is only taken with tenancy "dedicated"', id="host"
        ),
        pytest.param(
            {"tenancy": "shared", "dedicated_host_id": "h1"}, "dedicated host h1 is only taken", id="host with shared"
        ),
        pytest.param({"server_ids": ("s1", "s1")}, "Server s1 is in the request twice", id="server twice"),
        pytest.param({"server_ids": tuple("abcdef")}, "has 6 servers, at most 5 are allowed", id="six servers"),
    ],
)
def test_what_the_page_forbids_is_one_sentence_with_the_value(changes, said):
    """A broken limit gives exactly one sentence, which names the value."""
    problems = batch_problems(a_batch(**changes), batch_limit=5)

    assert len(problems) == 1
    assert said in problems[0]


@pytest.mark.parametrize("character", [*"*<>\\=,|/", *map(chr, range(32))], ids=repr)
@pytest.mark.parametrize("where", ["key", "value"])
def test_forbidden_characters_are_refused_in_tags(character, where):
    """None of the characters that the page forbids passes in a tag's key or value."""
    tag = Tag(**{"key": "k", "value": "v", where: f"a{character}"})

    assert "holds a character that tags may not have" in batch_problems(a_batch(tags=(tag,)))[0]


def test_every_problem_is_said_at_once():
    """A payload is never built from a bad batch; the error names the batch and everything that is wrong."""
    batch = a_batch(name_prefix="erp*", description="<", tenancy="x", tags=tags(11))

    with pytest.raises(PlanError) as caught:
        payload(batch)

    assert str(caught.value).startswith("Batch b001 cannot be sent.")
    for part in ('"erp*"', "Take them out", '"x" does not exist', "11 tags"):
        assert part in str(caught.value)


def test_curl_line_carries_the_exact_body_and_no_secret():
    """The line parses as shell words, its body is byte for byte what is sent, credentials in the endpoint are gone."""
    batch = a_batch(description='it\'s $HOME `id` "x"\n')

    words = shlex.split(curl_line(batch, "https://ak:sk@sdrs.example.com/", "p1"))

    assert words[words.index("--data-raw") + 1].encode() == payload_bytes(batch)
    assert "https://sdrs.example.com/v1/p1/protected-instances/batch" in words
    assert "sk@" not in " ".join(words)


def test_hcloud_line_counts_from_one_and_dots_its_fields():
    """The vendor tool's line names every field by its path."""
    batch = a_batch(flavors={"s1": "c3"}, tags=tags(1), description="two words")

    words = shlex.split(hcloud_line(batch, project_id="p1", region="cn-north-4"))

    assert words[:5] == [
        "hcloud",
        "SDRS",
        "BatchCreateProtectedInstances",
        "--cli-region=cn-north-4",
        "--project_id=p1",
    ]
    assert words[5:] == [
        "--protected_instances.name_prefix=erp-001",
        "--protected_instances.description=two words",
        "--protected_instances.server_group_id=g1",
        "--protected_instances.servers.1.server_id=s1",
        "--protected_instances.servers.1.flavorRef=c3",
        "--protected_instances.servers.2.server_id=s2",
        "--protected_instances.tags.1.key=k0",
        "--protected_instances.tags.1.value=v",
    ]


@given(st.text(alphabet="abc$'\"`\\ ;&|\n中", max_size=20))
def test_shell_lines_keep_any_description(description):
    """Whatever a description holds, both lines hand it over unchanged and nothing else."""
    batch = a_batch(description=description)

    words = shlex.split(curl_line(batch, "https://h", "p"))
    fields = shlex.split(hcloud_line(batch))

    assert words[-1].encode() == payload_bytes(batch)
    assert (f"--protected_instances.description={description}" in fields) == bool(description)


@given(st.text(st.characters(exclude_characters="<>", exclude_categories=["Cs"]), max_size=64))
def test_the_bytes_read_from_a_saved_plan_are_those_that_were_made(description):
    """Whatever characters a description holds, a body read back from JSON gives the same bytes."""
    batch = a_batch(description=description)

    assert body_bytes(json.loads(payload_bytes(batch))) == payload_bytes(batch)
    assert json.loads(payload_bytes(batch)) == payload(batch)


#: For each limit of a request: what a batch holds that reaches just so far.
REACHING = {
    "prefix_characters": lambda size: {"name_prefix": "p" * size},
    "description_characters": lambda size: {"description": "d" * size},
    "tags": lambda size: {"tags": tags(size)},
    "tag_key_characters": lambda size: {"tags": (Tag(key="k" * size, value="v"),)},
    "tag_value_characters": lambda size: {"tags": (Tag(key="k", value="v" * size),)},
}
#: For each rule of characters: what a batch holds that has one, where the rule book lets no "x" through.
HOLDING = {
    "prefix_alphabet": ("[a-w]", {"name_prefix": "x"}),
    "description_refused": ("x", {"description": "x"}),
    "tag_refused": ("x", {"tags": (Tag(key="x", value="v"),)}),
}


def refused(changes, book):
    """Tell whether the rules refuse what a request holds, and whether a payload is refused; they never differ."""
    own = {name: value for name, value in changes.items() if name != "name_prefix"}
    found = request_findings(BatchOptions(**own), changes.get("name_prefix", "erp"), book)
    by_rules = any(one.effect is Effect.BLOCKER for one in found)
    by_payload = bool(batch_problems(a_batch(**{"name_prefix": "erp", **changes}), book))

    assert by_rules == by_payload
    return by_payload


@pytest.mark.parametrize("name", REACHING)
@given(limit=st.integers(3, 200))
@settings(max_examples=20, deadline=None)
def test_a_limit_that_the_rule_book_changes_holds_for_rules_and_payloads(name, limit):
    """What reaches the limit is taken, one more is refused, whatever the limit is."""
    book = load_rulebook(**{name: limit})

    assert not refused(REACHING[name](limit), book)
    assert refused(REACHING[name](limit + 1), book)


@pytest.mark.parametrize("name", HOLDING)
def test_characters_that_the_rule_book_changes_hold_for_rules_and_payloads(name):
    """A character is refused where the rule book says so, and only there."""
    pattern, changes = HOLDING[name]

    assert not refused(changes, load_rulebook())
    assert refused(changes, load_rulebook(**{name: pattern}))
