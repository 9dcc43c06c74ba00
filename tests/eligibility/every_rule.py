"""The whole rule book at its boundaries: for each rule what makes it fire, what is just in order, what is missing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sdrs_nb.eligibility.eligibility import check_eligibility
from sdrs_nb.eligibility.rules.request import Request, registered_requests, request_findings
from sdrs_nb.models import BatchOptions
from sdrs_nb.rulebook import load_rulebook
from tests.builders import (
    GROUP,
    a_domain,
    a_flavor,
    a_group,
    a_host,
    a_key_pair,
    a_pair,
    a_pool,
    a_scaling_instance,
    a_server,
    a_subnet,
    a_volume,
    an_attachment,
    an_instance,
    an_inventory,
)
from tests.eligibility.judged import SERVER

Given = Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """One rule: ``on`` makes it fire, ``off`` is the nearest that does not, ``missing`` takes its data away.

    ``reporter`` is the rule that tells of missing data in its place.  ``absent``: why an empty value is an answer and
    no gap; then ``missing`` is what leaves the rule silent.
    """

    on: Given
    off: Given = field(default_factory=dict)
    missing: Given = field(default_factory=dict)
    reporter: str = ""
    absent: str = ""


def without(*frames: str, **given: Any) -> Given:
    """Return a question to an inventory in which these frames could not be read."""
    return {"not_loaded": frames, **given}


def severities(
    *,
    server: Given | None = None,
    volume: Given | None = None,
    group: Given | None = None,
    ties: Mapping[str, str] | None = None,
    others: Mapping[str, Given] | None = None,
    profile: str = "huaweicloud",
    book: Given | None = None,
    options: Given | None = None,
    prefix: str | None = None,
    names: Iterable[str] = (),
    deleting: Iterable[str] = (),
    who: str = SERVER,
    asked: Given | None = None,
    **frames: Any,
) -> dict[str, set[str]]:
    """Judge one server, with others tied to it, and return rule -> severities, those of the request included."""
    tied = {SERVER, *"".join((ties or {}).values()).replace("1", "")} | set(others or {})
    servers = [a_server(name, **(server or {} if name == SERVER else (others or {}).get(name, {}))) for name in tied]
    volumes, attachments = [], []
    if volume is not None:
        volumes.append(a_volume("data-1", **volume))
        attachments.append(an_attachment(SERVER, "data-1"))
    for name, owners in (ties or {}).items():
        volumes.append(a_volume(name, multiattach=True, **(volume or {})))
        attachments += [an_attachment(SERVER if owner == "1" else owner, name) for owner in owners]
    given = {"servers": servers, "volumes": volumes, "attachments": attachments, "groups": [a_group(**(group or {}))]}
    rules = load_rulebook(profile, **(book or {}))
    wanted = BatchOptions(**(options or {}))
    eligibility = check_eligibility(an_inventory(**(given | frames)), options=wanted, rulebook=rules, **(asked or {}))
    found: dict[str, set[str]] = {}
    findings = eligibility.findings
    about_inventory = findings[findings["rule"].isin(list(registered_requests()))]
    for table in (eligibility.findings_of(who), eligibility.request_findings, about_inventory):
        for rule, severity in zip(table["rule"], table["severity"], strict=True):
            found.setdefault(rule, set()).add(severity)
    for one in request_findings(wanted, prefix, rules, existing_names=names):
        found.setdefault(one.rule, set()).add(one.effect.value)
    request = Request(wanted, rules, facts=eligibility._facts, deleting=frozenset(deleting))
    found |= {"H17": {"blocker"}} if list(registered_requests()["H17"](request)) else {}
    return found


def quota(kind: str, used: int, most: int) -> Given:
    """Return a row of a quota."""
    return {"resource_type": kind, "used": used, "quota": most}


def of_flavor(**specs: Any) -> Given:
    """Return the server's flavor with these extra specs."""
    return {"flavors": [a_flavor(**specs)]}


