"""A distinct name prefix for every batch, within the limits of the service and clear of existing instances.

The service appends a mark like "-0001" to the prefix of a request (batch-create page, table 1, name_prefix), so two
requests with one prefix would give instances of one name (rule Q3).
"""

import re
import string
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from typing import NamedTuple

from sdrs_nb.errors import PlanError
from sdrs_nb.i18n import _, ngettext_
from sdrs_nb.models import instance_name
from sdrs_nb.payloads.batch import prefix_problems
from sdrs_nb.payloads.single import name_problems
from sdrs_nb.rulebook import Rulebook

__all__ = ["NameRequest", "name_batches", "name_instances"]

#: Digits of a batch's number, and of an instance's own where instances are created one by one.
_DIGITS, _OWN_DIGITS = 3, 4
_FIELDS = {"prefix": "", "group": "", "wave": "0?[0-9]?d?", "batch": "0?[0-9]?d?"}


class NameRequest(NamedTuple):
    """A batch that wants a name: its base prefix, its group's name (the id where it has none) and its wave."""

    prefix: str
    group: str
    wave: int = 1


def name_batches(
    wanted: Sequence[NameRequest], book: Rulebook, *, template: str | None = None, existing: Iterable[str] = ()
) -> tuple[list[str], list[str]]:
    """Return one prefix a batch, in order, within the limits of ``book``, and notes on what was done to them.

    Without ``template`` a batch is called ``<prefix>-001`` and on, with more digits where there are more batches; a
    prefix that leaves no room for its number is shortened, but that of an only batch stays as it was typed while no
    instance bears it.  A template may use ``{prefix}``, ``{group}``, ``{wave}``
    and ``{batch}``, which counts within the group where the template names it.  Numbers are skipped while an
    instance in ``existing`` (names) is called as an instance of that batch would be.

    Raises
    ------
    PlanError
        A prefix or the template breaks the limits of the service, or gives two batches one prefix.
    """
    fields = ("prefix", "batch") if template is None else _fields(template)
    _refuse_bad_prefixes(wanted, fields, book)
    taken = {name[: mark.start()] for name in existing for mark in re.finditer("-0", name)}
    if template is None:
        names, notes = _numbered(wanted, taken, _DIGITS, book.number("prefix_characters"))
    else:
        names, notes = _templated(wanted, template, fields, taken, book)
    return names, [*notes, *_byte_notes(names, book.number("name_bytes"))]


def name_instances(
    wanted: Sequence[NameRequest], book: Rulebook, *, template: str | None = None, existing: Iterable[str] = ()
) -> tuple[list[str], list[str]]:
    """Return the name of each instance that is created alone, in order, and notes on what was done to them.

    As ``name_batches``, with ``<prefix>-0001`` and on where no template is given: each name is the instance's own, so
    a number is skipped only while an instance has exactly that name.

    Raises
    ------
    PlanError
        A name breaks the limits of the service: 64 bytes (single-create page, field name).
    """
    fields = ("prefix", "batch") if template is None else _fields(template)
    _refuse_bad_prefixes(wanted, fields, book)
    taken = set(existing)
    if template is None:
        names, notes = _numbered(wanted, taken, _OWN_DIGITS, book.number("name_bytes"))
    else:
        names, notes = _templated(wanted, template, fields, taken, book)
    if problems := [said for name in names for said in name_problems(name, book)]:
        raise PlanError(problems[0])
    return names, notes


def _refuse_bad_prefixes(wanted: Iterable[NameRequest], fields: Iterable[str], book: Rulebook) -> None:
    prefixes = dict.fromkeys(each.prefix for each in wanted) if "prefix" in fields else ()
    if problems := [said for prefix in prefixes for said in prefix_problems(prefix, book)]:
        raise PlanError(" ".join(problems))


def _numbered(wanted: Sequence[NameRequest], taken: set[str], digits: int, length: int) -> tuple[list[str], list[str]]:
    """Return ``<prefix>-001`` and on, all with the same number of digits and at most ``length`` characters."""
    if len(wanted) == 1 and length - 1 - digits < len(wanted[0].prefix) <= length and wanted[0].prefix not in taken:
        return [wanted[0].prefix], []  # there is nothing to tell it from
    while True:
        names, number, room = list[str](), 0, length - 1 - digits
        for each in wanted:
            number += 1
            while (name := f"{each.prefix[:room]}-{number:0{digits}d}") in taken:
                number += 1
            names.append(name)
        if len(str(number)) <= digits:
            break
        digits = len(str(number))
    long = dict.fromkeys(each.prefix for each in wanted if len(each.prefix) > room)
    notes = [
        _(
            'The name prefix "{prefix}" was shortened to "{short}", so that with its number it keeps to {limit} '
            "characters.",
            prefix=prefix,
            short=prefix[:room],
            limit=length,
        )
        for prefix in long
    ]
    return names, notes + _skip_notes(number - len(wanted))


def _templated(
    wanted: Sequence[NameRequest], template: str, fields: Sequence[str], taken: set[str], book: Rulebook
) -> tuple[list[str], list[str]]:
    """Return the template filled in for every batch."""
    names, counters, skipped = list[str](), Counter[str](), 0
    for each in wanted:
        counted = each.group if "group" in fields else ""
        counters[counted] += 1
        # Group names may hold characters that prefixes may not have.
        strange = book.strange_in(each.group)
        group = re.sub("\0+", "-", "".join("\0" if letter in strange else letter for letter in each.group))
        fill = partial(template.format, prefix=each.prefix, group=group, wave=each.wave)
        while (name := fill(batch=counters[counted])) in taken and "batch" in fields:
            counters[counted] += 1
            skipped += 1
        if problems := list(prefix_problems(name, book)):
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


def _byte_notes(names: Sequence[str], limit: int) -> list[str]:
    """Say which prefixes may be too long in bytes (rule Q2)."""
    long = [name for name in names if len(instance_name(name, 1).encode()) > limit]
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
            limit=limit,
        )
    ]
