"""``--tape`` and ``sdrs-nb tape``: record, look, prove."""

import json

import pytest

import sdrs_nb
from tests.tapes import FOLDER

pytest_plugins = ["tests.cli.shell_fixtures"]


@pytest.mark.parametrize("said", [["--tape", "tapes"], []])
def test_a_command_records_what_it_exchanges(shell, tmp_path, said):
    """By the option or the environment; the check with the sandbox's own credentials and names finds nothing."""
    with sdrs_nb.start_sandbox(servers=12, seed=7, speed=3600) as sandbox:
        environment = sandbox.environment() | ({} if said else {"SDRS_NB_TAPE": "tapes"})
        done = shell(*said, "inventory", "--out", "estate.xlsx", **environment)
    names = sdrs_nb.read_inventory(tmp_path / "estate.xlsx").servers[["name", "server_id"]].to_numpy().ravel()

    checked = shell("tape", "check", "tapes", "--words", "-", input="\n".join(names), **sandbox.environment())
    shown = shell("tape", "show", "tapes", "--json")

    assert done.returncode == 0, done.stderr
    assert checked.returncode == 0, checked.stdout
    assert "were looked for" in checked.stderr
    assert {row["method"] for row in json.loads(shown.stdout)} == {"GET"}


def test_a_word_in_a_tape_is_told_by_its_place_alone(shell, tmp_path):
    """Exit code 1, file and line; neither output shows the word."""
    text = (FOLDER / "load" / "load.tape.jsonl").read_text()
    (tmp_path / "x.tape.jsonl").write_text(text.replace('"description":""', '"description":"Hunter-Corp"', 1))
    (tmp_path / "words.txt").write_text("nobody-here\nhunter-corp\n")

    done = shell("tape", "check", tmp_path, "--words", "words.txt", "--json")

    assert done.returncode == 1
    assert [(row["file"], row["what"]) for row in json.loads(done.stdout)] == [("x.tape.jsonl", "word 2")]
    assert "hunter" not in (done.stdout + done.stderr).lower()


def test_refusals_of_a_tape_are_shown_with_their_code(shell):
    """What came of each request."""
    rows = json.loads(shell("tape", "show", FOLDER / "refusal", "--json").stdout)

    assert next((row["status"], row["code"]) for row in rows if row["method"] == "POST") == ("400", "SDRS.1303")


def test_what_is_no_tape_is_bad_input(shell, tmp_path):
    """Exit code 2 and one sentence."""
    done = shell("tape", "check", tmp_path)

    assert done.returncode == 2
    assert "There is no tape" in done.stderr
