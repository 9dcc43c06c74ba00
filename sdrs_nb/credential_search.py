"""Which of the values that several places hold is used, and what is said of the others.

Credentials are taken whole from the first place that holds a complete set; project and account come from the
arguments, ``SDRS_NB_*`` or that same place, since a project found elsewhere may belong to another account.  The region
may be told by the project's name or IAM's address, and only then by a place with other credentials.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from sdrs_nb.credential_names import CREDENTIALS, LOGIN
from sdrs_nb.credential_sources import Source
from sdrs_nb.errors import SettingsError
from sdrs_nb.i18n import _

__all__ = ["Found", "region_of_project", "search"]

# Taken from where the credentials are, or from what was said to this package.
_OWNED = ("project_id", "project_name", "domain", "domain_id", "auth_url", "region", "cloud_host", "ca_file")
# Where nothing nearer tells them, from anywhere.
_SHARED = ("cloud_host", "ca_file")
# A name and an id of the same thing: the nearer place wins.
_TWINS = (("project_id", "project_name"), ("domain_id", "domain"))
# iam.{region}.{cloud host}, or iam.{cloud host} where IAM is one for all regions; a region has a hyphen, which tells
# it from the global host iam.myhuaweicloud.com.
_IAM = re.compile(r"iam(?P<kind>-[a-z]+)?\.(?:(?P<region>[a-z]+-[a-z0-9-]+)\.)?(?P<cloud_host>[^.]+\..+)")
# A project is called like its region, a sub-project {region}_{name}: cn-north-4_erp, eu-de_erp.
_PROJECT = re.compile(r"([a-z]{2}-(?:[a-z]+-\d{1,3}|[a-z]{2}\d?))(?:_.*)?")
# A vendor profile leaves the region open, as openstacksdk writes it.
_HOLE = "%(region_name)s"


@dataclass
class Found:
    """What is used (``values``), where it was found, what is not used and why, and IAM's own origin, if it has one."""

    values: dict[str, str] = field(default_factory=dict, repr=False)
    found_in: dict[str, str] = field(default_factory=dict)
    unused: dict[str, str] = field(default_factory=dict)
    iam: str = ""


def search(sources: Sequence[Source]) -> Found:
    """Return what ``sources``, the arguments first, give together; pure.

    Raises ``SettingsError`` where none of them holds a complete set of credentials; the message names all of them.
    """
    holder, names = _holder(sources)
    near = (*(source for source in sources if source is sources[0] or source.name == "SDRS_NB_*"), holder)
    used = _chosen(sources[0], near, holder, names)
    found = Found()
    for name, source in used.items():
        # Blanks around a key come from copying; in a password they may be meant.
        found.values[name] = source.values[name] if name == "password" else source.values[name].strip()
        found.found_in[name] = source.place(name)
    _place(found, sources, holder)
    for name in _SHARED:
        if name not in found.values and (places := [each for each in sources if name in each.values]):
            found.values[name], found.found_in[name] = places[0].values[name].strip(), places[0].place(name)
    for source in sources:
        found.unused |= dict(_unused(source, found, used, holder))
    return found


def region_of_project(name: str | None) -> str | None:
    """Return the region that a project's name tells, None where it tells none."""
    told = _PROJECT.fullmatch(name or "")
    return told[1] if told else None


def _holder(sources: Sequence[Source]) -> tuple[Source, tuple[str, ...]]:
    asked = sources[0]
    if ("access_key" in asked.values) != ("secret_key" in asked.values):
        raise SettingsError(_("An access key and a secret key belong together; only one of the two was given."))
    for source in sources:
        if names := source.complete_set(asked):
            return source, names
    places = "; ".join(f"{source.name}{_partly(source)}" for source in sources)
    raise SettingsError(
        _(
            "No credentials were found. Looked in: {places}. Set SDRS_NB_ACCESS_KEY and SDRS_NB_SECRET_KEY, or "
            "SDRS_NB_USER, SDRS_NB_PASSWORD and SDRS_NB_DOMAIN, or pass access_key= and secret_key= to connect().",
            places=places,
        )
    )


def _partly(source: Source) -> str:
    held = [source.place(name) for name in CREDENTIALS if name in source.values]
    told = _(" (only {held})", held=", ".join(held)) if held else ""
    unread = [f"{place}: {why}" for place, why in source.unread.items()]
    return told + (_(" (not used: {unread})", unread="; ".join(unread)) if unread else "")


