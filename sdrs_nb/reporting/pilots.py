"""The section of a report about the run's pilot batch."""

from typing import Any

from sdrs_nb.running.pilots_html import pilot_rows, pilot_sentences, pilot_tone
from sdrs_nb.running.runs import Run

__all__ = ["pilot_section"]


def pilot_section(run: Run) -> dict[str, Any] | None:
    """Return what a report shows of the pilot: ``tone``, ``sentences``, ``rows``; None where the run has none."""
    pilot = run.pilot
    if pilot is None:
        return None
    table = run.pilot_table
    rows = pilot_rows(table).fillna("").assign(code=table["result"])
    return {"tone": pilot_tone(pilot), "sentences": pilot_sentences(pilot), "rows": rows.to_dict("records")}
