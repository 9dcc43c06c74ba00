"""The true state of the sandbox cloud, for tests and rehearsals: ``GET /_sandbox/world``."""

from typing import Any

from .sdrs_documents import group_document, instance_document, job_document, pair_document
from .settings import Settings
from .world import World


def world_overview(world: World, now: float, settings: Settings) -> dict[str, Any]:
    """Render servers, volumes, groups, instances, pairs, drills, jobs and creations.

    `creations` counts, per server, how often a request really gave it an instance; what the estate was born with
    is not counted.
    """
    return {
        "now": now,
        "project_id": world.project_id,
        "servers": [
            {
                "id": server.id,
                "name": server.name,
                "status": server.status,
                "az": server.az,
                "vpc_id": server.vpc_id,
                "flavor_id": server.flavor_id,
                "role": server.role,
                "volume_ids": [volume_id for volume_id, _, _ in server.volumes],
                "protected_instance_id": world.instance_by_server.get(server.id),
            }
            for server in world.servers.values()
        ],
        "volumes": [
            {
                "id": volume.id,
                "size": volume.size_gib,
                "status": volume.status,
                "az": volume.az,
                "type": volume.type,
                "multiattach": volume.multiattach,
                "encrypted": volume.encrypted,
                "server_ids": [server_id for server_id, _ in volume.attachments],
                "replication_id": world.pair_by_volume.get(volume.id),
            }
            for volume in world.volumes.values()
        ],
        "groups": [group_document(world, group, now, settings) for group in world.groups.values()],
        "instances": [instance_document(world, instance, now, settings) for instance in world.instances.values()],
        "pairs": [pair_document(world, pair, now, settings) for pair in world.pairs.values() if pair.listed],
        "drills": [{"id": d.id, "status": d.status, "servers": dict(d.servers)} for d in world.drills.values()],
        "jobs": [job_document(job, now) for job in world.jobs.values() if not job.is_sub_job],
        "creations": dict(world.creations),
    }
