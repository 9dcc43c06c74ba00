"""Places that may hold endpoints, projects and credentials, read into one vocabulary.

Pure given an environment and folders: nothing here asks ``os.environ``.  A ``Source`` keeps our name of a value
(``credential_names``), the value, the words for where it was found, and what of the place nothing here reads.
"""

import codecs
import configparser
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from sdrs_nb.credential_names import CLOUDS_YAML, CREDENTIALS_FILE, LOGIN, SETS, VARIABLES, VENDORS, is_telling
from sdrs_nb.errors import SettingsError
from sdrs_nb.i18n import _

__all__ = ["Source", "credentials_file", "environment_sources", "openstack_clouds"]

_SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True)
class Source:
    """One place: its name for people, and what it holds by our names; values never show in a repr.

    Parameters
    ----------
    name
        The place in words.
    values, places
        What it holds by our names, and where each stands.
    unread
        Where something stands that nothing here reads -> why, in a few words.
    regions
        Where the cloud is, as the place or its vendor's profile says, the default first.
    """

    name: str
    values: Mapping[str, str] = field(repr=False, default_factory=dict)
    places: Mapping[str, str] = field(repr=False, default_factory=dict)
    unread: Mapping[str, str] = field(repr=False, default_factory=dict)
    regions: tuple[str, ...] = ()

    def place(self, name: str) -> str:
        """Return the words for where this source holds ``name``."""
        return self.places.get(name, self.name)

    def complete_set(self, asked: "Source") -> tuple[str, ...]:
        """Return the names of the complete set of credentials that is held here, none where there is none.

        A password typed at a prompt (``asked``) may complete a user name of the environment; keys are pairs of one
        place.
        """
        held = {**self.values, **{name: asked.values[name] for name in LOGIN if name in asked.values}}
        names = next((names for names in SETS if all(name in held for name in names)), ())
        return (*names, "security_token") if "access_key" in names else names


def environment_sources(environ: Mapping[str, str]) -> list[Source]:
    """Return what the environment holds, one source a family of variables, in the order they count."""
    found = []
    for family, names in VARIABLES.items():
        prefix = family.removesuffix("*")
        held = {name: value for name, value in environ.items() if name.startswith(prefix)}
        found.append(_picked(family, names, held, {name: name for name in held}))
    return found


