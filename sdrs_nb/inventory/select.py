"""A list is a selection: which servers somebody means who has ids, names, addresses or an expression.

Nothing is chosen silently: an entry that fits several servers, or none, is told and selects nothing.  DR servers and
drill servers carry production's names; only their ids select them.
"""

import ipaddress
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from sdrs_nb.asked import checked
from sdrs_nb.errors import SettingsError
from sdrs_nb.i18n import _, ngettext_
from sdrs_nb.ids import canonical
from sdrs_nb.inventory.expressions import is_expression, satisfied
from sdrs_nb.inventory.lists import Entry, entries_of, plain
from sdrs_nb.shown.cells import text_of
from sdrs_nb.shown.texts import visible
from sdrs_nb.tables import AMBIGUOUS, MATCHED, NOT_FOUND, shape

if TYPE_CHECKING:
    from sdrs_nb.inventory.inventory import Inventory

__all__ = ["Selection", "select"]

#: What tells servers of one name apart, in the order in which it is said.
_APART = (
    "status",
    "az",
    "vpc_id",
    "private_ips",
    "hostname",
    "flavor_id",
    "enterprise_project_id",
    "tags",
    "created_at",
)
#: Entries for which a similar name is looked for; each look goes over every name.
_CLOSE = 20
#: How alike a name must be to be offered.
_ALIKE = 0.75


class Selection:
    """What a list or an expression selects of an inventory.

    Parameters
    ----------
    server_ids
        The servers, each once, in the order of the list.
    matched, ambiguous, not_found
        ``tables.MATCHED`` (a row an entry that names one server), ``tables.AMBIGUOUS`` (a row an entry and server it
        may mean, with what tells them apart), ``tables.NOT_FOUND`` (a row an entry that names none).
    notes
        Sentences about how the selection was made.
    """

    def __init__(
        self,
        server_ids: Sequence[str],
        matched: pd.DataFrame,
        ambiguous: pd.DataFrame,
        not_found: pd.DataFrame,
        notes: Sequence[str] = (),
    ) -> None:
        self.server_ids = tuple(server_ids)
        self._frames = (matched, ambiguous, not_found)
        self.notes = tuple(notes)

    @property
    def matched(self) -> pd.DataFrame:
        """One row an entry that names one server (``tables.MATCHED``), or a server that the expression is true for."""
        return self._frames[0].copy()

    @property
    def ambiguous(self) -> pd.DataFrame:
        """One row an entry and server that it may mean (``tables.AMBIGUOUS``); none of these is selected."""
        return self._frames[1].copy()

    @property
    def not_found(self) -> pd.DataFrame:
        """One row an entry that names no server (``tables.NOT_FOUND``), with the reason."""
        return self._frames[2].copy()

    @property
    def open_points(self) -> list[str]:
        """A sentence for each entry that selects nothing: what it may mean, or why it means none."""
        _matched, ambiguous, not_found = self._frames
        told = []
        for given in dict.fromkeys(ambiguous["given"].astype(object)):
            rows = ambiguous[ambiguous["given"].eq(given)]
            servers = [
                f"{server_id} ({apart})" if apart else str(server_id)
                for server_id, apart in zip(rows["server_id"], rows["apart"], strict=True)
            ]
            told.append(
                _(
                    "{given} may be any of {count} servers: {servers}. Write the id of the one that is meant.",
                    given=given,
                    count=len(rows),
                    servers="; ".join(servers),
                )
            )
        told += [
            _("{given} is not found. {reason}", given=given, reason=reason)
            for given, reason in zip(not_found["given"], not_found["reason"], strict=True)
        ]
        return [visible(each) for each in told]

    @property
    def sentence(self) -> str:
        """How many servers are selected, and how many entries select none."""
        _matched, ambiguous, not_found = self._frames
        chosen = ngettext_("{count} server selected", "{count} servers selected", len(self.server_ids))
        return _(
            "{chosen}; {ambiguous} entries fit several servers, {not_found} fit none.",
            chosen=chosen,
            ambiguous=ambiguous["given"].nunique(),
            not_found=len(not_found),
        )

    def __repr__(self) -> str:
        return "\n".join([self.sentence, *self.notes, *self.open_points])

    def _repr_html_(self) -> str:
        from sdrs_nb.shown import html

        matched, ambiguous, not_found = self._frames
        facts = [
            (_("Servers selected"), len(self.server_ids)),
            (_("Fit several servers"), ambiguous["given"].nunique()),
            (_("Not found"), len(not_found)),
        ]
        body = [html.table(each, None) for each in (ambiguous, not_found) if len(each)]
        return html.summary(_("Selection"), facts, notes=self.notes, body=[*body, html.table(matched, html.FEW)])


