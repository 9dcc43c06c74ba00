"""What a batch is expected to bring about, in writing, and what of it was found; pure.

One row an aspect of one thing: the request, its job, the group, the lists, each server with its instance and DR server,
each volume with its pair.  What nobody could read, or no answer tells, is not compared: it is never as expected.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sdrs_nb.i18n import _
from sdrs_nb.inventory.documents import FRAMES, untold
from sdrs_nb.ledger.observing import CONFIRMED, CONTRADICTED, Observation
from sdrs_nb.ledger.pilots import PilotResult, PilotRow
from sdrs_nb.ledger.run_states import BatchState
from sdrs_nb.models import Batch
from sdrs_nb.running.jobs import Job, match_instances
from sdrs_nb.running.observations import INSTANCE_FIELDS
from sdrs_nb.shown.cells import text_of
from sdrs_nb.statuses import CREATION_FAILED, DR_SERVER_AT_REST, MADE, TAKES_SERVERS, JobStatus, Stage

if TYPE_CHECKING:
    from sdrs_nb.planning.plans import Plan

__all__ = [
    "Findings", "compare_batch", "dr_servers_of", "observed", "told", "volume_ids", "with_contradictions",
]  # fmt: skip

#: The aspect of what the run saw before the batch was compared.
_ON_THE_WAY = "seen on the way"
#: What stands for "there is none".
NONE = "-"
#: Columns in which a missing value means "none", so long as the document has the key; see ``documents.untold``.
_MAY_BE_NONE = frozenset({
    "tags", "agency_name", "security_groups", "ecs_group_id", "dedicated_host_id", "hostname", "key_name",
})  # fmt: skip
#: What a DR server is made with as production has it at that moment.
_COPIED = {
    "hostname": "host name", "tags": "tags", "security_groups": "security groups", "agency_name": "agency",
    "ecs_group_id": "ECS group",
}  # fmt: skip
#: Fields that every document of a list is expected to have.
_FIELDS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "instances": INSTANCE_FIELDS,
    "details": ("id", "name", "server_group_id", "status", "source_server", "target_server", "attachment", "tags"),
    "pairs": ("id", "name", "server_group_id", "status", "replication_status", "volume_ids", "attachment"),
})  # fmt: skip
Documents = Sequence[Mapping[str, Any]]
#: What documents tell, by id and column, None where one does not tell.
Facts = Mapping[str, Mapping[str, str | None]]


@dataclass(frozen=True)
class Findings:
    """What ledger and cloud show of a batch that has ended; None where it could not be read, ``unread`` says why.

    ``outcome`` are the ledger's rows of its servers by id; ``instances`` and ``pairs`` as the group's lists show them,
    ``details`` the batch's instances as each alone is shown; ``servers`` and ``volumes`` of production and DR.
    """

    state: BatchState
    reason: str = ""
    job: Job | None = None
    outcome: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    group: Mapping[str, Any] | None = None
    instances: Documents | None = None
    details: Documents | None = None
    pairs: Documents | None = None
    servers: Documents | None = None
    volumes: Documents | None = None
    unread: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def servers_by_id(self) -> Facts:
        """Facts of servers by id; see ``told``."""
        return told("servers", self.servers or ())

    @cached_property
    def volumes_by_id(self) -> Facts:
        """Facts of volumes by id; see ``told``."""
        return told("volumes", self.volumes or ())


def told(frame: str, documents: Documents) -> Facts:
    """Return what documents tell, by id and by the columns of their frame, as texts; None where one does not tell."""
    silent = {str(one.get("id")): untold(frame, [one]) for one in documents}
    found = {}
    for row in FRAMES[frame]([*documents]).to_dict("records"):
        key = str(next(iter(row.values())))
        texts = {str(name): text_of(value) for name, value in row.items()}
        found[key] = {
            name: None if name in silent[key] else text or (NONE if name in _MAY_BE_NONE else None)
            for name, text in texts.items()
        }
    return found


def dr_servers_of(batch: Batch, instances: Documents, job: Job | None) -> dict[str, str]:
    """Return the id of the DR server by production server, as the instances say it, or else the sub-jobs."""
    parts = (*job.sub_jobs, job) if job else ()
    by_job = {part.protected_instance_id: part.dr_server_id for part in parts if part.dr_server_id}
    found = match_instances(instances, batch.server_ids)
    ids = {server: one.get("target_server") or by_job.get(str(one.get("id"))) for server, one in found.items()}
    return {server: str(dr_server) for server, dr_server in ids.items() if dr_server}


def compare_batch(plan: "Plan", batch: Batch, found: Findings) -> tuple[PilotRow, ...]:
    """Return every aspect of what ``batch`` is expected to bring about beside what was found.

    A row whose expectation no page documents names the assumption that it rests on.
    """
    table = _Comparison(plan, batch, found)
    table.request()
    if found.state not in (BatchState.REFUSED, BatchState.HELD):
        table.job()
        table.group()
        table.lists()
        for position, server in enumerate(batch.server_ids):
            table.instance(server, batch.instance_names[position])
            table.dr_server(server)
        table.pairs()
    return tuple(table.rows)


def with_contradictions(
    batch: Batch, first: Iterable[PilotRow], rows: Iterable[PilotRow], seen: Iterable[Mapping[str, Any]]
) -> tuple[PilotRow, ...]:
    """Return ``rows`` with every assumption that did not hold on the way, though what was found at last is as expected.

    ``first`` are the rows of the first look; ``seen`` what the run saw of assumptions while it followed the batch (rows
    of ``observations``).
    """
    wrong = {(row.subject, row.aspect): row for row in first if row.assumption and row.result == PilotResult.DIFFERENT}
    late = _("It became as expected later.")
    found = [
        wrong[row.subject, row.aspect].model_copy(update={"why": late})
        if row.result == PilotResult.AS_EXPECTED and (row.subject, row.aspect) in wrong
        else row
        for row in rows
    ]
    named = {row.assumption for row in found if row.result == PilotResult.DIFFERENT}
    for one in seen:
        if one["seen"] == CONTRADICTED and one["assumption"] not in named:
            named.add(one["assumption"])
            found.append(
                PilotRow(subject=batch.batch_id, aspect=_ON_THE_WAY, expected="as assumed", found=one["detail"],
                         result=PilotResult.DIFFERENT, assumption=one["assumption"])
            )  # fmt: skip
    return tuple(found)


def observed(rows: Iterable[PilotRow]) -> Iterator[Observation]:
    """Yield what the rows show of the assumptions that they rest on."""
    words = {PilotResult.AS_EXPECTED: CONFIRMED, PilotResult.DIFFERENT: CONTRADICTED}
    for row in rows:
        if row.assumption and row.result in words and row.aspect != _ON_THE_WAY:
            same = f"{row.name or row.subject}: {row.found}"
            other = _("{subject}: {found} in place of {expected}", subject=row.name or row.subject, found=row.found,
                      expected=row.expected)  # fmt: skip
            is_same = row.result == PilotResult.AS_EXPECTED
            yield Observation(row.assumption, words[row.result], same if is_same else other)


class _Comparison:
    """The rows so far, and what they are made from."""

    def __init__(self, plan: "Plan", batch: Batch, found: Findings) -> None:
        self.batch, self.found, self.names = batch, found, plan.server_names
        self.rows: list[PilotRow] = []
        self.planned = {row["server_id"]: row for row in plan.facts.servers.to_dict("records")}
        groups = {row["group_id"]: row for row in plan.facts.groups.to_dict("records")}
        self.planned_group = groups.get(batch.group_id, {})
        self.volumes = [
            row | {"servers": owners}
            for row in plan.facts.volumes.to_dict("records")
            if (owners := [each for each in str(row["server_ids"]).split(",") if each in batch.server_ids])
        ]
        self.pair_facts = told("replication_pairs", found.pairs or ())
        self.instance_facts = told("protected_instances", found.instances or ())
        self.by_server = match_instances(found.instances or (), batch.server_ids)
        self.details = {str(one.get("id")): one for one in found.details or ()}
        self.dr_servers = dr_servers_of(batch, found.instances or (), found.job)
        self.at_rest = _text(self.planned_group.get("status"))
        if found.group is not None and found.group.get("status") in TAKES_SERVERS:
            self.at_rest = str(found.group["status"])

    def _add(  # noqa: PLR0917 - the columns of a row
        self, subject: str, name: str, aspect: str, expected: str | None, found: str | None, assumption: str = "",
        *, unread: str = "", why: str = "",
    ) -> None:  # fmt: skip
        """Add a row; ``unread`` is the part of the findings that it is read from."""
        why = self.found.unread.get(unread, "") or why
        if why or expected is None or found is None:
            result = PilotResult.NOT_COMPARED
            missing = _("The plan does not say it.") if expected is None else _("The answer does not say it.")
            why, found = why or missing, ""
        else:
            result = PilotResult.AS_EXPECTED if expected == found else PilotResult.DIFFERENT
        self.rows.append(
            PilotRow(subject=subject, name=name, aspect=aspect, expected=expected or "", found=found, result=result,
                     why=why, assumption=assumption)
        )  # fmt: skip

    def request(self) -> None:
        """Compare what became of the request as a whole."""
        state = self.found.state
        told_ = f"{state}: {self.found.reason}" if self.found.reason else str(state)
        self._add(self.batch.batch_id, "", "request", "ended", "ended" if state == BatchState.ENDED else told_)

    # The job

    def job(self) -> None:
        """Compare the job with its sub-jobs: how it ended by theirs, how many, what they name, in which order."""
        job = self.found.job
        if job is None or not job.is_finished:
            why = _("The job's id is lost, or the job was not seen to end.")
            self._add(job.job_id if job else NONE, "", "status", JobStatus.SUCCESS, None, why=why)
            return
        parts = job.sub_jobs
        failed = [part for part in parts if part.status == JobStatus.FAIL]
        status = JobStatus.FAIL if failed else JobStatus.SUCCESS
        self._add(job.job_id, "", "status", status, job.status, "parent_end" if parts else "")
        if not self.batch.call.is_batch:
            return
        if failed:
            code = failed[0].error_code
            self._add(job.job_id, "", "error code", code, job.error_code or NONE, "parent_end")
        self._counted(job, "sub-jobs ended", sum(part.is_finished for part in parts), len(parts), "parent_end")
        self._counted(job, "sub-jobs", len(parts), len(self.batch.server_ids), "sub_job_shape")
        whole = sum(bool(part.protected_instance_id and (part.dr_server_id or part in failed)) for part in parts)
        self._counted(job, "ids in sub-jobs", whole, len(parts), "sub_job_shape")
        self._order(job)

    def _counted(self, job: Job, aspect: str, found: int, expected: int, assumption: str) -> None:
        why = "" if expected else _("The job names no sub-job.")
        self._add(job.job_id, "", aspect, str(expected), str(found), assumption, why=why)

    def _order(self, job: Job) -> None:
        """Compare the order of sub-jobs with that of the request."""
        servers = {str(one.get("id")): server for server, one in self.by_server.items()}
        order = [servers.get(str(part.protected_instance_id)) for part in job.sub_jobs]
        why = "" if None not in order and len(order) > 1 else _("The sub-jobs name no order of servers.")
        expected = [server for server in self.batch.server_ids if server in order]
        self._add(job.job_id, "", "order of sub-jobs", self._called(expected), self._called(order), "sub_job_order",
                  unread="instances", why=why)  # fmt: skip

    def _called(self, servers: Iterable[str | None]) -> str:
        return ", ".join(self.names.get(server) or server for server in servers if server)

    # The group and the lists

    def group(self) -> None:
        """Compare the group's status with that before the batch."""
        group_id, status = self.batch.group_id, (self.found.group or {}).get("status")
        name = _text(self.planned_group.get("name")) or ""
        before = _text(self.planned_group.get("status"))
        self._add(group_id, name, "group status", before, _text(status), "group_after_create", unread="group")

    def lists(self) -> None:
        """Compare the fields of what the lists show of this batch."""
        hung = {volume["volume_id"] for volume in self.volumes}
        pairs = [one for one in self.found.pairs or () if hung & set(volume_ids(one))]
        details = [*self.details.values()]
        for part, aspect, documents in (
            ("instances", "fields of the list of instances", [*self.by_server.values()] or self.found.instances or ()),
            ("details", "fields of an instance", details),
            ("pairs", "fields of the list of pairs", pairs or self.found.pairs or ()),
        ):
            missing = [name for name in _FIELDS[part] if any(name not in one for one in documents)]
            why = "" if documents else _("There is no row to look at.")
            told_ = _without(missing) if missing else "all"
            self._add(self.batch.group_id, "", aspect, "all", told_, "list_fields", unread=part, why=why)

    # Each server

    def _is_failed(self, server: str) -> bool:
        return self.found.outcome.get(server, {}).get("stage") == Stage.FAILED

    def instance(self, server: str, expected_name: str) -> None:
        """Compare a server's protected instance with what the request asked for."""
        name, one = self.names.get(server) or "", self.by_server.get(server)
        row = self.found.outcome.get(server, {})
        stage = str(row.get("stage") or NONE)
        said = f"{stage}: {row.get('error_code') or ''} {row.get('message') or ''}".strip(": ")
        self._add(server, name, "outcome", "made", "made" if stage in MADE else said)
        if self._is_failed(server):
            status = str(one.get("status")) if one else NONE
            self._add(server, name, "instance after a failure", CREATION_FAILED, status, "failed_instance",
                      unread="instances")  # fmt: skip
            if one is None:
                return
        if one is None:
            is_silent = any("source_server" not in each for each in self.found.instances or ())
            why = _("The list does not say whose instances these are.") if is_silent else ""
            self._add(server, name, "instance", "one", NONE, unread="instances", why=why)
            return
        self._instance_facts(server, name, one, expected_name)

    def _instance_facts(self, server: str, name: str, one: Mapping[str, Any], expected_name: str) -> None:
        facts = self.instance_facts[str(one.get("id"))]
        if not self._is_failed(server):
            self._add(server, name, "instance status", self.at_rest, facts.get("status"), "instance_state",
                      unread="instances")  # fmt: skip
        numbered = "numbering" if self.batch.call.is_batch else ""
        self._add(server, name, "instance name", expected_name, facts.get("name"), numbered)
        self._add(server, name, "group", self.batch.group_id, facts.get("group_id"))
        more = self.details.get(str(one.get("id")), {})
        wanted = sorted(f"{tag.key}={tag.value}" for tag in self.batch.tags)
        self._add(server, name, "instance tags", ",".join(wanted) or NONE, _tags(more), unread="details")
        if self.batch.description:
            described = _text(more.get("description"))
            self._add(server, name, "description", self.batch.description, described, unread="details")

    def dr_server(self, server: str) -> None:
        """Compare a server's DR server with the plan and with production."""
        if self._is_failed(server):
            return
        name, dr_id = self.names.get(server) or "", self.dr_servers.get(server)
        self._add(server, name, "DR server", "one", "one" if dr_id else NONE, unread="instances",
                  why="" if server in self.by_server else _("Its instance was not found."))  # fmt: skip
        if dr_id is None:
            return
        facts = self.found.servers_by_id.get(dr_id)
        own = self.found.servers_by_id.get(server, {})
        if facts is None:
            self._add(dr_id, name, "DR server in ECS", "one", NONE, unread="servers")
            return
        self._dr_facts(dr_id, name, server, facts, own)

    def _dr_facts(
        self, dr_id: str, name: str, server: str, facts: Mapping[str, str | None], own: Mapping[str, str | None]
    ) -> None:
        batch, group = self.batch, self.planned_group
        asked = batch.flavors.get(server)
        flavor = asked or _text(self.planned.get(server, {}).get("flavor_id"))
        is_dedicated = batch.tenancy == "dedicated"
        host = facts.get("dedicated_host_id")
        if is_dedicated and not batch.dedicated_host_id and host not in (None, NONE):
            host = "any"
        project = facts.get("enterprise_project_id") or "0"
        rows = [
            ("DR name", own.get("name") or name, facts.get("name"), ""),
            ("flavor", flavor, facts.get("flavor_id"), "" if asked else "dr_flavor"),
            ("AZ", _text(group.get("dr_az")), facts.get("az"), ""),
            ("VPC", _text(group.get("vpc_id")), facts.get("vpc_id"), ""),
            ("subnet", batch.primary_subnet_id or own.get("subnet_id"), facts.get("subnet_id"), ""),
            ("DR status", DR_SERVER_AT_REST, facts.get("status"), "dr_state"),
            ("dedicated host", (batch.dedicated_host_id or "any") if is_dedicated else NONE, host, ""),
            ("enterprise project", "0", project, ""),  # constraint C7: it does not join production's
            *(
                (aspect, _sorted(own.get(column)), _sorted(facts.get(column)), "copied_settings")
                for column, aspect in _COPIED.items()
            ),
        ]
        for aspect, expected, found, assumption in rows:
            self._add(dr_id, name, aspect, expected, found, assumption, unread="servers")

    # Pairs

    def pairs(self) -> None:
        """Compare each volume's pair and DR volume with production's."""
        for volume in self.volumes:
            owners = [server for server in volume["servers"] if not self._is_failed(server)]
            if owners:
                self._pair(volume["volume_id"], _text(volume["size_gib"]), owners)

    def _pair(self, volume_id: str, size: str | None, owners: list[str]) -> None:
        name = self._called(owners)
        mine = [one for one in self.found.pairs or () if volume_id in volume_ids(one)]
        is_silent = any(not volume_ids(one) for one in self.found.pairs or ())
        why = _("The list does not say whose pairs these are.") if is_silent and not mine else ""
        self._add(volume_id, name, "pairs", "1", str(len(mine)), unread="pairs", why=why)
        if len(mine) != 1:
            return
        facts = self.pair_facts[str(mine[0].get("id"))]
        self._add(volume_id, name, "pair status", self.at_rest, facts.get("status"), "pair_state")
        wanted = sorted(str(self.by_server[each].get("id")) for each in owners if each in self.by_server)
        hangs = None if "attachment" not in mine[0] else _sorted(facts.get("protected_instance_ids") or NONE)
        self._add(volume_id, name, "attached to", ",".join(wanted) or None, hangs)
        other = next((each for each in volume_ids(mine[0]) if each != volume_id), None)
        self._dr_volume(volume_id, name, size, other)

    def _dr_volume(self, volume_id: str, name: str, size: str | None, dr_volume_id: str | None) -> None:
        self._add(volume_id, name, "DR volume", "one", "one" if dr_volume_id else NONE)
        if dr_volume_id is None:
            return
        own, facts = (self.found.volumes_by_id.get(each) for each in (volume_id, dr_volume_id))
        if facts is None:
            self._add(dr_volume_id, name, "DR volume in EVS", "one", NONE, unread="volumes")
            return
        own = own or {}
        for aspect, expected, column in (
            ("size", own.get("size_gib") or size, "size_gib"),
            ("volume type", own.get("volume_type"), "volume_type"),
            ("volume AZ", _text(self.planned_group.get("dr_az")), "az"),
        ):
            self._add(dr_volume_id, name, aspect, expected, facts.get(column), unread="volumes")


def _text(value: object) -> str | None:
    return text_of(value) or None


def _sorted(joined: str | None) -> str | None:
    """Return comma-joined values in one order, since no page promises any."""
    return joined and ",".join(sorted(joined.split(",")))


def _without(names: Iterable[str]) -> str:
    return "without " + ", ".join(names)


def volume_ids(pair: Mapping[str, Any]) -> list[str]:
    """Return the ids of a pair's volumes; which of them is production's no page says."""
    value = pair.get("volume_ids")
    parts = value if isinstance(value, list) else str(value or "").split(",")
    return [each for part in parts if (each := str(part).strip())]


def _tags(instance: Mapping[str, Any]) -> str | None:
    tags = instance.get("tags")
    if not isinstance(tags, list):
        return None
    return ",".join(sorted(f"{tag.get('key')}={tag.get('value')}" for tag in tags if isinstance(tag, dict))) or NONE
