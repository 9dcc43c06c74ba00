"""Standard streams that cannot stop a command: closed, full, cut off by `| head`, or of an encoding that lacks letters.

What a command did is told by its exit code; a reader that has gone changes nothing about that.
"""

import errno
import io
import os
import sys
import traceback
from types import TracebackType
from typing import Any, TextIO

from sdrs_nb.i18n import _
from sdrs_nb.shown import terminal

__all__ = ["secure", "settled"]

#: The reader wanted no more: a closed pipe, which Windows calls an invalid argument.
_GONE = frozenset({errno.EPIPE, errno.EINVAL})
_lost: dict[int, OSError] = {}


class _Kept(io.FileIO):
    """A file descriptor whose failed writes are remembered instead of raised."""

    def write(self, data: Any, /) -> int:
        if self.fileno() not in _lost:
            try:
                return super().write(data)
            except OSError as error:
                _lost[self.fileno()] = error
        return len(data)


def secure() -> None:
    """Make the standard streams safe to write to; a closed one is opened on the null device."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is this one, since those below are open by now.
            os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(number, True)
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - open as long as the process
    sys.stdout, sys.stderr = _text(sys.stdout, 1), _text(sys.stderr, 2)
    sys.excepthook = _tell_bug


def _text(stream: TextIO | None, number: int) -> TextIO:
    if os.name == "nt" and isinstance(stream, io.TextIOWrapper) and stream.isatty():
        stream.reconfigure(errors=terminal.HANDLER)  # a console there takes text, not bytes
        return stream
    raw = _Kept(number, "wb", closefd=False)
    encoding = stream.encoding if stream is not None else "utf-8"
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=encoding,
        errors=terminal.HANDLER,
        line_buffering=raw.isatty() or number == 2,  # noqa: PLR2004 - the standard error
    )


def _tell_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    terminal.write("".join(traceback.format_exception(kind, error, trace)).rstrip(), sys.stderr)


def settled(code: int, failed: int) -> int:
    """Return the exit code once all is written: ``failed`` for a success whose output was lost, else ``code``."""
    sys.stdout.flush()
    lost = _lost.get(1)
    if lost is None or lost.errno in _GONE:
        return code
    terminal.write(_("The output could not be written: {reason}.", reason=lost.strerror), sys.stderr)
    return code or failed
