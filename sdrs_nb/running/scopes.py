"""Which cloud a run belongs to, by its record.

A run is of one project in one region of one cloud; on a sandbox, of one world, wherever that listens today.  Looked at
from elsewhere its servers would all seem to be gone, and what is recorded of them would be overwritten.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sdrs_nb.i18n import _

if TYPE_CHECKING:
    from sdrs_nb.cloud.session import Identity

__all__ = ["compared", "is_of_cloud", "scope_of", "where"]


def scope_of(identity: "Identity") -> dict[str, str]:
    """Return what the ledger keeps of the cloud that a run talks to (``ledger.SCOPE``)."""
    return {
        "endpoint": identity.endpoint,
        "region": identity.region,
        "project_id": identity.project_id,
        "project_name": identity.project_name,
        "cloud_host": identity.cloud_host,
        "user_name": identity.user_name or identity.user_id,
        "world": identity.world,
    }


def where(scope: Mapping[str, Any]) -> str:
    """Return in one line which cloud a run talks to (``scope_of`` or ``run.scope``): cloud, region, project, user."""
    cloud = scope["cloud_host"] or scope["endpoint"]
    named, project_id = scope["project_name"], scope["project_id"]
    return _(
        "{cloud}, region {region}, project {project}, as {user}",
        cloud=_("sandbox {world} at {cloud}", world=scope["world"], cloud=cloud) if scope["world"] else cloud,
        region=scope["region"] or "-",
        project=f"{named} ({project_id})" if named else project_id,
        user=scope["user_name"] or "-",
    )


def is_of_cloud(record: Mapping[str, Any], identity: "Identity") -> bool:
    """Tell whether the run of this record (a row of ``runs``) belongs to the cloud of this identity."""
    return not any(ours != theirs for _what, ours, theirs in compared(record, identity))


def compared(record: Mapping[str, Any], identity: "Identity") -> list[tuple[str, str, str]]:
    """Return what must be the same: its title, the run's, and that of the cloud here."""
    pairs = [(_("project"), str(record["project_id"]), identity.project_id)]
    if record["region"] and identity.region:
        pairs.append((_("region"), str(record["region"]), identity.region))
    if record["world"]:
        pairs.append((_("sandbox world"), str(record["world"]), identity.world))
    elif record["cloud_host"]:
        pairs.append((_("cloud"), str(record["cloud_host"]), identity.cloud_host))
        pairs.append((_("sandbox world"), "", identity.world))
    else:  # recorded by a version that knew the address alone
        pairs.append((_("cloud"), str(record["endpoint"]), identity.endpoint))
    return pairs
