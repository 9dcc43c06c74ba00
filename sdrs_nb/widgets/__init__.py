"""Panels for JupyterLab and Voila: the grid, one panel a stage, and the workbench that joins them.

Everything is imported when first used, so that a script can import the package without ipywidgets.
"""

from importlib import import_module
from typing import Any

_WHERE = {
    "ApprovePanel": "approve_panel",
    "Background": "background",
    "ConnectPanel": "connect_panel",
    "CoveragePanel": "coverage_panel",
    "EligibilityPanel": "eligibility_panel",
    "Grid": "grid",
    "InventoryPanel": "inventory_panel",
    "OutcomePanel": "outcome_panel",
    "PlanPanel": "plan_panel",
    "SubmitPanel": "submit_panel",
    "Workbench": "workbench",
    "WorkbenchState": "state",
}

__all__ = sorted(_WHERE)  # noqa: PLE0605 - a list of strings, made from the table above


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
