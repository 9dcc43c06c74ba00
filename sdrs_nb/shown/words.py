"""The words that name a state, in the operator's language: verdicts, stages, states of runs, batches and coverage.

Frames hold the English word, which code compares; screens and reports show what ``word`` gives.  Batches have words of
their own, since "accepted" says of a request what "job under way" says of a batch.
"""

from collections.abc import Iterable, Mapping
from functools import cache

from sdrs_nb.i18n import _, current_language

__all__ = ["aspect_word", "batch_word", "counted", "joined", "word"]


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


def aspect_word(aspect: object) -> str:
    """Return the word for what of a pilot batch is compared; one that nobody translated stays as it is."""
    text = str(aspect)
    return _aspects(current_language()).get(text, text)


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
        "as expected": _("as expected"),
        "different": _("different"),
        "not compared": _("not compared"),
    }


# What of a pilot batch is compared.
@cache
def _aspects(_language: str) -> Mapping[str, str]:
    return {
        "request": _("request"),
        "status": _("status"),
        "error code": _("error code"),
        "sub-jobs ended": _("sub-jobs ended"),
        "sub-jobs": _("sub-jobs"),
        "ids in sub-jobs": _("ids in sub-jobs"),
        "order of sub-jobs": _("order of sub-jobs"),
        "group status": _("group status"),
        "fields of the list of instances": _("fields of the list of instances"),
        "fields of an instance": _("fields of an instance"),
        "fields of the list of pairs": _("fields of the list of pairs"),
        "outcome": _("outcome"),
        "instance after a failure": _("instance after a failure"),
        "instance": _("instance"),
        "instance status": _("instance status"),
        "instance name": _("instance name"),
        "group": _("group"),
        "instance tags": _("instance tags"),
        "description": _("description"),
        "DR server": _("DR server"),
        "DR server in ECS": _("DR server in ECS"),
        "DR name": _("DR name"),
        "flavor": _("flavor"),
        "AZ": _("AZ"),
        "VPC": _("VPC"),
        "subnet": _("subnet"),
        "DR status": _("DR status"),
        "dedicated host": _("dedicated host"),
        "enterprise project": _("enterprise project"),
        "host name": _("host name"),
        "tags": _("tags"),
        "security groups": _("security groups"),
        "agency": _("agency"),
        "ECS group": _("ECS group"),
        "pairs": _("pairs"),
        "pair status": _("pair status"),
        "attached to": _("attached to"),
        "DR volume": _("DR volume"),
        "DR volume in EVS": _("DR volume in EVS"),
        "size": _("size"),
        "volume type": _("volume type"),
        "volume AZ": _("volume AZ"),
        "seen on the way": _("seen on the way"),
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
