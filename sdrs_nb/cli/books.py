"""The commands of runbooks, and the sandbox cloud."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from sdrs_nb.cli import printing
from sdrs_nb.i18n import _
from sdrs_nb.shown.texts import visible

__all__ = ["runbook_copy", "runbook_list", "runbook_run", "sandbox"]


def sandbox(context: typer.Context) -> None:
    """Start the sandbox cloud; every option is its own."""
    if strange := [visible(word) for word in context.args if visible(word) != word]:
        raise typer.BadParameter(_("{word} holds characters that cannot be seen.", word=strange[0]))
    command = [sys.executable, "-m", "sdrs_nb.sandbox", *context.args]
    if sys.platform == "win32":
        # Windows lets no process become another; the sandbox's input ends when this one does, however that comes.
        with subprocess.Popen([*command, "--stop-at-eof"], stdin=subprocess.PIPE) as process:  # noqa: S603 - our module
            try:
                code = process.wait()
            except KeyboardInterrupt:
                code = process.wait()
        raise typer.Exit(code)
    # It takes the place of this process: whatever signal comes, SIGKILL too, finds the sandbox and leaves no orphan.
    os.execv(sys.executable, command)  # noqa: S606 - our own module, arguments of the operator


def runbook_list() -> None:
    """List the runbooks that come with the package, with their titles."""
    from sdrs_nb.runbooks.runbooks import list_runbooks, runbook_title

    for name in list_runbooks():
        printing.row(name, runbook_title(name))


def runbook_copy(folder: Annotated[Path, typer.Argument(metavar="DIR", help=_("Made when missing."))]) -> None:
    """Copy the runbooks into a folder, to read and change them."""
    from sdrs_nb.runbooks.runbooks import copy_runbooks

    for path in copy_runbooks(folder):
        printing.value(path)


def runbook_run(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help=_("From `sdrs-nb runbook list`."), show_default=False)],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="DIR", help=_("Folder for the executed notebook and what it writes."))
    ] = Path("out"),
) -> None:
    """Run a runbook from top to bottom and keep the executed notebook as evidence."""
    from sdrs_nb.runbooks.runbooks import run_runbook, runbook_parameters

    values = {"out": str(out), **_parameters(context.args, runbook_parameters(name))}
    printing.value(run_runbook(name, out / f"{name.removesuffix('.ipynb')}.ipynb", values))


# Typer takes no option with two values, any number of times; the words after the name are read here.
def _parameters(words: list[str], defaults: Mapping[str, str]) -> dict[str, object]:
    values: dict[str, object] = {}
    rest = iter(words)
    for word in rest:
        name, text = next(rest, None), next(rest, None)
        if word not in ("-p", "--parameter") or name is None or text is None:
            raise typer.BadParameter(_("Write parameters as -p NAME VALUE; {word} is not understood.", word=word))
        # A parameter whose default is a text takes a text, whatever it looks like: a name may be 2026.
        values[name] = text if defaults.get(name, "")[:1] in {"'", '"'} else _value(text)
    return values


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text