_OPTION = "an option that was not given is left out of the request"
_NULL = "ECS says so with an empty field"
_WINDOWS = {"os_type": "Windows", "key_name": "k"}
_LINUX = {"os_type": "Linux", "key_name": "k"}
_OWN = an_instance("other", target_server_id="dr-other")
_HOST = {"options": {"tenancy": "dedicated", "dedicated_host_id": "host-1"}}
_POOL = {"options": {"cluster_id": "pool-1"}}
_LARGER = {"options": {"flavors": {SERVER: "s6.xlarge.2"}}}
_XLARGE = a_flavor("s6.xlarge.2", vcpus=4, ram_gib=8.0)
_HAPPENED = without("attachments")

REQUEST = {
    "Q1": Row({"prefix": "x" * 60}, {"prefix": "x" * 59}, absent="planning asks for the prefix"),
    "Q2": Row({"prefix": "中" * 20}, {"prefix": "中" * 19}, absent="planning asks for the prefix"),
    "Q3": Row(
        {"prefix": "erp", "names": ["erp-0001"]}, {"prefix": "erp", "names": ["erp-1"]}, absent="no name, no clash"
    ),
    "Q4": Row({"options": {"description": "x" * 65}}, {"options": {"description": "x" * 64}}, absent=_OPTION),
    "Q5": Row({"options": {"batch_limit": 6}}, {"options": {"batch_limit": 5}}, absent=_OPTION),
    "Q6": Row({"options": {"tags": {"k" * 37: "v"}}}, {"options": {"tags": {"k" * 36: "v"}}}, absent=_OPTION),
    "Q7": Row({"options": {"tags": {"k": "ä"}}}, {"options": {"tags": {"k": "a"}}}, absent=_OPTION),
    "Q8": Row({"options": {"tenancy": "private"}}, {"options": {"tenancy": "shared"}}, absent=_OPTION),
    "Q9": Row({"options": {"cluster_id": ""}}, {"options": {"cluster_id": None}}, absent=_OPTION),
    "Q10": Row({"profile": "otc"}, {"profile": "huaweicloud"}, absent="the profile says it"),
    "Q11": Row(
        {"protected_instances": [an_instance("gone", target_server_id=None)]},
        {"protected_instances": [an_instance(SERVER, target_server_id=None)]},
        without("protected_instances"),
        absent="what was not read names nothing",
    ),
    "Q12": Row(
        {"declared": {"drill_servers": "none"}, "not_loaded": ["drill_servers"]},
        {"declared": {"drill_servers": "none"}},
        absent="what was read needs no word",
    ),
}

GROUPS = {
    "G1": Row({"groups": []}, {}, without("groups")),
    "G2": Row({"group": {"status": "starting"}}, {"group": {"status": "protected"}}, {"group": {"status": None}}),
    "G3": Row(
        {"group": {"priority_station": "target", "source_az": "az-2", "target_az": "az-1"}}, {}, without("groups")
    ),
    "G4": Row({"group": {"target_az": "az-1"}}, {"group": {"health_status": "normal"}}, without("groups")),
    "G5": Row({"group": {"server_type": "BMS"}}, {"group": {"server_type": "ECS"}}, {"group": {"server_type": None}}),
    "G6": Row({"group": {"status": "protected"}}, {"group": {"status": "available"}}, without("groups")),
    "G7": Row({"group": {"status": "available"}}, {"group": {"status": "protected"}}, without("groups")),
    "G8": Row(
        {"book": {"group_instances": 3}, "group": {"protected_instance_num": 3}},
        {"book": {"group_instances": 3}, "group": {"protected_instance_num": 2}},
        {"book": {"group_instances": 3}, "group": {"protected_instance_num": None}},
    ),
    "G9": Row({"quotas": [quota("replications", 5, 5)]}, {"quotas": [quota("replications", 4, 5)]}, without("quotas")),
    "G10": Row({"domains": [a_domain(sold_out=True)]}, {"domains": [a_domain()]}, without("domains")),
    "G11": Row(
        {"protected_instances": [_OWN | {"status": "fault"}]},
        {"protected_instances": [_OWN]},
        without("protected_instances"),
    ),
    "G12": Row({"asked": {"busy_groups": [GROUP]}}, {"asked": {"busy_groups": ["another"]}}, without("groups")),
    "G13": Row(
        {"replication_pairs": [a_pair("x", "y", replication_status="copying")]},
        {"replication_pairs": [a_pair("x", "y", replication_status="active")]},
        without("replication_pairs"),
    ),
    "G14": Row(
        {"groups": [a_group(), a_group("group-2")], "volume": {"az": "az-9"}},
        {"groups": [a_group(), a_group("group-2")], "volume": {}},
        {"groups": [a_group(), a_group("group-2")], "volume": {"az": None}},
    ),
}

