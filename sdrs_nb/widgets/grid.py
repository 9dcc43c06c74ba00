"""A grid over any DataFrame with an id column, for JupyterLab and Voila.

How to use it::

    grid = Grid(inventory.servers, columns=["name", "server_id", "status", "az"],
                labels={"name": _("Name")},
                status_columns={"status": {"ACTIVE": "good", "SHUTOFF": "neutral", "ERROR": "bad"}})
    grid                                   # a cell's last line shows it
    grid.selected                          # ("id-1", "id-7"), in the frame's order; may be set
    grid.on_selection(callback)            # callback(ids) after every change
    grid.on_open(callback)                 # callback(id) on Enter or double click
    grid.filter("az", choices=["az-1"])    # also contains=, regex=, range="8..32"; nothing given takes it away
    grid.search("db"); grid.sort("name"); grid.clear_filters()
    grid.update(frame)                     # new rows; selection kept by id, view kept
    grid.shown                             # the rows that the filters let through, in order, as a frame
    grid.export()                          # those rows as CSV text, formulas neutralised

The kernel holds rows, view and selection; a browser holds the rows it can see.  Rows travel by custom message and
are never part of a widget's state, so that no saved notebook holds an inventory.  All methods may be called from any
thread.  Callbacks run in the kernel's message handler (or in the thread of the caller) and only enqueue and return.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import anywidget
import pandas as pd

from sdrs_nb.i18n import _
from sdrs_nb.shown import html
from sdrs_nb.shown.cells import csv_text
from sdrs_nb.shown.disk import write_whole
from sdrs_nb.widgets.grid_messages import Shown, answer
from sdrs_nb.widgets.grid_state import GridState
from sdrs_nb.widgets.grid_texts import state_text
from sdrs_nb.widgets.paging import Filter, View
from sdrs_nb.widgets.writing import writer

__all__ = ["Grid"]

_HERE = Path(__file__).parent
_FEW = 5  # rows that a saved or exported notebook shows of a grid


class Grid(anywidget.AnyWidget):
    """Rows to look through, filter and select, known by an id.

    Parameters
    ----------
    frame
        The rows; copied, never changed.
    id_column
        The column that knows a row: every row its own, none missing.  It need not be shown.
    columns
        Columns that are offered, in order; None offers all.  Names that the frame lacks are left out.
    visible
        Columns shown at first; None shows all that are offered.
    labels
        Title of a column by its name; a column without one shows its name.
    status_columns
        ``{column: {value: tone}}`` for columns shown as word, colour and shape; tones are ``good``, ``warning``,
        ``bad``, ``running``, ``unknown`` and ``neutral``.  The order given is the order in which the column sorts.
    words
        ``{column: {value: text}}``: what is shown in place of a value, such as its translation.
    height
        Height in pixels, 160 or more; the operator can pull it taller.
    title
        What the rows are, for screen readers, the export's file name and the saved summary.
    detail
        Whether Enter or a double click shows all values of a row beside the grid (callbacks of ``on_open`` are
        called either way).

    Raises
    ------
    InventoryError
        The id column is missing, or holds a missing or repeated id.
    SettingsError
        A tone is not known.
    """

    _esm = _HERE / "grid.js"
    _css = _HERE / "grid.css"

    def __init__(
        self,
        frame: pd.DataFrame,
        id_column: str = "server_id",
        columns: Sequence[str] | None = None,
        *,
        visible: Sequence[str] | None = None,
        labels: Mapping[str, str] | None = None,
        status_columns: Mapping[str, Mapping[str, str]] | None = None,
        words: Mapping[str, Mapping[str, str]] | None = None,
        height: int = 420,
        title: str = "",
        detail: bool = True,
    ) -> None:
        self.title = title or _("Rows")
        self._look = Shown(self.title, max(height, 160), detail)
        self._state = GridState(
            frame,
            id_column,
            columns,
            visible=visible,
            labels=labels or {},
            tones=status_columns or {},
            words=words or {},
        )
        self._selection_callbacks: list[Callable[[tuple[str, ...]], None]] = []
        self._open_callbacks: list[Callable[[str], None]] = []
        self._is_displayed = False
        super().__init__()
        self.on_msg(self._on_browser_message)

    def update(self, frame: pd.DataFrame) -> None:
        """Show ``frame`` instead, under the same search, filters and order.

        The selection stays by id: a selected row that is gone is no longer part of ``selected``, and is selected
        again when a later frame brings it back.  A filter on a column that is gone is taken away.  Raises
        ``InventoryError`` as the constructor does, and then nothing has changed.
        """
        self._announce(selection=self._state.update(frame))
        if self._is_displayed:
            self._prepare()

    @property
    def rows(self) -> pd.DataFrame:
        """All rows, in the order in which they came; a frame of its own."""
        return self._state.rows.frame.copy()

    @property
    def shown(self) -> pd.DataFrame:
        """The rows that search and filters let through, in the order shown, with all columns of the frame."""
        with self._state.lock:
            return self._state.rows.frame.iloc[self._state.positions].reset_index(drop=True)

    def __len__(self) -> int:
        return len(self._state.rows)

    @property
    def selected(self) -> tuple[str, ...]:
        """Ids of the selected rows in the frame's order, those that filters hide included.

        Setting it raises ``SettingsError`` for an id that no row has, and then nothing changes.
        """
        return self._state.selected

    @selected.setter
    def selected(self, ids: Iterable[str]) -> None:
        self._state.select(ids, replace_all=True)
        self._announce(selection=True)

    def select(self, ids: Iterable[str], *, on: bool = True) -> None:
        """Add ``ids`` to the selection, or take them away; ``SettingsError`` for an id that no row has."""
        self._state.select(ids, on=on)
        self._announce(selection=True)

    def select_shown(self, *, on: bool = True) -> None:
        """Select every row that search and filters let through, or take just those away; others stay as they are."""
        self._state.select_shown(on=on)
        self._announce(selection=True)

    @property
    def filters(self) -> dict[str, dict[str, object]]:
        """The filters by column as plain JSON, to be saved and given to ``set_filters`` later."""
        return {name: chosen.to_json() for name, chosen in self._state.view.filters.items()}

    def set_filters(self, filters: Mapping[str, Mapping[str, Any]]) -> None:
        """Replace all filters by saved ones; columns that the frame lacks are passed over.

        Raises ``SettingsError`` for one that cannot be read, and then nothing has changed.
        """
        offered = self._state.rows.columns
        made = {name: Filter.from_json(document) for name, document in filters.items() if name in offered}
        self._look_at(replace(self._state.view, filters={name: one for name, one in made.items() if one is not None}))

    def filter(
        self,
        column: str,
        *,
        contains: str | None = None,
        regex: str | None = None,
        choices: Iterable[object] | None = None,
        range: str | None = None,  # noqa: A002 - the operator's word for it
    ) -> None:
        """Filter one column; given nothing, take its filter away.

        Parameters
        ----------
        column
            A column that the grid offers.
        contains
            Text that the value holds, in any case.
        regex
            Regular expression found anywhere in the value, in any case.
        choices
            Values of the column; ``""`` stands for missing.
        range
            Numbers or times (UTC), such as ``"8..32"``, ``">= 8"``, ``"2025-03"``.

        Raises ``SettingsError`` for an unknown column or a filter that cannot be read.
        """
        chosen: Filter | None = None
        if choices is not None:
            described = self._state.column(column)
            chosen = Filter("choices", values=tuple(described.text(one) for one in choices))
        elif contains is not None:
            chosen = Filter("contains", contains)
        elif regex is not None:
            chosen = Filter("regex", regex)
        elif range is not None:
            chosen = Filter("range", range)
        self._look_at(self._state.filtered(column, chosen))

    def search(self, text: str) -> None:
        """Show rows in which every word of ``text`` occurs in some column; empty text takes the search away."""
        self._look_at(replace(self._state.view, search=text))

    def sort(self, *columns: str, descending: bool = False) -> None:
        """Order by ``columns``, the first one first; no column: the frame's order.  Missing values come last.

        Raises ``SettingsError`` for a column that the grid does not offer.
        """
        keys = tuple((self._state.column(name).name, descending) for name in columns)
        self._look_at(replace(self._state.view, sort=keys))

    def clear_filters(self) -> None:
        """Take search and every filter away; order and selection stay."""
        self._look_at(View(sort=self._state.view.sort))

    def export(self, path: str | Path | None = None) -> str:
        """Return the shown rows and visible columns as CSV text, and write it to ``path`` when one is given.

        The header holds the columns' names, so that the file can be read as an inventory; a cell that a spreadsheet
        would run as a formula gets an apostrophe in front.  The file is UTF-8 with a byte order mark, for Excel.
        """
        with self._state.lock:
            text = csv_text(self._state.texts(self._state.positions))
        if path is not None:
            write_whole(Path(path), text.encode("utf-8-sig"))
        return text

    def on_selection(self, callback: Callable[[tuple[str, ...]], None]) -> None:
        """Have ``callback(ids)`` called after every change of the selection."""
        self._selection_callbacks.append(callback)

    def on_open(self, callback: Callable[[str], None]) -> None:
        """Have ``callback(id)`` called when a row is opened by Enter or a double click."""
        self._open_callbacks.append(callback)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """Return the live view and, beside it, a short escaped account for saved and exported notebooks."""
        bundle: Any = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        return {**data, "text/plain": repr(self), "text/html": self._repr_html_()}, metadata

    def _repr_html_(self) -> str:
        with self._state.lock:
            few = self._state.texts(self._state.positions[:_FEW]).iloc[:, :_FEW]
            counts = self._state.counts()
            labels = {name: column.title for name, column in self._state.rows.columns.items()}
        body = html.table(few, _FEW, labels=labels, total=counts["shown"])
        return html.summary(self.title, notes=[state_text(**counts)], body=[body])

    def __repr__(self) -> str:
        return f"<Grid {self.title}: {state_text(**self._state.counts())}>"

    def _look_at(self, view: View) -> None:
        self._state.set_view(view)
        self._announce(selection=False)

    def _announce(self, *, selection: bool) -> None:
        """Tell browsers that something changed, at most five times a second, then the callbacks of the selection."""
        writer().post(self, "changed", self._tell_changed)
        if selection:
            ids = self.selected
            for callback in self._selection_callbacks:
                callback(ids)

    def _prepare(self) -> None:
        """Have the first search ready before it is typed, without keeping the kernel from its next message."""
        threading.Thread(target=self._state.rows.prepare, name="sdrs-nb-grid", daemon=True).start()

    def _tell_changed(self) -> None:
        self.send({"type": "changed", "version": self._state.version})

    def _on_browser_message(self, _widget: object, question: Mapping[str, Any], _buffers: object) -> None:
        reply = answer(self._state, self._look, question)
        if reply is None:
            return
        self.send(reply.document)
        if not self._is_displayed:
            self._is_displayed = True
            self._prepare()
        if reply.changed:
            self._announce(selection=reply.selection)
        if reply.opened is not None:
            for callback in self._open_callbacks:
                callback(reply.opened)
