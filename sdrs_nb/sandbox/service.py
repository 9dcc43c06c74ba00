"""The sandbox itself: account, worlds, clock, faults, and the way of a request through them. No sockets here."""

import contextlib
import heapq
import itertools
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from . import (
    ecs,
    evs,
    neighbours,
    sdrs_drills,
    sdrs_groups,
    sdrs_hardware,
    sdrs_instances,
    sdrs_pairs,
    sdrs_tags,
    sdrs_tasks,
    vpc,
)
from .clock import Clock
from .errors import Refusal, not_allowed, not_authenticated, throttled, unknown_route
from .faults import FaultBook, read_faults
from .iam import Directory
from .journal import Journal, effects_document, read_effects
from .overview import world_overview
from .requestlog import LoggedRequest, RequestLog
from .routing import Caller, CloudCall, Effects, Handler, Reply, Route, Router
from .scenarios import build_world
from .settings import Settings
from .signing import BadSignatureError
from .world import World

#: Each holds its `ROUTES`.
_SERVICES = (ecs, evs, vpc, neighbours, sdrs_groups, sdrs_instances, sdrs_hardware, sdrs_pairs, sdrs_drills, sdrs_tags,
             sdrs_tasks)  # fmt: skip


@dataclass(slots=True, frozen=True)
class WireRequest:
    """A request as it came over the wire: path and query still percent-encoded, header names in lower case."""

    method: str
    raw_path: str
    raw_query: str
    headers: Mapping[str, str]
    body: bytes
    origin: str


