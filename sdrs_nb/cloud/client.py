"""``connect`` and the ``Cloud`` it gives: every service of one project behind one set of credentials."""

import os
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from sdrs_nb.asked import checked
from sdrs_nb.cloud.autoscaling import AutoScaling
from sdrs_nb.cloud.clock import CloudClock
from sdrs_nb.cloud.ecs import Ecs
from sdrs_nb.cloud.encryption import proxy_of
from sdrs_nb.cloud.endpoints import SERVICES, origin_of
from sdrs_nb.cloud.eps import Eps
from sdrs_nb.cloud.evs import Evs
from sdrs_nb.cloud.iam import Iam
from sdrs_nb.cloud.kps import Kps
from sdrs_nb.cloud.pace import Parallel, RateLimiter
from sdrs_nb.cloud.placement import Deh, Dss
from sdrs_nb.cloud.replay import Replay, read_tape
from sdrs_nb.cloud.sdrs import Sdrs
from sdrs_nb.cloud.service import Service
from sdrs_nb.cloud.session import Identity, Session
from sdrs_nb.cloud.vpc import Vpc
from sdrs_nb.errors import SettingsError
from sdrs_nb.i18n import _
from sdrs_nb.models import OnWait
from sdrs_nb.settings import Settings, is_loopback, resolve
from sdrs_nb.settings.secret import with_no_trace

__all__ = ["Cloud", "connect"]


class Cloud:
    """One project in one region; an async context manager whose calls may be awaited from any event loop.

    Nothing is sent before the first call, and ``close`` may be called more than once.  ``iam``, ``ecs``, ``evs``,
    ``vpc``, ``kps``, ``deh``, ``dss``, ``autoscaling``, ``eps`` and ``sdrs`` hold one method an endpoint.
    """

    def __init__(
        self, settings: Settings, *, http: httpx.AsyncBaseTransport | None = None, pace: RateLimiter | None = None
    ) -> None:
        self.settings = settings
        self._http, self._pace = http, pace
        self._session = session = Session(settings, http=http, pace=pace)
        self.iam, self.ecs, self.evs, self.vpc = Iam(session), Ecs(session), Evs(session), Vpc(session)
        self.kps, self.deh, self.dss = Kps(session), Deh(session), Dss(session)
        self.autoscaling, self.eps, self.sdrs = AutoScaling(session), Eps(session), Sdrs(session)

    @property
    def services(self) -> Mapping[str, Service]:
        """Every service but IAM by its name, those first that the job cannot do without."""
        needed = {"sdrs": self.sdrs, "ecs": self.ecs, "evs": self.evs, "vpc": self.vpc}
        return needed | {
            "kps": self.kps, "autoscaling": self.autoscaling, "deh": self.deh, "dss": self.dss, "eps": self.eps,
        }  # fmt: skip

    def origin(self, service: str) -> str:
        """Return scheme and host of a service (a key of ``services``, or ``iam``)."""
        return origin_of(service, self.settings)

    def proxy(self, service: str) -> str:
        """Return host and port of the proxy that calls to a service go through, ``""`` where there is none."""
        return proxy_of(self.origin(service), self.settings) if self._http is None else ""

    @property
    def recorded_batches(self) -> tuple[tuple[str, ...], ...]:
        """Servers of each batch create on the tape that is played back, in order; ``()`` on a real cloud."""
        return self._http.batches if isinstance(self._http, Replay) else ()

    @property
    def encryption(self) -> Mapping[str, str]:
        """TLS version and issuer of the certificate of each host that has answered encrypted."""
        return self._session.encryption

    def reading(self, *, attempts: int, timeout_s: float) -> "Cloud":
        """Return another connection to the same project that refuses whatever is not a read, and is less patient.

        It proves the credentials anew.  Closing it closes neither this one nor a transport that was handed in.

        Parameters
        ----------
        attempts
            How often a call is tried.
        timeout_s
            Seconds that a try, or making a connection, may take; never longer than here.
        """
        settings = self.settings.model_copy(
            update={
                "read_only": True,
                "attempts": min(attempts, self.settings.attempts),
                "timeout_s": min(timeout_s, self.settings.timeout_s),
                "connect_timeout_s": min(timeout_s, self.settings.connect_timeout_s),
            }
        )
        http = self._http if self._http is None or isinstance(self._http, Replay) else _Lent(self._http)
        return Cloud(settings, http=http, pace=self._pace)

    @property
    def identity(self) -> Identity | None:
        """Who calls and where, as ``check`` has found out; None before it has."""
        return self._session.identity

    @property
    def clock(self) -> CloudClock:
        """The cloud's clock, as its answers tell it."""
        return self._session.clock

    @property
    def time_scale(self) -> float:
        """Seconds of the cloud's clock in one of ours: 1, or what a sandbox says that was named as one."""
        return self._session.clock.scale

    def on_wait(self, told: OnWait) -> Callable[[], None]:
        """Have ``told(wait)`` called when calls begin to wait for the gateway's limit; returns what ends that.

        ``wait`` says until when (``str(wait)`` in a sentence), and is None when calls leave again.  Short waits are
        not told.  ``told`` is called on another thread and must neither raise nor take long.  Where nobody listens,
        waits are logged as warnings of the logger ``sdrs_nb``.
        """
        return self._session.waits.listen(told)

    def telling(self, told: OnWait | None) -> AbstractContextManager[None]:
        """Return a context in which ``told(wait)`` is called as by ``on_wait``, but on the loop that awaits."""
        return self._session.waits.told_here(told)

    async def check(self) -> Identity:
        """Prove the credentials with one cheap call and return who we are; remembered once it succeeded.

        Every other call does this first by itself.  Raises ``AuthenticationError`` when the credentials are
        refused, ``SettingsError`` when the project cannot be told, ``CloudUnreachable`` when nothing answers.
        """
        return await self._session.check()

    async def close(self) -> None:
        """Close the connections; later calls are refused, closing again does nothing."""
        await self._session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        settings = self.settings
        project = settings.project_id or settings.project_name or settings.region
        return f"Cloud(endpoint={origin_of('sdrs', settings)!r}, project={project!r})"