def _chosen(asked: Source, near: Sequence[Source], holder: Source, names: Sequence[str]) -> dict[str, Source]:
    """Return for every value that credentials, project and account consist of the place that it is taken from."""
    places = {
        **{name: (asked, holder) if name in LOGIN else (holder,) for name in names},
        **dict.fromkeys(_OWNED, near),
        "endpoint": near[:-1],
    }
    ranks = {
        name: rank
        for name, candidates in places.items()
        if (rank := next((near.index(each) for each in candidates if name in each.values), None)) is not None
    }
    for one, other in _TWINS:
        if one in ranks and other in ranks and ranks[one] != ranks[other]:
            del ranks[one if ranks[one] > ranks[other] else other]
    if "user" not in names:
        ranks.pop("domain", None)  # only a password needs it: a key or a token tells its account itself
    if "endpoint" in ranks:
        ranks.pop("auth_url", None)
    return {name: near[rank] for name, rank in ranks.items()}


def _place(found: Found, sources: Sequence[Source], holder: Source) -> None:
    """Fill in region, cloud host and IAM's own origin from the project's name and IAM's address."""
    values, found_in = found.values, found.found_in
    auth_url, at = values.pop("auth_url", ""), found_in.pop("auth_url", "")
    address, iam = _iam(auth_url)
    for region, place in (
        (region_of_project(values.get("project_name")), found_in.get("project_name", "")),
        (iam["region"] if iam else None, at),
        *_elsewhere(sources, holder),
    ):
        if region and "region" not in values:
            values["region"], found_in["region"] = region, place
    if not auth_url:
        return
    if _HOLE in auth_url:
        address, iam = _iam(auth_url.replace(_HOLE, values.get("region", "")))
    if iam and "cloud_host" not in values:
        values["cloud_host"], found_in["cloud_host"] = iam["cloud_host"], at
    if not (
        iam
        and iam["region"]
        and not iam["kind"]
        and address.netloc.lower() in {address.hostname, f"{address.hostname}:443"}
    ):
        found.iam, found_in["auth_url"] = f"{address.scheme}://{address.netloc.rpartition('@')[2]}", at
    elif {found_in.get("region"), found_in.get("cloud_host")}.isdisjoint({at}):
        found.unused[at] = _("region and cloud host were named")


def _iam(auth_url: str) -> tuple[SplitResult, re.Match[str] | None]:
    try:
        address = urlsplit(auth_url if "//" in auth_url else f"https://{auth_url}")
    except ValueError:  # an IPv6 address that is none; the endpoint's own check says so
        address = SplitResult("https", "[]", "", "", "")
    return address, None if _HOLE in auth_url else _IAM.fullmatch(address.hostname or "")


def _elsewhere(sources: Sequence[Source], holder: Source) -> Iterator[tuple[str, str]]:
    """Return regions that other places name, then the holder's default; where it is one cloud's, only of that cloud."""
    for source in sources:
        region = source.values.get("region", "").strip()
        if region and (not holder.regions or region in holder.regions):
            yield region, source.place("region")
    if holder.regions:
        yield holder.regions[0], holder.name


def _unused(source: Source, found: Found, used: dict[str, Source], holder: Source) -> Iterator[tuple[str, str]]:
    """Return where something stands that is not used, and why; what says the same as is used is no news."""
    for name, value in source.values.items():
        place = source.place(name)
        is_same = value.strip() == found.values.get(name, "").strip()
        if used.get(name) is not source and not is_same and found.found_in.get(name) != place:
            yield (f"{place}, {name}" if place == source.name else place), _why(name, source, found, holder)
    yield from source.unread.items()


def _why(name: str, source: Source, found: Found, holder: Source) -> str:
    if name in CREDENTIALS:
        if source is not holder:
            return _("the credentials of {place} are used", place=holder.name)
        return _(
            "in use: {names}", names=", ".join(found.found_in[each] for each in CREDENTIALS if each in found.values)
        )
    if name == "domain" and "user" not in found.values:
        return _("only a user and a password need it")
    twins = next((pair for pair in _TWINS if name in pair), (name,))
    if name == "auth_url":
        twins = ("endpoint", "auth_url")
    if nearer := next((found.found_in[each] for each in twins if each in found.found_in), ""):
        return _("{place} comes first", place=nearer)
    return _("it may belong to another account than the credentials of {place}", place=holder.name)
