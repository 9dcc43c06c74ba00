"""Load the inventory, look through it, and choose whom to judge."""

import ipywidgets
import pandas as pd

from sdrs_nb.cloud import Cloud
from sdrs_nb.i18n import _
from sdrs_nb.inventory.inventory import Inventory, load_inventory
from sdrs_nb.shown import html
from sdrs_nb.shown.titles import grid_titles
from sdrs_nb.shown.tones import SERVER_TONES
from sdrs_nb.shown.words import word
from sdrs_nb.tables import SERVERS, empty
from sdrs_nb.widgets.facets import Facet
from sdrs_nb.widgets.filter_row import FilterRow
from sdrs_nb.widgets.grid import Grid
from sdrs_nb.widgets.heading_table import HeadingTable
from sdrs_nb.widgets.list_chooser import ListChooser
from sdrs_nb.widgets.opening import FileOpener
from sdrs_nb.widgets.panel import Panel, button, folded, row
from sdrs_nb.widgets.state import WorkbenchState
from sdrs_nb.widgets.steps import Step

__all__ = ["InventoryPanel"]

_COLUMNS = (
    "name", "server_id", "status", "az", "vpc_id", "os_type", "flavor_id", "vcpus", "ram_gib", "billing",
    "enterprise_project_id", "private_ips", "key_name", "tags", "created_at",
)  # fmt: skip
_VISIBLE = ("name", "server_id", "status", "az", "vpc_id", "os_type", "flavor_id", "tags")
#: Notes on reading that are shown; ``inventory.reading`` has them all.
_NOTES = 100


