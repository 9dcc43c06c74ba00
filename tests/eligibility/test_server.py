import pytest

from tests.builders import (
    CALLER,
    a_flavor,
    a_key_pair,
    a_scaling_instance,
    a_server,
    an_attachment,
    an_instance,
    an_inventory,
)
from tests.eligibility.judged import SERVER, judge, options, severity_of, verdict_of, with_server


@pytest.mark.parametrize(
    ("rule", "server", "severity"),
    [
        pytest.param("S2", {"az": "az-2"}, "blocker", id="S2 other AZ"),
        pytest.param("S2", {"az": "AZ-1"}, "blocker", id="S2 compares exact strings"),
        pytest.param("S2", {}, None, id="S2 production AZ"),
        pytest.param("S2", {"az": None}, "unverified", id="S2 not said"),
        pytest.param("S3", {"vpc_id": "vpc-2", "address_vpc_ids": "vpc-2"}, "blocker", id="S3 other VPC"),
        pytest.param("S3", {"address_vpc_ids": "vpc-1,vpc-2"}, "warning", id="S3 addresses in two VPCs"),
        pytest.param("S3", {"address_vpc_ids": None}, None, id="S3 no addresses"),
        pytest.param("S3", {"vpc_id": None}, "unverified", id="S3 not said"),
        pytest.param("S7", {"status": "SHUTOFF"}, None, id="S7 shut off"),
        pytest.param("S7", {"status": "REBOOT"}, "blocker", id="S7 rebooting"),
        pytest.param("S7", {"status": None}, "unverified", id="S7 not said"),
        pytest.param("S8", {"task_state": "powering-on"}, "warning", id="S8 task"),
        pytest.param("S8", {"task_state": "deleting"}, "blocker", id="S8 deleting"),
        pytest.param("S8", {"task_state": None}, None, id="S8 nothing under way"),
        pytest.param("S9", {"locked": True}, "blocker", id="S9 locked"),
        pytest.param("S9", {"lock_source": "ORDER"}, "blocker", id="S9 by a service"),
        pytest.param("S9", {"lock_source": "", "lock_scene": ""}, None, id="S9 empty means free"),
        pytest.param("S9", {"locked": None}, "unverified", id="S9 not said"),
        pytest.param("S10", {"frozen": True}, "blocker", id="S10 frozen"),
        pytest.param("S13", {"tags": "a=b,__type_baremetal"}, "blocker", id="S13 bare metal"),
        pytest.param("S13", {"tags": "note=__type_baremetal"}, None, id="S13 only a value"),
        pytest.param("S14", {"flavor_id": "d3.xlarge.8"}, "warning", id="S14 local disks"),
        pytest.param("S15", {"accelerators": True}, "warning", id="S15 accelerator"),
        pytest.param("S15", {"flavor_id": "p2s.large"}, "warning", id="S15 family"),
        pytest.param("S16", {"flavor_id": "kc1.large.2"}, "warning", id="S16 Kunpeng"),
        pytest.param("S17", {"flavor_id": "c6.large.2"}, "warning", id="S17 C6"),
        pytest.param("S17", {"flavor_id": "c6s.large.2"}, "warning", id="S17 a relative of C6"),
        pytest.param("S17", {"flavor_id": "c7.large.2"}, None, id="S17 C7"),
        pytest.param("S19", {"flavor_id": "old.large"}, "unverified", id="S19 unlisted"),
        pytest.param("S19", {}, None, id="S19 listed"),
        pytest.param("S20", {"nic_count": 12}, None, id="S20 twelve NICs"),
        pytest.param("S20", {"nic_count": 13}, "blocker", id="S20 thirteen NICs"),
        pytest.param("S20", {"nic_count": None}, "unverified", id="S20 not said"),
        pytest.param("S21", {"nic_count": 1}, None, id="S21 one NIC"),
        pytest.param("S21", {"nic_count": 2}, "warning", id="S21 two NICs"),
        pytest.param("S28", {"enterprise_project_id": "ep-1"}, "notice", id="S28 a project"),
        pytest.param("S28", {"enterprise_project_id": "0"}, None, id="S28 default project"),
        pytest.param("S28", {"enterprise_project_id": ""}, None, id="S28 empty is default"),
        pytest.param("S29", {}, "notice", id="S29"),
        pytest.param("S30", {}, "notice", id="S30"),
        pytest.param("S31", {"billing": "yearly/monthly"}, "warning", id="S31"),
        pytest.param("S31", {}, None, id="S31 on demand"),
        pytest.param("S32", {"billing": "spot"}, "warning", id="S32"),
        pytest.param("S32", {}, None, id="S32 on demand"),
        pytest.param("S33", {"ecs_group_id": "ecs-group"}, "notice", id="S33 shared tenancy"),
        pytest.param("S33", {}, None, id="S33 no group"),
        pytest.param("S34", {"tenancy": "dedicated"}, "notice", id="S34"),
        pytest.param("S34", {}, None, id="S34 shared"),
        pytest.param("S35", {"os_type": "Windows"}, "notice", id="S35 Windows"),
        pytest.param("S35", {"image_name": "openSUSE 15"}, "notice", id="S35 SUSE"),
        pytest.param("S35", {"os_type": None}, "unverified", id="S35 system not said"),
        pytest.param("S31", {"billing": None}, "unverified", id="S31 not said"),
        pytest.param("S36", {}, "unverified", id="S36 no list"),
    ],
)
def test_rules_of_a_server_look_at_its_own_columns(rule, server, severity):
    """Each rule fires at its boundary and not beside it; a missing value is never an answer."""
    assert severity_of(rule, judge(with_server(**server), group_id="group-1")) == severity


