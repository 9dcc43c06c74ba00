"""What several commands begin with: the inventory that was named."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import typer

from sdrs_nb.cli import printing, watching
from sdrs_nb.cli.options import given
from sdrs_nb.errors import InventoryError, SettingsError
from sdrs_nb.i18n import _

if TYPE_CHECKING:
    from sdrs_nb.inventory.inventory import Inventory

__all__ = ["read"]

#: Notes of a kind that are written out.
_TOLD = 6


def read(context: typer.Context, source: str | None, mapped: list[str] | None = None) -> "Inventory":
    """Return the inventory of a file, or of the cloud where no file was named.

    A file that does not say its cloud counts as of the cloud that the settings name, where there are any.  What was
    guessed, filled in and passed over while reading is told in brief.  ``mapped``: headings and their columns.
    """
    from sdrs_nb.inventory.inventory import read_inventory
    from sdrs_nb.inventory.notes import in_brief

    connection = given(context)
    if source is None:
        with watching.loading(quiet=connection.quiet) as on_progress:
            return asyncio.run(connection.load(on_progress))
    found = read_inventory(source, columns=_mapping(mapped or ()))
    with suppress(SettingsError):  # a file needs no settings
        found.about = found.about.seen_from(connection.settings().site)
    for done in in_brief(found.reading, _TOLD):
        printing.hint(done.sentence(_TOLD))
    return found


def _mapping(texts: Sequence[str]) -> dict[str, str]:
    parts = [(text, *text.rpartition("=")) for text in texts]
    if wrong := [text for text, heading, _equals, _column in parts if not heading]:
        raise InventoryError(
            _("{text} maps nothing; write a heading and its column, such as 'Host=name'.", text=wrong[0])
        )
    return {heading.strip(): column.strip() for _text, heading, _equals, column in parts}
