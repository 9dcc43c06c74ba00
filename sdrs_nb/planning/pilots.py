"""Which batch of a plan is sent alone before the others."""

from typing import TYPE_CHECKING

from sdrs_nb.errors import PlanError
from sdrs_nb.i18n import _

if TYPE_CHECKING:
    from sdrs_nb.models import Batch
    from sdrs_nb.planning.plans import Plan

__all__ = ["choose_pilot"]


def choose_pilot(plan: "Plan", pilot: int | str | None) -> str | None:
    """Return the id of the batch that goes alone; None where none is asked for.  Pure.

    Parameters
    ----------
    pilot
        None, 0 or ``"0"``: none.  1 or ``"1"``: the smallest batch of the first wave, of a group without a cluster of
        servers and of two servers at least where there is one, since one alone shows no order; of several the first in
        sending order.  Else the id of the batch.

    Raises
    ------
    PlanError
        The plan has no batch of that id, the number is another one, or the plan deletes.
    """
    wanted = str(int(pilot) if isinstance(pilot, bool) else pilot or 0).strip()
    if wanted == "0":
        return None
    if plan.is_deletion:
        raise PlanError(_("A pilot is for a plan that creates; this one deletes. Leave the pilot out."))
    if wanted == "1":
        return _smallest(plan).batch_id
    if wanted.lstrip("+-").isdecimal():
        raise PlanError(_("A pilot is 0 (none), 1 (the smallest batch) or the id of a batch, not {value}.",
                          value=wanted))  # fmt: skip
    return plan.batch(wanted).batch_id


def _smallest(plan: "Plan") -> "Batch":
    """Return the batch of the first wave that shows most for least: small, and not tied by shared volumes."""
    shared = {
        server
        for owners in plan.facts.volumes["server_ids"].fillna("")
        if "," in str(owners)
        for server in str(owners).split(",")
    }
    first = min(batch.wave for batch in plan.batches)
    mine = [batch for batch in plan.batches if batch.wave == first]
    tied = {batch.batch_id for batch in mine if shared.intersection(batch.server_ids)}
    tied_groups = {batch.group_id for batch in mine if batch.batch_id in tied}
    return min(
        mine,
        key=lambda batch: (
            batch.group_id in tied_groups,
            batch.batch_id in tied,
            len(batch.server_ids) == 1,
            len(batch.server_ids),
        ),
    )
