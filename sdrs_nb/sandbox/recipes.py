"""The cases of an estate: every rule of the documents met by at least one small group of servers.

The VPC ``lab`` deserves a word: its only group is in ``error-starting``, so that nothing in it can be protected
until somebody repairs the group. Servers whose refusal or failure cannot be seen beforehand live there; they
become reachable once the group is repaired, and do not spoil a first run.
"""

from collections.abc import Callable
from dataclasses import dataclass

from .estate import AZ_C, CRM, ERP, ERP_ELSEWHERE, LAB, ORPHAN, WEB, Estate, Site


@dataclass(frozen=True, slots=True)
class Recipe:
    """A small case for the estate: what it is called, how many servers it adds, and how."""

    name: str
    size: int
    cook: Callable[[Estate], object]


def _protect(site: Site, group: str, status: str | None = None) -> Callable[[Estate], object]:
    return lambda e: e.protect(e.server(site), group, status)


def _switched(estate: Estate) -> None:
    # Protected in AZ a, switched over since: the server in AZ b works now, the one in AZ a stands by.
    _, double = estate.protect(estate.server(WEB, status="SHUTOFF"), "pg-web-switched")
    double.status = "ACTIVE"


def _failed_over(estate: Estate) -> None:
    _, double = estate.protect(
        estate.server(Site("crm", AZ_C, "crm-c"), status="SHUTOFF"), "pg-crm-legacy", "failed-over"
    )
    double.status = "ACTIVE"


def _cluster(size: int) -> Callable[[Estate], object]:
    return lambda e: e.share([e.server(ERP, data_disks=0) for _ in range(size)])


def _chain(estate: Estate) -> None:
    # A-d1-B-d2-C: A and C share nothing and still must travel together.
    first, middle, last = (estate.server(ERP, data_disks=0) for _ in range(3))
    estate.share([first, middle])
    estate.share([middle, last])


def _cluster_with_ineligible(estate: Estate) -> None:
    sick = estate.server(ERP, data_disks=0, status="ERROR")
    estate.share([estate.server(ERP, data_disks=0), estate.server(ERP, data_disks=0), sick])


def _cluster_with_protected(estate: Estate) -> None:
    first, second, third = (estate.server(ERP, data_disks=0) for _ in range(3))
    estate.protect(first, "pg-erp")
    shared = estate.share([first, second, third])
    pair = estate.pair(shared, estate.groups["pg-erp"])
    instance_id = estate.world.instance_by_server[first.id]
    estate.world.hang_pair(pair, instance_id, "/dev/vdb")
    double = estate.world.servers[estate.world.instances[instance_id].target_server]
    estate.world.attach(double, estate.world.volumes[pair.target_volume], "/dev/vdb", "1")


def _cluster_encrypted(estate: Estate) -> None:
    estate.share([estate.server(ERP, data_disks=0), estate.server(ERP, data_disks=0)]).encrypted = True


def _scaling(*, created: bool) -> Callable[[Estate], object]:
    def cook(estate: Estate) -> None:
        server = estate.server(ERP)
        configuration = estate.world.new_uuid() if created else ""
        estate.scaling["erp"].members[server.id] = (configuration, not created)

    return cook


def _no_system_disk(estate: Estate) -> None:
    server = estate.server(ERP, data_disks=1)
    system = server.volumes[0][0]
    estate.world.remove_volume(system)


def _no_disk(estate: Estate) -> None:
    server = estate.server(ERP, data_disks=0)
    estate.world.remove_volume(server.volumes[0][0])


def _volume_with(site: Site = ERP, *, system: bool = False, **fields: object) -> Callable[[Estate], object]:
    def cook(estate: Estate) -> None:
        server = estate.server(site, data_disks=1)
        volume = estate.world.volumes[server.volumes[0 if system else 1][0]]
        for name, value in fields.items():
            setattr(volume, name, value)

    return cook


def _idle_pair(estate: Estate) -> None:
    server = estate.server(ERP, data_disks=1)
    estate.pair(estate.world.volumes[server.volumes[1][0]], estate.groups["pg-erp"])


def _drill(estate: Estate) -> None:
    # The drill VPC is another VPC than the group's, and a group works there: only the drill speaks against it.
    instance, _ = estate.protect(estate.server(WEB), "pg-web")
    estate.drill("pg-web", ERP, instance)


def _invalid(estate: Estate) -> None:
    instance, double = estate.protect(estate.server(WEB), "pg-web", "invalid")
    estate.world.remove_server(double.id)
    for pair in estate.world.pairs_of(instance.id):
        pair.status = "invalid"


def _no_address(estate: Estate) -> None:
    server = estate.server(LAB)
    full = next(s for s in estate.world.subnets.values() if s.name == "subnet-lab-full")
    estate.world.subnets[server.nics[0].subnet_id].used -= 1
    server.nics = (estate.world.new_nic(full),)
    full.used -= 1


def _other_vpc(estate: Estate) -> None:
    estate.share([estate.server(ERP, data_disks=0), estate.server(ORPHAN, data_disks=0)])


