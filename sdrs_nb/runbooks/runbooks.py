"""Documented procedures as notebooks: find them in the package, copy them, run them from top to bottom."""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sdrs_nb import errors
from sdrs_nb.errors import NoBatchCallError, RunbookFailed, SdrsError, SettingsError
from sdrs_nb.i18n import Lines, _, current_language
from sdrs_nb.runbooks.texts import translated
from sdrs_nb.shown import terminal
from sdrs_nb.shown.disk import require_place, write_whole

__all__ = [
    "copy_runbooks",
    "find_runbook",
    "list_runbooks",
    "read_runbook",
    "run_runbook",
    "runbook_title",
    "write_runbook",
]

_SOCKET_PATH = 90


def _folder() -> Path:
    inside = Path(__file__).parent.parent / "notebooks"  # in a wheel
    return inside if inside.is_dir() else Path(__file__).parent.parent.parent / "notebooks"  # in a checkout


def list_runbooks() -> list[str]:
    """Return the names of the runbooks that come with the package, in order."""
    return sorted(path.stem for path in _folder().glob("*.ipynb"))


def find_runbook(name: str) -> Path:
    """Return the notebook file of the runbook called ``name`` (with or without ``.ipynb``).

    Raises
    ------
    SettingsError
        There is no such runbook; names those there are.
    """
    path = _folder() / f"{name.removesuffix('.ipynb')}.ipynb"
    if not path.is_file():
        raise SettingsError(
            _("There is no runbook {name}. There are: {names}.", name=name, names=", ".join(list_runbooks()))
        )
    return path


def read_runbook(name: str) -> dict[str, Any]:
    """Return the notebook of the runbook called ``name`` with its texts in the current language.

    Raises
    ------
    SettingsError
        There is no such runbook.
    """
    return translated(json.loads(find_runbook(name).read_text(encoding="utf-8")))


def write_runbook(name: str, path: Path) -> Path:
    """Write the runbook called ``name`` in the current language to ``path``, whatever is there, and return ``path``.

    Raises
    ------
    SettingsError
        There is no such runbook.
    """
    return write_whole(path, (json.dumps(read_runbook(name), indent=1, ensure_ascii=False) + "\n").encode())


def runbook_title(name: str) -> str:
    """Return the heading of the runbook called ``name``, in the current language.

    Raises
    ------
    SettingsError
        There is no such runbook.
    """
    cells = read_runbook(name)["cells"]
    lines = "".join(cells[0]["source"]).splitlines() if cells else []
    return next((line.removeprefix("#").strip() for line in lines if line.startswith("# ")), "")


def runbook_parameters(name: str) -> dict[str, str]:
    """Return the parameters of the runbook called ``name`` and their defaults as written.

    Raises
    ------
    SettingsError
        There is no such runbook, or the extra ``runbook`` is not installed.
    """
    found = _papermill().inspect_notebook(str(find_runbook(name)))
    return {parameter: str(facts["default"]) for parameter, facts in found.items()}


