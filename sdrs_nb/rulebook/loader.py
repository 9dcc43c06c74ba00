"""The rule book, read from the package's own data files."""

import ast
import hashlib
import json
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from pydantic import Field

from sdrs_nb.asked import checked
from sdrs_nb.errors import SettingsError
from sdrs_nb.i18n import _
from sdrs_nb.rulebook.model import PROFILES, Effect, LimitValue, Record, Rule

__all__ = ["Rulebook", "load_rulebook", "read_rulebook"]

_FILES = ("request", "group", "server", "volume", "cluster", "placement")
_DIGEST_LENGTH = 12
#: Limits that say whether a site takes something at all, and the rule that blocks it where the limit was set to no (and
#: where it was set to yes says what pages disagree); a severity that was chosen for the rule itself wins.
_RULE_OF_SWITCH = MappingProxyType({"shared_volumes": "H15"})


class Rulebook(Record):
    """Every rule and limit, as one profile sees them; made by ``load_rulebook``.

    ``version`` names exactly this content: profile, overrides and a digest of rules and limits.
    """

    profile: str
    rules: Mapping[str, Rule]
    limits: Mapping[str, LimitValue]
    overrides: Mapping[str, LimitValue] = Field(default_factory=lambda: MappingProxyType({}))
    version: str

    @classmethod
    def of_version(cls, version: str) -> "Rulebook":
        """Return the rule book that a recorded ``version`` names, as far as this release still has it.

        Profile, changed severities and changed limits are taken from the name; what this release does not know is
        dropped, and a profile that it does not know is read as the default; ``unlike`` tells.
        """
        profile, overrides = _read(version)
        if profile not in PROFILES:
            profile = PROFILES[0]
        kept: dict[str, LimitValue] = {}
        for name, value in overrides.items():
            with suppress(SettingsError):
                _of(profile, {name: value})
                kept[name] = value
        return _of(profile, kept)

    @property
    def name(self) -> str:
        """Profile and what was changed, such as ``otc S22=warning``: what ``read_rulebook`` takes."""
        profile, _digest, *changed = self.version.split(" ", 2)
        return " ".join([profile, *changed])

    def unlike(self, version: str) -> str:
        """Return a sentence where the recorded ``version`` is of other contents than this rule book, else ``""``."""
        if version == self.version:
            return ""
        return _(
            "The plan was made by rule book {version}; this release has {own}. Limits and severities that were changed "
            "hold as this names them, other rules may read otherwise. Plan again to be judged by today's.",
            version=version,
            own=self.version,
        )

    def rule(self, rule_id: str) -> Rule:
        """Return one rule; raises ``SettingsError`` when there is none of that id."""
        try:
            return self.rules[rule_id]
        except KeyError:
            raise SettingsError(_("The rule book has no rule {rule}.", rule=rule_id)) from None

    def limit(self, name: str) -> LimitValue:
        """Return a limit; raises ``SettingsError`` when there is none of that name."""
        try:
            return self.limits[name]
        except KeyError:
            raise SettingsError(_("The rule book has no limit {name}.", name=name)) from None

    def number(self, name: str) -> int:
        """Return a limit that is a number; -1 means that none is known."""
        return int(str(self.limit(name)))

    def names(self, name: str) -> tuple[str, ...]:
        """Return a limit that is a list of names."""
        value = self.limit(name)
        return value if isinstance(value, tuple) else (str(value),)

    def strange_in(self, text: str, alphabet: str = "prefix_alphabet") -> list[str]:
        """Return the characters of ``text`` outside of a limit that is one character as a pattern, each once."""
        allowed = re.compile(str(self.limit(alphabet)))
        return [each for each in dict.fromkeys(text) if not allowed.fullmatch(each)]

    def refused_in(self, text: str, refused: str) -> list[str]:
        """Return the characters of ``text`` that a limit of refused characters names, each once."""
        return list(dict.fromkeys(re.findall(str(self.limit(refused)), text)))

    def taken_form(self, text: str) -> str:
        """Return ``text`` as a name may hold it: full-width letters in plain form, other refused characters as hyphens.

        Which characters count is ``prefix_alphabet``; that of Chinese ones only U+4E00 to U+9FFF
        do is ASSUMED: chinese_letters.
        """
        plain = unicodedata.normalize("NFKC", text)
        refused = {*self.strange_in(plain)}
        kept = "".join("\0" if letter in refused else letter for letter in plain)
        return re.sub("\0+", "-", kept).strip("-")[: self.number("prefix_characters")]

    def severity(self, rule_id: str, variant: str = "") -> Effect:
        """Return what a rule, or a variant of it, does in this profile, overrides included."""
        rule = self.rule(rule_id)
        if (chosen := self.overrides.get(rule_id)) is not None:
            return Effect(str(chosen))
        own = rule.profiles.get(self.profile, rule.severity)
        if not variant or own is Effect.OFF:
            return own
        case = rule.variants[variant]
        return case.profiles.get(self.profile, case.severity or own)


