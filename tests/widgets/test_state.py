"""The workbench's state: seven steps, what holds each back, and what an edit withdraws.  No ipywidgets, no browser."""

import subprocess
import sys

import pytest

from sdrs_nb.widgets.state import WorkbenchState
from sdrs_nb.widgets.steps import ORDER, Step, StepState, step_title
from tests.builders import a_server, an_inventory

SERVERS = [a_server(f"server-{n}") for n in range(1, 8)]


@pytest.fixture
def state():
    """A state with an inventory of seven servers that one group takes."""
    made = WorkbenchState()
    made.set_inventory(an_inventory(servers=SERVERS))
    return made


@pytest.fixture
def approved(state):
    """The same, checked, planned and approved."""
    state.check()
    state.make_plan()
    assert state.approve("7", "li") is None
    return state


def states(state):
    """Where each step stands, in order."""
    return [state.state_of(step).value for step in ORDER]


def test_the_state_knows_no_widgets():
    """Importing it loads no ipywidgets, so that every rule of the workbench is tested without a browser."""
    code = "import sys, sdrs_nb.widgets.state; print('ipywidgets' in sys.modules)"

    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert printed.stdout.strip() == "False"


def test_at_first_only_connecting_is_ready():
    """Without a cloud and without an inventory every other step waits and says why in a sentence."""
    state = WorkbenchState()

    assert states(state) == ["ready", *["todo"] * 6]
    assert all(state.blockers(step)[0].endswith(".") for step in ORDER[1:])


def test_an_inventory_of_a_file_needs_no_cloud_until_submitting(approved):
    """Everything up to the approval works on a file; submitting asks for a cloud."""
    assert states(approved)[:5] == ["done"] * 5
    assert approved.blockers(Step.SUBMIT) == ["Connect to the cloud to submit."]


@pytest.mark.parametrize(
    ("edit", "stale"),
    [
        pytest.param(lambda state: state.choose_servers(("server-1",)), "eligibility", id="selection"),
        pytest.param(lambda state: state.set_options(batch_limit=3), "eligibility", id="options"),
        pytest.param(lambda state: state.choose_group("group-1"), "eligibility", id="group"),
        pytest.param(lambda state: state.choose_group_for({"server-1": "group-1"}), "eligibility", id="choice"),
        pytest.param(lambda state: state.set_inventory(an_inventory(servers=SERVERS)), "eligibility", id="inventory"),
        pytest.param(lambda state: state.set_planning(name_prefix="erp"), "plan", id="prefix"),
        pytest.param(lambda state: state.set_planning(wave_limit=5), "plan", id="waves"),
        pytest.param(lambda state: state.set_planning(approvals_needed=2), "plan", id="approvals"),
    ],
)
def test_an_edit_marks_later_steps_stale_and_withdraws_the_approval(approved, edit, stale):
    """The first step that rests on what was edited is out of date, and nothing may be submitted."""
    edit(approved)

    assert approved.state_of(Step(stale)) == StepState.STALE
    assert approved.approval is None
    assert approved.blockers(Step.SUBMIT)


@pytest.mark.parametrize(
    "same",
    [
        pytest.param(lambda state: state.choose_servers(None), id="selection"),
        pytest.param(lambda state: state.set_options(batch_limit=5), id="options"),
        pytest.param(lambda state: state.choose_group(None), id="group"),
        pytest.param(lambda state: state.set_planning(name_prefix="dr", wave_limit=0), id="planning"),
    ],
)
def test_setting_what_is_set_already_withdraws_nothing(approved, same):
    """A widget that reports its value again costs nobody the approval."""
    same(approved)

    assert approved.state_of(Step.APPROVE) == StepState.DONE


@pytest.mark.parametrize("typed", ["", "6", "8", "seven", "7.0"])
def test_only_the_number_of_servers_approves(state, typed):
    """Anything else is refused with a sentence."""
    state.check()
    state.make_plan()

    assert state.approve(typed, "li")
    assert state.approval is None


def test_a_plan_for_two_persons_needs_two(state):
    """One approval leaves the step ready; the same person again is refused; another one completes it."""
    state.set_planning(approvals_needed=2)
    state.check()
    state.make_plan()

    assert state.approve("7", "li") is None
    assert state.state_of(Step.APPROVE) == StepState.READY
    assert "already" in (state.approve("7", "Li") or "")
    assert state.approve("7", "chen") is None
    assert state.state_of(Step.APPROVE) == StepState.DONE


def test_a_failed_plan_says_why_and_keeps_the_step_open(state):
    """A prefix that no request may carry fails the step with the planner's own sentence."""
    state.check()
    state.set_planning(name_prefix="")
    state.make_plan()

    assert state.state_of(Step.PLAN) == StepState.FAILED
    assert "prefix" in state.failure(Step.PLAN)


def test_another_running_step_holds_every_step_back(state):
    """While one step runs, none other starts."""
    state.begin(Step.INVENTORY)

    assert state.state_of(Step.INVENTORY) == StepState.RUNNING
    assert state.blockers(Step.ELIGIBILITY) == ["Another step is running; wait for it or stop it."]


def test_leaving_out_and_adding_servers_changes_the_selection(state):
    """Leaving out starts from everybody; adding brings back in the order of asking."""
    state.leave_out(["server-2", "server-3"])
    left = state.server_ids
    state.add_servers(["server-3", "server-1"])

    assert left == ("server-1", "server-4", "server-5", "server-6", "server-7")
    assert state.server_ids == (*left, "server-3")
    assert state.imposed == 2


def test_the_plan_before_is_kept_to_compare_with(state):
    """Planning anew with another prefix keeps the last plan; planning the same again does not."""
    state.check()
    state.make_plan()
    first = state.plan
    state.make_plan()
    assert state.last_plan is None
    state.set_planning(name_prefix="erp")
    state.make_plan()

    assert state.last_plan is not None
    assert first is not None
    assert state.last_plan.fingerprint == first.fingerprint


def test_every_change_is_told_to_listeners(state):
    """A panel that listens hears of each edit."""
    heard = []
    state.listen(lambda: heard.append(state.name_prefix))

    state.set_planning(name_prefix="erp")

    assert heard == ["erp"]


def test_every_step_has_a_title():
    """No step goes without words."""
    assert all(step_title(step) for step in Step)


def test_a_list_selects_and_what_is_open_stays_readable(state):
    """Names that fit one server are judged, the open ones are kept; the approval is withdrawn as by any edit."""
    state.check()
    state.make_plan()
    assert state.approve("7", "li") is None

    state.select_from("name of server-2\nserver-3\nnobody")

    assert state.server_ids == ("server-2", "server-3")
    assert state.selection.not_found["given"].tolist() == ["nobody"]
    assert not state.is_approved
    assert state.imposed == 1


def test_a_list_of_nobody_changes_no_selection(state):
    """It is told and nothing else; an expression is taken where a list is."""
    state.select_from("status == 'ACTIVE' && name.endsWith('-4')")
    state.select_from("nobody, noone")

    assert state.server_ids == ("server-4",)
    assert len(state.selection.open_points) == 2


def test_selecting_rows_puts_the_list_aside(state):
    """What the last list left open is no longer what is judged."""
    state.select_from("server-1, server-2, nobody")
    state.choose_servers(("server-2", "server-1"))
    kept = state.selection
    state.choose_servers(("server-5",))

    assert kept is not None
    assert state.selection is None
