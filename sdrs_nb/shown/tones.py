"""The tone of every state: good, warning, bad, running, unknown or neutral.

Screens and reports turn a tone into a colour and a shape (``html.SHAPES``) beside the word, so that one state looks the
same everywhere.  A mapping's order is that in which its states are listed and sorted: what needs somebody first.
"""

from collections.abc import Mapping
from types import MappingProxyType

from sdrs_nb.statuses import REACHED, SERVER, WORST_FIRST, JobStatus, Stage

__all__ = [
    "ATTEMPT_TONES", "BATCH_TONES", "CHECK_TONES", "COVER_TONES", "JOB_TONES", "PILOT_TONES", "RUN_TONES",
    "SERVER_TONES", "STAGE_TONES", "TONES", "VERDICT_TONES",
]  # fmt: skip

#: Every tone there is.
TONES = ("good", "warning", "bad", "running", "unknown", "neutral")

_UNFINISHED = {
    Stage.FAILED: "bad",
    Stage.UNKNOWN: "unknown",
    Stage.TAKEN: "warning",
    Stage.NOT_SENT: "neutral",
    Stage.ACCEPTED: "running",
    Stage.JOB_OK: "running",
}
#: Stages of planned servers.
STAGE_TONES: Mapping[str, str] = MappingProxyType(
    {stage.value: "good" if stage in REACHED else _UNFINISHED[stage] for stage in WORST_FIRST}
)
#: Statuses of jobs and sub-jobs.
JOB_TONES: Mapping[str, str] = MappingProxyType(
    {
        JobStatus.FAIL.value: "bad",
        JobStatus.OTHER.value: "unknown",
        JobStatus.INIT.value: "running",
        JobStatus.RUNNING.value: "running",
        JobStatus.SUCCESS.value: "good",
    }
)
#: States of batches.
BATCH_TONES: Mapping[str, str] = MappingProxyType(
    {
        "refused": "bad",
        "unknown": "unknown",
        "uncertain": "unknown",
        "held": "warning",
        "sending": "running",
        "accepted": "running",
        "pending": "neutral",
        "ended": "good",
    }
)
#: What became of single requests.
ATTEMPT_TONES: Mapping[str, str] = MappingProxyType(
    {
        "refused": "bad",
        "uncertain": "unknown",
        "absent": "warning",
        "not handled": "warning",
        "adopted": "good",
        "accepted": "good",
    }
)
#: States of runs, as long as nothing went wrong with a server.
RUN_TONES: Mapping[str, str] = MappingProxyType(
    {"paused": "warning", "ready": "neutral", "running": "running", "done": "good"}
)
#: Verdicts of eligibility.
VERDICT_TONES: Mapping[str, str] = MappingProxyType(
    {
        "eligible": "good",
        "warning": "warning",
        "unknown": "unknown",
        "blocked": "bad",
        "not a candidate": "neutral",
        "protected": "neutral",
    }
)
#: How checks of the doctor ended.
CHECK_TONES: Mapping[str, str] = MappingProxyType(
    {"failed": "bad", "warning": "warning", "skipped": "unknown", "ok": "good"}
)
#: How far servers are covered.
COVER_TONES: Mapping[str, str] = MappingProxyType(
    {
        "error": "bad",
        "unprotected": "bad",
        "unknown": "unknown",
        "not enabled": "warning",
        "lagging": "warning",
        "under way": "running",
        "failed over": "unknown",
        "protected": "good",
    }
)
#: What comparing an aspect of a pilot batch came to.
PILOT_TONES: Mapping[str, str] = MappingProxyType(
    {"different": "bad", "not compared": "unknown", "as expected": "good"}
)
_RESTING = {
    "ERROR": "bad",
    "UNKNOWN": "unknown",
    "DELETED": "warning",
    "SOFT_DELETED": "warning",
    "ACTIVE": "good",
    "SHUTOFF": "neutral",
    "PAUSED": "neutral",
    "SUSPENDED": "neutral",
    "SHELVED": "neutral",
    "SHELVED_OFFLOADED": "neutral",
}
#: Statuses of servers; whatever is not at rest is under way.
SERVER_TONES: Mapping[str, str] = MappingProxyType(_RESTING | dict.fromkeys(sorted(SERVER - set(_RESTING)), "running"))
