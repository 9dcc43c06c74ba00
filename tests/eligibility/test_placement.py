from typing import Any

import pytest

from tests.builders import (
    VPC,
    a_flavor,
    a_host,
    a_pool,
    a_server,
    a_subnet,
    a_volume,
    an_attachment,
    an_inventory,
)
from tests.eligibility.judged import SERVER, judge, options, severity_of

LARGER = a_flavor("s6.xlarge.2", vcpus=4, ram_gib=8.0)


@pytest.mark.parametrize(
    ("rule", "asked", "frames", "severity"),
    [
        pytest.param("P1", {}, {}, None, id="P1 production's flavor"),
        pytest.param("P1", {SERVER: "s6.large.2"}, {}, None, id="P1 production's flavor by name"),
        pytest.param(
            "P1",
            {SERVER: "s6.xlarge.2"},
            {"resize_flavors": [{"server_id": SERVER, "flavor_id": "s6.xlarge.2"}]},
            None,
            id="P1 offered",
        ),
        pytest.param(
            "P1",
            {SERVER: "s6.xlarge.2"},
            {"resize_flavors": [{"server_id": SERVER, "flavor_id": "other"}]},
            "blocker",
            id="P1 not offered",
        ),
        pytest.param("P1", {SERVER: "s6.xlarge.2"}, {}, "unverified", id="P1 not asked for this server"),
        pytest.param("P1", {SERVER: "x"}, {"not_loaded": ["resize_flavors"]}, "unverified", id="P1 not read"),
        pytest.param("P2", {SERVER: "s6.xlarge.2"}, {"flavors": [a_flavor(), LARGER]}, None, id="P2 larger"),
        pytest.param(
            "P2",
            {SERVER: "small"},
            {"flavors": [a_flavor(), a_flavor("small", vcpus=1)]},
            "warning",
            id="P2 fewer vCPUs",
        ),
        pytest.param(
            "P2",
            {SERVER: "small"},
            {"flavors": [a_flavor(), a_flavor("small", ram_gib=3.9)]},
            "warning",
            id="P2 memory",
        ),
        pytest.param("P2", {SERVER: "unknown"}, {}, "unverified", id="P2 unknown flavor"),
        pytest.param("P3", {}, {}, None, id="P3 on sale"),
        pytest.param("P3", {}, {"flavors": [a_flavor(sale_status="sellout")]}, "blocker", id="P3 sold out"),
        pytest.param(
            "P3",
            {},
            {"flavors": [a_flavor(sale_status="sellout", sale_by_az="az-2=normal")]},
            None,
            id="P3 on sale in the DR AZ",
        ),
        pytest.param("P3", {}, {"flavors": [a_flavor(sale_by_az="az-2=abandon")]}, "blocker", id="P3 withdrawn there"),
        pytest.param("P3", {}, {"flavors": [a_flavor(sale_by_az="az-1=sellout")]}, None, id="P3 sold out elsewhere"),
        pytest.param("P3", {}, {"flavors": [LARGER]}, "warning", id="P3 not listed"),
        pytest.param("P3", {}, {"not_loaded": ["flavors"]}, "unverified", id="P3 not read"),
    ],
)
def test_the_dr_flavor_is_looked_up(rule: str, asked: dict[str, str], frames: dict[str, Any], severity: str | None):
    """Rules of the DR flavor take what options say, else production's own flavor."""
    eligibility = judge(an_inventory(**frames), options=options(flavors=asked))

    assert severity_of(rule, eligibility) == severity


