"""The shapes of answers: what of a document the package reads, and that it is text, a list or an object there.

A document of another shape is refused here, at the rim, in a sentence that names request and field, so that no stage
has to ask what it was handed.  Only shapes are asked for: null and absence are allowed everywhere but for the field
that tells rows apart, and what a value means is read later.  Lists are looked at field by field, not row by row,
which costs a small part of what reading them does.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType
from typing import Any, Protocol

from sdrs_nb.errors import CloudError
from sdrs_nb.i18n import _

__all__ = ["JOB", "TOKEN", "Shape", "fitting", "not_ours", "object_of", "rows_of"]

#: Whole numbers that every later stage can hold.
_LARGEST = 2**63 - 1
#: Characters of an id; real ones have 36, and one becomes a part of addresses.
_LONGEST_ID = 1024
_PLAIN = frozenset({str, type(None), bool})
_NUMBERS = frozenset({int, float})
_WHOLE = frozenset({int, type(None)})


@dataclass(frozen=True, slots=True)
class Misfit:
    """Where something else stands than should: ``[3].metadata.vpc_id``, and what is wanted there."""

    place: str
    wanted: str


class Shape(Protocol):
    """A shape of values."""

    def misfit(self, values: Sequence[Any]) -> Misfit | None:
        """Return the first of ``values`` that is not of this shape; places begin with its position."""


@dataclass(frozen=True, slots=True)
class Plain:
    """Text, a number, true, false or null; ``is_key``: text or a whole number that is there."""

    is_key: bool = False

    def misfit(self, values: Sequence[Any]) -> Misfit | None:
        """Look at the kinds of values first: usually all are texts."""
        kinds = set(map(type, values))
        if self.is_key:
            if kinds == {str} and all(values) and max(map(len, values)) <= _LONGEST_ID:
                return None
        elif kinds <= _PLAIN:
            return None
        elif kinds <= _WHOLE:
            whole = [value for value in values if value is not None]
            if max(whole) <= _LARGEST and min(whole) >= -_LARGEST:
                return None
        wanted = _("an id") if self.is_key else _("a text or a number")
        return next((Misfit(f"[{at}]", wanted) for at, value in enumerate(values) if not self._fits(value)), None)

    def _fits(self, value: Any) -> bool:
        kind = type(value)
        if self.is_key:
            return (kind is str and 0 < len(value) <= _LONGEST_ID) or (kind is int and -_LARGEST <= value <= _LARGEST)
        return kind in _PLAIN or (kind in _NUMBERS and -_LARGEST <= value <= _LARGEST)


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of one shape, or null; ``or_one``: or one such value without a list."""

    item: Shape
    or_one: bool = False

    def misfit(self, values: Sequence[Any]) -> Misfit | None:
        """Look at all items of all lists at once, and for their places only where one does not fit."""
        held = [[value] if self.or_one and value.__class__ is not list else value for value in values if value]
        if not set(map(type, held)) <= {list}:
            at = next(at for at, value in enumerate(values) if value and value.__class__ is not list)
            return Misfit(f"[{at}]", _("a list"))
        items = [*chain.from_iterable(held)]
        if not items or self.item.misfit(items) is None:
            return None
        for at, value in enumerate(values):
            if value and (found := self.item.misfit(value if value.__class__ is list else [value])):
                return Misfit(f"[{at}]{found.place}", found.wanted)
        raise AssertionError  # pragma: no cover - one of them does not fit


@dataclass(frozen=True, slots=True)
class Fields:
    """An object with these fields, or null; what else it holds does not matter.

    ``every``: the shape of whatever else it holds, where its names are not known beforehand.
    """

    fields: Mapping[str, Shape]
    every: Shape | None = None

    def misfit(self, values: Sequence[Any]) -> Misfit | None:
        """Look at one field of all objects after the other."""
        held = [value for value in values if value is not None]
        if not set(map(type, held)) <= {dict}:
            at = next(at for at, value in enumerate(values) if value is not None and value.__class__ is not dict)
            return Misfit(f"[{at}]", _("an object"))
        for name, shape in self._named(held) if held else ():
            # By far the most fields are plain, and this is the quickest way to see that all of them are.
            if shape is _PLAIN_VALUE and {value.get(name).__class__ for value in held} <= _PLAIN:
                continue
            if found := shape.misfit([value.get(name) for value in held]):
                return Misfit(self._place(values, name, shape, found), found.wanted)
        return None

    def _named(self, held: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Shape]]:
        yield from self.fields.items()
        # All values at once first; name by name only to tell which of them does not fit.
        if self.every is not None and self.every.misfit([*chain.from_iterable(value.values() for value in held)]):
            for name in dict.fromkeys(chain.from_iterable(held)):
                if name not in self.fields:
                    yield name, self.every

    @staticmethod
    def _place(values: Sequence[Any], name: str, shape: Shape, found: Misfit) -> str:
        """Return the place of what was found among the objects that are not null."""
        for at, value in enumerate(values):
            if value is not None and (again := shape.misfit([value.get(name)])):
                return f"[{at}].{name}{again.place.removeprefix('[0]')}"
        return f".{name}{found.place}"


