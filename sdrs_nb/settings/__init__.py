"""Endpoint, project, credentials and timeouts: what was asked for, else what environment and files hold.

Order: arguments, ``SDRS_NB_*``, ``HUAWEICLOUD_SDK_*``, ``HW_*``, ``OS_*``, ``clouds.yaml``, the SDK's credentials
file.  Credentials are taken whole from the first place that holds a complete set; project and account come from
the arguments, ``SDRS_NB_*`` or that same place, since a project found elsewhere may belong to another account.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sdrs_nb.errors import SettingsError
from sdrs_nb.i18n import _
from sdrs_nb.rulebook import Site, site_of
from sdrs_nb.settings.certificates_and_proxies import is_loopback, refuse_unusable, trusting
from sdrs_nb.settings.credential_sources import Source, credentials_file, environment_sources, openstack_clouds
from sdrs_nb.settings.secret import Secret, is_header_value, is_text, looks_like_a_key

__all__ = ["DEFAULT_CLOUD_HOST", "Settings", "is_loopback", "resolve", "trusting"]

#: Host of every service after its name and the region; the vendor's own, Open Telekom Cloud has another.
DEFAULT_CLOUD_HOST = "myhuaweicloud.com"
# Complete sets of credentials, the plainest word of the operator first.
_SETS = (("token",), ("access_key", "secret_key"), ("user", "password"))
# Taken from where the credentials are, or from what was said to this package; the others from anywhere.
_OWNED = ("project_id", "project_name", "domain", "domain_id", "auth_url")
_SHARED = ("region", "cloud_host", "ca_file")
_LOGIN = ("user", "password")
_IN_HEADERS = frozenset({"token", "access_key", "secret_key", "security_token"})
_SECRET = _IN_HEADERS | {"password"}
_TUNING = (
    "timeout_s",
    "connect_timeout_s",
    "attempts",
    "parallel",
    "page_size",
    "answer_limit_mib",
    "language",
    "sandbox",
    "read_only",
    "record",
    "times_offset_h",
)
# A project of a region: cn-north-4_erp, eu-de.
_PROJECT = re.compile(r"(?P<region>[a-z]{2}-[a-z0-9-]*[a-z0-9])(_.+)?")
_ORIGIN = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?/?")
# iam.{region}.{cloud host}: a region has a hyphen, which tells it from the global host iam.myhuaweicloud.com.
_REGIONAL_IAM = re.compile(r"iam\.(?P<region>[a-z]+-[a-z0-9-]+)\.(?P<cloud_host>[^.]+\..+)")


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
        Seconds that one try of a call may take from its first byte to its answer's last, and that a connection may
        take (the vendor SDK's values); an answer that drips for ever ends there.
    attempts
        How often a repeatable call is tried.
    parallel
        Calls that may be under way at once.
    page_size
        Rows asked for per page, 1 to 1000.
    answer_limit_mib
        MiB that an answer may hold, unpacked; a page of 1000 servers with all they can have is 10.
    language
        Language of the cloud's own messages, sent as ``X-Language``; None leaves it to the cloud.
    sandbox
        Whether the endpoint is a sandbox cloud, whose word on its own time is believed.
    read_only
        Whether every request that could change something is refused before it is signed.
    record
        Folder in which every request and answer is recorded, with nothing in it that names anybody.
    times_offset_h
        Hours by which times without a zone in the service's lists are ahead of UTC; the pages do not say
        (ASSUMED: time_zone).
    found_in
        Where each value was found, by name; never the value.
    unused
        Where something was found that is not used; names, never values.
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
    access_key: Secret | None = None
    secret_key: Secret | None = None
    security_token: Secret | None = None
    user: str | None = None
    password: Secret | None = None
    token: Secret | None = None
    ca_file: Path | None = None
    timeout_s: float = Field(default=120, gt=0)
    connect_timeout_s: float = Field(default=60, gt=0)
    attempts: int = Field(default=6, ge=1, le=20)
    parallel: int = Field(default=8, ge=1, le=64)
    page_size: int = Field(default=1000, ge=1, le=1000)
    answer_limit_mib: int = Field(default=32, ge=1, le=1024)
    language: str | None = Field(default=None, pattern=r"^[A-Za-z-]{2,10}$")
    sandbox: bool = False
    read_only: bool = False
    record: Path | None = None
    times_offset_h: float = Field(default=0.0, ge=-24, le=24)
    found_in: Mapping[str, str] = Field(default_factory=dict)
    unused: tuple[str, ...] = ()

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
    arguments: Mapping[str, Any], *, environ: Mapping[str, str], home: Path, folder: Path, profile: str | None = None
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
    sources = _sources(asked, environ, home, folder, profile or environ.get("SDRS_NB_PROFILE"))
    values, found_in = _collect(sources, *_holder(sources))
    _refuse_unsendable({name: value for name, value in values.items() if isinstance(value, str)}, found_in)
    tuned = {name: environ[key] for name in _TUNING if environ.get(key := f"SDRS_NB_{name.upper()}")}
    if tape := environ.get("SDRS_NB_TAPE"):
        tuned["record"] = tape
    merged = {**tuned, **values, **{n: v for n, v in given.items() if not isinstance(v, str)}}
    _infer_region(merged, found_in)
    held = [source.place(name) for source in sources if source is not asked for name in source.values]
    held += [name for source in sources for name in source.unknown]
    unused = tuple(dict.fromkeys(place for place in held if place not in set(found_in.values())))
    tuned_by_caller = {name: given[name] for name in _TUNING if name in given}
    settings = _checked({**merged, **tuned_by_caller, "found_in": found_in, "unused": unused})
    _refuse_gaps(settings)
    refuse_unusable(settings.ca_file, environ)
    return settings


def _sources(
    asked: Source, environ: Mapping[str, str], home: Path, folder: Path, profile: str | None
) -> Sequence[Source]:
    variables = environment_sources(environ)
    if not profile and any(_complete(source, asked) for source in (asked, *variables)):
        return [asked, *variables]  # nobody's broken file may stand in the way of what was named
    clouds, sections = openstack_clouds(environ, home, folder), credentials_file(environ, home)
    if profile:
        return [asked, _named(profile, "SDRS_NB_PROFILE", {**sections, **clouds}), variables[0]]
    named = environ.get("OS_CLOUD") or (next(iter(clouds)) if len(clouds) == 1 else None)
    if named:
        cloud = _named(named, "OS_CLOUD", clouds)
    else:
        cloud = Source(_("clouds.yaml (several clouds, OS_CLOUD names none)") if clouds else "clouds.yaml")
    return [asked, *variables, cloud, sections.get("basic") or Source("~/.huaweicloud/credentials [basic]")]


def _named(profile: str, place: str, known: Mapping[str, Source]) -> Source:
    if profile not in known:
        # Not quoted, as nothing is of which only the place is known: it may be a password, pasted there.
        raise SettingsError(
            _(
                "There is no profile of the name given (profile=, {place}); clouds.yaml and the credentials file "
                "hold: {known}.",
                place=place,
                known=", ".join(sorted(known)) or "-",
            )
        )
    return known[profile]


def _complete(source: Source, asked: Source) -> tuple[str, ...]:
    """Return the names of the complete set of credentials that ``source`` holds, none where it holds none."""
    # A password typed at a prompt may complete a user name of the environment; keys are pairs of one place.
    held = {**source.values, **{name: asked.values[name] for name in _LOGIN if name in asked.values}}
    names = next((names for names in _SETS if all(name in held for name in names)), ())
    return (*names, "security_token") if "access_key" in names else names


def _holder(sources: Sequence[Source]) -> tuple[Source, tuple[str, ...]]:
    asked = sources[0]
    if ("access_key" in asked.values) != ("secret_key" in asked.values):
        raise SettingsError(_("An access key and a secret key belong together; only one of the two was given."))
    for source in sources:
        if names := _complete(source, asked):
            return source, names

    def partly(source: Source) -> str:
        held = [source.place(name) for names in _SETS for name in names if name in source.values]
        return _(" (only {held})", held=", ".join(held)) if held else ""

    places = "; ".join(f"{source.name}{partly(source)}" for source in sources)
    raise SettingsError(
        _(
            "No credentials were found. Looked in: {places}. Set SDRS_NB_ACCESS_KEY and SDRS_NB_SECRET_KEY, or "
            "SDRS_NB_USER, SDRS_NB_PASSWORD and SDRS_NB_DOMAIN, or pass access_key= and secret_key= to connect().",
            places=places,
        )
    )


def _collect(sources: Sequence[Source], holder: Source, names: Sequence[str]) -> tuple[dict[str, Any], dict[str, str]]:
    asked = sources[0]
    ours = tuple(source for source in sources if source is asked or source.name == "SDRS_NB_*")
    chosen: dict[str, tuple[Source, ...]] = {
        **{name: (asked, holder) if name in _LOGIN else (holder,) for name in names},
        **dict.fromkeys(_OWNED, (*ours, holder)),
        **dict.fromkeys(_SHARED, (*ours, holder, *sources)),
        "endpoint": ours,
    }
    values: dict[str, Any] = {}
    found_in: dict[str, str] = {}
    for name, places in chosen.items():
        if source := next((place for place in places if name in place.values), None):
            # Blanks around a key come from copying; in a password they may be meant.
            values[name] = source.values[name] if name == "password" else source.values[name].strip()
            found_in[name] = source.place(name)
    return values, found_in


def _infer_region(merged: dict[str, Any], found_in: dict[str, str]) -> None:
    """Read region and cloud host out of a regional IAM address or the name of a project, where no endpoint is given.

    Any other address is IAM's own endpoint.  Projects are called ``{region}`` or ``{region}_{name}``.
    """
    auth_url = merged.pop("auth_url", None)
    if merged.get("endpoint"):
        return
    if auth_url:
        try:
            address = urlsplit(auth_url if "//" in auth_url else f"https://{auth_url}")
        except ValueError:  # not quoted, as the library's own error does: it may hold a password
            raise _no_address("auth_url") from None
        if regional := _REGIONAL_IAM.fullmatch(address.hostname or ""):
            merged.setdefault("region", regional["region"])
            merged.setdefault("cloud_host", regional["cloud_host"])
        else:
            iam = f"{address.scheme}://{address.netloc.rpartition('@')[2]}"
            merged["endpoints"] = {"iam": iam, **merged.get("endpoints", {})}
    if not merged.get("region") and (found := _PROJECT.fullmatch(str(merged.get("project_name") or ""))):
        merged["region"], found_in["region"] = found["region"], found_in["project_name"]


def _no_address(name: str) -> SettingsError:
    return SettingsError(_("The endpoint given as {name} is not an address such as https://host:port.", name=name))


def _refuse_unsendable(values: Mapping[str, str], found_in: Mapping[str, str]) -> None:
    """Refuse what cannot stand in a header or a request, before any library sees it and quotes it in its error.

    And a key in the place of something that is shown, such as the region.
    """
    for name, value in values.items():
        if name not in _SECRET and looks_like_a_key(value):
            raise SettingsError(
                _(
                    "{name} ({place}) looks like a key, which would be shown there. Put keys in access_key and "
                    "secret_key.",
                    name=name,
                    place=found_in[name],
                )
            )
        is_fit = is_header_value if name in _IN_HEADERS else is_text
        if not is_fit(value):
            raise SettingsError(
                _(
                    "{name} ({place}) holds a character that it cannot have, such as a line break. Copy it again, in "
                    "one piece.",
                    name=name,
                    place=found_in[name],
                )
            )


def _checked(values: dict[str, Any]) -> Settings:
    for name, url in [("endpoint", values.get("endpoint")), *values.get("endpoints", {}).items()]:
        if url and not _ORIGIN.fullmatch(url):
            raise _no_address(name)  # not quoted: it may hold a password, or be one
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise SettingsError(_("These settings are not acceptable: {wrong}.", wrong=wrong)) from None


def _refuse_gaps(settings: Settings) -> None:
    if settings.sandbox and not settings.endpoint:
        raise SettingsError(
            _("A sandbox was named, but not its address. Set SDRS_NB_ENDPOINT or pass endpoint= to connect().")
        )
    if not settings.endpoint and not settings.region:
        raise SettingsError(_("No region was named. Set SDRS_NB_REGION or pass region= (or endpoint=) to connect()."))
    if settings.kind != "password":
        return
    if not (settings.domain or settings.domain_id):
        raise SettingsError(_("A user and a password need the account they belong to: set SDRS_NB_DOMAIN or domain=."))
    if not (settings.project_id or settings.project_name or settings.region):
        raise SettingsError(
            _("No project was named. Set SDRS_NB_PROJECT_ID or pass project_id=, project_name= or region=.")
        )
