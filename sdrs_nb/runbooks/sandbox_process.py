"""The sandbox cloud as a process of its own: start it, connect to it, stop it.

Only started, never imported: a sandbox that shared code with us would share our mistakes.
"""

import asyncio
import atexit
import contextlib
import json
import queue
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from sdrs_nb.asked import checked
from sdrs_nb.cloud import Cloud, connect
from sdrs_nb.errors import SdrsError
from sdrs_nb.i18n import Lines, _

__all__ = ["SandboxProcess", "start_sandbox"]

#: Seconds until a sandbox must listen; estates of 100,000 servers take a while to make.
START_LIMIT_S = 120.0
_STOP_LIMIT_S = 10.0
#: Lines of its complaints that are shown when it dies.
_SHOWN_LINES = 12
_CREDENTIALS = ("project_id", "access_key", "secret_key", "user", "password", "domain")


class SandboxProcess:
    """A running sandbox; a context manager, ``with`` or ``async with``, that stops it at the end.

    It also ends when this process does, whatever ended that: its standard input is a pipe that then closes.
    ``facts`` is what it printed when it began to listen: endpoint, region, project and the credentials it takes.
    """

    def __init__(self, process: "subprocess.Popen[str]", facts: dict[str, Any]) -> None:
        self._process = process
        self._facts = facts
        atexit.register(self.stop)

    @property
    def endpoint(self) -> str:
        """The address of every service of this sandbox."""
        return str(self._facts["endpoint"])

    @property
    def region(self) -> str:
        """The name of its only region."""
        return str(self._facts.get("region", ""))

    @property
    def project_id(self) -> str:
        """The id of its project."""
        return str(self._facts.get("project_id", ""))

    @property
    def world_id(self) -> str:
        """The id of its world, which no other sandbox has."""
        return str(self._facts.get("world", ""))

    @property
    def is_running(self) -> bool:
        """Whether the process is alive."""
        return self._process.poll() is None

    def connect(self, **options: Any) -> Cloud:
        """Return a connection to this sandbox; ``options`` are those of ``sdrs_nb.connect`` and win."""
        named: dict[str, Any] = {"endpoint": self.endpoint, "region": self.region or None, "sandbox": True}
        named["domain"] = self._facts.get("domain")
        if not {"access_key", "user", "token"} & options.keys():
            named |= {name: self._facts.get(name) for name in ("access_key", "secret_key")}
        return connect(**{**named, "project_id": self._facts.get("project_id"), **options})

    def environment(self) -> dict[str, str]:
        """Return the ``SDRS_NB_*`` variables that point a process, such as ``sdrs-nb``, at this sandbox."""
        names = ("endpoint", "region", *_CREDENTIALS)
        told = {f"SDRS_NB_{name.upper()}": str(self._facts[name]) for name in names if self._facts.get(name)}
        return {**told, "SDRS_NB_SANDBOX": "1"}

    def requests(self) -> list[dict[str, Any]]:
        """Return every cloud request it received, oldest first: ``method, path, status, handled, ...``."""
        found: list[dict[str, Any]] = self._control("requests")
        return found

    def world(self) -> dict[str, Any]:
        """Return its true state; ``creations`` says how often each server was really given an instance."""
        found: dict[str, Any] = self._control("world")
        return found

    def set_faults(self, *faults: dict[str, Any]) -> None:
        """Let it misbehave: each fault names ``match`` (``"POST /v1/*/..."``), ``kind`` and ``times``; none: stop."""
        self._control("faults", list(faults))

    def advance(self, seconds: float) -> None:
        """Move its clock forward."""
        self._control("advance", {"seconds": seconds})

    def set_speed(self, speed: float) -> None:
        """Let its clock run at ``speed`` cloud seconds a second from now on; 0 stands still."""
        self._control("speed", {"speed": speed})

    def reset(self) -> None:
        """Take it back to its start: estate, clock and its speed, recorded requests, faults."""
        self._control("reset", {})

    def _control(self, name: str, body: Any = None) -> Any:
        """Call one of its control routes, on this machine and without a proxy.

        Raises
        ------
        SdrsError
            It does not take what was asked for; the message holds what it said.
        """
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.endpoint}/_sandbox/{name}", data=data)  # noqa: S310 - our own process
        if data is not None:
            request.add_header("Content-Type", "application/json")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=_STOP_LIMIT_S) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                said = json.loads(error.read())["error"]
            raise SdrsError(_("The sandbox does not take that. It said: {said}", said=said)) from None

    def stop(self) -> None:
        """Stop the process and wait for its end; calling it again does nothing."""
        atexit.unregister(self.stop)
        if self.is_running:
            self._process.terminate()
            try:
                self._process.wait(_STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        _close_input(self._process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    def __repr__(self) -> str:
        return f"SandboxProcess(endpoint={self.endpoint!r}, is_running={self.is_running})"


@checked
def start_sandbox(
    *,
    servers: int = 240,
    seed: int = 7,
    speed: float = 60,
    port: int = 0,
    state: str | Path | None = None,
    profile: str | None = None,
    latency_ms: float | None = None,
    assume: Mapping[str, str] | None = None,
    start_limit_s: float = START_LIMIT_S,
) -> SandboxProcess:
    """Start a sandbox cloud on this machine, wait until it listens, and return it.

    Parameters
    ----------
    servers, seed
        The estate; the same pair gives the same one everywhere.
    speed
        Seconds of cloud time in a second; 0 stands still until it is advanced. ``set_speed`` changes it.
    port
        Port to listen on; 0 takes a free one.
    state
        Folder that keeps its world across restarts.
    profile, latency_ms
        Its rule profile, and a delay of every answer in milliseconds.
    assume
        Where the documents are silent or sites differ, what it plays: ``{"batch_calls": "no"}`` is a site without the
        batch calls.  ``sdrs-nb sandbox --help`` lists the switches.
    start_limit_s
        Seconds until it must listen.

    Raises
    ------
    SdrsError
        It ended or did not listen in time; the message holds what it said.
    """
    options = {
        "--servers": servers,
        "--seed": seed,
        "--speed": speed,
        "--port": port,
        "--state": state,
        "--profile": profile,
        "--latency": latency_ms,
    }
    chosen = [text for name, value in options.items() if value is not None for text in (name, str(value))]
    chosen += [text for name, value in (assume or {}).items() for text in ("--assume", f"{name}={value}")]
    return _start([sys.executable, "-m", "sdrs_nb.sandbox", "--stop-at-eof", *chosen], start_limit_s)


def _start(command: list[str], start_limit_s: float) -> SandboxProcess:
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints:
        process = subprocess.Popen(  # noqa: S603 - our own module, by this interpreter
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, text=True, encoding="utf-8"
        )
        try:
            return SandboxProcess(process, _facts(process, start_limit_s))
        except ValueError as error:
            process.kill()
            code = process.wait()
            _close_input(process)
            complaints.seek(0)
            said = Lines("\n  ".join(complaints.read().strip().splitlines()[-_SHOWN_LINES:]))
            raise SdrsError(
                _(
                    "The sandbox did not start ({reason}, exit code {code}). It said: {said}",
                    reason=error,
                    code=code,
                    said=said or "-",
                )
            ) from error


def _close_input(process: "subprocess.Popen[str]") -> None:
    if process.stdin is not None:
        process.stdin.close()


def _facts(process: "subprocess.Popen[str]", limit_s: float) -> dict[str, Any]:
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read, args=(process.stdout, lines), name="sdrs-nb-sandbox", daemon=True).start()
    try:
        line = lines.get(timeout=limit_s)
    except queue.Empty:
        raise ValueError(_("it did not listen within {seconds} s", seconds=limit_s)) from None
    if not line:
        raise ValueError(_("it ended"))
    facts = json.loads(line)
    if not isinstance(facts, dict) or "endpoint" not in facts:
        raise ValueError(_("it printed no endpoint"))
    return facts


def _read(stream: IO[str] | None, lines: "queue.Queue[str]") -> None:
    """Hand over the first line, then keep reading so that the process never waits for us."""
    if stream is not None:
        with stream, contextlib.suppress(ValueError):
            lines.put(stream.readline())
            for _line in stream:
                pass
