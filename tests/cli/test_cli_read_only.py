"""``--read-only``: every command that reads does its work, none sends anything else."""

import json

import pytest

import sdrs_nb
from tests.builders_sites import sent

pytest_plugins = ["tests.cli.shell_fixtures"]


@pytest.fixture(scope="module")
def sandbox():
    """A small sandbox as a process of its own."""
    with sdrs_nb.start_sandbox(servers=15, seed=7, speed=3600) as started:
        yield started


@pytest.mark.parametrize("said", [["--read-only"], []])
def test_reading_commands_work_and_nothing_is_sent(shell, sandbox, said):
    """Said by the option or the environment."""
    environment = sandbox.environment() | ({} if said else {"SDRS_NB_READ_ONLY": "1"})

    read = [shell(*said, command, **environment) for command in ("inventory", "check", "plan", "coverage")]
    fingerprint = json.loads(shell(*said, "plan", "--json", **environment).stdout)["fingerprint"]
    refused = shell(*said, "submit", "plan.json", "--approve", fingerprint, **environment)

    assert [done.returncode for done in read] == [0] * 4
    assert refused.returncode == 2
    assert "reads only" in refused.stderr
    assert shell("runs", "--json").stdout.strip() == "[]"
    assert sent(sandbox) == []
