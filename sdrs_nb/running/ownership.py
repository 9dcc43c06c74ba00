"""Whose the instance is that holds a planned server.  One definition; everybody who says "ours" asks here.

Made by this run: a job that answered one of this run's accepted requests, or a sub-job of it, names the instance.
Adopted: a request of this run has no answer, or an answer without a job that says so, and the instance has the name of
that batch and was not created before the request can have left.  Anything else was made by others.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

import pandas as pd

from sdrs_nb.i18n import _
from sdrs_nb.ledger.evidence import evidence_of
from sdrs_nb.ledger.run_states import AttemptResult
from sdrs_nb.models import Batch

__all__ = ["Instance", "Ownership", "OwnershipEvidence", "Whose", "zone_offset"]

#: Offsets from UTC are whole quarters of an hour, up to fourteen hours.
_QUARTER_S, _FARTHEST_S = 900, 14 * 3600
#: How far a creation may seem to lie outside of its request's time before another offset is looked for.
_TOLERANCE_S = 60.0
_IN_DOUBT = frozenset({None, AttemptResult.UNCERTAIN, AttemptResult.ADOPTED, AttemptResult.ABSENT})


class Whose(StrEnum):
    """Who made the instance of a planned server; the word that the ledger keeps."""

    MADE = "made"
    ADOPTED = "adopted"
    OTHERS = "others"


class Ownership(NamedTuple):
    """Whose an instance is, and the fact that proves it, in a sentence."""

    whose: Whose
    proof: str

    @property
    def is_ours(self) -> bool:
        """Whether this run made it, or its request most likely did."""
        return self.whose is not Whose.OTHERS


@dataclass(frozen=True)
class Instance:
    """What has to be known of a protected instance; ``created_at`` is as the service's list says it, read as UTC."""

    instance_id: str
    name: str
    created_at: datetime | None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Instance":
        """Return the instance of an API document."""
        moment = pd.to_datetime(str(document.get("created_at") or ""), utc=True, errors="coerce")
        created = None if pd.isna(moment) else moment.to_pydatetime()
        return cls(str(document.get("id")), str(document.get("name") or ""), created)


@dataclass(frozen=True)
class _Doubt:
    """Requests of a batch whose outcome the answers leave open: the earliest may have left at ``since``.

    None: an older version, which did not keep the cloud's time, recorded them.
    """

    since: datetime | None


class OwnershipEvidence:
    """What a run's record proves of the instances on its servers.

    Made by ``of``, from the ledger's rows; pure after that.
    """

    def __init__(
        self,
        batches: Iterable[Batch],
        attempts: Iterable[Mapping[str, Any]],
        jobs: Iterable[Mapping[str, Any]],
        servers: Iterable[Mapping[str, Any]],
        *,
        times_offset_s: float = 0.0,
    ) -> None:
        self._batches = {server: batch for batch in batches for server in batch.server_ids}
        self._offset = timedelta(seconds=times_offset_s)
        self._recorded = {row["server_id"]: row for row in servers}
        documents = {(row["batch_id"], row["job_id"]): json.loads(row["document"]) for row in jobs}
        self._jobs: dict[tuple[str, str], str] = {}
        self._doubts: dict[str, _Doubt] = {}
        sizes = {batch.batch_id: len(batch.server_ids) for batch in self._batches.values()}
        for attempt in attempts:
            batch_id, job_id = attempt["batch_id"], attempt["job_id"]
            is_accepted = attempt["result"] == AttemptResult.ACCEPTED
            named = set(_named(documents.get((batch_id, job_id), {}))) if is_accepted else set()
            self._jobs |= {(batch_id, instance): str(job_id) for instance in named}
            if attempt["result"] in _IN_DOUBT or (is_accepted and len(named) < sizes.get(batch_id, 0)):
                said = attempt.get("sent_cloud_at")
                doubt = _Doubt(datetime.fromisoformat(said) if said else None)
                self._doubts.setdefault(batch_id, doubt)

    @classmethod
    def of(cls, run: Any, *, batch_id: str | None = None) -> "OwnershipEvidence":
        """Return what the ledger proves of a run (``run_id``, ``ledger``, ``plan``), or of one of its batches.

        Raises
        ------
        LedgerError
            The ledger cannot be read.
        """
        evidence = evidence_of(run.ledger, run.run_id, batch_id)
        batches = [batch for batch in run.plan.batches if batch_id in (None, batch.batch_id)]
        with run.ledger.readable():
            return cls(
                batches, evidence.attempts, evidence.jobs, evidence.servers, times_offset_s=evidence.times_offset_s
            )

    def whose(self, server_id: str, instance: Instance) -> Ownership:
        """Return whose ``instance``, which holds the planned server ``server_id``, is."""
        batch = self._batches[server_id]
        if job_id := self._jobs.get((batch.batch_id, instance.instance_id)):
            proof = _("Job {job}, which answered batch {batch}, names instance {instance}.",
                      job=job_id, batch=batch.batch_id, instance=instance.instance_id)  # fmt: skip
            return Ownership(Whose.MADE, proof)
        created = None if instance.created_at is None else instance.created_at - self._offset
        doubt = self._doubts.get(batch.batch_id)
        before = self._recorded.get(server_id, {})
        if doubt is not None and doubt.since is not None:
            if created is not None and created >= doubt.since and _is_named_by(instance.name, batch):
                proof = _("The answer to batch {batch} does not tell, but instance {instance} bears its name ({name}) "
                          "and was created at {created}, after the request of {since}.", batch=batch.batch_id,
                          instance=instance.instance_id, name=instance.name, created=_in_utc(created),
                          since=_in_utc(doubt.since))  # fmt: skip
                return Ownership(Whose.ADOPTED, proof)
        elif doubt is not None and before.get("protected_instance_id") == instance.instance_id:
            proof = _("The record of this run names instance {instance}, without a job that does.",
                      instance=instance.instance_id)  # fmt: skip
            return Ownership(Whose.ADOPTED, proof)
        proof = _("Instance {instance} ({name}), created at {created}, was made by no request of this run.",
                  instance=instance.instance_id, name=instance.name or "-",
                  created="-" if created is None else _in_utc(created))  # fmt: skip
        return Ownership(Whose.OTHERS, proof)


def _named(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the ids of the instances that a job document and its sub-jobs name."""
    entities = document.get("entities")
    if not isinstance(entities, Mapping):
        return
    if named := entities.get("protected_instance_id"):
        yield str(named)
    for sub_job in entities.get("sub_jobs") or ():
        if isinstance(sub_job, Mapping):
            yield from _named(sub_job)


def _is_named_by(name: str, batch: Batch) -> bool:
    """Tell whether the service would give an instance of ``batch`` this name: its own, or the prefix and a mark."""
    if not batch.call.is_batch:
        return name == batch.instance_name
    return re.fullmatch(rf"{re.escape(batch.name_prefix)}-\d+", name) is not None


def _in_utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def zone_offset(created_at: datetime, since: datetime, until: datetime, known_s: float) -> float | None:
    """Return by how many seconds the lists' times are ahead of UTC, seen by an instance that this run made.

    It was created between ``since`` and ``until`` of the cloud's clock; ``created_at`` is what the list says, read as
    UTC.  None: no offset from UTC brings the two together.
    """
    for offset_s in (known_s, round((created_at - until).total_seconds() / _QUARTER_S) * _QUARTER_S):
        created = created_at - timedelta(seconds=offset_s)
        slack = timedelta(seconds=_TOLERANCE_S)
        if abs(offset_s) <= _FARTHEST_S and since - slack <= created <= until + slack:
            return float(offset_s)
    return None