@dataclass(frozen=True, slots=True)
class _JobShape:
    """A job, whose sub-jobs are jobs."""

    def misfit(self, values: Sequence[Any]) -> Misfit | None:
        """Look at jobs as at any other object."""
        names = ("job_id", "job_type", "status", "begin_time", "end_time", "error_code", "fail_reason")
        inner = ("server_group_id", "protected_instance_id", "native_server_id")
        entities = Fields({**dict.fromkeys(inner, _PLAIN_VALUE), "sub_jobs": ListOf(self)})
        return Fields({**dict.fromkeys(names, _PLAIN_VALUE), "entities": entities}).misfit(values)


@dataclass(frozen=True, slots=True)
class _Quota:
    """What stands under a name of EVS' quotas: use and limit, or a plain value such as the project's id."""

    def misfit(self, values: Sequence[Any]) -> Misfit | None:
        """Look at objects as such, at anything else as plain."""
        at = next((at for at, value in enumerate(values) if (value.__class__ is list)), None)
        if at is not None:
            return Misfit(f"[{at}]", _("an object"))
        return _of("in_use", "limit").misfit([value if value.__class__ is dict else None for value in values])


_PLAIN_VALUE, _KEY = Plain(), Plain(is_key=True)
_OBJECT = Fields({})
_PLAIN_OBJECT = Fields({}, every=_PLAIN_VALUE)


def _of(*plain: str, **shapes: Shape) -> Fields:
    """Return the shape of an object with plain fields and others; a first plain name ``!id`` is the key."""
    named = {name.removeprefix("!"): _KEY if name.startswith("!") else _PLAIN_VALUE for name in plain}
    return Fields({**named, **shapes})


_HINT = ListOf(_PLAIN_VALUE, or_one=True)
_SERVER = Fields(
    {
        **_of(
            "!id", "name", "status", "OS-EXT-STS:task_state", "OS-EXT-AZ:availability_zone", "key_name", "user_id",
            "locked", "OS-EXT-SRV-ATTR:root_device_name", "OS-EXT-SRV-ATTR:hostname", "created",
            "enterprise_project_id",
        ).fields,
        "metadata": _of(
            "os_type", "image_name", "lockSource", "lockScene", "agency_name", "vpc_id", "charging_mode", "EcmResStatus"
        ),
        "flavor": _of("id", "vcpus", "ram"),
        "addresses": Fields(
            {},
            every=ListOf(_of("addr", "OS-EXT-IPS:port_id", "OS-EXT-IPS-MAC:mac_addr", "OS-EXT-IPS:type")),
        ),
        "os:scheduler_hints": _of(group=_HINT, tenancy=_HINT, dedicated_host_id=_HINT),
        "security_groups": ListOf(_of("name")),
        "network_interfaces": ListOf(_of("primary", "subnet_id")),
        "sys_tags": ListOf(_of("key", "value")),
        "tags": ListOf(_PLAIN_VALUE),
        "os-extended-volumes:volumes_attached": ListOf(_of("id", "device", "bootIndex")),
    }
)  # fmt: skip
_GROUP = _of(
    "!id", "name", "status", "source_availability_zone", "target_availability_zone", "priority_station",
    "source_vpc_id", "target_vpc_id", "domain_id", "server_type", "health_status", "protected_instance_num",
    "replication_num", "created_at",
)  # fmt: skip
_INSTANCE = _of(
    "!id", "name", "server_group_id", "status", "progress", "source_server", "target_server", "priority_station",
    "created_at",
)  # fmt: skip
_FLAVOR = _of("!id", "vcpus", "ram", os_extra_specs=_PLAIN_OBJECT, extra_specs=_PLAIN_OBJECT)
_DOMAIN_SITE = _of("availability_zone")
_QUOTA = _Quota()
_TOKEN_OWNER = _of("id", "name", domain=_of("id", "name"))

