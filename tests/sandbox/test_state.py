"""A sandbox with a state folder comes back as it was."""

import json
import signal
import subprocess
import sys
from contextlib import contextmanager

import httpx
import pytest

from sdrs_nb.sandbox.__main__ import main
from sdrs_nb.sandbox.journal import JournalMismatchError


async def test_world_survives_a_restart(make_cloud, tmp_path):
    """Instances, jobs under way, tags and cloud time are the same after a restart, to the last byte."""
    first = make_cloud(60, state=tmp_path)
    await first.protect(first.plain(2))
    answer = await first.batch(first.plain(1))
    first.sandbox.advance(50)
    instance_id = next(iter(first.group("pg-erp").instances))
    await first.call("POST", f"/v1/{{p}}/protected-instances/{instance_id}/tags", {"tag": {"key": "a", "value": "b"}})
    before = await first.get("/_sandbox/world")

    second = make_cloud(60, state=tmp_path)
    after = await second.get("/_sandbox/world")
    second.sandbox.advance(200)

    assert after == before
    assert (await second.job(answer))["status"] == "SUCCESS"


async def test_faults_of_the_past_are_remembered(make_cloud, tmp_path):
    """A sub-job that a fault failed has failed after the restart as well."""
    first = make_cloud(60, state=tmp_path)
    await first.http.post("/_sandbox/faults", json=[{"kind": "fail_subjob", "code": "Ecs.0018"}])
    answer = await first.batch(first.plain(1))

    second = make_cloud(60, state=tmp_path)
    second.sandbox.advance(300)

    assert (await second.job(answer))["error_code"] == "Ecs.0018"


async def test_clock_runs_on_while_the_sandbox_is_stopped(tmp_path):
    """With a speed, cloud time passes between two runs as it does in a real cloud."""
    from sdrs_nb.sandbox import Sandbox

    wall = [1_000_000.0]
    first = Sandbox(5, 7, 60, state=tmp_path, wall=lambda: wall[0])
    stopped_at = first.advance(10)

    wall[0] += 2
    second = Sandbox(5, 7, 60, state=tmp_path, wall=lambda: wall[0])

    assert second.service.settle() == stopped_at + 120


def test_a_new_speed_moves_no_clock_and_ends_with_a_reset():
    """What the clock shows stays, it runs on at the new speed, and a reset brings the first speed back."""
    from sdrs_nb.sandbox import Sandbox

    wall = [1_000_000.0]
    sandbox = Sandbox(5, 7, 60, wall=lambda: wall[0])
    began = sandbox.service.settle()

    wall[0] += 2
    changed_at = sandbox.set_speed(10)
    wall[0] += 3
    shown = sandbox.service.settle()
    sandbox.set_speed(0)
    wall[0] += 100
    stood = sandbox.service.settle()
    sandbox.reset()
    wall[0] += 1

    assert (changed_at - began, shown - changed_at, stood - shown) == (120, 30, 0)
    assert sandbox.service.settle() - began == 60


async def test_reset_forgets_the_kept_world(make_cloud, tmp_path):
    """After a reset a restart begins at the start."""
    first = make_cloud(60, state=tmp_path)
    await first.batch(first.plain())
    first.sandbox.reset()

    second = make_cloud(60, state=tmp_path)

    assert second.world.creations == {}


async def test_line_cut_off_by_a_kill_is_ignored(make_cloud, tmp_path):
    """Half a line at the end of the journal was never answered: the rest is kept, and writing goes on."""
    first = make_cloud(60, state=tmp_path)
    ids = first.plain(2)
    await first.batch(ids[:1])
    with (tmp_path / "journal.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"method": "PO')

    second = make_cloud(60, state=tmp_path)
    await second.batch(ids[1:])
    third = make_cloud(60, state=tmp_path)

    assert set(third.world.creations) == set(ids)


def test_another_estate_is_refused(make_cloud, tmp_path, capsys):
    """A folder of another estate is refused with a sentence that names the file; the command ends with 2."""
    make_cloud(60, state=tmp_path)

    with pytest.raises(JournalMismatchError, match="another estate"):
        make_cloud(61, state=tmp_path)
    assert main(["--servers", "61", "--state", str(tmp_path)]) == 2
    assert "journal.jsonl" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--servers", "0", "1 to 100,000"),
        ("--servers", "100001", "1 to 100,000"),
        ("--speed", "nan", "0 to 1,000,000"),
        ("--speed", "inf", "0 to 1,000,000"),
        ("--speed", "-1", "0 to 1,000,000"),
        ("--latency", "nan", "--latency"),
        ("--latency", "-1", "--latency"),
        ("--rate", "-1", "--rate"),
        ("--rate", "0", "--rate"),
        ("--port", "65536", "--port"),
        ("--port", "-1", "--port"),
    ],
)
def test_a_number_out_of_range_ends_with_two(option, value, told, capsys):
    """One sentence on standard error tells the range, and nothing listens."""
    assert main([f"{option}={value}"]) == 2
    said = capsys.readouterr().err
    assert (told in said, said.count("\n")) == (True, 1)


