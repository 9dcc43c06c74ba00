"""A tape played back: the same answers, without network, without waiting, and nothing made up."""

import asyncio
import json
import os
import socket
import time

import pandas as pd
import pytest

import sdrs_nb
from sdrs_nb.cloud.pseudonyms import Pseudonyms
from sdrs_nb.cloud.tape import tape_key
from sdrs_nb.cloud.tape_reading import read_tape
from sdrs_nb.errors import NotOnTapeError, SettingsError
from sdrs_nb.ledger.ledger import Ledger
from sdrs_nb.sandbox import Sandbox
from tests.builders_cloud import PlayedCloud, an_error
from tests.builders_running import CREATE, CloudTime, connected_to
from tests.tapes import FOLDER, REFUSED, job, recorded

#: Columns of an outcome whose values are the operator's; the others are words of ours and of the service.
NAMED = ["server_id", "name", "group_id", "job_id", "protected_instance_id", "dr_server_id"]


def as_recorded(outcome):
    """An outcome as its tape shows it: ids and names as pseudonyms; sentences, which hold them, word by word."""
    made = Pseudonyms(tape_key())
    named = outcome.assign(**{name: outcome[name].map(made.text, na_action="ignore") for name in NAMED})
    return named.sort_values("server_id", ignore_index=True).drop(columns=["message", "proof"])


def played(outcome):
    """The outcome of a replay, to be compared with ``as_recorded``."""
    return outcome.sort_values("server_id", ignore_index=True).drop(columns=["message", "proof"])


@pytest.fixture
def no_network(monkeypatch):
    """Whoever opens a connection fails."""

    def refuse(*_args):
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)


LOST = {"match": CREATE, "kind": "lost_answer", "times": 1}
TROUBLE = [
    {"match": "GET *", "kind": "throttle", "times": 3, "after": 4, "limit": 1000},
    {"match": "GET *", "kind": "status", "status": 503, "times": 2, "after": 9},
    {"match": "GET *", "kind": "reset", "times": 2, "after": 15},
]
FAILING = {"match": CREATE, "kind": "fail_subjob", "n": 2, "code": "SDRS.1306"}
RUNS = {
    "a run that goes well": ("access key", []),
    "a run with a password": ("password", []),
    "a create that is refused": ("access key", [REFUSED]),
    "an answer that is lost": ("access key", [LOST]),
    "a server that fails": ("access key", [FAILING]),
    "a service in trouble": ("access key", TROUBLE),
}


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "wanted"), RUNS.values(), ids=RUNS)
async def test_a_whole_run_replayed_has_the_same_outcome(tmp_path, no_network, kind, wanted):
    """Load, check, plan, submit, follow, verify: recorded, then played back by the same calls."""
    before = await recorded(tmp_path / "t", tmp_path / "one.db", *wanted, kind=kind, servers=30)

    async with sdrs_nb.connect(tape=tmp_path / "t") as cloud:
        after = await job(cloud, Ledger(tmp_path / "two.db"))

    pd.testing.assert_frame_equal(played(after.outcome), as_recorded(before.outcome))
    assert len(after.plan.batches) == len(before.plan.batches)
    assert [each.name_prefix for each in after.plan.batches] == [each.name_prefix for each in before.plan.batches]


@pytest.mark.slow
async def test_an_undo_is_played_back_too(tmp_path, no_network):
    """What the run made is deleted in the requests that were recorded."""

    async def undone(cloud, ledger, sleep=None):
        plan = sdrs_nb.plan_batches(sdrs_nb.check_eligibility(await sdrs_nb.load_inventory(cloud)), name_prefix="erp")
        run = await sdrs_nb.submit(cloud, plan, approve=plan.fingerprint, ledger=ledger, sleep=sleep)
        await sdrs_nb.follow(cloud, run, sleep=sleep)
        undo = sdrs_nb.plan_undo(run, await sdrs_nb.load_inventory(cloud))
        back = await sdrs_nb.submit(cloud, undo, approve=undo.fingerprint, ledger=ledger, sleep=sleep)
        await sdrs_nb.follow(cloud, back, sleep=sleep)
        return await sdrs_nb.verify(cloud, back)

    sandbox = Sandbox(servers=40, seed=7, speed=0)
    cloud_time = CloudTime(sandbox)
    async with connected_to(sandbox, record=tmp_path / "t") as cloud:
        before = await undone(cloud, Ledger(tmp_path / "a.db", clock=cloud_time.clock), cloud_time.sleep)
    async with sdrs_nb.connect(tape=tmp_path / "t") as cloud:
        after = await undone(cloud, Ledger(tmp_path / "b.db"))

    assert set(before["stage"]) == {"deleted"}
    assert len(before) > 10
    same = ["server_id", "name", "group_id", "batch_id", "stage"]
    pd.testing.assert_frame_equal(played(after)[same], as_recorded(before)[same])


