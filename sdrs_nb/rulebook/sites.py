"""Whose rules hold where: the profile of a cloud by the names of its hosts and regions.

Only a create request would prove what a site can do, and none is sent before a plan is approved, so its names decide.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sdrs_nb.i18n import _
from sdrs_nb.rulebook.loader import Rulebook, load_rulebook, read_rulebook
from sdrs_nb.rulebook.model import PROFILES

__all__ = ["Site", "choose_rulebook", "rulebook_reason", "site_of"]

_OTC = ("otc", "Open Telekom Cloud")
_HUAWEI = (PROFILES[0], "Huawei Cloud")
# Ends of host names; Swiss OTC (sc.otc.t-systems.com) is of the same documents.
_HOSTS = {"otc.t-systems.com": _OTC, "myhuaweicloud.com": _HUAWEI, "myhuaweicloud.eu": _HUAWEI}
#: Regions that one cloud alone has; they tell where a gateway of one's own stands before the cloud.
_REGIONS = {"eu-de": _OTC, "eu-nl": _OTC, "eu-ch2": _OTC}


@dataclass(frozen=True)
class Site:
    """Which cloud is talked to, and the profile of the rule book that holds there.

    Parameters
    ----------
    profile
        One of ``PROFILES``.
    host
        The host that told it; where none is known the one that is talked to, empty where none was named.
    cloud
        Name of the cloud; empty where it is not known, then the profile is ASSUMED: rulebook_profile.
    region
        The region that told it in place of a host.
    """

    profile: str
    host: str = ""
    cloud: str = ""
    region: str = ""

    @property
    def is_assumed(self) -> bool:
        """Whether nothing that is known told the profile."""
        return not self.cloud

    @property
    def rulebook(self) -> Rulebook:
        """The rule book that holds there."""
        return load_rulebook(self.profile)

    def __str__(self) -> str:
        if self.region:
            return _("Rule book {profile}: region {region} is one of {cloud}.",
                     profile=self.profile, region=self.region, cloud=self.cloud)  # fmt: skip
        if self.cloud:
            return _("Rule book {profile}: {host} is {cloud}.", profile=self.profile, host=self.host, cloud=self.cloud)
        if self.host:
            return _("Rule book {profile} is ASSUMED: {host} is no cloud known here. Choose another if that is wrong.",
                     profile=self.profile, host=self.host)  # fmt: skip
        return _("Rule book {profile} is ASSUMED: nothing says which cloud this is. Choose another if that is wrong.",
                 profile=self.profile)  # fmt: skip


def site_of(hosts: Iterable[str | None], region: str | None = None) -> Site:
    """Return the site that ``hosts`` name, the first that is known; else by ``region``, else the default.

    Parameters
    ----------
    hosts
        Host names, those that are talked to first; None and empty ones say nothing.
    region
        Name of the region, as a second sign.
    """
    named = [host.rstrip(".").lower() for host in hosts if host]
    for host in named:
        for end, (profile, cloud) in _HOSTS.items():
            if host == end or host.endswith(f".{end}"):
                return Site(profile, host, cloud)
    host = named[0] if named else ""
    if region in _REGIONS:
        profile, cloud = _REGIONS[region]
        return Site(profile, host, cloud, region)
    return Site(PROFILES[0], host)


def choose_rulebook(asked: Rulebook | str | None, default: Rulebook) -> Rulebook:
    """Return the rule book that was asked for, itself or by name (``read_rulebook``); else ``default``.

    Raises
    ------
    SettingsError
        There is no rule book of that name.
    """
    if isinstance(asked, Rulebook):
        return asked
    return read_rulebook(asked) if asked else default


def rulebook_reason(book: Rulebook, site: Site) -> str:
    """Return in a sentence which rule book is used where ``site`` is talked to, and why."""
    if book.name == site.profile:
        return str(site)
    if book.profile == site.profile:
        return _("Rule book {book}, as chosen.", book=book.name)
    return _("Rule book {book}, as chosen; that of {site} is {profile}.",
             book=book.name, site=site.cloud or site.host or _("an unknown cloud"), profile=site.profile)  # fmt: skip
