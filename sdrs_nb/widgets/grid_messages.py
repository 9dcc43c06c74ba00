"""What the browser may ask of a grid and what it gets: plain documents in and out, no widget.

Every question names the ``view`` that asks (one grid can be shown in several places) and a sequence number; the answer
repeats both, so that a view drops answers to others and answers that are out of date.

========== ================================================= =====================================================
question   with                                              answer
========== ================================================= =====================================================
hello      start, stop                                       setup: texts, columns, and a page
rows       start, stop                                       rows: a page
view       search, sort, filters {column: filter or null},   rows; ``problems`` names filters that cannot be read,
           clear                                             which leave the rows as they were
select     add, remove, span {first, last, on}, shown, clear rows
columns    visible, widths                                   setup
choices    column                                            choices: value and count, and those chosen
detail     id                                                detail: title, text and tone of every column
export     -                                                 export: file name and CSV
copy       -                                                 copy: tab-separated text, and how many rows
========== ================================================= =====================================================

A page carries rows as ``[id, selected, cells]`` and the whole small state: version, counts, view, status sentence.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sdrs_nb.errors import SettingsError
from sdrs_nb.shown.cells import clipped, csv_text, neutral
from sdrs_nb.shown.texts import visible
from sdrs_nb.widgets.columns import Column
from sdrs_nb.widgets.grid_state import GridState
from sdrs_nb.widgets.grid_texts import state_text, texts
from sdrs_nb.widgets.paging import Filter

__all__ = ["Reply", "Shown", "answer"]

Document = dict[str, Any]

_LARGEST_PAGE = 500  # rows; a screen holds far fewer, and no question shall fetch the whole inventory
_WIDEST_PX = 1200


@dataclass(frozen=True, slots=True)
class Shown:
    """How the grid was asked to look: its title, height in pixels, and whether rows open beside it."""

    title: str
    height: int
    detail: bool


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one question and what the question changed."""

    document: Document
    changed: bool = False
    selection: bool = False
    opened: str | None = None


def answer(state: GridState, shown: Shown, question: Mapping[str, Any]) -> Reply | None:
    """Do what ``question`` asks and return the reply, None for a question that is not known."""
    with state.lock:
        known: Mapping[str, Callable[[], Reply]] = {
            "hello": lambda: Reply(_setup(state, shown, question)),
            "rows": lambda: Reply(_page(state, question)),
            "view": lambda: _change_view(state, question),
            "select": lambda: _change_selection(state, question),
            "columns": lambda: _change_columns(state, shown, question),
            "choices": lambda: Reply(_choices(state, str(question["column"]))),
            "detail": lambda: _detail(state, str(question["id"])),
            "export": lambda: Reply(_export(state, shown)),
            "copy": lambda: Reply(_copy(state)),
        }
        work = known.get(str(question.get("type")))
        if work is None:
            return None
        reply = work()
    stamp = {"view": question.get("view"), "seq": question.get("seq")}
    return replace(reply, document={**reply.document, **stamp})


def _setup(state: GridState, shown: Shown, question: Mapping[str, Any]) -> Document:
    return {
        **_page(state, question),
        "type": "setup",
        "texts": texts(),
        "title": shown.title,
        "height": shown.height,
        "detail": shown.detail,
        "columns": [_column(column) for column in state.rows.columns.values()],
        "visible": list(state.visible),
        "widths": dict(state.widths),
    }


def _column(column: Column) -> Document:
    return {
        "name": column.name,
        "title": visible(column.title),
        "kind": column.kind,
        "status": bool(column.tones),
        "values": [visible(column.text(value)) for value in column.tones],
    }


def _page(state: GridState, question: Mapping[str, Any]) -> Document:
    start = max(0, int(question.get("start", 0)))
    stop = max(start, min(int(question.get("stop", 0)), start + _LARGEST_PAGE))
    positions = state.positions[start:stop]
    columns = [state.rows.columns[name] for name in state.visible]
    tones = [{column.text(value): tone for value, tone in column.tones.items()} for column in columns]
    rows = []
    for place, cells in zip(positions.tolist(), state.cells(positions), strict=True):
        row_id = state.rows.ids[place]
        rows.append([row_id, state.is_selected(row_id), [_cell(*one) for one in zip(cells, tones, strict=True)]])
    return {"type": "rows", "start": start, "rows": rows, "state": _state(state)}