@checked
def select(inventory: "Inventory", x: Any = None, *, where: str | None = None, name: str | None = None) -> Selection:
    """Return which servers of ``inventory`` somebody means, and what of the list fits several servers or none.

    Parameters
    ----------
    inventory
        From the cloud or a file; it is not changed.
    x
        Ids, names, private IPs, host names, in any mix: a list, a Series, a text (one a line, or parted by commas or
        semicolons), a file (text, CSV, workbook, JSON, Parquet) by its path or bytes, a DataFrame with a row a
        server.  Under headings that are known (server id, name, private IP, host name) the cells of a row say
        together which server is meant.  Or an expression over columns and tags, see ``expressions``.
    where
        An expression that the servers have to satisfy as well; alone it chooses among all.
    name
        The file's name, where ``x`` is bytes.

    Returns
    -------
    Selection
        ``.server_ids`` in the order of the list, each once; ``.matched``, ``.ambiguous``, ``.not_found`` as frames.

    Raises
    ------
    InventoryError
        A file cannot be read, or an expression is none or names a column that servers do not have.
    SettingsError
        Neither a list nor an expression is given.

    Notes
    -----
    No network; reads the file that is named.  A name is compared as it is written, then without regard to letter
    case, then as the first part of a domain name; ``how`` says which it was.
    """
    if x is None and where is None:
        raise SettingsError(_("Say which servers: a list of ids, names or addresses, or an expression."))
    servers = inventory.servers
    if isinstance(x, str) and is_expression(x, frozenset(map(str, servers.columns))):
        x, where = None, x if where is None else f"({x}) && ({where})"
    finder = _Finder(inventory, servers)
    listed = None if x is None else _listed(finder, entries_of(x, name))
    if where is None:
        return listed if listed is not None else Selection((), *_frames([], [], []))
    return _where(finder, where, listed)


def _where(finder: "_Finder", expression: str, listed: Selection | None) -> Selection:
    """Return those of ``listed``, or of all production servers, for which the expression holds."""
    production = finder.servers[~finder.servers["server_id"].isin(finder.copies)]
    holds, undecided = satisfied(production, expression)
    ids = production["server_id"][holds].tolist()
    notes = []
    if undecided:
        notes.append(
            _(
                "{count} servers are not selected because a value that the expression compares is missing.",
                count=undecided,
            )
        )
    if listed is None:
        rows = [(expression, "expression", server_id) for server_id in ids]
        return Selection(ids, *_frames(finder.named(rows), [], []), notes)
    kept = frozenset(ids)
    passed = [server_id for server_id in listed.server_ids if server_id in kept]
    matched = listed.matched[listed.matched["server_id"].isin(kept)].reset_index(drop=True)
    if gone := len(listed.server_ids) - len(passed):
        notes.append(_("{count} servers of the list do not satisfy the expression.", count=gone))
    return Selection(passed, matched, listed.ambiguous, listed.not_found, notes)


class _Hit(NamedTuple):
    """The servers that a text may mean, and by what."""

    how: str
    ids: tuple[str, ...]


_NOTHING = _Hit("", ())


