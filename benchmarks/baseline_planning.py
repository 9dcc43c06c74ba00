"""Baseline: a plain first-fit loop over servers grouped by protection group, request bodies as JSON; nothing proved.

A server is taken when its status, VPC and AZ fit an open group and it has no instance; servers that share a volume go
into one batch.
"""

import json
import resource
import sys
import time
from collections import defaultdict
from pathlib import Path

import pandas as pd

LIMIT = 5
folder = Path(json.loads(sys.argv[1])["folder"])
servers, attachments, groups, instances = (
    pd.read_pickle(folder / f"{name}.pkl") for name in ("servers", "attachments", "groups", "protected_instances")
)


def find(parent, server):
    """Return the root of a server's cluster."""
    while parent[server] != server:
        parent[server] = parent[parent[server]]
        server = parent[server]
    return server


def chosen():
    """Return the group of every server that is taken, and the parent of every server in its cluster."""
    protected = set(instances["source_server_id"])
    homes = {}
    for row in groups.itertuples():
        if row.status in ("available", "protected"):
            homes.setdefault((row.vpc_id, row.production_az), row.group_id)
    home = {
        row.server_id: homes[row.vpc_id, row.az]
        for row in servers.itertuples()
        if row.status in ("ACTIVE", "SHUTOFF") and row.server_id not in protected and (row.vpc_id, row.az) in homes
    }
    parent, owner = {server: server for server in servers["server_id"]}, {}
    for row in attachments.itertuples():
        first = owner.setdefault(row.volume_id, row.server_id)
        if first != row.server_id:
            parent[find(parent, row.server_id)] = find(parent, first)
    return home, parent


def packed(units):
    """Return batches, each unit in the first one that has room."""
    batches, open_batches = [], []
    for members in sorted(units, key=len, reverse=True):
        batch = next((each for each in open_batches if len(each) + len(members) <= LIMIT), None)
        if batch is None:
            batch = []
            batches.append(batch)
            open_batches.append(batch)
        batch.extend(members)
        open_batches = [each for each in open_batches[-50:] if len(each) < LIMIT]
    return batches


def plan():
    """Return the bodies of all requests."""
    home, parent = chosen()
    clusters = defaultdict(list)
    for server in home:
        clusters[find(parent, server)].append(server)
    by_group = defaultdict(list)
    for members in clusters.values():
        if len(members) <= LIMIT:
            by_group[home[members[0]]].append(members)
    bodies = []
    for group, units in by_group.items():
        for batch in packed(units):
            shared = {"name_prefix": f"erp-{len(bodies) + 1:03d}", "server_group_id": group}
            body = {**shared, "servers": [{"server_id": server} for server in batch]}
            bodies.append(json.dumps({"protected_instances": body}).encode())
    return bodies


begun = time.perf_counter()
made = plan()
seconds = time.perf_counter() - begun
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "peak_mib": peak, "requests": len(made)}))
