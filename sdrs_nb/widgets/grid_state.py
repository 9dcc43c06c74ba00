"""What the kernel knows of a grid: rows, view, selection by id, visible columns.  No ipywidgets in here.

One lock guards it all, for a task may bring new rows while the browser asks for a page.  ``version`` grows with
every change, ``layout`` with every change of the columns.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from sdrs_nb.errors import SettingsError
from sdrs_nb.i18n import _
from sdrs_nb.widgets.columns import Column, describe
from sdrs_nb.widgets.paging import Filter, Positions, Rows, View

__all__ = ["Counts", "GridState"]

Counts = dict[str, int]


class GridState:
    """Rows with a view and a selection; every method may be called from any thread.

    ``read`` turns a frame into described ``Rows``; errors are those of ``Rows`` and ``paging``.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        id_column: str,
        columns: Sequence[str] | None,
        *,
        visible: Sequence[str] | None,
        labels: Mapping[str, str],
        tones: Mapping[str, Mapping[str, str]],
        words: Mapping[str, Mapping[str, str]],
    ) -> None:
        self.lock = threading.RLock()
        self.version = 0
        self.layout = 0
        self.view = View()
        self.widths: dict[str, int] = {}
        self._id_column, self._offered, self._visible = id_column, columns, visible
        self._describe = _describer(labels, tones, words)
        self._ids: set[str] = set()
        self.rows = self._read(frame)
        self.positions = self.rows.positions(self.view)

    def _read(self, frame: pd.DataFrame) -> Rows:
        names = [str(name) for name in (self._offered if self._offered is not None else frame.columns)]
        return Rows(frame, self._id_column, self._describe(frame, [name for name in names if name in frame]))

    def update(self, frame: pd.DataFrame) -> bool:
        """Take ``frame`` in place of the rows, keep selection and view; return whether ``selected`` changed."""
        rows = self._read(frame)
        with self.lock:
            before = self.selected
            if tuple(rows.columns.values()) != tuple(self.rows.columns.values()):
                self.layout += 1
            self.view = self._fitting(rows)
            self.rows, self.positions = rows, rows.positions(self.view)
            self.version += 1
            return self.selected != before

    def _fitting(self, rows: Rows) -> View:
        """Return the view without what new rows cannot do: columns they lack, a range on what is now text."""
        kept = {
            name: chosen
            for name, chosen in self.view.filters.items()
            if name in rows.columns and (chosen.kind != "range" or rows.columns[name].kind in {"number", "time"})
        }
        return View(self.view.search, kept, tuple(key for key in self.view.sort if key[0] in rows.columns))

    # -- columns

    @property
    def visible(self) -> tuple[str, ...]:
        """Names of the columns that are shown, in order."""
        offered = tuple(self.rows.columns)
        return offered if self._visible is None else tuple(name for name in self._visible if name in offered)

    def show_columns(self, names: Iterable[str], widths: Mapping[str, int]) -> None:
        """Show ``names``, in that order; names that are not offered are passed over."""
        with self.lock:
            self._visible = [name for name in names if name in self.rows.columns]
            self.widths.update(widths)
            self.version += 1
            self.layout += 1

    def column(self, name: str) -> Column:
        """Return a column by name; raises ``SettingsError`` when the grid does not offer it."""
        if name not in self.rows.columns:
            raise SettingsError(_("The grid has no column {column}.", column=name))
        return self.rows.columns[name]

    # -- selection

    @property
    def selected(self) -> tuple[str, ...]:
        """Ids of the selected rows in the frame's order, hidden ones included."""
        with self.lock:
            return tuple(row_id for row_id in self.rows.ids if row_id in self._ids) if self._ids else ()

    def is_selected(self, row_id: str) -> bool:
        """Tell whether the row of this id is selected."""
        return row_id in self._ids

    def select(self, ids: Iterable[str], *, on: bool = True, replace_all: bool = False) -> None:
        """Add ids, take them away, or have just them; raises ``SettingsError`` for an id that no row has."""
        wanted = set(ids)
        with self.lock:
            if unknown := sorted(row_id for row_id in wanted if self.rows.position(row_id) is None):
                raise SettingsError(_unknown_text(unknown))
            self._change(wanted if replace_all else self._ids | wanted if on else self._ids - wanted)

    def select_shown(self, *, on: bool) -> None:
        """Select every shown row, or take just those away."""
        with self.lock:
            shown = self._ids_at(self.positions)
            self._change(self._ids | shown if on else self._ids - shown)

    def select_span(self, first: str, last: str, *, on: bool) -> None:
        """Select every shown row between two rows, both included, or take those away; nothing when one is hidden."""
        with self.lock:
            ends = [np.flatnonzero(self.positions == self.rows.position(row_id)) for row_id in (first, last)]
            if not all(len(end) for end in ends):
                return
            low, high = sorted(int(end[0]) for end in ends)
            span = self._ids_at(self.positions[low : high + 1])
            self._change(self._ids | span if on else self._ids - span)

    def clear_selection(self) -> None:
        """Select nothing."""
        with self.lock:
            self._change(set())

    def _ids_at(self, positions: Positions) -> set[str]:
        return {self.rows.ids[place] for place in positions.tolist()}

    def _change(self, ids: set[str]) -> None:
        self._ids = ids
        self.version += 1

    # -- view

    def set_view(self, view: View) -> None:
        """Show what ``view`` asks for; raises ``SettingsError`` when it cannot be read, and then nothing changes."""
        with self.lock:
            self.positions = self.rows.positions(view)
            self.view = view
            self.version += 1

    def filtered(self, column: str, chosen: Filter | None) -> View:
        """Return the present view with ``column`` filtered by ``chosen``, or not filtered when that is None."""
        others = self.view.without(self.column(column).name)
        return others if chosen is None else replace(others, filters={**others.filters, column: chosen})

    # -- what is shown

    def cells(self, positions: Positions) -> list[list[str]]:
        """Return the visible columns of some rows as texts."""
        return self.rows.cells(self.visible, positions.tolist())

    def texts(self, positions: Positions) -> pd.DataFrame:
        """Return the visible columns of some rows as a frame of texts."""
        return pd.DataFrame(self.cells(positions), columns=list(self.visible), dtype=object)

    def chosen_positions(self) -> Positions:
        """Return the positions of shown and selected rows, in the order shown."""
        ids = self.rows.ids
        return np.array([place for place in self.positions.tolist() if ids[place] in self._ids], dtype=np.intp)

    def counts(self) -> Counts:
        """Return how many rows there are (``total``), are ``shown``, ``selected``, and selected but ``hidden``."""
        with self.lock:
            selected = sum(row_id in self._ids for row_id in self.rows.ids) if self._ids else 0
            seen = len(self.chosen_positions()) if selected else 0
            return {
                "total": len(self.rows),
                "shown": len(self.positions),
                "selected": selected,
                "hidden": selected - seen,
            }


def _describer(
    labels: Mapping[str, str], tones: Mapping[str, Mapping[str, str]], words: Mapping[str, Mapping[str, str]]
) -> Callable[[pd.DataFrame, Sequence[str]], tuple[Column, ...]]:
    def described(frame: pd.DataFrame, names: Sequence[str]) -> tuple[Column, ...]:
        return describe(frame, names, labels=labels, tones=tones, words=words)

    return described


def _unknown_text(unknown: Sequence[Any]) -> str:
    return _("{count} ids are in no row, the first is {id}.", count=len(unknown), id=unknown[0])
