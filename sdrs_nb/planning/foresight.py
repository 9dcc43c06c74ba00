"""What a plan will bring about: quotas before and after, and what the constraints of batch create say will follow.

Pure: works on the plan, the inventory it was made from and its findings; no network, no disk.
"""

import numpy as np
import pandas as pd

from sdrs_nb.i18n import _
from sdrs_nb.inventory.inventory import Inventory
from sdrs_nb.planning.columns import quota_of
from sdrs_nb.planning.plans import Plan

__all__ = ["capacity", "consequences"]

_COLUMNS = {
    "what": "string",
    "used": "Int64",
    "planned": "Int64",
    "after": "Int64",
    "quota": "Int64",
    "fits": "boolean",
}
_MIB = 1024


def capacity(plan: Plan, inventory: Inventory) -> pd.DataFrame:
    """Return the project's quotas before and after the plan, one row a quota that is known.

    Columns: ``what`` (a title), ``used`` (now), ``planned`` (more, by this plan), ``after``, ``quota`` (NA: no
    limit), ``fits`` (False where the plan goes over it).  DR servers and DR volumes count like any other.  A quota that
    was not read has no row; an empty plan adds 0.
    """
    servers, volumes = inventory.servers, plan.facts.volumes
    planned = servers[servers["server_id"].isin(plan.servers["server_id"])]
    ram_mib = int(np.ceil(float(planned["ram_gib"].fillna(0).sum()) * _MIB))
    rows = []
    for frame, resource, title, wanted in (
        ("quotas", "replications", _("replication pairs"), plan.estimate(inventory).pairs),
        ("ecs_limits", "instances", _("servers"), len(plan.servers)),
        ("ecs_limits", "cores", _("vCPUs"), int(planned["vcpus"].fillna(0).sum())),
        ("ecs_limits", "ram_mib", _("memory, MiB"), ram_mib),
        ("evs_quota", "volumes", _("volumes"), len(volumes)),
        ("evs_quota", "gigabytes", _("volumes, GiB"), int(volumes["size_gib"].fillna(0).sum())),
    ):
        if (known := quota_of(inventory.frame(frame), resource)) is not None:
            quota, used = known
            limit = None if quota < 0 else quota
            rows.append((title, used, wanted, used + wanted, limit, limit is None or used + wanted <= limit))
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)


def consequences(plan: Plan, findings: pd.DataFrame) -> pd.DataFrame:
    """Return what follows once the plan is sent, in words: one row a consequence, ``constraint, rule, servers, text``.

    Constraints C5 to C9 of the batch-create page, each with the number of planned servers that ``findings``
    (``Eligibility.by_server``) names for it; one that concerns nobody has no row.
    """
    planned = findings[findings["server_id"].isin(plan.servers["server_id"])]
    rows = []
    for constraint, rules, text in _said():
        concerned = planned.loc[planned["rule"].isin(rules), "server_id"].nunique()
        if concerned:
            rows.append((constraint, rules[0], concerned, text))
    frame = pd.DataFrame(rows, columns=["constraint", "rule", "servers", "text"])
    return frame.astype({"constraint": "string", "rule": "string", "servers": "Int64", "text": "string"})


def _said() -> list[tuple[str, tuple[str, ...], str]]:
    return [
        ("C5", ("S25", "S26"), _("Scale-in can no longer delete a protected server of a scaling group.")),
        ("C6", ("S22", "S23"), _("The key pair of a Windows server must exist, or the creation of its DR server fails "
                                 "inside the job.")),
        ("C7", ("S28",), _("A DR server does not join production's enterprise project: add it by hand.")),
        ("C8", ("S29",), _("Later changes of host name, name, security groups, agency, ECS group, tags and "
                           "auto-recovery are not copied to the DR server: repeat them by hand.")),
        ("C9", ("S30",), _("A DR server gets the name of its production server; only their ids differ.")),
    ]  # fmt: skip
