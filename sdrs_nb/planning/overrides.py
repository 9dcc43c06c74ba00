"""Overrides: for which servers the operator wants a request otherwise than the options say."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import pandas as pd

from sdrs_nb.errors import PlanError
from sdrs_nb.i18n import _
from sdrs_nb.ids import ID_ENDINGS, canonical
from sdrs_nb.inventory.inventory import Inventory
from sdrs_nb.models import BatchOptions, Tag
from sdrs_nb.payloads.batch import prefix_problems
from sdrs_nb.planning.batch_keys import FIELDS, BatchKey
from sdrs_nb.planning.columns import objects
from sdrs_nb.rulebook import Rulebook
from sdrs_nb.shown.cells import is_missing

__all__ = ["Keyed", "Overrides", "assign_keys", "flavors_on_offer", "override_problems"]

#: Rows that choose servers and say what is otherwise for them.
Overrides = pd.DataFrame | Sequence[Mapping[str, Any]]

#: Columns that choose servers, from the least to the most specific: the more specific row wins.
_CHOOSERS = ("group_id", "tag", "server_id")
#: Extra columns of the inventory's servers; "dr_" tells them from production's own tenancy, host and flavor.
_FILE_COLUMNS = {"wave": "wave"} | {f"dr_{name}": name for name in FIELDS if name != "wave"}


class Keyed(NamedTuple):
    """One key a row of the servers taken, flavors by server id, and sentences about what was decided."""

    keys: list[BatchKey]
    flavors: Mapping[str, str]
    notes: list[str]


def assign_keys(
    taken: pd.DataFrame,
    options: BatchOptions,
    name_prefix: str,
    inventory: Inventory,
    book: Rulebook,
    *,
    overrides: Overrides | None = None,
    known_flavors: Collection[str] = (),
) -> Keyed:
    """Return the batch key of every row of ``taken`` (``server_id, name, group_id, unit``), within ``book``'s limits.

    Values come from ``options`` and are overridden, later ones winning, by rows of ``overrides`` that choose a
    ``group_id``, by those that choose a ``tag`` (``key=value`` or a bare key of the production server), by extra
    columns of the inventory's servers (``wave``, ``dr_tenancy``, ``dr_flavor_id`` ...) and by rows that choose a
    ``server_id``.  A missing value changes nothing; ``""`` takes the value away.

    Raises
    ------
    PlanError
        An override names an unknown column, group, server or flavor; a key breaks a limit of the service; servers
        of one cluster are given different values.
    """
    problems: list[str] = []
    changes, notes = _changes(taken, _rows(overrides, problems), inventory, problems)
    base = BatchKey.of(options, name_prefix=name_prefix)
    of_group = {group_id: base._replace(group_id=group_id) for group_id in set(objects(taken["group_id"]))}
    keys = [of_group[group_id] for group_id in objects(taken["group_id"])]
    for row, values in changes.items():
        keys[row] = keys[row].changed({name: value for name, value in values.items() if name != "flavor_id"})
    flavors = dict(options.flavors or {}) | {
        server_id: changes[row]["flavor_id"]
        for row, server_id in enumerate(objects(taken["server_id"]))
        if "flavor_id" in changes.get(row, {})
    }
    problems += _flavor_problems(flavors, options, inventory, known_flavors)
    if changes:
        # Names are held to their limits when they are made.
        problems += sorted({problem for key in set(keys) for problem in key.problems(book)})
        keys = _as_clusters(taken, keys, notes, problems)
    if problems:
        raise PlanError("\n".join(dict.fromkeys(problems)))
    return Keyed(keys, flavors, notes)


def _rows(overrides: Overrides | None, problems: list[str]) -> list[dict[str, Any]]:
    """Return override rows without missing values; columns that nobody knows are a problem."""
    if overrides is None:
        return []
    records = overrides.to_dict("records") if isinstance(overrides, pd.DataFrame) else overrides
    rows = [
        {
            str(name): canonical(str(value), name) if name in {"group_id", "server_id"} else value
            for name, value in row.items()
            if not is_missing(value)
        }
        for row in records
    ]
    known = {*_CHOOSERS, *FIELDS}
    problems += [
        _("Overrides have no column {column}. Use {known}.", column=name, known=", ".join([*_CHOOSERS, *FIELDS]))
        for name in dict.fromkeys(name for row in rows for name in row if name not in known)
    ]
    problems += [
        _("Row {row} of the overrides chooses no server. Fill group_id, tag or server_id.", row=number)
        for number, row in enumerate(rows, start=1)
        if not any(name in row for name in _CHOOSERS)
    ]
    # A row's rank is its most specific chooser; rows of one rank keep their order, so the later one wins.
    return sorted(rows, key=lambda row: max((_CHOOSERS.index(name) for name in _CHOOSERS if name in row), default=0))


def _changes(
    taken: pd.DataFrame, rows: Sequence[Mapping[str, Any]], inventory: Inventory, problems: list[str]
) -> tuple[dict[int, dict[str, Any]], list[str]]:
    """Return for each row of ``taken`` what is otherwise than in the options, and notes."""
    changes: dict[int, dict[str, Any]] = {}
    notes: list[str] = []
    if not rows and not _FILE_COLUMNS.keys() & set(inventory.servers.columns):
        return changes, notes
    chosen = _Chosen(taken, inventory)
    general = [row for row in rows if "server_id" not in row]
    own = [row for row in rows if "server_id" in row]
    for row in [*general, *chosen.from_file(), *own]:
        problems += chosen.unknown(row)
        hits = chosen.by(row)
        if not hits and "tag" in row:
            notes.append(_("No planned server carries the tag {tag} of the overrides.", tag=row["tag"]))
        values = {name: _read_value(name, row[name], problems) for name in FIELDS if name in row}
        for hit in hits:
            changes.setdefault(hit, {}).update(values)
    return changes, notes


class _Chosen:
    """Finds the rows of ``taken`` that an override chooses."""

    def __init__(self, taken: pd.DataFrame, inventory: Inventory) -> None:
        self._inventory = inventory
        self._servers = frozenset(objects(inventory.servers["server_id"]))
        self._known_groups = frozenset(objects(inventory.groups["group_id"]))
        self._position = {server_id: row for row, server_id in enumerate(objects(taken["server_id"]))}
        self._groups: dict[str, set[int]] = {}
        for row, group_id in enumerate(objects(taken["group_id"])):
            self._groups.setdefault(group_id, set()).add(row)

    def by(self, row: Mapping[str, Any]) -> list[int]:
        """Return the rows of ``taken`` that fit every chooser of an override."""
        found: list[set[int]] = []
        if "server_id" in row:
            found.append({self._position[each] for each in [row["server_id"]] if each in self._position})
        if "group_id" in row:
            found.append(self._groups.get(row["group_id"], set()))
        if "tag" in row:
            carriers = self._by_tag.get(str(row["tag"]), ())
            found.append({self._position[server_id] for server_id in carriers if server_id in self._position})
        return sorted(set.intersection(*found)) if found else []

    @cached_property
    def _by_tag(self) -> dict[str, set[str]]:
        """Servers by what an override may name: every ``key=value`` and every key of their tags."""
        servers = self._inventory.servers
        found: dict[str, set[str]] = {}
        for server_id, text in zip(objects(servers["server_id"]), objects(servers["tags"].fillna("")), strict=True):
            for pair in filter(None, map(str.strip, text.split(","))):
                for name in filter(None, (pair, pair.partition("=")[0])):
                    found.setdefault(name, set()).add(server_id)
        return found

    def unknown(self, row: Mapping[str, Any]) -> Iterator[str]:
        """Say which group or server of an override the inventory does not have."""
        server_id, group_id = row.get("server_id"), row.get("group_id")
        if server_id is not None and server_id not in self._servers:
            yield _(
                "The overrides name server {server_id}, which is not in the inventory. Correct its id or take the "
                "row out.",
                server_id=server_id,
            )
        if group_id is not None and group_id not in self._known_groups:
            yield _(
                "The overrides name group {group_id}, which does not exist. Correct its id or take the row out.",
                group_id=group_id,
            )

    def from_file(self) -> list[dict[str, Any]]:
        """Return the extra columns of the inventory's servers as override rows, one a planned server that has some."""
        servers = self._inventory.servers
        there = {column: name for column, name in _FILE_COLUMNS.items() if column in servers}
        if not there:
            return []
        filled = servers.loc[servers[list(there)].notna().any(axis=1), ["server_id", *there]].rename(columns=there)
        return [
            {str(name): value for name, value in row.items() if not is_missing(value)}
            for row in filled.to_dict("records")
            if row["server_id"] in self._position
        ]


