"""Where the ledger lives, and whether that place can be trusted with it.

SQLite in write-ahead mode needs shared memory and locks that work.  On a network file system they do not ("WAL does
not work over a network filesystem", SQLite documentation, Write-Ahead Logging), and a ledger that two machines can
tear apart is worse than none.
"""

import getpass
import os
import re
from pathlib import Path

import platformdirs

from sdrs_nb.errors import LedgerError
from sdrs_nb.i18n import _

__all__ = ["home_folder", "network_type", "operator_name", "require_local"]

_MOUNTS = Path("/proc/self/mounts")
#: File systems whose locks another machine (or a host behind a virtual machine) may not see.
_NETWORK = frozenset(
    [
        "nfs",
        "nfs4",
        "cifs",
        "smb",
        "smb2",
        "smb3",
        "smbfs",
        "ncpfs",
        "afs",
        "9p",
        "ceph",
        "glusterfs",
        "lustre",
        "gpfs",
        "beegfs",
        "ocfs2",
        "gfs2",
        "orangefs",
        "pvfs2",
        "davfs",
        "vboxsf",
        "vmhgfs",
        "prl_fs",
        "fuse.sshfs",
        "fuse.ceph",
        "fuse.glusterfs",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.gcsfuse",
        "fuse.davfs2",
        "fuse.vmhgfs-fuse",
        "fuse.smbnetfs",
        "fuse.curlftpfs",
        "fuse.juicefs",
        "fuse.blobfuse2",
        "fuse.mount-s3",
    ]
)


def home_folder() -> Path:
    """Return the folder of the ledger: ``SDRS_NB_HOME`` if set, else the user's data folder (not created)."""
    if chosen := os.environ.get("SDRS_NB_HOME"):
        return Path(chosen).expanduser()
    return platformdirs.user_data_path("sdrs_nb", appauthor=False)


def network_type(folder: Path, mounts: str) -> str | None:
    r"""Return the type of the network file system that holds ``folder``, or None where it is a local disk.

    Parameters
    ----------
    folder
        An absolute path; it need not exist.
    mounts
        The text of ``/proc/self/mounts``: device, mount point and type a line, blanks as ``\040``.
    """
    best, found = -1, None
    for line in mounts.splitlines():
        parts = line.split(" ")
        if len(parts) < 3:  # noqa: PLR2004 - device, mount point, type
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), parts[1]))
        # Later lines hide earlier ones at the same place, so equal depth counts.
        if folder.is_relative_to(point) and len(point.parts) >= best:
            # A container whose whole root comes over 9p (gVisor, Kata) has no other disk, and only itself on it.
            exempt = parts[2] == "9p" and point == Path("/")
            best, found = len(point.parts), None if exempt or parts[2] not in _NETWORK else parts[2]
    return found


def require_local(folder: Path) -> None:
    """Refuse a folder on a network file system; says nothing where the system does not tell (macOS, Windows drives).

    Raises
    ------
    LedgerError
        The folder is on a network file system; names its type and the remedy.
    """
    absolute = Path(os.path.realpath(folder))
    kind = "UNC" if str(absolute).startswith("\\\\") else None
    if kind is None and _MOUNTS.exists():
        kind = network_type(absolute, _MOUNTS.read_text(encoding="utf-8", errors="replace"))
    if kind is not None:
        raise LedgerError(
            _(
                "The folder {folder} is on a network file system ({kind}), where locks cannot be trusted, so nothing "
                "is sent. Set SDRS_NB_HOME to a folder on a local disk.",
                folder=folder,
                kind=kind,
            )
        )


def operator_name() -> str:
    """Return the name of the user of this machine, ``""`` where there is no user database, as in some containers."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
