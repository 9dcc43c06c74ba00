"""A plain ``pip install sdrs-nb`` does the job in a notebook: what the core declares is all that it needs.

The environments are made of links to what is installed here, chosen by the declared requirements alone; no network.
"""

import ast
import json
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from packaging.requirements import Requirement

CHECKOUT = Path(__file__).resolve().parents[2]
#: Libraries that come with extras alone.
OPTIONAL = ("jupyterlab", "json5", "papermill", "nbclient", "pyarrow")
#: What this package imports beside its core -> what shows that it does without: these are asked for in a sentence, the
#: others are done without in silence.
ASKED_FOR, IN_SILENCE = {"pyarrow", "papermill"}, {"json5", "jupyter_core", "nbclient"}


def required(names):
    """Return the distributions that these need, themselves included; extras only where a requirement names them."""
    found, rest = {}, [Requirement(name) for name in names]
    while rest:
        wanted = rest.pop()
        key = (re.sub(r"[-_.]+", "-", wanted.name).lower(), frozenset(wanted.extras))
        if key in found:
            continue
        try:
            found[key] = distribution(wanted.name)
        except PackageNotFoundError:  # of another system
            continue
        for text in found[key].requires or ():
            each = Requirement(text)
            if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in ("", *wanted.extras)):
                rest.append(each)
    return {name: one for (name, _extras), one in found.items()}


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The interpreter of an environment that holds the core of this package and a kernel, and nothing else."""
    folder = tmp_path_factory.mktemp("plain")
    venv.create(folder, with_pip=False, symlinks=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = folder / ("Lib" if os.name == "nt" else f"lib/{version}") / "site-packages"
    here = Path(sysconfig.get_path("purelib"))
    core = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    for one in required([*core, "ipykernel"]).values():
        for top in {Path(file).parts[0] for file in one.files or ()} - {"..", "__pycache__"}:
            target = here / top
            if target.exists() and not (site / top).exists() and not top.endswith(".pth"):
                (site / top).symlink_to(target)
    (site / "sdrs_nb").symlink_to(CHECKOUT / "sdrs_nb")
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def clean(**more):
    """Return an environment in which nothing of this one is found."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    return kept | more


def said(python, code, **more):
    """Run code and return what it prints."""
    done = subprocess.run(
        [python, "-c", code], env=clean(**more), capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_environment_holds_no_library_of_an_extra(python):
    """What the tests below show is shown without them."""
    code = f"from importlib.util import find_spec; print([name for name in {OPTIONAL} if find_spec(name)])"

    assert said(python, code) == "[]"


def test_every_library_beside_the_core_that_is_imported_is_shown_missing_below():
    """Whoever imports another one adds what is said where it is missing."""
    core = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    known = {top for one in required(core).values() for top in {Path(file).parts[0] for file in one.files or ()}}
    imported = set()
    for path in (CHECKOUT / "sdrs_nb").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {each.name.partition(".")[0] for each in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported.add(node.module.partition(".")[0])
    beside = {name for name in imported - sys.stdlib_module_names - {"sdrs_nb"} if not {name, f"{name}.py"} & known}

    assert beside == ASKED_FOR | IN_SILENCE
    assert {lacking for lacking, _words, _extra in MISSING} == ASKED_FOR


@pytest.mark.parametrize(("language", "told"), [("en_US.UTF-8", "one"), ("zh_CN.UTF-8", "种")])
def test_without_jupyterlab_the_language_is_that_of_the_system(python, tmp_path, language, told):
    """What reads JupyterLab's settings is not there: nothing is said of it, and the next in order decides."""
    (tmp_path / "lab").mkdir()
    settings = tmp_path / "lab" / "@jupyterlab" / "translation-extension"
    settings.mkdir(parents=True)
    (settings / "plugin.jupyterlab-settings").write_text('{"locale": "fr_FR"}')
    code = "import sdrs_nb, sdrs_nb.i18n as i18n; print({'en': 'one', 'zh': '种'}[i18n.current_language()])"
    given = {"JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "lab"), "LC_ALL": language, "SDRS_NB_LANG": ""}

    assert said(python, code, PYTHONUTF8="1", **given) == told


@pytest.mark.slow
def test_the_workbench_runs_on_its_own_sandbox_and_a_workbook_is_planned(python, tmp_path, monkeypatch):
    """In a kernel of that environment: start the sandbox, show the workbench, save an xlsx, read it, plan it."""
    book = nbformat.v4.new_notebook()
    cells = [
        "import sdrs_nb\nsandbox = sdrs_nb.start_sandbox(servers=60, seed=7, speed=600)\ncloud = sandbox.connect()",
        "bench = sdrs_nb.Workbench(cloud)\nbench",
        "inventory = await sdrs_nb.load_inventory(cloud)\npath = inventory.to_excel('estate.xlsx')",
        "again = sdrs_nb.read_inventory(path)\nchosen = sdrs_nb.select(again, where=\"status == 'ACTIVE'\")",
        "eligibility = sdrs_nb.check_eligibility(again, server_ids=chosen.server_ids)",
        "plan = sdrs_nb.plan_batches(eligibility, name_prefix='erp')",
        "import sys\nprint(len(plan.batches) > 0, type(bench).__name__, sys.prefix)",
        "await cloud.close()\nsandbox.stop()",
    ]
    book.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    spec = tmp_path / "kernels" / "plain" / "kernel.json"
    spec.parent.mkdir(parents=True)
    command = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.write_text(json.dumps({"argv": command, "display_name": "plain", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    client = NotebookClient(book, timeout=120, kernel_name="plain", resources={"metadata": {"path": str(tmp_path)}})

    client.execute(env=clean())

    assert "application/vnd.jupyter.widget-view+json" in book.cells[1].outputs[0]["data"]
    assert book.cells[6].outputs[0]["text"].split() == ["True", "Workbench", str(python.parents[1])]


MISSING = [
    ("pyarrow", ["check", "estate.parquet"], "parquet"),
    ("pyarrow", ["check", "estate.csv", "--servers", "names.parquet"], "parquet"),
    ("pyarrow", ["coverage", "estate.parquet"], "parquet"),
    ("papermill", ["runbook", "run", "20_protect_servers"], "runbook"),
]


@pytest.mark.parametrize(("lacking", "words", "extra"), MISSING)
def test_a_missing_extra_is_one_sentence_that_names_it(python, tmp_path, lacking, words, extra):
    """Whatever needs it says what to install, and leaves with 2."""
    for name in ("estate.parquet", "names.parquet"):
        (tmp_path / name).write_bytes(b"PAR1")
    (tmp_path / "estate.csv").write_text("server_id,name,status,az,vpc_id\ns-1,a,ACTIVE,az,vpc\n")

    done = subprocess.run(
        [python, "-m", "sdrs_nb.cli", *words], env=clean(SDRS_NB_LANG="en"), cwd=tmp_path,
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (2, "")
    assert f"pip install 'sdrs-nb[{extra}]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_commands_of_the_core_need_no_extra(python, tmp_path):
    """Help, the sandbox's help, the list of runbooks and a template of an inventory."""
    for words in (["--help"], ["sandbox", "--help"], ["runbook", "list"], ["inventory", "--template", "t.xlsx"]):
        done = subprocess.run(
            [python, "-m", "sdrs_nb.cli", *words], env=clean(), cwd=tmp_path, capture_output=True, text=True,
            check=False, timeout=120,
        )  # fmt: skip

        assert done.returncode == 0, done.stderr
