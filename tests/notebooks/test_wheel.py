"""The built wheel in an empty folder does the same as the checkout: its runbooks are in it, nothing else is needed."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


def run(*command, folder, **extra):
    """Run a command in a folder and return it; a failure shows what it said."""
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=folder,
        env={**os.environ, **extra},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built offline from the checkout."""
    folder = tmp_path_factory.mktemp("dist")
    run("-m", "build", "--wheel", "--no-isolation", "--outdir", folder, CHECKOUT, folder=CHECKOUT)
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_runbooks_templates_and_types(wheel):
    """Notebooks, catalogues, templates, rules, the grid's files, the mark of typed packages are in it; no tests are."""
    names = zipfile.ZipFile(wheel).namelist()

    assert "sdrs_nb/notebooks/20_protect_servers.ipynb" in names
    assert {f"sdrs_nb/locale/zh/LC_MESSAGES/{domain}.mo" for domain in ("runbooks", "sdrs_nb")} <= set(names)
    assert "sdrs_nb/shown/templates/report.html" in names
    assert "sdrs_nb/rulebook/server.toml" in names
    assert "sdrs_nb/widgets/grid.js" in names
    assert "sdrs_nb/py.typed" in names
    assert not [name for name in names if name.startswith(("tests/", "notebooks/"))]


@pytest.mark.slow
def test_the_installed_wheel_runs_the_protect_runbook_in_an_empty_folder(wheel, tmp_path):
    """Installed elsewhere, run in an empty folder: the package is the installed one and the evidence is all there."""
    site, empty = tmp_path / "site", tmp_path / "empty"
    empty.mkdir()
    run("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", site, wheel, folder=empty)
    clean = {"PYTHONPATH": str(site), "SDRS_NB_HOME": str(tmp_path / "ledger")}

    where = run("-c", "import sdrs_nb; print(sdrs_nb.__file__)", folder=empty, **clean)
    run(
        *("-m", "sdrs_nb.cli", "runbook", "run", "20_protect_servers", "--out", "out"),
        *("-p", "sandbox", "true", "-p", "servers", 60, "-p", "speed", 600),
        folder=empty,
        **clean,
    )

    assert Path(where.strip()).is_relative_to(site)
    made = {path.name for path in (empty / "out").iterdir()}
    assert {"20_protect_servers.ipynb", "report.html", "plan.json", "findings.csv"} <= made
