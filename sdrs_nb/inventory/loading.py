"""Ask the cloud for every source of an inventory at once, and say which could be read.

Only this corner of the inventory knows asyncio.  Building frames runs in a thread, so that a notebook's loop goes on
drawing while a hundred thousand documents are turned into columns.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd

from sdrs_nb.errors import CloudError, CloudUnreachable, ListIncompleteError, PermissionDeniedError, SettingsError
from sdrs_nb.i18n import _
from sdrs_nb.inventory import capacity_documents, documents
from sdrs_nb.inventory.documents import attachments, untold
from sdrs_nb.tables import INVENTORY_TABLES, SOURCES, shape

if TYPE_CHECKING:
    from sdrs_nb.cloud import Cloud

__all__ = ["FRAMES", "LISTED", "NEEDED", "documents_of", "load", "sources_frame"]

Documents = list[dict[str, Any]]
Progress = Callable[[str, int, int | None], None]
#: What a paged list calls after each page: rows so far, rows in all (None when not told).
OnPage = Callable[[int, int | None], None]


@dataclass(frozen=True)
class _Source:
    """How one frame is asked for; a needed source may be denied (403) or incomplete, but it may not fail."""

    fetch: Callable[["Cloud", OnPage], Awaitable[Documents]]
    is_needed: bool = False


#: Frame name -> reader of the documents it is made of.
FRAMES = {**documents.FRAMES, **capacity_documents.FRAMES}


async def _one(work: Awaitable[dict[str, Any]]) -> Documents:
    return [await work]


#: Source of each frame; ``attachments`` is made of servers and volumes, ``resize_flavors`` is asked for per server.
_SOURCES: Mapping[str, _Source] = MappingProxyType(
    {
        "servers": _Source(lambda cloud, on_page: cloud.ecs.servers(on_page=on_page), is_needed=True),
        "volumes": _Source(lambda cloud, on_page: cloud.evs.volumes(on_page=on_page), is_needed=True),
        "groups": _Source(lambda cloud, _page: cloud.sdrs.groups(), is_needed=True),
        "protected_instances": _Source(lambda cloud, _page: cloud.sdrs.protected_instances(), is_needed=True),
        "replication_pairs": _Source(lambda cloud, _page: cloud.sdrs.replication_pairs()),
        "quotas": _Source(lambda cloud, _page: cloud.sdrs.quotas()),
        "key_pairs": _Source(lambda cloud, _page: cloud.kps.key_pairs()),
        "scaling_instances": _Source(lambda cloud, _page: cloud.autoscaling.instances()),
        "vpcs": _Source(lambda cloud, _page: cloud.vpc.vpcs()),
        "subnets": _Source(lambda cloud, _page: cloud.vpc.subnets()),
        "drill_servers": _Source(lambda cloud, _page: cloud.sdrs.drills()),
        "enterprise_projects": _Source(lambda cloud, _page: cloud.eps.enterprise_projects()),
        "domains": _Source(lambda cloud, _page: cloud.sdrs.domains()),
        "flavors": _Source(lambda cloud, _page: cloud.ecs.flavors()),
        "dedicated_hosts": _Source(lambda cloud, _page: cloud.deh.hosts()),
        "storage_pools": _Source(lambda cloud, _page: cloud.dss.pools()),
        "ecs_limits": _Source(lambda cloud, _page: _one(cloud.ecs.limits())),
        "evs_quota": _Source(lambda cloud, _page: _one(cloud.evs.quota())),
    }
)


#: Frames that a list of the cloud gives as it is.
LISTED = frozenset(_SOURCES)
#: Frames without which there is no inventory.
NEEDED = frozenset(name for name, source in _SOURCES.items() if source.is_needed)


@dataclass(frozen=True)
class _Answer:
    """What came of one source: its documents, when asking began, and the state of its frame."""

    documents: Documents
    asked_at: datetime
    state: str = "loaded"
    message: str = ""


def sources_frame(states: Mapping[str, tuple[str, str]], times: Mapping[str, datetime]) -> pd.DataFrame:
    """Return the frame ``sources`` from the state and message of each frame and the times at which they were read."""
    rows = [(name, state, times.get(name), message or None) for name, (state, message) in states.items()]
    return shape(pd.DataFrame(rows, columns=["frame", "state", "loaded_at", "message"]), SOURCES)


async def documents_of(cloud: "Cloud", frame: str) -> Documents:
    """Return the documents that a frame is made of, read now; errors as those of the service's list.

    Raises ``KeyError`` for a frame that no list of its own gives (``attachments``, ``resize_flavors``).
    """
    return [each for each in await _SOURCES[frame].fetch(cloud, lambda _done, _total: None) if isinstance(each, dict)]


async def load(
    cloud: "Cloud", asked: Sequence[str], on_progress: Progress | None, resize_for: Sequence[str] = ()
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame, dict[str, frozenset[str]]]:
    """Return the frames that were asked for and could be read, ``sources``, and the columns that no answer told.

    The credentials are proven already.
    """
    tell: Progress = on_progress or (lambda _frame, _done, _total: None)
    sources = dict(_SOURCES)
    if resize_for:
        sources["resize_flavors"] = _Source(lambda cloud, _page: _resizable(cloud, resize_for))
    asked = [name for name in asked if name in sources or name == "attachments"]
    needs = {part for name in asked for part in (("servers", "volumes") if name == "attachments" else (name,))}
    answers = await _all_of({name: _ask(cloud, name, sources[name], tell) for name in sources if name in needs})
    frames: dict[str, pd.DataFrame] = {}
    unread: dict[str, frozenset[str]] = {}
    states: dict[str, tuple[str, str]] = dict.fromkeys(INVENTORY_TABLES, ("not asked", ""))
    for name in answers:
        if name in asked:
            states[name] = (answers[name].state, answers[name].message)
            if answers[name].state in {"loaded", "partial"}:
                frames[name] = await asyncio.to_thread(FRAMES[name], answers[name].documents)
                unread[name] = untold(name, answers[name].documents)
    times = {name: answers[name].asked_at for name in answers if name in asked}
    if "attachments" in asked:
        servers, volumes = answers["servers"], answers["volumes"]
        frames["attachments"] = await asyncio.to_thread(attachments, servers.documents, volumes.documents)
        states["attachments"] = _state_of_attachments(answers)
        times["attachments"] = min(servers.asked_at, volumes.asked_at)
    for name, frame in frames.items():
        tell(name, len(frame), len(frame))
    return frames, sources_frame(states, times), unread


async def _all_of(work: Mapping[str, Awaitable[_Answer]]) -> dict[str, _Answer]:
    """Await everything; when one fails, call off the rest and raise what failed first."""
    tasks = {name: asyncio.ensure_future(each) for name, each in work.items()}
    try:
        await asyncio.gather(*tasks.values())
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
    return {name: task.result() for name, task in tasks.items()}


async def _resizable(cloud: "Cloud", server_ids: Sequence[str]) -> Documents:
    """Return the flavors each server can be resized to, with the server's id: one call a server, four at a time."""
    gate = asyncio.Semaphore(4)

    short: list[ListIncompleteError] = []

    async def of(server_id: str) -> Documents:
        async with gate:
            try:
                flavors = await cloud.ecs.resize_flavors(server_id)
            except ListIncompleteError as error:
                short.append(error)
                flavors = error.documents
        return [{**flavor, "server_id": server_id} for flavor in flavors]

    found = [flavor for flavors in await asyncio.gather(*map(of, server_ids)) for flavor in flavors]
    if short:
        raise short[0].holding(found)
    return found


