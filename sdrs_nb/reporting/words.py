"""What a report tells the operator to do: per server by its stage, per rule, and the list for afterwards.  Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from sdrs_nb.cloud.advice import advice
from sdrs_nb.errors import SettingsError
from sdrs_nb.i18n import _, ngettext_
from sdrs_nb.models import Stage
from sdrs_nb.rulebook import load_rulebook

__all__ = ["TASKS", "RuleCount", "rules_of", "server_remedy", "to_do"]

#: Columns of the to-do list.
TASKS = ["task", "servers", "names"]
_SHOWN = 5
#: Rules of planned servers that leave something to do afterwards (eligibility facts 8).
_AFTERWARDS = ("S22", "S25", "S28", "S29", "S30")


@dataclass(frozen=True)
class RuleCount:
    """A rule that kept servers out: its title, how many, and what helps."""

    rule: str
    title: str
    servers: int
    remedy: str


def server_remedy(stage: str, code: object) -> str:
    """Return what to do about a planned server that stands at ``stage``; empty when there is nothing to do."""
    known = advice(str(code), 0) if isinstance(code, str) and code else ""
    match stage:
        case Stage.FAILED:
            text = _("Remove the cause, delete an instance left in status error, then plan the server again.")
            return f"{known} {text}".strip()
        case Stage.NOT_SENT:
            return _("Nothing was sent for it. Resume the run, or plan the server again.")
        case Stage.UNKNOWN | Stage.ACCEPTED | Stage.JOB_OK:
            return _("Its fate is not known yet: resume the run, which looks it up and sends nothing twice.")
        case Stage.CREATED:
            return _("Enable protection of its group; until then nothing is copied.")
        case _:
            return ""


def rules_of(left_out: pd.DataFrame) -> list[RuleCount]:
    """Return the rules that kept servers out, most frequent first; a server with several reasons counts in each."""
    counts: dict[str, int] = {}
    for text in left_out["rules"].dropna():
        for rule in filter(None, re.split(r"[,\s]+", str(text))):
            counts[rule] = counts.get(rule, 0) + 1
    book = load_rulebook()
    found = []
    for rule, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        try:
            texts = book.rule(rule).texts()
        except SettingsError:  # a plan of another version may name a rule that is gone
            found.append(RuleCount(rule, "", count, ""))
            continue
        found.append(RuleCount(rule, texts.title, count, re.sub(r"\{(\w+)[^}]*\}", r"‹\1›", texts.remedy)))
    return found


def to_do(servers: pd.DataFrame, groups: Mapping[str, str], findings: pd.DataFrame) -> pd.DataFrame:
    """Return what is left to do by hand, one row a task: ``task``, ``servers`` (how many), ``names`` (the first five).

    ``groups`` names protection groups by id.  ``findings`` (``server_id, rule``) name the servers of the tasks that
    depend on single ones (enterprise project, settings that stop following, key pairs); where there are none, these
    tasks are told for all.
    """
    made = servers[servers["stage"].isin([Stage.CREATED, Stage.PROTECTED])]
    rows: list[tuple[str, pd.DataFrame]] = []
    for group_id, members in made[made["stage"] == Stage.CREATED].groupby("group_id", sort=True):
        name = groups.get(str(group_id)) or str(group_id)
        text = _("Enable protection of group {group}: until then nothing is copied.", group=f"{name} ({group_id})")
        rows.append((text, members))
    rows += [
        (server_remedy(str(stage), None), members)
        for stage, members in servers.groupby("stage", sort=True)
        if stage not in (Stage.CREATED, Stage.PROTECTED, Stage.DELETED)
    ]
    if len(made):
        rows += _afterwards(made, findings)
        text = _("Do not power on, delete or change DR servers by hand: an instance that lost one side becomes invalid "
                 "and can block its group.")  # fmt: skip
        rows.append((text, made))
    return pd.DataFrame([(text, len(frame), _first(frame["name"])) for text, frame in rows], columns=TASKS)


def _afterwards(made: pd.DataFrame, findings: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    texts = {
        "S28": _("Add the DR server to production's enterprise project; the service does not."),
        "S29": _("Give the DR server security groups, agency, ECS group, tags, auto recovery as production has them, "
                 "as wanted; later changes are never copied."),
        "S30": _("Rename the DR server if equal names would confuse; only ids tell the two apart."),
        "S22": _("Windows with a key pair: keep the key pair, and expect a new password at the first switchover."),
        "S25": _("Set instance protection in the scaling group, or take the server out: scale-in can no longer delete "
                 "it."),
    }  # fmt: skip
    if findings.empty:
        return [(text, made) for text in texts.values()]
    concerned = {rule: set(findings.loc[findings["rule"] == rule, "server_id"]) for rule in _AFTERWARDS}
    members = {rule: made[made["server_id"].isin(ids)] for rule, ids in concerned.items()}
    return [(text, members[rule]) for rule, text in texts.items() if len(members[rule])]


def _first(names: "pd.Series[str]") -> str:
    shown: Sequence[str] = [str(name) for name in names[:_SHOWN]]
    more = len(names) - len(shown)
    text = ", ".join(shown)
    return text if more <= 0 else f"{text}, " + ngettext_("and {count} more", "and {count} more", more)
