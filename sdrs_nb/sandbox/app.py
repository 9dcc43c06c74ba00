"""The sandbox on the wire: an ASGI application with the cloud's routes and the control routes beside them."""

import asyncio
import contextlib
import socket
import struct
import sys
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from .clock import iso_millis
from .control import control_app, refused
from .errors import Refusal, throttled, too_large
from .faults import Fault, cut_short, effects_of
from .gate import bounded_body, check_sender, is_control
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

    Attributes
    ----------
    transports
        Filled by the listening server: the transport of each client address, so that a fault can cut it.
    bound_to
        Filled by the listening server: the host it was told to listen on, by which clients may call it too.
    """

    def __init__(self, service: CloudService) -> None:
        self.service = service
        self.transports: dict[Any, asyncio.Transport] = {}
        self.bound_to: list[str] = []
        self._control = control_app(service)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "http":
            try:
                check_sender(scope, self.bound_to)
            except HTTPException as no:
                await refused(no)(scope, receive, send)
                return
        # A sender that leaves in the middle of its body has asked for nothing.
        with contextlib.suppress(ClientDisconnect):
            if scope["type"] != "http" or is_control(scope):
                await self._control(scope, receive, send)
            else:
                await self._serve(Request(scope, receive), scope, receive, send)

    async def _serve(self, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        body, oversized = b"", False
        try:
            body = await bounded_body(request)
        except HTTPException:
            oversized = True
        service = self.service
        raw_path = (scope.get("raw_path") or request.url.path.encode()).decode("latin-1").split("?", maxsplit=1)[0]
        raw_query = scope["query_string"].decode("latin-1")
        logged = service.log.begin(service.clock.now(), request.method, request.url.path, raw_query, body)
        headers = {name.lower(): value for name, value in request.headers.items()}
        origin = f"{request.url.scheme}://{request.headers.get('host', request.url.netloc)}"
        wire = WireRequest(request.method, raw_path, raw_query, headers, body, origin)
        struck = [] if oversized else service.faults.strike(wire.method, request.url.path)
        await _wait(service, struck)
        response = _refuse(too_large(), logged) if oversized else self._respond(wire, struck, logged)
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
