"""Every error this package raises, one tree.

::

    SdrsError
    ├── InventoryError          a file or frame of servers cannot be used; ``problems`` lists everything at once
    ├── PlanError               what was asked for cannot be planned, or a plan is not the one approved
    │   └── NothingEligibleError    no server that was asked for can be planned; the reasons are in the message
    ├── SettingsError           endpoint, project, credentials or options are missing or wrong
    │   └── ReadOnlyError           this connection was asked to read only, and this would change something
    ├── LedgerError             the durable record cannot be trusted, so nothing is sent
    ├── ClaimedError            another run already holds these servers
    ├── CloudUnreachable        no answer from the cloud; nothing is known to have been changed
    ├── CloudError              the cloud answered with an error: method, path, status, code, request id
    │   ├── AuthenticationError     401: the credentials were not accepted
    │   ├── PermissionDeniedError   403: the credentials do not allow this call
    │   ├── NotFoundError           404, or a 400 whose code means "no such object"
    │   │   └── UnknownCallError        the gateway does not know the call; nothing was done
    │   │       └── NoBatchCallError        the call is a batch call, which this cloud does not have
    │   ├── ConflictError           409, or a 400 whose code means "not in this state"
    │   ├── ThrottledError          429: too many calls
    │   ├── ServiceError            5xx: the service failed
    │   ├── NotOnTapeError          a tape is played back, and this request is not on it
    │   └── ListIncompleteError     a list was read in part; ``documents`` holds what was received
    ├── SubmissionUncertain     a create was sent and its fate is not known
    ├── JobFailed               a job ended with status FAIL
    ├── JobTimeout              a job did not end in the time given to it
    └── RunbookFailed           a cell of a runbook failed; ``cause`` is the class of its error

Catch ``SdrsError`` to catch them all.  Messages come from the message catalogue and say what happened, to
which object, and what to do; they never hold a token, a password or a secret key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sdrs_nb.shown.texts import visible

__all__ = [
    "AuthenticationError",
    "ClaimedError",
    "CloudError",
    "CloudUnreachable",
    "ConflictError",
    "InventoryError",
    "JobFailed",
    "JobTimeout",
    "LedgerError",
    "ListIncompleteError",
    "NoBatchCallError",
    "NotFoundError",
    "NotOnTapeError",
    "NothingEligibleError",
    "PermissionDeniedError",
    "PlanError",
    "Problem",
    "ReadOnlyError",
    "RunbookFailed",
    "SdrsError",
    "ServiceError",
    "SettingsError",
    "SubmissionUncertain",
    "ThrottledError",
    "UnknownCallError",
]


class SdrsError(Exception):
    """Anything that went wrong in this package, with a message meant for the operator."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input: where it stands and what is wrong, in a sentence.

    ``row`` is the row as a spreadsheet shows it (the header is row 1); None where no row is meant.
    """

    where: str
    row: int | None
    column: str | None
    message: str

    def __str__(self) -> str:
        place = visible(self.where)  # a sheet, a file, a heading: anybody's words
        if self.row is not None:
            place += f", row {self.row}"
        if self.column is not None:
            place += f", column {visible(self.column)}"
        return f"{place}: {visible(self.message)}"


class InventoryError(SdrsError, ValueError):
    """A file or frame cannot be used as an inventory; ``problems`` names every reason at once.

    ``headings`` says what each heading was taken for, as ``Inventory.headings`` does, as far as it was read.
    """

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        self.problems = tuple(problems)
        self.headings: tuple[Any, ...] = ()
        super().__init__("\n".join([message, *(f"  {problem}" for problem in self.problems)]))


class PlanError(SdrsError, ValueError):
    """What was asked for cannot be planned, or the plan at hand is not the one that was approved."""


class NothingEligibleError(PlanError):
    """No server that was asked for can be planned; names how many there were and the most frequent reasons."""


class SettingsError(SdrsError, ValueError):
    """An endpoint, a project, credentials or an option is missing or wrong."""


class ReadOnlyError(SettingsError):
    """The connection was asked to read only, and this would change something in the cloud; nothing was sent."""


class LedgerError(SdrsError):
    """The ledger cannot be read, written or trusted; nothing is sent without it."""


class ClaimedError(SdrsError):
    """Servers of this plan are held by another run."""


class CloudUnreachable(SdrsError):  # noqa: N818 - the name the house chose for "no answer"
    """The cloud gave no answer.

    ``sent`` says whether the request may have reached it: False only when no byte left this machine.  ``cause`` is
    what stood in the way where that is known: ``name`` (not resolved), ``certificate`` (not trusted), ``proxy`` (wants
    a password), ``refused`` (nothing listens), ``time`` (none came in time); else ``""``.
    """

    def __init__(self, message: str, *, method: str = "", path: str = "", sent: bool = True, cause: str = "") -> None:
        self.method = method
        self.path = path
        self.sent = sent
        self.cause = cause
        super().__init__(message)


class CloudError(SdrsError):
    """The cloud answered with an error.

    ``status`` is the HTTP status, ``code`` the service's own code (``""`` when the body held none),
    ``cloud_message`` its own text unchanged, ``request_id`` what its support will ask for.
    """

    def __init__(
        self,
        message: str,
        *,
        method: str,
        path: str,
        status: int,
        code: str = "",
        cloud_message: str = "",
        request_id: str = "",
    ) -> None:
        self.method = method
        self.path = path
        self.status = status
        self.code = code
        self.cloud_message = cloud_message
        self.request_id = request_id
        super().__init__(message)


class NotOnTapeError(CloudError):
    """A tape is played back in place of a cloud, and this request is not on it; nothing was sent."""


class AuthenticationError(CloudError):
    """The credentials were not accepted (401)."""


class PermissionDeniedError(CloudError):
    """The credentials do not allow this call (403)."""


class NotFoundError(CloudError):
    """The object does not exist, or not in this project (404, or SDRS's own 400 codes for it)."""


class UnknownCallError(NotFoundError):
    """The gateway does not know the call (404 or 405 without a code of the service); nothing was done."""


class NoBatchCallError(UnknownCallError):
    """The cloud has no batch calls; plan again by the rule book of a site without them."""


class ConflictError(CloudError):
    """The object is not in a state that allows the call (409, or SDRS's own 400 codes for it)."""


class ThrottledError(CloudError):
    """Too many calls (429)."""


class ServiceError(CloudError):
    """The service failed (5xx)."""


class ListIncompleteError(CloudError):
    """A list could be read in part only, so nothing may be taken for absent from it.

    ``received`` rows came of the ``announced`` ones (None where the cloud named no number); ``documents`` holds what
    came of that which was asked for.
    """

    def __init__(
        self, message: str, *, path: str, received: int, announced: int | None, documents: Sequence[dict[str, Any]]
    ) -> None:
        self.received = received
        self.announced = announced
        self.documents = list(documents)
        super().__init__(message, method="GET", path=path, status=200)

    def holding(self, documents: Sequence[dict[str, Any]]) -> "ListIncompleteError":
        """Return the same error for a list that was made with the help of the incomplete one."""
        return ListIncompleteError(
            str(self), path=self.path, received=self.received, announced=self.announced, documents=documents
        )


class SubmissionUncertain(SdrsError):  # noqa: N818 - a state of knowledge, not a mistake
    """A create request was sent and its fate is not known; the ledger holds its intent.

    ``request_id`` is what the cloud's support will ask for, ``""`` where no answer held one.
    """

    def __init__(self, message: str, *, request_id: str = "") -> None:
        self.request_id = request_id
        super().__init__(message)


class JobFailed(SdrsError):  # noqa: N818 - named after the status it reports
    """A job ended with status FAIL."""


class JobTimeout(SdrsError):  # noqa: N818 - named after what happened
    """A job did not end in the time it was given; it may still end later."""


class RunbookFailed(SdrsError):  # noqa: N818 - named like the other failures of something that ran
    """A cell of a runbook failed; ``cause`` is the class of the cell's error, None when it is not ours."""

    def __init__(self, message: str, *, cause: type[SdrsError] | None = None) -> None:
        self.cause = cause
        super().__init__(message)