def openstack_clouds(environ: Mapping[str, str], home: Path, folder: Path) -> dict[str, Source]:
    """Return the entries of ``clouds.yaml`` by name, with ``secure.yaml`` and vendor profiles merged in; reads files.

    Looked for at ``OS_CLIENT_CONFIG_FILE``, else in ``folder``, ``~/.config/openstack`` and ``/etc/openstack``,
    as ``.yaml``, ``.yml`` or ``.json``.  ``profile: otc`` stands for what openstacksdk knows of that vendor; a
    ``clouds-public.yaml`` beside the file adds others.  Raises ``SettingsError`` for a file that is not YAML.
    """
    for path in _clouds_files(environ, home, folder):
        if path.is_file():
            secret = _mapping_in(_secure_file(environ, path), "clouds")
            vendors = {**VENDORS, **_mapping_in(_beside(path, "clouds-public"), "public-clouds")}
            return {
                str(name): _entry(f"{path}, cloud {name}", _flat(entry) | _flat(secret.get(name)), vendors)
                for name, entry in _mapping_in(path, "clouds").items()
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
        parser.read_string(_text(path) if path.exists() else "")
    except (configparser.Error, UnicodeDecodeError, OSError):
        # The parser's own message would quote the line, which may be the secret.
        raise SettingsError(
            _("{path} cannot be read as a credentials file; correct it or move it away.", path=path)
        ) from None
    return {
        section: _of_file(f"{path} [{section}]", CREDENTIALS_FILE, dict(parser[section]))
        for section in parser.sections()
    }


def _text(path: Path) -> str:
    """Return the text of a file, whichever byte order mark an editor put before it."""
    content = path.read_bytes()
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")
    return content.decode("utf-8-sig")


def _picked(
    name: str, names: Mapping[str, tuple[str, ...]], held: Mapping[str, str], places: Mapping[str, str]
) -> Source:
    """Return what is known of ``held`` under our names; ``places`` says where each key stands."""
    values: dict[str, str] = {}
    where: dict[str, str] = {}
    unread: dict[str, str] = {}
    for ours, candidates in names.items():
        for theirs in (key for key in candidates if held.get(key)):
            if ours not in values:
                values[ours], where[ours] = held[theirs], places[theirs]
            elif held[theirs] != values[ours]:
                unread[places[theirs]] = _("{place} comes first", place=where[ours])
    known = {key for candidates in names.values() for key in candidates}
    for key, value in held.items():
        if value and key not in known and is_telling(key, value):
            unread[places[key]] = _("not known here")
    return Source(name, values, where, unread)


def _of_file(name: str, names: Mapping[str, tuple[str, ...]], held: Mapping[str, str]) -> Source:
    # A variable says all by its name; a key of a file does not.
    return _picked(name, names, held, {key: f"{name}, {key}" for key in held})


def _entry(name: str, held: Mapping[str, Any], vendors: Mapping[str, Any]) -> Source:
    """Return one cloud of clouds.yaml on top of its vendor's profile; ``cloud`` is that key's old name."""
    profile = str(held.get("profile") or held.get("cloud") or "")
    vendor = _flat(vendors.get(profile))
    texts = {key: str(value) for key, value in (vendor | dict(held)).items() if isinstance(value, str | int)}
    places = {key: f"{name}, {key if key in held else f'profile {profile}'}" for key in texts}
    found = _picked(name, CLOUDS_YAML, texts, places)
    unknown = {f"{name}, profile": _("no vendor profile {profile} is known here", profile=profile)}
    unread = {**found.unread, **(unknown if profile and not vendor else {})}
    return Source(name, found.values, found.places, unread, tuple(_regions(vendor | dict(held))))


def _regions(entry: Mapping[str, Any]) -> list[str]:
    listed = entry.get("regions") or entry.get("region_name")
    found = (
        [each.get("name") if isinstance(each, dict) else each for each in listed] if isinstance(listed, list) else []
    )
    return [each for each in found if isinstance(each, str) and each]


def _clouds_files(environ: Mapping[str, str], home: Path, folder: Path) -> Iterator[Path]:
    if named := environ.get("OS_CLIENT_CONFIG_FILE"):
        yield Path(named)
        return
    for place in (folder, home / ".config" / "openstack", Path("/etc/openstack")):
        yield from (place / f"clouds{suffix}" for suffix in _SUFFIXES)


def _secure_file(environ: Mapping[str, str], clouds: Path) -> Path:
    named = environ.get("OS_CLIENT_SECURE_FILE")
    return Path(named) if named else _beside(clouds, "secure")


def _beside(path: Path, stem: str) -> Path:
    files = [path.with_name(stem + suffix) for suffix in _SUFFIXES]
    return next((file for file in files if file.is_file()), files[0])


def _mapping_in(path: Path, key: str) -> dict[str, Any]:
    try:
        document = yaml.safe_load(_text(path)) if path.is_file() else {}
    except (yaml.YAMLError, UnicodeDecodeError, OSError):
        # As above: the parser would quote the line.
        raise SettingsError(_("{path} cannot be read as YAML; correct it or move it away.", path=path)) from None
    held = document.get(key) if isinstance(document, dict) else None
    return held if isinstance(held, dict) else {}


def _flat(entry: Any) -> dict[str, Any]:
    """Return an entry with what stands inside ``auth`` beside the rest; a hyphen in a key is an underscore."""
    if not isinstance(entry, Mapping):
        return {}
    auth = entry.get("auth")
    both = {**entry, **(auth if isinstance(auth, dict) else {})}
    return {str(key).replace("-", "_"): value for key, value in both.items() if value is not None}
