"""The rule book: documented rules and limits of the service as data, one entry a rule; whose hold at which cloud."""

from sdrs_nb.rulebook.assumptions import Assumption, load_assumptions
from sdrs_nb.rulebook.loader import Rulebook, load_rulebook, read_rulebook
from sdrs_nb.rulebook.model import PROFILES, Effect, Rule, Scope, Texts, Variant
from sdrs_nb.rulebook.sites import Site, choose_rulebook, rulebook_reason, site_of

__all__ = [
    "PROFILES", "Assumption", "Effect", "Rule", "Rulebook", "Scope", "Site", "Texts", "Variant", "choose_rulebook",
    "load_assumptions", "load_rulebook", "read_rulebook", "rulebook_reason", "site_of",
]  # fmt: skip
