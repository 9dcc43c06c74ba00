"""Lists of the whole project that the groups of a run share, each reader saying how old they may be."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sdrs_nb.cloud import Cloud

__all__ = ["SharedFacts"]

Documents = list[dict[str, Any]]
#: Rows up to which a list of the project is as quickly read as one of a group.
_FEW = 200


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
        self._locks = {"instances": asyncio.Lock(), "pairs": asyncio.Lock()}

    async def instances(self, since: datetime) -> Documents:
        """Return every protected instance of the project, read not before ``since``."""
        return await self._read("instances", since, self._cloud.sdrs.protected_instances)

    async def pairs(self, since: datetime) -> Documents:
        """Return every replication pair of the project, read not before ``since``."""
        return await self._read("pairs", since, self._cloud.sdrs.replication_pairs)

    async def instances_of(self, group_id: str, since: datetime) -> Documents:
        """Return the instances of a group, read not before ``since``, in the way that costs less.

        A list of the project serves every group that asks at about the same time, and the next re-check; where the
        project has many, the group alone is asked.
        """
        held = self._readings.get("instances")
        if held is None or len(held.documents) > _FEW:
            return await self._cloud.sdrs.protected_instances(group_id)
        return [one for one in await self.instances(since) if one.get("server_group_id") == group_id]

    def latest_instances(self) -> Documents:
        """Return the instances as they were last read, of whatever age; nothing is asked."""
        held = self._readings.get("instances")
        return held.documents if held else []

    async def _read(self, kind: str, since: datetime, fetch: Callable[[], Awaitable[Documents]]) -> Documents:
        async with self._locks[kind]:
            held = self._readings.get(kind)
            if held is None or held.begun < since:
                begun = self._clock()
                held = self._readings[kind] = _Reading(begun, await fetch())
            return held.documents
