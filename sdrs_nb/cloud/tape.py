"""The tape: every request and every answer of a connection as lines of JSON, with nothing in it that names anybody.

One file a connection, for its owner alone.  Its first line says how the connection was made, each other line is one
exchange: ``n`` (the order in which requests left), ``at`` (this machine's time, UTC), ``service``, ``method``,
``path``, ``query``, ``body``, and ``answer`` (status, headers, body) or ``failure``.  What is replaced and what stays
says ``pseudonyms``; times stay, numbers too where they are small.
"""

import json
import logging
import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from sdrs_nb import __version__
from sdrs_nb.cloud.answers import Answer, Call
from sdrs_nb.cloud.pseudonyms import DROPPED, Pseudonyms
from sdrs_nb.errors import CloudUnreachable, SettingsError
from sdrs_nb.home import home_folder
from sdrs_nb.i18n import _
from sdrs_nb.settings import Settings
from sdrs_nb.shown.disk import private_file, private_folder

__all__ = ["ENDING", "VERSION", "Recorder", "key_file", "tape_key"]

_log = logging.getLogger("sdrs_nb")
#: How the name of a tape's file ends.
ENDING = ".tape.jsonl"
#: The form of the lines.
VERSION = 1
_KEY_BYTES = 32
_DATE = re.compile(r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT", re.ASCII)
#: Headers of an answer that say something of the service and nothing of anybody, and how they look then.
_HEADERS = {
    "date": _DATE,
    "retry-after": re.compile(rf"\d{{1,6}}|{_DATE.pattern}", re.ASCII),
    "x-sandbox-time": re.compile(r"[\dT:.+Z-]{10,35}", re.ASCII),
    "x-sandbox-speed": re.compile(r"\d{1,8}(?:\.\d{1,6})?", re.ASCII),
}


def key_file() -> Path:
    """Return the file of the key that pseudonyms are made with: in the home folder, never beside a tape."""
    return home_folder() / "tape.key"


def tape_key() -> bytes:
    """Return the operator's key, made when missing; whoever has it can tell whose pseudonym a name has.

    Raises
    ------
    SettingsError
        The file cannot be made or read, or holds no key.
    """
    path = key_file()
    try:
        if not path.exists():
            private_folder(path.parent)
            with suppress(FileExistsError):  # another process was faster
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                os.write(handle, secrets.token_hex(_KEY_BYTES).encode())
                os.close(handle)
        private_file(path)
        key = bytes.fromhex(path.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise SettingsError(_("The key of tapes, {path}, cannot be used: {reason}.", path=path, reason=error)) from None
    if len(key) != _KEY_BYTES:
        raise SettingsError(_("{path} holds no key of tapes; move it away, and a new one is made.", path=path))
    return key


class Recorder:
    """Writes one file of a tape; nothing is written before the first request.

    Parameters
    ----------
    folder
        Where the file is made, itself made when missing.
    settings
        Those of the connection; what of them a replay needs stands in the first line, as pseudonyms.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder, self._settings = folder, settings
        self._numbers = count(1)
        self._pseudonyms: Pseudonyms | None = None
        self._path: Path | None = None

    def begin(self) -> tuple[int, str]:
        """Return the number and the time of a request that leaves now.

        Raises ``SettingsError`` where no file can be made: nothing shall leave that was to be recorded and is not.
        """
        if self._pseudonyms is None:
            self._open()
        return next(self._numbers), datetime.now(UTC).isoformat(timespec="milliseconds")

    def keep(self, begun: tuple[int, str], call: Call, path: str, answer: Answer | CloudUnreachable) -> None:
        """Write the exchange that ``begin`` numbered; a disk that fails ends the tape and nothing else."""
        if self._path is None or self._pseudonyms is None:
            return
        made = self._pseudonyms
        line = {
            "n": begun[0],
            "at": begun[1],
            "service": call.service,
            "method": call.method,
            "path": made.path(call.shown or path),
            "query": made.query(call.query),
            "body": made.content(call.body),
        }
        if isinstance(answer, Answer):
            line["answer"] = {
                "status": answer.status,
                "headers": _headers(made, answer.headers),
                **made.content(answer.content),
            }
        else:
            line["failure"] = {"sent": answer.sent, "cause": answer.cause}
        try:
            self._append(line)
        except OSError as error:
            _log.warning(_("The tape {path} ends here: {reason}.", path=self._path, reason=error.strerror or error))
            self._path = None

    def _open(self) -> None:
        if key_file().parent.resolve() == self._folder.resolve():
            raise SettingsError(
                _("A tape in {folder} would lie with the key that its pseudonyms are made with.", folder=self._folder)
            )
        self._pseudonyms = Pseudonyms(tape_key())
        began = datetime.now(UTC)
        self._path = self._folder / f"{began:%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}{ENDING}"
        head = {
            "tape": VERSION,
            "made_by": f"sdrs_nb {__version__}",
            "began": began.isoformat(timespec="milliseconds"),
            "settings": _settings(self._pseudonyms, self._settings),
        }
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            private_file(self._path)
            self._append(head)
        except OSError as error:
            self._pseudonyms = None
            raise SettingsError(
                _(
                    "No tape can be written in {folder}: {reason}. Nothing was sent.",
                    folder=self._folder,
                    reason=error.strerror or error,
                )
            ) from None

    def _append(self, line: Mapping[str, Any]) -> None:
        """Add a line in one write, so that processes and a crash leave whole lines."""
        handle = os.open(str(self._path), os.O_WRONLY | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0))
        try:
            os.write(handle, json.dumps(line, ensure_ascii=True, separators=(",", ":")).encode() + b"\n")
        finally:
            os.close(handle)


def _headers(made: Pseudonyms, headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of an answer that stay, ids as pseudonyms; that a token came is told, not the token."""
    kept = {name: headers[name] for name, form in _HEADERS.items() if form.fullmatch(headers.get(name, ""))}
    kept |= {name: made.text(headers[name]) for name in ("x-request-id", "x-sandbox-world") if name in headers}
    kept["content-type"] = made.text(headers.get("content-type", "").partition(";")[0].strip())
    return kept | ({"x-subject-token": DROPPED} if "x-subject-token" in headers else {})


def _settings(made: Pseudonyms, settings: Settings) -> dict[str, Any]:
    """Return what a replay connects with."""
    told = {
        "region": settings.region,
        "project_id": settings.project_id,
        "project_name": settings.project_name,
        "domain": settings.domain,
        "domain_id": settings.domain_id,
        "user": settings.user,
    }
    return {
        **{name: made.text(text) for name, text in told.items() if text},
        "kind": settings.kind,
        "temporary": settings.security_token is not None,
        "endpoint": made.origin(settings.endpoint) if settings.endpoint else None,
        "endpoints": {name: made.origin(url) for name, url in settings.endpoints.items()},
        **({"cloud_host": made.host(settings.cloud_host)} if "cloud_host" in settings.model_fields_set else {}),
        "sandbox": settings.sandbox,
        "page_size": settings.page_size,
        "times_offset_h": settings.times_offset_h,
    }
