"""Counts of a column's values as chips that filter a grid."""

import ipywidgets
import pandas as pd

from sdrs_nb.i18n import _
from sdrs_nb.shown import html
from sdrs_nb.shown.cells import clipped, text_of
from sdrs_nb.shown.texts import visible
from sdrs_nb.widgets.grid import Grid
from sdrs_nb.widgets.panel import chip, row

__all__ = ["Facet"]

_MOST = 8  # chips of a facet; the grid's own filter offers the rest


class Facet(ipywidgets.HBox):
    """The most frequent values of one column of a grid with their counts; a click shows only those, or all again.

    Parameters
    ----------
    grid
        Filtered by the chips; its own filter of this column says which chip is in use.
    column
        The column's name.
    title
        What stands before the chips.
    """

    def __init__(self, grid: Grid, column: str, title: str) -> None:
        self._grid, self._column, self._title = grid, column, title
        self._counts: list[tuple[str, int]] = []
        self._more = 0
        self._names: dict[str, str] = {}
        super().__init__()
        self.layout = row().layout
        self.layout.align_items = "center"

    def count(self, values: "pd.Series[str]", names: dict[str, str] | None = None) -> None:
        """Count these values; ``names`` says what is shown in place of a value."""
        counts = values.fillna("").value_counts()
        self._names = names or {}
        self._counts = [(str(value), int(number)) for value, number in counts.head(_MOST).items()]
        self._more = max(len(counts) - _MOST, 0)
        self.draw()

    def draw(self) -> None:
        """Draw the chips, the one in use marked."""
        label = ipywidgets.HTML(html.fragment(html.escape(self._title)), layout=ipywidgets.Layout(width="64px"))
        more = [ipywidgets.HTML(html.fragment(html.escape(_("and {count} more", count=self._more))))]
        self.children = [label, *(self._chip(*one) for one in self._counts), *(more if self._more else [])]

    def _chip(self, value: str, number: int) -> ipywidgets.Button:
        shown = clipped(visible(self._names.get(value) or text_of(value) or _("none")), 40)
        on = self._chosen() == [value]
        return chip(f"{shown}: {number}", lambda: self._on_chip_click(value, on=on), is_on=on,
                    tooltip=_("Show all again") if on else _("Show only these"))  # fmt: skip

    def _chosen(self) -> object:
        return self._grid.filters.get(self._column, {}).get("values")

    def _on_chip_click(self, value: str, *, on: bool) -> None:
        if on:
            self._grid.filter(self._column)
        else:
            self._grid.filter(self._column, choices=[value])
        self.draw()
