"""Rules of the inventory itself (Q11, Q12): objects that it names and lacks, facts that somebody only declared."""

from collections.abc import Iterator

import pandas as pd

from sdrs_nb.eligibility.rules.request import Case, Request, request_rule

__all__: list[str] = []

#: Who names servers and volumes, where, and whose id that is.
_NAMED = (
    ("protected_instances", "source_server_id", "servers", "protected_instance_id"),
    ("protected_instances", "target_server_id", "servers", "protected_instance_id"),
    ("replication_pairs", "volume_ids", "volumes", "replication_pair_id"),
    ("attachments", "server_id", "servers", "volume_id"),
    ("attachments", "volume_id", "volumes", "server_id"),
    ("drill_servers", "server_id", "servers", "drill_id"),
    ("scaling_instances", "server_id", "servers", "scaling_group_id"),
)
_KEYS = {"servers": "server_id", "volumes": "volume_id"}


@request_rule("Q11")
def references_resolve(request: Request) -> Iterator[Case]:
    """Servers and volumes that instances, pairs, attachments, drills and scaling groups name are in the inventory."""
    facts = request.facts
    if facts is None:
        return
    for frame, column, owner, by in _NAMED:
        if not facts.loaded(frame, owner):
            continue
        known = pd.Index(facts.frames.column(owner, _KEYS[owner]))
        named = facts.frames.column(frame, column)
        each = named.dropna().str.split(",").explode() if column.endswith("s") else named.dropna()
        lost = each[~each.isin(known)]
        if len(lost):
            namers = facts.frames.column(frame, by).reindex(lost.index)
            yield Case(
                {
                    "frame": frame,
                    "owner": owner,
                    "count": int(lost.nunique()),
                    "named": sorted(set(lost)),
                    "by": sorted(set(namers.dropna())),
                }
            )


@request_rule("Q12")
def facts_read(request: Request) -> Iterator[Case]:
    """Every fact was read; one that was only declared is told with who declared it."""
    for one in request.facts.frames.declared if request.facts is not None else ():
        yield Case({"fact": one.fact, "value": one.value, "who": one.who or "-"})
