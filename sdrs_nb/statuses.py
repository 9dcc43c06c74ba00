"""Every status word of the service, once, with what it means; and the stages that a planned server goes through.

The words are those of the SDRS API reference, appendix "Status", unless a line names another page.  Code elsewhere asks
here and compares no word itself, so that a word means the same on every screen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

__all__ = [
    "CREATION_FAILED", "DELETABLE", "DELETED_TASKS", "DR_SERVER_AT_REST", "ENABLING", "ENDED", "FAILED_CREATION",
    "FAILED_DELETION", "FAILED_OVER", "GOING", "GROUP", "GROUP_PASSING", "INSTANCE", "IN_STEP", "MADE",
    "MAY_ENABLE", "NOT_ENABLED", "OPEN", "PAIR", "PAIR_COPYING", "POOL_DEPLOYING", "PROTECTED", "REACHED", "SERVER",
    "TAKES_SERVERS", "USABLE_HOST", "USABLE_POOL", "USABLE_SERVER", "VOLUME", "VOLUME_IN_USE", "WORST_FIRST",
    "InstanceState", "JobStatus", "Stage", "Tally", "has_ended", "instance_stage", "instance_state", "is_error",
    "is_unsound", "is_unusable", "job_status", "means_protected", "tally",
]  # fmt: skip


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


class Stage(StrEnum):
    """How far a planned server has come."""

    NOT_SENT = "not sent"
    ACCEPTED = "accepted"
    JOB_OK = "job ok"
    CREATED = "created"  # the instance exists, its group is not enabled: nothing is copied yet
    PROTECTED = "protected"  # its group is enabled
    IN_SYNC = "in sync"  # the first synchronisation is complete
    DELETED = "deleted"  # in an undo: the instance is gone, the server is unprotected again
    FAILED = "failed"
    UNKNOWN = "unknown"
    TAKEN = "taken by others"  # an instance exists that this run did not make


# The words of each resource

#: A protection group.
GROUP = _words(
    "creating available protected deleting error-deleting error starting error-starting reprotecting "
    "error-reprotecting stopping error-stopping reversing error-reversing failing-over failed-over error-failing-over"
)
#: A protected instance.  ``error``: its creation failed; ``invalid``: one of its servers was deleted; ``fault``: the
#: synchronisation of its pairs is abnormal.
INSTANCE = _words(
    "creating available deleting error-deleting error nic-creating nic-deleting starting error-starting protected "
    "reversing failing-over failed-over reprotecting stopping error-stopping error-reversing error-failing-over "
    "error-reprotecting resizing error-resizing invalid fault"
)
#: A replication pair.  ``invalid``: one of its volumes was deleted.
PAIR = _words(
    "creating available deleting error-deleting error extending error-extending starting error-starting protected "
    "reversing failing-over failed-over reprotecting stopping error-stopping error-reversing error-failing-over "
    "error-reprotecting invalid fault attaching detaching error-attaching error-detaching"
)
#: A server (ECS API reference, "ECS Statuses").
SERVER = _words(
    "ACTIVE SHUTOFF BUILD REBOOT HARD_REBOOT REBUILD MIGRATING RESIZE REVERT_RESIZE VERIFY_RESIZE ERROR DELETED "
    "SHELVED SHELVED_OFFLOADED PAUSED SUSPENDED SOFT_DELETED UNKNOWN"
)
#: A volume (EVS API reference, "EVS Disk Status"); underscores here, hyphens in SDRS.
VOLUME = _words(
    "available in-use creating attaching detaching backing-up restoring-backup error_restoring uploading downloading "
    "extending error_extending deleting error_deleting rollbacking error_rollbacking awaiting-transfer error"
)

_PASSING = _words(
    "creating deleting nic-creating nic-deleting starting stopping reversing reprotecting failing-over resizing "
    "extending attaching detaching"
)

#: A group, an instance or a pair at rest whose protection is not enabled: nothing is copied.
NOT_ENABLED = "available"
#: A group, an instance or a pair whose protection is enabled.
PROTECTED = "protected"
#: A group or an instance that runs at the DR site and is copied nowhere until it is reprotected.
FAILED_OVER = "failed-over"


def means_protected(status: str) -> bool:
    """Tell whether a status of a group, an instance or a pair says that its protection is enabled."""
    return status == PROTECTED


def is_error(status: str) -> bool:
    """Tell whether a status of any resource is an error: ``error-starting``, ``error_deleting``, ``ERROR``, ..."""
    return status.lower().startswith("error")


# Protection groups

#: Statuses in which a group takes servers (batch-create page: the group is available or protected).
TAKES_SERVERS = frozenset({NOT_ENABLED, PROTECTED})
#: Statuses that pass by themselves, after which a group may take servers.
GROUP_PASSING = (_PASSING & GROUP) - {"deleting"}
#: Statuses from which protection can be enabled (page "Enabling Protection for a Protection Group").
MAY_ENABLE = frozenset({NOT_ENABLED, "error-starting"})
#: The status while protection is being enabled.
ENABLING = "starting"

# Protected instances

#: Statuses in which an instance can be deleted (page "Deleting Protected Instances in a Batch", constraints).
DELETABLE = _words(
    "available protected failed-over error error-starting error-stopping error-reversing error-failing-over "
    "error-deleting error-reprotecting error-resizing invalid fault"
)
#: What a failed deletion leaves.
FAILED_DELETION = "error-deleting"
#: What a failed creation leaves.
CREATION_FAILED = "error"
#: The same, or the failed deletion of such an instance.
FAILED_CREATION = frozenset({CREATION_FAILED, FAILED_DELETION})
#: An instance whose deletion was taken.
GOING = frozenset({"deleting", FAILED_DELETION})


class InstanceState(StrEnum):
    """What a protected instance's status means for its server."""

    MAKING = "making"
    CREATED = "created"  # at rest, its group is not enabled
    PROTECTED = "protected"
    IN_PROGRESS = "in progress"  # an operation is under way on it or its group
    FAILED_OVER = "failed over"  # it runs at the DR site and is copied nowhere
    FAULT = "fault"  # enabled, but its synchronisation is abnormal
    GOING = "going"  # being deleted
    ERROR = "error"  # an operation on it failed, or it has lost a server
    OTHER = "other"  # a word that no page documents