def copy_runbooks(folder: Path) -> list[Path]:
    """Copy every runbook into ``folder`` (made when missing) and return the copies; never overwrites.

    The copies are in the current language.

    Raises
    ------
    SettingsError
        A file of that name is there already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    targets = {name: folder / f"{name}.ipynb" for name in list_runbooks()}
    if existing := [str(target) for target in targets.values() if target.exists()]:
        raise SettingsError(
            _("{file} exists already and is kept. Choose an empty folder for the copies.", file=existing[0])
        )
    return [write_runbook(name, target) for name, target in targets.items()]


def run_runbook(name: str, output: Path, parameters: Mapping[str, object]) -> Path:
    """Run the runbook ``name`` from top to bottom with ``parameters`` and keep the executed notebook at ``output``.

    What its cells print appears on the standard output while it runs, in the current language as its prose.  The
    executed notebook holds no widget state, so that nothing a widget ever held can be read from it.

    Raises
    ------
    SettingsError
        There is no such runbook, it has no such parameter, or the extra ``runbook`` is not installed.
    RunbookFailed
        A cell failed; the executed notebook shows where, and ``cause`` is the class of the cell's error.  Or the
        kernel died.
    """
    papermill = _papermill()
    from nbclient.exceptions import DeadKernelError

    _refuse_unknown(name, parameters)
    require_place(output, makes_folders=True)
    output.parent.mkdir(parents=True, exist_ok=True)
    write_runbook(name, output)
    try:
        with _private_kernel() as config, _language_for_children():
            papermill.execute_notebook(
                str(output),
                str(output),
                parameters=dict(parameters),
                kernel_name="python3",
                progress_bar=False,
                log_output=False,
                stdout_file=_Terminal(),
                # Saved widget state can hold passwords and whole frames.
                store_widget_state=False,
                config=config,
            )
    except papermill.PapermillExecutionError as error:
        raise _failed(name, output, error) from error
    except DeadKernelError as error:
        raise RunbookFailed(
            _(
                "The kernel that ran runbook {name} died. Nothing is lost: run the runbook again with the same "
                "parameters, or finish its run with `sdrs-nb resume`. As far as it came it is kept in {output}.",
                name=name,
                output=output,
            )
        ) from error
    return output


def _papermill() -> Any:
    try:
        import papermill
    except ImportError as error:
        raise SettingsError(
            _("Running a runbook needs the extra 'runbook'. Install it: pip install 'sdrs-nb[runbook]'.")
        ) from error
    return papermill


def _refuse_unknown(name: str, parameters: Mapping[str, object]) -> None:
    """Refuse a parameter that the runbook lacks: papermill would set a name that nobody reads."""
    known = runbook_parameters(name)
    if unknown := sorted(set(parameters) - set(known)):
        raise SettingsError(
            _(
                "Runbook {name} has no parameter {unknown}. It has: {known}.",
                name=name,
                unknown=", ".join(unknown),
                known=", ".join(known),
            )
        )


@contextmanager
def _private_kernel() -> Iterator[Any]:
    """Let the kernel talk over sockets in a folder of ours where the system has them: TCP could be listened to."""
    from traitlets.config import Config

    with tempfile.TemporaryDirectory(prefix="sdrs-nb-") as folder:
        file = Path(folder) / "kernel.json"
        # A socket's path has room for about 100 characters, and jupyter adds "-ipc-1" to this one.
        usable = os.name == "posix" and len(str(file)) < _SOCKET_PATH
        yield Config({"KernelManager": {"transport": "ipc", "connection_file": str(file)}} if usable else {})


@contextmanager
def _language_for_children() -> Iterator[None]:
    """Let processes that start meanwhile speak the current language: a kernel takes this environment only."""
    before = os.environ.get("SDRS_NB_LANG")
    os.environ["SDRS_NB_LANG"] = current_language()
    try:
        yield
    finally:
        os.environ.pop("SDRS_NB_LANG")
        os.environ.update({} if before is None else {"SDRS_NB_LANG": before})


def _failed(name: str, output: Path, error: Any) -> RunbookFailed:
    # The cell's error lived in the kernel's process; its class is known here by name.
    kind = getattr(errors, str(error.ename), None)
    cause = kind if isinstance(kind, type) and issubclass(kind, SdrsError) else None
    remedy = ""
    if cause is NoBatchCallError and "rulebook" in runbook_parameters(name):
        remedy = " " + _("Run it again with -p rulebook otc and another folder for out.")
    return RunbookFailed(
        _(
            "{reason} (Runbook {name} stopped in cell {cell} with {error}; the executed notebook is {output}.)",
            name=name,
            cell=error.exec_count,
            error=error.ename,
            # An error of ours was made of sentences; whatever else a cell raises may hold anything.
            reason=error.evalue if cause is None else Lines(error.evalue),
            output=output,
        )
        + remedy,
        cause=cause,
    )


class _Terminal:
    """Standard output as papermill writes to it: each text at once."""

    def write(self, text: str) -> None:
        terminal.whole(text)

    def flush(self) -> None:
        """Do nothing: each text was flushed."""
