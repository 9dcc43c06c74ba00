"""Servers a, b, c, ... in order, tied by the shared volumes that each test names."""

from collections.abc import Mapping
from typing import Any

import pytest

from sdrs_nb.eligibility.eligibility import Eligibility
from sdrs_nb.inventory.inventory import Inventory
from tests.builders import a_server, a_volume, an_attachment, an_instance, an_inventory
from tests.eligibility.judged import judge, options, severity_of, verdict_of


def tied(ties: Mapping[str, str], servers: Mapping[str, dict[str, Any]] | None = None, **frames: Any) -> Inventory:
    """Return servers tied by volumes: ``{"d1": "ab"}`` puts volume d1 on servers a and b."""
    names = sorted(set("".join(ties.values())) | set(servers or {}))
    return an_inventory(
        servers=[a_server(name, **(servers or {}).get(name, {})) for name in names],
        volumes=[a_volume(volume, multiattach=True) for volume in ties],
        attachments=[an_attachment(server, volume) for volume, owners in ties.items() for server in owners],
        **frames,
    )


def fired(eligibility: Eligibility, server_id: str) -> set[str]:
    """Return the rules of shared volumes that fired for a server; H15 tells every one that pages disagree."""
    rules = eligibility.findings_of(server_id)["rule"].tolist()
    return {rule for rule in rules if rule.startswith("H")} - {"H15"}


def test_h1_a_whole_cluster_travels_together():
    """Two servers in order that share a volume are eligible, and told so."""
    eligibility = judge(tied({"d1": "ab"}))

    assert fired(eligibility, "a") == fired(eligibility, "b") == {"H1"}
    assert eligibility.verdicts["verdict"].tolist() == ["eligible", "eligible"]
    assert eligibility.clusters.to_dict("list") == {
        "server_id": ["a", "b"],
        "cluster_id": ["a", "a"],
        "volume_ids": ["d1", "d1"],
    }


def test_h3_names_the_owner_to_add():
    """An owner that was not selected blocks, and is offered."""
    eligibility = judge(tied({"d1": "ab"}), server_ids=["a"])
    finding = eligibility.findings.query("rule == 'H3'").iloc[0]

    assert finding["severity"] == "blocker"
    assert finding["sdrs_code"] == "SDRS.1408"
    assert finding["remedy"].startswith("Add name of b,")


def test_h3_does_not_offer_an_owner_that_would_be_refused():
    """An owner that was not selected and is in error can only be detached or put right."""
    eligibility = judge(tied({"d1": "ab"}, {"b": {"status": "ERROR"}}), server_ids=["a"])
    finding = eligibility.findings.query("rule == 'H3'").iloc[0]

    assert finding["remedy"].startswith("Detach the shared volumes")
    assert "name of b: S7" in finding["message"]


def test_h4_a_refused_companion_blocks_the_whole_cluster():
    """The companion's own reason is shown to the server that it holds back."""
    eligibility = judge(tied({"d1": "ab", "d2": "bc"}, {"c": {"status": "ERROR"}}))

    assert fired(eligibility, "a") == {"H4", "H7"}
    assert "name of c: S7" in eligibility.findings_of("a").query("rule == 'H4'")["message"].iloc[0]
    assert {verdict_of(eligibility, name) for name in "abc"} == {"blocked"}


def test_h4_an_unknown_companion_makes_the_cluster_unknown():
    """What is not known of one member is not known of the cluster."""
    eligibility = judge(tied({"d1": "ab"}, {"b": {"locked": None}}))

    assert severity_of("H4", eligibility, "a") == "unverified"
    assert verdict_of(eligibility, "a") == "unknown"


@pytest.mark.parametrize(
    ("trouble", "severity"),
    [({"status": "ERROR"}, "blocker"), ({"locked": None}, "unverified")],
    ids=["refused", "unknown"],
)
def test_h4_a_server_is_not_its_own_companion(trouble, severity):
    """What speaks against one server alone is told to the others, and not once more to itself."""
    eligibility = judge(tied({"d1": "abc"}, {"b": trouble}))

    assert {name: severity_of("H4", eligibility, name) for name in "abc"} == {"a": severity, "b": None, "c": severity}


def test_h4_two_refused_servers_hold_each_other_back():
    """Each is the other's companion."""
    eligibility = judge(tied({"d1": "ab"}, {"a": {"status": "ERROR"}, "b": {"status": "ERROR"}}))

    assert {severity_of("H4", eligibility, name) for name in "ab"} == {"blocker"}


def test_companions_are_the_other_servers():
    """A server's finding names everybody else of its cluster, the one told once for the cluster all of them."""
    eligibility = judge(tied({"d1": "abc"}))
    found = eligibility.by_server().query("rule == 'H1'").set_index("server_id")["evidence"]
    once = eligibility.findings.query("rule == 'H1'")

    assert once[["scope", "cluster_id"]].to_numpy().tolist() == [["cluster", "a"]]
    assert "companions=name of a (a),name of b (b),name of c (c)" in once["evidence"].iloc[0]

    assert "companions=name of a (a),name of c (c)" in found["b"]


