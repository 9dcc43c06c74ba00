"""A sample of ``tests.odd_answers``: a cloud that answers oddly stops a run with a sentence and loses nothing."""

from tests.odd_answers import many


async def test_bent_answers_end_in_results_or_errors_of_ours():
    """Whatever any value of any answer is, the run is found sound again once the answers are."""
    _ends, wrong, count = await many(40, 1001)

    assert wrong == []
    assert count >= 40
