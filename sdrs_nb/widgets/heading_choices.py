"""What a person says of the headings of a source that was read: plain Python, no ipywidgets.

A source that was read, or that could not be, has headings; each is shown with what it was taken for, and the person
may say which column it is, or leave it out.  Reading again takes what was said with it.
"""

from collections.abc import Sequence

from sdrs_nb.i18n import _
from sdrs_nb.inventory.notes import Heading
from sdrs_nb.shown.titles import column_title
from sdrs_nb.shown.words import joined, word
from sdrs_nb.tables import DERIVED, INVENTORY_TABLES

__all__ = ["SHOWN", "HeadingChoices", "offered", "taken_for"]

#: Headings that are shown; those that are a column's own name come last.
SHOWN = 60
_ORDER = ("kept", "guessed", "mapped", "passed over", "")


class HeadingChoices:
    """The source that was read last, its headings, and what was said of them.

    Attributes
    ----------
    source, name
        What to read again; None while nothing was read.
    headings
        One each, whatever sheets it stands in; what needs a look first.
    columns
        ``{heading: column}`` as ``read_inventory`` takes it: what was chosen, an empty text to leave a heading out.
    """

    def __init__(self) -> None:
        self.source: str | bytes | None = None
        self.name: str | None = None
        self.headings: tuple[Heading, ...] = ()
        self.columns: dict[str, str] = {}
        self._read_with: dict[str, str] = {}

    def begin(self, source: str | bytes | None = None, name: str | None = None) -> None:
        """Take another source, or none: what was said of the one before is forgotten."""
        self.source, self.name = source, name
        self.headings, self.columns, self._read_with = (), {}, {}

    def set_headings(self, headings: Sequence[Heading]) -> None:
        """Take what a reading with the choices of now made of the headings; none: a failure that saw none of them."""
        self._read_with = dict(self.columns)
        if headings:
            each = {one.heading: one for one in headings}
            self.headings = tuple(sorted(each.values(), key=lambda one: _ORDER.index(one.what)))

    def choose(self, heading: str, column: str | None) -> None:
        """Say which column a heading is: an empty text leaves it out, None leaves it to the reading."""
        self.columns.pop(heading, None)
        if column is not None:
            self.columns[heading] = column

    @property
    def is_changed(self) -> bool:
        """Whether something was said since the source was read."""
        return self.source is not None and self.columns != self._read_with

    @property
    def needs_a_look(self) -> bool:
        """Whether any heading was not simply a column's own name."""
        return any(one.what for one in self.headings)

    @property
    def more(self) -> str:
        """How many headings are not shown, in a sentence; empty where all are."""
        rest = len(self.headings) - SHOWN
        return (
            _("{count} more headings are not shown; say them with columns= or --map.", count=rest) if rest > 0 else ""
        )


def taken_for(heading: Heading) -> str:
    """Return what a heading was taken for, in words."""
    columns = joined(map(column_title, heading.columns))
    if not heading.what:
        return columns
    told = _("left out, as you said") if heading.what == "passed over" else word(heading.what)
    return _("{columns} ({how})", columns=columns, how=told) if columns else told


def offered(heading: Heading) -> list[tuple[str, str | None]]:
    """Return what a heading may be said to be, as words and what ``choose`` takes."""
    derived = DERIVED.get(heading.frame, frozenset())
    columns = [name for name in INVENTORY_TABLES[heading.frame].columns if name not in derived]
    return [(_("as it was read"), None), (_("leave out"), ""), *((column_title(name), name) for name in columns)]
