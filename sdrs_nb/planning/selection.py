"""Which servers a plan takes, in units that travel whole, and why every other one is left out.

A server is taken when eligibility gives it the verdict eligible or warning and one protection group.  The servers
of a shared volume must all be in one request (batch-create page, 约束与限制, second item), so a cluster goes whole or
not at all.  New replication pairs must fit in the quota (rule G9, SDRS.0306): what does not is left out, whole units.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sdrs_nb.eligibility.eligibility import Eligibility
from sdrs_nb.i18n import _, ngettext_
from sdrs_nb.inventory.inventory import Inventory
from sdrs_nb.models import Verdict
from sdrs_nb.planning.columns import is_in, new_pairs, objects, quota_of
from sdrs_nb.planning.left_out import LeftOut, Reason, by_verdict, label
from sdrs_nb.tables import LEFT_OUT, shape

__all__ = ["Selection", "select"]

_TAKEN = (Verdict.ELIGIBLE, Verdict.WARNING)


@dataclass(frozen=True)
class Selection:
    """Servers taken and servers left out.

    ``taken``: ``server_id, name, group_id, unit``, sorted by name and id; rows of one ``unit`` travel whole.
    ``notes``: sentences about what could not be checked.
    """

    taken: pd.DataFrame
    left_out: LeftOut
    notes: tuple[str, ...]


def select(
    eligibility: Eligibility,
    batch_limit: int,
    priority: Mapping[str, float] | None = None,
    *,
    alone: bool = False,
    include_unknown: bool = False,
) -> Selection:
    """Return the servers that can be planned and every other one that was asked for, with its reason.

    ``priority`` (server id -> number, lower first) says who goes first where the quota does not reach for all;
    servers without a number come last, by name and id.  ``alone``: instances are created one by one, which the service
    refuses to servers with shared volumes. Servers of
    unknown verdict are taken with ``include_unknown``.  Pure: no network, no disk; frames are not changed.
    """
    verdicts, clusters = eligibility.verdicts, eligibility.clusters
    reasons: dict[str, Reason] = {}
    taken = _takeable(verdicts, clusters, (*_TAKEN, Verdict.UNKNOWN) if include_unknown else _TAKEN)
    if alone:
        taken = _without_shared(taken, clusters, eligibility.inventory, reasons)
    taken = _whole_clusters(taken, clusters, batch_limit, reasons)
    taken, notes = _within_quota(taken, eligibility.inventory, priority or {}, reasons)
    rest = verdicts.loc[
        ~is_in(verdicts["server_id"], objects(taken["server_id"])), ["server_id", "name", "group_id", "verdict"]
    ]
    return Selection(taken, _left_out(rest, verdicts, eligibility, reasons), tuple(notes))


def _left_out(
    rest: pd.DataFrame, verdicts: pd.DataFrame, eligibility: Eligibility, reasons: Mapping[str, Reason]
) -> LeftOut:
    """Return servers that are not taken, and ids asked for that nobody knows."""
    known = set(objects(verdicts["server_id"]))
    missing = [server_id for server_id in dict.fromkeys(eligibility.asked) if server_id not in known]
    unseen = pd.DataFrame({"server_id": pd.Series(missing, dtype="string")})
    servers = pd.concat([shape(rest, LEFT_OUT), shape(unseen, LEFT_OUT)], ignore_index=True)
    servers = servers.sort_values(["name", "server_id"], ignore_index=True)[list(rest.columns)]
    unexplained = rest[~is_in(rest["server_id"], list(reasons))]

    def explained() -> Mapping[str, Reason]:
        unknown = {
            server_id: (
                _(
                    "Server {server} is not in the inventory. Check its id, the project and the region.",
                    server=server_id,
                ),
                "S1",
            )
            for server_id in missing
        }
        return {**by_verdict(unexplained, eligibility), **unknown, **reasons}

    return LeftOut(servers, explained)


def _takeable(verdicts: pd.DataFrame, clusters: pd.DataFrame, wanted: Collection[Verdict]) -> pd.DataFrame:
    """Return servers with a wanted verdict and a group, sorted by name and id, with their unit."""
    good = verdicts["verdict"].isin(wanted) & verdicts["group_id"].notna()
    taken = verdicts.loc[good, ["server_id", "name", "group_id"]].copy()
    taken["name"] = taken["name"].fillna("")
    taken = taken.sort_values(["name", "server_id"], ignore_index=True)
    cluster = taken["server_id"].map(clusters.drop_duplicates("server_id").set_index("server_id")["cluster_id"])
    return taken.assign(unit=("cluster " + cluster.astype("string")).fillna("server " + taken["server_id"]))


def _without_shared(
    taken: pd.DataFrame, clusters: pd.DataFrame, inventory: Inventory, reasons: dict[str, Reason]
) -> pd.DataFrame:
    """Drop servers with a volume that is shared or can be (single-create page; rule H2: even with one owner)."""
    volumes = inventory.volumes
    shareable = objects(volumes.loc[volumes["multiattach"].fillna(value=False), "volume_id"])
    attached = inventory.attachments
    owners = {*objects(attached.loc[is_in(attached["volume_id"], shareable), "server_id"])}
    refused = is_in(taken["server_id"], owners | {*objects(clusters["server_id"])})
    for server_id, who, _unit in _labelled(taken[refused]):
        reasons[server_id] = (
            _(
                "Server {server} has a shared volume, and this site creates instances one by one, which refuses shared "
                "volumes. Detach the volume, protect the server, then make a replication pair of the volume and attach "
                "it to the instance.",
                server=who,
            ),
            "H15",
        )
    return taken[~refused]


def _whole_clusters(
    taken: pd.DataFrame, clusters: pd.DataFrame, limit: int, reasons: dict[str, Reason]
) -> pd.DataFrame:
    """Drop clusters that cannot travel whole; eligibility blocks most of them before (rules H3-H6)."""
    in_cluster = taken[taken["unit"].str.startswith("cluster ")]
    if in_cluster.empty:
        return taken
    sizes = clusters.groupby("cluster " + clusters["cluster_id"].astype("string"))["server_id"].nunique()
    found = in_cluster.groupby("unit").agg(present=("server_id", "size"), groups=("group_id", "nunique"))
    found = found.assign(size=sizes.reindex(found.index))
    bad = found[(found["size"] > limit) | (found["present"] < found["size"]) | (found["groups"] > 1)]
    for server_id, who, unit in _labelled(in_cluster):
        if unit in bad.index:
            size, is_whole = int(bad.loc[unit, "size"]), bool(bad.loc[unit, "present"] == bad.loc[unit, "size"])
            reasons[server_id] = _cluster_reason(who, size, limit, is_whole=is_whole)
    return taken[~is_in(taken["server_id"], reasons)]


def _cluster_reason(who: str, size: int, limit: int, *, is_whole: bool) -> Reason:
    if size > limit:
        reason = _(
            "Server {server} shares volumes in a cluster of {size} servers, and a request holds {limit}. Detach "
            "volumes to cut the cluster, or have the limit raised.",
            server=who,
            size=size,
            limit=limit,
        )
        return reason, "H6"
    if not is_whole:
        reason = _(
            "Server {server} shares a volume with a server that is not planned. Plan both together or detach the "
            "volume.",
            server=who,
        )
        return reason, "H4"
    reason = _(
        "Server {server} shares a volume with a server of another protection group, and a request has one group. "
        "Choose the same for both or detach the volume.",
        server=who,
    )
    return reason, "H4"


def _within_quota(
    taken: pd.DataFrame, inventory: Inventory, priority: Mapping[str, float], reasons: dict[str, Reason]
) -> tuple[pd.DataFrame, list[str]]:
    """Drop units whose new replication pairs exceed what the quota leaves (rule G9)."""
    found = quota_of(inventory.quotas, "replications")
    if found is None:
        return taken, [_("The quota of replication pairs was not loaded, so the plan was not held against it.")]
    quota, used = found
    attached = inventory.attachments[["server_id", "volume_id"]].merge(taken[["server_id", "unit"]], on="server_id")
    # A shared volume counts once.
    needs = attached[new_pairs(attached["volume_id"], inventory)].groupby("unit")["volume_id"].nunique()
    room = quota - used
    if quota < 0 or int(needs.sum()) <= room:  # -1: no limit (quota API, field quota)
        return taken, []
    rank = taken["server_id"].map(dict(priority)).astype("Float64")
    # A unit goes by the best number among its servers, then by name and id.
    best = taken.assign(rank=rank).groupby("unit", sort=False)["rank"].min()
    refused = []
    for unit in best.sort_values(kind="stable", na_position="last").index:
        need = int(needs.get(unit, 0))
        refused += [unit] if need > room else []
        room -= need if need <= room else 0
    late = is_in(taken["unit"], refused)
    for server_id, who, unit in _labelled(taken[late]):
        reasons[server_id] = (_quota_reason(who, int(needs[unit]), quota, used), "G9")
    return taken[~late], []


def _labelled(taken: pd.DataFrame) -> Iterator[tuple[str, str, Any]]:
    """Return the id of every server, what sentences call it, and its unit."""
    for server_id, name, unit in zip(*(objects(taken[each]) for each in ("server_id", "name", "unit")), strict=True):
        yield server_id, label(server_id, name), unit


def _quota_reason(who: str, need: int, quota: int, used: int) -> str:
    return ngettext_(
        "Protecting server {server} needs {count} new replication pair, which the quota no longer allows ({used} of "
        "{quota} used before this plan). Have the quota raised or give the server a higher priority.",
        "Protecting server {server} needs {count} new replication pairs, which the quota no longer allows ({used} of "
        "{quota} used before this plan). Have the quota raised or give the server a higher priority.",
        need,
        server=who,
        used=used,
        quota=quota,
    )
