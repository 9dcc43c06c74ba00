"""How fast a run goes, typed in the workbench."""

import pytest

from sdrs_nb.models import Pace
from sdrs_nb.widgets.pace_fields import PaceFields
from tests.widgets.test_panels import planned_state


@pytest.mark.parametrize(
    ("field", "typed", "kept"),
    [
        ("groups", 3, {"groups_at_once": 3}),
        ("groups", 0, {"groups_at_once": None}),
        ("job", 90, {"job_limit_s": 5400.0}),
        ("patience", 0, {"patience_s": 0.0}),
        ("resends", 7, {"resends": 7}),
    ],
)
def test_how_fast_a_run_goes_is_typed_and_withdraws_no_approval(field, typed, kept):
    """What was typed is the pace of the next run; every other waiting time stays, and so do plan and approval."""
    approved = planned_state(7)
    assert approved.approve("7", "li") is None
    fields = PaceFields(approved)
    given = getattr(fields, field)
    given.value = typed + 1
    given.value = typed

    assert approved.pace.model_dump() == Pace().model_dump() | kept
    assert approved.is_approved
