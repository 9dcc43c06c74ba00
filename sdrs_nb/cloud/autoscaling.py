"""Auto scaling: which servers belong to a scaling group."""

from sdrs_nb.cloud.paging import Documents, Page, all_side_by_side, counted_pages
from sdrs_nb.cloud.service import Service
from sdrs_nb.cloud.session import segment

__all__ = ["AutoScaling"]

_ROOT = "/autoscaling-api/v1/{project_id}"
#: Largest page of these lists (cloud-apis 9).
PAGE = 100


class AutoScaling(Service):
    """Scaling groups and their servers."""

    service = "autoscaling"

    async def groups(self) -> Documents:
        """Return every scaling group: ``scaling_group_id, scaling_group_name, ...``."""
        return await self._all(f"{_ROOT}/scaling_group", "scaling_groups", "scaling_group_id")

    async def instances(self) -> Documents:
        """Return the instances of every scaling group; groups are read side by side.

        ``instance_id`` is the server; ``scaling_configuration_id`` is empty where it was added by hand.
        """
        groups = await self.groups()
        lists = await all_side_by_side(self._instances_of(str(group.get("scaling_group_id"))) for group in groups)
        return [row for rows in lists for row in rows]

    async def _instances_of(self, group_id: str) -> Documents:
        path = f"{_ROOT}/scaling_group_instance/{segment(group_id)}/list"
        rows = await self._all(path, "scaling_group_instances", "instance_id")
        return [{"scaling_group_id": group_id, **row} for row in rows]

    async def _all(self, path: str, kind: str, key: str) -> Documents:
        async def fetch(number: int, size: int) -> Page:
            query = {"start_number": number * size, "limit": size}
            return await self._page(path, kind, query, total="total_number")

        return await counted_pages(fetch, key=key, size=PAGE)
