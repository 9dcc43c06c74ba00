"""One case a code: how the world or the request is spoilt, the rule that must see it, the code that must answer."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sdrs_nb.models import BatchOptions
from sdrs_nb.sandbox import Settings
from sdrs_nb.sandbox.catalogue import AZ_A
from sdrs_nb.sandbox.estate import ERP
from tests.contract.stage import Stage

#: How our side says no: a blocking finding; a warning, because the service decides inside the job; a sentence in place
#: of an eligibility (``PlanError``), of options, or of a plan.
Shown = Literal["blocker", "warning", "check", "options", "plan"]


@dataclass(frozen=True)
class Ask:
    """What is asked for: of our rules, and of the sandbox all the same."""

    server_ids: list[str]
    options: Mapping[str, Any] = field(default_factory=dict)
    group_id: str | None = None
    name_prefix: str = "coverage"


@dataclass(frozen=True)
class Case:
    """A code, the rule that prevents it, and a request that provokes it and nothing else."""

    step: int
    code: str
    rule: str
    state: str
    arrange: Callable[[Stage], Ask]
    shown: Shown = "blocker"
    profile: str = "huaweicloud"
    settings: Mapping[str, Any] = field(default_factory=dict)
    book: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the id of its test."""
        return f"{self.code} {self.rule} {self.state}"

    @property
    def sandbox_settings(self) -> Settings:
        """Return the settings of a site where the code can be seen."""
        return replace(Settings.for_profile(self.profile), **self.settings)


def plain(stage: Stage, /, **ask: Any) -> Ask:
    """Ask for one server in order."""
    return Ask([stage.server().id], **ask)


def options(**given: Any) -> Callable[[Stage], Ask]:
    """Ask for one server in order with these options."""
    return lambda stage: plain(stage, options=given)


def server(**fields: Any) -> Callable[[Stage], Ask]:
    """Ask for a server that differs in these fields from the start."""
    return lambda stage: Ask([stage.server(**fields).id])


def moved(**fields: Any) -> Callable[[Stage], Ask]:
    """Ask for a server that was changed after it was made, its volumes staying as they were."""

    def arrange(stage: Stage) -> Ask:
        asked = stage.server()
        for name, value in fields.items():
            setattr(asked, name, value)
        return Ask([asked.id])

    return arrange


def volume(*, system: bool = False, **fields: Any) -> Callable[[Stage], Ask]:
    """Ask for a server with a volume that differs in these fields."""

    def arrange(stage: Stage) -> Ask:
        asked = stage.server()
        spoilt = stage.system_volume(asked) if system else stage.data_volume(asked)
        for name, value in fields.items():
            setattr(spoilt, name, value)
        return Ask([asked.id])

    return arrange


def group(**fields: Any) -> Callable[[Stage], Ask]:
    """Ask for one server in order and a group that differs in these fields."""

    def arrange(stage: Stage) -> Ask:
        for name, value in fields.items():
            setattr(stage.group, name, value)
        return plain(stage)

    return arrange


def on_host(name: str, **fields: Any) -> Callable[[Stage], Ask]:
    """Ask for a dedicated host by its name, or by an id that nobody has."""

    def arrange(stage: Stage) -> Ask:
        host = stage.host(name) if name.startswith("deh-") else name
        return Ask([stage.server(**fields).id], {"tenancy": "dedicated", "dedicated_host_id": host})

    return arrange


def host_alone(stage: Stage) -> Ask:
    """Ask for a fitting dedicated host without saying that tenancy is dedicated."""
    return plain(stage, options={"dedicated_host_id": stage.host("deh-a-c7")})


def in_pool(name: str) -> Callable[[Stage], Ask]:
    """Ask for a storage pool by its name, or by an id that nobody has."""
    return lambda stage: plain(stage, options={"cluster_id": stage.pool(name) if name.startswith("dss-") else name})


def no_groups(stage: Stage) -> Ask:
    """Ask for a group of a project that has none."""
    stage.world.groups.clear()
    return plain(stage)


def ids(*server_ids: str) -> Callable[[Stage], Ask]:
    """Ask for these server ids, whether they exist or not."""
    return lambda stage: Ask(list(server_ids))


def twice(stage: Stage) -> Ask:
    """Ask for one server twice."""
    return Ask([stage.server().id] * 2)


