"""When a call may be repeated: small named checks, any of which is enough.

A create is repeated only where it provably was not handled; whoever sent it decides about every other case.
"""

from collections.abc import Callable

from sdrs_nb.cloud.answers import Call
from sdrs_nb.errors import CloudError, CloudUnreachable, ServiceError, ThrottledError

__all__ = ["CHECKS", "may_repeat"]

_OK, _REQUEST_TIMEOUT = 200, 408


def was_throttled(_call: Call, error: Exception) -> bool:
    """Tell whether the gateway turned the call away before anything handled it."""
    return isinstance(error, ThrottledError)


def was_not_sent(_call: Call, error: Exception) -> bool:
    """Tell whether no byte of the call left this machine."""
    return isinstance(error, CloudUnreachable) and not error.sent


def read_got_no_answer(call: Call, error: Exception) -> bool:
    """Tell whether a harmless call was lost on the way."""
    return call.repeatable and isinstance(error, CloudUnreachable)


def read_met_a_failing_service(call: Call, error: Exception) -> bool:
    """Tell whether a harmless call met a 5xx or a 408."""
    return call.repeatable and (
        isinstance(error, ServiceError) or (isinstance(error, CloudError) and error.status == _REQUEST_TIMEOUT)
    )


def read_got_garbage(call: Call, error: Exception) -> bool:
    """Tell whether a harmless call was answered with success and a body that cannot be read."""
    return call.repeatable and isinstance(error, CloudError) and error.status // 100 * 100 == _OK


CHECKS: tuple[Callable[[Call, Exception], bool], ...] = (
    was_throttled,
    was_not_sent,
    read_got_no_answer,
    read_met_a_failing_service,
    read_got_garbage,
)


def may_repeat(call: Call, error: Exception) -> bool:
    """Tell whether any check allows ``call`` to be sent again after ``error``."""
    return any(check(call, error) for check in CHECKS)
