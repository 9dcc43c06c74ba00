"""Panels without a browser: set the state, click, and look at the state and at the text shown."""

import html
import json
import re
import time
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

import sdrs_nb
from sdrs_nb.doctor import Diagnosis
from sdrs_nb.models import Wait
from sdrs_nb.widgets.approve_panel import ApprovePanel
from sdrs_nb.widgets.connect_panel import ConnectPanel
from sdrs_nb.widgets.eligibility_panel import EligibilityPanel
from sdrs_nb.widgets.inventory_panel import InventoryPanel
from sdrs_nb.widgets.plan_panel import PlanPanel
from sdrs_nb.widgets.state import WorkbenchState
from sdrs_nb.widgets.steps import Step, StepState
from sdrs_nb.widgets.submit_panel import SubmitPanel
from sdrs_nb.widgets.workbench import Workbench
from sdrs_nb.widgets.writing import writer
from tests.builders import a_server, a_volume, an_attachment, an_inventory

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Ledger and saved filters of these tests alone."""
    monkeypatch.setenv("SDRS_NB_HOME", str(tmp_path / "home"))


#: Cloud seconds a second: while a run is to be met on its way, and when it need not be.
SLOW, FAST = 10, 600


@pytest.fixture(scope="module")
def cloud_process():
    """A sandbox of 40 servers on which jobs take a moment."""
    with sdrs_nb.start_sandbox(servers=40, seed=3, speed=FAST) as sandbox:
        yield sandbox


def settled(panel, until, seconds=60):
    """Wait until ``until()`` holds, with everything drawn; the panel's failure is the message otherwise."""
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline, panel.background.errors.value
        time.sleep(0.02)
        writer().flush()
    writer().flush()


def state_with(**frames):
    """A state with this inventory."""
    state = WorkbenchState()
    state.set_inventory(an_inventory(**frames))
    return state


def text(widget):
    """The text of an HTML widget, without its markup and style."""
    return html.unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", widget.value, flags=re.DOTALL))


def planned_state(count=7):
    """A state with a plan of ``count`` servers."""
    state = state_with(servers=[a_server(f"server-{n}") for n in range(count)])
    state.check()
    state.make_plan()
    return state


def test_connecting_shows_where_credentials_were_found_and_never_their_value(cloud_process, monkeypatch):
    """Names of variables, the project and what may be read are shown; no key is in any trait of the panel."""
    environment = cloud_process.environment()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    panel = ConnectPanel()

    panel._connect.click()
    settled(panel, lambda: panel.state.access is not None)

    assert "SDRS_NB_SECRET_KEY" in text(panel._facts)
    assert cloud_process.project_id in text(panel._facts)
    assert "may be read" in text(panel._access)
    assert "batch-create call" in text(panel._access)
    shown = json.dumps([panel._facts.value, panel._access.value, panel._held.value])
    assert environment["SDRS_NB_SECRET_KEY"] not in shown
    assert environment["SDRS_NB_ACCESS_KEY"] not in shown


def test_the_doctor_is_one_click_away(cloud_process):
    """What it found is on the panel; there is nothing to examine before a cloud is named."""
    panel = ConnectPanel()
    before = panel._examine.disabled
    panel.state.connect(cloud_process.connect())
    panel._redraw()

    panel._examine.click()
    settled(panel, lambda: panel.state.diagnosis is not None)

    found, shown = panel.state.diagnosis, text(panel._diagnosis)
    assert [one.check for one in found.findings if one.found not in shown] == []
    assert (before, panel._examine.disabled) == (True, False)


def test_another_cloud_has_not_been_examined(cloud_process):
    """A diagnosis is of one cloud alone."""
    state = WorkbenchState(cloud_process.connect())
    state.set_diagnosis(Diagnosis([]))

    state.connect(cloud_process.connect())

    assert state.diagnosis is None


