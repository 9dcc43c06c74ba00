"""A sandbox that plays Open Telekom Cloud: its host name in the environment, its site without the batch calls."""

from collections.abc import Iterator
from contextlib import contextmanager

import sdrs_nb
from sdrs_nb.runbooks.sandbox_process import SandboxProcess


@contextmanager
def a_site_without_batch_calls(servers: int = 15) -> Iterator[tuple[SandboxProcess, dict[str, str]]]:
    """Yield the running sandbox, and the environment of an operator of Open Telekom Cloud that points to it."""
    with sdrs_nb.start_sandbox(servers=servers, seed=7, speed=3600, assume={"batch_calls": "no"}) as sandbox:
        yield sandbox, sandbox.environment() | {"SDRS_NB_CLOUD_HOST": "otc.t-systems.com"}


def sent(sandbox: SandboxProcess) -> list[tuple[str, str, int]]:
    """Return the requests that would change something: method, path behind the project, status."""
    return [
        (request["method"], "/" + request["path"].split("/", 3)[3], request["status"])
        for request in sandbox.requests()
        if request["method"] != "GET"
    ]
