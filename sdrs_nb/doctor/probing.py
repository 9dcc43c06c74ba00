"""The one exception to "nothing is created without approval", made only where it was asked for by name.

A create that cannot create: it names no server, and a group that nobody has.  A cloud that has the batch call refuses
it (400), one that has not does not know the path (404).
"""

from typing import TYPE_CHECKING

from sdrs_nb.doctor.caller import refusal
from sdrs_nb.doctor.findings import Check, Finding
from sdrs_nb.errors import (
    AuthenticationError,
    CloudError,
    PermissionDeniedError,
    ReadOnlyError,
    SdrsError,
    ServiceError,
    ThrottledError,
    UnknownCallError,
)
from sdrs_nb.i18n import _
from sdrs_nb.rulebook import Rulebook

if TYPE_CHECKING:
    from sdrs_nb.cloud import Cloud

__all__ = ["probe", "probed"]

_BODY = (
    b'{"protected_instances": {"name_prefix": "probe", "server_group_id": "00000000-0000-0000-0000-000000000000", '
    b'"servers": []}}'
)
#: Answers that say nothing of whether the call is there.
_SILENT = (AuthenticationError, ServiceError, ThrottledError)


async def probe(cloud: "Cloud") -> SdrsError | str:
    """Send it once and return the refusal, or the id of a job, which no cloud should give."""
    try:
        return await cloud.sdrs.batch_create(_BODY)
    except SdrsError as error:
        return error


def probed(answer: SdrsError | str, book: Rulebook) -> Finding:
    """Return what the answer of ``probe`` says of the batch call, and whether ``book`` expects that."""
    is_expected = bool(book.limit("batch_create"))
    match answer:
        case str():
            return Finding(
                "batch_call",
                Check.FAILED,
                _("The cloud has accepted a create that names no server, as job {job}.", job=answer),
                _("Look at that job and at the protection groups before anything is sent, and tell the support."),
            )
        case UnknownCallError():
            return Finding(
                "batch_call",
                Check.FAILED if is_expected else Check.OK,
                _("This cloud has no batch call: {said}", said=refusal(answer)),
                _("Choose --rulebook otc: every server is a request of its own then.") if is_expected else "",
            )
        case ReadOnlyError():
            found = _("Not probed: this connection reads only.")
            return Finding("batch_call", Check.SKIPPED, found, _("Connect without read_only= to probe."))
        case PermissionDeniedError():
            found = _("The call is not allowed, so whether it is there was not told: {said}", said=refusal(answer))
            return Finding("batch_call", Check.WARNING, found, _("Get the permission to create, then probe again."))
        case CloudError() if not isinstance(answer, _SILENT):
            found = _("This cloud has the batch call: it refused an empty list of servers, as it should ({said}).",
                      said=refusal(answer))  # fmt: skip
            more = "" if is_expected else _("The rule book in use makes no use of it; choose another with --rulebook.")
            return Finding("batch_call", Check.OK, found, more)
        case _:
            found = _("The probe got no answer that tells: {said}", said=refusal(answer))
            return Finding(
                "batch_call", Check.WARNING, found, _("It named no server, so nothing can come of it. Probe again.")
            )