@pytest.mark.parametrize(
    ("rule", "asked", "frames", "severity"),
    [
        pytest.param("P4", {"primary_subnet_id": "subnet-1"}, {}, None, id="P4 of the VPC"),
        pytest.param("P4", {"primary_subnet_id": "strange"}, {}, "blocker", id="P4 unknown"),
        pytest.param("P4", {"primary_subnet_id": "neutron of subnet-1"}, {}, "blocker", id="P4 the other id"),
        pytest.param(
            "P4",
            {"primary_subnet_id": "subnet-1"},
            {"subnets": [a_subnet(vpc_id="vpc-2")]},
            "blocker",
            id="P4 other VPC",
        ),
        pytest.param(
            "P4", {"primary_subnet_id": "subnet-1"}, {"not_loaded": ["subnets"]}, "unverified", id="P4 not read"
        ),
        pytest.param("P4", {}, {"not_loaded": ["subnets"]}, None, id="P4 not asked"),
        pytest.param("P6", {"dedicated_host_id": "host-1"}, {"dedicated_hosts": [a_host()]}, None, id="P6 fine"),
        pytest.param("P6", {"dedicated_host_id": "host-1"}, {}, "blocker", id="P6 unknown"),
        pytest.param(
            "P6",
            {"dedicated_host_id": "host-1"},
            {"dedicated_hosts": [a_host(state="fault")]},
            "blocker",
            id="P6 faulty",
        ),
        pytest.param(
            "P6", {"dedicated_host_id": "host-1"}, {"dedicated_hosts": [a_host(az="az-1")]}, "blocker", id="P6 other AZ"
        ),
        pytest.param(
            "P6", {"dedicated_host_id": "host-1"}, {"not_loaded": ["dedicated_hosts"]}, "unverified", id="P6 not read"
        ),
        pytest.param(
            "P7", {"dedicated_host_id": "host-1"}, {"dedicated_hosts": [a_host()]}, None, id="P7 takes the flavor"
        ),
        pytest.param(
            "P7",
            {"dedicated_host_id": "host-1"},
            {"dedicated_hosts": [a_host(flavor_ids="other")]},
            "blocker",
            id="P7 other flavors",
        ),
        pytest.param("P8", {}, {"dedicated_hosts": [a_host()]}, None, id="P8 a host places"),
        pytest.param("P8", {}, {"dedicated_hosts": [a_host(auto_placement=False)]}, "warning", id="P8 none places"),
        pytest.param("P8", {}, {"dedicated_hosts": [a_host(flavor_ids="other")]}, "warning", id="P8 other flavors"),
        pytest.param("P8", {}, {"dedicated_hosts": [a_host(flavor_ids=None)]}, None, id="P8 flavors not said"),
        pytest.param("P8", {}, {"dedicated_hosts": [a_host(az="az-1")]}, "warning", id="P8 other AZ"),
        pytest.param("P8", {}, {"not_loaded": ["dedicated_hosts"]}, "unverified", id="P8 not read"),
    ],
)
def test_places_for_dr_servers_are_looked_up(rule, asked, frames, severity):
    """Rules of subnet and dedicated host."""
    tenancy = {"tenancy": "dedicated"} if rule != "P4" else {}
    eligibility = judge(an_inventory(**frames), options=options(**asked, **tenancy))

    assert severity_of(rule, eligibility) == severity


@pytest.mark.parametrize(
    ("rule", "pools", "severity"),
    [
        pytest.param("P10", [a_pool()], None, id="P10 fine"),
        pytest.param("P10", [a_pool(status="extending")], None, id="P10 extending"),
        pytest.param("P10", [a_pool(status="deploying")], "blocker", id="P10 deploying"),
        pytest.param("P10", [a_pool(az="az-1")], "blocker", id="P10 other AZ"),
        pytest.param("P10", [], "blocker", id="P10 unknown"),
        pytest.param("P11", [a_pool()], None, id="P11 of the type"),
        pytest.param("P11", [a_pool(volume_type="SAS")], "blocker", id="P11 other type"),
    ],
)
def test_the_storage_pool_is_looked_up(rule, pools, severity):
    """Rules of the storage pool."""
    eligibility = judge(an_inventory(storage_pools=pools), options=options(cluster_id="pool-1"))

    assert severity_of(rule, eligibility) == severity


def requests(frames: dict[str, Any], profile: str = "huaweicloud", **asked: Any) -> dict[str, str]:
    """Return the rules of the request that fired, with their severity, for two servers that share a volume."""
    inventory = an_inventory(
        **{
            "servers": [a_server("a", vcpus=2, ram_gib=4.0), a_server("b", vcpus=2, ram_gib=4.0)],
            "volumes": [a_volume("d1", multiattach=True, size_gib=100)],
            "attachments": [an_attachment("a", "d1"), an_attachment("b", "d1")],
            **frames,
        }
    )
    found = judge(inventory, profile=profile, options=options(**asked)).request_findings
    return dict(zip(found["rule"], found["severity"], strict=True))


def quota(kind: str, used: int, most: int) -> dict[str, Any]:
    """Return a row of a quota."""
    return {"resource_type": kind, "used": used, "quota": most}


