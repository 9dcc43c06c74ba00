"""The message catalogues: every sentence an operator reads goes through ``_``, ``ngettext_`` or ``runbook_text``.

English is the source text.  Other languages are gettext catalogues under ``locale/`` (extracted and compiled
with Babel); a sentence without a translation is shown in English rather than not at all.
"""

import gettext
import os
from datetime import date
from functools import cache
from numbers import Number
from pathlib import Path

from sdrs_nb.errors import SdrsError
from sdrs_nb.i18n.lab_locale import lab_locale
from sdrs_nb.shown.texts import visible

__all__ = ["LANGUAGES", "Lines", "_", "choose", "current_language", "ngettext_", "runbook_text"]

#: Languages the package speaks; the first is the source.
LANGUAGES = ("en", "zh")

_POSIX = ("LC_ALL", "LC_MESSAGES", "LANG")
_chosen: list[str] = []


def choose(language: str | None) -> None:
    """Speak ``language`` from now on; see ``choosing.set_language``, which is what operators call."""
    _chosen[:] = [] if language is None else [_known(language)]


def current_language() -> str:
    """Return the language in use, one of ``LANGUAGES``."""
    if _chosen:
        return _chosen[0]
    asked = os.environ.get("SDRS_NB_LANG") or lab_locale() or next(filter(None, map(os.environ.get, _POSIX)), "")
    return _known(asked)


def _known(tag: str) -> str:
    primary = tag.replace("_", "-").split("-")[0].split(".")[0].lower()
    return primary if primary in LANGUAGES else LANGUAGES[0]


@cache
def _catalogue(language: str, domain: str = "sdrs_nb") -> gettext.NullTranslations:
    return gettext.translation(domain, Path(__file__).parent.parent / "locale", [language], fallback=True)


class Lines(str):
    """A text of several lines that the package composed of its own sentences: in a sentence it keeps its lines."""

    __slots__ = ()


def _(message: str, /, **values: object) -> str:
    """Return ``message`` in the current language with ``{name}`` fields filled from ``values``.

    The values are put in as text; nothing in them is interpreted, so a server called ``{x}`` stays that.  Their hidden
    characters are written out, line breaks too, so that no name makes a line of its own; only ``Lines`` and errors of
    this package, which were made of such sentences, keep theirs.
    """
    translated = _catalogue(current_language()).gettext(message)
    return translated.format(**{name: _told(value) for name, value in values.items()}) if values else translated


def ngettext_(singular: str, plural: str, count: int, /, **values: object) -> str:
    """Return the sentence fitting ``count`` (also available as ``{count}``), in the current language."""
    translated = _catalogue(current_language()).ngettext(singular, plural, count)
    return translated.format(count=count, **{name: _told(value) for name, value in values.items()})


def _told(value: object) -> object:
    if isinstance(value, Number | date):  # a template may say how to write them
        return value
    text = str(value)
    return "\n".join(map(visible, text.split("\n"))) if isinstance(value, Lines | SdrsError) else visible(text)


def runbook_text(text: str, /) -> str:
    """Return a paragraph or comment of a runbook in the current language; as it is where it has no translation."""
    return _catalogue(current_language(), "runbooks").gettext(text)
