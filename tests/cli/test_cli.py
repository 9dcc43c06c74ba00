"""The command line, as a shell sees it: output, one-line errors, exit codes."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from functools import partial

import pytest

import sdrs_nb
from sdrs_nb import loop
from sdrs_nb.cli import books, watching
from sdrs_nb.models import Wait

pytest_plugins = ["tests.cli.shell_fixtures"]

UNREACHABLE = {
    "SDRS_NB_ENDPOINT": "http://127.0.0.1:9",
    "SDRS_NB_PROJECT_ID": "p",
    "SDRS_NB_ACCESS_KEY": "AK",
    "SDRS_NB_SECRET_KEY": "SK",
    "SDRS_NB_ATTEMPTS": "1",
}


@pytest.fixture(scope="module")
def running():
    """One sandbox for all tests that only read it."""
    with sdrs_nb.start_sandbox(servers=60, seed=7, speed=600) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def estate(running, tmp_path_factory):
    """The sandbox's inventory as a workbook."""

    async def written():
        async with running.connect() as cloud:
            return (await sdrs_nb.load_inventory(cloud)).to_excel(tmp_path_factory.mktemp("estate") / "estate.xlsx")

    return loop.wait(written())


def test_the_help_teaches_the_job_from_beginning_to_end(shell):
    """The help shows the commands of a whole job, the exit codes and where credentials come from."""
    done = shell("--help")

    assert done.returncode == 0
    assert "sdrs-nb submit plan.json --approve FINGERPRINT" in done.stdout
    assert "SDRS_NB_ACCESS_KEY" in done.stdout
    assert "4 outcome still unknown" in done.stdout
    assert "..." not in done.stdout.split("Commands:")[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["chekc"], "check"),
        (["check", "--nope"], "--nope"),
        (["check", "--batch-limit", "0"], "--batch-limit"),
        (["check", "--show", "poems"], "--show"),
        (["submit"], "PLAN"),
        (["submit", "plan.json"], "--approve"),
        (["submit", "missing.json", "--approve", "x"], "missing.json"),
        (["check", "missing.xlsx"], "missing.xlsx"),
        (["check", "--endpoint", "http://here"], "goes before the command: sdrs-nb --endpoint VALUE check"),
        (["--lang", "tlh", "runs"], "en, zh"),
        (["check"], "No credentials"),
        (["resume", "no-such-run"], "no-such-run"),
        (["report", "no-such-run"], "no-such-run"),
        (["runbook", "run", "99_nothing"], "20_protect_servers"),
        (["runbook", "run", "20_protect_servers", "-p", "typo", "1"], "name_prefix"),
        (["runbook", "run", "20_protect_servers", "stray"], "stray"),
    ],
)
def test_bad_usage_is_one_line_and_code_2(shell, words, said):
    """Wrong options, missing files and missing credentials give one sentence on the standard error, and code 2."""
    done = shell(*words)

    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert said in done.stderr


@pytest.mark.parametrize("content", [b"", b"\x00\x01", b"PK\x03\x04broken"], ids=["empty", "bytes", "broken zip"])
def test_an_unreadable_file_is_one_line_and_code_2(shell, tmp_path, content):
    """A workbook that is none is named, and nothing else is printed."""
    (tmp_path / "estate.xlsx").write_bytes(content)

    done = shell("check", "estate.xlsx", "--json")

    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert "estate.xlsx" in done.stderr


def test_an_unreachable_cloud_is_one_line_and_code_2(shell):
    """Nobody answering gives one sentence with the address, and code 2."""
    done = shell("--quiet", "check", **UNREACHABLE)

    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert "127.0.0.1:9" in done.stderr


def test_a_file_that_cannot_be_written_is_one_line_and_code_2(shell, estate, tmp_path):
    """The findings' file in a place that is a file gives one sentence, and code 2."""
    (tmp_path / "wall").write_text("")

    done = shell("check", estate, "--findings", "wall/findings.csv")

    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)


def test_check_of_a_file_prints_json_that_a_pipe_can_read(shell, estate):
    """A JSON list with a row per server, and nothing else, on the standard output."""
    done = shell("check", estate, "--json")

    rows = json.loads(done.stdout)
    assert done.returncode == 0
    assert len(rows) == 60
    assert {"server_id", "name", "group_id", "verdict", "blockers"} <= rows[0].keys()


