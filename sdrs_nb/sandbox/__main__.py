"""``python -m sdrs_nb.sandbox``: start the sandbox cloud on a loopback port."""

import argparse
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace

from . import PROFILES, Sandbox, Settings
from .switches import SWITCHES, assume

_SLOWEST_MS = 3_600_000
_PORTS = 1 << 16


def parser() -> argparse.ArgumentParser:
    """Give the command line's parser."""
    made = argparse.ArgumentParser(
        prog="python -m sdrs_nb.sandbox",
        description="Start a sandbox cloud.",
        epilog="switches of --assume:\n"
        + "\n".join(f"  {name}={'|'.join(one.answers)}\n      {one.about}" for name, one in SWITCHES.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--host", default="127.0.0.1", help="address to listen on and to be called by (127.0.0.1)")
    made.add_argument("--port", type=int, default=0, help="port; 0 = let the system choose")
    made.add_argument("--servers", type=int, default=240, help="size of the estate, 1 to 100000 (240)")
    made.add_argument("--seed", type=int, default=7, help="the same seed gives the same estate (7)")
    made.add_argument("--speed", type=float, default=60.0, help="cloud seconds per wall second; 0 = by hand (60)")
    made.add_argument("--state", help="folder that keeps the world across restarts")
    made.add_argument("--profile", choices=PROFILES, default=PROFILES[0], help="which site to play")
    made.add_argument(
        "--assume", action="append", default=[], metavar="NAME=VALUE", help="play the service differently; see below"
    )
    made.add_argument("--latency", type=float, default=0.0, metavar="MS", help="milliseconds every answer takes")
    made.add_argument(
        "--stop-at-eof", action="store_true", help="stop when standard input ends, as it does when its other end dies"
    )
    made.add_argument("--rate", type=int, metavar="N", help="throttle at N requests per second")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Run the sandbox until it is stopped.

    Returns
    -------
    int
        0 after a stop, 2 for input that makes no sandbox (and one sentence on standard error).
    """
    options = parser().parse_args(argv)
    rate = 1 if options.rate is None else options.rate
    if not (0 <= options.latency <= _SLOWEST_MS and rate >= 1 and 0 <= options.port < _PORTS):
        sys.stderr.write(f"Give --latency 0 to {_SLOWEST_MS} ms, --rate 1 or more, --port 0 to {_PORTS - 1}.\n")
        return 2
    settings = replace(
        Settings.for_profile(options.profile), latency_s=options.latency / 1000, requests_per_second=options.rate
    )
    if options.stop_at_eof:
        threading.Thread(target=_stop_at_eof, name="stop-at-eof", daemon=True).start()
    from .journal import JournalMismatchError

    try:
        settings = assume(settings, options.assume)
        sandbox = Sandbox(
            servers=options.servers, seed=options.seed, speed=options.speed, settings=settings, state=options.state
        )
        sandbox.serve(options.host, options.port)
    except (ValueError, OSError, JournalMismatchError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        return 0
    return 0


def _stop_at_eof() -> None:
    # The descriptor itself: a reader that sits in sys.stdin at the end would hold up the interpreter's own closing.
    # A process that has none any more is as good as at its end.
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
