"""The day after as a panel: who is covered, where DR servers have drifted, and what moved since an earlier look."""

import asyncio
from pathlib import Path
from typing import Any

import ipywidgets
import pandas as pd

from sdrs_nb.aftercare.coverage import COVERAGE, Coverage, cover, coverage
from sdrs_nb.aftercare.drift import CHANGES, DRIFT, FACTS, InventoryDiff, diff_inventories
from sdrs_nb.asked import checked
from sdrs_nb.cloud import Cloud
from sdrs_nb.i18n import _
from sdrs_nb.inventory.inventory import Inventory
from sdrs_nb.models import Wait
from sdrs_nb.shown import html
from sdrs_nb.shown.exports import write_csv
from sdrs_nb.shown.titles import column_title, frame_title
from sdrs_nb.shown.tones import COVER_TONES
from sdrs_nb.shown.words import word
from sdrs_nb.tables import INVENTORY_TABLES, empty
from sdrs_nb.widgets.background import Background
from sdrs_nb.widgets.facets import Facet
from sdrs_nb.widgets.grid import Grid
from sdrs_nb.widgets.opening import InventoryOpener
from sdrs_nb.widgets.panel import button, chip, folded, panel_style, row, text_field
from sdrs_nb.widgets.writing import writer

__all__ = ["CoveragePanel"]

_SERVERS = (
    "name", "cover", "group_name", "instance_status", "progress", "remedy", "server_id", "group_id", "group_status",
    "protected_instance_id", "dr_server_id", "az", "vpc_id", "enterprise_project_id",
)  # fmt: skip
_DRIFT = (
    "name", "fact", "production", "dr", "remedy", "server_id", "dr_server_id", "protected_instance_id", "group_id",
)  # fmt: skip
_CHANGES = ("change", "frame", "name", "id", "fact", "before", "after")
_CHANGE_TONES = {"went": "warning", "changed": "neutral", "appeared": "good"}