@checked
def load_rulebook(profile: str = "huaweicloud", **overrides: LimitValue) -> Rulebook:
    """Return the rule book as one profile sees it; the same arguments give the same object.

    Parameters
    ----------
    profile
        ``huaweicloud`` (the customer's document, the default), ``huaweicloud-2025`` (the newest mainland pages) or
        ``otc`` (Open Telekom Cloud).
    **overrides
        A rule's id with another severity (``S22="warning"``), ``"off"`` included, or a limit's name with another
        value (``batch_size=10``).  They are recorded in ``version``.

    Raises
    ------
    SettingsError
        For a profile, rule, limit or severity that does not exist.

    Notes
    -----
    Reads files of the package, once per process; no network.
    """
    return _of(profile, overrides)


def _of(profile: str, overrides: Mapping[str, LimitValue]) -> Rulebook:
    if profile not in PROFILES:
        raise SettingsError(
            _("There is no profile {profile}. Use one of: {known}.", profile=profile, known=", ".join(PROFILES))
        )
    return _loaded(profile, tuple(sorted((name, _frozen(value)) for name, value in overrides.items())))


def read_rulebook(name: str) -> Rulebook:
    """Return the rule book called ``name``: a profile, and behind it what to change in it.

    ``"otc"``, ``"otc S22=warning batch_size=10"``; a list of names as Python writes it.

    Raises
    ------
    SettingsError
        For a profile, rule, limit or severity that does not exist.
    """
    return _of(*_read(name))


def _read(text: str) -> tuple[str, dict[str, LimitValue]]:
    """Return profile and overrides of a name or a version; the digest between them names no content."""
    head, *words = re.split(r"\s+(?=\w+=)", text.strip())
    limits = {**_documents()["limits"]["default"], **_documents()["request"]}
    pairs = (word.partition("=") for word in words)
    changed = {name: _typed(value, limits.get(name)) for name, _equals, value in pairs}
    return re.sub(rf"\s+[0-9a-f]{{{_DIGEST_LENGTH}}}$", "", head), changed


def _typed(text: str, present: object) -> LimitValue:
    """Return an override as its text says it; severities and limits that are texts stay texts."""
    if present is None or isinstance(present, str):
        return text
    try:
        value = _frozen(ast.literal_eval(text))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    is_names = isinstance(value, tuple) and all(isinstance(each, str) for each in value)
    return value if is_names or isinstance(value, int) else text


