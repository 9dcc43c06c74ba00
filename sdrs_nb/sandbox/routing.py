"""What a request is, what an answer is, and which handler a path belongs to."""

import contextlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from .documents import read_json
from .errors import Refusal
from .settings import Settings
from .world import World


@dataclass(slots=True, frozen=True)
class Caller:
    """Who asks: user, account, and the project the credentials are scoped to (empty = the account)."""

    user_id: str
    domain_id: str
    project_id: str
    by_token: bool


@dataclass(slots=True)
class Effects:
    """What faults do to a request that is handled: see `faults.py`. Kept as plain data so that it can be journaled."""

    fail: dict[int, str] = field(default_factory=dict)
    stuck: bool = False
    vanish_s: float | None = None
    lag_s: float = 0.0
    late_s: float = 0.0
    no_job_id: bool = False

    def is_empty(self) -> bool:
        """Whether no fault changes the handling."""
        return self == Effects()


@dataclass(slots=True)
class CloudCall:
    """One cloud request, authenticated and routed."""

    method: str
    path: str
    query: list[tuple[str, str]]
    body: bytes
    headers: Mapping[str, str]
    caller: Caller
    world: World
    now: float
    settings: Settings
    path_parameters: dict[str, str] = field(default_factory=dict)
    effects: Effects = field(default_factory=Effects)
    origin: str = ""

    def __getitem__(self, name: str) -> str:
        return self.path_parameters[name]

    def one(self, name: str) -> str | None:
        """Give a query parameter's first value, None if it was not sent."""
        return next((value for key, value in self.query if key == name), None)

    def all(self, name: str) -> list[str]:
        """Give every value of a query parameter, comma lists taken apart."""
        return [part for key, value in self.query if key == name for part in value.split(",") if part]

    def fields(self, key: str | None = None, refusal: Refusal | None = None) -> dict[str, Any]:
        """Give the JSON object that the body is, or the one that it holds under `key`.

        Raises
        ------
        Refusal
            There is none: the `refusal` given, else 0201.
        """
        found = None
        with contextlib.suppress(ValueError):
            found = read_json(self.body)
        if key is not None:
            found = found.get(key) if isinstance(found, dict) else None
        if not isinstance(found, dict):
            raise refusal or Refusal("SDRS.0201")
        return found


@dataclass(slots=True)
class Reply:
    """One answer; `body` is a document, encoded bytes, or None for no body at all."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        """Give the body's bytes."""
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        return encode(self.body)


def encode(document: Any) -> bytes:
    """Encode a document the way the cloud does: compact UTF-8 JSON."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


Handler = Callable[[CloudCall], Reply]


@dataclass(slots=True, frozen=True)
class Route:
    """A method and path template, its handler, and the scope its credentials must have.

    `scope` is ``project`` (the path names the project), ``account`` (a global service), ``any`` (any valid
    credentials) or ``open`` (no credentials).
    """

    method: str
    template: str
    handler: Handler
    scope: str = "project"


class Routes(list[Route]):
    """The routes of a service, each written above its handler."""

    def on(self, method: str, template: str, scope: str = "project") -> Callable[[Handler], Handler]:
        """Give the decorator that makes a function the handler of a method and path; see `Route`."""

        def add(handler: Handler) -> Handler:
            self.append(Route(method, template, handler, scope))
            return handler

        return add


class Router:
    """Finds the route of a request; literal segments win over parameters."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._by_shape: dict[tuple[str, int], list[tuple[list[str], Route]]] = {}
        for route in routes:
            segments = split_path(route.template)
            self._by_shape.setdefault((route.method, len(segments)), []).append((segments, route))
        for candidates in self._by_shape.values():
            # "/protected-instances/tags" must match before "/protected-instances/{id}".
            candidates.sort(key=lambda entry: [segment.startswith("{") for segment in entry[0]])

    def find(self, method: str, raw_path: str) -> tuple[Route, dict[str, str]] | None:
        """Give the route and its path parameters, None if the gateway knows no such path or method."""
        segments = [unquote(segment) for segment in split_path(raw_path)]
        for template, route in self._by_shape.get((method, len(segments)), ()):
            pairs = list(zip(template, segments, strict=True))
            if all(pattern.startswith("{") or pattern == segment for pattern, segment in pairs):
                return route, {pattern[1:-1]: segment for pattern, segment in pairs if pattern.startswith("{")}
        return None


def split_path(path: str) -> list[str]:
    """Split a path at its slashes; a trailing slash means nothing."""
    trimmed = path.strip("/")
    return trimmed.split("/") if trimmed else []
