"""Panels for JupyterLab and Voila: the grid, one panel a stage, and the workbench that joins them.

Everything is imported when first used, so that a script can import the package without ipywidgets.
"""

from importlib import import_module
from typing import Any

_WHERE = {
    "Background": "background",
    "Grid": "grid",
    "Workbench": "workbench",
}

__all__ = ["Background", "Grid", "Workbench"]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
