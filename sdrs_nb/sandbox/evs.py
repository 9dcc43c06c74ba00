"""EVS: the volume list with both paging styles, one volume, and the quota set."""

from collections.abc import Callable, Mapping
from typing import Any

from .clock import iso_micros
from .errors import Refusal
from .paging import whole_number
from .records import Volume
from .routing import CloudCall, Reply, Routes, encode
from .world import World

ROUTES = Routes()

_BAD_REQUEST = Refusal("EVS.2009", message="The request parameter is invalid.", key="badRequest")
_MAX_IDS = 60


def volume_bytes(world: World, volume: Volume) -> bytes:
    """Give a volume's encoded document; it is rendered once and kept until the volume changes."""
    if volume.document is None:
        volume.document = encode(_document(world, volume))
    return volume.document


def _document(world: World, volume: Volume) -> dict[str, Any]:
    stamp = iso_micros(volume.created)
    metadata = {"hw:passthrough": "false", "orderID": volume.order_id, "full_clone": "0"}
    if volume.frozen:
        metadata["EcmResStatus"] = "freeze"
    if volume.encrypted:
        # Absent means not encrypted; the field "encrypted" of the answer is documented as unsupported.
        metadata["__system__encrypted"] = "1"
        metadata["__system__cmkid"] = f"{volume.id[:8]}-0000-4000-a000-000000000001"
    return {
        "id": volume.id,
        "name": volume.name,
        "description": "",
        "size": volume.size_gib,
        "status": volume.status,
        "availability_zone": volume.az,
        "attachments": [
            {
                "server_id": server_id,
                "device": device,
                "volume_id": volume.id,
                # One id per pair of server and volume, without keeping a third one.
                "attachment_id": f"{server_id[:18]}{volume.id[18:]}",
                "attached_at": stamp,
                "host_name": None,
                "id": volume.id,
            }
            for server_id, device in volume.attachments
        ],
        "multiattach": volume.multiattach,
        "shareable": "true" if volume.multiattach else "false",
        "metadata": metadata,
        "encrypted": False,
        "bootable": "true" if volume.bootable else "false",
        "volume_type": volume.type,
        "service_type": "DSS" if volume.pool_id else "EVS",
        "dedicated_storage_id": volume.pool_id or None,
        "dedicated_storage_name": world.pools[volume.pool_id].name if volume.pool_id in world.pools else None,
        "tags": {},
        "enterprise_project_id": volume.eps_id,
        "created_at": stamp,
        "updated_at": stamp,
        "wwn": "6888603" + volume.id.replace("-", "")[:25],
        "serial_number": volume.id,
        "user_id": "",
        "os-vol-tenant-attr:tenant_id": world.project_id,
        "links": [],
        "volume_image_metadata": {},
        "snapshot_id": None,
        "source_volid": None,
        "consistencygroup_id": None,
        "replication_status": "disabled",
    }


@ROUTES.on("GET", "/v2/{project_id}/cloudvolumes/detail")
def _list_volumes(call: CloudCall) -> Reply:
    limit = whole_number(call.one("limit"), 1000, _BAD_REQUEST, 1, 1000)
    offset = whole_number(call.one("offset"), 0, _BAD_REQUEST)
    marker = call.one("marker")
    tests = _filters(call)
    if not tests and not marker:
        page = call.world.volume_slice(offset, limit)
        count = len(call.world.volumes)
        more = offset + limit < count
    else:
        matching = [v for v in call.world.volumes_newest_first() if all(test(v) for test in tests)]
        start = offset
        if marker:
            start = next((i + 1 for i, v in enumerate(matching) if v.id == marker), -1)
            if start < 0:
                raise _BAD_REQUEST
        page, count = matching[start : start + limit], len(matching)
        more = start + limit < count
    links = []
    if more and page:
        links.append({"rel": "next", "href": f"{call.origin}{call.path}?limit={limit}&marker={page[-1].id}"})
    documents = b",".join(volume_bytes(call.world, volume) for volume in page)
    tail = encode(links)
    return Reply(
        200, b'{"count":' + str(count).encode() + b',"volumes":[' + documents + b'],"volumes_links":' + tail + b"}"
    )


#: Filters that compare one value of a volume.
_EXACT: Mapping[str, Callable[[Volume], str]] = {
    "id": lambda v: v.id,
    "status": lambda v: v.status,
    "availability_zone": lambda v: v.az,
    "service_type": lambda v: "DSS" if v.pool_id else "EVS",
    "dedicated_storage_id": lambda v: v.pool_id,
    "volume_type_id": lambda v: v.type,
}


def _filters(call: CloudCall) -> list[Any]:
    tests: list[Any] = []
    for name, read in _EXACT.items():
        value = call.one(name)
        if value is not None:
            tests.append(lambda v, read=read, value=value: read(v) == value)
    if part := call.one("name"):
        tests.append(lambda v: part in v.name)
    if server_id := call.one("server_id"):
        server = call.world.servers.get(server_id)
        held = {entry[0] for entry in server.volumes} if server else set()
        tests.append(lambda v: v.id in held)
    if call.one("ids") is not None:
        ids = read_ids(call.one("ids") or "")
        if len(ids) > _MAX_IDS:
            raise _BAD_REQUEST
        tests.append(lambda v: v.id in ids)
    if (multi := call.one("multiattach")) is not None:
        tests.append(lambda v: v.multiattach == (multi.lower() == "true"))
    project = call.one("enterprise_project_id")
    if project and project != "all_granted_eps":
        tests.append(lambda v: v.eps_id == project)
    return tests


def read_ids(text: str) -> list[str]:
    """Read an id list sent as one value: ``["a","b"]``, with single quotes, or bare and comma-separated."""
    return [part.strip(" '\"") for part in text.strip("[] ").split(",") if part.strip(" '\"")]


@ROUTES.on("GET", "/v2/{project_id}/cloudvolumes/{volume_id}")
def _show_volume(call: CloudCall) -> Reply:
    volume = call.world.volumes.get(call["volume_id"])
    if volume is None:
        raise Refusal("EVS.2007", 404, f"Volume {call['volume_id']} could not be found.", "itemNotFound")
    return Reply(200, b'{"volume":' + volume_bytes(call.world, volume) + b"}")


@ROUTES.on("GET", "/v2/{project_id}/os-quota-sets/{target}")
def _show_quota(call: CloudCall) -> Reply:
    world = call.world

    def entry(limit: int, used: int) -> dict[str, int]:
        return {"limit": limit, "in_use": used, "reserved": 0}

    quota: dict[str, Any] = {
        "id": world.project_id,
        "volumes": entry(world.max_volumes, len(world.volumes)),
        "gigabytes": entry(world.max_gib, world.gib_used),
        "snapshots": entry(world.max_volumes, 0),
        "backups": entry(-1, 0),
        "backup_gigabytes": entry(-1, 0),
        "per_volume_gigabytes": entry(-1, 0),
    }
    for kind in ("SATA", "SAS", "SSD", "GPSSD", "ESSD"):
        held = [volume.size_gib for volume in world.volumes.values() if volume.type == kind]
        quota[f"volumes_{kind}"] = entry(-1, len(held))
        quota[f"gigabytes_{kind}"] = entry(-1, sum(held))
        quota[f"snapshots_{kind}"] = entry(-1, 0)
    return Reply(200, {"quota_set": quota})