def _cell(text: str, tones: Mapping[str, str]) -> str | list[str]:
    """Return what a cell shows: a text, or a text and its tone."""
    short = visible(clipped(text))
    return [short, tones.get(text, "neutral")] if tones and text else short


def _state(state: GridState) -> Document:
    counts = state.counts()
    return {
        **counts,
        "version": state.version,
        "layout": state.layout,
        "text": state_text(**counts),
        "search": state.view.search,
        "sort": [list(key) for key in state.view.sort],
        "filters": {name: chosen.to_json() for name, chosen in state.view.filters.items()},
    }


def _change_view(state: GridState, question: Mapping[str, Any]) -> Reply:
    problems: dict[str, str] = {}
    if question.get("clear"):
        state.set_view(replace(state.view, search="", filters={}))
    if "search" in question:
        state.set_view(replace(state.view, search=str(question["search"])))
    if "sort" in question:
        keys = [(str(name), bool(descending)) for name, descending in question["sort"]]
        state.set_view(replace(state.view, sort=tuple(key for key in keys if key[0] in state.rows.columns)))
    for column, document in question.get("filters", {}).items():
        try:
            chosen = None if document is None else Filter.from_json(document)
            state.set_view(state.filtered(column, chosen))
        except SettingsError as error:
            problems[column] = visible(str(error))
    return Reply({**_page(state, question), "problems": problems}, changed=True)


def _change_selection(state: GridState, question: Mapping[str, Any]) -> Reply:
    before = state.selected
    if question.get("clear"):
        state.clear_selection()
    if "shown" in question:
        state.select_shown(on=bool(question["shown"]))
    if span := question.get("span"):
        state.select_span(str(span["first"]), str(span["last"]), on=bool(span["on"]))
    # Rows may have gone since the browser drew them: what is left of the question still holds.
    for key, on in (("add", True), ("remove", False)):
        known = [str(one) for one in question.get(key, ()) if state.rows.position(str(one)) is not None]
        state.select(known, on=on)
    return Reply(_page(state, question), changed=True, selection=state.selected != before)


def _change_columns(state: GridState, shown: Shown, question: Mapping[str, Any]) -> Reply:
    widths = {str(name): min(int(width), _WIDEST_PX) for name, width in question.get("widths", {}).items()}
    state.show_columns([str(name) for name in question.get("visible", state.visible)], widths)
    return Reply(_setup(state, shown, question), changed=True)


def _choices(state: GridState, column: str) -> Document:
    state.column(column)
    chosen = state.view.filters.get(column)
    return {
        "type": "choices",
        "column": column,
        "choices": [[text, visible(clipped(text)), count] for text, count in state.rows.choices(column, state.view)],
        "chosen": list(chosen.values) if chosen is not None and chosen.kind == "choices" else None,
    }


def _detail(state: GridState, row_id: str) -> Reply:
    place = state.rows.position(row_id)
    if place is None:
        return Reply({"type": "detail", "id": row_id, "fields": []})
    columns = tuple(state.rows.columns.values())
    texts_ = state.rows.cells([column.name for column in columns], [place])[0]
    fields = []
    for column, text in zip(columns, texts_, strict=True):
        tones = {column.text(value): tone for value, tone in column.tones.items()}
        fields.append([visible(column.title), visible(text), tones.get(text, "neutral") if tones and text else ""])
    return Reply({"type": "detail", "id": row_id, "fields": fields}, opened=row_id)


def _export(state: GridState, shown: Shown) -> Document:
    name = re.sub(r"\W+", "-", shown.title).strip("-").lower() or "rows"
    return {"type": "export", "name": f"{name}.csv", "text": csv_text(state.texts(state.positions))}


def _copy(state: GridState) -> Document:
    chosen = state.chosen_positions()
    positions = chosen if len(chosen) else state.positions
    titles = [state.rows.columns[name].title for name in state.visible]
    lines = [titles, *state.cells(positions)]
    # A tab or a line break inside a cell would become another cell when pasted.
    text = "\r\n".join("\t".join(neutral(visible(cell)) for cell in line) for line in lines)
    return {"type": "copy", "text": text, "count": len(positions)}
