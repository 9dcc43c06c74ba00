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
        # ASSUMED: batch_calls, list_fields, group_after_create: as the pages have it.
        "batch_calls": Switch(
            "whether the site has batch create and batch delete, which Open Telekom Cloud's documents do not have",
            {"yes": {"batch_available": True}, "no": {"batch_available": False}},
        ),
        "numbering": Switch(
            "how the mark after a name prefix counts: -0001 in each request, -0000, on through all requests, or -1",
            {name: {"numbering": name} for name in ("per_request", "from_zero", "continued", "unpadded")},
        ),
        "sub_job_order": Switch(
            "whether sub-jobs stand in the order of the servers in the request",
            {name: {"sub_job_order": name} for name in ("as_sent", "reversed")},
        ),
        "sub_job_shape": Switch(
            "whether the job of a batch shows a sub-job for each server",
            {"one_a_server": {"sub_jobs_shown": True}, "none": {"sub_jobs_shown": False}},
        ),
        "list_fields": Switch(
            "whether lists of protected instances have every field that the page shows",
            {
                "all": {"left_out_of_instances": frozenset()},
                "without_created_at": {"left_out_of_instances": frozenset({"created_at"})},
            },
        ),
        "copied_settings": Switch(
            "whether a DR server gets tags, agency, security groups, ECS group and auto recovery of production",
            {"yes": {"copies_settings": True}, "no": {"copies_settings": False}},
        ),
        "dr_flavor": Switch(
            "whether a DR server without a flavor of its own has production's",
            {"same": {"same_flavor": True}, "other": {"same_flavor": False}},
        ),
        "dr_state": Switch(
            "whether a DR server is left stopped or running",
            {"stopped": {"dr_state": "SHUTOFF"}, "running": {"dr_state": "ACTIVE"}},
        ),
        "instance_state": Switch(
            "whether instances show their end when their job has ended, or two minutes later",
            {"at_once": {"instance_late_s": 0.0}, "late": {"instance_late_s": 120.0}},
        ),
        "pair_state": Switch(
            "whether replication pairs show their end when the job has ended, or ten minutes later",
            {"at_once": {"pairs_late_s": 0.0}, "late": {"pairs_late_s": 600.0}},
        ),
        "parent_end": Switch(
            "whether the job of a batch fails when one of its sub-jobs does",
            {"fails": {"parent_fails": True}, "succeeds": {"parent_fails": False}},
        ),
        "failed_instance": Switch(
            "whether an instance that could not be made stays in the list and keeps its server taken",
            {"stays": {"failed_stays": True}, "vanishes": {"failed_stays": False}},
        ),
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
