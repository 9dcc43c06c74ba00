"""``doctor``: asks a cloud whatever can be asked by reading, and judges what it saw."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from sdrs_nb.asked import checked
from sdrs_nb.doctor import caller, capacity, permissions, site, way
from sdrs_nb.doctor.asking import QUOTAS, Seen, look
from sdrs_nb.doctor.findings import Check, Diagnosis, Finding
from sdrs_nb.doctor.probing import probe, probed
from sdrs_nb.errors import SdrsError
from sdrs_nb.i18n import _
from sdrs_nb.loop import run
from sdrs_nb.rulebook import Rulebook, choose_rulebook

if TYPE_CHECKING:
    from sdrs_nb.cloud import Cloud

__all__ = ["doctor"]

#: A cloud that answers later, or at the third try alone, is one to be told of.
_ATTEMPTS, _TIMEOUT_S = 2, 20.0


@checked
async def doctor(cloud: "Cloud", *, rulebook: Rulebook | str | None = None, probe_batch: bool = False) -> Diagnosis:
    """Return whether this tool fits this cloud and these credentials, a row a check, the worst first.

    Looks at the way to the cloud (proxy, TLS, clocks), who calls in which project and region, every service and what
    may be read there, quotas and limits, whose rules hold and why, and what the vendor has announced.  About 20 small
    reads, over a connection of its own that refuses everything else; the request for a token is the one exception.

    Parameters
    ----------
    cloud
        From ``connect``.
    rulebook
        Whose rules are to hold, or their name; by default those of the cloud.
    probe_batch
        Also send one create that cannot create (no server, a group nobody has), to see whether the batch call is there.

    Returns
    -------
    Diagnosis
        ``.frame``: ``check, title, state, found, remedy``; state ``failed``, ``warning``, ``skipped`` or ``ok``.  What
        a failure keeps from being looked at is ``skipped``.  A cloud that does not answer is a finding, no error.

    Raises
    ------
    SettingsError
        There is no rule book of that name.
    """
    book = choose_rulebook(rulebook, cloud.settings.site.rulebook)
    async with cloud.reading(attempts=_ATTEMPTS, timeout_s=_TIMEOUT_S) as reading:
        seen = await run(look(reading, book))
    blame = caller.blamed(seen)
    answer = await probe(cloud) if probe_batch and blame is None else None
    if answer is not None:
        batch_call = probed(answer, book)
    else:
        batch_call = _skipped("batch_call", blame) if probe_batch and blame is not None else site.batch_call(seen)
    judges = (capacity.limits, site.rules, site.service, site.shared_volumes)
    return Diagnosis([*_of_the_cloud(seen, blame, answer), batch_call, *(judge(seen) for judge in judges)])


def _of_the_cloud(seen: Seen, blame: Finding | None, answer: SdrsError | str | None) -> list[Finding]:
    """Return the findings of what stands one behind the other: nothing behind what is to blame can be looked at."""
    services = list(seen.cloud.services)
    refused = answer if isinstance(answer, SdrsError) else None
    looks: dict[str, Callable[[], Finding]] = {
        "proxy": partial(way.proxy, seen),
        "tls": partial(way.encryption, seen),
        "reach.iam": partial(way.iam, seen),
        "clock": partial(way.clock, seen),
        "credentials": partial(caller.credentials, seen),
        "project": partial(caller.project, seen),
        "region": partial(caller.region, seen),
        **{f"reach.{service}": partial(way.reached, seen, service) for service in services},
        **{f"permission.{service}": partial(permissions.permission, seen, service) for service in services},
        "permission.create": partial(permissions.to_create, seen, refused),
        **{f"quota.{service}": partial(capacity.quota, seen, service) for service in QUOTAS},
    }
    if blame is None:
        return [judge() for judge in looks.values()]
    at = list(looks).index(blame.check)
    before = [judge() for judge in list(looks.values())[:at]]
    return [*before, blame, *(_skipped(check, blame) for check in list(looks)[at + 1 :])]


def _skipped(check: str, blame: Finding) -> Finding:
    found = _("Not looked at, because of this: {check}.", check=blame.title)
    return Finding(check, Check.SKIPPED, found, _("Remedy that and run the doctor again."))