@pytest.mark.parametrize("rule", ["S14", "S15", "S16", "S17", "S34"])
def test_families_that_otc_refuses_block_there(rule):
    """Open Telekom Cloud refuses what other sites leave to the service."""
    servers = {
        "S14": {"flavor_id": "d3.xlarge.8"},
        "S15": {"flavor_id": "p2s.large"},
        "S16": {"flavor_id": "kc1.large.2"},
        "S17": {"flavor_id": "c6.large.2"},
        "S34": {"tenancy": "dedicated"},
    }

    assert severity_of(rule, judge(with_server(**servers[rule]), profile="otc")) == "blocker"


@pytest.mark.parametrize(
    ("rule", "flavor"),
    [
        ("S14", {"local_disks": True}),
        ("S15", {"performance_type": "gpu"}),
        ("S16", {"architecture": "arm64"}),
        ("S17", {"generation": "s9"}),
        ("S18", {"infiniband": True}),
        ("S18", {"virtualization": "FusionCompute", "performance_type": "saphana"}),
    ],
)
def test_extra_specs_say_more_than_an_id(rule, flavor):
    """A flavor whose id says nothing is known by its extra specs."""
    assert severity_of(rule, judge(an_inventory(flavors=[a_flavor(**flavor)]))) == "warning"


@pytest.mark.parametrize("profile", ["huaweicloud", "otc"])
def test_flavors_that_were_not_read_leave_the_sale_open(profile):
    """Without the list of flavors nobody knows whether the DR flavor is sold out, which would block (P3)."""
    eligibility = judge(an_inventory(not_loaded=["flavors"]), profile=profile)

    assert severity_of("S19", eligibility) == "unverified"
    assert severity_of("P3", eligibility) == "unverified"
    assert verdict_of(eligibility) == "unknown"


def test_s33_blocks_on_dedicated_hosts():
    """A member of an ECS group cannot go to a dedicated host."""
    eligibility = judge(with_server(ecs_group_id="ecs-group"), options=options(tenancy="dedicated"))

    assert severity_of("S33", eligibility) == "blocker"


def test_s1_is_told_of_a_server_that_is_not_there():
    """A server that was asked for and is not in the inventory is blocked, and has a row."""
    eligibility = judge(server_ids=["stranger"])

    assert severity_of("S1", eligibility, "stranger") == "blocker"
    assert verdict_of(eligibility, "stranger") == "blocked"


@pytest.mark.parametrize("status", ["protected", "error", "deleting", "invalid"])
def test_s4_counts_instances_of_every_group_and_status(status):
    """One instance of any group and status makes a server protected."""
    instance = an_instance(SERVER, group_id="a group elsewhere", status=status)
    eligibility = judge(an_inventory(protected_instances=[instance]))

    assert severity_of("S4", eligibility) == "blocker"
    assert verdict_of(eligibility) == "protected"


def test_s5_never_offers_a_dr_server():
    """The DR server of an instance is no candidate."""
    eligibility = judge(an_inventory(protected_instances=[an_instance("other", target_server_id=SERVER)]))

    assert severity_of("S5", eligibility) == "blocker"
    assert verdict_of(eligibility) == "not a candidate"


