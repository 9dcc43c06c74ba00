"""The other requests as pydantic models: one instance created alone, instances deleted together or alone.

Sources: the pages "Creating a Protected Instance", "Deleting a Protected Instance" and "Deleting Protected Instances
in a Batch" of the SDRS API (sdrs-api.md, section 3).  Field order is the order of the JSON.
"""

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from sdrs_nb.i18n import _
from sdrs_nb.models import Record
from sdrs_nb.payloads.batch import InstancesBody, held, quoted, repeated, strange_in

__all__ = ["NAME_BYTES", "DeletePayload", "SingleDeletePayload", "SinglePayload", "name_problems"]

#: Bytes of an instance's name and of its description: single-create page, fields name and description.
NAME_BYTES = 64

_Word = Annotated[str, Field(min_length=1)]


def name_problems(name: str) -> Iterator[str]:
    """Say what keeps the service from taking ``name`` as the name of one instance, one sentence each."""
    if len(name.encode()) > NAME_BYTES:
        yield _(
            "The instance name {name} has {count} bytes, {limit} are allowed. Take a shorter name prefix.",
            name=quoted(name),
            count=len(name.encode()),
            limit=NAME_BYTES,
        )
    if strange := strange_in(name):
        yield _(
            'The instance name {name} holds {characters}. Use only Chinese characters, ASCII letters, digits, ".", "_" '
            'and "-".',
            name=quoted(name),
            characters=", ".join(map(quoted, strange)),
        )


def _description_problems(text: str) -> Iterator[str]:
    if len(text.encode()) > NAME_BYTES:
        yield _(
            "The description {text} has {count} bytes, and creating instances one by one allows {limit}. Shorten it.",
            text=quoted(text),
            count=len(text.encode()),
            limit=NAME_BYTES,
        )


class SingleBody(Record):
    """What the one key ``protected_instance`` holds; single-create page, fields in its order."""

    server_group_id: _Word
    server_id: _Word
    name: Annotated[_Word, AfterValidator(lambda value: held("Q1", value, name_problems(value)))]
    description: (
        Annotated[_Word, AfterValidator(lambda value: held("Q4", value, _description_problems(value)))] | None
    ) = None
    cluster_id: _Word | None = None
    primary_subnet_id: _Word | None = None
    flavor_ref: Annotated[_Word | None, Field(serialization_alias="flavorRef")] = None
    tenancy: _Word | None = None
    dedicated_host_id: _Word | None = None
    tags: list[dict[str, str]] | None = None

    @classmethod
    def of(cls, shared: InstancesBody, name: str) -> "SingleBody":
        """Return the single create of a request that the limits of the batch-create page hold for already."""
        fields = shared.model_dump(exclude={"name_prefix", "servers"}, exclude_none=True)
        return cls(name=name, **shared.servers[0].model_dump(exclude_none=True), **fields)


class SinglePayload(Record):
    """The body of ``POST /v1/{project_id}/protected-instances``."""

    protected_instance: SingleBody


class InstanceItem(Record):
    """An instance to delete."""

    id: _Word


def _instance_problems(instances: list[InstanceItem]) -> Iterator[str]:
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

    protected_instances: Annotated[
        list[InstanceItem], AfterValidator(lambda value: held("H17", value, _instance_problems(value)))
    ]
    delete_target_server: bool
    delete_target_eip: bool
