"""Protect cloud servers against the loss of a site, in bulk, from JupyterLab.

Load a project's servers, check every one's eligibility, plan batches, preview the exact payloads, approve,
submit, follow the jobs, verify and report.  Everything here is imported when first used.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "errors": (
        "AuthenticationError ClaimedError CloudError CloudUnreachable ConflictError InventoryError JobFailed "
        "JobTimeout LedgerError ListIncompleteError NoBatchCallError NotFoundError NothingEligibleError "
        "NotOnTapeError PermissionDeniedError PlanError ReadOnlyError SdrsError ServiceError SettingsError "
        "RunbookFailed SubmissionUncertain ThrottledError UnknownCallError"
    ),
    "cloud": "Cloud connect",
    "inventory.inventory": "Inventory load_inventory read_inventory",
    "inventory.select": "Selection select",
    "models": "Approval Batch BatchOptions Pace",
    "rulebook": "load_rulebook",
    "eligibility.eligibility": "Eligibility check_eligibility",
    "aftercare.groups": "create_group",
    "planning.options": "JobOptions read_options",
    "planning.planning": "Plan plan_batches",
    "planning.estimates": "Estimate",
    "planning.approvals": "approve load_approval save_approval",
    "aftercare.undoing": "plan_undo",
    "aftercare.remainders": "Remainder plan_remainder",
    "running.assumptions": "assumptions",
    "running.job_history": "job_durations",
    "running.runs": "Run list_runs open_run",
    "running.submission": "submit",
    "running.following": "follow resume",
    "running.verification": "verify",
    "running.protection": "enable_protection first_synchronisation follow_first_synchronisation",
    "reporting.todo": "to_do",
    "doctor": "Diagnosis doctor",
    "aftercare.coverage": "Coverage cover coverage",
    "aftercare.drift": "InventoryDiff diff_inventories",
    "shown.exports": "write_csv write_excel write_json_lines",
    "running.progress": "ProgressLines",
    "reporting.report": "Summary report require_complete summarize",
    "runbooks.reruns": "find_run latest_run rehearse_run start_rehearsal",
    "runbooks.sandbox_process": "start_sandbox",
    "i18n.choosing": "set_language",
    "widgets": "CoveragePanel Workbench",
}
_WHERE = {name: module for module, names in _HOMES.items() for name in names.split()}

__version__ = "0.1.0"
__all__ = sorted(_WHERE)  # noqa: PLE0605 - a list of strings, made from the table above


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