class CloudService:
    """Everything the cloud knows and does; `app` puts it on the wire.

    Parameters
    ----------
    servers
        Size of the estate, 1 to 100,000.
    seed
        The same (servers, seed) give the same estate, credentials and ids on every machine.
    speed
        Cloud seconds per wall second.
    settings
        What the documents leave open; see `Settings`.
    state
        Folder that keeps the world across restarts; None keeps nothing.
    wall
        Wall time in seconds since 1970; tests pass their own.
    """

    def __init__(  # noqa: PLR0917 - the one caller is Sandbox
        self,
        servers: int,
        seed: int,
        speed: float,
        settings: Settings,
        state: Path | None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.servers, self.seed, self.settings = servers, seed, settings
        self.clock = Clock(speed, wall)
        self.directory = Directory(str(seed), settings, wall)
        self.faults = FaultBook(seed)
        self.log = RequestLog()
        batch = sdrs_instances.BATCH_ROUTES if settings.batch_available else ()
        self.router = Router([*self.directory.routes(), *batch, *(one for each in _SERVICES for one in each.ROUTES)])
        self._sequence = itertools.count()
        self._late: list[tuple[float, int, CloudCall, Handler, LoggedRequest]] = []
        self._window: tuple[int, int] = (0, 0)
        self.worlds = self._build()
        #: Names this world, which no other sandbox has, whatever its servers and seed; a kept world keeps it.
        self.world_id = secrets.token_hex(8)
        self.journal: Journal | None = None
        if state is not None:
            head: dict[str, Any] = {"servers": servers, "seed": seed, "profile": settings.profile}
            if settings.assumed:
                head["assume"] = list(settings.assumed)
            self.journal = Journal(state, head, self.world_id)
            self.world_id = self.journal.world_id
            self._replay(self.journal.entries())

    # -- the start and the way back to it ----------------------------------------------------------------------

    def _build(self) -> dict[str, World]:
        account = self.directory
        main = build_world(self.servers, self.seed, self.settings, account.project.id, account.user_id)
        other = World(f"{self.seed}/other", account.other_project.id)
        other.flavors, other.domains = main.flavors, main.domains
        return {account.project.id: main, account.other_project.id: other}

    @property
    def world(self) -> World:
        """The main project's world, as it was after the last request; `settle` brings it up to date."""
        return self.worlds[self.directory.project.id]

    def reset(self) -> None:
        """Go back to the start: estate, clock, request log, faults and journal."""
        self.clock.restart()
        self.log.clear()
        self.faults.replace([])
        self._late.clear()
        self.worlds = self._build()
        if self.journal:
            self.journal.clear()

    def advance(self, seconds: float) -> float:
        """Move cloud time forward and give the new time."""
        self.clock.advance(seconds)
        now = self.settle()
        self._keep({"advance": seconds}, now)
        return now

    def set_speed(self, speed: float) -> float:
        """Let cloud time run at `speed` from now on and give the present cloud time."""
        self.clock.set_speed(speed)
        return self.settle()

    def set_faults(self, document: Any) -> list[dict[str, Any]]:
        """Switch on the faults of a posted list and give them back."""
        self.faults.replace(read_faults(document))
        return self.faults.documents()

    def settle(self) -> float:
        """Let everything happen that is due, late requests included, and give the present cloud time."""
        now = self.clock.now()
        while self._late and self._late[0][0] <= now:
            due, number, call, handler, logged = heapq.heappop(self._late)
            self._settle_worlds(due)
            call.now = due
            # Its sender has long gone: what is refused now is told to nobody, least of all to whoever asks next.
            with contextlib.suppress(Refusal):
                self._handle(call, handler, logged)
            self._keep({"no_longer_late": number}, due)
        self._settle_worlds(now)
        return now

    def _settle_worlds(self, now: float) -> None:
        for world in self.worlds.values():
            world.settle(now)

    def overview(self) -> dict[str, Any]:
        """Give the true state, as ``GET /_sandbox/world`` shows it."""
        now = self.settle()
        return {"world": self.world_id, **world_overview(self.world, now, self.settings)}

    # -- a request ---------------------------------------------------------------------------------------------

    def answer(self, request: WireRequest, effects: Effects, logged: LoggedRequest) -> Reply:
        """Route, authenticate and handle one request.

        Raises
        ------
        Refusal
            The cloud says no.
        """
        call, handler = self._admit(request, effects)
        return self._handle(call, handler, logged)

    def answer_late(self, request: WireRequest, effects: Effects, logged: LoggedRequest, seconds: float) -> None:
        """Take a request now, but handle it only after some cloud seconds; its sender learns nothing."""
        try:
            call, handler = self._admit(request, effects)
        except Refusal:
            return
        number, due = next(self._sequence), call.now + seconds
        heapq.heappush(self._late, (due, number, call, handler, logged))
        self._keep({"late": number, "due": due, "call": _document_of(call)}, call.now)

    def _admit(self, request: WireRequest, effects: Effects) -> tuple[CloudCall, Handler]:
        now = self.settle()
        found = self.router.find(request.method, request.raw_path)
        if found is None:
            raise unknown_route()
        route, parameters = found
        caller = self._authenticate(request, route)
        self._throttle()
        world = self._world_for(route, parameters, caller, request.headers)
        call = CloudCall(
            method=request.method,
            path=request.raw_path,
            query=parse_qsl(request.raw_query, keep_blank_values=True),
            body=request.body,
            headers=request.headers,
            caller=caller,
            world=world,
            now=now,
            settings=self.settings,
            path_parameters=parameters,
            effects=effects,
            origin=request.origin,
        )
        return call, route.handler

    def _handle(self, call: CloudCall, handler: Handler, logged: LoggedRequest) -> Reply:
        before = call.world.revision
        try:
            return handler(call)
        finally:
            if call.world.revision != before:
                logged.handled = True
                self._keep(_document_of(call), call.now)

    def _authenticate(self, request: WireRequest, route: Route) -> Caller:
        account = self.directory
        if route.scope == "open":
            return Caller("", account.domain_id, "", by_token=False)
        token = request.headers.get("x-auth-token")
        if token is not None:
            return account.read(token)
        if "authorization" not in request.headers:
            raise not_authenticated("no credentials in the request")
        try:
            account.guard.verify(
                request.method, request.raw_path, request.raw_query, request.headers, request.body, account.wall()
            )
        except BadSignatureError as error:
            raise not_authenticated(str(error)) from None
        return Caller(account.user_id, account.domain_id, request.headers.get("x-project-id", ""), by_token=False)

    def _world_for(self, route: Route, parameters: dict[str, str], caller: Caller, headers: Mapping[str, str]) -> World:
        if route.scope == "account":
            # A global service: an account-scoped token, or a signature with X-Domain-Id.
            named = headers.get("x-domain-id") == caller.domain_id
            if caller.project_id or not (caller.by_token or named):
                raise not_allowed("an account-scoped token or X-Domain-Id is needed")
            return self.world
        if route.scope != "project":
            return self.worlds.get(caller.project_id, self.world)
        project_id = parameters["project_id"]
        scoped = caller.project_id or ("" if caller.by_token else project_id)
        if project_id != scoped or project_id not in self.worlds:
            raise not_allowed("the project of the path is not the project of the credentials")
        return self.worlds[project_id]

    def _throttle(self) -> None:
        limit = self.settings.requests_per_second
        if limit is None:
            return
        second = int(self.directory.wall())
        count = self._window[1] + 1 if self._window[0] == second else 1
        self._window = (second, count)
        if count > limit:
            raise throttled(limit)

    # -- the kept world ----------------------------------------------------------------------------------------

    def _keep(self, entry: dict[str, Any], now: float) -> None:
        if self.journal is not None:
            self.journal.append({**entry, "at": now, "wall": self.clock.wall()})

    def _replay(self, entries: list[dict[str, Any]]) -> None:
        journal, self.journal = self.journal, None
        late: dict[int, dict[str, Any]] = {}
        for entry in entries:
            self._settle_worlds(entry["at"])
            if "method" in entry:
                route, call = self._call_of(entry, entry["at"])
                route.handler(call)
            elif "late" in entry:
                late[entry["late"]] = entry
            elif "no_longer_late" in entry:
                del late[entry["no_longer_late"]]
        for number, entry in late.items():
            route, call = self._call_of(entry["call"], entry["due"])
            logged = self.log.begin(entry["at"], call.method, call.path, urlencode(call.query), call.body)
            heapq.heappush(self._late, (entry["due"], number, call, route.handler, logged))
        self._sequence = itertools.count(1 + max(late, default=0))
        if entries:
            # The cloud does not stand still while the sandbox is stopped: its clock runs on from the last entry.
            self.clock.restart(entries[-1]["at"], entries[-1]["wall"])
        self.journal = journal

    def _call_of(self, entry: dict[str, Any], at: float) -> tuple[Route, CloudCall]:
        found = self.router.find(entry["method"], entry["path"])
        if found is None:
            raise ValueError(f"The kept world holds a call that this sandbox does not know: {entry['path']}.")
        route, parameters = found
        return route, CloudCall(
            method=entry["method"],
            path=entry["path"],
            query=[(name, value) for name, value in entry["query"]],
            body=entry["body"].encode(errors="surrogateescape"),
            headers={},
            caller=Caller(entry["user"], self.directory.domain_id, entry["project"], by_token=True),
            world=self.worlds[entry["project"]],
            now=at,
            settings=self.settings,
            path_parameters=parameters,
            effects=read_effects(entry["effects"]),
        )


def _document_of(call: CloudCall) -> dict[str, Any]:
    """Give a call as the journal keeps it."""
    return {
        "method": call.method,
        "path": call.path,
        "query": call.query,
        "body": call.body.decode(errors="surrogateescape"),
        "user": call.caller.user_id,
        "project": call.world.project_id,
        "effects": effects_document(call.effects),
    }
