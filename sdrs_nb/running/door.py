"""The re-check at the door: the facts of one batch read afresh and judged by the rules, right before it is sent.

A plan may be hours old, and the answer to a bad request names one code and no server.  So group, servers, volumes,
instances and pairs are read again and put before the same rules; only those that can change between planning and
sending, and block, hold a batch back.  What the plan rests on without anybody
having read it (declared facts) is read here as well, and a contradiction holds the batch back whatever the rule.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from sdrs_nb.eligibility.eligibility import check_eligibility
from sdrs_nb.errors import NotFoundError, PermissionDeniedError, UnknownCallError
from sdrs_nb.i18n import _, ngettext_
from sdrs_nb.inventory.documents import attachments, untold
from sdrs_nb.inventory.inventory import Inventory
from sdrs_nb.inventory.loading import FRAMES, LISTED
from sdrs_nb.models import Batch
from sdrs_nb.rulebook import Rulebook
from sdrs_nb.running.calls import deletion_hindrance
from sdrs_nb.running.endings import Owned, taken
from sdrs_nb.running.jobs import match_instances
from sdrs_nb.running.ownership import Instance, OwnershipEvidence
from sdrs_nb.running.walk import Walk
from sdrs_nb.statuses import GROUP_PASSING, Stage
from sdrs_nb.tables import INVENTORY_TABLES

__all__ = ["DOOR_RULES", "Door", "finding_rows", "likely_servers", "look_at_door"]

#: Rules whose facts change by themselves: group state, server state, existing protection, pairs, owners of volumes.
DOOR_RULES = frozenset([
    "G1", "G2", "G4", "S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S10", "S11", "S12", "S22",
    "D1", "D2", "D3", "D4", "D6", "D13", "H3", "H4", "H5", "H8", "H9", "H10", "H11", "H12",
])  # fmt: skip
#: Frames that are read for every batch anyway, and the one that is made of them.
_ALWAYS_READ = frozenset({"groups", "servers", "volumes", "attachments", "protected_instances", "replication_pairs"})
#: Contradicting rows that a sentence names.
_NAMED = 3
#: What the ledger keeps of a finding.
_KEPT = ["server_id", "group_id", "rule", "severity", "sdrs_code", "message", "remedy"]


@dataclass(frozen=True)
class Door:
    """What the re-check found.

    ``findings``: one row a finding (``tables.FINDINGS``, the columns kept with the run).  ``reason``: the sentence
    that holds the batch back, None where it may go.  ``is_passing``: the group is in a status that ends by itself.
    ``found``: the instances that hold servers of the batch already, by server.
    """

    findings: pd.DataFrame
    reason: str | None = None
    is_passing: bool = False
    found: Mapping[str, Owned] = field(default_factory=dict)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The findings as plain mappings, for the ledger."""
        return finding_rows(self.findings)

    def held_rows(self, batch: Batch) -> list[dict[str, Any]]:
        """Return what to record of each server of a batch that is held back: its own reason, else the batch's."""
        own = _blocking(self.findings).groupby("server_id")["message"].first().to_dict()
        return [
            self.taken_row(server)
            or {"server_id": server, "stage": Stage.NOT_SENT, "message": own.get(server) or self.reason or ""}
            for server in batch.server_ids
        ]

    def taken_row(self, server_id: str) -> dict[str, Any] | None:
        """Return what to record of a server that an instance of others holds, None where none does."""
        found = self.found.get(server_id)
        return None if found is None or found.ownership.is_ours else taken(server_id, found)