def _read_value(name: str, value: object, problems: list[str]) -> Any:
    """Return an override's value in the type of its field; what cannot be read is added to ``problems``."""
    if name == "wave":
        if (
            isinstance(value, (int, float, str))
            and str(value).removesuffix(".0").isdecimal()
            and int(float(value)) >= 1
        ):
            return int(float(value))
        problems.append(_("The wave {wave} of the overrides is no number. Use whole numbers from 1.", wave=value))
        return 1
    if name == "tags":
        return read_tags(value)
    return canonical(str(value), "") if name.endswith(ID_ENDINGS) else str(value)


def read_tags(value: object) -> tuple[Tag, ...]:
    """Return tags given as a mapping, as a text (``key=value, key=value``) or as a list of them."""
    if isinstance(value, Mapping):
        return tuple(Tag(key=str(key), value=str(text)) for key, text in value.items())
    if isinstance(value, str):
        parts = [part.partition("=") for part in value.split(",") if part.strip()]
        return tuple(Tag(key=key.strip(), value=text.strip()) for key, _equals, text in parts)
    return tuple(Tag.model_validate(each) for each in value) if isinstance(value, Iterable) else ()


def _flavor_problems(
    flavors: Mapping[str, str], options: BatchOptions, inventory: Inventory, known_flavors: Collection[str]
) -> Iterator[str]:
    """Say which flavors of overrides no server has (most likely misspelt) and which servers of options are unknown."""
    if not flavors:
        return
    for server_id in sorted(set(options.flavors or ()) - set(objects(inventory.servers["server_id"]))):
        yield _(
            "The options give server {server_id} a flavor, and it is not in the inventory. Correct its id or take it "
            "out.",
            server_id=server_id,
        )
    known = {"", *known_flavors, *(options.flavors or {}).values(), *flavors_on_offer(inventory)}
    for flavor in sorted(set(flavors.values()) - known):
        yield _(
            "The overrides name flavor {flavor}, which the inventory does not have. Correct it, or name it in "
            "known_flavors when the region offers it.",
            flavor=flavor,
        )


