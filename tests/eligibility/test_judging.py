"""Lists that were read in part: what is in them counts, what is not in them is not known."""

import pandas as pd
import pytest

from sdrs_nb.eligibility.eligibility import check_eligibility
from sdrs_nb.errors import PlanError
from sdrs_nb.planning.planning import plan_batches
from tests.builders import (
    GROUP,
    a_group,
    a_key_pair,
    a_server,
    a_volume,
    an_attachment,
    an_instance,
    an_inventory,
)

SERVERS = [a_server("seen"), a_server("unseen")]


def verdicts(inventory, **asked):
    """Return the verdict of every server that was asked about."""
    found = check_eligibility(inventory, **asked).verdicts
    return dict(zip(found["server_id"], found["verdict"], strict=True))


def severities(inventory, server_id, rule):
    """Return what one rule says of one server, as a list."""
    found = check_eligibility(inventory).findings_of(server_id)
    return found.loc[found["rule"] == rule, "severity"].tolist()


def test_an_instance_in_a_partial_list_protects_and_one_that_is_not_there_proves_nothing():
    """The server of a received instance is protected; of any other nobody knows, so it is not planned."""
    inventory = an_inventory(
        servers=SERVERS, protected_instances=[an_instance("seen")], partial={"protected_instances": None}
    )

    assert verdicts(inventory) == {"seen": "protected", "unseen": "unknown"}
    assert severities(inventory, "seen", "S4") == ["blocker"]
    assert severities(inventory, "unseen", "S4") == ["unverified"]


def test_a_dr_server_in_a_partial_list_is_no_candidate():
    """The DR server of a received instance and a received drill server are no candidates; others may be."""
    inventory = an_inventory(
        servers=[*SERVERS, a_server("drill")],
        protected_instances=[an_instance("elsewhere", target_server_id="seen")],
        drill_servers=[{"server_id": "drill"}],
        partial={"protected_instances": None, "drill_servers": None},
    )

    assert verdicts(inventory) == {"seen": "not a candidate", "unseen": "unknown", "drill": "not a candidate"}


def test_a_partial_list_of_which_nothing_came_decides_nothing():
    """As if it had not been read."""
    inventory = an_inventory(
        servers=SERVERS, protected_instances=[an_instance("seen")], partial={"protected_instances": 0}
    )

    assert verdicts(inventory) == {"seen": "unknown", "unseen": "unknown"}


def test_the_message_says_that_the_frame_is_not_complete():
    """The finding names the frame and what to do."""
    inventory = an_inventory(servers=SERVERS, partial={"protected_instances": None})

    found = check_eligibility(inventory).findings_of("seen").set_index("rule").loc["S4"]

    assert "protected_instances could not be read completely" in found["message"]
    assert found["remedy"].startswith("Load the inventory again")


@pytest.mark.parametrize("frame", ["servers", "volumes", "attachments", "groups", "protected_instances"])
def test_no_server_is_eligible_while_a_list_that_decides_is_partial(frame):
    """Each of them could hold an owner, a volume, a group or an instance that was not received."""
    inventory = an_inventory(servers=SERVERS, partial={frame: None})

    assert set(verdicts(inventory).values()) == {"unknown"}


def test_a_server_that_is_not_in_a_partial_list_may_exist():
    """Asked for by id, it is unknown where the list is partial, and blocked where it is whole."""
    partial = an_inventory(servers=SERVERS, partial={"servers": 1})

    assert verdicts(partial, server_ids=["seen", "unseen"]) == {"seen": "unknown", "unseen": "unknown"}
    assert verdicts(an_inventory(servers=SERVERS), server_ids=["other"]) == {"other": "blocked"}


def test_a_key_pair_that_is_not_in_a_partial_list_is_not_missing():
    """A Windows server is blocked by a key pair that is gone, and unknown while that is not known."""
    servers = [
        a_server("seen", os_type="Windows", key_name="k"),
        a_server("unseen", os_type="Windows", key_name="other"),
    ]
    inventory = an_inventory(servers=servers, key_pairs=[a_key_pair("k")], partial={"key_pairs": None})

    assert severities(inventory, "unseen", "S22") == ["unverified"]
    assert verdicts(inventory) == {"seen": "unknown", "unseen": "unknown"}


