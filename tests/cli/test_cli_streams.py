"""Standard streams that are closed, full, cut off or poor in letters: no traceback, and the outcome's own exit code."""

import json
import os
import subprocess
import sys

import pytest

from sdrs_nb.shown import terminal
from tests.builders import a_group, a_server, an_inventory
from tests.nasty import NASTY

#: What a shell may do to the streams of a command.
STREAMS = {
    "closed stdout": ">&-",
    "closed stderr": "2>&-",
    "closed stdin": "<&-",
    "all closed": "<&- >&- 2>&-",
    "full stderr": "2>/dev/full",
    "cut off": "| head -c 1",
}
#: A command of each family, and the code of its outcome.
COMMANDS = {
    "runs": 0,
    "check estate --json": 0,
    "check blocked": 3,
    "plan estate -o plan.json": 0,
    "report no-such-run": 2,
}
#: More of them, for the worst case alone.
MORE = {"check --help": 0, "inventory --template empty": 0, "coverage estate": 0, "runbook list": 0, "check --nope": 2}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with an estate of two servers of which one has a hostile name, and one that is all blocked."""
    made = tmp_path_factory.mktemp("streams")
    servers = [a_server("s1", name="数据库-Ä"), a_server("s2", name=NASTY[0].replace("\n", " "))]
    an_inventory(servers=servers, groups=[a_group()]).to_folder(made / "estate")
    an_inventory(servers=[a_server("s1", status="ERROR")], groups=[a_group()]).to_folder(made / "blocked")
    return made


@pytest.fixture
def sh(folder, tmp_path):
    """Run a shell line in which ``sdrs-nb`` is the command line; the code is that of ``sdrs-nb``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SDRS_NB_", "LC_", "LANG"))}

    def run(words, streams="", **extra):
        line = f'{{ "{sys.executable}" -m sdrs_nb.cli {words}; echo $? >"{tmp_path}/code"; }} {streams}'
        environment = kept | {"SDRS_NB_HOME": str(tmp_path / "home"), "SDRS_NB_LANG": "en"} | extra
        done = subprocess.run(
            ["sh", "-c", line], cwd=folder, env=environment, capture_output=True, timeout=60, check=False
        )
        return int((tmp_path / "code").read_text()), done.stdout, done.stderr

    return run


@pytest.mark.parametrize(
    ("words", "streams"),
    [(words, name) for words in COMMANDS for name in STREAMS] + [(words, "all closed") for words in MORE],
)
def test_a_stream_that_fails_changes_no_exit_code(sh, words, streams):
    """Whatever a shell does to the streams, the code is the outcome's, and nothing of Python's is said."""
    code, _out, err = sh(words, STREAMS[streams])

    assert code == (COMMANDS | MORE)[words]
    assert b"Traceback" not in err
    assert b"Exception" not in err


@pytest.mark.parametrize(("words", "code"), [("check estate --json", 1), ("check blocked", 3), ("runs", 1)])
def test_output_that_was_lost_is_no_success(sh, words, code):
    """A full disk behind the standard output is said in a sentence, and what would have been 0 is 1."""
    left, _out, err = sh(words, ">/dev/full")

    assert left == code
    assert err.decode().splitlines()[-1] == "The output could not be written: No space left on device."


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_letters_that_a_stream_lacks_are_written_out(sh, encoding):
    """The same table in every encoding: what cannot be shown stands there by its number."""
    code, out, err = sh("check estate", PYTHONIOENCODING=encoding)

    names = [line.split("\t")[1] for line in out.decode(encoding).splitlines()[1:]]
    shown = "数据库-Ä".encode(encoding, terminal.HANDLER).decode(encoding)
    assert (code, b"Traceback" in err) == (0, False)
    assert names == [shown, "[U+001B]]0;PWNED[U+0007][U+001B][2Jspoof run s2: created"]


@pytest.mark.parametrize("locale", [{"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, {"LC_ALL": "C"}])
def test_a_plain_locale_shows_every_row(sh, locale):
    """With LC_ALL=C, tables and JSON come out whole, and JSON reads back."""
    code, out, _err = sh("check estate --json", **locale)

    assert code == 0
    assert [row["server_id"] for row in json.loads(out.decode())] == ["s1", "s2"]


def is_plain(text):
    """Tell whether a text holds nothing but what can be seen, line breaks and tabs."""
    return all(sign.isprintable() or sign in "\n\t" for sign in text)


HOSTILE = "'\x1b]0;PWNED\x07\nrun s2: created \u202e'"


@pytest.mark.parametrize(
    "words",
    [
        f"check {HOSTILE}",
        f"check --{HOSTILE}",
        HOSTILE,
        f"--lang {HOSTILE} runs",
        f"check estate --group {HOSTILE}",
        f"check estate --choose {HOSTILE}",
        f"plan estate --name-prefix {HOSTILE}",
        f"plan estate -o {HOSTILE}/x.json",
        f"report {HOSTILE}",
        f"submit {HOSTILE} --approve x",
        f"runbook run {HOSTILE}",
        f"runbook run 20_protect_servers -p {HOSTILE} 1",
        f"sandbox --{HOSTILE}",
    ],
)
def test_what_was_typed_is_told_as_text(sh, words):
    """An error that repeats an argument is one line of visible characters, and code 2."""
    code, out, err = sh(words)

    told = (out + err).decode()
    assert code == 2
    assert is_plain(told)
    assert not any(line.startswith("run s2") for line in told.splitlines())


@pytest.mark.parametrize("words", ["check {} --show findings", "plan {} -o p.json", "check {}", "coverage {}"])
def test_names_are_told_as_text(sh, tmp_path, words):
    """Names of servers and groups reach neither stream as anything but text on the line they belong to."""
    named = [name for name in NASTY if name.isascii()]
    servers = [a_server(f"s{at}", name=name, status="BUILD") for at, name in enumerate(named)]
    groups = [a_group(f"g{at}", name=name) for at, name in enumerate(named)]
    an_inventory(servers=servers, groups=groups).to_folder(tmp_path / "estate")

    _code, out, err = sh(words.format(tmp_path / "estate"))

    told = (out + err).decode()
    assert is_plain(told)
    assert not any(line.startswith(("run s2", "Server s2 is")) for line in told.splitlines())
