"""Calls that start a job: sent once, and three-valued about what became of them.

Either the job id, or an error that says "not done" for certain, or ``SubmissionUncertain`` / ``CloudUnreachable``
with ``sent``: then somebody has to look before anything is sent again, since the service knows no idempotency.
"""

from sdrs_nb.cloud.answers import Answer, Call
from sdrs_nb.cloud.session import Session
from sdrs_nb.errors import CloudError, CloudUnreachable, ServiceError, SubmissionUncertain
from sdrs_nb.i18n import _

__all__ = ["start_job"]

_REQUEST_TIMEOUT = 408


async def start_job(session: Session, call: Call) -> str:
    """Send ``call`` and return the id of its job.

    Raises
    ------
    SubmissionUncertain
        The request reached the cloud and its fate is not known: 5xx, 408, a success without a job id.
    CloudUnreachable
        No answer; ``sent`` says whether the request may have arrived.
    CloudError
        The cloud refused it; nothing was done.
    """
    try:
        document, answer = await session.request(call)
    except CloudUnreachable as error:
        if _is_about(error, call):
            raise
        raise _not_sent(error, call) from error
    except CloudError as error:
        if not _is_about(error, call):
            if isinstance(error, ServiceError):
                raise _not_sent(error, call) from error
            raise
        if isinstance(error, ServiceError) or error.status == _REQUEST_TIMEOUT or error.status < 300:  # noqa: PLR2004 - HTTP: success that cannot be read
            raise SubmissionUncertain(
                _("{reason} Whether it was handled is not known; look at what exists first.", reason=error),
                request_id=error.request_id,
            ) from error
        raise
    return _job_id(call, document, answer)


def _job_id(call: Call, document: object, answer: Answer) -> str:
    job_id = document.get("job_id") if isinstance(document, dict) else None
    if isinstance(job_id, str) and job_id:
        return job_id
    raise SubmissionUncertain(
        _(
            "{method} {path} answered {status} without a job id. Whether it was handled is not known; look at what "
            "exists first.",
            method=call.method,
            path=call.path,
            status=answer.status,
        ),
        request_id=answer.request_id,
    )


def _is_about(error: CloudError | CloudUnreachable, call: Call) -> bool:
    """Tell whether ``error`` befell the call itself, not the token or the project looked up before it."""
    return error.method == call.method and error.path.endswith(call.path.partition("{project_id}")[2])


def _not_sent(error: Exception, call: Call) -> CloudUnreachable:
    return CloudUnreachable(
        _("{reason} The request itself was not sent.", reason=error), method=call.method, path=call.path, sent=False
    )
