"""The largest estate stays small and gives its pages; how fast is a figure of make bench."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest


@pytest.mark.slow
def test_largest_estate_stays_small_and_gives_the_same_page_again():
    """100,000 servers take less than 1.5 GB, and a page asked for again is the same page."""
    command = [sys.executable, "-m", "sdrs_nb.sandbox", "--port", "0", "--servers", "100000", "--speed", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            request = _with_token(json.loads(process.stdout.readline()))
            first, again = _read(request), _read(request)
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8").splitlines()
            peak_mib = next(int(row.split()[1]) for row in status if row.startswith("VmHWM")) / 1024
        finally:
            process.terminate()

    assert len(json.loads(first)["servers"]) == 1000
    assert again == first
    assert peak_mib < 1500


def _with_token(line):
    user = {"name": line["user"], "password": line["password"], "domain": {"name": line["domain"]}}
    scope = {"project": {"id": line["project_id"]}}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
    with urllib.request.urlopen(f"{line['endpoint']}/v3/auth/tokens", json.dumps(body).encode()) as answer:
        token = answer.headers["X-Subject-Token"]
    url = f"{line['endpoint']}/v1/{line['project_id']}/cloudservers/detail?limit=1000&offset=50"
    return urllib.request.Request(url, headers={"X-Auth-Token": token})


def _read(request):
    with urllib.request.urlopen(request) as answer:
        return answer.read()
