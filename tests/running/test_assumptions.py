"""What runs see of the assumptions: exactly the one that the sandbox plays otherwise, and nothing of the others."""

import pytest

import sdrs_nb
from sdrs_nb.ledger.ledger import Ledger
from sdrs_nb.sandbox import Sandbox
from sdrs_nb.sandbox.settings import Settings
from sdrs_nb.sandbox.switches import SWITCHES, assume
from tests.builders_running import CREATE, CloudTime, connected_to, faults

#: What a run sees without reading anything for it; the others need the DR servers and pairs, which a pilot reads.
BY_RUNS = ("numbering", "sub_job_order", "sub_job_shape", "list_fields", "instance_state")
#: What only a server that fails can show.
BY_FAILURES = ("parent_end", "failed_instance")
OTHERWISE = [(name, answer) for name in (*BY_RUNS, *BY_FAILURES) for answer in [*SWITCHES[name].answers][1:]]


async def a_run(tmp_path, *assumed, failing=None):
    """A run of eight servers to its end, on a sandbox that plays `assumed`."""
    sandbox = Sandbox(servers=40, seed=7, speed=0, settings=assume(Settings(), assumed))
    if failing:
        await faults(sandbox, {"match": CREATE, "kind": "fail_subjob", "n": failing, "times": 1})
    time = CloudTime(sandbox)
    async with connected_to(sandbox) as cloud:
        eligibility = sdrs_nb.check_eligibility(await sdrs_nb.load_inventory(cloud))
        ready = eligibility.verdicts[eligibility.verdicts["verdict"].isin(["eligible", "warning"])]
        chosen = ready["server_id"].head(8).tolist()
        eligibility = sdrs_nb.check_eligibility(eligibility.inventory, server_ids=chosen)
        plan = sdrs_nb.plan_batches(eligibility, name_prefix="erp")
        ledger = Ledger(tmp_path / "ledger.db", clock=time.clock)
        run = await sdrs_nb.submit(cloud, plan, approve=plan.fingerprint, ledger=ledger, sleep=time.sleep)
        return await sdrs_nb.follow(cloud, run, sleep=time.sleep)


def seen(run, word):
    """The assumptions of which the run saw that."""
    table = sdrs_nb.assumptions(run, alone=True)
    return set(table["id"][table["seen"].eq(word)])


async def test_a_cloud_that_does_as_assumed_contradicts_nothing(tmp_path):
    """And confirms what a run can see."""
    run = await a_run(tmp_path)

    assert seen(run, "contradicted") == set()
    assert seen(run, "confirmed") >= {*BY_RUNS, "parent_end", "batch_calls", "time_zone", "job_limit"}
    assert run.contradictions == []


@pytest.mark.parametrize(("name", "answer"), OTHERWISE, ids=[f"{name}={answer}" for name, answer in OTHERWISE])
async def test_a_run_sees_exactly_what_the_cloud_does_otherwise(tmp_path, name, answer):
    """The outcome stays right whatever is contradicted, and the operator is told what it touches."""
    run = await a_run(tmp_path, f"{name}={answer}", failing=2 if name in BY_FAILURES else None)

    assert seen(run, "contradicted") == {name}
    assert set(run.servers["stage"]) <= {"created", "protected", "in sync", "failed"}
    assert ("failed" in set(run.servers["stage"])) is (name in BY_FAILURES)
    (sentence,) = run.contradictions
    assert f"({name})" in sentence
    assert "It touches: " in sentence
    kinds = run.events["kind"].tolist()
    assert kinds.count("assumption contradicted") == 1


async def test_what_one_run_saw_is_known_of_its_cloud(tmp_path):
    """Contradicted wins over confirmed, and a ledger without runs has seen nothing."""
    empty = Ledger(tmp_path / "empty.db")
    before = sdrs_nb.assumptions(ledger=empty)
    run = await a_run(tmp_path, "numbering=from_zero")

    assert set(before["seen"]) == {"not seen"}
    row = sdrs_nb.assumptions(ledger=run.ledger).set_index("id").loc["numbering"]
    assert row["seen"] == "contradicted"
    assert row["run_id"] == run.run_id
    assert "-0000 in place of " in row["detail"]
