"""The rule book: documented rules and limits of the service as data, one entry a rule, and its loader."""

from sdrs_nb.rulebook.loader import load_rulebook
from sdrs_nb.rulebook.model import PROFILES, Effect, Rule, Rulebook, Scope, Texts, Variant

__all__ = ["PROFILES", "Effect", "Rule", "Rulebook", "Scope", "Texts", "Variant", "load_rulebook"]
