"""Every text the grid shows, in the current language; the browser holds none of its own."""

from sdrs_nb.i18n import _, ngettext_

__all__ = ["state_text", "texts"]


def texts() -> dict[str, str]:
    """Return the texts of buttons, hints and empty states by the key that ``grid.js`` asks for."""
    return {
        "search": _("Search all columns"),
        "columns": _("Columns"),
        "columns_title": _("Choose the columns that are shown"),
        "all_columns": _("Show all"),
        "clear_filters": _("Clear filters"),
        "clear_selection": _("Clear selection"),
        "copy": _("Copy"),
        "copy_title": _("Copy the selected rows, or all shown rows when none is selected, for a spreadsheet"),
        "export": _("Export CSV"),
        "export_title": _("Save the shown rows and columns as a CSV file"),
        "copied_rows": _("Rows copied."),
        "copied_cell": _("Cell copied."),
        "copy_refused": _("The browser did not allow copying. Use Export CSV."),
        "select_all": _("Select all shown rows"),
        "select_row": _("Select row"),
        "selected": _("Selected"),
        "no_rows": _("Nothing to show yet."),
        "no_match": _("No row fits the search and the filters."),
        "waiting": _("Waiting for the kernel: it is busy, or was restarted. After a restart run the cell again."),
        "contains": _("contains"),
        "regex": _("Regular expression"),
        "any": _("any"),
        "empty": _("(empty)"),
        "filter_of": _("Filter {title}"),
        "range_number_title": _("A number or a range: 8, >= 8, < 16, 8..32"),
        "range_time_title": _("A day, month or year, or a range (UTC): 2025-03, >= 2025-03-01, 2025-03..2025-06"),
        "range_number": _("8..32"),
        "range_time": _("2025-03"),
        "choose_all": _("All"),
        "choose_none": _("None"),
        "close": _("Close"),
        "detail": _("All values of this row"),
        "resize": _("Drag to resize"),
        "keys": _("Space selects, Shift+arrows extend, Ctrl+A selects all shown, Enter opens a row or sorts a title."),
    }


def state_text(*, total: int, shown: int, selected: int, hidden: int) -> str:
    """Return the sentence below the grid: how many rows there are, are shown, are selected, and selected unseen."""
    parts = [
        ngettext_("{number} row", "{number} rows", total, number=f"{total:,}")
        if shown == total
        else _("{shown} of {total} rows shown", shown=f"{shown:,}", total=f"{total:,}")
    ]
    if selected:
        parts.append(ngettext_("{number} selected", "{number} selected", selected, number=f"{selected:,}"))
    if hidden:
        parts.append(
            ngettext_(
                "{number} of them hidden by the filters",
                "{number} of them hidden by the filters",
                hidden,
                number=f"{hidden:,}",
            )
        )
    return _(", ").join(parts)
