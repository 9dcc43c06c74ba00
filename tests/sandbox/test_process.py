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
