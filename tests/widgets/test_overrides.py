"""Overrides per group and server: set, change, remove, refused with a sentence, and seen in the payloads."""

import html
import re

import pytest

from sdrs_nb.models import BatchOptions
from sdrs_nb.payloads.requests import payload
from sdrs_nb.planning.overrides import override_problems
from sdrs_nb.rulebook import load_rulebook
from sdrs_nb.widgets.overrides import Override, override_rows, told_whom, with_override
from sdrs_nb.widgets.plan_panel import PlanPanel
from sdrs_nb.widgets.state import WorkbenchState
from sdrs_nb.widgets.steps import Step, StepState
from sdrs_nb.widgets.writing import writer
from tests.builders import GROUP, a_server, an_inventory


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A ledger of these tests alone."""
    monkeypatch.setenv("SDRS_NB_HOME", str(tmp_path / "home"))


@pytest.fixture
def state():
    """Three servers that one group takes, checked and planned and approved."""
    made = WorkbenchState()
    made.set_inventory(an_inventory(servers=[a_server(f"server-{n}") for n in range(3)]))
    made.check()
    made.make_plan()
    assert made.approve("3", "li") is None
    return made


@pytest.fixture
def panel(state):
    """The plan panel of that state, drawn."""
    made = PlanPanel(state)
    writer().flush()
    return made.overrides


def shown(widget):
    """The text of an HTML widget, without its markup and style."""
    return html.unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", widget.value, flags=re.DOTALL))


def test_an_override_of_a_server_is_in_its_request_and_no_other(state):
    """The server's description differs, so it travels in a request of its own; the others share theirs."""
    assert state.set_override(Override("description", "the odd one", server_ids=("server-1",))) == ""

    state.make_plan()

    bodies = [payload(batch)["protected_instances"] for batch in state.plan.batches]
    said = {one["server_id"]: body.get("description") for body in bodies for one in body["servers"]}
    assert said == {"server-0": None, "server-1": "the odd one", "server-2": None}


def test_an_override_of_a_group_holds_for_its_servers(state):
    """Tags given as text become the request's tags."""
    state.set_override(Override("tags", "owner=ops, tier=1", GROUP))

    state.make_plan()

    body = payload(state.plan.batches[0])["protected_instances"]
    assert body["tags"] == [{"key": "owner", "value": "ops"}, {"key": "tier", "value": "1"}]


def test_an_empty_override_takes_the_shared_value_away(state):
    """Everybody has a description but one server."""
    state.set_options(description="for all")
    state.set_override(Override("description", "", server_ids=("server-2",)))
    state.check()
    state.make_plan()

    bodies = [payload(batch)["protected_instances"] for batch in state.plan.batches]
    without = [one["server_id"] for body in bodies if "description" not in body for one in body["servers"]]
    assert without == ["server-2"]


@pytest.mark.parametrize("edit", ["set", "remove"])
def test_setting_and_removing_make_the_plan_stale_and_withdraw_the_approval(state, edit):
    """As for any edit."""
    override = Override("description", "odd", GROUP)
    state.set_override(override)
    if edit == "remove":
        state.make_plan()
        state.approve("3", "li")
        state.remove_override(override)

    assert state.state_of(Step.PLAN) == StepState.STALE
    assert state.approval is None
    assert len(state.overrides) == (edit == "set")


def test_setting_the_same_again_withdraws_nothing(state):
    """A second click costs nobody the approval."""
    override = Override("description", "odd", GROUP)
    state.set_override(override)
    state.make_plan()
    state.approve("3", "li")

    state.set_override(override)

    assert state.state_of(Step.APPROVE) == StepState.DONE


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        pytest.param("description", "x" * 65, "64", id="description too long"),
        pytest.param("description", "<b>", "Take them out", id="description markup"),
        pytest.param("tags", "a=1, a=2", "twice", id="tags"),
        pytest.param("tenancy", "private", "does not exist", id="tenancy"),
        pytest.param("dedicated_host_id", "host-1", "only taken with tenancy", id="host without tenancy"),
        pytest.param("flavor_id", "s9.huge", "s9.huge", id="flavor"),
        pytest.param("name_prefix", "a b", "name prefix", id="prefix"),
        pytest.param("wave", "0", "wave", id="wave"),
    ],
)
def test_a_bad_value_is_refused_with_a_sentence(state, field, value, word):
    """Nothing changes, and the approval stands."""
    said = state.set_override(Override(field, value, GROUP))

    assert word in said
    assert state.overrides == ()
    assert state.is_approved


