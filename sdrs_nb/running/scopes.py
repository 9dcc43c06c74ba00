"""Which cloud a run belongs to, by its record.

A run is of one project in one region of one cloud; on a sandbox, of one world, wherever that listens today.  Looked at
from elsewhere its servers would all seem to be gone, and what is recorded of them would be overwritten.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sdrs_nb.i18n import _

if TYPE_CHECKING:
    from sdrs_nb.cloud.session import Identity

__all__ = ["cloud_mismatch", "is_of_cloud", "mismatch", "scope_of", "where"]


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
    return cloud_mismatch(record, identity) is None


def cloud_mismatch(record: Mapping[str, Any], identity: "Identity") -> tuple[str, str, str] | None:
    """Return in what a connection's cloud is not the run's, as ``mismatch``."""
    address = identity.cloud_host if record["cloud_host"] else identity.endpoint
    return mismatch(record, identity.project_id, identity.region, identity.world, address)


def mismatch(
    record: Mapping[str, Any], project_id: str | None, region: str | None, world: str | None, address: str | None = None
) -> tuple[str, str, str] | None:
    """Return the first thing in which a run's cloud and another one differ: its title, the run's, the other's.

    None where nothing speaks against the other.  What it does not say (None; the region also ``""``) is not compared.
    ``address`` is its host, or its endpoint for a run recorded by a version that knew the address alone.
    """
    pairs = [(_("project"), record["project_id"], project_id)]
    if record["region"] and region:
        pairs.append((_("region"), record["region"], region))
    if not record["world"]:
        pairs.append((_("cloud"), record["cloud_host"] or record["endpoint"], address))
    if record["world"] or record["cloud_host"]:
        pairs.append((_("sandbox world"), record["world"], world))
    return next(((what, ours, theirs) for what, ours, theirs in pairs if theirs is not None and ours != theirs), None)
