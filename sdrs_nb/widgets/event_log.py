"""What happened in a run, each event in words, the newest first."""

import json

import pandas as pd

from sdrs_nb.i18n import _
from sdrs_nb.ledger.ledger import GOING_ON, WAITING
from sdrs_nb.models import Wait
from sdrs_nb.shown.cells import clipped
from sdrs_nb.widgets.grid import Grid

__all__ = ["event_frame", "event_grid"]

_COLUMNS = {
    "event_id": "string",
    "at": "datetime64[ns, UTC]",
    "batch_id": "string",
    "what": "string",
    "about": "string",
}
_MOST = 2000  # newest events shown; the report's event file holds all


def event_grid() -> Grid:
    """Return an empty grid for ``event_frame``."""
    return Grid(
        event_frame(pd.DataFrame(columns=["event_id", "at", "kind", "batch_id", "data"])),
        "event_id",
        visible=("at", "batch_id", "what", "about"),
        labels={"event_id": _("No."), "at": _("When (UTC)"), "batch_id": _("Batch"), "what": _("What"),
                "about": _("More")},
        title=_("Event log"),
        height=240,
    )  # fmt: skip


def event_frame(events: pd.DataFrame) -> pd.DataFrame:
    """Return the newest of ``Run.events`` in words, newest first."""
    words = _words()
    newest = events.iloc[::-1].head(_MOST)
    rows = [
        (
            str(one.event_id),
            one.at,
            one.batch_id,
            words.get(str(one.kind), str(one.kind)),
            str(Wait.model_validate_json(str(one.data))) if one.kind == WAITING else _about(one.data),
        )
        for one in newest.itertuples()
    ]
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)


def _about(data: object) -> str:
    told = json.loads(str(data)) if data else {}
    return clipped("; ".join(f"{name}: {value}" for name, value in told.items() if value not in (None, "", [])))


def _words() -> dict[str, str]:
    return {
        "run recorded": _("run recorded"),
        "run running": _("sending and following"),
        "run paused": _("run paused"),
        "run done": _("run done"),
        "control go": _("told to go on"),
        "control stop": _("told to stop after this batch"),
        "control pause": _("told to pause"),
        "released": _("given up before it was sent"),
        "assumption contradicted": _("this cloud does otherwise than was assumed"),
        "intent": _("about to send"),
        "answer accepted": _("accepted, job started"),
        "answer refused": _("refused"),
        "answer not handled": _("not handled, may be sent again"),
        "answer uncertain": _("answer lost"),
        "answer adopted": _("found in the cloud, taken over"),
        "answer absent": _("proved not to exist"),
        "batch pending": _("batch waits"),
        "batch accepted": _("job under way"),
        "batch ended": _("batch ended"),
        "batch refused": _("batch refused"),
        "batch held": _("batch held back"),
        "batch uncertain": _("fate of the batch in doubt"),
        "batch unknown": _("fate of the batch unknown"),
        "look": _("looked at the job"),
        "servers": _("stages of servers"),
        "trying again": _("trying again"),
        WAITING: _("calls are held back"),
        GOING_ON: _("calls leave again"),
        "look failed": _("look at the job failed"),
        "list failed": _("list could not be read"),
        "action intent": _("about to change a group"),
    }