@pytest.mark.slow
async def test_rules_judge_a_tape_as_they_judged_the_cloud(tmp_path):
    """Every server has the verdict and the findings it had; what the rules read is not lost."""
    sandbox = Sandbox(servers=120, seed=7, speed=0)
    async with connected_to(sandbox, record=tmp_path / "t") as cloud:
        before = sdrs_nb.check_eligibility(await sdrs_nb.load_inventory(cloud))
    async with sdrs_nb.connect(tape=tmp_path / "t") as cloud:
        after = sdrs_nb.check_eligibility(await sdrs_nb.load_inventory(cloud))

    made = Pseudonyms(tape_key())
    told = ["rule", "severity"]
    one = before.findings.assign(server_id=before.findings["server_id"].map(made.text, na_action="ignore"))
    two = after.findings
    assert sorted(one[["server_id", *told]].fillna("").itertuples(index=False, name=None)) == sorted(
        two[["server_id", *told]].fillna("").itertuples(index=False, name=None)
    )
    verdicts = before.verdicts.set_index(before.verdicts["server_id"].map(made.text))["verdict"].sort_index()
    assert verdicts.tolist() == after.verdicts.set_index("server_id")["verdict"].sort_index().tolist()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "stages"), {"run": {"created": 8}, "refusal": {"created": 5, "failed": 3}}.items())
async def test_kept_tapes_still_end_as_they_did(tmp_path, no_network, name, stages):
    """Those of ``tests/data/tapes``: whoever changes what is asked for, or how it is read, sees it here."""
    async with sdrs_nb.connect(tape=FOLDER / name) as cloud:
        done = await job(cloud, Ledger(tmp_path / "l.db"))

    assert done.outcome["stage"].value_counts().to_dict() == stages


async def test_a_kept_tape_of_an_estate_loads(no_network):
    """Twelve servers with what belongs to them; every frame that was asked for is loaded."""
    async with sdrs_nb.connect(tape=FOLDER / "load") as cloud:
        inventory = await sdrs_nb.load_inventory(cloud)

    assert len(inventory.servers) == 12
    assert set(inventory.sources["state"]) <= {"loaded", "not asked"}


async def test_the_same_request_gets_the_next_answer_and_the_last_one_repeats(tmp_path):
    """Reads alone: what was refused and then taken is refused and then taken again."""
    served = PlayedCloud({"GET /v1/P/vpcs": [{"vpcs": []}, {"vpcs": [{"id": "v1"}]}, an_error(400, "VPC.0101")]})
    async with served.connect(record=tmp_path / "t") as cloud:
        await cloud.vpc.vpcs()
        await cloud.vpc.vpcs()
        with pytest.raises(sdrs_nb.CloudError):
            await cloud.vpc.vpcs()

    async with sdrs_nb.connect(tape=tmp_path / "t") as cloud:
        counts = [len(await cloud.vpc.vpcs()), len(await cloud.vpc.vpcs())]
        for _again in range(2):
            with pytest.raises(sdrs_nb.CloudError, match=r"VPC\.0101"):
                await cloud.vpc.vpcs()
    assert counts == [0, 1]


async def test_what_is_not_on_the_tape_is_a_sentence(tmp_path):
    """A read that was never made; a create that was made with other servers."""
    async with sdrs_nb.connect(tape=FOLDER / "load") as cloud:
        with pytest.raises(NotOnTapeError, match="No request to this path is there"):
            await cloud.sdrs.job("j" * 32)
        with pytest.raises(NotOnTapeError, match="is not on the tape"):
            await cloud.sdrs.batch_create(b'{"protected_instances": {"servers": []}}')


