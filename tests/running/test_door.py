"""Right before a batch is sent, its facts are read again and judged by the rules."""

import pandas as pd
import pytest

import sdrs_nb
from sdrs_nb.running.door import DOOR_RULES, Door
from sdrs_nb.running.endings import Owned
from sdrs_nb.running.ownership import Ownership, Whose
from tests.builders_running import CREATE, control, creates, creations, faults, submit_and_follow

pytest_plugins = ["tests.running_fixtures"]


def first_server(sandbox, plan):
    """The sandbox's own record of the first planned server."""
    return sandbox.service.world.servers[plan.batches[0].server_ids[0]]


def ruin(world, server, how):
    """Change one fact about a server behind the plan's back."""
    server.document = None
    volume = world.volumes[server.volumes[0][0]]
    volume.document = None
    match how:
        case "S7":
            server.status = "ERROR"
        case "S9":
            server.locked = True
        case "S10":
            server.frozen = True
        case "S1":
            del world.servers[server.id]
            world._server_order = None
        case "D1":
            volume.encrypted = True
        case "H3":
            other = next(s for s in world.servers.values() if s.id != server.id and s.vpc_id == server.vpc_id)
            volume.multiattach = True
            world.attach(other, volume, "/dev/vdz", "9")


@pytest.mark.parametrize("rule", ["S7", "S9", "S10", "S1", "D1", "H3"])
async def test_a_changed_fact_holds_its_batch_and_not_the_run(sandbox, cloud, plan, ledger, cloud_time, rule):
    """Server state, locks, existence, volumes and their owners: the batch stops with the rule's words, others go."""
    server = first_server(sandbox, plan)
    ruin(sandbox.service.world, server, rule)

    run = await submit_and_follow(cloud, plan, ledger, cloud_time)

    held = run.batches[run.batches["state"].eq("held")]
    assert held["batch_id"].tolist() == [plan.batches[0].batch_id]
    assert "Facts changed since the plan was made" in held["reason"].iloc[0]
    assert server.id in held["reason"].iloc[0] + "".join(run.servers["message"])
    assert len(await creations(sandbox)) == 9
    assert not [1 for status, _handled in await creates(sandbox) if status == 400]
    assert len(run.remainder) == 3


async def test_a_server_protected_meanwhile_holds_its_batch(sandbox, cloud, plan, ledger, cloud_time):
    """Somebody else protected a planned server since: its batch is held, and says by which rule of the service."""
    alone = sdrs_nb.check_eligibility(await sdrs_nb.load_inventory(cloud), server_ids=[plan.batches[0].server_ids[1]])
    await submit_and_follow(cloud, sdrs_nb.plan_batches(alone, name_prefix="rival"), ledger, cloud_time)

    run = await submit_and_follow(cloud, plan, ledger, cloud_time)

    assert run.batches["state"].value_counts().to_dict() == {"ended": 3, "held": 1}
    assert set((await creations(sandbox)).values()) == {1}


async def test_a_passing_group_status_is_waited_for_when_asked(sandbox, cloud, plan, carried_out, cloud_time):
    """With group_wait_s a group that is stopping is given that time before its batch is held."""
    group = sandbox.service.world.groups[plan.batches[0].group_id]
    before, group.status = group.status, "stopping"
    sandbox.service.world.at(sandbox.service.clock.now() + 120, lambda _at: setattr(group, "status", before))

    run = await carried_out(group_wait_s=600)

    assert set(run.servers["stage"]) <= {"created", "protected", "in sync"}


async def test_a_refusal_names_the_likely_server_and_offers_the_rest(sandbox, cloud, plan, ledger, cloud_time):
    """The service names a code and no server; the rules that carry it do, and the others may be planned again."""
    culprit = first_server(sandbox, plan)

    def refuse():
        # After the re-check and before the POST is handled: the sandbox refuses with SDRS.1333.
        culprit.status, culprit.document = "ERROR", None

    late_to_the_door(sandbox, culprit.id, refuse)
    run = await submit_and_follow(cloud, plan, ledger, cloud_time)

    servers = run.servers.set_index("server_id")
    refused = run.batches[run.batches["state"].eq("refused")]
    assert refused["batch_id"].tolist() == [plan.batches[0].batch_id]
    assert culprit.id in refused["reason"].iloc[0]
    assert servers.loc[culprit.id, ["stage", "error_code"]].tolist() == ["failed", "SDRS.1333"]
    assert set(run.remainder["server_id"]) == set(plan.batches[0].server_ids) - {culprit.id}


def late_to_the_door(sandbox, server_id, change):
    """Make a change when the create that names this server arrives, after its re-check."""
    service, answer = sandbox.service, sandbox.service.answer

    def answering(request, effects, logged):
        if request.raw_path.endswith("/protected-instances/batch") and server_id.encode() in request.body:
            service.answer = answer
            change()
        return answer(request, effects, logged)

    service.answer = answering


async def test_a_refusal_that_no_rule_explains_fails_the_batch_with_the_services_words(
    sandbox, cloud, plan, ledger, cloud_time
):
    """Where no rule carries the code every server is failed with it, and the message says that nobody can tell."""
    body = {"error": {"code": "SDRS.9999", "message": "something of tomorrow"}}
    await faults(sandbox, {"match": CREATE, "kind": "status", "status": 400, "body": body})

    run = await submit_and_follow(cloud, plan, ledger, cloud_time)

    failed = run.servers[run.servers["stage"].eq("failed")]
    assert len(failed) == 3
    assert set(failed["error_code"]) == {"SDRS.9999"}
    assert failed["message"].str.contains("something of tomorrow").all()
    assert run.remainder.empty


async def test_the_rules_at_the_door_are_kept_with_the_run(sandbox, cloud, plan, ledger, cloud_time):
    """Findings of the moment of sending can be read on any day."""
    run = await submit_and_follow(cloud, plan, ledger, cloud_time)

    findings = run.findings
    assert set(findings["origin"]) == {"door"}
    assert set(findings["server_id"].dropna()) <= set(run.servers["server_id"])
    assert not findings[findings["rule"].isin(DOOR_RULES)]["severity"].eq("blocker").any()


async def test_groups_share_a_read_of_stated_freshness(sandbox, plan, carried_out):
    """Within the stated age one list of the project serves several re-checks; with age 0 each reads its own."""
    await carried_out(fresh_s=100_000, fresh_project_s=100_000)
    requests = await control(sandbox, "GET", "requests")

    pairs = [r for r in requests if r["path"].endswith("/replications")]
    assert len(pairs) == 2  # one of the plan's own inventory, one for all four batches


@pytest.mark.parametrize(("whose", "is_taken"), [(Whose.MADE, False), (Whose.ADOPTED, False), (Whose.OTHERS, True)])
def test_only_what_others_made_is_told_as_taken(whose, is_taken):
    """An instance of this run that the door sees is one that came late, and nobody's but ours."""
    found = {"s1": Owned({"id": "i1", "name": "erp", "status": "available"}, Ownership(whose, "a proof"))}

    row = Door(pd.DataFrame(), found=found).taken_row("s1")

    assert (row is not None) is is_taken
