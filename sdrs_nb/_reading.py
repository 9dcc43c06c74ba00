"""DataFrames, files and folders to checked frames (files: under way)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pandas as pd

from sdrs_nb._headings import likely
from sdrs_nb._sheets import Sheet, frame_from
from sdrs_nb.errors import InventoryError, Problem
from sdrs_nb.i18n import _
from sdrs_nb.tables import INVENTORY_TABLES


@dataclass
class Found:
    """What a source held."""

    frames: dict[str, pd.DataFrame]
    states: dict[str, tuple[str, str]] = field(default_factory=dict)
    times: dict[str, datetime] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    origin: str = ""


def read(source: Any, name: str | None) -> Found:
    """Return the checked frames of ``source``."""
    if isinstance(source, pd.DataFrame):
        source = {"servers": source}
    if not isinstance(source, Mapping):
        raise InventoryError(_("Only DataFrames can be read so far."))
    problems: list[Problem] = []
    frames = {}
    for each, frame in source.items():
        if each not in INVENTORY_TABLES:
            guess = likely(each, INVENTORY_TABLES) or ", ".join(INVENTORY_TABLES)
            problems.append(
                Problem(each, None, None, _("There is no such frame; did you mean {likely}?", likely=guess))
            )
            continue
        frames[each] = frame_from(Sheet.of_frame(frame, each), INVENTORY_TABLES[each], problems)
    if problems:
        raise InventoryError(_("The inventory cannot be used."), problems)
    return Found(frames, dict.fromkeys(frames, ("loaded", "")), origin="DataFrame")
