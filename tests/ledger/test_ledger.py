"""The ledger keeps what was intended, answered and reached, whatever happens to its process."""

import contextlib
import os
import random
import sqlite3
import stat
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdrs_nb.errors import ClaimedError, LedgerError, SdrsError
from sdrs_nb.ledger.ledger import AttemptResult, BatchState, Control, Ledger, RunState
from sdrs_nb.ledger.schema import SCHEMA_VERSION
from sdrs_nb.models import Approval, Batch
from sdrs_nb.reporting.report import report
from sdrs_nb.running.runs import Run, list_runs, open_run
from sdrs_nb.statuses import Stage
from tests.builders_reporting import a_recorded_run

SCOPE = {"endpoint": "http://127.0.0.1:1", "region": "sandbox-1", "project_id": "p1"}


@dataclass
class APlan:
    """As much of a plan as the ledger reads."""

    batches: tuple[Batch, ...]
    fingerprint: str = "f" * 64
    rulebook_version: str = "test"
    server_names: dict[str, str] = field(default_factory=dict)

    def to_document(self):
        return {"batches": [batch.model_dump() for batch in self.batches]}


def a_batch(batch_id, *server_ids, group_id="g1"):
    """Return a batch of these servers."""
    return Batch(batch_id=batch_id, group_id=group_id, name_prefix=f"x-{batch_id}", server_ids=server_ids)


def a_run(ledger, *batches, scope=SCOPE):
    """Record a run of these batches."""
    plan = APlan(batches or (a_batch("b001", "s1", "s2"),), server_names={"s1": "db <1>"})
    approval = Approval(fingerprint=plan.fingerprint, who="ops")
    return Run(ledger.create_run(scope=scope, plan=plan, approval=approval, settings={}), ledger)


@pytest.fixture
def ledger(tmp_path):
    """An empty ledger of its own."""
    with_file = Ledger(tmp_path / "ledger.db")
    yield with_file
    with_file.close()


def test_an_empty_ledger_lists_no_run_and_all_columns(ledger):
    """Listing runs before the first one gives an empty frame that still has its columns."""
    runs = list_runs(ledger)

    assert runs.empty
    assert "run_id" in runs.columns


def test_a_recorded_run_reads_the_same_from_a_second_connection(ledger):
    """Another notebook that opens the run sees state, servers and approval as they were recorded."""
    run = a_run(ledger)

    again = open_run(run.run_id, Ledger(ledger.path))

    assert again.state == RunState.READY
    assert again.approval.who == "ops"
    assert again.servers[["server_id", "name", "stage"]].to_numpy().tolist() == [
        ["s1", "db <1>", "not sent"],
        ["s2", "", "not sent"],
    ]


def test_an_intent_is_on_disk_before_an_answer_exists(ledger):
    """After the intent alone, any reader sees the batch as sending and the attempt without a result."""
    run = a_run(ledger)

    ledger.intend(run.run_id, "b001", "abc")

    with sqlite3.connect(ledger.path) as other:
        assert other.execute("SELECT state FROM batches").fetchone() == (BatchState.SENDING,)
        assert other.execute("SELECT result FROM attempts").fetchone() == (None,)
    other.close()


def test_an_answer_moves_batch_and_servers_together(ledger):
    """An accepted create gives the batch its job and every server the stage accepted, in one step."""
    run = a_run(ledger)
    attempt = ledger.intend(run.run_id, "b001", "abc")

    ledger.answer(
        attempt, AttemptResult.ACCEPTED, state=BatchState.ACCEPTED, stage=Stage.ACCEPTED, job_id="j1", status=202
    )

    assert run.batches.loc[0, ["state", "job_id"]].tolist() == ["accepted", "j1"]
    assert run.servers["stage"].tolist() == ["accepted", "accepted"]
    assert run.servers["job_id"].tolist() == ["j1", "j1"]


def test_a_second_run_over_the_same_servers_is_refused_by_name(ledger):
    """Overlapping plans: the later one is told which run holds which server, and nothing of it is recorded."""
    first = a_run(ledger)

    with pytest.raises(ClaimedError, match=f"{first.run_id}.*s2"):
        a_run(ledger, a_batch("b001", "s2", "s3"))

    assert len(list_runs(ledger)) == 1


@pytest.mark.parametrize("stage", [Stage.CREATED, Stage.PROTECTED, Stage.FAILED])
def test_a_server_with_an_end_is_free_for_other_runs(ledger, stage):
    """Once a server is created, protected or failed another run may name it."""
    first = a_run(ledger, a_batch("b001", "s1"))

    ledger.set_servers(first.run_id, "b001", [{"server_id": "s1", "stage": stage}])

    assert a_run(ledger, a_batch("b001", "s1")).run_id != first.run_id


