"""What every stage panel has: a heading with its state in words, what holds it back, its failure, its body.

A panel shows the state object and calls it; it holds no rule.  Drawing goes through the coalescing writer, so a
panel may be told of a change from any thread, as often as it likes.
"""

from collections.abc import Callable, Sequence

import ipywidgets

from sdrs_nb.cloud import Cloud
from sdrs_nb.i18n import _
from sdrs_nb.models import Wait
from sdrs_nb.shown import html
from sdrs_nb.widgets.background import Background
from sdrs_nb.widgets.state import WorkbenchState
from sdrs_nb.widgets.steps import Step, StepState, step_title
from sdrs_nb.widgets.writing import writer

__all__ = ["WIDE", "Panel", "button", "chip", "folded", "panel_style", "row", "text_field"]

#: A description that takes the room it needs.
WIDE = {"description_width": "initial"}


def button(text: str, on_click: Callable[[], None], *, style: str = "", tooltip: str = "") -> ipywidgets.Button:
    """Return a button as wide as its text that calls ``on_click``."""
    made = ipywidgets.Button(
        description=text,
        button_style=style,
        tooltip=tooltip or text,
        layout=ipywidgets.Layout(width="auto", min_width="90px"),
    )
    made.on_click(lambda _button: on_click())
    return made


def text_field(value: str = "", *, description: str, placeholder: str = "", width: str = "") -> ipywidgets.Text:
    """Return a text field that tells its value when it is left or Enter is pressed; ``width`` as in a style sheet.

    Told letter by letter, values queue behind one another while the kernel is busy, a click does not: the button
    below a field then acts on half a word.
    """
    layout = ipywidgets.Layout(width=width) if width else ipywidgets.Layout()
    return ipywidgets.Text(
        value, description=description, placeholder=placeholder, style=WIDE, layout=layout, continuous_update=False
    )


def chip(text: str, on_click: Callable[[], None], *, is_on: bool = False, tooltip: str = "") -> ipywidgets.Button:
    """Return a small rounded button, as for a count that filters; ``is_on`` marks the one in use."""
    made = button(text, on_click, style="primary" if is_on else "", tooltip=tooltip)
    made.layout.min_width = "0"
    made.add_class("sdrs-chip")
    return made


def folded(title: str, *children: ipywidgets.Widget) -> ipywidgets.Accordion:
    """Return widgets under a title that opens and closes them; closed at first."""
    return ipywidgets.Accordion([ipywidgets.VBox(list(children))], titles=(title,), selected_index=None)


def panel_style() -> ipywidgets.HTML:
    """Return the style of panels as a widget without extent."""
    return ipywidgets.HTML(str(html.render("panel_style.html")), layout=ipywidgets.Layout(display="none"))


def row(*children: ipywidgets.Widget) -> ipywidgets.HBox:
    """Return widgets side by side, wrapping in a narrow window."""
    layout = ipywidgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="4px 8px")
    return ipywidgets.HBox(list(children), layout=layout)


class Panel(ipywidgets.VBox):
    """One stage of the job as a widget; subclasses build their body and redraw it in ``_draw``.

    Parameters
    ----------
    state
        What the workbench knows; panels of one workbench share it, a panel that stands alone has its own.
    step
        The step this panel belongs to.
    """

    def __init__(self, state: WorkbenchState, step: Step) -> None:
        self.state = state
        self.step = step
        self.title = step_title(step)
        self.background = Background()
        self._title = ipywidgets.HTML(html.fragment(html.heading(self.title)))
        self._state = ipywidgets.HTML()
        self._head = row(self._title, self._state)
        self._head.layout.align_items = "baseline"
        self._held = ipywidgets.HTML()
        self._style = panel_style()
        super().__init__([self._style, self._head, self._held, self.background.errors])
        self.layout.width = "100%"
        self.add_class("sdrs-panel")
        state.listen(self.redraw)

    def _fill(self, body: Sequence[ipywidgets.Widget]) -> None:
        """Put ``body`` below the heading and draw for the first time."""
        self.children = [self._style, self._head, self._held, self.background.errors, *body]
        self._redraw()

    def redraw(self) -> None:
        """Draw what the state says, soon; may be called from any thread."""
        writer().post(self, "draw", lambda: self.background.draw(self._redraw))

    def _redraw(self) -> None:
        now = self.state.state_of(self.step)
        self._state.value = html.fragment(html.status(*self.state.shown(self.step)))
        held = self.state.blockers(self.step) if now in (StepState.TODO, StepState.STALE) else []
        if now == StepState.STALE and not held:
            held = [_("Something before this step changed; do it again.")]
        parts = [html.message(text, "warning" if now == StepState.STALE else "neutral") for text in held]
        if (failure := self.state.failure(self.step)) and not self.background.errors.value:
            parts.append(html.message(failure, "bad"))
        if wait := self._wait():
            parts.append(html.message(str(wait), "warning"))
        self._held.value = "".join(parts)
        self._draw()

    def _wait(self) -> Wait | None:
        """Return the wait for the gateway's limit that holds this step back; it is said on top of the panel."""
        return self.state.wait if self._is_running else None

    def _draw(self) -> None:
        """Draw the body; subclasses do."""

    @property
    def cloud(self) -> Cloud | None:
        """The cloud that this workbench talks to."""
        return self.state.cloud

    @property
    def _is_running(self) -> bool:
        return self.state.state_of(self.step) == StepState.RUNNING

    @property
    def _is_free(self) -> bool:
        """Whether the step may go on now."""
        return not self._is_running and not self.state.blockers(self.step)

    def _failed(self, error: Exception) -> None:
        """Take the failure of a background task; ``Background`` shows its text."""
        self.state.fail(self.step, str(error))
