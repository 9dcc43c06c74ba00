"""The report of a run: what it says, what it never holds, and how big it gets."""

import json
import re
from html.parser import HTMLParser

import openpyxl
import pandas as pd
import pytest

import sdrs_nb
from sdrs_nb.inventory.notes import Done
from sdrs_nb.ledger.pilots import Pilot, PilotRow
from sdrs_nb.models import Approval, SignOff
from sdrs_nb.reporting.charts import timeline, waterfall
from sdrs_nb.reporting.report import Summary
from sdrs_nb.reporting.todo import summarize_tasks
from sdrs_nb.reporting.words import speaks
from tests.builders_reporting import a_job, a_recorded_run

HOSTILE = "=cmd|' /C calc'!A0<script>alert(1)</script>\u202e{n}"


class _Page(HTMLParser):
    """The tags, addresses and text of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.addresses, self.words = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href", "xlink:href", "action", "data")]

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture
def written(ledger, tmp_path):
    """Record a run, report it, and give the page and the path."""

    def write(**run):
        path = sdrs_nb.report(a_recorded_run(ledger, **run), tmp_path / "evidence" / "report.html")
        return _Page(path.read_text(encoding="utf-8")), path

    return write


def test_a_manager_reads_the_outcome_at_the_top(written):
    """The first sentences count what was reached, what copies nothing yet, what failed and what was left out."""
    page, _path = written(servers=7, blocked=2, failing={3})

    assert "6 of 7 planned servers have a protected instance." in page.text
    assert "6 of them are in groups that are not enabled" in page.text
    assert "1 failed or were not sent" in page.text
    assert "2 servers that were asked for were left out" in page.text


def test_failures_are_red_at_the_top_with_why_and_what_to_do(written):
    """State, headline and a block by code stand above every table; the failed server is the first row."""
    page, path = written(servers=7, failing={3, 5})
    text = path.read_text(encoding="utf-8")

    assert '<span class="state bad"><i aria-hidden="true">■</i> done, 2 failed</span>' in text
    assert '<div class="headline bad">' in text
    assert page.text.index("2 servers failed: Ecs.0018") < page.text.index("servers asked for")
    assert "The flavor is sold out in the DR AZ." in page.text
    rows = text[text.index('<section id="servers">') :]
    assert rows.index("db-0003") < rows.index("db-0005") < rows.index("db-0000")


def test_it_names_every_server_its_reason_and_what_to_do(written):
    """A failed server shows the cloud's code and text unchanged and a remedy; a left-out one its rule."""
    page, _path = written(servers=2, failing={1})

    assert "Ecs.0018 the flavor is sold out" in page.text
    assert "delete an instance left in status error, then plan the server again" in page.text
    assert "bad-0" in page.text
    assert "S7" in page.text


def test_its_appendix_holds_fingerprint_approval_requests_and_answers(written, ledger):
    """Fingerprint, approver, rule book, every request body and every job document can be read without anything else."""
    page, _path = written(servers=6)
    record = sdrs_nb.list_runs(ledger).iloc[0]
    run = sdrs_nb.open_run(record["run_id"], ledger)

    assert record["fingerprint"] in page.text
    assert "An Operator, 2026-01-31 09:00:00 UTC" in page.text
    assert run.record["rulebook_version"] in page.text
    for payload in run.plan.payloads():
        assert " ".join(json.dumps(payload, indent=1).split()) in page.text
    assert "createProtectedInstanceNoCG" in page.text


def test_it_loads_nothing_and_runs_nothing(written):
    """No script, no picture, no style sheet, no frame; links stay in the page; the page forbids all else itself."""
    page, path = written(servers=3, name=HOSTILE)

    assert not {"script", "img", "link", "iframe", "object", "embed", "base", "form"} & set(page.tags)
    assert all(address.startswith("#") for address in page.addresses)
    assert "default-src 'none'" in path.read_text(encoding="utf-8")


def test_hostile_names_are_text(written):
    """Markup in a name is shown, hidden characters are written out, and a spreadsheet runs nothing."""
    page, path = written(servers=2, name=HOSTILE)

    assert "<script>alert(1)</script>[U+202E]0" in page.text
    assert "\u202e" not in page.text
    names = pd.read_csv(path.with_suffix(".csv"), encoding="utf-8-sig")["name"]
    assert names.str.startswith("'=cmd").all()
    sheet = openpyxl.load_workbook(path.with_suffix(".xlsx"))["outcome"]
    assert [(cell.data_type, str(cell.value)[:2]) for cell in sheet["B"][1:]] == [("s", "'=")] * 2