def test_servers_of_unknown_fate_stay_held_even_when_the_rest_is_released(ledger):
    """Releasing a run frees what was never sent, never what may have been."""
    run = a_run(ledger, a_batch("b001", "s1"), a_batch("b002", "s2"))
    ledger.intend(run.run_id, "b001", "abc")

    assert ledger.release(run.run_id) == 1

    a_run(ledger, a_batch("b001", "s2"))
    with pytest.raises(ClaimedError):
        a_run(ledger, a_batch("b001", "s1"))


@pytest.mark.parametrize(
    ("other", "is_held"),
    [
        ({}, True),
        ({"project_id": "p2"}, False),
        ({"endpoint": "http://127.0.0.1:2"}, False),
        ({"endpoint": "http://127.0.0.1:2", "world": "w1"}, False),
        ({"world": "w1"}, False),
    ],
)
def test_servers_are_held_in_their_own_cloud_alone(ledger, other, is_held):
    """Another project, address or world of a sandbox may know the same ids, and they are other servers there."""
    a_run(ledger, a_batch("b001", "s1"))

    if is_held:
        with pytest.raises(ClaimedError):
            a_run(ledger, a_batch("b001", "s1"), scope=SCOPE | other)
    else:
        a_run(ledger, a_batch("b001", "s1"), scope=SCOPE | other)


def test_a_world_holds_its_servers_wherever_it_listens(ledger):
    """A sandbox that was started again at another address is the same cloud."""
    a_run(ledger, a_batch("b001", "s1"), scope=SCOPE | {"world": "w1"})

    with pytest.raises(ClaimedError):
        a_run(ledger, a_batch("b001", "s1"), scope=SCOPE | {"world": "w1", "endpoint": "http://127.0.0.1:2"})
    a_run(ledger, a_batch("b001", "s1"), scope=SCOPE | {"world": "w2"})


def proven_absent(ledger, run, batch_id="b001"):
    """Record a request of the batch that got no answer and did nothing so far."""
    attempt = ledger.intend(run.run_id, batch_id, "abc")
    ledger.answer(attempt, AttemptResult.UNCERTAIN, state=BatchState.UNCERTAIN, stage=Stage.UNKNOWN)
    ledger.answer(attempt, AttemptResult.ABSENT, state=BatchState.PENDING, stage=Stage.UNKNOWN)


def test_a_refused_repetition_does_not_end_the_doubt_about_the_first_request(ledger):
    """The second request was not handled, the first may come true yet: its servers are not "not sent"."""
    run = a_run(ledger, a_batch("b001", "s1"))
    proven_absent(ledger, run)
    again = ledger.intend(run.run_id, "b001", "abc")

    ledger.answer(again, AttemptResult.NOT_HANDLED, state=BatchState.PENDING, stage=Stage.NOT_SENT)

    assert run.servers["stage"].tolist() == ["unknown"]


def test_what_is_in_doubt_is_neither_released_nor_let_go_with_the_rest(ledger):
    """Releasing gives up what was never sent, letting go what is in doubt; each leaves the other's alone."""
    run = a_run(ledger, a_batch("b001", "s1"), a_batch("b002", "s2"))
    proven_absent(ledger, run)

    assert ledger.let_go(run.run_id, "ops", "sure") == ["b001"]
    assert run.batches["state"].tolist() == ["unknown", "pending"]

    other = a_run(ledger, a_batch("b001", "s3"), a_batch("b002", "s4"))
    proven_absent(ledger, other)

    assert ledger.release(other.run_id) == 1
    assert other.batches["state"].tolist() == ["pending", "held"]


def test_an_unknown_run_is_named_with_the_ledger_it_is_not_in(ledger):
    """Opening a run that does not exist says so and where it looked."""
    with pytest.raises(LedgerError, match="no run nope"):
        open_run("nope", ledger)


def test_a_file_that_is_no_ledger_is_refused(tmp_path):
    """A damaged or foreign file is refused in one sentence before anything is sent."""
    path = tmp_path / "ledger.db"
    path.write_bytes(b"this is no database" * 100)

    with pytest.raises(LedgerError, match="nothing is sent"):
        Ledger(path)


def test_a_ledger_of_a_newer_version_is_refused(tmp_path):
    """A file written by a later version is not touched."""
    path = tmp_path / "ledger.db"
    Ledger(path).close()
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version=99")
    other.close()

    with pytest.raises(LedgerError, match="newer version"):
        Ledger(path)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    """A home that is a file, not a folder, is named in the refusal."""
    (tmp_path / "home").write_text("a file")

    with pytest.raises(LedgerError, match="cannot be used"):
        Ledger(tmp_path / "home" / "ledger.db")


