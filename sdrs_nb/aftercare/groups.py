"""Create the protection group that servers lack: one call, sent once, followed until the group can take them.

Eligibility says which groups are missing (``Eligibility.groups_needed``); nothing creates one by itself.  The service
has no idempotency, so the group's name is what tells a request that arrived from one that did not: groups are listed
before anything is sent, and again when an answer was lost.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import pandas as pd

from sdrs_nb.asked import checked
from sdrs_nb.errors import CloudUnreachable, JobFailed, JobTimeout, NotFoundError, PlanError, SubmissionUncertain
from sdrs_nb.i18n import _
from sdrs_nb.payloads.single import name_problems
from sdrs_nb.rulebook import load_rulebook
from sdrs_nb.running.jobs import read_job
from sdrs_nb.running.polling import poll_delays
from sdrs_nb.statuses import TAKES_SERVERS, JobStatus, is_error

if TYPE_CHECKING:
    from sdrs_nb.cloud import Cloud

__all__ = ["create_group"]

#: Seconds in which a request whose answer was lost may still show up in the list (SDRS API, ASSUMED: late_lists).
_SETTLING_S = 60.0


@dataclass(frozen=True)
class _Wanted:
    """The group to be: its name and where it works."""

    name: str
    vpc_id: str
    production_az: str
    dr_az: str
    domain_id: str

    def is_at(self, document: Mapping[str, Any]) -> bool:
        """Tell whether a group document is of this place."""
        return all(document.get(field) == value for field, value in self.fields.items() if field != "name")

    @property
    def fields(self) -> dict[str, str]:
        """The fields of the create request (create-group page, table 1), under the API's names."""
        return {
            "name": self.name,
            "source_availability_zone": self.production_az,
            "target_availability_zone": self.dr_az,
            "domain_id": self.domain_id,
            "source_vpc_id": self.vpc_id,
        }


