"""Files at the door: only regular ones are read, whole, and never more than the bound."""

import io
import os

import pytest

from sdrs_nb.errors import InventoryError, PlanError, SettingsError
from sdrs_nb.intake.files import bytes_of, entries_of, read_file, read_stream
from sdrs_nb.intake.limits import Limits, UnreadableError, in_bytes, limits, raisable
from sdrs_nb.inventory.inventory import read_inventory
from sdrs_nb.planning.approvals import load_approval
from sdrs_nb.planning.plans import Plan


def a_pipe(folder):
    """A named pipe that nobody writes to: opening it would wait for ever."""
    os.mkfifo(folder / "servers.csv")
    return folder / "servers.csv"


def a_device(folder):
    """A file name behind which a device never ends."""
    (folder / "servers.csv").symlink_to("/dev/zero")
    return folder / "servers.csv"


def a_loop(folder):
    """Two links that lead to each other."""
    (folder / "servers.csv").symlink_to(folder / "other.csv")
    (folder / "other.csv").symlink_to(folder / "servers.csv")
    return folder / "servers.csv"


def a_folder(folder):
    """A folder with the name of a file."""
    (folder / "servers.csv").mkdir()
    return folder / "servers.csv"


def a_nul(_folder):
    """A path that no system takes."""
    return "servers\0.csv"


@pytest.mark.parametrize("make", [a_pipe, a_device, a_loop, a_nul, a_folder])
@pytest.mark.parametrize(("read", "error"), [(read_inventory, InventoryError), (Plan.load, PlanError),
                                             (load_approval, PlanError)])  # fmt: skip
def test_what_is_no_regular_file_is_refused_at_once(make, read, error, tmp_path):
    """Pipes, devices, circles of links and folders end in a sentence that names them, whoever reads."""
    path = make(tmp_path)

    with pytest.raises(error) as refused:
        read(path)

    assert "servers" in str(refused.value)


def test_a_pipe_in_a_folder_is_passed_over(tmp_path):
    """An inventory's folder is read past what is no file."""
    (tmp_path / "volumes.csv").write_text("volume_id\nv1\n")
    (tmp_path / "groups.csv").symlink_to(tmp_path / "groups.csv")
    a_pipe(tmp_path)

    with pytest.raises(InventoryError, match="There are no servers"):
        read_inventory(tmp_path)


@pytest.mark.parametrize(("size", "is_read"), [(0, True), (9, True), (10, True), (11, False)])
def test_the_bound_of_a_file(size, is_read, tmp_path, monkeypatch):
    """A file of exactly the bound is read, a byte more is refused with sizes and setting; so are bytes and streams."""
    monkeypatch.setenv("SDRS_NB_LIMIT_FILE_BYTES", "10")
    content = b"x" * size
    (tmp_path / "f").write_bytes(content)

    for read in (
        lambda: read_file(tmp_path / "f"),
        lambda: bytes_of(memoryview(content), "f"),
        lambda: read_stream(io.BytesIO(content), "f"),
    ):
        if is_read:
            assert read() == content
        else:
            with pytest.raises(UnreadableError, match=r"f has 11 B, more than the 10 B .*SDRS_NB_LIMIT_FILE_BYTES"):
                read()


def test_a_sparse_file_of_terabytes_costs_nothing(tmp_path):
    """The declared size is looked at before a byte is read."""
    with (tmp_path / "servers.csv").open("wb") as file:
        file.truncate(2**40)

    with pytest.raises(InventoryError, match="1024 GiB, more than the 512 MiB"):
        read_inventory(tmp_path / "servers.csv")


def test_a_stream_that_never_ends_is_left(monkeypatch):
    """An open file is read to the bound and a byte."""

    class Endless(io.RawIOBase):
        def read(self, size=-1):
            return b"x" * size

    monkeypatch.setenv("SDRS_NB_LIMIT_FILE_BYTES", "1000000")

    with pytest.raises(InventoryError, match=r"s\.csv has"):
        read_inventory(Endless(), name="s.csv")


@pytest.mark.parametrize("source", [None, 3, ["s1"], {"servers": [1]}, io.StringIO("server_id"), object(), {1: None}])
def test_what_is_no_source_at_all_is_refused_in_a_sentence(source):
    """Whatever a caller hands over, the answer is what may be handed over."""
    with pytest.raises(InventoryError):
        read_inventory(source, name="servers.csv")


def test_a_folder_with_too_many_entries(tmp_path, monkeypatch):
    """As many as the bound are looked at, one more is refused."""
    monkeypatch.setenv("SDRS_NB_LIMIT_FOLDER_ENTRIES", "3")
    for name in "cab":
        (tmp_path / name).touch()

    assert [path.name for path in entries_of(tmp_path)] == ["a", "b", "c"]
    (tmp_path / "d").touch()
    with pytest.raises(UnreadableError, match=r"more than 3 files.*SDRS_NB_LIMIT_FOLDER_ENTRIES"):
        entries_of(tmp_path)


@pytest.mark.parametrize("value", ["0", "-1", "many", "1e3", "9" * 5000])
def test_a_bound_that_is_none_is_a_setting_that_is_wrong(value, monkeypatch):
    """The variable is named with what belongs there."""
    monkeypatch.setenv("SDRS_NB_LIMIT_ROWS", value)

    with pytest.raises(SettingsError, match=r"SDRS_NB_LIMIT_ROWS is .*whole number above 0.*2000000"):
        limits()


def test_bounds_are_what_the_environment_says(monkeypatch):
    """One is changed, the others stay."""
    monkeypatch.setenv("SDRS_NB_LIMIT_ROWS", "5")

    assert limits() == Limits(rows=5)
    assert raisable("rows") == "SDRS_NB_LIMIT_ROWS"


@pytest.mark.parametrize(("size", "told"), [(5, "5 B"), (2**10, "1 KiB"), (3 * 2**19, "1.5 MiB"), (2**31, "2 GiB")])
def test_sizes_are_told_as_people_read_them(size, told):
    """Binary units, four figures."""
    assert in_bytes(size) == told
