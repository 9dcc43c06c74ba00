"""The largest estate starts fast, stays small, and gives its pages at once."""

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest


@pytest.mark.slow
def test_largest_estate(tmp_path):
    """100,000 servers start in under 15 s and 1.5 GB; a 1,000-server page comes in under 25 ms when asked again."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "sdrs_nb.sandbox", "--port", "0", "--servers", "100000", "--speed", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            line = json.loads(process.stdout.readline())
            start_s = time.perf_counter() - started
            request = _with_token(line)
            first, again = [_timed(request) for _ in range(2)], [_timed(request) for _ in range(9)]
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8").splitlines()
            peak_mib = next(int(row.split()[1]) for row in status if row.startswith("VmHWM")) / 1024
        finally:
            process.terminate()

    assert first
    assert start_s < 15
    assert peak_mib < 1500
    # The best of nine: other tests may be using the machine.
    assert min(again) < 0.025


def _with_token(line):
    user = {"name": line["user"], "password": line["password"], "domain": {"name": line["domain"]}}
    scope = {"project": {"id": line["project_id"]}}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
    with urllib.request.urlopen(f"{line['endpoint']}/v3/auth/tokens", json.dumps(body).encode()) as answer:
        token = answer.headers["X-Subject-Token"]
    url = f"{line['endpoint']}/v1/{line['project_id']}/cloudservers/detail?limit=1000&offset=50"
    return urllib.request.Request(url, headers={"X-Auth-Token": token})


def _timed(request):
    started = time.perf_counter()
    with urllib.request.urlopen(request) as answer:
        answer.read()
    return time.perf_counter() - started
