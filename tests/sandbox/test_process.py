"""The sandbox as a process of its own: its start-up line, and connections that faults really cut."""

import json
import subprocess
import sys

import httpx
import pytest

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
            answer = client.post(f"/_sandbox/{route}", content=body.encode())
            assert (answer.status_code, name in answer.json()["error"]) == (400, True)
    assert client.get("/_sandbox/nowhere").status_code == 404
