"""The message catalogues: every sentence an operator reads goes through ``_``, ``ngettext_`` or ``runbook_text``.

English is the source text.  Other languages are gettext catalogues under ``locale/`` (extracted and compiled
with Babel); a sentence without a translation is shown in English rather than not at all.
"""

import gettext
import os
import struct
from functools import cache
from pathlib import Path

from sdrs_nb.lab_locale import lab_locale

__all__ = ["LANGUAGES", "_", "current_language", "ngettext_", "runbook_text", "set_language", "wordings"]

#: Languages the package speaks; the first is the source.
LANGUAGES = ("en", "zh")

_POSIX = ("LC_ALL", "LC_MESSAGES", "LANG")
_chosen: list[str] = []


def set_language(language: str | None) -> None:
    """Choose the language of every message from now on, in every thread.

    What is on the screen already keeps its language until it is drawn again.

    Parameters
    ----------
    language
        A tag such as ``"en"``, ``"zh"``, ``"zh-CN"`` or ``"zh_CN"``; an unknown one means English.  None goes back
        to what is found: ``SDRS_NB_LANG``, the language JupyterLab is set to, ``LC_ALL``, ``LC_MESSAGES``, ``LANG``.
    """
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
    return gettext.translation(domain, Path(__file__).parent / "locale", [language], fallback=True)


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


@cache
def wordings(language: str) -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    """Return every sentence in English and in ``language``, each as its singular and plural forms; reads a file once.

    From the compiled catalogue itself, since ``gettext`` looks sentences up and never lists them.  Source: GNU gettext
    manual, "The Format of GNU MO Files".
    """
    path = gettext.find("sdrs_nb", str(Path(__file__).parent / "locale"), [language])
    if path is None:
        return ()
    content = Path(path).read_bytes()
    order = "<" if content.startswith(b"\xde\x12\x04\x95") else ">"
    count, english, theirs = struct.unpack_from(f"{order}3I", content, 8)

    def forms(table: int, at: int) -> tuple[str, ...]:
        length, start = struct.unpack_from(f"{order}2I", content, table + 8 * at)
        return tuple(content[start : start + length].decode("utf-8").split("\0"))

    return tuple((forms(english, at), forms(theirs, at)) for at in range(1, count))  # the first is the header


def runbook_text(text: str, /) -> str:
    """Return a paragraph or comment of a runbook in the current language; as it is where it has no translation."""
    return _catalogue(current_language(), "runbooks").gettext(text)
