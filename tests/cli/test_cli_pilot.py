"""A run with a pilot, as a shell sees it."""

import json

import sdrs_nb

pytest_plugins = ["tests.cli.shell_fixtures"]


def test_a_pilot_waits_for_the_word_and_says_how(shell):
    """Submit leaves with 0 and the table; follow shows it again; control go sends the rest."""
    with sdrs_nb.start_sandbox(servers=60, seed=7, speed=3600) as sandbox:
        cloud = sandbox.environment()
        planned = json.loads(shell("plan", "--batch-limit", 2, "--json", **cloud).stdout)
        first = shell("submit", "plan.json", "--approve", planned["fingerprint"], "--pilot", 1, **cloud)
        run_id = json.loads(shell("runs", "--json").stdout)[0]["run_id"]
        again = shell("follow", run_id, "--json", **cloud)
        rest = shell("control", run_id, "go", **cloud)

    assert (first.returncode, again.returncode, rest.returncode) == (0, 0, 0), first.stderr + rest.stderr
    assert first.stdout.splitlines()[0].split("\t")[:3] == ["subject", "name", "aspect"]
    assert f"sdrs-nb control {run_id} go" in first.stderr
    told = json.loads(again.stdout)
    assert told["pilot"]["state"] == "compared"
    assert {row["result"] for row in told["pilot"]["rows"]} == {"as expected"}
    assert {row["stage"] for row in told["outcome"]} >= {"not sent"}
    assert "not sent" not in rest.stdout


def test_a_difference_leaves_with_1_and_wants_a_reason(shell):
    """On a cloud that numbers otherwise the run stops; go without a reason is refused; with one the rest is sent."""
    with sdrs_nb.start_sandbox(servers=60, seed=7, speed=3600, assume={"numbering": "from_zero"}) as sandbox:
        cloud = sandbox.environment()
        planned = json.loads(shell("plan", "--batch-limit", 2, "--json", **cloud).stdout)
        words = ("submit", "plan.json", "--approve", planned["fingerprint"])
        first = shell(*words, "--pilot", "b001", "--pilot-auto", **cloud)
        run_id = json.loads(shell("runs", "--json").stdout)[0]["run_id"]
        refused = shell("control", run_id, "go", **cloud)
        rest = shell("control", run_id, "go", "--reason", "names do not matter here", **cloud)

    assert (first.returncode, refused.returncode, rest.returncode) == (1, 2, 0)
    assert {line.split("\t")[7] for line in first.stdout.splitlines() if "different" in line} == {"numbering"}
    assert "--reason" in refused.stderr


def test_a_script_sends_no_pilot_unless_told(shell):
    """Without a terminal nothing waits, and the JSON is the outcome's rows as ever."""
    with sdrs_nb.start_sandbox(servers=30, seed=7, speed=3600) as sandbox:
        cloud = sandbox.environment()
        planned = json.loads(shell("plan", "--json", **cloud).stdout)
        done = shell("submit", "plan.json", "--approve", planned["fingerprint"], "--json", **cloud)

    assert isinstance(json.loads(done.stdout), list)
