"""Which servers a plan takes, in units that travel whole, and why every other one is left out.

A server is taken when eligibility gives it the verdict eligible or warning and one protection group.  The servers
of a shared volume must all be in one request (batch-create page, 约束与限制, second item), so a cluster goes whole or
not at all.  New replication pairs must fit in the quota (rule G9, SDRS.0306): what does not is left out, whole units.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from sdrs_nb.i18n import _, ngettext_
from sdrs_nb.models import BatchOptions, Verdict
from sdrs_nb.tables import LEFT_OUT, shape

__all__ = ["Judged", "Loaded", "Rules", "Selection", "is_in", "most_frequent", "objects", "select"]

_TAKEN = (Verdict.ELIGIBLE, Verdict.WARNING)


class Rules(Protocol):
    """What planning needs of the rule book."""

    @property
    def version(self) -> str:
        """Name of exactly this content."""


class Loaded(Protocol):
    """What planning needs of the inventory: frames in the columns of ``tables``."""

    @property
    def servers(self) -> pd.DataFrame:
        """``tables.SERVERS``."""

    @property
    def volumes(self) -> pd.DataFrame:
        """``tables.VOLUMES``."""

    @property
    def attachments(self) -> pd.DataFrame:
        """``tables.ATTACHMENTS``."""

    @property
    def groups(self) -> pd.DataFrame:
        """``tables.GROUPS``."""

    @property
    def protected_instances(self) -> pd.DataFrame:
        """``tables.PROTECTED_INSTANCES``."""

    @property
    def replication_pairs(self) -> pd.DataFrame:
        """``tables.REPLICATION_PAIRS``."""

    @property
    def quotas(self) -> pd.DataFrame:
        """``tables.QUOTAS``."""


class Judged(Protocol):
    """What planning needs of an ``Eligibility``."""

    @property
    def verdicts(self) -> pd.DataFrame:
        """``tables.VERDICTS``."""

    @property
    def findings(self) -> pd.DataFrame:
        """``tables.FINDINGS``."""

    @property
    def request_findings(self) -> pd.DataFrame:
        """Findings about what all requests share: at least ``rule``, ``severity``, ``message``."""

    @property
    def candidates(self) -> pd.DataFrame:
        """``tables.CANDIDATES``."""

    @property
    def clusters(self) -> pd.DataFrame:
        """``server_id, cluster_id, volume_ids`` of every server that shares a volume with another."""

    @property
    def asked(self) -> Sequence[str]:
        """Ids of the servers asked for, in order."""

    @property
    def options(self) -> BatchOptions:
        """What requests share."""

    @property
    def inventory(self) -> Loaded:
        """The frames judged."""

    @property
    def rulebook(self) -> Rules:
        """The rules judged by."""


@dataclass(frozen=True)
class Selection:
    """Servers taken and servers left out.

    ``taken``: ``server_id, name, group_id, unit``, sorted by name and id; rows of one ``unit`` travel whole.
    ``left_out``: ``tables.LEFT_OUT``.  ``notes``: sentences about what could not be checked.
    """

    taken: pd.DataFrame
    left_out: pd.DataFrame
    notes: tuple[str, ...]


def is_in(column: "pd.Series[str]", ids: Collection[str]) -> npt.NDArray[np.bool_]:
    """Return for each value whether it is among ``ids``.

    pandas' own ``isin`` walks Arrow-backed strings one scalar at a time, which takes ten times as long.
    """
    wanted = frozenset(ids)
    return np.fromiter((value in wanted for value in objects(column)), dtype=np.bool_, count=len(column))


def objects(column: "pd.Series[str]") -> npt.NDArray[np.object_]:
    """Return the values of a column as an array of objects, which Python loops over quickly."""
    return column.to_numpy(dtype=object)


class _LeftOut:
    """Collects servers with the reason why they are left out."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[str, str]] = {}

    def add(self, server_ids: Iterable[str], reason: str, rules: str = "") -> None:
        for server_id in server_ids:
            self.rows.setdefault(server_id, (reason, rules))


