"""Rules of a request (Q) and of what a whole plan would use up (G8, G9): asked of options, not of servers."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sdrs_nb.eligibility.facts import Facts
from sdrs_nb.models import BatchOptions, instance_name
from sdrs_nb.rulebook import Effect, Rulebook

__all__ = [
    "Case",
    "Request",
    "RequestFinding",
    "registered_requests",
    "request_findings",
    "request_rule",
    "request_stoppers",
]


@dataclass(frozen=True)
class Request:
    """What is about to be asked for; ``facts`` only where an inventory is at hand."""

    options: BatchOptions
    book: Rulebook
    name_prefix: str | None = None
    existing_names: frozenset[str] = frozenset()
    facts: Facts | None = None
    deleting: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Case:
    """One firing of a request rule: the values that made it fire, and which variant it is."""

    evidence: Mapping[str, object]
    variant: str = ""


@dataclass(frozen=True)
class RequestFinding:
    """A request rule that fired, with what it does in this profile."""

    rule: str
    effect: Effect
    evidence: Mapping[str, object]
    variant: str = ""


Function = Callable[[Request], Iterable[Case]]
_rules: dict[str, Function] = {}


def registered_requests() -> Mapping[str, Function]:
    """Return every request rule by id."""
    return MappingProxyType(_rules)


def request_findings(
    options: BatchOptions,
    name_prefix: str | None,
    rulebook: Rulebook,
    *,
    existing_names: Iterable[str] = (),
    facts: Facts | None = None,
) -> list[RequestFinding]:
    """Return what the rule book says against requests that share these options, in the order of the rule book.

    ``name_prefix`` is that of instance names; while it is None, not known yet, Q1-Q3 are not asked.  Q3 compares with
    ``existing_names`` of protected instances.  Rules that add up what would be used ask ``facts``, if there are any.
    """
    request = Request(options, rulebook, name_prefix, frozenset(existing_names), facts)
    return [
        RequestFinding(rule_id, effect, case.evidence, case.variant)
        for rule_id in rulebook.rules
        if rule_id in _rules
        for case in _rules[rule_id](request)
        if (effect := rulebook.severity(rule_id, case.variant)) is not Effect.OFF
    ]


def request_stoppers(options: BatchOptions, rulebook: Rulebook) -> list[RequestFinding]:
    """Return what stops every request with these options, whichever servers it is for."""
    return [one for one in request_findings(options, None, rulebook) if one.effect is Effect.BLOCKER]


def request_rule(rule_id: str) -> Callable[[Function], Function]:
    """Register a function as the one that decides ``rule_id`` for a request."""

    def register(function: Function) -> Function:
        _rules[rule_id] = function
        return function

    return register


@request_rule("Q1")
def prefix_allowed(request: Request) -> Iterator[Case]:
    """1 to 59 characters: Chinese, letters, digits, ``.``, ``_``, ``-`` (batch-create page, field name_prefix)."""
    prefix, book = request.name_prefix, request.book
    if prefix is None:
        return
    limit = book.number("prefix_characters")
    if not prefix:
        yield Case({"limit": limit}, "empty")
    elif len(prefix) > limit:
        yield Case({"name_prefix": prefix, "length": len(prefix), "limit": limit})
    if wrong := book.strange_in(prefix):
        evidence = {"name_prefix": prefix, "wrong": _listed(wrong), "form": book.taken_form(prefix)}
        yield Case(evidence, "characters")


@request_rule("Q2")
def prefix_fits_bytes(request: Request) -> Iterator[Case]:
    """The single-create page counts 64 bytes; from 20 Chinese characters on a prefix passes that."""
    size = len(instance_name(request.name_prefix or "", 1).encode())
    limit = request.book.number("name_bytes")
    if size > limit:
        yield Case({"name_prefix": request.name_prefix, "bytes": size, "limit": limit})


@request_rule("Q3")
def prefix_unused(request: Request) -> Iterator[Case]:
    """The service numbers from 0001 in every request, so a prefix used before gives equal names."""
    start = f"{request.name_prefix}-0"
    same = sorted(name for name in request.existing_names if request.name_prefix and name.startswith(start))
    if same:
        yield Case({"name_prefix": request.name_prefix, "names": same})


@request_rule("Q4")
def description_allowed(request: Request) -> Iterator[Case]:
    """At most 64 characters without angle brackets (batch-create page, field description)."""
    text, limit = request.options.description or "", request.book.number("description_characters")
    if len(text) > limit:
        yield Case({"length": len(text), "limit": limit})
    if request.book.refused_in(text, "description_refused"):
        yield Case({"description": text}, "characters")


@request_rule("Q5")
def batch_limit_allowed(request: Request) -> Iterator[Case]:
    """A request holds at least one server; the service takes 5 by default, more only where it was raised."""
    limit, default = request.options.batch_limit, request.book.number("batch_size")
    if limit < 1:
        yield Case({"batch_limit": limit})
    elif limit > default:
        yield Case({"batch_limit": limit, "limit": default}, "raised")


@request_rule("Q6")
def tags_allowed(request: Request) -> Iterator[Case]:
    """At most 10 tags, keys of 1-36 and values of 0-43 characters, unique (batch-create page, table 3)."""
    tags, book = request.options.tags or (), request.book
    most, key_limit, value_limit = (
        book.number(name) for name in ("tags", "tag_key_characters", "tag_value_characters")
    )
    if len(tags) > most:
        yield Case({"count": len(tags), "limit": most})
    keys = [tag.key for tag in tags]
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        yield Case({"key": key}, "duplicate")
    for tag in tags:
        if not tag.key:
            yield Case({"value": tag.value}, "empty_key")
        if len(tag.key) > key_limit:
            yield Case({"key": tag.key, "length": len(tag.key), "limit": key_limit}, "long_key")
        if len(tag.value) > value_limit:
            yield Case({"key": tag.key, "length": len(tag.value), "limit": value_limit}, "long_value")
        if wrong := book.refused_in(tag.key, "tag_refused"):
            yield Case({"key": tag.key, "wrong": _listed(wrong)}, "key_characters")
        if wrong := book.refused_in(tag.value, "tag_refused"):
            yield Case({"key": tag.key, "wrong": _listed(wrong)}, "value_characters")


@request_rule("Q7")
def tags_plain(request: Request) -> Iterator[Case]:
    """The console takes only letters, digits, ``-`` and ``_`` in tags; the API takes more."""
    for tag in request.options.tags or ():
        if not re.fullmatch(r"[A-Za-z0-9_-]*", tag.key + tag.value):
            yield Case({"key": tag.key, "value": tag.value})


@request_rule("Q8")
def tenancy_allowed(request: Request) -> Iterator[Case]:
    """``shared`` or ``dedicated``; a host only with the latter (batch-create page, tenancy and dedicated_host_id)."""
    tenancy, host = request.options.tenancy, request.options.dedicated_host_id
    if tenancy not in {None, "", "shared", "dedicated"}:
        yield Case({"tenancy": tenancy})
    if host and tenancy != "dedicated":
        yield Case({"dedicated_host_id": host, "tenancy": tenancy or "shared"}, "host")


@request_rule("Q9")
def nothing_empty(request: Request) -> Iterator[Case]:
    """Optional fields are left out, never sent empty."""
    options = request.options
    fields = {name: getattr(options, name) for name in _OPTIONAL}
    fields |= {f"flavors[{server}]": flavor for server, flavor in sorted((options.flavors or {}).items())}
    for name, value in fields.items():
        if value == "":
            yield Case({"field": name})


_OPTIONAL = ("tenancy", "dedicated_host_id", "cluster_id", "primary_subnet_id")


@request_rule("Q10")
def batch_create_exists(request: Request) -> Iterator[Case]:
    """Open Telekom Cloud has single create only."""
    if not request.book.limit("batch_create"):
        yield Case({"profile": request.book.profile})


@request_rule("P9")
def hosts_supported(request: Request) -> Iterator[Case]:
    """The site places DR servers on dedicated hosts."""
    if request.options.tenancy == "dedicated" and not request.book.limit("dedicated_hosts"):
        yield Case({"profile": request.book.profile})


@request_rule("P13")
def pools_supported(request: Request) -> Iterator[Case]:
    """The site places DR volumes in dedicated storage pools."""
    if request.options.cluster_id and not request.book.limit("storage_pools"):
        yield Case({"profile": request.book.profile, "cluster_id": request.options.cluster_id})


def _listed(letters: Iterable[str]) -> str:
    shown = (each if each.isprintable() and not each.isspace() else f"U+{ord(each):04X}" for each in sorted(letters))
    return " ".join(shown)