class InventoryPanel(Panel):
    """Servers of the project in a grid; the selection chooses whom the next steps judge.

    Parameters
    ----------
    cloud
        Where to load from; None shows only what the state already holds.
    state
        The workbench's state; a panel that stands alone makes its own.
    """

    def __init__(self, cloud: Cloud | None = None, state: WorkbenchState | None = None) -> None:
        super().__init__(state or WorkbenchState(cloud), Step.INVENTORY)
        self._drawn: Inventory | None = None
        self._imposed = 0
        self._load = button(_("Load inventory"), self._on_load_click, style="primary")
        self._stop = button(_("Stop loading"), self._on_stop_click)
        self._bar = ipywidgets.IntProgress(max=1, layout=ipywidgets.Layout(width="220px"))
        self._doing = ipywidgets.Label()
        self._progress = row(self._bar, self._doing, self._stop)
        self.opener = FileOpener(self.state, self.background)
        self.headings = HeadingTable(self.state.headings, self.opener.read_again)
        self._mapping = folded(_("What each heading was read as"), self.headings)
        self._mapping.layout.display = "none"
        self._facts, self._notes = ipywidgets.HTML(), ipywidgets.HTML()
        self._reading = folded(_("What was guessed, changed or passed over while reading"), self._notes)
        self.grid = Grid(
            empty(SERVERS),
            "server_id",
            _COLUMNS,
            visible=_VISIBLE,
            labels=grid_titles(),
            status_columns={"status": SERVER_TONES},
            title=_("Servers"),
        )
        self.grid.on_selection(self._on_grid_selection)
        self.facets = [Facet(self.grid, column, title) for column, title in _facets()]
        self.filters = FilterRow(self.grid, self._draw_facets)
        self.chooser = ListChooser(self.state, self.background)
        self._everybody = button(_("Judge all servers"), self._on_everybody_click)
        self._shown = button(_("Judge the servers shown"), self._on_shown_click)
        self._chosen = ipywidgets.Label()
        self._body = ipywidgets.VBox(
            [
                self._facts,
                self._reading,
                folded(_("Select from a list"), self.chooser),
                *self.facets,
                self.filters,
                self.grid,
                row(self._everybody, self._shown, self._chosen),
            ]
        )
        opener = folded(_("Open a file instead"), self.opener)
        self._fill([row(self._load, self._progress), opener, self._mapping, self._body])

    def _on_load_click(self) -> None:
        if self.cloud is None or not self._is_free:
            return
        self.state.begin(self.step)
        self.background.start("load", self._loading(self.cloud), done=self._on_loaded, failed=self._failed)

    def _on_stop_click(self) -> None:
        self.background.stop("load")
        self.state.stop(self.step)

    async def _loading(self, cloud: Cloud) -> Inventory:
        return await load_inventory(cloud, on_progress=self._on_progress)

    def _on_progress(self, frame: str, done: int, total: int | None) -> None:
        self.background.post(self._bar, max=max(total or done, 1), value=done)
        self.background.post(self._doing, value=_("Reading {frame}: {done} rows", frame=frame, done=done))

    def _on_loaded(self, inventory: Inventory) -> None:
        self.background.post(self._doing, value="")
        self.state.headings.begin()
        self.state.end(self.step)
        self.state.set_inventory(inventory)

    def _on_grid_selection(self, ids: tuple[str, ...]) -> None:
        self.state.choose_servers(ids or None)

    def _on_everybody_click(self) -> None:
        self.grid.selected = ()
        self.state.choose_servers(None)

    def _on_shown_click(self) -> None:
        self.grid.selected = tuple(self.grid.shown["server_id"])

    def _draw(self) -> None:
        running = self._is_running
        self._progress.layout.display = "" if running else "none"
        self._load.disabled = not self._is_free or self.cloud is None
        self._draw_headings()
        inventory = self.state.inventory
        self._load.description = _("Load inventory") if inventory is None else _("Load again")
        self._body.layout.display = "none" if inventory is None else ""
        if inventory is None:
            return
        if inventory is not self._drawn:
            self._drawn = inventory
            self.grid.update(inventory.servers)
            self._facts.value = _inventory_facts(inventory)
            self._draw_reading(inventory.reading)
            self._draw_facets()
        self._follow_selection()
        self.chooser.draw()
        self._draw_chosen(len(inventory.servers))

    def _draw_headings(self) -> None:
        known = self.state.headings
        was_shown = self._mapping.layout.display != "none"
        self._mapping.layout.display = "" if known.headings else "none"
        if known.needs_a_look and not was_shown:
            self._mapping.selected_index = 0
        self.headings.draw()

    def _draw_reading(self, notes: pd.DataFrame) -> None:
        self._reading.layout.display = "none" if notes.empty else ""
        shown = notes.assign(what=notes["what"].map(word))
        self._notes.value = html.fragment(html.table(shown, _NOTES))

    def _follow_selection(self) -> None:
        if self._imposed != self.state.imposed:
            self._imposed = self.state.imposed
            known = set(self.grid.rows["server_id"])
            self.grid.selected = tuple(one for one in self.state.server_ids or () if one in known)

    def _draw_facets(self) -> None:
        inventory = self._drawn
        if inventory is None:
            return
        vpcs = inventory.vpcs
        names = {"vpc_id": dict(zip(vpcs["vpc_id"], vpcs["name"].fillna(""), strict=True))}
        for facet, (column, _title) in zip(self.facets, _facets(), strict=True):
            facet.count(inventory.servers[column], names.get(column))

    def _draw_chosen(self, total: int) -> None:
        chosen = self.state.server_ids
        self._chosen.value = (
            _("All {count} servers will be judged. Select rows to judge only those.", count=total)
            if chosen is None
            else _(
                "{count} of {total} servers selected; the others still count as facts.", count=len(chosen), total=total
            )
        )
        self._everybody.disabled = chosen is None


def _facets() -> tuple[tuple[str, str], ...]:
    return (("status", _("Status")), ("az", _("AZ")), ("vpc_id", _("VPC")), ("os_type", _("OS")))


def _inventory_facts(inventory: Inventory) -> str:
    names = ("servers", "volumes", "groups", "protected_instances", "replication_pairs", "vpcs")
    titles = (
        _("Servers"), _("Volumes"), _("Protection groups"), _("Protected instances"), _("Replication pairs"), _("VPCs"),
    )  # fmt: skip
    counts = [(title, len(getattr(inventory, name))) for title, name in zip(titles, names, strict=True)]
    return html.fragment(html.facts(counts)) + _unread(inventory.sources)


def _unread(sources: pd.DataFrame) -> str:
    missing = sources[~sources["state"].isin(["loaded", "not asked"])].fillna({"message": ""})
    texts = [
        str(one.message or one.state)
        if one.state == "partial"
        else _("{frame} could not be read: {reason}", frame=one.frame, reason=one.message or one.state)
        for one in missing.itertuples()
    ]
    return html.message("\n".join(texts), "warning") if texts else ""
