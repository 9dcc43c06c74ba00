"""One batch as the request that is sent for it: method and path, the dict, the exact bytes, two command lines.

``Batch.call`` decides which request it is.  ``batch`` and ``single`` hold it to the limits of the pages, which
the rule book has (``book``; where it is left out, the customer's).  A batch that breaks one never becomes a payload:
all that is wrong with it is said at once in a ``PlanError``.  Nothing here touches network or disk.
"""

import shlex
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import ValidationError

from sdrs_nb.errors import PlanError
from sdrs_nb.i18n import _, ngettext_
from sdrs_nb.models import Batch, Call, Record
from sdrs_nb.payloads.batch import InstancesBody, Payload, sentences
from sdrs_nb.payloads.single import DeletePayload, SingleBody, SingleDeletePayload, SinglePayload
from sdrs_nb.rulebook import Rulebook

__all__ = ["Target", "batch_problems", "curl_line", "hcloud_line", "payload", "payload_bytes", "target"]

_INSTANCES = "/protected-instances"


class Target(NamedTuple):
    """Where a request goes: ``path`` follows ``/v1/{project_id}``; ``operation`` is the vendor's name of the call."""

    method: str
    path: str
    operation: str


def target(batch: Batch) -> Target:
    """Return where the request of ``batch`` goes."""
    match batch.call:
        case Call.BATCH_CREATE:
            return Target("POST", f"{_INSTANCES}/batch", "BatchCreateProtectedInstances")
        case Call.SINGLE_CREATE:
            return Target("POST", _INSTANCES, "CreateProtectedInstance")
        case Call.BATCH_DELETE:
            return Target("POST", f"{_INSTANCES}/delete", "BatchDeleteProtectedInstances")
        case Call.SINGLE_DELETE:
            return Target("DELETE", f"{_INSTANCES}/{quote(batch.instance_ids[0], safe='')}", "DeleteProtectedInstance")


def payload(batch: Batch, book: Rulebook | None = None) -> dict[str, Any]:
    """Return the request body of ``batch`` as a dict, keys in the order of the page's tables.

    Optional fields without a value (None, ``""``, no tags) are left out: none is sent as null or ``""``.

    Raises
    ------
    PlanError
        Names the batch and everything in it that breaks a limit of the call's page.
    """
    return _checked(batch, book).model_dump(by_alias=True, exclude_none=True)


def payload_bytes(batch: Batch, book: Rulebook | None = None) -> bytes:
    """Return the exact bytes of the request body: those that are shown, fingerprinted and sent.

    UTF-8 JSON without needless blanks, characters as themselves, keys in the order of ``payload``.

    Raises
    ------
    PlanError
        As ``payload`` does.
    """
    return _checked(batch, book).model_dump_json(by_alias=True, exclude_none=True).encode()


def batch_problems(batch: Batch, book: Rulebook | None = None, *, batch_limit: int | None = None) -> list[str]:
    """Return everything that keeps ``batch`` from being sent, one sentence each; empty when nothing does.

    ``batch_limit`` is the number of servers that a request may hold (batch-create page, table 1, servers: at most
    5 by default); None leaves that rule out.
    """
    problems = []
    if batch_limit is not None and len(batch.server_ids) > batch_limit:
        problems.append(
            ngettext_(
                "The request has {count} server, at most {limit} are allowed. Split it.",
                "The request has {count} servers, at most {limit} are allowed. Split it.",
                len(batch.server_ids),
                limit=batch_limit,
            )
        )
    try:
        _payload(batch, book)
    except ValidationError as error:
        problems += sentences(error)
    return problems


def curl_line(batch: Batch, endpoint: str, project_id: str, *, book: Rulebook | None = None) -> str:
    """Return the request of ``batch`` as one ``curl`` line for a POSIX shell, with the exact body and no secret.

    The shell reads the token from its variable ``TOKEN``; a user name or password inside ``endpoint`` is dropped.

    Raises
    ------
    PlanError
        As ``payload`` does.
    """
    address = urlsplit(endpoint)
    host = address.netloc.rpartition("@")[2]
    call = target(batch)
    path = f"{address.path.rstrip('/')}/v1/{quote(project_id, safe='')}{call.path}"
    url = urlunsplit((address.scheme, host, path, "", ""))
    return (
        f"curl -X {call.method} {shlex.quote(url)} -H 'Content-Type: application/json' "
        f'-H "X-Auth-Token: $TOKEN" --data-raw {shlex.quote(payload_bytes(batch, book).decode())}'
    )