@cache
def _loaded(profile: str, overrides: tuple[tuple[str, LimitValue], ...]) -> Rulebook:
    documents = _documents()
    rules = _rules()
    limits: dict[str, Any] = {
        **documents["limits"]["default"], **documents["limits"].get(profile, {}), **documents["request"],
    }  # fmt: skip
    severities: dict[str, LimitValue] = {}
    for name, value in overrides:
        if name in rules:
            severities[name] = _severity(name, value)
        elif name in limits:
            limits[name] = _fitting(name, value, limits[name])
            if name in _RULE_OF_SWITCH:
                severities.setdefault(_RULE_OF_SWITCH[name], Effect.NOTICE if value else Effect.BLOCKER)
        else:
            known = ", ".join(limits)
            raise SettingsError(
                _("The rule book has neither a rule nor a limit {name}. Limits are: {known}.", name=name, known=known)
            )
    return Rulebook(
        profile=profile,
        rules=rules,
        limits={name: _frozen(value) for name, value in limits.items()},
        overrides=severities,
        version=_version(profile, documents, overrides),
    )


@cache
def _rules() -> Mapping[str, Rule]:
    return {rule_id: Rule(id=rule_id, **entry) for rule_id, entry in _documents()["rules"].items()}


@cache
def _documents() -> Mapping[str, Any]:
    folder = files("sdrs_nb.rulebook")
    rules: dict[str, Any] = {}
    for name in _FILES:
        rules.update(tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8")))
    limits = tomllib.loads((folder / "limits.toml").read_text(encoding="utf-8"))
    request = limits.pop("request")
    pages = tomllib.loads((folder / "pages.toml").read_text(encoding="utf-8"))
    sections_zh = pages.pop("sections_zh")
    for entry in rules.values():
        entry["source"], entry["source_zh"] = _cited(entry["source"], pages, sections_zh)
        contrary = [_cited(each, pages, sections_zh) for each in entry.get("contrary", ())]
        entry["contrary"], entry["contrary_zh"] = ([each[at] for each in contrary] for at in (0, 1))
    in_order = dict(sorted(rules.items(), key=lambda item: _order(item[0])))
    return {"rules": in_order, "limits": limits, "request": request}


def _cited(source: str, pages: Mapping[str, Mapping[str, str]], sections_zh: Mapping[str, str]) -> tuple[str, str]:
    """Return ``page: section`` as it is cited, in English and in Chinese: the page, its date, the section."""
    name, _colon, section = source.partition(": ")
    page = pages[name]
    en, zh = page["en"], page["zh"]
    if date := page.get("date"):
        en, zh = f"{en}, {date}", f"{zh}，{date}"
    if section:
        en, zh = f"{en}, {section}", f"{zh}，{sections_zh.get(section) or section.replace(' and ', ' 和 ')}"
    return en, zh


def _frozen(value: Any) -> LimitValue:
    return tuple(value) if isinstance(value, list) else value


def _order(rule_id: str) -> tuple[int, int]:
    """Sort rules as the operator reads them: request, group, server, volume, shared volumes, placement."""
    letter, number = re.fullmatch(r"([A-Z])(\d+)", rule_id).groups()  # type: ignore[union-attr]  # our own files
    return "QGSDHP".index(letter), int(number)


def _severity(rule_id: str, value: LimitValue) -> str:
    try:
        return Effect(str(value)).value
    except ValueError:
        raise SettingsError(
            _(
                "Rule {rule} cannot be set to {value}. Use one of: {known}.",
                rule=rule_id,
                value=value,
                known=", ".join(effect.value for effect in Effect),
            )
        ) from None


def _fitting(name: str, value: LimitValue, present: LimitValue) -> LimitValue:
    kind = tuple if isinstance(present, list | tuple) else type(present)
    if isinstance(value, kind):
        return value
    raise SettingsError(
        _("Limit {name} cannot be {value}. Give a value like {present}.", name=name, value=value, present=present)
    )


def _version(profile: str, documents: Mapping[str, Any], overrides: tuple[tuple[str, LimitValue], ...]) -> str:
    named = {name: documents[name] for name in ("rules", "limits")}
    content = json.dumps([named, overrides], sort_keys=True, ensure_ascii=False).encode()
    digest = hashlib.sha256(content).hexdigest()[:_DIGEST_LENGTH]
    changed = "".join(f" {name}={value}" for name, value in overrides)
    return f"{profile} {digest}{changed}"