@pytest.mark.parametrize(
    ("rule", "frames", "severity"),
    [
        pytest.param("G9", {"quotas": [quota("replications", 7, 10)]}, None, id="G9 three pairs, three left"),
        pytest.param("G9", {"quotas": [quota("replications", 8, 10)]}, "warning", id="G9 three pairs, two left"),
        pytest.param("G9", {"quotas": [quota("replications", 8, -1)]}, None, id="G9 no limit"),
        pytest.param("G9", {"not_loaded": ["quotas"]}, "unverified", id="G9 not read"),
        pytest.param("P5", {"subnets": [a_subnet(free_addresses=2)]}, None, id="P5 enough"),
        pytest.param("P5", {"subnets": [a_subnet(free_addresses=1)]}, "warning", id="P5 one short"),
        pytest.param("P5", {"not_loaded": ["subnets"]}, "unverified", id="P5 not read"),
        pytest.param("P14", {"ecs_limits": [quota("instances", 8, 10)]}, None, id="P14 enough servers"),
        pytest.param("P14", {"ecs_limits": [quota("instances", 9, 10)]}, "warning", id="P14 one server short"),
        pytest.param("P14", {"ecs_limits": [quota("cores", 7, 10)]}, "warning", id="P14 one core short"),
        pytest.param("P14", {"ecs_limits": [quota("ram_mib", 0, 8191)]}, "warning", id="P14 a MiB short"),
        pytest.param("P14", {"not_loaded": ["ecs_limits"]}, "unverified", id="P14 not read"),
        pytest.param("P15", {"evs_quota": [quota("gigabytes", 0, 180)]}, None, id="P15 shared volume once"),
        pytest.param("P15", {"evs_quota": [quota("gigabytes_SSD", 0, 179)]}, "warning", id="P15 a GB of SSD short"),
        pytest.param("P15", {"evs_quota": [quota("volumes", 8, 10)]}, "warning", id="P15 a volume short"),
        pytest.param("P15", {"not_loaded": ["evs_quota"]}, "unverified", id="P15 not read"),
        pytest.param("H16", {}, "notice", id="H16 a shared volume"),
    ],
)
def test_sums_over_servers_that_are_ready(rule, frames, severity):
    """What all servers need together is held against what is left; a shared volume counts once."""
    assert requests(frames).get(rule) == severity


@pytest.mark.parametrize(
    ("pool", "severity"),
    [
        pytest.param({"total_gib": 180}, None, id="fits"),
        pytest.param({"total_gib": 179}, "blocker", id="a GiB short"),
        pytest.param({"total_gib": 179, "over_subscription_ratio": 2.0}, "warning", id="over-subscribed"),
        pytest.param({"total_gib": None}, "unverified", id="not said"),
    ],
)
def test_p12_holds_volumes_against_the_pool(pool, severity):
    """The pool has room for the volumes of all servers."""
    found = requests({"storage_pools": [a_pool(**pool)]}, cluster_id="pool-1")

    assert found.get("P12") == severity


def test_p7_holds_servers_against_the_host():
    """The vCPUs and the memory of all servers are summed up."""
    frames = {"dedicated_hosts": [a_host(available_vcpus=3)]}

    assert requests(frames, tenancy="dedicated", dedicated_host_id="host-1")["P7"] == "warning"


@pytest.mark.parametrize(("rule", "asked"), [("P9", {"tenancy": "dedicated"}), ("P13", {"cluster_id": "pool-1"})])
def test_otc_places_nothing_on_dedicated_hardware(rule, asked):
    """Open Telekom Cloud has no such fields."""
    assert requests({}, profile="otc", **asked)[rule] == "blocker"
    assert rule not in requests({"storage_pools": [a_pool()]}, **asked)


@pytest.mark.parametrize(("idle", "severity"), [(4, None), (5, "notice")])
def test_p16_counts_idle_pairs(idle, severity):
    """From five idle pairs on none can be made by hand."""
    pairs = [{"replication_pair_id": f"p{at}", "volume_ids": f"x{at},y{at}"} for at in range(idle)]

    assert requests({"replication_pairs": pairs}).get("P16") == severity


def test_subnets_of_the_vpc_are_told_from_others():
    """The message names the VPC that the group serves."""
    eligibility = judge(options=options(primary_subnet_id="strange"))

    assert VPC in eligibility.findings.query("rule == 'P4'")["message"].iloc[0]
