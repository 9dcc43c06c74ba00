"""``sdrs-nb sandbox``: what ends it leaves nothing behind."""

import json
import signal
import subprocess
import sys

import httpx
import psutil
import pytest

COMMAND = [sys.executable, "-m", "sdrs_nb.cli", "sandbox", "--servers", "1"]


def heed_signals():
    """Undo what a shell that starts tests in the background has them ignore, and their children with them."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@pytest.fixture(name="served")
def _served():
    """Start the command; give its process, every process below it, and its endpoint."""
    with subprocess.Popen(
        COMMAND,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=heed_signals,  # noqa: PLW1509 - calls into no lock
    ) as process:
        endpoint = json.loads(process.stdout.readline())["endpoint"]
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        yield process, family, endpoint
        for member in family:
            if member.is_running():
                member.kill()


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL], ids=lambda s: s.name)
def test_a_signal_ends_the_sandbox_with_the_command(served, ending):
    """When the command has ended, no process of it is left and nothing listens on its port."""
    process, family, endpoint = served
    before = httpx.get(endpoint, trust_env=False).status_code

    process.send_signal(ending)
    process.wait(20)

    assert before == 200
    assert [member.pid for member in family if member.is_running()] == []
    with pytest.raises(httpx.ConnectError):
        httpx.get(endpoint, trust_env=False)


def test_a_sandbox_stopped_by_hand_ends_well(served):
    """Ctrl-C is how it is meant to be stopped: exit code 0."""
    process, _family, _endpoint = served

    process.send_signal(signal.SIGINT)

    assert process.wait(20) == 0
