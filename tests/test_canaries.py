"""Secrets that enter are in nothing that a job leaves behind; ``python -m tests.canaries`` tries every way in."""

import base64
import json
import pickle
import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from traceback import TracebackException
from urllib.parse import quote

import openpyxl
import pytest

from tests.canaries import SAMPLE, WAYS, attempt
from tests.canary_search import CommandLines, Search, keys_of

KEYS = keys_of(random.Random("self-check"))
SECRET = KEYS["secret_key"]


def in_database(folder):
    """A row that is still in the write-ahead log alone."""
    database = sqlite3.connect(folder / "ledger.db")
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("CREATE TABLE events (data TEXT)")
    database.execute("INSERT INTO events VALUES (?)", (json.dumps({"note": SECRET}),))
    database.commit()
    return database


def in_workbook(folder):
    """A cell of a workbook, which is packed."""
    book = openpyxl.Workbook()
    book.active["A1"] = f"said {SECRET} there"
    book.save(folder / "report.xlsx")


def in_notebook(folder):
    """An output and the state of a widget, spelled as JSON within JSON."""
    state = {"application/vnd.jupyter.widget-state+json": {"state": {"1": {"state": {"value": f"<b>{SECRET}</b>"}}}}}
    (folder / "out.ipynb").write_text(json.dumps({"metadata": {"widgets": json.dumps(state)}}))


def in_traceback(folder):
    """A variable of a frame."""
    hidden = SECRET
    try:
        hidden.index("?")
    except ValueError as error:
        lines = TracebackException.from_exception(error, capture_locals=True).format()
    (folder / "traceback.txt").write_text("".join(lines))


PLANTED = {
    "log": lambda folder: (folder / "debug.log").write_text(f"DEBUG token={SECRET}\n"),
    "table": lambda folder: (folder / "findings.csv").write_text(f'a,"b {SECRET}"\n'),
    "page": lambda folder: (folder / "report.html").write_text(f"<td>{SECRET}</td>"),
    "plan": lambda folder: (folder / "plan.json").write_text(json.dumps({"note": SECRET})),
    "database": in_database,
    "workbook": in_workbook,
    "notebook": in_notebook,
    "traceback": in_traceback,
    "pickle": lambda folder: (folder / "run.pickle").write_bytes(pickle.dumps({"key": SECRET})),
    "name of a file": lambda folder: (folder / f"plan-{SECRET}.json").touch(),
    "half of it": lambda folder: (folder / "cut.txt").write_text(f"{SECRET[:15]}…"),
    "another case": lambda folder: (folder / "swapped.txt").write_text(SECRET.swapcase()),
    "backwards": lambda folder: (folder / "backwards.txt").write_text(SECRET[::-1]),
    "hex": lambda folder: (folder / "hex.txt").write_text(SECRET.encode().hex()),
    **{
        f"base64 after {before} bytes": lambda folder, before=before: (folder / "login.txt").write_bytes(
            base64.b64encode(b"u" * before + SECRET.encode() + b":")
        )
        for before in range(3)
    },
}


@pytest.mark.parametrize("kind", PLANTED)
def test_what_was_planted_is_found(kind, tmp_path):
    """A search that could find nothing would prove nothing: one secret in each kind of thing, and it is found there."""
    held = PLANTED[kind](tmp_path)

    found = Search(KEYS).in_folder(tmp_path)

    assert {hit.secret for hit in found} == {"secret_key"}
    if isinstance(held, sqlite3.Connection):
        with closing(held):
            assert any(hit.where.endswith("-wal") for hit in found)


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("spelled", [str, quote, json.dumps, repr], ids=["plain", "URL", "JSON", "repr"])
def test_every_kind_of_secret_is_found(name, spelled):
    """In a line of output, however it is spelled; and nothing is found in a line without one."""
    search = Search(KEYS)

    assert {hit.secret for hit in search.in_text("stdout", f"before {spelled(KEYS[name])} after")} == {name}
    assert search.in_text("stdout", f"before {spelled(keys_of(random.Random('other'))[name])} after") == set()


def test_a_secret_on_a_command_line_is_seen():
    """Of any process of this machine."""
    lines = CommandLines()
    with subprocess.Popen([sys.executable, "-c", "input()", SECRET], stdin=subprocess.PIPE) as child:
        lines.look()
        child.communicate(b"\n")

    assert any(Search(KEYS).in_text("command line", line) for line in lines.seen)


def test_there_are_many_ways_in():
    """Arguments, variables, files, addresses, what is malformed and what is in the wrong place."""
    assert len(WAYS) >= 80


@pytest.mark.parametrize("name", SAMPLE)
def test_secrets_that_enter_are_nowhere_to_be_found(name, tmp_path):
    """Many secrets at once, a job in Python and one in a shell with refusals on the way: found nowhere."""
    found, looked_at = attempt(name, tmp_path, is_quick=True)

    assert found == set()
    assert {".log", ".json", ".xml", ".html", ".csv", ".db", ".bin", ".txt", "wire", "request log"} <= looked_at.keys()
    done = (tmp_path / "work" / "seen" / "stages.txt").read_text()
    assert "whole job: done" in done
    assert "echo: PermissionDeniedError" in done
