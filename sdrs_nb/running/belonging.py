"""The refusal of any cloud but a run's own (see ``scopes``), and of one that is only read."""

from typing import TYPE_CHECKING

from sdrs_nb.errors import ReadOnlyError, SettingsError
from sdrs_nb.i18n import _
from sdrs_nb.running.runs import Run
from sdrs_nb.running.scopes import cloud_mismatch

if TYPE_CHECKING:
    from sdrs_nb.cloud import Cloud

__all__ = ["require_own_cloud", "require_writing"]


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


def require_writing(cloud: "Cloud") -> None:
    """Refuse a connection that reads only, before anything is written down that could never be sent.

    Raises ``ReadOnlyError``.
    """
    if cloud.settings.read_only:
        raise ReadOnlyError(
            _(
                "This connection reads only (read_only=, --read-only, SDRS_NB_READ_ONLY), so nothing is sent. Connect "
                "without it to carry this out."
            )
        )