def test_the_files_beside_it_say_the_same(written, ledger):
    """CSV and workbook hold a row per planned server, failed ones first, the JSON lines every event of the ledger."""
    _page, path = written(servers=6, failing={3})
    run = sdrs_nb.open_run(sdrs_nb.list_runs(ledger).iloc[0]["run_id"], ledger)

    outcome = pd.read_csv(path.with_suffix(".csv"), encoding="utf-8-sig")
    sheets = pd.read_excel(path.with_suffix(".xlsx"), sheet_name=None, engine="openpyxl")
    events = [json.loads(line) for line in path.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()]

    order = ["server-3", *(server for server in run.servers["server_id"] if server != "server-3")]
    assert outcome["server_id"].tolist() == sheets["outcome"]["server_id"].tolist() == order
    tables = {"outcome", "batches", "left_out", "findings", "to_do", "requests", "jobs", "approvals", "assumptions"}
    assert set(sheets) == tables
    numbers = [event["event_id"] for event in events if event["event_id"] is not None]
    assert numbers == run.events["event_id"].tolist()


def test_the_json_lines_hold_data(written, ledger):
    """Documents and facts are objects, not JSON in a text; the run, its cloud and its approvers come first."""
    _page, path = written(servers=2)

    lines = [json.loads(line) for line in path.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()]

    assert [line["kind"] for line in lines[:2]] == ["run", "approved"]
    assert lines[0]["data"]["project_id"] == "p1"
    assert all(isinstance(line["data"], dict) for line in lines)
    jobs = [line["data"]["document"] for line in lines if line["kind"] == "job"]
    assert jobs
    assert all("entities" in document for document in jobs)


def test_every_form_names_both_approvers(ledger, tmp_path):
    """Page, CSV, workbook and JSON lines."""
    approval = Approval(fingerprint="f" * 64, who="Li", cosigned=(SignOff(who="Chen"),))
    run = a_recorded_run(ledger, servers=1, approval=approval)

    path = sdrs_nb.report(run, tmp_path / "r.html")

    page = path.read_text(encoding="utf-8")
    sheet = pd.read_excel(path.with_suffix(".xlsx"), sheet_name="approvals", engine="openpyxl")
    outcome = pd.read_csv(path.with_suffix(".csv"), encoding="utf-8-sig")
    lines = [json.loads(line) for line in path.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()]
    assert page.index("Li") < page.index("Chen")
    assert sheet["who"].tolist() == ["Li", "Chen"]
    assert outcome["approved_by"].tolist() == ["Li, Chen"]
    assert [line["data"]["who"] for line in lines if line["kind"] == "approved"] == ["Li", "Chen"]


def test_a_refused_batch_gets_no_advice_to_delete(ledger, tmp_path):
    """It has made nothing, so there is nothing to delete; a failed instance is there and must go."""
    run = a_recorded_run(ledger, servers=1, stage="accepted")
    refused = {"server_id": "server-0", "stage": "failed", "error_code": "SDRS.0209", "protected_instance_id": None}
    ledger.set_servers(run.run_id, None, [refused])
    without = pd.read_csv(sdrs_nb.report(run, tmp_path / "a.html").with_suffix(".csv"), encoding="utf-8-sig")
    ledger.set_servers(run.run_id, None, [refused | {"protected_instance_id": "i1"}])
    with_one = pd.read_csv(sdrs_nb.report(run, tmp_path / "b.html").with_suffix(".csv"), encoding="utf-8-sig")

    assert "delete" not in without["remedy"].iloc[0]
    assert "delete an instance left in status error" in with_one["remedy"].iloc[0]
    assert "delete" not in run.troubles[0].remedy or "instance" in run.troubles[0].remedy


@pytest.mark.parametrize(("planned_in", "read_in"), [("en", "zh"), ("zh", "en")])
def test_it_speaks_one_language_reasons_included(ledger, tmp_path, planned_in, read_in):
    """Reasons that were recorded in another language are said by their rules in the report's own."""
    sdrs_nb.set_language(planned_in)
    run = a_recorded_run(ledger, servers=1, blocked=2)
    recorded = run.plan.left_out["reason"].tolist()
    sdrs_nb.set_language(read_in)

    path = sdrs_nb.report(run, tmp_path / "r.html")

    text = _Page(path.read_text(encoding="utf-8")).text
    reasons = pd.read_excel(path.with_suffix(".xlsx"), sheet_name="left_out", engine="openpyxl")["reason"]
    assert not any(reason in text for reason in recorded)
    assert all(speaks(reason, read_in) for reason in reasons)
    assert reasons.str.contains("S7").all()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Server erp-db (1f9ef5dd) is in status ERROR.", "en"),
        ("服务器 erp-db（1f9ef5dd-ba59-498b-a993-8fa2e0d6b426）处于 ERROR 状态。", "zh"),
        ("Server 财务数据库 (1f9ef5dd) is in status ERROR, in which it cannot be protected.", "en"),
    ],
)
def test_a_sentence_is_of_one_language_whatever_names_it_holds(text, language):
    """Names and ids are in any script."""
    assert [each for each in ("en", "zh") if speaks(text, each)] == [language]
    assert speaks("SDRS", "en")
    assert speaks("", "zh")


