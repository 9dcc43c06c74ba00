"""The bytes of a file, never more than were asked for: only regular files are read, and only whole."""

import os
import stat
from pathlib import Path
from typing import IO, Any

from sdrs_nb.i18n import _
from sdrs_nb.intake.limits import UnreadableError, in_bytes, limits, raisable

__all__ = ["bytes_of", "entries_of", "read_file", "read_stream", "told"]

_STEP = 2**20


def read_file(path: "str | os.PathLike[str]", bound: str = "file_bytes") -> bytes:
    """Return the content of a regular file of at most so many bytes; ``bound`` is a name of ``limits.Limits``.

    A pipe, a device or a folder is never opened, so that nothing waits or runs on for ever.

    Raises
    ------
    UnreadableError
        It is no regular file, larger than the bound, or is being written.
    OSError
        It is not there or cannot be read.
    """
    most = getattr(limits(), bound)
    try:
        _require_regular(Path(path).stat().st_mode, path)
        # Not to wait for a pipe that took the file's place meanwhile.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except ValueError:  # a NUL, or half a surrogate pair
        raise UnreadableError(_("{path} is no path; correct it.", path=repr(os.fspath(path)))) from None
    with os.fdopen(descriptor, "rb") as file:
        begun = os.fstat(descriptor)
        _require_regular(begun.st_mode, path)
        if begun.st_size > most:
            raise _too_large(path, begun.st_size, most, bound)
        data = file.read(most + 1)
        if len(data) > most:
            raise _too_large(path, len(data), most, bound)
        if os.fstat(descriptor).st_size != len(data):
            raise UnreadableError(
                _("{path} changed while it was read; read it again when it is written whole.", path=path)
            )
        return data


def _require_regular(mode: int, path: object) -> None:
    if stat.S_ISREG(mode):
        return
    if stat.S_ISDIR(mode):
        raise UnreadableError(_("{path} is a folder where a file belongs; name a file in it.", path=path))
    raise UnreadableError(
        _("{path} is a pipe or a device, not a file; save what it gives to a file and name that.", path=path)
    )


def _too_large(path: object, size: int, most: int, bound: str) -> UnreadableError:
    return UnreadableError(
        _(
            "{path} has {size}, more than the {limit} that are read. Check that it is the right file; if it is, take "
            "out what is not needed or raise {setting}.",
            path=path,
            size=in_bytes(size),
            limit=in_bytes(most),
            setting=raisable(bound),
        )
    )


def bytes_of(data: "bytes | bytearray | memoryview", name: str, bound: str = "file_bytes") -> bytes:
    """Return content that is in memory already, if it is no larger than the bound."""
    most = getattr(limits(), bound)
    size = data.nbytes if isinstance(data, memoryview) else len(data)
    if size > most:
        raise _too_large(name, size, most, bound)
    return bytes(data)


def read_stream(stream: "IO[bytes]", name: str, bound: str = "file_bytes") -> bytes:
    """Return what an open binary file still holds, at most so many bytes.

    Raises
    ------
    UnreadableError
        It holds more than the bound, or gives text.
    """
    most = getattr(limits(), bound)
    parts: list[bytes] = []
    size = 0
    while size <= most:
        part: Any = stream.read(min(_STEP * 16, most + 1 - size))
        if not isinstance(part, (bytes, bytearray)):
            raise UnreadableError(_("{name} was opened as text; open it in binary mode.", name=name))
        if not part:
            return b"".join(parts)
        parts.append(bytes(part))
        size += len(part)
    raise _too_large(name, size, most, bound)


def entries_of(folder: Path) -> list[Path]:
    """Return what is in a folder, by name.

    Raises
    ------
    UnreadableError
        There is more in it than the bound.
    OSError
        It cannot be read.
    """
    most = limits().folder_entries
    found: list[Path] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if len(found) == most:
                raise UnreadableError(
                    _(
                        "The folder {folder} has more than {limit} files; put those of the inventory into a folder of "
                        "their own or raise {setting}.",
                        folder=folder,
                        limit=most,
                        setting=raisable("folder_entries"),
                    )
                )
            found.append(Path(entry.path))
    return sorted(found)


def told(error: OSError) -> str:
    """Return why a file could not be read, in the system's words."""
    return error.strerror or type(error).__name__
