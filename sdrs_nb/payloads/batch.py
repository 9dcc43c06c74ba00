"""The create request as pydantic models that hold every limit of the customer's page.

The page is "批量创建保护实例" (batch-create page; ``spec`` below), section 请求消息, tables 1 to 3.  Field order is the
tables' order and so the order of the JSON.  Every broken rule is a sentence that names the value and the remedy.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from sdrs_nb.i18n import _
from sdrs_nb.models import Record
from sdrs_nb.rulebook import load_rulebook

__all__ = [
    "MARK_LENGTH",
    "PREFIX_LENGTH",
    "InstancesBody",
    "Payload",
    "ServerItem",
    "TagItem",
    "held",
    "prefix_problems",
    "quoted",
    "repeated",
    "sentences",
    "strange_in",
]

#: Characters of a name prefix: spec, table 1, name_prefix: 1 to 59.
PREFIX_LENGTH = 59
#: Characters that the service puts behind it: spec, table 1, name_prefix: a mark like "-0001".
MARK_LENGTH = 5
#: Characters of a description: spec, table 1, description: at most 64.
_DESCRIPTION_LENGTH = 64
#: Tags of a request: spec, table 1, tags: at most 10.
_TAG_COUNT = 10
#: Characters of a tag: spec, table 3: key 1-36, value 0-43.
_TAG_KEY_LENGTH, _TAG_VALUE_LENGTH = 36, 43
# spec, table 1, name_prefix: Chinese characters, letters, digits, ".", "_", "-".  The page prints some of them
# full-width; ASCII is meant.  Chinese is read as the whole block U+4E00-U+9FFF.
_PREFIX = re.compile(r"[\u4e00-\u9fffA-Za-z0-9._-]*")
# spec, table 3: neither ASCII 0-31 nor * < > \ = , | /
_NOT_IN_TAGS = re.compile(r"[\x00-\x1f*<>\\=,|/]")

#: A text of the request that says something: no optional field is sent empty (rule Q9).
_Word = Annotated[str, Field(min_length=1)]


T = TypeVar("T")


def held(rule: str, value: T, problems: Iterable[str]) -> T:
    """Return ``value``, or refuse it with everything that is wrong with it."""
    if said := list(problems):
        raise PydanticCustomError(rule, "{text}", {"text": " ".join(said), "sentences": said})
    return value


def repeated(values: Iterable[str]) -> list[str]:
    """Return the values that stand more than once."""
    given = list(values)
    return [value for value, count in Counter(given).items() if count > 1] if len({*given}) < len(given) else []


def quoted(text: str) -> str:
    """Return ``text`` in quotation marks, with hidden characters written out."""
    return json.dumps(text, ensure_ascii=False)


def strange_in(name: str) -> list[str]:
    """Return the characters of ``name`` that no name of an instance may hold, each once."""
    if _PREFIX.fullmatch(name):
        return []
    return list(dict.fromkeys(each for each in name if not _PREFIX.fullmatch(each)))


def prefix_problems(prefix: str) -> Iterator[str]:
    """Say what keeps the service from taking ``prefix`` as a name prefix (rule Q1), one sentence each."""
    if not prefix:
        yield _(
            "The name prefix is empty. Give 1 to {limit} characters: Chinese characters, ASCII letters, digits, "
            '".", "_" and "-".',
            limit=PREFIX_LENGTH,
        )
    if len(prefix) > PREFIX_LENGTH:
        yield _(
            "The name prefix {prefix} has {count} characters, {limit} are allowed. Shorten it.",
            prefix=quoted(prefix),
            count=len(prefix),
            limit=PREFIX_LENGTH,
        )
    if strange := strange_in(prefix):
        yield _(
            "The name prefix {prefix} holds {characters}. Use only Chinese characters, ASCII letters, digits, "
            '".", "_" and "-".',
            prefix=quoted(prefix),
            characters=", ".join(map(quoted, strange)),
        )
        if form := load_rulebook().taken_form(prefix):
            yield _("In this form it would be taken: {form}.", form=quoted(form))


def _description_problems(text: str) -> Iterator[str]:
    if len(text) > _DESCRIPTION_LENGTH:
        yield _(
            "The description {text} has {count} characters, {limit} are allowed. Shorten it.",
            text=quoted(text),
            count=len(text),
            limit=_DESCRIPTION_LENGTH,
        )
    # spec, table 1, description: no "<" and no ">".
    if "<" in text or ">" in text:
        yield _('The description {text} holds "<" or ">". Take them out.', text=quoted(text))


class TagItem(Record):
    """A tag of every instance of the request; spec, table 3 (its limits are held by ``InstancesBody``)."""

    key: str
    value: str


def _tag_problems(tags: list[TagItem]) -> Iterator[str]:
    if len(tags) > _TAG_COUNT:
        yield _("The request has {count} tags, {limit} are allowed. Take some out.", count=len(tags), limit=_TAG_COUNT)
    # spec, table 3, key: unique on one resource.
    for key in repeated(tag.key for tag in tags):
        yield _("The tag key {key} is given twice. Keys must differ: take one of the two out.", key=quoted(key))
    for key in dict.fromkeys(tag.key for tag in tags):
        if not key:
            yield _("A tag has an empty key. Give it 1 to {limit} characters.", limit=_TAG_KEY_LENGTH)
        if len(key) > _TAG_KEY_LENGTH:
            yield _(
                "The tag key {key} is longer than {limit} characters. Shorten it.",
                key=quoted(key),
                limit=_TAG_KEY_LENGTH,
            )
    for tag in tags:
        if len(tag.value) > _TAG_VALUE_LENGTH:
            yield _(
                "The value of tag {key} is longer than {limit} characters. Shorten it.",
                key=quoted(tag.key),
                limit=_TAG_VALUE_LENGTH,
            )
        if _NOT_IN_TAGS.search(tag.key + tag.value):
            yield _(
                "The tag {key} with value {value} holds a character that tags may not have: control characters and "
                "* < > \\ = , | /. Take it out.",
                key=quoted(tag.key),
                value=quoted(tag.value),
            )


class ServerItem(Record):
    """A production server of the request; spec, table 2.

    ``flavor_ref`` is the DR server's flavor, sent as ``flavorRef``; left out, it is the production server's.
    """

    server_id: _Word
    flavor_ref: Annotated[_Word | None, Field(serialization_alias="flavorRef")] = None


def _server_problems(servers: list[ServerItem]) -> Iterator[str]:
    # spec, table 1, servers: required.  How many fit in one request is a setting (5 by default): see payloads.
    if not servers:
        yield _("The request has no server. Give it at least one.")
    for server_id in repeated(server.server_id for server in servers):
        yield _("Server {server_id} is in the request twice. Take one of the two out.", server_id=server_id)


def _tenancy_problems(tenancy: str) -> Iterator[str]:
    # spec, table 1, tenancy: shared or dedicated; left out means shared.
    if tenancy not in {"shared", "dedicated"}:
        yield _('The tenancy {tenancy} does not exist. Use "shared" or "dedicated".', tenancy=quoted(tenancy))


class InstancesBody(Record):
    """What the one key ``protected_instances`` holds; spec, table 1, fields in its order."""

    name_prefix: Annotated[str, AfterValidator(lambda value: held("Q1", value, prefix_problems(value)))]
    description: (
        Annotated[_Word, AfterValidator(lambda value: held("Q4", value, _description_problems(value)))] | None
    ) = None
    server_group_id: _Word
    cluster_id: _Word | None = None
    primary_subnet_id: _Word | None = None
    servers: Annotated[list[ServerItem], AfterValidator(lambda value: held("Q5", value, _server_problems(value)))]
    tenancy: Annotated[str, AfterValidator(lambda value: held("Q8", value, _tenancy_problems(value)))] | None = None
    dedicated_host_id: _Word | None = None
    tags: (
        Annotated[
            list[TagItem],
            Field(min_length=1),
            AfterValidator(lambda value: held("Q6", value, _tag_problems(value))),
        ]
        | None
    ) = None

    @field_validator("dedicated_host_id")
    @classmethod
    def _host_needs_dedicated(cls, host: str | None, info: ValidationInfo) -> str | None:
        # spec, table 1, dedicated_host_id: only with tenancy "dedicated".  A bad tenancy is reported by itself.
        if host and info.data.get("tenancy", "dedicated") != "dedicated":
            sentence = _(
                'The dedicated host {host} is only taken with tenancy "dedicated". Set that tenancy or leave the '
                "host out.",
                host=host,
            )
            return held("Q8", host, [sentence])
        return host


class Payload(Record):
    """The body of ``POST /v1/{project_id}/protected-instances/batch``; spec, section 请求消息."""

    protected_instances: InstancesBody


def sentences(error: ValidationError) -> Iterator[str]:
    """Return the sentences of ``error``, one a problem; what only pydantic knows names the field."""
    for each in error.errors(include_url=False):
        known = (each.get("ctx") or {}).get("sentences")
        if known is not None:
            yield from known
        else:
            field = ".".join(str(part) for part in each["loc"])
            yield _("Field {field}: {problem}. Correct it or leave it out.", field=field, problem=each["msg"])