class _Lent(httpx.AsyncBaseTransport):
    """A transport that another connection closes."""

    def __init__(self, http: httpx.AsyncBaseTransport) -> None:
        self._http = http

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._http.handle_async_request(request)


@with_no_trace
@checked
def connect(
    *,
    endpoint: str | None = None,
    region: str | None = None,
    cloud_host: str | None = None,
    project_id: str | None = None,
    project_name: str | None = None,
    access_key: str | None = None,
    secret_key: str | None = None,
    security_token: str | None = None,
    user: str | None = None,
    password: str | None = None,
    domain: str | None = None,
    domain_id: str | None = None,
    token: str | None = None,
    endpoints: Mapping[str, str] | None = None,
    profile: str | None = None,
    language: str | None = None,
    timeout: float | None = None,
    connect_timeout: float | None = None,
    attempts: int | None = None,
    parallel: int | None = None,
    page_size: int | None = None,
    ca_file: str | Path | None = None,
    sandbox: bool | str | None = None,
    read_only: bool | str | None = None,
    record: str | Path | None = None,
    tape: str | Path | None = None,
    times_offset_h: float | None = None,
    pace: RateLimiter | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Cloud:
    """Return a connection to one project; reads settings files, touches no network.

    What is not named is looked for in ``SDRS_NB_*``, ``HUAWEICLOUD_SDK_*``, ``HW_*``, ``OS_*``, ``clouds.yaml``
    and the vendor SDK's credentials file, in this order; ``cloud.settings.found_in`` says where each value was
    found.

    Parameters
    ----------
    endpoint
        One origin for every service, such as the sandbox's; without it region and ``cloud_host`` make the hosts.
    region, cloud_host
        ``https://{service}.{region}.{cloud_host}``; the host is ``myhuaweicloud.com`` unless named.
    project_id, project_name
        The project; without an id it is looked up by name, which is the region's name by default.
    access_key, secret_key, security_token
        Signed calls; the security token belongs to temporary keys.
    user, password, domain, domain_id
        Calls with a token that is made, kept and renewed here.
    token
        A project token made elsewhere.
    endpoints
        Origins of single services by name (``iam``, ``ecs``, ``evs``, ``vpc``, ``kps``, ``deh``, ``dss``,
        ``autoscaling``, ``eps``, ``sdrs``); wins over ``endpoint``.
    profile
        An entry of ``clouds.yaml`` or a section of the credentials file to take the credentials from.
    language
        Language of the cloud's own messages, such as ``en-us`` or ``zh-cn``.
    timeout, connect_timeout
        Seconds to wait for an answer (120) and for a connection (60).
    attempts, parallel, page_size
        Tries of a harmless call (6), calls under way at once (8), rows a page (1000).
    ca_file
        Certificates to trust instead of the system's, for a network with a proxy of its own.
    sandbox
        Whether the endpoint is a sandbox cloud: only then what it says of its own time is believed.  A sandbox that
        ``start_sandbox`` started is connected to in this way; ``SDRS_NB_SANDBOX=1`` says it too.
    read_only
        Refuse whatever is not a read, before it is signed; ``SDRS_NB_READ_ONLY=1`` says it too.  The request for a
        token is the one exception.
    record
        Folder to record every request and answer in, with secrets dropped and whatever could name anybody replaced
        by pseudonyms; ``SDRS_NB_TAPE`` names one too.
    tape
        A tape to play back in place of a cloud: a folder, or a file of it.  Only ``read_only`` counts beside it.
    times_offset_h
        Hours by which times without a zone in the service's lists are ahead of UTC (ASSUMED: time_zone).
    pace, transport
        A pace of one's own; an httpx transport in place of the network (tests).

    Raises
    ------
    SettingsError
        Nothing complete was found, or a value is not acceptable; the message lists what was looked for.  There is
        no tape of that name, or it cannot be read.
    """
    named = {
        "endpoint": endpoint,
        "region": region,
        "cloud_host": cloud_host,
        "project_id": project_id,
        "project_name": project_name,
        "access_key": access_key,
        "secret_key": secret_key,
        "security_token": security_token,
        "user": user,
        "password": password,
        "domain": domain,
        "domain_id": domain_id,
        "token": token,
        "endpoints": dict(endpoints) if endpoints else None,
        "language": language,
        "timeout_s": timeout,
        "connect_timeout_s": connect_timeout,
        "attempts": attempts,
        "parallel": parallel,
        "page_size": page_size,
        "ca_file": str(ca_file) if ca_file else None,
        "sandbox": sandbox,
        "read_only": read_only,
        "record": str(record) if record else None,
        "times_offset_h": times_offset_h,
    }
    if tape is not None:
        return _played_back(Path(tape), {name for name, value in named.items() if value}, read_only=read_only)
    settings = resolve(named, environ=os.environ, home=Path.home(), folder=Path.cwd(), profile=profile)
    if unknown := sorted(set(settings.endpoints) - set(SERVICES)):
        raise SettingsError(
            _(
                "There is no service called {unknown}; endpoints= knows {known}.",
                unknown=", ".join(unknown),
                known=", ".join(SERVICES),
            )
        )
    if transport is None:
        _refuse_open_password(settings)
    return Cloud(settings, http=transport, pace=pace)


def _played_back(tape: Path, named: Collection[str], *, read_only: bool | str | None) -> Cloud:
    """Return the cloud as a tape shows it; the environment and files of settings say nothing then."""
    if beside := sorted({*named} - {"read_only"}):
        raise SettingsError(
            _(
                "A tape is played back as it was recorded; take away {names}.",
                names=", ".join(f"{each}=" for each in beside),
            )
        )
    replay = Replay(read_tape(tape))
    settings = replay.settings()
    settings = Settings.model_validate({**dict(settings), "read_only": read_only or False})
    return Cloud(settings, http=replay, pace=Parallel(settings.parallel))


def _refuse_open_password(settings: Settings) -> None:
    """Refuse to carry a password or a token in the clear; a signature gives nothing away."""
    origins = {origin_of(service, settings) for service in SERVICES}
    for origin in sorted(origins):
        if settings.kind != "access key" and origin.startswith("http:") and not is_loopback(origin):
            raise SettingsError(
                _(
                    "{origin} is not encrypted and would carry the password or token in the clear; use https, or an "
                    "access key.",
                    origin=origin,
                )
            )
