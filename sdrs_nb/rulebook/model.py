"""Records of the rule book."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sdrs_nb.errors import SettingsError
from sdrs_nb.i18n import _, current_language

__all__ = ["PROFILES", "Effect", "LimitValue", "Rule", "Rulebook", "Scope", "Texts", "Variant"]

#: Sites whose rules differ.  ``huaweicloud`` follows the customer's own document, which wins every conflict.
PROFILES = ("huaweicloud", "huaweicloud-2025", "otc")

Scope = Literal["request", "group", "server", "volume", "cluster", "placement"]
LimitValue = int | str | bool | tuple[str, ...]


class Effect(StrEnum):
    """What a rule does to a server's verdict when it fires."""

    BLOCKER = "blocker"
    UNKNOWN = "unknown"  # data for a blocking rule is missing by the rule's own nature; shown as "unverified"
    WARNING = "warning"
    UNVERIFIED = "unverified"  # cannot be decided from here, and no blocker if it could
    NOTICE = "notice"
    OFF = "off"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Texts(_Record):
    """A rule's words in one language; ``{name}`` fields are filled from evidence."""

    title: str = ""
    message: str
    remedy: str


class Variant(_Record):
    """Another case of a rule: its own words, its own severity or codes where they differ, columns it alone reads."""

    severity: Effect | None = None
    profiles: Mapping[str, Effect] = Field(default_factory=dict)
    codes: tuple[str, ...] | None = None
    reads: tuple[str, ...] = ()
    en: Texts
    zh: Texts


class Rule(_Record):
    """One documented rule.

    Parameters
    ----------
    id
        As in the eligibility facts: Q request, G group, S server, D volume, H shared volumes, P placement.
    severity, profiles
        What it does when it fires, and where a profile sees that otherwise.
    codes
        SDRS codes that heeding the rule prevents, the likeliest first.
    needs
        Frames of the inventory it reads; without one of them it is not decided, never passed.
    reads
        Columns (``frame.column``) that answer "none" by a missing value; while one of them was not read, servers that
        the rule does not name otherwise are not decided.
    reported_by
        The rule that reports missing data in its place.
    source
        Page and section it comes from, with the page's date where one is known; ``source_zh`` names it in Chinese.
    assumed
        True where the documents are silent and this is our reading.
    """

    id: str
    scope: Scope
    severity: Effect
    profiles: Mapping[str, Effect] = Field(default_factory=dict)
    codes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    reported_by: str | None = None
    source: str
    source_zh: str
    assumed: bool = False
    en: Texts
    zh: Texts
    variants: Mapping[str, Variant] = Field(default_factory=dict)

    def texts(self, variant: str = "") -> Texts:
        """Return message and remedy in the current language; the title is always the rule's own."""
        owner = self.variants[variant] if variant else self
        return owner.zh if current_language() == "zh" else owner.en

    @property
    def title(self) -> str:
        """What the rule is about, in the current language."""
        return self.texts().title

    @property
    def cited(self) -> str:
        """``source`` in the current language."""
        return self.source_zh if current_language() == "zh" else self.source

    @property
    def all_codes(self) -> set[str]:
        """The SDRS codes of the rule and of its variants."""
        return {*self.codes, *(code for variant in self.variants.values() for code in variant.codes or ())}

    def codes_of(self, variant: str = "") -> tuple[str, ...]:
        """Return the SDRS codes of the rule or of one of its variants."""
        own = self.variants[variant].codes if variant else None
        return self.codes if own is None else own


class Rulebook(_Record):
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
        from sdrs_nb.rulebook.loader import recorded_rulebook

        return recorded_rulebook(version)

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
