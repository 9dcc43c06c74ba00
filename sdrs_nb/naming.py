"""A distinct name prefix for every batch, within the limits of the service and clear of existing instances.

The service appends a mark like "-0001" to the prefix of a request (batch-create page, table 1, name_prefix), so two
requests with one prefix would give instances of one name (rule Q3).
"""

import re
import string
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sdrs_nb.errors import PlanError
from sdrs_nb.i18n import _, ngettext_
from sdrs_nb.payload_models import MARK_LENGTH, PREFIX_LENGTH, prefix_problems

__all__ = ["NameRequest", "instance_name", "name_batches"]

# The page on creating a single instance limits its name to 64 bytes; the batch-create page counts characters.
_NAME_BYTES = 64
_DIGITS = 3
_FIELDS = {"prefix": "", "group": "", "wave": "0?[0-9]?d?", "batch": "0?[0-9]?d?"}
_NOT_ALLOWED = re.compile(r"[^\u4e00-\u9fffA-Za-z0-9._-]+")


class NameRequest(NamedTuple):
    """A batch that wants a name: its base prefix, its group's name (the id where it has none) and its wave."""

    prefix: str
    group: str
    wave: int = 1


def instance_name(name_prefix: str, position: int) -> str:
    """Return the name to expect of the instance at ``position`` (from 1) of a request.

    The page shows "-0001" as an example of the mark; that it counts from 1 in each request is assumed.
    """
    return f"{name_prefix}-{position:04d}"


def name_batches(
    wanted: Sequence[NameRequest], *, template: str | None = None, existing: Iterable[str] = ()
) -> tuple[list[str], list[str]]:
    """Return one prefix a batch, in order, and notes on what was done to them.

    Without ``template`` a batch is called ``<prefix>-001`` and on, with more digits where there are more batches; a
    prefix that leaves no room for its number is shortened.  A template may use ``{prefix}``, ``{group}``, ``{wave}``
    and ``{batch}``, which counts within the group where the template names it.  Numbers are skipped while an
    instance in ``existing`` (names) is called as an instance of that batch would be.

    Raises
    ------
    PlanError
        A prefix or the template breaks the limits of the service, or gives two batches one prefix.
    """
    fields = ("prefix", "batch") if template is None else _fields(template)
    if "prefix" in fields:
        problems = [
            said for prefix in dict.fromkeys(each.prefix for each in wanted) for said in prefix_problems(prefix)
        ]
        if problems:
            raise PlanError(" ".join(problems))
    taken = {name[: mark.start()] for name in existing for mark in re.finditer("-0", name)}
    if template is None:
        names, notes = _numbered(wanted, taken)
    else:
        names, notes = _templated(wanted, template, fields, taken)
    return names, [*notes, *_byte_notes(names)]


def _numbered(wanted: Sequence[NameRequest], taken: set[str]) -> tuple[list[str], list[str]]:
    """Return ``<prefix>-001`` and on, all with the same number of digits."""
    digits, number = _DIGITS, 0
    while True:
        names, number = list[str](), 0
        for each in wanted:
            number += 1
            while (name := _marked(each.prefix, number, digits)) in taken:
                number += 1
            names.append(name)
        if len(str(number)) <= digits:
            break
        digits = len(str(number))
    room = PREFIX_LENGTH - 1 - digits
    long = dict.fromkeys(each.prefix for each in wanted if len(each.prefix) > room)
    notes = [
        _(
            'The name prefix "{prefix}" was shortened to "{short}", so that with the number of the batch it keeps to '
            "{limit} characters.",
            prefix=prefix,
            short=prefix[:room],
            limit=PREFIX_LENGTH,
        )
        for prefix in long
    ]
    return names, notes + _skip_notes(number - len(wanted))


def _marked(prefix: str, number: int, digits: int) -> str:
    mark = f"-{number:0{digits}d}"
    return prefix[: PREFIX_LENGTH - len(mark)] + mark


def _templated(
    wanted: Sequence[NameRequest], template: str, fields: Sequence[str], taken: set[str]
) -> tuple[list[str], list[str]]:
    """Return the template filled in for every batch."""
    names, counters, skipped = list[str](), Counter[str](), 0
    for each in wanted:
        counted = each.group if "group" in fields else ""
        counters[counted] += 1
        while (name := _filled(template, each, counters[counted])) in taken and "batch" in fields:
            counters[counted] += 1
            skipped += 1
        if problems := list(prefix_problems(name)):
            raise PlanError(
                _(
                    'The name template "{template}" does not fit group {group}. {problems}',
                    template=template,
                    group=each.group,
                    problems=" ".join(problems),
                )
            )
        names.append(name)
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise PlanError(
            _(
                'The name template "{template}" gives more than one batch the prefix "{prefix}". Put {field} into it.',
                template=template,
                prefix=twice[0],
                field="{group}-{batch:03d}",
            )
        )
    return names, _skip_notes(skipped)


def _filled(template: str, each: NameRequest, number: int) -> str:
    # Group names may hold characters that prefixes may not have.
    group = _NOT_ALLOWED.sub("-", each.group)
    return template.format(prefix=each.prefix, group=group, wave=each.wave, batch=number)


def _fields(template: str) -> list[str]:
    """Return the fields that ``template`` uses, or refuse it."""
    try:
        parts = [part[1:] for part in string.Formatter().parse(template) if part[1] is not None]
    except ValueError:
        parts = [("", "", "")]  # an unmatched brace
    for field, spec, conversion in parts:
        if field not in _FIELDS or conversion or not re.fullmatch(_FIELDS[field], spec or ""):
            raise PlanError(
                _(
                    'The name template "{template}" cannot be read. Use only the fields {fields}.',
                    template=template,
                    fields="{prefix}, {group}, {wave}, {batch}, {batch:03d}",
                )
            )
    return [str(field) for field, _spec, _conversion in parts]


def _skip_notes(skipped: int) -> list[str]:
    if not skipped:
        return []
    return [
        ngettext_(
            "{count} batch number was skipped, because existing instances are called as those of that batch would be.",
            "{count} batch numbers were skipped, because existing instances are called as those of these batches "
            "would be.",
            skipped,
        )
    ]


def _byte_notes(names: Sequence[str]) -> list[str]:
    """Say which prefixes may be too long in bytes (rule Q2)."""
    long = [name for name in names if len(name.encode()) + MARK_LENGTH > _NAME_BYTES]
    if not long:
        return []
    return [
        ngettext_(
            'The instance names of {count} batch, such as those of "{prefix}", will have more than {limit} bytes. '
            "The page on batch creation counts characters, the one on single creation bytes: should the service refuse "
            "the names, take a shorter prefix.",
            'The instance names of {count} batches, such as those of "{prefix}", will have more than {limit} bytes. '
            "The page on batch creation counts characters, the one on single creation bytes: should the service refuse "
            "the names, take a shorter prefix.",
            len(long),
            prefix=long[0],
            limit=_NAME_BYTES,
        )
    ]
