"""A sheet as a person, a console or a tool wrote it to the same sheet in our words; every step is noted.

What the person says (``columns=``, ``words=``) wins; then come exact headings, then aliases.  What cannot be told is
left unread and noted, never guessed: a rule that needs it is then unverified.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from math import isnan
from typing import Any

import numpy as np
import pandas as pd

from sdrs_nb.i18n import _
from sdrs_nb.ids import canonical
from sdrs_nb.inventory.headings import column_of, fold, likely, part_of
from sdrs_nb.inventory.notes import Heading, Note, Remarks
from sdrs_nb.inventory.parts import PARTED, attached
from sdrs_nb.inventory.sheets import Sheet, as_text, is_blank
from sdrs_nb.inventory.words import UNREADABLE, is_total, reader_of
from sdrs_nb.tables import ATTACHMENTS, INVENTORY_TABLES, Table

__all__ = [
    "frame_by_headings", "is_our_output", "is_wish_list", "likely_key", "named", "of_volumes", "see", "understood",
]  # fmt: skip

_UUID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
#: What tells servers apart and nothing of them.
_WISHES = frozenset({"server_id", "name", "hostname", "private_ips", "tags", "enterprise_project_id"})
#: Columns of frames that this tool writes and that are no inventory.
_OUTPUT = (
    frozenset({"verdict", "blockers"}), frozenset({"rule", "severity"}), frozenset({"stage", "batch_id"}),
    frozenset({"verdict", "rules", "reason"}), frozenset({"batch_id", "server_ids"}),
    frozenset({"fact", "alone", "together"}),
)  # fmt: skip
_EXAMPLES = 50
#: Examples of a heading that are kept.
_SHOWN = 3
#: Headings that make a frame likely, and columns that make a row under it a remark: one may be chance.
_ENOUGH = 2


def named(sheet: Sheet, table: Table, remarks: Remarks) -> Sheet:
    """Return the sheet with the column that each heading means; what is no column of ours keeps its heading."""
    said = {fold(heading): column for heading, column in remarks.columns.items() if column}
    left_out = {fold(heading) for heading, column in remarks.columns.items() if not column}
    sheet = _without(sheet, left_out, table, remarks)
    names: list[str] = []
    exact = {fold(heading) for heading in sheet.headings} & table.columns.keys()
    exact |= {said[fold(heading)] for heading in sheet.headings if fold(heading) in said}
    taken: set[str] = set()
    for heading in sheet.headings:
        folded = fold(heading)
        name = heading
        if folded in said and said[folded] in table.columns:
            name = said[folded]
            remarks.used.add(folded)
            remarks.note(Note(sheet.file, "mapped", sheet.name, sheet.heading_row, heading, heading, name))
        elif folded in table.columns:
            name = folded if folded not in said.values() or folded not in taken else heading
        elif (found := column_of(heading, table)) and found not in exact and found not in taken:
            name = found
            remarks.note(Note(sheet.file, "guessed", sheet.name, sheet.heading_row, heading, heading, name))
        elif heading and part_of(heading) is None:
            # Offered for mapping: it stays as a column of its own.
            guess = likely(heading, table.columns.keys() - exact) or ""
            remarks.note(Note(sheet.file, "kept", sheet.name, sheet.heading_row, heading, heading, guess))
        taken.add(name)
        names.append(name)
    return replace(sheet, names=names)


def _without(sheet: Sheet, left_out: set[str], table: Table, remarks: Remarks) -> Sheet:
    """Return the sheet without the headings that the person leaves out."""
    keep = [at for at, heading in enumerate(sheet.headings) if fold(heading) not in left_out]
    for at in {*range(len(sheet.headings))} - {*keep}:
        heading = sheet.headings[at]
        remarks.used.add(fold(heading))
        remarks.note(Note(sheet.file, "passed over", sheet.name, sheet.heading_row, heading, heading))
        remarks.see(_heading(sheet, at, table, (), "passed over"))
    headings, columns = ([each[at] for at in keep] for each in (sheet.headings, sheet.columns))
    return replace(sheet, headings=headings, columns=columns) if len(keep) < len(sheet.headings) else sheet


def see(sheet: Sheet, table: Table, remarks: Remarks) -> None:
    """Keep what each heading of a sheet was taken for, with examples of what stands under it."""
    said = {fold(heading) for heading in remarks.columns}
    names = sheet.names or [column_of(heading, table) or heading for heading in sheet.headings]
    for at, (heading, name) in enumerate(zip(sheet.headings, names, strict=True)):
        if name not in table.columns:
            remarks.see(_heading(sheet, at, table, (), "kept"))
        else:
            found = "mapped" if fold(heading) in said else "" if fold(heading) == name else "guessed"
            remarks.see(_heading(sheet, at, table, (name,), found))


def _heading(sheet: Sheet, at: int, table: Table, columns: tuple[str, ...], what: str) -> Heading:
    values = list(sheet.columns[at][:_EXAMPLES])
    texts = dict.fromkeys(text for value in values if not _is_nothing(value) and (text := str(value).strip()))
    examples = tuple(text[:60] for text in list(texts)[:_SHOWN])
    return Heading(sheet.file, sheet.name, table.name, sheet.headings[at], examples, columns, what)


def frame_by_headings(sheet: Sheet, remarks: Remarks) -> str | None:
    """Return the frame that most headings fit and whose rows have an id here; None where none does."""
    said = {fold(heading): column for heading, column in remarks.columns.items()}
    points: dict[str, int] = {}
    is_of_servers = False
    for name, table in INVENTORY_TABLES.items():
        found = {
            said.get(fold(heading), column_of(heading, table)) for heading in sheet.headings
        } & table.columns.keys()
        parts = {part_of(heading) for heading in sheet.headings} - {None}
        points[name] = len(found) + (
            len(parts) if name == "servers" else int("attached_to" in parts) * (name == "volumes")
        )
        if name == "servers":
            is_of_servers = "server_id" in found
        elif not set(table.key) <= found:
            points[name] = 0
    # Of equals the servers: their lists name a VPC, an AZ, a flavor, whose ids are keys elsewhere.
    best = max(points, key=lambda name: points[name])
    if points[best] < _ENOUGH or (best == "servers" and not is_of_servers):
        return None
    return best


def is_our_output(sheet: Sheet) -> bool:
    """Tell whether a sheet is one that this tool wrote of a check, a plan or a run."""
    headings = {fold(heading) for heading in sheet.headings}
    return any(columns <= headings for columns in _OUTPUT)


def is_wish_list(sheet: Sheet, table: Table) -> bool:
    """Tell whether a sheet says which servers and nothing of them."""
    known = {name for name in sheet.names or () if name in table.columns}
    return bool(known) and known <= _WISHES and not any(part_of(heading) for heading in sheet.headings)


def likely_key(sheet: Sheet) -> str | None:
    """Return the heading under which ids stand, None where no column or several hold ids."""
    found = []
    for heading, values in zip(sheet.headings, sheet.columns, strict=True):
        texts = [str(value).strip() for value in list(values)[:_EXAMPLES] if not _is_nothing(value)]
        if texts and all(map(_UUID.fullmatch, texts)) and len(set(texts)) == len(texts):
            found.append(heading)
    return found[0] if len(found) == 1 else None


def _is_nothing(value: Any) -> bool:
    return is_blank(value) or value is pd.NA or value is pd.NaT or (isinstance(value, float) and isnan(value))


def understood(sheet: Sheet, table: Table, remarks: Remarks) -> Sheet:
    """Return the named sheet with cells taken apart, words read, and rows dropped that are none."""
    sheet = _with_parts(sheet, table, remarks)
    columns = list(sheet.columns)
    names = list(sheet.names or sheet.headings)
    for at, name in enumerate(names):
        if name in table.columns:
            columns[at] = _read(sheet, at, table, name, remarks)
    return _without_rows(replace(sheet, columns=columns), table, remarks)


def _first_rows(texts: Collection[str], values: Iterable[Any], rows: Iterable[int]) -> dict[str, int]:
    """Return the row in which each text stands first, as they come; stops once all are found."""
    firsts: dict[str, int] = {}
    for row, value in zip(rows, values, strict=True):
        if value.__class__ is str and value in texts and value not in firsts:
            firsts[value] = row
            if len(firsts) == len(texts):
                break
    return firsts


def _read(sheet: Sheet, at: int, table: Table, name: str, remarks: Remarks) -> Any:
    values = sheet.columns[at]
    said = remarks.words.get(name, {}) or remarks.words.get(sheet.headings[at], {})
    reader = reader_of(table, name, said)
    if reader is None or (isinstance(values, pd.Series) and not _may_hold_texts(values)):
        return values
    given = values.tolist() if isinstance(values, pd.Series) else values
    changed: dict[str, Any] = {}
    for text in {value for value in given if value.__class__ is str}:
        result = reader(text)
        if result is not text and result != text and text.strip():
            changed[text] = result
    if not changed:
        return values
    for text, row in _first_rows(changed, given, sheet.rows).items():
        result = changed[text]
        what = "not understood" if result is UNREADABLE else "changed"
        after = "" if result is None or result is UNREADABLE else str(result)
        if after != text.strip():
            remarks.note(Note(sheet.file, what, sheet.name, row, sheet.headings[at], text.strip()[:60], after))
    plain = {text: None if result is UNREADABLE else result for text, result in changed.items()}
    return [plain[value] if value.__class__ is str and value in plain else value for value in given]


def _may_hold_texts(values: "pd.Series[Any]") -> bool:
    return not (pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_datetime64_any_dtype(values.dtype))


def _with_parts(sheet: Sheet, table: Table, remarks: Remarks) -> Sheet:
    """Add the columns that cells with several facts give, where the sheet does not have them by themselves."""
    headings, columns, names = list(sheet.headings), list(sheet.columns), list(sheet.names or sheet.headings)
    for at, heading in enumerate(sheet.headings):
        part = part_of(heading)
        if names[at] in table.columns or part is None or part not in PARTED:
            continue
        cells = [{} if _is_nothing(value) else PARTED[part](value) for value in sheet.columns[at]]
        given = dict.fromkeys(column for cell in cells for column in cell)
        for column in given:
            if column in table.columns and column not in names:
                headings.append(heading)
                names.append(column)
                columns.append([cell.get(column) for cell in cells])
                remarks.took(Note(sheet.file, "guessed", sheet.name, sheet.heading_row, heading, heading, column))
        if not given and any(not _is_nothing(value) for value in sheet.columns[at]):
            told = _("no id in it")
            remarks.note(Note(sheet.file, "not understood", sheet.name, sheet.heading_row, heading, heading, told))
    return replace(sheet, headings=headings, columns=columns, names=names)


def _without_rows(sheet: Sheet, table: Table, remarks: Remarks) -> Sheet:
    """Drop rows that sum a table up and rows that repeat an earlier one cell by cell; both are noted."""
    names = list(sheet.names or sheet.headings)
    places = [names.index(key) for key in table.key if key in names]
    if not table.key or len(places) != len(table.key) or not len(sheet.rows):
        return sheet
    keys = [_texts(sheet.columns[place]) for place in places]
    dropped = _totals(sheet, keys[0], remarks)
    seen: dict[tuple[str, ...], int] = {}
    spelt = [canonical(text, table.key[0]) if text else "" for text in keys[0]]
    for at, key in enumerate(zip(spelt, *keys[1:], strict=True)):
        if at in dropped or not all(key):
            continue
        first = seen.setdefault(key, at)
        if first != at and _same(sheet, first, at, set(places)):
            dropped.add(at)
            after = _("the same as row {row}", row=sheet.rows[first])
            heading = sheet.headings[places[0]]
            remarks.note(Note(sheet.file, "dropped", sheet.name, sheet.rows[at], heading, key[0][:60], after))
    if not dropped:
        return sheet
    keep = np.array([at for at in range(len(sheet.rows)) if at not in dropped], dtype=np.intp)
    columns = [
        values.iloc[keep].reset_index(drop=True) if isinstance(values, pd.Series) else [values[at] for at in keep]
        for values in sheet.columns
    ]
    return replace(sheet, columns=columns, rows=[sheet.rows[at] for at in keep])


def _texts(values: Any) -> list[str]:
    given = values.tolist() if isinstance(values, pd.Series) else values
    return [value if value.__class__ is str else "" if _is_nothing(value) else str(value) for value in given]


def _totals(sheet: Sheet, keys: Sequence[str], remarks: Remarks) -> set[int]:
    """Return the rows that sum the table up, or say something under it: their id is none."""
    found: set[int] = set()
    # They are the last rows: from the end up to the first row that is a server.
    for at in range(len(keys) - 1, -1, -1):
        key = keys[at].strip()
        if _UUID.fullmatch(key):
            break
        cells = [
            text
            for values in sheet.columns
            if not _is_nothing(cell := _cell(values, at)) and (text := str(cell).strip())
        ]
        is_sum = (not key or is_total(key)) and any(map(is_total, cells))
        is_remark = len(cells) == 1 and len(sheet.headings) > _ENOUGH and " " in cells[0]
        is_remark = is_remark and at > 0 and _UUID.fullmatch(keys[0].strip()) is not None
        if not is_sum and not is_remark:
            break
        found.add(at)
        text = " ".join(cells)[:60]
        remarks.note(
            Note(sheet.file, "passed over", sheet.name, sheet.rows[at], before=text, after=_("a row under the table"))
        )
    return found


def _cell(values: Any, at: int) -> Any:
    return values.iloc[at] if isinstance(values, pd.Series) else values[at]


def _same(sheet: Sheet, first: int, second: int, keys: set[int]) -> bool:
    return all(
        at in keys or (as_text(None if _is_nothing(a := _cell(values, first)) else a)
                       == as_text(None if _is_nothing(b := _cell(values, second)) else b))
        for at, values in enumerate(sheet.columns)
    )  # fmt: skip


def of_volumes(
    sheet: Sheet, remarks: Remarks, ids_by_name: Mapping[str, Sequence[str]]
) -> tuple[Sheet, Sheet | None, bool]:
    """Return a sheet of volumes without the columns of their attachments, these as a sheet, and whether all were told.

    A volume on two servers stands in two rows that differ in nothing else; without these columns they are one.
    """
    at = next((at for at, heading in enumerate(sheet.headings) if part_of(heading) == "attached_to"), None)
    names = list(sheet.names or sheet.headings)
    if at is None or "volume_id" not in names:
        return sheet, None, True
    device_at = next(
        (place for place, heading in enumerate(sheet.headings) if column_of(heading, ATTACHMENTS) == "device"), None
    )
    volume_ids = _texts(sheet.columns[names.index("volume_id")])
    rows: list[tuple[str, str, str | None]] = []
    numbers: list[int] = []
    is_whole = True
    for place, (volume_id, cell) in enumerate(zip(volume_ids, list(sheet.columns[at]), strict=True)):
        if _is_nothing(cell) or (isinstance(cell, str) and cell.strip() in ("-", "--", "[]")) or not volume_id:
            continue
        device = _cell(sheet.columns[device_at], place) if device_at is not None else None
        found, is_told = attached(cell, device, ids_by_name)
        is_whole &= is_told
        if not is_told:
            told = _("no server of the list")
            remarks.note(
                Note(
                    sheet.file,
                    "not understood",
                    sheet.name,
                    sheet.rows[place],
                    sheet.headings[at],
                    str(cell)[:60],
                    told,
                )
            )
        rows += [(server, volume_id, each) for server, each in found]
        numbers += [sheet.rows[place]] * len(found)
    heading = sheet.headings[at]
    remarks.took(Note(sheet.file, "guessed", sheet.name, sheet.heading_row, heading, heading, "attachments"))
    keep = [place for place in range(len(names)) if place not in (at, device_at)]
    volumes = replace(
        sheet,
        headings=[sheet.headings[place] for place in keep],
        columns=[sheet.columns[place] for place in keep],
        names=[names[place] for place in keep],
    )
    columns: list[list[Any]] = [list(column) for column in zip(*rows, strict=True)] if rows else [[], [], []]
    has_devices = any(columns[2])
    heads = ["server_id", "volume_id", *(["device"] if has_devices else [])]
    where = f"{sheet.where} {sheet.headings[at]}"
    attachments = Sheet(
        where, heads, columns[: len(heads)], numbers, file=sheet.file, name=sheet.name, names=heads, is_none=not rows
    )
    return volumes, attachments, is_whole
