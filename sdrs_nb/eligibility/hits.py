"""What a rule gives back: positions and evidence as arrays, no text.

Evidence points into columns and is read when a finding is shown, so a rule that fires for every server of a big
estate costs no more than one that fires for none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from sdrs_nb.eligibility.columns import BoolArray, IntArray, Lookup, read_all

#: What no inventory can hold, because nobody publishes it.
UNPUBLISHED = ""

__all__ = ["UNPUBLISHED", "Evidence", "Hits", "Many", "One", "Same", "grouped", "where"]


class Evidence(Protocol):
    """One field of evidence, aligned with the rows of its hits."""

    def value(self, hit: int) -> Any:
        """Return the value for the given hit: a plain value, a list of values, or None."""
        ...

    def values_of_all(self) -> list[Any] | None:
        """Return the values of every hit at once; None where only ``value`` can tell."""
        ...

    def take(self, keep: IntArray) -> "Evidence":
        """Return the same field for some of the hits."""
        ...


@dataclass(frozen=True, slots=True)
class Same:
    """The same value for every hit."""

    constant: Any

    def value(self, hit: int) -> Any:  # noqa: ARG002 - the protocol's argument; every hit has the same value
        """Return the constant."""
        return self.constant

    def values_of_all(self) -> None:
        """Return None: how many hits there are is not known here."""

    def take(self, keep: IntArray) -> "Same":  # noqa: ARG002 - the protocol's argument; nothing to select from
        """Return itself."""
        return self


@dataclass(frozen=True, slots=True)
class One:
    """One value a hit: ``values`` read at ``rows``."""

    values: Lookup
    rows: IntArray

    def value(self, hit: int) -> Any:
        """Return the value at the hit's row."""
        return self.values[self.rows[hit]]

    def values_of_all(self) -> list[Any]:
        """Return the value of every hit."""
        return read_all(self.values, self.rows)

    def take(self, keep: IntArray) -> "One":
        """Return the same field for some of the hits."""
        return One(self.values, self.rows[keep])


@dataclass(frozen=True, slots=True)
class Many:
    """A list a hit: ``values`` read at ``rows[starts:ends]``, sorted as text and each value once."""

    values: Lookup
    rows: IntArray
    starts: IntArray
    ends: IntArray

    def value(self, hit: int) -> list[Any]:
        """Return the hit's values, sorted, without repetition."""
        return _each_once(read_all(self.values, self.rows[self.starts[hit] : self.ends[hit]]))

    def values_of_all(self) -> list[Any]:
        """Return the values of every hit."""
        values = read_all(self.values, self.rows)
        return [
            _each_once(values[start:end]) for start, end in zip(self.starts.tolist(), self.ends.tolist(), strict=True)
        ]

    def take(self, keep: IntArray) -> "Many":
        """Return the same field for some of the hits."""
        return Many(self.values, self.rows, self.starts[keep], self.ends[keep])


@dataclass(frozen=True, slots=True)
class Hits:
    """Where a rule fired.

    ``rows`` are positions on the axis of the rule's scope: servers, or groups for a rule of scope ``group``.
    ``variant`` names an entry of the rule's ``variants``; ``lacking`` names the facts that were missing, as a frame or
    ``frame.column``, and makes the hits unverified; ``groups`` names the group of each row where it is not the one
    the server is judged against.
    """

    rows: IntArray
    evidence: Mapping[str, Evidence] = field(default_factory=lambda: MappingProxyType({}))
    variant: str = ""
    lacking: tuple[str, ...] = ()
    groups: IntArray | None = None

    @property
    def unverified(self) -> bool:
        """Whether data was missing, so that nothing is said of the rule itself."""
        return bool(self.lacking)

    def __len__(self) -> int:
        return len(self.rows)

    def with_evidence(self, **evidence: Any) -> "Hits":
        """Return the hits with further evidence: columns are read at the row, anything else is the same."""
        fields = {name: _field(value, self.rows) for name, value in evidence.items()}
        return Hits(self.rows, {**self.evidence, **fields}, self.variant, self.lacking, self.groups)

    def take(self, keep: IntArray) -> "Hits":
        """Return some of the hits, evidence with them."""
        return Hits(
            self.rows[keep],
            {name: one.take(keep) for name, one in self.evidence.items()},
            self.variant,
            self.lacking,
            None if self.groups is None else self.groups[keep],
        )


def where(mask: BoolArray, /, *, variant: str = "", lacking: str | tuple[str, ...] = (), **evidence: Any) -> Hits:
    """Return hits where ``mask`` holds; evidence given as a column is read at the row, anything else is the same."""
    rows = np.flatnonzero(mask)
    return Hits(rows, {name: _field(value, rows) for name, value in evidence.items()}, variant, _names(lacking))


def grouped(
    owners: IntArray,
    evidence: Mapping[str, tuple[Lookup, IntArray]],
    *,
    variant: str = "",
    lacking: str | tuple[str, ...] = (),
) -> Hits:
    """Return one hit for each distinct owner of ``owners`` (ascending), with lists of evidence.

    Each evidence is ``(values, rows)`` with ``rows`` aligned to ``owners``.
    """
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    ends = np.append(starts[1:], len(owners))
    fields = {name: Many(values, rows, starts, ends) for name, (values, rows) in evidence.items()}
    return Hits(owners[starts], fields, variant, _names(lacking))


def _names(lacking: str | tuple[str, ...]) -> tuple[str, ...]:
    return (lacking,) if isinstance(lacking, str) else lacking


def _each_once(values: list[Any]) -> list[Any]:
    if len(values) == 1:
        return [] if values[0] is None else values
    return sorted({*values} - {None}, key=str)


def _field(value: Any, rows: IntArray) -> Evidence:
    if isinstance(value, (Same, One, Many)):
        return value
    if value is None or isinstance(value, (str, int, float)):
        return Same(value)
    return One(value, rows)