def test_connecting_without_credentials_says_where_it_looked(monkeypatch, tmp_path):
    """The step fails with the sentence of the settings, and may be tried again."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("SDRS_NB_ACCESS_KEY", "SDRS_NB_SECRET_KEY", "OS_CLOUD"):
        monkeypatch.delenv(name, raising=False)
    panel = ConnectPanel()

    panel._connect.click()
    settled(panel, lambda: panel.state.failure(Step.CONNECT))

    assert "No credentials were found" in text(panel._held)
    assert not panel._connect.disabled


def test_a_sandbox_starts_in_one_click(cloud_process):
    """Whatever starts a sandbox is handed in; after the click the state talks to it."""
    panel = ConnectPanel(sandbox=lambda: cloud_process)

    panel._rehearse.click()
    settled(panel, lambda: panel.state.access is not None)

    assert panel.state.cloud is not None
    assert panel.state.cloud.settings.endpoint == cloud_process.endpoint


def test_no_sandbox_is_offered_where_none_was_handed_in():
    """The button is hidden."""
    assert ConnectPanel()._rehearse.layout.display == "none"


def test_a_file_dropped_on_the_panel_becomes_the_inventory(tmp_path):
    """Pieces sent by the browser are put together and read; nothing of the file stays in a trait."""
    path = an_inventory(servers=[a_server("server-1", name="dropped")]).to_excel(tmp_path / "estate.xlsx")
    content = path.read_bytes()
    panel = InventoryPanel()
    half = len(content) // 2

    for at, piece in enumerate((content[:half], content[half:])):
        message = {"type": "piece", "name": "estate.xlsx", "at": at, "pieces": 2}
        panel.opener.drop._on_browser_message(None, message, [memoryview(piece)])
    settled(panel, lambda: panel.state.inventory is not None)

    assert panel.grid.rows["name"].tolist() == ["dropped"]
    assert "dropped" not in repr(panel.opener.drop.get_state())


def test_a_broken_file_is_told_with_its_problems(tmp_path):
    """The reader's own words appear in the panel and the step has failed."""
    panel = InventoryPanel()
    panel.opener.path.value = str(tmp_path / "missing.xlsx")

    panel.opener.open_path.click()
    settled(panel, lambda: panel.state.state_of(Step.INVENTORY) == StepState.FAILED)

    assert "missing.xlsx" in panel.background.errors.value


def test_facets_count_and_filter():
    """A chip shows how many servers have a value; clicking it shows only those, clicking again all."""
    panel = InventoryPanel(
        state=state_with(servers=[a_server("server-1"), a_server("server-2", status="SHUTOFF"), a_server("server-3")])
    )
    settled(panel, lambda: len(panel.grid) == 3)
    chips = {chip.description: chip for chip in panel.facets[0].children[1:]}

    chips["SHUTOFF: 1"].click()
    shown = panel.grid.shown["server_id"].tolist()
    next(chip for chip in panel.facets[0].children[1:] if chip.description == "SHUTOFF: 1").click()

    assert set(chips) == {"ACTIVE: 2", "SHUTOFF: 1"}
    assert shown == ["server-2"]
    assert len(panel.grid.shown) == 3


def test_a_name_rule_and_a_tag_filter_and_are_kept_under_a_name():
    """A rule stands between slashes; a saved filter is offered by every later panel."""
    servers = [
        a_server("server-1", name="erp-db-1", tags="owner=a"),
        a_server("server-2", name="erp-app-1", tags="owner=b"),
    ]
    panel = InventoryPanel(state=state_with(servers=servers))
    settled(panel, lambda: len(panel.grid) == 2)

    panel.filters.name.value = "/db-\\d$/"
    by_rule = panel.grid.shown["server_id"].tolist()
    panel.filters.title.value = "databases"
    panel.filters._save.click()
    panel.filters._clear.click()
    panel.filters.tag.value = "owner=b"
    by_tag = panel.grid.shown["server_id"].tolist()
    later = InventoryPanel(state=state_with(servers=servers))
    settled(later, lambda: len(later.grid) == 2)
    later.filters.saved.value = "databases"

    assert (by_rule, by_tag) == (["server-1"], ["server-2"])
    assert later.grid.shown["server_id"].tolist() == ["server-1"]


