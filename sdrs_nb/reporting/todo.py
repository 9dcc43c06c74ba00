"""What is left for people to do once instances exist (eligibility-facts.md section 8)."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from sdrs_nb.i18n import _
from sdrs_nb.models import Stage
from sdrs_nb.running.runs import Run

__all__ = ["to_do"]

_COLUMNS = ["concerns", "server_id", "name", "group_id", "dr_server_id", "rule", "task"]


def _enterprise_project(row: Any) -> str:
    return _(
        "Add DR server {dr} of {name} to the enterprise project of its production server: it does not join it by "
        "itself.",
        dr=row.dr_server_id,
        name=row.name,
    )


def _copies(row: Any) -> str:
    return _(
        "Give DR server {dr} of {name} the security groups, agency, ECS group, tags and auto-recovery it shall "
        "have: later changes of the production server are not copied.",
        dr=row.dr_server_id,
        name=row.name,
    )


def _rename(row: Any) -> str:
    return _(
        "Rename DR server {dr} through ECS if two servers called {name} are a risk: only their ids differ.",
        dr=row.dr_server_id,
        name=row.name,
    )


def _key_pair(row: Any) -> str:
    return _(
        "Keep the key pair of Windows server {name}, and expect a new password at its first switchover.",
        name=row.name,
    )


def _scaling(row: Any) -> str:
    return _(
        "Set instance protection for {name} in its scaling group, or take it out: scale-in can no longer delete it.",
        name=row.name,
    )


#: Rules that say a task is due, and the task.
_OF_RULE: dict[str, Callable[[Any], str]] = {
    "S28": _enterprise_project,
    "S29": _copies,
    "S30": _rename,
    "S22": _key_pair,
    "S23": _key_pair,
    "S25": _scaling,
}


def to_do(run: Run) -> pd.DataFrame:
    """Return what the operator has to do by hand after this run, a sentence each.

    Tasks of single servers follow from the findings kept with the run; reads the ledger, no network.

    Returns
    -------
    pandas.DataFrame
        One row a task, all strings: ``concerns`` (``everyone``, ``group`` or ``server``), ``server_id``, ``name``,
        ``group_id``, ``dr_server_id`` (NA where they do not apply), ``rule`` (that says so, or NA) and ``task``.
        A run that created nothing gives an empty frame.

    Raises
    ------
    LedgerError
        The ledger cannot be read.
    """
    servers = run.servers
    made = servers[servers["stage"].isin([Stage.CREATED, Stage.PROTECTED])]
    rows: list[dict[str, Any]] = []
    if not made.empty:
        rows.append({"concerns": "everyone", "task": _hands_off()})
    waiting = made[made["stage"].eq(Stage.CREATED)]
    rows += [
        {"concerns": "group", "group_id": group_id, "task": _enable(str(group_id), len(frame))}
        for group_id, frame in waiting.groupby("group_id", sort=True)
    ]
    rows += _of_servers(run, made)
    return pd.DataFrame(rows, columns=_COLUMNS).astype("string")


def _hands_off() -> str:
    return _(
        "Do not power on, delete or change DR servers by hand: deleting one side through ECS makes the instance "
        "invalid and can block its group."
    )


def _enable(group_id: str, count: int) -> str:
    return _(
        "Enable protection of group {group}: no data of its {count} new instances is copied before.",
        group=group_id,
        count=count,
    )


def _of_servers(run: Run, made: pd.DataFrame) -> list[dict[str, Any]]:
    findings = run.findings
    due = findings[findings["rule"].isin(list(_OF_RULE)) & ~findings["severity"].eq("unverified")]
    # S22 and S23 ask for the same; the plan's word and the door's are one task.
    due = due.assign(task=due["rule"].replace("S23", "S22")).drop_duplicates(["server_id", "task"])
    joined = made.merge(due[["server_id", "rule"]], on="server_id")
    return [
        {
            "concerns": "server",
            "server_id": row.server_id,
            "name": row.name,
            "group_id": row.group_id,
            "dr_server_id": row.dr_server_id,
            "rule": row.rule,
            "task": _OF_RULE[str(row.rule)](row),
        }
        for row in joined.itertuples()
    ]