def test_a_closed_pipe_ends_quietly(estate):
    """A reader that has seen enough causes no complaint."""
    command = f'"{sys.executable}" -m sdrs_nb.cli --quiet check "{estate}" --show findings --json | head -c 10'

    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=120, check=False)

    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_in_a_pipe_rows_are_tab_separated_lines(shell, estate):
    """Without a terminal every row is one line of cells, never cut to a width."""
    lines = shell("check", estate).stdout.splitlines()

    assert lines[0].split("\t") == ["server_id", "name", "group_id", "verdict", "reason", "blockers", "warnings"]
    assert len(lines) == 61
    assert all(len(line.split("\t")) == 7 for line in lines)


def test_on_a_terminal_progress_moves_and_the_table_is_drawn(running):
    """With a terminal there is a table with its heads, and bars on the standard error while the cloud is read."""
    main, side = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "sdrs_nb.cli", "inventory"],
        env={**os.environ, **running.environment(), "TERM": "xterm", "COLUMNS": "120", "SDRS_NB_LANG": "en"},
        stdout=side,
        stderr=side,
    )
    os.close(side)
    shown = _all_of(main)

    assert child.wait(60) == 0
    assert "\x1b[" in shown
    assert "loaded_at" in shown
    assert "\t" not in shown


def _all_of(terminal):
    shown = b""
    try:
        while part := os.read(terminal, 65536):
            shown += part
    except OSError:  # Linux says so when the other side has closed
        pass
    os.close(terminal)
    return shown.decode()


def test_nothing_eligible_leaves_with_3(shell, estate):
    """A file in which no server can be protected leaves check and plan with code 3."""
    inventory = sdrs_nb.read_inventory(estate)
    servers = inventory.servers
    blocked = inventory.with_frame("servers", servers[servers["status"] == "ERROR"]).to_excel(
        estate.with_name("b.xlsx")
    )

    assert shell("check", blocked).returncode == 3
    assert shell("plan", blocked).returncode == 3


def test_the_template_can_be_read_back(shell, tmp_path):
    """``inventory --template`` writes a workbook that ``check`` reads as an inventory without servers."""
    written = shell("inventory", "--template", "empty.xlsx")

    assert written.returncode == 0
    assert (tmp_path / "empty.xlsx").is_file()
    assert shell("check", "empty.xlsx").returncode == 3


def test_chinese_is_spoken_when_asked_for(shell):
    """``--lang zh`` is taken before or within the command's line and never changes the exit code."""
    assert shell("--lang", "zh", "runs").returncode == 0
    assert shell("--lang=zh", "resume", "nothing").returncode == 2


def test_the_whole_job_in_a_shell(shell, tmp_path):
    """plan, submit, resume, verify, report and runs agree, and the second resume sends nothing."""
    with sdrs_nb.start_sandbox(servers=60, seed=7, speed=3600) as sandbox:
        cloud = sandbox.environment()
        planned = json.loads(shell("plan", "--json", **cloud).stdout)
        submitted = shell("submit", "plan.json", "--approve", planned["fingerprint"], "--json", **cloud)
        outcome = json.loads(submitted.stdout)
        run_id = json.loads(shell("runs", "--json").stdout)[0]["run_id"]
        again = shell("resume", run_id, "--json", **cloud)
        verified = shell("verify", run_id, "--json", **cloud)
        refused = shell("submit", "plan.json", "--approve", "another", **cloud)
        enabled = shell("enable", run_id, "--json", **cloud)
        stranger = shell("enable", "nobody", **cloud)
    ticked = shell("todo", run_id, "--done", "S29", "--json")
    unknown = shell("todo", run_id, "--done", "S99")
    reported = shell("report", run_id, "evidence/report.html")

    assert submitted.returncode == 0
    assert sum(len(each["protected_instances"]["servers"]) for each in planned["payloads"]) == len(outcome)
    assert {row["stage"] for row in outcome} <= {"created", "protected", "in sync"}
    settled = [[{**row, "stage": row["stage"].replace("protected", "in sync")} for row in rows] for rows in (
        json.loads(again.stdout), json.loads(verified.stdout), outcome)]  # fmt: skip
    assert settled[0] == settled[1] == settled[2]
    assert refused.returncode == 2
    assert (enabled.returncode, stranger.returncode) == (0, 2)
    assert {row["progress"] for row in json.loads(enabled.stdout)} == {100}
    assert "% copied" in enabled.stderr
    assert all(row["done_at"] for row in json.loads(ticked.stdout) if row["rule"] == "S29")
    assert (ticked.returncode, unknown.returncode) == (0, 2)
    assert "no item S99" in unknown.stderr
    assert reported.returncode == 0
    assert (tmp_path / "evidence" / "report.html").is_file()


