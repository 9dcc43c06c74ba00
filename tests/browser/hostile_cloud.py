"""A sandbox process in which every text that a person can choose is hostile.

Started as ``python -m tests.browser.hostile_cloud``; prints what ``python -m sdrs_nb.sandbox`` prints.
"""

from dataclasses import replace
from itertools import cycle

from sdrs_nb.sandbox import Sandbox

#: Markup, script, formula, text that turns round, and a text of 10,000 characters without a blank.
HOSTILE = (
    '<img class="hostile" src="http://evil.example/x.png" onerror="window.hostile=1">',
    '</style></script><script class="hostile">window.hostile = 1; alert(1)</script>',
    '=HYPERLINK("http://evil.example/","open")',
    "invoice\u202egnp.exe\u2066\u200b\u0000 \U0001f4a5'\"`${7*7}{{7*7}}",
    '"><b class="hostile">' + "W" * 10_000,
)


def hostile_sandbox(servers: int = 60, seed: int = 3, speed: float = 120) -> Sandbox:
    """Return a sandbox whose names, tags, descriptions, images and projects are hostile, in turns."""
    sandbox = Sandbox(servers=servers, seed=seed, speed=speed)
    world, texts = sandbox.service.world, cycle(HOSTILE)
    for number, server in enumerate(world.servers.values()):
        # Every field has every text in some row: one cycle for all would give each field always the same.
        server.name, server.image_name, server.hostname, key, value = (
            HOSTILE[(number + field) % len(HOSTILE)] for field in range(5)
        )
        server.tags, server.document = (f"{key}={value}",), None
    for volume in world.volumes.values():
        volume.name, volume.document = next(texts), None
    for named in (*world.vpcs.values(), *world.subnets.values(), *world.scaling_groups.values()):
        named.name = next(texts)
    for group in world.groups.values():
        group.name, group.description = next(texts), next(texts)
    for held in (world.domains, world.enterprise_projects, world.hosts, world.pools, world.server_groups):
        for key, record in held.items():
            held[key] = replace(record, name=next(texts))
    return sandbox


if __name__ == "__main__":
    hostile_sandbox().serve()
