"""Answers of the cloud's APIs, saved as they came: which list is which frame, whatever was wrapped around it.

Their documents go through ``inventory.documents``, the same code that reads the cloud itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

__all__ = ["Listed", "answers_in", "frame_of_documents"]

Document = dict[str, Any]

#: The key around a list, or around one object -> frame.
_WRAPPERS: Mapping[str, str] = MappingProxyType(
    {
        "servers": "servers",
        "server": "servers",
        "volumes": "volumes",
        "volume": "volumes",
        "server_groups": "groups",
        "server_group": "groups",
        "protected_instances": "protected_instances",
        "protected_instance": "protected_instances",
        "replications": "replication_pairs",
        "replication": "replication_pairs",
        "disaster_recovery_drills": "drill_servers",
        "disaster_recovery_drill": "drill_servers",
        "domains": "domains",
        "vpcs": "vpcs",
        "vpc": "vpcs",
        "subnets": "subnets",
        "subnet": "subnets",
        "keypairs": "key_pairs",
        "keypair": "key_pairs",
        "scaling_group_instances": "scaling_instances",
        "enterprise_projects": "enterprise_projects",
        "flavors": "flavors",
        "flavor": "flavors",
        "dedicated_hosts": "dedicated_hosts",
        "dedicated_host": "dedicated_hosts",
        "pools": "storage_pools",
    }
)
#: Keys that tools put around a whole answer.
_ENVELOPES = ("body", "data", "result", "results", "response", "items", "value", "output", "content")
_DEEPEST = 6
#: Keys that only documents of one list have -> its frame; the first that fits counts.
_MARKS: tuple[tuple[frozenset[str], str], ...] = tuple(
    (frozenset(keys.split()), frame)
    for keys, frame in (
        ("id OS-EXT-AZ:availability_zone", "servers"),
        ("id addresses flavor", "servers"),
        ("id addresses status", "servers"),
        ("id OS-EXT-STS:vm_state", "servers"),
        ("id name hostId", "servers"),
        ("id source_server server_group_id", "protected_instances"),
        ("id volume_ids server_group_id", "replication_pairs"),
        ("id replication_status server_group_id", "replication_pairs"),
        ("id source_availability_zone", "groups"),
        ("id drill_servers", "drill_servers"),
        ("id attachments size", "volumes"),
        ("id multiattach size", "volumes"),
        ("id volume_type size", "volumes"),
        ("id local_replication_cluster", "domains"),
        ("id neutron_network_id", "subnets"),
        ("id cidr vpc_id", "subnets"),
        ("id cidr status", "vpcs"),
        ("id ram vcpus", "flavors"),
        ("dedicated_host_id host_properties", "dedicated_hosts"),
        ("instance_id scaling_group_id", "scaling_instances"),
        ("fingerprint name", "key_pairs"),
    )
)


@dataclass(frozen=True)
class Listed:
    """Documents of one list of the cloud; ``announced``: how many the answer says there are, where it says so."""

    frame: str
    documents: Sequence[Document]
    file: str
    announced: int | None = None
    has_more: bool = False


def frame_of_documents(rows: Sequence[Any]) -> str | None:
    """Return the frame whose documents these are, None where they are no documents of the cloud."""
    if not rows or not all(isinstance(row, dict) for row in rows):
        return None
    keys = rows[0].keys()
    return next((frame for marks, frame in _MARKS if marks <= keys), None)


def answers_in(value: Any, file: str) -> list[Listed] | None:
    """Return the lists in a saved answer; None where the value is no answer of the cloud."""
    found = list(_answers(value, file, 0))
    return found or None


def _answers(value: Any, file: str, depth: int) -> Iterator[Listed]:
    rows = value if isinstance(value, list) else [value]
    if depth > _DEEPEST or not all(isinstance(row, dict) for row in rows):
        return
    if frame := frame_of_documents(rows):
        yield Listed(frame, rows, file)
    elif isinstance(value, dict):
        yield from _of_object(value, file, depth)
    elif rows and len(rows[0]) <= _DEEPEST:
        for each in rows:  # pages, or objects that are wrapped one by one
            yield from _answers(each, file, depth + 1)


def _of_object(value: Document, file: str, depth: int) -> Iterator[Listed]:
    for key, inner in value.items():
        if key in _WRAPPERS:
            yield from _wrapped(key, inner, value, file)
        elif key == "quotas":
            yield from _quotas(inner, file)
        elif key == "absolute" and isinstance(inner, dict) and "maxTotalInstances" in inner:
            yield Listed("ecs_limits", [inner], file)
        elif key == "limits" and depth < _DEEPEST:
            yield from _answers(inner, file, depth + 1)
        elif key == "quota_set" and isinstance(inner, dict):
            yield Listed("evs_quota", [inner], file)
        elif key in _ENVELOPES and isinstance(inner, (dict, list)):
            yield from _answers(inner, file, depth + 1)


def _wrapped(key: str, inner: Any, around: Document, file: str) -> Iterator[Listed]:
    rows = inner if isinstance(inner, list) else [inner] if isinstance(inner, dict) else []
    rows = [_bare(row) for row in rows]
    frame = _WRAPPERS[key]
    fits = bool(rows) and all(_is_document(row, frame) for row in rows)
    # server_groups is also the name of the ECS list of anti-affinity groups.
    if not fits:
        if not (inner == [] and ("count" in around or f"{key}_links" in around)):
            return
        rows = []
    count = around.get("count", around.get("total_count"))
    announced = count if isinstance(count, int) and not isinstance(count, bool) and count >= 0 else None
    yield Listed(frame, rows, file, announced, has_more=bool(around.get(f"{key}_links")))


def _bare(row: Any) -> Any:
    """Return an object without the key that some lists put around each (``{"keypair": {...}}``)."""
    if isinstance(row, dict) and len(row) == 1:
        key, inner = next(iter(row.items()))
        if key in _WRAPPERS and isinstance(inner, dict):
            return inner
    return row


def _is_document(row: Any, frame: str) -> bool:
    """Tell whether a row under the key of a list is a document of it, not a row in our words."""
    if not isinstance(row, dict):
        return False
    if any(marks <= row.keys() for marks, each in _MARKS if each == frame):
        return True
    return "id" in row and frame in ("vpcs", "enterprise_projects", "domains", "storage_pools")


def _quotas(inner: Any, file: str) -> Iterator[Listed]:
    resources = inner.get("resources") if isinstance(inner, dict) else None
    if isinstance(resources, list) and all(isinstance(each, dict) and "quota" in each for each in resources):
        ours = [each for each in resources if each.get("type") in ("server_groups", "replications")]
        if ours:
            yield Listed("quotas", ours, file)