def test_s6_never_offers_a_drill_server():
    """A server made by a drill is no candidate."""
    eligibility = judge(an_inventory(drill_servers=[{"server_id": SERVER, "drill_id": "drill-1"}]))

    assert severity_of("S6", eligibility) == "blocker"
    assert verdict_of(eligibility) == "not a candidate"


@pytest.mark.parametrize(
    ("attachments", "s11", "s12"),
    [
        pytest.param([], "blocker", None, id="no volume"),
        pytest.param([an_attachment(SERVER, "v", bootable=True)], None, None, id="system volume"),
        pytest.param([an_attachment(SERVER, "v", bootable=False)], None, "blocker", id="data volume only"),
        pytest.param([an_attachment(SERVER, "v", device="/dev/vda", bootable=None)], None, None, id="root device"),
        pytest.param([an_attachment(SERVER, "v", bootable=None)], None, "unverified", id="not said"),
    ],
)
def test_s11_and_s12_look_for_a_system_volume(attachments, s11, s12):
    """A server needs a volume, and one of them as its system volume."""
    eligibility = judge(an_inventory(attachments=attachments, system_volumes=False))

    assert severity_of("S11", eligibility) == s11
    assert severity_of("S12", eligibility) == s12


@pytest.mark.parametrize(
    ("server", "keys", "fired"),
    [
        pytest.param({"os_type": "Windows", "key_name": "k"}, ["k"], {}, id="Windows, there"),
        pytest.param({"os_type": "Windows", "key_name": "k"}, [], {"S22": "blocker"}, id="Windows, gone"),
        pytest.param({"os_type": "Windows", "key_name": None}, [], {}, id="Windows, password"),
        pytest.param({"os_type": "Linux", "key_name": "k"}, [], {"S24": "notice"}, id="Linux, gone"),
        pytest.param({"os_type": None, "key_name": "k"}, [], {"S22": "unverified"}, id="system not said, gone"),
        pytest.param({"os_type": None, "key_name": "k"}, ["k"], {}, id="system not said, there"),
        pytest.param(
            {"os_type": "Windows", "key_name": "k", "user_id": "user-2"}, ["k"], {"S23": "warning"}, id="another user's"
        ),
    ],
)
def test_key_pairs_matter_to_windows(server, keys, fired):
    """A Windows server needs its key pair; a Linux server only loses sight of it."""
    inventory = an_inventory(servers=[a_server(SERVER, **server)], key_pairs=[a_key_pair(name) for name in keys])
    eligibility = judge(inventory)

    assert {rule: severity_of(rule, eligibility) for rule in ("S22", "S23", "S24")} == {
        "S22": None,
        "S23": None,
        "S24": None,
    } | fired


@pytest.mark.parametrize(
    ("server", "caller", "severity", "said"),
    [
        pytest.param({}, CALLER, None, "", id="made by the caller"),
        pytest.param({"user_id": "user-2"}, CALLER, "warning", "user user-2", id="made by another user"),
        pytest.param({"user_id": None}, CALLER, "unverified", "servers.user_id", id="maker not said"),
        pytest.param({"user_id": "user-2"}, None, "unverified", "about.caller_user_id", id="caller not known"),
        pytest.param({"user_id": None}, None, "unverified", "about.caller_user_id", id="neither known"),
        pytest.param({"user_id": "user-2", "os_type": "Linux"}, CALLER, None, "", id="Linux"),
        pytest.param({"user_id": None, "os_type": "Linux"}, CALLER, None, "", id="Linux, maker not said"),
        pytest.param({"os_type": "Linux"}, None, None, "", id="Linux, caller not known"),
        pytest.param({"user_id": "user-2", "os_type": None}, CALLER, None, "", id="system not said"),
        pytest.param({"user_id": "user-2", "key_name": None}, CALLER, None, "", id="no key pair"),
    ],
)
def test_s23_warns_of_key_pairs_that_may_be_another_users(server, caller, severity, said):
    """Of a Windows server with a key pair that the caller did not make; who is not known is named."""
    row = a_server(SERVER, **{"os_type": "Windows", "key_name": "k", **server})
    found = judge(an_inventory(servers=[row], key_pairs=[a_key_pair("k")], caller_user_id=caller)).findings

    told = found.loc[found["rule"] == "S23", ["severity", "message", "evidence"]].to_numpy().tolist()
    assert [each[0] for each in told] == ([severity] if severity else [])
    assert all(said in message and "key_name=k" in evidence for _severity, message, evidence in told)


