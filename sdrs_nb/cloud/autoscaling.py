"""Auto scaling: which servers belong to a scaling group."""

from typing import ClassVar

from sdrs_nb.cloud.paging import Documents, Page, all_side_by_side, received, row_pages
from sdrs_nb.cloud.service import Samples, Service
from sdrs_nb.cloud.session import segment

__all__ = ["AutoScaling"]

_ROOT = "/autoscaling-api/v1/{project_id}"
#: Largest page of these lists (cloud-apis 9).
PAGE = 100


class AutoScaling(Service):
    """Scaling groups and their servers."""

    service = "autoscaling"
    samples: ClassVar[Samples] = {"scaling_instances": (f"{_ROOT}/scaling_group", {"limit": 1})}

    async def groups(self) -> Documents:
        """Return every scaling group: ``scaling_group_id, scaling_group_name, ...``."""
        return await self._all(f"{_ROOT}/scaling_group", "scaling_groups", "scaling_group_id")

    async def instances(self) -> Documents:
        """Return the instances of every scaling group; groups are read side by side.

        ``instance_id`` is the server; ``scaling_configuration_id`` is empty where it was added by hand.  Raises
        ``ListIncompleteError``, with the instances that were received, where a list cannot be read whole.
        """
        groups, short = await received(self.groups())
        ids = [str(group.get("scaling_group_id")) for group in groups]
        lists = await all_side_by_side(received(self._instances_of(group_id)) for group_id in ids)
        rows = [
            {"scaling_group_id": group_id, **row}
            for group_id, (part, _error) in zip(ids, lists, strict=True)
            for row in part
        ]
        if error := short or next((error for _part, error in lists if error), None):
            raise error.holding(rows)
        return rows

    async def _instances_of(self, group_id: str) -> Documents:
        path = f"{_ROOT}/scaling_group_instance/{segment(group_id)}/list"
        return await self._all(path, "scaling_group_instances", "instance_id")

    async def _all(self, path: str, kind: str, key: str) -> Documents:
        async def fetch(row: int, size: int) -> Page:
            return await self._page(path, kind, {"start_number": row, "limit": size}, total="total_number")

        return await row_pages(fetch, path=path, key=key, size=PAGE)
