"""The sandbox on the wire: an ASGI application with the cloud's routes and the control routes beside them."""

import asyncio
import json
import math
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as ControlRoute
from starlette.types import Receive, Scope, Send

from .clock import iso_millis
from .errors import Refusal, throttled
from .faults import BadFaultError, Fault, cut_short, effects_of
from .requestlog import LoggedRequest, answer_code
from .routing import Reply, encode
from .service import CloudService, WireRequest

# Statuses that RFC 9110 forbids to carry a body.
_NO_CONTENT = 204


class DroppedConnectionError(ConnectionResetError):
    """A fault dropped the connection; in process, the client's transport meets this."""


class CloudApp:
    """ASGI application of one `CloudService`.

    Parameters
    ----------
    service
        The cloud.
    transports
        Filled by the listening server: the transport of each client address, so that a fault can cut it.
    """

    def __init__(self, service: CloudService) -> None:
        self.service = service
        self.transports: dict[Any, asyncio.Transport] = {}
        self._control = _control_app(service)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] != "http" or scope["path"].startswith("/_sandbox"):
            await self._control(scope, receive, send)
            return
        request = Request(scope, receive)
        body = await request.body()
        service = self.service
        raw_path = (scope.get("raw_path") or request.url.path.encode()).decode("latin-1").split("?", maxsplit=1)[0]
        raw_query = scope["query_string"].decode("latin-1")
        logged = service.log.begin(service.clock.now(), request.method, request.url.path, raw_query, body)
        wire = WireRequest(
            method=request.method,
            raw_path=raw_path,
            raw_query=raw_query,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
            origin=f"{request.url.scheme}://{request.headers.get('host', request.url.netloc)}",
        )
        struck = service.faults.strike(wire.method, request.url.path)
        await _wait(service, struck)
        response = self._respond(wire, struck, logged)
        if response is None:
            await self._drop(scope, receive)
            return
        logged.status = response.status_code
        # Clients wait in cloud time; a rehearsal at speed 60 shall not poll as if an hour were an hour.
        response.headers["X-Sandbox-Speed"] = f"{service.clock.speed:g}"
        response.headers["X-Sandbox-Time"] = iso_millis(service.clock.now())
        response.headers["X-Sandbox-World"] = service.world_id
        await response(scope, receive, send)

    # -- answers and faults ------------------------------------------------------------------------------------

    def _respond(  # noqa: PLR0911 - one return per way a request can end
        self, wire: WireRequest, struck: list[Fault], logged: LoggedRequest
    ) -> Response | None:
        kinds = {fault.kind: fault for fault in struck}
        effects = effects_of(struck)
        if "reset" in kinds:
            return None
        if late := kinds.get("late_handle"):
            self.service.answer_late(wire, effects, logged, late.seconds)
            return None
        if "throttle" in kinds:
            return _refuse(throttled(kinds["throttle"].limit), logged)
        if "expire_token" in kinds and "x-auth-token" in wire.headers:
            self.service.directory.revoke(wire.headers["x-auth-token"])
        status = kinds.get("status")
        if status and not status.handle:
            return _forced(status, logged)
        if "garbage" in kinds:
            return _plain(logged, b"<html><body>upstream said: \xff\xfe not JSON</body></html>", "text/html")
        try:
            reply = self.service.answer(wire, effects, logged)
        except Refusal as refusal:
            response = _refuse(refusal, logged)
        else:
            response = _accept(reply, logged, kinds.get("short_list"))
        if status:
            return _forced(status, logged)
        return None if "lost_answer" in kinds else response

    async def _drop(self, scope: Scope, receive: Receive) -> None:
        transport = self.transports.get(tuple(scope.get("client") or ()))
        if transport is None:
            raise _in_process_error()
        connection = transport.get_extra_info("socket")
        if connection is not None:
            # Linger 0 makes the kernel send RST: the client sees a reset, not an orderly end.
            connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
            )
        transport.abort()
        # The server must notice before this call ends, or it would try to answer with a 500.
        while (await receive())["type"] != "http.disconnect":
            pass


