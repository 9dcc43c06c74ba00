"""The words that name a state, in the operator's language: verdicts, stages, states of runs, batches and coverage.

Frames hold the English word, which code compares; screens and reports show what ``word`` gives.
"""

from collections.abc import Mapping
from functools import cache

from sdrs_nb.i18n import _, current_language

__all__ = ["word"]


def word(state: object) -> str:
    """Return the word for ``state`` in the current language; a state that nobody translated stays as it is."""
    text = str(state)
    return _words(current_language()).get(text, text)


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
        "deleted": _("deleted"),
        "failed": _("failed"),
        "ready": _("ready"),
        "running": _("running"),
        "paused": _("paused"),
        "done": _("done"),
        "pending": _("pending"),
        "sending": _("sending"),
        "uncertain": _("uncertain"),
        "ended": _("ended"),
        "refused": _("refused"),
        "held": _("held"),
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
