"""Select from a list: paste names, ids, addresses or an expression, or drop a file; what is open is shown."""

import asyncio

import ipywidgets

from sdrs_nb.i18n import _
from sdrs_nb.inventory.notes import in_words
from sdrs_nb.inventory.select import Selection
from sdrs_nb.shown import html
from sdrs_nb.widgets.background import Background
from sdrs_nb.widgets.drop import FileDrop
from sdrs_nb.widgets.panel import button, row
from sdrs_nb.widgets.state import WorkbenchState

__all__ = ["ListChooser"]

_KINDS = ".txt,.csv,.tsv,.xlsx,.json,.jsonl,.parquet"
_SHOWN = 50  # open entries of each kind that are shown; the rest is counted


class ListChooser(ipywidgets.VBox):
    """Chooses whom the next steps judge by what somebody was given.

    Parameters
    ----------
    state
        Takes the selection.
    background
        Of the panel that shows this; it shows what cannot be read.
    """

    def __init__(self, state: WorkbenchState, background: Background) -> None:
        self._state, self._background = state, background
        self._drawn: Selection | None = None
        self.text = ipywidgets.Textarea(
            placeholder=_("One server a line: name, id, IP or host name; or an expression: tags.env == 'prod'"),
            rows=5,
            layout=ipywidgets.Layout(width="100%"),
        )
        self.choose = button(_("Select these servers"), self._on_choose_click)
        self.drop = FileDrop(self._on_drop_file, accept=_KINDS, hint=_("Drop a list here, or choose a file:"))
        self.answer = ipywidgets.HTML()
        super().__init__([self.text, row(self.choose, self.drop), self.answer])

    def _on_choose_click(self) -> None:
        if self.text.value.strip():
            self._background.start("select", self._selecting(self.text.value, None))

    def _on_drop_file(self, name: str, content: bytes) -> None:
        self._background.start("select", self._selecting(content, name))

    async def _selecting(self, given: str | bytes, name: str | None) -> None:
        await asyncio.to_thread(self._state.select_from, given, name=name)

    def draw(self) -> None:
        """Draw what the last list came to, if it is another one."""
        selection = self._state.selection
        if selection is not self._drawn:
            self._drawn = selection
            self.answer.value = "" if selection is None else _told(selection)


def _told(selection: Selection) -> str:
    tone = "warning" if selection.open_points else "good"
    parts = [html.message("\n".join([selection.sentence, *selection.notes]), tone)]
    parts += [
        html.fragment(html.table(each, _SHOWN))
        for each in (selection.ambiguous, selection.not_found, in_words(selection.reading))
        if len(each)
    ]
    return "".join(parts)