class CoveragePanel(ipywidgets.VBox):
    """How far the servers of a project are covered, and what has drifted; stands alone in a cell, changes nothing.

    Parameters
    ----------
    cloud
        From ``connect``; None looks only at what is given or opened.
    found
        What was found already: a ``Coverage``, or an inventory (read from a file, say) to be looked at here.
    earlier
        An earlier inventory, to say what appeared, went and changed since.
    auto_recovery
        Whether to compare auto recovery too, two calls per protected server; the operator may change it.

    Attributes
    ----------
    found
        The ``Coverage`` that is shown; None before the first look.
    changes
        The ``InventoryDiff`` that is shown; None where there is no earlier inventory.
    """

    @checked
    def __init__(
        self,
        cloud: Cloud | None = None,
        *,
        found: Coverage | Inventory | None = None,
        earlier: Inventory | None = None,
        auto_recovery: bool = True,
    ) -> None:
        self.cloud = cloud
        self.found = cover(found) if isinstance(found, Inventory) else found
        self.changes: InventoryDiff | None = None
        if self.found is not None and earlier is not None:
            self.changes = diff_inventories(earlier, self.found.inventory)
        self._earlier = earlier
        self._is_looking = False
        self._drawn: Coverage | None = None
        self._drawn_changes: InventoryDiff | None = None
        self._cover: str | None = None
        self.background = Background()
        self._look = button(_("Look at coverage"), self._on_look_click, style="primary")
        self._recovery = ipywidgets.Checkbox(
            value=auto_recovery, description=_("Compare auto recovery too: two calls per protected server"),
            indent=False, layout=ipywidgets.Layout(width="auto"),
        )  # fmt: skip
        self._bar = ipywidgets.IntProgress(max=1, layout=ipywidgets.Layout(width="220px"))
        self._doing = ipywidgets.Label()
        self._progress = row(self._bar, self._doing, button(_("Stop loading"), self._on_stop_click))
        self.opener = InventoryOpener(self.background, self._on_file_read, task="file")
        self._said = ipywidgets.HTML()
        self._picture = ipywidgets.HTML()
        self._chips = row()
        self.servers = _server_grid()
        self.group_facet = Facet(self.servers, "group_name", _("Group"))
        self.drift = _drift_grid()
        self.fact_facet = Facet(self.drift, "fact", _("Setting"))
        self._folder = text_field("coverage", description=_("Folder"))
        self._written = ipywidgets.HTML()
        self.earlier_opener = InventoryOpener(self.background, self._on_earlier_read, task="earlier")
        self._changes_said = ipywidgets.HTML()
        self.moved = _changes_grid()
        self._body = ipywidgets.VBox(self._parts())
        top = row(self._look, self._recovery, self._progress)
        opened = folded(_("Open a file instead"), self.opener)
        title = ipywidgets.HTML(html.fragment(html.heading(_("Coverage and drift"))))
        super().__init__([panel_style(), title, top, opened, self.background.errors, self._body])
        self.layout.width = "100%"
        self.add_class("sdrs-panel")
        self._draw()

    def _parts(self) -> list[ipywidgets.Widget]:
        drift = ipywidgets.HTML(html.fragment(html.heading(_("Drift from production"))))
        self._compared = folded(
            _("Compare with an earlier inventory"), self.earlier_opener, self._changes_said, self.moved
        )
        self._save = button(_("Write what is shown as CSV"), self._on_write_click)
        return [
            self._said, self._picture, self._chips, self.group_facet, self.servers,
            drift, self.fact_facet, self.drift, row(self._folder, self._save), self._written, self._compared,
        ]  # fmt: skip

    # -- what the operator does

    def _on_look_click(self) -> None:
        if self.cloud is not None and not self._is_looking:
            self._start_look(self.cloud)

    def _on_stop_click(self) -> None:
        self.background.stop("look")
        self._end_look()

    def _on_chip_click(self, chosen: str | None) -> None:
        self._cover = chosen
        self.servers.filter("cover", choices=None if chosen is None else [chosen])
        if self.found is not None:
            self._draw_chips(self.found)

    def _on_write_click(self) -> None:
        self.background.start("write", asyncio.to_thread(self._write), done=self._on_written)

    # -- what happens behind it

    def _start_look(self, cloud: Cloud) -> None:
        self._is_looking = True
        self._on_progress("", 0, None)
        work = coverage(
            cloud, auto_recovery=bool(self._recovery.value), on_progress=self._on_progress, on_wait=self._on_wait
        )
        self.background.start("look", work, done=self._on_found, failed=self._on_look_failed)
        self.redraw()

    def _end_look(self) -> None:
        self._is_looking = False
        self.redraw()

    def _on_progress(self, frame: str, done: int, total: int | None) -> None:
        told = _("Reading {frame}: {done} rows", frame=frame_title(frame), done=done) if frame else ""
        self.background.post(self._bar, max=max(total or done, 1), value=done)
        self.background.post(self._doing, value=told)

    def _on_wait(self, wait: Wait | None) -> None:
        self.background.post(self._doing, value=str(wait) if wait is not None else "")

    def _on_found(self, found: Coverage) -> None:
        self.found = found
        self._end_look()
        self._compare()

    def _on_look_failed(self, _error: Exception) -> None:
        self._end_look()

    def _on_file_read(self, inventory: Inventory) -> None:
        self.background.stop("look")
        self.background.start("cover", asyncio.to_thread(cover, inventory), done=self._on_found)

    def _on_earlier_read(self, inventory: Inventory) -> None:
        self._earlier = inventory
        self._compare()

    def _compare(self) -> None:
        if self.found is not None and self._earlier is not None:
            # In a thread of its own: two large inventories take a moment, and the private loop must go on.
            work = asyncio.to_thread(diff_inventories, self._earlier, self.found.inventory)
            self.background.start("compare", work, done=self._on_compared)

    def _on_compared(self, changes: InventoryDiff) -> None:
        self.changes = changes
        self.redraw()

    def _write(self) -> list[Path]:
        folder = Path(self._folder.value.strip() or "coverage")
        frames = {"coverage": self.servers.shown, "drift": self.drift.shown[list(DRIFT.columns)]}
        if self.changes is not None:
            frames["changes"] = self.moved.shown[list(CHANGES.columns)]
        return [write_csv(frame, folder / f"{name}.csv") for name, frame in frames.items()]

    def _on_written(self, paths: list[Path]) -> None:
        told = _("Written: {paths}", paths=", ".join(str(path) for path in paths))
        self.background.post(self._written, value=html.message(told, "good"))

    # -- what is shown

    def redraw(self) -> None:
        """Draw what is known, soon; may be called from any thread."""
        writer().post(self, "draw", lambda: self.background.draw(self._draw))

    def _draw(self) -> None:
        self._progress.layout.display = "" if self._is_looking else "none"
        self._look.disabled = self._is_looking or self.cloud is None
        self._look.description = _("Look at coverage") if self.found is None else _("Look again")
        self._body.layout.display = "none" if self.found is None else ""
        if self.found is not None and self.found is not self._drawn:
            self._draw_found(self.found)
        if self.changes is not None and self.changes is not self._drawn_changes:
            self._draw_changes(self.changes)

    def _draw_found(self, found: Coverage) -> None:
        self._drawn, self._cover = found, None
        self._said.value = "".join(html.message(text, "warning") for text in found.unverified)
        self._picture.value = html.fragment(found.picture())
        self._written.value = ""
        self.servers.filter("cover")
        self.servers.update(found.servers)
        self.drift.update(_numbered(found.drift))
        self._draw_chips(found)
        self.group_facet.count(found.servers["group_name"].dropna())
        self.fact_facet.count(found.drift["fact"], {fact: column_title(fact) for fact in FACTS})

    def _draw_chips(self, found: Coverage) -> None:
        everyone = chip(_("All: {count}", count=len(found.servers)), lambda: self._on_chip_click(None),
                        is_on=self._cover is None)  # fmt: skip
        self._chips.children = [everyone, *(self._chip(*one) for one in found.counts.items() if one[1])]

    def _chip(self, cover_word: str, count: int) -> ipywidgets.Button:
        on = self._cover == cover_word
        text = f"{html.SHAPES[COVER_TONES[cover_word]]} {word(cover_word)}: {count}"
        return chip(text, lambda: self._on_chip_click(None if on else cover_word), is_on=on,
                    tooltip=_("Show all again") if on else _("Show only these"))  # fmt: skip

    def _draw_changes(self, changes: InventoryDiff) -> None:
        self._drawn_changes = changes
        self._changes_said.value = html.message(repr(changes))
        self.moved.update(_numbered(changes.changes))
        self._compared.selected_index = 0

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """Return the live panel and, beside it, the escaped account that a saved or exported notebook shows."""
        bundle: Any = super()._repr_mimebundle_(**kwargs)
        return bundle if self.found is None else {**bundle, "text/html": self.found._repr_html_()}

    def __repr__(self) -> str:
        return _("Coverage: not looked at yet") if self.found is None else repr(self.found)


