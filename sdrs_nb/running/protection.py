"""After creation: enable protection of a run's groups, and see how far the first synchronisation has come.

An instance of a group in status ``available`` copies nothing until protection is enabled (``start-server-group``,
SDRS group actions).  The action starts from ``available`` only, so a lost answer is settled by the group's status.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from sdrs_nb.asked import checked
from sdrs_nb.errors import (
    AuthenticationError,
    CloudError,
    CloudUnreachable,
    ServiceError,
    SettingsError,
    SubmissionUncertain,
)
from sdrs_nb.i18n import _
from sdrs_nb.ledger.ledger import Ledger
from sdrs_nb.models import Pace
from sdrs_nb.running.belonging import require_own_cloud, require_writing
from sdrs_nb.running.endings import WHOLE, found_now, owned, progress_of
from sdrs_nb.running.jobs import match_instances, read_job
from sdrs_nb.running.ownership import OwnershipEvidence
from sdrs_nb.running.pacing import Timing
from sdrs_nb.running.polling import poll_delays
from sdrs_nb.running.walk import Walk
from sdrs_nb.statuses import ENABLING, MADE, MAY_ENABLE, PROTECTED, JobStatus, means_protected

if TYPE_CHECKING:
    from sdrs_nb.cloud import Cloud
    from sdrs_nb.running.runs import Run

__all__ = ["enable_groups", "enable_protection", "first_synchronisation", "follow_first_synchronisation"]

ENABLE = "start-server-group"
_SYNC = {"server_id": "string", "name": "string", "group_id": "string", "protected_instance_id": "string",
         "status": "string", "progress": "Int64", "is_complete": "boolean"}  # fmt: skip


class _Enabling:
    """Enable protection of one group and follow it; every intent and answer is in the ledger."""

    def __init__(self, cloud: "Cloud", ledger: Ledger, run_id: str, timing: Timing, pace: Pace) -> None:
        self.cloud, self.ledger, self.run_id, self.timing, self.pace = cloud, ledger, run_id, timing, pace

    async def enable(self, group_id: str, woken: asyncio.Event) -> tuple[str, str]:
        """Return the group's status at the end and a sentence where it is not protected."""
        group = await self.cloud.sdrs.group(group_id)
        status = str(group.get("status"))
        if status in MAY_ENABLE:
            status = await self._start(group_id, status)
        begun, delays = self.timing.clock(), poll_delays(self.pace)
        while status == ENABLING and not woken.is_set() and self.timing.since(begun) <= self.pace.job_limit_s:
            await self.timing.sleep(next(delays), woken)
            status = await self._status(group_id) or status
        if means_protected(status):
            self._answer(group_id, PROTECTED)
            return status, ""
        message = _(
            "Protection of group {name} ({group}) is not enabled, its status is {status}. Look at the group in the "
            "console, then enable it again.",
            name=group.get("name"),
            group=group_id,
            status=status,
        )
        self._answer(group_id, "not protected", message=message)
        return status, message

    async def _start(self, group_id: str, before: str) -> str:
        self.ledger.intend_action(self.run_id, group_id, ENABLE)
        try:
            job_id = await self.cloud.sdrs.group_action(group_id, {ENABLE: {}})
        except AuthenticationError:
            raise
        except (SubmissionUncertain, CloudUnreachable, ServiceError) as error:
            # The group's own status tells whether it was handled: it cannot be started twice.
            self._answer(group_id, "uncertain", message=str(error))
            begun, status = self.timing.clock(), before
            while status == before and self.timing.since(begun) < self.pace.settle_s:
                await self.timing.rest(self.pace.longest_look_s)
                status = await self._status(group_id) or before
            return status
        except CloudError as error:
            self._answer(group_id, "refused", message=str(error))
            return await self._status(group_id) or before
        self._answer(group_id, "accepted", job_id=job_id)
        return await self._ended(group_id, job_id)

    async def _ended(self, group_id: str, job_id: str) -> str:
        """Wait for the job's end, or for the group to have left its former status; return the group's status."""
        begun, delays = self.timing.clock(), poll_delays(self.pace)
        while self.timing.since(begun) <= self.pace.job_limit_s:
            await self.timing.rest(next(delays))
            try:
                job = read_job(await self.cloud.sdrs.job(job_id))
            except AuthenticationError:
                raise
            except (CloudError, CloudUnreachable):
                continue
            if job.is_finished:
                if job.status == JobStatus.FAIL:
                    self._answer(group_id, "failed", message=job.fail_reason or job.error_code or "")
                break
        return await self._status(group_id) or ENABLING

    async def _status(self, group_id: str) -> str | None:
        try:
            return str((await self.cloud.sdrs.group(group_id)).get("status"))
        except AuthenticationError:
            raise
        except (CloudError, CloudUnreachable):  # a failed look says nothing
            return None

    def _answer(self, group_id: str, result: str, *, job_id: str | None = None, message: str = "") -> None:
        self.ledger.answer_action(self.run_id, group_id, ENABLE, result, job_id=job_id, message=message)


