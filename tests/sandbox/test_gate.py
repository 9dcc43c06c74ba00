"""Who may speak to the sandbox: own programs by a loopback address, and no page of another site."""

import httpx
import pytest
from starlette.exceptions import HTTPException

from sdrs_nb.sandbox.gate import BODY_LIMIT, check_sender

OURS = [
    "127.0.0.1", "127.0.0.1:1234", "127.0.0.2:1234", "localhost", "localhost:1234", "LOCALHOST:1", "[::1]",
    "[::1]:1234", "[0:0:0:0:0:0:0:1]:80", "[::ffff:127.0.0.1]:80", "127.0.0.1:65535",
]  # fmt: skip
FOREIGN = [
    "evil.example", "127.evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evil.example:1234",
    "sandbox.localhost.evil.example", "localhost.", "evil-localhost", "0x7f.1", "0x7f000001", "2130706433", "127.1",
    "127.0.0.1.", "127.0.0.01", "0177.0.0.1", "0.0.0.0", "0", "10.0.0.1", "169.254.169.254", "", " ", ":1234",
    "user@127.0.0.1", "127.0.0.1@evil.example", "127.0.0.1:80@evil.example", "127.0.0.1:1234/", "127.0.0.1,a.example",
    "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:x", "http://127.0.0.1", "::1", "[::1", "::1]", "[127.0.0.1]", "[::2]",
    "[::]", "[::ffff:10.0.0.1]", "[fe80::1%lo]", "[::1]evil.example", "[localhost]", "127.0.0.1\x00", "\xb9\xb2.0.0.1",
]  # fmt: skip
ROUTES = [
    ("GET", "/_sandbox/world"), ("GET", "/_sandbox/requests"), ("GET", "/_sandbox/faults"), ("GET", "/_sandbox/none"),
    ("GET", "/%5Fsandbox/world"), ("POST", "/_sandbox/reset"), ("POST", "/_sandbox/faults"), ("GET", "/v3/projects"),
    ("POST", "/_sandbox/advance"), ("POST", "/_sandbox/speed"), ("OPTIONS", "/_sandbox/reset"), ("GET", "/nowhere"),
    ("POST", "/v3/auth/tokens"), ("GET", "/"),
]  # fmt: skip
JSON = {"Content-Type": "application/json"}