def test_a_failed_sub_job_leaves_with_1(shell):
    """A server whose creation fails leaves submit with code 1 and is the first row; what to do is said once."""
    with sdrs_nb.start_sandbox(servers=60, seed=7, speed=3600) as sandbox:
        cloud = sandbox.environment()
        fingerprint = json.loads(shell("plan", "--json", **cloud).stdout)["fingerprint"]
        _fault(sandbox, kind="fail_subjob", times=1, code="Ecs.0018")

        done = shell("submit", "plan.json", "--approve", fingerprint, "--json", **cloud)

    assert done.returncode == 1
    assert [row["stage"] for row in json.loads(done.stdout)[:2]] == ["failed", "created"]
    _progress, below = done.stderr.split("1 server failed: Ecs.0018")
    assert "What to do: Plan the server with another flavor" in below
    assert "(done, 1 failed): 1 failed" in below


def _fault(sandbox, **fault):
    import httpx

    rules = [{"match": "POST /v1/*/protected-instances/batch", **fault}]
    httpx.post(f"{sandbox.endpoint}/_sandbox/faults", json=rules).raise_for_status()


@pytest.fixture
def interruptible():
    """Children take Ctrl-C, even where these tests run in the background of a shell that had it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_a_load_that_waits_for_the_gateway_says_until_when(shell):
    """Ten calls in twelve seconds: the command writes a line with the end of the wait to the standard error."""
    limit = {"error_code": "APIGW.0308", "error_msg": "policy user over ratelimit,limit:10,time:12 second"}
    throttled = {"match": "GET /v1/*/server-groups", "kind": "status", "status": 429, "body": limit}
    with sdrs_nb.start_sandbox(servers=10, seed=7, speed=600) as sandbox:
        sandbox.set_faults(throttled)
        done = shell("inventory", **sandbox.environment())

    lines = [line for line in done.stderr.splitlines() if line.startswith("waiting until ")]
    assert done.returncode == 0
    assert lines[0].endswith("for the gateway's limit (10 requests in 12 s)")
    assert "waiting" not in done.stdout


@pytest.mark.parametrize("quiet", [False, True])
def test_a_quiet_command_waits_without_a_word(capsys, quiet):
    """``--quiet`` silences waits as it does progress; their end is never a line."""
    told = watching.waiting(quiet=quiet)

    told(Wait(until=datetime(2026, 1, 31, 9, tzinfo=UTC), calls=20, window_s=60))
    told(None)

    assert capsys.readouterr().err.count("waiting until") == (0 if quiet else 1)


def test_an_interrupted_run_leaves_with_4_and_says_how_to_carry_on(shell, tmp_path):
    """Ctrl-C while jobs run leaves code 4 with the run's id; resume finishes it with every server created once."""
    with sdrs_nb.start_sandbox(servers=60, seed=7, speed=20) as sandbox:
        cloud = sandbox.environment()
        fingerprint = json.loads(shell("plan", "--json", **cloud).stdout)["fingerprint"]
        child = subprocess.Popen(
            [sys.executable, "-m", "sdrs_nb.cli", "submit", "plan.json", "--approve", fingerprint],
            env={**os.environ, **cloud, "SDRS_NB_LANG": "en"},
            cwd=tmp_path,
            # A shell that starts tests in the background lets them ignore Ctrl-C, and their children with them.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - calls into no lock
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        run_id = child.stderr.readline().split()[1]
        _wait_for_job(shell, run_id)
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=60)
        sandbox.set_speed(1200)
        resumed = shell("resume", run_id, "--json", **cloud)

    assert child.returncode == 4
    assert f"sdrs-nb resume {run_id}" in said
    assert resumed.returncode == 0
    assert {row["stage"] for row in json.loads(resumed.stdout)} <= {"created", "protected", "in sync"}