#: Shapes of the rows of lists, by the name that a list has in its answer.
_ROWS: Mapping[str, Shape] = MappingProxyType(
    {
        "servers": _SERVER,
        "volumes": _of(
            "!id", "name", "size", "status", "availability_zone", "multiattach", "bootable", "volume_type",
            "service_type", "dedicated_storage_id", "enterprise_project_id", "created_at",
            metadata=_of("__system__encrypted", "orderID", "EcmResStatus", "__system__frozen"),
            attachments=ListOf(_of("server_id", "device")),
        ),
        "server_groups": Fields({**_GROUP.fields, "members": ListOf(_PLAIN_VALUE), "policies": ListOf(_PLAIN_VALUE)}),
        "protected_instances": _INSTANCE,
        "replications": _of(
            "!id", "name", "server_group_id", "status", "replication_status", "progress", "created_at",
            volume_ids=ListOf(_PLAIN_VALUE, or_one=True),
            attachment=ListOf(_of("protected_instance")),
            record_metadata=_of("multiattach"),
        ),
        "disaster_recovery_drills": _of(
            "!id", "server_group_id", drill_servers=ListOf(_of("drill_server_id", "protected_instance"))
        ),
        "domains": _of(
            "!id", "name", "sold_out",
            local_replication_cluster=_DOMAIN_SITE, remote_replication_cluster=_DOMAIN_SITE,
        ),
        "resources": _of("type", "used", "quota"),
        "failure_jobs": _of("job_id", "resource_id", "error_code", "fail_reason"),
        "flavors": _FLAVOR,
        "vpcs": _of("!id", "name", "cidr"),
        "subnets": _of(
            "!id", "neutron_network_id", "neutron_subnet_id", "name", "vpc_id", "cidr", "status",
            "available_ip_address_count",
        ),
        "keypairs": _of("name", "type", "scope", keypair=_of("name", "type", "scope")),
        "dedicated_hosts": _of(
            "!dedicated_host_id", "name", "state", "availability_zone", "auto_placement", "available_vcpus",
            "available_memory", host_properties=_of(available_instance_capacities=ListOf(_of("flavor"))),
        ),
        "pools": _of(
            "!id", "name", "type", "status", "availability_zone", "total_capacity_gb", "used_capacity_gb",
            "provisioned_capacity_gb", "max_over_subscription_ratio",
        ),
        "scaling_groups": _of("!scaling_group_id", "scaling_group_name"),
        "scaling_group_instances": _of(
            "!instance_id", "scaling_group_name", "scaling_configuration_id", "protect_from_scaling_down"
        ),
        "enterprise_projects": _of("!id", "name"),
        "projects": _of("!id", "name", "domain_id"),
    }
)  # fmt: skip
#: Shapes of single objects, by the name that the object has in its answer.
_OBJECTS: Mapping[str, Shape] = MappingProxyType(
    {
        "server": _SERVER,
        "server_group": _GROUP,
        "protected_instance": _INSTANCE,
        "absolute": _of(
            "totalInstancesUsed", "maxTotalInstances", "totalCoresUsed", "maxTotalCores", "totalRAMUsed",
            "maxTotalRAMSize",
        ),
        "quota_set": Fields({}, every=_QUOTA),
        "network_ip_availability": _of(
            "total_ips", "used_ips", subnet_ip_availability=ListOf(_of("ip_version", "total_ips", "used_ips"))
        ),
    }
)  # fmt: skip
JOB: Shape = _JobShape()
TOKEN: Shape = _of(project=_TOKEN_OWNER, user=_TOKEN_OWNER, expires_at=_PLAIN_VALUE, issued_at=_PLAIN_VALUE)


def fitting(path: str, document: Any, shape: Shape, name: str = "") -> Any:
    """Return the document; ``name`` is what it is called in the answer to GET ``path``.

    Raises ``CloudError``, naming request and field, where it is not of this shape.
    """
    found = Misfit("", _("an object")) if document is None else shape.misfit([document])
    if found:
        raise not_ours(path, f"{name}{found.place.removeprefix('[0]')}".lstrip(".") or "-", found.wanted)
    return document


def rows_of(path: str, document: Any, key: str) -> list[dict[str, Any]]:
    """Return the list under ``key`` of an answer; null is an empty list.

    Raises ``CloudError`` where there is no such list, or where a row is not of the list's shape.
    """
    rows = document[key] if isinstance(document, dict) and key in document else ()
    if rows is None:
        return []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise not_ours(path, key, _("a list of objects"))
    if found := _ROWS.get(key, _OBJECT).misfit(rows):
        raise not_ours(path, f"{key}{found.place}", found.wanted)
    return rows


def object_of(path: str, document: Any, key: str) -> dict[str, Any]:
    """Return the object under ``key`` of an answer.

    Raises ``CloudError`` where there is none, or where it is not of its shape.
    """
    value = document.get(key) if isinstance(document, dict) else None
    if not isinstance(value, dict):
        raise not_ours(path, key, _("an object"))
    fitting(path, value, _OBJECTS.get(key, _OBJECT), key)
    return value


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