def select(eligibility: Judged, batch_limit: int, priority: Mapping[str, float] | None = None) -> Selection:
    """Return the servers that can be planned and every other one that was asked for, with its reason.

    ``priority`` (server id -> number, lower first) says who goes first where the quota does not reach for all;
    servers without a number come last, by name and id.  Pure: no network, no disk; frames are not changed.
    """
    verdicts = eligibility.verdicts
    out = _LeftOut()
    taken = _takeable(verdicts, eligibility.clusters)
    taken = _whole_clusters(taken, eligibility.clusters, batch_limit, out)
    taken, notes = _within_quota(taken, eligibility.inventory, priority or {}, out)
    rest = verdicts.loc[
        ~is_in(verdicts["server_id"], objects(taken["server_id"])), ["server_id", "name", "group_id", "verdict"]
    ]
    _explain_verdicts(rest, eligibility, out)
    return Selection(
        taken, _left_out_frame(rest, eligibility.asked, set(objects(verdicts["server_id"])), out), tuple(notes)
    )


def _takeable(verdicts: pd.DataFrame, clusters: pd.DataFrame) -> pd.DataFrame:
    """Return servers with a good verdict and a group, sorted by name and id, with their unit."""
    good = verdicts["verdict"].isin(_TAKEN) & verdicts["group_id"].notna()
    taken = verdicts.loc[good, ["server_id", "name", "group_id"]].copy()
    taken["name"] = taken["name"].fillna("")
    taken = taken.sort_values(["name", "server_id"], ignore_index=True)
    cluster = taken["server_id"].map(clusters.drop_duplicates("server_id").set_index("server_id")["cluster_id"])
    return taken.assign(unit=("cluster " + cluster.astype("string")).fillna("server " + taken["server_id"]))


def _whole_clusters(taken: pd.DataFrame, clusters: pd.DataFrame, limit: int, out: _LeftOut) -> pd.DataFrame:
    """Drop clusters that cannot travel whole; eligibility blocks most of them before (rules H3-H6)."""
    members = clusters.groupby(clusters["cluster_id"].astype("string"))["server_id"].nunique()
    in_cluster = taken[taken["unit"].str.startswith("cluster ")]
    if in_cluster.empty:
        return taken
    for unit, rows in in_cluster.groupby("unit", sort=True):
        size = int(members[str(unit).removeprefix("cluster ")])
        reason, rules = _cluster_problem(rows, size, limit)
        if reason:
            out.add(rows["server_id"], reason, rules)
    return taken[~is_in(taken["server_id"], list(out.rows))]


def _cluster_problem(rows: pd.DataFrame, size: int, limit: int) -> tuple[str, str]:
    if size > limit:
        reason = _(
            "It shares volumes in a cluster of {size} servers, and a request holds {limit}: detach volumes to cut "
            "the cluster, or have the limit raised.",
            size=size,
            limit=limit,
        )
        return reason, "H6"
    if len(rows) < size:
        return (
            _(
                "It shares a volume with a server that is not planned: plan both together or detach the volume.",
            ),
            "H4",
        )
    if len(set(rows["group_id"])) > 1:
        return (
            _(
                "It shares a volume with a server of another protection group: one request has one group, so choose "
                "the same for both or detach the volume."
            ),
            "H4",
        )
    return "", ""


def _within_quota(
    taken: pd.DataFrame, inventory: Loaded, priority: Mapping[str, float], out: _LeftOut
) -> tuple[pd.DataFrame, list[str]]:
    """Drop units whose new replication pairs exceed what the quota leaves (rule G9)."""
    quotas = inventory.quotas
    row = quotas[quotas["resource_type"] == "replications"]
    if row.empty:
        return taken, [_("The quota of replication pairs was not loaded, so the plan was not held against it.")]
    quota, used = int(row["quota"].iloc[0]), int(row["used"].iloc[0])
    if quota < 0:  # -1: no limit (quota API, field quota)
        return taken, []
    needs = _new_pairs(taken, inventory)
    room = quota - used
    if int(needs.sum()) <= room:
        return taken, []
    refused = []
    for unit in _by_priority(taken, priority):
        need = int(needs.get(unit, 0))
        if need <= room:
            room -= need
        else:
            refused.append(unit)
    late = is_in(taken["unit"], refused)
    for server_id, unit in zip(taken.loc[late, "server_id"], taken.loc[late, "unit"], strict=True):
        out.add([server_id], _quota_reason(int(needs[unit]), quota, used), "G9")
    return taken[~late], []


def _quota_reason(need: int, quota: int, used: int) -> str:
    return ngettext_(
        "It needs {count} new replication pair, which the quota no longer allows ({used} of {quota} used before this "
        "plan): have the quota raised or give the server a higher priority.",
        "It needs {count} new replication pairs, which the quota no longer allows ({used} of {quota} used before this "
        "plan): have the quota raised or give the server a higher priority.",
        need,
        used=used,
        quota=quota,
    )


