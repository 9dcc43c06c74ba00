"""How a run has turned out: words and tone that hide no failure, and what failed, why and what to do."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sdrs_nb
from sdrs_nb.ledger.run_states import RunState
from sdrs_nb.reporting.todo import summarize_tasks
from sdrs_nb.running.outcomes import state_tone, state_words, troubles
from sdrs_nb.statuses import REACHED, Stage
from sdrs_nb.tables import worst_first
from tests.builders_reporting import a_recorded_run


@pytest.mark.parametrize(
    ("state", "counts", "words", "tone"),
    [
        ("done", {"created": 159}, "done", "good"),
        ("done", {"created": 157, "failed": 2}, "done, 2 failed", "bad"),
        ("done", {"created": 158, "unknown": 1}, "done, 1 unknown", "warning"),
        ("done", {"failed": 2, "unknown": 1, "not sent": 5}, "done, 2 failed, 1 unknown, 5 not sent", "bad"),
        ("done", {"protected": 1, "taken by others": 3}, "done, 3 taken by others", "warning"),
        ("done", {"deleted": 4, "failed": 1}, "done, 1 failed", "bad"),
        ("running", {"created": 3, "unknown": 5, "not sent": 9}, "running", "running"),
        ("running", {"failed": 1, "accepted": 4, "not sent": 9}, "running, 1 failed", "bad"),
        ("paused", {"failed": 2, "not sent": 9}, "paused, 2 failed", "bad"),
        ("paused", {"unknown": 2, "not sent": 9}, "paused, 2 unknown", "warning"),
        ("paused", {"created": 2, "not sent": 9}, "paused", "warning"),
        ("ready", {"not sent": 9}, "ready", "neutral"),
    ],
)
def test_a_state_carries_what_went_wrong(state, counts, words, tone):
    """Counts follow the state; a failure makes it bad, an unknown a warning; what is on its way is no trouble."""
    assert state_words(state, counts) == words
    assert state_tone(state, counts) == tone


@given(st.dictionaries(st.sampled_from([stage.value for stage in Stage]), st.integers(1, 9)))
def test_done_is_good_only_when_every_server_reached_its_end(counts):
    """No spread of servers over stages gives a green run with one that did not get there."""
    is_good = set(counts) <= set(REACHED)

    assert (state_tone("done", counts) == "good") == is_good == (state_words("done", counts) == "done")
    if "failed" in counts:
        assert all(state_tone(state, counts) == "bad" for state in RunState if state != RunState.READY)


def rows(*ends):
    """An outcome of (stage, code, message)."""
    return pd.DataFrame(
        [
            {"server_id": f"s{at}", "name": f"db-{at}", "stage": stage, "error_code": code, "message": message}
            for at, (stage, code, message) in enumerate(ends)
        ]
    )


def test_troubles_are_counted_by_code_with_why_and_what_to_do():
    """The most frequent code first; known codes explain themselves, others in the words of their row."""
    found = troubles(
        rows(
            ("created", None, ""),
            ("failed", "SDRS.9999", "Something new. Look."),
            ("failed", "SDRS.1350", "x"),
            ("failed", "SDRS.1350", "y"),
            ("unknown", pd.NA, "No instance has appeared."),
        )
    )

    assert [one.title for one in found] == [
        "2 servers failed: SDRS.1350",
        "1 server failed: SDRS.9999",
        "1 server unknown",
    ]
    assert found[0].why == "The protected instance could not be created; the service gives no closer reason."
    assert "delete an instance left in status error" in found[0].remedy
    assert found[0].names == "db-2, db-3"
    assert found[1].why == "Something new. Look."
    assert (found[2].why, found[2].tone) == ("No instance has appeared.", "unknown")
    assert "resume the run" in found[2].remedy


def test_a_code_of_a_rule_is_explained_by_its_title():
    """SDRS.1305 has no text of its own here; the rule that heeds it has."""
    (found,) = troubles(rows(("failed", "SDRS.1305", "x")))

    assert found.why == sdrs_nb.rulebook.load_rulebook().rule("S4").title
    assert "leave it out, and find out whose that instance is" in found.remedy


def test_a_failed_undo_is_to_be_planned_again_as_one():
    """Nobody is told to protect the server that was to be unprotected."""
    (found,) = troubles(rows(("failed", "SDRS.1351", "x")), is_deletion=True)

    assert found.remedy.endswith("then plan the undo again.")


@pytest.mark.parametrize(
    ("state", "stages"), [("ready", []), ("running", ["failed"]), ("paused", ["failed", "unknown"])]
)
def test_a_run_under_way_has_only_the_troubles_that_stay(state, stages):
    """Unknown and not sent pass by themselves while it goes on."""
    frame = rows(("failed", None, ""), ("unknown", None, ""), ("not sent", None, ""), ("accepted", None, ""))

    assert [one.stage for one in troubles(frame, state)] == stages


@given(st.lists(st.sampled_from([stage.value for stage in Stage]), max_size=12))
def test_what_needs_somebody_comes_first_and_nobody_is_lost(stages):
    """Failed, then unknown, then the others; rows of one stage keep their order."""
    frame = rows(*((stage, None, "") for stage in stages)).reindex(columns=["server_id", "stage"])

    ordered = worst_first(frame)

    assert sorted(ordered["server_id"]) == sorted(frame["server_id"])
    bad = [stage for stage in ordered["stage"] if stage in ("failed", "unknown")]
    assert ordered["stage"].tolist()[: len(bad)] == sorted(bad)
    for _stage, members in ordered.groupby("stage"):
        assert members["server_id"].tolist() == sorted(members["server_id"], key=lambda one: int(one[1:]))


def test_a_run_says_it_in_a_cell(ledger):
    """The text of a run names its failures; its page has them in red above the batches, the failed batch first."""
    run = a_recorded_run(ledger, servers=12, blocked=0, failing={7})

    shown = run._repr_html_()

    assert "(done, 1 failed): 1 failed, 11 created" in repr(run)
    assert 'sdrs-tone-bad"><i class="sdrs-shape" aria-hidden="true">■</i> done, 1 failed' in shown
    assert shown.index("1 server failed: Ecs.0018") < shown.index("b002") < shown.index("b001")
    assert "The flavor is sold out in the DR AZ." in shown


def test_a_refused_batch_gets_no_advice_to_delete():
    """It made nothing, so whatever instance its servers have is another's; a job that failed may have left one."""
    refused, failed = (
        rows(("failed", code, "x")).assign(job_id=job, protected_instance_id=pd.NA)
        for code, job in (("SDRS.1013", pd.NA), ("SDRS.1013", "job-1"))
    )

    told = [troubles(frame)[0].remedy for frame in (refused, failed)]
    both = troubles(pd.concat([refused, failed], ignore_index=True))
    tasks = summarize_tasks(pd.concat([refused, failed], ignore_index=True).assign(group_id="g"), {}, pd.DataFrame())[
        "task"
    ].tolist()

    assert ["delete an instance" in remedy for remedy in told] == [False, True]
    assert "Nothing was made of it" in told[0]
    assert sorted(one.remedy for one in both) == sorted(told)
    assert ["delete an instance" in task for task in tasks] == [False, True]
