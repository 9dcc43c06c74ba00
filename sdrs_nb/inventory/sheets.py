"""A sheet of cells to a frame of ``tables``, with everything that is wrong in it.

A ``Sheet`` is what a workbook's sheet, a CSV file, a list of JSON objects and a DataFrame have in common: headings,
columns of raw cells and the row of each as a spreadsheet shows it.  No network, no disk.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pandas as pd

from sdrs_nb import tables
from sdrs_nb.errors import Problem
from sdrs_nb.i18n import _, ngettext_
from sdrs_nb.intake.limits import limits
from sdrs_nb.inventory.bounds import TooMuchError, too_many_rows, too_wide
from sdrs_nb.inventory.documents import with_sites
from sdrs_nb.inventory.headings import column_of, likely
from sdrs_nb.inventory.notes import TOLD
from sdrs_nb.inventory.values import clean, convert, shorten, trim
from sdrs_nb.tables import STR, TIME, Table

__all__ = [
    "ABOUT",
    "DECLARED",
    "TOLD",
    "Sheet",
    "as_text",
    "frame_from",
    "heading_of",
    "is_blank",
    "more",
    "unread_columns",
]


#: Whose inventory a file holds; one row.
ABOUT = Table(
    "about",
    "an inventory",
    {
        "project_id": STR,
        "region": STR,
        "cloud_host": STR,
        "world": STR,
        "caller_user_id": STR,
        "loaded_at": TIME,
        "origin": STR,
    },
)

#: Facts that somebody vouches for, see ``assuming``.
DECLARED = Table("declared", "a declared fact", {"fact": STR, "value": STR, "who": STR, "when": TIME})


#: Columns without which a row says nothing at all, where that is less than what a template asks for: lists of other
#: tools tell less, and what they do not tell is unread.
_NEEDED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {table.name: table.key for table in (tables.SERVERS, tables.VOLUMES, tables.GROUPS)}
)


@dataclass(frozen=True)
class Sheet:
    """Raw cells: ``columns[i]`` under ``headings[i]``; entry j stands in row ``rows[j]`` (the header is row 1).

    ``is_none``: an empty list or frame, which says without any heading that there is none.  ``file`` and ``name`` say
    where it stands: the file, and the sheet or the key in it.
    """

    where: str
    headings: Sequence[str]
    columns: Sequence[Any]
    rows: Sequence[int]
    note: str = ""
    is_none: bool = False
    file: str = ""
    name: str = ""
    heading_row: int = 1
    #: The column that each heading means; None while nobody has looked.
    names: Sequence[str] | None = None
    #: Row and heading of formulas whose value nobody has worked out.
    empty_formulas: tuple[tuple[int, str], ...] = ()

    @classmethod
    def of_frame(cls, frame: Any, where: str) -> "Sheet":
        """Return a DataFrame as a sheet; its index means nothing, its first row is row 2.

        Raises
        ------
        TooMuchError
            It is no DataFrame, or a larger one than is read.
        """
        if not isinstance(frame, pd.DataFrame):
            told = _("This is a {kind} where a DataFrame belongs.", kind=type(frame).__name__)
            raise TooMuchError(where, told)
        if len(frame) > limits().rows:
            raise too_many_rows(where)
        if frame.shape[1] > limits().columns:
            raise too_wide(where, row=None)
        columns = [frame.iloc[:, at].reset_index(drop=True) for at in range(frame.shape[1])]
        headings = [heading_of(name) for name in frame.columns]
        is_none = not headings and frame.empty
        return cls(where, headings, columns, range(2, len(frame) + 2), is_none=is_none, file="DataFrame", name=where)


def is_blank(cell: Any) -> bool:
    """Tell whether a cell holds nothing, or nothing that can be seen."""
    return cell is None or (isinstance(cell, str) and not trim(cell))


def heading_of(cell: Any) -> str:
    """Return the text of a heading, on one line."""
    return "" if cell is None else " ".join(clean(str(cell)).split())


def frame_from(sheet: Sheet, table: Table, problems: list[Problem]) -> pd.DataFrame:
    """Return the sheet as the table's frame and add everything that is wrong in it to ``problems``.

    Columns of the table come first, in its order and dtypes; columns that the sheet lacks are NA; columns that the
    table does not know follow, as text when they came from a file and untouched when they came from a DataFrame.
    """
    if sheet.is_none:
        return tables.empty(table)
    places = _columns_of(sheet, table, problems)
    columns: dict[str, Any] = {}
    bad: dict[str, dict[int, str]] = {}
    # One a dtype for all columns that the sheet lacks: the frame below copies what it is given.
    missing: dict[str, Any] = {}
    for name, dtype in table.columns.items():
        if name not in places:
            if dtype not in missing:
                missing[dtype] = pd.array([pd.NA] * len(sheet.rows), dtype=dtype)  # type: ignore[call-overload]  # dtype is a name of tables
            columns[name] = missing[dtype]
            continue
        columns[name], bad[name] = _converted(sheet.columns[places[name]], table, name)
        problems += _of_column(sheet, sheet.headings[places[name]], bad[name])
    columns |= {heading: _extra(sheet.columns[at]) for heading, at in places.items() if heading not in table.columns}
    frame = pd.DataFrame(columns)
    if table.key and all(name in places for name in table.key):
        for name in table.key:
            # A key that could not be read is NA too, and has its own problem already.
            empty = {
                int(at): _("{column} is empty; every row needs one.", column=name)
                for at in frame.index[frame[name].isna()]
            }
            problems += _of_column(
                sheet, sheet.headings[places[name]], {at: t for at, t in empty.items() if at not in bad[name]}
            )
        problems += _of_column(sheet, sheet.headings[places[table.key[0]]], _listed_twice(sheet, frame, table))
    return _with_sites(sheet, frame, problems) if table is tables.GROUPS else frame


def unread_columns(sheet: Sheet, frame: pd.DataFrame, table: Table) -> tuple[frozenset[str], frozenset[str]]:
    """Return the columns of the table that the sheet lacks, and those that it has but that are blank throughout.

    ``frame`` is the sheet as ``frame_from`` read it.  A sheet without rows says that there is none: it lacks nothing.
    """
    if frame.empty:
        return frozenset(), frozenset()
    there: set[str | None] = {*(sheet.names or ())} or {column_of(heading, table) for heading in sheet.headings}
    names = table.columns.keys() - tables.DERIVED.get(table.name, frozenset())
    return frozenset(names - there), frozenset(name for name in names & there if frame[name].isna().all())


def _columns_of(sheet: Sheet, table: Table, problems: list[Problem]) -> dict[str, int]:
    """Return where each column stands in the sheet; headings that are missing, twice or misspelt are problems."""
    places: dict[str, int] = {}
    for at, heading in enumerate(sheet.headings):
        if not heading:
            told = _("Column {number} has no heading.", number=at + 1)
            problems.append(Problem(sheet.where, sheet.heading_row, None, told))
            continue
        name = sheet.names[at] if sheet.names is not None else column_of(heading, table) or heading
        if name in places:
            first = sheet.headings[places[name]]
            told = _(
                "Headings {first} and {second} both mean {column}; keep one.", first=first, second=heading, column=name
            )
            problems.append(Problem(sheet.where, sheet.heading_row, heading, told))
        places.setdefault(name, at)
    missing = [name for name in table.columns if name not in places]
    meant: set[str] = set()
    for heading in places:
        if heading not in table.columns and (guess := likely(heading, missing)) in table.required:
            meant.add(guess)
            told = _("There is no column {heading}; it looks like {column}. Rename it.", heading=heading, column=guess)
            problems.append(Problem(sheet.where, sheet.heading_row, heading, told))
    lacking = [name for name in _NEEDED.get(table.name, table.required) if name in missing and name not in meant]
    told = _("The column {column} is missing; add it.")
    problems += [Problem(sheet.where, sheet.heading_row, name, told.format(column=name)) for name in lacking]
    return places


def _converted(values: Any, table: Table, name: str) -> tuple[Any, dict[int, str]]:
    if isinstance(values, pd.Series):
        # Already what the table wants; text and floats still need a look (blanks, infinity).
        if table.columns[name] == values.dtype and table.columns[name] not in {STR, tables.FLOAT}:
            return values.array, {}
        values = values.tolist()
    return convert(values, table, name)


def _extra(values: Any) -> Any:
    if isinstance(values, pd.Series):
        return values
    return pd.array([as_text(value) for value in values], dtype="string")


def as_text(value: Any) -> str | None:
    """Return a cell of an unknown column as text, None when it is blank."""
    if is_blank(value):
        return None
    if isinstance(value, (dict, list)):
        return clean(json.dumps(value, ensure_ascii=False))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return clean(trim(str(value)))


def _of_column(sheet: Sheet, heading: str, bad: Mapping[int, str]) -> list[Problem]:
    found = [Problem(sheet.where, sheet.rows[at], heading, told) for at, told in list(bad.items())[:TOLD]]
    if len(bad) > TOLD:
        found.append(Problem(sheet.where, None, heading, more(len(bad) - TOLD)))
    return found


def more(count: int) -> str:
    """Return the sentence for rows whose trouble is not told one by one."""
    return ngettext_("{count} more row has the same trouble.", "{count} more rows have the same trouble.", count)


def _listed_twice(sheet: Sheet, frame: pd.DataFrame, table: Table) -> dict[int, str]:
    """Return a sentence for every row whose key an earlier row has."""
    keys = frame[list(table.key)].dropna()
    if not keys.duplicated().any():
        return {}
    firsts: dict[tuple[str, ...], int] = {}
    told: dict[int, str] = {}
    for at, key in zip(keys.index, keys.itertuples(index=False, name=None), strict=True):
        first = firsts.setdefault(key, int(at))
        if first != at:
            told[int(at)] = _(
                "{key} is listed twice, in rows {first} and {second}; remove one.",
                key=", ".join(map(shorten, key)),
                first=sheet.rows[first],
                second=sheet.rows[int(at)],
            )
    return told


def _with_sites(sheet: Sheet, groups: pd.DataFrame, problems: list[Problem]) -> pd.DataFrame:
    """Fill in the AZ of production and DR; one that contradicts ``priority_station`` is a problem."""
    unknown = pd.array([pd.NA] * len(groups), dtype="string")
    derived = with_sites(groups.assign(production_az=unknown, dr_az=unknown))
    for name in ("production_az", "dr_az"):
        differs = (groups[name] != derived[name]).fillna(value=False)
        problems += _of_column(
            sheet,
            name,
            {
                int(at): _(
                    "{value} contradicts priority_station, which makes it {derived}; correct one or leave it empty.",
                    value=groups[name].iloc[at],
                    derived=derived[name].iloc[at],
                )
                for at in groups.index[differs]
            },
        )
    return with_sites(groups)
