"""What is asked of the cloud, and what came of it: who we are, the projects, and a small read behind every frame."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any

import pandas as pd

from sdrs_nb.errors import CloudError, CloudUnreachable, SdrsError
from sdrs_nb.inventory.loading import FRAMES, documents_of
from sdrs_nb.rulebook import Rulebook

if TYPE_CHECKING:
    from sdrs_nb.cloud import Cloud
    from sdrs_nb.cloud.session import Identity

__all__ = ["QUOTAS", "Answer", "Seen", "look", "region_of"]

#: Frames whose documents are looked at, by service.
QUOTAS: Mapping[str, str] = {"sdrs": "quotas", "ecs": "ecs_limits", "evs": "evs_quota"}


@dataclass(frozen=True)
class Answer:
    """What came of the read behind a frame: after how long, the error, and the frame itself where it is of quotas."""

    frame: str
    seconds: float
    error: SdrsError | None = None
    rows: pd.DataFrame | None = None


@dataclass(frozen=True)
class Seen:
    """Everything that was seen of a cloud; what follows from it is judged without asking again.

    Parameters
    ----------
    cloud
        The connection that reads; nothing is asked of it any more.
    rulebook
        Whose rules are to hold.
    seconds
        How long it took until the credentials were proven or refused.
    identity, error
        Who calls, or why that is not known.
    projects
        The account's projects by id, None where they may not be listed.
    answers
        What came of each service's reads; empty where none was asked.
    """

    cloud: "Cloud"
    rulebook: Rulebook
    seconds: float
    identity: "Identity | None" = None
    error: SdrsError | None = None
    projects: Mapping[str, Mapping[str, Any]] | None = None
    answers: Mapping[str, tuple[Answer, ...]] = field(default_factory=dict)

    @property
    def project_name(self) -> str:
        """Name of the project, ``""`` where it is not known."""
        if self.identity is None:
            return ""
        named = (self.projects or {}).get(self.identity.project_id, {}).get("name")
        return str(named or self.identity.project_name)

    @property
    def is_foreign(self) -> bool:
        """Whether the project is none of the account's, or of another region than is talked to."""
        if self.identity is None:
            return False
        is_unknown = self.projects is not None and self.identity.project_id not in self.projects
        return is_unknown or region_of(self.project_name) not in {"", self.identity.region}


def region_of(project_name: str) -> str:
    """Return the region of a project, which is called like it or ``{region}_{name}``."""
    return project_name.split("_", maxsplit=1)[0]


async def look(cloud: "Cloud", rulebook: Rulebook) -> Seen:
    """Ask ``cloud``, a connection that reads only, for all that is judged later; never raises for what it answers."""
    start = monotonic()
    try:
        identity = await cloud.check()
    except SdrsError as error:
        return Seen(cloud, rulebook, monotonic() - start, error=error)
    seconds = monotonic() - start
    try:
        listed = await cloud.iam.projects()
        projects = {str(project.get("id")): project for project in listed} or None
    except (CloudError, CloudUnreachable):
        projects = None  # many users may not list projects
    seen = Seen(cloud, rulebook, seconds, identity, projects=projects)
    # In the wrong project every read would be refused, and say nothing of permissions.
    answers = {} if seen.is_foreign else await _answers(cloud)
    return Seen(cloud, rulebook, seconds, identity, projects=projects, answers=answers)


async def _answers(cloud: "Cloud") -> dict[str, tuple[Answer, ...]]:
    asked = [(service, frame) for service, calls in cloud.services.items() for frame in calls.samples]
    came = await asyncio.gather(*(_answer(cloud, service, frame) for service, frame in asked))
    return {
        service: tuple(answer for (of, _frame), answer in zip(asked, came, strict=True) if of == service)
        for service in cloud.services
    }


async def _answer(cloud: "Cloud", service: str, frame: str) -> Answer:
    start = monotonic()
    try:
        if frame in QUOTAS.values():
            rows = FRAMES[frame](await documents_of(cloud, frame))
            return Answer(frame, monotonic() - start, rows=rows)
        await cloud.services[service].sample(frame)
    except SdrsError as error:
        return Answer(frame, monotonic() - start, error)
    return Answer(frame, monotonic() - start)
