"""JSON of any origin: answers of the cloud, states of Terraform, lists of command-line tools, frames by name."""

from collections.abc import Sequence
from typing import Any

from sdrs_nb.errors import InventoryError
from sdrs_nb.i18n import _
from sdrs_nb.intake.documents import json_of, jsons_of
from sdrs_nb.intake.limits import IntakeError, UnreadableError, limits
from sdrs_nb.inventory.bounds import require_rectangle, too_many_rows, too_wide
from sdrs_nb.inventory.headings import IGNORED, fold, frame_of_name
from sdrs_nb.inventory.notes import TOLD, Note, Remarks
from sdrs_nb.inventory.readers.answers import Listed, answers_in
from sdrs_nb.inventory.readers.kinds import refusal_of_ansible
from sdrs_nb.inventory.readers.terraform import is_terraform, rows_of_terraform
from sdrs_nb.inventory.sheets import Sheet, more
from sdrs_nb.inventory.values import clean
from sdrs_nb.tables import INVENTORY_TABLES

__all__ = ["OwnOutputError", "contents_of_json", "contents_of_value", "sheet_of_records"]

Contents = list[tuple[str, Sheet | Listed]]

#: Keys of files that this tool writes beside an inventory.
_PLAN = frozenset({"fingerprint", "batches", "rulebook_version"})
_APPROVAL = frozenset({"fingerprint", "who", "when"})


class OwnOutputError(UnreadableError):
    """A file that this tool wrote and that is no inventory; in a folder it is passed over."""


def contents_of_json(text: str, name: str, remarks: Remarks) -> Contents:
    """Return the frames and lists in a JSON text, or in several that stand one after the other."""
    lines = [line for line in text.split("\n", 3)[:3] if line.strip()]
    try:
        try:
            values = [json_of(text, is_strict=False)]
        except IntakeError:
            if len(lines) > 1 and lines[0].strip()[:1] in "{[" and lines[0].rstrip()[-1:] in "}]":
                return _of_lines(text, name, remarks)
            values = jsons_of(text)
    except IntakeError as error:
        remarks.problem(name, str(error))
        return []
    if len(values) > 1:
        remarks.note(Note(name, "read as", after=_("JSON texts one after the other: {count}", count=len(values))))
    return _joined(values, [None] * len(values), name, remarks)


def contents_of_value(value: Any, name: str, remarks: Remarks) -> Contents:
    """Return the frames and lists in a value as a JSON text gives it."""
    return _joined([value], [None], name, remarks)


def _of_lines(text: str, name: str, remarks: Remarks) -> Contents:
    bounds = limits()
    if text.count("\n") > bounds.rows:
        raise too_many_rows(name)
    rows: list[int | None] = []
    values: list[Any] = []
    wrong = 0
    # Not splitlines: it also parts at characters that JSON allows inside a text.
    for at, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            values.append(json_of(line, is_strict=False, bounds=bounds))
            rows.append(at)
        except IntakeError as error:
            wrong += 1
            if wrong <= TOLD:
                remarks.problem(name, str(error), row=at)
    if wrong > TOLD:
        remarks.problem(name, more(wrong - TOLD))
    return _joined(values, rows, name, remarks)


def _joined(values: list[Any], rows: list[int | None], name: str, remarks: Remarks) -> Contents:
    """Return what several values hold together: answers joined, objects as the rows of one frame."""
    if len(values) == 1 and not isinstance(values[0], dict):
        return _of_value(values[0], name, remarks)
    contents: Contents = []
    records: list[Any] = []
    places: list[int] = []
    for at, (value, row) in enumerate(zip(values, rows, strict=True)):
        if found := answers_in(value, name):
            contents += [("", each) for each in found]
        elif _is_row(value) and (len(values) > 1 or not _names_frames(value)):
            records.append(value)
            places.append(row or at + 2)
        else:
            contents += _of_value(value, name, remarks)
    if records:
        contents.append(("", sheet_of_records(records, name, places, remarks, file=name)))
    return contents


def _is_row(value: Any) -> bool:
    if not isinstance(value, dict) or not value or is_terraform(value) or _is_own(value) or "_meta" in value:
        return False
    lists = [key for key, each in value.items() if isinstance(each, list) and each and isinstance(each[0], dict)]
    return not any(fold(key) in INVENTORY_TABLES for key in lists)


def _names_frames(value: dict[str, Any]) -> bool:
    return any(isinstance(each, (list, dict)) or frame_of_name(str(key)) for key, each in value.items())


