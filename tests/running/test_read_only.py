"""A connection that reads only sends nothing else, and nothing is written down that could never be sent."""

import asyncio
import inspect

import pytest

import sdrs_nb
from sdrs_nb.cloud.sdrs import Sdrs
from sdrs_nb.running.runs import list_runs
from sdrs_nb.running.walk import walk_of
from tests.builders_running import connected_to, submit_and_follow

pytest_plugins = ["tests.running_fixtures"]

#: Every call of the service that changes something, by what it is called with.
WRITES = {
    "batch_create": (b"{}",),
    "create_protected_instance": (b"{}",),
    "protected_instances_batch_delete": (b"{}",),
    "delete_protected_instance": ("an-instance", b"{}"),
    "create_group": ({"server_group": {}},),
    "group_action": ("a-group", {"start-server-group": {}}),
}


@pytest.fixture(params=["access key", "password"])
async def reading(request, sandbox):
    """A connection that reads only, signing or with a token of its own."""
    async with connected_to(sandbox, kind=request.param, read_only=True) as cloud:
        yield cloud


def changes(sandbox):
    """Every request that was no read, but for a token."""
    sent = [(one["method"], one["path"]) for one in sandbox.service.log.documents()]
    return [one for one in sent if one[0] not in {"GET", "HEAD"} and one != ("POST", "/v3/auth/tokens")]


@pytest.mark.parametrize("call", WRITES)
async def test_no_call_that_changes_something_leaves(reading, sandbox, call):
    """Each is refused before it is signed; the sentence names it."""
    with pytest.raises(sdrs_nb.ReadOnlyError, match=r"reads only.*Nothing was sent"):
        await getattr(reading.sdrs, call)(*WRITES[call])

    assert changes(sandbox) == []


def test_these_are_all_the_calls_that_change_something():
    """A method of the service that sends a body is in the table above."""
    public = {name: method for name, method in vars(Sdrs).items() if inspect.isfunction(method) and name[0] != "_"}
    sending = {name for name, method in public.items() if {"_start", "start_job"} & {*method.__code__.co_names}}
    assert sending == set(WRITES)


async def test_everything_can_be_read_checked_and_planned(reading, sandbox):
    """Loading, checking, planning and coverage need no more."""
    inventory = await sdrs_nb.load_inventory(reading)
    plan = sdrs_nb.plan_batches(sdrs_nb.check_eligibility(inventory), name_prefix="erp")
    await sdrs_nb.coverage(reading, inventory=inventory)

    assert plan.batches
    assert changes(sandbox) == []


async def test_nothing_is_submitted_and_nothing_recorded(reading, plan, sandbox, ledger):
    """A run that could never be sent is none."""
    with pytest.raises(sdrs_nb.ReadOnlyError, match="reads only"):
        await sdrs_nb.submit(reading, plan, approve=plan.fingerprint, ledger=ledger)

    assert list_runs(ledger).empty
    assert changes(sandbox) == []


async def test_a_run_is_verified_but_not_carried_on(cloud, reading, plan, sandbox, ledger, cloud_time):
    """What is done is looked at; what would send something is refused, and the ledger says what it said."""
    run = await submit_and_follow(cloud, plan, ledger, cloud_time)
    sent, made = changes(sandbox), len(run.servers)

    for call in (sdrs_nb.resume, sdrs_nb.enable_protection):
        with pytest.raises(sdrs_nb.ReadOnlyError, match="reads only"):
            await call(reading, run)
    outcome = await sdrs_nb.verify(reading, run)

    assert set(outcome["stage"]) <= {"created", "protected", "in sync"}
    assert (changes(sandbox), len(outcome)) == (sent, made)


async def test_an_unfinished_run_is_not_carried_on(cloud, reading, plan, sandbox, ledger, cloud_time):
    """Following it would send the rest."""
    run = await sdrs_nb.submit(cloud, plan, approve=plan.fingerprint, ledger=ledger, sleep=cloud_time.sleep)
    run.pause()
    await asyncio.wrap_future(walk_of(ledger, run.run_id).done)
    sent = changes(sandbox)

    with pytest.raises(sdrs_nb.ReadOnlyError, match="reads only"):
        await sdrs_nb.follow(reading, run, sleep=cloud_time.sleep)

    assert changes(sandbox) == sent