def test_h5_a_protected_owner_is_a_deadlock():
    """Listed it is refused, left out it is missed; the remedy names the ways out."""
    eligibility = judge(tied({"d1": "ab"}, protected_instances=[an_instance("b")]))

    assert fired(eligibility, "a") == {"H5"}
    assert (verdict_of(eligibility, "a"), verdict_of(eligibility, "b")) == ("blocked", "protected")


@pytest.mark.parametrize(
    ("owners", "limit", "severity"),
    [("abcde", 5, None), ("abcdef", 5, "blocker"), ("abcdef", 6, None), ("ab", 1, "blocker")],
    ids=["five of five", "six of five", "six of six", "two of one"],
)
def test_h6_a_cluster_fits_one_batch(owners, limit, severity):
    """A cluster larger than the batch limit of the options cannot be sent."""
    eligibility = judge(tied({"d1": owners}), options=options(batch_limit=limit))

    assert severity_of("H6", eligibility, "a") == severity


def test_h7_a_chain_travels_together():
    """Servers a and c share nothing, and are in one cluster through b; b is tied to both directly."""
    eligibility = judge(tied({"d1": "ab", "d2": "bc"}))

    assert fired(eligibility, "a") == fired(eligibility, "c") == {"H1", "H7"}
    assert fired(eligibility, "b") == {"H1"}
    assert eligibility.clusters["cluster_id"].tolist() == ["a", "a", "a"]


def test_h8_an_owner_nobody_knows_blocks():
    """A volume on a server that the inventory does not show can be neither listed nor left out."""
    inventory = an_inventory(
        servers=[a_server("a")],
        volumes=[a_volume("d1", multiattach=True)],
        attachments=[an_attachment("a", "d1"), an_attachment("hidden", "d1")],
    )
    eligibility = judge(inventory)

    assert fired(eligibility, "a") == {"H8"}
    assert eligibility.asked == ("a",)


def test_h9_a_cluster_in_two_vpcs_is_blocked():
    """One request serves one VPC."""
    eligibility = judge(tied({"d1": "ab"}, {"b": {"vpc_id": "vpc-2"}}))

    assert {"H9", "H4"} <= fired(eligibility, "a")
    assert eligibility.candidates.empty


def test_h10_a_cluster_in_two_azs_is_stale():
    """Volumes attach within one AZ only."""
    eligibility = judge(tied({"d1": "ab"}, {"b": {"az": "az-2"}}))

    assert {"H10", "H4"} <= fired(eligibility, "a")


def test_h11_a_dr_server_among_the_owners_blocks():
    """A volume on a DR server is usually in a pair already."""
    eligibility = judge(tied({"d1": "ab"}, protected_instances=[an_instance("z", target_server_id="b")]))

    assert fired(eligibility, "a") == {"H11"}
    assert verdict_of(eligibility, "b") == "not a candidate"


def test_h12_an_encrypted_shared_volume_stops_its_cluster():
    """Every member is told, also the one that is only tied through another."""
    inventory = tied({"d1": "ab", "d2": "bc"})
    volumes = inventory.volumes
    volumes.loc[volumes["volume_id"] == "d1", "encrypted"] = True
    eligibility = judge(inventory.with_frame("volumes", volumes))

    assert all("H12" in fired(eligibility, name) for name in "abc")
    assert {verdict_of(eligibility, name) for name in "abc"} == {"blocked"}


@pytest.mark.parametrize(
    ("seen_by", "severity"), [("both", None), ("ecs", "warning"), ("evs", "warning"), (None, None)]
)
def test_h13_counts_both_views(seen_by, severity):
    """An attachment that one service alone tells of is a warning, and ties servers all the same."""
    inventory = an_inventory(
        servers=[a_server("a"), a_server("b")],
        volumes=[a_volume("d1", multiattach=True)],
        attachments=[an_attachment("a", "d1"), an_attachment("b", "d1", seen_by=seen_by)],
    )
    eligibility = judge(inventory)

    assert severity_of("H13", eligibility, "b") == severity
    assert len(eligibility.clusters) == 2


def test_h14_nothing_is_eligible_without_volumes():
    """Without the volumes nobody knows what is shared."""
    eligibility = judge(tied({"d1": "ab"}, not_loaded=["volumes"]))

    assert {severity_of("H14", eligibility, name) for name in "ab"} == {"unverified"}
    assert {verdict_of(eligibility, name) for name in "ab"} == {"unknown"}


def test_several_owners_share_a_volume_that_is_not_called_shared():
    """Two owners are two owners, whatever multiattach says."""
    inventory = tied({"d1": "ab"})
    volumes = inventory.volumes.assign(multiattach=False)
    eligibility = judge(inventory.with_frame("volumes", volumes), server_ids=["a"])

    assert "H3" in fired(eligibility, "a")


def test_a_long_chain_is_one_cluster():
    """Three hundred servers in a chain, in no order, are one cluster."""
    names = [f"s{(at * 7919) % 300:03d}" for at in range(300)]
    inventory = an_inventory(
        servers=[a_server(name) for name in names],
        volumes=[a_volume(f"d{at}", multiattach=True) for at in range(299)],
        attachments=[an_attachment(names[at + step], f"d{at}") for at in range(299) for step in (0, 1)],
    )

    assert judge(inventory).clusters["cluster_id"].unique().tolist() == ["s000"]
