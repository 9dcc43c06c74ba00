"""Documents as the cloud sends them, valid by default, and a cloud that hands them out."""

from contextlib import AbstractContextManager, nullcontext
from types import SimpleNamespace
from typing import Any

from sdrs_nb.errors import ListIncompleteError, PermissionDeniedError, ServiceError
from sdrs_nb.settings import Settings

Document = dict[str, Any]


def a_server_document(server_id: str = "server-1", *, metadata: Any = None, **overrides: Any) -> Document:
    """Return a server as ECS lists it; ``metadata`` is added to (or, when no mapping, stands for) the usual."""
    usual = {"vpc_id": "vpc-1", "charging_mode": "0", "os_type": "Linux", "image_name": "EulerOS", "lockSource": ""}
    return {
        "id": server_id,
        "name": f"name of {server_id}",
        "status": "ACTIVE",
        "OS-EXT-STS:task_state": None,
        "OS-EXT-AZ:availability_zone": "az-1",
        "OS-EXT-SRV-ATTR:root_device_name": "/dev/vda",
        "OS-EXT-SRV-ATTR:hostname": server_id,
        "metadata": usual | metadata if isinstance(metadata, dict) else usual,
        "addresses": {"vpc-1": [an_address("10.0.0.1", "port-1")]},
        "flavor": {"id": "s6.large.2", "vcpus": "2", "ram": "4096", "gpus": [], "asic_accelerators": []},
        "os-extended-volumes:volumes_attached": [{"id": "volume-1", "device": "/dev/vda", "bootIndex": "0"}],
        "security_groups": [{"id": "1", "name": "default"}],
        "tags": ["owner=ops", "bare"],
        "os:scheduler_hints": {},
        "locked": False,
        "created": "2024-01-31T01:02:03Z",
    } | overrides


def an_address(address: str, port: str | None, kind: str = "fixed") -> Document:
    """Return one address of a server."""
    return {"addr": address, "version": "4", "OS-EXT-IPS:type": kind, "OS-EXT-IPS:port_id": port}


def a_volume_document(volume_id: str = "volume-1", server_id: str = "server-1", **overrides: Any) -> Document:
    """Return a volume as EVS lists it, attached to one server."""
    return {
        "id": volume_id,
        "name": f"name of {volume_id}",
        "size": 40,
        "status": "in-use",
        "availability_zone": "az-1",
        "multiattach": False,
        "encrypted": True,
        "bootable": "true",
        "volume_type": "SSD",
        "metadata": {},
        "attachments": [{"server_id": server_id, "volume_id": volume_id, "device": "/dev/sda"}],
        "created_at": "2024-01-31T01:02:03.456789",
    } | overrides


def a_group_document(group_id: str = "group-1", **overrides: Any) -> Document:
    """Return a protection group as SDRS lists it."""
    return {
        "id": group_id,
        "name": f"name of {group_id}",
        "status": "available",
        "source_availability_zone": "az-1",
        "target_availability_zone": "az-2",
        "priority_station": "source",
        "source_vpc_id": "vpc-1",
        "target_vpc_id": "vpc-1",
        "created_at": "2024-01-31 01:02:03.74",
    } | overrides


def denied(path: str = "/path") -> PermissionDeniedError:
    """Return what a call without permission raises."""
    return PermissionDeniedError("Not allowed.", method="GET", path=path, status=403, code="APIGW.0302")


def broken(path: str = "/path") -> ServiceError:
    """Return what a call to a failing service raises."""
    return ServiceError("The service failed.", method="GET", path=path, status=503)


def cut_short(*documents: Document, announced: int | None = 9, path: str = "/path") -> ListIncompleteError:
    """Return what a list raises of which only these documents came."""
    return ListIncompleteError(
        "Short.", path=path, received=len(documents), announced=announced, documents=list(documents)
    )


class HandedOut:
    """A cloud that answers each list with what it was given: documents, or an exception to raise.

    ``asked`` keeps the lists that were asked for, in order.
    """

    def __init__(self, **answers: list[Document] | Exception) -> None:
        self.asked: list[str] = []
        self.settings = Settings(region="region-1")
        self.recorded_batches: tuple[tuple[str, ...], ...] = ()
        self._answers = answers
        self.ecs = SimpleNamespace(
            servers=self._list("servers"),
            flavors=self._list("flavors"),
            resize_flavors=self._list("resize_flavors"),
            limits=self._object("ecs_limits"),
        )
        self.evs = SimpleNamespace(volumes=self._list("volumes"), quota=self._object("evs_quota"))
        self.deh = SimpleNamespace(hosts=self._list("dedicated_hosts"))
        self.dss = SimpleNamespace(pools=self._list("storage_pools"))
        self.vpc = SimpleNamespace(vpcs=self._list("vpcs"), subnets=self._list("subnets"))
        self.kps = SimpleNamespace(key_pairs=self._list("key_pairs"))
        self.autoscaling = SimpleNamespace(instances=self._list("scaling_instances"))
        self.eps = SimpleNamespace(enterprise_projects=self._list("enterprise_projects"))
        names = ("groups", "protected_instances", "replication_pairs", "quotas", "drills", "domains")
        self.sdrs = SimpleNamespace(**{name: self._list(name) for name in names})

    def telling(self, _on_wait: Any) -> AbstractContextManager[None]:
        """Tell nothing: what is handed out never waits."""
        return nullcontext()

    async def check(self) -> SimpleNamespace:
        """Prove the credentials, or raise what was given for it."""
        self.asked.append("check")
        if isinstance(failure := self._answers.get("check"), Exception):
            raise failure
        return SimpleNamespace(
            project_id="project-1",
            region="region-1",
            user_id="user-1",
            user_name="ops",
            endpoint="https://cloud.test",
            world="",
        )

    def _object(self, name: str) -> Any:
        """Answer with the first document given under ``name``, or an empty one."""

        async def answer() -> Document:
            found: list[Document] = await self._list(name)()
            return found[0] if found else {}

        return answer

    def _list(self, name: str) -> Any:
        async def answer(_of: Any = None, on_page: Any = None) -> list[Document]:
            self.asked.append(name)
            given = self._answers.get(name, [])
            if isinstance(given, Exception):
                raise given
            if on_page:
                on_page(len(given), len(given))
            return given

        return answer