def _is_own(value: Any) -> bool:
    return isinstance(value, dict) and (value.keys() >= _PLAN or value.keys() >= _APPROVAL)


def _of_value(value: Any, name: str, remarks: Remarks) -> Contents:
    if value is None or value == {}:
        raise InventoryError(_("There is nothing in {name}; give a file that holds servers.", name=name))
    if _is_own(value):
        raise OwnOutputError(_("{name} is a file that this tool wrote of a plan, not an inventory.", name=name))
    if isinstance(value, dict) and isinstance(value.get("_meta"), dict) and "hostvars" in value["_meta"]:
        raise InventoryError(refusal_of_ansible(name))
    if is_terraform(value):
        return _of_terraform(value, name, remarks)
    if isinstance(value, (dict, list)) and (found := answers_in(value, name)):
        rest = value if isinstance(value, dict) else {}
        read = {each.frame for each in found}
        return [("", each) for each in found] + [
            content for content in _frames(rest, name, remarks, is_alone=False) if frame_of_name(content[0]) not in read
        ]
    if isinstance(value, dict):
        return _frames(value, name, remarks, is_alone=True)
    if not isinstance(value, list):
        remarks.problem(name, _("A list of objects belongs here, one object a row."))
        return []
    if value and all(isinstance(each, str) for each in value):
        value = [{"": each} for each in value]
        return [("", Sheet(name, [""], [[each[""] for each in value]], range(2, len(value) + 2), file=name))]
    return [("", sheet_of_records(value, name, range(2, len(value) + 2), remarks, file=name))]


def _of_terraform(value: dict[str, Any], name: str, remarks: Remarks) -> Contents:
    found = rows_of_terraform(value)
    if "servers" not in found:
        told = _("{name} is a state of Terraform without servers; give that of the module that makes them.", name=name)
        raise InventoryError(told)
    remarks.note(Note(name, "read as", after=_("a state of Terraform")))
    return [
        (frame, sheet_of_records(rows, f"{name} {frame}", range(2, len(rows) + 2), remarks, file=name, name=frame))
        for frame, rows in found.items()
    ]


def _frames(value: dict[str, Any], name: str, remarks: Remarks, *, is_alone: bool) -> Contents:
    """Return the lists of an object by their keys; what is no list is passed over beside one."""
    lists = {
        str(key): rows for key, rows in value.items()
        if isinstance(rows, list) and (is_alone or (frame_of_name(str(key)) and rows))
    }  # fmt: skip
    found: Contents = []
    for key, rows in lists.items():
        if fold(key) not in IGNORED:
            where = f"{name} {key}"
            places = range(2, len(rows) + 2)
            found.append((key, sheet_of_records(rows, where, places, remarks, file=name, name=key)))
    for key, rows in value.items():
        if is_alone and not isinstance(rows, list) and (not lists or fold(str(key)) in INVENTORY_TABLES):
            remarks.problem(f"{name} {key}", _("A list of objects belongs here, one object a row."))
        elif is_alone and not isinstance(rows, list):
            remarks.note(Note(name, "passed over", sheet=str(key), before=str(rows)[:60]))
    return found


def sheet_of_records(
    rows: Sequence[Any], where: str, places: Sequence[int], remarks: Remarks, *, file: str, name: str = ""
) -> Sheet:
    """Return objects as a sheet, one object a row; ``places`` are the rows as people count them.

    Raises
    ------
    TooMuchError
        More rows, columns or blank cells than the bounds.
    """
    if len(rows) > limits().rows:
        raise too_many_rows(where)
    good = [(at, row) for at, row in zip(places, rows, strict=True) if isinstance(row, dict)]
    wrong = [at for at, row in zip(places, rows, strict=True) if not isinstance(row, dict)]
    for at in wrong[:TOLD]:
        remarks.problem(where, _("An object of columns and values belongs here."), row=at)
    if len(wrong) > TOLD:
        remarks.problem(where, more(len(wrong) - TOLD))
    headings = list(dict.fromkeys(key for _at, row in good for key in row))
    if len(headings) > limits().columns:
        raise too_wide(where, row=None)
    require_rectangle(where, len(good), len(headings), sum(len(row) for _at, row in good))
    columns = [[row.get(heading) for _at, row in good] for heading in headings]
    numbers = [at for at, _row in good]
    return Sheet(
        where, [clean(str(each)) for each in headings], columns, numbers, is_none=not rows, file=file, name=name
    )