@checked
async def create_group(
    cloud: "Cloud",
    needed: "pd.Series[Any] | Mapping[str, Any]",
    *,
    name: str,
    dr_az: str | None = None,
    description: str | None = None,
    timeout_s: float = 900.0,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> str:
    """Create a protection group, wait until it can take servers, and return its id.

    Safe to call again: a group of this name at this place is taken as the one that was asked for, whoever made it,
    and nothing is sent.  The request itself leaves once; when its answer is lost, the groups are listed until the new
    one shows up, and nothing is ever sent again blindly.

    Parameters
    ----------
    cloud
        Where to create it; its domains and groups are read first.
    needed
        A row of ``Eligibility.groups_needed()``, or a mapping with ``vpc_id`` and ``production_az``.
    name
        1 to 64 bytes of Chinese characters, ASCII letters, digits, ``.``, ``_`` and ``-``; unique in the project.
    dr_az
        The other site; may be left out where exactly one AZ is joined to production by a domain with room.
    description
        At most 64 characters without angle brackets.
    timeout_s
        Seconds after which waiting ends; the group may still become ready.
    sleep
        Waits for seconds; for tests.

    Returns
    -------
    str
        ``group_id``.  Load the inventory again to see it, then check eligibility.

    Raises
    ------
    PlanError
        The name or the description is not allowed, a group of this name stands elsewhere, or no domain or several
        domains join the two AZs.
    SubmissionUncertain
        The answer was lost and no group of this name showed up; look at the console before calling again.
    JobFailed
        The service could not create the group; its code and reason are named.
    JobTimeout
        The group was not ready in time; call again to go on waiting.
    CloudError, CloudUnreachable
        The cloud refused the request, or could not be reached; nothing was created.
    """
    book = load_rulebook()
    limit = book.number("description_characters")
    problems = list(name_problems(name, book)) if name else [_("The group has no name. Give it one.")]
    if description and (len(description) > limit or book.refused_in(description, "description_refused")):
        problems.append(
            _(
                'The description of the group is longer than {limit} characters or holds "<" or ">". Change it.',
                limit=limit,
            )
        )
    if problems:
        raise PlanError(" ".join(problems))
    wanted = await _place(cloud, needed, name, dr_az)
    found = await _find(cloud, wanted)
    job_id = None
    if found is None:
        fields = {**wanted.fields, **({"description": description} if description else {})}
        job_id = await _send(cloud, fields, wanted, sleep)
    return await _ready(cloud, wanted, job_id, timeout_s, sleep)


async def _place(cloud: "Cloud", needed: "pd.Series[Any] | Mapping[str, Any]", name: str, dr_az: str | None) -> _Wanted:
    """Return where the group shall work, with the one domain that joins its AZs and has room."""
    vpc_id, production = str(needed["vpc_id"]), str(needed["production_az"])
    joined = [
        (other, str(domain["id"]))
        for domain in await cloud.sdrs.domains()
        if not domain.get("sold_out") and (other := _other_az(domain, production)) and dr_az in (None, other)
    ]
    if len(joined) == 1:
        return _Wanted(name, vpc_id, production, *joined[0])
    if not joined:
        raise PlanError(
            _(
                "No domain with room joins {production} with {dr}. Choose another DR AZ, or ask for a domain.",
                production=production,
                dr=dr_az or _("another AZ"),
            )
        )
    raise PlanError(
        _(
            "Several domains start at {production}: {choices}. Choose the DR site with dr_az.",
            production=production,
            choices=", ".join(f"{other} ({domain})" for other, domain in sorted(joined)),
        )
    )


def _other_az(domain: Mapping[str, Any], az: str) -> str | None:
    """Return the AZ that a domain joins with ``az``, None where it does not touch it."""
    ends = [
        (domain.get(side) or {}).get("availability_zone")
        for side in ("local_replication_cluster", "remote_replication_cluster")
    ]
    others = [end for end in ends if end != az]
    return str(others[0]) if az in ends and len(others) == 1 and others[0] else None


async def _find(cloud: "Cloud", wanted: _Wanted) -> Mapping[str, Any] | None:
    """Return the group of the wanted name, None where there is none; raises ``PlanError`` for one elsewhere."""
    named = [group for group in await cloud.sdrs.groups() if group.get("name") == wanted.name]
    mine = [group for group in named if wanted.is_at(group)]
    if named and len(mine) != 1:
        raise PlanError(
            _(
                "Protection group {name} ({group}) exists already and works elsewhere or stands twice. Choose another "
                "name.",
                name=wanted.name,
                group=named[0].get("id"),
            )
        )
    return mine[0] if mine else None


async def _send(
    cloud: "Cloud", fields: Mapping[str, str], wanted: _Wanted, sleep: Callable[[float], Awaitable[None]]
) -> str | None:
    """Send the request once; None where its answer was lost and the group showed up all the same."""
    try:
        return await cloud.sdrs.create_group({"server_group": fields})
    except (SubmissionUncertain, CloudUnreachable) as error:
        if isinstance(error, CloudUnreachable) and not error.sent:
            raise
        for delay in poll_delays(within_s=_SETTLING_S):
            if await _find(cloud, wanted) is not None:
                return None
            await sleep(delay)
        raise SubmissionUncertain(
            _(
                "The answer to creating protection group {name} was lost, and no group of this name showed up. Look at "
                "the console, then call again.",
                name=wanted.name,
            ),
            request_id=error.request_id if isinstance(error, SubmissionUncertain) else "",
        ) from error


async def _ready(
    cloud: "Cloud", wanted: _Wanted, job_id: str | None, timeout_s: float, sleep: Callable[[float], Awaitable[None]]
) -> str:
    """Return the group's id as soon as it takes servers."""
    for delay in chain(poll_delays(within_s=timeout_s), [None]):
        if (group_id := await _look(cloud, wanted, job_id)) is not None:
            return group_id
        if delay is not None:
            await sleep(delay)
    raise JobTimeout(
        _(
            "Protection group {name} was not ready after {seconds} s. Call again to go on waiting.",
            name=wanted.name,
            seconds=round(timeout_s),
        )
    )


async def _look(cloud: "Cloud", wanted: _Wanted, job_id: str | None) -> str | None:
    """Return the group's id when it takes servers, None while it is being made; raises ``JobFailed``."""
    if job_id is not None:
        try:
            job = read_job(await cloud.sdrs.job(job_id))
        except NotFoundError:
            job = None  # a job can be forgotten; the group itself tells
        if job is not None and job.status is JobStatus.FAIL:
            raise _failed(wanted, job.error_code, job.fail_reason)
        if job is not None and not job.is_finished:
            return None
    found = await _find(cloud, wanted)
    status = str(found.get("status")) if found is not None else ""
    if found is not None and is_error(status):
        raise _failed(wanted, None, status)
    return str(found["id"]) if found is not None and status in TAKES_SERVERS else None


def _failed(wanted: _Wanted, code: str | None, reason: str | None) -> JobFailed:
    return JobFailed(
        _(
            "Protection group {name} could not be created: {reason}. Delete what is left of it in the console, then "
            "try again.",
            name=wanted.name,
            reason=" ".join(part for part in (code, reason) if part) or "-",
        )
    )
