"""A name rule and a tag to filter servers by, and filters kept by name for the next time."""

from collections.abc import Callable

import ipywidgets

from sdrs_nb.errors import SettingsError
from sdrs_nb.i18n import _
from sdrs_nb.shown import html
from sdrs_nb.widgets.grid import Grid
from sdrs_nb.widgets.panel import WIDE, button, row, text_field
from sdrs_nb.widgets.saved_filters import keep_filter, saved_filters

__all__ = ["FilterRow"]


class FilterRow(ipywidgets.VBox):
    """Text that a name holds (a regular expression between slashes), a tag, and saved filters.

    Parameters
    ----------
    grid
        Servers, with the columns ``name`` and ``tags``.
    changed
        Called after the grid's filters were changed here.
    """

    def __init__(self, grid: Grid, changed: Callable[[], None]) -> None:
        self._grid, self._changed = grid, changed
        self.name = text_field(description=_("Name holds"), placeholder=_("text, or /rule/"))
        self.tag = text_field(description=_("Tag"), placeholder=_("key=value"))
        self.name.observe(self._on_name_change, names="value")
        self.tag.observe(self._on_tag_change, names="value")
        self.saved = ipywidgets.Dropdown(description=_("Saved filter"), style=WIDE)
        self.saved.observe(self._on_saved_change, names="value")
        self.title = text_field(description=_("Save as"), width="220px")
        self._save = button(_("Save"), self._on_save_click)
        self._forget = button(_("Forget"), self._on_forget_click)
        self._clear = button(_("Clear filters"), self._on_clear_click)
        self._problem = ipywidgets.HTML()
        for text in (self.name, self.tag, self.saved):
            text.layout.width = "260px"
        self._offer("")
        super().__init__(
            [
                row(self.name, self.tag, self._clear),
                row(self.saved, self._forget, self.title, self._save),
                self._problem,
            ]
        )

    def _on_name_change(self, change: dict[str, object]) -> None:
        text = str(change["new"])
        is_rule = len(text) > 1 and text[0] == text[-1] == "/"
        self._filter("name", **{"regex": text[1:-1]} if is_rule else {"contains": text})

    def _on_tag_change(self, change: dict[str, object]) -> None:
        self._filter("tags", contains=str(change["new"]))

    def _filter(self, column: str, **wanted: str) -> None:
        try:
            self._grid.filter(column, **{kind: text for kind, text in wanted.items() if text})
        except SettingsError as error:
            self._problem.value = html.message(str(error), "bad")
        else:
            self._problem.value = ""
        self._changed()

    def _on_clear_click(self) -> None:
        self.name.value = self.tag.value = ""
        self.saved.value = ""
        self._grid.clear_filters()
        self._changed()

    def _on_saved_change(self, change: dict[str, object]) -> None:
        kept = saved_filters().get(str(change["new"]))
        if kept is None:
            return
        try:
            self._grid.set_filters(kept.get("filters", {}))
        except SettingsError as error:
            self._problem.value = html.message(str(error), "bad")
        self._changed()

    def _on_save_click(self) -> None:
        name = self.title.value.strip()
        if not name:
            self._problem.value = html.message(_("Give the filter a name to save it under."), "warning")
            return
        self._keep(name, {"filters": self._grid.filters})
        self.title.value = ""

    def _on_forget_click(self) -> None:
        if self.saved.value:
            self._keep(str(self.saved.value), None)

    def _keep(self, name: str, chosen: dict[str, object] | None) -> None:
        try:
            keep_filter(name, chosen)
        except SettingsError as error:
            self._problem.value = html.message(str(error), "bad")
            return
        self._problem.value = ""
        self._offer("" if chosen is None else name)

    def _offer(self, chosen: str) -> None:
        self.saved.options = [(_("none"), ""), *((name, name) for name in sorted(saved_filters()))]
        self.saved.value = chosen
