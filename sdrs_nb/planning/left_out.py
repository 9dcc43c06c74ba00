"""Servers that were asked for and are in no batch, each with its reason."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Self

import pandas as pd

from sdrs_nb.eligibility.eligibility import Eligibility
from sdrs_nb.i18n import _, ngettext_
from sdrs_nb.models import Verdict
from sdrs_nb.planning.columns import objects
from sdrs_nb.tables import LEFT_OUT, shape

__all__ = ["LeftOut", "Reason", "by_verdict", "label", "most_frequent"]

#: A sentence, and the rules behind it, comma-joined.
Reason = tuple[str, str]

#: The rule that says best why a server has its verdict, where several fired.
_TELLING = {Verdict.PROTECTED: ("S4",), Verdict.NOT_A_CANDIDATE: ("S5", "S6")}


def label(server_id: str, name: object) -> str:
    """Return a server as sentences call it: name and id, or the id alone where it has no name."""
    return f"{name} ({server_id})" if isinstance(name, str) and name else server_id


class LeftOut:
    """Servers left out, known at once; their reasons are put into words when they are first read.

    ``servers`` has ``server_id, name, group_id, verdict``.  Wording all findings of a large estate takes far longer
    than planning it.
    """

    def __init__(self, servers: pd.DataFrame, reasons: Callable[[], Mapping[str, Reason]]) -> None:
        self.servers = servers
        self._reasons = reasons

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Self:
        """Return the servers of a frame of ``tables.LEFT_OUT``, reasons included."""
        said = {
            server_id: (reason, rules)
            for server_id, reason, rules in zip(
                *(objects(frame[name]) for name in ("server_id", "reason", "rules")), strict=True
            )
        }
        return cls(frame[["server_id", "name", "group_id", "verdict"]], lambda: said)

    def __len__(self) -> int:
        return len(self.servers)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row a server, in the columns of ``tables.LEFT_OUT``."""
        reasons = self._reasons() if len(self.servers) else {}
        said = [reasons.get(server_id, ("", "")) for server_id in objects(self.servers["server_id"])]
        words = {"reason": [reason for reason, _rules in said], "rules": [rules for _reason, rules in said]}
        return shape(self.servers.assign(**words), LEFT_OUT)


def by_verdict(rest: pd.DataFrame, eligibility: Eligibility) -> dict[str, Reason]:
    """Return why eligibility keeps each of these servers from being planned."""
    found = _blocking(eligibility.hindrances) if len(rest) else {}
    candidates: dict[str, list[str]] = {}
    for server_id, group_id in zip(
        *(objects(eligibility.candidates[name]) for name in ("server_id", "group_id")), strict=True
    ):
        candidates.setdefault(server_id, []).append(group_id)
    reasons: dict[str, Reason] = {}
    for server_id, name, verdict in zip(
        *(objects(rest[name]) for name in ("server_id", "name", "verdict")), strict=True
    ):
        messages = {} if verdict in {Verdict.ELIGIBLE, Verdict.WARNING} else found.get(server_id, {})
        telling = [rule for rule in _TELLING.get(Verdict(verdict), ()) if rule in messages] or list(messages)
        own = _own_reason(label(server_id, name), Verdict(verdict), sorted(candidates.get(server_id, [])))
        reasons[server_id] = (messages[telling[0]] if telling else own, ", ".join(messages))
    return reasons


def _blocking(findings: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Return for each server the messages of the rules that block it, by rule; of undecided ones where none blocks."""
    said: dict[str, dict[str, dict[str, str]]] = {"blocker": {}, "unverified": {}}
    columns = [objects(findings[name]) for name in ("server_id", "rule", "severity", "message")]
    for server_id, rule, severity, message in zip(*columns, strict=True):
        if severity in said:
            said[severity].setdefault(server_id, {}).setdefault(rule, message)
    return {**said["unverified"], **said["blocker"]}


def _own_reason(who: str, verdict: Verdict, groups: Sequence[str]) -> str:
    """Return the reason where no finding tells it: by the verdict, and by the groups that fit."""
    match verdict:
        case Verdict.PROTECTED:
            return _("Server {server} has a protected instance already.", server=who)
        case Verdict.NOT_A_CANDIDATE:
            return _("Server {server} is a DR server or a drill server, which is never protected itself.", server=who)
        case Verdict.BLOCKED:
            return _("Server {server} is blocked: see its findings in the eligibility check.", server=who)
        case Verdict.UNKNOWN:
            return _("Data for a rule that may block server {server} is missing. Load it and check again.", server=who)
    if not groups:
        return _("No protection group fits server {server}. Make one for its VPC and AZ, then check again.", server=who)
    return _(
        "Several protection groups fit server {server}: {groups}. Choose one of them for it.",
        server=who,
        groups=", ".join(groups),
    )


def _rank(verdict: str) -> int:
    """Say how soon the operator can change a reason: a choice at once, missing data next, a blocked server later."""
    return {Verdict.ELIGIBLE: 0, Verdict.WARNING: 0, Verdict.UNKNOWN: 1, Verdict.BLOCKED: 2}.get(Verdict(verdict), 3)


def most_frequent(left_out: pd.DataFrame, count: int = 3) -> str:
    """Return the reasons of ``left_out`` in one line: rules, how many servers, one of the sentences.

    What the operator can change at once comes first (choosing a group, then loading what is missing), the most frequent
    before the others; servers that are protected already are no reason, they are done.
    """
    verdicts = objects(left_out["verdict"])
    left_out = left_out[[verdict != Verdict.PROTECTED for verdict in verdicts]]
    if left_out.empty:
        return _("Every server is protected already.")
    keys = [
        (_rank(verdict), rules or verdict)
        for rules, verdict in zip(objects(left_out["rules"]), objects(left_out["verdict"]), strict=True)
    ]
    examples = dict(zip(reversed(keys), reversed(objects(left_out["reason"])), strict=True))
    common = sorted(Counter(keys).items(), key=lambda item: (item[0][0], -item[1]))
    return " ".join(
        ngettext_(
            "{rules} ({count} server): {example}",
            "{rules} ({count} servers): {example}",
            number,
            rules=key[1],
            example=examples[key],
        )
        for key, number in common[:count]
    )
