"""Every state has a tone and a word in both languages, whichever face shows it."""

import pytest

import sdrs_nb
from sdrs_nb.aftercare.coverage import Cover
from sdrs_nb.ledger.run_states import AttemptResult, BatchState, RunState
from sdrs_nb.models import Verdict
from sdrs_nb.shown import html, tones
from sdrs_nb.shown.words import batch_word, word
from sdrs_nb.statuses import SERVER, JobStatus, Stage, is_error

KINDS = {
    "stage": (tones.STAGE_TONES, Stage),
    "job": (tones.JOB_TONES, JobStatus),
    "batch": (tones.BATCH_TONES, BatchState),
    "attempt": (tones.ATTEMPT_TONES, AttemptResult),
    "run": (tones.RUN_TONES, RunState),
    "verdict": (tones.VERDICT_TONES, Verdict),
    "cover": (tones.COVER_TONES, Cover),
    "server": (tones.SERVER_TONES, SERVER),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_state_of_a_kind_has_a_tone(kind):
    """None is missing, none is made up, each tone has its shape."""
    mapping, states = KINDS[kind]

    assert set(mapping) == set(states)
    assert set(mapping.values()) <= set(tones.TONES) == set(html.SHAPES)


@pytest.mark.parametrize("kind", ["stage", "batch", "attempt", "run", "verdict", "cover"])
def test_every_state_of_ours_has_a_word_in_both_languages(kind):
    """English is its own or plainer, Chinese is another text."""
    states = list(KINDS[kind][1])
    say = batch_word if kind == "batch" else word
    english = [say(state) for state in states]
    sdrs_nb.set_language("zh")
    chinese = [say(state) for state in states]

    assert all(english)
    assert not any(text.isascii() for text in chinese)
    assert len(set(chinese)) == len(states)


def test_a_status_that_is_an_error_is_shown_as_one():
    """Servers in ERROR are bad, and nothing else is."""
    assert {status for status, tone in tones.SERVER_TONES.items() if tone == "bad"} == {"ERROR"}
    assert all(is_error(status) == (tone == "bad") for status, tone in tones.SERVER_TONES.items())
