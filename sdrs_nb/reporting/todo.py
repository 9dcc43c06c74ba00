"""What is left for people to do once instances exist (eligibility-facts.md section 8): by server, and by task."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import pandas as pd

from sdrs_nb.asked import checked
from sdrs_nb.i18n import _
from sdrs_nb.running.outcomes import first_names, server_remedy
from sdrs_nb.statuses import MADE, REACHED, WORST_FIRST, Stage

if TYPE_CHECKING:
    from sdrs_nb.running.runs import Run

__all__ = ["summarize_tasks", "to_do"]

#: Items that no rule leaves: protection of a group to be enabled, and what concerns everybody.
ENABLE, HANDS_OFF = "enable", "hands-off"

_COLUMNS = ["concerns", "server_id", "name", "group_id", "dr_server_id", "rule", "task", "item", "done_at"]
_TASKS = ["task", "servers", "names", "item", "done"]


@checked
def to_do(run: "Run") -> pd.DataFrame:
    """Return what the operator has to do by hand after this run, a sentence each.

    Tasks of single servers follow from the findings kept with the run; where none were kept, they are told for every
    server that has an instance.  Reads the ledger, no network.

    Returns
    -------
    pandas.DataFrame
        One row a task, all strings: ``concerns`` (``everyone``, ``group`` or ``server``), ``server_id``, ``name``,
        ``group_id``, ``dr_server_id`` (NA where they do not apply), ``rule`` (that says so, or NA), ``task``,
        ``item`` (names it to ``Run.tick``: ``S29:SERVER``; its part before the colon names the task of all servers)
        and ``done_at`` (UTC, when it was ticked off; NA).  A run that created nothing gives an empty frame.

    Raises
    ------
    LedgerError
        The ledger cannot be read.
    PlanError
        The plan in the ledger was written by another version, or changed.
    """
    made = _made(run.servers)
    named = run.plan.facts.groups.dropna(subset=["name"])
    groups = dict(zip(named["group_id"].astype(str), named["name"].astype(str), strict=True))
    everyone = pd.DataFrame({"concerns": ["everyone"], "task": [_hands_off()]}).head(len(made))
    waiting = made[made["stage"].eq(Stage.CREATED)].drop_duplicates("group_id").sort_values("group_id")
    enable = waiting[["group_id"]].assign(
        concerns="group", task=[_enable(each, groups) for each in waiting["group_id"]]
    )
    rows = pd.concat([everyone, enable, _of_servers(made, run.findings).assign(concerns="server")])
    rows = rows.reindex(columns=_COLUMNS).reset_index(drop=True)
    done = run.ledger.done_items(run.run_id)
    kinds = rows["rule"].fillna(rows["concerns"].map({"everyone": HANDS_OFF, "group": ENABLE}))
    whom = rows["server_id"].fillna(rows["group_id"])
    items = kinds.where(whom.isna(), kinds + ":" + whom.fillna(""))
    ticked = [done.get(str(one)) or done.get(str(kind)) for one, kind in zip(items, kinds, strict=True)]
    moments = [str(one["done_at"]) if one else None for one in ticked]
    return rows.assign(item=items, done_at=pd.array(moments, dtype="string")).astype("string")


def summarize_tasks(
    servers: pd.DataFrame, groups: Mapping[str, str], findings: pd.DataFrame, done: Collection[str] = ()
) -> pd.DataFrame:
    """Return what is left to do, one row a task.

    Columns: ``task``, ``servers`` (how many), ``names`` (the first five), ``item`` (as in ``to_do``, empty where
    it cannot be ticked off) and ``done`` (of how many servers it is).

    Parameters
    ----------
    servers
        ``server_id, name, group_id, stage``, as ``run.servers`` or an outcome has them.
    groups
        Names of protection groups by id.
    findings
        ``server_id, rule, severity`` as kept with a run; where there are none, the tasks of single servers are told
        for all.
    done
        Items that were ticked off.
    """
    made = _made(servers)
    waiting = made[made["stage"].eq(Stage.CREATED)]
    rows = [
        (_enable(str(group), groups), members, f"{ENABLE}:{group}")
        for group, members in waiting.groupby("group_id", sort=True)
    ]
    rows += [
        (server_remedy(stage, None), members, "")
        for stage in WORST_FIRST
        if stage not in REACHED and len(members := servers[servers["stage"].eq(stage)])
    ]
    rows += [
        (str(task), members, str(members["rule"].iloc[0]))
        for task, members in _of_servers(made, findings).groupby("task", sort=False)
    ]
    if len(made):
        rows.append((_hands_off(), made, HANDS_OFF))
    return pd.DataFrame(
        [
            (task, len(members), first_names(members["name"]), item, _count_done(item, members, done))
            for task, members, item in rows
        ],
        columns=_TASKS,
    )


def _count_done(item: str, members: pd.DataFrame, done: Collection[str]) -> int:
    if item in done:
        return len(members)
    return sum(f"{item}:{server}" in done for server in members["server_id"])


def _made(servers: pd.DataFrame) -> pd.DataFrame:
    return servers[servers["stage"].isin(MADE)]


def _of_servers(made: pd.DataFrame, findings: pd.DataFrame) -> pd.DataFrame:
    """Return one row a server and task, task after task."""
    tasks = pd.DataFrame(_by_rule().items(), columns=["rule", "task"])
    if findings.empty:
        return made.merge(tasks, how="cross").sort_values("rule", kind="stable", key=_rank)
    sure = findings[findings["severity"].ne("unverified")] if "severity" in findings else findings
    # S22 and S23 ask for the same; the plan's word and the door's are one task.
    due = sure[["server_id", "rule"]].replace({"rule": {"S23": "S22"}}).drop_duplicates()
    return made.merge(due.merge(tasks, on="rule"), on="server_id").sort_values("rule", kind="stable", key=_rank)


def _rank(rules: "pd.Series[str]") -> "pd.Series[int]":
    return rules.map({rule: rank for rank, rule in enumerate(_by_rule())})


def _by_rule() -> dict[str, str]:
    """Return the task that each rule leaves, the most common first."""
    return {
        "S28": _("Add the DR server to production's enterprise project; the service does not."),
        "S29": _("Give the DR server security groups, agency, ECS group, tags, auto recovery as production has them, "
                 "as wanted; later changes are never copied."),
        "S30": _("Rename the DR server if equal names would confuse; only ids tell the two apart."),
        "S22": _("Windows with a key pair: keep the key pair, and expect a new password at the first switchover."),
        "S25": _("Set instance protection in the scaling group, or take the server out: scale-in can no longer delete "
                 "it."),
    }  # fmt: skip


def _hands_off() -> str:
    return _(
        "Do not power on, delete or change DR servers by hand: an instance that lost one side becomes invalid and can "
        "block its group."
    )


def _enable(group_id: str, groups: Mapping[str, str]) -> str:
    name = groups.get(group_id) or group_id
    return _("Enable protection of group {group}: until then nothing is copied.", group=f"{name} ({group_id})")
