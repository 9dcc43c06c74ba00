"""Progress lines say what became of the servers of a run, in the words of what the run does."""

import io

from sdrs_nb.aftercare.undoing import plan_undo
from sdrs_nb.ledger.ledger import BatchState
from sdrs_nb.models import Approval
from sdrs_nb.running.progress import ProgressLines
from sdrs_nb.running.runs import Run
from sdrs_nb.statuses import Stage
from tests.builders_runs import SCOPE, a_run, an_estate, ended


def test_a_run_that_protects_counts_what_it_made(ledger):
    """One line a change; the same state is written once."""
    written = io.StringIO()
    run = ended(a_run(ledger, an_estate(2)), failed=["s01"])
    lines = ProgressLines(written)

    lines(run)
    lines(run)

    assert written.getvalue() == ("Batches: 1 of 1 ended, 0 under way. Servers: 2 of 2 ended (1 failed, 1 created).\n")


def test_an_undo_counts_what_it_deleted(ledger):
    """An undo says how many it deleted."""
    written = io.StringIO()
    undo = plan_undo(ended(a_run(ledger, an_estate(1))), an_estate(1, statuses={"s00": "protected"}))
    approval = Approval(fingerprint=undo.fingerprint)
    run = Run(ledger.create_run(scope=SCOPE, plan=undo, approval=approval, settings={}), ledger)
    ledger.set_batch(run.run_id, "b001", BatchState.ENDED, rows=[{"server_id": "s00", "stage": Stage.DELETED}])

    ProgressLines(written)(run)

    assert written.getvalue() == ("Batches: 1 of 1 ended, 0 under way. Servers: 1 of 1 ended (1 deleted).\n")