def test_a_reason_in_another_language_is_quoted_and_never_dropped(ledger, tmp_path):
    """Where nothing says the same in the report's language, the words of that moment stand as a quotation."""
    run = a_recorded_run(ledger, servers=1)
    said = {
        "server_id": "server-0",
        "stage": "failed",
        "error_code": None,
        "message": "云服务拒绝了请求，没有说明原因。",
    }
    ledger.set_servers(run.run_id, None, [said])

    path = sdrs_nb.report(run, tmp_path / "r.html")

    assert f"As recorded: “{said['message']}”" in _Page(path.read_text(encoding="utf-8")).text


def test_a_run_that_has_sent_nothing_can_be_reported(ledger, tmp_path, written):
    """A run just recorded has a report that says so."""
    run = a_recorded_run(ledger, servers=1, stage="accepted")

    text = _Page(sdrs_nb.report(run, tmp_path / "r.html").read_text(encoding="utf-8")).text

    assert "The fate of 1 is not known yet." in text
    assert "resume the run" in text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_is_written_in_the_language_in_use(written, language):
    """The page says which language it is in."""
    sdrs_nb.set_language(language)
    try:
        _page, path = written(servers=1)
    finally:
        sdrs_nb.set_language(None)

    assert f'<html lang="{language}">' in path.read_text(encoding="utf-8")


def test_it_keeps_how_the_inventory_was_read_what_selected_nobody_and_the_warnings_of_groups(written):
    """A section each: texts of files are text, much of it is told in part and counted."""
    page, path = written(
        servers=1,
        warnings=(HOSTILE.format(n="group"),),
        reading=(Done(what="kept", count=90, examples=("Owner<b>", *(f"c{at}" for at in range(19)))),),
        open_points=tuple(f"web-{at} is not found." for at in range(203)),
    )

    assert HOSTILE.format(n="group").split("<")[0] in page.text
    assert "Owner<b>; c0" in page.text
    assert "c18; +70" in page.text
    assert "web-199 is not found. 3 more, in the plan." in page.text
    assert "script" not in page.tags
    sections = re.findall(r'<section id="(\w+)"', path.read_text(encoding="utf-8"))
    assert {"warnings", "reading"} <= set(sections)


def test_a_run_of_an_inventory_read_from_a_cloud_has_no_section_for_what_there_is_not(written):
    """Nothing was guessed, nobody left open, nothing warned of: the report says nothing about it."""
    page, path = written(servers=1, warnings=())

    assert "Entries of the list" not in page.text
    assert not {"warnings", "reading"} & set(re.findall(r'<section id="(\w+)"', path.read_text(encoding="utf-8")))


@pytest.mark.slow
def test_a_thousand_servers_take_under_5_mb(ledger, tmp_path):
    """A big run's report is small enough to mail; how long it takes is a figure of make bench."""
    run = a_recorded_run(ledger, servers=1000, blocked=200, failing={7})

    path = sdrs_nb.report(run, tmp_path / "report.html")

    assert path.stat().st_size < 5_000_000


def test_the_waterfall_falls_from_asked_to_reached():
    """Every loss begins where the step before ended, and the last total is who has an instance."""
    servers = pd.DataFrame({"stage": ["created"] * 5 + ["failed", "unknown"]})
    left_out = pd.DataFrame({"verdict": ["protected", "blocked", "blocked", "eligible", pd.NA]})

    steps = waterfall(servers, left_out)

    assert [(step.label, step.count) for step in steps] == [
        ("asked for", 12),
        ("protected already", 1),
        ("blocked", 2),
        ("eligible, but not planned", 2),
        ("planned", 7),
        ("failed", 1),
        ("unknown", 1),
        ("created or protected", 5),
    ]
    assert [round(step.start) for step in steps] == [0, 92, 75, 58, 0, 50, 42, 0]


