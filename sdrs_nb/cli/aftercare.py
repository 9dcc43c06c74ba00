"""The commands of the day after: coverage."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sdrs_nb.cli import printing, watching
from sdrs_nb.cli.options import Connection, Json, Source, given
from sdrs_nb.i18n import Lines, _
from sdrs_nb.shown.disk import require_place

if TYPE_CHECKING:
    from sdrs_nb.aftercare.coverage import Coverage

__all__ = ["coverage"]

_COLUMNS = ("server_id", "name", "cover", "group_name", "instance_status", "progress")
_DRIFT_COLUMNS = ("server_id", "name", "fact", "production", "dr", "remedy")


def coverage(
    context: typer.Context,
    source: Source = None,
    *,
    show: Annotated[
        Literal["servers", "drift"], typer.Option(help=_("A row per server, or per difference of a DR server."))
    ] = "servers",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="DIR", help=_("Write both as CSV files to this folder."))
    ] = None,
    as_json: Json = False,
) -> None:
    """Say which servers are protected, and where a DR server has drifted from production."""
    from sdrs_nb.shown.exports import write_csv

    if out is not None:
        require_place(out / "coverage.csv", makes_folders=True)
    found = _covered(context, source)
    if out is not None:
        printing.hint(str(write_csv(found.servers, out / "coverage.csv")))
        printing.hint(str(write_csv(found.drift, out / "drift.csv")))
    if show == "servers":
        printing.frame(found.servers, as_json=as_json, columns=_COLUMNS)
    else:
        printing.frame(found.drift, as_json=as_json, columns=_DRIFT_COLUMNS)
    printing.hint(Lines(repr(found)))


def _covered(context: typer.Context, source: str | None) -> "Coverage":
    if source is None:
        return asyncio.run(_asked(given(context)))
    from sdrs_nb.aftercare.coverage import cover
    from sdrs_nb.inventory.inventory import read_inventory

    return cover(read_inventory(source))


async def _asked(connection: Connection) -> "Coverage":
    from sdrs_nb.aftercare.coverage import coverage as covered

    with watching.loading(quiet=connection.quiet) as on_progress:
        async with connection.connect(read_only=True) as cloud:
            return await covered(cloud, on_progress=on_progress)
