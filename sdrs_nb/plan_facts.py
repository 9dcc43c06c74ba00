"""Facts about the world that a plan rests on: planned servers, their volumes, their groups.

Only what the requests depend on is kept, so that the same servers read from the cloud or from a file, today or
tomorrow, give the same facts while nothing about them has changed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import pandas as pd

from sdrs_nb import freezing
from sdrs_nb.models import Batch
from sdrs_nb.naming import instance_names
from sdrs_nb.planning_inputs import Loaded, is_in
from sdrs_nb.tables import BOOL, INT, STR

__all__ = ["FACTS", "Facts", "placed", "read_facts"]

#: Columns and dtypes of the facts, by frame.
FACTS = MappingProxyType(
    {
        "servers": {"server_id": STR, "name": STR, "status": STR, "az": STR, "vpc_id": STR, "flavor_id": STR},
        # server_ids: the planned servers it is attached to, comma-joined.
        "volumes": {"volume_id": STR, "server_ids": STR, "size_gib": INT, "multiattach": BOOL},
        "groups": {"group_id": STR, "name": STR, "status": STR, "production_az": STR, "dr_az": STR, "vpc_id": STR},
    }
)


@dataclass(frozen=True, eq=False)
class Facts:
    """Frames in the columns of ``FACTS``, sorted by their id."""

    servers: pd.DataFrame
    volumes: pd.DataFrame
    groups: pd.DataFrame

    def compare(self, later: "Facts") -> pd.DataFrame:
        """Return what differs, one row a fact: ``kind, id, name, fact, before, after``."""
        return pd.concat(
            [
                freezing.compare(self.servers, later.servers, "server", "server_id"),
                freezing.compare(self.volumes, later.volumes, "volume", "volume_id"),
                freezing.compare(self.groups, later.groups, "group", "group_id"),
            ],
            ignore_index=True,
        )


def read_facts(inventory: Loaded, server_ids: Iterable[str], group_ids: Iterable[str]) -> Facts:
    """Return the facts about these servers and groups as ``inventory`` has them; unknown ids have no row."""
    wanted = set(server_ids)
    servers = inventory.servers
    attachments = inventory.attachments[["server_id", "volume_id"]].drop_duplicates()
    attached = attachments[is_in(attachments["server_id"], wanted)].sort_values(["volume_id", "server_id"])
    volumes = _owners(attached).merge(inventory.volumes, on="volume_id", how="left")
    groups = inventory.groups
    return Facts(
        _only(servers[is_in(servers["server_id"], wanted)], "servers"),
        _only(volumes, "volumes"),
        _only(groups[is_in(groups["group_id"], set(group_ids))], "groups"),
    )


def _owners(attached: pd.DataFrame) -> pd.DataFrame:
    """Return one row a volume with its servers; only the few shared ones are put together row by row."""
    shared = attached["volume_id"].duplicated(keep=False)
    alone = attached[~shared].rename(columns={"server_id": "server_ids"})
    if not shared.any():
        return alone
    together = attached[shared].groupby("volume_id")["server_id"].agg(",".join).rename("server_ids").reset_index()
    return pd.concat([alone, together])


def _only(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the columns of the facts, sorted by the first of them."""
    dtypes = FACTS[name]
    key = next(iter(dtypes))
    known = frame.drop_duplicates(key).sort_values(key, ignore_index=True).reindex(columns=list(dtypes))
    return known.astype(dict(dtypes))


def placed(batches: Sequence[Batch], facts: Facts) -> pd.DataFrame:
    """Return one row a planned server, in sending order, with its batch and the instance name to expect.

    Columns: ``server_id, name, group_id, batch_id, wave, position`` (from 1), ``instance_name, volumes`` (how many),
    ``size_gib`` (their sum; a shared volume counts for each of its servers), then the facts of the server.
    """
    rows = [
        (server_id, batch.group_id, batch.batch_id, batch.wave, position, name)
        for batch in batches
        for position, (server_id, name) in enumerate(zip(batch.server_ids, instance_names(batch), strict=True), start=1)
    ]
    columns = ["server_id", "group_id", "batch_id", "wave", "position", "instance_name"]
    frame = pd.DataFrame(rows, columns=columns).astype({"server_id": STR, "group_id": STR, "batch_id": STR})
    each = facts.volumes.assign(server_id=facts.volumes["server_ids"].str.split(",")).explode("server_id")
    sums = (
        each.astype({"server_id": STR})
        .groupby("server_id")
        .agg(volumes=("volume_id", "count"), size_gib=("size_gib", "sum"))
    )
    frame = frame.merge(sums, left_on="server_id", right_index=True, how="left").merge(
        facts.servers, on="server_id", how="left"
    )
    frame = frame.assign(volumes=frame["volumes"].fillna(0), size_gib=frame["size_gib"].fillna(0))
    order = ["server_id", "name", *columns[1:], "volumes", "size_gib", "status", "az", "vpc_id", "flavor_id"]
    whole = {"wave": INT, "position": INT, "volumes": INT, "size_gib": INT, "instance_name": STR}
    return frame[order].astype(whole)