async def enable_groups(walk: Walk) -> None:
    """Enable protection of every group in which the run got instances; used at the end of a walk."""
    enabling = _Enabling(walk.cloud, walk.ledger, walk.run_id, walk.timing, walk.pace)
    for group_id in _groups(walk.ledger, walk.run_id):
        await enabling.enable(group_id, walk.stopping)
    await _record(walk.cloud, walk)


@checked
async def enable_protection(
    cloud: "Cloud",
    run: "Run",
    *,
    groups: Collection[str] | None = None,
    sleep: Callable[[float], Awaitable[None]] | None = None,
) -> pd.DataFrame:
    """Enable protection of every group in which the run made instances, and wait until each is enabled.

    ``groups``: of these alone, by their ids.

    From then on their data is copied; ``first_synchronisation`` says how far that has come.  Calling it again is
    safe: a group that is enabled already is left alone.

    Returns
    -------
    pandas.DataFrame
        One row a group: ``group_id``, ``status`` (its status now; ``protected`` is the aim), ``message`` (a
        sentence where it is not).  No instance made gives an empty frame.

    Raises
    ------
    ReadOnlyError
        The connection reads only; nothing was sent.
    SettingsError
        The cloud is not the run's own; nothing was sent.
    CloudError, CloudUnreachable
        A group cannot be read.
    LedgerError
        The ledger cannot be written; nothing is sent then.
    """
    require_writing(cloud)
    pace = run.pace
    await require_own_cloud(cloud, run)
    enabling = _Enabling(cloud, run.ledger, run.run_id, Timing.of(cloud, sleep), pace)
    chosen = [each for each in _groups(run.ledger, run.run_id) if groups is None or each in groups]
    rows = [(group_id, *await enabling.enable(group_id, asyncio.Event())) for group_id in chosen]
    await _record(cloud, run)
    return pd.DataFrame(rows, columns=["group_id", "status", "message"], dtype="string")


def _groups(ledger: Ledger, run_id: str) -> list[str]:
    """Return the groups in which the run made instances; enabling one of them may have failed in an earlier try."""
    made = {row["group_id"] for row in ledger.servers(run_id) if row["stage"] in MADE}
    return sorted(made.union(ledger.groups_acted_on(run_id, ENABLE)))


async def _record(cloud: "Cloud", run: "Run | Walk") -> None:
    """Record what the instances of those groups say now: protected, or failed where enabling ended in an error."""
    ledger, run_id, evidence = run.ledger, run.run_id, OwnershipEvidence.of(run)
    rows: list[dict[str, Any]] = []
    for group_id in _groups(ledger, run_id):
        mine = [row for row in ledger.servers(run_id) if row["group_id"] == group_id]
        documents = await cloud.sdrs.protected_instances(group_id)
        found = match_instances(documents, [str(row["server_id"]) for row in mine])
        for before in mine:
            server = str(before["server_id"])
            rows += [row] if (row := found_now(before, owned(evidence, server, found.get(server)))) else []
    if rows:
        ledger.set_servers(run_id, None, rows)