def _one(site: Site = ERP, **fields: object) -> Callable[[Estate], object]:
    return lambda e: e.server(site, **fields)  # type: ignore[arg-type]


RECIPES = (
    Recipe("already protected", 2, _protect(WEB, "pg-web")),
    Recipe("windows, key pair gone", 1, lambda e: e.windows(ERP, "KeyPair-lost")),
    Recipe("shared by two", 2, _cluster(2)),
    Recipe("wrong AZ", 1, _one(ERP_ELSEWHERE)),
    Recipe("wrong VPC", 1, _one(ORPHAN)),
    Recipe("made by auto scaling", 1, _scaling(created=True)),
    Recipe("enterprise project", 1, lambda e: e.server(ERP, eps_id=e.eps_ids[0])),
    Recipe("encrypted disk", 1, _volume_with(encrypted=True)),
    Recipe("protected, instance in error", 1, lambda e: e.bare_instance(e.server(ERP), "pg-erp", "error")),
    Recipe("shared in a chain", 3, _chain),
    Recipe("shared with an ineligible server", 3, _cluster_with_ineligible),
    Recipe("shared with a protected server", 4, _cluster_with_protected),
    Recipe("shared by five", 5, _cluster(5)),
    Recipe("shared by six", 6, _cluster(6)),
    Recipe("shared by seven", 7, _cluster(7)),
    Recipe("shared disk, one owner", 1, _cluster(1)),
    Recipe("lab: protected, group to be repaired", 2, _protect(LAB, "pg-lab")),
    Recipe("protected in a switched-over group", 2, _switched),
    Recipe("protected, not started", 2, _protect(ERP, "pg-erp")),
    Recipe("linux, key pair gone", 1, _one(key_name="KeyPair-lost")),
    Recipe("added to auto scaling by hand", 1, _scaling(created=False)),
    Recipe("disk in an idle pair", 1, _idle_pair),
    Recipe("locked by the system", 1, _one(locked=True)),
    Recipe("locked by an order", 1, _one(locked=True, lock_source="ORDER")),
    Recipe("frozen", 1, _one(frozen=True)),
    Recipe("no disk", 1, _no_disk),
    Recipe("no system disk", 1, _no_system_disk),
    Recipe("thirteen NICs", 1, _one(nics=13)),
    Recipe("twelve NICs", 1, _one(nics=12)),
    Recipe("status ERROR", 1, _one(status="ERROR")),
    Recipe("status BUILD", 1, _one(status="BUILD")),
    Recipe("being deleted", 1, _one(task_state="deleting")),
    Recipe("powering on", 1, _one(status="SHUTOFF", task_state="powering-on")),
    Recipe("yearly/monthly", 1, _one(billing="1")),
    Recipe("spot", 1, _one(billing="2")),
    Recipe("local disks", 1, _one(flavor_id="d3.xlarge.8")),
    Recipe("GPU", 1, _one(flavor_id="g6.xlarge.4")),
    Recipe("Kunpeng", 1, _one(flavor_id="kc1.xlarge.2")),
    Recipe("bare metal", 1, _one(flavor_id="physical.o2.medium", tags=("__type_baremetal",))),
    Recipe("system disk in error", 1, _volume_with(system=True, status="error")),
    Recipe("data disk in error", 1, _volume_with(status="error_extending")),
    Recipe("ESSD disk", 1, _volume_with(type="ESSD")),
    Recipe("prepaid disk", 1, _volume_with(order_id="CS2603020200")),
    Recipe("in an ECS group", 1, lambda e: e.server(ERP, ecs_group_id=e.ecs_groups[0])),
    Recipe("on a dedicated host", 1, lambda e: e.server(ERP, flavor_id="c7.large.2", host_id=e.host_ids[2])),
    Recipe("windows, key pair there", 1, lambda e: e.windows(ERP, "KeyPair-ops")),
    Recipe("drill", 3, _drill),
    Recipe("shared across VPCs", 2, _other_vpc),
    Recipe("shared and encrypted", 2, _cluster_encrypted),
    Recipe("protected, DR server gone", 1, _invalid),
    Recipe("starting", 2, _protect(CRM, "pg-crm")),
    Recipe("failed over", 2, _failed_over),
    Recipe("lab: disk type not sold", 1, _volume_with(LAB, type="DESS-X")),
    Recipe("lab: flavor no longer sold", 1, _one(LAB, flavor_id="c3.retired.2")),
    Recipe("lab: flavor sold out", 1, _one(LAB, flavor_id="c3.scarce.2")),
    Recipe("lab: disk in another AZ", 1, _volume_with(LAB, az=AZ_C)),
    Recipe("lab: no free address", 1, _no_address),
    Recipe("lab: key pair of a colleague", 1,
           lambda e: e.windows(LAB, "KeyPair-colleague", user_id=e.colleague_id)),
    Recipe("lab: plain", 1, _one(LAB)),
)  # fmt: skip
