"""undo, plan --remainder and approve, as a shell sees them."""

import json

import pytest

import sdrs_nb

pytest_plugins = ["tests.cli.shell_fixtures"]


def test_a_run_is_undone_from_the_shell_with_two_persons(shell, tmp_path):
    """plan, two approvals, submit; nothing remains; undo shows the bill and deletes; a second undo finds nothing."""
    with sdrs_nb.start_sandbox(servers=30, seed=7, speed=3600) as sandbox:
        cloud = sandbox.environment()
        planned = json.loads(shell("plan", "--approvals", 2, "--json", **cloud).stdout)
        alone = shell("submit", "plan.json", "--approve", planned["fingerprint"], **cloud)
        shell("approve", "plan.json", "--who", "li")
        approved = shell("approve", "plan.json", "--who", "chen", "--after", "approval.json")
        submitted = shell("submit", "plan.json", "--approve", "approval.json", "--json", **cloud)
        run_id = json.loads(shell("runs", "--json").stdout)[0]["run_id"]
        rest = shell("plan", "--remainder", run_id, "--json", "--out", "rest.json", **cloud)
        undo = shell("undo", run_id, "--delete-dr-servers", **cloud)
        shell("approve", "undo.json", "--who", "li")
        shell("approve", "undo.json", "--who", "chen", "--after", "approval.json")
        undone = shell("submit", "undo.json", "--approve", "approval.json", "--json", **cloud)
        nothing = shell("undo", run_id, "--json", **cloud)

    assert (alone.returncode, submitted.returncode, undone.returncode) == (2, 0, 0)
    assert "Have another person approve it" in alone.stderr
    assert "Approved by li, chen; this plan needs 2." in approved.stderr
    assert json.loads(rest.stdout) == {"plans": [], "left_out": []}
    assert not (tmp_path / "rest.json").exists()
    assert "* " in undo.stderr
    assert "are deleted for good; their EIPs stay and are billed" in undo.stderr
    assert len(undo.stdout.splitlines()) == 1 + len(json.loads(submitted.stdout))
    assert {row["stage"] for row in json.loads(undone.stdout)} == {"deleted"}
    assert nothing.returncode == 3
    assert "no longer there" in nothing.stderr


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["undo", "nothing"], id="undo of an unknown run"),
        pytest.param(["plan", "--remainder", "nothing"], id="remainder of an unknown run"),
        pytest.param(["approve", "missing.json", "--who", "li"], id="approval of a missing plan"),
    ],
)
def test_bad_input_leaves_with_2_and_one_sentence(shell, words):
    """What is not there is said in one line."""
    done = shell(*words)

    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