def _in_process_error() -> Exception:
    # With no listener the client is httpx's ASGI transport, which passes exceptions through: hers is what its
    # caller expects. The sandbox does not import httpx; if nobody else did, the plain error will do.
    httpx = sys.modules.get("httpx")
    if httpx is None:
        return DroppedConnectionError("the sandbox dropped the connection")
    error: Exception = httpx.ReadError("the sandbox dropped the connection")
    return error


async def _wait(service: CloudService, struck: list[Fault]) -> None:
    seconds = service.settings.latency_s + sum(fault.seconds for fault in struck if fault.kind == "slow")
    if seconds:
        await asyncio.sleep(seconds)


def _request_id(logged: LoggedRequest) -> str:
    return f"{logged.arrival:032x}"


def _accept(reply: Reply, logged: LoggedRequest, short: Fault | None) -> Response:
    headers = {"X-Request-Id": _request_id(logged), **reply.headers}
    if reply.status == _NO_CONTENT:
        return Response(status_code=reply.status, headers=headers)
    body = reply.encoded() if short is None else cut_short(reply.encoded(), short.n)
    return Response(body, reply.status, headers, "application/json")


def _refuse(refusal: Refusal, logged: LoggedRequest) -> Response:
    logged.code = refusal.code
    body = refusal.body(_request_id(logged))
    return Response(encode(body), refusal.status, {"X-Request-Id": _request_id(logged)}, "application/json")


def _forced(fault: Fault, logged: LoggedRequest) -> Response:
    logged.code = answer_code(fault.body)
    headers = {"X-Request-Id": _request_id(logged), **fault.headers}
    if fault.body is None:
        return Response(b"", fault.status, headers)
    if isinstance(fault.body, str):
        return Response(fault.body.encode(), fault.status, headers, "text/plain")
    return Response(encode(fault.body), fault.status, headers, "application/json")


def _plain(logged: LoggedRequest, body: bytes, media_type: str) -> Response:
    return Response(body, 200, {"X-Request-Id": _request_id(logged)}, media_type)


# -- control routes --------------------------------------------------------------------------------------------


def _control_app(service: CloudService) -> Starlette:
    async def requests(request: Request) -> Response:
        del request
        service.settle()
        return JSONResponse(service.log.documents())

    async def world(request: Request) -> Response:
        del request
        return Response(encode(service.overview()), media_type="application/json")

    async def reset(request: Request) -> Response:
        del request
        service.reset()
        return JSONResponse({"now": service.clock.now()})

    async def set_faults(request: Request) -> Response:
        try:
            return JSONResponse(service.set_faults(await _json(request)))
        except BadFaultError as error:
            return _bad(str(error))

    async def faults(request: Request) -> Response:
        del request
        return JSONResponse(service.faults.documents())

    return Starlette(
        routes=[
            ControlRoute("/_sandbox/requests", requests, methods=["GET"]),
            ControlRoute("/_sandbox/world", world, methods=["GET"]),
            ControlRoute("/_sandbox/advance", _takes("seconds", service.advance), methods=["POST"]),
            ControlRoute("/_sandbox/speed", _takes("speed", service.set_speed), methods=["POST"]),
            ControlRoute("/_sandbox/reset", reset, methods=["POST"]),
            ControlRoute("/_sandbox/faults", set_faults, methods=["POST"]),
            ControlRoute("/_sandbox/faults", faults, methods=["GET"]),
        ]
    )


async def _json(request: Request) -> Any:
    try:
        return json.loads(await request.body() or b"null")
    except ValueError:
        return None


def _takes(name: str, act: Callable[[float], float]) -> Callable[[Request], Awaitable[Response]]:
    """Give the route that takes a finite number, 0 or more, under `name` and answers what time it then is."""

    async def route(request: Request) -> Response:
        body = await _json(request)
        found = body.get(name) if isinstance(body, dict) else None
        if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found < math.inf:
            return _bad(f'Post {{"{name}": n}} with n >= 0.')
        return JSONResponse({"now": act(found)})

    return route


def _bad(message: str) -> Response:
    return JSONResponse({"error": message}, status_code=400)