def test_the_ledger_reports_each_write_after_it_is_on_disk(tmp_path):
    """Whoever watches writes sees each of them committed already."""
    seen = []
    ledger = Ledger(tmp_path / "ledger.db", after_write=lambda kind: seen.append((kind, len(list_runs(ledger)))))

    a_run(ledger)

    assert seen == [("run", 1)]
    ledger.close()


def test_a_representation_names_the_file_only(ledger):
    """The ledger shows where it is."""
    assert repr(ledger) == f"Ledger({str(ledger.path)!r})"
    assert stat.S_ISREG(ledger.path.stat().st_mode)


FIRST_VERSION = Path(__file__).parents[1] / "data" / "ledger_version_1.sql"


def test_an_older_file_is_migrated_and_its_runs_read_on(tmp_path):
    """A ledger of the first release opens, keeps its run and its claims, and takes what is new."""
    path = tmp_path / "ledger.db"
    with sqlite3.connect(path) as old:
        old.executescript(FIRST_VERSION.read_text())
    old.close()

    ledger = Ledger(path)

    run = open_run("20260101-000000-aaaaaa", ledger)
    assert run.state == RunState.DONE
    assert run.servers["stage"].tolist() == ["created", "unknown"]
    assert ledger.control_of(run.run_id) == (Control.GO, "")
    assert run.findings.empty
    with pytest.raises(ClaimedError, match=run.run_id):
        a_run(ledger, a_batch("b001", "s2"))
    ledger.close()
    with contextlib.closing(sqlite3.connect(path)) as migrated:
        assert migrated.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)


def test_migrating_twice_changes_nothing(tmp_path):
    """Opening a present file again runs no step."""
    path = tmp_path / "ledger.db"
    Ledger(path).close()
    before = path.read_bytes()

    Ledger(path).close()

    assert path.read_bytes() == before


def test_a_new_file_and_a_migrated_one_have_the_same_tables(tmp_path):
    """However a file came to the present version, it looks the same."""
    migrated = tmp_path / "old.db"
    with sqlite3.connect(migrated) as old:
        old.executescript(FIRST_VERSION.read_text())
    old.close()

    def tables(path):
        rows = Ledger(path).rows("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite%' ORDER BY name")
        return [(row["name"], " ".join(row["sql"].split())) for row in rows]

    assert tables(migrated) == tables(tmp_path / "new.db")


def test_a_file_with_a_damaged_page_is_refused(tmp_path):
    """A ledger whose inside was overwritten is not trusted, and the file is left for whoever looks into it."""
    path = tmp_path / "ledger.db"
    ledger = Ledger(path)
    a_run(ledger, *(a_batch(f"b{n:03}", f"s{n}") for n in range(200)))
    ledger.close()
    content = bytearray(path.read_bytes())
    content[4096 * 2 : 4096 * 8] = b"\xff" * 4096 * 6
    path.write_bytes(content)

    with pytest.raises(LedgerError, match="damaged"):
        Ledger(path)

    assert path.read_bytes() == bytes(content)


def test_a_ledger_that_turned_read_only_refuses_the_run(ledger):
    """When nothing can be written any more, no run is recorded and so nothing is sent."""
    ledger._db.execute("PRAGMA query_only=ON")

    with pytest.raises(LedgerError, match=r"cannot be used.*so nothing is sent"):
        a_run(ledger)

    assert list_runs(ledger).empty


REFUSED = """
import os, resource, sys
from pathlib import Path
from sdrs_nb.errors import LedgerError
from sdrs_nb.ledger.ledger import Ledger
how, folder = sys.argv[1], Path(sys.argv[2])
if how == "disk full":
    Ledger(folder / "ledger.db").close()
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
elif os.getuid() == 0:
    os.setuid(65534)
try:
    ledger = Ledger(folder / "ledger.db")
    for n in range(100):
        ledger.note("run", "x" * 1000)
except LedgerError as error:
    print(error)
"""


@pytest.mark.parametrize("how", ["disk full", "read-only folder"])
def test_a_disk_that_takes_no_writes_is_refused_in_one_sentence(tmp_path, how):
    """A full disk and a folder without permission are the ledger's own error, with the reason and the remedy."""
    folder = tmp_path / "home"
    folder.mkdir()
    folder.chmod(0o755 if how == "disk full" else 0o555)
    for above in (tmp_path, *tmp_path.parents[:2]):
        above.chmod(above.stat().st_mode | 0o055)

    done = subprocess.run(
        [sys.executable, "-c", REFUSED, how, str(folder)], capture_output=True, text=True, check=False
    )

    assert done.stdout.count("so nothing is sent") == 1, done.stderr
    assert "SDRS_NB_HOME" in done.stdout


