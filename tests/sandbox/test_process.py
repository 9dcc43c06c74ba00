"""The sandbox as a process of its own: its start-up line, and connections that faults really cut."""

import json
import socket
import subprocess
import sys
from types import SimpleNamespace

import httpx
import pytest

from sdrs_nb.sandbox.server import endpoint_of

FIELDS = {"endpoint", "region", "project_id", "domain", "user", "password", "access_key", "secret_key", "world"}


@pytest.fixture(name="line", scope="module")
def _line():
    command = [sys.executable, "-m", "sdrs_nb.sandbox", "--servers", "5", "--speed", "0", "--latency", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        yield json.loads(process.stdout.readline())
        process.terminate()


@pytest.fixture(name="client")
def _client(line):
    with httpx.Client(base_url=line["endpoint"], trust_env=False) as client:
        yield client


def test_start_up_line_has_the_documented_fields(line):
    """One JSON line names the endpoint and every credential."""
    assert set(line) == FIELDS
    assert line["endpoint"].startswith("http://127.0.0.1:")


@pytest.mark.parametrize("kind", ["reset", "lost_answer"])
def test_faults_cut_the_connection(client, kind):
    """A dropped connection gives no status line at all, and the next request works."""
    client.post("/_sandbox/faults", json=[{"match": "GET /", "kind": kind}])

    with pytest.raises(httpx.TransportError):
        client.get("/")

    assert client.get("/").status_code == 200
    log = client.get("/_sandbox/requests").json()
    assert [entry["status"] for entry in log[-2:]] == [None, 200]


def test_control_routes_refuse_nonsense(client):
    """A bad advance or speed is 400 with a sentence; an unknown control route is 404."""
    for route, name in (("advance", "seconds"), ("speed", "speed")):
        for body in (f'{{"{name}": -1}}', f'{{"{name}": true}}', f'{{"{name}": Infinity}}', f'{{"{name}": NaN}}', "{"):
            answer = client.post(
                f"/_sandbox/{route}", content=body.encode(), headers={"Content-Type": "application/json"}
            )
            assert (answer.status_code, name in answer.json()["error"]) == (400, True)
    assert client.get("/_sandbox/nowhere").status_code == 404


def test_every_spelling_of_this_machine_works_and_no_other(client, line):
    """By address and by name it answers, and its catalogue names it as it was called; a rebound name reads nothing."""
    port = httpx.URL(line["endpoint"]).port
    user = {"name": line["user"], "password": line["password"], "domain": {"name": line["domain"]}}
    login = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}

    ours = [httpx.post(f"http://{name}:{port}/v3/auth/tokens", json=login) for name in ("127.0.0.1", "localhost")]
    rebound = client.get("/_sandbox/world", headers={"Host": f"evil.example:{port}"})

    assert [answer.status_code for answer in ours] == [201, 201]
    assert f"http://localhost:{port}/v3" in ours[1].text
    assert rebound.status_code == 403


def test_an_absolute_target_hides_no_foreign_host(line):
    """Host counts, also where the request line names an address of its own."""
    address = httpx.URL(line["endpoint"])
    with socket.create_connection((address.host, address.port), timeout=20) as connection:
        target = f"{line['endpoint']}/_sandbox/world"
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".encode())
        answer = connection.makefile("rb").readline()

    assert answer.startswith(b"HTTP/1.1 403")


def test_a_forwarded_address_hides_no_connection_from_a_fault(client):
    """A client that says it speaks for another has its own connection cut."""
    client.post("/_sandbox/faults", json=[{"match": "GET /", "kind": "reset"}])

    with pytest.raises(httpx.TransportError):
        client.get("/", headers={"X-Forwarded-For": "10.0.0.1", "X-Forwarded-Proto": "https"})


def test_an_ipv6_endpoint_has_brackets():
    """Bound to ::1 it names an address that a client can call."""
    listener = SimpleNamespace(getsockname=lambda: ("::1", 1234, 0, 0))

    assert endpoint_of(listener) == "http://[::1]:1234"


def test_neighbours_that_break_off_or_talk_nonsense_break_nothing():
    """Whatever bytes come in, the sandbox neither stumbles nor stops: what it complains of is no error of its own."""
    command = [sys.executable, "-m", "sdrs_nb.sandbox", "--servers", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        endpoint = httpx.URL(json.loads(process.stdout.readline())["endpoint"])
        host = b"Host: " + endpoint.netloc + b"\r\n"
        post = b"POST /v3/auth/tokens HTTP/1.1\r\n" + host
        control = b"POST /_sandbox/faults HTTP/1.1\r\n" + host + b"Content-Type: application/json\r\n"
        expected = {
            post + b"Content-Length: 100\r\n\r\n{": b"",
            control + b"Content-Length: 100\r\n\r\n[": b"",
            post + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{": b"",
            post + b"Content-Length: 999999999999\r\n\r\n{": b"413",
            control + b"Content-Length: 1048577\r\n\r\n[": b"413",
            post + b"Content-Length: 99999999999999999999999999\r\n\r\n{": b"400",
            control + b"Content-Length: -1\r\n\r\n[": b"400",
            b"GET / HTTP/1.0\r\n\r\n": b"403",
            b"GET / HTTP/1.1\r\n\r\n": b"400",
            b"GET / HTTP/1.1\r\n" + host + b"Host: evil.example\r\n\r\n": b"400",
            b"GET / HTTP/1.1\r\n" + host + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n": b"200",
            b"GET /\x00 HTTP/1.1\r\n" + host + b"\r\n": b"400",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n": b"400",
        }
        answers = {sent: exchange(endpoint, sent, breaks_off=not status) for sent, status in expected.items()}
        alive = httpx.get(f"{endpoint}/_sandbox/requests", trust_env=False).status_code
        process.terminate()
        said = process.stderr.read().decode()

    assert answers == expected
    assert alive == 200
    assert "Traceback" not in said
    assert "ERROR" not in said


def exchange(endpoint, sent, *, breaks_off):
    """Send bytes; give the status that comes back, empty where the connection just ends."""
    with socket.create_connection((endpoint.host, endpoint.port), timeout=20) as connection:
        connection.sendall(sent)
        if breaks_off:
            connection.shutdown(socket.SHUT_WR)
        line = connection.makefile("rb").readline()
    return line.split(b" ")[1] if line else b""
