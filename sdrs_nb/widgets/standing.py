"""Where each step stands and who is told of a change: the part of a workbench that knows no servers and no plans."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from sdrs_nb.models import Wait
from sdrs_nb.widgets.steps import ORDER, Step, StepState, state_tone, state_word

__all__ = ["Standing"]


class Standing(ABC):
    """The seven steps, each in one state; an edit marks later steps stale.

    Attributes
    ----------
    running
        The step whose background work is under way; None while there is none.
    wait
        The wait for the gateway's limit that holds its calls back now; None where none does.
    """

    def __init__(self) -> None:
        self.running: Step | None = None
        self.wait: Wait | None = None
        self._failures: dict[Step, str] = {}
        self._stale: set[Step] = set()
        self._listeners: list[Callable[[], None]] = []

    def listen(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` after every change."""
        self._listeners.append(callback)

    def changed(self) -> None:
        """Tell every listener that something changed."""
        for callback in list(self._listeners):
            callback()

    def _on_wait(self, wait: Wait | None) -> None:
        self.wait = wait
        self.changed()

    # What may go on

    @abstractmethod
    def blockers(self, step: Step) -> list[str]:
        """Return what holds ``step`` back, each as a sentence; empty when it may go on."""

    @abstractmethod
    def _is_done(self, step: Step) -> bool:
        """Tell whether the step has its result, stale or not."""

    def state_of(self, step: Step) -> StepState:
        """Return where ``step`` stands."""
        if self.running == step:
            return StepState.RUNNING
        if step in self._failures:
            return StepState.FAILED
        if self._is_done(step):
            return StepState.STALE if step in self._stale else StepState.DONE
        return StepState.TODO if self.blockers(step) else StepState.READY

    def shown(self, step: Step) -> tuple[str, str]:
        """Return where ``step`` stands as every face shows it: a word in the operator's language, and its tone."""
        now = self.state_of(step)
        return state_word(now), state_tone(now)

    def is_stale(self, step: Step) -> bool:
        """Whether something before ``step`` changed since it was done."""
        return step in self._stale

    def failure(self, step: Step) -> str:
        """Return why the step failed, or an empty string."""
        return self._failures.get(step, "")

    # What happens to steps

    def begin(self, step: Step) -> None:
        """Note that a step that talks to the cloud has started."""
        self._failures.pop(step, None)
        self.running = step
        self.changed()

    def end(self, step: Step) -> None:
        """Note that the step that was running has ended well."""
        self._stale.discard(step)
        self._failures.pop(step, None)
        self.stop(step)

    def stop(self, step: Step) -> None:
        """Note that the step was stopped on the way; what was before still holds."""
        if self.running == step:
            self.running = None
        self.changed()

    def fail(self, step: Step, message: str) -> None:
        """Note that the step could not be done; ``message`` is shown in its panel until it is tried again."""
        self._failures[step] = message
        self.stop(step)

    def _edited(self, first: Step) -> None:
        """Mark what is done from ``first`` on as stale."""
        later = ORDER[ORDER.index(first) :]
        self._stale |= {step for step in later if self._is_done(step)}
        for step in later:
            self._failures.pop(step, None)

    def _made(self, step: Step) -> None:
        """Note that ``step`` has a new result, on which the later ones do not rest yet."""
        self._stale.discard(step)
        self._failures.pop(step, None)
        following = ORDER.index(step) + 1
        if following < len(ORDER):
            self._edited(ORDER[following])
