"""Ours: load the whole inventory of a project into frames."""

import json
import sys

import sdrs_nb
from benchmarks.figures import measured
from sdrs_nb import loop


async def load() -> sdrs_nb.Inventory:
    """Connect and load everything."""
    found = json.loads(sys.argv[1])
    keys = {name: found[name] for name in ("endpoint", "project_id", "access_key", "secret_key")}
    async with sdrs_nb.connect(**keys, sandbox=True) as cloud:
        return await sdrs_nb.load_inventory(cloud)


measured(lambda: loop.wait(load()))
