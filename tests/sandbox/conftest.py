"""A sandbox in process, spoken to in raw HTTP: no listener, no waiting, no client of ours."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from sdrs_nb.sandbox import Sandbox, Settings


class Cloud:
    """A sandbox whose clock stands still, and an operator's raw requests to it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.service = sandbox.service
        self.project = sandbox.credentials["project_id"]
        token = self.service.directory.issue(self.project)[0]
        transport = httpx.ASGITransport(sandbox.app)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://sandbox", headers={"X-Auth-Token": token})

    @property
    def world(self) -> Any:
        return self.service.world

    def group(self, name: str) -> Any:
        return next(group for group in self.world.groups.values() if group.name == name)

    def plain(self, count: int = 1, word: str = "erp") -> list[str]:
        """Give ids of servers that nothing speaks against: without sharing, locks, special flavors or odd disks."""
        group = self.group(f"pg-{word}")
        world = self.world
        found = [
            server.id
            for server in world.servers.values()
            if (server.vpc_id, server.az, server.status) == (group.vpc_id, group.production_az, "ACTIVE")
            and (server.role, server.billing, server.os_type) == ("production", "0", "Linux")
            and server.id not in world.instance_by_server
            and not (server.locked or server.frozen or server.task_state or server.host_id or server.ecs_group_id)
            and server.flavor_id[:2] in {"s6", "c7", "m7"}
            and len(server.nics) == 1
            and any(entry[2] == "0" for entry in server.volumes)
            and all(self._is_plain(world.volumes[entry[0]]) for entry in server.volumes)
        ]
        return found[:count]

    def cluster(self, size: int) -> list[str]:
        """Give the owners of a shared volume on `size` servers that pg-erp accepts together."""
        site = self.group("pg-erp").vpc_id
        for volume in self.world.volumes.values():
            owners = [self.world.servers[owner] for owner, _ in volume.attachments]
            shared = [v for s in owners for v in (self.world.volumes[e[0]] for e in s.volumes) if v.multiattach]
            if (
                volume.multiattach
                and len(owners) == size
                and all(s.vpc_id == site and s.status == "ACTIVE" and s.role == "production" for s in owners)
                and all(v.attachments == volume.attachments and not v.encrypted for v in shared)
                and volume.id not in self.world.pair_by_volume
            ):
                return [owner.id for owner in owners]
        raise LookupError(size)

    def _is_plain(self, volume: Any) -> bool:
        odd = volume.multiattach or volume.encrypted or volume.order_id or volume.id in self.world.pair_by_volume
        return not odd and volume.status == "in-use" and volume.type in {"SAS", "SSD", "SATA", "GPSSD"}

    async def call(self, method: str, path: str, body: Any = None, **parameters: Any) -> httpx.Response:
        """Send one request; `{p}` in the path stands for the project."""
        return await self.http.request(method, path.replace("{p}", self.project), json=body, params=parameters)

    async def get(self, path: str, **parameters: Any) -> Any:
        answer = await self.call("GET", path, **parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def batch(self, ids: list[str], group: str = "pg-erp", **fields: Any) -> httpx.Response:
        """Ask for a batch; `fields` replace or add fields, a field of `...` leaves it out."""
        inner = {"name_prefix": "web", "server_group_id": self.group(group).id}
        inner |= {"servers": [{"server_id": server_id} for server_id in ids], **fields}
        return await self.call(
            "POST",
            "/v1/{p}/protected-instances/batch",
            {"protected_instances": {name: value for name, value in inner.items() if value is not ...}},
        )

    async def protect(self, servers: list[str], group: str = "pg-erp") -> list[Any]:
        """Protect servers to the end and give their instances."""
        answer = await self.batch(servers, group)
        assert answer.status_code == 202, answer.text
        self.sandbox.advance(300)
        return [self.world.instances[self.world.instance_by_server[server_id]] for server_id in servers]

    async def job(self, answer: httpx.Response) -> Any:
        """Give the job an answer names, as it is now."""
        return await self.get(f"/v1/{{p}}/jobs/{answer.json()['job_id']}")


def code_of(answer: httpx.Response) -> str | int | None:
    """Give the code of an error body, whatever its shape; None for an answer that says yes."""
    if answer.is_success:
        return None
    body = answer.json()
    for holder in (body, *(value for value in body.values() if isinstance(value, dict))):
        if "error_code" in holder or "code" in holder:
            return holder.get("error_code", holder.get("code"))
    return "?"


@pytest.fixture(name="code_of")
def _code_of() -> Callable[[httpx.Response], str | int | None]:
    return code_of


@pytest.fixture(name="make_cloud")
def _make_cloud() -> Callable[..., Cloud]:
    def make(
        servers: int = 240, seed: int = 7, settings: Settings | None = None, speed: float = 0, **options: Any
    ) -> Cloud:
        return Cloud(Sandbox(servers, seed, speed, settings=settings, **options))

    return make


@pytest.fixture(name="cloud")
def _cloud(make_cloud: Callable[..., Cloud]) -> Cloud:
    return make_cloud()
