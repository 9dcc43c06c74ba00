"""The words that name a state, in the operator's language: verdicts, stages, states of runs, batches and coverage.

Frames hold the English word, which code compares; screens and reports show what ``word`` gives.  Batches have words of
their own, since "accepted" says of a request what "job under way" says of a batch.
"""

from collections.abc import Iterable, Mapping
from functools import cache

from sdrs_nb.i18n import _, current_language

__all__ = ["batch_word", "counted", "joined", "word"]


def word(state: object) -> str:
    """Return the word for ``state`` in the current language; a state that nobody translated stays as it is."""
    text = str(state)
    return _words(current_language()).get(text, text)


def counted(count: int, state: object) -> str:
    """Return how many servers are in ``state``: "2 failed"."""
    return _("{count} {state}", count=count, state=word(state))


def joined(parts: Iterable[str]) -> str:
    """Return ``parts`` one after another with the comma of the current language."""
    return _(", ").join(parts)


def batch_word(state: object) -> str:
    """Return the word for the state of a batch in the current language; one that nobody translated stays as it is."""
    text = str(state)
    return _batches(current_language()).get(text, text)


# The argument is only the key of the cache: a frame asks for thousands of words of one language.
@cache
def _words(_language: str) -> Mapping[str, str]:
    return {
        "protected": _("protected"),
        "not a candidate": _("not a candidate"),
        "blocked": _("blocked"),
        "unknown": _("unknown"),
        "warning": _("warning"),
        "eligible": _("eligible"),
        "blocker": _("blocker"),
        "notice": _("notice"),
        "unverified": _("unverified"),
        "not sent": _("not sent"),
        "accepted": _("accepted"),
        "job ok": _("job ok"),
        "created": _("created"),
        "in sync": _("in sync"),
        "deleted": _("deleted"),
        "failed": _("failed"),
        "taken by others": _("taken by others"),
        "made": _("made by this run"),
        "others": _("made by others"),
        "read as": _("read as"),
        "mapped": _("mapped"),
        "guessed": _("guessed"),
        "kept": _("kept"),
        "filled": _("filled"),
        "dropped": _("dropped"),
        "passed over": _("passed over"),
        "not understood": _("not understood"),
        "not told": _("not told"),
        "differs": _("differs"),
        "ready": _("ready"),
        "running": _("running"),
        "paused": _("paused"),
        "done": _("done"),
        "ok": _("ok"),
        "skipped": _("skipped"),
        "uncertain": _("uncertain"),
        "refused": _("refused"),
        "not handled": _("not handled"),
        "adopted": _("adopted"),
        "absent": _("absent"),
        "error": _("error"),
        "unprotected": _("unprotected"),
        "not enabled": _("not enabled"),
        "lagging": _("lagging"),
        "under way": _("under way"),
        "failed over": _("failed over"),
        "appeared": _("appeared"),
        "went": _("went"),
        "changed": _("changed"),
        "loaded": _("loaded"),
        "partial": _("partial"),
        "denied": _("denied"),
        "missing": _("missing"),
        "not asked": _("not asked"),
    }


@cache
def _batches(_language: str) -> Mapping[str, str]:
    return {
        "pending": _("not sent yet"),
        "sending": _("being sent"),
        "uncertain": _("answer lost, looking"),
        "accepted": _("job under way"),
        "ended": _("ended"),
        "refused": _("refused"),
        "held": _("held back"),
        "unknown": _("unknown"),
    }
