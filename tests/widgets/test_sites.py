"""The workbench's choice of rules: those of the cloud, named with their reason, until the operator takes others."""

import pytest

import sdrs_nb
from sdrs_nb.rulebook import load_rulebook
from sdrs_nb.widgets.eligibility_panel import EligibilityPanel
from sdrs_nb.widgets.state import WorkbenchState
from sdrs_nb.widgets.steps import Step, StepState
from sdrs_nb.widgets.workbench import Workbench
from tests.builders import a_server, an_inventory
from tests.builders_runs import a_run, an_estate
from tests.builders_sites import a_site_without_batch_calls, sent
from tests.widgets.test_panels import settled, text

OTC = {"endpoint": "http://127.0.0.1:9", "cloud_host": "otc.t-systems.com", "access_key": "AK", "secret_key": "SK"}


@pytest.fixture
def site(monkeypatch):
    """The running site; the environment points to it, by the host name of Open Telekom Cloud."""
    with a_site_without_batch_calls() as (sandbox, environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield sandbox


def submitted(workbench, rules=""):
    """Go from the inventory to the end of the run, or to what stopped it."""
    _connect, inventory, eligibility, plan, approve, submit, _outcome = workbench.panels
    inventory._load.click()
    settled(inventory, lambda: workbench.state.state_of(Step.INVENTORY) == StepState.DONE)
    eligibility._rules.value = rules
    eligibility._check.click()
    settled(eligibility, lambda: workbench.state.state_of(Step.ELIGIBILITY) == StepState.DONE)
    plan._plan.click()
    settled(plan, lambda: workbench.state.state_of(Step.PLAN) == StepState.DONE)
    approve._count.value = str(workbench.state.planned_servers)
    approve._approve.click()
    submit._submit.click()
    settled(submit, lambda: workbench.state.state_of(Step.SUBMIT) in (StepState.DONE, StepState.FAILED), 120)
    return submit


@pytest.mark.slow
def test_open_telekom_cloud_is_served_one_by_one(site):
    """The panels name its rules and why; single creates only leave, and every planned server is at its end."""
    workbench = Workbench()
    connect, _inventory, eligibility = workbench.panels[:3]
    connect._connect.click()
    settled(connect, lambda: workbench.state.access is not None)

    submitted(workbench)

    why = "Rule book otc: otc.t-systems.com is Open Telekom Cloud."
    assert why in text(connect._access)
    assert why in text(eligibility._reason)
    assert "no batch-create call" in text(connect._access)
    assert set(workbench.run.servers["stage"]) <= {"created", "protected"}
    assert sent(site) == [("POST", "/protected-instances", 200)] * len(workbench.run.servers)


@pytest.mark.slow
def test_batch_creates_there_stop_after_one_404_and_the_panel_says_how_to_go_on(site):
    """Done as it says, a new plan of the same servers by the other rules ends right."""
    workbench = Workbench(sdrs_nb.connect())

    submit = submitted(workbench, "huaweicloud")

    told = submit.background.errors.value
    assert sent(site) == [("POST", "/protected-instances/batch", 404)]
    assert "no batch create, and nothing was created" in told
    assert "Choose Retry what failed as a new plan" in told
    assert "in the step Eligibility" in told
    submit._retry.click()
    submitted(workbench, "otc")
    assert set(workbench.run.servers["stage"]) <= {"created", "protected"}
    assert {row[:2] for row in sent(site)[1:]} == {("POST", "/protected-instances")}


def test_a_choice_of_rules_is_an_edit():
    """What was checked and planned by other rules is out of date; the same choice again changes nothing."""
    state = WorkbenchState()
    state.set_inventory(an_inventory(servers=[a_server()]))
    state.check()
    state.make_plan()
    panel = EligibilityPanel(state)
    settled(panel, lambda: panel._rules.options)

    panel._rules.value = "otc"

    assert [state.state_of(step) for step in (Step.ELIGIBILITY, Step.PLAN)] == [StepState.STALE] * 2
    state.check()
    state.choose_rules("otc")
    assert state.state_of(Step.ELIGIBILITY) == StepState.DONE
    assert state.eligibility.rulebook is load_rulebook("otc")
    state.choose_rules("")
    assert state.rulebook is load_rulebook()


def test_an_inventory_goes_by_its_own_cloud_and_else_by_the_one_connected_to():
    """A file that does not say its cloud is judged anew for the cloud it would be sent to; one that says it is not."""
    state = WorkbenchState()
    state.set_inventory(an_inventory(servers=[a_server()]))
    state.check()
    before = state.rulebook_reason

    state.connect(sdrs_nb.connect(**OTC))

    assert "ASSUMED" in before
    assert state.rulebook_reason == "Rule book otc: otc.t-systems.com is Open Telekom Cloud."
    assert state.state_of(Step.ELIGIBILITY) == StepState.STALE
    of_huawei = an_inventory(servers=[a_server()])
    of_huawei.about = of_huawei.about.model_copy(update={"cloud_host": "myhuaweicloud.com"})
    state.set_inventory(of_huawei)
    assert state.rulebook_reason == "Rule book huaweicloud: myhuaweicloud.com is Huawei Cloud."


def test_a_run_that_is_opened_brings_its_own_rules(ledger):
    """A new plan after it goes by them, changed limits included, and the panel shows them as the choice."""
    state = WorkbenchState()
    panel = EligibilityPanel(state)

    state.set_run(a_run(ledger, an_estate(2), rulebook="otc batch_delete_size=2"))

    settled(panel, lambda: panel._rules.value)
    assert state.rulebook is load_rulebook("otc", batch_delete_size=2)
    assert panel._rules.value == "otc batch_delete_size=2"
    assert "as chosen" in text(panel._reason)
