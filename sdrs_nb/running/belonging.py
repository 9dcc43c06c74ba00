"""The refusal of any cloud but a run's own; see ``scopes``."""

from typing import TYPE_CHECKING

from sdrs_nb.errors import SettingsError
from sdrs_nb.i18n import _
from sdrs_nb.running.runs import Run
from sdrs_nb.running.scopes import cloud_mismatch

if TYPE_CHECKING:
    from sdrs_nb.cloud import Cloud

__all__ = ["require_own_cloud"]


async def require_own_cloud(cloud: "Cloud", run: Run) -> None:
    """Refuse a cloud that is not the run's own; one cheap call, remembered, says which one it is.

    Raises
    ------
    SettingsError
        Names both; nothing was changed.
    AuthenticationError, CloudUnreachable
        The cloud does not say who it is.
    """
    identity = await cloud.check()
    if (found := cloud_mismatch(run.record, identity)) is not None:
        what, ours, theirs = found
        raise SettingsError(
            _(
                "Run {run} belongs to {what} {ours}, but this connection is for {what} {theirs}. Connect to the "
                "run's own cloud; nothing was changed.",
                run=run.run_id,
                what=what,
                ours=ours or "-",
                theirs=theirs or "-",
            )
        )