def _numbered(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with an id of their own, which the grid knows them by."""
    return frame.assign(row=[str(at) for at in range(len(frame))])


def _server_grid() -> Grid:
    return Grid(
        empty(COVERAGE),
        "server_id",
        _SERVERS,
        visible=_SERVERS[:7],
        labels={name: column_title(name) for name in _SERVERS},
        status_columns={"cover": COVER_TONES},
        words={"cover": {each: word(each) for each in COVER_TONES}},
        title=_("Coverage"),
    )


def _drift_grid() -> Grid:
    return Grid(
        _numbered(empty(DRIFT)),
        "row",
        _DRIFT,
        visible=_DRIFT[:6],
        labels={**{name: column_title(name) for name in _DRIFT}, "fact": _("Setting")},
        words={"fact": {fact: column_title(fact) for fact in FACTS}},
        title=_("Drift from production"),
        height=300,
    )


def _changes_grid() -> Grid:
    return Grid(
        _numbered(empty(CHANGES)),
        "row",
        _CHANGES,
        labels={name: column_title(name) for name in _CHANGES},
        status_columns={"change": _CHANGE_TONES},
        words={
            "change": {change: word(change) for change in _CHANGE_TONES},
            "frame": {name: frame_title(name) for name in INVENTORY_TABLES},
            "fact": {name: column_title(name) for table in INVENTORY_TABLES.values() for name in table.columns},
        },
        title=_("Changes since an earlier inventory"),
        height=300,
    )
