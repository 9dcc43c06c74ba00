"""Files appear whole or not at all, through no link, and what is in the home folder is for its owner alone."""

import os
import stat
import subprocess
import sys
from functools import partial

import pandas as pd
import pytest

from sdrs_nb.errors import LedgerError, PlanError, SdrsError, SettingsError
from sdrs_nb.ledger.ledger import Ledger
from sdrs_nb.planning import approvals
from sdrs_nb.planning.approvals import Approval
from sdrs_nb.reporting.report import report
from sdrs_nb.runbooks.runbooks import write_runbook
from sdrs_nb.running.runs import list_runs
from sdrs_nb.shown import disk
from sdrs_nb.shown.exports import write_csv, write_excel, write_json_lines
from sdrs_nb.widgets.grid import Grid
from sdrs_nb.widgets.saved_filters import keep_filter, saved_filters
from tests.builders_reporting import a_recorded_run

FRAME = pd.DataFrame({"server_id": ["s1"], "name": ["a"]})


def mode(path):
    """Return the permission bits of a path."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=["umask 000", "umask 022", "umask 077"])
def umask(request):
    """Files are made under this umask."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


WRITERS = {
    "csv": partial(write_csv, FRAME),
    "workbook": partial(write_excel, {"servers": FRAME}),
    "json lines": partial(write_json_lines, FRAME),
    "approval": partial(approvals.save_approval, Approval(fingerprint="f")),
    "runbook": partial(write_runbook, "20_protect_servers"),
    "grid": lambda path: Grid(FRAME, id_column="server_id").export(path),
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_an_export_is_as_the_umask_says_and_replaces_the_old_one(tmp_path, umask, write):
    """What is handed on has the mode of any new file, and nothing is left beside it."""
    path = tmp_path / "out.file"
    path.write_text("old")

    write(path)

    assert path.read_bytes() != b"old"
    assert mode(path) == 0o666 & ~umask
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == ["out.file"]


PLACES = {
    "a link": (lambda path: path.symlink_to(path.with_name("secret")), "is a link"),
    "a dangling link": (lambda path: path.symlink_to(path.with_name("nothing")), "is a link"),
    "a folder": (lambda path: path.mkdir(), "is a folder"),
    "a pipe": (os.mkfifo, "is a device"),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_what_is_no_file_is_refused_and_left_alone(tmp_path, write, place):
    """A link is not written through, a folder or pipe not replaced; the sentence names the path."""
    (tmp_path / "secret").write_text("kept")
    path = tmp_path / "out.file"
    make, said = PLACES[place]
    make(path)

    with pytest.raises(SdrsError, match=f"out.file was not written: it {said}"):
        write(path)

    assert (tmp_path / "secret").read_text() == "kept"
    assert not (tmp_path / "nothing").exists()


def test_a_report_is_not_written_through_a_link(ledger, tmp_path):
    """A link beside the report, where its CSV goes, is refused too."""
    (tmp_path / "secret").write_text("kept")
    (tmp_path / "report.csv").symlink_to(tmp_path / "secret")

    with pytest.raises(SettingsError, match=r"report\.csv was not written: it is a link"):
        report(a_recorded_run(ledger, servers=1, blocked=0), tmp_path / "report.html")

    assert (tmp_path / "secret").read_text() == "kept"


def test_what_fails_half_way_leaves_the_old_file(tmp_path):
    """A writer that breaks off leaves the file as it was, and nothing beside it."""
    path = tmp_path / "a.csv"
    path.write_text("old")

    def broken(unfinished):
        unfinished.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(SettingsError, match="No space left on device"):
        disk.write_whole(path, broken)

    assert {each.name: each.read_text() for each in tmp_path.iterdir() if each.is_file()} == {"a.csv": "old"}


@pytest.mark.parametrize("makes_folders", [True, False])
def test_a_missing_folder_is_told_unless_it_will_be_made(tmp_path, makes_folders):
    """Asked before anything is done, a path in a missing folder is fine only where folders are made."""
    path = tmp_path / "a" / "b" / "c.json"

    if makes_folders:
        disk.require_place(path, makes_folders=True)
    else:
        with pytest.raises(SettingsError, match=r"the folder .*/a/b is missing"):
            disk.require_place(path)
    assert not (tmp_path / "a").exists()


def test_a_path_below_a_file_is_told(tmp_path):
    """A file in place of a folder is named, folders made or not."""
    (tmp_path / "wall").write_text("")

    with pytest.raises(SettingsError, match="wall is no folder"):
        disk.require_place(tmp_path / "wall" / "x" / "a.csv", makes_folders=True)


# The home folder


def home_of(tmp_path):
    """Return the modes of the home folder and all that is in it."""
    home = tmp_path / "home"
    return {path.name: mode(path) for path in (home, *home.iterdir())}


def test_a_new_home_is_for_its_owner_alone(tmp_path, umask):
    """Whatever the umask: folder 0700, ledger, write-ahead log, shared memory and filters 0600."""
    opened = Ledger()
    list_runs(opened)
    keep_filter("mine", {"search": "x"})

    found = home_of(tmp_path)

    opened.close()
    assert found.pop("home") == 0o700
    assert {"ledger.db", "ledger.db-wal", "ledger.db-shm", "filters.json"} <= found.keys()
    assert set(found.values()) == {0o600}
    assert saved_filters() == {"mine": {"search": "x"}}


def test_an_older_home_is_closed_to_others_when_it_is_opened(tmp_path):
    """Wider modes of an earlier version go; files that are not ours in there stay as they are."""
    Ledger().close()
    home = tmp_path / "home"
    for name in ("calls.db", "filters.json", "run.lock", "notes.txt"):
        (home / name).write_text("")
        (home / name).chmod(0o664)
    (home / "ledger.db").chmod(0o644)
    home.chmod(0o755)

    Ledger().close()

    assert home_of(tmp_path) == {
        "home": 0o700, "ledger.db": 0o600, "calls.db": 0o600, "filters.json": 0o600, "run.lock": 0o600,
        "notes.txt": 0o664,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["ledger.db", "ledger.db-wal", "filters.json"])
def test_a_link_in_the_home_is_refused(tmp_path, name):
    """A link in place of a file of the home is named, and what it points to stays as it is."""
    (tmp_path / "home").mkdir()
    (tmp_path / "secret").write_text("kept")
    (tmp_path / "home" / name).symlink_to(tmp_path / "secret")

    with pytest.raises(LedgerError, match="is a link"):
        Ledger()

    assert (tmp_path / "secret").read_text() == "kept"


def test_closing_a_file_to_others_keeps_the_locks_of_this_process(tmp_path):
    """Opening a second handle would drop them: another process still finds the ledger locked afterwards."""
    opened = Ledger()
    probe = "import sqlite3,sys; sqlite3.connect(sys.argv[1], timeout=0).execute('BEGIN IMMEDIATE')"
    with opened._write("test"):
        disk.private_file(opened.path)

        done = subprocess.run([sys.executable, "-c", probe, opened.path], capture_output=True, text=True, check=False)
    opened.close()

    assert "database is locked" in done.stderr


def test_filters_are_not_kept_through_a_link(tmp_path):
    """Keeping a filter where a link lies is refused in a sentence."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "filters.json").symlink_to(tmp_path / "secret")

    with pytest.raises(SettingsError, match="link"):
        keep_filter("mine", {})

    assert not (tmp_path / "secret").exists()


def test_a_plan_error_names_the_place(tmp_path):
    """An approval in a missing folder is a PlanError, as every error about plans."""
    with pytest.raises(PlanError, match="is missing"):
        approvals.save_approval(Approval(fingerprint="f"), tmp_path / "no" / "a.json")
