"""README and docs: every code block runs, generated pages are up to date, the site builds without a warning."""

import ast
import asyncio
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest

import sdrs_nb
from sdrs_nb import loop

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
#: Blocks that show something and are not to be run.
SHOWN = {"text", "json", "console"}
#: Lines that set a machine up; `make` and the installation have tests and a CI of their own.
SETTING_UP = ("make ", "python -m venv", ".venv/bin/")


def pages():
    """Every page of prose with a code block."""
    found = [*sorted(ROOT.glob("README*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in found if "```" in page.read_text(encoding="utf-8")]


def blocks(page, language):
    """The code blocks of a page in one language."""
    return [code for said, code in BLOCK.findall(page.read_text(encoding="utf-8")) if said == language]


def having(language):
    """Pages with blocks in this language, as parameters."""
    return [pytest.param(page, id=str(page.relative_to(ROOT))) for page in pages() if blocks(page, language)]


def runnable(block):
    """The commands of a shell block without those that set a machine up."""
    return [line for line in block.splitlines() if line.strip() and not line.startswith(SETTING_UP)]


@pytest.fixture
def operator(tmp_path, monkeypatch):
    """An operator's empty folder with an inventory file, and a sandbox that the environment points to."""
    with sdrs_nb.start_sandbox(servers=60, seed=7, speed=3600) as sandbox:
        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.chdir(tmp_path)
        Path(os.environ["HOME"]).mkdir()
        loop.wait(keep_inventory())
        yield tmp_path


async def keep_inventory():
    """Write the project's inventory to a file, and to another with headings of somebody's own."""
    async with sdrs_nb.connect() as cloud:
        (await sdrs_nb.load_inventory(cloud)).to_excel("estate.xlsx")
    book = openpyxl.load_workbook("estate.xlsx")
    for cell in book["servers"][1]:
        cell.value = {"server_id": "Ref", "name": "Host"}.get(cell.value, cell.value)
    book.save("list.xlsx")


async def carry_out_a_run():
    """Protect what can be protected."""
    async with sdrs_nb.connect() as cloud:
        eligibility = sdrs_nb.check_eligibility(await sdrs_nb.load_inventory(cloud))
        plan = sdrs_nb.plan_batches(eligibility, name_prefix="before")
        run = await sdrs_nb.submit(cloud, plan, approve=plan.fingerprint)
        await sdrs_nb.follow(cloud, run)


def prepare(page):
    """Bring about what the page takes for granted."""
    if "<!-- setup: a run -->" in page.read_text(encoding="utf-8"):
        loop.wait(carry_out_a_run())


def filled_in(command):
    """Put real values for the words that the page leaves to the reader."""
    if plan := re.search(r"submit (\S+\.json)", command):
        command = command.replace("FINGERPRINT", sdrs_nb.Plan.load(plan[1]).fingerprint)
    if re.search(r"\bRUN\b", command):
        command = re.sub(r"\bRUN\b", sdrs_nb.list_runs()["run_id"].iloc[0], command)
    return command.replace("| jq", f"| {sys.executable} -m json.tool")


@pytest.mark.slow
@pytest.mark.parametrize("document", having("python"))
def test_the_python_of_a_page_runs(document, operator):
    """Block after block, in one namespace, against a sandbox."""
    prepare(document)
    namespace = {}

    for block in blocks(document, "python"):
        code = compile(block, str(document), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        work = eval(code, namespace)
        if inspect.iscoroutine(work):
            asyncio.run(work)


@pytest.mark.slow
@pytest.mark.parametrize("document", having("sh"))
def test_the_shell_of_a_page_runs(document, operator):
    """Command after command in one folder, against a sandbox; each leaves with 0."""
    prepare(document)

    for command in [line for block in blocks(document, "sh") for line in runnable(block)]:
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", filled_in(command)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def test_every_block_is_run_or_only_shown():
    """There is no block in a language that no test runs, unless it is one that only shows something."""
    said = {language for page in pages() for language, _code in BLOCK.findall(page.read_text(encoding="utf-8"))}

    assert said <= {"python", "sh"} | SHOWN


@pytest.mark.parametrize("name", ["errors.md", "commands.md"])
def test_a_generated_page_is_up_to_date(name):
    """What `python tools/docs_pages.py` would write is what is there."""
    spec = f"import runpy; pages = runpy.run_path({str(ROOT / 'tools' / 'docs_pages.py')!r})['PAGES']; "
    written = subprocess.run(
        [sys.executable, "-c", spec + f"print(pages[{name!r}](), end='')"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == written


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_loads_nothing_from_elsewhere(tmp_path):
    """A strict build passes, and no page asks another host for a script, a style or a picture."""
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    asked = re.compile(
        r"""<(?:script|img|iframe)[^>]+src=["']?https?:|<link[^>]+rel=["']?stylesheet[^>]+href=["']?https?:"""
    )
    assert [page.name for page in (tmp_path / "site").rglob("*.html") if asked.search(page.read_text("utf-8"))] == []
