"""How a create request unfolds: instance, pairs, DR server and sub-job along a timeline.

At acceptance the instance is there in ``creating``. At 30 % its pairs appear, at 70 % the DR disks and the DR server
(SHUTOFF, in the DR AZ, with the production server's name), at 100 % everything settles or has failed.
"""

import math
from collections.abc import Callable
from typing import Any

from . import statuses
from .catalogue import can_resize
from .errors import MESSAGES
from .jobs import Failure, Subject, close_job, close_parent, open_job
from .placement import automatic_host
from .records import Flavor, Instance, Job, Pair, Server, Volume
from .routing import CloudCall
from .validation import Order
from .world import World

_PAIRS_AT, _SERVER_AT = 0.3, 0.7
_SUB_JOB_STEP_S = 0.012


def start_batch(call: CloudCall, order: Order) -> Job:
    """Begin a batch: the parent job and one creation per server, in the order of the request."""
    world = call.world
    group_entity = {"server_group_id": order.group.id}
    parent = open_job(world, call.settings.batch_create_job_type, call.now, dict(group_entity))
    creations = _open_creations(call, order, is_sub_job=True)
    # ASSUMED: sub_job_order, sub_job_shape: one a server, in the order of the request.
    parent.sub_jobs = [creation.job for creation in creations][
        :: -1 if call.settings.sub_job_order == "reversed" else 1
    ]

    def run(at: float) -> None:
        del at
        parent.status = "RUNNING"

    def check_end(at: float) -> None:
        close_parent(world, parent, at, call.settings)

    world.at(call.now + call.settings.tick_s, run)
    for creation in creations:
        creation.after_end = check_end
    if call.effects.vanish_s is not None:
        parent.vanishes_at = call.now + call.effects.vanish_s
    world.touch()
    return parent


def start_single(call: CloudCall, order: Order) -> Job:
    """Begin a single create: the same as one server of a batch, without a parent."""
    creation = _open_creations(call, order, is_sub_job=False)[0]
    creation.address = order.address
    if call.effects.vanish_s is not None:
        creation.job.vanishes_at = call.now + call.effects.vanish_s
    call.world.touch()
    return creation.job


def _open_creations(call: CloudCall, order: Order, *, is_sub_job: bool) -> "list[Creation]":
    pairs: dict[str, Pair] = {}
    creations = []
    for position, ((server, flavor), name) in enumerate(zip(order.servers, order.names, strict=True)):
        begin = round(call.now + (call.settings.tick_s - 0.1 + position * _SUB_JOB_STEP_S) * is_sub_job, 3)
        instance = _open_instance(call, order, server, name)
        for volume_id, device, _ in server.volumes:
            if volume_id not in pairs:
                # Counted against the quota from the start, listed from 30 % on.
                ids = {"id": call.world.new_uuid(), "target_volume": call.world.new_uuid()}
                volume = call.world.volumes[volume_id]
                pairs[volume_id] = call.world.add_pair(
                    volume, order.group, call.now, status="creating", listed=False, **ids
                )
            call.world.hang_pair(pairs[volume_id], instance.id, device)
        entities: dict[str, object] = {"server_group_id": order.group.id, "protected_instance_id": instance.id}
        job = open_job(call.world, "createProtectedInstanceNoCG", begin, entities, is_sub_job=is_sub_job)
        # Sub-jobs may appear late: never before they begin, and later when a fault says so.
        job.listed_from = begin + call.effects.late_s if call.settings.sub_jobs_shown else math.inf
        creation = Creation(call, order, server, flavor, instance, job)
        creation.schedule(position, is_sub_job=is_sub_job)
        creations.append(creation)
    return creations


def _open_instance(call: CloudCall, order: Order, server: Server, name: str) -> Instance:
    instance = Instance(
        id=call.world.new_uuid(),
        name=name,
        description=order.description,
        group_id=order.group.id,
        status="creating",
        source_server=server.id,
        created=call.now,
        updated=call.now,
        station=order.group.station,
        tags=dict(order.tags),
        listed_from=call.now + call.effects.lag_s,
    )
    call.world.add_instance(instance)
    call.world.creations[server.id] = call.world.creations.get(server.id, 0) + 1
    return instance


