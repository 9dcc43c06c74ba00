"""Baseline: ten rules of servers in pandera, lazily, so that every failure is kept.

The rules: S4 protected already, S7 status, S9 locked, S10 frozen, S13 bare metal, S14 local disks, S17 generation,
S20 at most 12 NICs, S28 enterprise project, S31 yearly/monthly.
"""

import json
import resource
import sys
import time
from pathlib import Path

import pandas as pd
import pandera.pandas as pa

folder = Path(json.loads(sys.argv[1])["folder"])
servers = pd.read_pickle(folder / "servers.pkl")
protected = set(pd.read_pickle(folder / "protected_instances.pkl")["source_server_id"])

LOCAL = {"d1", "d2", "d3", "d6", "d7", "i3"}
REFUSED = {"c6", "c9", "s9", "i9", "m9"}

schema = pa.DataFrameSchema(
    {
        "server_id": pa.Column(checks=pa.Check(lambda ids: ~ids.isin(protected), name="S4")),
        "status": pa.Column(checks=pa.Check.isin(["ACTIVE", "SHUTOFF"], name="S7")),
        "locked": pa.Column(checks=pa.Check.eq(False, name="S9")),
        "frozen": pa.Column(checks=pa.Check.eq(False, name="S10")),
        "tags": pa.Column(
            checks=pa.Check(lambda tags: ~tags.str.contains("__type_baremetal", regex=False), name="S13")
        ),
        "flavor_id": pa.Column(
            checks=[
                pa.Check(lambda ids: ~ids.str.partition(".")[0].isin(LOCAL), name="S14"),
                pa.Check(lambda ids: ~ids.str.partition(".")[0].isin(REFUSED), name="S17"),
            ]
        ),
        "nic_count": pa.Column(checks=pa.Check.le(12, name="S20")),
        "enterprise_project_id": pa.Column(checks=pa.Check.isin(["", "0"], name="S28")),
        "billing": pa.Column(checks=pa.Check.ne("yearly/monthly", name="S31")),
    }
)


def judge():
    """Return every failure of every rule."""
    try:
        schema.validate(servers, lazy=True)
    except pa.errors.SchemaErrors as errors:
        return errors.failure_cases
    return pd.DataFrame()


begun = time.perf_counter()
failures = judge()
seconds = time.perf_counter() - begun
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "peak_mib": peak, "findings": len(failures)}))
