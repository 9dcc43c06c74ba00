import pytest

from sdrs_nb.rulebook import PROFILES
from tests.builders import a_pair, a_server, a_volume, an_attachment, an_inventory
from tests.eligibility.judged import SERVER, judge, severity_of, with_volume


@pytest.mark.parametrize(
    ("rule", "volume", "severity"),
    [
        pytest.param("D1", {"encrypted": True}, "blocker", id="D1 encrypted"),
        pytest.param("D1", {"encrypted": False}, None, id="D1 plain"),
        pytest.param("D1", {"encrypted": None}, "unverified", id="D1 not said"),
        pytest.param("D4", {"status": "in-use"}, None, id="D4 in use"),
        pytest.param("D4", {"status": "extending"}, "warning", id="D4 extending"),
        pytest.param("D4", {"status": "available"}, "warning", id="D4 attached to nothing, says EVS"),
        pytest.param("D4", {"status": "error_extending"}, "blocker", id="D4 error"),
        pytest.param("D4", {"status": None}, "unverified", id="D4 not said"),
        pytest.param("D6", {"az": "az-1"}, None, id="D6 production AZ"),
        pytest.param("D6", {"az": "az-2"}, "blocker", id="D6 other AZ"),
        pytest.param("D6", {"az": None}, "unverified", id="D6 not said"),
        pytest.param("D7", {"volume_type": "SAS"}, None, id="D7 named"),
        pytest.param("D7", {"volume_type": "GPSSD"}, "warning", id="D7 not named"),
        pytest.param("D7", {"volume_type": "ESSD"}, "warning", id="D7 extreme"),
        pytest.param("D7", {"volume_type": None}, "unverified", id="D7 not said"),
        pytest.param("D8", {"billing": "yearly/monthly"}, "warning", id="D8"),
        pytest.param("D8", {}, None, id="D8 on demand"),
        pytest.param("D9", {"service_type": "DSS"}, "notice", id="D9 DSS"),
        pytest.param("D9", {"service_type": "DESS"}, "warning", id="D9 DESS"),
        pytest.param("D9", {}, None, id="D9 EVS"),
        pytest.param("D11", {}, "notice", id="D11"),
        pytest.param("D12", {"size_gib": 1024 - 40}, "notice", id="D12 a TiB with the system volume"),
        pytest.param("D12", {"size_gib": 1023 - 40}, None, id="D12 less than a TiB"),
        pytest.param("D13", {"frozen": True}, "blocker", id="D13 frozen"),
        pytest.param("D13", {"frozen": False}, None, id="D13 not frozen"),
        pytest.param("D13", {"frozen": None}, None, id="D13 no mark where marks were read"),
        pytest.param("H2", {"multiattach": True}, "notice", id="H2 shared, one owner"),
        pytest.param("H2", {"multiattach": False}, None, id="H2 not shared"),
        pytest.param("H14", {"multiattach": None}, "unverified", id="H14 not said"),
        pytest.param("H15", {"multiattach": True}, "notice", id="H15 taken here"),
        pytest.param("H15", {"multiattach": False}, None, id="H15 not shared"),
    ],
)
def test_rules_of_a_volume_look_at_its_own_columns(rule, volume, severity):
    """Each rule fires at its boundary and not beside it; a missing value is never an answer."""
    assert severity_of(rule, judge(with_volume(**volume))) == severity


@pytest.mark.parametrize("name", ["data-1", f"system-of-{SERVER}"])
def test_d13_names_the_frozen_volume_and_the_services_code(name):
    """System or data volume: the operator reads which one, and the code that the service would answer with."""
    inventory = with_volume()
    volumes = inventory.volumes
    volumes["frozen"] = volumes["volume_id"] == name

    eligibility = judge(inventory.with_frame("volumes", volumes))

    found = eligibility.findings_of(SERVER).set_index("rule").loc["D13"]
    assert found["sdrs_code"] == "SDRS.0225"
    assert f"name of {name}" in found["message"]
    assert eligibility.verdicts["verdict"].tolist() == ["blocked"]


def test_extreme_ssd_blocks_at_otc():
    """Open Telekom Cloud refuses extreme SSD."""
    assert severity_of("D7", judge(with_volume(volume_type="ESSD"), profile="otc")) == "blocker"


@pytest.mark.parametrize(("profile", "severity"), [("huaweicloud-2025", "blocker"), ("otc", "blocker")])
def test_h15_blocks_shared_volumes_where_a_site_refuses_them(profile, severity):
    """The newest mainland page and Open Telekom Cloud take no shared volumes."""
    assert severity_of("H15", judge(with_volume(multiattach=True), profile=profile)) == severity


