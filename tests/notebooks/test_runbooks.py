"""Every runbook: how it is written, and that running it twice in a row changes nothing the second time."""

import ast
import json
import os
from pathlib import Path

import nbformat
import pytest

import sdrs_nb
from sdrs_nb.runbooks.runbooks import copy_runbooks, list_runbooks, run_runbook, runbook_title
from tools import lab

SMALL = {"servers": 60, "speed": 600}
NAMES = list_runbooks()
#: Those that rehearse in a folder; the tour brings a cloud of its own.
REHEARSED = [name for name in NAMES if name != "90_sandbox_tour"]


def notebook(name):
    """Read a runbook."""
    return nbformat.read(Path("notebooks") / f"{name}.ipynb", as_version=4)


def outputs(path):
    """Return everything a notebook shows as one text."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return json.dumps([cell.get("outputs") for cell in cells], ensure_ascii=False)


def is_chinese(text):
    """Tell whether a text has a Chinese character in it."""
    return any("\u4e00" <= character <= "\u9fff" for character in text)


def syntax(source):
    """Return what Python makes of a cell: everything but its comments."""
    return ast.dump(compile(source, "cell", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT))


@pytest.mark.parametrize("name", NAMES)
def test_a_runbook_is_a_procedure_and_not_a_program(name):
    """Prose first, parameters next, short cells of public names, no outputs, ids that stay."""
    book = notebook(name)
    nbformat.validate(book)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    prose = "\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")

    assert len(book.cells) < 25
    assert book.cells[0].source.startswith("# ")
    assert code[0].metadata["tags"] == ["parameters"]
    assert all(len(cell.source.replace("\n\n", "\n").splitlines()) <= 8 for cell in code[1:])
    assert not any("def " in cell.source or "sdrs_nb._" in cell.source for cell in code)
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert [cell.id for cell in book.cells] == [f"cell-{n:02}" for n in range(len(book.cells))]
    assert book.metadata["kernelspec"]["name"] == "python3"
    for part in ("**Purpose.**", "**Before you start.**", "ack out.**"):
        assert part in prose


@pytest.mark.slow
@pytest.mark.parametrize("name", REHEARSED)
def test_a_runbook_runs_twice_and_the_second_time_changes_nothing(name, tmp_path):
    """Top to bottom on a rehearsal, then again in the same folder: one run at most, no server created twice."""
    parameters = {**SMALL, "sandbox": True, "out": str(tmp_path)}

    run_runbook(name, tmp_path / "first.ipynb", parameters)
    first = sdrs_nb.list_runs()
    run_runbook(name, tmp_path / "second.ipynb", parameters)

    again = sdrs_nb.list_runs()
    assert again["run_id"].tolist() == first["run_id"].tolist()
    assert all(len(sdrs_nb.open_run(run).attempts) == len(sdrs_nb.open_run(run).batches) for run in again["run_id"])
    with sdrs_nb.start_rehearsal(tmp_path, **SMALL) as rehearsal:
        world = rehearsal.world()
    assert max(world["creations"].values(), default=0) <= 1
    assert "SECRET" not in outputs(tmp_path / "second.ipynb")


@pytest.mark.slow
def test_the_tour_shows_a_lost_answer_and_a_failure(tmp_path):
    """The lost answer is adopted, one server fails; a second tour shows the same and sends nothing."""
    parameters = {**SMALL, "out": str(tmp_path)}

    shown = outputs(run_runbook("90_sandbox_tour", tmp_path / "first.ipynb", parameters))
    (run_id,) = sdrs_nb.list_runs()["run_id"]
    attempts = len(sdrs_nb.open_run(run_id).attempts)
    again = outputs(run_runbook("90_sandbox_tour", tmp_path / "second.ipynb", parameters))

    with sdrs_nb.start_rehearsal(tmp_path / "tour", **SMALL) as rehearsal:
        world = rehearsal.world()
    for text in (shown, again):
        assert "adopted" in text
        assert "Ecs.0018" in text
    assert sdrs_nb.list_runs()["run_id"].tolist() == [run_id]
    assert len(sdrs_nb.open_run(run_id).attempts) == attempts
    assert max(world["creations"].values()) == 1


@pytest.mark.slow
def test_nothing_is_sent_before_the_plan_is_approved(tmp_path, monkeypatch):
    """Against a cloud that is no rehearsal: it ends with the plan, sends once approved, carries on the third time."""
    with sdrs_nb.start_sandbox(**SMALL) as sandbox:
        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        waiting = outputs(run_runbook("20_protect_servers", tmp_path / "1.ipynb", {"out": str(tmp_path)}))
        untouched = [request for request in sandbox.requests() if request["method"] == "POST"]
        approve = sdrs_nb.Plan.load(tmp_path / "plan.json").fingerprint
        run_runbook("20_protect_servers", tmp_path / "2.ipynb", {"out": str(tmp_path), "approve": approve})
        sent = len([request for request in sandbox.requests() if request["method"] == "POST"])
        run_runbook("20_protect_servers", tmp_path / "3.ipynb", {"out": str(tmp_path), "approve": approve})
        for name in ("00_start_here", "30_follow_and_resume", "40_verify_and_report", "60_coverage_and_drift"):
            run_runbook(name, tmp_path / f"{name}.ipynb", {"out": str(tmp_path)})
        after = len([request for request in sandbox.requests() if request["method"] == "POST"])

    assert f"Nothing was sent. To approve this plan: {approve}" in waiting
    assert waiting.index("GiB") < waiting.index("Nothing was sent.")
    assert untouched == []
    assert sent == after > 0


@pytest.mark.slow
def test_a_list_an_expression_and_a_file_of_options_choose_in_a_runbook_too(tmp_path, monkeypatch):
    """The parameters, or the file that stands for them, make the same plan; open entries of the list are shown."""
    with sdrs_nb.start_sandbox(**SMALL) as sandbox:
        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        run_runbook("20_protect_servers", tmp_path / "all.ipynb", {"out": str(tmp_path)})
        planned = sdrs_nb.Plan.load(tmp_path / "plan.json").servers
        chosen = sorted(planned["server_id"].head(3))
        (tmp_path / "list.txt").write_text("\n".join([*chosen, "nobody"]))
        options = {"servers": "list.txt", "batch_limit": 1, "name_prefix": "erp", "where": "status != 'ERROR'"}
        (tmp_path / "job.yaml").write_text(json.dumps(options))
        typed = {name: value for name, value in options.items() if name != "servers"}
        fingerprints = []
        for at, more in enumerate(
            [{**typed, "server_list": str(tmp_path / "list.txt")}, {"options": str(tmp_path / "job.yaml")}]
        ):
            shown = outputs(run_runbook("20_protect_servers", tmp_path / f"{at}.ipynb", {"out": str(tmp_path), **more}))
            plan = sdrs_nb.Plan.load(tmp_path / "plan.json")
            fingerprints.append(plan.fingerprint)

    assert sorted(plan.servers["server_id"]) == chosen
    assert {len(batch.server_ids) for batch in plan.batches} <= {1, 2, 3}
    assert fingerprints[0] == fingerprints[1]
    assert "nobody is not found" in shown


def test_a_failing_cell_tells_its_error_and_where_it_was_kept(tmp_path):
    """The message is the cell's own, with the cell and the executed notebook; the cause is its class."""
    output = tmp_path / "analysis.ipynb"

    with pytest.raises(sdrs_nb.RunbookFailed, match=r"missing\.xlsx.*analysis\.ipynb") as failed:
        run_runbook("10_analyze_inventory", output, {"inventory_file": "missing.xlsx"})

    assert failed.value.cause is sdrs_nb.InventoryError
    assert output.is_file()


