"""How the command line leaves: the exit codes, and which error has which."""

import sys
from collections.abc import Iterable

import typer

from sdrs_nb.errors import (
    ClaimedError,
    ConflictError,
    InventoryError,
    JobFailed,
    JobTimeout,
    ListIncompleteError,
    NothingEligibleError,
    RunbookFailed,
    SdrsError,
    ServiceError,
    SubmissionUncertain,
    ThrottledError,
)
from sdrs_nb.i18n import _
from sdrs_nb.shown import terminal
from sdrs_nb.statuses import OPEN, REACHED, Stage

__all__ = [
    "BAD_INPUT", "DONE", "EXPECTED", "FAILED", "NOTHING_ELIGIBLE", "STILL_UNKNOWN", "code_of", "code_of_stages",
    "explained",
]  # fmt: skip

DONE, FAILED, BAD_INPUT, NOTHING_ELIGIBLE, STILL_UNKNOWN = range(5)

#: Options of ``sdrs-nb`` itself, which people write after the command.
GLOBAL_OPTIONS = (
    "--endpoint",
    "--region",
    "--project-id",
    "--profile",
    "--ca-file",
    "--tape",
    "--lang",
    "--quiet",
    "-q",
)
#: What a command may end with and an operator can act on; anything else is a bug and shows its traceback.
EXPECTED = (SdrsError, OSError, KeyboardInterrupt, typer.Abort, typer.TyperException)

_CODES: dict[type[SdrsError], int] = {
    NothingEligibleError: NOTHING_ELIGIBLE,
    SubmissionUncertain: STILL_UNKNOWN,
    JobTimeout: STILL_UNKNOWN,
    JobFailed: FAILED,
    ClaimedError: FAILED,
    ConflictError: FAILED,
    ThrottledError: FAILED,
    ServiceError: FAILED,
    ListIncompleteError: FAILED,
}


def code_of(error: type[BaseException]) -> int:
    """Return the exit code of an error: what the operator gave was wrong (2) unless the table says otherwise."""
    return next((code for kind, code in _CODES.items() if issubclass(error, kind)), BAD_INPUT)


def code_of_stages(stages: Iterable[str]) -> int:
    """Return the exit code of an outcome: unknown beats failed, since it must be looked up before anything else."""
    reached = {Stage(stage) for stage in stages}
    if reached & OPEN:
        return STILL_UNKNOWN
    return DONE if reached <= REACHED else FAILED


def explained(error: BaseException) -> int:
    """Write what happened to the standard error and return the exit code."""
    match error:
        case KeyboardInterrupt() | typer.Abort():
            text, code = _("Interrupted; nothing is lost. Carry on with: sdrs-nb resume RUN"), FAILED
        case RunbookFailed():
            text, code = str(error), FAILED if error.cause is None else code_of(error.cause)
        case OSError() if not isinstance(error, SdrsError):
            text, code = _("{file}: {reason}.", file=error.filename or "-", reason=error.strerror or error), BAD_INPUT
        case typer.TyperException():
            text, code = _usage(error), BAD_INPUT
        case InventoryError() if len(error.problems) <= 1:
            text, code = " ".join(line.strip() for line in str(error).splitlines()), BAD_INPUT
        case SdrsError():
            text, code = str(error), code_of(type(error))
        case _:
            raise error
    terminal.write(text.rstrip(), sys.stderr)
    return code


def _usage(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "sdrs-nb"
    text = error.format_message()
    if type(error).__name__ == "NoArgsIsHelpError":  # a command group without a command; its text is the whole help
        return text
    option = getattr(error, "option_name", None)
    if option in GLOBAL_OPTIONS and context is not None and context.parent is not None:
        return _("{option} goes before the command: sdrs-nb {option} VALUE {command}",
                 option=option, command=path.removeprefix("sdrs-nb ").split(" ")[0])  # fmt: skip
    return _("{problem} See: {command} --help", problem=text, command=path)