def with_instance(stage: Stage) -> Ask:
    """Ask for a server of which an instance is left in error."""
    asked = stage.server()
    stage.estate.bare_instance(asked, "pg-erp", "error")
    return Ask([asked.id])


def dr_server(stage: Stage) -> Ask:
    """Ask for a server that is the DR server of another."""
    asked = stage.server()
    instance = stage.estate.bare_instance(stage.server(), "pg-erp", "available")
    instance.target_server = asked.id
    stage.world.instance_by_server[asked.id] = instance.id
    return Ask([asked.id])


def drill_server(stage: Stage) -> Ask:
    """Ask for a server that a drill made; it stands where the group produces."""
    instance = stage.estate.bare_instance(stage.server(), "pg-erp", "available")
    drill = stage.estate.drill("pg-erp", ERP, instance)
    return Ask(list(drill.servers.values()))


def without_volumes(stage: Stage) -> Ask:
    """Ask for a server whose only volume is gone."""
    asked = stage.server()
    stage.world.remove_volume(stage.system_volume(asked).id)
    return Ask([asked.id])


def without_system_volume(stage: Stage) -> Ask:
    """Ask for a server that has a data volume only."""
    asked = stage.server()
    stage.data_volume(asked)
    stage.world.remove_volume(stage.system_volume(asked).id)
    return Ask([asked.id])


def paired(stage: Stage) -> Ask:
    """Ask for a server with a volume in a pair that hangs on nothing."""
    asked = stage.server()
    stage.estate.pair(stage.data_volume(asked), stage.group)
    return Ask([asked.id])


def half_a_cluster(stage: Stage) -> Ask:
    """Ask for one of two servers that share a volume."""
    return Ask(stage.cluster(2)[:1])


def hidden_owner(stage: Stage) -> Ask:
    """Ask for a server that shares a volume with one that nobody can see."""
    asked = stage.server()
    shared = stage.data_volume(asked, multiattach=True)
    shared.attachments.append(("nobody-knows", "/dev/vdb"))
    return Ask([asked.id])


def protected_owner(stage: Stage) -> Ask:
    """Ask for a server that shares a volume with a protected one."""
    first, second = stage.cluster(2)
    stage.estate.bare_instance(stage.world.servers[second], "pg-erp", "error")
    return Ask([first])


def six_that_share(stage: Stage) -> Ask:
    """Ask for a cluster of six."""
    return Ask(stage.cluster(6))


def shared_by_one(stage: Stage) -> Ask:
    """Ask for a server with a shared volume of its own."""
    asked = stage.server()
    stage.data_volume(asked, multiattach=True)
    return Ask([asked.id])


def another_architecture(stage: Stage) -> Ask:
    """Ask for a DR flavor that is not in the resize list."""
    asked = stage.server().id
    return Ask([asked], {"flavors": {asked: "kc1.xlarge.2"}})


def foreign_subnet(stage: Stage) -> Ask:
    """Ask for a subnet of another VPC."""
    return plain(stage, options={"primary_subnet_id": stage.estate.subnet_ids["web"][0]})


def quota(**limits: int) -> Callable[[Stage], Ask]:
    """Ask for one server where a quota is used up."""

    def arrange(stage: Stage) -> Ask:
        asked = plain(stage)
        for name, value in limits.items():
            setattr(stage.world, name, value)
        return asked

    return arrange


def no_pairs_left(stage: Stage) -> Ask:
    """Ask for one server where the pair quota is used up to the last."""
    stage.estate.pair(stage.data_volume(stage.server()), stage.group)
    stage.world.max_pairs = 1
    return plain(stage)


def full_subnet(stage: Stage) -> Ask:
    """Ask for a server whose subnet has no free address."""
    asked = stage.server()
    subnet = stage.world.subnets[asked.nics[0].subnet_id]
    subnet.used = subnet.total
    return Ask([asked.id])


def sold_out(stage: Stage) -> Ask:
    """Ask for a server whose flavor is sold out in the DR AZ."""
    flavors = stage.world.flavors
    flavors["c3.scarce.2"] = replace(flavors["c3.scarce.2"], sale=((stage.group.dr_az, "sellout"),))
    return Ask([stage.server(flavor_id="c3.scarce.2").id])


def one_tag(key: str, value: object) -> Callable[[Stage], Ask]:
    """Ask for one tag."""
    return options(tags={key: value})


