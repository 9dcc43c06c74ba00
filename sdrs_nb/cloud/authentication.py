"""The two ways to authenticate a call: signed with an access key, or carrying a token.

Secrets are opened here, at the last moment, and go nowhere else than into the headers of one request.
"""

import asyncio
import base64
import html
import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import Any, Protocol
from urllib.parse import quote, quote_plus

from sdrs_nb.cloud.answers import Answer, Call
from sdrs_nb.cloud.signing import DATE_FORMAT, authorization
from sdrs_nb.cloud.transport import HeadersOf, Outgoing
from sdrs_nb.errors import AuthenticationError
from sdrs_nb.i18n import _
from sdrs_nb.settings import Settings
from sdrs_nb.settings.secret import Secret, is_header_value

__all__ = [
    "TOKENS", "Authentication", "GivenToken", "PasswordToken", "Signature", "authentication", "carried",
    "without_secrets",
]  # fmt: skip

#: Part of a token's life after which it is replaced, so that no call starts with one about to end.
RENEW_AT = 0.9
#: Where tokens are asked for.
TOKENS = "/v3/auth/tokens"
#: Headers of a request in which secrets travel.
_CARRIERS = ("Authorization", "X-Auth-Token", "X-Subject-Token", "X-Security-Token")
#: A secret of fewer characters is none, and cutting it out would spoil the words around it.
_SHORTEST = 6
_DAY_S = 24 * 60 * 60.0

Exchange = Callable[[Call], Awaitable[tuple[Any, Answer]]]
Clock = Callable[[], float]


class Authentication(Protocol):
    """What the session needs of an authentication."""

    async def ready(self, scope: Mapping[str, str]) -> HeadersOf:
        """Return what makes the headers of a request; ``scope`` holds the ``project`` or the ``domain`` id."""

    def serial(self) -> int:
        """Return a number that changes with every renewal."""

    def renew(self, seen: int) -> bool:
        """Drop what was refused, if it is still what ``seen`` named; tell whether a new try makes sense."""


class Signature:
    """Access key and secret key: every request is signed on its own."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._settings = settings
        self._clock = clock

    async def ready(self, scope: Mapping[str, str]) -> HeadersOf:
        """Return what signs a request; nothing has to be asked for."""
        return partial(self._headers, scope)

    def who(self) -> Call:
        """Return the call that tells whose the access key is; the key is in its path, which is shown nowhere."""
        path = "/v3.0/OS-CREDENTIAL/credentials/"
        key = quote(_opened(self._settings.access_key), safe="")
        return Call("GET", "iam", path + key, repeatable=True, shown=f"{path}...")

    def _headers(self, scope: Mapping[str, str], outgoing: Outgoing) -> dict[str, str]:
        """Return the headers of one signed request; all of them are covered by the signature."""
        settings = self._settings
        headers = {
            "Host": outgoing.host,
            "X-Sdk-Date": self._clock().strftime(DATE_FORMAT),
            "Content-Type": "application/json",
        }
        if "project" in scope:
            headers["X-Project-Id"] = scope["project"]
        elif "domain" in scope:
            headers["X-Domain-Id"] = scope["domain"]
        if settings.security_token is not None:
            headers["X-Security-Token"] = _opened(settings.security_token)
        headers["Authorization"] = authorization(
            outgoing.method,
            outgoing.path,
            outgoing.query,
            headers,
            outgoing.body,
            access_key=_opened(settings.access_key),
            secret_key=_opened(settings.secret_key),
        )
        return headers

    def serial(self) -> int:
        """Return 0: there is nothing to renew."""
        return 0

    def renew(self, seen: int) -> bool:  # noqa: ARG002 - nothing to renew
        """Return False: five refused signatures lock the key, so none is tried twice."""
        return False


class GivenToken:
    """A token made elsewhere; when it ends, so does the connection."""

    def __init__(self, token: Secret) -> None:
        self._token = token

    async def ready(self, scope: Mapping[str, str]) -> HeadersOf:  # noqa: ARG002 - one token for everything
        """Return what carries the token; nothing has to be asked for."""
        return self._headers

    def _headers(self, outgoing: Outgoing) -> dict[str, str]:
        """Return the token's header, and the token as its own subject where it asks about itself."""
        token = _opened(self._token)
        return {"X-Auth-Token": token, **({"X-Subject-Token": token} if outgoing.path == TOKENS else {})}

    def serial(self) -> int:
        """Return 0: there is nothing to renew."""
        return 0

    def renew(self, seen: int) -> bool:  # noqa: ARG002 - nothing to renew it with
        """Return False: a token cannot renew itself."""
        return False


