"""Baseline: a bare numpy/pandas/scipy pass over five core rules, nothing explained.

Rules: status, already protected, VPC and AZ have a usable group, encrypted volume, shared volumes whole (components).
"""

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

folder = Path(json.loads(sys.argv[1])["folder"])
servers, volumes, attachments, groups, instances = (
    pd.read_pickle(folder / f"{name}.pkl")
    for name in ("servers", "volumes", "attachments", "groups", "protected_instances")
)


def judge():
    """Return which servers the five rules let through."""
    ok = servers["status"].isin(["ACTIVE", "SHUTOFF"]).to_numpy().copy()
    ok &= ~servers["server_id"].isin(instances["source_server_id"]).to_numpy()
    open_groups = groups.loc[groups["status"].isin(["available", "protected"]), ["vpc_id", "production_az"]]
    places = servers[["vpc_id", "az"]].merge(
        open_groups.drop_duplicates(), how="left", left_on=["vpc_id", "az"], right_on=["vpc_id", "production_az"]
    )
    ok &= places["production_az"].notna().to_numpy()
    server_at = pd.Index(servers["server_id"]).get_indexer(attachments["server_id"])
    volume_at = pd.Index(volumes["volume_id"]).get_indexer(attachments["volume_id"])
    hidden = volumes["encrypted"].to_numpy()[volume_at]
    bad = np.bincount(server_at, weights=hidden, minlength=len(servers)) > 0
    ok &= ~bad
    size = len(servers) + len(volumes)
    links = coo_matrix((np.ones(len(server_at)), (server_at, volume_at + len(servers))), shape=(size, size))
    _, component = connected_components(links, directed=False)
    component = component[: len(servers)]
    spoiled = np.bincount(component, weights=~ok) > 0
    return ok & ~spoiled[component]


begun = time.perf_counter()
kept = judge()
seconds = time.perf_counter() - begun
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "peak_mib": peak, "kept": int(kept.sum())}))
