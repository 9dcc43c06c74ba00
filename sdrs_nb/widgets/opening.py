"""An inventory from a file, by drag and drop, by a chooser or by its path, as part of a panel."""

import asyncio
from collections.abc import Callable

import ipywidgets

from sdrs_nb.i18n import _
from sdrs_nb.inventory.inventory import Inventory, read_inventory
from sdrs_nb.widgets.background import Background
from sdrs_nb.widgets.drop import FileDrop
from sdrs_nb.widgets.heading_choices import HeadingChoices
from sdrs_nb.widgets.panel import button, row, text_field
from sdrs_nb.widgets.state import WorkbenchState
from sdrs_nb.widgets.steps import Step

__all__ = ["FileOpener", "InventoryOpener"]

_KINDS = ".xlsx,.csv,.json,.jsonl,.parquet"


class InventoryOpener(ipywidgets.VBox):
    """Reads an inventory in the background and hands it over; problems appear in the panel.

    Parameters
    ----------
    background
        Of the panel that shows this.
    take
        Called with the inventory, on the private loop's thread.
    task
        Name of the background task; starting it stops one of the same name.
    """

    def __init__(self, background: Background, take: Callable[[Inventory], None], *, task: str = "load") -> None:
        self._background, self._take, self._task = background, take, task
        self.drop = FileDrop(self._on_drop_file, accept=_KINDS)
        self.path = text_field(description=_("or its path, or a folder's"), width="420px")
        self.open_path = button(_("Open"), self._on_open_click)
        self.headings = HeadingChoices()
        super().__init__([self.drop, row(self.path, self.open_path)])

    def _on_drop_file(self, name: str, content: bytes) -> None:
        self._start(content, name)

    def _on_open_click(self) -> None:
        if self.path.value.strip():
            self._start(self.path.value.strip(), None)

    def _start(self, source: str | bytes, name: str | None) -> None:
        self.headings.begin(source, name)
        self.read_again()

    def read_again(self) -> None:
        """Read the source at hand, with what was said of its headings."""
        self._background.start(self._task, self._reading(), done=self._on_read, failed=self._on_failed)

    async def _reading(self) -> Inventory:
        known = self.headings
        assert known.source is not None  # noqa: S101 - _start gave it
        return await asyncio.to_thread(read_inventory, known.source, name=known.name, columns=dict(known.columns))

    def _on_read(self, inventory: Inventory) -> None:
        self.headings.set_headings(inventory.headings)
        self._take(inventory)

    def _on_failed(self, error: Exception) -> None:
        """Take a failure that is on the screen already."""
        self.headings.set_headings(getattr(error, "headings", ()))


class FileOpener(InventoryOpener):
    """Reads an inventory in the background and gives it to the state.

    Parameters
    ----------
    state
        Takes the inventory.
    background
        Of the panel that shows this.
    """

    def __init__(self, state: WorkbenchState, background: Background) -> None:
        self._state = state
        super().__init__(background, self._on_taken)
        self.headings = state.headings

    def _start(self, source: str | bytes, name: str | None) -> None:
        if self._state.running is None:
            super()._start(source, name)

    def read_again(self) -> None:
        """Read the source at hand for the state, with what was said of its headings."""
        if self._state.running is None:
            self._state.begin(Step.INVENTORY)
            super().read_again()

    def _on_taken(self, inventory: Inventory) -> None:
        self._state.end(Step.INVENTORY)
        self._state.set_inventory(inventory)

    def _on_failed(self, error: Exception) -> None:
        super()._on_failed(error)
        self._state.fail(Step.INVENTORY, str(error))