SERVERS = {
    "S1": Row(
        {"asked": {"server_ids": ["stranger"]}, "who": "stranger"},
        {"asked": {"server_ids": [SERVER]}},
        absent="without servers there is nobody to judge",
    ),
    "S2": Row({"server": {"az": "AZ-1"}}, {"server": {"az": "az-1"}}, {"server": {"az": None}}),
    "S3": Row({"server": {"vpc_id": "vpc-2"}}, {}, {"server": {"vpc_id": None}}),
    "S4": Row(
        {"protected_instances": [an_instance(SERVER)]}, {"protected_instances": [_OWN]}, without("protected_instances")
    ),
    "S5": Row(
        {"protected_instances": [_OWN | {"target_server_id": SERVER}]},
        {"protected_instances": [_OWN]},
        without("protected_instances"),
    ),
    "S6": Row(
        {"drill_servers": [{"server_id": SERVER}]}, {"drill_servers": [{"server_id": "x"}]}, without("drill_servers")
    ),
    "S7": Row({"server": {"status": "REBOOT"}}, {"server": {"status": "SHUTOFF"}}, {"server": {"status": None}}),
    "S8": Row({"server": {"task_state": "powering-on"}}, {}, {"server": {"task_state": None}}, absent=_NULL),
    "S9": Row({"server": {"locked": True}}, {"server": {"lock_source": ""}}, {"server": {"locked": None}}),
    "S10": Row(
        {"server": {"frozen": True}},
        {"server": {"frozen": False}},
        {"server": {"frozen": None}},
        absent="the mark is there only after a freeze",
    ),
    "S11": Row({"system_volumes": False}, {}, without("attachments")),
    "S12": Row({"system_volumes": False, "volume": {}}, {}, without("attachments")),
    "S13": Row(
        {"server": {"tags": "__type_baremetal"}},
        {"server": {"tags": "a=__type_baremetal"}},
        {"server": {"tags": None}},
        absent="a server without tags is listed without any",
    ),
    "S14": Row(of_flavor(local_disks=True), of_flavor(), without("flavors"), "S19"),
    "S15": Row({"server": {"accelerators": True}}, {}, without("flavors"), "S19"),
    "S16": Row(of_flavor(architecture="arm64"), of_flavor(), without("flavors"), "S19"),
    "S17": Row(
        {"server": {"flavor_id": "c6.large.2"}},
        {"server": {"flavor_id": "c7.large.2"}},
        {"server": {"flavor_id": None}},
        "S19",
    ),
    "S18": Row(of_flavor(infiniband=True), of_flavor(), without("flavors"), "S19"),
    "S19": Row({"server": {"flavor_id": "unlisted"}}, {}, without("flavors")),
    "S20": Row({"server": {"nic_count": 13}}, {"server": {"nic_count": 12}}, {"server": {"nic_count": None}}),
    "S21": Row({"server": {"nic_count": 2}}, {"server": {"nic_count": 1}}, {"server": {"nic_count": None}}, "S20"),
    "S22": Row(
        {"server": _WINDOWS},
        {"server": _WINDOWS, "key_pairs": [a_key_pair("k")]},
        without("key_pairs", server=_WINDOWS),
    ),
    "S23": Row(
        {"server": _WINDOWS | {"user_id": "user-2"}, "key_pairs": [a_key_pair("k")]},
        {"server": _WINDOWS, "key_pairs": [a_key_pair("k")]},
        without("key_pairs", server=_WINDOWS),
        "S22",
    ),
    "S24": Row(
        {"server": _LINUX}, {"server": _LINUX, "key_pairs": [a_key_pair("k")]}, without("key_pairs", server=_LINUX)
    ),
    "S25": Row(
        {"scaling_instances": [a_scaling_instance(SERVER)]},
        {"scaling_instances": [a_scaling_instance(SERVER, scaling_configuration_id="")]},
        without("scaling_instances"),
        "S27",
    ),
    "S26": Row(
        {"scaling_instances": [a_scaling_instance(SERVER, scaling_configuration_id="")]},
        {"scaling_instances": [a_scaling_instance(SERVER)]},
        without("scaling_instances"),
        "S27",
    ),
    "S27": Row(without("scaling_instances"), {}, without("scaling_instances")),
    "S28": Row(
        {"server": {"enterprise_project_id": "ep-1"}},
        {"server": {"enterprise_project_id": "0"}},
        {"server": {"enterprise_project_id": None}},
        absent="null is the default project",
    ),
    "S29": Row({}, {"who": "x"}, {"server": {"hostname": None}}, absent="told of every server, with what is known"),
    "S30": Row({}, {"who": "x"}, {"server": {"name": None}}, absent="told of every server"),
    "S31": Row({"server": {"billing": "yearly/monthly"}}, {}, {"server": {"billing": None}}),
    "S32": Row({"server": {"billing": "spot"}}, {}, {"server": {"billing": None}}),
    "S33": Row({"server": {"ecs_group_id": "g"}}, {}, {"server": {"ecs_group_id": None}}, absent=_NULL),
    "S34": Row(
        {"server": {"tenancy": "dedicated"}},
        {"server": {"tenancy": "shared"}},
        {"server": {"tenancy": None}},
        absent=_NULL,
    ),
    "S35": Row({}, {"server": {"os_type": "Other"}}, {"server": {"os_type": None}}),
    "S36": Row({"book": {"unsupported_images": ("Ubuntu",)}}, {"who": "x"}, {}),
}

