"""Who may import whom, and that importing does no work (docs/design.md)."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "tools"))
import house

PACKAGE = Path(__file__).parent.parent / "sdrs_nb"
MODULES = sorted(PACKAGE.rglob("*.py"))
#: What everything may stand on; it knows only itself.
GROUND = {
    "errors", "models", "tables", "statuses", "i18n", "loop", "settings", "home", "ids", "asked", "intake", "rulebook",
    "shown",
}  # fmt: skip
#: The pipeline in the order in which data flows: a part imports the ground, itself, and lower ranks.
RANKS = {
    "cloud": 0, "inventory": 1, "eligibility": 2, "payloads": 3, "planning": 4, "ledger": 5, "running": 6,
    "aftercare": 7, "reporting": 7, "doctor": 7, "runbooks": 8, "cli": 9, "widgets": 9,
}  # fmt: skip
#: Parts that import the ground alone, however low the others are.
ALONE = {"cloud", "payloads", "ledger"}
#: Everything but the rim: HTTP, screens, the terminal, and what starts processes.
RIM = {"cloud", "widgets", "sandbox", "cli", "runbooks", "__init__"}


def part(path):
    """Return the module or sub-package of sdrs_nb that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


STAGES = {part(path) for path in MODULES} - RIM


def imports(path):
    """Return every module a file imports, wherever in it the import stands."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def ours(names):
    """Return the parts of sdrs_nb among imported names."""
    return {name.split(".")[1] for name in names if name.startswith("sdrs_nb.") and len(name.split(".")) > 1}


def offenders(parts, *forbidden):
    """Return files of these parts that import any of the forbidden packages."""
    return [
        str(path.relative_to(PACKAGE))
        for path in MODULES
        if part(path) in parts and any(n == f or n.startswith(f + ".") for n in imports(path) for f in forbidden)
    ]


def may_import(one, other):
    """Tell whether a module of one part may import one of another."""
    if other in GROUND or one == other:
        return True
    if one in GROUND or one in ALONE:
        return False
    return RANKS[other] < RANKS[one]


def test_every_part_imports_lower_ranks_and_the_ground_alone():
    """Deferred and type-checking imports count: a type that a lower stage names belongs lower."""
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {other}"
        for path in MODULES
        if part(path) not in {"__init__", "sandbox"}
        for other in sorted(ours(imports(path)) - {"__version__"})
        if not may_import(part(path), other)
    ]

    assert wrong == []


def test_every_part_has_its_rank():
    """A new folder says where it stands before anything imports it."""
    assert {part(path) for path in MODULES} == {*GROUND, *RANKS, "sandbox", "__init__"}


def test_no_modules_import_each_other():
    """Not in a circle of any size, and not by a deferred import either."""
    trees = house.modules(PACKAGE)
    graph = {name: house.imports(name, tree, set(trees)) for name, tree in trees.items()}

    assert house.circles(graph) == []


def test_few_modules_stand_at_the_root():
    """Whatever is more than one module is a folder."""
    assert len(list(PACKAGE.glob("*.py"))) <= 10


def test_the_words_of_the_service_stand_on_nothing():
    """Whatever means something by a status asks ``statuses``, which imports nothing of the package."""
    assert ours(imports(PACKAGE / "statuses.py")) == set()


def test_stages_know_neither_http_nor_widgets():
    """Stage modules run in a script and in a plain test."""
    assert offenders(STAGES, "httpx", "ipywidgets", "anywidget", "IPython") == []


def test_only_cloud_speaks_http():
    """Nobody but the cloud package imports httpx."""
    everybody_else = {part(path) for path in MODULES} - {"cloud"}

    assert offenders(everybody_else, "httpx", "requests", "urllib3") == []


def test_cloud_judges_nothing():
    """The cloud package moves documents: no pandas and no stage in it."""
    assert offenders({"cloud"}, "pandas", *(f"sdrs_nb.{stage}" for stage in STAGES - GROUND)) == []


def test_the_sandbox_and_the_rest_never_meet():
    """The sandbox is an independent second opinion, and is only ever started as a process."""
    rest = {part(path) for path in MODULES} - {"sandbox"}
    beside = {name for path in MODULES if part(path) == "sandbox" for name in ours(imports(path))}

    assert beside <= {"sandbox"}
    assert offenders(rest, "sdrs_nb.sandbox") == []


def test_widgets_are_handed_a_cloud():
    """Widgets hold no HTTP and start no sandbox."""
    assert offenders({"widgets"}, "httpx", "sdrs_nb.sandbox", "sdrs_nb.runbooks.sandbox_process") == []


@pytest.mark.parametrize("module", ["sdrs_nb", "sdrs_nb.errors", "sdrs_nb.models"])
def test_importing_is_light(module):
    """Importing the package loads no pandas, no HTTP client, no widget and no terminal library."""
    code = f"import sys, {module}; print(sorted({{'pandas','httpx','ipywidgets','rich','typer'}} & set(sys.modules)))"

    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert printed.stdout.strip() == "[]"


def test_nothing_imports_what_only_developers_have():
    """No module of the package needs a library that only the tests and benchmarks install."""
    everybody = {part(path) for path in MODULES}

    assert offenders(everybody, "scipy", "pandera", "babel", "hypothesis", "pytest", "huaweicloudsdkcore") == []


#: Names whose call or mention writes to a stream, and where each may stand.
STREAMS = {"print", "stdout", "stderr", "echo", "secho", "Console", "Progress", "input", "__stdout__", "__stderr__"}
#: The home of writing to a terminal, and what makes the standard streams safe for it.
WRITERS = {"shown/terminal.py", "cli/streams.py"}


def named(tree):
    """Return every name that is called, and every attribute of ``sys`` and what ``from`` brings in from elsewhere."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            yield node.func.id if isinstance(node.func, ast.Name) else f".{node.func.attr}"
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in {"rich", "sys", "typer"}:
            yield from (alias.name for alias in node.names)


