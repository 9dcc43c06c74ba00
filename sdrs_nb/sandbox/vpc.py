"""VPC: networks, subnets and free addresses."""

from typing import Any

from .errors import Refusal
from .paging import marker_page
from .records import Subnet, Vpc
from .routing import CloudCall, Reply, Routes

ROUTES = Routes()

_BAD_REQUEST = Refusal("VPC.0101", message="Invalid request parameters.", key="")


def _vpc(vpc: Vpc) -> dict[str, Any]:
    return {
        "id": vpc.id,
        "name": vpc.name,
        "description": "",
        "cidr": vpc.cidr,
        "status": "OK",
        "enterprise_project_id": "0",
        "routes": [],
        "enable_shared_snat": False,
    }


def _subnet(call: CloudCall, subnet: Subnet) -> dict[str, Any]:
    gateway = subnet.cidr.split("/", maxsplit=1)[0].rsplit(".", 1)[0] + ".1"
    return {
        "id": subnet.id,
        "name": subnet.name,
        "description": "",
        "cidr": subnet.cidr,
        "gateway_ip": gateway,
        "vpc_id": subnet.vpc_id,
        "status": "ACTIVE",
        # A subnet spans the AZs of its region; the field names none.
        "availability_zone": "",
        # The value of primary_subnet_id: equal to the id, and not the neutron_subnet_id.
        "neutron_network_id": subnet.id,
        "neutron_subnet_id": subnet.neutron_subnet_id,
        "ipv6_enable": False,
        "cidr_v6": None,
        "gateway_ip_v6": None,
        "dhcp_enable": True,
        "primary_dns": "100.125.1.250",
        "secondary_dns": "100.125.21.250",
        "dnsList": ["100.125.1.250", "100.125.21.250"],
        "scope": "center",
        "tenant_id": call.world.project_id,
        "available_ip_address_count": subnet.total - subnet.used,
    }


@ROUTES.on("GET", "/v1/{project_id}/vpcs")
def _list_vpcs(call: CloudCall) -> Reply:
    vpcs = marker_page(call, list(call.world.vpcs.values()), "id", 2000, 2000, _BAD_REQUEST)
    wanted = call.one("id")
    return Reply(200, {"vpcs": [_vpc(vpc) for vpc in vpcs if wanted in {None, vpc.id}]})


@ROUTES.on("GET", "/v1/{project_id}/subnets")
def _list_subnets(call: CloudCall) -> Reply:
    vpc_id = call.one("vpc_id")
    matching = [subnet for subnet in call.world.subnets.values() if vpc_id in {None, subnet.vpc_id}]
    subnets = marker_page(call, matching, "id", 2000, 2000, _BAD_REQUEST)
    return Reply(200, {"subnets": [_subnet(call, subnet) for subnet in subnets]})


def _find_subnet(call: CloudCall) -> Subnet:
    subnet = call.world.subnets.get(call["subnet_id"])
    if subnet is None:
        raise Refusal("VPC.0202", 404, f"Subnet {call['subnet_id']} could not be found.", "")
    return subnet


@ROUTES.on("GET", "/v1/{project_id}/vpcs/{vpc_id}")
def _show_vpc(call: CloudCall) -> Reply:
    vpc = call.world.vpcs.get(call["vpc_id"])
    if vpc is None:
        raise Refusal("VPC.0012", 404, f"VPC {call['vpc_id']} could not be found.", "")
    return Reply(200, {"vpc": _vpc(vpc)})


@ROUTES.on("GET", "/v1/{project_id}/subnets/{subnet_id}")
def _show_subnet(call: CloudCall) -> Reply:
    return Reply(200, {"subnet": _subnet(call, _find_subnet(call))})


@ROUTES.on("GET", "/v2.0/network-ip-availabilities/{subnet_id}", "any")
def _show_availability(call: CloudCall) -> Reply:
    subnet = _find_subnet(call)
    inside = {
        "subnet_id": subnet.neutron_subnet_id,
        "subnet_name": subnet.name,
        "cidr": subnet.cidr,
        "ip_version": 4,
        "total_ips": subnet.total,
        "used_ips": subnet.used,
    }
    document = {
        "network_id": subnet.id,
        "network_name": subnet.name,
        "tenant_id": call.world.project_id,
        "total_ips": subnet.total,
        "used_ips": subnet.used,
        "subnet_ip_availability": [inside],
    }
    return Reply(200, {"network_ip_availability": document})


@ROUTES.on("GET", "/v1/{project_id}/subnets/{subnet_id}/privateips")
def _list_private_ips(call: CloudCall) -> Reply:
    subnet = _find_subnet(call)
    taken = [
        {
            "id": nic.port_id,
            "status": "ACTIVE",
            "subnet_id": subnet.id,
            "tenant_id": call.world.project_id,
            "device_owner": f"compute:{server.az}",
            "ip_address": nic.ip,
        }
        for server in call.world.servers.values()
        if server.vpc_id == subnet.vpc_id
        for nic in server.nics
        if nic.subnet_id == subnet.id
    ]
    return Reply(200, {"privateips": taken})


@ROUTES.on("GET", "/v1/{project_id}/quotas")
def _show_quotas(call: CloudCall) -> Reply:
    resources = [
        {"type": "vpc", "used": len(call.world.vpcs), "quota": 150, "min": 0},
        {"type": "subnet", "used": len(call.world.subnets), "quota": 400, "min": 0},
        {"type": "securityGroup", "used": 1, "quota": 100, "min": 0},
    ]
    return Reply(200, {"quotas": {"resources": resources}})
