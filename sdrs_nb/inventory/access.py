"""What the credentials may do before any work begins: one small read a service, nothing is changed.

A 403 here names the permission that is missing; the same source would later be ``denied`` in the inventory and what
depends on it would stay unverified.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd

from sdrs_nb.errors import CloudError, CloudUnreachable, NotFoundError, PermissionDeniedError, UnknownCallError
from sdrs_nb.i18n import _

if TYPE_CHECKING:
    from sdrs_nb.cloud import Cloud

__all__ = ["check_access"]

_NOBODY = "00000000-0000-0000-0000-000000000000"
#: A cheap read of each service, by its name; those that the job cannot do without come first.
_READS: Mapping[str, Callable[["Cloud"], Awaitable[Any]]] = MappingProxyType(
    {
        "sdrs": lambda cloud: cloud.sdrs.quotas(),
        "ecs": lambda cloud: cloud.ecs.server(_NOBODY),
        "evs": lambda cloud: cloud.evs.quota(),
        "vpc": lambda cloud: cloud.vpc.vpcs(),
        "kps": lambda cloud: cloud.kps.key_pairs(),
        "as": lambda cloud: cloud.autoscaling.groups(),
        "eps": lambda cloud: cloud.eps.enterprise_projects(),
    }
)


async def check_access(cloud: "Cloud") -> pd.DataFrame:
    """Return whether each service may be read, one row a service; one cheap call each, nothing is changed.

    Returns
    -------
    pandas.DataFrame
        All strings: ``service`` (sdrs, ecs, evs, vpc, kps, as, eps), ``about`` (what it is needed for), ``state``
        (``ok``, ``denied`` or ``failed``) and ``message`` (NA where all is well).

    Raises
    ------
    AuthenticationError, SettingsError, CloudUnreachable
        The credentials are not accepted, the project cannot be told, or nothing answers.
    """
    await cloud.check()
    found = await asyncio.gather(*(_asked(read, cloud) for read in _READS.values()))
    rows = [
        (service, _about(service), state, message or None)
        for service, (state, message) in zip(_READS, found, strict=True)
    ]
    return pd.DataFrame(rows, columns=["service", "about", "state", "message"], dtype="string")


async def _asked(read: Callable[["Cloud"], Awaitable[Any]], cloud: "Cloud") -> tuple[str, str]:
    try:
        await read(cloud)
    except UnknownCallError as error:
        return "failed", str(error)
    except NotFoundError:  # the server that nobody has: who may ask for one is told that there is none
        return "ok", ""
    except PermissionDeniedError as error:
        return "denied", str(error)
    except (CloudError, CloudUnreachable) as error:
        return "failed", str(error)
    return "ok", ""


def _about(service: str) -> str:
    return {
        "sdrs": _("protection groups, instances, jobs"),
        "ecs": _("servers"),
        "evs": _("volumes"),
        "vpc": _("VPCs and subnets"),
        "kps": _("key pairs of Windows servers"),
        "as": _("members of scaling groups"),
        "eps": _("names of enterprise projects"),
    }[service]
