"""The commands of tapes: check one before it is handed on, and show what is in it."""

import sys
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from sdrs_nb.cli import printing
from sdrs_nb.cli.leaving import FAILED
from sdrs_nb.cli.options import Json, given
from sdrs_nb.errors import SettingsError
from sdrs_nb.i18n import _

__all__ = ["check", "show"]

Tape = Annotated[Path, typer.Argument(metavar="DIR", help=_("A tape: a folder, or a file of it."), show_default=False)]


def check(
    context: typer.Context,
    tape: Tape,
    *,
    words: Annotated[
        str | None,
        typer.Option("--words", metavar="FILE|-", help=_("Words to look for, one a line.")),
    ] = None,
    as_json: Json = False,
) -> None:
    """Prove that no word, no credential and no address is in a tape."""
    from sdrs_nb.cloud.tape_search import leaks, words_of
    from sdrs_nb.intake.files import read_file

    try:
        settings = given(context).settings()
    except SettingsError:
        settings = None
        printing.hint(_("No settings were found, so nothing of theirs is looked for."))
    if words is None:
        listed = ""
    else:
        listed = sys.stdin.read() if words == "-" else read_file(words).decode("utf-8-sig", "replace")
    wanted = words_of(settings, listed)
    found = leaks(tape, wanted)
    rows = [(one.file, one.line, one.what, one.spelling) for one in found]
    if rows or as_json:
        printing.frame(pd.DataFrame(rows, columns=["file", "line", "what", "spelling"]), as_json=as_json)
    if found:
        printing.hint(_("Do not hand this tape on: {count} places hold what was looked for.", count=len(found)))
        raise typer.Exit(FAILED)
    printing.hint(_("Nothing was found; {count} words were looked for.", count=len(wanted)))


def show(tape: Tape, *, as_json: Json = False) -> None:
    """Show the requests of a tape, a row each."""
    from sdrs_nb.cloud.answers import find_code
    from sdrs_nb.cloud.replay import read_tape

    rows = [
        {
            "at": one.at,
            "method": one.method,
            "path": one.path + ("?" if one.query else "") + "&".join("=".join(pair) for pair in one.query),
            "status": "-" if one.status is None else str(one.status),
            "code": (find_code((one.answer or {}).get("json")) or ("",))[0] if one.is_refusal else "",
            "file": one.file.name,
            "line": one.line,
        }
        for one in read_tape(tape).exchanges
    ]
    printing.frame(pd.DataFrame(rows), as_json=as_json)
