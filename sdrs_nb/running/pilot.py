"""Send one batch alone, follow it to its end, compare what it brought about, and wait for the operator's word.

Everything is in the ledger: whoever carries the run on after a crash follows, compares or waits where the last one was.
"""

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from sdrs_nb.errors import (
    AuthenticationError,
    CloudError,
    CloudUnreachable,
    ListIncompleteError,
    ServiceError,
    ThrottledError,
)
from sdrs_nb.i18n import _
from sdrs_nb.ledger.ledger import Ledger
from sdrs_nb.ledger.pilots import Pilot, PilotState
from sdrs_nb.ledger.run_states import BatchState, RunState
from sdrs_nb.models import Batch
from sdrs_nb.running.expectations import (
    Findings,
    compare_batch,
    dr_servers_of,
    observed,
    volume_ids,
    with_contradictions,
)
from sdrs_nb.running.jobs import Job, match_instances, read_job
from sdrs_nb.running.retries import Retries
from sdrs_nb.running.scopes import is_of_cloud
from sdrs_nb.running.walk import Walk

if TYPE_CHECKING:
    from sdrs_nb.cloud import Cloud
    from sdrs_nb.planning.plans import Plan

__all__ = ["is_first_contact", "lead"]

#: Errors that pass: they are waited for, and never make a part of the comparison "not read".
_PASSING = (AuthenticationError, ThrottledError, ServiceError, ListIncompleteError, CloudUnreachable)
#: A batch that made nothing.
_NOT_TAKEN = (BatchState.REFUSED, BatchState.HELD)


def is_first_contact(cloud: "Cloud", plan: "Plan", ledger: Ledger | None = None) -> bool:
    """Tell whether a plan is the first that creates something here: a live project where no run has ended well yet.

    Reads the ledger; False until the cloud has said who we are (``Cloud.check``).  Raises ``LedgerError``.
    """
    identity = cloud.identity
    if identity is None or identity.world or cloud.settings.sandbox or plan.is_deletion:
        return False
    return not any(
        run["state"] == RunState.DONE and run["done"] == run["servers"] and is_of_cloud(run, identity)
        for run in (ledger or Ledger()).runs()
    )


async def lead(walk: Walk, bring_to_end: Callable[[Batch], Awaitable[None]]) -> bool:
    """Bring the run's pilot as far as it goes now; tell whether the other batches may be sent.

    Where they may not, ``walk.reason`` says why.  Raises what a batch on its way raises.
    """
    pilot = walk.ledger.pilot(walk.run_id)
    if pilot is None or pilot.is_released:
        return True
    if pilot.state == PilotState.WAITING:
        batch = walk.plan.batch(pilot.batch_id)
        await bring_to_end(batch)
        state = BatchState(walk.ledger.batch(walk.run_id, batch.batch_id)["state"])
        if walk.is_stopping() or not (state.is_final or state == BatchState.UNKNOWN):
            walk.reason = walk.reason or pilot.sentence
            return False
        pilot = await _compared(walk, batch, state)
    if pilot is not None and pilot.is_released:
        return True
    if pilot is not None:
        walk.reason = f"{pilot.sentence} {_next_step(walk, pilot)}"
    return False


def _next_step(walk: Walk, pilot: Pilot) -> str:
    """Return how the run goes on after its pilot."""
    if not pilot.is_as_expected:
        return _("Nothing else is sent. To go on all the same: sdrs-nb control {run} go --reason TEXT", run=walk.run_id)
    return _("The run waits for your word: sdrs-nb control {run} go", run=walk.run_id)


async def _compared(walk: Walk, batch: Batch, state: BatchState) -> Pilot | None:
    """Compare the batch and record it; None where the walk was stopped before.

    A list may lag behind the job, so what differs is looked at again until the settling time has passed.  An assumption
    that did not hold at first was still wrong.
    """
    retries, begun, first = Retries(walk), walk.timing.clock(), None
    while not walk.is_stopping():
        try:
            rows = compare_batch(walk.plan, batch, await _find(walk, batch, state))
        except (CloudError, CloudUnreachable) as error:
            await retries.wait_or_raise(error, batch)
            continue
        first = first or rows
        left = walk.pace.settle_s - walk.timing.since(begun)
        if not Pilot(batch_id=batch.batch_id, rows=rows).differences or left <= 0 or state in _NOT_TAKEN:
            seen = walk.ledger.observations(walk.run_id)
            rows = with_contradictions(batch, first, rows, seen)
            pilot = walk.ledger.compare_pilot(walk.run_id, rows, is_final=state != BatchState.UNKNOWN)
            walk.ledger.observe(walk.run_id, batch.batch_id, observed(rows))
            return pilot
        await walk.wait(min(walk.pace.longest_look_s, left + 0.05))
    return None


async def _find(walk: Walk, batch: Batch, state: BatchState) -> Findings:
    """Return what ledger and cloud show of the batch now."""
    row = walk.ledger.batch(walk.run_id, batch.batch_id)
    job, unread = _job(walk, row["job_id"]), dict[str, str]()
    outcome = {one["server_id"]: one for one in walk.ledger.servers(walk.run_id)}
    found: dict[str, Any] = {"reason": row["reason"], "job": job, "outcome": outcome}
    if state in _NOT_TAKEN:
        return Findings(state, **found)
    sdrs, ecs, evs = walk.cloud.sdrs, walk.cloud.ecs, walk.cloud.evs
    found["group"] = await _read("group", sdrs.group(batch.group_id), unread)
    instances = await _read("instances", sdrs.protected_instances(batch.group_id), unread)
    pairs = await _read("pairs", sdrs.replication_pairs(batch.group_id), unread)
    ids = [str(one.get("id")) for one in match_instances(instances or [], batch.server_ids).values()]
    details = [await _read("details", sdrs.protected_instance(each), unread) for each in ids]
    servers = [*batch.server_ids, *dr_servers_of(batch, instances or [], job).values()]
    own = {*walk.volumes_of(batch)}
    hung = {each for one in pairs or () if own & {*volume_ids(one)} for each in volume_ids(one)}
    found |= {
        "instances": instances,
        "details": [one for one in details if one is not None],
        "pairs": pairs,
        "servers": await _read("servers", ecs.servers_by_id(servers), unread),
        "volumes": await _read("volumes", evs.volumes_by_id(sorted(own | hung)), unread),
    }
    return Findings(state, unread=unread, **found)


def _job(walk: Walk, job_id: str | None) -> Job | None:
    """Return the batch's job as it was last seen."""
    document = next((row["document"] for row in walk.ledger.jobs(walk.run_id) if row["job_id"] == job_id), None)
    with walk.ledger.readable():
        return read_job(json.loads(document)) if document else None


async def _read(part: str, call: Awaitable[Any], unread: dict[str, str]) -> Any:
    """Return the answer of a call; None where it is refused for good, which ``unread`` then says of ``part``."""
    try:
        return await call
    except _PASSING:
        raise
    except CloudError as error:
        unread[part] = str(error)
        return None
