"""How a run has turned out so far: its state in words and tone, and what failed, why and what to do.  No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from sdrs_nb.cloud.advice import advice, meaning
from sdrs_nb.i18n import _, ngettext_
from sdrs_nb.ledger.run_states import RunState
from sdrs_nb.rulebook import load_rulebook
from sdrs_nb.shown.cells import clipped
from sdrs_nb.shown.texts import visible
from sdrs_nb.shown.tones import RUN_TONES, STAGE_TONES
from sdrs_nb.shown.words import counted, joined, word
from sdrs_nb.statuses import REACHED, WORST_FIRST, Stage

__all__ = ["Trouble", "first_names", "server_remedy", "state_tone", "state_words", "troubles"]

#: What is worth a word beside the state.  While a run goes on, unknown and not sent are only on their way.
_WORTH_A_WORD: Mapping[RunState, tuple[Stage, ...]] = {
    RunState.READY: (),
    RunState.RUNNING: (Stage.FAILED, Stage.TAKEN),
    RunState.PAUSED: (Stage.FAILED, Stage.UNKNOWN, Stage.TAKEN),
    RunState.DONE: tuple(stage for stage in WORST_FIRST if stage not in REACHED),
}
_SHOWN = 5


def state_words(state: str, counts: Mapping[str, int]) -> str:
    """Return where a run stands with what went wrong: "done, 2 failed"; ``counts`` are servers by stage."""
    found = [counted(counts[stage], stage) for stage in _WORTH_A_WORD[RunState(state)] if counts.get(stage)]
    return joined([word(state), *found])


def state_tone(state: str, counts: Mapping[str, int]) -> str:
    """Return the tone of those words: bad as soon as a server failed, warning where another end is not the wanted."""
    found = [stage for stage in _WORTH_A_WORD[RunState(state)] if counts.get(stage)]
    if Stage.FAILED in found:
        return STAGE_TONES[Stage.FAILED]
    return "warning" if found else RUN_TONES[state]


@dataclass(frozen=True)
class Trouble:
    """Servers of a run that came to the same end for the same reason: how many and which, why, and what to do."""

    stage: Stage
    code: str
    servers: int
    names: str
    why: str
    remedy: str

    @property
    def title(self) -> str:
        """How many servers came to which end, with the code of the service."""
        ends = ngettext_("{count} server {stage}", "{count} servers {stage}", self.servers, stage=word(self.stage))
        return f"{ends}: {self.code}" if self.code else ends

    @property
    def tone(self) -> str:
        """The tone of its stage."""
        return STAGE_TONES[self.stage]

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """Why, what to do and which servers, each under its title."""
        return (_("Why"), self.why), (_("What to do"), self.remedy), (_("Servers"), self.names)

    def __str__(self) -> str:
        return "\n".join(map(visible, [self.title, *(f"  {title}: {text}" for title, text in self.facts if text)]))


def troubles(servers: pd.DataFrame, state: str = RunState.DONE, *, is_deletion: bool = False) -> tuple[Trouble, ...]:
    """Return what went wrong with the servers of a run that stands at ``state``, the worst and most frequent first.

    Parameters
    ----------
    servers
        ``run.servers`` or an outcome: ``name, stage, error_code, message``.
    is_deletion
        Whether the run deletes instances; what to do differs.
    """
    found = []
    for stage in _WORTH_A_WORD[RunState(state)]:
        mine = servers[servers["stage"].eq(stage)]
        by_code = [(str(code), members) for code, members in mine.groupby(mine["error_code"].fillna(""), sort=True)]
        for code, members in sorted(by_code, key=lambda one: -len(one[1])):
            names, why = first_names(members["name"]), _why(code, members["message"])
            remedy = server_remedy(stage, code, is_deletion=is_deletion, has_instance=_has_instance(members))
            found.append(Trouble(stage, code, len(members), names, why, remedy))
    return tuple(found)


def _why(code: str, messages: "pd.Series[str]") -> str:
    """Return what the code means; where nobody says, the message that most of the servers carry."""
    if known := meaning(code):
        return known
    rules = load_rulebook().rules.values() if code else ()
    if title := next((rule.title for rule in rules if code in rule.all_codes), ""):
        return title
    said = messages[messages.fillna("").ne("")]
    return clipped(str(said.mode().iloc[0])) if len(said) else ""


def _has_instance(servers: pd.DataFrame) -> bool:
    """Tell whether any of these servers has an instance, as far as is known; a refused request has made none."""
    return "protected_instance_id" not in servers or bool(servers["protected_instance_id"].notna().any())


def server_remedy(stage: str, code: object, *, is_deletion: bool = False, has_instance: bool = True) -> str:
    """Return what to do about a planned server that stands at ``stage``; empty when there is nothing to do."""
    known = advice(str(code), 0) if isinstance(code, str) and code else ""
    match stage:
        case Stage.FAILED:
            undo = _("Remove the cause, then plan the undo again.")
            again = _("Remove the cause, then plan the server again.")
            if has_instance:
                again = _("Remove the cause, delete an instance left in status error, then plan the server again.")
            return f"{known} {undo if is_deletion else again}".strip()
        case Stage.NOT_SENT:
            return _("Nothing was sent for it. Resume the run, or plan the server again.")
        case Stage.UNKNOWN | Stage.ACCEPTED | Stage.JOB_OK:
            return _("Its fate is not known yet: resume the run, which looks it up and sends nothing twice.")
        case Stage.TAKEN:
            return _("Find out who protected it. If that shall stay, nothing is left to do for it.")
        case Stage.CREATED:
            return _("Enable protection of its group; until then nothing is copied.")
        case _:
            return ""


def first_names(names: "pd.Series[str]") -> str:
    """Return the first five names and how many more there are."""
    text = ", ".join(str(name) for name in names[:_SHOWN])
    more = len(names) - _SHOWN
    return text if more <= 0 else f"{text}, " + ngettext_("and {count} more", "and {count} more", more)
