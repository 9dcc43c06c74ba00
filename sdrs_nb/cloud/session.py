"""Who we are at the cloud, and the one way in which every call of every service goes out.

Calls cross to the private loop here.  The first one proves the credentials before any other starts: five refused
signatures in a row lock an access key for five minutes (cloud-apis 3.1), so parallel pages must not try them out.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from time import monotonic
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from sdrs_nb.cloud.answers import Answer, Call
from sdrs_nb.cloud.authentication import TOKENS, PasswordToken, Signature, authentication, without_secrets
from sdrs_nb.cloud.clock import CloudClock
from sdrs_nb.cloud.endpoints import origin_of
from sdrs_nb.cloud.pace import RateLimiter
from sdrs_nb.cloud.shapes import TOKEN, fitting
from sdrs_nb.cloud.transport import HeadersOf, Transport
from sdrs_nb.cloud.waiting import Waits
from sdrs_nb.errors import (
    AuthenticationError,
    CloudError,
    NotFoundError,
    PermissionDeniedError,
    ReadOnlyError,
    SdrsError,
    SettingsError,
)
from sdrs_nb.i18n import _
from sdrs_nb.loop import run
from sdrs_nb.settings import Settings

__all__ = ["Identity", "Session", "segment"]

_log = logging.getLogger("sdrs_nb")
#: Seconds for which refused credentials are refused here, without asking the cloud again.
REFUSED_FOR_S = 30.0
#: What changes nothing; asking for a token, the one other harmless call, goes out before anybody is known.
_READS = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls and where; what the cloud does not tell is ``""``.

    ``cloud_host`` is the host behind service and region, or that of the one endpoint; ``world`` names the world of a
    sandbox.  ``roles`` and ``expires_at`` are those of a token, in the cloud's words; a signature has neither.
    """

    project_id: str
    region: str
    user_id: str
    user_name: str
    endpoint: str
    domain_id: str = ""
    project_name: str = ""
    cloud_host: str = ""
    world: str = ""
    is_sandbox: bool = False
    roles: tuple[str, ...] = field(default=(), compare=False)
    expires_at: str = field(default="", compare=False)


