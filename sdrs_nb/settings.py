"""Endpoint, project, credentials and timeouts: what was asked for, else what environment and files hold.

Order: arguments, ``SDRS_NB_*``, ``HUAWEICLOUD_SDK_*``, ``HW_*``, ``OS_*``, ``clouds.yaml``, the SDK's credentials
file; a cloud that ``OS_CLOUD`` names goes before ``OS_*``, as in OpenStack's own tools.  ``credential_search`` says
what is taken from where.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from sdrs_nb.credential_names import TUNING
from sdrs_nb.credential_search import region_of_project, search
from sdrs_nb.credential_sources import Source, credentials_file, environment_sources, openstack_clouds
from sdrs_nb.errors import SettingsError
from sdrs_nb.i18n import _
from sdrs_nb.rulebook import Site, site_of

__all__ = ["DEFAULT_CLOUD_HOST", "Settings", "is_loopback", "resolve"]

#: Host of every service after its name and the region; the vendor's own, Open Telekom Cloud has another.
DEFAULT_CLOUD_HOST = "myhuaweicloud.com"
_ORIGIN = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?/?")


class Settings(BaseModel):
    """Everything a connection needs, checked; secrets show neither in a repr nor in a message.

    Parameters
    ----------
    endpoint
        One origin for every service (a sandbox, a gateway); None: region and ``cloud_host`` make the hosts.
    endpoints
        Origin of single services by our name of them (``{"iam": "https://..."}``); wins over everything.
    region, cloud_host
        Parts of the host names: ``https://ecs.{region}.{cloud_host}``.
    project_id, project_name
        The project; without an id it is looked up by name, which is the region's name by default.
    timeout_s, connect_timeout_s
        Seconds to wait for an answer and for a connection (the vendor SDK's values).
    attempts
        How often a repeatable call is tried.
    parallel
        Calls that may be under way at once.
    page_size
        Rows asked for per page, 1 to 1000.
    language
        Language of the cloud's own messages, sent as ``X-Language``; None leaves it to the cloud.
    found_in
        Where each value was found, by name; never the value.
    unused
        What was found and is not used: where it stands -> why; never the value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    endpoint: str | None = None
    endpoints: Mapping[str, str] = Field(default_factory=dict)
    region: str | None = Field(default=None, pattern=r"^[A-Za-z0-9-]{1,64}$")
    cloud_host: str = Field(default=DEFAULT_CLOUD_HOST, pattern=r"^[A-Za-z0-9.-]{1,200}$")
    project_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{1,64}$")
    project_name: str | None = None
    domain: str | None = None
    domain_id: str | None = None
    access_key: str | None = Field(default=None, repr=False)
    secret_key: SecretStr | None = None
    security_token: SecretStr | None = None
    user: str | None = None
    password: SecretStr | None = None
    token: SecretStr | None = None
    ca_file: Path | None = None
    timeout_s: float = Field(default=120, gt=0)
    connect_timeout_s: float = Field(default=60, gt=0)
    attempts: int = Field(default=6, ge=1, le=20)
    parallel: int = Field(default=8, ge=1, le=64)
    page_size: int = Field(default=1000, ge=1, le=1000)
    language: str | None = Field(default=None, pattern=r"^[A-Za-z-]{2,10}$")
    found_in: Mapping[str, str] = Field(default_factory=dict)
    unused: Mapping[str, str] = Field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Say how calls are authenticated: ``"token"``, ``"access key"`` or ``"password"``."""
        if self.token is not None:
            return "token"
        return "access key" if self.access_key is not None else "password"

    @property
    def site(self) -> Site:
        """Which cloud is talked to, as far as host names and the region tell, and whose rules hold there.

        A sandbox or a gateway of one's own tells nothing; then ``cloud_host`` does, where it was named.
        """
        origin = self.endpoints.get("sdrs") or self.endpoint
        hosts = [urlsplit(url).hostname for url in (origin, *self.endpoints.values()) if url]
        # Beside an endpoint the default is not where calls go, and says nothing of the cloud behind it.
        if origin is None or "cloud_host" in self.model_fields_set:
            hosts.append(self.cloud_host)
        return site_of(hosts, self.region)


def resolve(
    arguments: Mapping[str, Any],
    *,
    environ: Mapping[str, str],
    home: Path,
    folder: Path,
    profile: str | None = None,
) -> Settings:
    """Return the settings that ``arguments``, environment and files give together; reads files, no network.

    Parameters
    ----------
    arguments
        What the caller named, by field of ``Settings``; None counts as not named.
    environ, home, folder
        The environment, and the folders searched for ``~/.huaweicloud``, ``~/.config/openstack`` and
        ``clouds.yaml``.
    profile
        An entry of ``clouds.yaml`` or a section of the credentials file; then only it is searched for
        credentials.  ``SDRS_NB_PROFILE`` names one too.

    Raises
    ------
    SettingsError
        Nothing complete was found, one value is not acceptable, or the profile does not exist.  The message
        lists what was looked for.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    asked = Source(_("arguments"), {n: v for n, v in given.items() if isinstance(v, str)})
    found = search(_sources(asked, environ, home, folder, profile or environ.get("SDRS_NB_PROFILE")))
    tuned = {name: environ[key] for name in TUNING if environ.get(key := f"SDRS_NB_{name.upper()}")}
    merged = {**tuned, **found.values, **{n: v for n, v in given.items() if not isinstance(v, str)}}
    if found.iam:
        merged["endpoints"] = {"iam": found.iam, **merged.get("endpoints", {})}
    told = {"found_in": found.found_in, "unused": found.unused}
    settings = _checked({**merged, **{n: given[n] for n in TUNING if n in given}, **told})
    _refuse_gaps(settings)
    return settings


def is_loopback(url: str) -> bool:
    """Tell whether ``url`` stays on this machine, where no proxy may be asked and plain HTTP leaks nothing."""
    host = urlsplit(url).hostname or ""
    return host in {"localhost", "::1"} or host.startswith("127.")


def _sources(asked: Source, environ: Mapping[str, str], home: Path, folder: Path, profile: str | None) -> list[Source]:
    variables = environment_sources(environ)
    openstack = variables.pop()
    first = [asked, *variables] if environ.get("OS_CLOUD") else [asked, *variables, openstack]
    if not profile and any(source.complete_set(asked) for source in first):
        if environ.get("OS_CLOUD"):
            why = {"OS_CLOUD": _("complete credentials come first")}
            openstack = replace(openstack, unread={**openstack.unread, **why})
        return [asked, *variables, openstack]  # nobody's broken file may stand in the way of what was named
    clouds, sections = openstack_clouds(environ, home, folder), credentials_file(environ, home)
    if profile:
        return [asked, _named(profile, {**sections, **clouds}), variables[0]]
    basic = sections.get("basic") or Source("~/.huaweicloud/credentials [basic]")
    others = {each.name: _("only profile= names it") for name, each in sections.items() if name != "basic"}
    basic = replace(basic, unread={**basic.unread, **others})
    if named := environ.get("OS_CLOUD"):
        return [asked, *variables, _named(named, clouds), openstack, basic]
    if len(clouds) == 1:
        cloud = next(iter(clouds.values()))
    else:
        several = {"clouds.yaml": _("several clouds, OS_CLOUD names none")} if clouds else {}
        cloud = Source("clouds.yaml", unread=several)
    return [asked, *variables, openstack, cloud, basic]


def _named(profile: str, known: Mapping[str, Source]) -> Source:
    if profile not in known:
        raise SettingsError(
            _(
                "There is no profile {profile}; clouds.yaml and the credentials file hold: {known}.",
                profile=profile,
                known=", ".join(sorted(known)) or "-",
            )
        )
    return known[profile]


def _checked(values: dict[str, Any]) -> Settings:
    for name, url in [("endpoint", values.get("endpoint")), *values.get("endpoints", {}).items()]:
        if url and not _ORIGIN.fullmatch(url):
            raise SettingsError(
                _(
                    "The endpoint {url} ({name}) is not an address such as https://host:port.",
                    url=url.rpartition("@")[2],  # what stands before it would be a password
                    name=name,
                )
            )
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise SettingsError(_("These settings are not acceptable: {wrong}.", wrong=wrong)) from None


def _refuse_gaps(settings: Settings) -> None:
    if not settings.endpoint and not settings.region:
        raise SettingsError(_("No region was named. Set SDRS_NB_REGION or pass region= (or endpoint=) to connect()."))
    _refuse_foreign_project(settings)
    if settings.kind != "password":
        return
    if not (settings.domain or settings.domain_id):
        raise SettingsError(_("A user and a password need the account they belong to: set SDRS_NB_DOMAIN or domain=."))
    if not (settings.project_id or settings.project_name or settings.region):
        raise SettingsError(
            _("No project was named. Set SDRS_NB_PROJECT_ID or pass project_id=, project_name= or region=.")
        )


def _refuse_foreign_project(settings: Settings) -> None:
    """Refuse a project that, by its name, lies in another region than the calls would go to."""
    theirs = region_of_project(settings.project_name)
    if settings.project_id or settings.endpoint or not theirs or theirs == settings.region:
        return
    raise SettingsError(
        _(
            "Project {project} ({where}) lies in region {theirs}, but region {region} was named ({place}). Name one of "
            "{region}, or leave the region out.",
            project=settings.project_name,
            where=settings.found_in.get("project_name", "-"),
            theirs=theirs,
            region=settings.region,
            place=settings.found_in.get("region", "-"),
        )
    )
