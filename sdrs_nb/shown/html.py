"""All markup and all escaping: small helpers that turn texts and frames into safe HTML.

Every value is escaped, and characters that hide or reorder text are written out, before it meets a template (under
``templates/``, Jinja2 with autoescape).  No other module writes markup; ``Markup`` made here is put in unchanged.
How an object shows itself, live and in a saved notebook::

    def _repr_html_(self) -> str:
        return html.summary(
            _("Inventory"),
            [(_("Servers"), 240), (_("Volumes"), 612)],
            notes=[_("Key pairs could not be read.")],
            body=[html.table(self.servers, limit=5, columns=["name", "server_id", "status"])],
        )

and what panels put into ``ipywidgets.HTML``: ``message``, ``status``, ``facts``, ``heading``, ``code``, ``table``,
joined by ``fragment``.  ``page`` makes a whole file.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import jinja2
import pandas as pd
from markupsafe import Markup
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from sdrs_nb.i18n import _, current_language, ngettext_
from sdrs_nb.shown.cells import clipped, text_of
from sdrs_nb.shown.texts import visible
from sdrs_nb.shown.titles import column_title

__all__ = [
    "FEW",
    "SHAPES",
    "code",
    "escape",
    "facts",
    "fragment",
    "heading",
    "message",
    "page",
    "paragraph",
    "render",
    "status",
    "summary",
    "table",
]

#: Rows of a frame that a summary shows.
FEW = 10

#: The shape that goes with each tone, so that no state is told by colour alone.
SHAPES: Mapping[str, str] = {"good": "●", "warning": "▲", "bad": "■", "running": "◐", "unknown": "◆", "neutral": "○"}


_CELL = 120  # characters of a table's cell: enough for any real name, and a hostile one fills no screen


@dataclass(frozen=True, slots=True)
class _Head:
    title: str
    is_number: bool


def escape(value: object) -> Markup:
    """Return ``value`` as escaped text with hidden characters written out; ``Markup`` passes unchanged."""
    return value if isinstance(value, Markup) else Markup.escape(visible(text_of(value)))


def table(
    frame: pd.DataFrame,
    limit: int | None = 10,
    *,
    columns: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
    total: int | None = None,
) -> Markup:
    """Return the first ``limit`` rows of ``frame`` as a table that says how many there are.

    ``columns`` chooses and orders (names that the frame lacks are left out; None: all), ``labels`` maps a column to
    its title.  ``limit=None`` shows every row; ``total`` is said in place of the frame's own length.
    Missing values are empty; long texts are cut at 120 characters.  An empty frame gives a sentence.
    """
    if frame.empty:
        return paragraph(_("No rows."))
    names = [name for name in (columns or frame.columns) if name in frame]
    part = frame[names] if limit is None else frame[names].head(limit)
    heads = [
        _Head((labels or {}).get(name) or column_title(str(name)), is_numeric_dtype(dtype) and not is_bool_dtype(dtype))
        for name, dtype in zip(names, part.dtypes, strict=True)
    ]
    rows = zip(*([clipped(text_of(value), _CELL) for value in part[name]] for name in names), strict=True)
    shown, whole = len(part), len(frame) if total is None else total
    caption = _("The first {shown} of {total} rows", shown=f"{shown:,}", total=f"{whole:,}")
    if shown == whole:
        caption = ngettext_("{number} row", "{number} rows", whole, number=f"{whole:,}")
    return _part("table", heads, list(rows), caption)


def summary(
    title: str, facts: Iterable[tuple[str, object]] = (), *, notes: Iterable[str] = (), body: Iterable[Markup] = ()
) -> str:
    """Return a compact account of one object: a title, named figures, sentences, then ready-made parts."""
    return fragment(render("summary.html", title=title, facts=list(facts), notes=list(notes), body=list(body)))


def facts(pairs: Iterable[tuple[str, object]]) -> Markup:
    """Return named figures side by side."""
    return _part("facts", list(pairs))


def heading(text: str) -> Markup:
    """Return a small heading."""
    return Markup("<h4>{}</h4>").format(escape(text))


def paragraph(text: str) -> Markup:
    """Return one paragraph."""
    return Markup("<p>{}</p>").format(escape(text))


def code(text: str) -> Markup:
    """Return ``text`` as it is, in a fixed-width block; line breaks stay."""
    lines = Markup("\n").join(escape(line.replace("\t", "    ")) for line in text.split("\n"))
    return Markup("<pre>{}</pre>").format(lines)


def status(word: str, tone: str = "neutral") -> Markup:
    """Return a state as word, colour and shape; ``tone`` is a key of ``SHAPES``."""
    return _part("status", word, tone, SHAPES[tone])


def message(text: str, tone: str = "neutral") -> str:
    """Return a sentence or several for the operator, marked by its tone (a key of ``SHAPES``); line breaks stay."""
    lines = Markup("\n").join(escape(line) for line in text.split("\n"))
    return fragment(_part("message", lines, tone, SHAPES[tone]))


def fragment(*parts: Markup) -> str:
    """Return ``parts`` as one piece of HTML with its style, for ``ipywidgets.HTML`` or ``_repr_html_``."""
    return str(render("fragment.html", style=render("style.html"), body=Markup().join(parts)))


def page(title: str, sections: Iterable[Markup]) -> str:
    """Return a whole HTML file that needs nothing else: no script, and a policy that lets it load nothing."""
    return str(
        render(
            "page.html", title=title, sections=list(sections), style=render("style.html"), language=current_language()
        )
    )


def render(template: str, /, **values: object) -> Markup:
    """Return a template of ``sdrs_nb/shown/templates`` filled with ``values``, all of them escaped."""
    # The template escaped every value it was given.
    return Markup(_templates().get_template(template).render(**values).strip())  # noqa: S704


def _part(name: str, *values: object) -> Markup:
    macro = getattr(_templates().get_template("parts.html").module, name)
    return Markup(macro(*values))  # noqa: S704 - a macro of an autoescaped template


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("sdrs_nb.shown"), autoescape=True, finalize=escape, undefined=jinja2.StrictUndefined
    )
