"""Small neighbours: key pairs, dedicated hosts, storage pools, auto scaling, enterprise projects."""

from typing import Any

from .clock import CLOUD_START, iso_micros, iso_seconds
from .errors import GatewayRefusal, Refusal
from .paging import marker_page, whole_number
from .records import Host, KeyPair, Pool
from .routing import CloudCall, Reply, Routes

ROUTES = Routes()

_KPS_BAD = GatewayRefusal("KPS.0001", 400, "Request parameter error.")
_DEH_BAD = Refusal("DEH.0001", 400, "Request parameter error.")
_DSS_BAD = Refusal("DSS.0001", 400, "Request parameter error.")
_AS_BAD = Refusal("AS.0001", 400, "Request parameter error.")
_EPS_BAD = GatewayRefusal("EPS.0001", 400, "Request parameter error.")


# -- key pairs (KPS) -------------------------------------------------------------------------------------------


def _key_pair(pair: KeyPair) -> dict[str, Any]:
    return {
        "name": pair.name,
        "type": "ssh",
        "scope": pair.scope,
        "public_key": f"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ{pair.fingerprint.replace(':', '')} sandbox",
        "fingerprint": pair.fingerprint,
        "is_key_protection": False,
        "frozen_state": 0,
    }


@ROUTES.on("GET", "/v3/{project_id}/keypairs")
def _list_key_pairs(call: CloudCall) -> Reply:
    visible = call.world.keys_visible_to(call.caller.user_id)
    page = marker_page(call, visible, "name", 1000, 1000, _KPS_BAD)
    more = bool(page) and page[-1] is not visible[-1]
    info = {"next_marker": page[-1].name if more else None, "previous_marker": None, "current_count": len(page)}
    return Reply(200, {"keypairs": [{"keypair": _key_pair(pair)} for pair in page], "page_info": info})


@ROUTES.on("GET", "/v2.1/{project_id}/os-keypairs")
def _list_old_key_pairs(call: CloudCall) -> Reply:
    visible = call.world.keys_visible_to(call.caller.user_id)
    wanted = ("name", "fingerprint", "public_key", "type")
    documents = [{"keypair": {name: _key_pair(pair)[name] for name in wanted}} for pair in visible]
    return Reply(200, {"keypairs": documents})


# -- dedicated hosts (DeH) -------------------------------------------------------------------------------------


def _host(call: CloudCall, host: Host) -> dict[str, Any]:
    on_it = [server for server in call.world.servers.values() if server.host_id == host.id]
    flavors = [call.world.flavors[server.flavor_id] for server in on_it]
    fitting = [flavor.id for flavor in call.world.flavors.values() if flavor.id.startswith(f"{host.family}.")]
    return {
        "dedicated_host_id": host.id,
        "name": host.name,
        "state": host.state,
        "availability_zone": host.az,
        "auto_placement": "on" if host.auto_placement else "off",
        "available_vcpus": host.vcpus - sum(flavor.vcpus for flavor in flavors),
        "available_memory": host.memory_mib - sum(flavor.ram_mib for flavor in flavors),
        "host_properties": {
            "vcpus": host.vcpus,
            "cores": 22,
            "sockets": 2,
            "memory": host.memory_mib,
            "host_type": host.family,
            "host_type_name": host.family,
            "available_instance_capacities": [{"flavor": flavor_id} for flavor_id in fitting],
        },
        "instance_total": len(on_it),
        "instance_uuids": [server.id for server in on_it],
        "project_id": call.world.project_id,
        "allocated_at": iso_seconds(CLOUD_START),
        "released_at": "",
    }


@ROUTES.on("GET", "/v1.0/{project_id}/dedicated-hosts")
def _list_hosts(call: CloudCall) -> Reply:
    wanted = {
        "availability_zone": "az",
        "state": "state",
        "host_type": "family",
        "name": "name",
        "dedicated_host_id": "id",
    }
    hosts = list(call.world.hosts.values())
    for parameter, attribute in wanted.items():
        value = call.one(parameter)
        if value is not None:
            hosts = [host for host in hosts if getattr(host, attribute) == value]
    page = marker_page(call, hosts, "id", 1000, 1000, _DEH_BAD)
    return Reply(200, {"dedicated_hosts": [_host(call, host) for host in page], "total": len(hosts)})


# -- storage pools (DSS) ---------------------------------------------------------------------------------------


