"""The command that asks whether this tool fits this cloud: doctor."""

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from sdrs_nb.cli import printing
from sdrs_nb.cli.leaving import FAILED
from sdrs_nb.cli.options import Connection, Json, Rules, given
from sdrs_nb.i18n import Lines, _

if TYPE_CHECKING:
    from sdrs_nb.doctor.findings import Diagnosis

__all__ = ["doctor"]

_COLUMNS = ("check", "state", "found", "remedy")


def doctor(
    context: typer.Context,
    *,
    probe_batch: Annotated[
        bool,
        typer.Option(
            "--probe-batch",
            help=_("Send one create that cannot create (no server, a group nobody has): does the batch call exist?"),
        ),
    ] = False,
    rulebook: Rules = None,
    as_json: Json = False,
) -> None:
    """Say whether this tool fits this cloud and these credentials, the worst first."""
    found = asyncio.run(_examined(given(context), rulebook, probe_batch=probe_batch))
    if sys.stdout.isatty() and not as_json:
        printing.value(Lines(repr(found)))
    else:
        printing.frame(found.frame, as_json=as_json, columns=_COLUMNS)
        printing.hint(found.summary)
    if found.has_failed:
        raise typer.Exit(FAILED)


async def _examined(connection: Connection, rulebook: str | None, *, probe_batch: bool) -> "Diagnosis":
    from sdrs_nb.doctor.examining import doctor as examined

    async with connection.connect(read_only=not probe_batch) as cloud:
        return await examined(cloud, rulebook=rulebook, probe_batch=probe_batch)