def test_a_wrong_rule_is_told_and_changes_nothing():
    """An open bracket is no regular expression."""
    panel = InventoryPanel(state=state_with(servers=[a_server()]))
    settled(panel, lambda: len(panel.grid) == 1)

    panel.filters.name.value = "/(/"

    assert text(panel.filters._problem).strip()
    assert len(panel.grid.shown) == 1


def test_forty_names_to_an_approved_plan_in_five_clicks():
    """Paste, select, check, plan, approve: the five open entries are shown with what tells them apart, escaped."""
    servers = [a_server(f"server-{at:02}", name=f"web-{at:02}") for at in range(40)]
    servers += [
        a_server(f"{name}-{az}", name=name, az=az) for name in ("db-1", "db-2", HOSTILE) for az in ("az-1", "az-9")
    ]
    state = state_with(servers=servers)
    panels = inventory, eligibility, plan, approval = (
        InventoryPanel(state=state), EligibilityPanel(state), PlanPanel(state), ApprovePanel(state),
    )  # fmt: skip
    listed = [*(f"web-{at:02}" for at in range(35)), "db-1", "db-2", HOSTILE, "ghost", "gone"]

    inventory.chooser.text.value = "\n".join(listed)
    inventory.chooser.choose.click()
    settled(inventory, lambda: len(inventory.grid.selected) == 35)
    shown = inventory.chooser.answer.value
    eligibility._check.click()
    settled(eligibility, lambda: state.eligibility is not None and state.running is None)
    plan._plan.click()
    settled(plan, lambda: state.plan is not None and state.running is None)
    approval._count.value = "35"
    approval._approve.click()

    assert all(panel.background.errors.value == "" for panel in panels)
    assert all(f">{each}<" in shown for each in ("db-1", "db-2", "ghost", "gone"))
    assert "az=az-9" in shown
    assert HOSTILE not in shown + approval._open.value
    assert all(f"{each} " in text(approval._open) for each in ("db-1", "db-2", HOSTILE, "ghost", "gone"))
    assert state.is_approved
    assert {*state.plan.servers["server_id"]} == {f"server-{at:02}" for at in range(35)}


def test_what_was_guessed_while_reading_is_shown_as_text():
    """Headings and words of a list that somebody sent, each as it stood and as it was read; without any, nothing."""
    panel = InventoryPanel(state=WorkbenchState())
    sent = pd.DataFrame({"UUID": ["s-1"], "Host": [HOSTILE], "状态": ["运行中"], HOSTILE: ["x"]})
    panel.state.set_inventory(sdrs_nb.read_inventory(sent))
    settled(panel, lambda: len(panel.grid) == 1)
    told, display = panel._notes.value, panel._reading.layout.display
    panel.state.set_inventory(state_with(servers=[a_server("s-1")]).inventory)
    settled(panel, lambda: panel._reading.layout.display == "none")

    assert display == ""
    assert all(each in told for each in ("UUID", "server_id", "运行中", "ACTIVE"))
    assert HOSTILE not in told


def test_a_dropped_list_selects_and_an_unreadable_one_is_told():
    """A file reaches the same call; what cannot be read is a sentence and changes nothing."""
    panel = InventoryPanel(state=state_with(servers=[a_server("server-1"), a_server("server-2")]))
    settled(panel, lambda: len(panel.grid) == 2)

    panel.chooser.drop._on_file("list.csv", b"Server ID\nserver-2\n")
    settled(panel, lambda: panel.grid.selected == ("server-2",))
    panel.chooser.drop._on_file("list.xlsx", b"PK\x03\x04no workbook")
    settled(panel, lambda: panel.background.errors.value)

    assert "list.xlsx" in text(panel.background.errors)
    assert panel.state.server_ids == ("server-2",)


def shared_pair():
    """Two servers that share a volume, and one that shares nothing."""
    return {
        "servers": [a_server(f"server-{n}", name=f"{HOSTILE}{n}") for n in range(3)],
        "volumes": [a_volume("shared", multiattach=True, bootable=False), *(a_volume(f"root-{n}") for n in range(3))],
        "attachments": [
            *(an_attachment(f"server-{n}", f"root-{n}") for n in range(3)),
            an_attachment("server-0", "shared", device="/dev/vdb", bootable=False),
            an_attachment("server-1", "shared", device="/dev/vdb", bootable=False),
        ],
    }


