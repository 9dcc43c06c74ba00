"""Columns of facts as arrays: strings become codes once, so that a rule looks at each distinct value once.

Everything here is sorted by id, whatever the order of rows in the frames, which is why the same inventory gives
the same findings byte for byte.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.extensions import ExtensionArray

__all__ = [
    "BoolArray",
    "Coded",
    "Columns",
    "FloatArray",
    "Ids",
    "IntArray",
    "Lookup",
    "ObjectArray",
    "RepeatedError",
    "code_together",
    "read_all",
]

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
ObjectArray = npt.NDArray[np.object_]


class Lookup(Protocol):
    """Anything that gives a value by position; used for evidence, which is read only when it is shown."""

    def __getitem__(self, position: Any, /) -> Any:
        """Return the value at ``position``."""
        ...


@dataclass(frozen=True, slots=True)
class Coded:
    """A column of strings as codes into its distinct values; code -1 is a missing value."""

    codes: IntArray
    labels: ObjectArray

    def __getitem__(self, position: Any, /) -> Any:
        code = self.codes[position]
        return None if code < 0 else self.labels[code]

    def read(self, rows: IntArray) -> list[Any]:
        """Return the values at ``rows``, None where there is none."""
        values: list[Any] = np.array([*self.labels, None], dtype=object)[self.codes[rows]].tolist()
        return values

    def where(self, holds: Callable[[str], bool]) -> BoolArray:
        """Return for each row whether ``holds`` says yes to its value; a missing value is no."""
        answers = np.fromiter((holds(label) for label in self.labels), dtype=bool, count=len(self.labels))
        # One more answer at the end: code -1 finds it.
        return np.append(answers, False)[self.codes]

    def isin(self, values: Collection[str]) -> BoolArray:
        """Return for each row whether its value is one of ``values``; a missing value is not."""
        return self.where(frozenset(values).__contains__)

    @property
    def missing(self) -> BoolArray:
        """For each row whether it has no value."""
        return self.codes < 0

    @property
    def given(self) -> BoolArray:
        """For each row whether it has a value that is not the empty string."""
        return self.where(bool)

    def code_of(self, values: Iterable[str | None]) -> IntArray:
        """Return the code of each value in this column's own labels: -1 for None, -2 for a value never met."""
        known = {label: code for code, label in enumerate(self.labels)}
        return np.array([-1 if value is None else known.get(value, -2) for value in values], dtype=np.int64)


class Columns:
    """Columns of one frame, spread over a sorted universe of ids; an id that has no row has missing values."""

    def __init__(self, frame: pd.DataFrame, rows: IntArray) -> None:
        self._frame = frame
        self._rows = rows
        self._absent = rows < 0
        self._complete = not self._absent.any()
        self._coded: dict[str, Coded] = {}

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def known(self) -> BoolArray:
        """For each id whether the frame has a row for it."""
        return ~self._absent

    def coded(self, name: str) -> Coded:
        """Return a column of strings as codes; a column that the frame lacks is missing throughout."""
        if name not in self._coded:
            if name in self._frame:
                codes, labels = pd.factorize(self._frame[name].array)
                found = Coded(self._spread(codes, -1), np.asarray(labels, dtype=object))
            else:
                found = Coded(np.full(len(self), -1, dtype=np.int64), np.array([], dtype=object))
            self._coded[name] = found
        return self._coded[name]

    def raw(self, name: str) -> Lookup:
        """Return a column for evidence only: read row by row, and only when shown."""
        return _Raw(self._frame, name, self._rows)

    def true(self, name: str) -> BoolArray:
        """Return where a column of booleans is True."""
        if name not in self._frame:
            return np.zeros(len(self), dtype=bool)
        return self._spread(self._frame[name].to_numpy(dtype=bool, na_value=False), False)

    def missing(self, name: str) -> BoolArray:
        """Return where a column has no value."""
        if name not in self._frame:
            return np.ones(len(self), dtype=bool)
        return self._spread(self._frame[name].isna().to_numpy(), True)

    def numbers(self, name: str) -> FloatArray:
        """Return a column of numbers; NaN where there is none."""
        if name not in self._frame:
            return np.full(len(self), np.nan)
        return self._spread(self._frame[name].to_numpy(dtype=np.float64, na_value=np.nan), np.nan)

    def _spread(self, values: npt.NDArray[Any], fill: object) -> npt.NDArray[Any]:
        if not len(values):
            return np.full(len(self), fill, dtype=values.dtype)
        spread = values[self._rows]
        if not self._complete:
            spread[self._absent] = fill
        return spread