def test_a_volume_that_was_received_and_speaks_against_its_server_blocks_it():
    """An encrypted volume blocks whatever else there may be; a sound one leaves open what the others say."""
    inventory = an_inventory(
        servers=SERVERS,
        volumes=[a_volume("bad", encrypted=True), a_volume("sound")],
        attachments=[an_attachment("seen", "bad"), an_attachment("unseen", "sound")],
        partial={"volumes": None},
    )

    assert verdicts(inventory) == {"seen": "blocked", "unseen": "unknown"}
    assert severities(inventory, "seen", "D1") == ["blocker"]
    assert severities(inventory, "unseen", "D1") == ["unverified"]


def test_companions_that_were_received_count_and_others_may_exist():
    """A shared volume whose other owner is protected blocks; that a cluster is whole cannot be said."""
    inventory = an_inventory(
        servers=SERVERS,
        volumes=[a_volume("shared", multiattach=True)],
        attachments=[an_attachment("seen", "shared"), an_attachment("unseen", "shared")],
        protected_instances=[an_instance("seen")],
        partial={"attachments": None},
    )

    assert severities(inventory, "unseen", "H5") == ["blocker"]
    assert severities(inventory, "unseen", "H1") == []
    assert severities(inventory, "unseen", "H14") == ["unverified"]


def test_a_group_in_a_partial_list_refuses_only_servers_that_were_told_to_join_it():
    """Another group, which was not received, may take the others; that a server has no group cannot be said either."""
    servers = [*SERVERS, a_server("lost", vpc_id="vpc-of-nobody"), a_server("away", az="az-elsewhere")]
    inventory = an_inventory(servers=servers, groups=[a_group(status="error")], partial={"groups": None})

    assert set(verdicts(inventory).values()) == {"unknown"}
    assert severities(inventory, "seen", "G2") == ["unverified"]
    assert "unverified" in severities(inventory, "lost", "S3")

    chosen = check_eligibility(inventory, group_choice=dict.fromkeys(("seen", "lost", "away"), GROUP))
    told = {
        server: set(chosen.findings_of(server).query("severity == 'blocker'")["rule"])
        for server in ("seen", "unseen", "lost", "away")
    }
    assert told == {"seen": {"G2"}, "unseen": set(), "lost": {"G2", "S3"}, "away": {"G2", "S2"}}


def test_a_group_that_is_asked_for_may_be_in_the_part_that_was_not_received():
    """It is refused where the list is whole; in a partial list one that is there is taken, one that is not is open."""
    inventory = an_inventory(servers=SERVERS, partial={"groups": None})

    there = check_eligibility(inventory, group_id=GROUP).verdicts
    not_there = check_eligibility(inventory, group_id="unseen-group", group_choice={"seen": "unseen-group"}).verdicts

    assert set(there["group_id"]) == {GROUP}
    assert set(not_there["verdict"]) == {"unknown"}
    with pytest.raises(PlanError, match="unseen-group"):
        check_eligibility(an_inventory(servers=SERVERS), group_id="unseen-group")


def test_nothing_is_planned_from_a_partial_list_of_instances():
    """A plan would create again what the list does not show."""
    inventory = an_inventory(
        servers=SERVERS, protected_instances=[an_instance("seen")], partial={"protected_instances": None}
    )

    with pytest.raises(PlanError, match="could not be read completely"):
        plan_batches(check_eligibility(inventory), name_prefix="erp")


def test_a_whole_list_decides_as_before():
    """The same rows, loaded: one protected, one eligible."""
    inventory = an_inventory(servers=SERVERS, protected_instances=[an_instance("seen")])

    found = pd.Series(verdicts(inventory))

    assert found["seen"] == "protected"
    assert found["unseen"] in {"eligible", "warning"}