async def _ask(cloud: "Cloud", name: str, source: _Source, tell: Progress) -> _Answer:
    asked_at = datetime.now(UTC)
    try:
        documents = await source.fetch(cloud, lambda done, total: tell(name, done, total))
    except PermissionDeniedError as error:
        if name == "servers":
            raise
        return _Answer([], asked_at, "denied", _denied(name, error))
    except ListIncompleteError as error:
        return _Answer(error.documents, asked_at, "partial", _partial(name, error))
    except (CloudError, CloudUnreachable, SettingsError) as error:
        if source.is_needed:
            raise
        return _Answer([], asked_at, "failed", _failed(name, error))
    return _Answer([document for document in documents if isinstance(document, dict)], asked_at)


def _denied(name: str, error: PermissionDeniedError) -> str:
    return _(
        "These credentials may not read {frame} ({code}); what depends on them stays unverified. Ask for read "
        "permission and load again.",
        frame=name,
        code=error.code or error.status,
    )


def _failed(name: str, error: Exception) -> str:
    return _("Reading {frame} failed: {error} What depends on them stays unverified.", frame=name, error=error)


def _partial(name: str, error: ListIncompleteError) -> str:
    if error.announced is None:
        rows = _("rows received: {received}, and no end was found", received=error.received)
    else:
        rows = _("{received} of {announced} rows were received", received=error.received, announced=error.announced)
    return _(
        "The list of {frame} is incomplete: {rows} ({path}). What is here counts, what is not here proves nothing. "
        "Load again; if it stays so, report it to the cloud's support.",
        frame=name,
        rows=rows,
        path=error.path,
    )


def _state_of_attachments(answers: Mapping[str, _Answer]) -> tuple[str, str]:
    short = [name for name in ("servers", "volumes") if answers[name].state == "partial"]
    if short:
        said = _("The list of {frames} is incomplete, so attachments are missing here.", frames=", ".join(short))
        return "partial", said
    if answers["volumes"].state == "loaded":
        return "loaded", ""
    return "loaded", _("The volumes could not be read, so only what servers report is here.")