class Session:
    """Sends calls as somebody; ``get``, ``request`` and ``check`` may be awaited from any event loop."""

    def __init__(
        self, settings: Settings, *, http: httpx.AsyncBaseTransport | None = None, pace: RateLimiter | None = None
    ) -> None:
        self.settings = settings
        self._transport = Transport(settings, clean=partial(without_secrets, settings), http=http, pace=pace)
        self._authentication = authentication(settings, self._anonymous)
        self._checking: asyncio.Task[Identity] | None = None
        self._checked_at = 0.0

    @property
    def identity(self) -> Identity | None:
        """Who calls and where, as the last ``check`` found; None before one has."""
        task = self._checking
        known = task is not None and task.done() and not task.cancelled() and task.exception() is None
        return task.result() if task is not None and known else None

    @property
    def clock(self) -> CloudClock:
        """The cloud's clock, as its answers tell it."""
        return self._transport.clock

    @property
    def encryption(self) -> Mapping[str, str]:
        """TLS version and issuer of the certificate of each host that answered encrypted."""
        return self._transport.encryption

    @property
    def waits(self) -> Waits:
        """Waits for the gateway's limit, and who is told of them."""
        return self._transport.waits

    async def check(self) -> Identity:
        """Prove the credentials with one cheap call and return who we are; remembered once it succeeded.

        Raises ``AuthenticationError`` (remembered for half a minute), ``SettingsError`` when the project cannot
        be told, ``CloudUnreachable`` or another ``CloudError``.
        """
        return await run(self._identity())

    async def get(
        self,
        service: str,
        path: str,
        query: Mapping[str, object] | Iterable[tuple[str, str]] = (),
        scope: str = "project",
        key: str = "",
    ) -> Any:
        """Return the JSON of a GET; ``{project_id}`` in ``path`` is filled in, None in ``query`` is left out.

        ``key`` is the name of the list that the answer must hold, if any.
        """
        pairs = query.items() if isinstance(query, Mapping) else query
        told = tuple((name, str(value)) for name, value in pairs if value is not None)
        document, _answer = await self.request(Call("GET", service, path, told, repeatable=True, key=key), scope)
        return document

    async def request(self, call: Call, scope: str = "project") -> tuple[Any, Answer]:
        """Send ``call`` after the credentials were proven and return its JSON and its answer."""
        return await run(self._request(call, scope))

    async def close(self) -> None:
        """Close the connections; calling it again does nothing."""
        await run(self._transport.close())

    async def _request(self, call: Call, scope: str) -> tuple[Any, Answer]:
        identity = await self._identity()
        path = call.path.replace("{project_id}", segment(identity.project_id))
        held = {"project": identity.project_id} if scope == "project" else {"domain": identity.domain_id}
        return await self._authenticated(call, path, {k: v for k, v in held.items() if v})

    async def _authenticated(self, call: Call, path: str, scope: Mapping[str, str]) -> tuple[Any, Answer]:
        if self.settings.read_only and call.method not in _READS:
            raise ReadOnlyError(
                _(
                    "{method} {path} would change something, and this connection reads only (read_only=, --read-only, "
                    "SDRS_NB_READ_ONLY). Nothing was sent.",
                    method=call.method,
                    path=call.shown or call.path,
                )
            )
        ready = partial(self._authentication.ready, scope)
        seen = self._authentication.serial()
        try:
            return await self._transport.exchange(call, path, ready)
        except AuthenticationError as error:
            # A refused call was not handled, so even a create may go out again with a new token, once.
            if error.path == TOKENS or not self._authentication.renew(seen):
                raise
        return await self._transport.exchange(call, path, ready)

    async def _anonymous(self, call: Call) -> tuple[Any, Answer]:
        return await self._transport.exchange(call, call.path, _nobody)

    async def _identity(self) -> Identity:
        task = self._checking
        if task is None or (task.done() and self._is_worth_asking_again(task)):
            task = self._checking = asyncio.get_running_loop().create_task(self._find_identity())
            self._checked_at = monotonic()
        # One caller giving up must not take the answer from the others.
        return await asyncio.shield(task)

    def _is_worth_asking_again(self, task: "asyncio.Task[Identity]") -> bool:
        if task.cancelled():
            return True
        error = task.exception()
        if isinstance(error, AuthenticationError):
            return monotonic() - self._checked_at > REFUSED_FOR_S
        return error is not None

    async def _find_identity(self) -> Identity:
        identity = await self._ask_identity()
        if identity.world and not self.settings.sandbox:
            _log.warning(
                _(
                    "{endpoint} answers as a sandbox, but none was named, so its word on its own time is not believed: "
                    "waits take as long as on a real cloud. Pass sandbox=True or set SDRS_NB_SANDBOX=1.",
                    endpoint=identity.endpoint,
                )
            )
        return identity

    async def _ask_identity(self) -> Identity:
        if isinstance(self._authentication, PasswordToken):
            await self._authentication.token()
            return self._from_token(fitting(TOKENS, self._authentication.document, TOKEN, "token"))
        if self.settings.kind == "token":
            with suppress(PermissionDeniedError, NotFoundError):  # not every site lets a token ask about itself
                call = Call("GET", "iam", TOKENS, (("nocatalog", "true"),), repeatable=True)
                document, _answer = await self._authenticated(call, TOKENS, {})
                return self._from_token(fitting(TOKENS, _mapping(document, "token"), TOKEN, "token"))
        project = await self._find_project()
        user_id = await self._find_user()
        return self._identify(project.get("id"), project.get("name"), project.get("domain_id"), user_id, "")

    def _from_token(self, token: Mapping[str, Any]) -> Identity:
        project, user = _mapping(token, "project"), _mapping(token, "user")
        domain = _mapping(project, "domain") or _mapping(user, "domain")
        identity = self._identify(
            project.get("id"), project.get("name"), domain.get("id"), user.get("id"), user.get("name")
        )
        roles = token.get("roles")
        named = [role.get("name") for role in (roles if isinstance(roles, list) else ()) if isinstance(role, Mapping)]
        return replace(
            identity,
            roles=tuple(name for name in named if isinstance(name, str)),
            expires_at=str(token.get("expires_at") or ""),
        )

    def _identify(self, project_id: Any, project: Any, domain_id: Any, user_id: Any, user_name: Any) -> Identity:
        settings = self.settings
        found = settings.project_id or str(project_id or "")
        if not found:
            raise SettingsError(_("The cloud named no project; pass project_id= to connect()."))
        return Identity(
            project_id=found,
            # A project is called like its region, a sub-project {region}_{name}.
            region=settings.region or str(project or "").split("_")[0],
            user_id=str(user_id or ""),
            user_name=str(user_name or settings.user or ""),
            endpoint=settings.endpoint or origin_of("sdrs", settings),
            domain_id=settings.domain_id or str(domain_id or ""),
            project_name=str(project or settings.project_name or ""),
            cloud_host=urlsplit(settings.endpoint).netloc if settings.endpoint else settings.cloud_host,
            world=self.clock.world,
            is_sandbox=settings.sandbox or bool(self.clock.world),
        )

    async def _find_project(self) -> Mapping[str, Any]:
        settings = self.settings
        name = settings.project_name or settings.region
        query = (("name", name),) if name else ()
        try:
            document, _answer = await self._authenticated(
                Call("GET", "iam", "/v3/projects", query, repeatable=True, key="projects"), "/v3/projects", {}
            )
        except PermissionDeniedError:
            if settings.project_id:  # not allowed to list projects, but known: the credentials are proven
                return {}
            raise
        found = document["projects"]
        if settings.project_id:
            return next((item for item in found if item.get("id") == settings.project_id), {})
        return _only(found, name)

    async def _find_user(self) -> str:
        """Return the id of the access key's user, ``""`` where it is not told.

        Key pairs of scope "user" are seen by their owner only, so it matters whether the owner is us.
        """
        if not isinstance(self._authentication, Signature) or self.settings.is_temporary:
            return ""
        call = self._authentication.who()
        try:
            document, _answer = await self._authenticated(call, call.path, {})
        except CloudError:  # only a convenience: rules that need it are "not verified" without
            return ""
        except SdrsError as error:
            # From here on: the path in the frames below ends in the access key.
            raise error.with_traceback(None) from None
        return str(_mapping(document, "credential").get("user_id") or "")


def segment(text: str) -> str:
    """Return ``text`` as one segment of a path; nothing in it can lead to another path."""
    return quote(text, safe="~") if text.strip(".") else text.replace(".", "%2E")


def _only(projects: list[dict[str, Any]], name: str | None) -> Mapping[str, Any]:
    if len(projects) == 1:
        return projects[0]
    if not projects:
        raise SettingsError(
            _("There is no project called {name} for these credentials; pass project_id= to connect().", name=name)
        )
    names = ", ".join(f"{item.get('name')} ({item.get('id')})" for item in projects[:10])
    raise SettingsError(_("Several projects fit: {names}. Name one with project_id=.", names=names))


async def _nobody() -> HeadersOf:
    return lambda _outgoing: {}


def _mapping(document: Any, key: str) -> Mapping[str, Any]:
    value = document.get(key) if isinstance(document, Mapping) else None
    return value if isinstance(value, Mapping) else {}