VOLUMES = {
    "D1": Row({"volume": {"encrypted": True}}, {"volume": {}}, {"volume": {"encrypted": None}}),
    "D2": Row(
        {"volume": {}, "replication_pairs": [a_pair("copy", "data-1")]},
        {"volume": {}, "replication_pairs": [a_pair("copy", "data-10")]},
        without("replication_pairs"),
    ),
    "D3": Row(
        {
            "system_volumes": False,
            "volumes": [a_volume("v", status="error")],
            "attachments": [an_attachment(SERVER, "v", bootable=True)],
        },
        {},
        without("volumes"),
    ),
    "D4": Row({"volume": {"status": "extending"}}, {"volume": {"status": "in-use"}}, {"volume": {"status": None}}),
    "D5": Row({"attachments": [an_attachment(SERVER, "hidden")]}, {}, without("volumes"), "H14"),
    "D6": Row({"volume": {"az": "az-2"}}, {"volume": {"az": "az-1"}}, {"volume": {"az": None}}),
    "D7": Row(
        {"volume": {"volume_type": "GPSSD"}}, {"volume": {"volume_type": "SAS"}}, {"volume": {"volume_type": None}}
    ),
    "D8": Row({"volume": {"billing": "yearly/monthly"}}, {"volume": {}}, {"volume": {"billing": None}}),
    "D9": Row({"volume": {"service_type": "DSS"}}, {"volume": {}}, {"volume": {"service_type": None}}),
    "D10": Row(
        {"ties": {"d": "1z"}, "drill_servers": [{"server_id": "z"}]},
        {"ties": {"d": "1z"}, "drill_servers": [{"server_id": "y"}]},
        without("drill_servers"),
    ),
    "D11": Row({}, {"system_volumes": False}, without("attachments")),
    "D12": Row({"volume": {"size_gib": 984}}, {"volume": {"size_gib": 983}}, {"volume": {"size_gib": None}}),
    "D13": Row(
        {"volume": {"frozen": True}},
        {"volume": {"frozen": False}},
        {"volume": {"frozen": None}},
        absent="the mark is there only after a freeze",
    ),
}