def checked_panel(state):
    """An eligibility panel whose check is done and drawn."""
    panel = EligibilityPanel(state)
    panel._check.click()
    settled(panel, lambda: state.eligibility is not None and state.running is None and panel.fixes.value)
    return panel


def test_chips_count_the_verdicts_and_filter_the_grid():
    """All, then each verdict that occurs; a click filters."""
    panel = checked_panel(state_with(servers=[a_server("server-1"), a_server("server-2", status="ERROR")]))
    chips = {chip.description.split(" ", 1)[-1]: chip for chip in panel._chips.children}

    chips["blocked: 1"].click()

    assert panel.grid.shown["server_id"].tolist() == ["server-2"]


def test_a_server_shows_every_reason_with_remedy_evidence_and_source():
    """Cards in place of a table; names are escaped."""
    state = state_with(servers=[a_server("server-1", name=HOSTILE, status="ERROR")])
    panel = checked_panel(state)

    panel._on_grid_open("server-1")
    settled(panel, lambda: panel.detail.layout.display == "")

    shown = text(panel.detail.findings)
    assert "blocker" in shown
    assert "Remedy" in shown
    assert "Source" in shown
    assert "<img" not in panel.detail.findings.value + panel.detail.title.value


def test_a_missing_partner_is_added_in_one_click():
    """A server chosen without its partner is blocked; the click brings the partner and checks again."""
    state = state_with(**shared_pair())
    state.choose_servers(("server-0", "server-2"))
    panel = checked_panel(state)
    panel._on_grid_open("server-0")
    settled(panel, lambda: panel.detail.layout.display == "")
    before = state.eligibility

    panel.detail._add.click()
    settled(panel, lambda: state.eligibility is not before and state.running is None)

    assert state.server_ids == ("server-0", "server-2", "server-1")
    assert "shared volume" in text(panel.detail.picture)
    assert "<img" not in panel.detail.picture.value


def test_a_cluster_is_left_out_in_one_click():
    """The server and everybody tied to it go; the others are checked again."""
    state = state_with(**shared_pair())
    panel = checked_panel(state)
    panel._on_grid_open("server-0")
    settled(panel, lambda: panel.detail.layout.display == "")
    before = state.eligibility

    panel.detail._leave.click()
    settled(panel, lambda: state.eligibility is not before and state.running is None)

    assert state.server_ids == ("server-2",)


def test_the_waterfall_has_a_text_alternative():
    """The picture's label says what the bars show."""
    panel = checked_panel(state_with(servers=[a_server("server-1"), a_server("server-2", status="ERROR")]))

    assert 'role="img"' in panel.waterfall.value
    assert "Of 2 servers asked for, 1 are ready to plan." in panel.waterfall.value


def test_a_plan_shows_groups_proof_quota_and_who_is_left_out():
    """Seven servers at five a request: two requests, proven, with the batches in a grid."""
    state = state_with(servers=[a_server(f"server-{n}") for n in range(7)])
    state.check()
    panel = PlanPanel(state)

    panel._plan.click()
    settled(panel, lambda: state.plan is not None and len(panel.batches))

    assert len(panel.batches) == 2
    assert "fewest possible" in text(panel._groups)
    assert panel.batches.rows["servers"].sum() == 7


def test_payloads_are_searched_marked_and_shown_as_command_lines():
    """Only requests that hold the text are offered, the text is marked; curl carries no secret."""
    panel = ApprovePanel(planned_state())
    settled(panel, lambda: panel.batch.options)

    panel.search.value = "server-6"
    offered = len(panel.batch.options)
    marked = panel._payload.value
    panel.form.value = "curl"

    assert offered == 1
    assert "<mark>server-6</mark>" in marked
    assert "curl -X POST" in text(panel._payload)
    assert "$TOKEN" in panel._payload.value


