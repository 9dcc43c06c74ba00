"""What a plan will cost before it is sent: requests, calls, replication pairs, data to copy, quota and time.  Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median, quantiles

from sdrs_nb.i18n import _, ngettext_
from sdrs_nb.inventory.inventory import Inventory
from sdrs_nb.models import Batch, Pace
from sdrs_nb.planning.columns import new_pairs, quota_of
from sdrs_nb.planning.facts import PlanFacts

__all__ = ["Estimate", "estimate_of"]

#: Seconds of a job that nobody has seen yet (ASSUMED: job_duration), from recorded runs of peers, which made a server,
#: protected it and cleaned up in 5 to 8 minutes.
_CREATE_S, _DELETE_S = 300.0, 120.0
#: Jobs that say enough about the next one.
_ENOUGH = 3
#: Seconds that a batch takes beside its job: facts read again, the request, the list at the end
#: (ASSUMED: batch_overhead).
_AROUND_S = 3.0
#: Calls of a batch beside looks at its job: group, servers, volumes, instances and pairs before it, the request
#: itself, and the list of instances after it; a delete reads only the list before.
_CALLS_CREATE, _CALLS_DELETE = 7, 3


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What sending a plan is expected to take; made by ``Plan.estimate``.

    Parameters
    ----------
    requests
        Requests that change something, one a batch.
    api_calls
        All calls, looks at jobs included; about.
    instances
        Protected instances made, or deleted.
    pairs
        Replication pairs made, or freed by a deletion; a shared volume counts once (rule H16).
    size_gib
        GiB that the first synchronisation copies once protection is enabled; 0 for a deletion.
    volumes_of_unknown_size
        Volumes that ``size_gib`` leaves out.
    quota, quota_used, quota_after
        Replication pairs allowed (-1: no limit), in use before, in use after; None where the inventory was not given
        or does not say.
    duration_s, slow_s
        Seconds of the cloud's time until the last job has ended, as jobs usually go and as slow ones go.
    job_s
        Seconds that one job is taken to last.
    jobs_seen
        Jobs that ``job_s`` rests on; 0: it is assumed.
    """

    requests: int
    api_calls: int
    instances: int
    pairs: int
    size_gib: int
    volumes_of_unknown_size: int
    quota: int | None
    quota_used: int | None
    quota_after: int | None
    duration_s: float
    slow_s: float
    job_s: float
    jobs_seen: int
    is_deletion: bool = False

    @property
    def is_within_quota(self) -> bool | None:
        """Whether the quota reaches; None where it is not known."""
        if self.quota is None or self.quota_after is None:
            return None
        return self.quota < 0 or self.quota_after <= self.quota

    def __repr__(self) -> str:
        facts = [
            ngettext_("{count} request", "{count} requests", self.requests),
            ngettext_("about {count} API call", "about {count} API calls", self.api_calls),
            ngettext_("{count} protected instance", "{count} protected instances", self.instances),
            ngettext_("{count} replication pair", "{count} replication pairs", self.pairs),
        ]
        if not self.is_deletion:
            facts.append(_("{size} GiB to copy", size=self.size_gib))
        return ", ".join(facts) + ".\n" + "\n".join([self._time(), *self._reservations()])

    def _time(self) -> str:
        ground = (
            ngettext_("{count} job seen before", "{count} jobs seen before", self.jobs_seen)
            if self.jobs_seen
            else _("no job was seen yet: {seconds} s each are assumed", seconds=round(self.job_s))
        )
        return _(
            "About {usual} min, {slow} min where jobs are slow ({ground}).",
            usual=_minutes(self.duration_s),
            slow=_minutes(self.slow_s),
            ground=ground,
        )

    def _reservations(self) -> list[str]:
        said = [_("Quota of replication pairs: not known; load the inventory to see it.")]
        if self.quota is not None:
            said = [
                _(
                    "Quota of replication pairs: {used} in use before, {after} after, {quota} allowed.",
                    used=self.quota_used,
                    after=self.quota_after,
                    quota=self.quota if self.quota >= 0 else _("any number"),
                )
            ]
        if self.volumes_of_unknown_size:
            said.append(
                ngettext_(
                    "The size of {count} volume is not known and not counted.",
                    "The sizes of {count} volumes are not known and not counted.",
                    self.volumes_of_unknown_size,
                )
            )
        return said