CLUSTERS = {
    "H1": Row({"ties": {"d": "1b"}}, {"ties": {"d": "1"}}, _HAPPENED, "H14"),
    "H2": Row({"ties": {"d": "1"}}, {"ties": {"d": "1b"}}, _HAPPENED, "H14"),
    "H3": Row({"ties": {"d": "1b"}, "asked": {"server_ids": [SERVER]}}, {"ties": {"d": "1b"}}, _HAPPENED, "H14"),
    "H4": Row(
        {"ties": {"d": "1b"}, "others": {"b": {"status": "ERROR"}}},
        {"ties": {"d": "1b"}, "others": {"b": {"status": "SHUTOFF"}}},
        {"ties": {"d": "1b"}, "others": {"b": {"locked": None}}},
    ),
    "H5": Row(
        {"ties": {"d": "1b"}, "protected_instances": [an_instance("b")]},
        {"ties": {"d": "1b"}, "protected_instances": [_OWN]},
        _HAPPENED,
        "H14",
    ),
    "H6": Row({"ties": {"d": "1bcdef"}}, {"ties": {"d": "1bcde"}}, _HAPPENED, "H14"),
    "H7": Row({"ties": {"d": "1b", "e": "bc"}}, {"ties": {"d": "1bc"}}, _HAPPENED, "H14"),
    "H8": Row(
        {"volume": {"multiattach": True}, "attachments": [an_attachment(SERVER, "v"), an_attachment("hidden", "v")]},
        {"ties": {"d": "1b"}},
        _HAPPENED,
        "H14",
    ),
    "H9": Row({"ties": {"d": "1b"}, "others": {"b": {"vpc_id": "vpc-2"}}}, {"ties": {"d": "1b"}}, _HAPPENED, "H14"),
    "H10": Row({"ties": {"d": "1b"}, "others": {"b": {"az": "az-2"}}}, {"ties": {"d": "1b"}}, _HAPPENED, "H14"),
    "H11": Row(
        {"ties": {"d": "1b"}, "protected_instances": [_OWN | {"target_server_id": "b"}]},
        {"ties": {"d": "1b"}, "protected_instances": [_OWN]},
        _HAPPENED,
        "H14",
    ),
    "H12": Row(
        {"ties": {"d": "1b"}, "volume": {"encrypted": True}},
        {"ties": {"d": "1b"}, "volume": {}},
        without("volumes"),
        "H14",
    ),
    "H13": Row(
        {"volumes": [a_volume("v")], "attachments": [an_attachment(SERVER, "v", seen_by="ecs")]},
        {"volumes": [a_volume("v")], "attachments": [an_attachment(SERVER, "v", seen_by="both")]},
        without("volumes"),
        "H14",
    ),
    "H14": Row({"volume": {"multiattach": None}}, {"volume": {"multiattach": False}}, without("volumes")),
    "H15": Row(
        {"volume": {"multiattach": True}, "profile": "otc"},
        {"volume": {"multiattach": False}, "profile": "otc"},
        without("volumes", profile="otc"),
        "H14",
    ),
    "H16": Row({"ties": {"d": "1b"}}, {"ties": {"d": "1"}}, _HAPPENED, "H14"),
    "H17": Row(
        {"deleting": ["i1"], "replication_pairs": [a_pair("v", protected_instance_ids="i1,i2")]},
        {"deleting": ["i1", "i2"], "replication_pairs": [a_pair("v", protected_instance_ids="i1,i2")]},
        without("replication_pairs"),
        "D2",
    ),
}

