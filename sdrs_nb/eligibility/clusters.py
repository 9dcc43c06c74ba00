"""Clusters: servers tied together, directly or through others, by shared volumes.

A cluster goes whole into one request or not at all (page "Creating protected instances in a batch", Constraints:
servers with shared volumes need every server of those volumes in the list).
"""

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from sdrs_nb.eligibility.columns import BoolArray, IntArray, Lookup

Cell = TypeVar("Cell", np.bool_, np.int64)

__all__ = ["Clusters", "Companions", "find_clusters", "lowest_in_reach"]


@dataclass(frozen=True)
class Clusters:
    """Clusters of two and more servers; numbered by their first member in the order of ids.

    ``of`` gives each server's cluster (-1: none), ``members`` the servers cluster by cluster, ``starts`` where each
    cluster begins there (one more at the end), ``links`` the rows of attachments that tie them.
    """

    of: IntArray
    members: IntArray
    starts: IntArray
    links: IntArray

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def tied(self) -> BoolArray:
        """For each server whether it is in a cluster."""
        return self.of >= 0

    @property
    def first(self) -> IntArray:
        """For each server the first member of its cluster, whose id names the cluster; -1 where it is in none."""
        return np.append(self.members[self.starts[:-1]], -1)[self.of]

    @property
    def sizes(self) -> IntArray:
        """How many servers each cluster has."""
        return np.diff(self.starts)

    def any(self, mask: BoolArray) -> BoolArray:
        """Return for each server whether some member of its cluster holds ``mask``."""
        return self._spread(self.count(mask) > 0)

    def any_other(self, mask: BoolArray) -> BoolArray:
        """Return for each server whether some other member of its cluster holds ``mask``."""
        others = self._spread(self.count(mask)) - mask
        return others > 0

    def count(self, mask: BoolArray) -> IntArray:
        """Return how many members of each cluster hold ``mask``."""
        return np.bincount(self.of[self.members[mask[self.members]]], minlength=len(self)).astype(np.int64)

    def varied(self, codes: IntArray) -> BoolArray:
        """Return for each server whether the members of its cluster have different ``codes`` (missing ones aside)."""
        known = self.members[codes[self.members] >= 0]
        low = np.full(len(self), np.iinfo(np.int64).max)
        high = np.full(len(self), -1)
        np.minimum.at(low, self.of[known], codes[known])
        np.maximum.at(high, self.of[known], codes[known])
        return self._spread(low < high)

    def companions(self, servers: IntArray, chosen: BoolArray, values: Lookup) -> "Companions":
        """Return evidence: for each server, the other ``chosen`` members of its cluster, through ``values``."""
        return Companions(self, servers, chosen, values)

    def _spread(self, by_cluster: npt.NDArray[Cell]) -> npt.NDArray[Cell]:
        spread = np.zeros(len(self.of), dtype=by_cluster.dtype)
        spread[self.members] = by_cluster[self.of[self.members]]
        return spread


@dataclass(frozen=True, slots=True)
class Companions:
    """Evidence: other members of each server's cluster, looked up when shown."""

    clusters: Clusters
    servers: IntArray
    chosen: BoolArray
    values: Lookup

    def value(self, hit: int) -> list[Any]:
        """Return the hit's companions, sorted."""
        server = self.servers[hit]
        cluster = self.clusters.of[server]
        members = self.clusters.members[self.clusters.starts[cluster] : self.clusters.starts[cluster + 1]]
        found = {self.values[member] for member in members if self.chosen[member] and member != server}
        return sorted(found - {None}, key=str)

    def values_of_all(self) -> None:
        """Return None: companions are looked up server by server."""

    def take(self, keep: IntArray) -> "Companions":
        """Return the same field for some of the hits."""
        return Companions(self.clusters, self.servers[keep], self.chosen, self.values)


def find_clusters(servers: IntArray, volumes: IntArray, owners: IntArray, n_servers: int) -> Clusters:
    """Return the connected components over volumes with more than one owner.

    ``servers`` and ``volumes`` are the two ends of each attachment, ``owners`` counts servers by volume.  Only
    attachments of volumes with several owners enter the search, a small part of any estate.
    """
    links = np.flatnonzero(owners[volumes] > 1)
    by_volume = links[np.argsort(volumes[links], kind="stable")]
    same = np.flatnonzero(volumes[by_volume[1:]] == volumes[by_volume[:-1]])
    one, other = servers[by_volume[same]], servers[by_volume[same + 1]]
    lowest = lowest_in_reach(one, other, n_servers)
    nodes = np.unique(servers[links])
    _roots, number = np.unique(lowest[nodes], return_inverse=True)
    of = np.full(n_servers, -1, dtype=np.int64)
    of[nodes] = number
    members = nodes[np.argsort(number, kind="stable")]
    return Clusters(of, members, np.searchsorted(of[members], np.arange(len(_roots) + 1)), links)


def lowest_in_reach(one: IntArray, other: IntArray, n_servers: int) -> IntArray:
    """Return for each server the lowest position it is connected with: hooking and pointer jumping until stable."""
    lowest = np.arange(n_servers)
    while True:
        before = lowest.copy()
        smaller = np.minimum(lowest[one], lowest[other])
        for end in (one, other):
            np.minimum.at(lowest, before[end], smaller)
            np.minimum.at(lowest, end, smaller)
        lowest = lowest[lowest]
        if np.array_equal(lowest, before):
            return lowest