def test_approval_takes_the_number_and_says_what_is_wrong():
    """A bare click and a wrong number approve nothing."""
    panel = ApprovePanel(planned_state())
    settled(panel, lambda: panel.batch.options)

    panel._approve.click()
    bare = text(panel._approval)
    panel._count.value = "7"
    panel._approve.click()
    settled(panel, lambda: panel.state.approval is not None)

    assert "Type the number of servers" in bare
    assert "exactly these requests, nothing else" in text(panel._approval)


def test_consequences_are_told_in_words():
    """C8 and C9 concern everybody."""
    panel = ApprovePanel(planned_state())
    settled(panel, lambda: panel._consequences.value)

    assert "only their ids differ" in text(panel._consequences)
    assert "C8" in text(panel._consequences)


@pytest.fixture
def workbench(cloud_process):
    """A workbench on the sandbox as at the start, with everything up to the approval done."""
    cloud_process.reset()
    made = Workbench(cloud_process.connect())
    _connect, inventory, eligibility, plan, approve, _submit, _outcome = made.panels
    inventory._load.click()
    settled(inventory, lambda: made.inventory is not None)
    eligibility._check.click()
    settled(eligibility, lambda: made.eligibility is not None and made.state.running is None)
    plan._plan.click()
    settled(plan, lambda: made.plan is not None and made.state.running is None)
    approve._count.value = str(made.state.planned_servers)
    approve._approve.click()
    assert made.state.is_approved
    return made


@pytest.mark.slow
def test_the_whole_job_leaves_results_and_a_report(workbench, tmp_path):
    """Submit, follow, verify, report: stages in words, a timeline with its text, an event log, files written."""
    submit, outcome = workbench.panels[5:]

    submit._submit.click()
    settled(submit, lambda: workbench.state.state_of(Step.SUBMIT) == StepState.DONE, 90)
    outcome._verify.click()
    settled(outcome, lambda: workbench.outcome is not None)
    outcome._path.value = str(tmp_path / "report.html")
    outcome._write.click()
    settled(outcome, lambda: "Written" in outcome._written.value)

    assert set(workbench.outcome["stage"]) <= {"created", "protected"}
    assert "by the cloud's clock" in text(submit._timeline)
    assert "run done" in submit.events.rows["what"].tolist()
    assert "Do not power on" in text(outcome._next)
    assert Path(tmp_path / "report.html").is_file()
    assert submit._new.disabled is False


@pytest.mark.slow
def test_a_run_with_failures_is_red_wherever_it_shows(workbench, cloud_process):
    """Two servers fail: step, header, bar and figures say so; what failed, why and what to do is above the rows."""
    cloud_process.set_faults({"match": "POST /v1/*/protected-instances/batch", "kind": "fail_subjob", "times": 2})
    submit, outcome = workbench.panels[5:]
    submit._submit.click()
    settled(submit, lambda: workbench.state.state_of(Step.SUBMIT) == StepState.DONE, 90)
    cloud_process.set_faults()

    outcome._verify.click()
    settled(outcome, lambda: workbench.outcome is not None and len(outcome.grid))

    for at, panel in ((5, submit), (6, outcome)):
        step = workbench._steps[at]
        assert step.description.endswith("■ done, 2 failed")
        assert "sdrs-step-bad" in step._dom_classes
        assert "done, 2 failed" in text(panel._state)
        assert "sdrs-tone-bad" in panel._state.value
        assert "2 servers failed: SDRS.1350" in text(panel._facts)
        assert "The protected instance could not be created" in text(panel._facts)
    assert submit._bar.bar_style == "danger"
    assert submit.servers.shown["stage"].tolist()[:3] == ["failed", "failed", "created"]
    assert outcome.grid.shown["stage"].tolist()[:3] == ["failed", "failed", "created"]
    assert submit.batches.shown["failed"].tolist()[:3] == [1, 1, 0]
    assert "Submit and follow: done, 2 failed" in repr(workbench)