def _listed(finder: "_Finder", entries: Iterable[Entry]) -> Selection:
    """Return the selection of a list: every entry is matched, ambiguous or not found."""
    matched: list[tuple[str, str, str]] = []
    ambiguous: list[tuple[str, str, str, str]] = []
    missing: list[tuple[str, int, str]] = []
    seen: set[str] = set()
    for entry in entries:
        if entry.given in seen:
            continue
        seen.add(entry.given)
        hits = finder.meant(entry)
        if not hits and not entry.may_be_heading:
            missing.append((entry.given, entry.row, finder.why_not(entry)))
        for given, hit in hits:
            if len(hit.ids) == 1:
                matched.append((given, hit.how, hit.ids[0]))
            else:
                ambiguous += [(given, hit.how, server_id, apart) for server_id, apart in finder.apart(hit.ids)]
    ids = dict.fromkeys(server_id for _given, _how, server_id in matched)
    return Selection(list(ids), *_frames(finder.named(matched), finder.named(ambiguous), missing))


def _frames(
    matched: Sequence[tuple[Any, ...]], ambiguous: Sequence[tuple[Any, ...]], missing: Sequence[tuple[Any, ...]]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    made = [
        shape(pd.DataFrame(rows, columns=list(table.columns)), table)
        for rows, table in ((matched, MATCHED), (ambiguous, AMBIGUOUS), (missing, NOT_FOUND))
    ]
    return made[0], made[1], made[2]


class _Finder:
    """Finds servers by what people call them; ``copies`` says which are DR or drill servers, and how to say so."""

    def __init__(self, inventory: "Inventory", servers: pd.DataFrame) -> None:
        self.servers = servers
        targets = inventory.protected_instances["target_server_id"].dropna()
        drills = inventory.drill_servers["server_id"].dropna()
        self.copies: dict[str, str] = dict.fromkeys(targets, _("DR server")) | dict.fromkeys(drills, _("drill server"))
        self._names = dict(zip(servers["server_id"], servers["name"].map(text_of), strict=True))
        self._looked = 0

    @cached_property
    def _by(self) -> Mapping[str, Mapping[str, Sequence[str]]]:
        """Server ids by name, private IP and host name, and by names in lower case with and without their domain."""
        return {
            "name": self._index(lambda text: [text], "name"),
            "private_ips": self._index(lambda text: [_address(each) for each in text.split(",")], "private_ips"),
            "hostname": self._index(lambda text: [text], "hostname"),
            "folded": self._index(lambda text: [_folded(text)], "name", "hostname"),
            "first part": self._index(lambda text: [_folded(text).partition(".")[0]], "name", "hostname"),
            "copies": self._index(lambda text: [text], "name", of_copies=True),
        }

    def _index(
        self, keys: Callable[[str], Collection[str]], *columns: str, of_copies: bool = False
    ) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for column in columns:
            filled = self.servers.loc[self.servers[column].notna(), ["server_id", column]]
            for server_id, text in zip(filled["server_id"], filled[column], strict=True):
                if (server_id in self.copies) == of_copies:
                    for key in filter(None, keys(text)):
                        found.setdefault(key, []).append(server_id)
        return found

    def meant(self, entry: Entry) -> list[tuple[str, _Hit]]:
        """Return what an entry means, as the texts and what each may be; empty where it means nothing."""
        hit = self._row(entry.cells)
        if hit.ids or len(entry.cells) > 1 or entry.cells[0][0]:
            return [(entry.given, hit)] if hit.ids else []
        words = entry.given.split()
        hits = [(word, self._any(word)) for word in words]
        if len(words) < 2 or not all(each.ids for _word, each in hits):  # noqa: PLR2004 - one word was looked up already
            return []
        together = self._row([("", word) for word in words])
        return [(entry.given, together)] if len(together.ids) == 1 else hits

    def _row(self, cells: Sequence[tuple[str, str]]) -> _Hit:
        """Return what the cells of a row mean together: an id decides, else what all that mean something agree on."""
        given = dict(cells)
        if "server_id" in given and len(given) == len(cells):
            server_id = canonical(given["server_id"])
            return _Hit("id", (server_id,)) if server_id in self._names else _NOTHING
        hits = [hit for column, text in cells if (hit := self._cell(column, text)).ids]
        if not hits:
            return _NOTHING
        agreed = [each for each in hits[0].ids if all(each in hit.ids for hit in hits)]
        ids = agreed or list(dict.fromkeys(each for hit in hits for each in hit.ids))
        return _Hit("+".join(dict.fromkeys(hit.how for hit in hits)), tuple(ids))

    def _cell(self, column: str, text: str) -> _Hit:
        if column == "private_ips":
            addresses = [_address(each) for each in text.replace(";", ",").split(",")]
            return _Hit("IP", _unique(self._by["private_ips"].get(each, ()) for each in addresses))
        return self._any(text)

    def _any(self, text: str) -> _Hit:
        """Return what one text means: an id, else a name, an address or a host name, else one that is nearly so."""
        for spelling in dict.fromkeys((text, plain(text))):
            if (server_id := canonical(spelling)) in self._names:
                return _Hit("id", (server_id,))
            by = {
                "name": self._by["name"].get(spelling, ()),
                "IP": self._by["private_ips"].get(_address(spelling), ()),
                "host name": self._by["hostname"].get(spelling, ()),
            }
            if any(by.values()):
                return _Hit("+".join(how for how, ids in by.items() if ids), _unique(by.values()))
        if not _address(plain(text)):
            folded = _folded(plain(text))
            first, _dot, domain = folded.partition(".")
            # A domain on one side alone: app.1 is not app.2.
            cut = self._by["folded"].get(first) if domain else self._by["first part"].get(folded)
            if ids := self._by["folded"].get(folded) or cut:
                return _Hit("loose", _unique([ids]))
        return _NOTHING

    def why_not(self, entry: Entry) -> str:
        """Return why an entry means no server, or what it is like."""
        given = dict(entry.cells)
        named = [self._any(text) for column, text in entry.cells if column != "server_id"]
        if "server_id" in given and (others := _unique(hit.ids for hit in named)):
            return _("No server has this id; {server} has the name beside it.", server=", ".join(others))
        copies = _unique(self._by["copies"].get(plain(text), ()) for _column, text in entry.cells)
        if copies:
            return _(
                "Only {server} ({kind}) has this name, and such servers are chosen by their id alone.",
                server=", ".join(copies),
                kind=self.copies[copies[0]],
            )
        if known := [word for word in entry.given.split() if self._any(word).ids]:
            return _("It holds {names}; write each server on a line of its own.", names=", ".join(known))
        self._looked += 1
        close = get_close_matches(plain(entry.given), self._by["name"], 3, _ALIKE) if self._looked <= _CLOSE else []
        return _("There is {names}.", names=", ".join(close)) if close else _("No server has this id, name or address.")

    def apart(self, server_ids: Sequence[str]) -> list[tuple[str, str]]:
        """Return for each of these servers what it differs in from the others."""
        rows = self.servers.set_index("server_id").loc[list(server_ids)]
        differs = [name for name in _APART if len({*rows[name].map(text_of)}) > 1]
        return [
            (
                server_id,
                "; ".join(f"{name}={text_of(value) or '-'}" for name, value in zip(differs, values, strict=True)),
            )
            for server_id, values in zip(server_ids, rows[differs].itertuples(index=False), strict=True)
        ]

    def named(self, rows: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
        """Return rows ``given, how, server_id, ...`` with the server's name after its id."""
        return [(*row[:3], self._names[row[2]], *row[3:]) for row in rows]


def _unique(parts: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for part in parts for each in part))


def _address(text: str) -> str:
    """Return an IP address in its one form, with or without its network's length; of any other text nothing."""
    try:
        return str(ipaddress.ip_interface(text.strip()).ip)
    except ValueError:
        return ""


def _folded(text: str) -> str:
    """Return a name without letter case and full-width forms."""
    return unicodedata.normalize("NFKC", text).casefold()
