"""Titles of columns and frames in the operator's language, for tables on a screen.

Files and frames keep the names, which code and spreadsheets know; only what is shown has titles.
"""

from collections.abc import Mapping
from functools import cache

from sdrs_nb.i18n import _, current_language

__all__ = ["column_title", "field_titles", "frame_title", "grid_titles"]


def column_title(name: str) -> str:
    """Return the title of a column: ``vpc_id`` reads "VPC id"; a name that is not ours is spelled out."""
    words = name.replace("_", " ")
    return _columns(current_language()).get(name) or words[:1].upper() + words[1:]


def frame_title(name: str) -> str:
    """Return the title of an inventory's frame: ``ecs_limits`` reads "ECS quotas"; another name is spelled out."""
    return _frames(current_language()).get(name) or name.replace("_", " ")


def field_titles() -> dict[str, str]:
    """Return what requests may differ in, by the field of a batch key, in the operator's language."""
    return {
        "description": _("Description"),
        "tags": _("Tags"),
        "tenancy": _("DR servers"),
        "dedicated_host_id": _("Dedicated host ID"),
        "cluster_id": _("Storage pool ID"),
        "primary_subnet_id": _("Subnet ID"),
        "flavor_id": _("Flavor"),
        "name_prefix": _("Name prefix"),
        "wave": _("Wave"),
    }


def grid_titles() -> dict[str, str]:
    """Return the titles of columns in grids of servers and batches: those that differ from ``column_title``."""
    return {
        "server_id": _("Server ID"),
        "vpc_id": _("VPC"),
        "os_type": _("OS"),
        "flavor_id": _("Flavor"),
        "ram_gib": _("Memory, GiB"),
        "enterprise_project_id": _("Enterprise project"),
        "key_name": _("Key pair"),
        "created_at": _("Created"),
        "group": _("Group"),
        "group_id": _("Group ID"),
        "batch_id": _("Batch"),
        "job_id": _("Job"),
        "name_prefix": _("Name prefix"),
        "names": _("Who"),
        "size_gib": _("GiB"),
        "volumes": _("Volumes"),
        "wave": _("Wave"),
        "error_code": _("Code"),
        "protected_instance_id": _("Protected instance"),
        "dr_server_id": _("DR server"),
    }


# The argument is only the key of the cache: a table asks for many titles, and they change with the language alone.
@cache
def _frames(_language: str) -> Mapping[str, str]:
    return {
        "servers": _("servers"),
        "volumes": _("volumes"),
        "attachments": _("attachments"),
        "groups": _("protection groups"),
        "protected_instances": _("protected instances"),
        "replication_pairs": _("replication pairs"),
        "quotas": _("SDRS quotas"),
        "key_pairs": _("key pairs"),
        "scaling_instances": _("members of scaling groups"),
        "vpcs": _("VPCs"),
        "subnets": _("subnets"),
        "drill_servers": _("drill servers"),
        "enterprise_projects": _("enterprise projects"),
        "domains": _("active-active domains"),
        "flavors": _("flavors"),
        "resize_flavors": _("flavors to resize to"),
        "dedicated_hosts": _("dedicated hosts"),
        "storage_pools": _("storage pools"),
        "ecs_limits": _("ECS quotas"),
        "evs_quota": _("EVS quotas"),
    }


