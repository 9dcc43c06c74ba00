"""Facts that nobody read but somebody vouches for: "there are no drill servers", "no server is locked".

A declared fact counts for the rules as if it had been read; who declared it stays with the inventory, and is told in
findings, plan, approval and report.  Pure: no network, no disk.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

import pandas as pd

from sdrs_nb.errors import InventoryError, Problem
from sdrs_nb.home import operator_name
from sdrs_nb.i18n import _
from sdrs_nb.inventory.headings import likely
from sdrs_nb.inventory.values import convert
from sdrs_nb.models import Declared
from sdrs_nb.tables import BOOL, INVENTORY_TABLES, empty

__all__ = ["NONE", "declare", "read_assumptions"]

#: The word that says "there is none", of a frame or of a column.
NONE = "none"


def read_assumptions(texts: Collection[str]) -> dict[str, str]:
    """Return facts given as ``fact=value``, such as ``drill_servers=none`` or ``servers.locked=false``.

    Raises
    ------
    InventoryError
        A text has no equals sign.
    """
    parts = [(text, *text.partition("=")) for text in texts]
    if wrong := [text for text, _fact, equals, _value in parts if not equals]:
        raise InventoryError(
            _("{text} declares nothing; write a fact and its value, such as drill_servers=none.", text=wrong[0])
        )
    return {fact.strip(): value.strip() for _text, fact, _equals, value in parts}


def declare(
    frames: Mapping[str, pd.DataFrame],
    loaded: Collection[str],
    unread: Mapping[str, Collection[str]],
    facts: Mapping[str, object],
    who: str | None = None,
) -> tuple[dict[str, pd.DataFrame], list[Declared]]:
    """Return the frames that change when ``facts`` are taken for true, and a record of each fact that said something.

    Parameters
    ----------
    frames
        Every frame of the inventory.
    loaded
        Frames that were read.
    unread
        Columns by frame that were not.
    facts
        ``{"drill_servers": "none"}`` for a frame, ``{"servers.locked": False}`` for a column, in which the value fills
        every gap; ``"none"`` for a column says that its gaps mean "none".
    who
        Who vouches; the user of this machine when left out.

    Raises
    ------
    InventoryError
        A fact names no frame or column, contradicts rows that were read, or its value does not fit.
    """
    problems: list[Problem] = []
    changed: dict[str, pd.DataFrame] = {}
    declared: list[Declared] = []
    by, now = operator_name() if who is None else who, datetime.now(UTC)
    for fact, given in facts.items():
        frame, _dot, column = fact.partition(".")
        is_flag = frame in INVENTORY_TABLES and INVENTORY_TABLES[frame].columns.get(column) == BOOL
        value = False if is_flag and given == NONE else given  # of a yes or no, "none" says no
        problem = _unfit(fact, value, {**frames, **changed}, loaded)
        if problem is not None:
            problems.append(Problem("assume", None, fact, problem))
        elif not column:
            if frame not in loaded:
                changed[frame] = empty(INVENTORY_TABLES[frame])
                declared.append(Declared(fact=fact, value=NONE, who=by, when=now))
        else:
            table = changed.get(frame, frames[frame])
            gaps = table[column].isna()
            if gaps.any():
                said = NONE
                if value != NONE:
                    filled, _bad = convert([value] * len(table), INVENTORY_TABLES[frame], column)
                    table, said = table.assign(**{column: table[column].where(~gaps, filled)}), str(filled[0])
                changed[frame] = table
                if value != NONE or column in unread.get(frame, ()):
                    declared.append(Declared(fact=fact, value=said, who=by, when=now))
    if problems:
        raise InventoryError(_("What was declared cannot be used."), problems)
    return changed, declared


def _unfit(fact: str, value: object, frames: Mapping[str, pd.DataFrame], loaded: Collection[str]) -> str | None:
    """Return why a fact cannot be declared, None where it can."""
    frame, _dot, column = fact.partition(".")
    if frame not in INVENTORY_TABLES or fact == "servers":
        names = ", ".join(name for name in INVENTORY_TABLES if name != "servers")
        return _("{fact} cannot be declared; name one of {frames}, or frame.column.", fact=fact, frames=names)
    return (
        _unfit_column(frame, column, value, is_loaded=frame in loaded)
        if column
        else _unfit_frame(frame, value, len(frames[frame]))
    )


def _unfit_frame(frame: str, value: object, rows: int) -> str | None:
    if value != NONE:
        return _("Of {frame} only none can be declared: that there are none.", frame=frame)
    return _("{frame} was read and has {count} rows; there are some.", frame=frame, count=rows) if rows else None


def _unfit_column(frame: str, column: str, value: object, *, is_loaded: bool) -> str | None:
    table = INVENTORY_TABLES[frame]
    if column not in table.columns or column in table.key:
        told = _("The frame {frame} has no column {column} that could be declared.", frame=frame, column=column)
        guess = likely(column, table.columns.keys() - {*table.key})
        hint = _("It looks like {likely}.", likely=guess)
        return f"{told} {hint}" if guess else told
    if not is_loaded:
        return _("{frame} was not read, so nothing can be declared of its columns; load it.", frame=frame)
    return None if value == NONE else convert([value], table, column)[1].get(0)
