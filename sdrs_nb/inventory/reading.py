"""Whatever a caller has at hand to the checked frames of an inventory: which sheet is which frame, what is missing."""

import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from sdrs_nb.errors import InventoryError, Problem
from sdrs_nb.i18n import _
from sdrs_nb.ids import canonical_documents
from sdrs_nb.intake.collecting import without_collection
from sdrs_nb.intake.files import bytes_of, read_file, read_stream, told
from sdrs_nb.intake.limits import UnreadableError
from sdrs_nb.inventory import understanding
from sdrs_nb.inventory.bounds import TooMuchError
from sdrs_nb.inventory.documents import attachments, untold
from sdrs_nb.inventory.files import Contents, contents_of_file, contents_of_folder
from sdrs_nb.inventory.headings import column_of, fold, frame_of_name, likely
from sdrs_nb.inventory.loading import FRAMES
from sdrs_nb.inventory.notes import Note, Remarks
from sdrs_nb.inventory.readers.answers import Listed
from sdrs_nb.inventory.readers.json_texts import contents_of_value
from sdrs_nb.inventory.sheets import ABOUT, DECLARED, Sheet, frame_from, unread_columns
from sdrs_nb.models import Declared
from sdrs_nb.tables import INVENTORY_TABLES, SERVERS, SOURCES, Table

__all__ = ["Found", "read"]

#: States that hold whatever rows are there: these do not make a list whole that could not be read, or only in part.
_NOT_WHOLE = frozenset({"partial", "denied", "failed"})

#: Columns that no rule reads: a gap in them decides nothing.
_SAYS_NOTHING = frozenset({"name", "hostname", "image_name"})


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
    notes: list[Note] = field(default_factory=list)


@without_collection()
def read(source: Any, name: str | None, remarks: Remarks) -> Found:
    """Return the checked frames of ``source``; InventoryError with every problem when anything is wrong."""
    problems = remarks.problems
    try:
        contents, origin = _contents(source, name, remarks)
        if any(isinstance(each, Sheet) and each.headings and not each.rows for key, each in contents if not key):
            raise InventoryError(_("There is nothing in {name}; give a file that holds servers.", name=origin))
        found = _assigned(contents, remarks)
    except UnreadableError as error:
        raise InventoryError(str(error)) from None
    except TooMuchError as error:
        sentence = _("The inventory in {origin} cannot be used.", origin=_named(source, name))
        raise InventoryError(sentence, [*problems, error.problem]) from None
    found.origin, found.notes = origin, remarks.notes
    if unused := [heading for heading in remarks.columns if fold(heading) not in remarks.used]:
        text = _("No heading is called {heading}; correct the mapping.", heading=unused[0])
        problems.append(Problem(origin, None, None, text))
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


def _contents(source: Any, name: str | None, remarks: Remarks) -> tuple[Contents, str]:
    if isinstance(source, pd.DataFrame):
        return [("", Sheet.of_frame(source, "servers"))], "DataFrame"
    if isinstance(source, Mapping) and any(isinstance(each, pd.DataFrame) for each in source.values()):
        return [(str(each), Sheet.of_frame(frame, str(each))) for each, frame in source.items()], "DataFrame"
    if isinstance(source, (Mapping, list, tuple)):
        value = dict(source) if isinstance(source, Mapping) else list(source)
        return contents_of_value(value, name or "list", remarks), name or "list"
    if isinstance(source, (str, os.PathLike)):
        return _of_path(Path(source), remarks), str(source)
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
    return contents_of_file(data, name, remarks), name


def _of_path(path: Path, remarks: Remarks) -> Contents:
    try:
        if path.is_dir():
            return contents_of_folder(path, remarks)
        return contents_of_file(read_file(path), path.name, remarks)
    except FileNotFoundError as error:
        raise InventoryError(_("There is no file or folder {path}; check the path.", path=path)) from error
    except OSError as error:
        raise InventoryError(_("{path} cannot be read: {reason}.", path=path, reason=told(error))) from error


