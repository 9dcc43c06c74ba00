"""Who may speak to the sandbox: its operator's own programs, and no web page in the operator's browser.

A page of any site can make a browser send requests to a loopback port, and a name that its owner lets point there makes
the answers readable. Neither is a client of a cloud: both are told by what a browser says of itself and no page can
forge, the headers Host, Origin and Sec-Fetch-Site (Fetch standard; Fetch Metadata Request Headers), and by the media
type that a page cannot send elsewhere without being allowed to.
"""

import ipaddress
import re
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Scope

#: Bytes of a request body. The largest that a client of the cloud sends, a list of servers, has a few thousand.
BODY_LIMIT = 1 << 20
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")
_ORIGIN = re.compile(r"https?://(.+)", re.IGNORECASE)
_PORTS = 1 << 16
# A typed address or a bookmark is "none"; loopback ports are one site.
_OUR_SITES = frozenset({"none", "same-origin", "same-site"})


def check_sender(scope: Scope, bound_to: Iterable[str] = ()) -> None:
    """Check where a request is addressed and which page, if any, sent it.

    Parameters
    ----------
    scope
        The request's ASGI scope; the address in it on which the connection was accepted is the sandbox's own. Without a
        listener that is the host of the client's base URL.
    bound_to
        What else the sandbox was bound to, as its starter named it.

    Raises
    ------
    HTTPException
        403: Host is neither loopback nor an own address, or a page of elsewhere sends this. 415: a control route is
        handed something else than JSON.
    """
    headers = Headers(scope=scope)
    server = scope.get("server") or ("", None)
    own = {_canonical(name) for name in (server[0], *bound_to)}
    hosts = headers.getlist("host")
    if len(hosts) != 1 or not _is_own(hosts[0], own):
        raise HTTPException(
            403, f"Host {', '.join(hosts)[:100]!r} is not the sandbox; call it by 127.0.0.1, [::1] or localhost."
        )
    origins = headers.getlist("origin")
    for origin in origins:
        if not _is_own_origin(origin, hosts[0]):
            raise HTTPException(403, f"Origin {origin[:100]!r} is not the sandbox's: pages of elsewhere are not heard.")
    site = headers.get("sec-fetch-site", "none")
    if not origins and site not in _OUR_SITES:
        raise HTTPException(403, f"Sec-Fetch-Site is {site[:100]!r}: pages of elsewhere are not heard.")
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    if is_control(scope) and (has_body or scope["method"] not in {"GET", "HEAD"}):
        _check_json(headers.getlist("content-type"))


def is_control(scope: Scope) -> bool:
    """Whether a request is for a control route, not for the cloud."""
    return bool(scope["path"].startswith("/_sandbox"))


async def bounded_body(request: Request) -> bytes:
    """Give the body of a request, at most `BODY_LIMIT` bytes.

    Raises
    ------
    HTTPException
        413: it is larger; nothing beyond the limit was kept.
    starlette.requests.ClientDisconnect
        The sender left in the middle.
    """
    too_large = HTTPException(413, f"A request body has at most {BODY_LIMIT} bytes.")
    told = request.headers.get("content-length", "")
    if told.isdecimal() and int(told[:20]) > BODY_LIMIT:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise too_large
    return bytes(body)


def _is_own(authority: str, own: set[str]) -> bool:
    found = _AUTHORITY.fullmatch(authority)
    if found is None or int(found[2] or 0) >= _PORTS:
        return False
    name = _canonical(found[1])
    return name == "localhost" or name in own or _is_loopback(name)


def _is_own_origin(origin: str, host: str) -> bool:
    found = _ORIGIN.fullmatch(origin)
    # Another port of loopback is another program of this machine; another port elsewhere is somebody else's.
    return found is not None and (found[1].lower() == host.lower() or _is_own(found[1], set()))


def _canonical(host: str) -> str:
    """Give a host as Host names it, in one spelling; what only looks like an address stays a name."""
    bracketed = host.startswith("[")
    try:
        address = ipaddress.ip_address(host.strip("[]") if bracketed else host)
    except ValueError:
        return host.lower()
    if isinstance(address, ipaddress.IPv6Address):
        return str(address.ipv4_mapped or address)
    return host if bracketed else str(address)


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _check_json(types: list[str]) -> None:
    media, _, parameters = (types[0] if len(types) == 1 else "").partition(";")
    plain = {part.strip().lower().replace('"', "") for part in parameters.split(";")} <= {"", "charset=utf-8"}
    if media.strip().lower() != "application/json" or not plain:
        told = ", ".join(types)[:100]
        raise HTTPException(415, f"Send Content-Type: application/json, not {told!r}; an empty body needs it too.")