def hcloud_line(batch: Batch, *, project_id: str = "", region: str = "", book: Rulebook | None = None) -> str:
    """Return the request of ``batch`` as one line for the vendor's command line tool, without a secret.

    Fields are dotted and list items counted from 1, as that tool takes them.  ``project_id`` and ``region`` are
    named where given, else the tool takes them from its own profile.

    Raises
    ------
    PlanError
        As ``payload`` does.
    """
    words = ["hcloud", "SDRS", target(batch).operation]
    words += [f"--cli-region={region}"] if region else []
    words += [f"--project_id={project_id}"] if project_id else []
    words += [f"--protected_instance_id={batch.instance_ids[0]}"] if batch.call is Call.SINGLE_DELETE else []
    for name, value in _dotted(payload(batch, book), ""):
        words.append(f"--{name}={str(value).lower() if isinstance(value, bool) else value}")
    return shlex.join(words)


def _checked(batch: Batch, book: Rulebook | None) -> Record:
    try:
        return _payload(batch, book)
    except ValidationError as error:
        said = " ".join(sentences(error))
        raise PlanError(
            _("Batch {batch_id} cannot be sent. {problems}", batch_id=batch.batch_id, problems=said)
        ) from None


def _payload(batch: Batch, book: Rulebook | None) -> Record:
    context = {"book": book}
    if batch.call.is_delete:
        choices = {"delete_target_server": batch.delete_target_server, "delete_target_eip": batch.delete_target_eip}
        if batch.call is Call.SINGLE_DELETE:
            return SingleDeletePayload(**choices)
        instances = [{"id": each} for each in batch.instance_ids]
        return DeletePayload.model_validate({"protected_instances": instances, **choices}, context=context)
    # A single create is held to the limits of the batch-create page too, which the customer's text is about.
    body = InstancesBody.model_validate(_fields(batch), context=context)
    if batch.call is Call.BATCH_CREATE:
        return Payload(protected_instances=body)
    shared = body.model_dump(exclude={"name_prefix", "servers"}, exclude_none=True)
    alone = {"name": batch.instance_name or "", **body.servers[0].model_dump(exclude_none=True), **shared}
    return SinglePayload(protected_instance=SingleBody.model_validate(alone, context=context))


def _fields(batch: Batch) -> dict[str, Any]:
    """Return the fields of ``batch`` under the names of the models, empty optional ones left out."""
    optional = {
        "description": batch.description,
        "cluster_id": batch.cluster_id,
        "primary_subnet_id": batch.primary_subnet_id,
        "tenancy": batch.tenancy,
        "dedicated_host_id": batch.dedicated_host_id,
        "tags": [{"key": tag.key, "value": tag.value} for tag in batch.tags],
    }
    flavors = batch.flavors
    servers = [
        {"server_id": each, "flavor_ref": flavors[each]} if flavors.get(each) else {"server_id": each}
        for each in batch.server_ids
    ]
    return {
        "name_prefix": batch.name_prefix,
        "server_group_id": batch.group_id,
        "servers": servers,
        **{name: value for name, value in optional.items() if value},
    }


def _dotted(value: object, path: str) -> Iterator[tuple[str, object]]:
    """Return every leaf of ``value`` with its dotted path, list items counted from 1."""
    inner: Iterator[tuple[object, object]]
    if isinstance(value, dict):
        inner = iter(value.items())
    elif isinstance(value, (list, tuple)):
        inner = iter(enumerate(value, start=1))
    else:
        yield path, value
        return
    for name, part in inner:
        yield from _dotted(part, f"{path}.{name}" if path else str(name))
