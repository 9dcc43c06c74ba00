"""Ours: the report of a run of so many servers, a fifth as many left out, with all files beside it (``html_mb``)."""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import sdrs_nb
from sdrs_nb.ledger.ledger import Ledger
from tests.builders_reporting import a_recorded_run

size = json.loads(sys.argv[1])["size"]
with tempfile.TemporaryDirectory() as folder:
    run = a_recorded_run(Ledger(Path(folder) / "ledger.db"), servers=size, blocked=size // 5, failing={7})
    begun = time.perf_counter()
    page = sdrs_nb.report(run, Path(folder) / "report.html")
    seconds = time.perf_counter() - begun
    html_mb = page.stat().st_size / 1e6
peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "peak_mib": peak_mib, "html_mb": round(html_mb, 2)}))