def _wait_for_job(shell, run_id):
    """Wait until something of the run was accepted, as the ledger says."""
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        if "accepted" in set(sdrs_nb.open_run(run_id).batches["state"]):
            return
        time.sleep(0.05)
    raise AssertionError("nothing was accepted in a minute")


def test_undo_plans_what_submit_then_deletes(shell):
    """``undo`` writes a plan and sends nothing; submitted, it deletes what the run made and nothing else."""
    with sdrs_nb.start_sandbox(servers=60, seed=7, speed=3600) as sandbox:
        cloud = sandbox.environment()
        fingerprint = json.loads(shell("plan", "--json", **cloud).stdout)["fingerprint"]
        shell("submit", "plan.json", "--approve", fingerprint, **cloud)
        run_id = json.loads(shell("runs", "--json").stdout)[0]["run_id"]
        before = sandbox.world()["instances"]
        planned = shell("undo", run_id, "--json", **cloud)
        unchanged = sandbox.world()["instances"]
        done = shell("submit", "undo.json", "--approve", json.loads(planned.stdout)["fingerprint"], "--json", **cloud)
        after = sandbox.world()["instances"]

    outcome = json.loads(done.stdout)
    assert planned.returncode == done.returncode == 0
    assert len(unchanged) == len(before)
    assert {row["stage"] for row in outcome} == {"deleted"}
    assert len(before) - len(after) == len(outcome)


def test_coverage_says_the_same_as_the_function(shell, running):
    """The command and ``await sdrs_nb.coverage(cloud)`` agree row by row, for servers and for drift."""

    async def covered():
        async with running.connect() as cloud:
            return await sdrs_nb.coverage(cloud)

    found = loop.wait(covered())
    servers = shell("coverage", "--json", **running.environment())
    drift = shell("coverage", "--show", "drift", "--out", "lists", "--json", **running.environment())

    assert servers.returncode == drift.returncode == 0
    assert json.loads(servers.stdout) == json.loads(found.servers.to_json(orient="records"))
    assert json.loads(drift.stdout) == json.loads(found.drift.to_json(orient="records"))


def test_two_inventories_are_compared(shell, estate, tmp_path):
    """``inventory --since`` prints what went, from files alone."""
    inventory = sdrs_nb.read_inventory(estate)
    fewer = inventory.with_frame("servers", inventory.servers.iloc[1:]).to_excel(tmp_path / "later.xlsx")

    done = shell("inventory", fewer, "--since", estate, "--json")

    rows = json.loads(done.stdout)
    assert [(row["change"], row["frame"]) for row in rows] == [("went", "servers")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["plan", "-o", "nowhere/plan.json"], "the folder nowhere is missing"),
        (["plan", "-o", "."], "it is a folder"),
        (["plan", "--name-prefix", "erp*"], "erp*"),
        (["plan", "--remainder", "r", "-o", "nowhere/plan.json"], "the folder nowhere is missing"),
        (["undo", "r", "-o", "nowhere/undo.json"], "the folder nowhere is missing"),
        (["check", "--findings", "."], "it is a folder"),
        (["inventory", "-o", "nowhere/a.xlsx"], "the folder nowhere is missing"),
        (["inventory", "-o", "wall"], "wall is no folder"),
        (["coverage", "-o", "wall"], "wall is no folder"),
    ],
)
def test_a_bad_place_or_prefix_is_told_before_anything_is_asked(shell, tmp_path, words, said):
    """Where the result cannot be written, neither credentials nor the network nor a run are looked for."""
    (tmp_path / "wall").write_text("")

    done = shell(*words)

    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert said in done.stderr
    assert "redentials" not in done.stderr


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (["-p", "name_prefix", "2026"], {"name_prefix": "2026"}),
        (["-p", "name_prefix", "true"], {"name_prefix": "true"}),
        (["-p", "servers", "60", "--parameter", "sandbox", "true"], {"servers": 60, "sandbox": True}),
        (["-p", "nobody", "x"], {"nobody": "x"}),
    ],
)
def test_a_parameter_is_read_as_its_default_is(words, values):
    """Where the default is a text the value is one, whatever it looks like; else it is read as JSON."""
    defaults = {"name_prefix": '"dr"', "servers": "240", "sandbox": "False"}

    assert books._parameters(words, defaults) == values
