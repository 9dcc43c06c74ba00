"""Words for what fired: message, evidence and remedy in the current language, made only when they are read."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Any

import numpy as np
import pandas as pd

from sdrs_nb.eligibility.facts import Facts, Label
from sdrs_nb.eligibility.hits import Evidence
from sdrs_nb.eligibility.rules.request import RequestFinding
from sdrs_nb.eligibility.scopes import SCOPES, Told
from sdrs_nb.i18n import _
from sdrs_nb.rulebook import Effect, Rule, Rulebook
from sdrs_nb.shown.texts import visible
from sdrs_nb.tables import FINDINGS, empty, shape

__all__ = ["render", "render_requests"]

_SHARED = ("scope", "rule", "severity", "sdrs_code", "source")
_SHOWN = 8
_OWN_WORDS = (Effect.UNKNOWN, Effect.UNVERIFIED)


@dataclass(frozen=True, slots=True)
class _Words:
    """Templates of one rule and case."""

    message: str
    remedy: str
    code: str | None


def render(facts: Facts, told: Iterable[Told], *, with_ids: bool = False) -> pd.DataFrame:
    """Return findings with their texts: servers first, then by scope; within each by server, rule and group.

    Sentences name things by name, and by id too where names are not unique, or ``with_ids`` is set.
    """
    chosen = [one for one in told if len(one.fired.hits)]
    if not chosen:
        return empty(FINDINGS)
    place = {rule_id: at for at, rule_id in enumerate(facts.book.rules)}
    sizes = [len(one.fired.hits) for one in chosen]
    at = np.concatenate([one.fired.hits.rows for one in chosen])
    group = np.concatenate([one.fired.groups for one in chosen])
    rank = np.repeat([SCOPES.index(one.scope) if one.is_once else 0 for one in chosen], sizes)
    # Only rows of servers and clusters are about a server, the latter about its first that fired.
    server = np.where(rank == 0, at, -1)
    by = np.where(rank < SCOPES.index("group"), at, -1)
    order = np.lexsort((group, np.repeat([place[one.fired.rule] for one in chosen], sizes), by, rank))
    blocks = [_Block.of(facts, one, str if with_ids else _brief) for one in chosen]
    block_of = np.repeat(np.arange(len(blocks)), sizes)[order]
    texts = {name: pd.array([getattr(block, name) for block in blocks], dtype="string") for name in _SHARED}
    columns = {
        "server_id": facts.server_ids.texts.take(server[order], allow_fill=True),
        "group_id": facts.group_ids.texts.take(group[order], allow_fill=True),
        "cluster_id": facts.server_ids.texts.take(np.append(facts.clusters.first, -1)[by[order]], allow_fill=True),
        **{name: shared.take(block_of) for name, shared in texts.items()},
    }
    for name in ("message", "evidence", "remedy"):
        column = np.array([text for block in blocks for text in getattr(block, name)], dtype=object)
        columns[name] = pd.array(column[order], dtype="string")
    return pd.DataFrame({name: columns[name] for name in FINDINGS.columns})


def render_requests(book: Rulebook, findings: Sequence[RequestFinding]) -> pd.DataFrame:
    """Return request findings as a frame like ``findings``; they name no server."""
    rows = []
    for one in findings:
        rule = book.rule(one.rule)
        words = _words(rule, one.variant)
        shown = {name: [_shown(value, _brief)] for name, value in one.evidence.items()}
        message, remedy = (_filled(text, shown, 1)[0] for text in (words.message, words.remedy))
        evidence = _evidence({name: [value] for name, value in one.evidence.items()}, 1)[0]
        rows.append(
            {
                "scope": rule.scope_of(one.variant),
                "rule": one.rule,
                "severity": _severity(one.effect),
                "sdrs_code": words.code,
                "message": message,
                "evidence": evidence,
                "remedy": remedy,
                "source": rule.cited,
            }
        )
    return shape(pd.DataFrame(rows), FINDINGS) if rows else empty(FINDINGS)


@dataclass(frozen=True, slots=True)
class _Block:
    """The findings of one rule and case: what they share, and a list of texts for what they do not."""

    scope: str
    rule: str
    severity: str
    sdrs_code: str | None
    source: str
    message: list[str]
    evidence: list[str]
    remedy: list[str]

    @classmethod
    def of(cls, facts: Facts, told: Told, named: Callable[[Any], str]) -> "_Block":
        """Return the words of one rule and case; whole columns at a time, for there may be a million."""
        one = told.fired
        rule, hits, size = facts.book.rule(one.rule), one.hits, len(one.hits)
        own = hits.variant or facts.book.severity(one.rule) in _OWN_WORDS
        generic = hits.unverified and (not own or "columns" in hits.evidence)
        lacking = next((name for name in ("frames", "columns") if name in hits.evidence), "values") if generic else None
        words = _words(rule, hits.variant, lacking=lacking, is_once=told.is_once)
        values = {name: _values(field, size) for name, field in hits.evidence.items()}
        shown = {name: [_shown(value, named) for value in column] for name, column in values.items()}
        shown["facts"] = [", ".join(hits.lacking)] * size
        shown["server"] = list(map(named, facts.server_labels.read(hits.rows)))
        common = {"source": rule.cited, "contrary": "; ".join(rule.cited_contrary), "profile": facts.book.profile}
        shown |= {name: [text] * size for name, text in common.items() if name not in shown}
        groups = [*(named(facts.group_labels[at]) for at in range(len(facts.group_ids))), "-"]
        shown["group"] = np.array(groups, dtype=object)[one.groups].tolist()
        return cls(
            told.scope,
            one.rule,
            _severity(one.effect),
            words.code,
            rule.cited,
            _filled(words.message, shown, size),
            _evidence(values, size),
            _filled(words.remedy, shown, size),
        )


def _values(field: Evidence, size: int) -> list[Any]:
    found = field.values_of_all()
    return [field.value(hit) for hit in range(size)] if found is None else found


def _filled(template: str, shown: Mapping[str, list[str]], size: int) -> list[str]:
    """Return the template filled for every hit, its values' hidden characters written out; a hyphen where none is."""
    parts = list(Formatter().parse(template))
    fields = [name for _text, name, _spec, _conversion in parts if name is not None]
    plain = "".join(_plain(text) + ("{}" if name is not None else "") for text, name, _spec, _conversion in parts)
    if not fields:
        return [plain.format()] * size
    nothing = ["-"] * size
    return list(map(plain.format, *(map(visible, shown.get(name, nothing)) for name in fields)))


