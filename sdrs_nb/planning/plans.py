"""A plan: ordered batches with the facts they rest on, frozen under one fingerprint."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import pandas as pd

from sdrs_nb.errors import PlanError
from sdrs_nb.i18n import _, ngettext_
from sdrs_nb.intake.collecting import without_collection
from sdrs_nb.inventory.inventory import Inventory
from sdrs_nb.inventory.notes import Done
from sdrs_nb.models import Batch, BatchOptions, Declared, Pace
from sdrs_nb.payloads.requests import payload_bytes
from sdrs_nb.planning import freezing
from sdrs_nb.planning.billing import choice_in_words, stays_billed
from sdrs_nb.planning.columns import is_in, objects
from sdrs_nb.planning.estimates import Estimate, estimate_of
from sdrs_nb.planning.facts import FACTS, PlanFacts, planned_servers, read_facts
from sdrs_nb.planning.left_out import LeftOut
from sdrs_nb.planning.plan_documents import PROOF, PlanDocument, rows
from sdrs_nb.rulebook import Rulebook, Site, rulebook_reason
from sdrs_nb.tables import LEFT_OUT, STR

__all__ = ["Plan"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Plan:
    """The requests that will be sent, in order; made by ``plan_batches``, ``plan_undo``, ``load`` or ``from_document``.

    Parameters
    ----------
    batches
        One ``Batch`` a request, in sending order.
    options
        What the requests share.
    name_prefix
        As it was asked for; each batch has its own, made from it.
    rulebook_version
        Rules the servers were judged by.
    notes
        Sentences about what planning did or could not check.
    facts
        What was known of the planned servers, their volumes and their groups.
    omitted, proof_frame
        Behind ``left_out`` and ``proof``.
    sealed_bodies
        Request bodies as they were saved with the plan; None for a plan just made.
    approvals_needed
        How many different persons must approve it before it is sent.
    undoes
        Run whose instances the plan deletes; empty for a plan that creates.
    declared
        Facts that the plan rests on although nobody read them, with who vouches.
    warnings
        What the rules warn of that shows in no server's verdict: of the groups used, of all requests, of the estate.
    reading
        What was guessed, mapped, filled in, dropped and passed over while the inventory was read, in brief.
    open_points
        Entries of the list of servers that selected nobody, a sentence each.
    for_reading
        Whether servers of unknown verdict were planned too: nothing of such a plan is ever sent.
    """

    batches: tuple[Batch, ...]
    options: BatchOptions
    name_prefix: str
    rulebook_version: str
    notes: tuple[str, ...]
    facts: PlanFacts
    omitted: LeftOut
    proof_frame: pd.DataFrame
    sealed_bodies: tuple[bytes, ...] | None = None
    approvals_needed: int = 1
    undoes: str = ""
    declared: tuple[Declared, ...] = ()
    warnings: tuple[str, ...] = ()
    reading: tuple[Done, ...] = ()
    open_points: tuple[str, ...] = ()
    for_reading: bool = False

    def _repr_html_(self) -> str:
        from sdrs_nb.shown import html

        facts = [
            (_("Servers planned"), sum(len(batch.server_ids) for batch in self.batches)),
            (_("Requests"), len(self.batches)),
            (_("Protection groups"), len({batch.group_id for batch in self.batches})),
            (_("Left out"), len(self.omitted)),
            (_("Fingerprint"), self.fingerprint),
        ]
        few = self.batches[: html.FEW]
        rows = [(batch.batch_id, batch.group_id, batch.name_prefix, len(batch.server_ids)) for batch in few]
        batches = pd.DataFrame(rows, columns=[_("Batch"), _("Group"), _("Name prefix"), _("Servers")])
        table = html.table(batches, html.FEW, total=len(self.batches))
        return html.summary(_("Plan"), facts, notes=[*self.remarks, *self.open_points[: html.FEW]], body=[table])

    def __repr__(self) -> str:
        facts = {
            "fingerprint": self.fingerprint[:12],
            "servers": ngettext_(
                "{count} server", "{count} servers", sum(len(each.server_ids) for each in self.batches)
            ),
            "batches": ngettext_("{count} batch", "{count} batches", len(self.batches)),
            "groups": ngettext_("{count} group", "{count} groups", len({each.group_id for each in self.batches})),
            "left_out": len(self.omitted),
        }
        if self.is_deletion:
            return _(
                "Plan {fingerprint} deletes the instances of {servers} that run {run} made, in {batches} for {groups}; "
                "{choice}; {left_out} left out",
                run=self.undoes,
                choice=choice_in_words(self.batches),
                **facts,
            )
        sentence = _("Plan {fingerprint}: {servers} in {batches} for {groups}, {left_out} left out", **facts)
        caveat = _("for reading only, never sent")
        return f"{sentence}; {caveat}" if self.for_reading else sentence

    @property
    def remarks(self) -> tuple[str, ...]:
        """Sentences to read before the plan is approved: declared facts, ``warnings``, ``notes``."""
        before = [each.sentence for each in self.declared]
        if self.for_reading:
            before.insert(0, _("Whether some of these servers can be protected is not known: this plan is never sent."))
        return (*before, *self.warnings, *self.notes)

    @property
    def is_deletion(self) -> bool:
        """Whether the plan deletes protected instances rather than create them."""
        return any(batch.call.is_delete for batch in self.batches)

    @cached_property
    def rulebook(self) -> Rulebook:
        """The rules that the plan was made by, changed limits included: what every later reader of it goes by."""
        return Rulebook.of_version(self.rulebook_version)

    @property
    def rulebook_note(self) -> str:
        """A sentence where this release has other rules than the plan was made by; empty where it has the same."""
        return self.rulebook.unlike(self.rulebook_version)

    def rulebook_reason(self, site: Site) -> str:
        """Return which rules the plan goes by where ``site`` (``cloud.settings.site``) is talked to, and why those."""
        return f"{rulebook_reason(self.rulebook, site)} {self.rulebook_note}".strip()

    @property
    def billed(self) -> pd.DataFrame:
        """What stays and is billed after each choice that a deletion leaves; see ``billing.stays_billed``."""
        return stays_billed(self.batches, self.facts)

    @cached_property
    def bodies(self) -> tuple[bytes, ...]:
        """The exact request bodies, in the order of ``batches``: what is shown, fingerprinted and sent."""
        return self.sealed_bodies or tuple(payload_bytes(batch, self.rulebook) for batch in self.batches)

    @property
    def left_out(self) -> pd.DataFrame:
        """Every server that was asked for and is in no batch, with the reason (``tables.LEFT_OUT``); a copy."""
        return self.omitted.frame.copy()

    @property
    def proof(self) -> pd.DataFrame:
        """Why there are no fewer batches; a copy.

        One row a batch key: ``group_id, name, shared`` (what its requests share), ``servers, batches, lower_bound``
        (no packing has fewer batches), ``proven`` (batches equal the lower bound), ``why`` (a sentence).
        """
        return self.proof_frame.astype(PROOF)

    @cached_property
    def _servers(self) -> pd.DataFrame:
        return planned_servers(self.batches, self.facts)

    @property
    def servers(self) -> pd.DataFrame:
        """One row a planned server in sending order; a copy.

        Columns: ``server_id, name, group_id, batch_id, wave, position`` (from 1 in its batch), ``instance_name`` (to
        expect), ``volumes`` (count), ``size_gib`` (sum), ``status, az, vpc_id, flavor_id`` (as planned).
        """
        return self._servers.copy()

    @property
    def waves(self) -> pd.DataFrame:
        """One row a wave: ``wave, after`` (the wave that must have ended; NA: none), ``batches, servers`` (counts)."""
        rows = pd.DataFrame([(each.wave, len(each.server_ids)) for each in self.batches], columns=["wave", "servers"])
        waves = rows.groupby("wave", as_index=False).agg(batches=("servers", "size"), servers=("servers", "sum"))
        return waves.assign(after=waves["wave"].shift())[["wave", "after", "batches", "servers"]].astype("Int64")

    @cached_property
    def server_names(self) -> Mapping[str, str]:
        """The name of every planned server by its id; empty where it has none."""
        servers = self.facts.servers
        return MappingProxyType(
            dict(zip(objects(servers["server_id"]), objects(servers["name"].fillna("")), strict=True))
        )

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {batch.batch_id: position for position, batch in enumerate(self.batches)}

    def batch(self, batch_id: str) -> Batch:
        """Return one batch.

        Raises
        ------
        PlanError
            The plan has no batch of that id.
        """
        return self.batches[self._position(batch_id)]

    def estimate(
        self, inventory: Inventory | None = None, history: Sequence[float] = (), pace: Pace | None = None
    ) -> Estimate:
        """Return what sending the plan is expected to take: requests, calls, pairs, GiB, quota, time.

        ``inventory`` tells the quota; ``history`` are seconds that earlier jobs took (``job_durations()``), without
        them a job's time is assumed.  Pure; see ``estimates.estimate_of``.
        """
        return estimate_of(
            self.batches, self.facts, is_deletion=self.is_deletion, inventory=inventory, history=history, pace=pace
        )

    def payloads(self) -> list[dict[str, Any]]:
        """Return the request bodies in sending order, exactly what will be sent, as dicts of the caller's own."""
        return [json.loads(body) for body in self.bodies]

    def payload_bytes(self, batch_id: str) -> bytes:
        """Return the exact bytes of one request body.

        Raises
        ------
        PlanError
            The plan has no batch of that id.
        """
        return self.bodies[self._position(batch_id)]

    def _position(self, batch_id: str) -> int:
        try:
            return self._positions[batch_id]
        except KeyError:
            raise PlanError(
                _(
                    "The plan has no batch {batch_id}. Its batches are {first} to {last}.",
                    batch_id=batch_id,
                    first=self.batches[0].batch_id,
                    last=self.batches[-1].batch_id,
                )
            ) from None

    @cached_property
    def fingerprint(self) -> str:
        """The name of exactly this plan: SHA-256 in hex, the same wherever and whenever the plan is made.

        It covers batches, exact request bodies, the facts, what is left out, the rule book's version and the batch
        limit.  Sentences are not covered: the language in use changes no fingerprint.
        """
        with without_collection():
            return freezing.digest(
                [
                    [_document_of(batch) for batch in self.batches],
                    *self.bodies,
                    *(freezing.columns_of(getattr(self.facts, name)) for name in FACTS),
                    freezing.columns_of(self.omitted.servers),
                    [self.rulebook_version, self.name_prefix, self.options.model_dump(mode="json")],
                    [self.approvals_needed, self.undoes],
                    # Only where there is something to say, so that plans without it keep the names they have.
                    *([self._caveats(exclude={"when"})] if self.declared or self.for_reading else ()),
                ]
            )

    def _caveats(self, exclude: set[str] | None = None) -> dict[str, Any]:
        """Return what limits the plan, as its document holds it."""
        declared = [each.model_dump(mode="json", exclude=exclude) for each in self.declared]
        return {"declared": declared, "for_reading": self.for_reading}

    def to_document(self) -> dict[str, Any]:
        """Return the whole plan as one JSON document that ``from_document`` reads."""
        return freezing.seal(
            {
                "fingerprint": self.fingerprint,
                "name_prefix": self.name_prefix,
                "rulebook_version": self.rulebook_version,
                "options": self.options.model_dump(mode="json"),
                "notes": list(self.notes),
                **({"warnings": list(self.warnings)} if self.warnings else {}),
                **({"open_points": list(self.open_points)} if self.open_points else {}),
                **({"reading": [each.model_dump(mode="json") for each in self.reading]} if self.reading else {}),
                "approvals_needed": self.approvals_needed,
                "undoes": self.undoes,
                "batches": [
                    {"batch": _document_of(batch), "payload": json.loads(body)}
                    for batch, body in zip(self.batches, self.bodies, strict=True)
                ],
                "facts": {name: freezing.rows_of(getattr(self.facts, name)) for name in FACTS},
                "left_out": freezing.rows_of(self.omitted.frame),
                "proof": freezing.rows_of(self.proof),
                **(self._caveats() if self.declared or self.for_reading else {}),
            }
        )

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the plan in a document that ``to_document`` made.

        Raises
        ------
        PlanError
            It is no plan, of another version, or not what its fingerprint names.
        """
        where = _("The document")
        return cls._read(freezing.unsealed(document, where), where)

    def save(self, path: str | Path) -> Path:
        """Write the plan to ``path`` as JSON, whole or not at all, and return the path.

        Raises
        ------
        PlanError
            The file cannot be written.
        """
        return freezing.write_document(self.to_document(), Path(path))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Return the plan that ``save`` wrote to ``path``.

        Raises
        ------
        PlanError
            The file cannot be read, is no plan, of another version, or one byte of it was changed.
        """
        return cls._read(freezing.read_document(Path(path)), str(path))

    @classmethod
    def _read(cls, document: Mapping[str, Any], where: str) -> Self:
        try:
            read = PlanDocument.model_validate(document)
            frames = {name: freezing.frame_from_rows(rows(name, read.facts[name]), FACTS[name]) for name in FACTS}
            plan = cls(
                batches=tuple(each.batch for each in read.batches),
                options=read.options,
                name_prefix=read.name_prefix,
                rulebook_version=read.rulebook_version,
                notes=read.notes,
                approvals_needed=read.approvals_needed,
                undoes=read.undoes,
                declared=read.declared,
                warnings=read.warnings,
                reading=read.reading,
                open_points=read.open_points,
                for_reading=read.for_reading,
                sealed_bodies=tuple(freezing.body_bytes(each.payload) for each in read.batches),
                facts=PlanFacts(**frames),
                omitted=LeftOut.of(freezing.frame_from_rows(rows("left_out", read.left_out), LEFT_OUT.columns)),
                proof_frame=freezing.frame_from_rows(rows("proof", read.proof), PROOF),
            )
            is_same = plan.fingerprint == read.fingerprint
        # A missing frame, a value of another type, half a character: none of it is what was saved.
        except (KeyError, ValueError):
            raise freezing.changed_error(where) from None
        if not is_same:
            raise freezing.changed_error(where)
        return plan

    def changes_in(self, inventory: Inventory) -> pd.DataFrame:
        """Return what has changed since the plan was made: empty when ``inventory`` still has the same facts.

        One row a fact: ``kind`` (server, volume, group, instance, pair), ``id, name, fact`` (a column, ``present``, or
        ``protected_instance_id`` of a server that was protected meanwhile), ``before`` (as planned), ``after`` (as in
        ``inventory``).  Neither network nor disk.
        """
        groups = {batch.group_id for batch in self.batches}
        servers, instances = self.facts.servers["server_id"], self.facts.instances["protected_instance_id"]
        changes = self.facts.compare(read_facts(inventory, objects(servers), groups, objects(instances)))
        if self.is_deletion:
            return changes
        # Planned servers had no instance, so whatever instance one has now is news.
        found = inventory.protected_instances
        found = found[is_in(found["source_server_id"], set(objects(servers)))]
        taken = pd.DataFrame(
            {
                "kind": "server",
                "id": found["source_server_id"],
                "name": found["source_server_id"].map(self.server_names),
                "fact": "protected_instance_id",
                "before": "",
                "after": found["protected_instance_id"],
            },
            dtype=STR,
        )
        return pd.concat([changes, taken.sort_values("id")], ignore_index=True) if len(taken) else changes

    def diff(self, other: "Plan") -> pd.DataFrame:
        """Return what is different in ``other``: empty when both have one fingerprint.

        One row a fact: ``kind`` (server, volume, group, batch, plan), ``id, name, fact, before`` (here), ``after``
        (there).  A server's batch, instance name and group are facts of the server.
        """
        mine, theirs = self.servers.drop(columns="position"), other.servers.drop(columns="position")
        return pd.concat(
            [
                freezing.compare(mine, theirs, "server", "server_id"),
                freezing.compare(self.facts.volumes, other.facts.volumes, "volume", "volume_id"),
                freezing.compare(self.facts.groups, other.facts.groups, "group", "group_id"),
                freezing.compare(_batch_facts(self), _batch_facts(other), "batch", "batch_id"),
                freezing.compare(_own_facts(self), _own_facts(other), "plan", "plan"),
            ],
            ignore_index=True,
        )


def _document_of(batch: Batch) -> dict[str, Any]:
    return batch.model_dump(mode="json", exclude_defaults=True)


def _batch_facts(plan: Plan) -> pd.DataFrame:
    bodies = [body.decode() for body in plan.bodies]
    return pd.DataFrame({"batch_id": [each.batch_id for each in plan.batches], "payload": bodies}, dtype=STR)


def _own_facts(plan: Plan) -> pd.DataFrame:
    facts = {
        "plan": "plan",
        "rulebook_version": plan.rulebook_version,
        "name_prefix": plan.name_prefix,
        "batch_limit": str(plan.options.batch_limit),
        "left_out": ", ".join(sorted(plan.omitted.servers["server_id"])),
    }
    return pd.DataFrame([facts], dtype=STR)
