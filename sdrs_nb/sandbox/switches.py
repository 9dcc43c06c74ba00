"""Switches of ``--assume``: where the documents are silent or sites differ, and what the sandbox may play there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from .settings import Settings

__all__ = ["SWITCHES", "Switch", "assume"]


@dataclass(frozen=True, slots=True)
class Switch:
    """A question that the documents leave open: a sentence about it, and the settings of each answer."""

    about: str
    answers: Mapping[str, Mapping[str, Any]]


#: Every switch by its name.
SWITCHES: Mapping[str, Switch] = MappingProxyType(
    {
        "batch_calls": Switch(
            "whether the site has batch create and batch delete, which Open Telekom Cloud's documents do not have",
            {"yes": {"batch_available": True}, "no": {"batch_available": False}},
        )
    }
)


def assume(settings: Settings, wanted: Iterable[str]) -> Settings:
    """Give the settings with every ``NAME=VALUE`` of `wanted` switched.

    Raises
    ------
    ValueError
        There is no switch of that name, or it has no such value; the message lists those there are.
    """
    chosen = tuple(wanted)
    for text in chosen:
        name, _, value = text.partition("=")
        switch = SWITCHES.get(name)
        if switch is None:
            raise ValueError(f"There is no switch {name!r} to assume; there are: {', '.join(SWITCHES)}.")
        if value not in switch.answers:
            raise ValueError(f"{name} cannot be {value!r}; write {name}= one of: {', '.join(switch.answers)}.")
        settings = replace(settings, **switch.answers[value])
    return replace(settings, assumed=tuple(sorted({*settings.assumed, *chosen})))