def estimate_of(
    batches: Sequence[Batch],
    facts: PlanFacts,
    *,
    is_deletion: bool,
    inventory: Inventory | None = None,
    history: Sequence[float] = (),
    pace: Pace | None = None,
) -> Estimate:
    """Return what sending ``batches`` is expected to take.

    Parameters
    ----------
    batches, facts, is_deletion
        What would be sent, what is known of it, and whether it deletes: of a plan.
    inventory
        Tells the quota, and volumes that are in a pair already; left out, the quota is not known.
    history
        Seconds that earlier jobs took (``job_history.job_durations``); fewer than three say nothing.
    pace
        How jobs are looked at; the default suits the real cloud.

    Notes
    -----
    Pure.  Groups work side by side (as many as ``pace.groups_at_once``), a group's batches one after the other, and a
    wave waits for the one before.
    """
    pace = pace or Pace()
    usual_s, slow_s, seen = (_DELETE_S, 2 * _DELETE_S, 0) if is_deletion else (_CREATE_S, 2 * _CREATE_S, 0)
    if len(history) >= _ENOUGH:
        usual_s, slow_s = median(history), quantiles(history, n=10, method="inclusive")[-1]
        seen = len(history)
    pairs, size_gib, unsized = _pairs(facts, inventory, is_deletion=is_deletion)
    quota, used = (None if inventory is None else quota_of(inventory.quotas, "replications")) or (None, None)
    after = None if used is None else max(used - pairs if is_deletion else used + pairs, 0)
    calls = _CALLS_DELETE if is_deletion else _CALLS_CREATE
    looks = _looks(usual_s, history, pace)
    groups = {batch.group_id for batch in batches}
    return Estimate(
        requests=len(batches),
        # Once more: who we are, and the comparison at the end, a list for each group.
        api_calls=len(batches) * (calls + looks) + len(groups) + 1 if batches else 0,
        instances=sum(len(batch.server_ids) for batch in batches),
        pairs=pairs,
        size_gib=0 if is_deletion else size_gib,
        volumes_of_unknown_size=0 if is_deletion else unsized,
        quota=quota,
        quota_used=used,
        quota_after=after,
        duration_s=_duration(batches, usual_s + _AROUND_S + pace.first_look_s, pace.groups_at_once),
        slow_s=_duration(batches, slow_s + _AROUND_S + pace.longest_look_s, pace.groups_at_once),
        job_s=usual_s,
        jobs_seen=seen,
        is_deletion=is_deletion,
    )


def _duration(batches: Sequence[Batch], batch_s: float, at_once: int | None) -> float:
    """Return the seconds of the longest queue of each wave, added up; of all queues in turn where few go at once."""
    queues = Counter((batch.wave, batch.group_id) for batch in batches)
    waves: dict[int, list[int]] = {}
    for (wave, _group), length in queues.items():
        waves.setdefault(wave, []).append(length)
    return sum(max(*each, ceil(sum(each) / (at_once or len(each)))) for each in waves.values()) * batch_s


def _looks(job_s: float, history: Sequence[float], pace: Pace) -> int:
    """Return how often a job of ``job_s`` seconds is looked at; see ``polling.next_look``."""
    if len(history) >= _ENOUGH:
        early = sorted(history)[len(history) // 10]
        return 1 + max(round((job_s - early) / pace.first_look_s), 0)
    elapsed, looks = 0.0, 0
    while elapsed < job_s:
        elapsed += pace.delay_s(looks)
        looks += 1
    return looks


def _pairs(facts: PlanFacts, inventory: Inventory | None, *, is_deletion: bool) -> tuple[int, int, int]:
    """Return pairs made or freed, their GiB, and how many volumes have no known size."""
    if is_deletion:
        return len(facts.pairs), 0, 0
    volumes = facts.volumes
    if inventory is not None:
        volumes = volumes[new_pairs(volumes["volume_id"], inventory)]
    sizes = volumes["size_gib"]
    return len(volumes), int(sizes.fillna(0).sum()), int(sizes.isna().sum())


def _minutes(seconds: float) -> int:
    return max(round(seconds / 60), 1) if seconds else 0
