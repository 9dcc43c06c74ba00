"""Expressions over the columns and tags of servers, in the Common Expression Language (https://cel.dev).

A language made for rules that strangers may write: no assignment, no loop that does not end, no attribute of Python's,
and regular expressions whose time grows with the text alone.  The library ``cel`` compiles and evaluates it; nothing
but the values of one row is handed to it.

===========================  =======================================================================
``az == 'cn-north-4a'``      a column equals; ``!=``, ``<``, ``<=``, ``>``, ``>=`` as well
``name in ['db-1', 'db-2']`` one of several
``name.startsWith('erp-')``  also ``endsWith``, ``contains``, and ``matches`` with a regular expression
``tags.env == 'prod'``       value of a tag; ``tags['cost-centre']`` where the key is no plain word
``'backup' in tags``         whether a tag is there
``key_name == null``         nothing stands in the column
``created_at > timestamp('2026-01-01T00:00:00Z')``  a time
``a && b``, ``a || b``, ``!a``, ``( )``  and, or, not
===========================  =======================================================================

A server that lacks a tag which is compared is not selected, nor is one for which the expression cannot be decided since
a value that it compares is missing.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from sdrs_nb.errors import InventoryError
from sdrs_nb.i18n import _
from sdrs_nb.inventory.headings import likely

if TYPE_CHECKING:
    import cel

__all__ = ["is_expression", "satisfied"]

#: Operators of arithmetic: a text of names and these alone is a name with hyphens, such as ``web-01``.
_ARITHMETIC = frozenset({"_-_", "-_", "_+_", "_*_", "_/_", "_%_"})
#: What no list of servers holds, so that a text with it is an expression, if a wrong one.
_SIGNS = ("==", "!=", "&&", "||")
#: What the library raises for a row whose value is missing or of another kind.
_UNDECIDED = (TypeError, ValueError, ArithmeticError, IndexError)


def is_expression(text: str, columns: frozenset[str]) -> bool:
    """Tell whether ``text`` is meant as an expression over ``columns`` and not as a list of servers."""
    if "\n" in text.strip():
        return False
    if any(sign in text for sign in _SIGNS):
        return True
    try:
        references = _compiled(text).references()
    except InventoryError:
        return False
    names, calls = frozenset(references["variables"]), frozenset(references["functions"])
    return bool(names) and names <= columns and bool(calls - _ARITHMETIC)


def satisfied(servers: pd.DataFrame, expression: str) -> tuple[list[bool], int]:
    """Return for each row whether the expression holds, and for how many rows it cannot be decided.

    Parameters
    ----------
    servers
        ``tables.SERVERS``, with any further columns.  In the expression ``tags`` is a map from key to value; a bare
        key has the value ``''``.

    Raises
    ------
    InventoryError
        It is no expression, names a column that there is not, or gives something else than true or false.
    """
    program = _compiled(expression)
    names = program.variables()
    for name in names:
        if name not in servers:
            close = likely(name, map(str, servers.columns))
            raise InventoryError(
                _(
                    "The expression {expression} names {name}, which is no column of servers. Use {columns}.",
                    expression=repr(expression),
                    name=name,
                    columns=close or ", ".join(map(str, servers.columns)),
                )
            )
    answers = [_answer(program, row) for row in _rows(servers, names)]
    if (strange := next((each for each in answers if not isinstance(each, bool | None)), None)) is not None:
        raise InventoryError(
            _(
                "The expression {expression} gives {value}, neither true nor false. Compare it with something.",
                expression=repr(expression),
                value=repr(strange),
            )
        )
    return [answer is True for answer in answers], answers.count(None)


def _compiled(expression: str) -> "cel.Program":
    import cel

    try:
        return cel.compile(expression)
    except ValueError as error:
        # The library's message goes on with a drawing of the place.
        reason = str(error).partition("Syntax error: ")[2].partition("\n")[0].partition(" expecting ")[0]
        raise InventoryError(
            _(
                "{expression} is no expression: {reason}. Write it like az == 'cn-north-4a' && tags.env == 'prod'.",
                expression=repr(expression),
                reason=reason or error,
            )
        ) from None


def _answer(program: "cel.Program", row: Mapping[str, Any]) -> Any:
    try:
        return program.execute(dict(row))
    except KeyError:  # a tag that this server does not have
        return False
    except _UNDECIDED:
        return None
    except RuntimeError as error:  # a function that the language does not have
        raise InventoryError(
            _(
                "The expression {expression} cannot be used: {reason}",
                expression=repr(program.source),
                reason=str(error).partition("\n")[0],
            )
        ) from None


def _rows(servers: pd.DataFrame, names: list[str]) -> Iterator[dict[str, Any]]:
    """Return what the expression looks at, a row each; a missing value is None."""
    columns = {name: servers[name].astype(object).where(servers[name].notna(), None).tolist() for name in names}
    if "tags" in columns:
        columns["tags"] = [_tags(text) for text in columns["tags"]]
    for at in range(len(servers)):
        yield {name: values[at] for name, values in columns.items()}


def _tags(text: str | None) -> dict[str, str]:
    pairs = (pair.strip().partition("=") for pair in (text or "").split(","))
    return {key: value for key, _equals, value in pairs if key}
