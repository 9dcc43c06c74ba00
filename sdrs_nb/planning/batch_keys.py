"""Batch keys: everything that one request shares, and for which servers the operator wants it otherwise.

Only the DR server's flavor is a server's own (batch-create page, table 2); group, DSS pool, subnet, tenancy,
dedicated host, tags, description and name prefix belong to the request, so servers that differ in one of them
never share a batch.  Waves are ours: who is to be protected before whom.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import pandas as pd

from sdrs_nb.errors import PlanError
from sdrs_nb.i18n import _
from sdrs_nb.ids import ID_ENDINGS, canonical
from sdrs_nb.models import Batch, BatchOptions, Tag
from sdrs_nb.payloads.requests import batch_problems
from sdrs_nb.planning.inputs import Loaded, objects

__all__ = ["FIELDS", "BatchKey", "Keyed", "Overrides", "assign_keys", "field_titles", "read_value"]

#: Rows that choose servers and say what is otherwise for them.
Overrides = pd.DataFrame | Sequence[Mapping[str, Any]]

#: Columns that choose servers, from the least to the most specific: the more specific row wins.
_CHOOSERS = ("group_id", "tag", "server_id")
_SHARED = (
    "wave",
    "name_prefix",
    "cluster_id",
    "primary_subnet_id",
    "tenancy",
    "dedicated_host_id",
    "tags",
    "description",
)
#: What an override may give: all but the flavor is shared by the servers of one request.
FIELDS = (*_SHARED, "flavor_id")
#: Extra columns of the inventory's servers; "dr_" tells them from production's own tenancy, host and flavor.
_FILE_COLUMNS = {"wave": "wave"} | {f"dr_{name}": name for name in FIELDS if name != "wave"}


def field_titles() -> dict[str, str]:
    """Return what requests may differ in, by the name that planning knows it by, in the operator's language."""
    return {
        "description": _("Description"),
        "tags": _("Tags"),
        "tenancy": _("DR servers"),
        "dedicated_host_id": _("Dedicated host ID"),
        "cluster_id": _("Storage pool ID"),
        "primary_subnet_id": _("Subnet ID"),
        "flavor_id": _("Flavor"),
        "name_prefix": _("Name prefix"),
        "wave": _("Wave"),
    }


class BatchKey(NamedTuple):
    """What the servers of one request have in common."""

    wave: int
    group_id: str
    name_prefix: str
    cluster_id: str | None = None
    primary_subnet_id: str | None = None
    tenancy: str | None = None
    dedicated_host_id: str | None = None
    tags: tuple[Tag, ...] = ()
    description: str | None = None

    def batch(self, batch_id: str, server_ids: tuple[str, ...], flavors: Mapping[str, str]) -> Batch:
        """Return a batch of this key; ``flavors`` may hold those of other servers."""
        own = {each: flavors[each] for each in server_ids if flavors.get(each)} if flavors else {}
        return Batch(batch_id=batch_id, server_ids=server_ids, flavors=own, **self._asdict())


class Keyed(NamedTuple):
    """One key a row of the servers taken, flavors by server id, and sentences about what was decided."""

    keys: list[BatchKey]
    flavors: Mapping[str, str]
    notes: list[str]


