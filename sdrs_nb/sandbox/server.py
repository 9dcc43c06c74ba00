"""Listening on a loopback port: uvicorn with connections that a fault can cut."""

import asyncio
import json
import socket
import sys
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from .app import CloudApp


def protocol_for(app: CloudApp) -> type[asyncio.Protocol]:
    """Give an HTTP protocol that notes each connection's transport where the app finds it."""

    class CuttableProtocol(H11Protocol):
        """HTTP/1.1, with its transport on record while the connection lasts."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            """Note the transport under the client's address."""
            super().connection_made(transport)
            app.transports[self.client] = transport

        def connection_lost(self, exc: Exception | None) -> None:
            """Forget the transport."""
            app.transports.pop(self.client, None)
            super().connection_lost(exc)

    return CuttableProtocol


def listen(host: str, port: int) -> socket.socket:
    """Give a listening socket; port 0 lets the system choose.

    Raises
    ------
    OSError
        The port is taken or the address is not this machine's.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def serve(app: CloudApp, listener: socket.socket, announce: Callable[[str], Any]) -> None:
    """Serve until stopped; `announce` is told the endpoint once requests are taken."""
    config = uvicorn.Config(
        app,
        http=protocol_for(app),
        log_level="warning",
        access_log=False,
        lifespan="off",
        # No proxy stands before a sandbox: whoever says X-Forwarded-For would hide its connection from a fault.
        proxy_headers=False,
        ws="none",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
        loop="asyncio",
    )
    server = _AnnouncingServer(config, lambda: announce(endpoint_of(listener)))
    server.run(sockets=[listener])


def endpoint_of(listener: socket.socket) -> str:
    """Give the endpoint of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _AnnouncingServer(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, announce: Callable[[], Any]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce()


def announce_line(credentials: dict[str, str]) -> Callable[[str], None]:
    """Give an announcer that writes the one JSON line of the front door to standard output."""

    def announce(endpoint: str) -> None:
        sys.stdout.write(json.dumps({"endpoint": endpoint, **credentials}) + "\n")
        sys.stdout.flush()

    return announce
