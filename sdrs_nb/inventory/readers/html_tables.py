"""The largest table of an HTML page: what consoles save under the name .xls."""

from html.parser import HTMLParser

from sdrs_nb.intake.limits import limits
from sdrs_nb.inventory.bounds import too_many_rows, too_wide

__all__ = ["grid_of_html", "is_html"]

#: Digits of a number of columns; more are no page of a console.
_DIGITS = 4


def is_html(text: str) -> bool:
    """Tell whether a text is an HTML page or a table of one."""
    start = text[:2000].lstrip().lower()
    return start.startswith(("<!doctype html", "<html", "<table", "<meta", "<head", "<body")) or "<html" in start[:1000]


def grid_of_html(text: str, name: str) -> list[list[str]]:
    """Return the rows of the table with the most cells, empty where there is none; TooMuchError beyond the bounds."""
    reader = _Tables(name)
    reader.feed(text)
    reader.close()
    return max(reader.tables, key=lambda rows: sum(map(len, rows)), default=[])


class _Tables(HTMLParser):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self._name, self._bounds = name, limits()
        self._open: list[list[list[str]]] = []
        self._parts: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._end_cell()
            self._open.append([])
            self.tables.append(self._open[-1])
        elif tag == "tr" and self._open:
            self._end_cell()
            self._open[-1].append([])
            if len(self._open[-1]) > self._bounds.rows:
                raise too_many_rows(self._name)
        elif tag in ("td", "th") and self._open and self._open[-1]:
            self._end_cell()
            self._parts = []
            # Cells that span columns stand for so many.
            said = next((value for key, value in attrs if key == "colspan"), None)
            spans = int(said) if said and said.isdecimal() and len(said) < _DIGITS else 1
            self._open[-1][-1] += [""] * spans
            self._spans = spans
            if len(self._open[-1][-1]) > self._bounds.columns:
                raise too_wide(self._name, row=len(self._open[-1]))
        elif tag == "br" and self._parts is not None:
            self._parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "tr", "table"):
            self._end_cell()
        if tag == "table" and self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._parts is not None:
            self._parts.append(data)

    def _end_cell(self) -> None:
        if self._parts is not None and self._open and self._open[-1] and self._open[-1][-1]:
            self._open[-1][-1][-self._spans] = "".join(self._parts).strip()
        self._parts = None