def runs_of_groups(names: Sequence[str], ledger: Ledger | None = None) -> dict["Run", list[str]]:
    """Return the runs by which these groups can be enabled, each with its groups: those it made instances in.

    ``names``: ids of groups, each meaning the newest run that made instances in it, or ids of runs, meaning all theirs.

    Raises
    ------
    SettingsError
        No run of the ledger made an instance in a group.
    """
    from sdrs_nb.running.runs import open_run

    store = ledger or Ledger()
    found: dict[str, list[str]] = {}
    for name in names:
        is_run = store.run(name) is not None
        run_id = name if is_run else store.newest_run_in(name)
        if run_id is None:
            raise SettingsError(
                _("No run of this ledger made an instance in group {group}. Enable it in the console.", group=name)
            )
        found.setdefault(run_id, []).extend(_groups(store, name) if is_run else [name])
    return {open_run(run_id, store): groups for run_id, groups in found.items()}


@checked
async def first_synchronisation(cloud: "Cloud", run: "Run", *, groups: Collection[str] | None = None) -> pd.DataFrame:
    """Return how far the first copy of each created server's data has come, as the cloud says now.

    ``groups``: of these alone, by their ids.

    Returns
    -------
    pandas.DataFrame
        One row a server with an instance: ``server_id, name, group_id, protected_instance_id, status`` (of the
        instance), ``progress`` (per cent, 0 to 100), ``is_complete``.  A group that is not enabled shows 0: nothing
        is copied yet.

    Raises
    ------
    SettingsError
        The cloud is not the run's own.
    CloudError, CloudUnreachable
        The instances cannot be read.
    """
    await require_own_cloud(cloud, run)
    made = run.servers[lambda frame: frame["stage"].isin(MADE)]
    made = made if groups is None else made[made["group_id"].isin(groups)]
    rows: list[dict[str, Any]] = []
    for group_id, planned in made.groupby("group_id", sort=True):
        found = match_instances(await cloud.sdrs.protected_instances(str(group_id)), planned["server_id"].tolist())
        for row in planned.itertuples():
            instance = found.get(str(row.server_id), {})
            progress = progress_of(instance)
            rows.append(
                {
                    "server_id": row.server_id,
                    "name": row.name,
                    "group_id": group_id,
                    "protected_instance_id": row.protected_instance_id,
                    "status": str(instance.get("status") or ""),
                    "progress": progress,
                    "is_complete": progress == WHOLE,
                }
            )
    return pd.DataFrame(rows, columns=list(_SYNC)).astype(_SYNC)


@checked
async def follow_first_synchronisation(
    cloud: "Cloud",
    run: "Run",
    *,
    groups: Collection[str] | None = None,
    on_change: Callable[[pd.DataFrame], None] | None = None,
    sleep: Callable[[float], Awaitable[None]] | None = None,
) -> pd.DataFrame:
    """Wait until the first copy of every created server is complete; interrupting it changes nothing in the cloud.

    ``on_change`` gets the frame of ``first_synchronisation`` after each look.  Returns the last frame; returns at
    once where a group is not enabled, since nothing would ever change.  Servers that have come to it are recorded as
    ``in sync``.
    """
    await require_own_cloud(cloud, run)
    timing = Timing.of(cloud, sleep)
    while True:
        frame = await first_synchronisation(cloud, run, groups=groups)
        if on_change is not None:
            on_change(frame)
        if bool(frame["is_complete"].all()) or not frame["status"].map(means_protected).astype(bool).any():
            await _record(cloud, run)
            return frame
        await timing.rest(run.pace.longest_look_s)