@pytest.mark.parametrize("profile", PROFILES)
def test_where_pages_disagree_the_finding_names_both_sides_and_who_decides(profile):
    """Dates tell which page is newer; the profile tells which one counts."""
    message = judge(with_volume(multiattach=True), profile=profile).findings.query("rule == 'H15'")["message"].iloc[0]

    assert "the customer's document" in message
    assert "Swiss" in message
    assert "2025-11-26" in message
    assert f"profile {profile} decides: {'taken' if profile == 'huaweicloud' else 'refused'}." in message


@pytest.mark.parametrize(
    ("status", "severity"),
    [
        ("in-use", None),
        ("backing-up", "warning"),
        ("available", "warning"),
        ("error", "blocker"),
        (None, "unverified"),
    ],
)
def test_d3_looks_at_the_system_volume_alone(status, severity):
    """The system volume in error blocks; D4 says nothing of it."""
    inventory = an_inventory(
        system_volumes=False,
        volumes=[a_volume("system", status=status)],
        attachments=[an_attachment(SERVER, "system", bootable=True)],
    )
    eligibility = judge(inventory)

    assert severity_of("D3", eligibility) == severity
    assert severity_of("D4", eligibility) is None


@pytest.mark.parametrize("status", ["available", "error", None])
def test_d3_says_nothing_of_data_volumes(status):
    """Those are D4's."""
    assert severity_of("D3", judge(with_volume(status=status))) is None


@pytest.mark.parametrize("status", ["available", "error_extending"])
def test_a_volume_that_is_not_in_use_is_named_with_its_status(status):
    """The operator reads which volume it is and what the cloud says of it."""
    found = judge(with_volume(status=status)).findings

    assert f"name of data-1 ({status})" in found["message"][found["rule"] == "D4"].iloc[0]


def test_a_volume_whose_status_nobody_said_is_named_with_the_fact():
    """The operator reads which volume it is and which column to fill in."""
    found = judge(with_volume(status=None)).findings.query("rule == 'D4'")

    assert "does not tell volumes.status" in found["message"].iloc[0]
    assert found["evidence"].tolist() == ["volumes=name of data-1 (data-1)"]


@pytest.mark.parametrize(
    ("pair", "severity"),
    [
        pytest.param(a_pair("data-1", "copy"), "blocker", id="first of the two"),
        pytest.param(a_pair("copy", "data-1"), "blocker", id="second of the two"),
        pytest.param(a_pair("copy", " data-1"), "blocker", id="with a space"),
        pytest.param(a_pair("data-10", "copy"), None, id="a longer id"),
    ],
)
def test_d2_finds_a_volume_on_either_side_of_a_pair(pair, severity):
    """Which volume of a pair is production is not said, so both count."""
    assert severity_of("D2", judge(with_volume({"replication_pairs": [pair]}))) == severity


def test_d5_does_not_know_a_volume_that_evs_does_not_list():
    """An attached volume without a row of its own makes the verdict unknown."""
    inventory = an_inventory(attachments=[an_attachment(SERVER, "hidden")])
    eligibility = judge(inventory)

    assert severity_of("D5", eligibility) == "unverified"
    assert eligibility.verdicts["verdict"].tolist() == ["unknown"]


def test_d10_finds_a_volume_of_a_drill():
    """A volume that hangs on a drill server as well blocks its other owner."""
    inventory = an_inventory(
        servers=[a_server(SERVER), a_server("drill")],
        volumes=[a_volume("data-1", multiattach=True)],
        attachments=[an_attachment(SERVER, "data-1"), an_attachment("drill", "data-1")],
        drill_servers=[{"server_id": "drill", "drill_id": "drill-1"}],
    )
    eligibility = judge(inventory)

    assert severity_of("D10", eligibility) == "blocker"
    assert severity_of("H11", eligibility) == "blocker"


def test_one_finding_names_every_volume_concerned():
    """A rule fires once a server, however many volumes are concerned."""
    volumes = [a_volume(name, encrypted=True) for name in ("b", "a")]
    inventory = an_inventory(volumes=volumes, attachments=[an_attachment(SERVER, name) for name in ("a", "b")])
    found = judge(inventory).findings

    assert found["evidence"][found["rule"] == "D1"].tolist() == ["volumes=name of a (a),name of b (b)"]