async def test_another_create_is_not_taken_for_the_recorded_one(tmp_path):
    """Its prefix may be another than on the tape; its servers may not, and it is taken as often as it was recorded."""
    bodies = [line.body["json"] for line in read_tape(FOLDER / "run").exchanges if line.path.endswith("/batch")]
    fewer = json.loads(json.dumps(bodies[0]))
    del fewer["protected_instances"]["servers"][0]
    renamed = json.loads(json.dumps(bodies[0]))
    renamed["protected_instances"]["name_prefix"] = "mine"

    async with sdrs_nb.connect(tape=FOLDER / "run") as cloud:
        with pytest.raises(NotOnTapeError):
            await cloud.sdrs.batch_create(json.dumps(fewer).encode())
        assert await cloud.sdrs.batch_create(json.dumps(renamed).encode())
        with pytest.raises(NotOnTapeError, match="made 1 times"):
            await cloud.sdrs.batch_create(json.dumps(renamed).encode())


async def test_the_clock_of_a_replay_is_the_tapes(tmp_path):
    """The cloud's time is that of the recorded answers, and stands still between them."""
    async with sdrs_nb.connect(tape=FOLDER / "run") as cloud:
        await sdrs_nb.load_inventory(cloud)
        first = cloud.clock.now()
        await asyncio.sleep(0.05)

        assert cloud.clock.now() == first
        assert first.year == 2026
        assert first.month == 3


@pytest.mark.slow
async def test_waiting_for_what_never_comes_ends(tmp_path):
    """A tape that breaks off while a job runs: the run ends as unknown in seconds, by the cloud's time."""
    lines = (FOLDER / "run" / "run.tape.jsonl").read_text().splitlines()
    cut = [line for line in lines if '"status":"SUCCESS"' not in line]
    (tmp_path / "cut.tape.jsonl").write_text("\n".join(cut) + "\n")
    begun = time.monotonic()

    async with sdrs_nb.connect(tape=tmp_path) as cloud:
        done = await job(cloud, Ledger(tmp_path / "l.db"))

    assert set(done.outcome["stage"]) <= {"unknown", "created", "job ok"}
    assert time.monotonic() - begun < 60


BAD = {
    "no folder": None,
    "an empty folder": {},
    "another file": {"x.tape.jsonl": '{"a": 1}\n'},
    "a broken line": {"x.tape.jsonl": "HEAD\n{]\n{}\n"},
    "a line without an answer": {"x.tape.jsonl": 'HEAD\n{"n": 1, "at": "2026-01-01T00:00:00+00:00"}\n{}\n'},
    "two projects": {"x.tape.jsonl": "HEAD\n", "y.tape.jsonl": "OTHER\n"},
}


@pytest.mark.parametrize("files", BAD.values(), ids=BAD)
def test_a_tape_that_cannot_be_played_is_refused_in_a_sentence(tmp_path, files):
    """Before anything else happens."""
    head = (FOLDER / "load" / "load.tape.jsonl").read_text().splitlines()[0]
    other = json.loads(head)
    other["settings"]["project_id"] = "another"
    folder = tmp_path / "t"
    if files is not None:
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text.replace("HEAD", head).replace("OTHER", json.dumps(other)))

    with pytest.raises(SettingsError):
        sdrs_nb.connect(tape=folder)


async def test_a_line_that_a_crash_cut_short_is_passed_over(tmp_path):
    """The last one, without its end."""
    text = (FOLDER / "load" / "load.tape.jsonl").read_text()
    (tmp_path / "x.tape.jsonl").write_text(text[:-40])

    async with sdrs_nb.connect(tape=tmp_path) as cloud:
        assert (await cloud.check()).is_sandbox


def test_nothing_is_named_beside_a_tape(monkeypatch):
    """Credentials and endpoints of the environment say nothing; those of arguments are refused."""
    monkeypatch.setenv("SDRS_NB_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("SDRS_NB_TAPE", os.devnull)

    with pytest.raises(SettingsError, match="endpoint="):
        sdrs_nb.connect(tape=FOLDER / "load", endpoint="http://127.0.0.1:1")
    cloud = sdrs_nb.connect(tape=FOLDER / "load", read_only=True)
    assert cloud.settings.read_only
    assert cloud.settings.record is None
    assert ".example" in str(cloud.settings.endpoint)
