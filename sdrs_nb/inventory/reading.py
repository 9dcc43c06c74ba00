"""Whatever a caller has at hand to the checked frames of an inventory: which sheet is which frame, what is missing."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from sdrs_nb.errors import InventoryError, Problem
from sdrs_nb.i18n import _
from sdrs_nb.intake.collecting import without_collection
from sdrs_nb.intake.files import bytes_of, read_file, read_stream, told
from sdrs_nb.intake.limits import UnreadableError
from sdrs_nb.inventory.bounds import TooMuchError
from sdrs_nb.inventory.files import sheets_of_file, sheets_of_folder
from sdrs_nb.inventory.headings import column_of, fold, frame_of_name, likely
from sdrs_nb.inventory.sheets import ABOUT, DECLARED, Sheet, frame_from, unread_columns
from sdrs_nb.models import Declared
from sdrs_nb.tables import INVENTORY_TABLES, SERVERS, SOURCES

__all__ = ["Found", "read"]

#: States that hold whatever rows are there: these do not make a list whole that could not be read, or only in part.
_NOT_WHOLE = frozenset({"partial", "denied", "failed"})


@dataclass
class Found:
    """What a source held: frames, the state and message of each frame, when it was read, and whose it is.

    ``unread``: columns by frame that the source does not tell; ``is_own``: ``sources`` says which columns were read.
    """

    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    unread: dict[str, frozenset[str]] = field(default_factory=dict)
    is_own: bool = False
    declared: list[Declared] = field(default_factory=list)
    states: dict[str, tuple[str, str]] = field(default_factory=dict)
    times: dict[str, datetime] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    origin: str = ""


@without_collection()
def read(source: Any, name: str | None) -> Found:
    """Return the checked frames of ``source``; InventoryError with every problem when anything is wrong."""
    problems: list[Problem] = []
    try:
        sheets, origin = _sheets(source, name, problems)
        found = _assigned(sheets, problems)
    except UnreadableError as error:
        raise InventoryError(str(error)) from None
    except TooMuchError as error:
        sentence = _("The inventory in {origin} cannot be used.", origin=_named(source, name))
        raise InventoryError(sentence, [*problems, error.problem]) from None
    found.origin = origin
    if not found.frames and not problems:
        raise InventoryError(
            _("There is nothing to read in {origin}; give at least a frame of servers.", origin=origin)
        )
    if "servers" not in found.frames and "servers" not in found.states and not problems:
        problems.append(Problem(origin, None, None, _("There are no servers; add a sheet or file called servers.")))
    if problems:
        raise InventoryError(_("The inventory in {origin} cannot be used.", origin=origin), problems)
    return found


def _named(source: Any, name: str | None) -> str:
    return str(source) if isinstance(source, (str, os.PathLike)) else name or "DataFrame"


def _sheets(source: Any, name: str | None, problems: list[Problem]) -> tuple[list[tuple[str, Sheet]], str]:
    if isinstance(source, pd.DataFrame):
        return [("servers", Sheet.of_frame(source, "servers"))], "DataFrame"
    if isinstance(source, Mapping):
        return [(str(each), Sheet.of_frame(frame, str(each))) for each, frame in source.items()], "DataFrame"
    if isinstance(source, (str, os.PathLike)):
        return _of_path(Path(source), problems), str(source)
    if not isinstance(source, (bytes, bytearray, memoryview)) and not callable(getattr(source, "read", None)):
        raise InventoryError(
            _(
                "{kind} is nothing that can be read; give a path, bytes or an open binary file with its name, a "
                "DataFrame, or a mapping of frame names to DataFrames.",
                kind=type(source).__name__,
            )
        )
    if name is None:
        raise InventoryError(_('Give the file\'s name with its bytes, such as name="servers.csv".'))
    try:
        data = bytes_of(source, name) if hasattr(source, "__len__") else read_stream(source, name)
    except OSError as error:
        raise InventoryError(_("{path} cannot be read: {reason}.", path=name, reason=told(error))) from error
    return sheets_of_file(data, name, problems), name


def _of_path(path: Path, problems: list[Problem]) -> list[tuple[str, Sheet]]:
    try:
        if path.is_dir():
            return sheets_of_folder(path, problems)
        return sheets_of_file(read_file(path), path.name, problems)
    except FileNotFoundError as error:
        raise InventoryError(_("There is no file or folder {path}; check the path.", path=path)) from error
    except OSError as error:
        raise InventoryError(_("{path} cannot be read: {reason}.", path=path, reason=told(error))) from error


def _assigned(sheets: list[tuple[str, Sheet]], problems: list[Problem]) -> Found:
    """Return every sheet as the frame its name means."""
    found = Found()
    said = _said(sheets, found, problems)
    taken: dict[str, str] = {}
    rest = [(name, sheet) for name, sheet in sheets if fold(name) not in {ABOUT.name, SOURCES.name, DECLARED.name}]
    for name, sheet in rest:
        frame = frame_of_name(name) if name else "servers"
        if frame is None and len(rest) == 1 and _lists_servers(sheet) and not likely(name, INVENTORY_TABLES):
            frame = "servers"
        if frame is None:
            problems.append(Problem(sheet.where, None, None, _unknown(name)))
        elif frame in taken:
            told = _(
                "{first} and {second} both hold {frame}; keep one.", first=taken[frame], second=sheet.where, frame=frame
            )
            problems.append(Problem(sheet.where, None, None, told))
        else:
            taken[frame] = sheet.where
            _take(found, frame, sheet, said, problems)
    for frame, state in said.items():
        if frame not in taken and state == "loaded":
            found.states[frame] = ("missing", _("The sources say it was loaded, but it is not here."))
            found.times.pop(frame, None)
    return found


def _said(sheets: list[tuple[str, Sheet]], found: Found, problems: list[Problem]) -> dict[str, str]:
    """Take in what the sheets ``sources`` and ``about`` say; return the state that they tell of each frame."""
    said: dict[str, str] = {}
    for name, sheet in sheets:
        if fold(name) == SOURCES.name:
            told = frame_from(sheet, SOURCES, problems)
            found.is_own |= any(column_of(heading, SOURCES) == "unread" for heading in sheet.headings)
            for frame, state, when, message, unread in zip(
                *(told[name] for name in ("frame", "state", "loaded_at", "message", "unread")), strict=True
            ):
                if isinstance(frame, str) and frame in INVENTORY_TABLES and isinstance(state, str):
                    said[frame] = state
                    found.unread[frame] = frozenset(
                        unread.replace(" ", "").split(",") if isinstance(unread, str) else ()
                    )
                    found.states[frame] = (state, message if isinstance(message, str) else "")
                    if isinstance(when, pd.Timestamp):
                        found.times[frame] = when
        elif fold(name) == DECLARED.name:
            given = frame_from(sheet, DECLARED, problems).dropna(subset=["fact", "value", "when"])
            found.declared = [
                Declared(fact=fact, value=value, who=who if isinstance(who, str) else "", when=when.to_pydatetime())
                for fact, value, who, when in zip(*(given[each] for each in DECLARED.columns), strict=True)
            ]
        elif fold(name) == ABOUT.name:
            about = frame_from(sheet, ABOUT, problems).head(1)
            found.about = {
                each: about[each].iloc[0] for each in ABOUT.columns if about[each].notna().all() and len(about)
            }
            if "loaded_at" in found.about:
                found.about["loaded_at"] = found.about["loaded_at"].floor("us").to_pydatetime()
    # Files written before ``sources`` had a column "unread": what was read from a cloud was read in every column.
    found.is_own |= bool(said) and str(found.about.get("origin", "")).startswith(("http://", "https://"))
    return said


def _take(found: Found, frame: str, sheet: Sheet, said: Mapping[str, str], problems: list[Problem]) -> None:
    """Take in one sheet; where ``sources`` does not say otherwise, one without a row says that there is none."""
    table = INVENTORY_TABLES[frame]
    checked = frame_from(sheet, table, problems)
    state, message = found.states.get(frame, ("loaded", ""))
    if checked.empty and state != "loaded" and frame != "servers":
        if state == "missing":
            # A template's empty sheet must not be taken for "there are none": rules would then say eligible.
            told = _(
                "There are headings and no row. If there really are none, say loaded beside {frame} in sources.",
                frame=frame,
            )
            found.states[frame] = (state, told)
        return
    absent, blank = unread_columns(sheet, checked, table)
    # In the tool's own files a blank column was read and says "none", unless sources names it; in any other file it
    # says nothing.
    is_own = found.is_own and said.get(frame) in {"loaded", "partial"}
    found.unread[frame] = absent | (blank & found.unread.get(frame, frozenset()) if is_own else blank)
    found.frames[frame] = checked
    if state not in _NOT_WHOLE:
        state, message = "loaded", sheet.note or (message if state == "loaded" else "")
    found.states[frame] = (state, message)


def _lists_servers(sheet: Sheet) -> bool:
    return any(column_of(heading, SERVERS) == "server_id" for heading in sheet.headings)


def _unknown(name: str) -> str:
    if guess := likely(name, INVENTORY_TABLES):
        return _("There is no frame {frame}; it looks like {likely}. Rename it.", frame=name, likely=guess)
    names = ", ".join(INVENTORY_TABLES)
    return _("There is no frame {frame}; rename it to one of {frames}, or remove it.", frame=name, frames=names)
