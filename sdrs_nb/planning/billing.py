"""What stays and is billed when protected instances are deleted, choice by choice.

Deleting an instance never deletes its production server.  Its DR server with the DR volumes stays unless
``delete_target_server`` is set, and the EIPs bound to it stay unless ``delete_target_eip`` is set too (page
"Deleting Protected Instances in a Batch", request parameters).
"""

from collections.abc import Sequence

import pandas as pd

from sdrs_nb.i18n import _, ngettext_
from sdrs_nb.models import Batch
from sdrs_nb.planning.facts import PlanFacts
from sdrs_nb.tables import BOOL, INT, STR

__all__ = ["choice_in_words", "stays_billed"]

_COLUMNS = {
    "delete_target_server": BOOL, "delete_target_eip": BOOL, "is_chosen": BOOL, "dr_servers": INT, "dr_volumes": INT,
    "dr_volumes_gib": INT, "eips": STR, "meaning": STR,
}  # fmt: skip
_CHOICES = ((False, False), (True, False), (True, True))


def choice_in_words(batches: Sequence[Batch]) -> str:
    """Return in words what a deletion leaves."""
    if not any(batch.delete_target_server for batch in batches):
        return _("DR servers and DR volumes stay and are billed")
    if not any(batch.delete_target_eip for batch in batches):
        return _("DR servers and DR volumes are deleted, their EIPs stay and are billed")
    return _("DR servers and DR volumes are deleted, their EIPs released")


def stays_billed(batches: Sequence[Batch], facts: PlanFacts) -> pd.DataFrame:
    """Return one row a choice that a deletion leaves, and what stays after it; no row for a plan that creates.

    Columns: ``delete_target_server``, ``delete_target_eip``, ``is_chosen`` (as the plan is), ``dr_servers``,
    ``dr_volumes``, ``dr_volumes_gib`` (what stays and is billed; volumes of unknown size count nothing), ``eips``
    (``stay`` or ``released``: the inventory does not say which DR servers have one), ``meaning`` (a sentence).
    """
    if not any(batch.call.is_delete for batch in batches):
        return pd.DataFrame(columns=list(_COLUMNS)).astype(_COLUMNS)
    present = (batches[0].delete_target_server, batches[0].delete_target_eip and batches[0].delete_target_server)
    servers = int(facts.instances["dr_server_id"].nunique())
    volumes, gib = int(facts.pairs["dr_volume_id"].nunique()), int(facts.pairs["size_gib"].fillna(0).sum())
    rows = [
        (
            with_server, with_eip, (with_server, with_eip) == present,
            0 if with_server else servers, 0 if with_server else volumes, 0 if with_server else gib,
            "released" if with_eip else "stay",
            _meaning(servers, volumes, gib, with_server=with_server, with_eip=with_eip),
        )
        for with_server, with_eip in _CHOICES
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)


def _meaning(servers: int, volumes: int, gib: int, *, with_server: bool, with_eip: bool) -> str:
    doubles = ngettext_("{count} DR server", "{count} DR servers", servers)
    disks = ngettext_("{count} DR volume of {gib} GiB", "{count} DR volumes of {gib} GiB", volumes, gib=gib)
    if not with_server:
        return _("{servers} and {volumes} stay as ordinary ones and are billed, EIPs included.", servers=doubles,
                 volumes=disks)  # fmt: skip
    if not with_eip:
        return _("{servers} and {volumes} are deleted for good; their EIPs stay and are billed.", servers=doubles,
                 volumes=disks)  # fmt: skip
    return _("{servers} and {volumes} are deleted for good and their EIPs released.", servers=doubles, volumes=disks)