class PasswordToken:
    """Tokens made with user and password, one a scope, kept and renewed ahead of their end.

    Parameters
    ----------
    settings
        User, password, domain and the project's id or name.
    exchange
        Sends a call without authentication.
    clock
        Seconds of a clock that never jumps; a token's life is measured by it, so a wrong wall clock does no harm.
    """

    def __init__(self, settings: Settings, exchange: Exchange, clock: Clock = monotonic) -> None:
        self._settings = settings
        self._exchange = exchange
        self._clock = clock
        self._tokens: dict[str, tuple[Secret, float]] = {}
        self._lock = asyncio.Lock()
        self._serial = 0
        #: The last project token's document without its secret: user, project, roles, times.
        self.document: Mapping[str, Any] = {}

    async def ready(self, scope: Mapping[str, str]) -> HeadersOf:
        """Return what carries a living token of the scope, asking for one where needed."""
        token = await self.token("domain" if "domain" in scope else "project")
        return lambda _outgoing: {"X-Auth-Token": _opened(token)}

    async def token(self, kind: str = "project") -> Secret:
        """Return a living token for ``"project"`` or ``"domain"``; at most one is asked for at a time."""
        async with self._lock:
            if kind in self._tokens and self._clock() < self._tokens[kind][1]:
                return self._tokens[kind][0]
            call = Call("POST", "iam", TOKENS, (("nocatalog", "true"),), self._body(kind), repeatable=True)
            document, answer = await self._exchange(call)
            token = Secret(answer.headers.get("x-subject-token", ""))
            if not is_header_value(_opened(token)) or not token:
                raise AuthenticationError(
                    _("{method} {path} answered without a token.", method=call.method, path=call.path),
                    method=call.method,
                    path=call.path,
                    status=answer.status,
                    request_id=answer.request_id,
                )
            about = document.get("token") if isinstance(document, dict) else None
            about = about if isinstance(about, dict) else {}
            if kind == "project":
                self.document = about
            self._tokens[kind] = (token, self._clock() + _life_s(about) * RENEW_AT)
            self._serial += 1
            return self._tokens[kind][0]

    def serial(self) -> int:
        """Return how many tokens were made."""
        return self._serial

    def renew(self, seen: int) -> bool:
        """Forget the tokens unless another call renewed them since ``seen``; a new try makes sense either way."""
        if seen == self._serial:
            self._tokens.clear()
        return True

    def _body(self, kind: str) -> bytes:
        settings = self._settings
        account = {"id": settings.domain_id} if not settings.domain else {"name": settings.domain}
        user = {"name": settings.user, "password": _opened(settings.password), "domain": account}
        if kind == "domain":
            scope: dict[str, Any] = {"domain": account}
        elif settings.project_id:
            scope = {"project": {"id": settings.project_id}}
        else:
            scope = {"project": {"name": settings.project_name or settings.region}}
        identity = {"methods": ["password"], "password": {"user": user}}
        return json.dumps({"auth": {"identity": identity, "scope": scope}}, ensure_ascii=False).encode()


def authentication(settings: Settings, exchange: Exchange) -> Authentication:
    """Return the authentication that ``settings`` hold credentials for."""
    if settings.token is not None:
        return GivenToken(settings.token)
    if settings.kind == "access key":
        return Signature(settings)
    return PasswordToken(settings, exchange)


def carried(settings: Settings) -> tuple[str, ...]:
    """Return every secret that the settings hold, for a search that shows none of them."""
    held = (settings.access_key, settings.secret_key, settings.security_token, settings.password, settings.token)
    return tuple(secret for secret in map(_opened, held) if secret)


def without_secrets(settings: Settings, answer: Answer, sent: Mapping[str, str]) -> Answer:
    """Return ``answer`` with the secrets cut out of it: a gateway in trouble may repeat the request it was sent.

    ``sent`` are the headers of that request.  Looked for as they are and as JSON, HTML and addresses spell them.
    """
    secrets = [*carried(settings), *(sent.get(name, "") for name in _CARRIERS)]
    if signature := sent.get("Authorization", "").rpartition("Signature=")[2]:
        secrets.append(signature)
    spelled = {form for secret in secrets if len(secret) >= _SHORTEST for form in _spellings(secret)}
    # The longest first: a header holds the key, and what is left of it would look like something.
    pattern = re.compile("|".join(map(re.escape, sorted(spelled, key=len, reverse=True))) or r"(?!)", re.IGNORECASE)

    def cut(text: str) -> str:
        return pattern.sub("(not shown)", text)

    # Bytes that are no text stay what they are on the way there and back.
    content = cut(answer.content.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    return Answer(answer.status, {name: cut(value) for name, value in answer.headers.items()}, content)


def _spellings(secret: str) -> Iterator[str]:
    yield secret
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    yield from (html.escape(secret), quote(secret), quote(secret, safe=""), quote_plus(secret))
    yield base64.b64encode(secret.encode()).decode().rstrip("=")


def _opened(secret: Secret | None) -> str:
    """Return the value of a secret, ``""`` where there is none; nobody else opens one."""
    return "" if secret is None else secret.get_secret_value()


def _life_s(token: Mapping[str, Any]) -> float:
    """Return a token's life in seconds by the cloud's own clock; a day where it does not say (cloud-apis 3)."""
    try:
        start, end = (datetime.fromisoformat(token[name]) for name in ("issued_at", "expires_at"))
    except (KeyError, TypeError, ValueError):
        return _DAY_S
    return max((end - start).total_seconds(), 1.0) if (start.tzinfo is None) == (end.tzinfo is None) else _DAY_S
