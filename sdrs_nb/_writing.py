"""Inventories to files (under way)."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sdrs_nb.inventory import Inventory


def to_excel(inventory: "Inventory", path: Path) -> Path:
    """Write a workbook."""
    raise NotImplementedError


def to_folder(inventory: "Inventory", path: Path) -> Path:
    """Write a folder."""
    raise NotImplementedError


def template(path: Path) -> Path:
    """Write a template."""
    raise NotImplementedError
