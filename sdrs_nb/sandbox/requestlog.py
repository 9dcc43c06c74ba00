"""The record of every cloud request, as ``GET /_sandbox/requests`` gives it."""

import re
from collections import deque
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from .clock import iso_millis
from .documents import read_json

# Enough for days of polling; the oldest go first.
_KEEP = 200_000
_KEY = re.compile(r"(/OS-CREDENTIAL/credentials/).+")


@dataclass(slots=True)
class LoggedRequest:
    """One request and what became of it; `status` is None for a connection that was dropped."""

    arrival: int
    at: float
    method: str
    path: str
    query: str
    body: bytes
    status: int | None = None
    code: str | int | None = None
    handled: bool = False

    def document(self) -> dict[str, Any]:
        """Give the record as JSON: query as an object, repeated names as lists; body decoded when it is JSON."""
        return {
            "arrival": self.arrival,
            "at": iso_millis(self.at),
            "method": self.method,
            # The one path that ends in an access key, which nobody needs to read here.
            "path": _KEY.sub(r"\1(access key)", self.path),
            "query": _query(self.query),
            "body": _body(self.path, self.body),
            "status": self.status,
            "code": self.code,
            "handled": self.handled,
        }


class RequestLog:
    """Keeps the requests in the order of their arrival, numbered from 1."""

    def __init__(self) -> None:
        self._kept: deque[LoggedRequest] = deque(maxlen=_KEEP)
        self._count = 0

    def begin(self, at: float, method: str, path: str, query: str, body: bytes) -> LoggedRequest:
        """Note that a request has arrived."""
        self._count += 1
        logged = LoggedRequest(self._count, at, method, path, query, body)
        self._kept.append(logged)
        return logged

    def clear(self) -> None:
        """Forget everything and count from 1 again."""
        self._kept.clear()
        self._count = 0

    def documents(self) -> list[dict[str, Any]]:
        """Give all records, oldest first."""
        return [logged.document() for logged in self._kept]


def _query(text: str) -> dict[str, str | list[str]]:
    found: dict[str, str | list[str]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        held = found.get(name)
        if held is None:
            found[name] = value
        elif isinstance(held, list):
            held.append(value)
        else:
            found[name] = [held, value]
    return found


def _body(path: str, body: bytes) -> Any:
    if not body:
        return None
    if path.rstrip("/").endswith("/auth/tokens"):
        # It holds a password; nobody needs to read it here.
        return "(credentials)"
    try:
        return read_json(body)
    except ValueError:
        return body.decode(errors="replace")


def answer_code(document: Any) -> str | int | None:
    """Give the error code an answer carries, in whichever documented shape; None for a success."""
    if not isinstance(document, dict):
        return None
    for holder in (document, *(value for value in document.values() if isinstance(value, dict))):
        code = holder.get("error_code") or holder.get("code")
        if isinstance(code, str | int):
            return code
    return None