def _new_pairs(taken: pd.DataFrame, inventory: Loaded) -> "pd.Series[int]":
    """Return how many volumes of each unit are in no pair yet; a shared volume counts once (rule H16)."""
    paired = set(inventory.replication_pairs["volume_ids"].dropna().str.split(",").explode().str.strip())
    attached = inventory.attachments[["server_id", "volume_id"]].merge(taken[["server_id", "unit"]], on="server_id")
    fresh = attached[~is_in(attached["volume_id"], paired)]
    return fresh.groupby("unit")["volume_id"].nunique()


def _by_priority(taken: pd.DataFrame, priority: Mapping[str, float]) -> list[str]:
    """Return units by the best number among their servers, then by name and id."""
    rank = taken["server_id"].map(dict(priority)).astype("Float64")
    best = taken.assign(rank=rank).groupby("unit", sort=False)["rank"].min()
    return [str(unit) for unit in best.sort_values(kind="stable", na_position="last").index]


def _explain_verdicts(rest: pd.DataFrame, eligibility: Judged, out: _LeftOut) -> None:
    """Give every server that eligibility did not pass its reason."""
    open_rows = rest[~is_in(rest["server_id"], list(out.rows))]
    if open_rows.empty:
        return
    reasons = _blocking(eligibility.findings)
    for server_id, group_id, verdict in zip(
        objects(open_rows["server_id"]), open_rows["group_id"].isna(), objects(open_rows["verdict"]), strict=True
    ):
        if verdict in _TAKEN:
            out.add([server_id], _no_group_reason(server_id, eligibility.candidates) if group_id else "")
        else:
            rules, message = reasons.get(server_id, ((), ""))
            out.add([server_id], message or _verdict_reason(verdict), ", ".join(rules))


def _blocking(findings: pd.DataFrame) -> dict[str, tuple[tuple[str, ...], str]]:
    """Return for each server the rules that block it (or could not be decided) and the first one's message."""
    found: dict[str, tuple[tuple[str, ...], str]] = {}
    strong = findings[findings["severity"].isin(["blocker", "unverified"])]
    strong = strong.sort_values("severity", kind="stable")  # "blocker" before "unverified"
    for server_id, rule, severity, message in zip(
        *(objects(strong[name]) for name in ("server_id", "rule", "severity", "message")), strict=True
    ):
        rules, first = found.get(server_id, ((), message))
        if rule not in rules and (severity == "blocker" or not rules):
            found[server_id] = ((*rules, rule), first)
    return found


def _verdict_reason(verdict: str) -> str:
    return {
        Verdict.PROTECTED: _("It has a protected instance already."),
        Verdict.NOT_A_CANDIDATE: _("It is a DR server or a drill server, which is never protected itself."),
        Verdict.BLOCKED: _("A rule blocks it: see the findings of the eligibility check."),
        Verdict.UNKNOWN: _("Data for a rule that may block it is missing: load it and check again."),
    }.get(Verdict(verdict), "")


def _no_group_reason(server_id: str, candidates: pd.DataFrame) -> str:
    groups = sorted(candidates.loc[candidates["server_id"] == server_id, "group_id"].dropna())
    if not groups:
        return _("No protection group fits it: make one for its VPC and AZ, then check again.")
    return _(
        "Several protection groups fit it ({groups}): choose one with group_choice when checking eligibility.",
        groups=", ".join(groups),
    )


def _left_out_frame(rest: pd.DataFrame, asked: Sequence[str], known: set[str], out: _LeftOut) -> pd.DataFrame:
    missing = [server_id for server_id in dict.fromkeys(asked) if server_id not in known]
    out.add(missing, _("It is not in the inventory: check the id, the project and the region."), "S1")
    unseen = pd.DataFrame({"server_id": pd.Series(missing, dtype="string")})
    frame = pd.concat([shape(rest, LEFT_OUT), shape(unseen, LEFT_OUT)], ignore_index=True)
    said = [out.rows.get(server_id, ("", "")) for server_id in frame["server_id"]]
    frame = frame.assign(reason=[reason for reason, _rules in said], rules=[rules for _reason, rules in said])
    return shape(frame.sort_values(["name", "server_id"], ignore_index=True), LEFT_OUT)


def most_frequent(left_out: pd.DataFrame, count: int = 3) -> str:
    """Return the most frequent reasons of ``left_out`` in one line, with how many servers each has."""
    reasons = Counter(zip(left_out["rules"], left_out["reason"], strict=True)).most_common(count)
    return " ".join(f"({number}) {reason}" for (_rules, reason), number in reasons)
