"""What is not known, who waits for it, and what can be declared instead."""

import pytest

from sdrs_nb import InventoryError, check_eligibility, plan_batches, read_inventory
from sdrs_nb.inventory.assuming import read_assumptions
from tests.builders import a_server, a_volume, an_attachment, an_inventory
from tests.eligibility.judged import judge, severity_of, verdict_of


def rows(eligibility):
    """Fact, alone and together of everything missing."""
    return eligibility.missing[["fact", "alone", "together"]].to_numpy().tolist()


def test_servers_are_counted_by_what_they_wait_for_alone_and_together():
    """Best first: what decides most servers by itself."""
    servers = [a_server("a", locked=None), a_server("b", locked=None), a_server("c", locked=None, nic_count=None)]

    assert rows(judge(an_inventory(servers=servers))) == [["servers.locked", 2, 1], ["servers.nic_count", 0, 1]]


def test_servers_that_share_volumes_wait_for_what_their_companions_wait_for():
    """A companion of an unknown server is unknown for the same want."""
    inventory = an_inventory(
        servers=[a_server("a", locked=None), a_server("b")],
        volumes=[a_volume("s", multiattach=True)],
        attachments=[an_attachment("a", "s"), an_attachment("b", "s")],
    )

    assert rows(judge(inventory)) == [["servers.locked", 2, 0]]


def test_a_frame_that_was_denied_says_whom_to_ask():
    """How to get a fact depends on why it is not there."""
    missing = judge(an_inventory(not_loaded=["drill_servers"])).missing.set_index("fact")

    assert missing.loc["drill_servers", "alone"] == 1
    assert "permission" in missing.loc["drill_servers", "how"]
    assert "S6" in missing.loc["drill_servers", "rules"]


def test_nothing_missing_is_an_empty_frame():
    """Where everything is known there is no row."""
    assert rows(judge(an_inventory())) == []


def test_a_declared_frame_counts_as_read_and_is_told():
    """The verdict follows the word, the finding says whose word it is."""
    inventory = an_inventory(not_loaded=["drill_servers"], declared={"drill_servers": "none"})

    eligibility = judge(inventory)

    assert verdict_of(eligibility) == "eligible"
    told = eligibility.findings.set_index("rule").loc["Q12", "message"]
    assert "drill_servers" in told
    assert "li" in told


@pytest.mark.parametrize("value", [False, "false", "none"])
def test_a_declared_column_fills_the_gaps_and_nothing_else(value):
    """What was read stays: a server that is known to be locked is blocked."""
    servers = [a_server("a", locked=None), a_server("b", locked=True)]

    eligibility = judge(an_inventory(servers=servers, declared={"servers.locked": value}))

    assert [verdict_of(eligibility, each) for each in ("a", "b")] == ["eligible", "blocked"]


def test_a_declared_column_leaves_one_of_the_same_name_in_another_frame_unread():
    """Servers that are declared not frozen say nothing about volumes."""
    inventory = an_inventory(
        servers=[a_server(frozen=None)], volumes=[a_volume(encrypted=None)], unread={"volumes": ["frozen"]}
    )

    told = inventory.assume({"servers.frozen": False, "volumes.encrypted": False}, who="li")

    assert told.unread("volumes") == {"frozen"}


@pytest.mark.parametrize(
    ("fact", "given", "kept"),
    [
        ("servers.locked", "no", "False"),
        ("servers.ram_gib", 4, "4.0"),
        ("servers.nic_count", "1.0", "1"),
        ("servers.vpc_id", " 1F9EF5DD-BA59-498B-A993-8FA2E0D6B426", "1f9ef5dd-ba59-498b-a993-8fa2e0d6b426"),
        ("servers.key_name", "none", "none"),
    ],
)
def test_a_declared_value_is_kept_as_its_column_spells_it(fact, given, kept):
    """However somebody writes it, what is read later can be compared with it."""
    column = fact.partition(".")[2]

    inventory = an_inventory(servers=[a_server(**{column: None})], unread={"servers": [column]}, declared={fact: given})

    assert [each.value for each in inventory.declared] == [kept]


def test_a_declaration_goes_with_the_inventory_and_its_plan(tmp_path):
    """Files, plan and saved plan keep what was declared, and by whom; the fingerprint covers it."""
    inventory = an_inventory(not_loaded=["drill_servers"], declared={"drill_servers": "none"})
    back = read_inventory(inventory.to_excel(tmp_path / "x.xlsx"))

    plan = plan_batches(check_eligibility(back), name_prefix="erp")
    saved = type(plan).load(plan.save(tmp_path / "plan.json"))

    assert [(each.fact, each.value, each.who) for each in saved.declared] == [("drill_servers", "none", "li")]
    assert "li" in saved.remarks[0]
    assert plan.fingerprint != plan_batches(check_eligibility(an_inventory()), name_prefix="erp").fingerprint


def test_reading_can_declare_at_once():
    """``assume`` at reading is the same as ``Inventory.assume`` afterwards."""
    inventory = read_inventory({"servers": an_inventory().servers}, assume={"drill_servers": "none"})

    assert inventory.is_loaded("drill_servers")
    assert [each.fact for each in inventory.declared] == ["drill_servers"]


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        pytest.param({"drills": "none"}, "drills", id="no such frame"),
        pytest.param({"servers": "none"}, "servers", id="servers themselves"),
        pytest.param({"volumes": "none"}, "rows", id="a frame that has rows"),
        pytest.param({"groups": "none"}, "rows", id="a frame of which rows were received"),
        pytest.param({"drill_servers": 3}, "none", id="anything but none of a frame"),
        pytest.param({"servers.lockd": False}, "locked", id="a misspelt column"),
        pytest.param({"servers.locked": "perhaps"}, "perhaps", id="a value that does not fit"),
        pytest.param({"storage_pools.az": "az-1"}, "storage_pools", id="a column of a frame that was not read"),
        pytest.param({"servers.server_id": "x"}, "server_id", id="a key"),
    ],
)
def test_what_cannot_be_declared_is_refused_with_the_reason(facts, told):
    """A declaration that contradicts what was read, or names nothing, changes nothing."""
    inventory = an_inventory(not_loaded=["storage_pools"], partial={"groups": None})

    with pytest.raises(InventoryError) as caught:
        inventory.assume(facts)

    assert told in str(caught.value)


def test_declarations_on_a_command_line_need_a_value():
    """``fact=value``, nothing else."""
    assert read_assumptions(["drill_servers=none", "servers.locked = false"]) == {
        "drill_servers": "none",
        "servers.locked": "false",
    }
    with pytest.raises(InventoryError, match="declares nothing"):
        read_assumptions(["drill_servers"])


def test_objects_that_are_named_and_not_known_are_told():
    """An instance, pair or attachment of something that the inventory lacks is a finding of the inventory."""
    inventory = an_inventory(
        protected_instances=[
            {"protected_instance_id": "pi", "group_id": "g", "status": "protected", "source_server_id": "gone"}
        ],
        replication_pairs=[{"replication_pair_id": "rp", "volume_ids": "lost"}],
        attachments=[an_attachment("nobody", "system-of-server-1")],
    )

    findings = judge(inventory).findings
    told = "\n".join(findings.loc[findings["rule"] == "Q11", "message"])

    for name in ("gone", "lost", "nobody"):
        assert name in told
    assert severity_of("Q11", judge(an_inventory())) is None
