"""The server document of ECS, rendered once and kept until the server changes."""

from collections.abc import Iterator
from typing import Any

from .clock import iso_micros, iso_seconds
from .records import Flavor, Nic, Server
from .routing import encode
from .world import World

_POWER_STATES = {"ACTIVE": 1, "SHUTOFF": 4}


def server_bytes(world: World, server: Server) -> bytes:
    """Give a server's encoded document; it is rendered once and kept until the server changes."""
    if server.document is None:
        server.document = encode(server_document(world, server))
    return server.document


def server_document(world: World, server: Server) -> dict[str, Any]:
    """Render a server as the detail list of ``/v1/{project_id}/cloudservers/detail`` shows it."""
    flavor = world.flavors[server.flavor_id]
    stamp = iso_seconds(server.created)
    return {
        "id": server.id,
        "name": server.name,
        "description": "",
        "status": server.status,
        "tenant_id": world.project_id,
        "user_id": server.user_id,
        "created": stamp,
        "updated": iso_seconds(server.updated),
        "OS-SRV-USG:launched_at": iso_micros(server.created),
        "OS-SRV-USG:terminated_at": None,
        "auto_terminate_time": "",
        "OS-EXT-STS:task_state": server.task_state,
        "OS-EXT-STS:vm_state": {"ACTIVE": "active", "SHUTOFF": "stopped"}.get(server.status, server.status.lower()),
        "OS-EXT-STS:power_state": _POWER_STATES.get(server.status, 0),
        "OS-EXT-AZ:availability_zone": server.az,
        "metadata": _metadata(server, flavor),
        "addresses": {server.vpc_id: [entry for nic in server.nics for entry in _addresses(nic)]},
        "network_interfaces": [
            {
                "port_id": nic.port_id,
                "primary": nic.primary,
                "subnet_id": nic.subnet_id,
                "ip_addresses": [nic.ip],
                "ipv6_addresses": [],
            }
            for nic in server.nics
        ],
        "flavor": _flavor_reference(flavor),
        "os-extended-volumes:volumes_attached": [
            {"id": volume_id, "device": device, "bootIndex": boot_index, "delete_on_termination": "false"}
            for volume_id, device, boot_index in server.volumes
        ],
        "OS-EXT-SRV-ATTR:root_device_name": "/dev/vda",
        "key_name": server.key_name,
        "image": {"id": _image_id(server)},
        "security_groups": [
            {"id": f"{server.vpc_id[:-4]}{number:04x}", "name": name}
            for number, name in enumerate(server.security_groups)
        ],
        "tags": list(server.tags),
        "sys_tags": [{"key": "_sys_enterprise_project_id", "value": server.eps_id}],
        "enterprise_project_id": server.eps_id,
        "os:scheduler_hints": _hints(server),
        "locked": server.locked,
        "host_status": "UP",
        "hypervisor": {"hypervisor_type": "QEMU", "csd_hypervisor": "0"},
        "OS-EXT-SRV-ATTR:hostname": server.host_name,
        "OS-EXT-SRV-ATTR:host": f"pod.{server.az}",
        "OS-EXT-SRV-ATTR:instance_name": f"instance-{server.id[:8]}",
        "OS-EXT-SRV-ATTR:hypervisor_hostname": f"nova@{server.az}",
        "OS-EXT-SRV-ATTR:reservation_id": f"r-{server.id[:8]}",
        "OS-EXT-SRV-ATTR:launch_index": 0,
        "OS-EXT-SRV-ATTR:user_data": "",
        "OS-EXT-SRV-ATTR:kernel_id": "",
        "OS-EXT-SRV-ATTR:ramdisk_id": "",
        "OS-DCF:diskConfig": "MANUAL",
        "progress": 0,
        "config_drive": "",
        "hostId": server.id.replace("-", ""),
        "accessIPv4": "",
        "accessIPv6": "",
        "fault": {"message": "No valid host was found.", "code": 500, "details": "", "created": stamp}
        if server.status == "ERROR"
        else None,
    }


def _metadata(server: Server, flavor: Flavor) -> dict[str, str]:
    metadata = {
        "vpc_id": server.vpc_id,
        "charging_mode": server.billing,
        "os_type": server.os_type,
        "os_bit": "64",
        "image_name": server.image_name,
        "metering.image_id": _image_id(server),
        "metering.imagetype": "gold",
        "metering.resourcespeccode": f"{flavor.id}.{server.os_type.lower()}",
        "metering.resourcetype": "1",
        "metering.cloudServiceType": "hws.service.type.ec2",
        "metering.order_id": "CS2501010001" if server.billing == "1" else "",
        "metering.product_id": "OFFI-ecs" if server.billing == "1" else "",
        # All lock fields are empty strings while nothing holds the server.
        "lockSource": server.lock_source,
        "lockSourceId": server.id if server.lock_source else "",
        "lockScene": "TO_PERIOD_LOCK" if server.lock_source == "ORDER" else "",
        "lockCheckEndpoint": "https://order.sandbox.invalid/check" if server.lock_source else "",
        "virtual_env_type": "IsoImage" if flavor.xen else "FusionCompute",
        "agency_name": server.agency,
        "__support_agent_list": "hss,ces",
    }
    if server.frozen:
        # The key appears only after a freeze.
        metadata["EcmResStatus"] = "freeze"
    return metadata


def _addresses(nic: Nic) -> Iterator[dict[str, Any]]:
    mac = "fa:16:3e:" + ":".join((nic.port_id[:2], nic.port_id[2:4], nic.port_id[4:6]))
    kinds = (("fixed", nic.ip), ("floating", nic.floating_ip))
    for kind, address in kinds:
        if address:
            yield {
                "addr": address,
                "version": "4",
                "primary": nic.primary,
                "OS-EXT-IPS:type": kind,
                "OS-EXT-IPS:port_id": nic.port_id,
                "OS-EXT-IPS-MAC:mac_addr": mac,
            }


def _flavor_reference(flavor: Flavor) -> dict[str, Any]:
    gpus = [{"name": "nvidia-t4", "count": 1, "memory_mb": 16384}] if flavor.performance == "gpu" else []
    return {
        "id": flavor.id,
        "name": flavor.id,
        "vcpus": str(flavor.vcpus),
        "ram": str(flavor.ram_mib),
        "disk": "0",
        "gpus": gpus,
        "asic_accelerators": [],
    }


def _hints(server: Server) -> dict[str, list[str]]:
    hints = {}
    if server.ecs_group_id:
        hints["group"] = [server.ecs_group_id]
    if server.host_id:
        hints["tenancy"] = ["dedicated"]
        hints["dedicated_host_id"] = [server.host_id]
    return hints


def _image_id(server: Server) -> str:
    # One image per name; the sandbox has no image service.
    marks = sum(server.image_name.encode()) % 10000
    return f"1ba5b0de-0000-4000-a000-00000000{marks:04d}"
