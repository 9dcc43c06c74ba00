"""One HTTP client on the private loop: send, pace, repeat where harmless, and turn answers into our errors."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import httpx
import stamina

from sdrs_nb import __version__
from sdrs_nb.cloud.answers import Answer, Call, error_of, parse, shorten
from sdrs_nb.cloud.clock import CloudClock
from sdrs_nb.cloud.encryption import encryption_of
from sdrs_nb.cloud.endpoints import origin_of
from sdrs_nb.cloud.logs import quieten_libraries
from sdrs_nb.cloud.pace import Budgeted, RateLimiter, shared_pace
from sdrs_nb.cloud.receiving import Leaving, answer_of
from sdrs_nb.cloud.replay import Replay
from sdrs_nb.cloud.retry import may_repeat
from sdrs_nb.cloud.signing import encode_query
from sdrs_nb.cloud.tape import Recorder
from sdrs_nb.cloud.unreachable import unreachable
from sdrs_nb.cloud.waiting import Waits
from sdrs_nb.errors import CloudError, CloudUnreachable, SdrsError
from sdrs_nb.i18n import _
from sdrs_nb.settings import Settings, is_loopback, trusting

__all__ = ["Authenticate", "HeadersOf", "Outgoing", "Transport"]

_MIB = 1024 * 1024
_URI_TOO_LONG = 414
#: How JSON begins, as the cloud writes it.
_JSON = (b"{", b"[", b"")
# Back-off between tries, in seconds; stamina doubles it and adds jitter, so parallel pages do not return together.
_WAIT_INITIAL_S, _WAIT_MAX_S, _WAIT_JITTER_S = 0.5, 20.0, 1.0


class Outgoing:
    """A request about to leave: what an authentication needs to see."""

    __slots__ = ("body", "host", "method", "path", "query")

    def __init__(self, call: Call, path: str, url: httpx.URL) -> None:
        self.method, self.path, self.query, self.body = call.method, path, call.query, call.body
        self.host = url.netloc.decode("ascii")


#: Gives the headers of one request; made when the request is about to leave.
HeadersOf = Callable[[Outgoing], Mapping[str, str]]
#: Gets ready whatever needs calls of its own, such as a token.
Authenticate = Callable[[], Awaitable[HeadersOf]]
#: Cuts secrets out of an answer; it is told the headers of the request.
Clean = Callable[[Answer, Mapping[str, str]], Answer]


class Transport:
    """Sends calls; every method runs on the private loop.

    Parameters
    ----------
    settings
        Origins, time limits and how often to try.
    http
        An httpx transport in place of the network (tests); closed with this one.  A ``Replay`` brings its own time,
        and nothing waits between tries.
    pace
        Who may go when; by default a few at once within the project's shared budget (``shared_pace``).
    clean
        Cuts secrets out of an answer to a request with these headers.

    Attributes
    ----------
    clock
        The cloud's clock, as its answers tell it.
    waits
        Waits for the gateway's limit, and who is told of them; a pace of one's own tells none.
    encryption
        TLS version and issuer of the certificate of each host that answered encrypted.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clean: Clean,
        http: httpx.AsyncBaseTransport | None = None,
        pace: RateLimiter | None = None,
    ) -> None:
        self._settings = settings
        self._clean = clean
        self._http = http
        self._pace = pace or shared_pace(settings)
        self.waits = self._pace.waits if isinstance(self._pace, Budgeted) else Waits()
        self._client: httpx.AsyncClient | None = None
        self._is_closed = False
        # A tape is played back on its own time: there is nothing to wait for.
        replay = http if isinstance(http, Replay) else None
        self.clock = replay.clock if replay else CloudClock(is_sandbox=settings.sandbox)
        self._patience = 0.0 if replay else 1.0
        self._tape = Recorder(settings.record, settings) if settings.record and not replay else None
        self.encryption: dict[str, str] = {}

    async def exchange(self, call: Call, path: str, authenticate: Authenticate) -> tuple[Any, Answer]:
        """Send ``call`` to ``path`` (filled in and percent-encoded) and return its JSON and its answer.

        Repeats what ``retry.CHECKS`` allow, each time authenticated afresh.  Raises the ``CloudError`` of the
        answer or ``CloudUnreachable``.
        """
        if self._is_closed:
            raise SdrsError(_("This connection was closed; call connect() for a new one."))
        async for attempt in stamina.retry_context(
            on=partial(may_repeat, call),
            attempts=self._settings.attempts,
            timeout=None,
            wait_initial=_WAIT_INITIAL_S * self._patience,
            wait_max=_WAIT_MAX_S * self._patience,
            wait_jitter=_WAIT_JITTER_S * self._patience,
        ):
            with attempt:
                return await self._once(call, path, authenticate)
        raise AssertionError  # pragma: no cover - the loop above returns or raises

    async def close(self) -> None:
        """Close every connection; calling it again does nothing."""
        self._is_closed = True
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _once(self, call: Call, path: str, authenticate: Authenticate) -> tuple[Any, Answer]:
        origin = origin_of(call.service, self._settings)
        query = encode_query(call.query)
        try:
            url = httpx.URL(f"{origin}{path}{'?' if query else ''}{query}")
        except httpx.InvalidURL:
            raise CloudError(
                _(
                    "{method} {path} makes no address: an id in it is too long or no id. Load the inventory again.",
                    method=call.method,
                    path=shorten(call.shown or path),
                ),
                method=call.method,
                path=call.path,
                status=_URI_TOO_LONG,
            ) from None
        # A token is asked for before a place is taken (asking needs a place itself, and all could be waiting),
        # a signature is made after it (made before, it could be old when it leaves).
        headers_of = await authenticate()
        async with self._pace.slot(call.method, path):
            answer = await self._recorded(call, path, self._request(call, path, url, headers_of))
        self.clock.hear(answer.headers)
        if _is_success(answer):
            return parse(call, call.shown or path, answer), answer
        refusal = error_of(call, call.shown or path, answer, temporary=self._settings.security_token is not None)
        self._pace.heard(call.method, path, answer.status, refusal.cloud_message)
        raise refusal

    async def _recorded(self, call: Call, path: str, request: httpx.Request) -> Answer:
        """Return the answer to the request, with no secret in words that are shown; what is recorded is on the disk."""
        begun = self._tape.begin() if self._tape else None
        try:
            answer = await self._answer(call, call.shown or path, request)
        except CloudUnreachable as error:
            if self._tape and begun:
                self._tape.keep(begun, call, path, error)
            raise
        if not _is_success(answer) or answer.content[:1] not in _JSON:
            # Words of a gateway, which are shown: it may repeat the request.
            answer = self._clean(answer, request.headers)
        if self._tape and begun:
            self._tape.keep(begun, call, path, answer)
        return answer

    def _request(self, call: Call, path: str, url: httpx.URL, headers_of: HeadersOf) -> httpx.Request:
        # The headers live here alone: in a frame that waits, a debugger's traceback would show them.
        headers = {**self._headers(), **headers_of(Outgoing(call, path, url))}
        return self._opened().build_request(call.method, url, headers=headers, content=call.body or None)

    async def _answer(self, call: Call, path: str, request: httpx.Request) -> Answer:
        """Send the request and return its whole answer, within the time and the size that the settings allow."""
        leaving = Leaving(is_observed=self._http is None)
        request.extensions["trace"] = leaving.hear
        failure: httpx.RequestError
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                response = await self._opened().send(request, stream=True)
                if told := encryption_of(response):
                    self.encryption[request.url.host] = told
                try:
                    return await answer_of(call, path, response, self._settings.answer_limit_mib * _MIB)
                finally:
                    await response.aclose()
        except TimeoutError:
            failure = httpx.ReadTimeout("") if leaving.has_left else httpx.ConnectTimeout("")
        except httpx.RequestError as error:
            failure = error
        # Raised here, so that frames of the libraries, which hold headers, are in no traceback.
        raise unreachable(call, path, request.url.netloc.decode("ascii"), failure)

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "gzip, deflate"}
        return headers | ({"X-Language": self._settings.language} if self._settings.language else {})

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            quieten_libraries()
            settings = self._settings
            local = bool(settings.endpoint) and is_loopback(settings.endpoint or "")
            self._client = httpx.AsyncClient(
                transport=self._http,
                timeout=httpx.Timeout(settings.timeout_s, connect=settings.connect_timeout_s),
                limits=httpx.Limits(max_connections=settings.parallel, max_keepalive_connections=settings.parallel),
                follow_redirects=False,
                trust_env=not local,  # a company proxy cannot reach this machine's own addresses
                headers={"User-Agent": f"sdrs_nb/{__version__}"},
                verify=trusting(settings.ca_file) if settings.ca_file else True,
            )
        return self._client


def _is_success(answer: Answer) -> bool:
    return 200 <= answer.status < 300  # noqa: PLR2004 - HTTP