class Creation:
    """One server on its way to being protected."""

    def __init__(  # noqa: PLR0917 - the parts of one creation
        self, call: CloudCall, order: Order, server: Server, flavor: Flavor, instance: Instance, job: Job
    ) -> None:
        self.world: World = call.world
        self.settings = call.settings
        self.effects = call.effects
        self.user_id = call.caller.user_id
        self.order = order
        self.server = server
        self.flavor = flavor
        self.instance = instance
        self.job = job
        self.address = ""
        self.failure: Failure | None = None
        self.after_end: Callable[[float], None] | None = None

    def schedule(self, position: int, *, is_sub_job: bool) -> None:
        """Put the steps on the clock."""
        begin, length = self.job.begin, self.world.draws.uniform(*self.settings.create_s)
        forced = self.effects.fail.get(position + 1)
        if forced:
            text = MESSAGES.get(forced, "the neighbour service refused")
            self.failure = Failure(forced, f"SdrsCreateNativeServerTask-fail:{text}")
        running_at = begin if is_sub_job else begin + self.settings.tick_s
        self.world.at(running_at, self._run)
        self.world.at(round(begin + _PAIRS_AT * length, 3), self._show_pairs)
        self.world.at(round(begin + _SERVER_AT * length, 3), self._make_double)
        if not self.effects.stuck:
            self.world.at(round(begin + length, 3), self._end)

    def _run(self, at: float) -> None:
        del at
        self.job.status = "RUNNING"

    def _show_pairs(self, at: float) -> None:
        for pair in self.world.pairs_of(self.instance.id):
            pair.listed, pair.updated = True, at

    def _make_double(self, at: float) -> None:
        self.failure = self.failure or self._lack_of_key() or self._lack_of_room()
        if self.failure:
            return
        double = self._add_double(at)
        for pair in self.world.pairs_of(self.instance.id):
            if pair.target_volume not in self.world.volumes:
                self._add_dr_volume(pair, at)
            pair.updated = at
            boot_index = "0" if pair.bootable else str(len(double.volumes) or 1)
            self.world.attach(
                double, self.world.volumes[pair.target_volume], pair.attachments[self.instance.id], boot_index
            )
        self.instance.target_server, self.instance.updated = double.id, at
        self.world.instance_by_server[double.id] = self.instance.id
        self.job.entities["native_server_id"] = double.id

    def _lack_of_key(self) -> Failure | None:
        world, server = self.world, self.server
        # Batch create page, constraints: Windows with key-pair login needs the key pair, else the DR server fails.
        if server.os_type == "Windows" and server.key_name:
            # OTC FAQ: a key pair of one user helps only when that user made the server and asks for its protection.
            visible = [set(world.keys_visible_to(user)) for user in (server.user_id, self.user_id)]
            if server.key_name not in {pair.name for pair in visible[0] & visible[1]}:
                return Failure(self.settings.key_pair_code, "SdrsCreateNativeServerTask-fail:key pair not found")
        return None

    def _lack_of_room(self) -> Failure | None:
        world, task = self.world, "SdrsCreateNativeServerTask-fail:"
        if self.flavor.sale_status(self.order.group.dr_az) == "sellout":
            return Failure("Ecs.0018", f"{task}the flavor is sold out")
        if len(world.servers) + 1 > world.max_servers or world.cores_used + self.flavor.vcpus > world.max_cores:
            return Failure("Ecs.0001", f"{task}the ECS quota is exceeded")
        subnet = world.subnets[self.order.placement.subnet_id or self.server.nics[0].subnet_id]
        # The address asked for was free when the request came.
        if subnet.used >= subnet.total or (self.address and world.is_address_taken(subnet.id, self.address)):
            return Failure("Ecs.0012", f"{task}no free IP address in the subnet")
        if self.order.placement.dedicated and not self._host_id():
            return Failure("SDRS.1306", f"{task}no dedicated host with auto placement")
        wanted = [p for p in world.pairs_of(self.instance.id) if p.target_volume not in world.volumes]
        size = sum(pair.size_gib for pair in wanted)
        if len(world.volumes) + len(wanted) > world.max_volumes or world.gib_used + size > world.max_gib:
            return Failure("SDRS.1812", "SdrsCreateVolumeTask-fail:the EVS quota is exceeded")
        return None

    def _host_id(self) -> str:
        placement = self.order.placement
        if not placement.dedicated:
            return ""
        host = automatic_host(self.world, self.order.group, self.flavor)
        return placement.host_id or (host.id if host else "")

    def _add_double(self, at: float) -> Server:
        source = self.server
        double = Server(
            id=self.world.new_uuid(),
            name=source.name,
            az=self.order.group.dr_az,
            vpc_id=source.vpc_id,
            flavor_id=self._flavor_id(),
            created=at,
            updated=at,
            status=self.settings.dr_state,  # ASSUMED: dr_state: stopped, as one site's guide says
            os_type=source.os_type,
            image_name=source.image_name,
            # Linux with a lost key pair works; the DR server then shows none (OTC FAQ).
            key_name=source.key_name if source.key_name in self.world.key_pairs else None,
            user_id=source.user_id,
            host_id=self._host_id(),
            # The DR server starts from production's disks, host name included.
            hostname=source.host_name,
            role="dr",
            **self._copied(),
        )
        subnet = self.world.subnets[self.order.placement.subnet_id or source.nics[0].subnet_id]
        double.nics = (self.world.new_nic(subnet, ip=self.address),)
        self.world.add_server(double)
        return double

    def _copied(self) -> dict[str, Any]:
        # ASSUMED: copied_settings: the page says that later changes of these are not copied, so the present values
        # are; the enterprise project is not (its constraints).
        names = ("tags", "agency", "ecs_group_id", "security_groups", "auto_recovery")
        return {name: getattr(self.server, name) for name in names} if self.settings.copies_settings else {}

    def _flavor_id(self) -> str:
        # ASSUMED: dr_flavor: production's own, where the request names none.
        others = (each.id for each in self.world.flavors.values() if can_resize(self.flavor, each))
        wanted = self.flavor.id if self.settings.same_flavor else next(others, self.flavor.id)
        return self.flavor.id if self.flavor.id != self.server.flavor_id else wanted

    def _add_dr_volume(self, pair: Pair, at: float) -> None:
        pool_id = self.order.placement.pool_id or ""
        volume = Volume(
            id=pair.target_volume,
            name=pair.name,
            size_gib=pair.size_gib,
            az=self.order.group.dr_az,
            type=pair.volume_type,
            created=at,
            status="available",
            multiattach=pair.multiattach,
            bootable=pair.bootable,
            pool_id=pool_id,
        )
        self.world.add_volume(volume)
        if pool_id in self.world.pools:
            self.world.pools[pool_id].provisioned_gib += pair.size_gib
        if pair.status == "creating" and not self.settings.pairs_late_s:
            pair.status = "available"

    def _end(self, at: float) -> None:
        self.instance.updated = at
        if self.failure:
            self._clean_up()
        else:
            # ASSUMED: instance_state, pair_state: both show their end when the job has ended.
            self._later(self.settings.instance_late_s, at, self._settle)
            self._later(self.settings.pairs_late_s, at, self._settle_pairs)
        subject = Subject(
            self.instance.id, self.instance.name, "protected_instances", "createFail", self.instance.group_id
        )
        close_job(self.world, self.job, at, self.failure, subject)
        if self.after_end is not None:
            self.after_end(at)

    def _later(self, seconds: float, at: float, work: Callable[[float], None]) -> None:
        if seconds:
            self.world.at(round(at + seconds, 3), work)
        else:
            work(at)

    def _settle(self, at: float) -> None:
        self.instance.status, self.instance.updated = self.world.rest_status(self.instance.group_id), at

    def _settle_pairs(self, at: float) -> None:
        status = self.world.rest_status(self.instance.group_id)
        for pair in self.world.pairs_of(self.instance.id):
            if pair.status not in {"creating", *statuses.AT_REST}:
                # Another owner of a shared disk was ready before, and a job works on the pair already.
                continue
            pair.set_status(status, at)
            if status == "protected" and pair.sync_from is None:
                # The first copy begins at once when the group is protected, else when protection is enabled.
                pair.sync_from = at

    def _clean_up(self) -> None:
        # ASSUMED: failed_instance: it stays in error and keeps its server taken; everything else is removed.
        self.instance.status = "error"
        for pair in self.world.pairs_of(self.instance.id):
            self.world.unhang_pair(pair, self.instance.id)
            if not pair.attachments:
                self.world.remove_pair(pair.id)
                if pair.target_volume in self.world.volumes:
                    self.world.remove_volume(pair.target_volume)
        if not self.settings.failed_stays:
            self.world.remove_instance(self.instance.id)
