"""Paging as each service documents it, and small readers of query values."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from .errors import Refusal
from .routing import CloudCall

T = TypeVar("T")


def whole_number(text: str | None, default: int, refusal: Refusal, low: int = 0, high: int | None = None) -> int:
    """Read an integer query value.

    Raises
    ------
    Refusal
        The `refusal` given: not an integer, or outside `low`..`high`.
    """
    if text is None:
        return default
    try:
        value = int(text)
    except ValueError:
        raise refusal from None
    if value < low or (high is not None and value > high):
        raise refusal
    return value


def row_page(call: CloudCall, rows: Iterable[T]) -> tuple[list[T], int]:
    """Give one SDRS page and the number of all matching rows.

    SDRS: ``limit`` 1..1000 (default 1000; code 0221 otherwise), ``offset`` is a row index >= 0 (0222).
    """
    limit = whole_number(call.one("limit"), 1000, Refusal("SDRS.0221"), 1, 1000)
    offset = whole_number(call.one("offset"), 0, Refusal("SDRS.0222"), 0)
    everything = list(rows)
    return everything[offset : offset + limit], len(everything)


def only_abnormal(call: CloudCall) -> bool:
    """Whether a list of SDRS is asked for abnormal rows alone; an unknown ``query_type`` is refused (0201)."""
    query_type = call.one("query_type")
    if query_type not in {None, "", "general", "status_abnormal"}:
        raise Refusal("SDRS.0201")
    return query_type == "status_abnormal"


def marker_page(  # noqa: PLR0917 - what differs between the services
    call: CloudCall, rows: Sequence[T], key: str, default: int, high: int, refusal: Refusal
) -> list[T]:
    """Give one page of a service that pages by ``marker`` (the last row's `key`) and ``limit``.

    An unknown marker is refused, as a cursor into nothing.
    """
    limit = whole_number(call.one("limit"), default, refusal, 0, high)
    marker = call.one("marker")
    start = 0
    if marker:
        positions = [index for index, row in enumerate(rows) if getattr(row, key) == marker]
        if not positions:
            raise refusal
        start = positions[0] + 1
    return list(rows[start : start + limit])