def test_only_one_module_writes_to_a_terminal():
    """Nobody else prints, echoes, draws or writes to a standard stream; a stream may be handed to the one that does."""
    offenders = {
        str(path.relative_to(PACKAGE)): found
        for path in MODULES
        if part(path) != "sandbox" and path.relative_to(PACKAGE).as_posix() not in WRITERS
        if (found := {name for name in named(tree_of(path)) if name.lstrip(".") in STREAMS} | written_to(tree_of(path)))
    }

    assert offenders == {}


def tree_of(path):
    """Return the syntax tree of a module."""
    return ast.parse(path.read_text(encoding="utf-8"))


def written_to(tree):
    """Return the methods called on ``sys.stdout`` and its like, but for the question whether it is a terminal."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Attribute)
        and node.value.attr in STREAMS
        and node.attr != "isatty"
    }


@pytest.mark.parametrize(
    "code",
    ["print(1)", "sys.stderr.write(x)", "typer.echo(x)", "from rich.console import Console", "Console().print(x)"],
)
def test_writing_past_that_module_is_found(code):
    """The search above sees every way that was ever taken."""
    tree = ast.parse(code)

    assert {name.lstrip(".") for name in named(tree)} & STREAMS or written_to(tree)


#: Modules that may use json.dumps: what is signed, hashed, sent, or kept where only we read it.
DUMPING = {
    "shown/texts.py", "planning/freezing.py", "payloads/batch.py", "rulebook/loader.py", "ledger/ledger.py",
    "runbooks/runbooks.py", "ledger/store.py", "inventory/sheets.py", "runbooks/sandbox_process.py", "cloud/evs.py",
    "cloud/sdrs.py", "cloud/authentication.py", "cloud/replay.py", "cloud/tape.py", "cloud/tape_search.py",
    "intake/documents.py",
}  # fmt: skip


def test_only_one_function_makes_json_for_people():
    """JSON that leaves for a screen, a pipe or a file of the operator's comes from ``json_text``."""
    dumping = {
        path.relative_to(PACKAGE).as_posix()
        for path in MODULES
        if part(path) != "sandbox"
        and any(ast.unparse(node) in {"json.dumps", "json.dump"} for node in ast.walk(tree_of(path)))
    }

    assert dumping <= DUMPING


def test_log_records_are_made_of_sentences():
    """The package's loggers take nothing but what ``_`` made or a wait, which says itself with it."""
    logged = {
        (path.relative_to(PACKAGE).as_posix(), ast.unparse(argument))
        for path in MODULES
        if part(path) != "sandbox"
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("_log.")
        for argument in node.args
        if not (isinstance(argument, ast.Constant) or ast.unparse(argument).startswith("_("))
    }

    assert logged <= {("cloud/waiting.py", "wait")}


#: Methods that make or change a file; ``disk`` holds them, and what follows is their business alone.
WRITING = {"write_text", "write_bytes", "mkstemp", "NamedTemporaryFile"}
#: The inventory's own writer, and the address of a rehearsal's sandbox.
OWN_FILES = {"shown/disk.py", "runbooks/reruns.py"}


def test_only_one_module_writes_files():
    """Files of the operator's and of the home folder appear whole and through no link, so one module makes them."""
    writing = {
        path.relative_to(PACKAGE).as_posix()
        for path in MODULES
        if part(path) != "sandbox" and {name.lstrip(".") for name in named(tree_of(path))} & WRITING
    }

    assert writing <= OWN_FILES


#: How a statement of SQL begins.
SQL = re.compile(r"\s*(SELECT\s|INSERT\s+(OR \w+ )?INTO\s|UPDATE \w+ SET\s|DELETE FROM\s|CREATE TABLE\s|ALTER TABLE\s)")
#: The ledger's file; and the budget of calls, which belongs to the transport and has a small file of its own.
WITH_SQL = {"ledger", "cloud/budget.py"}


def test_the_ledger_alone_speaks_sql():
    """Stages ask the ledger by name, so that another engine is a matter of one folder."""
    speaking = {
        path.relative_to(PACKAGE).as_posix()
        for path in MODULES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value)
    }

    assert {one for one in speaking if one.partition("/")[0] not in WITH_SQL} <= WITH_SQL
    assert any(one.startswith("ledger/") for one in speaking)
