"""One spelling of an id: what is compared, shown and sent.

People paste ids with invisible characters around them, spreadsheets change their letter case, tools leave the hyphens
out.  ``canonical`` makes one form of all of these; it is applied where an id enters (a file, a frame, an answer of the
cloud, an argument) and nowhere else, so that two spellings of one server are one server everywhere.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

__all__ = ["ID_ENDINGS", "canonical", "canonical_documents", "respelt", "without_invisible"]

#: Columns whose values are ids, or lists of ids in one text.
ID_ENDINGS = ("_id", "_ids")
#: Columns whose ids are those of servers and volumes: always UUIDs, which some tools print without hyphens.
_UUIDS = frozenset({"server_id", "source_server_id", "target_server_id", "volume_id", "volume_ids"})
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PLAIN_UUID = re.compile(r"([0-9a-fA-F]{8})([0-9a-fA-F]{4})([0-9a-fA-F]{4})([0-9a-fA-F]{4})([0-9a-fA-F]{12})")
_PLAIN_UUID_LINE = re.compile("^[0-9a-f]{32}$", re.MULTILINE)
#: Ids that need no closer look, one a line: printable ASCII without capitals.  Nearly all are so.
_SOUND = re.compile(r"[!-@\[-~\n]*")
_BETWEEN = re.compile(r"[,;，；、]")
_HIDDEN = frozenset({"Cf", "Cc", "Zs", "Zl", "Zp"})

#: Where documents of the cloud name servers, volumes and what protects them -> the column whose ids these are.
_KEYS: Mapping[str, str] = MappingProxyType(
    {
        "id": "group_id",
        "server_group_id": "group_id",
        "protected_instance": "protected_instance_id",
        "source_server": "source_server_id",
        "target_server": "target_server_id",
        "volume_ids": "volume_ids",
    }
)


def without_invisible(text: str) -> str:
    """Return the text without space-like and invisible characters: white space, zero-width and control characters."""
    if text.isascii() and text.isprintable() and " " not in text:
        return text
    return "".join(sign for sign in text if unicodedata.category(sign) not in _HIDDEN)


def canonical(text: str, column: str = "server_id") -> str:
    """Return the one form of an id: nothing invisible in it, a UUID in lower case with hyphens, anything else as it is.

    ``column`` is the column of ``tables`` whose id this is: ids of servers and volumes may lack their hyphens; in a
    column of lists (``volume_ids``) every id of the list is made canonical, each once, joined by commas.
    """
    if column.endswith("_ids"):
        return ",".join(dict.fromkeys(part for part in _parts(text, column) if part))
    plain = without_invisible(text)
    if _UUID.fullmatch(plain):
        return plain.lower()
    if column in _UUIDS and (found := _PLAIN_UUID.fullmatch(plain)):
        return "-".join(found.groups()).lower()
    return plain


def _parts(text: str, column: str) -> list[str]:
    """Return the ids of a list; ids parted by white space alone are told apart where each of them is a UUID."""
    one = column.removesuffix("s")
    parts: list[str] = []
    for part in _BETWEEN.split(text):
        whole, pieces = canonical(part, one), [canonical(piece, one) for piece in part.split()]
        parts += [whole] if _UUID.fullmatch(whole) or not all(map(_UUID.fullmatch, pieces)) else pieces
    return parts


def respelt(texts: Iterable[str], column: str) -> dict[str, str]:
    """Return the canonical form of every text that is not in it already; where all are, that costs next to nothing."""
    given = list(texts)
    lines = "\n".join(given)
    is_plain = not column.endswith("_ids") and _SOUND.fullmatch(lines) is not None
    if is_plain and not (column in _UUIDS and _PLAIN_UUID_LINE.search(lines)):
        return {}
    return {text: form for text in set(given) if (form := canonical(text, column)) != text}


def canonical_documents(documents: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return documents of the cloud with the ids in them canonical; most are so already.

    Ids of servers, volumes, groups, instances and pairs on the first level are looked at: what rules, jobs and
    comparisons with a plan read.
    """
    return [_canonical_document(document) for document in documents]


def _canonical_document(document: dict[str, Any]) -> dict[str, Any]:
    odd = {
        key: changed
        for key, column in _KEYS.items()
        if isinstance(value := document.get(key), str) and (changed := canonical(value, column)) != value
    }
    return {**document, **odd} if odd else document
