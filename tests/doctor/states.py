"""Clouds in which something is wrong, one thing each, and what the doctor is to say of it first."""

import asyncio
import ssl
import time
from contextlib import asynccontextmanager
from email.utils import formatdate
from functools import partial
from pathlib import Path

import httpx
import pytest

import sdrs_nb
from sdrs_nb.sandbox import Sandbox, Settings
from tests.builders_cloud import ACCESS
from tests.builders_running import connected_to, faults

SELF_SIGNED = Path(__file__).parent.parent / "data" / "self_signed.pem"
DENIED = {"error_code": "APIGW.0302", "error_msg": "Policy doesn't allow the action."}
#: Paths of each service in the sandbox.
PATHS = {
    "sdrs": ("/v1/*/server-groups*", "/v1/*/protected-instances*", "/v1/*/replications*", "/v1/*/disaster-*",
             "/v1/*/active-domains", "/v1/*/sdrs/quotas"),
    "ecs": ("/v1/*/cloudservers*",),
    "evs": ("/v2/*/cloudvolumes*", "/v2/*/os-quota-sets*"),
    "vpc": ("/v1/*/vpcs*", "/v1/*/subnets*"),
    "kps": ("/v3/*/keypairs*",),
    "autoscaling": ("/autoscaling-api/*",),
    "deh": ("/v1.0/*/dedicated-hosts*",),
    "dss": ("/v1/*/pools*",),
    "eps": ("/v1.0/enterprise-projects*",),
}  # fmt: skip
#: Minutes by which the cloud is ahead of this machine.
AHEAD_MIN = 20


class Dated(httpx.ASGITransport):
    """Answers with a ``Date`` by a clock of its own, as a server that listens would."""

    def __init__(self, app, wall):
        super().__init__(app)
        self._wall = wall

    async def handle_async_request(self, request):
        """Answer, dated."""
        answer = await super().handle_async_request(request)
        answer.headers["Date"] = formatdate(self._wall(), usegmt=True)
        return answer


@asynccontextmanager
async def playing(*wrong, options=None, **settings):
    """A small sandbox with these faults and settings, connected to with these options."""
    sandbox = Sandbox(servers=15, seed=7, speed=0, settings=Settings(**settings))
    await faults(sandbox, *wrong)
    async with connected_to(sandbox, **(options or {})) as cloud:
        yield sandbox, cloud


def denying(service):
    """The permission for one service is missing."""
    wrong = {"kind": "status", "status": 403, "body": DENIED, "times": None}
    return playing(*({**wrong, "match": f"GET {path}"} for path in PATHS[service]))


@asynccontextmanager
async def with_clocks_apart(kind="access key", minutes=AHEAD_MIN):
    """The cloud's clock is ahead of ours, so that it refuses what we sign."""

    def wall():
        return time.time() + 60 * minutes

    sandbox = Sandbox(servers=15, seed=7, speed=0, wall=wall)
    async with connected_to(sandbox, kind=kind, transport=Dated(sandbox.app, wall)) as cloud:
        yield sandbox, cloud


@asynccontextmanager
async def with_a_token(lasts_s=0.0):
    """A token made elsewhere ends in so many seconds; by default it has."""
    sandbox = Sandbox(servers=15, seed=7, speed=0, settings=Settings(token_s=lasts_s))
    project_id = sandbox.credentials["project_id"]
    token, _issued, _ends = sandbox.service.directory.issue(project_id)
    options = {"transport": httpx.ASGITransport(sandbox.app), "sandbox": True, "project_id": project_id}
    async with sdrs_nb.connect(endpoint="http://localhost", token=token, **options) as cloud:
        yield sandbox, cloud


@asynccontextmanager
async def listening(answer, certificate=None):
    """The port of a server on this machine that answers every request with these bytes."""
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def behind_a_proxy_that_asks():
    """A real proxy on this machine wants a user and a password."""
    async with listening(b"HTTP/1.1 407 Proxy Authentication Required") as port:
        with pytest.MonkeyPatch.context() as patched:
            for name in ("NO_PROXY", "no_proxy", "https_proxy"):
                patched.delenv(name, raising=False)
            patched.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
            async with sdrs_nb.connect(region="cn-north-4", cloud_host="cloud.invalid", **ACCESS) as cloud:
                yield None, cloud


@asynccontextmanager
async def with_a_certificate_of_nobody():
    """A real server whose certificate nobody has vouched for."""
    async with (
        listening(b"HTTP/1.1 401 Unauthorized", SELF_SIGNED) as port,
        sdrs_nb.connect(endpoint=f"https://localhost:{port}", region="r", **ACCESS) as cloud,
    ):
        yield None, cloud


SLOW = {"kind": "slow", "seconds": 3.2, "match": "GET /v1/*/server-groups", "times": 1}
#: What is wrong -> how to open it, the check that must come first, and what its line names in any language.
STATES = {
    **{f"no permission for {name}": (partial(denying, name), f"permission.{name}", ["APIGW.0302"]) for name in PATHS},
    "wrong project": (partial(playing, options={"project_id": "0" * 32}), "project", ["0" * 32, "SDRS_NB_PROJECT_ID"]),
    "wrong region": (partial(playing, options={"region": "cn-north-9"}), "region", ["cn-north-9", "SDRS_NB_REGION"]),
    "no batch call": (
        partial(playing, options={"cloud_host": "otc.t-systems.com"}, batch_available=False), "batch_call", [],
    ),
    "clock off by 20 minutes": (with_clocks_apart, "clock", [str(AHEAD_MIN), "NTP"]),
    "proxy that asks": (behind_a_proxy_that_asks, "proxy", ["HTTPS_PROXY"]),
    "expired token": (with_a_token, "credentials", ["token expires"]),
    "wrong password": (
        partial(playing, options={"kind": "password", "password": "wrong"}), "credentials", ["SDRS_NB_DOMAIN"],
    ),
    "quota gone": (partial(playing, pair_quota=1), "quota.sdrs", ["replications"]),
    "slow": (partial(playing, SLOW), "reach.sdrs", ["localhost", "3."]),
    "certificate of nobody": (with_a_certificate_of_nobody, "tls", ["localhost", "SDRS_NB_CA_FILE"]),
}  # fmt: skip
