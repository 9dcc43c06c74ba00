"""The ledger is kept on a local disk only."""

from pathlib import Path

import pytest

from sdrs_nb import home
from sdrs_nb.errors import LedgerError
from sdrs_nb.ledger.ledger import Ledger

MOUNTS = """/dev/vda1 / ext4 rw,relatime 0 0
proc /proc proc rw 0 0
server:/homes /home nfs4 rw,vers=4.2 0 0
/dev/vdb1 /home/local ext4 rw 0 0
//nas/share /mnt/with\\040blank cifs rw 0 0
user@host:/ /mnt/ssh fuse.sshfs rw 0 0
tmpfs /tmp tmpfs rw 0 0
host /mnt/host 9p rw,trans=virtio 0 0
nas:/over /mnt/over nfs rw 0 0
/dev/vdc1 /mnt/over ext4 rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/var/lib/sdrs", None),
        ("/home/ops/.local/share/sdrs_nb", "nfs4"),
        ("/home/local/sdrs", None),
        ("/homestead", None),
        ("/mnt/with blank/sdrs", "cifs"),
        ("/mnt/ssh", "fuse.sshfs"),
        ("/mnt/host/x", "9p"),
        ("/mnt/over/x", None),
        ("/tmp/x", None),
    ],
)
def test_the_deepest_mount_decides(folder, kind):
    """A folder is as local as the mount that holds it; a mount over another hides it."""
    assert home.network_type(Path(folder), MOUNTS) == kind


@pytest.mark.parametrize("mounts", ["", "short line", "none / 9p rw 0 0"])
def test_what_says_nothing_refuses_nothing(mounts):
    """Without a mount table, or with a container's only disk, the folder is taken as local."""
    assert home.network_type(Path("/home/ops"), mounts) is None


def test_a_network_folder_is_refused_with_the_remedy(tmp_path, monkeypatch):
    """The ledger does not open there and says what to set; nothing is made in the folder."""
    table = tmp_path / "mounts"
    table.write_text(f"server:/x {tmp_path / 'net'} nfs4 rw 0 0\n")
    monkeypatch.setattr(home, "_MOUNTS", table)

    with pytest.raises(LedgerError, match="SDRS_NB_HOME"):
        Ledger(tmp_path / "net" / "sdrs" / "ledger.db")

    assert not (tmp_path / "net").exists()