def test_a_refused_batch_frees_its_servers(ledger):
    """Of a refused request nothing was made, so another run may take its servers at once."""
    run = a_run(ledger, a_batch("b001", "s1", "s2"))
    attempt = ledger.intend(run.run_id, "b001", "abc")

    ledger.answer(
        attempt,
        AttemptResult.REFUSED,
        state=BatchState.REFUSED,
        stage=Stage.FAILED,
        rows=[{"server_id": "s2", "stage": Stage.NOT_SENT, "message": "plan again"}],
    )

    assert run.servers["stage"].tolist() == ["failed", "not sent"]
    assert run.remainder["server_id"].tolist() == ["s2"]
    a_run(ledger, a_batch("b001", "s1", "s2"))


def test_between_intent_and_answer_servers_are_unknown(ledger):
    """Whoever reads the ledger after a crash sees that these servers may have been sent."""
    run = a_run(ledger)

    ledger.intend(run.run_id, "b001", "abc")

    assert run.servers["stage"].tolist() == ["unknown", "unknown"]


def test_the_loser_is_told_who_approved_the_run_that_holds_its_servers(ledger):
    """A claim names the run, its approver and its time."""
    a_run(ledger)

    with pytest.raises(ClaimedError, match=r"approved by ops and begun \d{4}-"):
        a_run(ledger)


def test_findings_come_back_as_they_were_kept(ledger):
    """What the rules said is kept compactly and read as a frame, the plan's before the door's."""
    plan = APlan((a_batch("b001", "s1"),))
    finding = {"server_id": "s1", "group_id": "g1", "rule": "S30", "severity": "notice", "sdrs_code": None,
               "message": "名称相同", "remedy": "-"}  # fmt: skip
    run_id = ledger.create_run(
        scope=SCOPE, plan=plan, approval=Approval(fingerprint="f"), settings={}, findings=[finding]
    )
    ledger.intend(run_id, "b001", "abc", [{**finding, "rule": "S29"}])

    findings = Run(run_id, ledger).findings

    assert findings[["origin", "rule", "message"]].to_numpy().tolist() == [
        ["plan", "S30", "名称相同"],
        ["door", "S29", "名称相同"],
    ]


def _of_another_program(path):
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE runs (id INTEGER)")
    db.close()


SPOILT = {
    "text": lambda path: path.write_text("run_id,state\n" * 100),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:5000]),
    "only a head": lambda path: path.write_bytes(path.read_bytes()[:100]),
    "another program's": lambda path: (path.unlink(), _of_another_program(path)),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "a link": lambda path: (path.rename(path.with_name("real.db")), path.symlink_to(path.with_name("real.db"))),
    "a pipe": lambda path: (path.unlink(), os.mkfifo(path)),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_whatever_lies_in_the_ledgers_place_is_one_sentence(tmp_path, spoil):
    """What is no ledger is refused with what to do, and left as it is."""
    path = tmp_path / "ledger.db"
    Ledger(path).close()
    spoil(path)
    before = path.read_bytes() if path.is_file() else None

    with pytest.raises(LedgerError, match="SDRS_NB_HOME") as refused:
        Ledger(path)

    assert len(str(refused.value).splitlines()) == 1
    assert (path.read_bytes() if path.is_file() else None) == before


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The bytes of a ledger with one run, and the run's id."""
    path = tmp_path_factory.mktemp("recorded") / "ledger.db"
    opened = Ledger(path)
    run_id = a_recorded_run(opened, servers=2, blocked=1).run_id
    opened.close()
    return path.read_bytes(), run_id


@pytest.mark.slow
@given(seed=st.integers(0, 10**9))
@settings(max_examples=40)
def test_flipped_bits_are_a_sentence_or_nothing(recorded, tmp_path_factory, seed):
    """Wherever a few bits of the file changed: it reads on, or says so; it never breaks with another error."""
    content, run_id = bytearray(recorded[0]), recorded[1]
    chance = random.Random(seed)
    for _bit in range(chance.choice([1, 5, 40])):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path = tmp_path_factory.mktemp("flipped") / "ledger.db"
    path.write_bytes(content)

    with contextlib.suppress(SdrsError), contextlib.closing(Ledger(path)) as opened:
        list_runs(opened)
        report(open_run(run_id, opened), path.with_name("report.html"))