def _as_clusters(
    taken: pd.DataFrame, keys: Sequence[BatchKey], notes: list[str], problems: list[str]
) -> list[BatchKey]:
    """Return the keys with one key a cluster: its last wave counts, other differences are problems."""
    first: dict[str, int] = {}
    waves: dict[str, int] = {}
    units = objects(taken["unit"])
    for row, unit in enumerate(units):
        start = first.setdefault(unit, row)
        waves[unit] = max(waves.get(unit, 1), keys[row].wave)
        if keys[row] is keys[start]:
            continue
        for name, mine, other in zip(BatchKey._fields, keys[start], keys[row], strict=True):
            if name != "wave" and mine != other:
                problems.append(
                    _(
                        "Servers {server} and {other} share volumes and travel in one request, so they cannot differ "
                        "in {field}. Give both the same.",
                        server=taken["server_id"].iloc[start],
                        other=taken["server_id"].iloc[row],
                        field=name,
                    )
                )
    moved = [row for row, unit in enumerate(units) if keys[row].wave != waves[unit]]
    notes += [
        _(
            "Server {server_id} goes in wave {wave}, with the servers it shares volumes with.",
            server_id=taken["server_id"].iloc[row],
            wave=waves[units[row]],
        )
        for row in moved
    ]
    return [
        key if key.wave == waves[unit] else key._replace(wave=waves[unit])
        for key, unit in zip(keys, units, strict=True)
    ]


def flavors_on_offer(inventory: Inventory) -> list[str]:
    """Return the flavors that a plan of this inventory may name, sorted: those of its servers and those on sale."""
    return sorted({each for frame in (inventory.servers, inventory.flavors) for each in frame["flavor_id"].dropna()})


def override_problems(
    values: Mapping[str, str], options: BatchOptions, known_flavors: Collection[str], book: Rulebook
) -> dict[str, str]:
    """Return a sentence for each field of one override that no request could carry; empty when all is well.

    Parameters
    ----------
    values
        Texts by field (``batch_keys.FIELDS``); ``""`` takes the value away, which is wrong for no field but a wave.
        The fields count together, so a dedicated host goes with the tenancy given beside it.
    options
        What all requests share, and what counts for fields that ``values`` does not name.
    known_flavors
        Flavors that may be named, see ``flavors_on_offer``.
    book
        The rule book that has the limits.
    """
    found: dict[str, str] = {}
    key = BatchKey.of(options)
    said = set(key.problems(book))
    # The tenancy comes before the host that hangs on it: what a field adds to the problems is that field's.
    for name in sorted(values.keys() & set(FIELDS), key=FIELDS.index):
        problems: list[str] = []
        value = _read_value(name, values[name], problems)
        if name == "name_prefix":
            problems += prefix_problems(value, book) if value else ()
        elif name == "flavor_id":
            if value and value not in known_flavors:
                problems.append(
                    _("No flavor {flavor} is known to this inventory. Choose one that is offered.", flavor=value)
                )
        elif name != "wave":
            key = key.changed({name: value})
            problems += [one for one in key.problems(book) if one not in said]
        said.update(problems)
        if problems:
            found[name] = " ".join(problems)
    return found