def _body() -> Iterator[Case]:
    yield Case(2, "0201", "Q5", "no server in the list", lambda _stage: Ask([], {"batch_limit": 0}))
    yield Case(2, "0202", "Q1", "prefix of 60 characters", lambda stage: plain(stage, name_prefix="x" * 60))
    yield Case(2, "0212", "Q4", "description with a bracket", options(description="a<b"))
    yield Case(2, "0207", "G1", "group id empty", lambda stage: plain(stage, group_id=""), "check")
    yield Case(2, "0228", "Q8", "unknown tenancy", options(tenancy="private"))
    yield Case(2, "0227", "Q9", "host id empty", options(tenancy="dedicated", dedicated_host_id=""))
    yield Case(2, "1371", "Q8", "host without tenancy", host_alone)
    yield Case(2, "0218", "Q9", "pool id empty", options(cluster_id=""))
    yield Case(2, "2203", "Q6", "11 tags", options(tags={f"key{at}": "v" for at in range(11)}))
    yield Case(2, "2205", "Q6", "tag without a key", one_tag("", "v"))
    yield Case(2, "2204", "Q6", "tag key of 37", one_tag("k" * 37, "v"))
    yield Case(2, "2208", "Q6", "tag value null", one_tag("k", None), "options")
    yield Case(2, "2207", "Q6", "tag value of 44", one_tag("k", "v" * 44))
    both = [{"key": "k", "value": "1"}, {"key": "k", "value": "2"}]
    yield Case(2, "2209", "Q6", "tag key twice", options(tags=both))
    yield Case(2, "1362", "H6", "six servers tied together", six_that_share)
    yield Case(2, "1361", "Q5", "a server twice", twice, "check")
    yield Case(2, "0210", "S1", "server id empty", ids(""))


def _group() -> Iterator[Case]:
    yield Case(3, "1013", "G1", "no group at all", no_groups)
    yield Case(3, "1015", "G4", "AZs of the group equal", group(target_az="sandbox-1b"))
    yield Case(3, "1024", "G2", "group starting", group(status="starting"))
    for code in ("1323", "1325", "1002"):
        older = {"group_status_code": f"SDRS.{code}"}
        yield Case(3, code, "G2", "group failed over, older site", group(status="failed-over"), settings=older)


def _servers() -> Iterator[Case]:
    yield Case(4, "1360", "S1", "unknown server", ids("nobody-knows"))
    yield Case(4, "1305", "S4", "an instance is left in error", with_instance)
    yield Case(4, "1305", "S5", "a DR server", dr_server)
    yield Case(4, "1303", "S2", "server in another AZ", moved(az=AZ_A))
    yield Case(4, "1304", "S3", "server in another VPC", lambda stage: moved(vpc_id=stage.estate.vpc_ids["lab"])(stage))
    yield Case(4, "1333", "S7", "status ERROR", server(status="ERROR"))
    yield Case(4, "1333", "S8", "being deleted", server(task_state="deleting"))
    yield Case(4, "1359", "S9", "locked by an order", server(locked=True, lock_source="ORDER"))
    yield Case(4, "1357", "S9", "locked by the system", server(locked=True))
    yield Case(4, "1356", "S13", "bare metal", server(flavor_id="physical.o2.medium", tags=("__type_baremetal",)))
    for rule, flavor in (
        ("S14", "d3.xlarge.8"),
        ("S15", "g6.xlarge.4"),
        ("S16", "kc1.xlarge.2"),
        ("S17", "c6.large.2"),
        ("S18", "e3.7xlarge.12"),
    ):
        yield Case(4, "1356", rule, f"flavor {flavor}, single create", server(flavor_id=flavor), profile="otc")
    yield Case(4, "1353", "P1", "flavor not in the resize list", another_architecture)
    yield Case(4, "1353", "P3", "flavor withdrawn in the DR AZ", server(flavor_id="c3.retired.2"))
    yield Case(4, "1321", "S11", "no volume", without_volumes)
    yield Case(4, "1339", "S12", "no system volume", without_system_volume)
    yield Case(4, "1322", "D3", "system volume in error", volume(system=True, status="error"))
    yield Case(4, "1340", "S20", "13 NICs", server(nics=13))
    no_extension = {"extension_nics_supported": False}
    yield Case(4, "1336", "S21", "two NICs where one is allowed", server(nics=2), "warning", settings=no_extension)
    yield Case(4, "1825", "S6", "a drill server", drill_server)


