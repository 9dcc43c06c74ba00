"""Records of the rule book."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sdrs_nb.i18n import current_language

__all__ = ["PROFILES", "Effect", "LimitValue", "Record", "Rule", "Scope", "Texts", "Variant"]

#: Sites whose rules differ.  ``huaweicloud`` follows the customer's own document, which wins every conflict.
PROFILES = ("huaweicloud", "huaweicloud-2025", "otc")

#: What one finding is about, from the narrowest to the widest.
Scope = Literal["server", "cluster", "group", "request", "estate"]
LimitValue = int | str | bool | tuple[str, ...]


class Effect(StrEnum):
    """What a rule does to a server's verdict when it fires."""

    BLOCKER = "blocker"
    UNKNOWN = "unknown"  # data for a blocking rule is missing by the rule's own nature; shown as "unverified"
    WARNING = "warning"
    UNVERIFIED = "unverified"  # cannot be decided from here, and no blocker if it could
    NOTICE = "notice"
    OFF = "off"


class Record(BaseModel):
    """Data of the rule book: frozen, and no key that nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Texts(Record):
    """A rule's words in one language; ``{name}`` fields are filled from evidence.

    ``title`` says what holds where the rule is kept, ``fault`` in a few words what is wrong where it is not, for
    counts, charts and cells.  ``once`` is the message where many servers have it in common.
    """

    title: str = ""
    fault: str = ""
    message: str
    once: str = ""
    remedy: str


class Variant(Record):
    """Another case of a rule: its own words, severity, scope or codes where they differ, columns it alone reads."""

    severity: Effect | None = None
    scope: Scope | None = None
    profiles: Mapping[str, Effect] = Field(default_factory=dict)
    codes: tuple[str, ...] | None = None
    reads: tuple[str, ...] = ()
    en: Texts
    zh: Texts


class Rule(Record):
    """One documented rule.

    Parameters
    ----------
    id
        As in the eligibility facts: Q request, G group, S server, D volume, H shared volumes, P placement.
    scope
        Where a warning or notice of it is told, once: at the server that alone is concerned, or at the cluster, group,
        request or estate whose servers have it in common, and which then changes no verdict.  A blocker is told of
        every server it stops.
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
    contrary
        Pages that say otherwise; which of them holds is the profile's word.
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
    contrary: tuple[str, ...] = ()
    contrary_zh: tuple[str, ...] = ()
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
    def cited_contrary(self) -> tuple[str, ...]:
        """``contrary`` in the current language."""
        return self.contrary_zh if current_language() == "zh" else self.contrary

    def fault(self, variant: str = "") -> str:
        """Return in a few words what is wrong where the rule, or one of its cases, fires; in the current language."""
        return self.texts(variant).fault or self.texts().fault

    def scope_of(self, variant: str = "") -> Scope:
        """Return where a warning or notice of the rule, or of one of its cases, is told."""
        return (self.variants[variant].scope if variant else None) or self.scope

    @property
    def all_codes(self) -> set[str]:
        """The SDRS codes of the rule and of its variants."""
        return {*self.codes, *(code for variant in self.variants.values() for code in variant.codes or ())}

    def codes_of(self, variant: str = "") -> tuple[str, ...]:
        """Return the SDRS codes of the rule or of one of its variants."""
        own = self.variants[variant].codes if variant else None
        return self.codes if own is None else own
