"""``sdrs-nb doctor``: rows in a pipe, JSON for a machine, an exit code; it only reads unless a probe is asked for."""

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


def test_a_cloud_that_fits_leaves_with_0_and_nothing_was_sent(shell, sandbox):
    """Warnings do not fail; the worst is the first row, in a pipe and in JSON."""
    piped, told = shell("doctor", **sandbox.environment()), shell("doctor", "--json", **sandbox.environment())

    lines = [line.split("\t") for line in piped.stdout.splitlines()]
    rows = json.loads(told.stdout)
    assert (piped.returncode, told.returncode) == (0, 0)
    assert lines[0] == ["check", "state", "found", "remedy"]
    assert [line[:2] for line in lines[1:]] == [[row["check"], row["state"]] for row in rows]
    assert rows[0]["state"] == "warning"
    assert piped.stderr.startswith("warning: ")
    assert sent(sandbox) == []


@pytest.mark.parametrize(("lang", "said"), [("en", "none of this account"), ("zh", "不属于本账号")])
def test_a_failure_leaves_with_1_and_comes_first(shell, sandbox, lang, said):
    """The first row names the cause and what to do."""
    wrong = sandbox.environment() | {"SDRS_NB_PROJECT_ID": "0" * 32}

    done = shell("--lang", lang, "doctor", **wrong)

    first = done.stdout.splitlines()[1].split("\t")
    assert done.returncode == 1
    assert first[:2] == ["project", "failed"]
    assert said in first[2]
    assert "SDRS_NB_PROJECT_ID" in first[3]
    assert sent(sandbox) == []


@pytest.mark.parametrize("words", [["--rulebook", "nowhere"], ["--no-such-option"]])
def test_bad_usage_leaves_with_2(shell, sandbox, words):
    """As everywhere."""
    assert shell("doctor", *words, **sandbox.environment()).returncode == 2


def test_credentials_that_are_missing_are_bad_usage(shell):
    """Nothing could be asked."""
    assert shell("doctor").returncode == 2


def test_the_probe_sends_one_create_that_creates_nothing(shell, sandbox):
    """Asked for by name alone, and never by a connection that reads only."""
    kept = shell("--read-only", "doctor", "--probe-batch", **sandbox.environment())
    before = sent(sandbox)
    probed = shell("doctor", "--probe-batch", "--json", **sandbox.environment())

    row = next(row for row in json.loads(probed.stdout) if row["check"] == "batch_call")
    assert (kept.returncode, before) == (0, [])
    assert sent(sandbox) == [("POST", "/protected-instances/batch", 400)]
    assert row["state"] == "ok"
    assert not any(sandbox.world()["creations"].values())
