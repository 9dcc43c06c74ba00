"""Ours: every rule for every server of an estate, every finding kept."""

import json
import sys
from pathlib import Path

import pandas as pd

import sdrs_nb
from benchmarks.figures import measured

folder = Path(json.loads(sys.argv[1])["folder"])
inventory = sdrs_nb.read_inventory({path.stem: pd.read_pickle(path) for path in sorted(folder.glob("*.pkl"))})
check = sdrs_nb.check_eligibility  # imported here, as the baseline imports scipy
eligibility = measured(lambda: check(inventory))
assert len(eligibility.verdicts) == len(inventory.servers)