PLACES = {
    "P1": Row(
        {**_LARGER, "resize_flavors": [{"server_id": SERVER, "flavor_id": "other"}]},
        {**_LARGER, "resize_flavors": [{"server_id": SERVER, "flavor_id": "s6.xlarge.2"}]},
        {**_LARGER, "resize_flavors": []},
    ),
    "P2": Row(
        {**_LARGER, "flavors": [_XLARGE | {"vcpus": 1}]},
        {**_LARGER, "flavors": [_XLARGE | {"vcpus": 2}]},
        without("flavors", **_LARGER),
    ),
    "P3": Row(of_flavor(sale_status="sellout"), of_flavor(sale_by_az="az-1=sellout"), without("flavors")),
    "P4": Row(
        {"options": {"primary_subnet_id": "strange"}},
        {"options": {"primary_subnet_id": "subnet-1"}},
        without("subnets", options={"primary_subnet_id": "subnet-1"}),
    ),
    "P5": Row({"subnets": [a_subnet(free_addresses=0)]}, {"subnets": [a_subnet(free_addresses=1)]}, without("subnets")),
    "P6": Row(
        {**_HOST, "dedicated_hosts": [a_host(state="fault")]},
        {**_HOST, "dedicated_hosts": [a_host()]},
        without("dedicated_hosts", **_HOST),
    ),
    "P7": Row(
        {**_HOST, "dedicated_hosts": [a_host(available_vcpus=1)]},
        {**_HOST, "dedicated_hosts": [a_host(available_vcpus=2)]},
        without("dedicated_hosts", **_HOST),
    ),
    "P8": Row(
        {"options": {"tenancy": "dedicated"}, "dedicated_hosts": [a_host(auto_placement=False)]},
        {"options": {"tenancy": "dedicated"}, "dedicated_hosts": [a_host()]},
        without("dedicated_hosts", options={"tenancy": "dedicated"}),
    ),
    "P9": Row(
        {"profile": "otc", "options": {"tenancy": "dedicated"}}, {"options": {"tenancy": "dedicated"}}, absent=_OPTION
    ),
    "P10": Row(
        {**_POOL, "storage_pools": [a_pool(status="deploying")]},
        {**_POOL, "storage_pools": [a_pool(status="extending")]},
        without("storage_pools", **_POOL),
    ),
    "P11": Row(
        {**_POOL, "storage_pools": [a_pool(volume_type="SAS")]},
        {**_POOL, "storage_pools": [a_pool()]},
        without("storage_pools", **_POOL),
    ),
    "P12": Row(
        {**_POOL, "storage_pools": [a_pool(total_gib=39)]},
        {**_POOL, "storage_pools": [a_pool(total_gib=40)]},
        {**_POOL, "storage_pools": [a_pool(total_gib=None)]},
    ),
    "P13": Row({**_POOL, "profile": "otc"}, {**_POOL, "storage_pools": [a_pool()]}, absent=_OPTION),
    "P14": Row({"ecs_limits": [quota("cores", 9, 10)]}, {"ecs_limits": [quota("cores", 8, 10)]}, without("ecs_limits")),
    "P15": Row(
        {"evs_quota": [quota("gigabytes", 61, 100)]}, {"evs_quota": [quota("gigabytes", 60, 100)]}, without("evs_quota")
    ),
    "P16": Row(
        {"replication_pairs": [a_pair(f"x{at}", f"y{at}") for at in range(5)]},
        {"replication_pairs": [a_pair(f"x{at}", f"y{at}") for at in range(4)]},
        without("replication_pairs"),
        "D2",
    ),
}

ROWS = {**REQUEST, **GROUPS, **SERVERS, **VOLUMES, **CLUSTERS, **PLACES}