@pytest.fixture(name="client")
async def _client(cloud):
    transport = httpx.ASGITransport(cloud.sandbox.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:1234") as client:
        yield client


def asked(server, host, origin="http://localhost"):
    """Give the scope of a request that came in on an address of this machine."""
    headers = [(b"host", host.encode()), (b"origin", origin.encode())]
    return {"type": "http", "method": "GET", "path": "/", "headers": headers, "server": (server, 1234)}


@pytest.mark.parametrize("host", OURS)
async def test_a_loopback_host_is_heard(client, host):
    """Whatever the port and the spelling of the address: control routes and cloud answer."""
    control = await client.get("/_sandbox/faults", headers={"Host": host})
    service = await client.get("/", headers={"Host": host})

    assert (control.status_code, service.status_code) == (200, 200)


@pytest.mark.parametrize("host", FOREIGN)
async def test_another_host_is_refused(client, host):
    """A name that somebody lets point at loopback reads nothing, and what only looks like loopback is not."""
    raw = {"Host": host.encode("latin-1")}

    control = await client.get("/_sandbox/world", headers=raw)
    service = await client.get("/v3", headers=raw)

    assert [(answer.status_code, "Host" in answer.json()["error"]) for answer in (control, service)] == [
        (403, True)
    ] * 2


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_every_route_asks_who_sends(client, cloud, method, path):
    """Nothing is answered, done or logged for a foreign host, a foreign page or a page without an origin."""
    before = await cloud.get("/_sandbox/world")
    senders = [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]

    answers = [await client.request(method, path, headers={**JSON, **sender}) for sender in senders]

    assert [(answer.status_code, list(answer.json())) for answer in answers] == [(403, ["error"])] * 3
    assert await cloud.get("/_sandbox/requests") == []
    assert await cloud.get("/_sandbox/world") == before


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://127.0.0.1:1234"}, 200),
        ({"Origin": "http://localhost:8888"}, 200),
        ({"Origin": "https://localhost"}, 200),
        ({"Origin": "http://[::1]:8888"}, 200),
        ({"Origin": "http://localhost:8888", "Sec-Fetch-Site": "cross-site"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "same-site"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "anything"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"}, 403),
        ({"Origin": "http://evil.example:1234"}, 403),
        ({"Origin": "http://127.0.0.1.evil.example"}, 403),
        ({"Origin": "http://localhost.evil.example:1234"}, 403),
        ({"Origin": "http://127.0.0.1@evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:1234/"}, 403),
        ({"Origin": "http://127.0.0.1:1234, https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "file://"}, 403),
        ({"Origin": "chrome-extension://abc"}, 403),
        ({"Origin": "ftp://127.0.0.1"}, 403),
        ({"Origin": "127.0.0.1"}, 403),
    ],
    ids=str,
)
async def test_only_pages_of_this_machine_are_heard(client, headers, status):
    """Origin decides where a browser sends one; without it, its Sec-Fetch-Site does."""
    control = await client.post("/_sandbox/reset", headers={**JSON, **headers})
    service = await client.get("/v3", headers=headers)

    assert (control.status_code, service.status_code) == (status, status)


async def test_two_hosts_or_origins_are_refused(client):
    """The second of two headers is not the one that was looked at."""
    hosts = [("Host", "127.0.0.1"), ("Host", "evil.example")]
    origins = [("Host", "127.0.0.1"), ("Origin", "http://127.0.0.1"), ("Origin", "https://evil.example")]

    answers = [await client.get("/_sandbox/world", headers=httpx.Headers(each)) for each in (hosts, origins)]

    assert [answer.status_code for answer in answers] == [403, 403]


@pytest.mark.parametrize(
    ("media", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ('application/json;charset="UTF-8"', 200),
        ("Application/JSON", 200),
        (None, 415),
        ("", 415),
        ("text/plain", 415),
        ("text/plain; charset=utf-8", 415),
        ("text/plain; application/json", 415),
        ("text/plain, application/json", 415),
        ("application/json, text/plain", 415),
        ("application/json; charset=utf-16", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/jsonp", 415),
        ("application/vnd.api+json", 415),
        ("application", 415),
    ],
)
@pytest.mark.parametrize(
    ("route", "body"),
    [("reset", b""), ("reset", b"{}"), ("faults", b"[]"), ("advance", b'{"seconds": 1}'), ("speed", b'{"speed": 1}')],
)
async def test_control_routes_take_json_alone(client, route, body, media, status):
    """Also with an empty body: what a page can send without being allowed to is no JSON."""
    headers = {} if media is None else {"Content-Type": media}

    answer = await client.post(f"/_sandbox/{route}", content=body, headers=headers)

    assert answer.status_code == status
    assert status == 200 or "application/json" in answer.json()["error"]


async def test_a_body_of_a_control_route_is_json_whatever_the_method(client):
    """A GET with a body and an unknown route are asked for it as well; a GET without one is not."""
    given = [
        await client.request(method, path, content=b"x", headers={"Content-Type": "text/plain"})
        for method, path in (("GET", "/_sandbox/world"), ("PUT", "/_sandbox/reset"), ("POST", "/_sandbox/nowhere"))
    ]

    assert [answer.status_code for answer in given] == [415, 415, 415]
    assert (await client.get("/_sandbox/world")).status_code == 200


async def test_unknown_control_routes_and_methods_answer_json(client):
    """An error of a control route is always an object with a sentence."""
    unknown = await client.get("/_sandbox/nowhere")
    method = await client.put("/_sandbox/reset", headers=JSON)

    assert (unknown.status_code, list(unknown.json())) == (404, ["error"])
    assert (method.status_code, list(method.json())) == (405, ["error"])


@pytest.mark.parametrize(
    ("server", "bound_to", "host"),
    [
        ("192.168.1.5", [], "192.168.1.5:1234"),
        ("192.168.1.5", ["0.0.0.0"], "0.0.0.0:1234"),
        ("192.168.1.5", ["Rehearsal.example"], "rehearsal.example"),
        ("fd00::5", ["fd00:0::5"], "[fd00::5]:1234"),
    ],
)
def test_a_sandbox_bound_elsewhere_answers_to_that_address(server, bound_to, host):
    """The address on which the connection was accepted and the one named at the start are its own."""
    check_sender(asked(server, host, f"http://{host}"), bound_to)


@pytest.mark.parametrize(
    ("server", "bound_to", "host"),
    [
        ("192.168.1.5", ["192.168.1.5"], "192.168.1.6"),
        ("192.168.1.5", ["rehearsal.example"], "other.rehearsal.example"),
        ("127.0.0.1", ["127.0.0.1"], "192.168.1.5"),
    ],
)
def test_a_sandbox_bound_elsewhere_answers_to_no_other_address(server, bound_to, host):
    """A neighbour's address, a name below its own, and an address it was not bound to."""
    with pytest.raises(HTTPException, match="Host"):
        check_sender(asked(server, host), bound_to)


def test_another_port_of_an_address_that_is_not_loopback_is_another_origin():
    """What else is served there is not this sandbox."""
    with pytest.raises(HTTPException, match="Origin"):
        check_sender(asked("192.168.1.5", "192.168.1.5:1234", "http://192.168.1.5:80"))


@pytest.mark.parametrize("told", [True, False], ids=["with a length", "in chunks"])
async def test_a_body_has_a_bound(client, cloud, told):
    """Beyond it is 413, in the gateway's form on the cloud's routes; just below it is read."""

    async def chunks(size):
        for _ in range(size // 1024):
            yield b" " * 1024
        yield b" " * (size % 1024)

    async def post(path, size):
        body = b" " * size if told else chunks(size)
        return await client.post(path, content=body, headers={**JSON, **dict(cloud.http.headers), "Host": "127.0.0.1"})

    control = [await post("/_sandbox/faults", BODY_LIMIT + more) for more in (0, 1)]
    service = [await post(f"/v1/{cloud.project}/protected-instances", BODY_LIMIT + more) for more in (0, 1)]

    assert [answer.status_code for answer in control] == [400, 413]
    assert [answer.status_code for answer in service] == [400, 413]
    assert service[1].json()["error_code"] == "APIGW.0201"
    assert (await cloud.get("/_sandbox/requests"))[-1]["status"] == 413