def test_s23_concerns_windows_alone_where_key_pairs_of_servers_were_not_read():
    """Whose key pair it is stays open for Windows and for a system that nobody named."""
    servers = [a_server(name or "odd", os_type=name) for name in ("Windows", "Linux", None)]
    inventory = an_inventory(servers=servers, unread={"servers": ["key_name"]})

    found = judge(inventory).by_server().query("rule == 'S23'")

    assert found[["server_id", "severity"]].to_numpy().tolist() == [["Windows", "unverified"], ["odd", "unverified"]]


def test_s23_names_the_key_pair_the_maker_and_the_caller():
    """Who has to protect the server follows from its sentence."""
    row = a_server(SERVER, os_type="Windows", key_name="k", user_id="user-2")
    found = judge(an_inventory(servers=[row], key_pairs=[a_key_pair("k")])).findings

    said = found["message"][found["rule"] == "S23"].iloc[0]
    assert "with key pair k was made by user user-2, not by the caller (user-1)" in said


def test_s23_says_that_key_pairs_were_not_read():
    """Then it names the key pair to look for, whoever made the server, and tells nobody who needs none."""
    servers = [
        a_server("mine", os_type="Windows", key_name="k"),
        a_server("theirs", os_type="Windows", key_name="k", user_id="user-2"),
        a_server("linux", os_type="Linux", key_name="k"),
        a_server("password", os_type="Windows"),
    ]
    found = judge(an_inventory(servers=servers, not_loaded=["key_pairs"])).findings.query("rule == 'S23'")

    assert found["server_id"].tolist() == ["mine", "theirs"]
    assert found["message"].str.contains("key pair k of Windows server .* is not known").all()


def test_key_pairs_that_were_not_read_concern_only_servers_that_need_them():
    """A 403 on key pairs makes Windows servers with a key unknown and leaves the others alone."""
    servers = [
        a_server("windows", os_type="Windows", key_name="k"),
        a_server("linux"),
        a_server("w2", os_type="Windows"),
    ]
    eligibility = judge(an_inventory(servers=servers, not_loaded=["key_pairs"]))

    assert verdict_of(eligibility, "windows") == "unknown"
    assert severity_of("S23", eligibility, "windows") == "warning"
    assert {verdict_of(eligibility, name) for name in ("linux", "w2")} == {"eligible"}


@pytest.mark.parametrize(
    ("configuration", "s25", "s26"), [("as-config", "warning", None), ("", None, "notice"), (None, None, "notice")]
)
def test_scaling_groups_matter_to_what_they_made(configuration, s25, s26):
    """A server that a scaling group made gets a warning, one added by hand a notice."""
    member = a_scaling_instance(SERVER, scaling_configuration_id=configuration)
    eligibility = judge(an_inventory(scaling_instances=[member]))

    assert severity_of("S25", eligibility) == s25
    assert severity_of("S26", eligibility) == s26


def test_scaling_groups_that_were_not_read_are_only_noted():
    """S27 says so, and nothing else changes."""
    eligibility = judge(an_inventory(not_loaded=["scaling_instances"]))

    assert severity_of("S27", eligibility) == "unverified"
    assert severity_of("S25", eligibility) is None
    assert verdict_of(eligibility) == "eligible"


@pytest.mark.parametrize(
    ("rule", "frame"),
    [
        ("S4", "protected_instances"),
        ("S5", "protected_instances"),
        ("S6", "drill_servers"),
        ("S11", "attachments"),
        ("S12", "attachments"),
        ("D1", "volumes"),
        ("D2", "replication_pairs"),
        ("D3", "volumes"),
        ("D6", "volumes"),
        ("D10", "drill_servers"),
        ("H14", "volumes"),
        ("H14", "attachments"),
    ],
)
def test_missing_frames_of_blocking_rules_make_the_verdict_unknown(rule, frame):
    """What could not be read is never taken for good."""
    eligibility = judge(an_inventory(not_loaded=[frame]))

    assert severity_of(rule, eligibility) == "unverified"
    assert verdict_of(eligibility) == "unknown"
