import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil
import pytest

from sdrs_nb.errors import SdrsError
from sdrs_nb.runbooks.sandbox_process import _start, start_sandbox

FACTS = {
    "endpoint": "http://127.0.0.1:1",
    "region": "sandbox-1",
    "project_id": "p1",
    "domain": "account",
    "user": "operator",
    "password": "pass-word",
    "access_key": "AKAKAK",
    "secret_key": "SKSKSK",
}
SERVING = f"import time; print({json.dumps(FACTS)!r}, flush=True); time.sleep(60)"


def started(script, limit_s=20.0):
    """Start a process that behaves as ``script`` says in place of a sandbox."""
    return _start([sys.executable, "-c", script], limit_s)


def ends_soon(pid):
    """Wait until a process has ended; False where it is still there after 20 seconds."""
    end = time.monotonic() + 20
    # An orphan whose new parent does not ask after it stays listed as a zombie.
    with contextlib.suppress(psutil.NoSuchProcess):
        while psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
    return True


def test_a_sandbox_tells_where_it_is_and_stops_at_the_end():
    """Endpoint, region and project come from its first line; the process ends with the block."""
    with started(SERVING) as sandbox:
        assert (sandbox.endpoint, sandbox.region, sandbox.project_id) == ("http://127.0.0.1:1", "sandbox-1", "p1")
        assert sandbox.is_running

    assert not sandbox.is_running


async def test_it_stops_at_the_end_of_an_async_block_and_may_be_stopped_again():
    """Stopping twice is fine."""
    async with started(SERVING) as sandbox:
        pass

    sandbox.stop()

    assert not sandbox.is_running


def test_its_connection_uses_its_endpoint_and_credentials():
    """Nothing of the operator's own environment comes in."""
    with started(SERVING) as sandbox:
        settings = sandbox.connect().settings
        login = sandbox.connect(user="operator", password="pass-word").settings

    assert (settings.endpoint, settings.project_id) == ("http://127.0.0.1:1", "p1")
    assert settings.access_key.get_secret_value() == "AKAKAK"
    assert (login.kind, login.domain) == ("password", "account")


def test_its_environment_points_other_processes_at_it():
    """The variables are those that connect() reads."""
    with started(SERVING) as sandbox:
        environment = sandbox.environment()

    told = {f"SDRS_NB_{name.upper()}": value for name, value in FACTS.items()}
    assert environment == told | {"SDRS_NB_SANDBOX": "1"}


def test_no_secret_shows():
    """Neither repr nor str hold a credential."""
    with started(SERVING) as sandbox:
        shown = f"{sandbox!r} {sandbox}"

    assert not any(FACTS[name] in shown for name in ("password", "access_key", "secret_key"))


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        pytest.param("import sys; sys.exit('port 80 is taken')", "exit code 1.*port 80 is taken", id="dies"),
        pytest.param("print('hello'); import time; time.sleep(60)", "did not start", id="no JSON"),
        pytest.param("print('[]', flush=True); import time; time.sleep(60)", "no endpoint", id="no endpoint"),
        pytest.param("pass", "it ended", id="ends at once"),
    ],
)
def test_a_sandbox_that_does_not_come_up_shows_what_it_said(script, sentence):
    """The operator reads the reason, and no process stays behind."""
    with pytest.raises(SdrsError, match=sentence):
        started(script)


def test_a_sandbox_that_never_listens_is_given_up():
    """After the time given to it."""
    with pytest.raises(SdrsError, match=r"did not listen within 0\.2 s"):
        started("import time; time.sleep(60)", 0.2)


def test_a_chatty_sandbox_is_never_blocked_by_us():
    """It may print more than a pipe holds and still end by itself."""
    script = f"print({json.dumps(FACTS)!r}, flush=True); print('x' * 300_000, flush=True)"

    sandbox = started(script)

    assert sandbox._process.wait(20) == 0
    sandbox.stop()


def test_it_is_stopped_when_the_interpreter_ends():
    """A notebook's kernel that ends takes its sandbox with it."""
    script = (
        "import sys; from sdrs_nb.runbooks.sandbox_process import _start\n"
        f"print(_start([sys.executable, '-c', {SERVING!r}], 20.0)._process.pid)"
    )
    ended = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60)

    with pytest.raises(ProcessLookupError):
        os.kill(int(ended.stdout), 0)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL], ids=lambda s: s.name)
def test_it_ends_with_its_starter_whatever_ended_that(ending):
    """A kernel that is killed cleans up nothing; its sandbox notices, and nothing listens any more."""
    script = (
        "import signal, time; from sdrs_nb.runbooks.sandbox_process import start_sandbox\n"
        # A shell that starts the tests in the background lets them ignore Ctrl-C, and their children with them.
        "signal.signal(signal.SIGINT, signal.SIG_DFL); signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"
        "sandbox = start_sandbox(servers=1)\n"
        "print(sandbox._process.pid, sandbox.endpoint, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as starter:
        pid, endpoint = starter.stdout.readline().decode().split()
        served = httpx.get(endpoint, trust_env=False).status_code
        starter.send_signal(ending)
        starter.wait(20)

    assert served == 200
    assert ends_soon(int(pid))
    with pytest.raises(httpx.ConnectError):
        httpx.get(endpoint, trust_env=False)


def test_it_outlives_the_thread_that_started_it():
    """What a panel starts in the background stays until the process ends or it is stopped."""
    with ThreadPoolExecutor(1) as pool:
        sandbox = pool.submit(start_sandbox, servers=1).result()

    with sandbox:
        assert sandbox.world()["servers"]


def test_a_fault_that_is_not_taken_says_why():
    """The sandbox's own sentence names the index, the key and what is right."""
    with start_sandbox(servers=1, speed=0) as sandbox, pytest.raises(SdrsError, match=r"fault 1, seconds: .*number"):
        sandbox.set_faults({"kind": "reset"}, {"kind": "slow", "seconds": "x"})