def finding_rows(findings: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows of ``tables.FINDINGS`` as plain mappings, in the columns that the ledger keeps."""
    plain = findings[_KEPT].astype(object)
    return plain.where(plain.notna(), None).to_dict("records")  # type: ignore[return-value]  # column names are texts


async def look_at_door(walk: Walk, batch: Batch, *, fresh: bool = False) -> Door:
    """Read the batch's facts again and judge them.

    Lists of the whole project may be as old as the run's settings say (``fresh_project_s``; the own group's
    instances ``fresh_s``); with ``fresh`` they are read now.

    Raises
    ------
    CloudError, CloudUnreachable
        Something could not be read; then nothing may be sent.
    """
    nothing = pd.DataFrame({name: pd.Series(dtype="string") for name in _KEPT})
    if batch.call.is_delete:
        listed = await walk.cloud.sdrs.protected_instances(batch.group_id)
        return Door(nothing, deletion_hindrance(batch, listed, walk.names))
    try:
        documents = await _read(walk, batch, fresh=fresh)
    except UnknownCallError:
        raise
    except NotFoundError:
        reason = _("Protection group {group} no longer exists. Plan again.", group=batch.group_id)
        return Door(nothing, reason)
    inventory = await asyncio.to_thread(_inventory, documents)
    findings = await asyncio.to_thread(_judge, inventory, batch, walk)
    status = str(documents["groups"][0].get("status"))
    evidence, held = (
        OwnershipEvidence.of(walk, batch_id=batch.batch_id),
        match_instances(documents["protected_instances"], batch.server_ids),
    )
    found = {server: Owned(one, evidence.whose(server, Instance.of(one))) for server, one in held.items()}
    why = _contradiction(inventory, batch, walk) or _reason(findings)
    return Door(findings, why, status in GROUP_PASSING, found)


async def _read(walk: Walk, batch: Batch, *, fresh: bool) -> dict[str, list[dict[str, Any]]]:
    now = walk.timing.clock()
    cloud, facts, pace = walk.cloud, walk.facts, walk.pace
    planned = walk.volumes_of(batch)
    group, servers, volumes, instances, pairs = await asyncio.gather(
        cloud.sdrs.group(batch.group_id),
        cloud.ecs.servers_by_id(batch.server_ids),
        cloud.evs.volumes_by_id(planned),
        _instances(walk, batch, now, fresh=fresh),
        facts.pairs(now if fresh else _ago(now, pace.fresh_project_s)),
    )
    attached = {
        str(entry.get("id")) for server in servers for entry in server.get("os-extended-volumes:volumes_attached") or ()
    }
    if new := sorted(attached - set(planned)):
        volumes = [*volumes, *await cloud.evs.volumes_by_id(new)]
    mine, on_them = set(batch.server_ids), {str(volume.get("id")) for volume in volumes}
    further = await _further(walk, servers, now if fresh else _ago(now, pace.fresh_project_s))
    return {
        **further,
        "groups": [group],
        "servers": servers,
        "volumes": volumes,
        # Of the project's lists only what concerns this batch is judged; the rest would only cost time.
        "protected_instances": [i for i in instances if {i.get("source_server"), i.get("target_server")} & mine],
        "replication_pairs": [p for p in pairs if set(str(p.get("volume_ids") or "").split(",")) & on_them],
    }


async def _further(walk: Walk, servers: list[dict[str, Any]], since: datetime) -> dict[str, list[dict[str, Any]]]:
    """Return the lists that a batch needs beside its own objects, by frame.

    These are drills, key pairs where a server may need one, and whatever the plan only had declared.  A list that these
    credentials may not read, or that the site does not have, stays unread: nothing can be held against it.
    """
    declared = {each.fact.partition(".")[0] for each in walk.plan.declared} - _ALWAYS_READ
    wanted = {"drill_servers", *declared}
    with_key = [server.get("metadata") for server in servers if server.get("key_name")]
    # What is not known to be Linux may be Windows, which needs its key pair.
    if any(not isinstance(metadata, dict) or metadata.get("os_type") != "Linux" for metadata in with_key):
        wanted.add("key_pairs")
    found: dict[str, list[dict[str, Any]]] = {}
    for frame in sorted(wanted & LISTED):
        with suppress(PermissionDeniedError, NotFoundError):
            found[frame] = await walk.facts.documents_of(frame, since)
    return found


async def _instances(walk: Walk, batch: Batch, now: datetime, *, fresh: bool) -> list[dict[str, Any]]:
    """Return the project's instances, those of the batch's own group read later than the others."""
    everywhere = await walk.facts.instances(now if fresh else _ago(now, walk.pace.fresh_project_s))
    own = await walk.facts.instances_of(batch.group_id, now if fresh else _ago(now, walk.pace.fresh_s))
    return [*everywhere, *own]


def _ago(now: datetime, seconds: float) -> datetime:
    return now - timedelta(seconds=seconds)


def _inventory(documents: Mapping[str, list[dict[str, Any]]]) -> Inventory:
    frames = {name: FRAMES[name](rows) for name, rows in documents.items()}
    frames["attachments"] = attachments(documents["servers"], documents["volumes"])
    assert frames.keys() <= INVENTORY_TABLES.keys()  # noqa: S101 - names of ours
    return Inventory(frames, unread={name: untold(name, rows) for name, rows in documents.items()})


def _contradiction(inventory: Inventory, batch: Batch, walk: Walk) -> str | None:
    """Return a sentence where something that was declared proves wrong for this batch, None where nothing does."""
    on_them = set(inventory.attachments["volume_id"])
    for one in walk.plan.declared:
        name, _dot, column = one.fact.partition(".")
        frame = inventory.frame(name)
        if "server_id" in frame:
            frame = frame[frame["server_id"].isin(batch.server_ids)]
        elif name == "volumes":
            frame = frame[frame["volume_id"].isin(on_them)]
        if column and column not in inventory.unread(name):
            found = frame[column].dropna()
            frame = frame.loc[found.index[found.astype(str).str.lower() != one.value.lower()]]
        elif column:
            frame = frame.iloc[:0]
        if len(frame):
            return _(
                "{fact} was declared by {who}: {value}. The cloud says otherwise: {found}. Load the inventory and plan "
                "again.",
                fact=one.fact,
                who=one.who or "-",
                value=one.value,
                found=_in_one_line(frame, column),
            )
    return None


def _in_one_line(frame: pd.DataFrame, column: str) -> str:
    """Return the first rows of a frame in one line: what they are, and their value in ``column``."""
    names = [name for name in ("name", frame.columns[0], column) if name in frame]
    rows = frame[list(dict.fromkeys(names))].head(_NAMED).astype("string").fillna("-")
    return "; ".join(" ".join(row) for row in rows.itertuples(index=False, name=None))


def _judge(inventory: Inventory, batch: Batch, walk: Walk) -> pd.DataFrame:
    eligibility = check_eligibility(
        inventory,
        options=walk.plan.options,
        group_id=batch.group_id,
        server_ids=batch.server_ids,
        rulebook=walk.plan.rulebook,
    )
    return eligibility.by_server(with_ids=True)[_KEPT]


def _blocking(findings: pd.DataFrame) -> pd.DataFrame:
    return findings[findings["severity"].eq("blocker") & findings["rule"].isin(DOOR_RULES)]


def _reason(findings: pd.DataFrame) -> str | None:
    found = _blocking(findings)
    if found.empty:
        return None
    # The cause before its consequences: a companion's trouble (H4) says less than the trouble itself.
    first = found.sort_values("rule", key=lambda rules: rules.str.startswith("H"), kind="stable").iloc[0]
    said = _(
        "Facts changed since the plan was made. {message} {remedy}", message=first["message"], remedy=first["remedy"]
    )
    others = found["server_id"].nunique() - 1
    if others > 0 and not found["rule"].str.startswith("G").any():
        said += " " + ngettext_("{count} more server is concerned.", "{count} more servers are concerned.", others)
    return said


def likely_servers(findings: pd.DataFrame, book: Rulebook, code: str) -> pd.DataFrame:
    """Return the findings of rules that carry ``code``: the servers a refusal with that code is likely about."""
    carrying = {rule_id for rule_id, rule in book.rules.items() if code in rule.all_codes}
    hit = findings["sdrs_code"].eq(code) | findings["rule"].isin(carrying)
    return findings[hit & ~findings["severity"].isin(["notice"])]