_MEANINGS: Mapping[str, InstanceState] = MappingProxyType(
    {
        **dict.fromkeys(_PASSING & INSTANCE, InstanceState.IN_PROGRESS),
        "creating": InstanceState.MAKING,
        NOT_ENABLED: InstanceState.CREATED,
        PROTECTED: InstanceState.PROTECTED,
        FAILED_OVER: InstanceState.FAILED_OVER,
        "fault": InstanceState.FAULT,
        "deleting": InstanceState.GOING,
        "invalid": InstanceState.ERROR,
    }
)


def instance_state(status: str) -> InstanceState:
    """Return what a protected instance's ``status`` means; an undocumented one never reads as created or protected."""
    return InstanceState.ERROR if is_error(status) else _MEANINGS.get(status, InstanceState.OTHER)


def instance_stage(status: str) -> Stage:
    """Return the stage of a planned server whose instance is in ``status``.

    Only a group that is enabled makes a server protected; an error is a failure whatever it followed, and a word that
    nobody documented is unknown.
    """
    match instance_state(status):
        case InstanceState.PROTECTED:
            return Stage.PROTECTED
        case InstanceState.MAKING:
            return Stage.JOB_OK
        case InstanceState.ERROR | InstanceState.GOING:
            return Stage.FAILED
        case InstanceState.OTHER:
            return Stage.UNKNOWN
        case _:
            return Stage.CREATED


def is_unsound(status: str) -> bool:
    """Tell whether an instance or a pair in this status is not in order: unfinished, lost, faulty, in error."""
    return is_unusable(status) or status == "fault"


def is_unusable(status: str) -> bool:
    """Tell whether an instance in this status holds its server and protects nothing: unfinished, lost, in error."""
    return instance_state(status) in (InstanceState.MAKING, InstanceState.GOING, InstanceState.ERROR)


# Replication pairs: ``replication_status`` beside the status

#: The replication status of a pair whose volumes hold the same.
IN_STEP = "active"
#: The replication status of a pair that is being synchronised.
PAIR_COPYING = "copying"