def _volumes() -> Iterator[Case]:
    yield Case(4, "1802", "D1", "encrypted volume", volume(encrypted=True))
    yield Case(4, "0225", "S10", "frozen", server(frozen=True))
    yield Case(4, "1831", "D4", "data volume in error", volume(status="error_extending"))
    yield Case(4, "1811", "D2", "volume in an idle pair", paired)
    yield Case(4, "1806", "D7", "extreme SSD, single create", volume(type="ESSD"), profile="otc")
    yield Case(4, "1806", "D7", "volume type that nobody names", volume(type="NEW"), "warning")
    yield Case(4, "1810", "D6", "volume in another AZ", volume(az=AZ_A))
    yield Case(5, "1408", "H3", "one of two that share", half_a_cluster)
    yield Case(5, "1408", "H8", "shared with an unknown server", hidden_owner)
    yield Case(5, "1408", "H5", "shared with a protected server", protected_owner)
    yield Case(5, "1806", "H15", "shared volume, newest page", shared_by_one, profile="huaweicloud-2025")
    yield Case(5, "1806", "H15", "shared volume, single create", shared_by_one, profile="otc")


def _placement() -> Iterator[Case]:
    yield Case(6, "1335", "P4", "subnet of another VPC", foreign_subnet)
    without = {"settings": {"deh_supported": False}, "book": {"dedicated_hosts": False}}
    yield Case(6, "1366", "P9", "no dedicated hosts here", options(tenancy="dedicated"), **without)
    yield Case(6, "1372", "P6", "unknown host", on_host("nobody-knows"))
    yield Case(6, "1373", "P6", "host in another AZ", on_host("deh-b-c7"))
    yield Case(6, "1375", "S33", "member of an ECS group", on_host("deh-a-c7", ecs_group_id="ecs-group"))
    yield Case(6, "1374", "P7", "host of another family", on_host("deh-a-s6"))
    without = {"settings": {"dss_supported": False}, "book": {"storage_pools": False}}
    yield Case(6, "1382", "P13", "no storage pools here", in_pool("dss-a-sas"), **without)
    yield Case(6, "1381", "P10", "unknown pool", in_pool("nobody-knows"))
    yield Case(6, "1384", "P10", "pool being deployed", in_pool("dss-a-deploying"))
    yield Case(6, "1383", "P10", "pool in another AZ", in_pool("dss-b-sas"))
    yield Case(6, "1386", "P11", "pool of another type", in_pool("dss-a-ssd"))
    yield Case(6, "1385", "P12", "pool full", in_pool("dss-a-full"))


def _limits() -> Iterator[Case]:
    full = {"settings": {"group_instance_limit": 0}, "book": {"group_instances": 0}}
    yield Case(7, "1358", "G8", "group full", plain, **full)
    yield Case(7, "0306", "G9", "pair quota used up", no_pairs_left, "plan")


def _inside_the_job() -> Iterator[Case]:
    lost = server(os_type="Windows", key_name="KeyPair-lost")
    yield Case(8, "1306", "S22", "key pair of a Windows server gone", lost)
    generic = {"key_pair_code": "SDRS.1350"}
    yield Case(8, "1350", "S22", "the same, with the service's general code", lost, settings=generic)
    colleague = server(os_type="Windows", key_name="KeyPair-own", user_id="a-colleague")
    yield Case(8, "1306", "S23", "key pair that the server's maker does not see", colleague, "warning")
    yield Case(8, "1306", "P8", "no host places automatically", _no_automatic_host, "warning")
    yield Case(8, "1812", "P15", "EVS quota used up", quota(max_volumes=1), "warning")
    yield Case(8, "Ecs.0018", "P3", "flavor sold out in the DR AZ", sold_out)
    yield Case(8, "Ecs.0001", "P14", "ECS quota used up", quota(max_servers=1), "warning")
    yield Case(8, "Ecs.0012", "P5", "no free address", full_subnet, "warning")


def _no_automatic_host(stage: Stage) -> Ask:
    stage.world.hosts.clear()
    return plain(stage, options={"tenancy": "dedicated"})


CASES = (*_body(), *_group(), *_servers(), *_volumes(), *_placement(), *_limits(), *_inside_the_job())


def batch_options(ask: Ask) -> BatchOptions:
    """Return the options asked for; raises where our records cannot hold them."""
    return BatchOptions(**ask.options)
