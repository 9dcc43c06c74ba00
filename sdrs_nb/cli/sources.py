"""What several commands begin with: the inventory that was named."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import typer

from sdrs_nb.cli import watching
from sdrs_nb.cli.options import given
from sdrs_nb.errors import SettingsError

if TYPE_CHECKING:
    from sdrs_nb.inventory.inventory import Inventory

__all__ = ["read"]


def read(context: typer.Context, source: str | None) -> "Inventory":
    """Return the inventory of a file, or of the cloud where no file was named.

    A file that does not say its cloud counts as of the cloud that the settings name, where there are any.
    """
    from sdrs_nb.inventory.inventory import read_inventory

    connection = given(context)
    if source is None:
        with watching.loading(quiet=connection.quiet) as on_progress:
            return asyncio.run(connection.load(on_progress))
    found = read_inventory(source)
    with suppress(SettingsError):  # a file needs no settings
        found.about = found.about.seen_from(connection.settings().site)
    return found
