"""What a list says beside which servers it means: the inventory's facts count, and where they differ that is told."""

import os
from collections import defaultdict
from collections.abc import Iterable
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import pandas as pd

from sdrs_nb.i18n import _
from sdrs_nb.ids import ID_ENDINGS, canonical
from sdrs_nb.inventory.lists import Entry
from sdrs_nb.inventory.notes import Note, Remarks
from sdrs_nb.inventory.values import convert
from sdrs_nb.inventory.words import UNREADABLE, reader_of
from sdrs_nb.shown.cells import text_of
from sdrs_nb.tables import SERVERS

if TYPE_CHECKING:
    from sdrs_nb.inventory.inventory import Inventory

__all__ = ["list_name", "told_beside"]

#: Columns whose texts are written in too many ways to be compared.
_NOT_COMPARED = frozenset({"tags", "security_groups", "image_name", "address_vpc_ids", "created_at", "private_ips"})
_NAMES = frozenset({"name", "hostname"})

#: Row, text and the server meant.
_Told = tuple[int, str, str]


def list_name(given: Any, name: str | None) -> str:
    """Return what a list is called: its file's name, or "list"."""
    if name is None and isinstance(given, (str, os.PathLike)) and "\n" not in str(given):
        return PurePath(given).name[:60] or "list"
    return name or "list"


def told_beside(meant: Iterable[tuple[Entry, str]], inventory: "Inventory", file: str) -> list[Note]:
    """Return what entries say beside the server that each means: the headings passed over, and every other value.

    One note names the headings; one note a value (``differs``) that is not what the inventory says of that server.
    What the list leaves empty, or the inventory has not read, is no contradiction.
    """
    remarks, source = Remarks(), _source(inventory)
    said = _said(meant)
    if beside := ", ".join(dict.fromkeys(heading for heading, column in said if column not in _NAMES)):
        remarks.note(Note(file, "passed over", before=beside, after=_("what {source} says is used", source=source)))
    servers = inventory.servers.set_index("server_id")
    compared = servers.columns.intersection(list(SERVERS.columns)).difference(
        [*_NOT_COMPARED, *inventory.unread("servers")]
    )
    for (heading, column), rows in said.items():
        if column in compared:
            for row, text, server_id in _differing(rows, servers[column], column):
                server = text_of(servers["name"][server_id]) or server_id
                before = _("{server}: the list says {value}", server=server, value=text[:60])
                after = _("{source} says {value}", source=source, value=text_of(servers[column][server_id]) or "-")
                remarks.note(Note(file, "differs", row=row, column=heading, before=before, after=after))
    return remarks.notes


def _said(meant: Iterable[tuple[Entry, str]]) -> dict[tuple[str, str], list[_Told]]:
    """Return what stands under each heading, with the column that it means; names where the id has decided."""
    said: defaultdict[tuple[str, str], list[_Told]] = defaultdict(list)
    for entry, server_id in meant:
        has_id = any(column == "server_id" for column, _text in entry.cells)
        names = ((column, column, text) for column, text in entry.cells if has_id and column in _NAMES)
        for heading, column, text in (*entry.facts, *names):
            said[heading, column].append((entry.row, text, server_id))
    return said


def _differing(rows: list[_Told], known: "pd.Series[Any]", column: str) -> list[_Told]:
    """Return the rows whose value is another one than that of their server."""
    values = _values([text for _row, text, _id in rows], column)
    spelt = partial(canonical, column=column) if column.endswith(ID_ENDINGS) else lambda value: value
    theirs = known.to_dict()
    return [
        row
        for row, value in zip(rows, values, strict=True)
        if value is not None and (theirs[row[2]] is pd.NA or spelt(value) != spelt(theirs[row[2]]))
    ]


def _source(inventory: "Inventory") -> str:
    is_cloud = inventory.about.origin.startswith(("http://", "https://"))
    return _("the cloud") if is_cloud else _("the inventory")


def _values(texts: list[str], column: str) -> list[Any]:
    """Return texts as values of a column of servers; None where a text says nothing or is no such value."""
    read = reader_of(SERVERS, column, {}) or str
    said = [read(text) for text in texts]
    plain = [None if value is UNREADABLE else value for value in said]
    values, bad = convert(plain, SERVERS, column)
    return [None if at in bad or value is pd.NA else value for at, value in enumerate(values)]
