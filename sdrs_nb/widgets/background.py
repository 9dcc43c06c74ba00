"""Work that goes on behind a panel: started, kept, stopped, and its failures shown.

How a panel uses it::

    self.background = Background()
    VBox([..., self.background.errors])            # where a failure appears, as escaped text

    def _on_load_click(self, _button):             # a handler only starts and returns
        self.background.start("load", self._load(), done=self._on_loaded, failed=self._on_load_failed)

    async def _load(self):                         # runs on the package's private loop
        inventory = await load_inventory(self.cloud, on_page=self._on_page)
        self.background.post(self.label, value="240 servers")     # any thread; at most five writes a second
        return inventory

    self.background.stop("load")                   # cancels; the task may clean up
    await self.background.wait("load")             # from a cell: its result, and every widget's state sent again

``done`` and ``failed`` are called on the private loop's thread: they change state and ``post``, no more.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar
from weakref import WeakSet

import ipywidgets

from sdrs_nb import loop
from sdrs_nb.errors import SdrsError
from sdrs_nb.i18n import _
from sdrs_nb.shown import html
from sdrs_nb.widgets.writing import Writer, writer

__all__ = ["Background"]

T = TypeVar("T")


class Background:
    """The tasks of one panel by name, and the place where their failures are shown.

    Parameters
    ----------
    use_writer
        The coalescing writer to post through; the one of the process unless a test brings its own.
    """

    def __init__(self, use_writer: Writer | None = None) -> None:
        self.errors = ipywidgets.HTML()
        self._writer = use_writer or writer()
        self._tasks: dict[str, Future[Any]] = {}
        self._problems: dict[str, str] = {}
        self._posted: WeakSet[ipywidgets.Widget] = WeakSet()

    def start(
        self,
        name: str,
        work: Coroutine[Any, Any, T],
        *,
        done: Callable[[T], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
    ) -> "Future[T]":
        """Start ``work`` on the private loop under ``name`` and return at once with its thread-safe future.

        A task of the same name that still runs is stopped first.  ``done`` gets the result; a failure is shown in
        ``errors`` and given to ``failed``.  An earlier failure under this name leaves the screen.
        """
        self.stop(name)
        self._forget(name)
        self._tasks[name] = future = loop.start(self._kept(name, work, done, failed))
        return future

    def stop(self, name: str) -> None:
        """Cancel the task of this name; nothing happens when there is none or it has ended."""
        if name in self._tasks:
            self._tasks[name].cancel()

    def stop_all(self) -> None:
        """Cancel every task of this panel."""
        for name in tuple(self._tasks):
            self.stop(name)

    def is_running(self, name: str) -> bool:
        """Tell whether a task of this name is under way."""
        return name in self._tasks and not self._tasks[name].done()

    async def wait(self, name: str) -> Any:
        """Return the result of the task of this name, from any loop; raises what the task raised.

        Stopping the waiting cell leaves the task running.  At the end every widget's state is sent again from the
        awaiting cell: nbclient otherwise saves a bar that was started in an earlier cell as it was at first.
        """
        future = self._tasks[name]
        try:
            return await asyncio.shield(asyncio.wrap_future(future))
        finally:
            self.flush()

    def post(self, widget: ipywidgets.Widget, **values: object) -> None:
        """Set traits of ``widget`` soon, from any thread; the last value of each wins, five writes a second at most."""
        self._posted.add(widget)
        for name, value in values.items():
            self._writer.post(widget, name, partial(setattr, widget, name, value))

    def flush(self) -> None:
        """Write what waits and send every posted widget's state again, so that this cell's output holds it."""
        self._writer.flush()
        for widget in (*self._posted, self.errors):
            # A view closed meanwhile has nobody to send to.
            with contextlib.suppress(AttributeError):
                widget.send_state()

    def show(self, name: str, problem: Exception) -> None:
        """Show ``problem`` under ``name`` until that task starts again or ``forget`` is called."""
        self._problems[name] = html.message(_problem_text(problem), "bad")
        self._draw_problems()

    def draw(self, work: Callable[[], None]) -> None:
        """Call ``work``, which draws; a failure is shown like a task's, so that no panel stays half drawn unsaid."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - the same boundary as a task's: it must reach the screen
            self.show("draw", error)

    def forget(self, name: str) -> None:
        """Take the failure shown under ``name`` off the screen."""
        self._forget(name)

    def _forget(self, name: str) -> None:
        if self._problems.pop(name, None) is not None:
            self._draw_problems()

    def _draw_problems(self) -> None:
        self.post(self.errors, value="".join(self._problems.values()))

    async def _kept(
        self,
        name: str,
        work: Coroutine[Any, Any, T],
        done: Callable[[T], None] | None,
        failed: Callable[[Exception], None] | None,
    ) -> T:
        try:
            result = await work
            if done is not None:
                done(result)
        except Exception as error:
            # The boundary of every background task: whatever ends one must reach the screen.
            self.show(name, error)
            if failed is not None:
                failed(error)
            raise
        return result


def _problem_text(problem: Exception) -> str:
    if isinstance(problem, SdrsError):
        return str(problem)
    return _(
        "Something unforeseen stopped this step: {kind}: {text}. Start it again, and report this if it comes back.",
        kind=type(problem).__name__,
        text=str(problem),
    )
