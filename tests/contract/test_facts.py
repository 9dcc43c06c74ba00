"""Single sentences of the eligibility facts, each held against the package in the smallest estate that shows it."""

from typing import Any

import pytest

from tests.opinions.comparison import of_package
from tests.random_estates import RandomEstate, sound_estate

HOST = {"tenancy": "dedicated", "dedicated_host_id": "host-az-2"}
POOL = {"cluster_id": "pool-az-2"}


def _verdict(estate: RandomEstate) -> str:
    return of_package(estate)["server-1"].verdict


def _set(estate: RandomEstate, frame: str, **cells: Any) -> None:
    for row in estate.frames[frame]:
        row.update(cells)


@pytest.mark.parametrize("groups", [1, 2])
def test_nothing_speaks_against_a_sound_estate(groups):
    """Every case below changes one thing in this estate."""
    assert _verdict(sound_estate(groups=groups)) == "eligible"


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize(
    ("options", "frame", "column"), [(HOST, "dedicated_hosts", "state"), (POOL, "storage_pools", "status")]
)
def test_a_state_that_was_not_read_is_unknown(groups, options, frame, column):
    """P6, P10: "A rule whose data was not loaded gives unverified"; a state nobody read is not a bad state."""
    estate = sound_estate(groups=groups)
    estate.options = options
    estate.unread = {frame: {column}}
    _set(estate, frame, **{column: None})

    assert _verdict(estate) == "unknown"


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("what", ["G3", "G10", "G11", "P8"])
def test_a_warning_of_a_group_or_request_leaves_verdicts_alone(groups, what):
    """A W that is the same for every server of a group "leaves the server's verdict alone"; G* and P* are named."""
    estate = sound_estate(groups=groups)
    if what == "G3":
        _set(estate, "groups", priority_station="target", production_az="az-2", dr_az="az-1")
        _set(estate, "servers", az="az-2")
        _set(estate, "volumes", az="az-2")
    elif what == "G10":
        _set(estate, "domains", local_az="az-3")
    elif what == "G11":
        one = {"name": "one", "source_server_id": "elsewhere", "target_server_id": "there", "status": "fault"}
        estate.frames["protected_instances"] = [
            {"protected_instance_id": group["group_id"], "group_id": group["group_id"], **one}
            for group in estate.frames["groups"]
        ]
    else:
        estate.options = {"tenancy": "dedicated"}
        _set(estate, "dedicated_hosts", auto_placement=False)

    assert _verdict(estate) == "eligible"


@pytest.mark.parametrize(
    ("options", "profile"),
    [
        ({"description": "x" * 65}, "huaweicloud"),
        ({"tags": {"owner": "a/b"}}, "huaweicloud"),
        ({"dedicated_host_id": "host-az-2"}, "huaweicloud"),
        ({"tenancy": "dedicated"}, "otc"),
        (POOL, "otc"),
    ],
    ids=["Q4", "Q6", "Q8", "P9", "P13"],
)
def test_a_blocker_of_the_request_counts_for_every_server(options, profile):
    """A B of the request, too, "counts for every server it stops"."""
    estate = sound_estate(profile=profile)
    estate.options = options

    assert _verdict(estate) == "blocked"


def test_a_vpc_of_groups_that_was_not_read_is_unknown():
    """S3: "an absent column is unread, not empty", so no group can be said to be of another VPC."""
    estate = sound_estate()
    estate.unread = {"groups": {"vpc_id"}}

    assert _verdict(estate) == "unknown"


def test_a_subnet_whose_vpc_is_not_known_is_unknown():
    """P4: a subnet that is listed without its VPC is not said to be of another."""
    estate = sound_estate()
    estate.options = {"primary_subnet_id": "subnet-of-vpc-1"}
    _set(estate, "subnets", vpc_id=None)

    assert _verdict(estate) == "unknown"


def test_an_owner_that_part_of_a_list_lacks_is_unknown():
    """H8: of a list of servers that is partial, nothing is missing."""
    estate = sound_estate()
    estate.states["servers"] = "partial"
    attachment = estate.frames["attachments"][0]
    estate.frames["attachments"] = [attachment, attachment | {"server_id": "hidden", "device": "/dev/vdx"}]

    assert _verdict(estate) == "unknown"