@pytest.mark.parametrize("jobs", [[], [{}], [{"begin_time": "soon"}], [{"begin_time": None}]])
def test_a_timeline_without_times_is_empty(jobs):
    """No job, or jobs that tell no time, give no bar and no error."""
    frame = pd.DataFrame([{"batch_id": "b001", "document": json.dumps(job)} for job in jobs])

    assert timeline(frame, pd.DataFrame()).bars == ()


def test_the_timeline_names_sub_jobs_by_their_server():
    """A sub-job names instance and DR server only; the bar shows the production server's name and the failure."""
    job = a_job("job-0", 0, ["server-0", "server-1"], failed={"server-1"})
    servers = pd.DataFrame(
        {
            "name": ["db-0", "db-1"],
            "protected_instance_id": ["instance-of-server-0", pd.NA],
            "dr_server_id": ["dr-server-0", "dr-server-1"],
        }
    )

    drawn = timeline(pd.DataFrame([{"batch_id": "b001", "document": json.dumps(job)}]), servers)

    assert [bar.about for bar in drawn.bars] == [
        "b001: FAIL, 02:00",
        "db-0: SUCCESS, 01:00",
        "db-1: FAIL, 02:00 Ecs.0018 the flavor is sold out",
    ]
    assert [words for _at, words in drawn.ticks] == ["00:00", "00:30", "01:00", "01:30", "02:00"]


def test_the_to_do_list_names_groups_to_enable(ledger):
    """Each group that copies nothing yet is a task of its own, with its servers."""
    servers = a_recorded_run(ledger, servers=7).servers

    tasks = summarize_tasks(servers, {servers["group_id"][0]: "pg-erp"}, pd.DataFrame())

    assert "pg-erp" in tasks["task"][0]
    assert tasks["servers"][0] == 7
    assert tasks["names"][0].endswith("and 2 more")


def test_tasks_name_only_the_servers_they_are_for(ledger):
    """With the rules' findings at hand the enterprise project is a task for those servers alone."""
    servers = a_recorded_run(ledger, servers=3).servers
    findings = pd.DataFrame({"server_id": ["server-1"], "rule": ["S28"]})

    tasks = summarize_tasks(servers, {}, findings)

    concerned = tasks[tasks["task"].str.contains("enterprise project")]
    assert concerned[["servers", "names"]].to_numpy().tolist() == [[1, "db-0001"]]
    assert not tasks["task"].str.contains("key pair").any()


@pytest.mark.parametrize(
    ("stages", "error"),
    [
        ({"created": 2, "protected": 1}, None),
        ({"created": 2, "failed": 1}, sdrs_nb.JobFailed),
        ({"created": 2, "not sent": 1}, sdrs_nb.JobFailed),
        ({"failed": 2, "unknown": 1}, sdrs_nb.JobTimeout),
        ({"accepted": 3}, sdrs_nb.JobTimeout),
    ],
)
def test_a_summary_tells_the_outcome_by_its_error(stages, error):
    """All reached: nothing; something failed: JobFailed; something unknown, whatever else: JobTimeout."""
    summary = Summary(asked=3, verdicts={}, reasons={}, batches=1, planned=3, left_out=0, stages=stages)

    if error is None:
        summary.require_complete()
    else:
        with pytest.raises(error):
            summary.require_complete()


def test_the_pilot_has_a_section(ledger, tmp_path):
    """Expected and found, differences first, who let the others follow and why; all as text."""
    row = {"subject": "dr-1", "name": "<b>db</b>", "aspect": "DR status", "expected": "SHUTOFF"}
    rows = (
        PilotRow(**row, found="SHUTOFF", result="as expected", assumption="dr_state"),
        PilotRow(**row, found="ACTIVE", result="different", assumption="dr_state"),
        PilotRow(**row, result="not compared", why="denied"),
    )
    pilot = Pilot(batch_id="b001", state="released", rows=rows, who="ann", reason="it is known",
                  released_at="2026-01-31T09:00:00.000+00:00")  # fmt: skip

    path = sdrs_nb.report(a_recorded_run(ledger, pilot=pilot), tmp_path / "report.html")
    section = path.read_text(encoding="utf-8").partition('id="pilot"')[2].partition("</section>")[0]

    said = ["differs from what was expected in 1 point", "Released by ann", "it is known", "ACTIVE", "denied"]
    assert all(each in section for each in said)
    assert section.index("ACTIVE") < section.index("denied")
    assert "<b>db" not in section
    assert 'id="pilot"' not in sdrs_nb.report(a_recorded_run(ledger), tmp_path / "r.html").read_text(encoding="utf-8")
