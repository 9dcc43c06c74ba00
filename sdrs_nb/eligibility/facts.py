"""Everything the rules may look at, as sorted arrays, made once per check from the frames of an inventory."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Self

import numpy as np
import pandas as pd

from sdrs_nb.eligibility.clusters import Clusters, Companions, find_clusters
from sdrs_nb.eligibility.columns import BoolArray, Coded, Columns, Ids, IntArray, Lookup, ObjectArray, read_all
from sdrs_nb.eligibility.hits import Hits, Many, grouped
from sdrs_nb.models import BatchOptions, Declared
from sdrs_nb.rulebook import Effect, Rulebook

__all__ = ["Attachments", "Facts", "Frames", "Labels", "Match", "ServerMasks", "Sites", "Trials"]


@dataclass(frozen=True)
class Frames:
    """The frames of an inventory as handed in: which were read, who read them, columns not read, facts declared."""

    frames: Mapping[str, pd.DataFrame]
    loaded: frozenset[str]
    caller_user_id: str | None = None
    unread: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    declared: tuple[Declared, ...] = ()

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self.frames.get(name, pd.DataFrame())

    def column(self, frame: str, name: str) -> pd.Series:
        """Return a column of a frame; without values where frame or column is missing."""
        table = self[frame]
        return table[name] if name in table else pd.Series([], dtype="string")


@dataclass(frozen=True)
class Attachments:
    """Volumes on servers, sorted by server and volume; positions into servers and volumes, ``columns`` row by row."""

    servers: IntArray
    volumes: IntArray
    columns: Columns

    def __len__(self) -> int:
        return len(self.servers)


class Label(str):
    """What the operator calls a thing: ``name (id)``, the id alone where it has no name.

    ``brief`` is for sentences: the name alone where nothing else of its kind bears it.
    """

    __slots__ = ("brief",)
    brief: str

    def __new__(cls, text: str, brief: str) -> Self:
        """Return ``text`` with its shorter form."""
        made = super().__new__(cls, text)
        made.brief = brief
        return made


@dataclass(frozen=True)
class Labels:
    """Labels of servers, volumes or groups, made when read."""

    ids: Lookup
    names: Coded

    @cached_property
    def _is_repeated(self) -> BoolArray:
        counts = np.bincount(self.names.codes[self.names.codes >= 0], minlength=len(self.names.labels))
        return np.append(counts > 1, False)

    def __getitem__(self, position: int, /) -> Label:
        return self.read(np.array([position]))[0]

    def read(self, rows: IntArray) -> list[Label]:
        """Return the labels at ``rows``."""
        found = []
        columns = (
            read_all(self.ids, rows),
            read_all(self.names, rows),
            self._is_repeated[self.names.codes[rows]].tolist(),
        )
        for identity, name, is_repeated in zip(*columns, strict=True):
            full = f"{name} ({identity})" if name else str(identity)
            found.append(Label(full, name if name and not is_repeated else full))
        return found


@dataclass(frozen=True)
class ServerMasks:
    """Which servers the rules other than those of clusters find protected, blocked or unknown; by server position."""

    protected: BoolArray
    not_candidate: BoolArray
    blocked: BoolArray
    unknown: BoolArray
    reasons: Mapping[int, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def usable(self) -> BoolArray:
        """Servers that nothing speaks against."""
        return ~(self.protected | self.not_candidate | self.blocked | self.unknown)


@dataclass(frozen=True)
class Match:
    """Servers and groups matched; positions throughout.

    ``group`` is the group a server is judged against (-1: none, or several and none chosen); ``pair_servers`` and
    ``pair_groups`` list what group rules speak about, which includes every group of a server that matches only
    groups in a bad state; ``candidate_*`` list what a server could join; ``unplaced`` are servers of no group, and
    ``chosen`` those that were told which group to join.
    """

    group: IntArray
    pair_servers: IntArray
    pair_groups: IntArray
    candidate_servers: IntArray
    candidate_groups: IntArray
    unplaced: BoolArray
    chosen: BoolArray

    @classmethod
    def none(cls) -> "Match":
        """Return the match before anything was matched."""
        nothing = np.array([], dtype=np.int64)
        nobody = np.array([], dtype=bool)
        return cls(nothing, nothing, nothing, nothing, nothing, nobody, nobody)


@dataclass(frozen=True)
class Sites:
    """VPC and production AZ of groups in the codes of servers' columns (-1 missing, -2 no server has it)."""

    vpc: IntArray
    production_az: IntArray


