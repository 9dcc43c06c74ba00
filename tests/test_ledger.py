"""The ledger keeps what was intended, answered and reached, whatever happens to its process."""

import sqlite3
import stat
from dataclasses import dataclass, field

import pytest

from sdrs_nb.errors import ClaimedError, LedgerError
from sdrs_nb.ledger import AttemptResult, BatchState, Ledger, RunState
from sdrs_nb.models import Approval, Batch, Stage
from sdrs_nb.runs import Run, list_runs, open_run

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


def a_run(ledger, *batches):
    """Record a run of these batches."""
    plan = APlan(batches or (a_batch("b001", "s1", "s2"),), server_names={"s1": "db <1>"})
    approval = Approval(fingerprint=plan.fingerprint, who="ops")
    return Run(ledger.create_run(scope=SCOPE, plan=plan, approval=approval, settings={}), ledger)


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