def assign_keys(
    taken: pd.DataFrame,
    options: BatchOptions,
    name_prefix: str,
    inventory: Loaded,
    *,
    overrides: Overrides | None = None,
    known_flavors: Collection[str] = (),
) -> Keyed:
    """Return the batch key of every row of ``taken`` (``server_id, name, group_id, unit``).

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
    base = BatchKey(
        1, "", name_prefix, options.cluster_id, options.primary_subnet_id, options.tenancy, options.dedicated_host_id,
        options.tags or (), options.description,
    )  # fmt: skip
    of_group = {group_id: base._replace(group_id=group_id) for group_id in set(objects(taken["group_id"]))}
    keys = [of_group[group_id] for group_id in objects(taken["group_id"])]
    for row, values in changes.items():
        keys[row] = _changed(keys[row], values)
    flavors = dict(options.flavors or {}) | {
        server_id: changes[row]["flavor_id"]
        for row, server_id in enumerate(objects(taken["server_id"]))
        if "flavor_id" in changes.get(row, {})
    }
    problems += _flavor_problems(flavors, options, inventory, known_flavors)
    if changes:
        problems += _key_problems(set(keys))
        keys = _as_clusters(taken, keys, notes, problems)
    if problems:
        raise PlanError("\n".join(dict.fromkeys(problems)))
    return Keyed(keys, flavors, notes)


def _changed(key: BatchKey, values: Mapping[str, Any]) -> BatchKey:
    """Return ``key`` with the values of an override; an empty one takes the value away."""
    empty: Mapping[str, Any] = {"tags": (), "name_prefix": key.name_prefix, "wave": key.wave}
    shared = {name: value or empty.get(name) for name, value in values.items() if name in _SHARED}
    return BatchKey(**{**key._asdict(), **shared})


def _rows(overrides: Overrides | None, problems: list[str]) -> list[dict[str, Any]]:
    """Return override rows without missing values; columns that nobody knows are a problem."""
    if overrides is None:
        return []
    records = overrides.to_dict("records") if isinstance(overrides, pd.DataFrame) else overrides
    rows = [
        {
            str(name): canonical(str(value), name) if name in {"group_id", "server_id"} else value
            for name, value in row.items()
            if not _is_missing(value)
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
    taken: pd.DataFrame, rows: Sequence[Mapping[str, Any]], inventory: Loaded, problems: list[str]
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
        values = {name: read_value(name, row[name], problems) for name in FIELDS if name in row}
        for hit in hits:
            changes.setdefault(hit, {}).update(values)
    return changes, notes


class _Chosen:
    """Finds the rows of ``taken`` that an override chooses."""

    def __init__(self, taken: pd.DataFrame, inventory: Loaded) -> None:
        self._inventory = inventory
        self._position = {server_id: row for row, server_id in enumerate(objects(taken["server_id"]))}
        self._groups: dict[str, set[int]] = {}
        for row, group_id in enumerate(objects(taken["group_id"])):
            self._groups.setdefault(group_id, set()).add(row)

    @cached_property
    def _known_servers(self) -> frozenset[str]:
        return frozenset(objects(self._inventory.servers["server_id"]))

    def by(self, row: Mapping[str, Any]) -> list[int]:
        """Return the rows of ``taken`` that fit every chooser of an override."""
        found: list[set[int]] = []
        if "server_id" in row:
            found.append({self._position[each] for each in [row["server_id"]] if each in self._position})
        if "group_id" in row:
            found.append(self._groups.get(row["group_id"], set()))
        if "tag" in row:
            found.append(self._tagged(str(row["tag"])))
        return sorted(set.intersection(*found)) if found else []

    def _tagged(self, tag: str) -> set[int]:
        servers = self._inventory.servers
        tags = zip(objects(servers["server_id"]), objects(servers["tags"].fillna("")), strict=True)
        carriers = {server_id for server_id, text in tags if tag in _tag_words(text)}
        return {row for server_id, row in self._position.items() if server_id in carriers}

    def unknown(self, row: Mapping[str, Any]) -> Iterator[str]:
        """Say which group or server of an override the inventory does not have."""
        server_id, group_id = row.get("server_id"), row.get("group_id")
        if server_id is not None and server_id not in self._known_servers:
            yield _(
                "The overrides name server {server_id}, which is not in the inventory. Correct its id or take the "
                "row out.",
                server_id=server_id,
            )
        if group_id is not None and group_id not in set(objects(self._inventory.groups["group_id"])):
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
            {str(name): value for name, value in row.items() if not _is_missing(value)}
            for row in filled.to_dict("records")
            if row["server_id"] in self._position
        ]


def _tag_words(text: str) -> set[str]:
    """Return what a rule may name: every ``key=value`` and every key of a server's tags."""
    pairs = [pair.strip() for pair in text.split(",")]
    return {*pairs, *(pair.partition("=")[0] for pair in pairs)} - {""}


def _is_missing(value: object) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value)  # noqa: PLR0124 - NaN


def read_value(name: str, value: object, problems: list[str]) -> Any:
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
        return _read_tags(value)
    return canonical(str(value), "") if name.endswith(ID_ENDINGS) else str(value)


def _read_tags(value: object) -> tuple[Tag, ...]:
    if isinstance(value, Mapping):
        return tuple(Tag(key=str(key), value=str(text)) for key, text in value.items())
    if isinstance(value, str):
        parts = [part.strip().partition("=") for part in value.split(",") if part.strip()]
        return tuple(Tag(key=key, value=text) for key, _equals, text in parts)
    return tuple(Tag.model_validate(each) for each in value) if isinstance(value, Iterable) else ()


def _key_problems(keys: Iterable[BatchKey]) -> list[str]:
    """Return what the limits of the service say against the keys, in a stable order; names are checked when made."""
    samples = [key._replace(name_prefix="-").batch("b", ("server",), {}) for key in keys]
    return sorted({problem for sample in samples for problem in batch_problems(sample)})


def _flavor_problems(
    flavors: Mapping[str, str], options: BatchOptions, inventory: Loaded, known_flavors: Collection[str]
) -> Iterator[str]:
    """Say which flavors of overrides no server has (most likely misspelt) and which servers of options are unknown."""
    servers = inventory.servers
    for server_id in sorted(set(options.flavors or ()) - set(objects(servers["server_id"]))) if flavors else ():
        yield _(
            "The options give server {server_id} a flavor, and it is not in the inventory. Correct its id or take it "
            "out.",
            server_id=server_id,
        )
    known = {"", *known_flavors, *(options.flavors or {}).values()}
    if (listed := getattr(inventory, "flavors", None)) is not None:
        known |= set(objects(listed["flavor_id"]))
    for flavor in sorted(set(flavors.values()) - known - set(objects(servers["flavor_id"].dropna()))):
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
