"""Runbooks that may be run again: find the run of a plan that was sent already, keep a rehearsal's sandbox."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sdrs_nb.errors import SdrsError, SettingsError
from sdrs_nb.i18n import _
from sdrs_nb.ledger import Ledger
from sdrs_nb.plans import Plan
from sdrs_nb.runs import Run, open_run
from sdrs_nb.sandbox_process import SandboxProcess, start_sandbox

if TYPE_CHECKING:
    from sdrs_nb.cloud import Cloud

__all__ = ["find_run", "start_rehearsal"]

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_NEWEST = """
SELECT run_id FROM runs WHERE fingerprint = ? AND endpoint = ? AND project_id = ?
ORDER BY created_at DESC, run_id DESC LIMIT 1
"""


async def find_run(cloud: "Cloud", plan: Plan | str | Path, *, ledger: Ledger | None = None) -> Run | None:
    """Return the newest run of exactly this plan in the cloud's project, or None when it was never submitted.

    A procedure that asks this before ``submit`` can be run again from the top: it carries its own run on and sends
    nothing twice.  Reads the ledger and, for a path, that file; one cheap call says which project this is.

    Parameters
    ----------
    cloud
        The project; runs of another endpoint or project do not count.
    plan
        A plan, its fingerprint, or the file it was saved to (a file that does not exist: None).
    ledger
        Another ledger than the one in ``SDRS_NB_HOME`` or the user's data folder.

    Raises
    ------
    PlanError
        The file is no plan, or was changed.
    LedgerError
        The ledger cannot be read.
    AuthenticationError, PermissionDeniedError, CloudUnreachable
        The cloud does not take the credentials or does not answer.
    """
    fingerprint = _fingerprint(plan)
    if fingerprint is None:
        return None
    identity = await cloud.check()
    store = ledger or Ledger()
    rows = store.rows(_NEWEST, fingerprint, identity.endpoint, identity.project_id)
    return open_run(rows[0]["run_id"], store) if rows else None


def _fingerprint(plan: Plan | str | Path) -> str | None:
    if isinstance(plan, Plan):
        return plan.fingerprint
    if isinstance(plan, str) and _FINGERPRINT.fullmatch(plan):
        return plan
    path = Path(plan)
    return Plan.load(path).fingerprint if path.is_file() else None


def start_rehearsal(folder: str | Path, *, servers: int = 240, seed: int = 7, speed: float = 60) -> SandboxProcess:
    """Start a sandbox cloud whose world and address are kept in ``folder``, so that a rehearsal can be run again.

    The first start takes a free port; later ones take the same, since a run belongs to its endpoint.  Delete the
    folder to rehearse from the beginning.

    Parameters
    ----------
    folder
        Made when missing; one sub-folder an estate.
    servers, seed, speed
        As in ``start_sandbox``.

    Raises
    ------
    SettingsError
        Another process listens on the rehearsal's port, or the kept world cannot be used.
    """
    state = Path(folder) / f"sandbox-{servers}-{seed}"
    state.mkdir(parents=True, exist_ok=True)
    kept = state / "port"
    port = int(kept.read_text(encoding="ascii")) if kept.is_file() else 0
    try:
        sandbox = start_sandbox(servers=servers, seed=seed, speed=speed, port=port, state=state)
    except SdrsError as error:
        raise SettingsError(
            _(
                "The rehearsal kept in {folder} cannot go on: {reason} Stop what uses its port, or delete that folder "
                "to begin anew.",
                folder=state,
                reason=error,
            )
        ) from error
    kept.write_text(sandbox.endpoint.rpartition(":")[2], encoding="ascii")
    return sandbox
