"""The message catalogue: every sentence an operator reads goes through ``_`` or ``ngettext_``.

English is the source text.  Other languages are gettext catalogues under ``locale/`` (extracted and compiled
with Babel); a sentence without a translation is shown in English rather than not at all.
"""

import gettext
import os
from contextvars import ContextVar
from functools import cache
from pathlib import Path

__all__ = ["LANGUAGES", "_", "current_language", "ngettext_", "set_language"]

#: Languages the package speaks; the first is the source.
LANGUAGES = ("en", "zh")

_DOMAIN = "sdrs_nb"
_chosen: ContextVar[str | None] = ContextVar("sdrs_nb_language", default=None)
_default: list[str] = []


def set_language(language: str | None) -> None:
    """Choose the language of every message from now on, in every thread.

    ``language`` is a tag such as ``"en"``, ``"zh"``, ``"zh-CN"`` or ``"zh_CN"``; None goes back to the
    environment (``SDRS_NB_LANG``, then ``LC_ALL``, ``LC_MESSAGES``, ``LANG``).  An unknown tag means English.
    """
    _default[:] = [] if language is None else [_known(language)]


def current_language() -> str:
    """Return the language in use, one of ``LANGUAGES``."""
    chosen = _chosen.get()
    if chosen is not None:
        return chosen
    if _default:
        return _default[0]
    for name in ("SDRS_NB_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return _known(value)
    return LANGUAGES[0]


def _known(tag: str) -> str:
    primary = tag.replace("_", "-").split("-")[0].split(".")[0].lower()
    return primary if primary in LANGUAGES else LANGUAGES[0]


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation(_DOMAIN, Path(__file__).parent / "locale", [language], fallback=True)


def _(message: str, /, **values: object) -> str:
    """Return ``message`` in the current language with ``{name}`` fields filled from ``values``.

    The values are put in as text; nothing in them is interpreted, so a server called ``{x}`` stays that.
    """
    translated = _catalogue(current_language()).gettext(message)
    return translated.format(**values) if values else translated


def ngettext_(singular: str, plural: str, count: int, /, **values: object) -> str:
    """Return the sentence fitting ``count`` (also available as ``{count}``), in the current language."""
    translated = _catalogue(current_language()).ngettext(singular, plural, count)
    return translated.format(count=count, **values)