def test_copies_are_never_overwritten(tmp_path):
    """Copying gives every runbook once; a second time into the same folder is refused and changes nothing."""
    copies = copy_runbooks(tmp_path / "mine")
    copies[0].write_text("mine")

    with pytest.raises(sdrs_nb.SettingsError, match="exists already"):
        copy_runbooks(tmp_path / "mine")

    assert [path.stem for path in copies] == NAMES
    assert copies[0].read_text() == "mine"


def test_every_runbook_has_a_title():
    """What ``runbook list`` shows beside the name is its heading."""
    assert all(runbook_title(name) for name in NAMES)
    assert runbook_title("20_protect_servers") == "Protect servers"


def test_a_copy_in_english_is_the_notebook_itself(tmp_path):
    """Not a byte of a runbook changes where nothing has to be translated."""
    copies = copy_runbooks(tmp_path)

    assert [copy.read_bytes() for copy in copies] == [Path("notebooks", copy.name).read_bytes() for copy in copies]


class TestInChinese:
    """The same procedures, told in Chinese."""

    @pytest.fixture(autouse=True)
    def chinese(self):
        """Speak Chinese from the start."""
        sdrs_nb.set_language("zh")

    @pytest.mark.parametrize("name", NAMES)
    def test_the_prose_is_chinese_and_the_code_the_same(self, name, tmp_path):
        """Every paragraph and parameter is explained in Chinese; no statement, id or tag differs."""
        english = notebook(name)
        copies = {path.stem: path for path in copy_runbooks(tmp_path)}

        book = nbformat.read(copies[name], as_version=4)

        nbformat.validate(book)
        pairs = list(zip(book.cells, english.cells, strict=True))
        assert all((one.id, one.cell_type, one.metadata) == (two.id, two.cell_type, two.metadata) for one, two in pairs)
        for one, two in pairs:
            if one.cell_type == "code":
                assert syntax(one.source) == syntax(two.source)
            else:
                assert all(map(is_chinese, one.source.split("\n\n")))
        parameters = next(cell.source for cell in book.cells if cell.cell_type == "code")
        assert all(is_chinese(line.partition("# ")[2]) for line in parameters.splitlines())

    def test_the_titles(self):
        """What ``runbook list`` shows beside the name is the Chinese heading."""
        assert all(is_chinese(runbook_title(name)) for name in NAMES)

    @pytest.mark.slow
    def test_a_runbook_runs_and_its_kernel_speaks_chinese(self, tmp_path):
        """The executed notebook is Chinese in its prose and in what the toolkit says; the environment is as before."""
        path = run_runbook(
            "20_protect_servers", tmp_path / "20.ipynb", {**SMALL, "sandbox": True, "out": str(tmp_path)}
        )

        assert "# 保护服务器" in nbformat.read(path, as_version=4).cells[0].source
        assert "要求的服务器：" in outputs(path)
        assert "SDRS_NB_LANG" not in os.environ

    def test_the_lab_opens_copies_and_keeps_what_the_operator_changed(self, tmp_path):
        """``make lab`` makes the copies that are missing, and never writes over one."""
        folder = lab.notebooks("zh", tmp_path)
        (folder / "00_start_here.ipynb").write_text("mine")
        (folder / "50_undo.ipynb").unlink()

        lab.notebooks("zh", tmp_path)

        assert (folder / "00_start_here.ipynb").read_text() == "mine"
        assert "撤销运行" in (folder / "50_undo.ipynb").read_text(encoding="utf-8")
        assert lab.notebooks("en", tmp_path) == tmp_path / "notebooks"
