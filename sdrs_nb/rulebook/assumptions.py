"""What the tool takes for true although no page says it: one table, rules of the rule book included."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Literal

from sdrs_nb.i18n import current_language
from sdrs_nb.rulebook.loader import load_rulebook
from sdrs_nb.rulebook.model import Record

__all__ = ["Assumption", "load_assumptions"]


class Assumption(Record):
    """One choice where the documents are silent.

    Parameters
    ----------
    id
        Its name; that of the rule where a rule is the choice.
    setting
        What changes it; empty where nothing does.
    touches
        Rules that rest on it, and stages of the tool by the names of their folders.
    seen_by
        What can show whether it holds: one ``batch``, a whole ``run``, the ``doctor``, or somebody by ``hand``.
    switch
        Switch of the sandbox that plays it otherwise; empty where there is none.
    """

    id: str
    setting: str = ""
    touches: tuple[str, ...] = ()
    seen_by: Literal["batch", "run", "doctor", "hand"]
    switch: str = ""
    en: str
    zh: str

    @property
    def statement(self) -> str:
        """What is taken for true, in the current language."""
        return self.zh if current_language() == "zh" else self.en


@cache
def load_assumptions() -> Mapping[str, Assumption]:
    """Return every assumption by its id: those of the stages first, then the rules that are marked as assumed."""
    text = (files("sdrs_nb.rulebook") / "assumptions.toml").read_text(encoding="utf-8")
    found = [Assumption(id=name, **entry) for name, entry in tomllib.loads(text).items()]
    # A rule that is wrong shows where the service refuses with its code, or takes what it blocks.
    found += [
        Assumption(id=rule.id, setting="rulebook", touches=(rule.id,), seen_by="run" if rule.codes else "hand",
                   en=f"{rule.en.title}: {rule.en.message}", zh=f"{rule.zh.title}：{rule.zh.message}")
        for rule in load_rulebook().rules.values()
        if rule.assumed
    ]  # fmt: skip
    return MappingProxyType({each.id: each for each in found})
