"""What has moved: production against its DR server, and an inventory against an earlier one.  Pure.

The service copies a server's settings to its DR server when the instance is made and never again: host name, name,
security groups, agency, ECS group, tags and auto recovery (batch-create page, constraints); the enterprise project
is not given to the DR server at all (same page).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sdrs_nb.asked import checked
from sdrs_nb.i18n import _, ngettext_
from sdrs_nb.inventory.inventory import Inventory
from sdrs_nb.planning.freezing import compare
from sdrs_nb.tables import INVENTORY_TABLES, STR, Table, empty, shape

__all__ = ["CHANGES", "DRIFT", "FACTS", "InventoryDiff", "diff_inventories", "drift_of"]

#: Facts that are compared, in the order shown: seven that stop following production, and the enterprise project.
FACTS = (
    "hostname",
    "name",
    "security_groups",
    "agency_name",
    "ecs_group_id",
    "tags",
    "auto_recovery",
    "enterprise_project_id",
)
_SETS = ("security_groups", "tags")

DRIFT = Table(
    "drift",
    "a setting that a server and its DR server do not share",
    {
        "server_id": STR,
        "name": STR,
        "dr_server_id": STR,
        "protected_instance_id": STR,
        "group_id": STR,
        "fact": STR,  # one of FACTS
        "production": STR,
        "dr": STR,
        "remedy": STR,
    },
    key=("server_id", "fact"),
)

CHANGES = Table(
    "changes",
    "a thing that appeared or went, or one fact of it that changed, between two inventories",
    {"change": STR, "frame": STR, "id": STR, "name": STR, "fact": STR, "before": STR, "after": STR},
)


def drift_of(pairs: pd.DataFrame, inventory: Inventory, auto_recovery: Mapping[str, bool]) -> pd.DataFrame:
    """Return one row a setting that differs between a server and its DR server (``DRIFT``).

    Parameters
    ----------
    pairs
        ``server_id, dr_server_id, protected_instance_id, group_id``: which server stands in for which.
    inventory
        With both servers of a pair; a pair with one of them missing is not compared.
    auto_recovery
        Whether a server restarts by itself on another host, by server id; a server left out is not compared on that.

    Notes
    -----
    An empty setting equals a missing one; lists (tags, security groups) are compared without regard to order; NA,
    empty and ``"0"`` all mean the default enterprise project.  Sorted by name, server and fact.
    """
    known = _settings(inventory.servers, auto_recovery)
    here = known.reindex(pairs["server_id"]).reset_index(drop=True)
    there = known.reindex(pairs["dr_server_id"]).reset_index(drop=True)
    base = pairs.reset_index(drop=True)
    comparable = here["known"].eq("yes") & there["known"].eq("yes")
    rows = [empty(DRIFT)]
    for fact in FACTS:
        differs = comparable & here[fact].ne(there[fact])
        if fact == "auto_recovery":
            differs &= here[fact].ne("") & there[fact].ne("")
        found = base[differs].assign(
            name=here.loc[differs, "name"],
            fact=fact,
            production=here.loc[differs, fact],
            dr=there.loc[differs, fact],
            remedy=remedy_of(fact),
        )
        rows.append(found)
    drift = shape(pd.concat([row for row in rows if len(row)] or rows[:1]), DRIFT)[list(DRIFT.columns)]
    order = pd.Series({fact: at for at, fact in enumerate(FACTS)})
    keyed = drift.assign(order=drift["fact"].map(order))
    return keyed.sort_values(["name", "server_id", "order"], ignore_index=True).drop(columns="order")


def remedy_of(fact: str) -> str:
    """Return what to do about a difference in ``fact``, in the current language."""
    remedies = {
        "hostname": _("Set the host name inside the DR server at its next start (drill or switchover)."),
        "name": _("Rename the DR server in ECS, unless the two names are meant to differ."),
        "security_groups": _("Change the security groups of the DR server's NICs in ECS."),
        "agency_name": _("Set the same agency on the DR server in ECS."),
        "ecs_group_id": _("Add the DR server to the ECS group, or to one of its own site."),
        "tags": _("Set the same tags on the DR server in ECS."),
        "auto_recovery": _("Switch auto recovery of the DR server to the same value in ECS."),
        "enterprise_project_id": _("Add the DR server to production's enterprise project; the service does not."),
    }
    return remedies[fact]


def _settings(servers: pd.DataFrame, auto_recovery: Mapping[str, bool]) -> pd.DataFrame:
    """Return the facts of every server as comparable text, by server id."""
    frame = servers.drop_duplicates("server_id").set_index("server_id")
    texts = {fact: frame[fact].fillna("") for fact in FACTS if fact in frame}
    for fact in _SETS:
        texts[fact] = texts[fact].map(lambda text: ",".join(sorted(filter(None, str(text).split(",")))))
    texts["enterprise_project_id"] = texts["enterprise_project_id"].replace("", "0")
    recovers = pd.Series({server: "yes" if on else "no" for server, on in auto_recovery.items()}, dtype="string")
    texts["auto_recovery"] = recovers.reindex(frame.index).fillna("")
    return pd.DataFrame({"known": "yes", **texts}, index=frame.index).astype("string")


@dataclass(frozen=True, repr=False)
class InventoryDiff:
    """What is different in a later inventory; made by ``diff_inventories``.

    ``changes`` is one frame (``CHANGES``); ``not_compared`` names the frames that one of the two inventories lacks.
    """

    changes: pd.DataFrame
    not_compared: tuple[str, ...]

    def _of(self, change: str) -> pd.DataFrame:
        return self.changes[self.changes["change"] == change].reset_index(drop=True)

    @property
    def appeared(self) -> pd.DataFrame:
        """One row a thing that is only in the later inventory."""
        return self._of("appeared")

    @property
    def went(self) -> pd.DataFrame:
        """One row a thing that is only in the earlier inventory."""
        return self._of("went")

    @property
    def changed(self) -> pd.DataFrame:
        """One row a fact with another value: ``fact, before, after``."""
        return self._of("changed")

    def __repr__(self) -> str:
        text = _(
            "{appeared} appeared, {went} went, {changed} changed",
            appeared=len(self.appeared),
            went=len(self.went),
            changed=ngettext_("{count} fact", "{count} facts", len(self.changed)),
        )
        if self.not_compared:
            text += "\n" + _("Not compared, missing on one side: {frames}.", frames=", ".join(self.not_compared))
        return text


@checked
def diff_inventories(before: Inventory, after: Inventory) -> InventoryDiff:
    """Return what appeared, went and changed from ``before`` to ``after``, over every frame that both hold.

    Returns
    -------
    InventoryDiff
        ``changes`` has a row per thing that appeared or went (``change, frame, id, name``) and a row per fact that
        changed (``fact, before, after`` as text).  A frame that could not be read whole on one side is named in
        ``not_compared``: what we could not see has neither appeared nor gone.  Neither network nor disk.
    """
    loaded = [name for name in INVENTORY_TABLES if before.is_loaded(name) and after.is_loaded(name)]
    either = [
        name
        for name in INVENTORY_TABLES
        if name not in loaded and any(each.is_loaded(name) or len(each.frame(name)) for each in (before, after))
    ]
    rows = [_compared(name, before.frame(name), after.frame(name)) for name in loaded]
    changes = pd.concat([row for row in rows if len(row)]) if any(len(row) for row in rows) else empty(CHANGES)
    return InventoryDiff(shape(changes, CHANGES), tuple(either))


def _compared(frame: str, before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    table = INVENTORY_TABLES[frame]
    found = compare(_keyed(before, table), _keyed(after, table), frame, "key")
    appears = found["fact"].eq("present")
    change = pd.Series("changed", index=found.index).mask(appears & found["after"].eq("yes"), "appeared")
    found["change"] = change.mask(appears & found["after"].eq("no"), "went")
    found.loc[appears, ["fact", "before", "after"]] = pd.NA
    return found.rename(columns={"kind": "frame"})[list(CHANGES.columns)]


def _keyed(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    parts: list[Any] = [frame[name].astype("string").fillna("") for name in table.key]
    key = parts[0]
    for part in parts[1:]:
        key = key + " " + part
    return frame.assign(key=key).drop_duplicates("key").drop(columns=[c for c in table.key if c != "name"])