# What servers stand on

#: Statuses in which a server can be protected (code SDRS.1333: neither started nor stopped).
USABLE_SERVER = frozenset({"ACTIVE", "SHUTOFF"})
#: The status of a DR server before a switchover (OTC user guide: stopped).
DR_SERVER_AT_REST = "SHUTOFF"
#: Task states of a server that is being deleted while its status still says otherwise.
DELETED_TASKS = frozenset({"deleting", "soft-deleting"})
#: The status of a volume that is attached and at rest.
VOLUME_IN_USE = "in-use"
#: States in which a dedicated host takes servers (DeH API reference, "Querying Dedicated Hosts").
USABLE_HOST = frozenset({"available"})
#: Statuses in which a storage pool takes volumes (DSS API reference); one that is extended is usable
#: (ASSUMED: extended_pool).
USABLE_POOL = frozenset({"available", "extending"})
#: The status of a pool whose capacity is not known yet.
POOL_DEPLOYING = "deploying"


# Jobs


class JobStatus(StrEnum):
    """The four documented statuses (page "Querying the Job Status"), and OTHER for a word nobody documented."""

    INIT = "INIT"
    RUNNING = "RUNNING"
    SUCCESS = "SUCCESS"
    FAIL = "FAIL"
    OTHER = "OTHER"  # never taken for an end

    @property
    def has_ended(self) -> bool:
        """Whether nothing more happens in the job; a parent ends when its last sub-job ends."""
        return self in (JobStatus.SUCCESS, JobStatus.FAIL)


def job_status(word: object) -> JobStatus:
    """Return the status that a job document names, OTHER where it names none that is documented."""
    text = str(word).upper()
    return JobStatus(text) if text in JobStatus.__members__ else JobStatus.OTHER


# Stages of a planned server: words of ours

#: The server has an instance that this run made.
MADE = frozenset({Stage.CREATED, Stage.PROTECTED, Stage.IN_SYNC})
#: The ends that a plan aims at.
REACHED = MADE | {Stage.DELETED}
#: Stages that nothing changes any more but a new plan.
ENDED = REACHED | {Stage.FAILED, Stage.TAKEN}
#: A request may have been sent and its fate must be looked up.
OPEN = frozenset({Stage.UNKNOWN, Stage.ACCEPTED, Stage.JOB_OK})
#: The order in which outcomes are shown: what needs somebody first.
WORST_FIRST = (
    Stage.FAILED, Stage.UNKNOWN, Stage.TAKEN, Stage.NOT_SENT, Stage.ACCEPTED, Stage.JOB_OK, Stage.CREATED,
    Stage.PROTECTED, Stage.IN_SYNC, Stage.DELETED,
)  # fmt: skip


def has_ended(stage: str) -> bool:
    """Tell whether a planned server has come to its end, good or bad."""
    return stage in ENDED


@dataclass(frozen=True, slots=True)
class Tally:
    """Planned servers by what their stages mean; each server counts in exactly one field."""

    reached: int = 0
    failed: int = 0
    taken: int = 0
    unknown: int = 0
    moving: int = 0  # accepted, or its job has ended well and its instance is not seen yet
    waiting: int = 0  # not sent

    @property
    def whole(self) -> int:
        """How many servers were planned."""
        return self.ended + self.unknown + self.moving + self.waiting

    @property
    def ended(self) -> int:
        """How many have come to their end, good or bad: the figure of every bar and every line of progress."""
        return self.reached + self.failed + self.taken


def tally(counts: Mapping[str, int]) -> Tally:
    """Return the tally of ``{stage: servers}``; a stage that is left out counts none.

    Raises
    ------
    ValueError
        A word is no stage.
    """
    found = dict.fromkeys(Stage, 0)
    for stage, count in counts.items():
        found[Stage(stage)] += count
    return Tally(
        reached=sum(found[stage] for stage in REACHED),
        failed=found[Stage.FAILED],
        taken=found[Stage.TAKEN],
        unknown=found[Stage.UNKNOWN],
        moving=found[Stage.ACCEPTED] + found[Stage.JOB_OK],
        waiting=found[Stage.NOT_SENT],
    )
