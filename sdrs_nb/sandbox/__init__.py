"""A sandbox cloud: a local HTTP service that answers as Huawei Cloud SDRS and its neighbours do.

Start it as a process of its own (``python -m sdrs_nb.sandbox``) or use it in process::

    sandbox = Sandbox(servers=240, seed=7, speed=0)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app), base_url="http://sandbox")

It imports nothing from the rest of the package and shares no model with it: an independent second opinion.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .settings import PROFILES, Settings

__all__ = ["PROFILES", "Sandbox", "Settings"]


class Sandbox:
    """One sandbox cloud.

    Parameters
    ----------
    servers
        Size of the estate, 1 to 100,000.
    seed
        The same (servers, seed) give the same estate and credentials on every machine.
    speed
        Cloud seconds per wall second, up to a million; 0 = the clock moves only by `advance`.
    settings
        A `Settings`, or None for those of the profile ``huaweicloud``.
    state
        Folder that keeps the world across restarts.
    wall
        Wall time in seconds since 1970; a test passes its own clock.

    Raises
    ------
    ValueError
        `servers` or `speed` is out of range.
    """

    def __init__(
        self,
        servers: int = 240,
        seed: int = 7,
        speed: float = 60.0,
        *,
        settings: Settings | None = None,
        state: str | Path | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        # Here, not at the top: importing the package must stay cheap for those who only start the process.
        from .app import CloudApp
        from .clock import FASTEST
        from .service import CloudService

        if not 1 <= servers <= 100_000:  # noqa: PLR2004 - the front door's range
            raise ValueError(f"An estate has 1 to 100,000 servers, not {servers}.")
        if not 0 <= speed <= FASTEST:
            raise ValueError(f"A clock runs 0 to {FASTEST:,} cloud seconds a second, not {speed}.")
        folder = Path(state) if state is not None else None
        self.service = CloudService(servers, seed, speed, settings or Settings(), folder, wall)
        self.app = CloudApp(self.service)

    @property
    def credentials(self) -> dict[str, str]:
        """What a client needs to log in: the fields of the start-up line but the endpoint."""
        return self.service.directory.credentials()

    def advance(self, seconds: float) -> float:
        """Move cloud time forward by `seconds` and give the new time (seconds since 1970, UTC)."""
        return self.service.advance(seconds)

    def set_speed(self, speed: float) -> float:
        """Let cloud time run at `speed` from now on, until a restart, and give the present cloud time."""
        return self.service.set_speed(speed)

    def reset(self) -> None:
        """Go back to the start: estate, clock, request log, faults, kept state."""
        self.service.reset()

    def serve(self, host: str = "127.0.0.1", port: int = 0, announce: Callable[[str], Any] | None = None) -> None:
        """Serve until stopped; `announce` gets the endpoint, by default the one JSON line goes to standard output."""
        import gc

        from .server import announce_line, listen, serve

        # The estate lives as long as the process: keep the collector from walking its millions of objects.
        gc.freeze()
        told = {**self.credentials, "world": self.service.world_id}
        self.app.bound_to.append(host)
        serve(self.app, listen(host, port), announce or announce_line(told))
