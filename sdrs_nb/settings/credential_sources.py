"""Places that may hold endpoints, projects and credentials, read into one vocabulary.

Pure given an environment and folders: nothing here asks ``os.environ``.  The vendor's SDK, its Terraform
provider, OpenStack's tools and this package each have their own names (cloud-apis 2); a ``Source`` keeps our name
of a value, the value, and the words for where it was found.
"""

import configparser
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sdrs_nb.errors import SettingsError
from sdrs_nb.i18n import _
from sdrs_nb.intake.documents import TooManyAliasesError, yaml_of
from sdrs_nb.intake.files import read_file
from sdrs_nb.intake.limits import UnreadableError

__all__ = ["Source", "credentials_file", "environment_sources", "openstack_clouds"]

_FIELDS = (
    *("endpoint", "region", "cloud_host", "auth_url", "ca_file", "project_id", "project_name", "domain", "domain_id"),
    *("access_key", "secret_key", "security_token", "user", "password", "token"),
)

# Our name -> variables, first one set wins.  SDRS_NB_* is regular: the field in capitals.
_VARIABLES: dict[str, dict[str, tuple[str, ...]]] = {
    "SDRS_NB_*": {name: (f"SDRS_NB_{name.upper()}",) for name in _FIELDS},
    "HUAWEICLOUD_SDK_*": {
        "access_key": ("HUAWEICLOUD_SDK_AK",),
        "secret_key": ("HUAWEICLOUD_SDK_SK",),
        "security_token": ("HUAWEICLOUD_SDK_SECURITY_TOKEN",),
        "project_id": ("HUAWEICLOUD_SDK_PROJECT_ID",),
        "domain_id": ("HUAWEICLOUD_SDK_DOMAIN_ID",),
        "auth_url": ("HUAWEICLOUD_SDK_IAM_ENDPOINT",),
    },
    "HW_*": {
        "access_key": ("HW_ACCESS_KEY",),
        "secret_key": ("HW_SECRET_KEY",),
        "security_token": ("HW_SECURITY_TOKEN",),
        "user": ("HW_USER_NAME",),
        "password": ("HW_USER_PASSWORD",),
        "domain": ("HW_DOMAIN_NAME",),
        "domain_id": ("HW_DOMAIN_ID",),
        "token": ("HW_AUTH_TOKEN",),
        "project_id": ("HW_PROJECT_ID",),
        "project_name": ("HW_PROJECT_NAME",),
        "region": ("HW_REGION_NAME",),
        "cloud_host": ("HW_CLOUD",),
        "auth_url": ("HW_AUTH_URL",),
    },
    "OS_*": {
        "access_key": ("OS_ACCESS_KEY",),
        "secret_key": ("OS_SECRET_KEY",),
        "user": ("OS_USERNAME",),
        "password": ("OS_PASSWORD",),
        "domain": ("OS_USER_DOMAIN_NAME", "OS_DOMAIN_NAME", "OS_PROJECT_DOMAIN_NAME"),
        "domain_id": ("OS_USER_DOMAIN_ID", "OS_DOMAIN_ID"),
        "token": ("OS_TOKEN", "OS_AUTH_TOKEN"),
        "security_token": ("OS_SECURITY_TOKEN",),
        "project_id": ("OS_PROJECT_ID", "OS_TENANT_ID"),
        "project_name": ("OS_PROJECT_NAME", "OS_TENANT_NAME"),
        "region": ("OS_REGION_NAME", "OS_REGION"),
        "auth_url": ("OS_AUTH_URL",),
        "ca_file": ("OS_CACERT",),
    },
}

# Our name -> keys of an entry of clouds.yaml, inside ``auth`` or beside it.
_CLOUDS_YAML = {
    "access_key": ("ak", "access_key"),
    "secret_key": ("sk", "secret_key"),
    "user": ("username",),
    "password": ("password",),
    "domain": ("user_domain_name", "domain_name", "project_domain_name"),
    "domain_id": ("user_domain_id", "domain_id"),
    "security_token": ("security_token", "securitytoken"),
    "token": ("token", "auth_token"),
    "project_id": ("project_id", "tenant_id"),
    "project_name": ("project_name", "tenant_name"),
    "region": ("region_name", "region"),
    "auth_url": ("auth_url",),
    "ca_file": ("cacert",),
}
#: Clouds that OpenStack clients know by name (``profile`` or ``cloud`` of an entry): what their entry need not say.
_PROFILES: dict[str, dict[str, str]] = {
    "otc": {"auth_url": "https://iam.{region}.otc.t-systems.com/v3", "region": "eu-de"}
}
#: What is read elsewhere, or says nothing about whom and where: passed over in silence.
_SILENT = frozenset(
    {
        *("OS_CLOUD", "OS_CLIENT_CONFIG_FILE", "OS_AUTH_TYPE", "OS_INTERFACE", "OS_ENDPOINT_TYPE"),
        *("OS_IDENTITY_API_VERSION", "OS_IMAGE_API_VERSION", "OS_VOLUME_API_VERSION", "OS_COMPUTE_API_VERSION"),
        *("HUAWEICLOUD_SDK_CREDENTIALS_FILE", "auth", "profile", "cloud", "auth_type", "interface", "endpoint_type"),
        *("identity_api_version", "image_api_version", "volume_api_version", "compute_api_version", "image_format"),
        *("verify", "regions"),
    }
)
#: Ids of projects and accounts may be digits alone, 32 of them.
_ID_BITS = 128
_CREDENTIALS_FILE = {
    "access_key": ("ak",),
    "secret_key": ("sk",),
    "security_token": ("security_token",),
    "project_id": ("project_id",),
    "domain_id": ("domain_id",),
    "auth_url": ("iam_endpoint",),
}