def _assigned(contents: Contents, remarks: Remarks) -> Found:
    """Return every sheet as the frame that its name or its headings mean, every list as the cloud's."""
    found = Found()
    sheets = [(name, content) for name, content in contents if isinstance(content, Sheet)]
    lists = [content for _name, content in contents if isinstance(content, Listed)]
    said = _said(sheets, found, remarks.problems)
    taken: dict[str, str] = {}
    _take_lists(lists, found, taken, remarks)
    rest = [(name, sheet) for name, sheet in sheets if fold(name) not in {ABOUT.name, SOURCES.name, DECLARED.name}]
    ours: list[tuple[str, Sheet]] = []
    others: list[tuple[str, Sheet]] = []
    by_name = {frame_of_name(name) for name, _sheet in rest if name} | taken.keys()
    # What a name says first: a sheet that is known by its headings alone gives way to it.
    for name, sheet in sorted(rest, key=lambda each: frame_of_name(each[0]) is None):
        frame = _frame_of(name, sheet, remarks, is_alone=len(rest) == 1 and not lists)
        if frame is None or (name and frame in by_name and frame_of_name(name) is None):
            others.append((name, sheet))
        elif frame in taken:
            text = _(
                "{first} and {second} both hold {frame}; keep one.", first=taken[frame], second=sheet.where, frame=frame
            )
            remarks.problem(sheet.where, text)
        else:
            taken[frame] = sheet.where
            ours.append((frame, sheet))
    # Servers first: volumes may name them where their ids belong.
    order = list(INVENTORY_TABLES)
    for frame, sheet in sorted(ours, key=lambda each: order.index(each[0])):
        _take(found, frame, sheet, said, remarks)
    _pass_over(others, remarks, is_beside_ours=bool(taken))
    for frame, state in said.items():
        if frame not in taken and state == "loaded":
            found.states[frame] = ("missing", _("The sources say it was loaded, but it is not here."))
            found.times.pop(frame, None)
    return found


def _frame_of(name: str, sheet: Sheet, remarks: Remarks, *, is_alone: bool) -> str | None:
    """Return the frame that a sheet is, None where it is none of ours."""
    if understanding.is_our_output(sheet):
        return None
    by_name = frame_of_name(name) if name else None
    if by_name is not None and (fold(name) in INVENTORY_TABLES or sheet.is_none):
        return by_name
    if sheet.is_none and is_alone and not name:
        return "servers"
    by_headings = understanding.frame_by_headings(sheet, remarks)
    if by_name is not None:
        return by_name if by_headings in (None, by_name) else None
    if by_headings is not None:
        if name:
            remarks.note(Note(sheet.file, "guessed", sheet.name or name, before=name, after=by_headings))
        return by_headings
    return "servers" if is_alone and not (name and likely(name, INVENTORY_TABLES)) else None


def _pass_over(others: list[tuple[str, Sheet]], remarks: Remarks, *, is_beside_ours: bool) -> None:
    """Note sheets and files that are none of ours; where nothing else is there, they are problems."""
    for name, sheet in others:
        if is_beside_ours and sheet.file != "DataFrame":
            remarks.note(Note(sheet.file, "passed over", sheet.name, before=name))
        elif understanding.is_our_output(sheet):
            remarks.problem(
                sheet.where, _("This is what the tool wrote of a check, a plan or a run, not an inventory.")
            )
        else:
            remarks.problem(sheet.where, _unknown(name))


