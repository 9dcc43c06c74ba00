"""Lists of the whole project that the groups of a run share, each reader saying how old they may be."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sdrs_nb.inventory.loading import documents_of

if TYPE_CHECKING:
    from sdrs_nb.cloud import Cloud

__all__ = ["SharedFacts"]

Documents = list[dict[str, Any]]
#: Rows up to which a list of the project is as quickly read as one of a group.
_FEW = 200
_ALL = "instances"


@dataclass(frozen=True)
class _Reading:
    begun: datetime
    documents: Documents


class SharedFacts:
    """Protected instances and replication pairs of the project, read once for all groups that need them now.

    Parameters
    ----------
    cloud
        Where to read.
    clock
        Returns the present time; a reading is as old as the moment it was begun.
    """

    def __init__(self, cloud: "Cloud", clock: Callable[[], datetime]) -> None:
        self._cloud = cloud
        self._clock = clock
        self._readings: dict[str, _Reading] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._ahead: dict[str, asyncio.Task[Documents]] = {}

    async def instances(self, since: datetime) -> Documents:
        """Return every protected instance of the project, read not before ``since``."""
        return await self._held_or_read(_ALL, since, self._cloud.sdrs.protected_instances)

    async def pairs(self, since: datetime) -> Documents:
        """Return every replication pair of the project, read not before ``since``."""
        return await self._held_or_read("pairs", since, self._cloud.sdrs.replication_pairs)

    async def documents_of(self, frame: str, since: datetime) -> Documents:
        """Return the documents of any frame of an inventory, read not before ``since``."""
        return await self._held_or_read(frame, since, lambda: documents_of(self._cloud, frame))

    async def instances_of(self, group_id: str, since: datetime) -> Documents:
        """Return the instances of a group, read not before ``since``, in the way that costs less.

        A list of the project serves every group that asks at about the same time; where the project has many, the
        group alone is asked, and what was read serves the group's next re-check.
        """
        project = self._readings.get(_ALL)
        if project is not None and (project.begun >= since or len(project.documents) <= _FEW):
            return [one for one in await self._read(_ALL, since, self._cloud.sdrs.protected_instances)
                    if one.get("server_group_id") == group_id]  # fmt: skip
        return await self._read(group_id, since, lambda: self._cloud.sdrs.protected_instances(group_id))

    def latest_instances(self) -> Documents:
        """Return the instances of the project as they were last read, of whatever age; nothing is asked."""
        held = self._readings.get(_ALL)
        return held.documents if held else []

    async def close(self) -> None:
        """Give up what is being read ahead."""
        for task in self._ahead.values():
            task.cancel()
        await asyncio.gather(*self._ahead.values(), return_exceptions=True)

    async def _held_or_read(self, kind: str, since: datetime, fetch: Callable[[], Awaitable[Documents]]) -> Documents:
        """Return what is held if it is young enough; past half its age, read ahead so that nobody has to wait."""
        documents = await self._read(kind, since, fetch)
        now = self._clock()
        task = self._ahead.get(kind)
        if self._readings[kind].begun < since + (now - since) / 2 and (task is None or task.done()):
            if task is not None and not task.cancelled():
                task.exception()  # read here: who needs the list will meet the same error again, and handle it
            self._ahead[kind] = asyncio.get_running_loop().create_task(self._read(kind, now, fetch))
        return documents

    async def _read(self, kind: str, since: datetime, fetch: Callable[[], Awaitable[Documents]]) -> Documents:
        held = self._readings.get(kind)
        if held is not None and held.begun >= since:
            return held.documents
        async with self._locks[kind]:
            held = self._readings.get(kind)
            if held is None or held.begun < since:
                begun = self._clock()
                held = self._readings[kind] = _Reading(begun, await fetch())
            return held.documents
