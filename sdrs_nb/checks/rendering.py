"""Words for what fired: message, evidence and remedy in the current language, made only when they are read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sdrs_nb.checks.columns import IntArray
from sdrs_nb.checks.facts import Facts
from sdrs_nb.checks.judging import Fired
from sdrs_nb.checks.request import RequestFinding
from sdrs_nb.i18n import _
from sdrs_nb.rulebook import Effect, Rule, Rulebook
from sdrs_nb.tables import FINDINGS, empty, shape

__all__ = ["render", "render_requests"]

_SHOWN = 8
_OWN_WORDS = (Effect.UNKNOWN, Effect.UNVERIFIED)


@dataclass(frozen=True, slots=True)
class _Words:
    """Templates of one rule and case."""

    message: str
    remedy: str
    code: str | None


def render(facts: Facts, fired: Sequence[Fired], servers: IntArray | None = None) -> pd.DataFrame:
    """Return findings with their texts, sorted by server, rule and group; for some servers or for all."""
    place = {rule_id: at for at, rule_id in enumerate(facts.book.rules)}
    chosen = [_only(one, servers) for one in fired]
    rows = [row for one in chosen for row in _rows(facts, one)]
    if not rows:
        return empty(FINDINGS)
    at = np.concatenate([one.hits.rows for one in chosen])
    rule = np.repeat([place[one.rule] for one in chosen], [len(one.hits) for one in chosen])
    group = np.concatenate([one.groups for one in chosen])
    order = np.lexsort((group, rule, at))
    return shape(pd.DataFrame(rows, columns=list(FINDINGS.columns)).iloc[order], FINDINGS)


def render_requests(book: Rulebook, findings: Sequence[RequestFinding]) -> pd.DataFrame:
    """Return request findings as a frame like ``findings``; no server, and a group only where evidence names one."""
    rows = []
    for one in findings:
        rule = book.rule(one.rule)
        words = _words(rule, one.variant)
        fields = {name: _shown(value) for name, value in one.evidence.items()}
        rows.append(
            (
                None,
                None,
                one.rule,
                _severity(one.effect),
                words.code,
                words.message.format_map(_Fields(fields)),
                _evidence(one.evidence),
                words.remedy.format_map(_Fields(fields)),
                rule.source,
            )
        )
    return shape(pd.DataFrame(rows, columns=list(FINDINGS.columns)), FINDINGS) if rows else empty(FINDINGS)


def _only(one: Fired, servers: IntArray | None) -> Fired:
    if servers is None:
        return one
    keep = np.flatnonzero(np.isin(one.hits.rows, servers))
    return Fired(one.rule, one.effect, one.hits.take(keep), one.groups[keep])


def _rows(facts: Facts, one: Fired) -> Iterator[tuple[Any, ...]]:
    rule, hits = facts.book.rule(one.rule), one.hits
    generic = hits.unverified and not hits.variant and facts.book.severity(one.rule) not in _OWN_WORDS
    lacking = ("frames" if "frames" in hits.evidence else "values") if generic else None
    words = _words(rule, hits.variant, lacking=lacking)
    severity = _severity(one.effect)
    for hit, (server, group) in enumerate(zip(hits.rows.tolist(), one.groups.tolist(), strict=True)):
        values = {name: field.value(hit) for name, field in hits.evidence.items()}
        fields = {name: _shown(value) for name, value in values.items()}
        fields["server"] = facts.server_labels[server]
        fields["group"] = facts.group_labels[group] if group >= 0 else "-"
        yield (
            facts.server_ids.labels[server],
            facts.group_ids.labels[group] if group >= 0 else None,
            one.rule,
            severity,
            words.code,
            words.message.format_map(_Fields(fields)),
            _evidence(values),
            words.remedy.format_map(_Fields(fields)),
            rule.source,
        )


def _words(rule: Rule, variant: str, *, lacking: str | None = None) -> _Words:
    codes = rule.codes_of(variant)
    code = codes[0] if codes else None
    if lacking is None:
        texts = rule.texts(variant)
        return _Words(texts.message, texts.remedy, code)
    message = _("Rule {rule} ({title}) could not be decided for server {{server}}: ", rule=rule.id, title=rule.title)
    if lacking == "frames":
        message += _("{frames} could not be read.")
        return _Words(
            message, _("Give read access to {frames} and load the inventory again, or add it to the file."), code
        )
    message += _("the inventory does not have the data for it.")
    return _Words(
        message, _("Load the inventory again from the cloud, or fill in the missing values in the file."), code
    )


class _Fields(dict[str, str]):
    """Fields of a template; one without evidence shows as a hyphen, so that no finding is lost for a word."""

    def __missing__(self, name: str) -> str:
        return "-"


def _severity(effect: Effect) -> str:
    return Effect.UNVERIFIED.value if effect is Effect.UNKNOWN else effect.value


def _shown(value: Any) -> str:
    """Return a value as a message shows it: lists are cut, what is missing is a hyphen."""
    if not isinstance(value, list):
        return "-" if value is None or value == "" else str(value)
    if not value:
        return "-"
    shown = ", ".join(map(str, value[:_SHOWN]))
    more = len(value) - _SHOWN
    return _("{names} and {count} more", names=shown, count=more) if more > 0 else shown


def _evidence(values: Mapping[str, Any]) -> str:
    """Return every value in full, ``name=value`` joined with semicolons."""
    return "; ".join(f"{name}={_whole(value)}" for name, value in values.items())


def _whole(value: Any) -> str:
    if value is None:
        return ""
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
