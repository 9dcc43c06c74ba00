"""The shapes of answers: what of a document the package reads, and that it is text, a list or an object there.

A document of another shape is refused here, at the rim, in a sentence that names request and field, so that no stage
has to ask what it was handed.  Only shapes are asked for: null and absence are allowed everywhere but for the field
that tells rows apart, and what a value means is read later.  Rows of lists keep the fields that are named here: an
answer is read and looked at in one pass, which costs less than to make all of it and look at it afterwards.
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from pydantic_core import CoreSchema, SchemaValidator, ValidationError, from_json
from pydantic_core import core_schema as core

from sdrs_nb.errors import CloudError
from sdrs_nb.i18n import _

__all__ = ["JOB", "TOKEN", "fitting", "not_ours", "object_of", "rows_in", "rows_of", "value_in"]

#: Values in one answer (a page of 1000 servers has some 150 thousand): each costs memory whatever its length.
_MOST_VALUES = 2_000_000
#: Whole numbers that every later stage can hold, and numbers with a fraction that are no greater.
_LARGEST = 2**63 - 1
_LARGEST_FLOAT = float(2**63 - 1024)
#: Characters of an id; real ones have 36, and one becomes a part of addresses.
_LONGEST_ID = 1024
#: Kinds of what may stand in two ways, which the library names in the place of a fault.
_KINDS = frozenset({"<object>", "<plain>"})


def _as_wanted(shape: CoreSchema, wanted: str) -> CoreSchema:
    return core.custom_error_schema(shape, custom_error_type=wanted, custom_error_message=wanted)


_WHOLE = core.int_schema(strict=True, le=_LARGEST, ge=-_LARGEST)
_NUMBER = core.float_schema(strict=True, allow_inf_nan=False, le=_LARGEST_FLOAT, ge=-_LARGEST_FLOAT)
_TEXT = core.str_schema(strict=True)
#: Text, a number, true, false or null.
_PLAIN = _as_wanted(
    core.union_schema(
        [_TEXT, core.none_schema(), core.bool_schema(strict=True), _WHOLE, _NUMBER], mode="left_to_right"
    ),
    "plain",
)
#: Text or a whole number that is there.
_KEY = _as_wanted(
    core.union_schema(
        [core.str_schema(strict=True, min_length=1, max_length=_LONGEST_ID), _WHOLE], mode="left_to_right"
    ),
    "key",
)
_ANY_OBJECT = core.nullable_schema(core.dict_schema(_TEXT, core.any_schema(), strict=True))


def _object(fields: Mapping[str, CoreSchema]) -> CoreSchema:
    """Return the shape of an object with these fields, which may be left out or null; what else it holds goes."""
    return core.typed_dict_schema(
        {name: core.typed_dict_field(shape, required=shape is _KEY) for name, shape in fields.items()},
        strict=True,
        extra_behavior="ignore",
    )


def _named(*plain: str, **shapes: CoreSchema) -> dict[str, CoreSchema]:
    """Return the fields of an object, plain ones and others; a plain name ``!id`` is the key."""
    return {name.removeprefix("!"): _KEY if name.startswith("!") else _PLAIN for name in plain} | shapes


def _of(*plain: str, **shapes: CoreSchema) -> CoreSchema:
    """Return the shape of an object, or null; see ``_named``."""
    return core.nullable_schema(_object(_named(*plain, **shapes)))


def _every(shape: CoreSchema) -> CoreSchema:
    """Return the shape of an object, or null, whose names are not known beforehand, and each holds the same."""
    return core.nullable_schema(core.dict_schema(_TEXT, shape, strict=True))


def _list(item: CoreSchema) -> CoreSchema:
    return core.nullable_schema(core.list_schema(item, strict=True))


#: A plain value, or a list of such.
_HINT = _as_wanted(core.union_schema([_PLAIN, _list(_PLAIN)], mode="left_to_right"), "plain")
_SERVER = {
        **_named(
            "!id", "name", "status", "OS-EXT-STS:task_state", "OS-EXT-AZ:availability_zone", "key_name", "user_id",
            "locked", "OS-EXT-SRV-ATTR:root_device_name", "OS-EXT-SRV-ATTR:hostname", "created",
            "enterprise_project_id",
        ),
        "metadata": _of(
            "os_type", "image_name", "lockSource", "lockScene", "agency_name", "vpc_id", "charging_mode", "EcmResStatus"
        ),
        "flavor": _of("id", "vcpus", "ram"),
        "addresses": _every(
            _list(_of("addr", "OS-EXT-IPS:port_id", "OS-EXT-IPS-MAC:mac_addr", "OS-EXT-IPS:type"))
        ),
        "os:scheduler_hints": _of(group=_HINT, tenancy=_HINT, dedicated_host_id=_HINT),
        "security_groups": _list(_of("name")),
        "network_interfaces": _list(_of("primary", "subnet_id")),
        "sys_tags": _list(_of("key", "value")),
        "tags": _list(_PLAIN),
        "os-extended-volumes:volumes_attached": _list(_of("id", "device", "bootIndex")),
}  # fmt: skip
_GROUP = _named(
    "!id", "name", "status", "source_availability_zone", "target_availability_zone", "priority_station",
    "source_vpc_id", "target_vpc_id", "domain_id", "server_type", "health_status", "protected_instance_num",
    "replication_num", "created_at",
)  # fmt: skip
_INSTANCE = _named(
    "!id", "name", "server_group_id", "status", "progress", "source_server", "target_server", "priority_station",
    "created_at",
)  # fmt: skip
_FLAVOR = _named("!id", "vcpus", "ram", os_extra_specs=_every(_PLAIN), extra_specs=_every(_PLAIN))
_DOMAIN_SITE = _of("availability_zone")
#: What stands under a name of EVS' quotas: use and limit, or a plain value such as the project's id.
_QUOTA = core.tagged_union_schema(
    {"<object>": _object(_named("in_use", "limit")), "<plain>": _PLAIN},
    discriminator=lambda value: "<object>" if isinstance(value, dict | list) else "<plain>",
)
_TOKEN_OWNER = _of("id", "name", domain=_of("id", "name"))

#: Shapes of the rows of lists, by the name that a list has in its answer.
_ROWS: Mapping[str, Mapping[str, CoreSchema]] = MappingProxyType(
    {
        "servers": _SERVER,
        "volumes": _named(
            "!id", "name", "size", "status", "availability_zone", "multiattach", "bootable", "volume_type",
            "service_type", "dedicated_storage_id", "enterprise_project_id", "created_at",
            metadata=_of("__system__encrypted", "orderID", "EcmResStatus", "__system__frozen"),
            attachments=_list(_of("server_id", "device")),
        ),
        "server_groups": _GROUP | {"members": _list(_PLAIN), "policies": _list(_PLAIN)},
        "protected_instances": _INSTANCE,
        "replications": _named(
            "!id", "name", "server_group_id", "status", "replication_status", "progress", "created_at",
            volume_ids=_HINT,
            attachment=_list(_of("protected_instance")),
            record_metadata=_of("multiattach"),
        ),
        "disaster_recovery_drills": _named(
            "!id", "server_group_id", drill_servers=_list(_of("drill_server_id", "protected_instance"))
        ),
        "domains": _named(
            "!id", "name", "sold_out",
            local_replication_cluster=_DOMAIN_SITE, remote_replication_cluster=_DOMAIN_SITE,
        ),
        "resources": _named("type", "used", "quota"),
        "failure_jobs": _named("job_id", "resource_id", "error_code", "fail_reason"),
        "flavors": _FLAVOR,
        "vpcs": _named("!id", "name", "cidr"),
        "subnets": _named(
            "!id", "neutron_network_id", "neutron_subnet_id", "name", "vpc_id", "cidr", "status",
            "available_ip_address_count",
        ),
        "keypairs": _named("name", "type", "scope", keypair=_of("name", "type", "scope")),
        "dedicated_hosts": _named(
            "!dedicated_host_id", "name", "state", "availability_zone", "auto_placement", "available_vcpus",
            "available_memory", host_properties=_of(available_instance_capacities=_list(_of("flavor"))),
        ),
        "pools": _named(
            "!id", "name", "type", "status", "availability_zone", "total_capacity_gb", "used_capacity_gb",
            "provisioned_capacity_gb", "max_over_subscription_ratio",
        ),
        "scaling_groups": _named("!scaling_group_id", "scaling_group_name"),
        "scaling_group_instances": _named(
            "!instance_id", "scaling_group_name", "scaling_configuration_id", "protect_from_scaling_down"
        ),
        "enterprise_projects": _named("!id", "name"),
        "projects": _named("!id", "name", "domain_id"),
    }
)  # fmt: skip
#: Shapes of single objects, by the name that the object has in its answer.
_OBJECTS: Mapping[str, CoreSchema] = MappingProxyType(
    {
        "server": _object(_SERVER),
        "server_group": _object(_GROUP),
        "protected_instance": _object(_INSTANCE),
        "absolute": _of(
            "totalInstancesUsed", "maxTotalInstances", "totalCoresUsed", "maxTotalCores", "totalRAMUsed",
            "maxTotalRAMSize",
        ),
        "quota_set": _every(_QUOTA),
        "network_ip_availability": _of(
            "total_ips", "used_ips", subnet_ip_availability=_list(_of("ip_version", "total_ips", "used_ips"))
        ),
    }
)  # fmt: skip
_WORK = ("job_id", "job_type", "status", "begin_time", "end_time", "error_code", "fail_reason")
_MADE_BY_IT = ("server_group_id", "protected_instance_id", "native_server_id")
_JOB_REFERENCE = core.definition_reference_schema("job")
#: A job, whose sub-jobs are jobs.
JOB = core.definitions_schema(
    _JOB_REFERENCE,
    [
        core.nullable_schema(
            _object(_named(*_WORK, entities=_of(*_MADE_BY_IT, sub_jobs=_list(_JOB_REFERENCE)))), ref="job"
        )
    ],
)
TOKEN = _of(project=_TOKEN_OWNER, user=_TOKEN_OWNER, expires_at=_PLAIN, issued_at=_PLAIN)


@cache
def _list_called(key: str) -> SchemaValidator:
    """Return what reads a list of this name in its answer, and whatever stands beside it."""
    row = _object(_ROWS[key]) if key in _ROWS else core.dict_schema(_TEXT, core.any_schema(), strict=True)
    return SchemaValidator(
        core.typed_dict_schema({key: core.typed_dict_field(_list(row))}, strict=True, extra_behavior="allow")
    )


def value_in(content: bytes) -> Any:
    """Return the value of JSON; ``ValueError`` for anything else, endless nesting, and more values than any page has.

    NaN and Infinity are not JSON, though many write them.
    """
    _refuse_too_many(content)
    return from_json(content, allow_inf_nan=False)


def rows_in(path: str, content: bytes, key: str) -> dict[str, Any]:
    """Return the answer to GET ``path`` with its list under ``key``; null is an empty list.

    Raises ``CloudError`` where there is no such list, or where a row is not of the list's shape; ``ValueError`` as
    ``value_in``.
    """
    _refuse_too_many(content)
    try:
        document = _list_called(key).validate_json(content)
    except ValidationError as error:
        document = value_in(content)
        _refuse(path, error, key)
    document[key] = document[key] or []
    return document  # type: ignore[no-any-return]  # made of the shape above


def rows_of(path: str, document: Any, key: str) -> list[dict[str, Any]]:
    """Return the list under ``key`` of an answer that was read; as ``rows_in``."""
    try:
        document = _list_called(key).validate_python(document)
    except ValidationError as error:
        _refuse(path, error, key)
    return document[key] or []


def fitting(path: str, document: Any, shape: CoreSchema, name: str = "") -> Any:
    """Return the document; ``name`` is what it is called in the answer to GET ``path``.

    Raises ``CloudError``, naming request and field, where it is not of this shape.
    """
    if document is None:
        raise not_ours(path, name or "-", _("an object"))
    try:
        SchemaValidator(shape).validate_python(document)
    except ValidationError as error:
        _refuse(path, error, name, name)
    return document


def object_of(path: str, document: Any, key: str) -> dict[str, Any]:
    """Return the object under ``key`` of an answer.

    Raises ``CloudError`` where there is none, or where it is not of its shape.
    """
    value = document.get(key) if isinstance(document, dict) else None
    if not isinstance(value, dict):
        raise not_ours(path, key, _("an object"))
    fitting(path, value, _OBJECTS.get(key, _ANY_OBJECT), key)
    return value


def _refuse_too_many(content: bytes) -> None:
    is_long = len(content) > 2 * _MOST_VALUES  # a value and what parts it from the next take two bytes at least
    if is_long and sum(content.count(sign) for sign in (b",", b"[", b"{")) > _MOST_VALUES:
        raise ValueError("too many values")


def _refuse(path: str, error: ValidationError, key: str, name: str = "") -> None:
    """Raise the ``CloudError`` of the first fault; a list that is empty in another way (``""``, ``{}``) is none."""
    for fault in error.errors(include_url=False, include_context=False):
        if fault["type"] == "list_type" and not fault["input"]:
            continue
        parts = [part for part in fault["loc"] if part not in _KINDS]
        place = name + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
        wanted = {
            "plain": _("a text or a number"),
            "key": _("an id"),
            "list_type": _("a list"),
            "missing": _("an id"),
        }.get(fault["type"], _("an object"))
        if not name and not any(isinstance(part, str) for part in parts[1:]):  # the list itself, or a row
            place, wanted = key, _("a list of objects")
        raise not_ours(path, place.lstrip(".") or "-", wanted)


def not_ours(path: str, place: str, wanted: str) -> CloudError:
    """Return the error for JSON that is not the service's: another program answers at the endpoint, or it is broken."""
    sentence = _(
        "GET {path} answered without {wanted} at {place}; check that the endpoint is the cloud's, and report it to the "
        "cloud's support if it is.",
        path=path,
        place=place,
        wanted=wanted,
    )
    return CloudError(sentence, method="GET", path=path, status=200)
