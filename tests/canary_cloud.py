"""A sandbox cloud that takes the secrets it is told, and a door before it that plays what gateways do to secrets.

Started as a process: a JSON object on its standard input holds the secrets, ``servers``, ``speed`` and ``state``.

``GET /_canary/tokens``: every token it has issued.  ``POST /_canary/echo``: from then on requests to the path that is
posted as ``match`` are answered, ``times`` times, with a 403 whose text repeats their headers and body, as gateways in
trouble do.  ``GET /_canary/wire``: what of the requests may hold no secret: their addresses, their headers without
those that carry one, and their bodies but for the request for a token.
"""

import json
import sys
import threading
from typing import Any

from sdrs_nb.sandbox import Sandbox
from sdrs_nb.sandbox.server import listen, serve
from sdrs_nb.sandbox.signing import KeyGuard

#: Headers in which a secret travels.
CARRIERS = {b"authorization", b"x-auth-token", b"x-subject-token", b"x-security-token", b"proxy-authorization"}
TOKENS = "/v3/auth/tokens"


class Door:
    """ASGI application before the sandbox's."""

    def __init__(self, box: Sandbox, token: str) -> None:
        self._box, self._token = box, token
        self.transports, self.bound_to = box.app.transports, box.app.bound_to
        self.issued: list[str] = []
        self.wire: list[str] = []
        self.echo: dict[str, Any] = {"match": "", "times": 0}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"].startswith("/_sandbox"):
            await self._box.app(scope, receive, send)
        elif scope["path"].startswith("/_canary"):
            await self._control(scope, receive, send)
        elif self.echo["times"] > 0 and self.echo["match"] in scope["path"]:
            self.echo["times"] -= 1
            told = [f"{name.decode()}: {value.decode('latin-1')}" for name, value in scope["headers"]]
            said = "Forbidden request " + scope["path"] + " " + " ".join(sorted(told, key=len)[-4:])
            await answer(send, 403, {"error": {"code": "APIGW.9999", "message": said}})
        else:
            await self._passed_on(scope, receive, send)

    async def _passed_on(self, scope: Any, receive: Any, send: Any) -> None:
        query = scope["query_string"].decode()
        self.wire.append(f"{scope['path']}?{query} {[h for h in scope['headers'] if h[0].lower() not in CARRIERS]}")

        async def hearing() -> Any:
            message = await receive()
            if scope["path"] != TOKENS:
                self.wire.append(repr(message.get("body", b"")))
            return message

        async def telling(message: Any) -> None:
            names = {name.lower(): value.decode() for name, value in message.get("headers", ())}
            if b"x-subject-token" in names:
                self.issued.append(names[b"x-subject-token"])
            await send(message)

        # A fresh one each time, so that one that a fault has let expire stands in nobody's way.
        account = self._box.service.directory
        own = account.issue(account.project.id)[0]
        swapped = [(name, value.replace(self._token.encode(), own.encode())) for name, value in scope["headers"]]
        await self._box.app({**scope, "headers": swapped}, hearing, telling)

    async def _control(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "POST":
            self.echo = json.loads((await receive())["body"])
        await answer(send, 200, {"tokens": self.issued, "wire": self.wire}[scope["path"].rpartition("/")[2]]
                     if scope["method"] == "GET" else {})  # fmt: skip


async def answer(send: Any, status: int, document: object) -> None:
    """Answer with JSON."""
    body = json.dumps(document).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def main() -> None:
    """Serve until the standard input ends."""
    told = json.loads(sys.stdin.readline())
    box = Sandbox(servers=told["servers"], seed=7, speed=told["speed"], state=told["state"])
    account = box.service.directory
    account.password, account.access_key, account.secret_key = (
        told[name] for name in ("password", "access_key", "secret_key")
    )
    settings = account.settings
    account.guard = KeyGuard(
        account.access_key, account.secret_key, skew_s=settings.skew_s, lock_after=10_000, lock_s=settings.lock_s
    )
    threading.Thread(target=_end_with_input, daemon=True).start()
    facts = {"user": account.user_name, "domain": account.domain_name, "region": settings.region,
             "project_id": account.project.id, "domain_id": account.domain_id}  # fmt: skip

    def announce(endpoint: str) -> None:
        sys.stdout.write(json.dumps({"endpoint": endpoint, **facts}) + "\n")
        sys.stdout.flush()

    serve(Door(box, told["token"]), listen("127.0.0.1", 0), announce)  # type: ignore[arg-type]


def _end_with_input() -> None:
    sys.stdin.read()
    import os
    import signal

    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
