"""Runbooks that may be run again: find the run of a plan that was sent already, keep a rehearsal's sandbox."""

import re
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdrs_nb.asked import checked
from sdrs_nb.eligibility.eligibility import check_eligibility
from sdrs_nb.errors import LedgerError, SdrsError, SettingsError
from sdrs_nb.i18n import _
from sdrs_nb.intake.files import read_file
from sdrs_nb.inventory.inventory import load_inventory
from sdrs_nb.ledger.ledger import Ledger, RunState
from sdrs_nb.planning.planning import plan_batches
from sdrs_nb.planning.plans import Plan
from sdrs_nb.runbooks.sandbox_process import SandboxProcess, start_sandbox
from sdrs_nb.running.belonging import require_own_cloud
from sdrs_nb.running.runs import Run, open_run
from sdrs_nb.running.scopes import is_of_cloud
from sdrs_nb.running.submission import submit
from sdrs_nb.settings import is_loopback

if TYPE_CHECKING:
    from sdrs_nb.cloud import Cloud

__all__ = ["find_run", "latest_run", "rehearse_run", "start_rehearsal"]

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@checked
async def find_run(cloud: "Cloud", plan: Plan | str | Path, *, ledger: Ledger | None = None) -> Run | None:
    """Return the newest run of exactly this plan in the cloud's project, or None when it was never submitted.

    A procedure that asks this before ``submit`` can be run again from the top: it carries its own run on and sends
    nothing twice.  Reads the ledger and, for a path, that file; one cheap call says which project this is.

    Parameters
    ----------
    cloud
        The project; runs of another cloud or project do not count.
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
    store = ledger or Ledger()
    rows = await _rows_of(cloud, store, fingerprint)
    return open_run(rows[0]["run_id"], store) if rows else None


async def _rows_of(cloud: "Cloud", store: Ledger, fingerprint: str = "") -> list[dict[str, Any]]:
    """Return the cloud's own runs, newest first: rows of the ledger."""
    identity = await cloud.check()
    return [row for row in store.runs_of(fingerprint) if is_of_cloud(row, identity)]


def _fingerprint(plan: Plan | str | Path) -> str | None:
    if isinstance(plan, Plan):
        return plan.fingerprint
    if isinstance(plan, str) and _FINGERPRINT.fullmatch(plan):
        return plan
    path = Path(plan)
    return Plan.load(path).fingerprint if path.is_file() else None


@checked
async def latest_run(cloud: "Cloud", run_id: str = "", *, ledger: Ledger | None = None) -> Run:
    """Return the run called ``run_id``; without a name the newest of this cloud that is not done, else the newest.

    Reads the ledger; one cheap call says which cloud and project this is.

    Raises
    ------
    LedgerError
        There is no such run, or none of this cloud, or the ledger cannot be read.
    SettingsError
        The run of that name belongs to another cloud.
    AuthenticationError, PermissionDeniedError, CloudUnreachable
        The cloud does not take the credentials or does not answer.
    """
    store = ledger or Ledger()
    if run_id:
        run = open_run(run_id, store)
        await require_own_cloud(cloud, run)
        return run
    rows = await _rows_of(cloud, store)
    if not rows:
        raise LedgerError(
            _(
                "The ledger {path} holds no run of this cloud and project yet. Submit a plan first: runbook "
                "20_protect_servers.",
                path=store.path,
            )
        )
    unfinished = [row for row in rows if row["state"] != RunState.DONE]
    return open_run((unfinished or rows)[0]["run_id"], store)


@checked
async def rehearse_run(cloud: "Cloud", folder: str | Path, *, servers: int = 10) -> Run:
    """Return a run to practise on: that of ``folder/plan.json``, or a new one of some servers, interrupted at once.

    For rehearsals on a sandbox only, so that a runbook about runs has one from the first minute.

    Parameters
    ----------
    cloud
        From the rehearsal's ``connect``.
    folder
        Where the plan is kept as ``plan.json``; the next call finds its run and submits nothing.
    servers
        How many servers a new plan has at most.

    Raises
    ------
    SettingsError
        The cloud is no sandbox on this machine.
    NothingEligibleError
        No server of the sandbox can be protected.
    """
    if not is_loopback(cloud.settings.endpoint or ""):
        raise SettingsError(_("A rehearsal needs a sandbox on this machine; {cloud} may be real.", cloud=cloud))
    path = Path(folder) / "plan.json"
    if run := await find_run(cloud, path):
        return run
    inventory = await load_inventory(cloud)
    verdicts = check_eligibility(inventory).verdicts
    ready = verdicts[verdicts["verdict"].isin(["eligible", "warning"])].dropna(subset=["group_id"])
    chosen = list(ready["server_id"][:servers])
    plan = plan_batches(check_eligibility(inventory, server_ids=chosen), name_prefix="practice")
    path.parent.mkdir(parents=True, exist_ok=True)
    plan.save(path)
    run = await submit(cloud, plan, approve=plan.fingerprint)
    run.stop(_("Interrupted on purpose, to practise on."))
    return run


@checked
def start_rehearsal(folder: str | Path, *, servers: int = 240, seed: int = 7, speed: float = 60) -> SandboxProcess:
    """Start a sandbox cloud whose world and address are kept in ``folder``, so that a rehearsal can be run again.

    The first start takes a free port; later ones take the same, since a run belongs to its endpoint.  Where that port
    is taken by now, the rehearsal begins anew in a world of its own beside the first.  Delete the folder to rehearse
    from the beginning.

    Parameters
    ----------
    folder
        Made when missing; one sub-folder an estate.
    servers, seed, speed
        As in ``start_sandbox``.

    Raises
    ------
    SdrsError
        A new sandbox did not start; the message holds what it said.
    """
    for number in count(1):
        state = Path(folder) / f"sandbox-{servers}-{seed}{f'-{number}' if number > 1 else ''}"
        kept = state / "port"
        port = _port_in(kept)
        state.mkdir(parents=True, exist_ok=True)
        try:
            sandbox = start_sandbox(servers=servers, seed=seed, speed=speed, port=port, state=state)
        except SdrsError:
            if port == 0:
                raise
        else:
            kept.write_text(sandbox.endpoint.rpartition(":")[2], encoding="ascii")
            return sandbox
    raise AssertionError  # count never ends


def _port_in(kept: Path) -> int:
    """Return the port that an earlier start wrote down; 0, which takes a free one, where none can be read."""
    try:
        port = int(read_file(kept, "settings_bytes"))
    except (OSError, ValueError):
        return 0
    return port if port in range(2**16) else 0