def _pool(call: CloudCall, pool: Pool) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": pool.id,
        "name": pool.name,
        "type": pool.type,
        "status": pool.status,
        "availability_zone": pool.az,
        "project_id": call.world.project_id,
        "capacity": pool.total_gib // 1024,
        "created_at": iso_micros(CLOUD_START),
    }
    # The figures need usage=true and are absent while the pool is being deployed.
    if (call.one("usage") or "").lower() == "true" and pool.status != "deploying":
        document |= {
            "total_capacity_gb": float(pool.total_gib),
            "used_capacity_gb": float(pool.provisioned_gib),
            "provisioned_capacity_gb": float(pool.provisioned_gib),
            "max_over_subscription_ratio": 1.0,
        }
    return document


@ROUTES.on("GET", "/v1/{project_id}/pools/detail")
def _list_pools(call: CloudCall) -> Reply:
    pools = [
        pool
        for pool in call.world.pools.values()
        if call.one("status") in {None, pool.status} and call.one("name") in {None, pool.name}
    ]
    limit = whole_number(call.one("limit"), 1000, _DSS_BAD, 1, 1000)
    offset = whole_number(call.one("offset"), 0, _DSS_BAD)
    page = pools[offset : offset + limit]
    return Reply(200, {"pools": [_pool(call, pool) for pool in page], "count": len(pools)})


@ROUTES.on("GET", "/v1/{project_id}/pools/{dss_id}")
def _show_pool(call: CloudCall) -> Reply:
    pool = call.world.pools.get(call["dss_id"])
    if pool is None:
        raise Refusal("DSS.0007", 404, "The pool does not exist.", "itemNotFound")
    return Reply(200, _pool(call, pool))


# -- auto scaling ----------------------------------------------------------------------------------------------


def _as_page(call: CloudCall, rows: list[dict[str, Any]], key: str) -> Reply:
    limit = whole_number(call.one("limit"), 20, _AS_BAD, 0, 100)
    start = whole_number(call.one("start_number"), 0, _AS_BAD)
    page = rows[start : start + limit]
    return Reply(200, {"limit": limit, key: page, "total_number": len(rows), "start_number": start})


@ROUTES.on("GET", "/autoscaling-api/v1/{project_id}/scaling_group")
def _list_scaling_groups(call: CloudCall) -> Reply:
    rows = [
        {
            "scaling_group_id": group.id,
            "scaling_group_name": group.name,
            "scaling_group_status": "INSERVICE",
            "scaling_configuration_id": next((c for c, _ in group.members.values() if c), ""),
            "current_instance_number": len(group.members),
            "desire_instance_number": len(group.members),
            "min_instance_number": 0,
            "max_instance_number": 100,
            "vpc_id": group.vpc_id,
            "delete_volume": False,
            "delete_publicip": False,
            "create_time": iso_seconds(CLOUD_START),
            "enterprise_project_id": "0",
        }
        for group in call.world.scaling_groups.values()
    ]
    return _as_page(call, rows, "scaling_groups")


@ROUTES.on("GET", "/autoscaling-api/v1/{project_id}/scaling_group_instance/{scaling_group_id}/list")
def _list_scaling_instances(call: CloudCall) -> Reply:
    group = call.world.scaling_groups.get(call["scaling_group_id"])
    if group is None:
        raise Refusal("AS.2007", 404, "The AS group does not exist.")
    rows = [
        {
            "instance_id": server_id,
            "instance_name": call.world.servers[server_id].name if server_id in call.world.servers else "",
            "scaling_group_id": group.id,
            "scaling_group_name": group.name,
            "life_cycle_state": "INSERVICE",
            "health_status": "NORMAL",
            # Not empty = made by auto scaling; empty = added by hand.
            "scaling_configuration_id": configuration,
            "scaling_configuration_name": f"{group.name}-config" if configuration else "",
            "create_time": iso_seconds(CLOUD_START),
            "protect_from_scaling_down": kept,
        }
        for server_id, (configuration, kept) in group.members.items()
    ]
    return _as_page(call, rows, "scaling_group_instances")


# -- enterprise projects ---------------------------------------------------------------------------------------


@ROUTES.on("GET", "/v1.0/enterprise-projects", "account")
def _list_enterprise_projects(call: CloudCall) -> Reply:
    limit = whole_number(call.one("limit"), 1000, _EPS_BAD, 1, 1000)
    offset = whole_number(call.one("offset"), 0, _EPS_BAD)
    status = call.one("status")
    matching = [
        project
        for project in call.world.enterprise_projects.values()
        if call.one("id") in {None, project.id}
        and (call.one("name") or "") in project.name
        and status in {None, str(project.status)}
    ]
    rows = [
        {
            "id": project.id,
            "name": project.name,
            "description": "",
            "status": project.status,
            "type": "prod",
            "created_at": iso_seconds(CLOUD_START),
            "updated_at": iso_seconds(CLOUD_START),
        }
        for project in matching
    ]
    return Reply(200, {"enterprise_projects": rows[offset : offset + limit], "total_count": len(rows)})
