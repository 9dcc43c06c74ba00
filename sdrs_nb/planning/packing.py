"""Clusters and single servers into the fewest batches, with a proof, and so that an addition changes few of them.

Only clusters (servers that must travel together) make this bin packing: single servers fill holes, so the fewest
batches are ``max(fewest for the clusters, ceil(all servers / limit))``.  ``cluster_packing`` solves the clusters.

Which single server goes where is decided along the binary trie of the servers' names (``_climb``): neighbours by
name meet first, what does not fill a batch moves up.  A server more or less touches at most one batch at each fork
between its name and the root, whereas chunks of the sorted list would move every server behind it.
"""

from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from typing import Literal, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from sdrs_nb.planning.cluster_packing import STEPS, pack_clusters

__all__ = [
    "STEPS",
    "PackedServers",
    "Packing",
    "Unit",
    "pack",
    "pack_servers",
    "places",
    "sort_as_recorded",
    "with_recorded",
]

T = TypeVar("T")


class Unit(NamedTuple):
    """What travels whole: a single server or a cluster; ``place`` is its unique position among all names."""

    place: int
    size: int


@dataclass(frozen=True, slots=True)
class Packing:
    """Batches of one batch key as indices of units, and what is known of the fewest possible.

    ``bound_by`` says what gives the lower bound: ``"servers"`` (all servers over the limit) or ``"clusters"``
    (whole clusters alone need as many).
    """

    batches: tuple[tuple[int, ...], ...]
    lower_bound: int
    bound_by: Literal["servers", "clusters"]

    @property
    def is_proven(self) -> bool:
        """True when no packing with fewer batches exists."""
        return len(self.batches) == self.lower_bound


def places(names: Iterable[str], ids: Iterable[str]) -> list[int]:
    """Return the position of each name among all names there could be, as a number; ids part equal names."""
    keys = [f"{name}\0{own_id}".encode() for name, own_id in zip(names, ids, strict=True)]
    width = max(map(len, keys), default=0)
    return [int.from_bytes(key.ljust(width, b"\0")) for key in keys]


class PackedServers(NamedTuple):
    """The batches of one batch key as server ids, and the packing they come from."""

    servers: list[tuple[str, ...]]
    packing: Packing

    @property
    def server_count(self) -> int:
        """How many servers there are in all."""
        return sum(map(len, self.servers))


def pack_servers(
    server_ids: npt.NDArray[np.object_],
    spots: Sequence[int],
    units: npt.NDArray[np.object_],
    limit: int,
    *,
    steps: int = STEPS,
) -> PackedServers:
    """Return servers sorted by name and id in batches; those of one unit travel whole.  ``spots`` are from ``places``.

    Raises
    ------
    ValueError
        As ``pack`` does.
    """
    members: dict[str, list[int]] = {}
    for row, unit in enumerate(units):
        members.setdefault(unit, []).append(row)
    rows = list(members.values())
    packing = pack([Unit(spots[each[0]], len(each)) for each in rows], limit, steps=steps)
    batches = (sorted(row for unit in batch for row in rows[unit]) for batch in packing.batches)
    return PackedServers([tuple(server_ids[row] for row in batch) for batch in batches], packing)


def with_recorded(
    rows: Sequence[int],
    server_ids: npt.NDArray[np.object_],
    recorded: Collection[tuple[str, ...]],
    limit: int,
    pack_rows: Callable[[Sequence[int]], PackedServers],
) -> PackedServers:
    """Return what ``pack_rows`` makes of the rows, with batches of a tape as they were where all of them is wanted.

    Pseudonyms sort otherwise than names, so that other batches would be made of them, and other requests.
    """
    packed = pack_rows(rows)
    wanted = set(server_ids)
    known = [batch for batch in recorded if wanted.issuperset(batch) and len(batch) <= limit]
    if not known:
        return packed
    kept = {server for batch in known for server in batch}
    rest = [row for row, server in zip(rows, server_ids, strict=True) if server not in kept]
    servers = [*known, *pack_rows(rest).servers]
    batches = tuple((number,) for number in range(len(servers)))
    return PackedServers(servers, Packing(batches, packed.packing.lower_bound, packed.packing.bound_by))


def sort_as_recorded(order: list[T], packed: Mapping[T, PackedServers], recorded: Iterable[tuple[str, ...]]) -> None:
    """Bring what shares a request into the order in which a tape has its batches; nothing moves where there is none."""
    places_of = {batch: number for number, batch in enumerate(recorded)}
    order.sort(key=lambda key: min((places_of.get(each, len(places_of)) for each in packed[key].servers), default=0))


