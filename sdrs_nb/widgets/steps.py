"""The steps of the job, the states a step can be in, and the words for both.  No ipywidgets here."""

from enum import StrEnum

from sdrs_nb.i18n import _

__all__ = ["ORDER", "Step", "StepState", "state_tone", "state_word", "step_title"]


class Step(StrEnum):
    """The steps of the job, in order."""

    CONNECT = "connect"
    INVENTORY = "inventory"
    ELIGIBILITY = "eligibility"
    PLAN = "plan"
    APPROVE = "approve"
    SUBMIT = "submit"
    OUTCOME = "outcome"


class StepState(StrEnum):
    """Where a step stands."""

    TODO = "todo"  # something before it is missing
    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STALE = "stale"  # done, but something before it changed since


ORDER = tuple(Step)

_TONES = {
    StepState.TODO: "neutral",
    StepState.READY: "neutral",
    StepState.RUNNING: "running",
    StepState.DONE: "good",
    StepState.FAILED: "bad",
    StepState.STALE: "warning",
}


def step_title(step: Step) -> str:
    """Return a step's title in the operator's language."""
    return {
        Step.CONNECT: _("Connect"),
        Step.INVENTORY: _("Inventory"),
        Step.ELIGIBILITY: _("Eligibility"),
        Step.PLAN: _("Plan"),
        Step.APPROVE: _("Preview and approve"),
        Step.SUBMIT: _("Submit and follow"),
        Step.OUTCOME: _("Verify and report"),
    }[step]


def state_word(state: StepState) -> str:
    """Return a step's state in the operator's language."""
    return {
        StepState.TODO: _("waiting"),
        StepState.READY: _("ready"),
        StepState.RUNNING: _("running"),
        StepState.DONE: _("done"),
        StepState.FAILED: _("failed"),
        StepState.STALE: _("out of date"),
    }[state]


def state_tone(state: StepState) -> str:
    """Return the tone (word, colour and shape go together) of a step's state."""
    return _TONES[state]
