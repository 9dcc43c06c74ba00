"""Send an approved plan, batch by batch, everything recorded first."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Literal

from sdrs_nb.asked import checked
from sdrs_nb.errors import LedgerError, PlanError
from sdrs_nb.i18n import _
from sdrs_nb.ledger.ledger import Ledger
from sdrs_nb.ledger.pilots import Pilot
from sdrs_nb.models import Approval, Pace
from sdrs_nb.planning.approvals import approval_of
from sdrs_nb.planning.pilots import choose_pilot
from sdrs_nb.running.belonging import require_own_cloud, require_writing
from sdrs_nb.running.door import finding_rows
from sdrs_nb.running.engine import start_engine
from sdrs_nb.running.runs import Run, open_run
from sdrs_nb.running.scopes import scope_of

if TYPE_CHECKING:
    from sdrs_nb.cloud import Cloud
    from sdrs_nb.eligibility.eligibility import Eligibility
    from sdrs_nb.planning.planning import Plan

__all__ = ["submit"]


@checked
async def submit(
    cloud: "Cloud",
    plan: "Plan",
    *,
    approve: str | Approval,
    enable_protection: bool = False,
    on_failure: Literal["continue", "stop"] | None = None,
    eligibility: "Eligibility | None" = None,
    pace: Pace | None = None,
    pilot: int | str | None = None,
    pilot_auto: bool = False,
    ledger: Ledger | None = None,
    sleep: Callable[[float], Awaitable[None]] | None = None,
) -> Run:
    """Record ``plan`` as a run, start sending it in the background, and return the run at once.

    Each batch's intent is on disk before its POST leaves.  One batch at a time is under way in a group; groups
    run side by side.  ``follow`` waits for the end; the run can be carried on by ``resume`` after any interruption.

    Parameters
    ----------
    cloud
        Where to send it; its credentials are proved by one cheap call first.
    plan
        From ``plan_batches``; what its preview shows is byte for byte what is sent.
    approve
        The plan's fingerprint, or an ``Approval`` that names it with who and when; see ``approvals`` where a plan
        needs the word of several persons.
    enable_protection
        Enable protection of the groups when everything has ended; without it an ``available`` group copies no data
        until somebody enables it.
    on_failure
        ``"continue"`` with the other batches when a server fails, or ``"stop"``: send nothing more, follow what was
        sent.  Wins over the one in ``pace``.
    eligibility
        What the plan was made from; its findings about the planned servers are kept with the run.
    pace
        Waiting times and limits; the defaults suit the real cloud.
    pilot
        1: the smallest batch is sent alone, verified, compared with what was expected, and then the run waits for
        ``run.go_on()``; or the id of the batch; 0 or None: none.  See ``planning.pilots.choose_pilot``.
    pilot_auto
        Go on without a word where the pilot shows no difference.
    ledger
        Another ledger than the one in ``SDRS_NB_HOME`` or the user's data folder.
    sleep
        Waits for seconds of cloud time; for tests.

    Returns
    -------
    Run
        The recorded run.

    Raises
    ------
    ReadOnlyError
        The connection reads only; nothing was sent.
    SettingsError
        The plan undoes a run of another cloud; nothing was sent.
    PlanError
        The approval does not name this plan, too few persons gave it, the plan has no batch or is for reading only, or
        there is no such batch to be the pilot.
    ClaimedError
        Another run holds some of the servers.
    LedgerError
        The ledger cannot be written; nothing was sent.
    AuthenticationError, PermissionDeniedError, CloudUnreachable
        The cloud does not take the credentials or does not answer; nothing was sent.
    """
    approval = approval_of(plan, approve)
    if plan.for_reading:
        raise PlanError(
            _(
                "The plan is for reading only: whether some of its servers can be protected is not known. Load what is "
                "missing and plan again."
            )
        )
    if not plan.batches:
        raise PlanError(_("The plan has no batch, so there is nothing to send. See plan.left_out for the reasons."))
    alone = choose_pilot(plan, pilot)
    require_writing(cloud)
    store = ledger or Ledger()
    identity = await cloud.check()
    if plan.is_deletion and (undone := _known(plan.undoes, store)) is not None:
        await require_own_cloud(cloud, undone)
    findings = None
    if eligibility is not None:
        planned = [server for batch in plan.batches for server in batch.server_ids]
        findings = finding_rows(eligibility.by_server(planned))
    run_id = store.create_run(
        scope=scope_of(identity),
        plan=plan,
        approval=approval,
        settings=_settings(pace, enable_protection=enable_protection, on_failure=on_failure),
        findings=findings,
        times_offset_s=cloud.settings.times_offset_h * 3600,
        pilot=None if alone is None else Pilot(batch_id=alone, auto=pilot_auto),
    )
    run = Run(run_id, store)
    start_engine(cloud, run, sleep=sleep)
    return run


def _settings(pace: Pace | None, **wanted: object) -> dict[str, Any]:
    return {**(pace or Pace()).model_dump(), **{name: value for name, value in wanted.items() if value}}


def _known(run_id: str, ledger: Ledger) -> Run | None:
    """Return the run that an undo undoes, where this ledger holds it."""
    try:
        return open_run(run_id, ledger)
    except LedgerError:
        return None
