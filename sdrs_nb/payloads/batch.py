"""The create request as pydantic models that hold every limit of the customer's page.

The page is "批量创建保护实例" (batch-create page; ``spec`` below), section 请求消息, tables 1 to 3.  Field order is the
tables' order and so the order of the JSON.  Figures and characters come from the rule book, which a model is given as
its validation context (``book_of``).  Every broken rule is a sentence that names the value and the remedy.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from sdrs_nb.i18n import _
from sdrs_nb.models import Record
from sdrs_nb.rulebook import Rulebook, load_rulebook

__all__ = [
    "InstancesBody",
    "Payload",
    "ServerItem",
    "TagItem",
    "Word",
    "allowed_characters",
    "book_of",
    "broken",
    "held",
    "prefix_problems",
    "quoted",
    "repeated",
    "sentences",
]

#: A text of the request that says something: no optional field is sent empty (rule Q9).
Word = Annotated[str, Field(min_length=1)]


def book_of(info: ValidationInfo) -> Rulebook:
    """Return the rule book that a model is held to: the one it was given, else the customer's."""
    book = (info.context or {}).get("book")
    return book if isinstance(book, Rulebook) else load_rulebook()


def broken(rule: str, problems: list[str]) -> PydanticCustomError:
    """Return the error for a value that breaks ``rule``, with everything that is wrong with it."""
    return PydanticCustomError(rule, "{text}", {"text": " ".join(problems), "sentences": problems})


def held(rule: str, problems: Callable[[Any, Rulebook], Iterable[str]]) -> AfterValidator:
    """Return what holds a value to ``rule``: ``problems`` says what is wrong with it by a rule book."""

    def check(value: Any, info: ValidationInfo) -> Any:
        if said := list(problems(value, book_of(info))):
            raise broken(rule, said)
        return value

    return AfterValidator(check)


def repeated(values: Iterable[str]) -> list[str]:
    """Return the values that stand more than once."""
    given = list(values)
    return [value for value, count in Counter(given).items() if count > 1] if len({*given}) < len(given) else []


def quoted(text: str) -> str:
    """Return ``text`` in quotation marks, with hidden characters written out."""
    return json.dumps(text, ensure_ascii=False)


def allowed_characters(book: Rulebook) -> str:
    """Return in words which characters names may hold: ``prefix_alphabet`` is with Chinese characters or without."""
    if book.strange_in("中"):
        return _('ASCII letters, digits, ".", "_" and "-"')
    return _('Chinese characters, ASCII letters, digits, ".", "_" and "-"')


def prefix_problems(prefix: str, book: Rulebook) -> Iterator[str]:
    """Say what keeps the service from taking ``prefix`` as a name prefix (rule Q1), one sentence each."""
    limit = book.number("prefix_characters")
    if not prefix:
        yield _(
            "The name prefix is empty. Give 1 to {limit} characters: {allowed}.",
            limit=limit,
            allowed=allowed_characters(book),
        )
    if len(prefix) > limit:
        yield _(
            "The name prefix {prefix} has {count} characters, {limit} are allowed. Shorten it.",
            prefix=quoted(prefix),
            count=len(prefix),
            limit=limit,
        )
    if strange := book.strange_in(prefix):
        said = _(
            "The name prefix {prefix} holds {characters}. Use only {allowed}.",
            prefix=quoted(prefix),
            characters=", ".join(map(quoted, strange)),
            allowed=allowed_characters(book),
        )
        form = book.taken_form(prefix)
        yield said + (" " + _("In this form it would be taken: {form}.", form=quoted(form)) if form else "")


def _description_problems(text: str, book: Rulebook) -> Iterator[str]:
    limit = book.number("description_characters")
    if len(text) > limit:
        yield _(
            "The description {text} has {count} characters, {limit} are allowed. Shorten it.",
            text=quoted(text),
            count=len(text),
            limit=limit,
        )
    if book.refused_in(text, "description_refused"):
        yield _('The description {text} holds "<" or ">". Take them out.', text=quoted(text))


class TagItem(Record):
    """A tag of every instance of the request; spec, table 3 (its limits are held by ``InstancesBody``)."""

    key: str
    value: str


def _tag_problems(tags: list[TagItem], book: Rulebook) -> Iterator[str]:
    most, key_length, value_length = map(book.number, ("tags", "tag_key_characters", "tag_value_characters"))
    if len(tags) > most:
        yield _("The request has {count} tags, {limit} are allowed. Take some out.", count=len(tags), limit=most)
    # spec, table 3, key: unique on one resource.
    for key in repeated(tag.key for tag in tags):
        yield _("The tag key {key} is given twice. Keys must differ: take one of the two out.", key=quoted(key))
    for key in dict.fromkeys(tag.key for tag in tags):
        if not key:
            yield _("A tag has an empty key. Give it 1 to {limit} characters.", limit=key_length)
        if len(key) > key_length:
            yield _(
                "The tag key {key} is longer than {limit} characters. Shorten it.", key=quoted(key), limit=key_length
            )
    yield from _value_problems(tags, value_length, book)


def _value_problems(tags: list[TagItem], value_length: int, book: Rulebook) -> Iterator[str]:
    for tag in tags:
        if len(tag.value) > value_length:
            yield _(
                "The value of tag {key} is longer than {limit} characters. Shorten it.",
                key=quoted(tag.key),
                limit=value_length,
            )
        if book.refused_in(tag.key + tag.value, "tag_refused"):
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

    server_id: Word
    flavor_ref: Annotated[Word | None, Field(serialization_alias="flavorRef")] = None


def _server_problems(servers: list[ServerItem], _book: Rulebook) -> Iterator[str]:
    # spec, table 1, servers: required.  How many fit in one request is a setting, see ``requests.batch_problems``.
    if not servers:
        yield _("The request has no server. Give it at least one.")
    for server_id in repeated(server.server_id for server in servers):
        yield _("Server {server_id} is in the request twice. Take one of the two out.", server_id=server_id)


def _tenancy_problems(tenancy: str, _book: Rulebook) -> Iterator[str]:
    # spec, table 1, tenancy: shared or dedicated; left out means shared.
    if tenancy not in {"shared", "dedicated"}:
        yield _('The tenancy {tenancy} does not exist. Use "shared" or "dedicated".', tenancy=quoted(tenancy))


class InstancesBody(Record):
    """What the one key ``protected_instances`` holds; spec, table 1, fields in its order."""

    name_prefix: Annotated[str, held("Q1", prefix_problems)]
    description: Annotated[Word, held("Q4", _description_problems)] | None = None
    server_group_id: Word
    cluster_id: Word | None = None
    primary_subnet_id: Word | None = None
    servers: Annotated[list[ServerItem], held("Q5", _server_problems)]
    tenancy: Annotated[str, held("Q8", _tenancy_problems)] | None = None
    dedicated_host_id: Word | None = None
    tags: Annotated[list[TagItem], Field(min_length=1), held("Q6", _tag_problems)] | None = None

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
            raise broken("Q8", [sentence])
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
