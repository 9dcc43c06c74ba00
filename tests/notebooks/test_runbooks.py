"""Every runbook: how it is written, and that running it twice in a row changes nothing the second time."""

import json
from pathlib import Path

import nbformat
import pytest

import sdrs_nb
from sdrs_nb.runbooks import copy_runbooks, list_runbooks, run_runbook, runbook_title

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
    return json.dumps([cell.get("outputs") for cell in cells])


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
    """The lost answer is adopted, one server fails, and no server is created twice."""
    path = run_runbook("90_sandbox_tour", tmp_path / "tour.ipynb", {**SMALL, "out": str(tmp_path)})

    shown = outputs(path)
    assert "adopted" in shown
    assert "Ecs.0018" in shown
    assert "none of them more than 1 time" in shown


@pytest.mark.slow
def test_nothing_is_sent_before_the_plan_is_approved(tmp_path, monkeypatch):
    """Against a cloud that is no rehearsal: refused without approval, sent once with it, carried on the third time."""
    with sdrs_nb.start_sandbox(**SMALL) as sandbox:
        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        with pytest.raises(sdrs_nb.RunbookFailed) as refused:
            run_runbook("20_protect_servers", tmp_path / "1.ipynb", {"out": str(tmp_path)})
        untouched = [request for request in sandbox.requests() if request["method"] == "POST"]
        approve = sdrs_nb.Plan.load(tmp_path / "plan.json").fingerprint
        run_runbook("20_protect_servers", tmp_path / "2.ipynb", {"out": str(tmp_path), "approve": approve})
        sent = len([request for request in sandbox.requests() if request["method"] == "POST"])
        run_runbook("20_protect_servers", tmp_path / "3.ipynb", {"out": str(tmp_path), "approve": approve})
        for name in ("00_start_here", "30_follow_and_resume", "40_verify_and_report", "60_coverage_and_drift"):
            run_runbook(name, tmp_path / f"{name}.ipynb", {"out": str(tmp_path)})
        after = len([request for request in sandbox.requests() if request["method"] == "POST"])

    assert refused.value.cause is sdrs_nb.PlanError
    assert untouched == []
    assert sent == after > 0


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
