"""Facts about the world that a plan rests on: planned servers, their volumes, their groups.

Only what the requests depend on is kept, so that the same servers read from the cloud or from a file, today or
tomorrow, give the same facts while nothing about them has changed.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import pandas as pd

from sdrs_nb.inventory.inventory import Inventory
from sdrs_nb.models import Batch
from sdrs_nb.planning import freezing
from sdrs_nb.planning.columns import is_in, objects
from sdrs_nb.tables import BOOL, INT, STR

__all__ = ["FACTS", "PlanFacts", "planned_servers", "read_facts"]

#: Columns and dtypes of the facts, by frame.
FACTS = MappingProxyType(
    {
        "servers": {"server_id": STR, "name": STR, "status": STR, "az": STR, "vpc_id": STR, "flavor_id": STR},
        # server_ids: the planned servers it is attached to, comma-joined.
        "volumes": {"volume_id": STR, "server_ids": STR, "size_gib": INT, "multiattach": BOOL},
        "groups": {"group_id": STR, "name": STR, "status": STR, "production_az": STR, "dr_az": STR, "vpc_id": STR},
        # Only of a plan that deletes: what it deletes, and what hangs on that.
        "instances": {
            "protected_instance_id": STR,
            "name": STR,
            "status": STR,
            "group_id": STR,
            "server_id": STR,
            "dr_server_id": STR,
        },
        # dr_volume_id: the one of the pair that is on no production server here; protected_instance_ids comma-joined.
        "pairs": {"replication_pair_id": STR, "protected_instance_ids": STR, "dr_volume_id": STR, "size_gib": INT},
    }
)


@dataclass(frozen=True, eq=False)
class PlanFacts:
    """Frames in the columns of ``FACTS``, sorted by their id."""

    servers: pd.DataFrame
    volumes: pd.DataFrame
    groups: pd.DataFrame
    instances: pd.DataFrame
    pairs: pd.DataFrame

    def compare(self, later: "PlanFacts") -> pd.DataFrame:
        """Return what differs, one row a fact: ``kind, id, name, fact, before, after``."""
        return pd.concat(
            [
                freezing.compare(self.servers, later.servers, "server", "server_id"),
                freezing.compare(self.volumes, later.volumes, "volume", "volume_id"),
                freezing.compare(self.groups, later.groups, "group", "group_id"),
                freezing.compare(self.instances, later.instances, "instance", "protected_instance_id"),
                freezing.compare(self.pairs, later.pairs, "pair", "replication_pair_id"),
            ],
            ignore_index=True,
        )


def read_facts(
    inventory: Inventory, server_ids: Iterable[str], group_ids: Iterable[str], instance_ids: Iterable[str] = ()
) -> PlanFacts:
    """Return the facts about these servers, groups and instances as ``inventory`` has them; unknown ids have no row."""
    wanted = set(server_ids)
    servers = _narrow(inventory.servers, "servers")
    attachments = inventory.attachments[["server_id", "volume_id"]]
    attached = attachments[is_in(attachments["server_id"], wanted)]
    volumes = _owners(attached).merge(_narrow(inventory.volumes, "volumes"), on="volume_id", how="left")
    groups = _narrow(inventory.groups, "groups")
    return PlanFacts(
        _only(servers[is_in(servers["server_id"], wanted)], "servers"),
        _only(volumes, "volumes"),
        _only(groups[is_in(groups["group_id"], set(group_ids))], "groups"),
        *_deleted(inventory, set(instance_ids)),
    )


def _deleted(inventory: Inventory, instance_ids: set[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the facts about instances to delete and about the pairs that hang on them."""
    nothing = {name: pd.Series(dtype=dtype) for name, dtype in FACTS["pairs"].items()}
    if not instance_ids:
        return _only(pd.DataFrame(columns=list(FACTS["instances"])), "instances"), pd.DataFrame(nothing)
    instances = inventory.protected_instances
    named = {"source_server_id": "server_id", "target_server_id": "dr_server_id"}
    mine = instances[is_in(instances["protected_instance_id"], instance_ids)].rename(columns=named)
    pairs = inventory.replication_pairs
    hangs = [not instance_ids.isdisjoint(ids.split(",")) for ids in pairs["protected_instance_ids"].fillna("")]
    pairs = pairs[hangs]
    attached = inventory.attachments
    production = {*attached.loc[is_in(attached["server_id"], {*instances["source_server_id"].dropna()}), "volume_id"]}
    dr = [
        next((each for each in ids.split(",") if each and each not in production), None)
        for ids in pairs["volume_ids"].fillna("")
    ]
    sizes = inventory.volumes.drop_duplicates("volume_id").set_index("volume_id")["size_gib"]
    # A DR volume has its production volume's size (SDRS user guide): where one is not in the inventory, the other is.
    other = [next((each for each in ids.split(",") if each in sizes.index), None) for ids in pairs["volume_ids"]]
    found = pairs.assign(
        dr_volume_id=pd.Series(dr, dtype=STR, index=pairs.index),
        size_gib=pd.Series(other, dtype=STR, index=pairs.index).map(sizes),
    )
    return _only(mine, "instances"), _only(found, "pairs")


def _owners(attached: pd.DataFrame) -> pd.DataFrame:
    """Return one row a volume with its servers; only the few shared ones are put together row by row."""
    counts = Counter(objects(attached["volume_id"]))
    shared = is_in(attached["volume_id"], {volume_id for volume_id, count in counts.items() if count > 1})
    alone = attached[~shared].rename(columns={"server_id": "server_ids"})
    if not shared.any():
        return alone
    several = attached[shared].drop_duplicates().sort_values(["volume_id", "server_id"])
    together = several.groupby("volume_id")["server_id"].agg(",".join).rename("server_ids").reset_index()
    return pd.concat([alone, together])


def _narrow(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the columns of the facts alone: choosing rows of thirty columns would cost more than all the rest."""
    return frame[[column for column in FACTS[name] if column in frame]]


def _only(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the columns of the facts, sorted by the first of them."""
    dtypes = FACTS[name]
    key = next(iter(dtypes))
    ids = objects(frame[key])
    if len({*ids}) < len(ids):
        frame = frame.drop_duplicates(key)
        ids = objects(frame[key])
    # Python sorts ids that are nearly in order much faster than pandas sorts them through categories.
    order = sorted(range(len(ids)), key=ids.__getitem__)
    known = frame.iloc[order].reset_index(drop=True).reindex(columns=list(dtypes))
    return known.astype(dict(dtypes))


def planned_servers(batches: Sequence[Batch], facts: PlanFacts) -> pd.DataFrame:
    """Return one row a planned server, in sending order, with its batch and the instance name to expect.

    Columns: ``server_id, name, group_id, batch_id, wave, position`` (from 1), ``instance_name, volumes`` (how many),
    ``size_gib`` (their sum; a shared volume counts for each of its servers), then the facts of the server.
    """
    called = dict(zip(facts.instances["protected_instance_id"], facts.instances["name"], strict=True))

    def names(batch: Batch) -> Sequence[str]:
        if batch.call.is_delete:
            return [called.get(each, "") for each in batch.instance_ids]
        return batch.instance_names

    rows = [
        (server_id, batch.group_id, batch.batch_id, batch.wave, position, name)
        for batch in batches
        for position, (server_id, name) in enumerate(zip(batch.server_ids, names(batch), strict=True), start=1)
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
