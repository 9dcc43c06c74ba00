"""Virtual private clouds, subnets, free addresses."""

from typing import ClassVar

from sdrs_nb.cloud.paging import Documents, Page, marked_pages
from sdrs_nb.cloud.service import Samples, Service
from sdrs_nb.cloud.session import segment
from sdrs_nb.cloud.shapes import not_ours
from sdrs_nb.i18n import _

__all__ = ["Vpc"]

_IPV4 = 4


class Vpc(Service):
    """Networks of the project."""

    service = "vpc"
    samples: ClassVar[Samples] = {
        "vpcs": ("/v1/{project_id}/vpcs", {"limit": 1}),
        "subnets": ("/v1/{project_id}/subnets", {"limit": 1}),
    }

    async def vpcs(self) -> Documents:
        """Return every VPC: ``id, name, cidr, status, ...``."""
        return await self._all("vpcs")

    async def subnets(self) -> Documents:
        """Return every subnet: ``id`` (= ``neutron_network_id``), ``name, cidr, vpc_id, status, ...``."""
        return await self._all("subnets")

    async def free_addresses(self, network_id: str) -> int:
        """Return how many IPv4 addresses of a subnet (by its ``neutron_network_id``) are free."""
        path = f"/v2.0/network-ip-availabilities/{segment(network_id)}"
        found = await self._object(path, "network_ip_availability")
        parts = [part for part in found.get("subnet_ip_availability") or () if part.get("ip_version") == _IPV4]
        try:
            return sum(int(part["total_ips"]) - int(part["used_ips"]) for part in parts or [found])
        except (KeyError, TypeError, ValueError):
            raise not_ours(path, "total_ips, used_ips", _("whole numbers")) from None

    async def _all(self, kind: str) -> Documents:
        path = f"/v1/{{project_id}}/{kind}"

        async def fetch(marker: str | None, size: int) -> Page:
            return await self._page(path, kind, {"limit": size, "marker": marker})

        return await marked_pages(fetch, path=path, key="id", size=1000, follow="id")
