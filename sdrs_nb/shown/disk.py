"""The one way to write a file: whole or not at all, and through no link that somebody else put there.

What an operator asks for by its path (plans, approvals, reports, exports) is made to be handed on, so its mode is what
the umask says.  What lies in the home folder is nobody else's business: ``private_folder`` and ``private_file``.
"""

import os
import secrets
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sdrs_nb.errors import SettingsError
from sdrs_nb.i18n import _

__all__ = ["close_to_others", "private_file", "private_folder", "require_place", "write_whole"]

_PRIVATE_FOLDER, _PRIVATE_FILE = 0o700, 0o600


def require_place(path: Path, *, makes_folders: bool = False) -> None:
    """Refuse a path at which no file can be written; asked before anything that takes long or is secret.

    ``makes_folders`` says that missing folders will be made.  Reads the disk, changes nothing.

    Raises
    ------
    SettingsError
        The path is a folder, a link or a device, or its folder is missing or cannot be written.
    """
    folder = path.parent
    if makes_folders:
        folder = next((each for each in (folder, *folder.parents) if os.path.lexists(each)), folder)
    reasons = (
        (path.is_symlink(), _("it is a link; name the file that it points to")),
        (path.is_dir(), _("it is a folder")),
        (path.exists() and not path.is_file(), _("it is a device, not a file")),
        (not folder.exists(), _("the folder {folder} is missing", folder=folder)),
        (not folder.is_dir(), _("{folder} is no folder", folder=folder)),
        (not os.access(folder, os.W_OK | os.X_OK), _("the folder {folder} cannot be written", folder=folder)),
    )
    for holds, reason in reasons:
        if holds:
            raise _refused(path, reason)


def write_whole(path: Path, fill: Callable[[Path], object] | bytes, *, makes_folders: bool = False) -> Path:
    """Write the bytes, or what ``fill`` writes to the path it is given, as the file ``path``; return the path.

    A new file takes the old one's place once it is whole and on the disk.  A link at ``path`` is refused.

    Raises
    ------
    SettingsError
        The file cannot be written; nothing is left behind.
    """
    require_place(path, makes_folders=makes_folders)
    # Nobody can guess this name, and an existing one is not opened.
    unfinished = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}.part")
    try:
        path.parent.mkdir(parents=makes_folders, exist_ok=True)  # without `makes_folders` it is there
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
            file.write(fill if isinstance(fill, bytes) else b"")
        if callable(fill):
            fill(unfinished)
        with unfinished.open("rb+") as file:
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise _refused(path, str(error.strerror or error)) from error
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return path


def _refused(path: Path, reason: str) -> SettingsError:
    return SettingsError(_("{path} was not written: {reason}. Choose another place.", path=path, reason=reason))


def private_folder(folder: Path) -> None:
    """Make ``folder`` when missing, for its owner alone; one of ours that others may look into is closed to them.

    Raises
    ------
    OSError
        The folder cannot be made.
    """
    folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
    close_to_others(folder.resolve())  # the folder itself may be a link, say to a larger disk


def private_file(path: Path) -> None:
    """Make ``path`` when missing, empty, for its owner alone; one of ours that others may read is closed to them.

    An existing file is not opened: closing a second handle would take the locks from a database that is in use.

    Raises
    ------
    OSError
        It is a link, a folder or a device, or cannot be made.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE))
    close_to_others(path)


def close_to_others(path: Path) -> None:
    """Close a file or folder of ours to everybody else; nothing where it is missing or another user's.

    Raises
    ------
    OSError
        It is a link, or neither file nor folder.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISLNK(found.st_mode):
        raise OSError(0, _("it is a link; name the file that it points to"), str(path))
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
        raise OSError(0, _("it is a device, not a file"), str(path))
    # On Windows a user's folders are closed to others by their own lists.
    if os.name != "nt" and found.st_uid == os.getuid() and stat.S_IMODE(found.st_mode) & 0o077:
        path.chmod(stat.S_IMODE(found.st_mode) & 0o700)
