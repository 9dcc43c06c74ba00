"""How an answer came: encrypted by which TLS, vouched for by whom, through which proxy."""

import ssl
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from sdrs_nb.cloud.answers import shorten
from sdrs_nb.settings import Settings, is_loopback

__all__ = ["encryption_of", "proxy_of"]


def encryption_of(response: httpx.Response) -> str:
    """Return TLS version and issuer of the certificate of an answer, ``""`` where it came in the clear.

    A proxy that opens TLS shows here: the issuer is its owner.
    """
    stream = response.extensions.get("network_stream")
    tls = stream.get_extra_info("ssl_object") if stream is not None else None
    if not isinstance(tls, ssl.SSLObject | ssl.SSLSocket):
        return ""
    issuer = dict(pair for part in (tls.getpeercert() or {}).get("issuer", ()) for pair in part)  # type: ignore[misc]
    named = issuer.get("organizationName") or issuer.get("commonName") or "-"
    return f"{tls.version()}, {shorten(str(named))}"


def proxy_of(origin: str, settings: Settings) -> str:
    """Return host and port of the proxy that calls to ``origin`` go through, ``""`` where there is none.

    Never its user and password.  The HTTP library reads the same variables: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY,
    NO_PROXY.
    """
    address = urlsplit(origin)
    if (settings.endpoint and is_loopback(settings.endpoint)) or proxy_bypass(address.hostname or ""):
        return ""
    proxies = getproxies()
    named = proxies.get(address.scheme) or proxies.get("all") or ""
    if not named:
        return ""
    proxy = urlsplit(named if "://" in named else f"http://{named}")
    return f"{proxy.hostname}:{proxy.port}" if proxy.port else str(proxy.hostname)