def _plain(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _words(rule: Rule, variant: str, *, lacking: str | None = None, is_once: bool = False) -> _Words:
    codes = rule.codes_of(variant)
    code = codes[0] if codes else None
    if lacking is None:
        texts = rule.texts(variant)
        return _Words((is_once and texts.once) or texts.message, texts.remedy, code)
    if is_once:
        message = _(
            "Rule {rule} ({title}) could not be decided for {{servers}} servers: ", rule=rule.id, title=rule.title
        )
    else:
        message = _(
            "Rule {rule} ({title}) could not be decided for server {{server}}: ", rule=rule.id, title=rule.title
        )
    match lacking:
        case "frames":
            message += _("{frames} could not be read completely.")
            remedy = _("Load the inventory again with read access to {frames}, or add it to the file.")
        case "columns":
            message += _("{columns} was not read.")
            remedy = _("Load the inventory from the cloud, or fill the column in; where there is none, declare it.")
        case _:
            message += _("the inventory does not tell {facts}.")
            remedy = _("Load the inventory again from the cloud, or fill in the missing values in the file.")
    return _Words(message, remedy, code)


def _severity(effect: Effect) -> str:
    return Effect.UNVERIFIED.value if effect is Effect.UNKNOWN else effect.value


def _shown(value: Any, named: Callable[[Any], str]) -> str:
    """Return a value as a message shows it: lists are cut, what is missing is a hyphen."""
    if not isinstance(value, list):
        return "-" if value is None or value == "" else named(value)
    if not value:
        return "-"
    shown = ", ".join(map(named, value[:_SHOWN]))
    more = len(value) - _SHOWN
    return _("{names} and {count} more", names=shown, count=more) if more > 0 else shown


def _brief(value: Any) -> str:
    return value.brief if isinstance(value, Label) else str(value)


def _evidence(values: Mapping[str, list[Any]], size: int) -> list[str]:
    """Return every value in full, ``name=value`` joined with semicolons."""
    if not values:
        return [""] * size
    plain = "; ".join(f"{_plain(name)}={{}}" for name in values)
    return list(map(plain.format, *(map(_whole, column) for column in values.values())))


def _whole(value: Any) -> str:
    if value is None:
        return ""
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
