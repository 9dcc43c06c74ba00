"""Tags of protected instances, and the search by tags."""

from typing import Any

from .errors import Refusal
from .paging import whole_number
from .records import Instance
from .routing import CloudCall, Reply, Routes
from .sdrs_documents import instance_document, tag_list
from .sdrs_instances import find_instance
from .validation import check_tag_keys, check_tags

ROUTES = Routes()

_MAX_KEYS = 10
_MAX_VALUES = 10
_MATCH_LENGTH = 255
_TAG_FILTERS = ("tags", "tags_any", "not_tags", "not_tags_any")


def _check_normal(instance: Instance, code: str) -> None:
    # "Not in a normal state": something is under way, or it went wrong.
    if instance.status.endswith("ing") or instance.status.startswith("error"):
        raise Refusal(code)


def _put(call: CloudCall, instance: Instance, tags: dict[str, str]) -> Reply:
    instance.tags.update(tags)
    call.world.touch()
    return Reply(204)


def _checked(instance: Instance, entries: Any) -> dict[str, str]:
    if not isinstance(entries, list):
        raise Refusal("SDRS.0201")
    sent = {entry.get("key") for entry in entries if isinstance(entry, dict) and isinstance(entry.get("key"), str)}
    # An existing key is overwritten and does not count twice towards the ten.
    return check_tags(entries, held=len(set(instance.tags) - sent))


@ROUTES.on("POST", "/v1/{project_id}/protected-instances/{instance_id}/tags")
def _add_tag(call: CloudCall) -> Reply:
    instance = find_instance(call)
    tags = _checked(instance, [call.fields().get("tag")])
    _check_normal(instance, "SDRS.2221")
    return _put(call, instance, tags)


@ROUTES.on("POST", "/v1/{project_id}/protected-instances/{instance_id}/tags/action")
def _act_on_tags(call: CloudCall) -> Reply:
    instance = find_instance(call)
    body = call.fields()
    action, entries = body.get("action"), body.get("tags")
    if action not in ("create", "delete"):
        raise Refusal("SDRS.2201")
    if not entries:
        raise Refusal("SDRS.2202")
    if action == "create":
        tags = _checked(instance, entries)
        _check_normal(instance, "SDRS.2221")
        return _put(call, instance, tags)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise Refusal("SDRS.0201")
    check_tag_keys([entry.get("key") for entry in entries])
    _check_normal(instance, "SDRS.2222")
    for entry in entries:
        # An unknown tag is ignored; with a value given both must match.
        key, value = entry["key"], entry.get("value")
        if key in instance.tags and value in (None, instance.tags[key]):
            del instance.tags[key]
    call.world.touch()
    return Reply(204)


@ROUTES.on("DELETE", "/v1/{project_id}/protected-instances/{instance_id}/tags/{key}")
def _delete_tag(call: CloudCall) -> Reply:
    instance = find_instance(call)
    _check_normal(instance, "SDRS.2222")
    if call["key"] not in instance.tags:
        # The only documented 404 of the service.
        raise Refusal("SDRS.2206", 404, key="itemNotFound")
    del instance.tags[call["key"]]
    call.world.touch()
    return Reply(204)


@ROUTES.on("GET", "/v1/{project_id}/protected-instances/{instance_id}/tags")
def _list_tags(call: CloudCall) -> Reply:
    return Reply(200, {"tags": tag_list(find_instance(call).tags)})


@ROUTES.on("GET", "/v1/{project_id}/protected-instances/tags")
def _list_project_tags(call: CloudCall) -> Reply:
    values: dict[str, list[str]] = {}
    for instance in call.world.instances.values():
        for key, value in instance.tags.items():
            held = values.setdefault(key, [])
            if value not in held:
                held.append(value)
    return Reply(200, {"tags": [{"key": key, "values": held} for key, held in values.items()]})


# -- search ----------------------------------------------------------------------------------------------------


@ROUTES.on("POST", "/v1/{project_id}/protected-instances/resource_instances/action")
def _search(call: CloudCall) -> Reply:
    body = call.fields()
    action = body.get("action")
    if action not in ("filter", "count"):
        raise Refusal("SDRS.2210")
    if action == "count" and ("limit" in body or "offset" in body):
        raise Refusal("SDRS.2211")
    limit = whole_number(_text(body, "limit"), 1000, Refusal("SDRS.2220"), 1, 1000)
    offset = whole_number(_text(body, "offset"), 0, Refusal("SDRS.0222"))
    filters = {name: _read_filter(body.get(name, [])) for name in _TAG_FILTERS}
    name = _read_matches(body.get("matches"))
    found = [
        instance
        for instance in reversed(call.world.instances.values())
        if name in instance.name and _fits(instance.tags, filters)
    ]
    if action == "count":
        return Reply(200, {"total_count": len(found)})
    resources = [_resource(call, instance) for instance in found[offset : offset + limit]]
    return Reply(200, {"resources": resources, "total_count": len(found)})


def _resource(call: CloudCall, instance: Instance) -> dict[str, Any]:
    return {
        "resource_id": instance.id,
        "resource_name": instance.name,
        "resource_detail": instance_document(call.world, instance, call.now, call.settings),
        "tags": tag_list(instance.tags),
    }


def _text(body: dict[str, Any], name: str) -> str | None:
    # limit and offset are strings here; a number is taken as well.
    return str(body[name]) if name in body else None


def _read_filter(entries: Any) -> dict[str, list[str]]:
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise Refusal("SDRS.0201")
    keys = [entry.get("key") for entry in entries]
    if len(keys) > _MAX_KEYS:
        raise Refusal("SDRS.2203")
    check_tag_keys(keys)
    if len(set(keys)) < len(keys):
        raise Refusal("SDRS.2209")
    wanted: dict[str, list[str]] = {}
    for entry in entries:
        values = entry.get("values", [])
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise Refusal("SDRS.0201")
        if len(values) > _MAX_VALUES:
            raise Refusal("SDRS.2218")
        if len(set(values)) < len(values):
            raise Refusal("SDRS.2219")
        wanted[entry["key"]] = values
    return wanted


def _fits(tags: dict[str, str], filters: dict[str, dict[str, list[str]]]) -> bool:
    def fits(value: str, wanted: list[str]) -> bool:
        # No values = any value; a leading "*" asks for a part of the value.
        return not wanted or any(one[1:] in value if one.startswith("*") else one == value for one in wanted)

    def has(name: str) -> list[bool]:
        return [key in tags and fits(tags[key], values) for key, values in filters[name].items()]

    return (
        all(has("tags"))
        and (not filters["tags_any"] or any(has("tags_any")))
        and not (filters["not_tags"] and all(has("not_tags")))
        and not any(has("not_tags_any"))
    )


def _read_matches(matches: Any) -> str:
    if matches is None:
        return ""
    if not isinstance(matches, list) or not all(isinstance(match, dict) for match in matches):
        raise Refusal("SDRS.0201")
    if not matches:
        raise Refusal("SDRS.2212")
    keys = [match.get("key") for match in matches]
    if not all(keys):
        raise Refusal("SDRS.2213")
    if any(key != "resource_name" for key in keys):
        raise Refusal("SDRS.2214")
    if len(keys) > 1:
        raise Refusal("SDRS.2215")
    value = matches[0].get("value")
    if value is None:
        raise Refusal("SDRS.2216")
    if not isinstance(value, str) or len(value) > _MATCH_LENGTH:
        raise Refusal("SDRS.2217")
    return value
