"""Documented procedures as notebooks: find them in the package, copy them, run them from top to bottom."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from sdrs_nb.errors import JobFailed, SettingsError
from sdrs_nb.i18n import _

__all__ = ["copy_runbooks", "find_runbook", "list_runbooks", "run_runbook"]


def _folder() -> Path:
    inside = Path(__file__).parent / "notebooks"  # in a wheel
    return inside if inside.is_dir() else Path(__file__).parent.parent / "notebooks"  # in a checkout


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


def copy_runbooks(folder: Path) -> list[Path]:
    """Copy every runbook into ``folder`` (made when missing) and return the copies; never overwrites.

    Raises
    ------
    SettingsError
        A file of that name is there already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    targets = {find_runbook(name): folder / f"{name}.ipynb" for name in list_runbooks()}
    if existing := [str(target) for target in targets.values() if target.exists()]:
        raise SettingsError(
            _("{file} exists already and is kept. Choose an empty folder for the copies.", file=existing[0])
        )
    return [Path(shutil.copyfile(source, target)) for source, target in targets.items()]


def run_runbook(name: str, output: Path, parameters: Mapping[str, object]) -> Path:
    """Run the runbook ``name`` from top to bottom with ``parameters`` and keep the executed notebook at ``output``.

    What its cells print appears on the standard output while it runs.  The executed notebook holds no widget state,
    so that nothing a widget ever held can be read from it.

    Raises
    ------
    SettingsError
        There is no such runbook, or the extra ``runbook`` is not installed.
    JobFailed
        A cell failed; the executed notebook shows where.
    """
    try:
        import papermill
    except ImportError as error:
        raise SettingsError(
            _("Running a runbook needs the extra 'runbook'. Install it: pip install 'sdrs-nb[runbook]'.")
        ) from error
    source = find_runbook(name)
    output.parent.mkdir(parents=True, exist_ok=True)
    try:
        papermill.execute_notebook(
            str(source),
            str(output),
            parameters=dict(parameters),
            kernel_name="python3",
            progress_bar=False,
            log_output=False,
            stdout_file=_Terminal(),
            # Trap 1 of the notes on Jupyter: saved widget state can hold passwords and whole frames.
            store_widget_state=False,
        )
    except papermill.PapermillExecutionError as error:
        raise JobFailed(
            _(
                "Runbook {name} stopped in cell {cell}: {error}: {reason}. The executed notebook is {output}.",
                name=name,
                cell=error.exec_count,
                error=error.ename,
                reason=error.evalue,
                output=output,
            )
        ) from error
    return output


class _Terminal:
    """Hands a cell's printed text to whatever the standard output is at the time."""

    def write(self, text: str) -> int:
        import sys

        written = sys.stdout.write(text)
        sys.stdout.flush()
        return written

    def flush(self) -> None:
        """Nothing is held back."""
