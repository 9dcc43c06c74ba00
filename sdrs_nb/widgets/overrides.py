"""What is otherwise for one protection group or for some servers: plain records, no ipywidgets.

One ``Override`` is one field for one group or for a set of servers.  A list of them never says two things about a
field of a server: setting it again takes the servers out of what was said before.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sdrs_nb.i18n import _, ngettext_
from sdrs_nb.shown.cells import clipped

__all__ = ["Override", "override_rows", "told_whom", "values_for", "with_override"]

_NAMED = 3  # servers that a line names before it counts
_NAME = 60  # characters of a name that a line shows


class Override(NamedTuple):
    """``field`` is ``value`` (``""``: left out) for a group, or for servers where ``server_ids`` names some."""

    field: str
    value: str
    group_id: str = ""
    server_ids: tuple[str, ...] = ()


def with_override(overrides: Iterable[Override], added: Override) -> tuple[Override, ...]:
    """Return ``overrides`` and ``added``, which takes the place of what was said of its field and its servers."""
    kept = []
    for one in overrides:
        if one.field != added.field or bool(one.group_id) != bool(added.group_id):
            kept.append(one)
        elif added.group_id:
            kept += [one] if one.group_id != added.group_id else []
        else:
            gone = set(added.server_ids)
            left = tuple(server for server in one.server_ids if server not in gone)
            kept += [one._replace(server_ids=left)] if left else []
    return (*kept, added)


def override_rows(overrides: Iterable[Override]) -> list[dict[str, Any]]:
    """Return the rows that ``plan_batches(overrides=)`` takes."""
    rows: list[dict[str, Any]] = []
    for one in overrides:
        if one.group_id:
            rows.append({"group_id": one.group_id, one.field: one.value})
        rows += [{"server_id": server_id, one.field: one.value} for server_id in one.server_ids]
    return rows


def values_for(overrides: Iterable[Override], added: Override) -> dict[str, str]:
    """Return the values that ``added`` stands beside, itself included: the field it sets may hang on another."""
    beside = {
        one.field: one.value
        for one in overrides
        if (one.group_id and one.group_id == added.group_id)
        or (one.server_ids and set(added.server_ids) <= set(one.server_ids))
    }
    return beside | {added.field: added.value}


def told_whom(override: Override, groups: Mapping[str, str], servers: Mapping[str, str]) -> str:
    """Return for whom an override is, in words: the group's name, or the servers' names, a few of many."""
    if override.group_id:
        return _("Group {name}", name=clipped(groups.get(override.group_id, override.group_id), _NAME))
    names = [clipped(servers.get(server_id) or server_id, _NAME) for server_id in override.server_ids]
    count = ngettext_("{count} server", "{count} servers", len(names))
    more = ", …" if len(names) > _NAMED else ""
    return f"{count}: {', '.join(names[:_NAMED])}{more}"
