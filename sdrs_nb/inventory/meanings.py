"""What each column of a template means, for whoever fills it in."""

from collections.abc import Mapping
from types import MappingProxyType

import pandas as pd

from sdrs_nb.i18n import _
from sdrs_nb.tables import BOOL, FLOAT, INT, INVENTORY_TABLES, TIME, Table

__all__ = ["readme"]


def readme() -> pd.DataFrame:
    """Return what every column is: ``frame, column, needed, form, meaning``, one row a column; reading ignores it."""
    meanings = _meanings()
    rows = [
        (name, column, _("yes") if column in table.required else "", _form(table, column), meanings.get(column, ""))
        for name, table in INVENTORY_TABLES.items()
        for column in table.columns
    ]
    rows += [("sources", "frame, state", "", "", meanings["state"])]
    return pd.DataFrame(rows, columns=["frame", "column", "needed", "form", "meaning"], dtype="string")


def _form(table: Table, column: str) -> str:
    if column in table.choices:
        return _("one of: {choices}", choices=", ".join(table.choices[column]))
    forms = {
        INT: _("whole number"),
        FLOAT: _("number"),
        BOOL: _("true or false"),
        TIME: _("time, UTC, like 2024-01-31T01:02:03Z"),
    }
    return forms.get(table.columns[column], _("text"))


def _meanings() -> Mapping[str, str]:
    return MappingProxyType(
        {
            "server_id": _("ID of the server, as the cloud shows it; format the column as text"),
            "status": _("as the cloud spells it, for example ACTIVE or SHUTOFF"),
            "task_state": _("what is under way with the server; empty when nothing is"),
            "az": _("availability zone, exactly as the protection group spells it"),
            "vpc_id": _("ID of the VPC"),
            "address_vpc_ids": _("VPCs of the server's addresses, separated by commas"),
            "subnet_id": _("subnet of the primary NIC (its neutron_network_id)"),
            "private_ips": _("fixed addresses, separated by commas"),
            "nic_count": _("how many NICs have a fixed address"),
            "ram_gib": _("memory in GiB"),
            "size_gib": _("size in GiB"),
            "accelerators": _("whether the flavor has a GPU or another accelerator"),
            "key_name": _("key pair for login; empty when there is none"),
            "user_id": _("IAM user who made the server"),
            "lock_source": _("service that has locked the server; empty when none has"),
            "root_device": _("device of the system volume, for example /dev/vda"),
            "enterprise_project_id": _("empty or 0 for the default project"),
            "tags": _("key=value, separated by commas"),
            "multiattach": _("whether the volume is shared"),
            "encrypted": _("whether the volume is encrypted"),
            "bootable": _("in attachments: whether this is the server's system volume"),
            "priority_station": _("where production runs now"),
            "production_az": _("may be left empty: follows from priority_station"),
            "dr_az": _("may be left empty: follows from priority_station"),
            "source_server_id": _("production server"),
            "target_server_id": _("DR server"),
            "volume_ids": _("both volumes of the pair, separated by a comma"),
            "protected_instance_ids": _("instances the pair is attached to, separated by commas"),
            "quota": _("-1 for no limit"),
            "scaling_configuration_id": _("empty when the server was added to its scaling group by hand"),
            "state": _(
                "write loaded beside a frame that is complete, also when there are none; leave missing otherwise"
            ),
        }
    )