@dataclass(frozen=True)
class Trials:
    """Servers whose group is still to be chosen, tried against each group they could join; aligned by pair, sorted.

    ``refused``: a rule blocks the server, or a server it shares volumes with, in that group; ``unsure``: such a rule
    could not be decided, for want of ``lacking``.  ``reasons`` are rules with the pairs they block.
    """

    servers: IntArray
    groups: IntArray
    refused: BoolArray
    unsure: BoolArray
    lacking: tuple[str, ...] = ()
    reasons: tuple[tuple[str, frozenset[tuple[int, int]]], ...] = ()


@dataclass
class Facts:
    """What rules look at.  Positions of servers, volumes and groups follow their sorted ids.

    Servers are those of the inventory, those asked for, and owners of volumes that the inventory does not know.
    ``match``, ``trials`` and ``masks`` are there for the phases that need them.
    """

    book: Rulebook
    options: BatchOptions
    frames: Frames
    server_ids: Ids
    volume_ids: Ids
    group_ids: Ids
    selected: BoolArray
    attachments: Attachments
    sources: IntArray  # position of each protected instance's production server, -1: not among our servers
    targets: IntArray
    drills: IntArray
    scaling: IntArray
    pair_volumes: IntArray  # position of each volume named by a replication pair, -1: not among our volumes
    pair_rows: IntArray  # the pair's row, aligned
    busy_groups: frozenset[str] = frozenset()
    match: Match = field(default_factory=Match.none)
    trials: Trials | None = None
    of_groups: Sequence[tuple[str, Effect, Hits]] = ()  # what rules of groups found, group by group
    masks: ServerMasks | None = None

    def loaded(self, *names: str) -> bool:
        """Tell whether all these frames could be read."""
        return self.frames.loaded.issuperset(names)

    def unread(self, columns: Iterable[str]) -> tuple[str, ...]:
        """Return those of ``columns`` (``frame.column``) that were not read although their frame was."""
        parts = [(name, *name.split(".")) for name in columns]
        return tuple(name for name, frame, column in parts if column in self.frames.unread.get(frame, ()))

    @cached_property
    def servers(self) -> Columns:
        """Columns of servers, by server position."""
        return Columns(self.frames["servers"], self.server_ids.rows)

    @cached_property
    def volumes(self) -> Columns:
        """Columns of volumes, by volume position."""
        return Columns(self.frames["volumes"], self.volume_ids.rows)

    @cached_property
    def groups(self) -> Columns:
        """Columns of protection groups, by group position."""
        return Columns(self.frames["groups"], self.group_ids.rows)

    @cached_property
    def server_labels(self) -> Labels:
        """Servers as the operator knows them."""
        return Labels(self.server_ids.labels, self.servers.coded("name"))

    @cached_property
    def volume_labels(self) -> Labels:
        """Volumes as the operator knows them."""
        return Labels(self.volume_ids.labels, self.volumes.coded("name"))

    @cached_property
    def group_labels(self) -> Labels:
        """Groups as the operator knows them."""
        return Labels(self.group_ids.labels, self.groups.coded("name"))

    @cached_property
    def production_az(self) -> ObjectArray:
        """Where each group's production runs now, by group position; None where the group does not say.

        ``source_az`` while ``priority_station`` is ``source``, else ``target_az``: the AZs of a group never change,
        the station does (page "Querying protection groups", field priority_station).
        """
        return self._az_of_station({"source": "source_az", "target": "target_az"})

    @cached_property
    def sites(self) -> Sites:
        """Where each group's production runs now, in the codes of servers."""
        vpc = self.groups.coded("vpc_id")
        return Sites(
            self.servers.coded("vpc_id").code_of(vpc[at] for at in range(len(self.groups))),
            self.servers.coded("az").code_of(self.production_az),
        )

    @cached_property
    def dr_az(self) -> ObjectArray:
        """The other AZ of each group."""
        return self._az_of_station({"source": "target_az", "target": "source_az"})

    def _az_of_station(self, columns: Mapping[str, str]) -> ObjectArray:
        station = self.groups.coded("priority_station")
        chosen = [
            self.groups.coded(columns[station[at]])[at] if station[at] in columns else None
            for at in range(len(self.groups))
        ]
        return np.array([*chosen, None], dtype=object)[:-1]

    @cached_property
    def flavors(self) -> Mapping[str, Mapping[str, Any]]:
        """Flavors by id, with None for what is not said; empty where they were not read."""
        table = self.frames["flavors"]
        if table.empty:
            return {}
        plain = table.astype(object).where(table.notna(), None)
        rows: list[dict[str, Any]] = plain.to_dict("records")  # type: ignore[assignment]  # column names are texts
        return {str(row["flavor_id"]): row for row in rows}

    @cached_property
    def dr_flavor(self) -> Coded:
        """The flavor of each server's DR server: what options say, else production's own."""
        own = self.servers.coded("flavor_id")
        asked = self.options.flavors or {}
        places = self.server_ids.positions(asked)
        labels = list(dict.fromkeys([*own.labels, *(flavor for flavor in asked.values() if flavor)]))
        codes = own.codes.copy()
        for server_id, at in places.items():
            if asked[server_id]:
                codes[at] = labels.index(asked[server_id])
        return Coded(codes, np.array([*labels, None], dtype=object)[:-1])

    @cached_property
    def windows_with_key(self) -> BoolArray:
        """Windows servers that log in with a key pair."""
        return self.servers.coded("os_type").isin({"Windows"}) & self.servers.coded("key_name").given

    @cached_property
    def owners(self) -> IntArray:
        """How many servers each volume is attached to."""
        return np.bincount(self.attachments.volumes, minlength=len(self.volume_ids))

    @cached_property
    def shared(self) -> BoolArray:
        """Shared volumes: multiattach, or attached to more than one server (the union of what ECS and EVS say)."""
        return self.volumes.true("multiattach") | (self.owners > 1)

    @cached_property
    def clusters(self) -> Clusters:
        """Servers tied together by shared volumes."""
        return find_clusters(self.attachments.servers, self.attachments.volumes, self.owners, len(self.server_ids))

    @cached_property
    def system_volume(self) -> BoolArray:
        """For each attachment whether it is its server's system volume: bootIndex "0", else the root device."""
        bootable = self.attachments.columns.true("bootable")
        has = np.zeros(len(self.server_ids), dtype=bool)
        has[self.attachments.servers[bootable]] = True
        device, root = self.attachments.columns.coded("device"), self.servers.coded("root_device")
        as_root = np.append(root.code_of(device.labels), -1)[device.codes]
        mounted = (as_root >= 0) & (as_root == root.codes[self.attachments.servers])
        return np.asarray(bootable | (mounted & ~has[self.attachments.servers]), dtype=bool)

    @cached_property
    def paired(self) -> BoolArray:
        """Volumes that are in a replication pair already."""
        paired = np.zeros(len(self.volume_ids), dtype=bool)
        paired[self.pair_volumes[self.pair_volumes >= 0]] = True
        return paired

    def by_attachment(
        self,
        mask: BoolArray,
        *,
        variant: str = "",
        lacking: str | tuple[str, ...] = (),
        by_row: Mapping[str, Lookup] | None = None,
        **by_volume: Lookup,
    ) -> Hits:
        """Return one hit a server that has an attachment where ``mask`` holds, with lists of evidence.

        ``volumes`` (names and ids) is always there; further evidence is read by volume or by attachment.
        """
        rows = np.flatnonzero(mask)
        volumes = self.attachments.volumes[rows]
        fields = {name: (values, volumes) for name, values in {"volumes": self.volume_labels, **by_volume}.items()}
        fields |= {name: (values, rows) for name, values in (by_row or {}).items()}
        return grouped(self.attachments.servers[rows], fields, variant=variant, lacking=lacking)

    def by_rows(self, frame: str, positions: IntArray, chosen: BoolArray | None = None, **columns: str) -> Hits:
        """Return one hit a server that rows of another frame name, with lists of those rows' values.

        ``positions`` are the servers named, row by row; ``columns`` are evidence and the frame's column it shows.
        """
        rows = np.flatnonzero(positions >= 0 if chosen is None else (positions >= 0) & chosen)
        rows = rows[np.argsort(positions[rows], kind="stable")]
        return grouped(positions[rows], {name: (self.raw(frame, column), rows) for name, column in columns.items()})

    def given(self, frame: str, column: str) -> BoolArray:
        """Return where a column of another frame has a value that is not empty, by row of that frame."""
        values = self.frames.column(frame, column)
        return np.asarray(values.fillna("").ne(""), dtype=bool)

    def raw(self, frame: str, column: str) -> Lookup:
        """Return a column of any frame for evidence, by row of that frame."""
        table = self.frames[frame]
        return Columns(table, np.arange(len(table))).raw(column)

    def of_volumes(self, mask: BoolArray) -> BoolArray:
        """Return a mask over volumes as one over attachments."""
        return mask[self.attachments.volumes]

    def shared_by(self, servers: IntArray) -> Many:
        """Return evidence: the volumes that tie each of ``servers`` to others."""
        links = self.clusters.links
        owners = self.attachments.servers[links]
        starts, ends = np.searchsorted(owners, servers, "left"), np.searchsorted(owners, servers, "right")
        return Many(self.volume_labels, self.attachments.volumes[links], starts, ends)

    def members(self, hits: IntArray, chosen: BoolArray, values: Lookup | None = None) -> Companions:
        """Return evidence: for each server of ``hits``, the other members of its cluster that are ``chosen``."""
        return self.clusters.companions(hits, chosen, self.server_labels if values is None else values)