@cache
def _columns(_language: str) -> Mapping[str, str]:
    return {
        "accelerators": _("Accelerators"),
        "address_vpc_ids": _("Address VPC ids"),
        "after": _("After"),
        "agency_name": _("Agency name"),
        "architecture": _("Architecture"),
        "auto_placement": _("Auto placement"),
        "auto_recovery": _("Auto recovery"),
        "available_ram_gib": _("Available RAM GiB"),
        "available_vcpus": _("Available vCPUs"),
        "az": _("AZ"),
        "batch_id": _("Batch id"),
        "batches": _("Batches"),
        "before": _("Before"),
        "billing": _("Billing"),
        "blockers": _("Blockers"),
        "bootable": _("Bootable"),
        "change": _("Change"),
        "cidr": _("CIDR"),
        "cover": _("Cover"),
        "created_at": _("Created at"),
        "dedicated_host_id": _("Dedicated host id"),
        "dedicated_storage_id": _("Dedicated storage id"),
        "device": _("Device"),
        "done": _("Done"),
        "domain_id": _("Domain id"),
        "dr": _("DR"),
        "dr_az": _("DR AZ"),
        "dr_server_id": _("DR server id"),
        "drill_id": _("Drill id"),
        "ecs_group_id": _("ECS group id"),
        "encrypted": _("Encrypted"),
        "enterprise_project_id": _("Enterprise project id"),
        "error_code": _("Error code"),
        "evidence": _("Evidence"),
        "failed": _("Failed"),
        "fact": _("Fact"),
        "flavor_id": _("Flavor id"),
        "flavor_ids": _("Flavor ids"),
        "frame": _("Frame"),
        "free_addresses": _("Free addresses"),
        "frozen": _("Frozen"),
        "generation": _("Generation"),
        "group_id": _("Group id"),
        "group_name": _("Group name"),
        "group_status": _("Group status"),
        "health_status": _("Health status"),
        "hostname": _("Hostname"),
        "id": _("Id"),
        "image_name": _("Image name"),
        "infiniband": _("InfiniBand"),
        "instance_name": _("Instance name"),
        "instance_status": _("Instance status"),
        "job_id": _("Job id"),
        "job_status": _("Job status"),
        "key_name": _("Key name"),
        "loaded_at": _("Loaded at"),
        "local_az": _("Local AZ"),
        "local_disks": _("Local disks"),
        "lock_scene": _("Lock scene"),
        "lock_source": _("Lock source"),
        "locked": _("Locked"),
        "message": _("Message"),
        "multiattach": _("Multiattach"),
        "name": _("Name"),
        "neutron_subnet_id": _("Neutron subnet id"),
        "nic_count": _("NIC count"),
        "notices": _("Notices"),
        "os_type": _("OS type"),
        "over_subscription_ratio": _("Over subscription ratio"),
        "performance_type": _("Performance type"),
        "priority_station": _("Priority station"),
        "private_ips": _("Private IPs"),
        "production": _("Production"),
        "production_az": _("Production AZ"),
        "progress": _("Progress"),
        "protect_from_scaling_down": _("Protect from scaling down"),
        "project_id": _("Project id"),
        "proof": _("Proof"),
        "protected_instance_id": _("Protected instance id"),
        "protected_instance_ids": _("Protected instance ids"),
        "protected_instance_num": _("Protected instance num"),
        "provisioned_gib": _("Provisioned GiB"),
        "quota": _("Quota"),
        "ram_gib": _("RAM GiB"),
        "reason": _("Reason"),
        "remedy": _("Remedy"),
        "remote_az": _("Remote AZ"),
        "replication_num": _("Replication num"),
        "replication_pair_id": _("Replication pair id"),
        "replication_status": _("Replication status"),
        "resource_type": _("Resource type"),
        "root_device": _("Root device"),
        "rows": _("Rows"),
        "rule": _("Rule"),
        "rules": _("Rules"),
        "run_id": _("Run id"),
        "sale_by_az": _("Sale by AZ"),
        "sale_status": _("Sale status"),
        "scaling_configuration_id": _("Scaling configuration id"),
        "scaling_group_id": _("Scaling group id"),
        "scaling_group_name": _("Scaling group name"),
        "scope": _("Scope"),
        "sdrs_code": _("SDRS code"),
        "security_groups": _("Security groups"),
        "seen_by": _("Seen by"),
        "server_id": _("Server id"),
        "server_type": _("Server type"),
        "servers": _("Servers"),
        "service_type": _("Service type"),
        "severity": _("Severity"),
        "size_gib": _("Size GiB"),
        "sold_out": _("Sold out"),
        "source": _("Source"),
        "source_az": _("Source AZ"),
        "source_server_id": _("Source server id"),
        "stage": _("Stage"),
        "state": _("State"),
        "status": _("Status"),
        "storage_pool_id": _("Storage pool id"),
        "subnet_id": _("Subnet id"),
        "tags": _("Tags"),
        "target_az": _("Target AZ"),
        "target_server_id": _("Target server id"),
        "target_vpc_id": _("Target VPC id"),
        "task_state": _("Task state"),
        "tenancy": _("Tenancy"),
        "title": _("Title"),
        "total_gib": _("Total GiB"),
        "type": _("Type"),
        "unknown": _("Unknown"),
        "unverified": _("Unverified"),
        "used": _("Used"),
        "used_gib": _("Used GiB"),
        "user_id": _("User id"),
        "vcpus": _("vCPUs"),
        "verdict": _("Verdict"),
        "virtualization": _("Virtualization"),
        "volume_id": _("Volume id"),
        "volume_ids": _("Volume ids"),
        "volume_type": _("Volume type"),
        "vpc_id": _("VPC id"),
        "whose": _("Whose"),
        "warnings": _("Warnings"),
    }