def pack(units: Sequence[Unit], limit: int, *, steps: int = STEPS) -> Packing:
    """Return the units in as few batches of at most ``limit`` servers as can be found in ``steps`` counted steps.

    ``units`` come in the order of their places; each is in exactly one batch.  Batches are in the order of their
    first unit.  No unit gives no batch.  Pure; equal inputs give equal answers.

    Raises
    ------
    ValueError
        When a unit is larger than ``limit``; the planner leaves such clusters out before.
    """
    if any(unit.size > limit for unit in units):
        raise ValueError("a cluster larger than the limit fits in no batch")
    by_volume = -(-sum(unit.size for unit in units) // limit)
    singles = [index for index, unit in enumerate(units) if unit.size == 1]
    sizes = Counter(unit.size for unit in units if unit.size > 1)
    patterns, by_clusters = pack_clusters(sizes, limit, at_least=by_volume, steps=steps)
    batches = _dealt(units, patterns)
    holes = [limit - sum(pattern) for pattern in patterns]
    fillers, rest = _parted(units, singles, sum(holes))
    _fill(units, batches, holes, fillers)
    batches += _chunks(units, rest, limit)
    return Packing(
        tuple(sorted(tuple(sorted(batch)) for batch in batches)),
        max(by_volume, by_clusters),
        "servers" if by_volume >= by_clusters else "clusters",
    )


def _dealt(units: Sequence[Unit], patterns: Iterable[tuple[int, ...]]) -> list[list[int]]:
    """Return one list of cluster indices a pattern, clusters of a size in the order of their places."""
    waiting: dict[int, deque[int]] = {}
    for index, unit in enumerate(units):
        waiting.setdefault(unit.size, deque()).append(index)
    return [[waiting[size].popleft() for size in pattern] for pattern in patterns]


def _parted(units: Sequence[Unit], singles: list[int], holes: int) -> tuple[list[int], list[int]]:
    """Return the singles that fill holes beside clusters and those that make batches of their own.

    Where there are more singles than holes a hash chooses: any order by name would choose anew from the new
    server on, a hash changes at most one of them.
    """
    if holes >= len(singles):
        return singles, []

    def digest(index: int) -> bytes:
        place = units[index].place
        return blake2b(place.to_bytes((place.bit_length() + 7) // 8), digest_size=8).digest()

    chosen = set(sorted(singles, key=digest)[:holes]) if holes else set()
    return sorted(chosen), [index for index in singles if index not in chosen]


def _climb(units: Sequence[Unit], indices: Sequence[int], leaf: Callable[[int], T], join: Callable[[T, T], T]) -> T:
    """Return what ``join`` makes of all leaves, joined along the binary trie of their places, neighbours first."""
    waiting: list[tuple[int, T]] = []  # a finished left part and the bit at which it forks from what follows
    now = leaf(indices[0])
    for before, index in pairwise(indices):
        fork = (units[before].place ^ units[index].place).bit_length()
        while waiting and waiting[-1][0] < fork:
            now = join(waiting.pop()[1], now)
        waiting.append((fork, now))
        now = leaf(index)
    while waiting:
        now = join(waiting.pop()[1], now)
    return now


def _chunks(units: Sequence[Unit], singles: Sequence[int], limit: int) -> list[list[int]]:
    """Return the singles in full batches, the last one excepted."""
    full: list[list[int]] = []

    def joined(left: list[int], right: list[int]) -> list[int]:
        left += right
        if len(left) < limit:
            return left
        full.append(left[:limit])
        return left[limit:]

    if not singles:
        return full
    if limit == 1:
        return [[index] for index in singles]
    over = _climb(units, singles, lambda index: [index], joined)
    return [*full, over] if over else full


class _Open(NamedTuple):
    """Singles without a hole yet, or holes (numbers of batches) without a single: one of the two is empty."""

    singles: deque[int]
    holes: deque[int]


def _fill(units: Sequence[Unit], batches: list[list[int]], holes: Sequence[int], singles: Sequence[int]) -> None:
    """Put every single into a hole, near names together; there are at least as many holes as singles."""
    first = {batch[0]: number for number, batch in enumerate(batches) if holes[number]}

    def leaf(index: int) -> _Open:
        if index in first:
            return _Open(deque(), deque([first[index]] * holes[first[index]]))
        return _Open(deque([index]), deque())

    def join(left: _Open, right: _Open) -> _Open:
        both = _Open(_joined(left.singles, right.singles), _joined(left.holes, right.holes))
        while both.singles and both.holes:
            batches[both.holes.popleft()].append(both.singles.popleft())
        return both

    if singles:
        _climb(units, sorted([*first, *singles]), leaf, join)


def _joined(left: deque[int], right: deque[int]) -> deque[int]:
    """Return both in order, moving the shorter: long queues are not copied at every fork."""
    if len(left) < len(right):
        right.extendleft(reversed(left))
        return right
    left.extend(right)
    return left
