"""What was done while reading that the file does not say itself, and what the person said about it beforehand.

``Remarks`` goes through every reader: problems stop the reading at its end, notes become ``Inventory.reading``.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import pandas as pd

from sdrs_nb.errors import Problem
from sdrs_nb.i18n import _
from sdrs_nb.models import Record
from sdrs_nb.shown.words import word
from sdrs_nb.tables import READING, shape

__all__ = ["TOLD", "Done", "Heading", "Note", "Remarks", "in_brief", "reading_frame"]

#: Notes and problems of one kind that are told one by one; more are counted.
TOLD = 1000

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Note:
    """One row of ``Inventory.reading``."""

    file: str
    what: str
    sheet: str = ""
    row: int | None = None
    column: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Heading:
    """What a heading of a file was taken for.

    ``columns`` of the frame called ``frame``: none where it is no column of ours or was left out, several where its
    cells hold several facts.  ``what``: ``mapped`` (as the person said), ``guessed``, ``kept``, ``passed over`` (left
    out, as the person said), or an empty text where the heading is the column's own name.  ``examples`` are the first
    different values under it, at most three.
    """

    file: str
    sheet: str
    frame: str
    heading: str
    examples: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    what: str = ""


@dataclass
class Remarks:
    """Problems and notes of a reading, and what each heading was taken for.

    ``columns``: heading -> column, as the person says, an empty text to leave it out; ``words``: column -> word -> the
    service's word; ``encoding``: of texts, where the person says it.
    """

    problems: list[Problem] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    columns: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    encoding: str | None = None
    used: set[str] = field(default_factory=set)
    headings: dict[tuple[str, str, str], Heading] = field(default_factory=dict)
    _counts: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)

    def problem(self, where: str, told: str, row: int | None = None, column: str | None = None) -> None:
        """Add what must be mended before the file can be used."""
        self.problems.append(Problem(where, row, column, told))

    def note(self, note: Note) -> None:
        """Add what was done; of one kind in one column at most ``TOLD`` are kept."""
        kind = (note.file, note.sheet, note.column, note.what)
        self._counts[kind] += 1
        if self._counts[kind] <= TOLD:
            self.notes.append(note)

    def see(self, heading: Heading) -> None:
        """Keep what a heading was taken for; a column without one has nothing to be mapped by."""
        if heading.heading:
            self.headings[heading.file, heading.sheet, heading.heading] = heading

    def took(self, note: Note) -> None:
        """Note a guess at what the cells hold under a heading that is no column."""
        self.note(note)
        place = (note.file, note.sheet, note.column)
        if (known := self.headings.get(place)) is not None:
            self.headings[place] = replace(known, columns=(*known.columns, note.after), what="guessed")


def reading_frame(notes: Sequence[Note]) -> pd.DataFrame:
    """Return notes as the frame ``tables.READING``, one row a note, in the order of reading."""
    rows = [
        (
            note.file,
            note.sheet or None,
            note.row,
            note.column or None,
            note.what,
            note.before or None,
            note.after or None,
        )
        for note in notes
    ]
    return shape(pd.DataFrame(rows, columns=list(READING.columns), dtype="object"), READING)


class Done(Record):
    """What was done of one kind while reading, in brief: some of it, and how much there was (``count``).

    ``what`` is the kind as in ``tables.READING``; ``examples`` are the first different ones, ``before → after``.
    """

    what: str
    count: int
    examples: tuple[str, ...] = ()

    def sentence(self, most: int) -> str:
        """Return it as one line with at most ``most`` examples; what is not told is counted."""
        told = self.examples[:most]
        rest = self.count - len(told)
        return _("Reading, {what}: {told}", what=word(self.what), told="; ".join([*told, *([f"+{rest}"] * (rest > 0))]))


def in_brief(reading: pd.DataFrame, most: int = 20) -> tuple[Done, ...]:
    """Return ``Inventory.reading`` a kind at a time, the first ``most`` different ones of each; what repeats is one."""
    found = []
    for what, notes in reading.fillna({"column": "", "from": "", "to": ""}).groupby("what", sort=False):
        told = dict.fromkeys(
            " → ".join(filter(None, (before or column, after)))
            for column, before, after in zip(notes["column"], notes["from"], notes["to"], strict=True)
        )
        found.append(Done(what=str(what), count=len(told), examples=tuple(told)[:most]))
    return tuple(found)
