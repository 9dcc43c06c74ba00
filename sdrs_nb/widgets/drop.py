"""A place to drop a file on, or to choose one; the file reaches Python as bytes and never enters widget state.

``ipywidgets.FileUpload`` keeps the content in a trait, so that a saved notebook would hold a whole inventory.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from sdrs_nb.i18n import _
from sdrs_nb.intake.limits import limits

__all__ = ["FileDrop"]

_HERE = Path(__file__).parent


class FileDrop(anywidget.AnyWidget):
    """A drop zone with a file chooser in it.

    Parameters
    ----------
    on_file
        Called as ``on_file(name, content)`` in the kernel's message handler when a whole file has arrived; it only
        enqueues and returns.
    accept
        Endings offered by the chooser, as in HTML's ``accept``.
    hint
        What to drop here; an inventory where left out.
    """

    _esm = _HERE / "drop.js"
    _css = _HERE / "drop.css"
    texts = traitlets.Dict().tag(sync=True)

    def __init__(self, on_file: Callable[[str, bytes], None], *, accept: str = "", hint: str = "") -> None:
        self._on_file = on_file
        self._pieces: list[bytes] = []
        super().__init__(
            texts={
                "hint": hint or _("Drop an inventory file here, or choose one:"),
                "sending": _("Reading {name} ...", name="{name}"),
                "accept": accept,
            }
        )
        self.on_msg(self._on_browser_message)

    def _on_browser_message(self, _widget: object, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        if content.get("type") != "piece" or not buffers:
            return
        at, pieces = int(content.get("at", 0)), int(content.get("pieces", 1))
        if at == 0:
            self._pieces = []
        elif not self._pieces:  # the rest of a file that was too large
            return
        self._pieces.append(bytes(buffers[0]))
        # A file beyond the bound is handed on as it is so far: the reader refuses it by its size.
        is_large = sum(map(len, self._pieces)) > limits().file_bytes
        if len(self._pieces) == pieces or is_large:
            whole, self._pieces = b"".join(self._pieces), []
            self._on_file(str(content.get("name", "")), whole)
