"""A sandbox cloud in this process with servers that nothing speaks against, for tests that spoil exactly one thing."""

import random
from contextlib import asynccontextmanager

import httpx

from sdrs_nb.cloud import connect
from sdrs_nb.sandbox import Sandbox, Settings
from sdrs_nb.sandbox.estate import ERP, Estate, Site
from sdrs_nb.sandbox.records import Server, Volume

FLAVOR = "c7.large.2"


class Stage:
    """The smallest estate: every protection group, one plain server nobody asks for, and what a test adds."""

    def __init__(self, settings: Settings | None = None, seed: int = 7) -> None:
        self.sandbox = Sandbox(1, seed, 0, settings=settings or Settings())
        self.world = self.sandbox.service.world
        self.estate = Estate(self.world, random.Random(seed), self.sandbox.service.directory.user_id)
        self.estate.vpc_ids = {vpc.name.removeprefix("vpc-"): vpc.id for vpc in self.world.vpcs.values()}
        self.estate.subnet_ids = {
            name: [subnet.id for subnet in self.world.subnets.values() if subnet.vpc_id == vpc_id]
            for name, vpc_id in self.estate.vpc_ids.items()
        }
        self.estate.groups = {group.name: group for group in self.world.groups.values()}
        self.group = self.estate.groups["pg-erp"]

    def server(self, site: Site = ERP, **fields: object) -> Server:
        """Add a server that a group of the site accepts, but for what ``fields`` change."""
        given = {"flavor_id": FLAVOR, "key_name": "KeyPair-ops", "image_name": "CentOS 7.9 64bit", "data_disks": 0}
        server = self.estate.server(site, **(given | fields))  # type: ignore[arg-type]
        self.system_volume(server).type = "SAS"
        return server

    def system_volume(self, server: Server) -> Volume:
        """Return a server's system volume."""
        return self.world.volumes[server.volumes[0][0]]

    def data_volume(self, server: Server, **fields: object) -> Volume:
        """Add a data volume to a server."""
        return self.estate.volume(server, 20, **({"type": "SAS"} | fields))  # type: ignore[arg-type]

    def cluster(self, size: int) -> list[str]:
        """Add servers that share one volume and return their ids."""
        servers = [self.server() for _ in range(size)]
        self.estate.share(servers)
        return [server.id for server in servers]

    def host(self, name: str) -> str:
        """Return the id of a dedicated host."""
        return next(host.id for host in self.world.hosts.values() if host.name == name)

    def pool(self, name: str) -> str:
        """Return the id of a storage pool."""
        return next(pool.id for pool in self.world.pools.values() if pool.name == name)

    @asynccontextmanager
    async def cloud(self):
        """Connect our client to the sandbox, without a listener."""
        keys = self.sandbox.credentials
        async with connect(
            endpoint="http://sandbox.test",
            project_id=keys["project_id"],
            access_key=keys["access_key"],
            secret_key=keys["secret_key"],
            transport=httpx.ASGITransport(self.sandbox.app),
        ) as connected:
            yield connected
