"""A row a heading of the file that was read: examples, what it was taken for, and what it shall be."""

from collections.abc import Callable
from functools import partial

import ipywidgets
from markupsafe import Markup

from sdrs_nb.i18n import _
from sdrs_nb.inventory.notes import Heading
from sdrs_nb.shown import html
from sdrs_nb.shown.words import joined
from sdrs_nb.widgets.heading_choices import SHOWN, HeadingChoices, offered, taken_for
from sdrs_nb.widgets.panel import button, row

__all__ = ["HeadingTable"]


class HeadingTable(ipywidgets.VBox):
    """Shows headings with their examples and lets a person say which column each is, then has the file read again.

    Parameters
    ----------
    choices
        Whose headings; it takes every choice.
    read_again
        Called when the source shall be read with the choices.
    """

    def __init__(self, choices: HeadingChoices, read_again: Callable[[], None]) -> None:
        self._choices = choices
        self._drawn: tuple[Heading, ...] = ()
        self.fields: dict[str, ipywidgets.Dropdown] = {}
        self.again = button(_("Read again"), read_again, style="primary")
        self._rows = ipywidgets.VBox(layout=ipywidgets.Layout(max_height="360px", overflow="auto"))
        self._more = ipywidgets.HTML()
        super().__init__([self._rows, self._more, row(self.again)])

    def draw(self) -> None:
        """Draw the headings, if they are others."""
        if self._choices.headings is not self._drawn:
            self._drawn = self._choices.headings
            shown = self._drawn[:SHOWN]
            self.fields = {one.heading: self._field(one) for one in shown}
            titles = (_("Heading"), _("Examples"), _("Read as"), _("Column"))
            self._rows.children = [
                _line(*(html.heading(title) for title in titles)),
                *(_line(*_told(one), self.fields[one.heading]) for one in shown),
            ]
            self._more.value = html.fragment(html.paragraph(self._choices.more)) if self._choices.more else ""
        self._draw_button()

    def _field(self, heading: Heading) -> ipywidgets.Dropdown:
        made = ipywidgets.Dropdown(
            options=offered(heading),
            value=self._choices.columns.get(heading.heading),
            tooltip=_("Which column is {heading}?", heading=heading.heading),
        )
        made.observe(partial(self._on_column_change, heading.heading), names="value")
        return made

    def _on_column_change(self, heading: str, change: dict[str, str | None]) -> None:
        self._choices.choose(heading, change["new"])
        self._draw_button()

    def _draw_button(self) -> None:
        self.again.disabled = not self._choices.is_changed


def _told(heading: Heading) -> tuple[Markup, ...]:
    place = f" ({heading.frame})" if heading.frame != "servers" else ""
    return tuple(map(html.paragraph, (heading.heading + place, joined(heading.examples) or "-", taken_for(heading))))


def _line(*cells: Markup | ipywidgets.Widget) -> ipywidgets.HBox:
    made = [cell if isinstance(cell, ipywidgets.Widget) else ipywidgets.HTML(html.fragment(cell)) for cell in cells]
    for cell, basis in zip(made, ("150px", "220px", "180px", "230px"), strict=True):
        cell.layout = ipywidgets.Layout(flex=f"1 1 {basis}", min_width="0", width="auto")
    line = row(*made)
    line.layout.flex = "0 0 auto"
    return line