async def test_a_world_has_an_id_that_its_answers_carry_and_its_folder_keeps(make_cloud, tmp_path):
    """The same servers and seed make another world each time, unless it was kept; a reset is the same world."""
    first, stranger = make_cloud(5, state=tmp_path), make_cloud(5)
    named = (await first.get("/_sandbox/world"))["world"]
    answer = await first.call("GET", "/v1/{p}/protected-instances")
    await first.http.post("/_sandbox/reset", json={})

    again = make_cloud(5, state=tmp_path)

    assert answer.headers["X-Sandbox-World"] == named == (await again.get("/_sandbox/world"))["world"]
    assert named != (await stranger.get("/_sandbox/world"))["world"]
    assert answer.headers["X-Sandbox-Time"] == "2026-03-02T02:00:00.000Z"


async def test_a_request_that_is_late_survives_a_restart(make_cloud, tmp_path):
    """What was taken to be handled later is handled later, once, whichever process is there then."""
    first = make_cloud(60, state=tmp_path)
    await first.http.post("/_sandbox/faults", json=[{"kind": "late_handle", "seconds": 90, "match": "POST /v1/*"}])
    (server_id,) = first.plain(1)
    with pytest.raises(httpx.TransportError):
        await first.batch([server_id])

    second = make_cloud(60, state=tmp_path)
    before = (await second.get("/_sandbox/world"))["creations"].get(server_id)
    second.sandbox.advance(91)
    third = make_cloud(60, state=tmp_path)

    assert not before
    assert (await third.get("/_sandbox/world"))["creations"][server_id] == 1
    assert (await third.get("/_sandbox/world")) == (await second.get("/_sandbox/world"))


@contextmanager
def a_process(state, ending):
    """Run a sandbox of 60 servers on a folder; give a client that is logged in, then end the process as it is told."""
    command = [sys.executable, "-m", "sdrs_nb.sandbox", "--servers", "60", "--speed", "0", "--state", str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        line = json.loads(process.stdout.readline())
        user = {"name": line["user"], "password": line["password"], "domain": {"name": line["domain"]}}
        identity = {"methods": ["password"], "password": {"user": user}}
        login = {"auth": {"identity": identity, "scope": {"project": {"id": line["project_id"]}}}}
        with httpx.Client(base_url=line["endpoint"], trust_env=False) as client:
            client.headers["X-Auth-Token"] = client.post("/v3/auth/tokens", json=login).headers["X-Subject-Token"]
            try:
                yield client
            finally:
                process.send_signal(ending)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT], ids=lambda ending: ending.name)
def test_a_late_request_survives_however_the_process_ended(make_cloud, tmp_path, ending):
    """Taken by one process, it is still pending in the next two, is handled there when it is due, and only once."""
    model = make_cloud(60)
    (server_id,) = model.plain()
    wanted = {"name_prefix": "web", "server_group_id": model.group("pg-erp").id, "servers": [{"server_id": server_id}]}
    late = {"kind": "late_handle", "seconds": 90, "match": "POST /v1/*"}
    with a_process(tmp_path, ending) as client:
        client.post("/_sandbox/faults", json=[late]).raise_for_status()
        with pytest.raises(httpx.TransportError):
            client.post(f"/v1/{model.project}/protected-instances/batch", json={"protected_instances": wanted})

    seen = []
    for seconds in (0, 60, 31, 3600):
        with a_process(tmp_path, ending) as client:
            client.post("/_sandbox/advance", json={"seconds": seconds}).raise_for_status()
            seen.append(client.get("/_sandbox/world").json()["creations"].get(server_id, 0))

    assert seen == [0, 0, 1, 1]


async def test_a_late_request_falls_due_while_nothing_runs(make_cloud, tmp_path):
    """The cloud does not stand still while its process is away: at the next start it has been handled."""
    wall = [1_000_000.0]
    first = make_cloud(60, speed=60, state=tmp_path, wall=lambda: wall[0])
    await first.http.post("/_sandbox/faults", json=[{"kind": "late_handle", "seconds": 90, "match": "POST /v1/*"}])
    (server_id,) = first.plain()
    with pytest.raises(httpx.TransportError):
        await first.batch([server_id])

    wall[0] += 1
    early = make_cloud(60, speed=60, state=tmp_path, wall=lambda: wall[0])
    before = (await early.get("/_sandbox/world"))["creations"].get(server_id, 0)
    wall[0] += 1
    second = make_cloud(60, speed=60, state=tmp_path, wall=lambda: wall[0])

    assert (before, (await second.get("/_sandbox/world"))["creations"][server_id]) == (0, 1)
