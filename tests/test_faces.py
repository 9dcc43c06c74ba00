"""The same run on every face: each stage is drawn everywhere, in both languages, in the tone it has."""

import contextlib
import html
import io
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import sdrs_nb
from sdrs_nb.cli import printing, watching
from sdrs_nb.running.progress import ProgressLines
from sdrs_nb.running.runs import Run
from sdrs_nb.shown.tones import STAGE_TONES
from sdrs_nb.shown.words import word
from sdrs_nb.statuses import Stage, has_ended
from sdrs_nb.widgets.outcome_panel import OutcomePanel
from sdrs_nb.widgets.run_facts import run_facts
from sdrs_nb.widgets.state import WorkbenchState
from sdrs_nb.widgets.submit_panel import SubmitPanel
from sdrs_nb.widgets.writing import writer
from tests.builders_reporting import a_recorded_run


class Terminal(io.StringIO):
    """A text stream that says that it is a terminal, wide enough for a table."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def line(run: Run) -> str:
    """Return the line of progress in a pipe or a cell."""
    written = io.StringIO()
    ProgressLines(written)(run)
    return written.getvalue()


def bars(run: Run) -> str:
    """Return what the bars of the command line show on a terminal."""
    shown = Terminal()
    with contextlib.redirect_stderr(shown), watching.running(quiet=False) as moved:
        moved(run)
    return shown.getvalue()


def table(run: Run) -> str:
    """Return the command line's table on a terminal."""
    shown = Terminal()
    with contextlib.redirect_stdout(shown):
        printing.frame(run.servers, as_json=False, columns=("name", "stage"))
    return shown.getvalue()


def submit_panel(run: Run) -> str:
    """Return the submit panel's figures and rows."""
    state = WorkbenchState()
    state.set_run(run)
    panel = SubmitPanel(state=state)
    writer().flush()
    assert panel.background.errors.value == ""
    assert panel._bar.value == run.tally.ended
    return panel._facts.value + panel._doing.value + panel.servers._repr_html_()


def outcome_panel(run: Run) -> str:
    """Return the outcome panel's figures and rows."""
    state = WorkbenchState()
    state.set_run(run)
    panel = OutcomePanel(state=state)
    state.set_outcome(run.servers)
    writer().flush()
    assert panel.background.errors.value == ""
    return panel._facts.value + panel.grid._repr_html_() + panel._next.value


def report(run: Run) -> str:
    """Return the report's page."""
    return sdrs_nb.report(run, Path(run.ledger.path).with_name("report.html")).read_text(encoding="utf-8")


FACES: Mapping[str, Callable[[Run], str]] = {
    "progress line": line,
    "bars": bars,
    "table": table,
    "text repr": repr,
    "html repr": Run._repr_html_,
    "figures": lambda run: run_facts(run, run.state),
    "submit panel": submit_panel,
    "outcome panel": outcome_panel,
    "report": report,
}


def seen(shown: str) -> str:
    """Return the text of a page or a terminal, without markup, styles and escapes."""
    return html.unescape(re.sub(r"<style>.*?</style>|<[^>]+>|\x1b\[[0-9;?]*[A-Za-z]", " ", shown, flags=re.DOTALL))


@pytest.fixture
def wide(monkeypatch):
    """A terminal of 200 columns."""
    monkeypatch.setenv("COLUMNS", "200")


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("stage", list(Stage), ids=str)
def test_every_stage_is_drawn_on_every_face(ledger, stage, face, language):
    """Nothing raises, and the stage's word is there; progress names only what has ended."""
    run = a_recorded_run(ledger, servers=2, blocked=0, stage=stage.value)
    sdrs_nb.set_language(language)

    text = seen(FACES[face](run))

    assert word(stage) in text or (face in {"progress line", "bars"} and not has_ended(stage))


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize("face", ["progress line", "bars", "submit panel", "report"])
def test_every_face_counts_what_has_ended_alike(ledger, face):
    """A server in each stage: six of ten have ended, on the line, the bars, the panel and the report."""
    run = a_recorded_run(ledger, servers=len(Stage), blocked=0)
    rows = [{"server_id": f"server-{at}", "stage": stage} for at, stage in enumerate(Stage)]
    ledger.set_servers(run.run_id, None, rows)

    text = " ".join(seen(FACES[face](run)).split())

    wanted = {"progress line": "6 of 10 ended", "bars": "6/10", "submit panel": "6 of 10", "report": "4 of 10 planned"}
    assert wanted[face] in text


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize(("stage", "is_red"), [("failed", True), ("created", False), ("unknown", False)])
def test_bars_are_red_once_a_server_failed(ledger, monkeypatch, stage, is_red):
    """On a terminal with colours the words of the servers' bar are red, and only then."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    run = a_recorded_run(ledger, servers=2, blocked=0, stage=stage)

    assert ("\x1b[31mservers" in bars(run)) == is_red


@pytest.mark.parametrize("stage", list(Stage), ids=str)
def test_panel_and_report_show_a_stage_in_its_tone(ledger, stage):
    """The grid's column and the report's rows take the tone from the one home."""
    run = a_recorded_run(ledger, servers=1, blocked=0, stage=stage.value)

    panel = SubmitPanel(state=WorkbenchState())

    assert panel.servers._state.column("stage").tones == STAGE_TONES
    assert f'<span class="state {STAGE_TONES[stage]}">' in report(run)
