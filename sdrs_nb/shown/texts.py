"""What a text looks like once it has left: with nothing in it that hides, reorders, or gives a terminal an order.

Names, messages and files were written by strangers.  ``visible`` is for whatever people read: the terminal, pages, log
records and every value in a sentence (``i18n``).  ``storable`` is for cells of CSV files and workbooks, ``json_text``
for JSON; both keep what a program can read back.
"""

import json
import math
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

__all__ = ["json_text", "replace_unprintable", "storable", "visible"]

#: Characters that Unicode calls printable and that show nothing: joiners, fillers, variation selectors.
_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
#: Spaces of other widths; ``str.isprintable`` calls them unprintable, and Chinese text is full of U+3000.
_SPACES = frozenset("\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000")
#: What XML or UTF-8 cannot hold, and what a terminal obeys when the file is printed; line breaks and tabs are data.
_NOT_STORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def visible(text: str) -> str:
    """Return ``text`` with every hidden or reordering character written out, as in ``[U+202E]``.

    Hidden are control characters (line breaks and tabs too), direction and zero-width marks, fillers, unassigned
    characters, private ones and half surrogate pairs.
    """
    if text.isprintable() and (text.isascii() or not _BLANK.search(text)):
        return text
    return "".join(sign if _is_seen(sign) else _named(sign) for sign in text)


def _is_seen(sign: str) -> bool:
    return (sign.isprintable() or sign in _SPACES) and not _BLANK.match(sign)


def _named(sign: str) -> str:
    return f"[U+{ord(sign):04X}]"


def storable(text: str) -> str:
    """Return ``text`` with what CSV and workbooks cannot hold, or a terminal would obey, written out."""
    return _NOT_STORABLE.sub(lambda found: _named(found.group()), text)


def json_text(value: object, *, indent: int | None = None) -> str:
    r"""Return ``value`` as JSON whose hidden characters and half surrogate pairs are ``\u`` escapes.

    Missing values and numbers that JSON lacks are null, times ISO 8601, anything unknown its text.
    """
    text = json.dumps(_plain(value), ensure_ascii=False, indent=indent, allow_nan=False)
    if text.isprintable():
        return text
    # Outside of its strings JSON holds nothing hidden but the line breaks of the indent.
    return "".join(sign if _is_seen(sign) or sign == "\n" else json.dumps(sign)[1:-1] for sign in text)


def _plain(value: Any) -> Any:
    found: Any = str(value)
    match value:
        case None | bool() | int() | str():
            found = value
        case float():
            found = value if math.isfinite(value) else None
        case Mapping():
            found = {str(name): _plain(one) for name, one in value.items()}
        case list() | tuple() | set() | frozenset():
            found = [_plain(one) for one in value]
        case date():
            found = value.isoformat() if value == value else None  # noqa: PLR0124 - NaT is not itself
        case _ if hasattr(value, "item"):  # numpy's numbers
            found = _plain(value.item())
        case _ if type(value).__name__ == "NAType":  # the ground knows no pandas
            found = None
    return found


def replace_unprintable(error: UnicodeError) -> tuple[str, int]:
    """Write out what an encoding lacks, as ``visible`` does; an error handler for ``codecs.register_error``."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_named, error.object[error.start : error.end])), error.end