@dataclass(frozen=True)
class Source:
    """One place: its name for people, and what it holds by our names; values never show in a repr.

    ``unknown`` names what it also holds, and what nobody here reads.
    """

    name: str
    values: Mapping[str, str] = field(repr=False, default_factory=dict)
    places: Mapping[str, str] = field(repr=False, default_factory=dict)
    unknown: tuple[str, ...] = ()

    def place(self, name: str) -> str:
        """Return the words for where this source holds ``name``."""
        return self.places.get(name, self.name)


def environment_sources(environ: Mapping[str, str]) -> list[Source]:
    """Return what the environment holds, one source a family of variables, in the order they count."""
    return [_picked(family, names, environ) for family, names in _VARIABLES.items()]


def openstack_clouds(environ: Mapping[str, str], home: Path, folder: Path) -> dict[str, Source]:
    """Return the entries of ``clouds.yaml`` by name, ``secure.yaml`` beside it merged in; reads files.

    Looked for at ``OS_CLIENT_CONFIG_FILE``, else in ``folder``, ``~/.config/openstack`` and ``/etc/openstack``.
    Raises ``SettingsError`` for a file that is not YAML.
    """
    for path in _clouds_files(environ, home, folder):
        if path.exists():
            public, secret = _clouds(path), _clouds(path.with_name("secure.yaml"))
            return {
                str(name): _entry(f"{path}, cloud {name}", _flat(entry) | _flat(secret.get(name)))
                for name, entry in public.items()
            }
    return {}


def credentials_file(environ: Mapping[str, str], home: Path) -> dict[str, Source]:
    """Return the sections of the vendor SDK's credentials file by name; reads the file, ``{}`` without one.

    ``HUAWEICLOUD_SDK_CREDENTIALS_FILE`` moves it from ``~/.huaweicloud/credentials``.  ``[basic]`` holds what
    project services use; ``[global]`` is for account-wide ones.
    """
    path = Path(environ.get("HUAWEICLOUD_SDK_CREDENTIALS_FILE") or home / ".huaweicloud" / "credentials")
    parser = configparser.ConfigParser(interpolation=None)
    try:
        if not path.exists():
            return {}
        parser.read_string(read_file(path, "settings_bytes").decode("utf-8-sig"))
    except UnreadableError as error:
        raise SettingsError(str(error)) from None
    except (configparser.Error, ValueError, OSError):
        # The parser's own message would quote the line, which may be the secret.
        raise SettingsError(
            _("{path} cannot be read as a credentials file; correct it or move it away.", path=path)
        ) from None
    return {
        section: _picked(f"{path} [{section}]", _CREDENTIALS_FILE, dict(parser[section]))
        for section in parser.sections()
    }


def _picked(name: str, names: Mapping[str, tuple[str, ...]], held: Mapping[str, str]) -> Source:
    found = {ours: theirs for ours, candidates in names.items() for theirs in reversed(candidates) if held.get(theirs)}
    values = {ours: held[theirs] for ours, theirs in found.items()}
    # A variable says all by its name; a key of a file does not.
    is_family = name.endswith("*")
    known = {theirs for candidates in names.values() for theirs in candidates} | _SILENT
    # Settings of this package are read in many places; the other families have nothing to do with us beyond this.
    mine = () if name == "SDRS_NB_*" else (key for key in held if not is_family or key.startswith(name[:-1]))
    unknown = tuple(key if is_family else f"{name}, {key}" for key in mine if held[key] and key not in known)
    return Source(name, values, {o: t if is_family else f"{name}, {t}" for o, t in found.items()}, unknown)


def _entry(name: str, held: dict[str, str]) -> Source:
    source = _picked(name, _CLOUDS_YAML, held)
    profile = held.get("profile") or held.get("cloud")
    if not profile:
        return source
    place = f"{name}, profile {profile}"
    if profile not in _PROFILES:
        # Not quoted: what nobody knows may be a secret in the wrong place.
        return replace(source, unknown=(*source.unknown, f"{name}, profile"))
    implied = {key: value for key, value in _PROFILES[profile].items() if key not in source.values}
    region = source.values.get("region") or implied.get("region", "")
    values = {key: value.format(region=region) for key, value in implied.items()}
    places = dict.fromkeys(implied, place)
    return replace(source, values={**values, **source.values}, places={**places, **source.places})


def _clouds_files(environ: Mapping[str, str], home: Path, folder: Path) -> Iterator[Path]:
    if named := environ.get("OS_CLIENT_CONFIG_FILE"):
        yield Path(named)
        return
    for place in (folder, home / ".config" / "openstack", Path("/etc/openstack")):
        yield place / "clouds.yaml"


def _clouds(path: Path) -> dict[str, Any]:
    try:
        document = yaml_of(read_file(path, "settings_bytes").decode("utf-8-sig")) if path.exists() else {}
    except (UnreadableError, TooManyAliasesError) as error:
        raise SettingsError(f"{path}: {error}" if isinstance(error, TooManyAliasesError) else str(error)) from None
    except (ValueError, OSError):
        # As above: the parser would quote the line.
        raise SettingsError(_("{path} cannot be read as YAML; correct it or move it away.", path=path)) from None
    clouds = document.get("clouds") if isinstance(document, dict) else None
    return clouds if isinstance(clouds, dict) else {}


def _flat(entry: Any) -> dict[str, str]:
    if not isinstance(entry, dict):
        return {}
    auth = entry.get("auth")
    both = {**entry, **(auth if isinstance(auth, dict) else {})}
    # More digits than Python writes out are no id.
    return {
        str(key): str(value)
        for key, value in both.items()
        if isinstance(value, str) or (isinstance(value, int) and value.bit_length() <= _ID_BITS)
    }
