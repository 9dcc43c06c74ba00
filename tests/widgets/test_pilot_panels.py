"""The pilot in the workbench: the box, the table, the word."""

import html
import re
from types import SimpleNamespace

import pytest

import sdrs_nb
from sdrs_nb.ledger.ledger import Ledger
from sdrs_nb.running.pilot import is_first_contact
from sdrs_nb.widgets.workbench import Workbench
from tests.builders_reporting import SCOPE, a_recorded_run
from tests.widgets.test_panels import settled


def text(widget):
    """Return what a piece of HTML says."""
    return html.unescape(re.sub(r"<[^>]+>", " ", widget.value))


def a_cloud(*, world="", sandbox=False, **scope):
    """Return what is asked of a connection: who we are there, and whether it is a sandbox."""
    identity = SimpleNamespace(**{"cloud_host": "", "world": world} | SCOPE | scope)
    return SimpleNamespace(identity=identity, settings=SimpleNamespace(sandbox=sandbox))


@pytest.mark.parametrize(
    ("here", "failing", "wanted"),
    [
        pytest.param({}, None, True, id="no run yet"),
        pytest.param({}, (), False, id="a run ended well"),
        pytest.param({}, (1,), True, id="no run ended well"),
        pytest.param({"project_id": "p2"}, (), True, id="a run ended well elsewhere"),
        pytest.param({"world": "w1"}, None, False, id="a sandbox's world"),
        pytest.param({"sandbox": True}, None, False, id="a sandbox that is named"),
    ],
)
def test_a_pilot_is_the_rule_on_the_first_contact_with_a_live_project(tmp_path, here, failing, wanted):
    """Once a run of the project has ended well, nobody need be careful any more; a rehearsal never needs to."""
    ledger = Ledger(tmp_path / "ledger.db")
    plan = a_recorded_run(Ledger(tmp_path / "other.db")).plan
    if failing is not None:
        a_recorded_run(ledger, failing=failing)

    assert is_first_contact(a_cloud(**here), plan, ledger) is wanted


def test_nobody_is_asked_before_the_cloud_said_who_we_are(tmp_path):
    """Without an identity there is no default."""
    cloud = SimpleNamespace(identity=None, settings=SimpleNamespace(sandbox=False))

    assert not is_first_contact(cloud, a_recorded_run(Ledger(tmp_path / "l.db")).plan, Ledger(tmp_path / "l.db"))


@pytest.mark.slow
def test_the_box_sends_one_batch_and_the_button_the_rest():
    """Tick, submit: the table of expected and found and a button; a click on it ends the run."""
    with sdrs_nb.start_sandbox(servers=40, seed=3, speed=600) as sandbox:
        made = Workbench(sandbox.connect())
        _connect, inventory, eligibility, plan, approve, submit, _outcome = made.panels
        inventory._load.click()
        settled(inventory, lambda: made.inventory is not None)
        eligibility._check.click()
        settled(eligibility, lambda: made.eligibility is not None and made.state.running is None)
        plan._plan.click()
        settled(plan, lambda: made.plan is not None and made.state.running is None)
        was_on = approve._pilot.value
        approve._pilot.value = True
        approve._count.value = str(made.state.planned_servers)
        approve._approve.click()
        submit._submit.click()
        settled(submit, lambda: made.run is not None and made.run.waits_for_word and made.state.running is None)
        shown, sent = text(submit._pilot), len(made.run.attempts)
        buttons = (submit._word.layout.display, submit._why.layout.display, submit._resume.disabled)
        submit._go_on.click()
        settled(submit, lambda: made.run.state == "done" and made.state.running is None)

    assert (was_on, sent) == (False, 1)
    assert "is as expected" in shown
    assert "DR status" in shown
    assert buttons == ("", "none", True)
    assert len(made.run.attempts) == len(made.plan.batches)
    assert submit._word.layout.display == "none"


@pytest.mark.slow
def test_a_difference_wants_a_reason_in_the_panel():
    """Go on without a reason says what is missing and sends nothing; with one it goes on."""
    with sdrs_nb.start_sandbox(servers=40, seed=3, speed=600, assume={"dr_state": "running"}) as sandbox:
        made = Workbench(sandbox.connect())
        _connect, inventory, eligibility, plan, approve, submit, _outcome = made.panels
        inventory._load.click()
        settled(inventory, lambda: made.inventory is not None)
        eligibility._check.click()
        settled(eligibility, lambda: made.eligibility is not None and made.state.running is None)
        plan._plan.click()
        settled(plan, lambda: made.plan is not None and made.state.running is None)
        approve._pilot.value = True
        approve._count.value = str(made.state.planned_servers)
        approve._approve.click()
        submit._submit.click()
        settled(submit, lambda: made.run is not None and made.run.state == "paused" and made.state.running is None)
        shown = text(submit._pilot)
        submit._go_on.click()
        settled(submit, lambda: made.state.failure(submit.step))
        sent = len(made.run.attempts)
        submit._why.value = "they are stopped by hand"
        submit._go_on.click()
        settled(submit, lambda: made.run.state == "done" and made.state.running is None)

    assert "dr_state" in shown
    assert "ACTIVE" in shown
    assert sent == 1
    assert made.run.pilot.reason == "they are stopped by hand"