@pytest.mark.slow
def test_a_run_that_went_well_is_green(workbench):
    """No failure, no block, a green bar: red means something."""
    submit = workbench.panels[5]
    submit._submit.click()
    settled(submit, lambda: workbench.state.state_of(Step.SUBMIT) == StepState.DONE, 90)

    assert workbench._steps[5].description.endswith("● done")
    assert "sdrs-step-good" in workbench._steps[5]._dom_classes
    assert submit._bar.bar_style == "success"
    assert "sdrs-troubles" not in submit._facts.value


def test_a_step_that_waits_for_the_gateway_says_until_when(cloud_process):
    """While a load waits its panel says so on top; when calls leave again the line is gone."""
    state = WorkbenchState(cloud_process.connect())
    panel = InventoryPanel(state=state)
    wait = Wait(until=datetime(2026, 1, 31, 9, tzinfo=UTC), calls=20, window_s=60)
    waits = state.cloud._session.waits

    waits.begin(wait)
    settled(panel, lambda: state.wait == wait)
    idle = text(panel._held)
    state.begin(Step.INVENTORY)
    settled(panel, lambda: str(wait) in text(panel._held))
    waits.end()
    settled(panel, lambda: str(wait) not in text(panel._held))

    assert str(wait) not in idle


@pytest.mark.slow
def test_a_run_stops_after_its_batch_and_carries_on(workbench, cloud_process):
    """Stop sends nothing more and pauses; Carry on finishes, and every server is created once."""
    submit = workbench.panels[5]

    cloud_process.set_speed(SLOW)
    submit._submit.click()
    settled(submit, lambda: workbench.run is not None)
    submit._stop.click()
    cloud_process.set_speed(FAST)
    settled(submit, lambda: workbench.run.state == "paused", 60)
    waiting = workbench.run.counts["not sent"]
    settled(submit, lambda: not submit._resume.disabled)
    submit._resume.click()
    settled(submit, lambda: workbench.state.state_of(Step.SUBMIT) == StepState.DONE, 90)

    assert waiting > 0
    assert workbench.run.counts["not sent"] == 0


@pytest.mark.slow
def test_a_second_workbench_on_the_run_watches_it(workbench):
    """Another notebook sees the run go on, may not submit again, and ends at the same figures."""
    submit = workbench.panels[5]
    submit._submit.click()
    settled(submit, lambda: workbench.run is not None)

    other = Workbench(workbench.state.cloud, run_id=workbench.run.run_id)
    watching = other.panels[5]
    settled(watching, lambda: workbench.state.state_of(Step.SUBMIT) == StepState.DONE, 90)
    settled(watching, lambda: "done" in text(watching._facts))

    assert watching._submit.layout.display == "none"
    assert other.run.counts == workbench.run.counts


def test_failed_servers_become_a_new_plan(workbench, cloud_process):
    """Retry keeps only what failed or was not sent, and asks for the inventory again first."""
    submit = workbench.panels[5]
    cloud_process.set_speed(SLOW)
    submit._submit.click()
    settled(submit, lambda: workbench.run is not None)
    submit._stop.click()
    cloud_process.set_speed(FAST)
    settled(submit, lambda: workbench.run.state == "paused", 60)
    workbench.run.cancel()
    submit.redraw()
    settled(submit, lambda: not submit._retry.disabled)
    expected = workbench.state.to_retry

    submit._retry.click()

    assert workbench.run is None
    assert workbench.state.server_ids == expected
    assert workbench.state.state_of(Step.INVENTORY) == StepState.STALE
    assert "load it again" in workbench.state.blockers(Step.ELIGIBILITY)[0]


def test_the_next_step_is_offered_with_what_holds_it_back():
    """The button names the step; the sentence beside it says what is missing."""
    workbench = Workbench()

    assert workbench._next.description == "Next: Inventory"
    assert "Connect to a cloud" in text(workbench._wait)
    assert workbench._steps[0].description.startswith("1  Connect\n")


def test_a_panel_stands_alone():
    """Each panel makes its own state or takes one, and draws without a workbench."""
    state = planned_state()

    panels = [InventoryPanel(), ConnectPanel(), EligibilityPanel(state), PlanPanel(state), SubmitPanel(state=state)]

    assert all(panel.background.errors.value == "" for panel in panels)
