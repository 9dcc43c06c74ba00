"""The re-check at the door: the facts of one batch read afresh and judged by the rules, right before it is sent.

A plan may be hours old, and the answer to a bad request names one code and no server (eligibility-facts.md, section
7, point 4).  So group, servers, volumes, instances and pairs are read again and put before the same rules; only those
that can change between planning and sending, and block, hold a batch back.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from sdrs_nb.eligibility import check_eligibility
from sdrs_nb.errors import NotFoundError, PlanError, SettingsError
from sdrs_nb.i18n import _, ngettext_
from sdrs_nb.inventory.documents import FRAMES, attachments
from sdrs_nb.inventory.inventory import Inventory
from sdrs_nb.models import Batch
from sdrs_nb.rulebook import PROFILES, Effect, Rulebook, load_rulebook
from sdrs_nb.running.calls import deletion_hindrance
from sdrs_nb.statuses import GROUP_PASSING, Stage
from sdrs_nb.tables import INVENTORY_TABLES

if TYPE_CHECKING:
    from sdrs_nb.running.engine import Engine

__all__ = ["DOOR_RULES", "Door", "likely_servers", "look_at_door", "rulebook_of"]

#: Rules whose facts change by themselves: group state, server state, existing protection, pairs, owners of volumes.
DOOR_RULES = frozenset(
    [
        "G1",
        "G2",
        "G4",
        "S1",
        "S2",
        "S3",
        "S4",
        "S5",
        "S7",
        "S8",
        "S9",
        "S10",
        "S11",
        "S12",
        "D1",
        "D2",
        "D3",
        "D4",
        "D6",
        "H3",
        "H4",
        "H5",
        "H8",
        "H9",
        "H10",
        "H11",
        "H12",
    ]
)
_KEPT = ["server_id", "group_id", "rule", "severity", "sdrs_code", "message", "remedy"]


@dataclass(frozen=True)
class Door:
    """What the re-check found.

    ``findings``: one row a finding (``tables.FINDINGS``, the columns kept with the run).  ``reason``: the sentence
    that holds the batch back, None where it may go.  ``is_passing``: the group is in a status that ends by itself.
    """

    findings: pd.DataFrame
    reason: str | None = None
    is_passing: bool = False

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The findings as plain mappings, for the ledger."""
        plain = self.findings.astype(object).where(self.findings.notna(), None)
        return plain.to_dict("records")  # type: ignore[return-value]  # column names are texts

    def held_rows(self, batch: Batch) -> list[dict[str, Any]]:
        """Return what to record of each server of a batch that is held back: its own reason, else the batch's."""
        own = _blocking(self.findings).groupby("server_id")["message"].first().to_dict()
        return [
            {"server_id": server, "stage": Stage.NOT_SENT, "message": own.get(server) or self.reason or ""}
            for server in batch.server_ids
        ]


async def look_at_door(engine: "Engine", batch: Batch, *, fresh: bool = False) -> Door:
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
        listed = await engine.cloud.sdrs.protected_instances(batch.group_id)
        return Door(nothing, deletion_hindrance(batch, listed, engine.names))
    try:
        documents = await _read(engine, batch, fresh=fresh)
    except NotFoundError:
        reason = _("Protection group {group} no longer exists. Plan again.", group=batch.group_id)
        return Door(nothing, reason)
    findings = await asyncio.to_thread(_judge, documents, batch, engine)
    status = str(documents["groups"][0].get("status"))
    return Door(findings, _reason(findings), status in GROUP_PASSING)


async def _read(engine: "Engine", batch: Batch, *, fresh: bool) -> dict[str, list[dict[str, Any]]]:
    now = engine.timing.clock()
    cloud, facts, pace = engine.cloud, engine.facts, engine.pace
    planned = engine.volumes_of(batch)
    group, servers, volumes, instances, pairs = await asyncio.gather(
        cloud.sdrs.group(batch.group_id),
        cloud.ecs.servers_by_id(batch.server_ids),
        cloud.evs.volumes_by_id(planned),
        _instances(engine, batch, now, fresh=fresh),
        facts.pairs(now if fresh else _ago(engine, now, pace.fresh_project_s)),
    )
    attached = {
        str(entry.get("id")) for server in servers for entry in server.get("os-extended-volumes:volumes_attached") or ()
    }
    if new := sorted(attached - set(planned)):
        volumes = [*volumes, *await cloud.evs.volumes_by_id(new)]
    mine, on_them = set(batch.server_ids), {str(volume.get("id")) for volume in volumes}
    return {
        "groups": [group],
        "servers": servers,
        "volumes": volumes,
        # Of the project's lists only what concerns this batch is judged; the rest would only cost time.
        "protected_instances": [i for i in instances if {i.get("source_server"), i.get("target_server")} & mine],
        "replication_pairs": [p for p in pairs if set(str(p.get("volume_ids") or "").split(",")) & on_them],
    }


async def _instances(engine: "Engine", batch: Batch, now: datetime, *, fresh: bool) -> list[dict[str, Any]]:
    """Return the project's instances, those of the batch's own group read later than the others."""
    everywhere = await engine.facts.instances(now if fresh else _ago(engine, now, engine.pace.fresh_project_s))
    own = await engine.facts.instances_of(batch.group_id, now if fresh else _ago(engine, now, engine.pace.fresh_s))
    return [*everywhere, *own]


def _ago(engine: "Engine", now: datetime, seconds: float) -> datetime:
    return now - timedelta(seconds=seconds / engine.timing.scale)


def _judge(documents: Mapping[str, list[dict[str, Any]]], batch: Batch, engine: "Engine") -> pd.DataFrame:
    frames = {name: FRAMES[name](rows) for name, rows in documents.items()}
    frames["attachments"] = attachments(documents["servers"], documents["volumes"])
    assert frames.keys() <= INVENTORY_TABLES.keys()  # noqa: S101 - names of ours
    eligibility = check_eligibility(
        Inventory(frames),
        options=engine.plan.options,
        group_id=batch.group_id,
        server_ids=batch.server_ids,
        rulebook=engine.rulebook,
    )
    return eligibility.findings[_KEPT]


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


def rulebook_of(version: str) -> Rulebook:
    """Return the rule book that a plan's ``rulebook_version`` names, as far as this release still has it.

    Profile and changed severities are taken from the name; a name that this release does not understand gives the
    default book, which is the strictest reading.
    """
    profile, _space, rest = version.partition(" ")
    chosen = profile if profile in PROFILES else PROFILES[0]
    book = load_rulebook(chosen)
    severities = {effect.value for effect in Effect}
    changed = {
        name: value for name, value in re.findall(r"(\w+)=(\S+)", rest) if name in book.rules and value in severities
    }
    try:
        return load_rulebook(chosen, **changed)
    except (PlanError, SettingsError):
        return book


def likely_servers(findings: pd.DataFrame, book: Rulebook, code: str) -> pd.DataFrame:
    """Return the findings of rules that carry ``code``: the servers a refusal with that code is likely about."""
    carrying = {rule_id for rule_id, rule in book.rules.items() if code in rule.all_codes}
    hit = findings["sdrs_code"].eq(code) | findings["rule"].isin(carrying)
    return findings[hit & ~findings["severity"].isin(["notice"])]