def _take_lists(lists: list[Listed], found: Found, taken: dict[str, str], remarks: Remarks) -> None:
    """Take in what the cloud answered, by the code that reads the cloud itself; pages of one list are joined."""
    by_frame: defaultdict[str, list[Listed]] = defaultdict(list)
    for each in lists:
        by_frame[each.frame].append(each)
    documents = {
        frame: canonical_documents([each for one in pages for each in one.documents if isinstance(each, dict)])
        for frame, pages in by_frame.items()
    }
    for frame, pages in by_frame.items():
        files = ", ".join(dict.fromkeys(page.file for page in pages))
        taken[frame] = files
        found.frames[frame] = FRAMES[frame](documents[frame])
        found.unread[frame] = untold(frame, documents[frame])
        found.states[frame] = _state_of(pages, len(documents[frame]))
        remarks.note(Note(files, "read as", frame, after=_("an answer of the cloud")))
        if repeated := len(documents[frame]) - len(found.frames[frame]):
            after = _("rows without an id, or that a later row repeats")
            remarks.note(Note(files, "dropped", frame, before=str(repeated), after=after))
    servers, volumes = documents.get("servers", []), documents.get("volumes", [])
    if volumes or any("os-extended-volumes:volumes_attached" in server for server in servers):
        taken["attachments"] = taken.get("servers", taken.get("volumes", ""))
        found.frames["attachments"] = attachments(servers, volumes)
        found.unread["attachments"] = frozenset()
        states = [found.states[frame][0] for frame in ("servers", "volumes") if frame in documents]
        message = (
            "" if "volumes" in documents else _("The volumes could not be read, so only what servers report is here.")
        )
        found.states["attachments"] = ("partial" if "partial" in states else "loaded", message)
    projects = {server.get("tenant_id") for server in servers}
    if len(projects) == 1 and isinstance(project := projects.pop(), str) and project:
        found.about.setdefault("project_id", project)


def _state_of(pages: list[Listed], received: int) -> tuple[str, str]:
    """Return the state of a list: partial where the answer says that there is more than was saved."""
    announced = max((page.announced for page in pages if page.announced is not None), default=received)
    if announced > received:
        return "partial", _(
            "{received} of {announced} rows are here; save every page.", received=received, announced=announced
        )
    if pages and all(page.has_more for page in pages):
        return "partial", _("The answer says that there are more pages; save them too.")
    return "loaded", ""


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


def _take(found: Found, frame: str, sheet: Sheet, said: Mapping[str, str], remarks: Remarks) -> None:
    """Take in one sheet; where ``sources`` does not say otherwise, one without a row says that there is none."""
    table = INVENTORY_TABLES[frame]
    # In the tool's own files a blank column was read and says "none", unless sources names it, and every word is the
    # cloud's; in any other file a blank column says nothing.
    is_own = found.is_own and said.get(frame) in {"loaded", "partial"}
    is_as_written = sheet.is_none or (is_own and not remarks.columns and not remarks.words)
    understood = _seen(sheet, table, remarks) if is_as_written else _understood(found, sheet, table, remarks)
    if understood is None:
        return
    sheet = understood
    checked = frame_from(sheet, table, remarks.problems)
    state, message = found.states.get(frame, ("loaded", ""))
    if checked.empty and state != "loaded" and frame != "servers":
        if state == "missing":
            # A template's empty sheet must not be taken for "there are none": rules would then say eligible.
            text = _(
                "There are headings and no row. If there really are none, say loaded beside {frame} in sources.",
                frame=frame,
            )
            found.states[frame] = (state, text)
        return
    absent, blank = unread_columns(sheet, checked, table)
    found.unread[frame] = absent | (blank & found.unread.get(frame, frozenset()) if is_own else blank)
    if untold_here := [name for name in table.required if name in found.unread[frame]]:
        remarks.note(Note(sheet.file, "not told", sheet.name, before=", ".join(untold_here)))
    found.frames[frame] = checked
    if state not in _NOT_WHOLE:
        state, message = "loaded", sheet.note or (message if state == "loaded" else "")
    found.states[frame] = (state, message)


def _seen(sheet: Sheet, table: Table, remarks: Remarks) -> Sheet:
    understanding.see(sheet, table, remarks)
    return sheet


def _understood(found: Found, sheet: Sheet, table: Table, remarks: Remarks) -> Sheet | None:
    """Return a sheet of somebody else's in our words; None where one of servers tells nothing of them."""
    sheet = _seen(understanding.named(sheet, table, remarks), table, remarks)
    if table is SERVERS and not _is_usable(sheet, remarks):
        return None
    if table.name == "volumes":
        sheet = _with_attachments(found, sheet, remarks)
    sheet = understanding.understood(sheet, table, remarks)
    _require_values(sheet, table, remarks)
    return sheet


