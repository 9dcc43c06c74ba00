"""Why no answer came, in a sentence that names the host and what to check."""

import socket
import ssl
from collections.abc import Iterator

import httpx

from sdrs_nb.cloud.answers import Call, shorten
from sdrs_nb.errors import CloudUnreachable
from sdrs_nb.i18n import _

__all__ = ["unreachable"]

# httpx raises these before the first byte of a request is written: while connecting (TLS included) or while
# waiting for a free connection.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


def unreachable(call: Call, path: str, host: str, error: httpx.RequestError) -> CloudUnreachable:
    """Return the error for a call that httpx could not bring to an answer."""
    sent = not isinstance(error, _NOT_SENT)
    cause = _cause(error)
    sentence = _after(call, path, host, error) if sent else _before(host, cause, error)
    return CloudUnreachable(sentence, method=call.method, path=path, sent=sent, cause=cause)


def _cause(error: httpx.RequestError) -> str:
    """Return what stood in the way, in a word of ``CloudUnreachable.cause``."""
    causes = tuple(_causes(error))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return "name"
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return "certificate"
    if isinstance(error, httpx.ProxyError) and "407" in str(error):
        return "proxy"
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return "refused"
    return "time" if isinstance(error, httpx.TimeoutException) else ""


def _before(host: str, cause: str, error: httpx.RequestError) -> str:
    if cause == "name":
        return _(
            "The name {host} cannot be resolved. Check the region, the endpoint and this machine's network.", host=host
        )
    if cause == "certificate":
        return _(
            "The certificate of {host} is not trusted. Check the endpoint; behind a proxy of your own, name its "
            "certificate with SDRS_NB_CA_FILE.",
            host=host,
        )
    if cause == "proxy":
        return _(
            "A proxy on the way to {host} wants a user and a password: HTTPS_PROXY=http://user:password@host:port.",
            host=host,
        )
    if cause == "refused":
        return _("Nothing listens at {host}. Check the endpoint and whether the service is running.", host=host)
    if cause == "time":
        return _("{host} accepted no connection in time. Check the endpoint, the firewall and HTTPS_PROXY.", host=host)
    return _(
        "No connection to {host}: {reason}. Check the endpoint, this machine's network and HTTPS_PROXY.",
        host=host,
        reason=_reason(error),
    )


def _after(call: Call, path: str, host: str, error: httpx.RequestError) -> str:
    if isinstance(error, httpx.TimeoutException):
        what = _("{host} gave no answer to {method} {path} in time.", host=host, method=call.method, path=path)
    else:
        what = _(
            "The connection to {host} broke during {method} {path}: {reason}.",
            host=host,
            method=call.method,
            path=path,
            reason=_reason(error).rstrip("."),
        )
    if call.repeatable:
        return what + " " + _("Nothing was changed; check the network and try again.")
    return what + " " + _("The request may have been handled; look at what exists before sending it again.")


def _reason(error: httpx.RequestError) -> str:
    """Return what the library says; what it says of a request that it will not send may quote a header of it."""
    said = "" if isinstance(error, httpx.LocalProtocolError) else shorten(str(error))
    return said or type(error).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):  # several addresses of one host were tried
            yield from error.exceptions
        error = error.__cause__ or error.__context__
