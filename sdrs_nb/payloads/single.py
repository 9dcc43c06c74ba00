"""The other requests as pydantic models: one instance created alone, instances deleted together or alone.

Sources: the pages "Creating a Protected Instance", "Deleting a Protected Instance" and "Deleting Protected Instances
in a Batch" of the SDRS API (sdrs-api.md, section 3).  Field order is the order of the JSON.
"""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from sdrs_nb.i18n import _
from sdrs_nb.models import Record
from sdrs_nb.payloads.batch import Word, allowed_characters, held, quoted, repeated
from sdrs_nb.rulebook import Rulebook

__all__ = ["DeletePayload", "InstanceItem", "SingleBody", "SingleDeletePayload", "SinglePayload", "name_problems"]


def name_problems(name: str, book: Rulebook) -> Iterator[str]:
    """Say what keeps the service from taking ``name`` as the name of one instance, one sentence each."""
    limit = book.number("name_bytes")
    if len(name.encode()) > limit:
        yield _(
            "The instance name {name} has {count} bytes, {limit} are allowed. Take a shorter name prefix.",
            name=quoted(name),
            count=len(name.encode()),
            limit=limit,
        )
    if strange := book.strange_in(name):
        yield _(
            "The instance name {name} holds {characters}. Use only {allowed}.",
            name=quoted(name),
            characters=", ".join(map(quoted, strange)),
            allowed=allowed_characters(book),
        )


def _description_problems(text: str, book: Rulebook) -> Iterator[str]:
    limit = book.number("name_bytes")  # single-create page, field description: as long as a name
    if len(text.encode()) > limit:
        yield _(
            "The description {text} has {count} bytes, and creating instances one by one allows {limit}. Shorten it.",
            text=quoted(text),
            count=len(text.encode()),
            limit=limit,
        )


class SingleBody(Record):
    """What the one key ``protected_instance`` holds; single-create page, fields in its order."""

    server_group_id: Word
    server_id: Word
    name: Annotated[Word, held("Q1", name_problems)]
    description: Annotated[Word, held("Q4", _description_problems)] | None = None
    cluster_id: Word | None = None
    primary_subnet_id: Word | None = None
    flavor_ref: Annotated[Word | None, Field(serialization_alias="flavorRef")] = None
    tenancy: Word | None = None
    dedicated_host_id: Word | None = None
    tags: list[dict[str, str]] | None = None


class SinglePayload(Record):
    """The body of ``POST /v1/{project_id}/protected-instances``."""

    protected_instance: SingleBody


class InstanceItem(Record):
    """An instance to delete."""

    id: Word


def _instance_problems(instances: list[InstanceItem], _book: Rulebook) -> Iterator[str]:
    if not instances:
        yield _("The request deletes no instance. Give it at least one.")
    # Batch-delete page: no instance twice (SDRS.1363).
    for instance_id in repeated(each.id for each in instances):
        yield _("Instance {instance} is in the request twice. Take one of the two out.", instance=instance_id)


class SingleDeletePayload(Record):
    """The body of ``DELETE /v1/{project_id}/protected-instances/{id}``; production servers always stay."""

    delete_target_server: bool
    delete_target_eip: bool


class DeletePayload(Record):
    """The body of ``POST /v1/{project_id}/protected-instances/delete``; here the one key is an array."""

    protected_instances: Annotated[list[InstanceItem], held("H17", _instance_problems)]
    delete_target_server: bool
    delete_target_eip: bool
