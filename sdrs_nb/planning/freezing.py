"""What a plan was made from and how it is kept: facts, fingerprint, file.

Canonical JSON throughout: no blanks, sorted keys, characters as themselves, missing values null.  So equal plans
have equal fingerprints wherever and whenever they were made.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from sdrs_nb.errors import PlanError, SettingsError
from sdrs_nb.i18n import _
from sdrs_nb.intake.documents import json_of
from sdrs_nb.intake.files import read_file, told
from sdrs_nb.intake.limits import IntakeError, UnreadableError
from sdrs_nb.shown.disk import write_whole

__all__ = [
    "body_bytes",
    "canonical",
    "changed_error",
    "columns_of",
    "compare",
    "digest",
    "frame_from_rows",
    "read_document",
    "rows_of",
    "seal",
    "unsealed",
    "write_document",
    "write_file",
]

_FORMAT, _VERSION = "sdrs_nb plan", 1


def canonical(value: object) -> bytes:
    """Return ``value`` as canonical JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def body_bytes(document: object) -> bytes:
    """Return a request body read from a document as the bytes that ``payloads.payload_bytes`` gave for it."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def digest(parts: Iterable[object]) -> str:
    """Return the SHA-256 of the parts, in hex; bytes as they are, anything else as canonical JSON."""
    whole = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else canonical(part)
        # The length first, so that no two lists of parts read the same.
        whole.update(len(data).to_bytes(8))
        whole.update(data)
    return whole.hexdigest()


def columns_of(frame: pd.DataFrame) -> list[list[Any]]:
    """Return the columns of ``frame`` as plain values, missing ones None."""
    columns = (frame[name] for name in frame.columns)
    return [column.to_numpy(dtype=object, na_value=None).tolist() for column in columns]  # type: ignore[call-overload]  # None is taken


def rows_of(frame: pd.DataFrame) -> list[list[Any]]:
    """Return the rows of ``frame`` as plain values, missing ones None."""
    return [list(row) for row in zip(*columns_of(frame), strict=True)]


def frame_from_rows(rows: list[list[Any]], dtypes: Mapping[str, str]) -> pd.DataFrame:
    """Return ``rows`` as a frame with these columns and dtypes."""
    return pd.DataFrame(rows, columns=list(dtypes), dtype=object).astype(dict(dtypes))


def seal(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``document`` with format, version and a checksum over all of it."""
    sealed = {"format": _FORMAT, "version": _VERSION, **document}
    return {**sealed, "checksum": digest([sealed])}


def unsealed(document: object, where: str) -> dict[str, Any]:
    """Return a document that ``seal`` made, or refuse it.

    Raises
    ------
    PlanError
        It is no plan, of another version, or was changed since it was sealed.
    """
    if not isinstance(document, Mapping) or document.get("format") != _FORMAT:
        raise PlanError(_("{where} holds no plan. Give a file that plan.save wrote.", where=where))
    if document.get("version") != _VERSION:
        raise PlanError(
            _(
                "{where} holds a plan of version {found}, this release reads version {known}. Make the plan again.",
                where=where,
                found=str(document.get("version"))[:20],
                known=_VERSION,
            )
        )
    content = {name: value for name, value in document.items() if name != "checksum"}
    # What JSON cannot say: objects of Python, circles, half a character, more depth than a stack has.
    with suppress(TypeError, ValueError, RecursionError):
        if document.get("checksum") == digest([content]):
            return content
    raise changed_error(where)


def changed_error(where: str) -> PlanError:
    """Return the error for a plan that is not what its fingerprint names."""
    return PlanError(
        _(
            "{where} was changed after it was saved: its content no longer fits its fingerprint. Make the plan again "
            "and have it approved.",
            where=where,
        )
    )


def write_document(document: Mapping[str, Any], path: Path) -> Path:
    """Write ``document`` as readable JSON to ``path``, as ``write_file`` does."""
    return write_file(path, _text(document))


def write_file(path: Path, content: bytes) -> Path:
    """Write a plan or an approval, whole or not at all: a new file takes the old one's place; return the path.

    Raises
    ------
    PlanError
        The file cannot be written.
    """
    try:
        return write_whole(path, content)
    except SettingsError as error:
        raise PlanError(str(error)) from error


def read_document(path: Path) -> dict[str, Any]:
    """Return the document in a file that ``write_document`` wrote, its seal checked.

    Raises
    ------
    PlanError
        The file cannot be read, is no plan, or one byte of it was changed.
    """
    try:
        found = read_file(path)
    except UnreadableError as error:
        raise PlanError(str(error)) from None
    except OSError as error:
        raise PlanError(_("The plan {path} cannot be read: {reason}.", path=path, reason=told(error))) from error
    try:
        document = json_of(found.decode())
    except ValueError as error:  # IntakeError, and bytes that are not UTF-8
        cut = _("The plan {path} is no JSON: it was cut or changed. Save it again.", path=path)
        raise PlanError(f"{cut} {error}" if isinstance(error, IntakeError) else cut) from None
    content = unsealed(document, str(path))
    # A byte may also change between values, where JSON does not look.  Line ends are not content: version control
    # on Windows rewrites them.
    if found.replace(b"\r\n", b"\n") != _text(document):
        raise changed_error(str(path))
    return content


def _text(document: Mapping[str, Any]) -> bytes:
    """Return ``document`` as JSON that reviewers can read: one line a batch or row, UTF-8, a line end at the end."""
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def compare(before: pd.DataFrame, after: pd.DataFrame, kind: str, key: str) -> pd.DataFrame:
    """Return what differs between two frames of facts about the same kind of thing.

    Columns, all strings: ``kind``, ``id``, ``name``, ``fact`` (a column's name, or ``present``), ``before``,
    ``after``; one row a fact that differs, by id and column.  Only columns that both frames have are compared.
    """
    columns = ["kind", "id", "name", "fact", "before", "after"]
    old, new = before.set_index(key), after.set_index(key)
    names = pd.concat([frame["name"] for frame in (new, old) if "name" in frame] or [pd.Series(dtype="string")])
    names = names[~names.index.duplicated()]
    both = old.index.intersection(new.index)
    rows: list[pd.DataFrame] = []
    for ids, said in (
        (old.index.difference(new.index), ("yes", "no")),
        (new.index.difference(old.index), ("no", "yes")),
    ):
        rows.append(pd.DataFrame({"id": ids, "fact": "present", "before": said[0], "after": said[1]}))
    for fact in [name for name in old.columns if name in new.columns]:
        was, now = (frame.loc[both, fact].astype("string").fillna("") for frame in (old, new))
        differs = was.ne(now)
        rows.append(
            pd.DataFrame({"id": both[differs], "fact": fact, "before": was[differs].array, "after": now[differs].array})
        )
    found = pd.concat([row for row in rows if len(row)] or rows[:1])
    found = found.assign(kind=kind, name=found["id"].map(names).astype("string").fillna(""))
    return found.sort_values("id", kind="stable", ignore_index=True)[columns].astype("string")