def test_a_host_is_taken_beside_the_tenancy_of_the_same_group(state):
    """Fields of one group count together."""
    state.set_override(Override("tenancy", "dedicated", GROUP))

    assert state.set_override(Override("dedicated_host_id", "host-1", GROUP)) == ""


def test_a_bad_shared_option_is_not_blamed_on_an_override():
    """What is wrong already with all requests is told elsewhere."""
    options = BatchOptions(description="x" * 65)

    assert override_problems({"tenancy": "shared"}, options, (), load_rulebook()) == {}


def test_a_server_is_never_said_two_things_of_one_field():
    """Setting a field again takes the servers out of what was said before; other fields and groups stay."""
    first = Override("description", "a", server_ids=("s1", "s2"))
    others = (Override("wave", "2", server_ids=("s1",)), Override("description", "g", "group-1"))

    made = with_override((first, *others), Override("description", "b", server_ids=("s2", "s3")))

    assert made == (first._replace(server_ids=("s1",)), *others, Override("description", "b", "", ("s2", "s3")))
    assert {"server_id": "s3", "description": "b"} in override_rows(made)


def test_whom_an_override_is_for_is_told_by_names():
    """A group by its name; of many servers the first few."""
    names = {f"s{n}": f"db-{n}" for n in range(5)}

    assert told_whom(Override("wave", "2", "g"), {"g": "erp"}, {}) == "Group erp"
    assert told_whom(Override("wave", "2", "", tuple(names)), {}, names) == "5 servers: db-0, db-1, db-2, …"
    assert len(told_whom(Override("wave", "2", "g"), {"g": "W" * 10_000}, {})) < 80


def test_selected_servers_are_overridden_listed_changed_and_removed(panel, state):
    """Select, set, read the line; Change brings it back into the fields; Remove ends it."""
    panel.servers.selected = ["server-1"]
    panel.value.value = "odd"
    panel._set.click()
    writer().flush()
    line = panel.lines.children[0]
    text, change, remove = line.children

    assert "name of server-1" in shown(text)
    assert "Description: odd" in shown(text)
    assert panel.servers.rows.set_index("server_id")["overrides"]["server-1"] == "Description: odd"
    assert panel.title.endswith(": 1")
    panel.servers.selected = []
    panel.value.value = ""
    change.click()
    assert panel.servers.selected == ("server-1",)
    assert panel.value.value == "odd"
    remove.click()
    writer().flush()
    assert state.overrides == ()
    assert panel.lines.children == ()


def test_a_problem_stands_beside_the_field_and_goes_with_the_next_edit(panel, state):
    """Without a choice of whom nothing is set."""
    panel._set.click()
    first = shown(panel._problem)
    panel.whom.value = GROUP
    panel.field.value = "tenancy"

    assert "select servers" in first
    assert panel._problem.value == ""
    assert panel.value.options == ("shared", "dedicated")
    assert state.overrides == ()


def test_hostile_names_in_the_list_are_text():
    """Names of servers and groups are escaped."""
    made = WorkbenchState()
    made.set_inventory(an_inventory(servers=[a_server("server-0", name="<img src=x>")]))
    made.check()
    made.set_override(Override("description", "odd", server_ids=("server-0",)))
    panel = PlanPanel(made).overrides
    writer().flush()

    assert "<img" not in panel.lines.children[0].children[0].value
    assert "<img src=x>" in shown(panel.lines.children[0].children[0])