class _Raw:
    def __init__(self, frame: pd.DataFrame, name: str, rows: IntArray) -> None:
        self._frame, self._name, self._rows = frame, name, rows

    @cached_property
    def _values(self) -> ObjectArray | None:
        return self._frame[self._name].astype(object).to_numpy() if self._name in self._frame else None

    def __getitem__(self, position: Any, /) -> Any:
        row = self._rows[position]
        if row < 0 or self._values is None:
            return None
        value = self._values[row]
        return None if value is pd.NA else value

    def read(self, rows: IntArray) -> list[Any]:
        if self._values is None or not len(self._values):
            return [None] * len(rows)
        at = self._rows[rows]
        values = self._values[at].tolist()
        if at.min(initial=0) < 0:
            values = [None if row < 0 else value for row, value in zip(at.tolist(), values, strict=True)]
        return [None if value is pd.NA else value for value in values]


def read_all(values: Lookup, rows: IntArray) -> list[Any]:
    """Return the values at ``rows``; at once where the column can, else one by one."""
    if isinstance(values, np.ndarray):
        found: list[Any] = values[rows].tolist()
        return found
    reader: Callable[[IntArray], list[Any]] | None = getattr(values, "read", None)
    return [values[row] for row in rows.tolist()] if reader is None else reader(rows)


@dataclass(frozen=True)
class Ids:
    """A universe of ids and, for each, its row in the frame that owns them (-1: it has none)."""

    texts: ExtensionArray
    rows: IntArray

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def labels(self) -> ObjectArray:
        """The ids by position."""
        return np.asarray(self.texts, dtype=object)

    def positions(self, wanted: Iterable[str]) -> dict[str, int]:
        """Return the position of each wanted id that this universe, if it is sorted, holds."""
        names = list(wanted)
        if not len(self):
            return {}
        spots = np.searchsorted(self.labels, np.array(names, dtype=object))
        return {
            name: int(spot)
            for name, spot in zip(names, spots, strict=True)
            if spot < len(self) and self.labels[spot] == name
        }


def code_together(
    owner: pd.Series, inside: Sequence[pd.Series], outside: Sequence[pd.Series] = (), *, in_order: bool = True
) -> tuple[Ids, list[IntArray], list[IntArray]]:
    """Return one universe of ids and every series as positions in it.

    ``owner`` is the key column of the frame that describes these ids; ids of ``inside`` belong to the universe
    even where that frame does not know them; ids of ``outside`` that are in neither become -1, and so does a
    missing id.  All strings are looked at once, together: that is where the time of a big estate goes.  The universe
    is sorted unless ``in_order`` is False.

    Raises ``RepeatedError`` when ``owner`` has an id twice or none.
    """
    series = [owner, *inside, *outside]
    codes, labels = pd.factorize(pd.concat([one.astype("string") for one in series], ignore_index=True))
    cuts = np.cumsum([len(one) for one in series])
    parts = np.split(codes, cuts[:-1])
    size = 1 + max((int(part.max()) for part in parts[: 1 + len(inside)] if len(part)), default=-1)
    texts = labels[:size].array
    # Two more places at the end, so that -1 and codes beyond the universe are found there.
    place = np.full(len(labels) + 1, -1, dtype=np.int64)
    order = np.asarray(texts.argsort(), dtype=np.int64) if in_order else np.arange(size)
    place[order] = np.arange(size)
    placed = [place[part] for part in parts]
    _refuse_repetition(placed[0], owner)
    rows = np.full(size, -1, dtype=np.int64)
    rows[placed[0]] = np.arange(len(owner))
    return Ids(texts.take(order) if in_order else texts, rows), placed[1 : 1 + len(inside)], placed[1 + len(inside) :]


class RepeatedError(ValueError):
    """Ids that stand more than once; ``ids`` names some of them, none at all when a row has no id."""

    def __init__(self, ids: tuple[str, ...]) -> None:
        self.ids = ids
        super().__init__(", ".join(ids))


def _refuse_repetition(positions: IntArray, owner: pd.Series) -> None:
    if (positions < 0).any():
        raise RepeatedError(())
    if len(positions) and np.bincount(positions).max() > 1:
        raise RepeatedError(tuple(sorted(set(owner[owner.duplicated()]))[:5]))
