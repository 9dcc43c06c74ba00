"""What ``import sdrs_nb`` offers: every name is there, documented, and where the front door says."""

import inspect

import pytest

import sdrs_nb

FRONT_DOOR = [
    "connect",
    "load_inventory",
    "read_inventory",
    "BatchOptions",
    "check_eligibility",
    "plan_batches",
    "submit",
    "follow",
    "verify",
    "report",
    "list_runs",
    "open_run",
    "resume",
    "Workbench",
    "SdrsError",
    "Approval",
    "Plan",
    "coverage",
]


@pytest.mark.parametrize("name", sdrs_nb.__all__)
def test_every_public_name_exists_and_says_what_it_is(name):
    """Each exported name can be had and has a docstring of its own."""
    thing = getattr(sdrs_nb, name)

    assert inspect.getdoc(thing)


@pytest.mark.parametrize("name", FRONT_DOOR)
def test_the_front_door_stands_open(name):
    """The names that users, runbooks and checks call are exported."""
    assert name in sdrs_nb.__all__


def test_an_unknown_name_is_an_attribute_error():
    """A misspelt name fails as it does in any module."""
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = sdrs_nb.no_such_name