def _is_usable(sheet: Sheet, remarks: Remarks) -> bool:
    """Tell whether a sheet of servers tells facts of them; otherwise say in one sentence what it is good for."""
    names = set(sheet.names or ())
    if understanding.is_wish_list(sheet, SERVERS) or (not names & SERVERS.columns.keys() and len(sheet.headings) <= 1):
        told_here = _(
            "This says which servers and nothing of them: use it with --servers or sdrs_nb.select, beside an inventory "
            "or the cloud."
        )
        remarks.problem(sheet.where, told_here)
        return False
    if "server_id" in names or any(likely(heading, ["server_id"]) for heading in sheet.headings):
        return True
    remarks.problem(sheet.where, _which_key(sheet), row=sheet.heading_row if sheet.headings else None)
    return False


def _which_key(sheet: Sheet) -> str:
    """Return the question that settles which column holds the servers' ids."""
    heading = understanding.likely_key(sheet) or next(iter(sheet.headings), "")
    if understanding.likely_key(sheet):
        return _(
            "Which column is the server's id: is it {heading}? Then say columns={mapping}, or --map {option}.",
            heading=heading, mapping={heading: "server_id"}, option=f"'{heading}=server_id'",
        )  # fmt: skip
    if not sheet.headings:
        return _("There is nothing in it; give a list with headings and a row a server.")
    return _(
        "Which column is the server's id? There are {headings}. Say it as in columns={mapping}, or --map {option}; "
        "a list of names alone can be used with --servers.",
        headings=", ".join(sheet.headings[:12]), mapping={heading: "server_id"}, option=f"'{heading}=server_id'",
    )  # fmt: skip


def _with_attachments(found: Found, sheet: Sheet, remarks: Remarks) -> Sheet:
    """Take in what a list of volumes says of their servers; return it without that."""
    ids: defaultdict[str, list[str]] = defaultdict(list)
    servers = found.frames.get("servers")
    if servers is not None:
        for name, server_id in zip(servers["name"].fillna(""), servers["server_id"], strict=True):
            ids[name].append(server_id)
    volumes, told_of, is_whole = understanding.of_volumes(sheet, remarks, ids)
    # A list of attachments by itself wins, as it comes later.
    if told_of is not None and "attachments" not in found.frames:
        checked = frame_from(understanding.understood(told_of, INVENTORY_TABLES["attachments"], remarks),
                             INVENTORY_TABLES["attachments"], remarks.problems)  # fmt: skip
        found.frames["attachments"] = checked
        absent, blank = unread_columns(told_of, checked, INVENTORY_TABLES["attachments"])
        found.unread["attachments"] = absent | blank
        found.states["attachments"] = ("loaded" if is_whole else "partial", "")
    return volumes


def _require_values(sheet: Sheet, table: Any, remarks: Remarks) -> None:
    """Add a problem for every formula of ours whose value nobody has worked out."""
    names = dict(zip(sheet.headings, sheet.names or sheet.headings, strict=False))
    for row, heading in sheet.empty_formulas:
        if names.get(heading) in table.columns and row in set(sheet.rows):
            text = _("This is a formula without a value; open the file in a spreadsheet, save it and read it again.")
            if names[heading] in _SAYS_NOTHING:
                remarks.note(Note(sheet.file, "not understood", sheet.name, row, heading, after=text))
            else:
                remarks.problem(sheet.where, text, row=row, column=heading)


def _unknown(name: str) -> str:
    if guess := likely(name, INVENTORY_TABLES):
        return _("There is no frame {frame}; it looks like {likely}. Rename it.", frame=name, likely=guess)
    names = ", ".join(INVENTORY_TABLES)
    return _("There is no frame {frame}; rename it to one of {frames}, or remove it.", frame=name, frames=names)
